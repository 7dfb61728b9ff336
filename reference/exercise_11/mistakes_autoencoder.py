"""Further known mistakes of problem 2, as edits of the reference; see misconceptions.py."""

from __future__ import annotations

from grader.course import Misconception

RESIDUAL = "(X - reconstruct(X, W1, W2))"
MEAN = f"np.mean(np.sum({RESIDUAL} ** 2, axis=1))"
FIRST, SECOND = "2.0 / len(X) * X.T @ residual @ W2.T", "2.0 / len(X) * (X @ W1).T @ residual"
BOUND = "np.sum(singular_values[k:] ** 2) / len(X)"
DIRECTIONS = "return directions.T, directions"


def _reconstruction(code: str, name: str, message: str, edits: dict[str, str]) -> Misconception:
    return Misconception("reconstruct", code, name, message, edits)


def _error(code: str, name: str, message: str, edits: dict[str, str]) -> Misconception:
    return Misconception("reconstruction_error", code, name, message, edits)


def _gradient(
    code: str, name: str, message: str, edits: dict[str, str], credit: float = 0.0
) -> Misconception:
    return Misconception("reconstruction_error_gradient", code, name, message, edits, credit=credit)


def _bound(code: str, name: str, message: str, edits: dict[str, str]) -> Misconception:
    return Misconception("minimum_error", code, name, message, edits)


def _fit(code: str, name: str, message: str, edits: dict[str, str]) -> Misconception:
    return Misconception("fit_linear_autoencoder", code, name, message, edits)


RECONSTRUCTION = (
    _reconstruction(
        "reconstruct_tied_decoder",
        "The encoder is the transposed decoder W2",
        "Are W1 and W2 tied in this exercise?",
        {"X @ W1 @ W2": "X @ W2.T @ W2"},
    ),
    _reconstruction(
        "reconstruct_sigmoid",
        "There is a nonlinear activation between the layers, a sigmoid",
        "Which activations does a linear autoencoder have?",
        {"X @ W1 @ W2": "(1.0 / (1.0 + np.exp(-(X @ W1)))) @ W2"},
    ),
    _reconstruction(
        "reconstruct_tanh",
        "There is a nonlinear activation between the layers, tanh",
        "Which activations does a linear autoencoder have?",
        {"X @ W1 @ W2": "np.tanh(X @ W1) @ W2"},
    ),
    _reconstruction(
        "reconstruct_centred_only",
        "X is centred: its mean is subtracted first",
        "Does this autoencoder have a bias?",
        {"X @ W1 @ W2": "(X - X.mean(axis=0)) @ W1 @ W2"},
    ),
    _reconstruction(
        "reconstruct_residual",
        "It is the residual X - X W1 W2, not the reconstruction",
        "What would a perfect autoencoder return?",
        {"X @ W1 @ W2": "X - X @ W1 @ W2"},
    ),
    _reconstruction(
        "reconstruct_bias",
        "A bias of ones is added",
        "Does this autoencoder have a bias?",
        {"X @ W1 @ W2": "X @ W1 @ W2 + 1.0"},
    ),
    _reconstruction(
        "reconstruct_hidden_bias",
        "A bias of ones is added in the hidden layer",
        "Does this autoencoder have a bias?",
        {"X @ W1 @ W2": "(X @ W1 + 1.0) @ W2"},
    ),
    _reconstruction(
        "reconstruct_weights_normalised",
        "The columns of W1 are scaled to length one (normalised)",
        "Are the weights used as they are given?",
        {"X @ W1 @ W2": "X @ (W1 / np.linalg.norm(W1, axis=0)) @ W2"},
    ),
)

