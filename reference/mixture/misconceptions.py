"""The known mistakes of the mixture of Gaussians. A message says where to look and leaves the answer."""

from __future__ import annotations

from grader.course import Misconception

SQUARES = "np.sum(centred * np.linalg.solve(covariance, centred.T).T, axis=1)"
COVARIANCES = 'np.einsum("nk,kni,knj->kij", R, centred, centred) / counts[:, None, None]'

MISCONCEPTIONS = (
    Misconception(
        "log_gaussians",
        "covariance_not_inverted",
        "The covariance is not inverted",
        "Does a density fall faster where the covariance is large or where it is small?",
        {SQUARES: "np.sum(centred * (covariance @ centred.T).T, axis=1)"},
    ),
    Misconception(
        "log_gaussians",
        "half_missing",
        "The exponent lacks the factor 1/2",
        "Which factor stands before the quadratic form?",
        {"-0.5 * (squares + constant)": "-squares - 0.5 * constant"},
    ),
    Misconception(
        "log_gaussians",
        "determinant_missing",
        "The determinant is missing",
        "What does the density have to integrate to?",
        {" + np.linalg.slogdet(covariance)[1]": ""},
    ),
    Misconception(
        "log_gaussians",
        "root_missing",
        "The root of the normaliser is missing",
        "What becomes of a root in a logarithm?",
        {"-0.5 * (squares + constant)": "-0.5 * squares - constant"},
    ),
    Misconception(
        "log_gaussians",
        "dimension_missing",
        "The power of 2 pi does not depend on the dimension",
        "To which power is 2 pi taken?",
        {"X.shape[1] * np.log(2.0 * np.pi)": "np.log(2.0 * np.pi)"},
    ),
    Misconception(
        "log_gaussians",
        "two_pi_missing",
        "The factor 2 pi is missing",
        "What does the density have to integrate to?",
        {"X.shape[1] * np.log(2.0 * np.pi) + ": ""},
    ),
    Misconception(
        "log_gaussians",
        "no_logarithm",
        "The densities are returned, not their logarithms",
        "What does the function have in its name?",
        {"    return logarithms": "    return np.exp(logarithms)"},
    ),
    Misconception(
        "log_likelihood",
        "likelihood_without_weights",
        "The weights are missing",
        "By what is each Gaussian multiplied in p(x)?",
        {" + np.log(weights)": ""},
    ),
    Misconception(
        "log_likelihood",
        "likelihood_mean",
        "It is a mean over the points",
        "What stands before log p(x_n)?",
        {"float(np.sum(largest) + np.sum(": "float(np.mean(largest) + np.mean("},
    ),
    Misconception(
        "log_likelihood",
        "likelihood_of_best",
        "Each point counts with its best component alone",
        "What does p(x) sum over?",
        {" + np.sum(np.log(np.sum(np.exp(joint - largest), axis=1)))": ""},
    ),
    Misconception(
        "log_likelihood",
        "likelihood_underflows",
        "The density of a point far away underflows",
        "What is exp(-1000), and what is its logarithm?",
        {"np.max(joint, axis=1, keepdims=True)": "np.zeros((len(X), 1))"},
    ),
    Misconception(
        "responsibilities",
        "responsibilities_without_weights",
        "The weights are missing",
        "By what is each Gaussian multiplied in r?",
        {" + np.log(weights)": ""},
    ),
    Misconception(
        "responsibilities",
        "responsibilities_over_points",
        "They are normalised over the points",
        "What do the responsibilities for one point sum to?",
        {"np.sum(R, axis=1, keepdims=True)": "np.sum(R, axis=0, keepdims=True)"},
    ),
    Misconception(
        "responsibilities",
        "responsibilities_hard",
        "Each point belongs to one component alone",
        "Can two components share a point?",
        {"    return R / np.sum(R, axis=1, keepdims=True)": "    return (R == 1.0).astype(float)"},
    ),
    Misconception(
        "responsibilities",
        "responsibilities_underflow",
        "The density of a point far away underflows",
        "What is exp(-1000), and what is zero divided by zero?",
        {"np.max(joint, axis=1, keepdims=True)": "0.0"},
    ),
    Misconception(
        "maximise",
        "weights_are_counts",
        "The weights are not divided by the number of points",
        "What do the weights sum to?",
        {"counts / len(X)": "counts"},
    ),
    Misconception(
        "maximise",
        "means_over_all",
        "The means are divided by the number of all points",
        "By which number is the sum in mu_k divided?",
        {"R.T @ X / counts[:, None]": "R.T @ X / len(X)"},
    ),
    Misconception(
        "maximise",
        "covariances_not_centred",
        "The means are not subtracted in the covariances",
        "Of which differences is the product taken?",
        {"X[None, :, :] - means[:, None, :]": "X[None, :, :] + 0.0 * means[:, None, :]"},
    ),
    Misconception(
        "maximise",
        "covariances_over_all",
        "The covariances are divided by the number of all points",
        "By which number is the sum in Sigma_k divided?",
        {COVARIANCES: 'np.einsum("nk,kni,knj->kij", R, centred, centred) / len(X)'},
    ),
    Misconception(
        "maximise",
        "covariances_unbiased",
        "The covariances are divided by N_k - 1",
        "By which number is the sum in Sigma_k divided?",
        {COVARIANCES: 'np.einsum("nk,kni,knj->kij", R, centred, centred) / (counts[:, None, None] - 1.0)'},
    ),
    Misconception(
        "maximise",
        "covariances_diagonal",
        "The covariances are diagonal",
        "Which entries has the product of a column and a row?",
        {
            COVARIANCES: (
                'np.einsum("nk,kni,knj->kij", R, centred, centred) / counts[:, None, None] * np.eye(X.shape[1])'
            )
        },
    ),
    Misconception(
        "maximise",
        "covariances_of_mean_of_all",
        "The covariances are taken around the mean of all points",
        "Which mean is subtracted in Sigma_k?",
        {"X[None, :, :] - means[:, None, :]": "X[None, :, :] - X.mean(axis=0) + 0.0 * means[:, None, :]"},
    ),
    Misconception(
        "fit_mixture",
        "likelihood_after_step",
        "The log-likelihood is recorded after the step",
        "To which parameters does the first log-likelihood belong?",
        {
            "        likelihoods.append(log_likelihood(X, weights, means, covariances))\n": "",
            "        weights, means, covariances = maximise(X, R)\n": (
                "        weights, means, covariances = maximise(X, R)\n"
                "        likelihoods.append(log_likelihood(X, weights, means, covariances))\n"
            ),
        },
    ),
    Misconception(
        "fit_mixture",
        "responsibilities_fixed",
        "The responsibilities are computed once",
        "Which parameters do the responsibilities of the second step belong to?",
        {
            "    likelihoods = []\n": (
                "    likelihoods = []\n    R = responsibilities(X, weights, means, covariances)\n"
            ),
            "        R = responsibilities(X, weights, means, covariances)\n": "",
        },
    ),
    Misconception(
        "fit_mixture",
        "weights_fixed",
        "The weights stay as they are at the start",
        "Which three parameters does a step change?",
        {
            "        weights, means, covariances = maximise(X, R)": "        _, means, covariances = maximise(X, R)"
        },
    ),
    Misconception(
        "fit_mixture",
        "covariances_fixed",
        "The covariances stay as they are at the start",
        "Which three parameters does a step change?",
        {
            "        weights, means, covariances = maximise(X, R)": "        weights, means, _ = maximise(X, R)"
        },
    ),
)
