"""RIGHT: problem 1."""

from corpus.exercise_11.base import Cases

CASES = Cases()
A = CASES.add

# ---- low_dimensional_similarities ----
A(
    "q_two_loops",
    "two plain loops",
    q="""
N = len(Y)
Q = np.zeros((N, N))
for i in range(N):
    for j in range(N):
        if i == j:
            continue
        Q[i, j] = 1 / (1 + np.linalg.norm(Y[i] - Y[j]) ** 2)
return Q / np.sum(Q)
""",
    doubt="slow in the notebook's own run (minutes)",
)
A(
    "q_upper_loop_mirrored",
    "fills the upper triangle and mirrors it",
    q="""
n = Y.shape[0]
W = np.zeros((n, n), dtype=np.float64)
Z = 0.0
for a in range(n - 1):
    for b in range(a + 1, n):
        w = 1.0 / (1.0 + float(((Y[a] - Y[b]) ** 2).sum()))
        W[a, b] = W[b, a] = w
        Z += 2 * w
return W / Z
""",
    doubt="slow in the notebook's own run (minutes)",
)
A(
    "q_gram",
    "binomial formula with a Gram matrix and clipping",
    q="""
Y = np.array(Y, dtype=float)
sq = (Y * Y).sum(1)
D2 = np.maximum(sq[:, None] + sq[None] - 2 * Y @ Y.T, 0)
inv = 1 / (1 + D2)
inv[np.diag_indices_from(inv)] = 0
return inv / inv.sum()
""",
)
A(
    "q_cdist",
    "scipy's cdist, an extra import cell",
    extra=["from scipy.spatial.distance import cdist"],
    q="""
# squared euclidean distances
d = 1 + cdist(Y, Y, metric="sqeuclidean")
q = d ** -1
np.fill_diagonal(q, 0)
q /= q.sum()
return q
""",
)
A(
    "q_pdist_squareform",
    "pdist and squareform leave a zero diagonal by themselves",
    q="""
from scipy.spatial.distance import pdist, squareform
w = (1.0 + pdist(Y) ** 2) ** -1
return squareform(w) / (2 * w.sum())
""",
)
A(
    "q_sub_outer_per_dim",
    "loops over the dimensions with np.subtract.outer",
    q="""
total = np.ones((len(Y), len(Y)))
for column in np.asarray(Y).T:
    total += np.subtract.outer(column, column) ** 2
kernel = np.reciprocal(total)
kernel -= np.eye(len(Y))        # d_ii = 1
return kernel / kernel.sum()
""",
)
A(
    "q_list_comprehension",
    "nested list comprehension",
    q="""
num = [[0.0 if i == j else 1.0 / (1.0 + sum((a - b) ** 2 for a, b in zip(yi, yj)))
        for j, yj in enumerate(Y)] for i, yi in enumerate(Y)]
num = np.array(num)
return num / num.sum()
""",
    doubt="slow in the notebook's own run (minutes)",
)
A(
    "q_mask_where",
    "off-diagonal mask and np.where",
    q="""
Y = np.asarray(Y)
off = ~np.eye(Y.shape[0], dtype=bool)
dist = np.linalg.norm(Y[:, np.newaxis] - Y[np.newaxis, :], axis=2)
inv_d = np.where(off, 1 / (1 + np.square(dist)), 0.)
Z = np.sum(inv_d[off])
return inv_d / Z
""",
)
A(
    "q_normaliser_minus_N",
    "takes the N ones of the diagonal out of the normaliser",
    q="""
D = 1 + np.einsum('ijk,ijk->ij', Y[:, None] - Y[None], Y[:, None] - Y[None])
Z = (1 / D).sum() - len(Y)
Q = 1 / D / Z
for i in range(len(Q)):
    Q[i, i] = 0
return Q
""",
)
A(
    "q_helper_cell",
    "a helper in a cell of its own",
    extra=[
        '''
def pairwise_sq_dists(A):
    """all squared distances"""
    return np.sum(np.square(A[:, None, :] - A[None, :, :]), axis=2)
''',
        """
def student_t(A):
    K = 1. / (1. + pairwise_sq_dists(A))
    K[range(len(A)), range(len(A))] = 0.
    return K
""",
    ],
    q="K = student_t(np.asarray(Y, float)); return K / K.sum()",
)
A(
    "q_class",
    "a class with a call method",
    q="""
class _Kernel:
    def __init__(self, points):
        self.points = np.asarray(points, dtype=float)
        self.n = self.points.shape[0]

    def d(self):
        delta = self.points[:, None] - self.points
        return 1 + (delta ** 2).sum(axis=-1)

    def __call__(self):
        k = 1 / self.d()
        k.flat[:: self.n + 1] = 0
        return k / k.sum()


def low_dimensional_similarities(Y):
    return _Kernel(Y)()
""",
)
A(
    "q_infinite_diagonal",
    "an infinite distance on the diagonal becomes a zero",
    q="""
d = 1.0 + ((Y[:, None] - Y[None]) ** 2).sum(2)
np.fill_diagonal(d, np.inf)
return (1 / d) / np.sum(1 / d)
""",
)
A(
    "q_complex",
    "points of the plane or any dimension by tile and repeat",
    q="""
N, d = Y.shape
a = np.repeat(Y, N, axis=0)
b = np.tile(Y, (N, 1))
q = (1.0 / (1.0 + np.sum((a - b) ** 2, axis=1))).reshape(N, N)
q = q * (1 - np.eye(N))
return np.divide(q, q.sum())
""",
)
A(
    "q_lambda",
    "the function is a lambda with an assignment expression",
    q="""
low_dimensional_similarities = lambda Y: (K := (1 - np.eye(len(Y))) / (1 + ((np.asarray(Y)[:, None] - np.asarray(Y)) ** 2).sum(-1))) / K.sum()
""",
)
A(
    "q_type_hints_prints",
    "type hints, docstring, debugging prints and an assert",
    q='''
def low_dimensional_similarities(Y: np.ndarray) -> np.ndarray:
    """Student-t kernel.

    Parameters
    ----------
    Y : array of shape (N, d)
    """
    N = Y.shape[0]
    print("Y", Y.shape)
    diff: np.ndarray = Y.reshape(N, 1, -1) - Y.reshape(1, N, -1)
    d: np.ndarray = 1 + np.linalg.norm(diff, axis=-1) ** 2
    inv: np.ndarray = np.power(d, -1)
    inv = inv - np.diag(np.diag(inv))
    Q: np.ndarray = inv / inv.sum()
    assert abs(Q.sum() - 1) < 1e-8, Q.sum()
    return Q
''',
)
A(
    "q_float32",
    "computes in single precision",
    q="""
Y32 = np.asarray(Y, dtype=np.float32)
w = 1 / (1 + ((Y32[:, None] - Y32[None]) ** 2).sum(-1))
np.fill_diagonal(w, 0)
return w / w.sum()
""",
)
A(
    "q_distance_matrix_tril",
    "scipy.spatial.distance_matrix, tril plus its transpose",
    q="""
from scipy.spatial import distance_matrix
low = np.tril(1 / (1 + distance_matrix(Y, Y) ** 2), k=-1)
both = low + low.T
return both / both.sum()
""",
)
A(
    "q_sklearn_euclidean",
    "sklearn's euclidean_distances is only a distance",
    q="""
from sklearn.metrics import euclidean_distances
inv = 1 / (1 + euclidean_distances(Y, Y, squared=True))
inv[np.eye(len(Y)) == 1] = 0
return inv / np.sum(inv)
""",
    doubt="BLAS rounding of euclidean_distances ~1e-8 relative for coinciding points only",
)
A(
    "q_row_vectorised",
    "one loop over the rows, np.delete-free",
    q="""
rows = []
for s, y in enumerate(Y):
    r = 1 / (1 + ((Y - y) ** 2).sum(axis=1))
    r[s] = 0
    rows.append(r)
Q = np.vstack(rows)
Q = Q / Q.sum(axis=None)
return Q
""",
)