ERROR = (
    _error(
        "error_residual_added",
        "X and its reconstruction are added in place of subtracted: a sign is wrong",
        "What is the error of a perfect reconstruction?",
        {RESIDUAL: "(X + reconstruct(X, W1, W2))"},
    ),
    _error(
        "error_in_hidden_space",
        "The codes X W1 are compared, not X with its reconstruction",
        "What is compared with x_n?",
        {RESIDUAL: "(X @ W1 - reconstruct(X, W1, W2) @ W1)"},
    ),
    _error(
        "error_variance",
        "It is the variance of the residual: its mean is taken off",
        "Is the residual centred in the formula?",
        {RESIDUAL: "(X - reconstruct(X, W1, W2) - (X - reconstruct(X, W1, W2)).mean(axis=0))"},
    ),
    _error(
        "error_spectral_norm",
        "It is the spectral norm (ord=2) of the residual in place of the Frobenius norm",
        "Which norm of a matrix is np.linalg.norm(A, 2), and which is np.linalg.norm(A)?",
        {MEAN: f"np.linalg.norm({RESIDUAL}, 2) ** 2 / len(X)"},
    ),
    _error(
        "error_norm_over_n",
        "The norm of the residual is not squared before it is divided by N",
        "Is there a root in E?",
        {MEAN: f"np.linalg.norm({RESIDUAL}) / len(X)"},
    ),
    _error(
        "error_root_of_sum",
        "It is the root of the sum over all entries, without the mean over the points",
        "Is there a root in E, and what stands in front of the sum over n?",
        {MEAN: f"np.linalg.norm({RESIDUAL})"},
    ),
    _error(
        "error_over_dimensions",
        "It is divided by the number D of dimensions in place of the number N of points",
        "Over what is the mean taken?",
        {MEAN: f"np.sum({RESIDUAL} ** 2) / X.shape[1]"},
    ),
    _error(
        "error_relative",
        "It is relative: divided by the squared norm of X",
        "By what does E divide?",
        {MEAN: f"np.sum({RESIDUAL} ** 2) / np.sum(X**2)"},
    ),
    _error(
        "error_largest",
        "It is the largest error of a point, not the mean",
        "What is done with the errors of the points?",
        {"np.mean(np.sum(": "np.max(np.sum("},
    ),
    _error(
        "error_median",
        "It is the median of the errors of the points, not the mean",
        "What is done with the errors of the points?",
        {"np.mean(np.sum(": "np.median(np.sum("},
    ),
    _error(
        "error_degrees_of_freedom",
        "It divides by N - 1",
        "E is a mean over the points, not an estimate of a variance.",
        {MEAN: f"np.sum({RESIDUAL} ** 2) / max(len(X) - 1, 1)"},
    ),
    _error(
        "error_sum_squared",
        "The entries of the residual are added before they are squared: the order is wrong",
        "What is squared first: each entry, or their sum?",
        {f"np.sum({RESIDUAL} ** 2, axis=1)": f"np.sum({RESIDUAL}, axis=1) ** 2"},
    ),
    _error(
        "error_difference_of_squares",
        "It is a difference of squares in place of the square of a difference",
        "Expand |a - b|^2.",
        {f"{RESIDUAL} ** 2": "(X**2 - reconstruct(X, W1, W2) ** 2)"},
    ),
    _error(
        "error_cross_term_half",
        "The cross term of the expanded square lacks its factor 2",
        "Expand |a - b|^2.",
        {f"{RESIDUAL} ** 2": "(X**2 - X * reconstruct(X, W1, W2) + reconstruct(X, W1, W2) ** 2)"},
    ),
)

