"""The known mistakes of softmax regression, as edits of the reference.

Each message says where to look and leaves the answer to the student.
"""

from __future__ import annotations

from grader.course import Misconception

MODEL = "SoftmaxRegression"
DATA = "-np.mean(likelihood)"
PENALTY = "0.5 * self.l2 * np.sum(self.W**2)"

SOFTMAX = (
    Misconception(
        "softmax",
        "softmax_over_columns",
        "It is normalised over the points in place of the classes",
        "Which index does the sum in the denominator run over?",
        {
            "Z.max(axis=1, keepdims=True)": "Z.max(axis=0, keepdims=True)",
            "E.sum(axis=1, keepdims=True)": "E.sum(axis=0, keepdims=True)",
        },
    ),
    Misconception(
        "softmax",
        "softmax_sum_over_columns",
        "It is divided by sums over the points in place of the classes",
        "Which index does the sum in the denominator run over?",
        {"E.sum(axis=1, keepdims=True)": "E.sum(axis=0, keepdims=True)"},
    ),
    Misconception(
        "softmax",
        "softmax_sigmoid",
        "It is the sigmoid of every entry",
        "What must every row add up to?",
        {"return E / E.sum(axis=1, keepdims=True)": "return 1.0 / (1.0 + np.exp(-Z))"},
    ),
    Misconception(
        "softmax",
        "softmax_over_all",
        "It is normalised over all entries together",
        "What must every row add up to?",
        {"E.sum(axis=1, keepdims=True)": "E.sum()"},
    ),
    Misconception(
        "softmax",
        "softmax_not_normalised",
        "It is not normalised",
        "What must every row add up to?",
        {"E / E.sum(axis=1, keepdims=True)": "E"},
    ),
    Misconception(
        "softmax",
        "softmax_overflows",
        "Large scores overflow",
        "What is exp(1000), and which number may be subtracted from a row?",
        {"Z - Z.max(axis=1, keepdims=True)": "Z"},
    ),
    Misconception(
        "softmax",
        "softmax_one_maximum",
        "The maximum of all rows is subtracted from each",
        "What is left of a row whose entries are all far below the largest of the others?",
        {"Z.max(axis=1, keepdims=True)": "Z.max()"},
    ),
    Misconception(
        "softmax",
        "softmax_sign",
        "The scores have the wrong sign",
        "Is the class with the largest score the most probable one?",
        {"np.exp(Z - Z.max(axis=1, keepdims=True))": "np.exp(Z.min(axis=1, keepdims=True) - Z)"},
    ),
    Misconception(
        "softmax",
        "softmax_logarithm",
        "The logarithm of the softmax is returned",
        "What must every row add up to?",
        {"return E / E.sum(axis=1, keepdims=True)": "return np.log(E / E.sum(axis=1, keepdims=True))"},
    ),
)

PROBABILITIES = (
    Misconception(
        f"{MODEL}.predict_proba",
        "proba_without_bias",
        "The bias is missing",
        "z_n has two terms.",
        {"X @ self.W + self.b": "X @ self.W"},
    ),
    Misconception(
        f"{MODEL}.predict_proba",
        "proba_bias_subtracted",
        "The bias is subtracted",
        "What is the sign of b in z_n?",
        {"X @ self.W + self.b": "X @ self.W - self.b"},
    ),
    Misconception(
        f"{MODEL}.predict_proba",
        "proba_scores",
        "The scores are returned in place of probabilities",
        "What must every row add up to?",
        {"return softmax(X @ self.W + self.b)": "return X @ self.W + self.b"},
    ),
)

