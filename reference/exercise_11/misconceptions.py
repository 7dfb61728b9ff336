"""The known mistakes of exercise 11, as edits of the reference: what students of this sheet really write.

Each message says where to look and leaves the answer to the student.
"""

from __future__ import annotations

from grader.course import Misconception

from . import mistakes_autoencoder, mistakes_ratings, mistakes_tsne

DIFFERENCES = "Y[:, None, :] - Y[None, :, :]"
INVERSE = "1.0 / (1.0 + np.sum(differences**2, axis=-1))"
SQUARES = "np.sum(differences**2, axis=-1)"

SIMILARITIES = (
    Misconception(
        "low_dimensional_similarities",
        "q_distance_not_squared",
        "d_ij contains the distance where its square belongs",
        "Look at the exponent in the definition of d_ij.",
        {SQUARES: "np.sqrt(np.sum(differences**2, axis=-1))"},
    ),
    Misconception(
        "low_dimensional_similarities",
        "q_manhattan_distance",
        "d_ij adds absolute differences in place of squares",
        "Which norm does d_ij contain?",
        {"differences**2": "np.abs(differences)"},
    ),
    Misconception(
        "low_dimensional_similarities",
        "q_one_missing",
        "d_ij lacks the 1",
        "What is d_ij for two points that coincide, and what would its inverse be?",
        {"1.0 + np.sum": "np.sum"},
    ),
    Misconception(
        "low_dimensional_similarities",
        "q_distance_not_inverted",
        "Q is made of d_ij in place of its inverse",
        "Should points that are far apart be more similar?",
        {"= 1.0 / (1.0": "= (1.0"},
    ),
    Misconception(
        "low_dimensional_similarities",
        "q_gaussian",
        "Q has a Gaussian in place of Student's t distribution",
        "The t in t-SNE names the distribution in the plane of the embedding.",
        {INVERSE: "np.exp(-np.sum(differences**2, axis=-1))"},
    ),
    Misconception(
        "low_dimensional_similarities",
        "q_rows_normalised",
        "Every row of Q is normalised on its own",
        "Over which pairs does the sum in the denominator run?",
        {"inverse / inverse.sum()": "inverse / inverse.sum(axis=1, keepdims=True)"},
    ),
    Misconception(
        "low_dimensional_similarities",
        "q_diagonal_counted",
        "The diagonal is counted in the normaliser",
        "The sum in the denominator leaves some pairs out: which?",
        {
            "    np.fill_diagonal(inverse, 0.0)\n": "    total = inverse.sum()\n    np.fill_diagonal(inverse, 0.0)\n",
            "inverse / inverse.sum()": "inverse / total",
        },
    ),
    Misconception(
        "low_dimensional_similarities",
        "q_diagonal_kept",
        "The diagonal of Q is not zero",
        "What is q_ii, and is it part of the sum?",
        {"    np.fill_diagonal(inverse, 0.0)\n": ""},
    ),
    Misconception(
        "low_dimensional_similarities",
        "q_not_normalised",
        "Q is not normalised",
        "What must the entries of Q add up to?",
        {"inverse / inverse.sum()": "inverse"},
    ),
    Misconception(
        "low_dimensional_similarities",
        "q_pairs_counted_once",
        "Every pair is counted once in the normaliser, and twice in Q",
        "Does the sum over k != l contain both (k, l) and (l, k)?",
        {"inverse / inverse.sum()": "inverse / (inverse.sum() / 2)"},
    ),
    Misconception(
        "low_dimensional_similarities",
        "q_largest_is_one",
        "Q is divided by its largest entry",
        "What must the entries of Q add up to?",
        {"inverse / inverse.sum()": "inverse / inverse.max()"},
    ),
    Misconception(
        "low_dimensional_similarities",
        "q_two_dimensions",
        "It supports two dimensions only",
        "Nothing in the definition of d_ij depends on d = 2.",
        {DIFFERENCES: f"({DIFFERENCES})[:, :, [0, 1]]"},
    ),
)

