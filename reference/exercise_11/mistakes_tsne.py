"""Further known mistakes of problem 1, as edits of the reference; see misconceptions.py."""

from __future__ import annotations

from grader.course import Misconception

SQUARES = "np.sum(differences**2, axis=-1)"
INVERSE = f"1.0 / (1.0 + {SQUARES})"
NORMALISED = "inverse / inverse.sum()"
DIAGONAL = "    np.fill_diagonal(inverse, 0.0)\n"
TERMS = "P[counted] * np.log(P[counted] / Q[counted])"
FORCES = '"ij,ijd->id", forces, differences'
DIFFERENCE = "(np.asarray(P) - low_dimensional_similarities(Y))"


def _similarities(code: str, name: str, message: str, edits: dict[str, str]) -> Misconception:
    return Misconception("low_dimensional_similarities", code, name, message, edits)


def _cost(code: str, name: str, message: str, edits: dict[str, str]) -> Misconception:
    return Misconception("kl_divergence", code, name, message, edits)


def _gradient(
    code: str, name: str, message: str, edits: dict[str, str], credit: float = 0.0
) -> Misconception:
    return Misconception("tsne_gradient", code, name, message, edits, credit=credit)


SIMILARITIES = (
    _similarities(
        "q_columns_normalised",
        "Every column of Q is normalised on its own",
        "Over which pairs does the sum in the denominator run?",
        {NORMALISED: "inverse / inverse.sum(axis=0, keepdims=True)"},
    ),
    _similarities(
        "q_rows_over_n",
        "Every row of Q is normalised on its own, and divided by the number of points",
        "Over which pairs does the sum in the denominator run?",
        {NORMALISED: "inverse / inverse.sum(axis=1, keepdims=True) / len(Y)"},
    ),
    _similarities(
        "q_rows_symmetrised",
        "Every row of Q is normalised on its own, and then Q is made symmetric as P is",
        "Over which pairs does the sum in the denominator run?",
        {
            f"    return {NORMALISED}\n": "    rows = inverse / inverse.sum(axis=1, keepdims=True)\n"
            "    return (rows + rows.T) / (2 * len(Y))\n"
        },
    ),
    _similarities(
        "q_mean_for_sum",
        "Q is divided by the mean of the weights in place of their sum",
        "What must the entries of Q add up to?",
        {NORMALISED: "inverse / inverse.mean()"},
    ),
    _similarities(
        "q_diagonal_subtracted_once",
        "The normaliser contains the diagonal, of which only a single 1 was subtracted",
        "How many terms with k = l does a sum over all k and l contain?",
        {DIAGONAL: f"    total = inverse.sum() - 1.0\n{DIAGONAL}", NORMALISED: "inverse / total"},
    ),
    _similarities(
        "q_mean_of_squares",
        "d_ij contains the mean of the squares over the dimensions in place of their sum",
        "What is the square of the distance of two points?",
        {SQUARES: "np.mean(differences**2, axis=-1)"},
    ),
    _similarities(
        "q_manhattan_squared",
        "d_ij contains the square of the sum of the absolute differences (the city-block distance)",
        "Which norm does d_ij contain?",
        {SQUARES: "np.sum(np.abs(differences), axis=-1) ** 2"},
    ),
    _similarities(
        "q_weights_squared",
        "The weights are d_ij^-2: the exponent is twice what it should be",
        "Which power of d_ij does q_ij contain?",
        {INVERSE: f"1.0 / (1.0 + {SQUARES}) ** 2"},
    ),
    _similarities(
        "q_weights_root",
        "The weights are the roots of d_ij^-1: the exponent is half of what it should be",
        "Which power of d_ij does q_ij contain?",
        {INVERSE: f"1.0 / np.sqrt(1.0 + {SQUARES})"},
    ),
    _similarities(
        "q_exponent_of_dimension",
        "The exponent of d_ij depends on the dimension of the points",
        "Which power of d_ij does q_ij contain?",
        {INVERSE: f"(1.0 + {SQUARES}) ** (-(Y.shape[1] + 1) / 2)"},
    ),
    _similarities(
        "q_points_added",
        "The points are added in place of subtracted: the sign in the distance is wrong",
        "What is the distance of a point from itself?",
        {"Y[:, None, :] - Y[None, :, :]": "Y[:, None, :] + Y[None, :, :]"},
    ),
    _similarities(
        "q_binomial_two_missing",
        "The 2 of the binomial formula is missing in the distance",
        "Expand |y_i - y_j|^2.",
        {SQUARES: "np.sum(Y[:, None] ** 2 + Y[None] ** 2 - Y[:, None] * Y[None], axis=-1)"},
    ),
    _similarities(
        "q_constant",
        "Q is the same for all pairs: it does not depend on the points",
        "Where does Y enter q_ij?",
        {INVERSE: "np.ones((len(Y), len(Y)))"},
    ),
    _similarities(
        "q_upper_triangle",
        "Only the upper triangle is filled: Q is not symmetric, and every pair counts once",
        "Is q_ji different from q_ij?",
        {DIAGONAL: f"{DIAGONAL}    inverse = np.triu(inverse)\n"},
    ),
    _similarities(
        "q_last_point_missing",
        "The last point has no similarities",
        "Where does your loop over the points end?",
        {DIAGONAL: f"{DIAGONAL}    inverse[-1] = inverse[:, -1] = 0.0\n"},
    ),
    _similarities(
        "q_one_over_sum_of_distances",
        "It is divided by one over the sum of d_kl in place of the sum of d_kl^-1",
        "Which comes first in the denominator: the inverse, or the sum?",
        {NORMALISED: f"inverse * (np.sum(1.0 + {SQUARES}) - len(Y))"},
    ),
)

