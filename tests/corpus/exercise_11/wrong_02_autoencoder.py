"""WRONG: problem 2. fair: points that a fair examiner would give (low, high)."""

from corpus.exercise_11.base import Cases, ref

CASES = Cases()
A = CASES.add


def edited(which):
    def add(name, why, fair, names, *pairs, **kw):
        A(name, why, fair={which: fair}, names=names, **{which: ref(which, *pairs)}, **kw)

    return add


rec, err, ag, mn, fit = (edited(w) for w in ("rec", "err", "ag", "mn", "fit"))
RS, ES, MS = [0, 0.5], [0.25, 1.25], [0.25, 1.25]

# ---- reconstruct ----
A(
    "rec_encoder_only",
    "returns X W1",
    fair={"rec": RS},
    names=["W2", "decoder", "shape"],
    rec="return X @ W1",
)
A(
    "rec_w2t",
    "W1^T in place of W2 (tied weights)",
    fair={"rec": RS},
    names=["W2", "tied", "W1"],
    rec="return X @ W1 @ W1.T",
)
A(
    "rec_w2_tied_back",
    "W2^T in place of W1",
    fair={"rec": RS},
    names=["W1", "tied", "W2"],
    rec="return X @ W2.T @ W2",
)
A(
    "rec_relu",
    "ReLU between the layers",
    fair={"rec": RS},
    names=["activation", "relu", "linear", "identity"],
    rec="return np.maximum(X @ W1, 0) @ W2",
)
A(
    "rec_sigmoid",
    "sigmoid in the hidden layer",
    fair={"rec": RS},
    names=["activation", "sigmoid", "linear", "identity"],
    rec="return 1 / (1 + np.exp(-(X @ W1))) @ W2",
)
A(
    "rec_centred",
    "centres X first",
    fair={"rec": RS},
    names=["centre", "center", "mean", "bias"],
    rec="Xc = X - X.mean(axis=0)\nreturn Xc @ W1 @ W2",
)
A(
    "rec_centred_back",
    "centres and adds the mean again",
    fair={"rec": [0, 0.6]},
    names=["centre", "center", "mean", "bias"],
    rec="mu = X.mean(axis=0)\nreturn (X - mu) @ W1 @ W2 + mu",
)
A(
    "rec_transposed",
    "returns the transposed reconstruction",
    fair={"rec": [0.25, 0.85]},
    names=["transpos", "shape"],
    rec="return (X @ W1 @ W2).T",
)
A("rec_bias", "a bias of ones", fair={"rec": RS}, names=["bias", "constant"], rec="return X @ W1 @ W2 + 1")
A(
    "rec_residual",
    "returns the residual",
    fair={"rec": RS},
    names=["residual", "X -", "minus"],
    rec="return X - X @ W1 @ W2",
)
A(
    "rec_elementwise_first_row",
    "reconstructs X[0] for all",
    fair={"rec": RS},
    names=["first", "row", "all points"],
    rec="return np.tile(X[0] @ W1 @ W2, (len(X), 1))",
)
A(
    "rec_astype_int",
    "casts to the type of X in whole numbers",
    fair={"rec": RS},
    names=["int", "truncat", "dtype", "whole"],
    rec="return (X @ W1 @ W2).astype(int)",
)
A(
    "rec_zeros_like",
    "zeros_like(X): truncates if X is of whole numbers",
    fair={"rec": [0.5, 1]},
    names=["int", "dtype", "zeros_like"],
    rec="""
out = np.zeros_like(X)
for n in range(len(X)):
    out[n] = X[n] @ W1 @ W2
return out
""",
    doubt="wrong only for whole-number X with real weights; otherwise right",
)
A(
    "rec_needs_k_2",
    "hard-coded two hidden units",
    fair={"rec": [0.25, 0.75]},
    names=["K", "hard", "two", "hidden"],
    rec="""
return np.outer(X @ W1[:, 0], W2[0]) + np.outer(X @ W1[:, 1], W2[1])
""",
)
A("rec_minus", "minus sign", fair={"rec": [0.25, 0.75]}, names=["sign", "minus"], rec="return -X @ W1 @ W2")
A("rec_returns_x", "returns X itself", fair={"rec": [0, 0.1]}, names=["input", "X"], rec="return X")
A(
    "rec_wrong_order",
    "W2 before W1: a shape error",
    fair={"rec": RS},
    names=["order", "shape", "W1", "W2"],
    rec="return X @ (W2 @ W1)",
)