# ---- kl_divergence ----
A(
    "kl_loop",
    "two loops, skips zeros",
    kl="""
Q = low_dimensional_similarities(Y)
C = 0
for i in range(P.shape[0]):
    for j in range(P.shape[1]):
        if i != j and P[i, j] > 0:
            C += P[i, j] * np.log(P[i, j] / Q[i, j])
return C
""",
)
A(
    "kl_xlogy",
    "scipy.special.xlogy",
    kl="""
from scipy.special import xlogy
Q = low_dimensional_similarities(Y)
off = ~np.eye(len(Q), dtype=bool)
return float((xlogy(P[off], P[off]) - xlogy(P[off], Q[off])).sum())
""",
)
A(
    "kl_rel_entr",
    "scipy.special.rel_entr on the off-diagonal entries",
    kl="""
from scipy import special
Q = low_dimensional_similarities(Y)
iu = np.where(~np.eye(P.shape[0], dtype=bool))
return special.rel_entr(np.asarray(P, float)[iu], Q[iu]).sum()
""",
)
A(
    "kl_entropy_minus_cross",
    "cross entropy minus entropy",
    kl="""
Q = low_dimensional_similarities(Y)
p, q = P[P > 0], Q[P > 0]
entropy = -(p * np.log(p)).sum()
cross = -(p * np.log(q)).sum()
return cross - entropy
""",
)
A(
    "kl_where_argument",
    "np.log with where and out",
    kl="""
Q = low_dimensional_similarities(Y)
m = (P > 0) & (Q > 0)
ratio = np.divide(P, Q, out=np.ones(P.shape), where=m)
return np.sum(P * np.log(ratio))
""",
)
A(
    "kl_diag_one",
    "puts ones on both diagonals so that the logarithm is zero",
    kl="""
Q = low_dimensional_similarities(Y) + np.eye(len(P))
P = np.where(P == 0, 1e-300, P)      # 0 log 0
np.fill_diagonal(P, 1)
return float(np.einsum("ij,ij->", P, np.log(P) - np.log(Q)))
""",
)
A(
    "kl_nan_to_num",
    "lets NaN appear and turns it into zero",
    kl="""
Q = low_dimensional_similarities(Y)
with np.errstate(divide='ignore', invalid='ignore'):
    terms = P * np.log(P / Q)
terms[np.isnan(terms)] = 0
return terms.sum()
""",
)
A(
    "kl_math_fsum",
    "math.fsum over a generator",
    extra=["import math"],
    kl="""
Q = low_dimensional_similarities(Y)
return math.fsum(p * math.log(p / q) for p, q in zip(P.ravel(), Q.ravel()) if p > 0 and q > 0)
""",
)
A(
    "kl_tiny_eps_everywhere",
    "a tiny constant in both logarithms",
    kl="""
EPS = 1e-15
Q = low_dimensional_similarities(Y)
val = np.sum(P * (np.log(P + EPS) - np.log(Q + EPS)))
return float(val)
""",
)
A(
    "kl_maximum_eps",
    "np.maximum with a tiny number",
    kl="""
Q = np.maximum(low_dimensional_similarities(Y), 1e-12)
return np.sum(P * np.log(np.maximum(P, 1e-12) / Q))
""",
)
A(
    "kl_own_q",
    "computes q_ij again instead of calling the other function",
    kl="""
D = 1 + ((Y[:, None] - Y[None]) ** 2).sum(-1)
Z = (1 / D).sum() - len(Y)
# log q = -log d - log Z
logq = -np.log(D) - np.log(Z)
sel = P > 0
return (P[sel] * (np.log(P[sel]) - logq[sel])).sum()
""",
)
A(
    "kl_flatten_compress",
    "flat arrays and np.compress",
    kl="""
p = np.asarray(P).flatten()
q = low_dimensional_similarities(Y).flatten()
ok = p != 0
p, q = np.compress(ok, p), np.compress(ok, q)
return np.dot(p, np.log(p) - np.log(q)).item()
""",
)
A(
    "kl_scipy_entropy",
    "scipy.stats.entropy; the P of t-SNE sums to one",
    kl="""
from scipy.stats import entropy
Q = low_dimensional_similarities(Y)
mask = ~np.eye(len(P), dtype=bool)
return entropy(P[mask], Q[mask])
""",
    doubt="scipy's entropy normalises both arguments: right for every P that sums to one, wrong for 4 * P",
)
A(
    "kl_minus_q_over_p",
    "minus log(q/p)",
    kl="""
Q = low_dimensional_similarities(Y)
i, j = np.nonzero(P)
return -np.sum(P[i, j] * np.log(Q[i, j] / P[i, j]))
""",
)
A(
    "kl_recursive",
    "recursion over the rows",
    kl="""
Q = low_dimensional_similarities(Y)
def rest(n):
    if n == len(P):
        return 0.0
    keep = P[n] > 0
    return float(P[n][keep] @ np.log(P[n][keep] / Q[n][keep])) + rest(n + 1)
return rest(0)
""",
)
A(
    "kl_zero_d_array",
    "returns a 0-d array",
    kl="""
Q = low_dimensional_similarities(Y)
known = np.logical_and(P > 0, Q > 0)
result = np.zeros(())
result += (P[known] * np.log(P[known] / Q[known])).sum()
return result
""",
)
A(
    "kl_pandas_free_accumulate",
    "numpy masked arrays",
    kl="""
Q = np.ma.masked_equal(low_dimensional_similarities(Y), 0)
p = np.ma.masked_less_equal(np.asarray(P, dtype=float), 0)
return float((p * (np.ma.log(p) - np.ma.log(Q))).sum())
""",
)

