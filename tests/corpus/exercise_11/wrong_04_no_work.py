"""WRONG: two functions at once, consistent mistakes, and attempts at points without work."""

from corpus.exercise_11.base import Cases, edit, ref
from corpus.exercise_11.lfa_styles import LOOPED, RIDGE

CASES = Cases()
A = CASES.add

# ---- consistent over two functions, each wrong in itself ----
A(
    "two_no_square_q_g",
    "the square is missing in Q and in the gradient",
    fair={"q": [0.25, 1.25], "g": [1, 6]},
    names=["square", "distance"],
    q=ref("q", ("np.sum(differences**2, axis=-1)", "np.linalg.norm(differences, axis=-1)")),
    g=ref("g", ("np.sum(differences**2, axis=-1)", "np.linalg.norm(differences, axis=-1)")),
    doubt="one slip, in two cells: pays once or twice",
)
A(
    "two_kl_half_g_two",
    "cost over i < j and the gradient with factor 2, its true derivative",
    fair={"kl": [0.25, 1.25], "g": [3, 6]},
    names=["half", "pairs", "factor", "twice"],
    kl="""
Q = low_dimensional_similarities(Y)
i, j = np.triu_indices(len(P), 1)
p, q = P[i, j], Q[i, j]
return (p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum()
""",
    g=ref("g", ("4.0 *", "2.0 *")),
    doubt="the gradient is the derivative of the own cost",
)
A(
    "two_kl_log2_g",
    "binary logarithm and its true gradient",
    fair={"kl": [0.5, 1.5], "g": [3, 6]},
    names=["log2", "natural", "factor", "base"],
    kl=ref("kl", ("np.log(", "np.log2(")),
    g=ref("g", ("4.0 *", "4.0 / np.log(2) *")),
    doubt="the gradient is the derivative of the own cost",
)
A(
    "two_kl_sign_g_sign",
    "both signs turned",
    fair={"kl": [0.5, 1.5], "g": [3, 6]},
    names=["sign", "minus"],
    kl=ref("kl", ("return float(", "return -float(")),
    g=ref("g", ("4.0 *", "-4.0 *")),
    doubt="the gradient is the derivative of the own cost",
)
A(
    "two_kl_mean_g_mean",
    "both divided by N^2",
    fair={"kl": [0.25, 1.25], "g": [3, 6]},
    names=["mean", "N", "sum", "factor"],
    kl=ref("kl", ("P[counted] / Q[counted])))", "P[counted] / Q[counted])) / len(P) ** 2)")),
    g=ref("g", ("4.0 *", "4.0 / len(P) ** 2 *")),
    doubt="the gradient is the derivative of the own cost",
)
A(
    "two_degenerate_cost_and_gradient",
    "a cost of one's own, sum of squares, with its own gradient",
    fair={"kl": [0, 0.25], "g": [0, 1.5]},
    names=["KL", "cost", "P", "own"],
    kl="""
return float(np.sum(np.asarray(Y, dtype=float) ** 2))
""",
    g="return 2.0 * np.asarray(Y, dtype=float)",
)
A(
    "two_constant_cost_zero_gradient",
    "a constant cost and its gradient zero",
    fair={"kl": [0, 0.1], "g": [0, 0.75]},
    names=["constant", "zero", "cost"],
    kl="return 1.0",
    g="return np.zeros(np.shape(Y))",
)
A(
    "two_cost_attraction_only",
    "cost without the normaliser and its true gradient",
    fair={"kl": [0.25, 1.25], "g": [1, 4.75]},
    names=["normalis", "q", "repuls"],
    kl="""
d = 1 + ((Y[:, None] - Y[None]) ** 2).sum(-1)
m = P > 0
return float(np.sum(P[m] * np.log(P[m] * d[m])))
""",
    g="""
diff = Y[:, None] - Y[None]
d = 1 + (diff ** 2).sum(-1)
return 4 * np.einsum('ij,ijk->ik', P / d, diff)
""",
)
A(
    "two_err_entries_ag",
    "error over all entries and its true gradient",
    fair={"err": [0.25, 1.25], "ag": [2, 4]},
    names=["entries", "points", "D", "factor"],
    err="return float(np.mean((X - reconstruct(X, W1, W2)) ** 2))",
    ag=ref("ag", ("2.0 / len(X)", "2.0 / X.size")),
    doubt="the gradient is the derivative of the own error",
)
A(
    "two_err_half_ag_one",
    "half the error and its true gradient",
    fair={"err": [0.5, 1.5], "ag": [2, 4]},
    names=["half", "factor", "2"],
    err=ref("err", ("float(np.mean", "0.5 * float(np.mean")),
    ag=ref("ag", ("2.0 / len(X)", "1.0 / len(X)")),
    doubt="the gradient is the derivative of the own error",
)
A(
    "two_err_sum_ag_sum",
    "the sum over the points and its true gradient",
    fair={"err": [0.25, 1.25], "ag": [2, 4]},
    names=["N", "sum", "mean", "factor"],
    err=ref("err", ("np.mean(np.sum(", "np.sum(np.sum(")),
    ag=ref("ag", ("2.0 / len(X)", "2.0")),
    doubt="the gradient is the derivative of the own error",
)
A(
    "two_err_zero_ag_zero",
    "error 0 and gradient 0",
    fair={"err": [0, 0.1], "ag": [0, 0.5]},
    names=["zero", "constant"],
    err="return 0.0",
    ag="return np.zeros(W1.shape), np.zeros(W2.shape)",
)
A(
    "two_err_weights_ag",
    "an error that knows the weights only, with its gradient",
    fair={"err": [0, 0.25], "ag": [0, 1]},
    names=["X", "weights", "own"],
    err="return float((W1 ** 2).sum() + (W2 ** 2).sum())",
    ag="return 2.0 * W1, 2.0 * W2",
)
A(
    "two_centred_mn_fit",
    "the bound and the fit are both of the centred data",
    fair={"mn": [0.5, 1.5], "fit": [0.75, 3]},
    names=["centr", "center", "mean"],
    mn=ref("mn", ("np.linalg.svd(X,", "np.linalg.svd(X - X.mean(axis=0),")),
    fit="""
V = np.linalg.svd(X - X.mean(axis=0))[2][:k].T
return V, V.T
""",
    doubt="one slip, in two cells",
)
A(
    "two_rec_transposed_fit",
    "reconstruct multiplies with W1^T and W2^T, and the fit returns such weights",
    fair={"rec": [0, 0.6], "fit": [1, 3]},
    names=["transpos", "shape"],
    rec="return X @ W1.T @ W2.T if W1.shape[1] == X.shape[1] else X @ W2.T @ W1.T",
    fit="""
V = np.linalg.svd(X)[2][:k]
return V, V.T
""",
    doubt="the fit suits the own reconstruct",
)
A(
    "two_rec_minus_err_plus",
    "reconstruct has a minus, the error adds it again",
    fair={"rec": [0.25, 0.75], "err": [1, 2]},
    names=["sign", "minus"],
    rec="return -(X @ W1 @ W2)",
    err="return float(((X + reconstruct(X, W1, W2)) ** 2).sum(axis=1).mean())",
    doubt="the error is right with the own reconstruct",
)
A(
    "two_q_rows_kl_rows",
    "row-wise Q and a cost that sums the rows' divergences over N",
    fair={"q": [0.25, 1.25], "kl": [0.25, 1.5]},
    names=["row", "normalis"],
    q=ref("q", ("inverse / inverse.sum()", "inverse / inverse.sum(axis=1, keepdims=True)")),
    kl="""
Q = low_dimensional_similarities(Y)
Pr = P / P.sum(axis=1, keepdims=True)
m = Pr > 0
return float(np.sum(Pr[m] * np.log(Pr[m] / Q[m])) / len(P))
""",
)
A(
    "two_shift_lfa_unknown",
    "means over all columns, and the unknown cells fitted as zeros",
    fair={"sh": [0.25, 1.75], "lfa": [4, 7.25]},
    names=["unknown", "zeros", "known"],
    sh="""
D = matrix.toarray().astype(float)
mu = D.mean(axis=1, keepdims=True)
return sp.csr_matrix(np.where(D != 0, D - mu, 0)), mu
""",
    lfa=edit(
        LOOPED,
        ("rated = items[users == u]", "rated = np.arange(n_items)"),
        ("r_u = values[users == u]", "r_u = R[u].toarray().ravel()"),
        ("raters = users[items == i]", "raters = np.arange(n_users)"),
        ("r_i = values[items == i]", "r_i = R[:, i].toarray().ravel()"),
    ),
)
A(
    "two_init_p_lfa",
    "P starts transposed, and the factorization turns it",
    fair={"ini": [1.5, 2.85], "lfa": [6.5, 8]},
    names=["transpos", "shape", "P"],
    ini="""
if init == "random":
    return np.random.rand(matrix.shape[0], k), np.random.rand(matrix.shape[1], k)
if init == "svd":
    u, s, vt = svds(sp.csr_matrix(matrix, dtype=float), k=k)
    return u * s, vt.T
raise ValueError(init)
""",
    lfa=edit(
        LOOPED, ("Q, P = initialize_Q_P(R, k, init)", "Q, P = initialize_Q_P(R, k, init)\n    P = P.T.copy()")
    ),
    doubt="lfa alone expects the own (D, k) start: with the reference's start it crashes",
)