# ---- reconstruction_error ----
err(
    "err_entries",
    "mean over all entries",
    ES,
    ["entries", "points", "mean", "D", "factor"],
    (
        "np.mean(np.sum((X - reconstruct(X, W1, W2)) ** 2, axis=1))",
        "np.mean((X - reconstruct(X, W1, W2)) ** 2)",
    ),
)
A(
    "err_entries_mse",
    "sklearn's mean_squared_error",
    fair={"err": ES},
    names=["entries", "points", "mean", "D", "factor"],
    err="""
from sklearn.metrics import mean_squared_error
return mean_squared_error(X, reconstruct(X, W1, W2))
""",
)
A(
    "err_entries_size",
    "divides by X.size",
    fair={"err": ES},
    names=["entries", "points", "size", "D", "factor"],
    err="return ((X - reconstruct(X, W1, W2)) ** 2).sum() / X.size",
)
err(
    "err_sum",
    "the sum, without 1/N",
    ES,
    ["N", "mean", "sum", "factor"],
    ("np.mean(np.sum(", "np.sum(np.sum("),
)
A(
    "err_frobenius_sum",
    "squared Frobenius norm without 1/N",
    fair={"err": ES},
    names=["N", "mean", "sum", "factor"],
    err="return np.linalg.norm(X - X @ W1 @ W2) ** 2",
)
err("err_half", "half of it", [0.5, 1.5], ["half", "2", "factor"], ("float(np.mean", "0.5 * float(np.mean"))
err("err_N2", "divided by N squared", ES, ["N", "factor", "square"], ("axis=1)))", "axis=1)) / len(X))"))
err(
    "err_root",
    "root of the mean (RMSE)",
    [0.5, 1.25],
    ["root", "square", "sqrt"],
    (
        "float(np.mean(np.sum((X - reconstruct(X, W1, W2)) ** 2, axis=1)))",
        "float(np.sqrt(np.mean(np.sum((X - reconstruct(X, W1, W2)) ** 2, axis=1))))",
    ),
)
A(
    "err_norms",
    "mean of the norms, not squared",
    fair={"err": ES},
    names=["square", "norm"],
    err="return np.linalg.norm(X - reconstruct(X, W1, W2), axis=1).mean()",
)
A(
    "err_frobenius_not_squared",
    "Frobenius norm over N, not squared",
    fair={"err": ES},
    names=["square", "norm", "root"],
    err="return np.linalg.norm(X - reconstruct(X, W1, W2)) / len(X)",
)
err(
    "err_abs",
    "absolute errors",
    ES,
    ["absolute", "abs", "square"],
    ("(X - reconstruct(X, W1, W2)) ** 2", "np.abs(X - reconstruct(X, W1, W2))"),
)
err(
    "err_axis_0",
    "sum over axis 0, mean over the dimensions",
    ES,
    ["axis", "points", "mean", "D"],
    ("axis=1", "axis=0"),
)
err(
    "err_not_summed",
    "returns one error per point",
    [0.5, 1.25],
    ["mean", "per point", "float", "scalar"],
    (
        "float(np.mean(np.sum((X - reconstruct(X, W1, W2)) ** 2, axis=1)))",
        "np.sum((X - reconstruct(X, W1, W2)) ** 2, axis=1)",
    ),
)
err(
    "err_sum_then_square",
    "squares the sum of the residual",
    ES,
    ["square", "sum", "order"],
    ("np.sum((X - reconstruct(X, W1, W2)) ** 2, axis=1)", "np.sum(X - reconstruct(X, W1, W2), axis=1) ** 2"),
)
err(
    "err_plus",
    "X plus the reconstruction",
    ES,
    ["sign", "minus", "difference"],
    ("X - reconstruct", "X + reconstruct"),
)
A(
    "err_relative",
    "relative error",
    fair={"err": ES},
    names=["relative", "norm", "divid"],
    err="return np.sum((X - reconstruct(X, W1, W2)) ** 2) / np.sum(X ** 2)",
)
A(
    "err_spectral",
    "spectral norm (ord=2) instead of the Frobenius norm",
    fair={"err": ES},
    names=["spectral", "ord", "Frobenius", "norm"],
    err="return np.linalg.norm(X - reconstruct(X, W1, W2), 2) ** 2 / len(X)",
)
A(
    "err_len_w1",
    "divides by len(W1), the number of dimensions",
    fair={"err": ES},
    names=["N", "len", "D", "divid", "points"],
    err="return ((X - reconstruct(X, W1, W2)) ** 2).sum() / len(W1)",
)
A(
    "err_hidden_space",
    "compares in the hidden space",
    fair={"err": [0, 1]},
    names=["hidden", "reconstruct", "X W1"],
    err="Z = X @ W1\nZ2 = reconstruct(X, W1, W2) @ W1\nreturn ((Z - Z2) ** 2).sum(1).mean()",
)
A(
    "err_regularised",
    "adds weight decay",
    fair={"err": ES},
    names=["regular", "weight", "additional", "decay"],
    err="return ((X - reconstruct(X, W1, W2)) ** 2).sum(1).mean() + 0.01 * ((W1 ** 2).sum() + (W2 ** 2).sum())",
)
A(
    "err_variance",
    "variance of the residual: its mean is taken off",
    fair={"err": [0.25, 1.5]},
    names=["variance", "mean", "centr", "bias"],
    err="return np.var(X - reconstruct(X, W1, W2), axis=0).sum()",
)
A(
    "err_first_100",
    "only the first five points",
    fair={"err": [0.5, 1.5]},
    names=["first", "all points", "subset", "5"],
    err="X = X[:5]\nreturn ((X - reconstruct(X, W1, W2)) ** 2).sum(1).mean()",
)
A(
    "err_trace_wrong",
    "cross term with factor 1 in the expanded form",
    fair={"err": ES},
    names=["cross", "2", "expan", "trace"],
    err="""
M = W1 @ W2
S = X.T @ X / len(X)
return np.trace(S) - np.trace(S @ M) + np.trace(M.T @ S @ M)
""",
)
A(
    "err_x_inplace",
    "X -= reconstruction changes the caller's X",
    fair={"err": [0.75, 1.9]},
    names=["in place", "input", "changed", "copy"],
    err="""
X -= reconstruct(X, W1, W2)
return (X ** 2).sum() / len(X)
""",
)
A(
    "err_int",
    "rounds to whole numbers",
    fair={"err": [0.25, 1.25]},
    names=["round", "int"],
    err="return round(((X - reconstruct(X, W1, W2)) ** 2).sum(1).mean())",
)
A("err_zero", "always zero", fair={"err": [0, 0.1]}, names=["zero", "constant"], err="return 0.0")

