"""Further known mistakes of problem 3, as edits of the reference; see misconceptions.py."""

from __future__ import annotations

from grader.course import Misconception

FACTORIZATION = "latent_factor_alternating_optimization"
SHIFTED = "shifted.data = shifted.data - np.repeat(means, counts)"
MEANS = "np.asarray(shifted.sum(axis=1)).ravel() / np.maximum(counts, 1)"
RANDOM = "return np.random.rand(matrix.shape[0], k), np.random.rand(k, matrix.shape[1])"
STEP_Q = "q = Q[u] + lr * (error * P[:, i] - reg_lambda * Q[u])"
STEP_P = "P[:, i] += lr * (error * Q[u] - reg_lambda * P[:, i])"
SOLVE_Q = "            Q = solve(P.T, columns, rows, R.shape[0])\n"
SOLVE_P = "            P = solve(Q, rows, columns, R.shape[1]).T\n"
RIDGE = "outer + (reg_lambda + 1e-12) * np.eye(k)"
ERROR = "error = values[entry] - Q[u] @ P[:, i]"
LAST_BEST = """        if loss(val_values, val_idx, Q, P, 0.0) < best:
            best_Q, best_P = Q.copy(), P.copy()
"""


def _shift(code: str, name: str, message: str, edits: dict[str, str]) -> Misconception:
    return Misconception("shift_user_mean", code, name, message, edits)


def _start(code: str, name: str, message: str, edits: dict[str, str]) -> Misconception:
    return Misconception("initialize_Q_P", code, name, message, edits)


def _run(code: str, name: str, message: str, edits: dict[str, str]) -> Misconception:
    return Misconception(FACTORIZATION, code, name, message, edits)


SHIFT = (
    _shift(
        "shift_standardised",
        "The ratings are divided by the user's standard deviation too",
        "What is done to a rating beside the subtraction?",
        {
            f"    {SHIFTED}\n": f"    {SHIFTED}\n    owners = np.repeat(np.arange(len(counts)), counts)\n"
            "    squares = np.bincount(owners, shifted.data**2, len(counts))\n"
            "    spread = np.sqrt(squares / np.maximum(counts, 1))\n"
            "    shifted.data = shifted.data / np.repeat(np.where(spread > 0, spread, 1.0), counts)\n"
        },
    ),
    _shift(
        "shift_whole_means",
        "The means are whole numbers: their fractions are cut off",
        "What is the difference between / and //?",
        {MEANS: f"np.floor({MEANS})"},
    ),
    _shift(
        "shift_one_too_many",
        "The sum is divided by one more than the number of ratings",
        "How many ratings did the user give?",
        {"np.maximum(counts, 1)": "(counts + 1)"},
    ),
    _shift(
        "shift_by_number_of_users",
        "The sum is divided by the number of users",
        "How many ratings did the user give?",
        {"np.maximum(counts, 1)": "len(counts)"},
    ),
    _shift(
        "shift_distinct_ratings",
        "The mean is that of the user's distinct stars: a rating that occurs twice counts once",
        "Over which ratings is the mean taken?",
        {MEANS: "np.array([np.mean(np.unique(row.data)) if row.nnz else 0.0 for row in shifted])"},
    ),
    _shift(
        "shift_median",
        "It is the median of the user's ratings, not the mean",
        "Which of the two minimises the sum of squares?",
        {MEANS: "np.array([np.median(row.data) if row.nnz else 0.0 for row in shifted])"},
    ),
    _shift(
        "shift_above_mean_only",
        "Ratings below the user's mean vanish: negative values are set to zero",
        "Is a rating below the mean unknown?",
        {f"    {SHIFTED}\n": f"    {SHIFTED}\n    shifted.data = np.maximum(shifted.data, 0.0)\n"},
    ),
    _shift(
        "shift_means_afterwards",
        "The means are those of the shifted matrix, which are zero",
        "When do you compute the means: before or after the subtraction?",
        {"return shifted, means[:, None]": "return shifted, 0.0 * means[:, None]"},
    ),
    _shift(
        "shift_reversed",
        "The rating is subtracted from the mean: the sign is wrong",
        "Is a rating above the mean positive afterwards?",
        {SHIFTED: "shifted.data = np.repeat(means, counts) - shifted.data"},
    ),
    _shift(
        "shift_ones_unknown",
        "Ratings of one star are taken for unknown",
        "Which entries of the matrix are no ratings?",
        {
            "    counts = ": "    shifted.data[shifted.data <= 1] = 0.0\n"
            "    shifted.eliminate_zeros()\n    counts = "
        },
    ),
    _shift(
        "shift_last_user",
        "The last user is left out",
        "Where does your loop over the users end?",
        {f"    {SHIFTED}\n": f"    means[-1] = 0.0\n    {SHIFTED}\n"},
    ),
)