CLASSES = (
    Misconception(
        f"{MODEL}.predict",
        "predict_least_probable",
        "It is the least probable class",
        "Which class has the largest p?",
        {"np.argmax(self.predict_proba(X), axis=1)": "np.argmin(self.predict_proba(X), axis=1)"},
    ),
    Misconception(
        f"{MODEL}.predict",
        "predict_over_points",
        "The largest p is looked for among the points",
        "The result has one entry for each point.",
        {"np.argmax(self.predict_proba(X), axis=1)": "np.argmax(self.predict_proba(X), axis=0)"},
    ),
    Misconception(
        f"{MODEL}.predict",
        "predict_from_one",
        "The classes are counted from one",
        "Which numbers do the labels have?",
        {"np.argmax(self.predict_proba(X), axis=1)": "np.argmax(self.predict_proba(X), axis=1) + 1"},
    ),
    Misconception(
        f"{MODEL}.predict",
        "predict_probability",
        "The largest probability is returned in place of its class",
        "Is a class or a probability asked for?",
        {"np.argmax(self.predict_proba(X), axis=1)": "np.max(self.predict_proba(X), axis=1)"},
    ),
)

LOSS = (
    Misconception(
        f"{MODEL}.loss",
        "loss_sum",
        "The loss is a sum over the points where a mean belongs",
        "What stands before the sum over n?",
        {DATA: "-np.sum(likelihood)"},
    ),
    Misconception(
        f"{MODEL}.loss",
        "loss_sign",
        "The loss has the wrong sign",
        "Is the logarithm of a probability positive?",
        {DATA: "np.mean(likelihood)"},
    ),
    Misconception(
        f"{MODEL}.loss",
        "loss_without_logarithm",
        "The logarithm is missing",
        "What is averaged over the points?",
        {"np.log(p[np.arange(len(y)), y])": "p[np.arange(len(y)), y]"},
    ),
    Misconception(
        f"{MODEL}.loss",
        "loss_all_classes",
        "The logarithms of all classes are averaged",
        "Which class of a point does the loss look at?",
        {"np.log(p[np.arange(len(y)), y])": "np.log(p)"},
    ),
    Misconception(
        f"{MODEL}.loss",
        "loss_mean_over_entries",
        "The sum is divided by the number of entries, not of points",
        "What stands before the sum over n?",
        {DATA: "-np.sum(likelihood) / p.size"},
    ),
    Misconception(
        f"{MODEL}.loss",
        "loss_base_two",
        "The logarithm has the base 2",
        "Which base has the logarithm of the formula?",
        {"np.log(p[np.arange(len(y)), y])": "np.log2(p[np.arange(len(y)), y])"},
    ),
    Misconception(
        f"{MODEL}.loss",
        "loss_squared_error",
        "It is the squared error of the probabilities",
        "What is averaged over the points?",
        {DATA: "np.mean(np.sum((p - np.eye(p.shape[1])[y]) ** 2, axis=1))"},
    ),
    Misconception(
        f"{MODEL}.loss",
        "loss_without_l2",
        "The regularisation is missing",
        "The loss has two terms.",
        {" + " + PENALTY: ""},
    ),
    Misconception(
        f"{MODEL}.loss",
        "loss_l2_not_halved",
        "The regularisation is not halved",
        "Which factor stands before the sum of W^2?",
        {PENALTY: "self.l2 * np.sum(self.W**2)"},
    ),
    Misconception(
        f"{MODEL}.loss",
        "loss_l2_of_bias",
        "The bias is regularised too",
        "Over which entries does the second sum run?",
        {PENALTY: "0.5 * self.l2 * (np.sum(self.W**2) + np.sum(self.b**2))"},
    ),
)