# ---- reconstruction_error_gradient ----
for value, why, names, fair in (
    ("1.0", "the 2 of the square is missing", ["factor", "2"], [1.5, 3.5]),
    ("4.0", "factor 4", ["factor", "2", "4"], [1.5, 3.5]),
    ("-2.0", "sign", ["sign", "minus"], [1.5, 3.5]),
    ("2.002", "near miss", ["factor", "2"], [1.5, 3.75]),
):
    ag(
        "ag_factor_" + value.replace(".", "_").replace("-", "minus_"),
        why,
        fair,
        names,
        ("2.0 / len(X)", f"{value} / len(X)"),
    )
ag("ag_no_N", "1/N is missing", [1.5, 3.5], ["N", "mean", "factor"], ("2.0 / len(X)", "2.0"))
ag(
    "ag_over_size",
    "divided by all entries",
    [1.5, 3.5],
    ["entries", "N", "D", "factor"],
    ("2.0 / len(X)", "2.0 / X.size"),
)
ag("ag_over_N2", "divided by N squared", [1.5, 3.5], ["N", "factor"], ("2.0 / len(X)", "2.0 / len(X) ** 2"))
ag(
    "ag_residual_sign",
    "X - X W1 W2 in place of its negative",
    [1.5, 3.5],
    ["sign", "minus", "residual"],
    ("reconstruct(X, W1, W2) - X", "X - reconstruct(X, W1, W2)"),
)
ag(
    "ag_sign_first",
    "the sign of the first is wrong",
    [1, 3.25],
    ["sign", "minus", "W1"],
    ("2.0 / len(X) * X.T @ residual @ W2.T", "-2.0 / len(X) * X.T @ residual @ W2.T"),
)
ag(
    "ag_factor_second",
    "the 2 of the second is missing",
    [1.5, 3.5],
    ["factor", "2", "W2"],
    ("2.0 / len(X) * (X @ W1).T", "1.0 / len(X) * (X @ W1).T"),
)
ag(
    "ag_swapped",
    "returned in the wrong order",
    [2, 3.5],
    ["order", "swapped", "dE/dW1"],
    (
        "        2.0 / len(X) * X.T @ residual @ W2.T,\n        2.0 / len(X) * (X @ W1).T @ residual,\n",
        "        2.0 / len(X) * (X @ W1).T @ residual,\n        2.0 / len(X) * X.T @ residual @ W2.T,\n",
    ),
)
ag(
    "ag_first_transposed",
    "the first is transposed",
    [1.5, 3.5],
    ["transpos", "shape"],
    ("2.0 / len(X) * X.T @ residual @ W2.T,", "(2.0 / len(X) * X.T @ residual @ W2.T).T,"),
)
ag(
    "ag_both_transposed",
    "both transposed",
    [1.5, 3.5],
    ["transpos", "shape"],
    ("2.0 / len(X) * X.T @ residual @ W2.T,", "(2.0 / len(X) * X.T @ residual @ W2.T).T,"),
    ("2.0 / len(X) * (X @ W1).T @ residual,", "2.0 / len(X) * residual.T @ (X @ W1),"),
)
A(
    "ag_w2_missing",
    "the first without W2: uses W1 in its place",
    fair={"ag": [1, 3]},
    names=["W2", "chain", "W1"],
    ag="""
R = 2 * (reconstruct(X, W1, W2) - X) / len(X)
return X.T @ R @ W1, (X @ W1).T @ R
""",
)
A(
    "ag_w1_missing",
    "the second without W1: uses W2 in its place",
    fair={"ag": [1, 3]},
    names=["W1", "chain", "W2"],
    ag="""
R = 2 * (reconstruct(X, W1, W2) - X) / len(X)
return X.T @ R @ W2.T, W2 @ X.T @ R
""",
)
A(
    "ag_residual_missing",
    "X^T X W1 W2 W2^T only: the target is forgotten",
    fair={"ag": [0.5, 3]},
    names=["residual", "X", "target", "minus"],
    ag="""
R = 2 * reconstruct(X, W1, W2) / len(X)
return X.T @ R @ W2.T, (X @ W1).T @ R
""",
)
A(
    "ag_inputs_missing",
    "the first without X^T: of W1's shape by the mean residual",
    fair={"ag": [0.5, 2.75]},
    names=["X", "chain", "input"],
    ag="""
R = 2 * (reconstruct(X, W1, W2) - X)
return R.mean(0)[:, None] * (W2 @ R.mean(0))[None, :], (X @ W1).T @ R / len(X)
""",
)
A(
    "ag_second_with_new_w1",
    "the second at W1 already stepped",
    fair={"ag": [1, 3.25]},
    names=["W1", "step", "updated", "second"],
    ag="""
R = 2 * (reconstruct(X, W1, W2) - X) / len(X)
d1 = X.T @ R @ W2.T
W1 = W1 - 0.1 * d1
R = 2 * (reconstruct(X, W1, W2) - X) / len(X)
return d1, (X @ W1).T @ R
""",
)
A(
    "ag_only_first",
    "returns one array only",
    fair={"ag": [0.75, 2.75]},
    names=["W2", "second", "tuple", "two"],
    ag="""
R = 2 * (reconstruct(X, W1, W2) - X) / len(X)
return X.T @ R @ W2.T
""",
)
A(
    "ag_first_none",
    "second left as None",
    fair={"ag": [0.75, 2.5]},
    names=["W2", "second", "None"],
    ag="""
R = 2 * (reconstruct(X, W1, W2) - X) / len(X)
return X.T @ R @ W2.T, None
""",
)
A(
    "ag_last_point",
    "= in place of +=: the last point's gradient",
    fair={"ag": [1, 3]},
    names=["+=", "sum", "last", "point"],
    ag="""
for x in X:
    e = x @ W1 @ W2 - x
    d1 = np.outer(x, W2 @ e) * 2 / len(X)
    d2 = np.outer(x @ W1, e) * 2 / len(X)
return d1, d2
""",
)
A(
    "ag_forward_large",
    "forward differences with h = 0.01",
    fair={"ag": [0.5, 3]},
    names=["difference", "step", "h", "numeric"],
    ag="""
h = 0.01
E0 = reconstruction_error(X, W1, W2)
d1, d2 = np.zeros(W1.shape), np.zeros(W2.shape)
for i in np.ndindex(W1.shape):
    V = W1.astype(float); V[i] += h
    d1[i] = (reconstruction_error(X, V, W2) - E0) / h
for i in np.ndindex(W2.shape):
    V = W2.astype(float); V[i] += h
    d2[i] = (reconstruction_error(X, W1, V) - E0) / h
return d1, d2
""",
)
A(
    "ag_tied",
    "gradient of tied weights: both added",
    fair={"ag": [0.5, 3]},
    names=["tied", "W1", "W2", "sum"],
    ag="""
G = 2 * X.T @ (reconstruct(X, W1, W2) - X) / len(X)
a, b = G @ W2.T, W1.T @ G
return a + b.T, b + a.T
""",
)
A(
    "ag_weights_changed",
    "does the descent step on the caller's weights",
    fair={"ag": [2, 3.9]},
    names=["in place", "input", "changed", "copy"],
    ag="""
G = 2 * X.T @ (reconstruct(X, W1, W2) - X) / len(X)
d1, d2 = G @ W2.T, W1.T @ G
W1 -= 0.01 * d1
W2 -= 0.01 * d2
return d1, d2
""",
)
A(
    "ag_absolute",
    "gradient of the absolute error",
    fair={"ag": [0.5, 2.75]},
    names=["sign(", "absolute", "square", "residual"],
    ag="""
R = np.sign(reconstruct(X, W1, W2) - X) / len(X)
return X.T @ R @ W2.T, (X @ W1).T @ R
""",
)
A(
    "ag_zeros",
    "zeros of the right shapes",
    fair={"ag": [0, 0.4]},
    names=["zero", "constant"],
    ag="return np.zeros_like(W1), np.zeros_like(W2)",
)
A(
    "ag_returns_weights",
    "returns the weights",
    fair={"ag": [0, 0.4]},
    names=["input", "weights"],
    ag="return W1, W2",
)
A(
    "ag_float16",
    "float16 results",
    doubt="off by 3e-4 only",
    fair={"ag": [1, 4]},
    names=["float16", "precision", "round"],
    ag="""
G = 2 * X.T @ (reconstruct(X, W1, W2) - X) / len(X)
return (G @ W2.T).astype(np.float16), (W1.T @ G).astype(np.float16)
""",
)
A(
    "ag_ddof",
    "divides by N - 1",
    fair={"ag": [1.5, 3.5]},
    names=["N - 1", "N", "factor"],
    ag="""
G = 2 * X.T @ (reconstruct(X, W1, W2) - X) / (len(X) - 1 + 1e-9)
return G @ W2.T, W1.T @ G
""",
)

