"""RIGHT: problem 2."""

from corpus.exercise_11.base import Cases

CASES = Cases()
A = CASES.add

# ---- reconstruct ----
A("rec_dot", "chained dot", rec="return X.dot(W1).dot(W2)")
A(
    "rec_matmul",
    "np.matmul with a named hidden layer",
    rec="""
hidden = np.matmul(X, W1)
out = np.matmul(hidden, W2)
return out
""",
)
A("rec_einsum", "one einsum", rec='return np.einsum("nd,dk,ke->ne", X, W1, W2)')
A("rec_transposed", "(W2^T W1^T X^T)^T", rec="return (W2.T @ W1.T @ X.T).T")
A("rec_weights_first", "multiplies the weights first", rec="return X @ (W1 @ W2)")
A(
    "rec_loop_rows",
    "a loop over the points",
    rec="""
res = np.zeros((X.shape[0], W2.shape[1]))
for n, x in enumerate(X):
    z = x @ W1
    res[n] = z @ W2
return res
""",
)
A(
    "rec_matrix",
    "np.matrix product, back to an array",
    rec="return np.asarray(np.matrix(X) * np.matrix(W1) * np.matrix(W2))",
)
A(
    "rec_reduce",
    "functools.reduce",
    extra=["from functools import reduce"],
    rec="return reduce(np.dot, (X, W1, W2))",
)
A(
    "rec_encoder_decoder",
    "a class of encoder and decoder",
    rec="""
class LinearAutoencoder:
    def __init__(self, W1, W2):
        self.W1 = W1; self.W2 = W2
    def encode(self, X):
        return X @ self.W1
    def decode(self, Z):
        return Z @ self.W2
    def forward(self, X):
        return self.decode(self.encode(X))

def reconstruct(X, W1, W2):
    return LinearAutoencoder(W1, W2).forward(X)
""",
)
A(
    "rec_sum_outer",
    "a sum of rank-one terms",
    rec="""
return sum(np.outer(X @ W1[:, k], W2[k]) for k in range(W1.shape[1]))
""",
)
A(
    "rec_float_loops",
    "three nested loops in pure Python",
    rec="""
N, D = X.shape
K = W1.shape[1]
Z = [[sum(X[n][d] * W1[d][k] for d in range(D)) for k in range(K)] for n in range(N)]
return np.array([[sum(Z[n][k] * W2[k][d] for k in range(K)) for d in range(D)] for n in range(N)], dtype=float)
""",
    doubt="slow in the notebook's own run",
)

# ---- reconstruction_error ----
A(
    "err_frobenius",
    "squared Frobenius norm over N",
    err="""
return np.linalg.norm(X - reconstruct(X, W1, W2)) ** 2 / X.shape[0]
""",
)
A(
    "err_sum_len",
    "sum of squares over len",
    err="""
R = X - reconstruct(X, W1, W2)
return np.sum(R * R) / len(R)
""",
)
A(
    "err_trace",
    "trace of the residual's Gram matrix",
    err="""
E = X - X @ W1 @ W2
return np.trace(E.T @ E) / X.shape[0]
""",
)
A(
    "err_trace_expanded",
    "expanded traces",
    err="""
M = W1 @ W2
S = X.T @ X / len(X)
return np.trace(S) - 2 * np.trace(S @ M) + np.trace(M.T @ S @ M)
""",
)
A(
    "err_loop",
    "loop with the norm of each point",
    err="""
rec = reconstruct(X, W1, W2)
err = 0
for x, r in zip(X, rec):
    err += np.linalg.norm(x - r) ** 2
return err / len(X)
""",
)
A(
    "err_mean_times_D",
    "mean over all entries times D",
    err="""
return np.mean((reconstruct(X, W1, W2) - X) ** 2) * X.shape[1]
""",
)
A(
    "err_mse_sklearn",
    "sklearn's mean_squared_error times D",
    err="""
from sklearn.metrics import mean_squared_error
return mean_squared_error(X, reconstruct(X, W1, W2)) * X.shape[1]
""",
)
A(
    "err_running_mean",
    "running mean",
    err="""
m = 0.0
for n, x in enumerate(X, start=1):
    e = ((x - x @ W1 @ W2) ** 2).sum()
    m += (e - m) / n
return m
""",
)
A(
    "err_vdot",
    "vdot of the flat residual",
    err="""
r = (X - reconstruct(X, W1, W2)).ravel()
return float(np.vdot(r, r)) / X.shape[0]
""",
)
A(
    "err_average_of_einsum",
    "np.average of an einsum",
    err="""
d = X - reconstruct(X, W1, W2)
return np.average(np.einsum("nd,nd->n", d, d))
""",
)
A(
    "err_dist_hypot",
    "math.dist per point",
    extra=["import math"],
    err="""
return sum(math.dist(a, b) ** 2 for a, b in zip(X, reconstruct(X, W1, W2))) / X.shape[0]
""",
)
A(
    "err_axis_minus_one",
    "abs squared, axis -1, np.float64 returned",
    err="""
X_hat = reconstruct(X, W1, W2)
per_point = (np.abs(X_hat - X) ** 2).sum(-1)
return per_point.mean()
""",
)