START = (
    _start(
        "start_half_interval",
        "The random start is drawn from [0, 0.5), or from another interval that ends early",
        "Which interval is asked for?",
        {
            RANDOM: "return (\n            0.5 * np.random.rand(matrix.shape[0], k),"
            "\n            0.5 * np.random.rand(k, matrix.shape[1]),\n        )"
        },
    ),
    _start(
        "start_stars",
        "The random start is drawn from the range of the stars",
        "Which interval is asked for?",
        {
            RANDOM: "return (\n            1 + 4 * np.random.rand(matrix.shape[0], k),"
            "\n            1 + 4 * np.random.rand(k, matrix.shape[1]),\n        )"
        },
    ),
    _start(
        "start_absolute_normal",
        "The random start has the absolute values of normal numbers: it is not uniform",
        "Which distribution is asked for?",
        {
            RANDOM: "return (\n            np.abs(np.random.randn(matrix.shape[0], k)),"
            "\n            np.abs(np.random.randn(k, matrix.shape[1])),\n        )"
        },
    ),
    _start(
        "start_same_draw",
        "Q and P contain the same numbers: they are not independent",
        "Is the seed set again before the second draw, or one draw used twice?",
        {
            RANDOM: "drawn = np.random.rand(k * sum(matrix.shape))\n"
            "        shared = drawn[: k * max(matrix.shape)]\n"
            "        return (\n            shared[: k * matrix.shape[0]].reshape(-1, k),\n"
            "            shared[: k * matrix.shape[1]].reshape(k, -1),\n        )"
        },
    ),
    _start(
        "start_grid",
        "The random start takes few different values: it is rounded to tenths",
        "How many different numbers does a uniform distribution draw?",
        {
            RANDOM: "return (\n            np.random.randint(0, 10, (matrix.shape[0], k)) "
            "/ 10,\n            np.random.randint(0, 10, (k, matrix.shape[1])) / 10,\n        )"
        },
    ),
    _start(
        "start_column_repeated",
        "The same random column stands k times in the start",
        "What can break the symmetry between the factors?",
        {
            RANDOM: "return (\n            np.repeat(np.random.rand(matrix.shape[0], 1), k, 1),"
            "\n            np.repeat(np.random.rand(1, matrix.shape[1]), k, 0),\n        )"
        },
    ),
    _start(
        "start_p_zero",
        "P starts at zero",
        "Which distribution is asked for, for both factors?",
        {RANDOM: "return np.random.rand(matrix.shape[0], k), np.zeros((k, matrix.shape[1]))"},
    ),
    _start(
        "start_svd_root_once",
        "The root of the singular values stands in one factor only",
        "What do you get if you multiply Q and P?",
        {"return u * s, vt": "return u * np.sqrt(s), vt"},
    ),
    _start(
        "start_svd_one_less",
        "The start by SVD has the rank k - 1: one factor too few",
        "How many singular values does a slice to k - 1 have?",
        {"return u * s, vt": "return u * np.where(s == s.min(), 0.0, s), vt"},
    ),
    _start(
        "start_svd_ignored",
        "With init = 'svd' the start is random",
        "Which branch of your code runs for 'svd'?",
        {'    if init == "random":': '    if init in ("random", "svd"):'},
    ),
)

