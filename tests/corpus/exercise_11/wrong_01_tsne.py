"""WRONG: problem 1. fair: points that a fair examiner would give (low, high)."""

from corpus.exercise_11.base import Cases, ref

CASES = Cases()
A = CASES.add
QS = [0.25, 1.25]  # one slip in Q
KS = [0.25, 1.25]  # one slip in the cost
FAC = [3, 5]  # gradient right up to a factor or sign
GS = [1, 4.25]  # another slip in the gradient


def q(name, why, fair, names, *pairs, **kw):
    A(name, why, fair={"q": fair}, names=names, q=ref("q", *pairs), **kw)


def kl(name, why, fair, names, *pairs, **kw):
    A(name, why, fair={"kl": fair}, names=names, kl=ref("kl", *pairs), **kw)


def g(name, why, fair, names, *pairs, **kw):
    A(name, why, fair={"g": fair}, names=names, g=ref("g", *pairs), **kw)


# ---- low_dimensional_similarities ----
q(
    "q_no_square",
    "distance without the square in d_ij",
    QS,
    ["square", "squared", "distance"],
    ("np.sum(differences**2, axis=-1)", "np.sqrt(np.sum(differences**2, axis=-1))"),
)
A(
    "q_no_square_norm",
    "the norm is not squared",
    fair={"q": QS},
    names=["square", "squared", "norm"],
    q="""
d = 1 + np.linalg.norm(Y[:, None] - Y[None], axis=-1)
q_ = 1 / d
np.fill_diagonal(q_, 0)
return q_ / q_.sum()
""",
)
A(
    "q_no_square_cdist",
    "cdist gives the distance, not its square",
    fair={"q": QS},
    names=["square", "squared", "distance"],
    q="""
from scipy.spatial.distance import cdist
inv = 1.0 / (1.0 + cdist(Y, Y))
inv[np.diag_indices(len(Y))] = 0.0
return inv / np.sum(inv)
""",
)
q(
    "q_diagonal_kept",
    "the diagonal keeps its ones",
    [0.25, 1.25],
    ["diagonal", "q_ii", "k != l"],
    ("    np.fill_diagonal(inverse, 0.0)\n", ""),
)
A(
    "q_diagonal_kept_loops",
    "the loops run over i == j too",
    fair={"q": [0.25, 1.25]},
    names=["diagonal", "i == j", "q_ii"],
    q="""
N = len(Y)
Q = np.zeros((N, N))
for i in range(N):
    for j in range(N):
        Q[i, j] = 1 / (1 + np.sum((Y[i] - Y[j]) ** 2))
return Q / Q.sum()
""",
)
A(
    "q_diagonal_after",
    "the diagonal is set to zero only after the division",
    fair={"q": [0.5, 1.5]},
    names=["diagonal", "sum", "normalis", "k != l"],
    q="""
inv = 1 / (1 + ((Y[:, None] - Y[None]) ** 2).sum(-1))
Q = inv / inv.sum()
np.fill_diagonal(Q, 0)
return Q
""",
)
A(
    "q_diagonal_one_minus",
    "normaliser minus one in place of minus N",
    fair={"q": [0.5, 1.5]},
    names=["diagonal", "normalis", "N"],
    q="""
inv = 1 / (1 + ((Y[:, None] - Y[None]) ** 2).sum(-1))
Z = inv.sum() - 1
Q = inv / Z
np.fill_diagonal(Q, 0)
return Q
""",
)
q(
    "q_rows",
    "normalised per row",
    QS,
    ["row", "normalis", "all pairs"],
    ("inverse / inverse.sum()", "inverse / inverse.sum(axis=1, keepdims=True)"),
)
A(
    "q_rows_loop",
    "each row divided by its own sum in a loop",
    fair={"q": QS},
    names=["row", "normalis", "all pairs"],
    q="""
inv = 1 / (1 + ((Y[:, None] - Y[None]) ** 2).sum(-1))
np.fill_diagonal(inv, 0)
for i in range(len(inv)):
    inv[i] = inv[i] / np.sum(inv[i])
return inv
""",
)
q(
    "q_columns",
    "normalised per column",
    QS,
    ["column", "normalis", "all pairs"],
    ("inverse.sum()", "inverse.sum(axis=0)"),
)
q("q_max", "divided by the maximum", QS, ["sum", "normalis", "maximum"], ("inverse.sum()", "inverse.max()"))
q("q_mean", "divided by the mean", QS, ["sum", "mean", "normalis"], ("inverse.sum()", "inverse.mean()"))
q("q_unnormalised", "not normalised at all", QS, ["normalis", "sum"], ("inverse / inverse.sum()", "inverse"))
q(
    "q_over_rows_N",
    "row-normalised and divided by N",
    [0.5, 1.5],
    ["row", "normalis", "all pairs"],
    ("inverse / inverse.sum()", "inverse / inverse.sum(axis=1, keepdims=True) / len(Y)"),
)
A(
    "q_pairs_triu",
    "the normaliser counts each pair once (np.triu)",
    fair={"q": [0.25, 1.5]},
    names=["twice", "once", "pairs", "both", "factor 2"],
    q="""
inv = 1 / (1 + ((Y[:, None] - Y[None]) ** 2).sum(-1))
np.fill_diagonal(inv, 0)
return inv / np.triu(inv).sum()
""",
)
A(
    "q_pairs_pdist",
    "the normaliser counts each pair once (pdist)",
    fair={"q": [0.25, 1.5]},
    names=["twice", "once", "pairs", "both", "factor 2"],
    q="""
from scipy.spatial.distance import pdist, squareform
w = 1 / (1 + pdist(Y, "sqeuclidean"))
return squareform(w / w.sum())
""",
)
A(
    "q_pairs_i_less_j",
    "loop over i < j for the sum",
    fair={"q": [0.25, 1.5]},
    names=["twice", "once", "pairs", "both", "factor 2"],
    q="""
N = Y.shape[0]
num = np.zeros((N, N))
Z = 0
for i in range(N):
    for j in range(i):
        num[i, j] = num[j, i] = 1 / (1 + np.dot(Y[i] - Y[j], Y[i] - Y[j]))
        Z += num[i, j]
return num / Z
""",
)
A(
    "q_upper_triangle_only",
    "fills the upper triangle only",
    fair={"q": [0.25, 1.25]},
    names=["symmetric", "triangle", "both", "pairs"],
    q="""
N = Y.shape[0]
num = np.zeros((N, N))
for i in range(N):
    for j in range(i + 1, N):
        num[i, j] = 1 / (1 + ((Y[i] - Y[j]) ** 2).sum())
return num / num.sum()
""",
)
q(
    "q_gaussian",
    "Gaussian kernel of SNE in place of Student's t",
    [0.25, 1.25],
    ["gauss", "exp", "Student", "d_ij"],
    ("1.0 / (1.0 + np.sum(differences**2, axis=-1))", "np.exp(-np.sum(differences**2, axis=-1))"),
)
q(
    "q_no_inverse",
    "d itself, not its inverse",
    QS,
    ["inverse", "d_ij^-1"],
    ("1.0 / (1.0 + np.sum(differences**2, axis=-1))", "1.0 + np.sum(differences**2, axis=-1)"),
)
q(
    "q_one_missing",
    "the 1 in d_ij is missing, the diagonal is mended to zero",
    QS,
    ["1 +", "one", "d_ij"],
    (
        "    inverse = 1.0 / (1.0 + np.sum(differences**2, axis=-1))\n",
        "    squared = np.sum(differences**2, axis=-1)\n    inverse = 1.0 / np.where(squared > 0, squared, 1.0)\n",
    ),
)
q(
    "q_two_dims",
    "only the first two coordinates count",
    [0.5, 1.5],
    ["dimension", "coordinate", "d = 2"],
    ("np.sum(differences**2, axis=-1)", "differences[:, :, 0] ** 2 + differences[:, :, 1] ** 2"),
)
A(
    "q_two_dims_unpack",
    "unpacks x, y: an error in any other dimension",
    fair={"q": [0.5, 1.5]},
    names=["dimension", "d = 2", "unpack"],
    q="""
x, y = Y.T
d = 1 + np.subtract.outer(x, x) ** 2 + np.subtract.outer(y, y) ** 2
inv = 1 / d
np.fill_diagonal(inv, 0)
return inv / inv.sum()
""",
)
q(
    "q_abs_distance",
    "city-block distance squared",
    QS,
    ["absolute", "city", "manhattan", "distance", "square"],
    ("np.sum(differences**2, axis=-1)", "np.sum(np.abs(differences), axis=-1) ** 2"),
)
q(
    "q_mean_of_squares",
    "mean over the dimensions in place of the sum",
    QS,
    ["mean", "sum", "dimension"],
    ("np.sum(differences**2, axis=-1)", "np.mean(differences**2, axis=-1)"),
)
q(
    "q_wrong_axis",
    "sums the squares over the points",
    [0, 1],
    ["axis", "shape", "dimension"],
    ("np.sum(differences**2, axis=-1)", "np.sum(differences**2, axis=0) @ np.ones((Y.shape[1], len(Y)))"),
)
A(
    "q_int_zeros_like",
    "fills an integer array when Y is one",
    fair={"q": [1.25, 2]},
    doubt="wrong for whole-number input only",
    names=["integer", "dtype", "truncat"],
    q="""
inv = np.zeros((len(Y), len(Y)), dtype=Y.dtype)
for i in range(len(Y)):
    for j in range(len(Y)):
        if i != j:
            inv[i, j] = 1 / (1 + ((Y[i] - Y[j]) ** 2).sum())
return inv / inv.sum()
""",
)
q(
    "q_centres_input",
    "centres the caller's Y in place",
    [1.25, 2],
    ["in place", "input", "changed", "copy"],
    ("    Y = np.asarray(Y, dtype=float)\n", "    Y = np.asarray(Y, dtype=float)\n    Y -= Y.mean(axis=0)\n"),
    doubt="Q itself is right; only the input is changed",
)
A(
    "q_forgotten_return",
    "no return statement",
    fair={"q": [0.25, 1.5]},
    names=["return", "None"],
    q="""
inv = 1 / (1 + ((Y[:, None] - Y[None]) ** 2).sum(-1))
np.fill_diagonal(inv, 0)
Q = inv / inv.sum()
print(Q.shape)
""",
)
A(
    "q_returns_early",
    "the return stands inside the loop",
    fair={"q": [0.25, 1.25]},
    names=["return", "loop", "indent"],
    q="""
N = len(Y)
inv = np.zeros((N, N))
for i in range(N):
    for j in range(N):
        if i != j:
            inv[i, j] = 1 / (1 + np.sum((Y[i] - Y[j]) ** 2))
    return inv / inv.sum()
""",
)
q(
    "q_pair_of_results",
    "returns (Q, inverse)",
    [0.75, 1.9],
    ["tuple", "pair", "return", "form"],
    ("return inverse / inverse.sum()", "return inverse / inverse.sum(), inverse"),
)
q(
    "q_flat",
    "returns a flat vector of N * N",
    [1, 1.75],
    ["shape", "flat"],
    ("return inverse / inverse.sum()", "return (inverse / inverse.sum()).ravel()"),
)
q(
    "q_rounded",
    "rounds to two decimals",
    [0.5, 1.5],
    ["round", "precision"],
    ("return inverse / inverse.sum()", "return np.round(inverse / inverse.sum(), 2)"),
)
q(
    "q_hard_coded_350",
    "only the notebook's 350 points",
    [0.5, 1.5],
    ["350", "number of points", "N", "hard"],
    ("    np.fill_diagonal(inverse, 0.0)\n", "    for i in range(350):\n        inverse[i, i] = 0.0\n"),
)
A(
    "q_global_data",
    "reads the notebook's Y_digits",
    fair={"q": [0.25, 1.5]},
    names=["global", "argument", "Y_digits"],
    q="""
D = ((Y_digits[:, None] - Y_digits[None]) ** 2).sum(-1)
inv = 1 / (1 + D)
np.fill_diagonal(inv, 0)
return inv / inv.sum()
""",
    extra=["Y_digits = np.random.default_rng(1).normal(size=(6, 2))"],
)
A(
    "q_loop_misses_last",
    "range(N - 1): the last point has no similarities",
    fair={"q": [0.5, 1.5]},
    names=["last", "range", "off by one"],
    q="""
N = len(Y)
inv = np.zeros((N, N))
for i in range(N - 1):
    for j in range(N - 1):
        if i != j:
            inv[i, j] = 1 / (1 + np.sum((Y[i] - Y[j]) ** 2))
return inv / inv.sum() if N > 2 else inv
""",
)
q(
    "q_epsilon_big",
    "adds 0.1 to the normaliser",
    [0.5, 1.75],
    ["constant", "epsilon", "sum"],
    ("inverse.sum()", "(inverse.sum() + 0.1)"),
)
q(
    "q_sum_d_then_invert",
    "one over the sum of d in place of the sum of 1/d",
    QS,
    ["sum", "inverse", "normalis"],
    (
        "return inverse / inverse.sum()",
        "d = 1.0 + np.sum(differences**2, axis=-1)\n    return inverse / (d.sum() - len(d))",
    ),
)
q(
    "q_sqrt_kernel",
    "square root of the kernel",
    QS,
    ["root", "exponent", "power", "square"],
    ("    np.fill", "    inverse = np.sqrt(inverse)\n    np.fill"),
)
A(
    "q_gram_sign",
    "plus in the binomial formula",
    fair={"q": QS},
    names=["sign", "2 Y", "distance", "binomial"],
    q="""
sq = np.sum(Y ** 2, axis=1)
D = sq[:, None] + sq[None] + 2 * Y @ Y.T
inv = 1 / (1 + D)
np.fill_diagonal(inv, 0)
return inv / inv.sum()
""",
)
A(
    "q_gram_no_two",
    "the 2 of the binomial formula is missing",
    fair={"q": QS},
    names=["2", "distance", "binomial"],
    q="""
sq = np.sum(Y ** 2, axis=1)
D = sq[:, None] + sq[None] - Y @ Y.T
inv = 1 / (1 + D)
np.fill_diagonal(inv, 0)
return inv / inv.sum()
""",
)