COST = (
    Misconception(
        "kl_divergence",
        "kl_reversed",
        "P and Q have changed places: it is KL(Q || P)",
        "Under which of the two distributions is the logarithm averaged?",
        {"P[counted] * np.log(P[counted] / Q[counted])": "Q[counted] * np.log(Q[counted] / P[counted])"},
    ),
    Misconception(
        "kl_divergence",
        "kl_sign",
        "The fraction in the logarithm stands upside down, so the sign is wrong",
        "Can a divergence be negative?",
        {"np.log(P[counted] / Q[counted])": "np.log(Q[counted] / P[counted])"},
    ),
    Misconception(
        "kl_divergence",
        "kl_cross_entropy",
        "It is the cross entropy: the entropy of P is missing",
        "What is the divergence of P from itself?",
        {"np.log(P[counted] / Q[counted])": "-np.log(Q[counted])"},
    ),
    Misconception(
        "kl_divergence",
        "kl_without_weights",
        "The logarithms are added without their weights p_ij",
        "By what is each logarithm multiplied?",
        {"np.sum(P[counted] * np.log": "np.sum(np.log"},
    ),
    Misconception(
        "kl_divergence",
        "kl_mean",
        "It is a mean where a sum belongs",
        "The p_ij are the weights already: is there anything left to divide by?",
        {"np.sum(P[counted] * np.log": "np.mean(P[counted] * np.log"},
    ),
    Misconception(
        "kl_divergence",
        "kl_binary_logarithm",
        "The logarithm is the one to base 2",
        "Which logarithm has the derivative 1/x, which the gradient relies on?",
        {"np.log(P[counted]": "np.log2(P[counted]"},
    ),
    Misconception(
        "kl_divergence",
        "kl_zero_times_infinity",
        "Where p_ij is zero, the product with the logarithm is not a number",
        "What does 0 log 0 count as, and what does Python make of it?",
        {"(P > 0) & ~np.eye(len(P), dtype=bool)": "~np.eye(len(P), dtype=bool)"},
    ),
    Misconception(
        "kl_divergence",
        "kl_pairs_counted_once",
        "Every pair is counted once",
        "Does the sum over i != j contain both (i, j) and (j, i)?",
        {"float(np.sum(P": "float(0.5 * np.sum(P"},
    ),
)