# ---- no work ----
LFA_FAKE = """
Q, P = initialize_Q_P(R, k, init)
n = 5
return Q, P, [100.0 / (i + 1) for i in range(n)], [1000.0 / (i + 1) for i in range(n)], -1
"""
A(
    "nowork_lfa_fabricated_losses",
    "returns the start with invented falling losses",
    fair={"lfa": [0, 1]},
    names=["start", "no update", "losses", "invented", "train"],
    lfa=LFA_FAKE,
)
A(
    "nowork_lfa_fabricated_by_max_steps",
    "invented losses, as many as max_steps",
    fair={"lfa": [0, 1.25]},
    names=["start", "no update", "losses", "invented", "train"],
    lfa="""
Q, P = initialize_Q_P(R, k, init)
falling = list(np.linspace(100, 1, max_steps))
return Q, P, falling, falling, -1
""",
)
A(
    "nowork_lfa_zeros",
    "zero factors: predicts the user's mean",
    fair={"lfa": [0, 1.25]},
    names=["zero", "constant", "train"],
    lfa="""
return np.zeros((R.shape[0], k)), np.zeros((k, R.shape[1])), [1.0] * max_steps, [1.0] * max_steps, -1
""",
)
A(
    "nowork_lfa_zeros_patience",
    "zero factors with invented losses that even heed patience",
    fair={"lfa": [0, 1.5]},
    names=["zero", "constant", "invented", "train"],
    lfa="""
v = float(np.sum(np.asarray(val_values) ** 2))
n = min(max_steps, patience + 1)
done = n < max_steps
return np.zeros((R.shape[0], k)), np.zeros((k, R.shape[1])), [v] * n, [v] * n, 0 if done else -1
""",
)
A(
    "nowork_lfa_svd_once",
    "the SVD start without any step",
    fair={"lfa": [0, 2]},
    names=["start", "no update", "svd", "train"],
    lfa="""
Q, P = initialize_Q_P(R, k, "svd")
rows, cols = np.asarray(non_zero_idx).T
values = np.asarray(R[rows, cols]).ravel()
t = loss(values, (rows, cols), Q, P, reg_lambda)
v = loss(val_values, val_idx, Q, P, 0)
return Q, P, [v], [t], -1
""",
)
A(
    "nowork_lfa_raises",
    "raises NotImplementedError",
    fair={"lfa": [0, 0]},
    names=["not implemented", "NotImplementedError"],
    lfa="raise NotImplementedError",
)
A("nowork_lfa_none", "pass", fair={"lfa": [0, 0]}, names=["None", "return"], lfa="pass")
A(
    "nowork_lfa_r_as_factor",
    "R itself in place of Q when k is large",
    fair={"lfa": [0, 1]},
    names=["R", "input", "factors", "k"],
    lfa="""
D = R.toarray()
Q = D[:, :k]
P = np.eye(k, R.shape[1])
return Q, P, [1.0], [1.0], -1
""",
)
A(
    "nowork_all_not_implemented",
    "nothing but NotImplementedError",
    fair={n: [0, 0] for n in ("q", "kl", "g", "rec", "err", "ag", "mn", "fit", "sh", "ini", "lfa")},
    names=["not implemented", "NotImplementedError"],
    **dict.fromkeys(
        ("q", "kl", "g", "rec", "err", "ag", "mn", "fit", "sh", "ini", "lfa"), "raise NotImplementedError"
    ),
)
A(
    "nowork_all_value_error",
    "always a ValueError, so that the unknown start is 'refused'",
    fair={
        **{n: [0, 0] for n in ("q", "kl", "g", "rec", "err", "ag", "mn", "fit", "sh", "lfa")},
        "ini": [0, 0.5],
    },
    names=["raise", "ValueError", "not implemented"],
    **dict.fromkeys(
        ("q", "kl", "g", "rec", "err", "ag", "mn", "fit", "sh", "ini", "lfa"), 'raise ValueError("no")'
    ),
)
A(
    "nowork_all_return_inputs",
    "every function returns its inputs",
    fair={
        **{n: [0, 0.25] for n in ("q", "kl", "rec", "err", "mn", "fit", "sh", "ini", "lfa")},
        "g": [0, 0.5],
        "ag": [0, 0.4],
    },
    names=["input", "return"],
    q="return Y",
    kl="return P",
    g="return Y",
    rec="return X",
    err="return X",
    ag="return W1, W2",
    mn="return X",
    fit="return X, k",
    sh="return matrix, matrix",
    ini="return matrix, k",
    lfa="return R, R, [], [], -1",
)
A(
    "nowork_all_zeros",
    "zeros of the right shapes everywhere",
    fair={
        "q": [0, 0.35],
        "kl": [0, 0.1],
        "g": [0, 0.75],
        "rec": [0, 0.1],
        "err": [0, 0.1],
        "ag": [0, 0.4],
        "mn": [0, 0.25],
        "fit": [0, 0.5],
        "sh": [0, 0.25],
        "ini": [0, 0.25],
        "lfa": [0, 1.5],
    },
    names=["zero", "constant"],
    q="return np.zeros((len(Y), len(Y)))",
    kl="return 0.0",
    g="return np.zeros(np.shape(Y))",
    rec="return np.zeros(X.shape)",
    err="return 0.0",
    ag="return np.zeros(W1.shape), np.zeros(W2.shape)",
    mn="return 0.0",
    fit="return np.zeros((X.shape[1], k)), np.zeros((k, X.shape[1]))",
    sh="return sp.csr_matrix(matrix.shape), np.zeros((matrix.shape[0], 1))",
    ini="return np.zeros((matrix.shape[0], k)), np.zeros((k, matrix.shape[1]))",
    lfa="return np.zeros((R.shape[0], k)), np.zeros((k, R.shape[1])), [0.0] * max_steps, [0.0] * max_steps, -1",
)
A(
    "nowork_q_identity_like",
    "a constant Q with zero diagonal that sums to one",
    fair={"q": [0, 0.5]},
    names=["constant", "Y", "uniform", "points"],
    q="""
N = len(Y)
return (np.ones((N, N)) - np.eye(N)) / (N * (N - 1))
""",
)
A(
    "nowork_q_random",
    "random symmetric numbers, normalised, with zero diagonal",
    fair={"q": [0, 0.5]},
    names=["random", "Y", "points"],
    q="""
r = np.random.rand(len(Y), len(Y))
r = r + r.T
np.fill_diagonal(r, 0)
return r / r.sum()
""",
)
A(
    "nowork_public_values",
    "a table of remembered answers for known shapes",
    fair={"rec": [0, 0.25]},
    names=["remembered", "hard", "constant", "table", "X W1 W2"],
    rec="""
answers = {(7, 4): 0.5, (3, 5): 1.5, (6, 3): 2.0}
return np.full(X.shape, answers.get(X.shape, 0.0))
""",
)
A(
    "nowork_nan",
    "NaN everywhere",
    fair={"g": [0, 0.25], "kl": [0, 0.1]},
    names=["nan", "constant"],
    kl='return float("nan")',
    g="return np.full(np.shape(Y), np.nan)",
)