# ---- reconstruction_error_gradient ----
A(
    "ag_expanded",
    "expanded matrices",
    ag="""
N = X.shape[0]
C = X.T @ X / N
dW1 = 2 * (C @ W1 @ W2 @ W2.T - C @ W2.T)
dW2 = 2 * (W1.T @ C @ W1 @ W2 - W1.T @ C)
return dW1, dW2
""",
)
A(
    "ag_minus",
    "minus sign outside",
    ag="""
E = X - reconstruct(X, W1, W2)
g1 = -2 / len(X) * X.T @ E @ W2.T
g2 = -2 / len(X) * W1.T @ X.T @ E
return (g1, g2)
""",
)
A(
    "ag_loop_points",
    "adds up the gradients of the points",
    ag="""
dW1 = np.zeros(W1.shape)
dW2 = np.zeros(W2.shape)
for x in X:
    z = x @ W1
    e = z @ W2 - x
    dW1 += np.outer(x, W2 @ e)
    dW2 += np.outer(z, e)
return 2 * dW1 / len(X), 2 * dW2 / len(X)
""",
)
A(
    "ag_backprop",
    "backpropagation with deltas",
    ag="""
# forward
Z = X @ W1
X_hat = Z @ W2
# backward
delta_out = 2 * (X_hat - X) / X.shape[0]
grad_W2 = Z.T @ delta_out
delta_hidden = delta_out @ W2.T
grad_W1 = X.T @ delta_hidden
return grad_W1, grad_W2
""",
)
A(
    "ag_einsum",
    "einsum",
    ag="""
r = reconstruct(X, W1, W2) - X
n = len(X)
a = np.einsum('ni,nj,kj->ik', X, r, W2)
b = np.einsum('ni,ik,nj->kj', X, W1, r)
return [2 * a / n, 2 * b / n]
""",
)
A(
    "ag_central_differences",
    "exact central differences: E is quadratic in each weight",
    ag="""
def E(a, b):
    return reconstruction_error(X, a, b)
h = 1e-4
out = []
for which, W in enumerate([W1, W2]):
    G = np.zeros(W.shape)
    for idx in np.ndindex(*W.shape):
        up, down = np.array(W, float), np.array(W, float)
        up[idx] += h
        down[idx] -= h
        if which == 0:
            G[idx] = (E(up, W2) - E(down, W2)) / (2 * h)
        else:
            G[idx] = (E(W1, up) - E(W1, down)) / (2 * h)
    out.append(G)
return tuple(out)
""",
    doubt="finite differences of the other function, not a derivation; nothing forbids it",
)
A(
    "ag_transposes",
    "transposes in another order",
    ag="""
R = (reconstruct(X, W1, W2) - X).T
dW1 = (2 / X.shape[0]) * (W2 @ R @ X).T
dW2 = (2 / X.shape[0]) * (R @ X @ W1).T
return dW1, dW2
""",
)
A(
    "ag_dict_then_tuple",
    "a dictionary of gradients on the way",
    ag="""
grads = {}
E = X @ W1 @ W2 - X
scale = 2. / X.shape[0]
grads['W1'] = scale * (X.T.dot(E)).dot(W2.T)
grads['W2'] = scale * ((X.dot(W1)).T).dot(E)
return grads['W1'], grads['W2']
""",
)
A(
    "ag_mean_of_outer",
    "mean over the axis of outer products",
    ag="""
E = 2 * (reconstruct(X, W1, W2) - X)
dW1 = (X[:, :, None] * (E @ W2.T)[:, None, :]).mean(axis=0)
dW2 = ((X @ W1)[:, :, None] * E[:, None, :]).mean(axis=0)
return dW1, dW2
""",
)
A(
    "ag_namedtuple",
    "a named tuple",
    ag="""
from collections import namedtuple
Gradients = namedtuple("Gradients", ["dW1", "dW2"])

def reconstruction_error_gradient(X, W1, W2):
    G = 2 * X.T @ (reconstruct(X, W1, W2) - X) / len(X)   # dE / d(W1 W2)
    return Gradients(dW1=G @ W2.T, dW2=W1.T @ G)
""",
)
A(
    "ag_kron_free_vec",
    "vectorised with np.kron",
    ag="""
G = 2 / len(X) * X.T @ (X @ W1 @ W2 - X)
D, K = W1.shape
# vec (row-major) of G W2^T is (I kron W2) vec(G)
g1 = (np.kron(np.eye(D), W2) @ G.reshape(-1)).reshape(D, K)
g2 = (np.kron(W1.T, np.eye(D)) @ G.reshape(-1)).reshape(K, D)
return g1, g2
""",
)
A(
    "ag_helper_residual",
    "two helpers and an unused third",
    extra=[
        """
def residual(X, W1, W2):
    return reconstruct(X, W1, W2) - X

def dE_dW1(X, W1, W2):
    return 2 * X.T @ residual(X, W1, W2) @ W2.T / X.shape[0]

def dE_dW2(X, W1, W2):
    return 2 * (X @ W1).T @ residual(X, W1, W2) / X.shape[0]

def numeric(f, x, h=1e-6):
    return (f(x + h) - f(x - h)) / 2 / h
"""
    ],
    ag="return dE_dW1(X, W1, W2), dE_dW2(X, W1, W2)",
)
A(
    "ag_float_cast_inplace",
    "casts to float, then in place on own arrays",
    ag="""
X = X.astype(float); A = W1.astype(float); B = W2.astype(float)
R = X @ A
R = R @ B
R -= X
R *= 2
R /= len(X)
return X.T @ R @ B.T, A.T @ X.T @ R
""",
)
A(
    "ag_stacked_by_columns",
    "per hidden unit",
    ag="""
K = W1.shape[1]
R = (reconstruct(X, W1, W2) - X) * 2 / len(X)
dW1 = np.stack([X.T @ (R @ W2[k]) for k in range(K)], axis=1)
dW2 = np.vstack([(X @ W1[:, k]) @ R for k in range(K)])
return dW1, dW2
""",
)

