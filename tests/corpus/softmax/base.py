"""The softmax assignment for its case files: the reference's sources, and a short way to write a case."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from corpus.cases import Case, edit, sources

FOLDER = Path(__file__).resolve().parent
CELL_OF = {"softmax": "softmax", "SoftmaxRegression": "softmax-regression"}
_SOURCES = sources(FOLDER / "reference" / "softmax" / "notebook.ipynb")
SOFTMAX, CLASS = _SOURCES["softmax"], _SOURCES["softmax-regression"]
BODY = {
    name: re.search(rf'    def {name}\(.*?\):\n        """.*?"""\n(.*?)(?=\n    def |\Z)', CLASS, re.S)[1]  # type: ignore[index]
    for name in ("predict_proba", "predict", "loss", "gradient", "fit")
}


def softmax_cell(text: str) -> str:
    """Return the source of the cell of softmax: a text that does not define it is its body."""
    text = textwrap.dedent(text).strip("\n")
    if "def softmax" in text:
        return text
    header, _, _ = SOFTMAX.partition("    Z = ")
    return header + textwrap.indent(text, "    ")


class Cases(list[Case]):
    """The cases of one file."""

    def add(
        self,
        name: str,
        why: str,
        fair: Mapping[str, Sequence[float]] | None = None,
        names: Iterable[str] = (),
        extra: Iterable[str] = (),
        doubt: str = "",
        softmax: str = "",
        cls: str = "",
        **bodies: str,
    ) -> None:
        """Add a case: the body of softmax, the whole class, or the bodies of some of its methods."""
        cells = {"softmax": softmax_cell(softmax)} if softmax else {}
        if cls:
            cells["SoftmaxRegression"] = textwrap.dedent(cls).strip("\n")
        elif bodies:
            changed = [
                (BODY[method], textwrap.indent(textwrap.dedent(body).strip("\n"), "        ") + "\n")
                for method, body in bodies.items()
            ]
            cells["SoftmaxRegression"] = edit(CLASS + "\n", *changed).rstrip("\n")
        self.append(
            Case(
                name,
                why,
                cells,
                {question: (float(low), float(high)) for question, (low, high) in (fair or {}).items()},
                tuple(names),
                tuple(textwrap.dedent(source).strip("\n") for source in extra),
                doubt,
            )
        )