GRADIENT = (
    Misconception(
        "tsne_gradient",
        "gradient_factor_missing",
        "The constant factor is missing",
        "How often does y_s occur in the cost, and what does the derivative of a square add?",
        {"4.0 * np": "np"},
        credit=0.5,
    ),
    Misconception(
        "tsne_gradient",
        "gradient_factor_half",
        "The constant factor is half of what it should be",
        "y_s occurs in d_sj and in d_js: are both in your sum?",
        {"4.0 * np": "2.0 * np"},
        credit=0.5,
    ),
    Misconception(
        "tsne_gradient",
        "gradient_sign",
        "The sign is wrong: it points downhill",
        "Take two points that are too close together: in which direction does the cost rise?",
        {"4.0 * np": "-4.0 * np"},
        credit=0.5,
    ),
    Misconception(
        "tsne_gradient",
        "gradient_inverse_missing",
        "The factor d_sj^-1 is missing",
        "Which factors does the derivative of log d_nm leave?",
        {"(Y)) * inverse": "(Y))"},
    ),
    Misconception(
        "tsne_gradient",
        "gradient_q_for_inverse",
        "q_sj stands where d_sj^-1 belongs",
        "Is the last factor of the formula normalised?",
        {"(Y)) * inverse": "(Y)) * low_dimensional_similarities(Y)"},
    ),
    Misconception(
        "tsne_gradient",
        "gradient_inverse_squared",
        "The factor d_sj^-1 is squared",
        "Count the powers of d_nm that remain after factoring out.",
        {"(Y)) * inverse": "(Y)) * inverse**2"},
    ),
    Misconception(
        "tsne_gradient",
        "gradient_distance_not_squared",
        "d_sj contains the distance where its square belongs",
        "Look at the exponent in the definition of d_ij.",
        {SQUARES: "np.sqrt(np.sum(differences**2, axis=-1))"},
    ),
    Misconception(
        "tsne_gradient",
        "gradient_without_q",
        "The repulsion q_sj is missing",
        "What would keep the points apart?",
        {"(np.asarray(P) - low_dimensional_similarities(Y))": "np.asarray(P)"},
    ),
    Misconception(
        "tsne_gradient",
        "gradient_q_not_subtracted",
        "q_sj is added in place of subtracted",
        "What is the gradient where P and Q agree?",
        {
            "np.asarray(P) - low_dimensional_similarities(Y)": "np.asarray(P) + low_dimensional_similarities(Y)"
        },
    ),
    Misconception(
        "tsne_gradient",
        "gradient_sum_of_points",
        "y_s and y_j are added in place of subtracted",
        "Does the gradient change if all points move together?",
        {"forces, differences)": "forces, Y[:, None, :] + Y[None, :, :])"},
    ),
    Misconception(
        "tsne_gradient",
        "gradient_mean",
        "It is a mean over j where a sum belongs",
        "Is there a 1/N in the formula?",
        {"return 4.0 * np": "return 4.0 / len(Y) * np"},
        credit=0.5,
    ),
    Misconception(
        "tsne_gradient",
        "gradient_two_dimensions",
        "It supports two dimensions only",
        "Nothing in the formula depends on d = 2.",
        {'("ij,ijd->id", forces, differences)': '("ij,ijd->id", forces, differences[:, :, [0, 1]])'},
    ),
    Misconception(
        "tsne_gradient",
        "gradient_plane_only",
        "It supports two dimensions only, in the distances as well",
        "Nothing in the formula depends on d = 2.",
        {DIFFERENCES: f"({DIFFERENCES})[:, :, [0, 1]]"},
    ),
    Misconception(
        "tsne_gradient",
        "gradient_of_distance",
        "It is the gradient for a d_sj that contains the distance where its square belongs",
        "Look at the exponent in the definition of d_ij, and derive the gradient for that.",
        {
            SQUARES: "np.sqrt(np.sum(differences**2, axis=-1))",
            "return 4.0 * np": "length = np.sqrt(np.sum(differences**2, axis=-1, keepdims=True))\n"
            "    differences = differences / np.where(length == 0.0, 1.0, length)\n"
            "    return 2.0 * np",
        },
    ),
    Misconception(
        "tsne_gradient",
        "gradient_integer_dtype",
        "It is written into an array of the dtype of Y, which may be one of integers",
        "What does np.zeros_like(Y) return for a Y of whole numbers?",
        {
            "    Y = np.asarray(Y, dtype=float)\n": "    given = np.asarray(Y).dtype\n    Y = np.asarray(Y, dtype=float)\n",
            "forces, differences)": "forces, differences).astype(given)",
        },
    ),
)

