"""WRONG: globals in place of arguments, remembered state, never ending loops, old names, overwritten neighbours, more spellings."""

from corpus.exercise_11.base import Cases, edit, ref
from corpus.exercise_11.lfa_styles import LOOPED, RIDGE

CASES = Cases()
A = CASES.add

A(
    "q_float16",
    "half precision",
    fair={"q": [0.75, 2]},
    names=["float16", "precision", "round"],
    q="""
y = np.asarray(Y, dtype=np.float16)
k = 1 / (1 + ((y[:, None] - y) ** 2).sum(-1))
np.fill_diagonal(k, 0)
return k / k.sum()
""",
    doubt="off by 1e-3; overflows for far points",
)
A(
    "q_state",
    "remembers the Q of the first call",
    fair={"q": [0.25, 1.5]},
    names=["first", "cache", "state", "remember", "global"],
    q="""
_remembered = {}


def low_dimensional_similarities(Y):
    if "Q" not in _remembered:
        k = 1 / (1 + ((Y[:, None] - Y) ** 2).sum(-1))
        np.fill_diagonal(k, 0)
        _remembered["Q"] = k / k.sum()
    return _remembered["Q"]
""",
)
A(
    "q_exponent_d",
    "exponent -(d+1)/2: a t-distribution of d dimensions",
    fair={"q": [0.25, 1.5]},
    names=["exponent", "dimension", "power", "d_ij^-1"],
    q="""
d = Y.shape[1]
k = (1 + ((Y[:, None] - Y) ** 2).sum(-1)) ** (-(d + 1) / 2)
np.fill_diagonal(k, 0)
return k / k.sum()
""",
)
A(
    "q_symmetrised_rows",
    "row-wise, then (Q + Q^T) / 2N as for P",
    fair={"q": [0.25, 1.5]},
    names=["row", "normalis", "all pairs", "symmetr"],
    q="""
k = 1 / (1 + ((Y[:, None] - Y) ** 2).sum(-1))
np.fill_diagonal(k, 0)
c = k / k.sum(1, keepdims=True)
return (c + c.T) / (2 * len(Y))
""",
)
A(
    "q_eps_diagonal",
    "1e-3 on the diagonal",
    fair={"q": [0.5, 1.75]},
    names=["diagonal", "q_ii", "zero"],
    q="""
k = 1 / (1 + ((Y[:, None] - Y) ** 2).sum(-1))
np.fill_diagonal(k, 0)
return k / k.sum() + 1e-3 * np.eye(len(Y))
""",
)
A(
    "kl_old_np_float",
    "np.float, which NumPy has removed",
    fair={"kl": [0, 2]},
    names=["np.float", "removed", "AttributeError", "NumPy"],
    kl="""
Q = low_dimensional_similarities(Y)
P = P.astype(np.float)
m = P > 0
return np.sum(P[m] * np.log(P[m] / Q[m]))
""",
    doubt="right under an old NumPy: the rubric decides about a shim",
)
A(
    "kl_q_clipped_high",
    "Q clipped at 0.02",
    fair={"kl": [0.5, 1.75]},
    names=["clip", "0.02", "epsilon", "maximum"],
    kl="""
Q = np.maximum(low_dimensional_similarities(Y), 0.02)
m = P > 0
return np.sum(P[m] * np.log(P[m] / Q[m]))
""",
)
A(
    "kl_global_p",
    "reads a global P in place of the argument",
    fair={"kl": [0.25, 1.75]},
    names=["global", "argument", "P"],
    extra=["P_now = np.full((6, 6), 1 / 30.0)\nnp.fill_diagonal(P_now, 0)"],
    kl="""
def kl_divergence(P_, Y):
    P = P_now
    Q = low_dimensional_similarities(Y)
    m = P > 0
    return float((P[m] * np.log(P[m] / Q[m])).sum())
""",
)
A(
    "kl_jensen",
    "Jensen-Shannon divergence",
    fair={"kl": [0, 1]},
    names=["Jensen", "KL", "mixture", "symmetr"],
    kl="""
Q = low_dimensional_similarities(Y)
M = (P + Q) / 2
a, b = P > 0, Q > 0
return 0.5 * np.sum(P[a] * np.log(P[a] / M[a])) + 0.5 * np.sum(Q[b] * np.log(Q[b] / M[b]))
""",
)
A(
    "kl_log_of_difference",
    "log p / log q in place of log (p / q)",
    fair={"kl": [0.25, 1.25]},
    names=["log", "ratio", "quotient", "p_ij / q_ij"],
    kl="""
Q = low_dimensional_similarities(Y)
m = P > 0
return float((P[m] * np.log(P[m]) / np.log(Q[m])).sum())
""",
)
A(
    "g_state",
    "the Q of the first call is kept",
    doubt="only a second call on as many points shows it",
    fair={"g": [1, 6]},
    names=["first", "cache", "state", "remember"],
    g="""
def tsne_gradient(P, Y):
    if not hasattr(tsne_gradient, "Q") or tsne_gradient.Q.shape != P.shape:
        tsne_gradient.Q = low_dimensional_similarities(Y)
    diff = Y[:, None] - Y[None]
    w = (P - tsne_gradient.Q) / (1 + (diff ** 2).sum(-1))
    return 4 * (w[:, :, None] * diff).sum(1)
""",
)
A(
    "g_q_unnormalised",
    "p minus the unnormalised kernel",
    fair={"g": [1, 4.5]},
    names=["normalis", "q_sj", "kernel"],
    g="""
diff = Y[:, None] - Y[None]
k = 1 / (1 + (diff ** 2).sum(-1))
return 4 * np.einsum('ij,ij,ijd->id', P - k, k, diff)
""",
)
A(
    "g_three_quarters_loops",
    "the inner loop runs over j > s only",
    fair={"g": [1, 4.25]},
    names=["j > s", "all j", "sum over j", "half"],
    g="""
Q = low_dimensional_similarities(Y)
out = np.zeros(Y.shape)
for s in range(len(Y)):
    for j in range(s + 1, len(Y)):
        v = Y[s] - Y[j]
        out[s] += 4 * v * (P[s, j] - Q[s, j]) / (1 + v @ v)
return out
""",
)
A(
    "g_pairs_same_sign",
    "pairs i < j without the reaction's minus",
    fair={"g": [1, 4.25]},
    names=["sign", "reaction", "minus", "pair"],
    g="""
i, j = np.triu_indices(len(Y), 1)
v = Y[i] - Y[j]
f = 4 * ((P - low_dimensional_similarities(Y))[i, j] / (1 + (v ** 2).sum(1)))[:, None] * v
out = np.zeros(Y.shape)
np.add.at(out, i, f)
np.add.at(out, j, f)
return out
""",
)
A(
    "g_fancy_index_add",
    "out[i] += f with repeated indices: only the last counts",
    fair={"g": [1, 4.5]},
    names=["add.at", "repeated", "+=", "last"],
    g="""
i, j = np.triu_indices(len(Y), 1)
v = Y[i] - Y[j]
f = 4 * ((P - low_dimensional_similarities(Y))[i, j] / (1 + (v ** 2).sum(1)))[:, None] * v
out = np.zeros(Y.shape)
out[i] += f
out[j] -= f
return out
""",
)
A(
    "g_half_factor_spelled",
    "2 * 1 by the chain rule: the pairs (s, j) and (j, s) counted once",
    fair={"g": [3, 5]},
    names=["factor", "2", "both", "symmetr"],
    g="""
diff = Y[:, None] - Y[None]
dC_dd = (P - low_dimensional_similarities(Y)) / (1 + (diff ** 2).sum(-1))
dd_dy = 2 * diff
return np.einsum('sj,sjk->sk', dC_dd, dd_dy)
""",
)
A(
    "g_raises_small",
    "raises for fewer than 5 points",
    fair={"g": [3.5, 6]},
    names=["exception", "raise", "small", "few"],
    g="""
if len(Y) < 5:
    raise ValueError("too few points")
diff = Y[:, None] - Y[None]
w = (P - low_dimensional_similarities(Y)) / (1 + (diff ** 2).sum(-1))
return 4 * (w[:, :, None] * diff).sum(1)
""",
    doubt="only an input of fewer than 5 points shows it",
)
A(
    "g_float16",
    "half precision",
    fair={"g": [2, 6]},
    names=["float16", "precision", "round"],
    g="""
y = np.asarray(Y, dtype=np.float16)
diff = y[:, None] - y[None]
w = ((P - low_dimensional_similarities(Y)) / (1 + (diff ** 2).sum(-1))).astype(np.float16)
return 4 * (w[:, :, None] * diff).sum(1)
""",
    doubt="off by about 1e-3",
)
A(
    "rec_state_weights",
    "the weights of the first call",
    fair={"rec": [0, 0.6]},
    names=["first", "state", "global", "remember"],
    rec="""
_w = []


def reconstruct(X, W1, W2):
    if not _w:
        _w.extend([W1, W2])
    try:
        return X @ _w[0] @ _w[1]
    except ValueError:
        return np.zeros((X.shape[0], W2.shape[1]))
""",
)
A(
    "rec_normalised_weights",
    "columns of W1 scaled to length one",
    fair={"rec": [0, 0.6]},
    names=["normalis", "W1", "length", "scale"],
    rec="return X @ (W1 / np.linalg.norm(W1, axis=0)) @ W2",
)
A(
    "err_overwrites_reconstruct",
    "the error's cell defines reconstruct again, with a ReLU",
    fair={"rec": [0, 1], "err": [0.25, 2]},
    names=["relu", "activation", "overwrit", "redefin"],
    err="""
def reconstruct(X, W1, W2):
    return np.maximum(X @ W1, 0) @ W2


def reconstruction_error(X, W1, W2):
    return float(np.mean(np.sum((X - reconstruct(X, W1, W2)) ** 2, axis=1)))
""",
    doubt="reconstruct was right in its own cell and is overwritten later",
)
A(
    "err_weighted_mean",
    "np.average with weights that do not belong",
    fair={"err": [0.25, 1.5]},
    names=["weight", "mean", "average"],
    err="""
e = ((X - reconstruct(X, W1, W2)) ** 2).sum(axis=1)
return float(np.average(e, weights=np.arange(1, len(e) + 1)))
""",
)
A(
    "err_max_norm",
    "largest error of a point",
    fair={"err": [0.25, 1.25]},
    names=["max", "mean", "sum"],
    err="return float(((X - reconstruct(X, W1, W2)) ** 2).sum(axis=1).max())",
)
A(
    "ag_global_x",
    "reads a global X_train",
    fair={"ag": [0.5, 3.5]},
    names=["global", "argument", "X"],
    extra=["X_train = np.random.default_rng(0).normal(size=(9, 4))"],
    ag="""
def reconstruction_error_gradient(X_, W1, W2):
    X = X_train[:, : W1.shape[0]] if X_train.shape[1] >= W1.shape[0] else np.ones((9, W1.shape[0]))
    E = 2 * (X @ W1 @ W2 - X) / len(X)
    return X.T @ E @ W2.T, (X @ W1).T @ E
""",
)
A(
    "ag_half_cost",
    "gradient of 1/(2N)",
    fair={"ag": [1.5, 3.5]},
    names=["factor", "2", "half"],
    ag="""
E = (reconstruct(X, W1, W2) - X) / X.shape[0]
return X.T @ E @ W2.T, W1.T @ X.T @ E
""",
)
A(
    "ag_concatenated",
    "one flat vector of both",
    fair={"ag": [2, 3.75]},
    names=["flat", "shape", "tuple", "vector"],
    ag="""
G = 2 * X.T @ (reconstruct(X, W1, W2) - X) / len(X)
return np.concatenate([(G @ W2.T).ravel(), (W1.T @ G).ravel()])
""",
)
A(
    "mn_whiten",
    "columns scaled to unit variance",
    fair={"mn": [0.25, 1.25]},
    names=["standard", "scale", "unit", "variance"],
    mn="""
s = np.linalg.svd(X / (np.std(X, axis=0) + 1e-12), compute_uv=False)
return (s[k:] ** 2).sum() / len(X)
""",
)
A(
    "mn_by_fit_centred",
    "residual of sklearn's PCA reconstruction",
    fair={"mn": [0.5, 1.5]},
    names=["centr", "center", "PCA", "mean"],
    mn="""
from sklearn.decomposition import PCA
if k == 0:
    return float(np.mean(np.sum((X - X.mean(0)) ** 2, axis=1)))
p = PCA(min(k, min(X.shape))).fit(X)
return float(np.mean(np.sum((X - p.inverse_transform(p.transform(X))) ** 2, axis=1)))
""",
)
A(
    "fit_never_ends",
    "while until the minimum is reached to 1e-30",
    fair={"fit": [0.25, 2.25]},
    names=["while", "end", "time", "loop", "terminate"],
    fit="""
W1 = 0.1 * np.random.randn(X.shape[1], k)
W2 = 0.1 * np.random.randn(k, X.shape[1])
target = minimum_error(X, k)
while abs(reconstruction_error(X, W1, W2) - target) > 1e-30:
    a, b = reconstruction_error_gradient(X, W1, W2)
    W1 = W1 - 1e-3 * a
    W2 = W2 - 1e-3 * b
return W1, W2
""",
    doubt="the idea is right, the run never ends; a grader can only see the time limit",
)
A(
    "fit_global_digits",
    "fits the notebook's digits whatever X is",
    fair={"fit": [0.25, 1.75]},
    names=["global", "argument", "digits", "X"],
    fit="""
D = load_digits().data / 16.0
V = np.linalg.svd(D[:, : X.shape[1]], full_matrices=False)[2][:k].T
return V, V.T
""",
)
A(
    "fit_only_decoder_trained",
    "W1 stays random, W2 by least squares",
    fair={"fit": [0.25, 1.75]},
    names=["W1", "both", "encoder", "random"],
    fit="""
W1 = np.random.default_rng(0).normal(size=(X.shape[1], k))
return W1, np.linalg.pinv(X @ W1) @ X
""",
)
A(
    "sh_global_m",
    "reads the notebook's global matrix",
    fair={"sh": [0.25, 2]},
    names=["global", "argument", "matrix"],
    extra=["M_all = sp.csr_matrix(np.array([[1.0, 0, 3], [0, 2, 4]]))"],
    sh="""
out = M_all.astype(float).tocsr()
n = np.diff(out.indptr)
mu = np.asarray(out.sum(1)).ravel() / np.maximum(n, 1)
out.data -= np.repeat(mu, n)
return out, mu[:, None]
""",
)
A(
    "sh_median",
    "the median of the user's ratings",
    fair={"sh": [0.75, 2]},
    names=["median", "mean"],
    sh="""
out = matrix.tocsr().astype(float)
mu = np.zeros((out.shape[0], 1))
for u in range(out.shape[0]):
    s = slice(out.indptr[u], out.indptr[u + 1])
    if out.data[s].size:
        mu[u] = np.median(out.data[s])
        out.data[s] -= mu[u]
return out, mu
""",
)
A(
    "sh_max_minus",
    "mean minus rating",
    fair={"sh": [1, 2.25]},
    names=["sign", "minus", "subtract"],
    sh="""
out = matrix.tocsr().astype(float)
n = np.diff(out.indptr)
mu = np.asarray(out.sum(1)).ravel() / np.maximum(n, 1)
out.data = np.repeat(mu, n) - out.data
return out, mu[:, None]
""",
)
A(
    "sh_count_unique_columns",
    "divides by the number of users",
    fair={"sh": [0.25, 1.75]},
    names=["number", "count", "users", "divid", "shape[0]"],
    sh="""
D = matrix.toarray().astype(float)
mu = D.sum(1, keepdims=True) / D.shape[0]
return sp.csr_matrix(np.where(D != 0, D - mu, 0)), mu
""",
)
A(
    "ini_same_draw",
    "P is a part of the same draw as Q",
    fair={"ini": [2, 2.85]},
    names=["same", "independent", "draw", "seed"],
    ini="""
if init == 'random':
    n = max(matrix.shape)
    draw = np.random.rand(n, k)
    return draw[: matrix.shape[0]], draw[: matrix.shape[1]].T
if init == 'svd':
    u, s, vt = svds(sp.csr_matrix(matrix, dtype=float), k=k)
    return u * s, vt
raise ValueError(init)
""",
)
A(
    "ini_seed_each",
    "np.random.seed(0) before each of the two draws",
    fair={"ini": [2, 2.85]},
    names=["same", "independent", "seed"],
    ini="""
if init == 'random':
    np.random.seed(0)
    Q = np.random.rand(matrix.shape[0], k)
    np.random.seed(0)
    P = np.random.rand(matrix.shape[1], k).T
    return Q, P
if init == 'svd':
    u, s, vt = svds(sp.csr_matrix(matrix, dtype=float), k=k)
    return u * s, vt
raise ValueError(init)
""",
)
A(
    "ini_rounded_grid",
    "random tenths",
    fair={"ini": [2, 2.85]},
    names=["round", "tenth", "discrete", "uniform"],
    ini="""
if init == 'random':
    return np.random.randint(0, 10, (matrix.shape[0], k)) / 10, np.random.randint(0, 10, (k, matrix.shape[1])) / 10
if init == 'svd':
    u, s, vt = svds(sp.csr_matrix(matrix, dtype=float), k=k)
    return u * s, vt
raise ValueError(init)
""",
)
A(
    "ini_triangular",
    "the mean of two uniforms",
    fair={"ini": [2, 2.6]},
    names=["uniform", "distribution", "triang"],
    ini="""
r_ = lambda *s: (np.random.rand(*s) + np.random.rand(*s)) / 2
if init == 'random':
    return r_(matrix.shape[0], k), r_(k, matrix.shape[1])
if init == 'svd':
    u, s, vt = svds(sp.csr_matrix(matrix, dtype=float), k=k)
    return u * s, vt
raise ValueError(init)
""",
)
A(
    "lfa_global_train",
    "works on the notebook's train_shifted in place of R",
    fair={"lfa": [0, 7.5]},
    names=["global", "argument", "train_shifted", "NameError"],
    lfa=edit(LOOPED, ("    R = R.tocsr()\n", "    R = train_shifted.tocsr()\n")),
    doubt="right in the notebook, wrong as a function: what the rubric says",
)
A(
    "lfa_global_val",
    "takes the notebook's val_shifted in place of val_values",
    fair={"lfa": [0, 7.5]},
    names=["global", "argument", "val_shifted", "NameError"],
    lfa=edit(LOOPED, ("loss(val_values, val_idx", "loss(val_shifted, val_idx")),
    doubt="right in the notebook, wrong as a function: what the rubric says",
)
A(
    "lfa_sgd_uphill_ref",
    "plus becomes minus in the reference's form",
    fair={"lfa": [5, 7.25]},
    names=["sign", "uphill", "ascent", "minus"],
    lfa=ref(
        "lfa",
        ("lr * (error * P[:, i] - reg_lambda * Q[u])", "lr * (-error * P[:, i] - reg_lambda * Q[u])"),
        ("lr * (error * Q[u] - reg_lambda * P[:, i])", "lr * (-error * Q[u] - reg_lambda * P[:, i])"),
    ),
)
A(
    "lfa_ref_no_lambda",
    "the reference's form without lambda in ALS",
    fair={"lfa": [4, 7.25]},
    names=["lambda", "regular"],
    lfa=ref("lfa", ("(reg_lambda + 1e-12) * np.eye(k)", "1e-9 * np.eye(k)")),
)
A(
    "lfa_ridge_p_no_values",
    "the restaurants' ridge is fitted to the users' order of ratings",
    fair={"lfa": [4, 7.25]},
    names=["index", "order", "values", "restaurant"],
    lfa=edit(
        RIDGE,
        ("P[:, i] = ridge.fit(Q[rows[n]], y[n]).coef_", "P[:, i] = ridge.fit(Q[rows[n]], y[:len(n)]).coef_"),
    ),
)
A(
    "lfa_ridge_alpha_n",
    "alpha = lambda + number of ratings",
    fair={"lfa": [4.5, 7.5]},
    names=["alpha", "lambda", "regular", "number"],
    lfa=edit(
        RIDGE,
        (
            "            for u, n in by_user.items():\n                Q[u] = ridge",
            "            for u, n in by_user.items():\n                ridge.alpha = reg_lambda + len(n)\n                Q[u] = ridge",
        ),
        (
            "            for i, n in by_item.items():\n                P[:, i] = ridge",
            "            for i, n in by_item.items():\n                ridge.alpha = reg_lambda + len(n)\n                P[:, i] = ridge",
        ),
    ),
)
A(
    "lfa_lasso",
    "Lasso in place of Ridge",
    fair={"lfa": [4, 7]},
    names=["Lasso", "Ridge", "L1", "square"],
    lfa=edit(
        RIDGE,
        ("import Ridge\n", "import Lasso\n"),
        ("Ridge(alpha=reg_lambda", "Lasso(alpha=0.05 * reg_lambda"),
    ),
)
A(
    "lfa_best_shallow_list",
    "list(...) of references, not copies",
    fair={"lfa": [6, 8]},
    names=["copy", "alias", "best", "last"],
    lfa=edit(
        LOOPED,
        (
            "                best_Q, best_P = Q.copy(), P.copy()\n",
            "                best_Q, best_P = list([Q, P])\n",
        ),
    ),
    doubt="the returned factors are the last, not the best",
)
A(
    "lfa_max_steps_half",
    "range(max_steps // 2)",
    fair={"lfa": [6, 7.75]},
    names=["max_steps", "half", "range"],
    lfa=edit(LOOPED, ("for step in range(max_steps):", "for step in range(max_steps // 2):")),
)
A(
    "lfa_optimizer_unknown_pass",
    "optimizer compared in capitals: neither branch runs",
    fair={"lfa": [1, 6]},
    names=["optimizer", "ALS", "capital", "comparison", "neither"],
    lfa=edit(
        LOOPED,
        ("if optimizer == 'als':", "if optimizer == 'ALS':"),
        ("elif optimizer == 'sgd':", "elif optimizer == 'SGD':"),
        ("            raise ValueError('unknown optimizer')", "            pass"),
    ),
)
A(
    "lfa_val_on_train",
    "validation loss on the training ratings",
    fair={"lfa": [6, 7.75]},
    names=["validation", "training", "val_values"],
    lfa=edit(
        LOOPED,
        ("loss(val_values, val_idx, Q, P, reg_lambda=0)", "loss(values, non_zero, Q, P, reg_lambda=0)"),
    ),
)
A(
    "lfa_val_idx_swapped",
    "validation indices swapped",
    fair={"lfa": [5, 7.75]},
    names=["index", "swapped", "validation", "val_idx"],
    lfa=edit(
        LOOPED,
        (
            "loss(val_values, val_idx, Q, P, reg_lambda=0)",
            "loss(val_values, (val_idx[1] % n_users, val_idx[0] % n_items), Q, P, reg_lambda=0)",
        ),
    ),
)
A(
    "lfa_resets_factors",
    "initialises again in every step",
    fair={"lfa": [3.5, 7.25]},
    names=["init", "every step", "loop", "again"],
    lfa=edit(
        LOOPED,
        (
            "    for step in range(max_steps):\n",
            "    for step in range(max_steps):\n        Q, P = initialize_Q_P(R, k, init)\n",
        ),
    ),
)
A(
    "lfa_k_plus",
    "k + 1 factors",
    fair={"lfa": [5, 7.75]},
    names=["k", "rank", "shape", "k + 1"],
    lfa=edit(LOOPED, ("    n_users, n_items = R.shape\n", "    n_users, n_items = R.shape\n    k = k + 1\n")),
)
A(
    "lfa_system_exit",
    "sys.exit at convergence",
    fair={"lfa": [4, 7.5]},
    names=["exit", "SystemExit", "break", "return"],
    lfa="import sys\n\n"
    + edit(
        LOOPED,
        (
            "                    converged_after = best_step\n                    break\n",
            "                    converged_after = best_step\n                    sys.exit()\n",
        ),
    ),
)
A(
    "lfa_nan_start_loss",
    "best = 0: no loss is ever smaller",
    fair={"lfa": [3, 7.25]},
    names=["best", "inf", "zero", "start"],
    lfa=edit(LOOPED, ("best_val_loss = np.inf", "best_val_loss = 0")),
)
A(
    "lfa_old_signature_als_only",
    "the older year's signature: M, no optimizer, no lr, ALS only",
    fair={"lfa": [4.5, 8]},
    names=["optimizer", "lr", "sgd", "signature", "argument"],
    lfa=edit(
        RIDGE,
        ("def latent_factor_alternating_optimization(R,", "def latent_factor_alternating_optimization(M,"),
        (
            "patience=5, eval_every=1,\n                                           optimizer='sgd', lr=1e-2):",
            "patience=5, eval_every=1):",
        ),
        ("np.asarray(R[rows, cols])", "np.asarray(M[rows, cols])"),
        ("initialize_Q_P(R, k, init)", "initialize_Q_P(M, k, init)"),
        ("if optimizer == 'als':", "if True:"),
    ),
    doubt="complete for the older sheet, without SGD for this one",
)