# ---- kl_divergence ----
kl(
    "kl_sign",
    "minus sign",
    [0.5, 1.5],
    ["sign", "negative", "minus"],
    ("return float(np.sum", "return -float(np.sum"),
)
kl(
    "kl_q_over_p",
    "log(q/p) without the minus",
    [0.5, 1.5],
    ["sign", "p_ij / q_ij", "ratio", "invert", "swapped"],
    ("P[counted] / Q[counted]", "Q[counted] / P[counted]"),
)
A(
    "kl_reversed",
    "KL(Q || P)",
    fair={"kl": KS},
    names=["Q || P", "reversed", "swapped", "direction", "weight"],
    kl="""
Q = low_dimensional_similarities(Y)
m = (P > 0) & (Q > 0)
return np.sum(Q[m] * np.log(Q[m] / P[m]))
""",
)
A(
    "kl_reversed_rel_entr",
    "rel_entr with swapped arguments",
    fair={"kl": KS},
    names=["Q || P", "reversed", "swapped", "order"],
    kl="""
from scipy.special import rel_entr
Q = low_dimensional_similarities(Y)
m = P > 0
return rel_entr(Q[m], P[m]).sum()
""",
)
kl(
    "kl_log10",
    "decimal logarithm",
    [0.75, 1.5],
    ["log10", "natural", "base", "factor"],
    ("np.log(", "np.log10("),
)
kl("kl_log2", "binary logarithm", [0.75, 1.5], ["log2", "natural", "base", "factor"], ("np.log(", "np.log2("))
kl("kl_mean", "mean in place of the sum", KS, ["mean", "sum"], ("np.sum(", "np.mean("))
kl(
    "kl_over_N",
    "divided by N",
    KS,
    ["N", "sum", "divid", "mean", "factor"],
    ("P[counted] / Q[counted])))", "P[counted] / Q[counted])) / len(P))"),
)
kl(
    "kl_over_N2",
    "divided by N squared",
    KS,
    ["N", "sum", "divid", "mean", "factor"],
    ("P[counted] / Q[counted])))", "P[counted] / Q[counted])) / P.size)"),
)
A(
    "kl_triu",
    "the upper triangle only",
    fair={"kl": KS},
    names=["pairs", "both", "half", "twice", "factor"],
    kl="""
Q = low_dimensional_similarities(Y)
i, j = np.triu_indices(len(P), k=1)
p, q = P[i, j], Q[i, j]
m = p > 0
return (p[m] * np.log(p[m] / q[m])).sum()
""",
)
A(
    "kl_i_less_j",
    "loops over i < j",
    fair={"kl": KS},
    names=["pairs", "both", "half", "twice", "factor"],
    kl="""
Q = low_dimensional_similarities(Y)
C = 0
for i in range(len(P)):
    for j in range(i):
        if P[i, j] > 0:
            C += P[i, j] * np.log(P[i, j] / Q[i, j])
return C
""",
)
kl("kl_doubled", "twice the sum", KS, ["factor", "2", "twice"], ("return float(", "return 2 * float("))
kl(
    "kl_weight_missing",
    "sum of the logarithms without p_ij",
    KS,
    ["p_ij", "weight"],
    ("P[counted] * np.log", "np.log"),
)
kl(
    "kl_cross_entropy",
    "cross entropy -p log q only",
    [0.5, 1.5],
    ["entropy", "log p", "p log p"],
    ("np.log(P[counted] / Q[counted])", "-np.log(Q[counted])"),
)
A(
    "kl_no_zero_care",
    "P = 0 gives NaN",
    fair={"kl": [0.5, 1.5]},
    names=["0 log 0", "nan", "zero"],
    kl="""
Q = low_dimensional_similarities(Y)
off = ~np.eye(len(P), dtype=bool)
return np.sum(P[off] * np.log(P[off] / Q[off]))
""",
)
A(
    "kl_nan_whole_matrix",
    "0/0 of the diagonal: NaN always",
    fair={"kl": [0.25, 1.5]},
    names=["diagonal", "nan", "0 log 0"],
    kl="""
Q = low_dimensional_similarities(Y)
return float(np.sum(P * np.log(P / Q)))
""",
)
A(
    "kl_eps_large",
    "1e-3 in both logarithms",
    fair={"kl": [0.5, 1.5]},
    names=["epsilon", "1e-3", "constant"],
    kl="""
Q = low_dimensional_similarities(Y)
return np.sum(P * np.log((P + 1e-3) / (Q + 1e-3)))
""",
)
A(
    "kl_matrix_returned",
    "returns the matrix of terms, not their sum",
    fair={"kl": [0.5, 1.5]},
    names=["sum", "matrix", "float", "scalar"],
    kl="""
Q = low_dimensional_similarities(Y)
return np.where(P > 0, P * np.log(np.where(P > 0, P, 1) / np.where(Q > 0, Q, 1)), 0)
""",
)
A(
    "kl_row_sums",
    "returns one sum per row",
    fair={"kl": [0.5, 1.5]},
    names=["row", "axis", "sum", "scalar"],
    kl="""
Q = low_dimensional_similarities(Y)
return np.where(P > 0, P * np.log(np.where(P > 0, P, 1) / np.where(Q > 0, Q, 1)), 0).sum(axis=1)
""",
)
A(
    "kl_squared_difference",
    "a squared distance of P and Q",
    fair={"kl": [0, 1]},
    names=["log", "KL", "squared"],
    kl="""
Q = low_dimensional_similarities(Y)
return ((P - Q) ** 2).sum()
""",
)
A(
    "kl_abs_terms",
    "absolute values of the terms",
    fair={"kl": KS},
    names=["absolute", "abs", "sign"],
    kl="""
Q = low_dimensional_similarities(Y)
m = P > 0
return np.abs(P[m] * np.log(P[m] / Q[m])).sum()
""",
)
A(
    "kl_threshold",
    "leaves out pairs with p below 0.01",
    fair={"kl": [0.5, 1.6]},
    names=["threshold", "0.01", "small", "left out"],
    kl="""
Q = low_dimensional_similarities(Y)
m = P > 0.01
return float((P[m] * np.log(P[m] / Q[m])).sum())
""",
)
A(
    "kl_scipy_entropy_rows",
    "scipy's entropy normalises columns",
    fair={"kl": KS},
    names=["entropy", "column", "normalis"],
    kl="""
from scipy.stats import entropy
Q = low_dimensional_similarities(Y)
np.fill_diagonal(Q, 1e-300)
return float(np.sum(entropy(P, Q)))
""",
)
A(
    "kl_p_renormalised_rows",
    "P divided by its row sums first",
    fair={"kl": KS},
    names=["row", "normalis", "P"],
    kl="""
P = P / P.sum(axis=1, keepdims=True)
Q = low_dimensional_similarities(Y)
m = P > 0
return (P[m] * np.log(P[m] / Q[m])).sum()
""",
)
A(
    "kl_own_q_wrong",
    "computes Q again, with the diagonal in the normaliser",
    fair={"kl": [0.5, 1.5]},
    names=["diagonal", "normalis"],
    kl="""
inv = 1 / (1 + ((Y[:, None] - Y[None]) ** 2).sum(-1))
Q = inv / inv.sum()
m = P > 0
return float((P[m] * np.log(P[m] / Q[m])).sum())
""",
)
A(
    "kl_int",
    "int() of the cost",
    fair={"kl": [0.5, 1.5]},
    names=["int", "truncat", "round"],
    kl="""
Q = low_dimensional_similarities(Y)
m = P > 0
return int((P[m] * np.log(P[m] / Q[m])).sum())
""",
)
A(
    "kl_changes_p",
    "puts ones into the caller's P",
    fair={"kl": [1, 2]},
    names=["in place", "input", "changed", "copy"],
    kl="""
Q = low_dimensional_similarities(Y)
Q[P == 0] = 1.0
P[P == 0] = 1.0
return np.sum(P * np.log(P / Q))
""",
    doubt="the number is right on the first call",
)
A(
    "kl_no_return",
    "prints in place of a return",
    fair={"kl": [0.5, 1.5]},
    names=["return", "None", "print"],
    kl="""
Q = low_dimensional_similarities(Y)
m = P > 0
print(np.sum(P[m] * np.log(P[m] / Q[m])))
""",
)
A(
    "kl_near_miss",
    "times 1.001",
    fair={"kl": [0, 1.5]},
    names=["factor", "1.001"],
    kl="""
Q = low_dimensional_similarities(Y)
m = P > 0
return 1.001 * np.sum(P[m] * np.log(P[m] / Q[m]))
""",
)