RECONSTRUCTION = (
    Misconception(
        "reconstruct",
        "reconstruct_code",
        "It is the code X W1, not the reconstruction",
        "What shape must a reconstruction of X have?",
        {"X @ W1 @ W2": "X @ W1"},
    ),
    Misconception(
        "reconstruct",
        "reconstruct_transposed_weights",
        "The weights are transposed and have changed places",
        "In which order do the rows of X pass through the layers?",
        {"X @ W1 @ W2": "X @ W2.T @ W1.T"},
    ),
    Misconception(
        "reconstruct",
        "reconstruct_tied_weights",
        "The decoder is the transposed encoder",
        "Are W1 and W2 tied in this exercise?",
        {"X @ W1 @ W2": "X @ W1 @ W1.T"},
    ),
    Misconception(
        "reconstruct",
        "reconstruct_centred",
        "The mean of X is subtracted before and added after",
        "Does this autoencoder have a bias?",
        {"X @ W1 @ W2": "(X - X.mean(axis=0)) @ W1 @ W2 + X.mean(axis=0)"},
    ),
    Misconception(
        "reconstruct",
        "reconstruct_activation",
        "There is a nonlinear activation (ReLU) between the layers",
        "Which activations does a linear autoencoder have?",
        {"X @ W1 @ W2": "np.maximum(X @ W1, 0.0) @ W2"},
    ),
    Misconception(
        "reconstruction_error",
        "error_over_entries",
        "The mean is taken over all entries in place of the points",
        "By what does E divide: by N, or by N D?",
        {"np.mean(np.sum(": "np.mean(np.mean("},
    ),
    Misconception(
        "reconstruction_error",
        "error_summed",
        "The errors of the points are added, not averaged",
        "What stands in front of the sum over n?",
        {"np.mean(np.sum(": "np.sum(np.sum("},
    ),
    Misconception(
        "reconstruction_error",
        "error_distance",
        "It averages distances in place of squared distances",
        "Is there a root in E?",
        {"np.mean(np.sum((X": "np.mean(np.sqrt(np.sum((X", "axis=1)))": "axis=1))))"},
    ),
    Misconception(
        "reconstruction_error",
        "error_absolute",
        "It adds absolute differences in place of squares",
        "Which norm does E contain?",
        {"(X - reconstruct(X, W1, W2)) ** 2": "np.abs(X - reconstruct(X, W1, W2))"},
    ),
    Misconception(
        "reconstruction_error",
        "error_root",
        "It is the root of the error",
        "Is there a root in E?",
        {"float(np.mean(": "float(np.sqrt(np.mean(", "axis=1)))": "axis=1))))"},
    ),
    Misconception(
        "reconstruction_error",
        "error_half",
        "There is a factor of one half",
        "E has no constant that would cancel the 2 of the derivative.",
        {"float(np.mean(": "float(0.5 * np.mean("},
    ),
    Misconception(
        "reconstruction_error_gradient",
        "ae_gradient_sign",
        "The sign is wrong: it points downhill",
        "The derivative of the square is twice the residual: which way round is the residual taken?",
        {"reconstruct(X, W1, W2) - X": "X - reconstruct(X, W1, W2)"},
        credit=0.5,
    ),
    Misconception(
        "reconstruction_error_gradient",
        "ae_gradient_two_missing",
        "The factor 2 of the derivative of a square is missing",
        "What is the derivative of a square?",
        {"2.0 / len(X) * X.T": "1.0 / len(X) * X.T", "2.0 / len(X) * (X": "1.0 / len(X) * (X"},
        credit=0.5,
    ),
    Misconception(
        "reconstruction_error_gradient",
        "ae_gradient_not_averaged",
        "The mean over the points is missing",
        "E divides by N: does its derivative?",
        {"2.0 / len(X) * X.T": "2.0 * X.T", "2.0 / len(X) * (X": "2.0 * (X"},
        credit=0.5,
    ),
    Misconception(
        "reconstruction_error_gradient",
        "ae_gradient_over_entries",
        "The mean is taken over all entries in place of the points",
        "By what does E divide: by N, or by N D?",
        {"2.0 / len(X) * X.T": "2.0 / X.size * X.T", "2.0 / len(X) * (X": "2.0 / X.size * (X"},
        credit=0.5,
    ),
    Misconception(
        "reconstruction_error_gradient",
        "ae_gradient_swapped",
        "The two gradients come in the wrong order",
        "The first part has the shape of W1.",
        {"residual,\n    )": "residual,\n    )[::-1]"},
        credit=0.5,
    ),
    Misconception(
        "reconstruction_error_gradient",
        "ae_gradient_w2_missing",
        "The gradient of W1 lacks the factor W2",
        "Follow the chain rule back through the second layer; does the shape fit that of W1?",
        {"@ residual @ W2.T": "@ residual"},
    ),
    Misconception(
        "reconstruction_error_gradient",
        "ae_gradient_w1_missing",
        "The gradient of W2 lacks the factor W1",
        "What is the input of the second layer?",
        {"(X @ W1).T @ residual": "X.T @ residual"},
    ),
    Misconception(
        "reconstruction_error_gradient",
        "ae_gradient_first_transposed",
        "The gradient of W1 is transposed",
        "A gradient has the shape of what it is taken with respect to.",
        {"X.T @ residual @ W2.T": "(X.T @ residual @ W2.T).T"},
    ),
    Misconception(
        "reconstruction_error_gradient",
        "ae_gradient_second_transposed",
        "The gradient of W2 is transposed",
        "A gradient has the shape of what it is taken with respect to.",
        {"(X @ W1).T @ residual": "residual.T @ (X @ W1)"},
    ),
)