GRADIENT = (
    _gradient(
        "ae_gradient_averaged_twice",
        "It is divided by N twice",
        "Count the divisions by N.",
        {FIRST: f"{FIRST} / len(X)", SECOND: f"{SECOND} / len(X)"},
        credit=0.5,
    ),
    _gradient(
        "ae_gradient_degrees_of_freedom",
        "It divides by N - 1",
        "E is a mean over the points, not an estimate of a variance.",
        {
            FIRST: "2.0 / max(len(X) - 1, 1) * X.T @ residual @ W2.T",
            SECOND: "2.0 / max(len(X) - 1, 1) * (X @ W1).T @ residual",
        },
        credit=0.5,
    ),
    _gradient(
        "ae_gradient_half",
        "It is the gradient of half of the error without the mean over the points",
        "What stands in front of the sum in E?",
        {FIRST: "X.T @ residual @ W2.T", SECOND: "(X @ W1).T @ residual"},
        credit=0.25,
    ),
    _gradient(
        "ae_gradient_target_missing",
        "The target X is missing in the residual X W1 W2 - X",
        "What is the residual of a perfect reconstruction?",
        {"reconstruct(X, W1, W2) - X": "reconstruct(X, W1, W2)"},
    ),
    _gradient(
        "ae_gradient_residual_added",
        "X and its reconstruction are added in place of subtracted: a sign in the residual is wrong",
        "What is the residual of a perfect reconstruction?",
        {"reconstruct(X, W1, W2) - X": "reconstruct(X, W1, W2) + X"},
    ),
    _gradient(
        "ae_gradient_absolute",
        "It is the gradient of the absolute error: only the sign of the residual counts",
        "What is the derivative of a square?",
        {"reconstruct(X, W1, W2) - X": "0.5 * np.sign(reconstruct(X, W1, W2) - X)"},
    ),
    _gradient(
        "ae_gradient_w1_for_w2",
        "W1 stands where W2 belongs in the gradient of W1",
        "Follow the chain rule back through the second layer.",
        {"@ residual @ W2.T": "@ residual @ W1"},
    ),
    _gradient(
        "ae_gradient_w2_for_w1",
        "W2 stands where W1 belongs in the gradient of W2",
        "What is the input of the second layer?",
        {"(X @ W1).T @ residual": "(X @ W2.T).T @ residual"},
    ),
    _gradient(
        "ae_gradient_tied",
        "It is the gradient of tied weights: the two gradients are added",
        "Are W1 and W2 tied in this exercise?",
        {
            f"{FIRST},\n        {SECOND}": f"{FIRST} + ({SECOND}).T,\n        {SECOND} + ({FIRST}).T",
        },
    ),
    _gradient(
        "ae_gradient_both_transposed",
        "Both gradients are transposed",
        "A gradient has the shape of what it is taken with respect to.",
        {FIRST: f"({FIRST}).T", SECOND: f"({SECOND}).T"},
    ),
    _gradient(
        "ae_gradient_last_point",
        "Only the last point counts: the sum over the points is overwritten in place of added up",
        "What is the difference between = and +=?",
        {
            FIRST: "2.0 / len(X) * X[-1:].T @ residual[-1:] @ W2.T",
            SECOND: "2.0 / len(X) * (X[-1:] @ W1).T @ residual[-1:]",
        },
    ),
    _gradient(
        "ae_gradient_without_inputs",
        "The gradient of W1 lacks the input X",
        "Follow the chain rule back to the input of the first layer.",
        {FIRST: "2.0 / len(X) * np.ones_like(X).T @ residual @ W2.T"},
    ),
)

