"""Exercise 11 for its case files: the reference's sources, and a short way to write a case."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from corpus.cases import Case, edit, sources
from support import ROOT

CELL_OF = {
    "low_dimensional_similarities": "low-dimensional-similarities",
    "kl_divergence": "kl-divergence",
    "tsne_gradient": "tsne-gradient",
    "reconstruct": "reconstruct",
    "reconstruction_error": "reconstruction-error",
    "reconstruction_error_gradient": "reconstruction-error-gradient",
    "minimum_error": "minimum-error",
    "fit_linear_autoencoder": "fit-linear-autoencoder",
    "shift_user_mean": "shift-user-mean",
    "initialize_Q_P": "initialize-q-p",
    "latent_factor_alternating_optimization": "latent-factor",
}
SHORT = {
    "q": "low_dimensional_similarities",
    "kl": "kl_divergence",
    "g": "tsne_gradient",
    "rec": "reconstruct",
    "err": "reconstruction_error",
    "ag": "reconstruction_error_gradient",
    "mn": "minimum_error",
    "fit": "fit_linear_autoencoder",
    "sh": "shift_user_mean",
    "ini": "initialize_Q_P",
    "lfa": "latent_factor_alternating_optimization",
}
_SOURCES = sources(ROOT / "reference" / "exercise_11" / "notebook.ipynb")
REF = {function: _SOURCES[cell] for function, cell in CELL_OF.items()}


def full(name: str) -> str:
    """Return the function that a short name stands for."""
    return SHORT.get(name, name)


def source_of(function: str, text: str) -> str:
    """Return the source of a function's cell: a text that does not define it is its body."""
    text = textwrap.dedent(text).strip("\n")
    defines = rf"^\s*(async )?def {function}\(|^{function} *=|^(from|import) .*\b{function}\b"
    if re.search(defines, text, re.M):
        return text
    header, colon, _ = REF[function].partition("):\n")
    return header + colon + textwrap.indent(text, "    ")


def ref(name: str, *pairs: tuple[str, str]) -> str:
    """Return the reference's cell of a function with texts replaced."""
    return edit(REF[full(name)], *pairs)


class Cases(list[Case]):
    """The cases of one file."""

    def add(
        self,
        name: str,
        why: str = "",
        fair: Mapping[str, Sequence[float]] | None = None,
        names: Iterable[str] = (),
        extra: Iterable[str] = (),
        doubt: str = "",
        **cells: str,
    ) -> None:
        """Add a case; the short name of a function gives its cell, or the body of the function alone."""
        self.append(
            Case(
                name,
                why,
                {full(short): source_of(full(short), text) for short, text in cells.items()},
                {full(short): (float(low), float(high)) for short, (low, high) in (fair or {}).items()},
                tuple(names),
                tuple(textwrap.dedent(source).strip("\n") for source in extra),
                doubt,
            )
        )