GRADIENT = (
    Misconception(
        f"{MODEL}.gradient",
        "gradient_sum",
        "The gradient is that of a sum over the points where a mean belongs",
        "What stands before the sum over n in the loss?",
        {"        p /= len(y)\n": ""},
    ),
    Misconception(
        f"{MODEL}.gradient",
        "gradient_sign",
        "The gradient has the wrong sign",
        "In which direction does the loss rise?",
        {
            "return X.T @ p + self.l2 * self.W, p.sum(axis=0)": (
                "return -X.T @ p + self.l2 * self.W, -p.sum(axis=0)"
            )
        },
    ),
    Misconception(
        f"{MODEL}.gradient",
        "gradient_without_labels",
        "The labels are not subtracted",
        "What is the gradient where every point has p = 1 for its own class?",
        {"        p[np.arange(len(y)), y] -= 1.0\n": ""},
    ),
    Misconception(
        f"{MODEL}.gradient",
        "gradient_bias_mean",
        "The part for b is divided by the number of points twice",
        "How often does b_c occur in the loss?",
        {"p.sum(axis=0)": "p.mean(axis=0)"},
    ),
    Misconception(
        f"{MODEL}.gradient",
        "gradient_bias_over_classes",
        "The part for b is summed over the classes",
        "The part for b has an entry for each class.",
        {"p.sum(axis=0)": "p.sum(axis=1)"},
    ),
    Misconception(
        f"{MODEL}.gradient",
        "gradient_bias_total",
        "The part for b is summed over everything",
        "The part for b has an entry for each class.",
        {"p.sum(axis=0)": "p.sum()"},
    ),
    Misconception(
        f"{MODEL}.gradient",
        "gradient_without_l2",
        "The regularisation is missing",
        "The loss has two terms.",
        {" + self.l2 * self.W": ""},
    ),
    Misconception(
        f"{MODEL}.gradient",
        "gradient_l2_halved",
        "The derivative of the square lacks its factor",
        "What is the derivative of W^2 / 2?",
        {" + self.l2 * self.W": " + 0.5 * self.l2 * self.W"},
    ),
    Misconception(
        f"{MODEL}.gradient",
        "gradient_l2_of_bias",
        "The bias is regularised too",
        "Does b occur in the second term of the loss?",
        {"p.sum(axis=0)": "p.sum(axis=0) + self.l2 * self.b"},
    ),
)

STEP_W, STEP_B = "self.W = self.W - lr * dW", "self.b = self.b - lr * db"
FIT = (
    Misconception(
        f"{MODEL}.fit",
        "fit_climbs",
        "The steps have the wrong sign",
        "In which direction does the loss fall?",
        {STEP_W: "self.W = self.W + lr * dW", STEP_B: "self.b = self.b + lr * db"},
    ),
    Misconception(
        f"{MODEL}.fit",
        "fit_bias_fixed",
        "The bias is not trained",
        "Which two attributes change in a step?",
        {f"            {STEP_B}\n": ""},
    ),
    Misconception(
        f"{MODEL}.fit",
        "fit_restarts",
        "It begins with zeros, whatever W and b were",
        "Where does the descent start?",
        {
            "        for _ in range(steps):\n": (
                "        self.W, self.b = 0.0 * self.W, 0.0 * self.b\n        for _ in range(steps):\n"
            )
        },
    ),
    Misconception(
        f"{MODEL}.fit",
        "fit_loss_after",
        "The loss is recorded after the step",
        "Which loss belongs to the start?",
        {
            "            self.losses.append(self.loss(X, y))\n": "",
            f"            {STEP_B}\n": f"            {STEP_B}\n            self.losses.append(self.loss(X, y))\n",
        },
    ),
    Misconception(
        f"{MODEL}.fit",
        "fit_one_step_less",
        "It takes one step too few",
        "How many steps does the loop take?",
        {"range(steps)": "range(steps - 1)"},
    ),
    Misconception(
        f"{MODEL}.fit",
        "fit_one_step",
        "It takes one step only",
        "When does a return inside a loop end the function?",
        {"        return self\n": "            return self\n"},
    ),
    Misconception(
        f"{MODEL}.fit",
        "fit_lr_ignored",
        "The learning rate is not the one that was given",
        "Where does the argument lr go?",
        {STEP_W: "self.W = self.W - 0.05 * dW", STEP_B: "self.b = self.b - 0.05 * db"},
    ),
)

MISCONCEPTIONS = (*SOFTMAX, *PROBABILITIES, *CLASSES, *LOSS, *GRADIENT, *FIT)
