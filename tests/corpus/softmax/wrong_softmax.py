"""WRONG: softmax regression."""

from corpus.softmax.base import Cases

CASES = Cases()
A = CASES.add
A(
    "softmax_overflow",
    "no maximum subtracted: NaN for 1000",
    fair={"softmax": [1, 1.6]},
    names=["overflow", "maximum", "nan", "stable", "large"],
    softmax="E = np.exp(Z)\nreturn E / E.sum(axis=1, keepdims=True)",
)
A(
    "softmax_global_max",
    "the maximum of all entries: rows far below become 0/0",
    fair={"softmax": [1, 1.75]},
    names=["row", "maximum", "underflow", "axis", "nan"],
    softmax="E = np.exp(Z - np.max(Z))\nreturn E / E.sum(axis=1, keepdims=True)",
)
A(
    "softmax_axis_0",
    "normalised over the points",
    fair={"softmax": [0, 1]},
    names=["axis", "row", "column"],
    softmax="E = np.exp(Z - Z.max(axis=1, keepdims=True))\nreturn E / E.sum(axis=0)",
)
A(
    "softmax_all",
    "normalised over all entries",
    fair={"softmax": [0, 1]},
    names=["axis", "row", "all"],
    softmax="E = np.exp(Z - Z.max())\nreturn E / E.sum()",
)
A(
    "softmax_sigmoid",
    "sigmoid in place of softmax",
    fair={"softmax": [0, 0.75]},
    names=["sigmoid", "sum", "normalis"],
    softmax="return 1 / (1 + np.exp(-Z))",
)
A(
    "softmax_in_place",
    "changes the caller's Z",
    fair={"softmax": [1, 1.9]},
    names=["in place", "input", "changed", "copy"],
    softmax="Z -= Z.max(axis=1, keepdims=True)\nE = np.exp(Z)\nreturn E / E.sum(axis=1, keepdims=True)",
)
A(
    "proba_no_bias",
    "b is forgotten",
    fair={"predict_proba": [0.5, 1]},
    names=["bias", "b"],
    predict_proba="return softmax(X @ self.W)",
)
A(
    "proba_logits",
    "returns the logits",
    fair={"predict_proba": [0.25, 1]},
    names=["softmax", "logits"],
    predict_proba="return X @ self.W + self.b",
)
A(
    "proba_bias_minus",
    "minus b",
    fair={"predict_proba": [0.5, 1.1]},
    names=["bias", "sign", "minus"],
    predict_proba="return softmax(X @ self.W - self.b)",
)
A(
    "predict_axis",
    "argmax over the points",
    fair={"predict": [0.2, 0.6]},
    names=["axis", "argmax"],
    predict="return np.argmax(self.predict_proba(X), axis=0)",
)
A(
    "predict_column",
    "shape (N, 1)",
    fair={"predict": [0.5, 0.9]},
    names=["shape", "keepdims"],
    predict="return np.argmax(self.predict_proba(X), axis=1, keepdims=True)",
)
A(
    "predict_argmin",
    "the least probable class",
    fair={"predict": [0, 0.5]},
    names=["argmin", "largest", "most"],
    predict="return np.argmin(self.predict_proba(X), axis=1)",
)
A(
    "predict_threshold",
    "0.5 threshold for two classes only",
    fair={"predict": [0, 0.5]},
    names=["threshold", "two classes", "argmax"],
    predict="return (self.predict_proba(X)[:, -1] > 0.5).astype(int)",
)
A(
    "loss_sum",
    "sum in place of the mean",
    fair={"loss": [1, 2]},
    names=["mean", "sum", "N"],
    loss="""
p = self.predict_proba(X)
return float(-np.sum(np.log(p[np.arange(len(y)), y])) + 0.5 * self.l2 * np.sum(self.W**2))
""",
)
A(
    "loss_no_l2",
    "no regularisation",
    fair={"loss": [1.25, 2]},
    names=["l2", "regular"],
    loss="""
p = self.predict_proba(X)
return float(-np.mean(np.log(p[np.arange(len(y)), y])))
""",
)
A(
    "loss_l2_whole",
    "l2 without the half",
    fair={"loss": [1.5, 2.25]},
    names=["half", "l2", "factor"],
    loss="""
p = self.predict_proba(X)
return float(-np.mean(np.log(p[np.arange(len(y)), y])) + self.l2 * np.sum(self.W**2))
""",
)
A(
    "loss_bias_regularised",
    "the bias is regularised too",
    fair={"loss": [1.5, 2.3]},
    names=["bias", "b", "regular"],
    loss="""
p = self.predict_proba(X)
return float(-np.mean(np.log(p[np.arange(len(y)), y])) + 0.5 * self.l2 * (np.sum(self.W**2) + np.sum(self.b**2)))
""",
)
A(
    "loss_all_columns",
    "p[:, y]: an (N, N) matrix, its mean",
    fair={"loss": [0.5, 1.75]},
    names=["index", "arange", "p[:, y]"],
    loss="""
p = self.predict_proba(X)
return float(-np.mean(np.log(p[:, y])) + 0.5 * self.l2 * np.sum(self.W**2))
""",
)
A(
    "loss_sign",
    "no minus",
    fair={"loss": [1, 2]},
    names=["sign", "minus"],
    loss="""
p = self.predict_proba(X)
return float(np.mean(np.log(p[np.arange(len(y)), y])) + 0.5 * self.l2 * np.sum(self.W**2))
""",
)
A(
    "gradient_sign",
    "t - p",
    fair={"gradient": [1, 2.25]},
    names=["sign", "minus"],
    gradient="""
p = -self.predict_proba(X)
p[np.arange(len(y)), y] += 1.0
p /= len(y)
return X.T @ p + self.l2 * self.W, p.sum(axis=0)
""",
)
A(
    "gradient_no_N",
    "1/N is missing",
    fair={"gradient": [1, 2.25]},
    names=["N", "mean", "factor"],
    gradient="""
p = self.predict_proba(X)
p[np.arange(len(y)), y] -= 1.0
return X.T @ p + self.l2 * self.W, p.sum(axis=0)
""",
)
A(
    "gradient_no_l2",
    "no share of l2",
    fair={"gradient": [2, 2.6]},
    names=["l2", "regular"],
    gradient="""
p = self.predict_proba(X)
p[np.arange(len(y)), y] -= 1.0
p /= len(y)
return X.T @ p, p.sum(axis=0)
""",
)
A(
    "gradient_l2_twice",
    "2 l2 W",
    fair={"gradient": [2, 2.7]},
    names=["l2", "factor", "2"],
    gradient="""
p = self.predict_proba(X)
p[np.arange(len(y)), y] -= 1.0
p /= len(y)
return X.T @ p + 2 * self.l2 * self.W, p.sum(axis=0)
""",
)
A(
    "gradient_bias_mean",
    "db as a mean of what is divided already",
    fair={"gradient": [2, 2.6]},
    names=["bias", "db", "N", "mean"],
    gradient="""
p = self.predict_proba(X)
p[np.arange(len(y)), y] -= 1.0
p /= len(y)
return X.T @ p + self.l2 * self.W, p.mean(axis=0)
""",
)
A(
    "gradient_transposed",
    "dW of shape (C, D)",
    fair={"gradient": [1.5, 2.7]},
    names=["transpos", "shape"],
    gradient="""
p = self.predict_proba(X)
p[np.arange(len(y)), y] -= 1.0
p /= len(y)
return (X.T @ p + self.l2 * self.W).T, p.sum(axis=0)
""",
)
A(
    "gradient_p_only",
    "the target is not subtracted",
    fair={"gradient": [0.5, 2]},
    names=["target", "one-hot", "y", "minus"],
    gradient="""
p = self.predict_proba(X) / len(y)
return X.T @ p + self.l2 * self.W, p.sum(axis=0)
""",
)
A(
    "fit_uphill",
    "adds the gradient",
    fair={"fit": [0.5, 1.5]},
    names=["sign", "uphill", "ascent", "minus"],
    fit="""
for _ in range(steps):
    self.losses.append(self.loss(X, y))
    dW, db = self.gradient(X, y)
    self.W = self.W + lr * dW
    self.b = self.b + lr * db
return self
""",
)
A(
    "fit_one_step",
    "the return stands in the loop",
    fair={"fit": [0.5, 1.5]},
    names=["return", "loop", "one step", "indent"],
    fit="""
for _ in range(steps):
    self.losses.append(self.loss(X, y))
    dW, db = self.gradient(X, y)
    self.W = self.W - lr * dW
    self.b = self.b - lr * db
    return self
""",
)
A(
    "fit_no_bias",
    "b is never stepped",
    fair={"fit": [0.75, 1.6]},
    names=["bias", "b"],
    fit="""
for _ in range(steps):
    self.losses.append(self.loss(X, y))
    dW, db = self.gradient(X, y)
    self.W = self.W - lr * dW
return self
""",
)
A(
    "fit_restarts",
    "starts from zero, not from the present W and b",
    fair={"fit": [1.25, 1.9]},
    names=["start", "zero", "present", "reset"],
    fit="""
self.W = np.zeros_like(self.W)
self.b = np.zeros_like(self.b)
for _ in range(steps):
    self.losses.append(self.loss(X, y))
    dW, db = self.gradient(X, y)
    self.W = self.W - lr * dW
    self.b = self.b - lr * db
return self
""",
)
A(
    "fit_no_self",
    "returns nothing",
    fair={"fit": [1.25, 1.9]},
    names=["self", "return", "None"],
    fit="""
for _ in range(steps):
    self.losses.append(self.loss(X, y))
    dW, db = self.gradient(X, y)
    self.W = self.W - lr * dW
    self.b = self.b - lr * db
""",
)
A(
    "fit_losses_after",
    "the loss is recorded after each step",
    fair={"fit": [1.5, 1.95]},
    names=["before", "after", "losses"],
    fit="""
for _ in range(steps):
    dW, db = self.gradient(X, y)
    self.W = self.W - lr * dW
    self.b = self.b - lr * db
    self.losses.append(self.loss(X, y))
return self
""",
    doubt="the text asks for the loss before each step; a kind examiner takes it nearly whole",
)
A(
    "fit_lr_ignored",
    "lr fixed to 0.01",
    fair={"fit": [0.75, 1.6]},
    names=["lr", "learning rate", "step size"],
    fit="""
for _ in range(steps):
    self.losses.append(self.loss(X, y))
    dW, db = self.gradient(X, y)
    self.W = self.W - 0.01 * dW
    self.b = self.b - 0.01 * db
return self
""",
)
A(
    "consistent_sum",
    "loss and gradient both without 1/N",
    fair={"loss": [1, 2], "gradient": [1, 3]},
    names=["N", "mean", "sum", "factor"],
    loss="""
p = self.predict_proba(X)
return float(-np.sum(np.log(p[np.arange(len(y)), y])) + 0.5 * self.l2 * np.sum(self.W**2))
""",
    gradient="""
p = self.predict_proba(X)
p[np.arange(len(y)), y] -= 1.0
return X.T @ p + self.l2 * self.W, p.sum(axis=0)
""",
    doubt="the gradient is the derivative of the own loss",
)
A(
    "nowork_falling_losses",
    "invented falling losses, no step taken",
    fair={"fit": [0, 0.5]},
    names=["invented", "step", "losses", "constant"],
    fit="""
self.losses += [1.0 / (n + 1) for n in range(steps)]
return self
""",
)
A(
    "nowork_constant",
    "constant loss with zero gradient, uniform probabilities",
    fair={
        "predict_proba": [0, 0.25],
        "predict": [0, 1],
        "loss": [0, 0.25],
        "gradient": [0, 0.25],
        "fit": [0, 2],
    },
    names=["constant", "zero", "uniform"],
    predict_proba="return np.full((len(X), len(self.b)), 1 / len(self.b))",
    loss="return 0.0",
    gradient="return np.zeros_like(self.W), np.zeros_like(self.b)",
    doubt="predict and fit are the reference's here: a grader that judges each alone gives them",
)