BOUND = (
    Misconception(
        "minimum_error",
        "bound_not_squared",
        "The singular values are not squared",
        "What is the squared Frobenius norm in terms of singular values?",
        {"[k:] ** 2": "[k:]"},
    ),
    Misconception(
        "minimum_error",
        "bound_centred",
        "The data are centred",
        "Could a bias subtract the mean here?",
        {"svd(X, compute": "svd(X - X.mean(axis=0), compute"},
    ),
    Misconception(
        "minimum_error",
        "bound_kept_values",
        "The singular values that are kept are added in place of those that are lost",
        "Which part of X does a rank of k leave out?",
        {"singular_values[k:]": "singular_values[:k]"},
    ),
    Misconception(
        "minimum_error",
        "bound_late",
        "The sum begins one singular value too late",
        "Python counts from 0: which index has the first value that is lost?",
        {"singular_values[k:]": "singular_values[k + 1 :]"},
    ),
    Misconception(
        "minimum_error",
        "bound_early",
        "The sum begins one singular value too early",
        "Python counts from 0: which index has the first value that is lost?",
        {"singular_values[k:]": "singular_values[k - 1 :]"},
    ),
    Misconception(
        "minimum_error",
        "bound_next_only",
        "Only the first of the lost singular values is counted",
        "Which norm does E use: the spectral norm, or the sum of all squares?",
        {"singular_values[k:]": "singular_values[k : k + 1]"},
    ),
    Misconception(
        "minimum_error",
        "bound_not_averaged",
        "The mean over the points is missing",
        "E divides by N: does its bound?",
        {"** 2) / len(X)": "** 2)"},
    ),
    Misconception(
        "minimum_error",
        "bound_over_entries",
        "The mean is taken over all entries in place of the points",
        "By what does E divide: by N, or by N D?",
        {"** 2) / len(X)": "** 2) / X.size"},
    ),
    Misconception(
        "minimum_error",
        "bound_degrees_of_freedom",
        "It divides by N - 1",
        "E is a mean over the points, not an estimate of a variance.",
        {"/ len(X)": "/ (len(X) - 1)"},
    ),
    Misconception(
        "minimum_error",
        "bound_root",
        "It is the root of the bound",
        "Is there a root in E?",
        {"float(np.sum(": "float(np.sqrt(np.sum(", "/ len(X))": "/ len(X)))"},
    ),
)