# ---- minimum_error ----
A(
    "mn_eigvalsh",
    "eigenvalues of X^T X, ascending",
    mn="""
values = np.linalg.eigvalsh(X.T @ X)
D = X.shape[1]
return values[: D - k].sum() / X.shape[0]
""",
)
A(
    "mn_eigvalsh_descending",
    "eigenvalues sorted downwards, clipped",
    mn="""
lam = np.sort(np.linalg.eigvalsh(X.T @ X / len(X)))[::-1]
lam = np.clip(lam, 0, None)
return float(lam[k:].sum())
""",
)
A(
    "mn_total_minus_kept",
    "all minus kept",
    mn="""
s = np.linalg.svd(X, full_matrices=False, compute_uv=False)
return (np.sum(np.asarray(X, float) ** 2) - np.sum(s[:k] ** 2)) / X.shape[0]
""",
)
A(
    "mn_truncated_residual",
    "the residual of the truncated SVD",
    mn="""
U, S, Vt = np.linalg.svd(X, full_matrices=False)
Xk = U[:, :k] @ np.diag(S[:k]) @ Vt[:k]
return np.linalg.norm(X - Xk, "fro") ** 2 / len(X)
""",
)
A(
    "mn_scipy_svdvals",
    "scipy.linalg.svdvals",
    mn="""
from scipy.linalg import svdvals
sigma = svdvals(X)
return sum(sv ** 2 for sv in sigma[k:]) / len(X) if k < len(sigma) else 0.0
""",
)
A(
    "mn_loop_index",
    "index loop from k",
    mn="""
s = np.linalg.svd(X, compute_uv=False)
e = 0
i = k
while i < len(s):
    e += s[i] ** 2
    i += 1
return e / X.shape[0]
""",
)
A(
    "mn_gram_small_side",
    "Gram matrix of the smaller side",
    mn="""
G = X @ X.T if X.shape[0] < X.shape[1] else X.T @ X
w = sorted(np.linalg.eigvalsh(G), reverse=True)
return max(sum(w[k:]), 0.0) / X.shape[0]
""",
)
A(
    "mn_numpy_eig",
    "general eig and real parts",
    mn="""
w, v = np.linalg.eig(np.cov(X, rowvar=False, bias=True) + np.outer(X.mean(0), X.mean(0)))
order = np.argsort(-w.real)
return w.real[order][k:].sum()
""",
)
A(
    "mn_projection",
    "error of the projection on the first k right singular vectors",
    mn="""
V = np.linalg.svd(X)[2].T[:, :k]
return reconstruction_error(X, V, V.T)
""",
)
A(
    "mn_svd_of_scaled",
    "SVD of X / sqrt(N)",
    mn="""
return np.square(np.linalg.svd(X / np.sqrt(X.shape[0]))[1][k:]).sum()
""",
)
A(
    "mn_ky_fan",
    "nuclear trick: flipped cumulative sums",
    mn="""
s2 = np.linalg.svd(X)[1] ** 2
tail = np.append(np.cumsum(s2[::-1])[::-1], 0)
return tail[min(k, len(tail) - 1)] / len(X)
""",
)
A(
    "mn_early_return",
    "early return for k at least the rank",
    mn="""
rank = np.linalg.matrix_rank(X)
if k >= rank:
    return 0.0
_, s, _ = np.linalg.svd(X)
return float(np.mean(s[k:] ** 2) * (len(s) - k) / X.shape[0])
""",
)
A(
    "mn_qr_first",
    "QR before the SVD",
    mn="""
r = np.linalg.qr(X, mode='r')
return (np.linalg.svd(r)[1][k:] ** 2).sum() / X.shape[0]
""",
)
A(
    "mn_mask",
    "Boolean mask over the indices",
    mn="""
s = np.linalg.svd(X, compute_uv=False)
lost = np.arange(s.size) >= k
return (lost * s ** 2).sum() / X.shape[0]
""",
)
A(
    "mn_power_deflation",
    "deflation with scipy eigh",
    mn="""
from scipy.linalg import eigh
A = np.asarray(X, float)
M = A.T @ A
w, V = eigh(M)
for i in range(min(k, len(w))):
    v = V[:, -1 - i]
    M = M - w[-1 - i] * np.outer(v, v)
return np.trace(M) / A.shape[0]
""",
)

