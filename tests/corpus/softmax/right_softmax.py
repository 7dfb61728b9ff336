"""RIGHT: softmax regression."""

from corpus.cases import edit
from corpus.softmax.base import CLASS, Cases

CASES = Cases()
A = CASES.add
A(
    "loops",
    "plain loops everywhere",
    softmax="""
out = np.zeros(np.shape(Z))
for n, row in enumerate(Z):
    m = max(row)
    e = [np.exp(v - m) for v in row]
    out[n] = np.array(e) / sum(e)
return out
""",
    loss="""
P = self.predict_proba(X)
total = 0
for n in range(len(X)):
    total -= np.log(P[n, y[n]])
return total / len(X) + self.l2 / 2 * (self.W ** 2).sum()
""",
    gradient="""
P = self.predict_proba(X)
dW = np.zeros(self.W.shape)
db = np.zeros(self.b.shape)
for n in range(len(X)):
    for c in range(len(db)):
        delta = P[n, c] - (1 if y[n] == c else 0)
        dW[:, c] += delta * X[n] / len(X)
        db[c] += delta / len(X)
return dW + self.l2 * self.W, db
""",
)
A(
    "scipy_softmax",
    "scipy.special.softmax",
    softmax="""
from scipy.special import softmax as _sm

def softmax(Z):
    return _sm(np.asarray(Z, dtype=float), axis=1)
""",
    doubt="'NumPy only' in the text; scipy's softmax instead",
)
A(
    "one_hot",
    "one-hot matrix",
    loss="""
T = np.eye(len(self.b))[y]
return -np.sum(T * np.log(self.predict_proba(X) + 1e-300)) / len(X) + self.l2 / 2 * np.sum(np.square(self.W))
""",
    gradient="""
T = np.eye(len(self.b))[y]
E = (self.predict_proba(X) - T) / X.shape[0]
return np.dot(X.T, E) + self.l2 * self.W, np.sum(E, axis=0)
""",
)
A(
    "logsumexp",
    "loss by log-sum-exp",
    loss="""
Z = X @ self.W + self.b
m = Z.max(axis=1)
lse = m + np.log(np.exp(Z - m[:, None]).sum(axis=1))
return np.mean(lse - Z[np.arange(len(y)), y]) + 0.5 * self.l2 * np.linalg.norm(self.W) ** 2
""",
)
A(
    "helper_methods",
    "helper methods and properties",
    cls=edit(
        CLASS,
        (
            """        return softmax(X @ self.W + self.b)
""",
            """        return softmax(self._logits(X))

    def _logits(self, X):
        return np.asarray(X) @ self.W + self.b

    @property
    def n_classes(self):
        return self.b.shape[0]

    @staticmethod
    def _targets(y, C):
        T = np.zeros((len(y), C))
        T[np.arange(len(y)), y] = 1
        return T
""",
        ),
        (
            """        p[np.arange(len(y)), y] -= 1.0
""",
            """        p = p - self._targets(y, self.n_classes)
""",
        ),
    ),
)
A(
    "in_place_update",
    "updates W and b in place",
    fit="""
for step in range(steps):
    self.losses.append(self.loss(X, y))
    grad_W, grad_b = self.gradient(X, y)
    self.W -= lr * grad_W
    self.b -= lr * grad_b
return self
""",
)
A("predict_by_logits", "argmax of the logits", predict="return (X @ self.W + self.b).argmax(axis=-1)")
A(
    "clipped_log",
    "probabilities clipped at 1e-12",
    loss="""
P = np.clip(self.predict_proba(X), 1e-12, None)
nll = -np.log(P[range(len(y)), y]).mean()
reg = self.l2 * (self.W ** 2).sum() / 2
return nll + reg
""",
)
A(
    "bias_trick",
    "augmented matrix inside",
    gradient="""
Xa = np.column_stack([X, np.ones(len(X))])
Wa = np.vstack([self.W, self.b])
P = softmax(Xa @ Wa)
P[np.arange(len(y)), y] -= 1
G = Xa.T @ P / len(X)
return G[:-1] + self.l2 * self.W, G[-1]
""",
    predict_proba="""
return softmax(np.c_[X, np.ones(len(X))] @ np.r_[self.W, self.b[None]])
""",
)
A(
    "softmax_by_log",
    "exp of z minus log-sum-exp",
    softmax="""
Z = np.asarray(Z) * 1.0
m = np.max(Z, 1)[:, None]
return np.exp(Z - m - np.log(np.exp(Z - m).sum(1))[:, None])
""",
)
A(
    "softmax_transposed",
    "works on the transpose",
    softmax="""
A = np.array(Z, dtype=float).T
A = np.exp(A - A.max(axis=0))
return (A / A.sum(axis=0)).T
""",
)
A(
    "einsum_gradient",
    "einsum and add.at",
    gradient="""
R = self.predict_proba(X)
np.subtract.at(R, (np.arange(len(y)), y), 1)
dW = np.einsum("nd,nc->dc", X, R) / len(X) + self.l2 * self.W
db = np.einsum("nc->c", R) / len(X)
return [dW, db]
""",
    doubt="a list in place of a tuple",
)
A(
    "subclass",
    "a base class and a subclass, type hints, prints",
    cls=edit(CLASS, ("class SoftmaxRegression:", "class _Base:"))
    + '''


class SoftmaxRegression(_Base):
    """the same under the name asked for"""

    def predict(self, X: np.ndarray) -> np.ndarray:
        P = self.predict_proba(X)
        best = []
        for row in P:
            best.append(int(np.argmax(row)))
        return np.array(best)

    def fit(self, X: np.ndarray, y: np.ndarray, lr: float = 0.5, steps: int = 200) -> "SoftmaxRegression":
        print("fit", X.shape)
        super().fit(X, y, lr, steps)
        return self
''',
)
A(
    "while_and_early_return",
    "while loop, gradient through a local function",
    fit="""
def step():
    gW, gb = self.gradient(X, y)
    return self.W - lr * gW, self.b - lr * gb

done = 0
while True:
    if done == steps:
        return self
    self.losses += [self.loss(X, y)]
    self.W, self.b = step()
    done += 1
""",
)
A(
    "split_cells",
    "a helper in a cell before",
    extra=[
        '''
def cross_entropy(P, y):
    """mean negative log likelihood"""
    return -np.log(np.take_along_axis(P, np.asarray(y)[:, None], axis=1)).mean()
'''
    ],
    loss="return cross_entropy(self.predict_proba(X), y) + self.l2 * 0.5 * np.vdot(self.W, self.W)",
)
A(
    "float32",
    "single precision",
    predict_proba="return softmax((X.astype(np.float32) @ self.W.astype(np.float32) + self.b.astype(np.float32)))",
    doubt="float32: right to about 1e-6",
)