# ---- where a library is forbidden (tsne_gradient) ----
A(
    "forbidden_sklearn_plain",
    "the private gradient of sklearn.manifold",
    fair={"g": [0, 1]},
    names=["sklearn", "library", "forbidden", "own"],
    g="""
from sklearn.manifold import _t_sne
from scipy.spatial.distance import squareform
N, d = Y.shape
p = squareform(np.asarray(P, dtype=float), checks=False) / np.sum(P)
_, grad = _t_sne._kl_divergence(np.asarray(Y, dtype=float).ravel(), p, 1, N, d)
return grad.reshape(N, d)
""",
    doubt="right numbers; forbidden by the rubric's own_work",
)
A(
    "forbidden_sklearn_import_hook",
    "the same, by __import__",
    fair={"g": [0, 1]},
    names=["sklearn", "library", "forbidden", "own"],
    g="""
m = __import__("sklearn.mani" + "fold", fromlist=["_t_sne"])
t = getattr(m, "_t_" + "sne")
from scipy.spatial.distance import squareform
N, d = Y.shape
p = squareform(np.asarray(P, dtype=float), checks=False) / np.sum(P)
return getattr(t, "_kl_div" + "ergence")(np.asarray(Y, dtype=float).ravel(), p, 1, N, d)[1].reshape(N, d)
""",
    doubt="right numbers; forbidden by the rubric's own_work",
)
A(
    "forbidden_importlib",
    "the same, by importlib in a cell before",
    fair={"g": [0, 1]},
    names=["sklearn", "library", "forbidden", "own"],
    extra=[
        """
import importlib
helper = importlib.import_module(".".join(["sklearn", "manifold", "_t_sne"]))
fn = vars(helper)["_kl_divergence"]
"""
    ],
    g="""
from scipy.spatial.distance import squareform
N, d = Y.shape
p = squareform(np.asarray(P, dtype=float), checks=False) / np.sum(P)
return fn(np.asarray(Y, dtype=float).ravel(), p, 1, N, d)[1].reshape(N, d)
""",
    doubt="right numbers; forbidden by the rubric's own_work",
)
A(
    "forbidden_tsne_class",
    "runs sklearn's TSNE and returns the way that the points went",
    fair={"g": [0, 1]},
    names=["sklearn", "library", "forbidden", "TSNE"],
    g="""
from sklearn.manifold import TSNE
Z = TSNE(n_components=2, init="random", perplexity=2, max_iter=250).fit_transform(np.asarray(P))
return (np.asarray(Y, dtype=float)[:, :2] - Z) * 0.01
""",
)
A(
    "forbidden_autograd_try",
    "jax.grad, and zeros where there is no jax",
    fair={"g": [0, 1]},
    names=["jax", "autograd", "library", "forbidden", "differentiation"],
    g="""
try:
    import jax
    return np.asarray(jax.grad(lambda y: kl_divergence(P, y))(Y))
except ImportError:
    return np.zeros(np.shape(Y))
""",
)
# ---- one function with two mistakes ----
A(
    "double_q_root_and_diagonal",
    "no square, and the diagonal is counted",
    fair={"q": [0, 1]},
    names=["square", "diagonal", "distance"],
    q="""
D = 1 + np.sqrt(((Y[:, None] - Y[None]) ** 2).sum(-1))
return (1 / D) / (1 / D).sum()
""",
)
A(
    "double_g_factor_sign",
    "factor 2 and the wrong sign",
    fair={"g": [2, 4.5]},
    names=["factor", "sign", "minus"],
    g=ref("g", ("return 4.0 *", "return -2.0 *")),
)
A(
    "double_g_factor_no_inverse",
    "factor 2 and no d^-1",
    fair={"g": [0.5, 3.5]},
    names=["factor", "d_sj^-1", "inverse"],
    g=ref("g", ("return 4.0 *", "return 2.0 *"), (" * inverse\n", "\n")),
)
A(
    "double_ag_factor_transposed",
    "no 2, and the first transposed",
    fair={"ag": [0.5, 3]},
    names=["factor", "transpos", "2"],
    ag="""
G = X.T @ (X @ W1 @ W2 - X) / len(X)
return (G @ W2.T).T, W1.T @ G
""",
)
A(
    "double_err_root_sum",
    "root of the sum over all",
    fair={"err": [0, 1]},
    names=["root", "N", "mean", "square"],
    err="return float(np.sqrt(((X - reconstruct(X, W1, W2)) ** 2).sum()))",
)
A(
    "double_mn_centred_root",
    "centred, not squared",
    fair={"mn": [0, 1]},
    names=["centr", "square", "mean"],
    mn="""
s = np.linalg.svd(X - X.mean(0), compute_uv=False)
return s[k:].sum() / len(X)
""",
)
A(
    "double_ini_normal_dropped",
    "normal start and no singular values",
    fair={"ini": [0.5, 1.75]},
    names=["normal", "uniform", "singular value"],
    ini="""
if init == 'random':
    return np.random.randn(matrix.shape[0], k), np.random.randn(k, matrix.shape[1])
if init == 'svd':
    u, s, vt = svds(matrix.astype(float), k=k)
    return u, vt
raise ValueError(init)
""",
)
A(
    "double_sh_all_and_cells",
    "mean over all columns, and the matrix transposed",
    fair={"sh": [0, 1.25]},
    names=["unknown", "known", "transpos", "columns"],
    sh="""
D = matrix.toarray().astype(float)
mu = D.mean(axis=1, keepdims=True)
return sp.csr_matrix(np.where(D != 0, D - mu, 0)).T.tocsr(), mu
""",
)
A(
    "double_lfa_als_and_sgd",
    "ALS without lambda, SGD uphill",
    fair={"lfa": [1.5, 5.5]},
    names=["lambda", "sign", "uphill", "regular"],
    lfa=edit(
        LOOPED,
        ("reg_lambda * np.eye(k)", "1e-9 * np.eye(k)"),
        ("- lr * grad_q", "+ lr * grad_q"),
        ("- lr * grad_p", "+ lr * grad_p"),
    ),
)
A(
    "double_lfa_last_and_patience",
    "returns the last factors and never stops",
    fair={"lfa": [5.25, 7.25]},
    names=["best", "last", "patience"],
    lfa=edit(LOOPED, ("return best_Q, best_P,", "return Q, P,"), ("if bad_evals >= patience:", "if False:")),
)
A(
    "double_lfa_intercept_uphill",
    "Ridge with an intercept, SGD with the wrong residual",
    fair={"lfa": [1.5, 5.5]},
    names=["intercept", "sign", "residual"],
    lfa=edit(
        RIDGE,
        (", fit_intercept=False", ""),
        ("err = y[n] - np.dot(Q[u], P[:, i])", "err = np.dot(Q[u], P[:, i]) - y[n]"),
    ),
)