# ---- tsne_gradient ----
A(
    "g_loop_s",
    "one loop over the points",
    g="""
Q = low_dimensional_similarities(Y)
grad = np.zeros(Y.shape)
for s in range(len(Y)):
    diff = Y[s] - Y
    d = 1 + np.sum(diff ** 2, axis=1)
    grad[s] = 4 * np.sum(((P[s] - Q[s]) / d)[:, None] * diff, axis=0)
return grad
""",
)
A(
    "g_two_loops",
    "two loops",
    g="""
N, dim = Y.shape
Q = low_dimensional_similarities(Y)
G = np.zeros((N, dim))
for s in range(N):
    for j in range(N):
        dif = Y[s] - Y[j]
        G[s] += 4 * dif * (P[s, j] - Q[s, j]) / (1 + dif @ dif)
return G
""",
    doubt="slow: the notebook's own run of 350 points takes longer than a minute",
)
A(
    "g_three_loops",
    "three loops, inner one over the dimensions",
    g="""
Q = low_dimensional_similarities(Y)
out = []
for s in range(Y.shape[0]):
    row = []
    for c in range(Y.shape[1]):
        acc = 0.0
        for j in range(Y.shape[0]):
            dsj = 1.0
            for e in range(Y.shape[1]):
                dsj += (Y[s, e] - Y[j, e]) ** 2
            acc += (Y[s, c] - Y[j, c]) * (P[s, j] - Q[s, j]) / dsj
        row.append(4.0 * acc)
    out.append(row)
return np.array(out)
""",
    doubt="slow in the notebook's own run",
)
A(
    "g_laplacian",
    "graph Laplacian form 4 (diag(W1) - W) Y",
    g="""
D = 1 + ((Y[:, None] - Y[None, :]) ** 2).sum(-1)
W = (P - low_dimensional_similarities(Y)) / D
L = np.diag(W.sum(axis=1)) - W
return 4 * L @ Y
""",
)
A(
    "g_laplacian_sum",
    "row sums times Y minus W Y",
    g="""
Y = np.asarray(Y, dtype=float)
sq = np.sum(Y ** 2, 1)
inv = 1 / (1 + np.maximum(sq[:, None] + sq - 2 * Y.dot(Y.T), 0))
F = np.multiply(P - low_dimensional_similarities(Y), inv)
return 4 * (F.sum(1).reshape(-1, 1) * Y - F.dot(Y))
""",
)
A(
    "g_matmul_batched",
    "batched matmul of (N, 1, N) with (N, N, d)",
    g="""
delta = np.subtract(Y[:, np.newaxis], Y[np.newaxis])
w = (P - low_dimensional_similarities(Y)) * (1.0 + np.square(delta).sum(axis=2)) ** -1
return 4 * np.matmul(w[:, None, :], delta)[:, 0, :]
""",
)
A(
    "g_attraction_repulsion",
    "attractive minus repulsive forces, with Z",
    g="""
diff = Y[:, None] - Y[None]
inv = 1 / (1 + (diff ** 2).sum(-1))
np.fill_diagonal(inv, 0)
Z = inv.sum()
attractive = np.einsum('ij,ijk->ik', P * inv, diff)
repulsive = np.einsum('ij,ijk->ik', inv ** 2, diff) / Z
return 4 * (attractive - repulsive)
""",
)
A(
    "g_minus_minus",
    "signs twice turned: (y_j - y_s)(q - p)",
    g="""
Q = low_dimensional_similarities(Y)
diff = Y[None, :, :] - Y[:, None, :]       # [s, j] = y_j - y_s
d = 1 + np.linalg.norm(diff, axis=2) ** 2
return 4 * np.sum((Q - P)[:, :, None] * diff / d[:, :, None], axis=1)
""",
)
A(
    "g_axis0",
    "the other axis: uses the symmetry of P and Q",
    g="""
Q = low_dimensional_similarities(Y)
diff = Y[None, :, :] - Y[:, None, :]       # [j, s] = y_s - y_j
pq = (P - Q) / (1 + (diff ** 2).sum(2))
return 4 * (pq[:, :, None] * diff).sum(axis=0)
""",
    doubt="P taken as symmetric; for an asymmetric P it is the transposed sum",
)
A(
    "g_symmetrised_two",
    "2 (W + W^T), right for asymmetric P as well",
    g="""
Y = np.array(Y, float)
diff = Y[:, None] - Y
inv = 1. / (1. + (diff * diff).sum(-1))
w = (P - low_dimensional_similarities(Y)) * inv
w = w + w.T
return 2 * (w[:, :, None] * diff).sum(1)
""",
    doubt="differs from the printed formula for an asymmetric P, where it is the true derivative",
)
A(
    "g_chain_rule_dd",
    "chain rule through dC/dd, factor 2 twice",
    extra=[
        '''
def dC_dd(P, Y):
    """inner derivative (p - q) / d"""
    d = 1 + ((Y[:, None] - Y[None]) ** 2).sum(-1)
    return (P - low_dimensional_similarities(Y)) / d
'''
    ],
    g="""
dd_dy = 2 * (Y[:, None] - Y[None])
return 2 * np.einsum("sj,sjk->sk", dC_dd(P, Y), dd_dy)
""",
)
A(
    "g_global_four",
    "the constant in a global",
    extra=["FOUR = 4.0\nONE = 1.0"],
    g="""
diff = Y[:, None] - Y[None]
w = (P - low_dimensional_similarities(Y)) / (ONE + (diff ** 2).sum(-1))
return FOUR * (w[..., None] * diff).sum(1)
""",
)
A(
    "g_tensordot_per_dim",
    "one dimension at a time",
    g="""
Q = low_dimensional_similarities(Y)
cols = []
D = np.ones(P.shape)
for c in range(Y.shape[1]):
    D = D + (Y[:, [c]] - Y[:, c]) ** 2
for c in range(Y.shape[1]):
    cols.append(4 * (((P - Q) / D) * (Y[:, [c]] - Y[:, c])).sum(1))
return np.column_stack(cols)
""",
)
A(
    "g_generator_fromiter",
    "np.stack of a generator's rows",
    g="""
Q = low_dimensional_similarities(Y)
def rows():
    for ys, ps, qs in zip(Y, P, Q):
        v = ys - Y
        yield 4 * ((ps - qs) / (1 + (v ** 2).sum(1))) @ v
return np.stack(list(rows()))
""",
)
A(
    "g_inplace",
    "in-place work on own arrays only",
    g="""
out = np.empty(np.shape(Y), dtype=float)
W = np.array(P, dtype=float)
W -= low_dimensional_similarities(Y)
from scipy.spatial.distance import cdist
W /= 1 + cdist(Y, Y, 'sqeuclidean')
np.matmul(W, Y, out=out)
out *= -1
out += W.sum(1)[:, None] * Y
out *= 4
return out
""",
)
A(
    "g_matrix",
    "np.matrix algebra, returned as an array",
    g="""
Y = np.asmatrix(np.asarray(Y, dtype=float))
Q = low_dimensional_similarities(np.asarray(Y))
G = Y * Y.T
g = np.diag(G)
D = 1 + g[:, None] + g[None, :] - 2 * np.asarray(G)
W = np.matrix((P - Q) / D)
return np.asarray(4 * (np.diag(W.sum(1).A1) * Y - W * Y))
""",
)
A(
    "g_float32",
    "single precision",
    g="""
y = Y.astype(np.float32)
diff = y[:, None] - y[None]
w = ((P - low_dimensional_similarities(Y)) / (1 + (diff ** 2).sum(-1))).astype('f4')
return np.float32(4) * np.einsum('ij,ijk->ik', w, diff)
""",
)
A(
    "g_sparse_p",
    "attraction with a sparse P",
    g="""
S = sp.csr_matrix(P)
N, d = Y.shape
Y = Y * 1.0
r, c = S.nonzero()
out = np.zeros((N, d))
diff = Y[r] - Y[c]
np.add.at(out, r, (np.asarray(S[r, c]).ravel() / (1 + (diff ** 2).sum(1)))[:, None] * diff)
full = Y[:, None] - Y[None]
k = 1 / (1 + (full ** 2).sum(-1))
out -= np.einsum('ij,ijd->id', low_dimensional_similarities(Y) * k, full)
return 4 * out
""",
    doubt="ten seconds or more in the notebook's own run",
)
A(
    "g_q_inline",
    "Q computed inside, nothing shared",
    g="""
N = Y.shape[0]
num = 1 / (1 + ((Y.reshape(N, 1, -1) - Y.reshape(1, N, -1)) ** 2).sum(axis=2))
num[np.arange(N), np.arange(N)] = 0.
Q = num / np.sum(num)
PQ = (P - Q) * num
grad = np.zeros_like(Y, dtype=float)
for i in range(N):
    grad[i, :] = 4 * np.sum(np.tile(PQ[:, i], (Y.shape[1], 1)).T * (Y[i, :] - Y), 0)
return grad
""",
    doubt="van der Maaten's style takes column i of P: P symmetric",
)
A(
    "g_returns_list",
    "nested list instead of an array",
    g="""
diff = Y[:, None] - Y[None]
w = (P - low_dimensional_similarities(Y)) / (1 + (diff ** 2).sum(-1))
return (4 * (w[:, :, None] * diff).sum(1)).tolist()
""",
    fair={"g": [5, 6]},
    doubt="form only; embed cannot subtract a list times a number, so 0 to 1 points off",
)
A(
    "g_closed_over_class",
    "a class that caches the differences",
    g="""
class TsneGradient(object):
    factor = 2 ** 2

    def __init__(self, P, Y):
        self.P, self.Y = P, Y

    @property
    def differences(self):
        return self.Y[:, None] - self.Y[None, :]

    @property
    def d(self):
        return 1 + (self.differences ** 2).sum(2)

    def compute(self):
        Q = low_dimensional_similarities(self.Y)
        return self.factor * np.einsum('sjd,sj,sj->sd', self.differences, self.P - Q, 1 / self.d)


def tsne_gradient(P, Y):
    t = TsneGradient(P, Y)
    return t.compute()
""",
)
A(
    "g_complex_step",
    "complex step through an own cost, O(N^3)",
    g="""
N, d = Y.shape
off = ~np.eye(N, dtype=bool)
def cost(y):
    k = 1 / (1 + ((y[:, None] - y[None]) ** 2).sum(-1))
    Z = k[off].sum()
    return -(P[off] * np.log(k[off] / Z)).sum()
g = np.zeros((N, d))
for s in range(N):
    for c in range(d):
        y = np.array(Y, dtype=complex)
        y[s, c] += 1e-30j
        g[s, c] = cost(y).imag / 1e-30
return g
""",
    doubt="numerical, not the derived formula, though exact; the rubric forbids only libraries; slow in the notebook's own run",
)
A(
    "problem1_helper_module",
    "all three functions share a helper",
    extra=[
        """
def _parts(Y):
    Y = np.asarray(Y, dtype=float)
    diff = Y[:, None, :] - Y[None, :, :]
    inv = 1.0 / (1.0 + (diff ** 2).sum(-1))
    q = inv.copy()
    np.fill_diagonal(q, 0)
    return diff, inv, q / q.sum()
"""
    ],
    q="return _parts(Y)[2]",
    kl="""
q = _parts(Y)[2]
m = P > 0
return (P[m] * np.log(P[m] / q[m])).sum()
""",
    g="""
diff, inv, q = _parts(Y)
return 4 * np.einsum('sj,sjd->sd', (P - q) * inv, diff)
""",
)
A(
    "problem1_unused_code",
    "left-over comments, commented tries, unused variables",
    q="""
# first try
# Q = np.zeros((len(Y), len(Y)))
# for i ...: for j ...:
n_points, n_dims = Y.shape
unused = np.random.randn(3)
tmp = Y[:, None] - Y
d_ij = 1 + (tmp ** 2).sum(-1)
zaehler = 1 / d_ij - np.identity(n_points)
nenner = zaehler.sum()
# print(zaehler, nenner)
return zaehler / nenner
""",
    kl="""
q = low_dimensional_similarities(Y)
summe = 0.
for zeile_p, zeile_q in zip(P, q):
    for p_, q_ in zip(zeile_p, zeile_q):
        if p_ == 0: continue
        summe = summe + p_ * (np.log(p_) - np.log(q_))
return summe
""",
)
A(
    "problem1_redefined_later",
    "a wrong first version that the cell itself overwrites",
    kl='''
def kl_divergence(P, Y):
    return 0   # TODO


def kl_divergence(P, Y):
    """final version"""
    Q = low_dimensional_similarities(Y)
    nz = (P > 0)
    return (P[nz] * np.log(P[nz] / Q[nz])).sum()
''',
)