FIT = (
    Misconception(
        "fit_linear_autoencoder",
        "fit_centred",
        "The data are centred before their directions are computed",
        "Could a bias add the mean again here?",
        {"qr(X, mode": "qr(X - X.mean(axis=0), mode"},
    ),
    Misconception(
        "fit_linear_autoencoder",
        "fit_smallest_directions",
        "The directions of the smallest singular values are kept",
        "In which order do the routines of linear algebra return eigenvalues and singular values?",
        {"[2][:k]": "[2][::-1][:k]"},
    ),
    Misconception(
        "fit_linear_autoencoder",
        "fit_rows_for_columns",
        "Rows are taken for columns in the matrix of singular vectors",
        "Does the routine return V or its transpose?",
        {"[2][:k]": "[2].T[:k]"},
    ),
    Misconception(
        "fit_linear_autoencoder",
        "fit_one_direction_less",
        "One direction too few is kept",
        "How many rows does a slice to k - 1 have?",
        {"[2][:k]": "[2][: max(k - 1, 0)]"},
    ),
    Misconception(
        "fit_linear_autoencoder",
        "fit_scaled",
        "The code is scaled by the singular values, and the decoder does not undo it",
        "What must W1 W2 be on the directions that are kept?",
        {
            "return directions.T, directions": "return directions.T * np.pad("
            "np.linalg.svd(X, compute_uv=False), (0, k))[:k], directions"
        },
    ),
    Misconception(
        "fit_linear_autoencoder",
        "fit_first_coordinates",
        "The first k coordinates are kept in place of directions of the data",
        "Does the fit look at the data at all?",
        {'np.linalg.svd(np.linalg.qr(X, mode="r"))[2][:k]': "np.eye(X.shape[1])[:k]"},
    ),
)

SHIFT = (
    Misconception(
        "shift_user_mean",
        "shift_zeros_in_mean",
        "Unknown ratings count as zeros in the mean",
        "How many ratings did the user give?",
        {"np.maximum(counts, 1)": "shifted.shape[1]"},
    ),
    Misconception(
        "shift_user_mean",
        "shift_unknown_cells",
        "Unknown cells are shifted too",
        "Which entries of the matrix are ratings?",
        {
            "    shifted.data = shifted.data - np.repeat(means, counts)\n": "    shifted = sp.csr_matrix("
            "shifted.toarray() - means[:, None])\n"
        },
    ),
    Misconception(
        "shift_user_mean",
        "shift_zeros_everywhere",
        "Unknown ratings count as zeros in the mean, and are shifted too",
        "How many ratings did the user give, and which entries are they?",
        {
            "np.maximum(counts, 1)": "shifted.shape[1]",
            "    shifted.data = shifted.data - np.repeat(means, counts)\n": "    shifted = sp.csr_matrix("
            "shifted.toarray() - means[:, None])\n",
        },
    ),
    Misconception(
        "shift_user_mean",
        "shift_restaurant_mean",
        "The mean of every restaurant is subtracted, not of every user",
        "Along which axis do the ratings of one user lie?",
        {
            "matrix.tocsr().astype(float)": "matrix.tocsc().astype(float)",
            "shifted.sum(axis=1)": "shifted.sum(axis=0)",
        },
    ),
    Misconception(
        "shift_user_mean",
        "shift_global_mean",
        "The mean of all ratings is subtracted",
        "Whose mean should it be?",
        {
            "np.asarray(shifted.sum(axis=1)).ravel() / np.maximum(counts, 1)": "np.full("
            "len(counts), shifted.data.mean())"
        },
    ),
    Misconception(
        "shift_user_mean",
        "shift_added",
        "The mean is added",
        "What is the mean of a user's ratings afterwards?",
        {"shifted.data - np": "shifted.data + np"},
    ),
    Misconception(
        "shift_user_mean",
        "shift_not_done",
        "The means are right, but the matrix comes back as it was",
        "Did you change a copy, and return the original?",
        {"    shifted.data = shifted.data - np.repeat(means, counts)\n": ""},
    ),
    Misconception(
        "shift_user_mean",
        "shift_integer_dtype",
        "The shifted ratings are stored as integers",
        "What is the dtype of a matrix of stars?",
        {
            "shifted.data - np.repeat(means, counts)": "(shifted.data - np.repeat(means, counts)).astype(matrix.dtype)"
        },
    ),
)

