"""RIGHT: more ways, all problems."""

from corpus.exercise_11.base import Cases, edit
from corpus.exercise_11.lfa_styles import LOOPED, RIDGE

CASES = Cases()
A = CASES.add

A(
    "q_combinations",
    "itertools.combinations fills both halves",
    q="""
from itertools import combinations
N = len(Y)
W = np.zeros((N, N))
for i, j in combinations(range(N), 2):
    W[[i, j], [j, i]] = 1 / (1 + np.dot(Y[i] - Y[j], Y[i] - Y[j]))
return W / W.sum()
""",
    doubt="slow in the notebook's own run (minutes)",
)
A(
    "q_apply_along_axis",
    "np.apply_along_axis over the rows",
    q="""
Y = np.asarray(Y, dtype=float)
K = np.apply_along_axis(lambda y: 1 / (1 + ((Y - y) ** 2).sum(axis=1)), 1, Y)
K = np.where(np.eye(len(Y), dtype=bool), 0, K)
return K / K.sum()
""",
)
A(
    "q_custom_metric",
    "pdist with an own metric",
    q="""
from scipy.spatial.distance import pdist, squareform
K = squareform(pdist(Y, metric=lambda a, b: 1 / (1 + np.sum((a - b) ** 2))))
return K / K.sum()
""",
    doubt="slow in the notebook's own run (minutes)",
)
A(
    "q_long_double",
    "long double, cast back",
    q="""
Y = np.asarray(Y, dtype=np.longdouble)
K = 1 / (1 + ((Y[:, None] - Y) ** 2).sum(-1))
K[np.diag_indices(len(Y))] = 0
return (K / K.sum()).astype(float)
""",
)
A(
    "q_power_of_df",
    "Student's t with one degree of freedom, general exponent",
    q="""
alpha = 1.0
D2 = ((Y[:, None] - Y[None]) ** 2).sum(-1)
K = (1 + D2 / alpha) ** (-(alpha + 1) / 2)
K = K * (D2.shape[0] > 1)
K -= np.diag(K.diagonal())
return K / K.sum()
""",
)
A(
    "q_scipy_t",
    "the density of scipy.stats.cauchy is the kernel up to a constant",
    q="""
from scipy.stats import cauchy
r = np.linalg.norm(Y[:, None] - Y[None], axis=-1)
K = cauchy.pdf(r)
np.fill_diagonal(K, 0)
return K / K.sum()
""",
)
A(
    "q_blocks",
    "in blocks of rows",
    q="""
Y = np.asarray(Y, float)
parts = []
for start in range(0, len(Y), 3):
    block = Y[start:start + 3]
    k = 1 / (1 + ((block[:, None] - Y[None]) ** 2).sum(-1))
    for r in range(len(block)):
        k[r, start + r] = 0
    parts.append(k)
K = np.concatenate(parts)
return K / K.sum()
""",
)
A(
    "q_log_space",
    "log-sum-exp of -log d",
    q="""
from scipy.special import logsumexp
logk = -np.log1p(((Y[:, None] - Y[None]) ** 2).sum(-1))
np.fill_diagonal(logk, -np.inf)
return np.exp(logk - logsumexp(logk))
""",
)
A(
    "kl_einsum",
    "einsum of P and a safe logarithm",
    kl="""
Q = low_dimensional_similarities(Y)
safe = np.log(np.where(P > 0, P, 1.0)) - np.log(np.where(P > 0, Q, 1.0))
return float(np.einsum('ij,ij', P, safe))
""",
)
A(
    "kl_try_log",
    "try/except with math.log",
    kl="""
import math
Q = low_dimensional_similarities(Y)
C = 0.0
for i, row in enumerate(P):
    for j, p in enumerate(row):
        if i == j:
            continue
        try:
            C += p * math.log(p / Q[i, j])
        except ValueError:      # log(0)
            pass
return C
""",
)
A(
    "kl_argwhere",
    "argwhere and take",
    kl="""
idx = np.argwhere(P)
Q = low_dimensional_similarities(Y)
return sum(P[i, j] * (np.log(P[i, j]) - np.log(Q[i, j])) for i, j in idx)
""",
)
A(
    "kl_sparse",
    "only the stored entries of a sparse P",
    kl="""
S = sp.coo_matrix(P)
Q = low_dimensional_similarities(Y)
return float((S.data * np.log(S.data / Q[S.row, S.col])).sum())
""",
)
A(
    "kl_np_log_out",
    "np.log with where and out",
    kl="""
Q = low_dimensional_similarities(Y)
mask = np.asarray(P) > 0
lp = np.log(P, where=mask, out=np.zeros(np.shape(P)))
lq = np.log(Q, where=mask, out=np.zeros(np.shape(P)))
return ((lp - lq) * P).sum()
""",
)
A(
    "kl_cached_q",
    "walrus and one line",
    kl="return float((p := np.asarray(P)[(m := np.asarray(P) > 0)]) @ np.log(p / low_dimensional_similarities(Y)[m]))",
)
A(
    "g_csgraph_laplacian",
    "scipy.sparse.csgraph.laplacian",
    g="""
from scipy.sparse.csgraph import laplacian
W = (P - low_dimensional_similarities(Y)) / (1 + ((Y[:, None] - Y[None]) ** 2).sum(-1))
return 4 * laplacian(W) @ Y
""",
)
A(
    "g_threads",
    "a pool of threads over the points",
    g="""
from concurrent.futures import ThreadPoolExecutor
Q = low_dimensional_similarities(Y)
def one(s):
    v = Y[s] - Y
    return 4 * (((P[s] - Q[s]) / (1 + (v * v).sum(1)))[:, None] * v).sum(0)
with ThreadPoolExecutor(2) as pool:
    return np.array(list(pool.map(one, range(len(Y)))))
""",
)
A(
    "g_divide_and_conquer",
    "recursion over halves of the points",
    g="""
Q = low_dimensional_similarities(Y)
def part(a, b):
    if b - a == 1:
        v = Y[a] - Y
        return [4 * ((P[a] - Q[a]) / (1 + (v ** 2).sum(1))) @ v]
    m = (a + b) // 2
    return part(a, m) + part(m, b)
return np.array(part(0, len(Y)))
""",
)
A(
    "g_add_at_pairs",
    "pairs i < j, action and reaction",
    g="""
i, j = np.triu_indices(len(Y), 1)
v = Y[i] - Y[j]
f = 4 * ((P - low_dimensional_similarities(Y))[i, j] / (1 + (v ** 2).sum(1)))[:, None] * v
out = np.zeros(Y.shape)
np.add.at(out, i, f)
np.add.at(out, j, -f)
return out
""",
    doubt="P taken as symmetric",
)
A(
    "g_difference_of_norms",
    "derivative of the two terms of the cost, log d and log Z",
    g="""
diff = Y[:, None] - Y[None]
d = 1 + (diff ** 2).sum(-1)
off = 1 - np.eye(len(Y))
Z = (off / d).sum()
first = (P + P.T)[:, :, None] * 2 * diff / d[:, :, None]          # d/dy_s of sum p log d
second = -2 * (off / d ** 2)[:, :, None] * 2 * diff / Z           # d/dy_s of log Z
return (first + second).sum(1)
""",
    doubt="the true derivative also for an asymmetric P",
)
A(
    "g_apply_scaled",
    "np.average with weights, undone",
    g="""
D = 1 + ((Y[:, None] - Y[None]) ** 2).sum(-1)
W = (P - low_dimensional_similarities(Y)) / D
total = np.sum(W, axis=1, keepdims=True)
return 4 * (np.multiply(total, Y) - np.dot(W, Y))
""",
)
A(
    "g_kwargs_helper",
    "a helper with keyword arguments and defaults",
    extra=[
        """
def force_field(points, *, attraction, repulsion, constant=4):
    delta = points[:, None, :] - points[None, :, :]
    kernel = np.reciprocal(1.0 + np.sum(delta ** 2, axis=-1))
    return constant * np.sum(((attraction - repulsion) * kernel)[..., np.newaxis] * delta, axis=1)
"""
    ],
    g="return force_field(points=Y, repulsion=low_dimensional_similarities(Y), attraction=P)",
)
A("rec_tensordot", "np.tensordot twice", rec="return np.tensordot(np.tensordot(X, W1, axes=1), W2, axes=1)")
A("rec_map", "map over the rows", rec="return np.array(list(map(lambda x: x @ W1 @ W2, X)))")
A(
    "rec_out",
    "out= arguments",
    rec="""
Z = np.empty((X.shape[0], W1.shape[1]))
R = np.empty((X.shape[0], W2.shape[1]))
np.matmul(X, W1, out=Z)
np.matmul(Z, W2, out=R)
return R
""",
)
A(
    "err_fmean",
    "statistics.fmean",
    err="""
from statistics import fmean
R = reconstruct(X, W1, W2)
return fmean(float(((x - r) ** 2).sum()) for x, r in zip(X, R))
""",
)
A(
    "err_hidden_names",
    "German names, an intermediate list",
    err="""
fehler = []
rekonstruktion = reconstruct(X, W1, W2)
for zeile, schaetzung in zip(X, rekonstruktion):
    abstand = zeile - schaetzung
    fehler.append(abstand.dot(abstand))
return sum(fehler) / len(fehler)
""",
)
A(
    "err_projection_matrix",
    "I - W1 W2",
    err="""
M = np.eye(X.shape[1]) - W1 @ W2
return ((X @ M) ** 2).sum() / X.shape[0]
""",
)
A(
    "err_norm_einsum",
    "reshape and inner",
    err="""
r = np.reshape(reconstruct(X, W1, W2) - X, -1)
return np.inner(r, r) / len(X)
""",
)
A(
    "ag_tiny_autodiff",
    "a tiny reverse-mode class of one's own",
    extra=[
        '''
class Node:
    """a matrix with its gradient"""

    def __init__(self, value, parents=()):
        self.value, self.parents, self.grad = np.asarray(value, dtype=float), parents, 0

    def __matmul__(self, other):
        return Node(self.value @ other.value, ((self, lambda g: g @ other.value.T), (other, lambda g: self.value.T @ g)))

    def __sub__(self, other):
        return Node(self.value - other.value, ((self, lambda g: g), (other, lambda g: -g)))

    def mean_square(self):
        return Node((self.value ** 2).sum() / len(self.value), ((self, lambda g: g * 2 * self.value / len(self.value)),))

    def backward(self, g=1.0):
        self.grad = self.grad + g
        for parent, rule in self.parents:
            parent.backward(rule(g))
'''
    ],
    ag="""
x, a, b = Node(X), Node(W1), Node(W2)
(x - x @ a @ b).mean_square().backward()
return a.grad, b.grad
""",
)
A(
    "ag_map_of_point",
    "sum with a start value over a generator",
    ag="""
def of_point(x):
    e = 2 * (x @ W1 @ W2 - x)
    return np.outer(x, e @ W2.T), np.outer(x @ W1, e)
pairs = [of_point(x) for x in X]
return sum(p[0] for p in pairs) / len(X), sum(p[1] for p in pairs) / len(X)
""",
)
A(
    "ag_two_n_split",
    "the 2 and the N at different places",
    ag="""
N, D = X.shape
err = reconstruct(X, W1, W2) - X
back = err @ W2.T
dW1 = (X.T @ back + X.T @ back) / N
dW2 = 2 * np.mean([np.outer(h, e) for h, e in zip(X @ W1, err)], axis=0)
return dW1, dW2
""",
)
A(
    "ag_matrix_type",
    "np.matrix results",
    ag="""
X, W1, W2 = np.asmatrix(X), np.asmatrix(W1), np.asmatrix(W2)
E = 2 * (X * W1 * W2 - X) / X.shape[0]
return X.T * E * W2.T, (X * W1).T * E
""",
)
A(
    "mn_eigsh",
    "the lost part by eigvalsh of the smaller Gram matrix, index from the end",
    mn="""
X = np.asarray(X, dtype=float)
n, d = X.shape
lam = np.linalg.eigvalsh(X @ X.T if n < d else X.T @ X)
m = len(lam)
return float(lam[: max(m - k, 0)].sum()) / n
""",
)
A(
    "mn_pinv_residual",
    "residual after least squares on the top scores",
    mn="""
U, s, Vt = np.linalg.svd(X, full_matrices=False)
T = U[:, :k] * s[:k]
R = X - T @ (np.linalg.pinv(T) @ X) if k else X
return (R ** 2).sum() / len(X)
""",
)
A(
    "mn_generator_enumerate",
    "enumerate with a condition",
    mn="return sum(s * s for i, s in enumerate(np.linalg.svd(X)[1], start=1) if i > k) / X.shape[0]",
)
A(
    "mn_recursive",
    "recursion on the rank",
    mn="""
def lost(values):
    return 0.0 if len(values) == 0 else values[0] ** 2 + lost(values[1:])
return lost(list(np.linalg.svd(X, compute_uv=False))[k:]) / len(X)
""",
)
A(
    "mn_scipy_svd",
    "scipy's svd with a zero-padded vector",
    mn="""
from scipy.linalg import svd
s = np.zeros(max(X.shape))
v = svd(X, compute_uv=False)
s[: len(v)] = v
s[:k] = 0
return float(s @ s / len(X))
""",
)
A(
    "fit_nipals",
    "NIPALS",
    fit="""
R = np.array(X, dtype=float)
V = []
for _ in range(k):
    p = R[np.argmax((R ** 2).sum(1))].copy()
    if not np.any(p):
        p = np.random.default_rng(len(V)).normal(size=R.shape[1])
        for v in V:
            p -= (p @ v) * v
    for _ in range(400):
        p = p / np.linalg.norm(p)
        t = R @ p
        if t @ t < 1e-20:
            break
        p = R.T @ t / (t @ t)
    p = p / np.linalg.norm(p)
    R = R - np.outer(R @ p, p)
    V.append(p)
W1, _ = np.linalg.qr(np.array(V).T)
return W1, W1.T
""",
)
A(
    "fit_qr_algorithm",
    "unshifted QR algorithm for the eigenvectors",
    fit="""
A_ = np.asarray(X.T @ X, dtype=float)
V = np.eye(len(A_))
for _ in range(400):
    q_, r_ = np.linalg.qr(A_)
    A_ = r_ @ q_
    V = V @ q_
top = V[:, np.argsort(-np.diag(A_))[:k]]
return top, top.T
""",
)
A(
    "fit_adam",
    "Adam with all points, restarts at small random weights",
    fit="""
g_ = np.random.default_rng(0)
S = np.asarray(X, float) / np.sqrt(np.mean(np.sum(np.asarray(X, float) ** 2, axis=1)))
C = S.T @ S / len(S)
ps = [0.3 * g_.normal(size=(X.shape[1], k)), 0.3 * g_.normal(size=(k, X.shape[1]))]
m = [np.zeros_like(p) for p in ps]
v = [np.zeros_like(p) for p in ps]
T = 2000
for t in range(1, T + 1):
    G = 2 * (C @ ps[0] @ ps[1] - C)
    grads = [G @ ps[1].T, ps[0].T @ G]
    for i in range(2):
        m[i] = 0.9 * m[i] + 0.1 * grads[i]
        v[i] = 0.999 * v[i] + 0.001 * grads[i] ** 2
        ps[i] = ps[i] - 0.02 * (1 - t / T) * (m[i] / (1 - 0.9 ** t)) / (np.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8)
return ps[0], ps[1]
""",
    doubt="iterative: close to the minimum on data of moderate spectra",
)
A(
    "fit_eigsh",
    "scipy.sparse.linalg.eigsh, with eigh for k = D",
    fit="""
from scipy.sparse.linalg import eigsh
C = np.asarray(X.T @ X, dtype=float)
if k < len(C) - 1:
    _, V = eigsh(C, k=k, which='LA')
else:
    V = np.linalg.eigh(C)[1][:, ::-1][:, :k]
return V, V.T
""",
)
A(
    "fit_class_with_weights",
    "a class with fit, weights taken out",
    fit="""
class LinearAE:
    def fit(self, X, k):
        lam, vec = np.linalg.eigh(np.einsum('ni,nj->ij', X, X))
        self.encoder = vec[:, np.argsort(lam)[::-1]][:, :k]
        self.decoder = np.linalg.lstsq(X @ self.encoder, X, rcond=None)[0]
        return self

def fit_linear_autoencoder(X, k):
    ae = LinearAE().fit(X, k)
    return ae.encoder, ae.decoder
""",
)
A(
    "sh_multiply",
    "sparse multiply with reciprocal counts",
    sh="""
ones = (matrix != 0).astype(float)
inv = sp.diags(1 / np.maximum(np.asarray(ones.sum(axis=1)).ravel(), 1))
mu = np.asarray((inv @ matrix).sum(axis=1)).reshape(-1, 1)
return sp.csr_matrix(matrix - ones.multiply(mu)), mu
""",
)
A(
    "sh_nonzero_loop",
    "loop over the nonzero cells",
    sh="""
dense = matrix.toarray()
N = dense.shape[0]
total, count = [0.0] * N, [0] * N
cells = list(zip(*dense.nonzero()))
for u, i in cells:
    total[u] += dense[u, i]
    count[u] += 1
mu = np.array([t / c if c else 0.0 for t, c in zip(total, count)])
result = sp.lil_matrix(dense.shape)
for u, i in cells:
    result[u, i] = dense[u, i] - mu[u]
return result.tocsr(), mu[:, None]
""",
    doubt="a rating that equals the mean becomes an unstored cell",
)
A(
    "sh_count_nonzero",
    "np.count_nonzero",
    sh="""
D = matrix.toarray().astype(np.float64)
n = np.count_nonzero(D, axis=1)
n[n == 0] = 1
mu = (D.sum(1) / n)[:, np.newaxis]
D -= mu * (D != 0)
return sp.csr_matrix(D), mu
""",
)
A(
    "sh_ndarray",
    "the shifted matrix as a dense array",
    sh="""
D = matrix.toarray().astype(float)
mask = D > 0
mu = D.sum(1, keepdims=True) / np.maximum(mask.sum(1, keepdims=True), 1)
return np.where(mask, D - mu, 0.0), mu
""",
    fair={"sh": [2.5, 3]},
    doubt="dense, where sparse is meant; the notebook's R[rows, columns] works on it",
)
A(
    "ini_randomized_svd",
    "sklearn's randomized_svd with many iterations",
    ini="""
from sklearn.utils.extmath import randomized_svd
if init == 'random':
    return np.random.rand(matrix.shape[0], k), np.random.rand(k, matrix.shape[1])
if init == 'svd':
    U, S, V = randomized_svd(matrix.astype(float), k, n_oversamples=20, n_iter=30, random_state=0)
    return U * S, V
raise ValueError(init)
""",
)
A(
    "ini_enum_table",
    "lambdas in a dictionary with .get",
    ini="""
table = {
    'random': lambda: (np.random.random((matrix.shape[0], k)), np.random.random((k, matrix.shape[1]))),
    'svd': lambda: (lambda U, s, V: (U @ np.diag(s), V))(*svds(sp.csr_matrix(matrix, dtype=float), k=k)),
}
start = table.get(init)
if start is None:
    raise ValueError("init must be one of " + ", ".join(table))
return start()
""",
)
A(
    "ini_projection",
    "projection of the matrix on its top right singular vectors",
    ini="""
if init == 'random':
    return tuple(np.random.uniform(size=s) for s in ((matrix.shape[0], k), (k, matrix.shape[1])))
elif init == 'svd':
    D = matrix.toarray().astype(float)
    V = np.linalg.svd(D, full_matrices=False)[2][:k]
    return D @ V.T, V
else:
    raise ValueError(f'{init} is no start')
""",
)
A(
    "ini_beta",
    "a beta(1, 1) distribution is uniform",
    ini="""
if init == 'random':
    return np.random.beta(1, 1, (matrix.shape[0], k)), np.random.beta(1, 1, (k, matrix.shape[1]))
if init == 'svd':
    u, s, v = svds(matrix.astype(float), k=k)
    return u @ np.diag(s ** 0.5), np.diag(s ** 0.5) @ v
raise ValueError('?')
""",
)
A(
    "lfa_countdown",
    "a patience that counts down",
    lfa=edit(
        LOOPED,
        ("    bad_evals = 0\n    best_step = 0\n", "    left = patience\n    best_step = 0\n"),
        ("                bad_evals = 0\n", "                left = patience\n"),
        (
            "                bad_evals += 1\n                if bad_evals >= patience:",
            "                left -= 1\n                if left == 0:",
        ),
    ),
)
A(
    "lfa_dense_product_loss",
    "losses from the dense product",
    lfa=edit(
        LOOPED,
        (
            "train_loss = loss(values, non_zero, Q, P, reg_lambda)",
            "QP = Q @ P\n            train_loss = ((values - QP[non_zero]) ** 2).sum() + reg_lambda * ((P ** 2).sum() + (Q ** 2).sum())",
        ),
        (
            "val_loss = loss(val_values, val_idx, Q, P, reg_lambda=0)",
            "val_loss = ((val_values - QP[val_idx]) ** 2).sum()",
        ),
    ),
)
A(
    "lfa_val_rmse",
    "validation RMSE",
    lfa=edit(
        LOOPED,
        (
            "val_loss = loss(val_values, val_idx, Q, P, reg_lambda=0)",
            "val_loss = np.sqrt(loss(val_values, val_idx, Q, P, 0) / len(val_values))",
        ),
    ),
)
A(
    "lfa_bytes_snapshot",
    "the best factors as bytes in memory",
    lfa="import io\n\n"
    + edit(
        LOOPED,
        (
            "                best_Q, best_P = Q.copy(), P.copy()\n",
            "                snapshot = io.BytesIO()\n                np.savez(snapshot, Q=Q, P=P)\n",
        ),
        (
            "    return best_Q, best_P, valid",
            "    snapshot.seek(0)\n    with np.load(snapshot) as f:\n        best_Q, best_P = f['Q'], f['P']\n    return best_Q, best_P, valid",
        ),
    ),
)
A(
    "lfa_dataclass",
    "a dataclass for the state of the early stopping",
    lfa="from dataclasses import dataclass, field\n\n\n@dataclass\nclass Stopper:\n    patience: int\n    best: float = float('inf')\n    step: int = -1\n    waited: int = 0\n    factors: tuple = field(default=())\n\n    def update(self, step, value, Q, P):\n        if value < self.best:\n            self.best, self.step, self.waited, self.factors = value, step, 0, (Q.copy(), P.copy())\n        else:\n            self.waited += 1\n        return self.waited >= self.patience\n\n"
    + edit(
        LOOPED,
        ("    bad_evals = 0\n    best_step = 0\n", "    stopper = Stopper(patience)\n"),
        (
            """            if val_loss < best_val_loss:
                best_val_loss = val_loss
                best_Q, best_P = Q.copy(), P.copy()
                best_step = step
                bad_evals = 0
            else:
                bad_evals += 1
                if bad_evals >= patience:
                    converged_after = best_step
                    break
""",
            """            if stopper.update(step, val_loss, Q, P):
                converged_after = stopper.step
                break
""",
        ),
        (
            "    return best_Q, best_P, valid",
            "    best_Q, best_P = stopper.factors\n    return best_Q, best_P, valid",
        ),
    ),
)
A(
    "lfa_eig_ridge",
    "ridge by an eigendecomposition",
    lfa=edit(
        LOOPED,
        (
            "    for step in range(max_steps):\n",
            "    def ridge(G, h):\n        w, V = np.linalg.eigh(G)\n        return V @ ((V.T @ h) / (w + reg_lambda))\n\n    for step in range(max_steps):\n",
        ),
        ("np.linalg.solve(P_u @ P_u.T + reg_lambda * np.eye(k), P_u @ r_u)", "ridge(P_u @ P_u.T, P_u @ r_u)"),
        (
            "np.linalg.solve(Q_i.T @ Q_i + reg_lambda * np.eye(k), Q_i.T @ r_i)",
            "ridge(Q_i.T @ Q_i, Q_i.T @ r_i)",
        ),
    ),
)
A(
    "lfa_python_lists_sgd",
    "SGD on Python lists, converted back after each step",
    lfa=edit(
        LOOPED,
        (
            """            for idx in np.random.permutation(len(values)):
                u = users[idx]
                i = items[idx]
                e = values[idx] - Q[u, :] @ P[:, i]
                grad_q = -2 * e * P[:, i] + 2 * reg_lambda * Q[u, :]
                grad_p = -2 * e * Q[u, :] + 2 * reg_lambda * P[:, i]
                Q[u, :] = Q[u, :] - lr * grad_q
                P[:, i] = P[:, i] - lr * grad_p
""",
            """            ql, pl = Q.tolist(), P.T.tolist()
            for idx in np.random.permutation(len(values)):
                q, p = ql[users[idx]], pl[items[idx]]
                e = values[idx]
                for f in range(k):
                    e -= q[f] * p[f]
                for f in range(k):
                    q[f], p[f] = q[f] + lr * (e * p[f] - reg_lambda * q[f]), p[f] + lr * (e * q[f] - reg_lambda * p[f])
            Q, P = np.array(ql), np.array(pl).T
""",
        ),
    ),
)
A(
    "lfa_lsqr_damp",
    "scipy lsqr with damping",
    lfa="from scipy.sparse.linalg import lsqr\n\n"
    + edit(
        LOOPED,
        (
            "np.linalg.solve(P_u @ P_u.T + reg_lambda * np.eye(k), P_u @ r_u)",
            "lsqr(P_u.T, r_u, damp=np.sqrt(reg_lambda), atol=1e-13, btol=1e-13)[0]",
        ),
        (
            "np.linalg.solve(Q_i.T @ Q_i + reg_lambda * np.eye(k), Q_i.T @ r_i)",
            "lsqr(Q_i, r_i, damp=np.sqrt(reg_lambda), atol=1e-13, btol=1e-13)[0]",
        ),
    ),
)
A(
    "lfa_ridge_svd_solver",
    "Ridge with the svd solver for many targets",
    lfa=edit(RIDGE, ("fit_intercept=False)", "fit_intercept=False, solver='svd')")),
    doubt="sklearn fits thousands of small ridges: slow in the notebook's own run (20 s on 160 x 100)",
)
A(
    "lfa_step_functions",
    "the steps as inner functions with nonlocal",
    lfa=edit(
        LOOPED,
        (
            "            for u in range(n_users):\n                rated",
            "            Q = np.empty_like(Q)\n            for u in range(n_users):\n                rated",
        ),
    ),
)
A(
    "lfa_optimizer_map",
    "recursion-free dispatch by a dictionary, prints every log_every",
    lfa="""
u_idx, i_idx = non_zero_idx[:, 0].astype(int), non_zero_idx[:, 1].astype(int)
target = np.squeeze(np.asarray(R[u_idx, i_idx]))
start_Q, start_P = initialize_Q_P(matrix=R, k=k, init=init)
state = {'Q': np.array(start_Q, float), 'P': np.array(start_P, float)}
A = sp.csr_matrix((np.arange(1, len(target) + 1), (u_idx, i_idx)), shape=R.shape)
At = A.T.tocsr()

def half(F, index):
    out = np.zeros((index.shape[0], k))
    for row in range(index.shape[0]):
        sl = slice(index.indptr[row], index.indptr[row + 1])
        X_, y_ = F[index.indices[sl]], target[index.data[sl] - 1]
        out[row] = np.linalg.solve(X_.T @ X_ + reg_lambda * np.identity(k), X_.T @ y_)
    return out

def als_step():
    state['Q'] = half(state['P'].T, A)
    state['P'] = half(state['Q'], At).T

def sgd_step():
    Q, P = state['Q'], state['P']
    for n in np.random.permutation(target.size):
        a, b = u_idx[n], i_idx[n]
        res = target[n] - np.inner(Q[a], P[:, b])
        dq = res * P[:, b] - reg_lambda * Q[a]
        dp = res * Q[a] - reg_lambda * P[:, b]
        Q[a] += lr * dq
        P[:, b] += lr * dp

step_of = dict(als=als_step, sgd=sgd_step)[optimizer]
curves = {'train': [], 'val': []}
champion = (float('inf'), None, None, -1)
fails, converged_after = 0, -1
for t in range(max_steps):
    step_of()
    if (t + 1) % eval_every:
        continue
    curves['train'].append(loss(target, (u_idx, i_idx), state['Q'], state['P'], reg_lambda))
    curves['val'].append(loss(val_values, val_idx, state['Q'], state['P'], 0))
    if t % log_every == 0:
        print(t, curves['train'][-1], curves['val'][-1], sep='\\t')
    if curves['val'][-1] < champion[0]:
        champion, fails = (curves['val'][-1], state['Q'].copy(), state['P'].copy(), t), 0
        continue
    fails += 1
    if fails >= patience:
        converged_after = champion[3]
        break
return champion[1], champion[2], curves['val'], curves['train'], converged_after
""",
)
A(
    "whole_autoencoder_matrix_style",
    "problem 2 in np.matrix",
    rec="return np.asarray(np.asmatrix(X) * np.asmatrix(W1) * np.asmatrix(W2))",
    err="""
D = np.asmatrix(X) - np.asmatrix(reconstruct(X, W1, W2))
return np.trace(D * D.T) / X.shape[0]
""",
    ag="""
X, W1, W2 = np.asmatrix(X), np.asmatrix(W1), np.asmatrix(W2)
D = X * W1 * W2 - X
return np.asarray(2.0 / X.shape[0] * X.T * D * W2.T), np.asarray(2.0 / X.shape[0] * (X * W1).T * D)
""",
    mn="""
s = np.linalg.svd(np.asmatrix(X), compute_uv=False)
s = np.asarray(s).ravel()
return float(np.dot(s[k:], s[k:])) / X.shape[0]
""",
    fit="""
V = np.linalg.svd(np.asmatrix(X))[2][:k]
return np.asarray(V.T), np.asarray(V)
""",
)
A(
    "whole_sheet_alternative",
    "all eleven functions in one student's style",
    q="""
N = Y.shape[0]
D = np.sum((Y[:, np.newaxis, :] - Y[np.newaxis, :, :]) ** 2, axis=2)
num = 1 / (1 + D)
num[range(N), range(N)] = 0
return num / np.sum(num)
""",
    kl="""
Q = low_dimensional_similarities(Y)
nz = np.nonzero(P)
return float(np.sum(P[nz] * np.log(P[nz] / Q[nz])))
""",
    g="""
N, d = Y.shape
Q = low_dimensional_similarities(Y)
grad = np.zeros((N, d))
for i in range(N):
    diff = Y[i] - Y
    weight = (P[i] - Q[i]) / (1 + np.sum(diff ** 2, axis=1))
    grad[i] = 4 * weight @ diff
return grad
""",
    rec="return (X @ W1) @ W2",
    err="return np.linalg.norm(X - reconstruct(X, W1, W2), 'fro') ** 2 / X.shape[0]",
    ag="""
N = X.shape[0]
E = X - reconstruct(X, W1, W2)
return -2 / N * X.T @ E @ W2.T, -2 / N * W1.T @ X.T @ E
""",
    mn="""
s = np.linalg.svd(X, compute_uv=False)
return np.sum(s[k:] ** 2) / X.shape[0]
""",
    fit="""
_, _, Vt = np.linalg.svd(X, full_matrices=True)
return Vt[:k].T, Vt[:k]
""",
    sh="""
matrix = matrix.astype(float).tocsr()
sums = np.array(matrix.sum(axis=1)).flatten()
counts = np.maximum(matrix.getnnz(axis=1), 1)
user_means = sums / counts
r, c = matrix.nonzero()
vals = np.array(matrix[r, c]).flatten() - user_means[r]
return sp.csr_matrix((vals, (r, c)), shape=matrix.shape), user_means.reshape(-1, 1)
""",
    ini="""
if init == 'random':
    return np.random.uniform(size=(matrix.shape[0], k)), np.random.uniform(size=(k, matrix.shape[1]))
elif init == 'svd':
    U, S, Vt = svds(matrix.astype(float), k=k)
    return U, np.diag(S) @ Vt
else:
    raise ValueError('init has to be random or svd')
""",
    lfa=RIDGE,
    doubt="sklearn fits thousands of small ridges: slow in the notebook's own run (20 s on 160 x 100)",
)