# ---- fit_linear_autoencoder ----
A(
    "fit_svd",
    "right singular vectors",
    fit="""
U, S, Vt = np.linalg.svd(X, full_matrices=True)
W1 = Vt[:k].T
W2 = W1.T
return W1, W2
""",
)
A(
    "fit_eigh",
    "eigenvectors of X^T X",
    fit="""
w, V = np.linalg.eigh(X.T @ X)
top = V[:, ::-1][:, :k]
return top, top.T.copy()
""",
)
A(
    "fit_eig_argsort",
    "eig with argsort",
    fit="""
vals, vecs = np.linalg.eig(X.T @ X / len(X))
idx = vals.real.argsort()[::-1][:k]
W = np.real(vecs[:, idx])
return W, np.linalg.pinv(W)
""",
)
A(
    "fit_scaled",
    "scaled weights: W1 / s, s * W2",
    fit="""
_, s, vt = np.linalg.svd(X)
c = 3.7
return vt[:k].T / c, vt[:k] * c
""",
)
A(
    "fit_mixed",
    "an invertible mixture of the directions",
    fit="""
V = np.linalg.svd(X)[2][:k].T
A = np.triu(np.ones((k, k))) + np.eye(k)
return V @ A, np.linalg.inv(A) @ V.T
""",
)
A(
    "fit_als",
    "alternating least squares",
    fit="""
g = np.random.default_rng(1)
W2 = g.standard_normal((k, X.shape[1]))
for _ in range(60):
    Z = X @ np.linalg.pinv(W2)
    W2 = np.linalg.lstsq(Z, X, rcond=None)[0]
W1 = np.linalg.pinv(W2)
return W1, W2
""",
)
A(
    "fit_subspace_iteration",
    "orthogonal iteration",
    fit="""
X = np.array(X, dtype=float)
C = X.T @ X
W = np.linalg.qr(np.random.RandomState(0).randn(X.shape[1], k))[0]
for it in range(300):
    W, _ = np.linalg.qr(C @ W)
return W, W.T
""",
)
A(
    "fit_gradient_descent",
    "gradient descent with momentum and a safe step, started at small weights",
    fit="""
rs = np.random.RandomState(3)
X = np.asarray(X, float)
s = np.linalg.norm(X, 2) / np.sqrt(len(X))
A = X / s
C = A.T @ A / len(A)
W1 = rs.randn(X.shape[1], k) * 0.3
W2 = W1.T.copy()
v1, v2 = np.zeros_like(W1), np.zeros_like(W2)
for _ in range(2500):
    G = 2 * (C @ W1 @ W2 - C)
    v1, v2 = 0.95 * v1 - 0.1 * G @ W2.T, 0.95 * v2 - 0.1 * W1.T @ G
    W1, W2 = W1 + v1, W2 + v2
return W1, W2
""",
    doubt="converges slowly where singular values are very unequal; the excess stays small against the data's size",
)
A(
    "fit_lbfgs",
    "scipy.optimize with the own gradient",
    fit="""
from scipy.optimize import minimize
D = X.shape[1]
scale = np.sqrt(np.mean(np.sum(np.asarray(X, float) ** 2, 1)))
Xs = X / scale
def f(w):
    W1, W2 = w[:D * k].reshape(D, k), w[D * k:].reshape(k, D)
    a, b = reconstruction_error_gradient(Xs, W1, W2)
    return reconstruction_error(Xs, W1, W2), np.concatenate([a.ravel(), b.ravel()])
w = minimize(f, np.random.default_rng(0).normal(size=2 * D * k) * 0.3, jac=True, method="L-BFGS-B",
             options=dict(maxiter=500, ftol=1e-13, gtol=1e-9)).x
return w[:D * k].reshape(D, k), w[D * k:].reshape(k, D)
""",
)
A(
    "fit_pca_augmented",
    "sklearn PCA of the data and its mirror image, so that the mean is zero",
    fit="""
from sklearn.decomposition import PCA
both = np.concatenate([X, -1 * X])
comp = PCA(n_components=k).fit(both).components_
return comp.T, comp
""",
)
A(
    "fit_truncated",
    "sklearn TruncatedSVD with arpack's full pair",
    fit="""
from sklearn.decomposition import TruncatedSVD
if k >= min(X.shape):
    V = np.linalg.svd(X)[2][:k].T
    return V, V.T
t = TruncatedSVD(n_components=k, algorithm="arpack", random_state=0).fit(np.asarray(X, dtype=float))
return t.components_.T, t.components_
""",
)
A(
    "fit_scipy_eigh_subset",
    "scipy.linalg.eigh with a subset",
    fit="""
from scipy.linalg import eigh
D = X.shape[1]
C = (X.T @ X).astype(float)
_, V = eigh(C, subset_by_index=[D - k, D - 1])
return V, V.T
""",
)
A(
    "fit_deflation",
    "power iteration with deflation",
    fit="""
C = X.T @ X * 1.0
vs = []
rng_ = np.random.default_rng(7)
for _ in range(k):
    v = rng_.normal(size=len(C))
    for _ in range(500):
        if vs:
            B = np.array(vs)
            v = v - B.T @ (B @ v)
        w = C @ v
        n = np.linalg.norm(w)
        if n < 1e-12:
            v = v / np.linalg.norm(v)
            break
        v = w / n
    vs.append(v)
    C = C - (v @ C @ v) * np.outer(v, v)
V = np.array(vs).T
return V, V.T
""",
)
A(
    "fit_list_return",
    "a list of two arrays",
    fit="""
V = np.linalg.svd(X)[2][:k].T
return [V, V.T]
""",
)
A(
    "fit_left_vectors",
    "X^T u / s from the left singular vectors of the pseudo-inverse",
    fit="""
u, s, vt = np.linalg.svd(np.linalg.pinv(X), full_matrices=True)
# singular values of the pseudo-inverse are 1/sigma: its largest belong to the smallest of X
rank = np.sum(s > 1e-10)
order = list(range(rank))[::-1] + list(range(rank, X.shape[1]))
W = u[:, order][:, :k]
return W, W.T
""",
)
A(
    "fit_pinv_data",
    "W2 from W1 by least squares, W1 from SVD",
    fit="""
vt = np.linalg.svd(X)[2]
W1 = vt.T[:, 0:k]
Z = X @ W1
W2 = np.linalg.pinv(Z) @ X
return W1, W2
""",
)
A(
    "problem2_uses_own_functions",
    "every function calls the others",
    rec="""
encoded = X @ W1
decoded = encoded @ W2
return decoded
""",
    err="""
difference = X - reconstruct(X, W1, W2)
return float((difference ** 2).sum(axis=1).mean())
""",
    ag="""
difference = reconstruct(X, W1, W2) - X
N = difference.shape[0]
return (2 / N) * X.T @ difference @ W2.T, (2 / N) * (X @ W1).T @ difference
""",
    mn="""
W1, W2 = fit_linear_autoencoder(X, k)
return reconstruction_error(X, W1, W2)
""",
    fit="""
eigenvalues, eigenvectors = np.linalg.eigh(np.asarray(X).T @ np.asarray(X))
order = np.flip(np.argsort(eigenvalues))
principal = eigenvectors[:, order[:k]]
return principal, principal.T
""",
)