# ---- minimum_error ----
mn(
    "mn_not_squared",
    "singular values not squared",
    MS,
    ["square"],
    ("singular_values[k:] ** 2", "singular_values[k:]"),
)
mn("mn_no_N", "1/N is missing", MS, ["N", "mean", "factor"], (" / len(X))", ")"))
mn("mn_over_D", "divides by D", MS, ["N", "D", "divid", "points"], (" / len(X))", " / X.shape[1])"))
mn(
    "mn_over_size",
    "divides by all entries",
    MS,
    ["N", "entries", "D", "factor"],
    (" / len(X))", " / X.size)"),
)
mn(
    "mn_mean",
    "mean of the lost squares",
    MS,
    ["mean", "sum", "N"],
    ("np.sum(singular_values[k:] ** 2) / len(X)", "np.sum(np.mean(singular_values[k:] ** 2)) / len(X)"),
)
mn("mn_kept", "the kept ones", MS, ["kept", "lost", "first k", "[k:]", "i > k"], ("[k:]", "[:k]"))
mn("mn_off_by_one_more", "k + 1", MS, ["off by one", "k", "index", "i > k"], ("[k:]", "[k + 1:]"))
mn("mn_off_by_one_less", "k - 1", MS, ["off by one", "k", "index", "i > k"], ("[k:]", "[max(k - 1, 0):]"))
mn(
    "mn_minus_k",
    "[-k:]: the last k (all for k = 0)",
    MS,
    ["last k", "[k:]", "index", "i > k"],
    ("[k:]", "[-k:]"),
)
mn("mn_to_minus_k", "[:-k]: nothing for k = 0", MS, ["[k:]", "index", "i > k", "order"], ("[k:]", "[:-k]"))
mn(
    "mn_root",
    "square root at the end",
    [0.5, 1.25],
    ["root", "square"],
    (
        "float(np.sum(singular_values[k:] ** 2) / len(X))",
        "float(np.sqrt(np.sum(singular_values[k:] ** 2) / len(X)))",
    ),
)
mn("mn_root_N", "divides by sqrt(N)", MS, ["root", "N", "sqrt"], ("/ len(X))", "/ np.sqrt(len(X)))"))
mn("mn_N2", "divides by N squared", MS, ["N", "factor"], ("/ len(X))", "/ len(X) ** 2)"))
mn(
    "mn_N_minus_1",
    "divides by N - 1",
    [0.5, 1.5],
    ["N - 1", "N", "degrees"],
    ("/ len(X))", "/ (len(X) - 1))"),
)
mn(
    "mn_square_of_sum",
    "square of the sum",
    MS,
    ["square", "sum", "order"],
    ("np.sum(singular_values[k:] ** 2)", "np.sum(singular_values[k:]) ** 2"),
)
mn(
    "mn_next_only",
    "only the next singular value (spectral norm)",
    MS,
    ["all", "sum", "spectral", "next"],
    ("singular_values[k:] ** 2", "singular_values[k:k + 1] ** 2"),
)
mn(
    "mn_centred",
    "centres X first",
    [0.5, 1.5],
    ["centr", "center", "mean"],
    ("np.linalg.svd(X,", "np.linalg.svd(X - X.mean(axis=0),"),
)
A(
    "mn_centred_cov",
    "eigenvalues of np.cov",
    fair={"mn": [0.5, 1.5]},
    names=["centr", "center", "cov", "mean"],
    mn="""
lam = np.linalg.eigvalsh(np.atleast_2d(np.cov(X.T)))[::-1]
return lam[k:].sum()
""",
)
A(
    "mn_centred_pca",
    "sklearn's PCA centres",
    fair={"mn": [0.5, 1.5]},
    names=["centr", "center", "PCA", "mean"],
    mn="""
from sklearn.decomposition import PCA
s = PCA().fit(X).singular_values_
return (s[k:] ** 2).sum() / len(X)
""",
)
A(
    "mn_eig_ascending",
    "eigenvalues of eigh taken as descending",
    fair={"mn": MS},
    names=["ascending", "order", "sort", "smallest"],
    mn="""
lam = np.linalg.eigvalsh(X.T @ X)
return lam[k:].sum() / len(X)
""",
)
A(
    "mn_eig_squared",
    "eigenvalues of X^T X squared once more",
    fair={"mn": MS},
    names=["square", "eigenvalue"],
    mn="""
lam = np.linalg.eigvalsh(X.T @ X)[::-1]
return (lam[k:] ** 2).sum() / len(X)
""",
)
A(
    "mn_eig_root",
    "roots of the eigenvalues",
    fair={"mn": MS},
    names=["square", "root", "eigenvalue"],
    mn="""
lam = np.sqrt(np.maximum(np.linalg.eigvalsh(X.T @ X), 0))[::-1]
return lam[k:].sum() / len(X)
""",
)
A(
    "mn_k_zero_raises",
    "range(k, ...) by a loop that fails for k = 0",
    fair={"mn": [1, 1.75]},
    names=["k = 0", "zero", "exception", "error"],
    mn="""
U, s, Vt = np.linalg.svd(X)
W = Vt[:k].T
if W.size == 0:
    raise ValueError("k must be positive")
return ((X - X @ W @ W.T) ** 2).sum() / len(X)
""",
)
A(
    "mn_svds",
    "svds fails for k = 0 and k = D",
    fair={"mn": [0.5, 1.75]},
    names=["k = 0", "svds", "exception", "error"],
    mn="""
s = svds(np.asarray(X, dtype=float), k=k)[1]
return (np.sum(np.asarray(X, float) ** 2) - np.sum(s ** 2)) / len(X)
""",
)
A(
    "mn_of_gram_svd",
    "singular values of X^T X, squared",
    fair={"mn": MS},
    names=["square", "X^T X", "singular"],
    mn="""
s = np.linalg.svd(X.T @ X, compute_uv=False)
return float((s[k:] ** 2).sum() / len(X))
""",
)
A(
    "mn_ratio",
    "the lost share of the variance",
    fair={"mn": MS},
    names=["share", "ratio", "N", "relative"],
    mn="""
s = np.linalg.svd(X, compute_uv=False)
return (s[k:] ** 2).sum() / (s ** 2).sum()
""",
)
A(
    "mn_hard_D_64",
    "loops to 64, the notebook's D",
    fair={"mn": [0.5, 1.5]},
    names=["64", "hard", "D"],
    mn="""
s = np.linalg.svd(X, compute_uv=False)
total = 0
for i in range(k, 64):
    total += s[i] ** 2
return total / len(X)
""",
)
A("mn_always_zero", "always zero", fair={"mn": [0, 0.25]}, names=["zero", "constant"], mn="return 0.0")