COST = (
    _cost(
        "kl_decimal_logarithm",
        "The logarithm is the one to base 10",
        "Which logarithm has the derivative 1/x, which the gradient relies on?",
        {"np.log(P[counted]": "np.log10(P[counted]"},
    ),
    _cost(
        "kl_divided_by_n",
        "The sum is divided by the number N of points",
        "The p_ij are the weights already: is there anything left to divide by?",
        {"float(np.sum(P": "float(1 / len(P) * np.sum(P"},
    ),
    _cost(
        "kl_mean_of_entries",
        "It is a mean over all entries where a sum belongs",
        "The p_ij are the weights already: is there anything left to divide by?",
        {"float(np.sum(P": "float(1 / P.size * np.sum(P"},
    ),
    _cost(
        "kl_absolute",
        "The terms lost their signs: their absolute values are added",
        "May a single term of the sum be negative?",
        {TERMS: f"np.abs({TERMS})"},
    ),
    _cost(
        "kl_weights_of_q",
        "The logarithms have the weights q_ij in place of p_ij",
        "By what is each logarithm multiplied?",
        {"P[counted] * np.log": "Q[counted] * np.log"},
    ),
    _cost(
        "kl_squared_difference",
        "It is the squared distance of P and Q, not a divergence",
        "Where is the logarithm?",
        {TERMS: "(P - Q) ** 2"},
    ),
    _cost(
        "kl_columns_normalised",
        "Every column of P and Q is normalised on its own",
        "P and Q are distributions over all pairs: what do their entries add up to?",
        {"    counted = ": "    P, Q = P / P.sum(axis=0), Q / Q.sum(axis=0)\n    counted = "},
    ),
    _cost(
        "kl_rows_of_p_normalised",
        "Every row of P is normalised on its own",
        "P is a distribution over all pairs: what do its entries add up to?",
        {"    counted = ": "    P = P / P.sum(axis=1, keepdims=True)\n    counted = "},
    ),
    _cost(
        "kl_quotient_of_logarithms",
        "It contains log p_ij / log q_ij in place of log(p_ij / q_ij)",
        "The logarithm of a ratio is a difference of logarithms.",
        {"np.log(P[counted] / Q[counted])": "(np.log(P[counted]) / np.log(Q[counted]))"},
    ),
    _cost(
        "kl_logarithm_plus_one",
        "A 1 was added inside the logarithm",
        "What is the divergence of P from itself?",
        {"np.log(P": "np.log1p(P"},
    ),
    _cost(
        "kl_upper_triangle",
        "Only the pairs i < j are added, the upper triangle: half of all pairs",
        "Does the sum over i != j contain both (i, j) and (j, i)?",
        {"counted = (P > 0)": "counted = np.triu(P > 0)"},
    ),
    _cost(
        "kl_lower_triangle",
        "Only the pairs i > j are added, the lower triangle: half of all pairs",
        "Does the sum over i != j contain both (i, j) and (j, i)?",
        {"counted = (P > 0)": "counted = np.tril(P > 0)"},
    ),
    _cost(
        "kl_jensen_shannon",
        "It is the Jensen-Shannon divergence, from the mixture of P and Q",
        "Is C the same if P and Q change places?",
        {
            f"np.sum({TERMS})": "0.5 * np.sum(P[counted] * np.log(2 * P[counted] / (P + Q)[counted]))"
            " + 0.5 * np.sum(Q[Q > 0] * np.log(2 * Q[Q > 0] / (P + Q)[Q > 0]))"
        },
    ),
    _cost(
        "kl_symmetrised",
        "P was made symmetric first: the mean of p_ij and p_ji",
        "P is given: must it be changed?",
        {"    counted = ": "    P = (P + P.T) / 2\n    counted = "},
    ),
)