RUN = (
    _run(
        "als_lambda_one_factor",
        "ALS uses lambda in the step of one factor only",
        "Which of the two factors does the loss regularise?",
        {
            RIDGE: "outer + (reg_lambda * (count == R.shape[0]) + 1e-12) * np.eye(k)",
        },
    ),
    _run(
        "als_lambda_half",
        "ALS uses half of lambda",
        "Derive the normal equations: which factor does lambda have beside q_u^T q_u?",
        {RIDGE: "outer + (0.5 * reg_lambda + 1e-12) * np.eye(k)"},
    ),
    _run(
        "als_lambda_squared",
        "ALS uses the square of lambda",
        "Which power of lambda is in the loss?",
        {RIDGE: "outer + (reg_lambda**2 + 1e-12) * np.eye(k)"},
    ),
    _run(
        "als_lambda_everywhere",
        "ALS adds lambda to every entry of the matrix, not to its diagonal (the identity)",
        "What is the derivative of lambda |q_u|^2?",
        {RIDGE: "outer + reg_lambda + 1e-12 * np.eye(k)"},
    ),
    _run(
        "als_lambda_fixed",
        "ALS uses a fixed lambda (1, the default alpha of Ridge) in place of the argument",
        "Where does the argument reg_lambda go?",
        {RIDGE: "outer + np.eye(k)"},
    ),
    _run(
        "als_first_factor_only",
        "ALS solves for P only: Q is never updated",
        "What does alternating mean?",
        {SOLVE_Q: ""},
    ),
    _run(
        "als_is_sgd",
        "The argument optimizer is ignored, or compared wrongly: with 'als' the steps are those of SGD",
        "Which branch of your code runs for optimizer = 'als'?",
        {'        if optimizer == "als":\n': "        if False:\n"},
    ),
    _run(
        "sgd_is_als",
        "The argument optimizer is ignored, or compared wrongly: with 'sgd' the steps are those of ALS",
        "Which branch of your code runs for optimizer = 'sgd'?",
        {'        if optimizer == "als":\n': "        if True:\n"},
    ),
    _run(
        "optimizers_swapped",
        "The two optimizers are swapped",
        "Which branch of your code runs for optimizer = 'als'?",
        {'        if optimizer == "als":\n': '        if optimizer == "sgd":\n'},
    ),
    _run(
        "factors_never_updated",
        "The start comes back: no step changes the factors, with either optimizer",
        "Does a step run at all, and are the factors that it computes those that come back?",
        {SOLVE_Q: "            pass\n", SOLVE_P: "", "            descend()\n": "            pass\n"},
    ),
    _run(
        "sgd_p_not_updated",
        "SGD never steps P: only Q is updated",
        "Which of the factors does a step change?",
        {STEP_P: "pass"},
    ),
    _run(
        "sgd_q_not_updated",
        "SGD never steps Q: only P is updated",
        "Which of the factors does a step change?",
        {STEP_Q: "q = Q[u]"},
    ),
    _run(
        "sgd_follows_gradient",
        "SGD steps along the gradient and not against it: the data and lambda both push the wrong way",
        "What is the sign of a step that makes a loss smaller?",
        {STEP_P: STEP_P.replace("+=", "-="), STEP_Q: STEP_Q.replace("Q[u] + lr", "Q[u] - lr")},
    ),
    _run(
        "sgd_p_climbs",
        "The step of SGD in P has the wrong sign: P climbs",
        "What is the sign of the residual in each of the two gradients?",
        {STEP_P: STEP_P.replace("+=", "-=")},
    ),
    _run(
        "sgd_q_climbs",
        "The step of SGD in Q has the wrong sign: Q climbs",
        "What is the sign of the residual in each of the two gradients?",
        {STEP_Q: STEP_Q.replace("Q[u] + lr", "Q[u] - lr")},
    ),
    _run(
        "sgd_rating_for_residual",
        "The rating stands in the step of SGD where the residual belongs: the prediction q_u p_i is missing",
        "What is the derivative of (R_ui - q_u p_i)^2?",
        {ERROR: "error = values[entry]"},
    ),
    _run(
        "sgd_residual_squared",
        "The residual is squared in the step of SGD",
        "What is the derivative of a square?",
        {ERROR: "error = (values[entry] - Q[u] @ P[:, i]) ** 2"},
    ),
    _run(
        "sgd_residual_absolute",
        "The residual lost its sign in the step of SGD: its absolute value is used",
        "What is the derivative of a square?",
        {ERROR: "error = abs(values[entry] - Q[u] @ P[:, i])"},
    ),
    _run(
        "sgd_own_factor",
        "The gradient of SGD in q_u contains q_u, and that in p_i contains p_i: they are swapped",
        "What is the derivative of q_u p_i with respect to q_u?",
        {
            STEP_Q: "q = Q[u] + lr * (error * Q[u] - reg_lambda * Q[u])",
            STEP_P: "P[:, i] += lr * (error * P[:, i] - reg_lambda * P[:, i])",
        },
    ),
    _run(
        "sgd_first_half",
        "SGD visits the first half of the ratings only",
        "Which ratings does one pass visit?",
        {"np.random.permutation(len(values))": "range(len(values) // 2)"},
    ),
    _run(
        "sgd_few_ratings",
        "A step of SGD visits few ratings (a single one, or one of each user) in place of all of them",
        "Which ratings does one pass visit?",
        {"np.random.permutation(len(values))": "np.random.permutation(len(values))[:1]"},
    ),
    _run(
        "sgd_lr_ignored",
        "SGD ignores lr: its learning rate is fixed",
        "Where does the argument lr go?",
        {
            STEP_Q: STEP_Q.replace("lr", "0.001"),
            STEP_P: STEP_P.replace("lr", "0.001"),
        },
    ),
    _run(
        "sgd_lambda_ignored",
        "SGD ignores lambda: there is no regularisation in its steps",
        "What is the derivative of lambda |q_u|^2?",
        {
            STEP_Q: STEP_Q.replace(" - reg_lambda * Q[u]", ""),
            STEP_P: STEP_P.replace(" - reg_lambda * P[:, i]", ""),
        },
    ),
    _run(
        "sgd_lambda_grows",
        "The regularisation has the wrong sign in SGD: it makes the factors grow",
        "What should a very large lambda do to the factors?",
        {
            STEP_Q: STEP_Q.replace("- reg_lambda", "+ reg_lambda"),
            STEP_P: STEP_P.replace("- reg_lambda", "+ reg_lambda"),
        },
    ),
    _run(
        "sgd_lambda_constant",
        "SGD subtracts lambda in place of lambda times the factor",
        "What is the derivative of lambda |q_u|^2?",
        {
            STEP_Q: STEP_Q.replace("reg_lambda * Q[u]", "reg_lambda"),
            STEP_P: STEP_P.replace("reg_lambda * P[:, i]", "reg_lambda"),
        },
    ),
    _run(
        "sgd_lambda_swapped",
        "SGD regularises each factor by the other one: lambda times p_i stands in the step of q_u",
        "What is the derivative of lambda |q_u|^2 with respect to q_u?",
        {
            STEP_Q: STEP_Q.replace("reg_lambda * Q[u]", "reg_lambda * P[:, i]"),
            STEP_P: STEP_P.replace("reg_lambda * P[:, i]", "reg_lambda * Q[u]"),
        },
    ),
    _run(
        "returns_last_factors",
        "The last factors come back, not the best: the best ones are not kept as a copy, or not returned",
        "Which arrays do best_Q and best_P name after a later step?",
        {"    return best_Q, best_P, val": "    return Q, P, val"},
    ),
    _run(
        "returns_worst_factors",
        "The factors of the largest validation loss come back: best is compared the wrong way round",
        "Is the best loss the smallest or the largest?",
        {
            "best, best_step, best_Q, best_P = np.inf,": "best, best_step, best_Q, best_P = -np.inf,",
            "            if validation < best:": "            if validation > best:",
            "Q, P, 0.0) < best:": "Q, P, 0.0) > best:",
        },
    ),
    _run(
        "returns_start",
        "The factors of the start come back: the best ones are never updated",
        "What is in best_Q after a step that improves the validation loss?",
        {
            "validation, step, Q.copy(), P.copy(), 0": "validation, step, best_Q, best_P, 0",
            LAST_BEST: "        pass\n",
        },
    ),
    _run(
        "returns_after_first_step",
        "The run ends after the first step: the return stands inside the loop",
        "How far is your return statement indented?",
        {"for step in range(max_steps):": "for step in range(min(1, max_steps)):"},
    ),
    _run(
        "max_steps_half",
        "The run makes only half of the steps",
        "Which loop counts the steps?",
        {"for step in range(max_steps):": "for step in range(max_steps // 2):"},
    ),
    _run(
        "max_steps_fixed",
        "The run makes a fixed number of steps, whatever max_steps is",
        "Where does the argument max_steps go?",
        {"for step in range(max_steps):": "for step in range(100):"},
    ),
    _run(
        "patience_one",
        "The run ends at the first evaluation without improvement: the patience is not waited for",
        "How many evaluations without improvement does the argument patience allow?",
        {"if waited >= patience:": "if waited >= 1:"},
    ),
    _run(
        "patience_doubled",
        "The run waits longer than the patience says",
        "How many evaluations without improvement does the argument patience allow?",
        {"if waited >= patience:": "if waited >= 2 * patience:"},
    ),
    _run(
        "training_loss_without_lambda",
        "The recorded training loss lacks lambda and its regularisation terms",
        "What is L?",
        {"(rows, columns), Q, P, reg_lambda))": "(rows, columns), Q, P, 0.0))"},
    ),
    _run(
        "losses_swapped",
        "The training and the validation losses are swapped in the result",
        "In which order does the docstring name them?",
        {
            "return best_Q, best_P, validation_losses, train_losses": "return best_Q, best_P, "
            "train_losses, validation_losses"
        },
    ),
    _run(
        "starts_again_every_step",
        "The factors are initialised again in every step",
        "Does the start belong into the loop?",
        {
            "for step in range(max_steps):\n": "for step in range(max_steps):\n"
            "        Q, P = map(np.array, initialize_Q_P(R, k, init))\n"
        },
    ),
)

MISTAKES = (*SHIFT, *START, *RUN)
