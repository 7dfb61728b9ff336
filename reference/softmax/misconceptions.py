"""The known mistakes of softmax regression. A message says where to look and leaves the answer to the student."""

from __future__ import annotations

from grader.course import Misconception

MODEL = "SoftmaxClassifier"
RIGHT = "-np.mean(np.log(P[np.arange(len(y)), y]))"

MISCONCEPTIONS = (
    Misconception(
        "softmax",
        "softmax_over_points",
        "The sum runs over the points in place of the classes",
        "Which of the two indices of p does the denominator sum over?",
        {"np.sum(powers, axis=1, keepdims=True)": "np.sum(powers, axis=0, keepdims=True)"},
    ),
    Misconception(
        "softmax",
        "softmax_over_everything",
        "The sum runs over all entries",
        "What do the probabilities of one point sum to?",
        {"np.sum(powers, axis=1, keepdims=True)": "np.sum(powers)"},
    ),
    Misconception(
        "softmax",
        "softmax_not_normalised",
        "The exponentials are not divided by their sum",
        "What do the probabilities of one point sum to?",
        {" - np.max(Z, axis=1, keepdims=True)": "", " / np.sum(powers, axis=1, keepdims=True)": ""},
    ),
    Misconception(
        "softmax",
        "softmax_sign",
        "The exponent has the wrong sign",
        "Which class should have the largest probability?",
        {"np.exp(Z - np.max(Z, axis=1, keepdims=True))": "np.exp(np.min(Z, axis=1, keepdims=True) - Z)"},
    ),
    Misconception(
        "softmax",
        "softmax_largest_of_all",
        "The largest entry of all points is subtracted, and small rows become zero",
        "Where the scores of one point are near 1200 and those of another near -1200: what is left of the second?",
        {"np.max(Z, axis=1, keepdims=True)": "np.max(Z)"},
    ),
    Misconception(
        "softmax",
        "softmax_overflow",
        "The exponential of a large score overflows",
        "What is exp(1200), and what is infinity divided by infinity?",
        {" - np.max(Z, axis=1, keepdims=True)": ""},
    ),
    Misconception(
        "cross_entropy",
        "cost_sum",
        "The cost is a sum over the points",
        "What stands before the sum in E?",
        {RIGHT: "-np.sum(np.log(P[np.arange(len(y)), y]))"},
    ),
    Misconception(
        "cross_entropy",
        "cost_sign",
        "The cost has the wrong sign",
        "Is the logarithm of a probability positive or negative?",
        {RIGHT: "np.mean(np.log(P[np.arange(len(y)), y]))"},
    ),
    Misconception(
        "cross_entropy",
        "cost_all_classes",
        "The logarithms of all classes are averaged",
        "Which class of a point does E look at?",
        {RIGHT: "-np.mean(np.log(P))"},
    ),
    Misconception(
        "cross_entropy",
        "cost_without_logarithm",
        "The logarithm is missing",
        "What is averaged in E?",
        {RIGHT: "-np.mean(P[np.arange(len(y)), y])"},
    ),
    Misconception(
        "cross_entropy",
        "cost_base_two",
        "The logarithm has the base 2",
        "Which base does log have in a formula?",
        {RIGHT: "-np.mean(np.log2(P[np.arange(len(y)), y]))"},
    ),
    Misconception(
        "cross_entropy",
        "cost_without_b",
        "The bias b is missing in the scores",
        "What is z of a point at the origin?",
        {"X @ W + b": "X @ W"},
    ),
    Misconception(
        "cross_entropy_gradient",
        "gradient_sum",
        "It is the gradient of a sum over the points",
        "What stands before the sum in E?",
        {"    errors = errors / len(y)\n": ""},
    ),
    Misconception(
        "cross_entropy_gradient",
        "gradient_sign",
        "The gradient has the wrong sign",
        "Does E fall if the score of the right class grows?",
        {
            "errors[np.arange(len(y)), y] -= 1.0": "errors = -errors\n    errors[np.arange(len(y)), y] += 1.0",
        },
    ),
    Misconception(
        "cross_entropy_gradient",
        "gradient_without_classes",
        "Nothing is subtracted for the right classes",
        "What is the derivative where the right class of every point has the probability 1?",
        {"    errors[np.arange(len(y)), y] -= 1.0\n": ""},
    ),
    Misconception(
        "cross_entropy_gradient",
        "gradient_b_mean",
        "The part for b is divided by the number of points twice",
        "In how many terms of E does an entry of b stand?",
        {"np.sum(errors, axis=0)": "np.mean(errors, axis=0)"},
    ),
    Misconception(
        "cross_entropy_gradient",
        "gradient_without_b",
        "The bias b is missing in the scores",
        "Which scores does the softmax in E get?",
        {"X @ W + b": "X @ W"},
    ),
    Misconception(
        f"{MODEL}.fit",
        "fit_without_learning_rate",
        "The learning rate is not used",
        "What is the slope multiplied by in a step?",
        {
            "self.W - learning_rate * slope_W": "self.W - slope_W",
            "self.b - learning_rate * slope_b": "self.b - slope_b",
        },
    ),
    Misconception(
        f"{MODEL}.fit",
        "fit_b_fixed",
        "The bias b is not trained",
        "Which attributes does a step change?",
        {"            self.b = self.b - learning_rate * slope_b\n": ""},
    ),
    Misconception(
        f"{MODEL}.fit",
        "fit_restarts",
        "It begins with zeros, whatever W and b are",
        "Where does a second call of fit begin?",
        {"        costs = []\n": "        costs = []\n        self.W, self.b = 0.0 * self.W, 0.0 * self.b\n"},
    ),
    Misconception(
        f"{MODEL}.fit",
        "fit_cost_after",
        "The cost is recorded after the step",
        "Which cost belongs to the start?",
        {
            "            costs.append(cross_entropy(self.W, self.b, X, y))\n": "",
            "            self.b = self.b - learning_rate * slope_b\n": (
                "            self.b = self.b - learning_rate * slope_b\n"
                "            costs.append(cross_entropy(self.W, self.b, X, y))\n"
            ),
        },
    ),
    Misconception(
        f"{MODEL}.predict",
        "predict_without_b",
        "The bias b is missing in the scores",
        "What is z of a point at the origin?",
        {"X @ self.W + self.b": "X @ self.W"},
    ),
    Misconception(
        f"{MODEL}.predict",
        "predict_over_points",
        "The largest score is looked for among the points",
        "The result has an entry for each point.",
        {"axis=1": "axis=0"},
    ),
    Misconception(
        f"{MODEL}.predict",
        "predict_least",
        "It is the least probable class",
        "Which class has the largest probability?",
        {"np.argmax": "np.argmin"},
    ),
    Misconception(
        f"{MODEL}.predict",
        "predict_from_one",
        "The classes are counted from one",
        "Which numbers do the classes in y have?",
        {"np.argmax(X @ self.W + self.b, axis=1)": "np.argmax(X @ self.W + self.b, axis=1) + 1"},
    ),
)