# ---- tsne_gradient ----
for value, words in (
    ("2.0", "factor 2"),
    ("1.0", "factor missing"),
    ("8.0", "factor 8"),
    ("-4.0", "sign"),
    ("4.0005", "near miss"),
    ("3.99", "near miss"),
    ("0.4", "tenth"),
    ("4.0 / len(Y)", "divided by N"),
    ("4.0 * len(Y)", "times N"),
):
    g(
        "g_factor_"
        + value.replace(".", "_")
        .replace(" ", "")
        .replace("/", "over")
        .replace("*", "times")
        .replace("(", "")
        .replace(")", "")
        .replace("-", "minus_"),
        f"{words}: the constant is {value}",
        [3, 5.5] if words == "near miss" else FAC,
        ["sign", "minus"] if words == "sign" else ["factor", "4", "constant"],
        ("return 4.0 *", f"return {value} *"),
    )
g(
    "g_swapped_difference",
    "y_j - y_s",
    FAC,
    ["sign", "y_s - y_j"],
    ("Y[:, None, :] - Y[None, :, :]", "Y[None, :, :] - Y[:, None, :]"),
)
g(
    "g_q_minus_p",
    "q - p",
    FAC,
    ["sign", "p_sj - q_sj"],
    (
        "(np.asarray(P) - low_dimensional_similarities(Y))",
        "(low_dimensional_similarities(Y) - np.asarray(P))",
    ),
)
g(
    "g_wrong_sum_axis",
    "sums over s in place of j: the sign turns",
    FAC,
    ["sign", "axis", "sum over j"],
    ('"ij,ijd->id"', '"ij,ijd->jd"'),
)
A(
    "g_axis0_sum",
    "sum over axis 0",
    fair={"g": FAC},
    names=["sign", "axis", "sum over j"],
    g="""
diff = Y[:, None] - Y[None]
w = (P - low_dimensional_similarities(Y)) / (1 + (diff ** 2).sum(-1))
return 4 * (w[:, :, None] * diff).sum(axis=0)
""",
)
g("g_no_inverse", "the factor d^-1 is missing", GS, ["d_sj^-1", "inverse", "kernel"], (" * inverse\n", "\n"))
A(
    "g_no_inverse_loop",
    "the factor d^-1 is missing, in a loop",
    fair={"g": GS},
    names=["d_sj^-1", "inverse"],
    g="""
Q = low_dimensional_similarities(Y)
grad = np.zeros(Y.shape)
for s in range(len(Y)):
    for j in range(len(Y)):
        grad[s] += 4 * (Y[s] - Y[j]) * (P[s, j] - Q[s, j])
return grad
""",
)
g(
    "g_times_d",
    "multiplied by d in place of divided",
    GS,
    ["d_sj^-1", "inverse", "multipl", "divid"],
    (" * inverse\n", " / inverse\n"),
)
g("g_inverse_squared", "d^-2", GS, ["d_sj^-1", "square", "power"], (" * inverse\n", " * inverse**2\n"))
g(
    "g_q_for_inverse",
    "the normalised q in place of d^-1",
    GS,
    ["d_sj^-1", "normalis", "q_sj"],
    (" * inverse\n", " * low_dimensional_similarities(Y)\n"),
)
g(
    "g_no_square",
    "distance without the square",
    GS,
    ["square", "distance", "norm"],
    ("np.sum(differences**2, axis=-1)", "np.linalg.norm(differences, axis=-1)"),
)
g(
    "g_no_square_sqrt",
    "root of the sum of squares",
    GS,
    ["square", "distance", "root"],
    ("np.sum(differences**2, axis=-1)", "np.sqrt((differences ** 2).sum(-1))"),
)
g(
    "g_one_missing",
    "d without the 1",
    GS,
    ["1 +", "d_sj"],
    ("1.0 / (1.0 + np.sum(differences**2, axis=-1))", "1.0 / (1e-9 + np.sum(differences**2, axis=-1))"),
)
g(
    "g_p_only",
    "attraction only, q is forgotten",
    GS,
    ["q_sj", "repuls"],
    ("(np.asarray(P) - low_dimensional_similarities(Y))", "np.asarray(P)"),
)
g(
    "g_q_only",
    "repulsion only, p is forgotten",
    GS,
    ["p_sj", "attract"],
    ("(np.asarray(P) - low_dimensional_similarities(Y))", "(-low_dimensional_similarities(Y))"),
)
g("g_plus", "p + q", GS, ["p_sj - q_sj", "minus", "sign"], ("(np.asarray(P) - low", "(np.asarray(P) + low"))
g(
    "g_squared_difference",
    "squared differences of the points",
    GS,
    ["y_s - y_j", "square", "difference"],
    ("forces, differences)", "forces, differences**2)"),
)
g(
    "g_unit_difference",
    "direction vectors in place of differences",
    GS,
    ["y_s - y_j", "unit", "norm", "length"],
    (
        "    return 4.0",
        "    lengths = np.linalg.norm(differences, axis=-1, keepdims=True)\n    differences = differences / np.where(lengths > 0, lengths, 1)\n    return 4.0",
    ),
)
g(
    "g_mean",
    "mean over j in place of the sum",
    [2.5, 5],
    ["mean", "sum", "factor", "N"],
    ("return 4.0 *", "return 4.0 / P.shape[0] *"),
)
A(
    "g_mean_axis",
    ".mean(axis=1) in place of .sum",
    fair={"g": [2.5, 5]},
    names=["mean", "sum", "factor", "N"],
    g="""
diff = Y[:, None] - Y[None]
w = (P - low_dimensional_similarities(Y)) / (1 + (diff ** 2).sum(-1))
return 4 * (w[:, :, None] * diff).mean(axis=1)
""",
)
g(
    "g_sgn",
    "the sign of the force only",
    GS,
    ["sign", "magnitude", "p_sj - q_sj"],
    ("forces, differences)", "np.sign(forces), differences)"),
)
A(
    "g_assign_not_add",
    "= in place of +=: the last j remains",
    fair={"g": GS},
    names=["+=", "sum", "overwrit", "last"],
    g="""
Q = low_dimensional_similarities(Y)
G = np.zeros(Y.shape)
for s in range(len(Y)):
    for j in range(len(Y)):
        d = 1 + ((Y[s] - Y[j]) ** 2).sum()
        G[s] = 4 * (Y[s] - Y[j]) * (P[s, j] - Q[s, j]) / d
return G
""",
)
A(
    "g_plane_only",
    "handles two coordinates only",
    fair={"g": [2.5, 4.5]},
    names=["dimension", "d = 2", "two"],
    g="""
Q = low_dimensional_similarities(Y)
G = np.zeros((len(Y), 2))
for s in range(len(Y)):
    dx, dy = Y[s, 0] - Y[:, 0], Y[s, 1] - Y[:, 1]
    w = (P[s] - Q[s]) / (1 + dx ** 2 + dy ** 2)
    G[s] = 4 * (w * dx).sum(), 4 * (w * dy).sum()
return G
""",
)
A(
    "g_plane_reshape",
    "reshape(N, 2)",
    fair={"g": [2.5, 4.5]},
    names=["dimension", "reshape", "2"],
    g="""
Y = Y.reshape(len(P), 2)
diff = Y[:, None] - Y[None]
w = (P - low_dimensional_similarities(Y)) / (1 + (diff ** 2).sum(-1))
return 4 * (w[:, :, None] * diff).sum(1)
""",
)
A(
    "g_int_zeros_like",
    "np.zeros_like(Y): whole numbers are cut off",
    fair={"g": [4.5, 5.9]},
    names=["integer", "dtype", "zeros_like", "truncat"],
    g="""
Q = low_dimensional_similarities(Y)
grad = np.zeros_like(Y)
for s in range(len(Y)):
    diff = Y[s] - Y
    grad[s] = 4 * np.sum(((P[s] - Q[s]) / (1 + (diff ** 2).sum(1)))[:, None] * diff, axis=0)
return grad
""",
)
A(
    "g_int_power",
    "an integer array to a negative power raises",
    fair={"g": [4.5, 5.9]},
    names=["integer", "power", "dtype", "whole"],
    g="""
diff = Y[:, None] - Y[None]
w = (P - low_dimensional_similarities(Y)) * (1 + (diff ** 2).sum(-1)) ** -1
return 4 * (w[:, :, None] * diff).sum(1)
""",
)
A(
    "g_coinciding_nan",
    "length times direction: coinciding points give 0/0 = NaN",
    fair={"g": [2.5, 5.5]},
    names=["coincid", "nan", "zero", "distance"],
    g="""
diff = Y[:, None] - Y[None]
dist = np.linalg.norm(diff, axis=-1)
np.fill_diagonal(dist, 1.0)
direction = diff / dist[:, :, None]
strength = (P - low_dimensional_similarities(Y)) * dist / (1 + dist ** 2)
return 4 * (strength[:, :, None] * direction).sum(axis=1)
""",
    doubt="right but for coinciding points",
)
g("g_transposed", "returns (d, N)", [3, 5.5], ["shape", "transpos"], ('"ij,ijd->id"', '"ij,ijd->di"'))
g(
    "g_flat",
    "returns a flat vector",
    [3.5, 5.5],
    ["shape", "flat"],
    ("return 4.0 * np.einsum", "return 4.0 * np.ravel(np.einsum"),
    ("forces, differences)", "forces, differences))"),
)
g(
    "g_first_row",
    "returns the gradient of the first point only",
    [1, 4],
    ["first", "row", "shape", "all points"],
    ("forces, differences)", "forces, differences)[:1]"),
)
g(
    "g_last_skipped",
    "the last point's row stays zero",
    [1.5, 5],
    ["last", "range", "off by one"],
    (
        '    return 4.0 * np.einsum("ij,ijd->id", forces, differences)',
        "    G = np.zeros(Y.shape)\n    for s in range(len(Y) - 1):\n        G[s] = 4.0 * forces[s] @ differences[s]\n    return G",
    ),
)
g(
    "g_j_skips_first",
    "the sum over j starts at 1",
    [1, 4.5],
    ["first", "index", "off by one"],
    ("forces, differences)", "forces[:, 1:], differences[:, 1:])"),
)
g(
    "g_centres_y",
    "centres the caller's Y in place",
    [4.5, 6],
    ["in place", "input", "changed", "copy"],
    ("    differences", "    Y -= Y.mean(axis=0)\n    differences"),
    doubt="the numbers are right; only the input is changed",
)
g(
    "g_unscaled_points",
    "divides Y by its standard deviation first",
    GS,
    ["standard", "scale", "normalis"],
    ("    differences", "    Y = Y / Y.std()\n    differences"),
)
g(
    "g_normalised",
    "gradient scaled to length one",
    [1.5, 4.5],
    ["normalis", "length", "scale"],
    (
        '    return 4.0 * np.einsum("ij,ijd->id", forces, differences)',
        '    G = 4.0 * np.einsum("ij,ijd->id", forces, differences)\n    return G / np.linalg.norm(G)',
    ),
)
g(
    "g_clipped",
    "clipped to [-0.1, 0.1]",
    [2, 5],
    ["clip"],
    (
        '    return 4.0 * np.einsum("ij,ijd->id", forces, differences)',
        '    return np.clip(4.0 * np.einsum("ij,ijd->id", forces, differences), -0.1, 0.1)',
    ),
)
g(
    "g_momentum",
    "adds a multiple of Y (weight decay)",
    GS,
    ["Y", "decay", "translation", "additional"],
    ("forces, differences)", "forces, differences) + 0.01 * Y"),
)
g(
    "g_exaggerated",
    "early exaggeration inside: 4 P",
    GS,
    ["exaggerat", "p_sj", "4 P", "factor"],
    ("np.asarray(P) -", "4 * np.asarray(P) -"),
)
A(
    "g_forward_difference",
    "forward difference with h = 0.01",
    fair={"g": [1, 4.5]},
    names=["difference", "step", "h", "numeric"],
    g="""
h = 1e-2
c0 = kl_divergence(P, Y)
G = np.zeros(Y.shape)
for idx in np.ndindex(*Y.shape):
    Z = np.array(Y, dtype=float)
    Z[idx] += h
    G[idx] = (kl_divergence(P, Z) - c0) / h
return G
""",
)
A(
    "g_wrong_own_q",
    "computes Q again, with the ones of the diagonal in the normaliser",
    fair={"g": [1.5, 5]},
    names=["diagonal", "normalis", "Q"],
    g="""
diff = Y[:, None] - Y[None]
inv = 1 / (1 + (diff ** 2).sum(-1))
Q = inv / inv.sum()
return 4 * np.einsum('ij,ij,ijd->id', P - Q, inv, diff)
""",
)
A(
    "g_row_q",
    "computes Q again, normalised per row",
    fair={"g": [1.5, 4.75]},
    names=["row", "normalis", "Q"],
    g="""
diff = Y[:, None] - Y[None]
inv = 1 / (1 + (diff ** 2).sum(-1))
np.fill_diagonal(inv, 0)
Q = inv / inv.sum(1, keepdims=True)
return 4 * np.einsum('ij,ij,ijd->id', P - Q, inv, diff)
""",
)
A(
    "g_sne",
    "the gradient of symmetric SNE, without d^-1 and with factor 4",
    fair={"g": GS},
    names=["SNE", "d_sj^-1"],
    g="""
Q = low_dimensional_similarities(Y)
F = P - Q
return 4 * (F.sum(1)[:, None] * Y - F @ Y)
""",
)
A(
    "g_laplacian_sign",
    "4 (W - D) Y",
    fair={"g": FAC},
    names=["sign", "minus"],
    g="""
W = (P - low_dimensional_similarities(Y)) / (1 + ((Y[:, None] - Y[None]) ** 2).sum(-1))
return 4 * (W - np.diag(W.sum(1))) @ Y
""",
)
A(
    "g_laplacian_no_diag",
    "forgets the row sums: -4 W Y",
    fair={"g": GS},
    names=["row sum", "y_s", "translation", "Laplacian"],
    g="""
W = (P - low_dimensional_similarities(Y)) / (1 + ((Y[:, None] - Y[None]) ** 2).sum(-1))
return -4 * W @ Y
""",
)
A(
    "g_matrix_product",
    "matrix product where an elementwise one is meant",
    fair={"g": GS},
    names=["elementwise", "matrix product", "@"],
    g="""
inv = 1 / (1 + ((Y[:, None] - Y[None]) ** 2).sum(-1))
W = (P - low_dimensional_similarities(Y)) @ inv
return 4 * (W.sum(1)[:, None] * Y - W @ Y)
""",
)
A(
    "g_constant_random",
    "the gradient is random numbers",
    fair={"g": [0, 0.5]},
    names=["random"],
    g="return np.random.randn(*Y.shape) * 1e-2",
)
A("g_zero", "all zero", fair={"g": [0, 0.5]}, names=["zero", "constant"], g="return np.zeros(Y.shape)")
A("g_returns_y", "returns the input", fair={"g": [0, 0.5]}, names=["input", "Y"], g="return Y")