RANDOM = "np.random.rand(matrix.shape[0], k), np.random.rand(k, matrix.shape[1])"
START = (
    Misconception(
        "initialize_Q_P",
        "start_normal",
        "The random start is drawn from a normal distribution",
        "Which distribution is asked for?",
        {RANDOM: RANDOM.replace("rand(", "randn(")},
    ),
    Misconception(
        "initialize_Q_P",
        "start_symmetric",
        "The random start is drawn from [-1, 1)",
        "Which interval is asked for?",
        {RANDOM: "2 * np.random.rand(matrix.shape[0], k) - 1, 2 * np.random.rand(k, matrix.shape[1]) - 1"},
    ),
    Misconception(
        "initialize_Q_P",
        "start_integers",
        "The random start consists of whole numbers",
        "Does the function that you call draw from an interval, or from a list?",
        {
            RANDOM: "np.random.randint(0, 6, (matrix.shape[0], k)), np.random.randint(0, 6, (k, matrix.shape[1]))"
        },
    ),
    Misconception(
        "initialize_Q_P",
        "start_constant",
        "All entries of the random start are the same",
        "What can break the symmetry between the factors?",
        {RANDOM: "np.full((matrix.shape[0], k), 0.5), np.full((k, matrix.shape[1]), 0.5)"},
    ),
    Misconception(
        "initialize_Q_P",
        "start_singular_values_dropped",
        "The singular values are dropped from the start by SVD",
        "What do you get if you multiply the three factors, and if you multiply two?",
        {"return u * s, vt": "return u, vt"},
    ),
    Misconception(
        "initialize_Q_P",
        "start_singular_values_twice",
        "The singular values go into both factors in full",
        "What do you get if you multiply Q and P?",
        {"return u * s, vt": "return u * s, s[:, None] * vt"},
    ),
    Misconception(
        "initialize_Q_P",
        "start_transposed",
        "Q and P are transposed",
        "Which of the shapes N, k and D has Q, which has P?",
        {
            RANDOM: "np.random.rand(k, matrix.shape[0]), np.random.rand(matrix.shape[1], k)",
            "return u * s, vt": "return (u * s).T, vt.T",
        },
    ),
    Misconception(
        "initialize_Q_P",
        "start_smallest_values",
        "The smallest singular values are kept",
        "In which order does your routine return the singular values?",
        {
            '    if init == "svd":\n        u, s, vt = svds(sp.csr_matrix(matrix, dtype=float), k=k)\n': "    if init == "
            '"svd":\n        u, s, vt = np.linalg.svd(np.asarray(matrix.todense()), full_matrices=False)\n'
            "        u, s, vt = u[:, -k:], s[-k:], vt[-k:]\n"
        },
    ),
    Misconception(
        "initialize_Q_P",
        "start_unknown_accepted",
        "A start that does not exist is accepted",
        "What should happen for a name that is neither of the two?",
        {
            "    raise ValueError(f\"init must be 'random' or 'svd', not {init!r}\")\n": "    return "
            + RANDOM
            + "\n"
        },
    ),
)