# ---- fit_linear_autoencoder ----
FS = [0.5, 2]
fit(
    "fit_first_vectors_rows",
    "rows of U-like matrix: the transposes are the wrong way round",
    [0.75, 2.25],
    ["transpos", "shape", "W1"],
    ("return directions.T, directions", "return directions, directions.T"),
)
A(
    "fit_eigh_rows",
    "eigenvectors taken as rows",
    fair={"fit": FS},
    names=["rows", "columns", "eigenvector"],
    fit="""
w, V = np.linalg.eigh(X.T @ X)
W = V[::-1][:k]
return W.T, W
""",
)
A(
    "fit_eigh_smallest",
    "the smallest eigenvalues",
    fair={"fit": FS},
    names=["smallest", "ascending", "order", "largest"],
    fit="""
w, V = np.linalg.eigh(X.T @ X)
return V[:, :k], V[:, :k].T
""",
)
A(
    "fit_eig_unsorted",
    "np.linalg.eig without sorting, the last k taken",
    fair={"fit": [0.5, 2.25]},
    names=["sort", "order", "eig"],
    fit="""
w, V = np.linalg.eig(X.T @ X)
V = V.real
return V[:, -k:], V[:, -k:].T
""",
)
A(
    "fit_centred",
    "PCA of the centred data",
    fair={"fit": [0.75, 2.25]},
    names=["centr", "center", "mean"],
    fit="""
V = np.linalg.svd(X - X.mean(axis=0))[2][:k].T
return V, V.T
""",
)
A(
    "fit_centred_cov",
    "eigenvectors of np.cov",
    fair={"fit": [0.75, 2.25]},
    names=["centr", "center", "cov", "mean"],
    fit="""
w, V = np.linalg.eigh(np.atleast_2d(np.cov(X, rowvar=False)))
V = V[:, np.argsort(w)[::-1][:k]]
return V, V.T
""",
)
A(
    "fit_centred_sklearn",
    "sklearn's PCA components",
    fair={"fit": [0.75, 2.25]},
    names=["centr", "center", "PCA", "mean"],
    fit="""
from sklearn.decomposition import PCA
C = PCA().fit(X).components_[:k]
return C.T, C
""",
)
A(
    "fit_random",
    "random weights",
    fair={"fit": [0, 0.5]},
    names=["random", "train"],
    fit="return np.random.randn(X.shape[1], k) * 0.1, np.random.randn(k, X.shape[1]) * 0.1",
)
A(
    "fit_random_orthogonal",
    "a random orthogonal basis",
    fair={"fit": [0, 1]},
    names=["random", "train", "data"],
    fit="""
V = np.linalg.qr(np.random.randn(X.shape[1], X.shape[1]))[0][:, :k]
return V, V.T
""",
)
A(
    "fit_identity",
    "the first k coordinates",
    fair={"fit": [0, 0.75]},
    names=["identity", "coordinate", "first"],
    fit="""
W = np.eye(X.shape[1])[:, :k]
return W, W.T
""",
)
A(
    "fit_few_steps",
    "gradient descent stopped after 20 tiny steps",
    fair={"fit": [0.5, 2]},
    names=["step", "converge", "train", "iterations"],
    fit="""
W1 = np.random.randn(X.shape[1], k) * 0.01
W2 = np.random.randn(k, X.shape[1]) * 0.01
for _ in range(20):
    a, b = reconstruction_error_gradient(X, W1, W2)
    W1, W2 = W1 - 1e-4 * a, W2 - 1e-4 * b
return W1, W2
""",
)
A(
    "fit_climbs",
    "adds the gradient",
    fair={"fit": [0.25, 1.75]},
    names=["sign", "ascent", "climb", "minus"],
    fit="""
W1 = np.random.randn(X.shape[1], k) * 0.1
W2 = np.random.randn(k, X.shape[1]) * 0.1
for _ in range(30):
    a, b = reconstruction_error_gradient(X, W1, W2)
    W1, W2 = W1 + 1e-4 * a, W2 + 1e-4 * b
return W1, W2
""",
)
A(
    "fit_zero_start",
    "starts at zero, where the gradient vanishes",
    fair={"fit": [0.25, 1.75]},
    names=["zero", "start", "init", "saddle"],
    fit="""
W1 = np.zeros((X.shape[1], k))
W2 = np.zeros((k, X.shape[1]))
for _ in range(200):
    a, b = reconstruction_error_gradient(X, W1, W2)
    W1, W2 = W1 - 1e-2 * a, W2 - 1e-2 * b
return W1, W2
""",
)
A(
    "fit_k_plus_one",
    "k + 1 directions",
    fair={"fit": [0.25, 1.75]},
    names=["k", "shape", "off by one"],
    fit="""
V = np.linalg.svd(X)[2][:k + 1].T
return V, V.T
""",
)
A(
    "fit_scaled_once",
    "singular values on the encoder only",
    fair={"fit": FS},
    names=["singular values", "scale", "twice"],
    fit="""
U, s, Vt = np.linalg.svd(X, full_matrices=True)
s = np.append(s, np.zeros(X.shape[1]))[:k]
return Vt[:k].T * s, Vt[:k]
""",
)
A(
    "fit_input_centred_inplace",
    "standardises the caller's X in place",
    fair={"fit": [0.25, 2]},
    names=["in place", "input", "changed", "centr", "copy"],
    fit="""
X -= X.mean(axis=0).astype(X.dtype)
V = np.linalg.svd(X)[2][:k].T
return V, V.T
""",
)
A(
    "fit_scaled_inplace",
    "right directions, but X is scaled in place",
    fair={"fit": [2, 2.75]},
    names=["in place", "input", "changed", "copy"],
    fit="""
X *= 2
V = np.linalg.svd(X)[2][:k].T
return V, V.T
""",
)
A(
    "fit_single_matrix",
    "returns the product W1 W2",
    fair={"fit": [0.5, 2]},
    names=["tuple", "two", "W1", "shape"],
    fit="""
V = np.linalg.svd(X)[2][:k].T
return V @ V.T
""",
)
A(
    "fit_left_vectors",
    "left singular vectors",
    fair={"fit": [0.25, 1.75]},
    names=["left", "right", "U", "shape"],
    fit="""
U = np.linalg.svd(X)[0]
return U[:, :k], U[:, :k].T
""",
)
A(
    "fit_one_direction",
    "k times the first direction",
    fair={"fit": [0.25, 1.75]},
    names=["same", "first", "direction", "deflat"],
    fit="""
C = X.T @ X
cols = []
for j in range(k):
    v = np.random.RandomState(j).randn(len(C))
    for _ in range(300):
        v = C @ v
        v = v / np.linalg.norm(v)
    cols.append(v)
V = np.array(cols).T
return V, V.T / k
""",
)
A(
    "fit_rounded",
    "weights rounded to whole numbers",
    fair={"fit": [0.25, 2]},
    names=["round", "precision"],
    fit="""
V = np.round(np.linalg.svd(X)[2][:k].T)
return V, V.T
""",
)
A(
    "fit_x_instead_of_gram",
    "eigenvectors of X, which must be square",
    fair={"fit": [0, 1.5]},
    names=["square", "X^T X", "shape", "eig"],
    fit="""
w, V = np.linalg.eig(X)
return V[:, :k], V[:, :k].T
""",
)
A(
    "fit_first_rows",
    "SVD of the first k + 1 points only",
    fair={"fit": [0.5, 2]},
    names=["subset", "first", "points", "all"],
    fit="""
V = np.linalg.svd(X[:k + 1])[2][:k].T
return V, V.T
""",
)
