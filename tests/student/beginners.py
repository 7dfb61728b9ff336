"""Notebooks of beginners: each makes another mistake in exercise 11.

`cell` takes the place of the whole cell that defines the function; `edits` are made in all cells.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from support import notebook
from support_student import solved


@dataclass(frozen=True)
class Beginner:
    """A mistake in the right notebook: the function to check, its signs by check, and words that it is told."""

    name: str
    function: str
    signs: str
    """The marks of its checks in order, as the terminal shows them."""
    words: tuple[str, ...]
    cell: str = ""
    edits: tuple[tuple[str, str], ...] = ()
    replaced: tuple[str, str] = ("", "")
    """Another function, and the cell in place of its own."""
    drop: tuple[str, ...] = ()
    """Functions whose cells are left out."""

    def notebook(self) -> bytes:
        """Return the notebook."""
        content = json.loads(solved())
        cells = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
        defines = {name: f"def {name}(" for name in (self.function, self.replaced[0], *self.drop)}
        for name, new in ((self.function, self.cell), self.replaced):
            if new:
                place = next(n for n, cell in enumerate(cells) if defines[name] in cell)
                cells[place] = new
        for old, new in self.edits:
            assert sum(cell.count(old) for cell in cells) >= 1, old
            cells = [cell.replace(old, new) for cell in cells]
        cells = [cell for cell in cells if not any(defines[name] in cell for name in self.drop)]
        return notebook(*cells).encode()


Q = "def low_dimensional_similarities(Y):\n"
KL = "def kl_divergence(P, Y):\n"
GRAD = "def tsne_gradient(P, Y):\n"
REC = "def reconstruct(X, W1, W2):\n"
ERR = "def reconstruction_error(X, W1, W2):\n"
ERRG = "def reconstruction_error_gradient(X, W1, W2):\n"
MIN = "def minimum_error(X, k):\n"
FIT = "def fit_linear_autoencoder(X, k):\n"
SHIFT = "def shift_user_mean(matrix):\n"
INIT = 'def initialize_Q_P(matrix, k, init="random"):\n'

BEGINNERS = (
    Beginner("print_for_return", "reconstruct", "✗", ("None",), cell=REC + "    print(X @ W1 @ W2)"),
    Beginner("returns_zero", "low_dimensional_similarities", "✗??", (), cell=Q + "    return 0"),
    Beginner(
        "list_of_lists",
        "low_dimensional_similarities",
        "✗✓✗",
        (),
        cell=Q
        + "    n = len(Y)\n    Q = [[0.0] * n for _ in range(n)]\n    for i in range(n):\n        for j in range(n):\n"
        "            if i != j:\n                Q[i][j] = 1 / (1 + sum((Y[i] - Y[j]) ** 2))\n    return Q",
    ),
    Beginner(
        "misspelt_variable",
        "reconstruct",
        "✗",
        ("Did you mean", "hidden"),
        cell=REC + "    hidden = X @ W1\n    return hiden @ W2",
    ),
    Beginner(
        "misspelt_numpy_function",
        "reconstruct",
        "✗",
        ("Did you mean", "matmul"),
        cell=REC + "    return np.matmull(np.matmul(X, W1), W2)",
    ),
    Beginner(
        "misspelt_own_function",
        "kl_divergence",
        "✗",
        ("Did you mean", "low_dimensional_similarities"),
        edits=(("    Q = low_dimensional_similarities(Y)", "    Q = low_dimensional_similarites(Y)"),),
    ),
    Beginner(
        "arguments_in_another_order",
        "tsne_gradient",
        "✓✗✗✗✗✗",
        ("(Y, P)", "(P, Y)"),
        edits=(("def tsne_gradient(P, Y)", "def tsne_gradient(Y, P)"),),
    ),
    Beginner(
        "arguments_swapped_in_a_call",
        "reconstruction_error",
        "✗",
        (),
        edits=(("(X - reconstruct(X, W1, W2))", "(X - reconstruct(X, W2, W1))"),),
    ),
    Beginner(
        "argument_forgotten",
        "kl_divergence",
        "✗",
        ("(Y)", "(P, Y)"),
        edits=(("def kl_divergence(P, Y):", "def kl_divergence(Y):"),),
    ),
    Beginner(
        "global_for_argument",
        "minimum_error",
        "✗",
        ("X", "argument"),
        cell="X = digits.data[:600] / 16.0\ndef minimum_error(data, k):\n"
        "    s = np.linalg.svd(X, compute_uv=False)\n    return float(np.sum(s[k:] ** 2) / len(X))",
    ),
    Beginner(
        "renamed",
        "reconstruct",
        "✗",
        ("renamed", "reconstruction"),
        edits=(("def reconstruct(X", "def reconstruction(X"),),
    ),
    Beginner("deleted", "reconstruction_error", "✗", ("does not define",), drop=("reconstruction_error",)),
    Beginner(
        "cost_deleted",
        "reconstruction_error_gradient",
        "?",
        ("reconstruction_error",),
        drop=("reconstruction_error",),
    ),
    Beginner(
        "cost_untouched",
        "tsne_gradient",
        "✓?✓✓✓✓",
        ("kl_divergence", "as it was handed out"),
        replaced=("kl_divergence", KL + "    raise NotImplementedError"),
    ),
    Beginner(
        "cost_wrong",
        "tsne_gradient",
        "✓?✓✓✓✓",
        ("kl_divergence",),
        edits=(("np.log(P[counted] / Q[counted])", "np.log2(P[counted] / Q[counted])"),),
    ),
    Beginner(
        "cost_on_wrong_q",
        "kl_divergence",
        "?",
        ("low_dimensional_similarities",),
        edits=(("return inverse / inverse.sum()", "return inverse / inverse.sum(axis=1)[:, None]"),),
    ),
    Beginner(
        "gradient_on_wrong_q",
        "tsne_gradient",
        "✓✓✓✓✓✓",
        (),
        edits=(("np.fill_diagonal(inverse, 0.0)", "pass"),),
    ),
    Beginner(
        "helper_untouched",
        "reconstruction_error",
        "?",
        ("reconstruct", "as it was handed out"),
        edits=(("    return X @ W1 @ W2", "    raise NotImplementedError"),),
    ),
    Beginner(
        "cell_with_syntax_error",
        "reconstruct",
        "✗",
        ("syntax error",),
        cell="def reconstruct(X, W1, W2)\n    return X @ W1 @ W2",
    ),
    Beginner(
        "helper_with_syntax_error",
        "reconstruction_error",
        "?",
        ("reconstruct", "syntax error"),
        edits=(("def reconstruct(X, W1, W2):", "def reconstruct(X, W1, W2)"),),
    ),
    Beginner("exit", "reconstruct", "✗", ("ends the program",), cell=REC + "    exit()"),
    Beginner(
        "endless_loop",
        "low_dimensional_similarities",
        "✗??",
        ("did not finish", "line "),
        cell=Q + "    while True:\n        pass",
    ),
    Beginner(
        "memory",
        "low_dimensional_similarities",
        "✗✗✗",
        ("memory", "(100000, 100000)"),
        cell=Q + "    D = np.zeros((100000, 100000)) + 1\n    return D",
    ),
    Beginner(
        "list_grows_forever",
        "reconstruct",
        "✗",
        ("memory",),
        cell=REC
        + "    rows = []\n    for row in X:\n        rows.append(row)\n        while True:\n            rows = rows * 2\n    return rows",
    ),
    Beginner(
        "recursion",
        "reconstruct",
        "✗",
        ("RecursionError",),
        cell=REC + "    return reconstruct(X, W1, W2)",
    ),
    Beginner(
        "elementwise_product",
        "reconstruct",
        "✗",
        ("(3,2)", "broadcast"),
        cell=REC + "    return X * W1 * W2",
    ),
    Beginner(
        "row_sums_to_one",
        "low_dimensional_similarities",
        "✗✓✗",
        ("sum",),
        edits=(("return inverse / inverse.sum()", "return inverse / inverse.sum(axis=1, keepdims=True)"),),
    ),
    Beginner(
        "gaussian_kernel",
        "low_dimensional_similarities",
        "✗✓✓",
        (),
        edits=(
            (
                "def low_dimensional_similarities(Y):",
                "def low_dimensional_similarities(Y):\n    return _gauss(Y)\n\ndef _gauss(Y):\n    d = ((Y[:, None] - Y[None]) ** 2).sum(-1)\n"
                "    q = np.exp(-d)\n    np.fill_diagonal(q, 0)\n    return q / q.sum()\n\ndef _old(Y):",
            ),
        ),
    ),
    Beginner(
        "diagonal_kept",
        "low_dimensional_similarities",
        "✗✗✓",
        ("diagonal",),
        edits=(("np.fill_diagonal(inverse, 0.0)", "pass"),),
    ),
    Beginner(
        "half_of_the_pairs",
        "kl_divergence",
        "✗",
        (),
        edits=(("(P > 0) & ~np.eye(len(P), dtype=bool)", "np.triu(P, 1) > 0"),),
    ),
    Beginner(
        "nan_from_zero_log",
        "kl_divergence",
        "✗",
        ("NaN",),
        edits=(("counted = (P > 0) & ~np.eye(len(P), dtype=bool)", "counted = np.ones_like(P, dtype=bool)"),),
    ),
    Beginner(
        "negative_cost",
        "kl_divergence",
        "✗",
        ("sign",),
        edits=(("return float(np.sum(P[counted]", "return -float(np.sum(P[counted]"),),
    ),
    Beginner(
        "factor_two_forgotten",
        "tsne_gradient",
        "✓✗✓✓✓✓",
        ("0.5",),
        edits=(("return 4.0 * np.einsum", "return 2.0 * np.einsum"),),
    ),
    Beginner(
        "gradient_sign",
        "tsne_gradient",
        "✓✗✓✓✓✓",
        ("sign",),
        edits=(("return 4.0 * np.einsum", "return -4.0 * np.einsum"),),
    ),
    Beginner(
        "gradient_transposed",
        "tsne_gradient",
        "✓✗✗✗✓✗",
        ("transposed",),
        edits=(('"ij,ijd->id", forces, differences)', '"ij,ijd->id", forces, differences).T'),),
    ),
    Beginner(
        "mean_over_all_entries",
        "reconstruction_error",
        "✗",
        ("1/2 and 1/3 times",),
        edits=(
            (
                "np.mean(np.sum((X - reconstruct(X, W1, W2)) ** 2, axis=1))",
                "np.mean((X - reconstruct(X, W1, W2)) ** 2)",
            ),
        ),
    ),
    Beginner(
        "error_without_square",
        "reconstruction_error",
        "✗",
        (),
        edits=(("(X - reconstruct(X, W1, W2)) ** 2", "(X - reconstruct(X, W1, W2))"),),
    ),
    Beginner(
        "one_gradient_of_two",
        "reconstruction_error_gradient",
        "✗",
        ("2 arrays",),
        edits=(
            (
                "    return (\n        2.0 / len(X) * X.T @ residual @ W2.T,\n        2.0 / len(X) * (X @ W1).T @ residual,\n    )",
                "    return 2.0 / len(X) * X.T @ residual @ W2.T",
            ),
        ),
    ),
    Beginner(
        "gradients_in_the_wrong_order",
        "reconstruction_error_gradient",
        "✗",
        ("in another order: is it (W1, W2)?",),
        edits=(
            (
                "    return (\n        2.0 / len(X) * X.T @ residual @ W2.T,\n        2.0 / len(X) * (X @ W1).T @ residual,\n    )",
                "    return (X @ W1).T @ residual * 2.0 / len(X), X.T @ residual @ W2.T * 2.0 / len(X)",
            ),
        ),
    ),
    Beginner(
        "squared_singular_values_forgotten",
        "minimum_error",
        "✗",
        (),
        edits=(("singular_values[k:] ** 2", "singular_values[k:]"),),
    ),
    Beginner(
        "largest_for_lost",
        "minimum_error",
        "✗",
        (),
        edits=(("singular_values[k:] ** 2", "singular_values[:k] ** 2"),),
    ),
    Beginner(
        "data_centred",
        "minimum_error",
        "✗",
        (),
        cell=MIN
        + "    X = X - X.mean(axis=0)\n    s = np.linalg.svd(X, compute_uv=False)\n    return np.sum(s[k:] ** 2) / len(X)",
    ),
    Beginner(
        "weights_swapped",
        "fit_linear_autoencoder",
        "✗✓✗",
        ("(1, 2)",),
        edits=(("return directions.T, directions", "return directions, directions.T"),),
    ),
    Beginner(
        "input_overwritten",
        "fit_linear_autoencoder",
        "✓✗✓",
        ("changed its input",),
        edits=(
            ("def fit_linear_autoencoder(X, k):", "def fit_linear_autoencoder(X, k):\n    X -= X.mean()"),
        ),
    ),
    Beginner(
        "only_one_weight",
        "fit_linear_autoencoder",
        "✓✓✗",
        ("tuple",),
        edits=(("return directions.T, directions", "return directions.T"),),
    ),
    Beginner(
        "mean_of_all_entries_of_a_row",
        "shift_user_mean",
        "✗✗",
        (),
        edits=(("np.maximum(counts, 1)", "shifted.shape[1]"),),
    ),
    Beginner(
        "dense_result",
        "shift_user_mean",
        "✗✗",
        (),
        cell=SHIFT
        + "    M = matrix.toarray().astype(float)\n    m = M.mean(axis=1)\n    return M - m[:, None], m[:, None]",
    ),
    Beginner(
        "means_flat",
        "shift_user_mean",
        "✓✓",
        (),
        edits=(("return shifted, means[:, None]", "return shifted, means"),),
    ),
    Beginner(
        "no_error_for_unknown_start",
        "initialize_Q_P",
        "✓✓✗",
        (),
        edits=(
            ("    raise ValueError(f\"init must be 'random' or 'svd', not {init!r}\")", "    return None"),
        ),
    ),
    Beginner("returns_ellipsis", "reconstruct", "✗", (), cell=REC + "    Z = X @ W1\n    return ..."),
    Beginner(
        "asks_for_input",
        "reconstruct",
        "✗",
        ("input",),
        cell=REC + "    name = input('name? ')\n    return X @ W1 @ W2",
    ),
    Beginner(
        "counts_calls",
        "reconstruct",
        "✓",
        (),
        cell="calls = []\n" + REC + "    calls.append(1)\n    return X @ W1 @ W2 * len(calls)",
    ),
    Beginner(
        "import_forgotten",
        "minimum_error",
        "✗",
        ("import scipy",),
        cell=MIN + "    s = scipy.linalg.svdvals(X)\n    return np.sum(s[k:] ** 2) / len(X)",
    ),
    Beginner(
        "sklearn_tsne",
        "tsne_gradient",
        "✗✗✗✓✗✗",
        ("sklearn.manifold",),
        cell="from sklearn.manifold import TSNE\n" + GRAD + "    TSNE(perplexity=1)\n    return Y + 1.0",
    ),
    Beginner("method_missing", "reconstruct", "✗", ("dott",), cell=REC + "    return X.dott(W1).dot(W2)"),
    Beginner("string_result", "reconstruct", "✗", ("text",), cell=REC + "    return 'X W1 W2'"),
    Beginner("generator_result", "reconstruct", "✗", ("generator",), cell=REC + "    yield X @ W1 @ W2"),
    Beginner(
        "print_for_return",
        "low_dimensional_similarities",
        "✗??",
        ("nothing (None)", "print shows one, but does not return it"),
        edits=(("return inverse / inverse.sum()", "print(inverse / inverse.sum())"),),
    ),
    Beginner(
        "written_in_integers",
        "tsne_gradient",
        "✓✗????",
        ("were fractions cut off?",),
        edits=(
            (
                "    return 4.0 * np.einsum",
                "    gradient = np.zeros(Y.shape, dtype=int)\n    gradient[:] = 4.0 * np.einsum",
            ),
            ('"ij,ijd->id", forces, differences)', '"ij,ijd->id", forces, differences)\n    return gradient'),
        ),
    ),
    Beginner(
        "sum_as_a_variable",
        "low_dimensional_similarities",
        "✗✗✗",
        ("sum is no function here, but a number",),
        edits=(("return inverse / inverse.sum()", "sum = 0.0\n    return inverse / sum(inverse)"),),
    ),
    Beginner(
        "transpose_forgotten",
        "reconstruct",
        "✗",
        ("the left has 1 column, the right 2 rows",),
        cell=REC + "    return X @ W1 @ W2.T",
    ),
    Beginner(
        "integers_changed_in_place",
        "shift_user_mean",
        "✗✗",
        ("fractions cannot be written into an array of integers",),
        cell=SHIFT + "    matrix.data -= matrix.data.mean()\n    return matrix, matrix",
    ),
    Beginner(
        "whole_number",
        "reconstruction_error",
        "✗",
        ("the fraction is cut off",),
        edits=(
            (
                "np.mean(np.sum((X - reconstruct(X, W1, W2)) ** 2, axis=1))",
                "np.sum((X - reconstruct(X, W1, W2)) ** 2) // len(X)",
            ),
        ),
    ),
    Beginner(
        "two_factors_forgotten",
        "reconstruction_error_gradient",
        "✗",
        ("a factor that differs from input to input",),
        edits=(("2.0 / len(X) * ", ""),),
    ),
    Beginner(
        "sum_from_k_plus_1",
        "minimum_error",
        "✗",
        ("found it is zero",),
        edits=(("singular_values[k:] ** 2", "singular_values[k + 1 :] ** 2"),),
    ),
    Beginner(
        "dict_of_weights",
        "fit_linear_autoencoder",
        "✗✓✗",
        ("a dict of 2, not a tuple",),
        edits=(("return directions.T, directions", "return {'W1': directions.T, 'W2': directions}"),),
    ),
)