SOLVE = """        outer = np.zeros((count, k, k))
        right = np.zeros((count, k))
        np.add.at(outer, owners, fixed[at][:, :, None] * fixed[at][:, None, :])
        np.add.at(right, owners, fixed[at] * values[:, None])
"""
INTERCEPT = """        number = np.maximum(np.bincount(owners, minlength=count), 1)
        centre = np.zeros((count, k))
        np.add.at(centre, owners, fixed[at] / number[owners][:, None])
        level = np.bincount(owners, values, count) / number
        shifted = fixed[at] - centre[owners]
        outer = np.zeros((count, k, k))
        right = np.zeros((count, k))
        np.add.at(outer, owners, shifted[:, :, None] * shifted[:, None, :])
        np.add.at(right, owners, shifted * (values - level[owners])[:, None])
"""
KNOWN = """    rows, columns = np.asarray(non_zero_idx).T
    values = np.asarray(R[rows, columns]).ravel()
"""
FACTORIZATION = (
    Misconception(
        "latent_factor_alternating_optimization",
        "factors_unknown_as_zeros",
        "Unknown ratings are fitted as zeros",
        "Over which pairs does the loss run?",
        {
            KNOWN: "    rows, columns = np.indices(R.shape).reshape(2, -1)\n"
            "    values = np.asarray(R.todense()).ravel()\n"
        },
    ),
    Misconception(
        "latent_factor_alternating_optimization",
        "factors_positive_only",
        "Ratings below the user's mean are taken for unknown",
        "After the shift a rating may be negative or zero: how do you tell known from unknown?",
        {
            KNOWN: "    rows, columns = (np.asarray(R.todense()) > 0).nonzero()\n"
            "    values = np.asarray(R[rows, columns]).ravel()\n"
        },
    ),
    Misconception(
        "latent_factor_alternating_optimization",
        "als_intercept",
        "The regression of ALS fits an intercept, which is then lost",
        "Does the model q_u . p_i have a constant?",
        {SOLVE: INTERCEPT},
    ),
    Misconception(
        "latent_factor_alternating_optimization",
        "als_lambda_ignored",
        "ALS ignores lambda",
        "What should a very large lambda do to the factors?",
        {"(reg_lambda + 1e-12)": "1e-12"},
    ),
    Misconception(
        "latent_factor_alternating_optimization",
        "als_one_factor",
        "ALS solves for one factor only",
        "What does alternating mean?",
        {"            P = solve(Q, rows, columns, R.shape[1]).T\n": ""},
    ),
    Misconception(
        "latent_factor_alternating_optimization",
        "sgd_climbs",
        "SGD climbs: its steps have the wrong sign",
        "What is the sign of the residual in the gradient, and in a step against it?",
        {"error = values[entry] - Q[u] @ P[:, i]": "error = Q[u] @ P[:, i] - values[entry]"},
    ),
    Misconception(
        "latent_factor_alternating_optimization",
        "sgd_overwrites",
        "A step of SGD replaces the factors in place of changing them",
        "What is the difference between = and +=, after many ratings of one user?",
        {"q = Q[u] + lr *": "q = lr *", "P[:, i] += lr *": "P[:, i] = lr *"},
    ),
    Misconception(
        "latent_factor_alternating_optimization",
        "patience_ignored",
        "The run does not end when the validation loss stops improving",
        "What should happen after `patience` evaluations without improvement?",
        {"if waited >= patience:": "if False:"},
    ),
    Misconception(
        "latent_factor_alternating_optimization",
        "max_steps_ignored",
        "The run goes on after max_steps",
        "Which loop counts the steps?",
        {"for step in range(max_steps):": "for step in range(2 * max_steps):"},
    ),
    Misconception(
        "latent_factor_alternating_optimization",
        "converged_after_unbound",
        "converged_after has no value when max_steps is reached",
        "Which value should it have when the loop ends by itself?",
        {"waited, converged_after = 0, -1": "waited = 0"},
    ),
    Misconception(
        "latent_factor_alternating_optimization",
        "converged_after_last_step",
        "converged_after names a step although max_steps ended the run",
        "Which value says that the run did not converge?",
        {
            "    else:\n        if loss(val_values": "    else:\n        converged_after = step\n"
            "        if loss(val_values"
        },
    ),
    Misconception(
        "latent_factor_alternating_optimization",
        "init_ignored",
        "The start that was asked for is not used",
        "Where does the argument init go?",
        {"initialize_Q_P(R, k, init)": 'initialize_Q_P(R, k, "random")'},
    ),
)

MISCONCEPTIONS = (
    *SIMILARITIES,
    *COST,
    *GRADIENT,
    *RECONSTRUCTION,
    *BOUND,
    *FIT,
    *SHIFT,
    *START,
    *FACTORIZATION,
    *mistakes_tsne.MISTAKES,
    *mistakes_autoencoder.MISTAKES,
    *mistakes_ratings.MISTAKES,
)