GRADIENT = (
    _gradient(
        "gradient_times_n",
        "It is multiplied by the number N of points",
        "Is there an N in the formula?",
        {"4.0 * np": "4.0 * len(Y) * np"},
        credit=0.5,
    ),
    _gradient(
        "gradient_multiplied_by_d",
        "It is multiplied by d_sj in place of divided",
        "Which power of d_sj does the formula contain?",
        {"(Y)) * inverse": "(Y)) / inverse"},
    ),
    _gradient(
        "gradient_one_missing",
        "d_sj lacks the 1",
        "What is d_sj for two points that coincide?",
        {SQUARES: f"{SQUARES} - (1.0 - np.eye(len(Y)))"},
    ),
    _gradient(
        "gradient_without_p",
        "The attraction p_sj is missing",
        "What would keep neighbours together?",
        {DIFFERENCE: "(-low_dimensional_similarities(Y))"},
    ),
    _gradient(
        "gradient_squared_difference",
        "The differences y_s - y_j are squared",
        "Does the gradient know on which side of y_s the point y_j lies?",
        {"forces, differences)": "forces, differences**2)"},
    ),
    _gradient(
        "gradient_unit_difference",
        "The differences y_s - y_j were scaled to length one",
        "Does the formula contain a direction, or a difference?",
        {
            "    return 4.0": "    lengths = np.sqrt(np.sum(differences**2, axis=-1, keepdims=True))\n"
            "    differences = differences / np.where(lengths == 0.0, 1.0, lengths)\n    return 4.0"
        },
    ),
    _gradient(
        "gradient_sign_of_force",
        "Only the sign of p_sj - q_sj counts, not its magnitude",
        "Do all pairs pull equally strongly?",
        {DIFFERENCE: "np.sign(np.asarray(P) - low_dimensional_similarities(Y))"},
    ),
    _gradient(
        "gradient_later_points_only",
        "The sum over j runs over j > s only: half of the pairs are missing",
        "Over which points does the sum in dC/dy_s run?",
        {FORCES: '"ij,ijd->id", np.triu(forces), differences'},
    ),
    _gradient(
        "gradient_first_point_skipped",
        "The sum over j leaves out the first point",
        "Python counts from 0: where does your loop begin?",
        {FORCES: '"ij,ijd->id", forces[:, 1:], differences[:, 1:]'},
    ),
    _gradient(
        "gradient_last_point_skipped",
        "The sum over j leaves out the last point",
        "Python counts from 0: where does your loop end?",
        {FORCES: '"ij,ijd->id", forces[:, :-1], differences[:, :-1]'},
    ),
    _gradient(
        "gradient_last_term_only",
        "Only the last term of the sum over j remains: it is overwritten in place of added up",
        "What is the difference between = and +=?",
        {FORCES: '"ij,ijd->id", forces[:, -1:], differences[:, -1:]'},
    ),
    _gradient(
        "gradient_reaction_sign",
        "Of every pair, one point gets the force with the wrong sign: the reaction lacks its minus",
        "If y_i is pulled towards y_j, where is y_j pulled?",
        {FORCES: '"ij,ijd->id", np.triu(forces) - np.tril(forces), differences'},
    ),
    _gradient(
        "gradient_q_not_normalised",
        "The weight d_sj^-1 stands where the normalised q_sj belongs, in the difference p_sj - q_sj",
        "By what is d_sj^-1 divided to become q_sj?",
        {DIFFERENCE: "(np.asarray(P) - inverse * (1.0 - np.eye(len(Y))))"},
    ),
    _gradient(
        "gradient_exaggerated",
        "p_sj has the factor 4 of an early exaggeration",
        "Does the factor 4 of the formula belong to p_sj alone?",
        {"np.asarray(P)": "4.0 * np.asarray(P)"},
    ),
    _gradient(
        "gradient_row_sums_missing",
        "The terms with y_s are missing (the row sums of the Laplacian): only the y_j are added",
        "Does the gradient change if all points move together?",
        {f"np.einsum({FORCES})": "(-forces @ Y)"},
    ),
    _gradient(
        "gradient_matrix_product",
        "A matrix product stands where the factors are multiplied entry by entry",
        "Which of @ and * multiplies p_sj - q_sj with d_sj^-1 of the same pair?",
        {"(Y)) * inverse": "(Y)) @ inverse"},
    ),
    _gradient(
        "gradient_normalised",
        "The gradient was scaled to length one",
        "How long is a gradient close to a minimum?",
        {
            f"    return 4.0 * np.einsum({FORCES})\n": f"    found = np.einsum({FORCES})\n"
            "    return found / np.linalg.norm(found)\n"
        },
    ),
    _gradient(
        "gradient_standardised",
        "The points were divided by their standard deviation first",
        "Is the gradient the same at 2 Y as at Y?",
        {"    differences = ": "    Y = Y / Y.std()\n    differences = "},
    ),
    _gradient(
        "gradient_weight_decay",
        "A multiple of Y is added, as by a weight decay",
        "Does the gradient change if all points move together?",
        {f"4.0 * np.einsum({FORCES})": f"4.0 * np.einsum({FORCES}) + 0.01 * Y"},
    ),
    _gradient(
        "gradient_integer_power",
        "A whole number to a negative power raises an exception: it is computed in the dtype of Y",
        "What is np.array([2]) ** -1?",
        {
            "    Y = np.asarray(Y, dtype=float)\n": "    Y = np.asarray(Y)\n",
            INVERSE: f"(1 + {SQUARES}) ** (-1)",
        },
    ),
)

MISTAKES = (*SIMILARITIES, *COST, *GRADIENT)