MINIMUM = (
    _bound(
        "bound_last_k",
        "The slice [-k:] takes the last k singular values, not those from index k on",
        "Which indices does singular_values[-k:] have for k = 1, and which for k = 0?",
        {"[k:]": "[-k:]"},
    ),
    _bound(
        "bound_all_but_last_k",
        "The slice [:-k] takes the largest singular values, all but the last k",
        "In which order do the singular values come, and which of them are lost?",
        {"[k:]": "[:-k]"},
    ),
    _bound(
        "bound_early_from_zero",
        "The sum begins one singular value too early (off by one), but never before the first",
        "Python counts from 0: which index has the first value that is lost?",
        {"[k:]": "[max(k - 1, 0) :]"},
    ),
    _bound(
        "bound_smallest_first",
        "The values come in ascending order: the smallest k are left out, not the largest",
        "In which order does your routine return its values?",
        {"singular_values[k:]": "np.sort(singular_values)[k:]"},
    ),
    _bound(
        "bound_over_dimensions",
        "It divides by the number D of dimensions in place of the number N of points",
        "Over what is the mean in E taken?",
        {"/ len(X)": "/ X.shape[1]"},
    ),
    _bound(
        "bound_mean_of_lost",
        "It is the mean of the lost squares in place of their sum",
        "By what does E divide: by the number of points, or by that of the lost values?",
        {BOUND: "np.sum(singular_values[k:] ** 2) / max(len(singular_values[k:]), 1)"},
    ),
    _bound(
        "bound_root_of_n",
        "It divides by the root of N",
        "By what does E divide?",
        {"/ len(X)": "/ np.sqrt(len(X))"},
    ),
    _bound(
        "bound_averaged_twice",
        "It divides by N squared: once too often",
        "Count the divisions by N.",
        {"/ len(X)": "/ len(X) ** 2"},
    ),
    _bound(
        "bound_sum_squared",
        "It is the square of the sum in place of the sum of the squares",
        "Which comes first: the square, or the sum?",
        {"np.sum(singular_values[k:] ** 2)": "np.sum(singular_values[k:]) ** 2"},
    ),
    _bound(
        "bound_squared_twice",
        "The values are squared once too often: the eigenvalues of X^T X are squares already",
        "How are the eigenvalues of X^T X and the singular values of X related?",
        {"[k:] ** 2": "[k:] ** 4"},
    ),
    _bound(
        "bound_share",
        "It is the lost share of all squares, a ratio",
        "Is E relative to the size of the data?",
        {"/ len(X)": "/ np.sum(singular_values**2)"},
    ),
    _bound(
        "bound_standardised",
        "The columns are scaled to unit variance first",
        "Are the data changed before they are reconstructed?",
        {"svd(X, compute": "svd((X - X.mean(axis=0)) / X.std(axis=0), compute"},
    ),
    _bound(
        "bound_scaled_columns",
        "The columns are divided by their standard deviation first",
        "Are the data changed before they are reconstructed?",
        {"svd(X, compute": "svd(X / X.std(axis=0), compute"},
    ),
)

FIT = (
    _fit(
        "fit_sign",
        "The sign of one of the weights is wrong: X W1 W2 is minus the reconstruction",
        "What must W1 W2 be on the directions that are kept?",
        {DIRECTIONS: "return directions.T, -directions"},
    ),
    _fit(
        "fit_one_direction_repeated",
        "The first direction stands k times in the weights",
        "Which directions does the second hidden unit have to learn?",
        {DIRECTIONS: "directions = np.repeat(directions[:1], k, axis=0) / np.sqrt(k)\n    " + DIRECTIONS},
    ),
    _fit(
        "fit_nothing_learned",
        "The weights are zero, or so small that nothing was learned: training did not leave its start",
        "How large is the gradient at W1 = W2 = 0, and how far does a step lead?",
        {DIRECTIONS: "return 0.0 * directions.T, 0.0 * directions"},
    ),
    _fit(
        "fit_centred_twice",
        "The mean is subtracted, and the weights are those of the standardised data",
        "Could a bias add the mean again here?",
        {"qr(X, mode": "qr((X - X.mean(axis=0)) / X.std(axis=0), mode"},
    ),
    _fit(
        "fit_first_points",
        "Only the first points are used, not all",
        "Over which points does E run?",
        {"qr(X, mode": "qr(X[: k + 1], mode"},
    ),
    _fit(
        "fit_half_of_the_points",
        "Only the first half of the points is used",
        "Over which points does E run?",
        {"qr(X, mode": "qr(X[: len(X) // 2], mode"},
    ),
)

MISTAKES = (*RECONSTRUCTION, *ERROR, *GRADIENT, *MINIMUM, *FIT)
