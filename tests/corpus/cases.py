"""What all case files share: a case, how it becomes a notebook, and what a fair examiner would give it.

    right_*.py, wrong_*.py  ->  Case  ->  notebook: the reference with some cells changed, and no solution marks
                                 `---->  Expected: the range of points of every question

Points are points earned. What a case does not name earns all of its points.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

MARKS = re.compile(r"^[ \t]*(### (BEGIN|END) SOLUTION|<!-- (BEGIN|END) SOLUTION -->)[ \t]*\n?", re.M)
Range = tuple[float, float]


@dataclass(frozen=True)
class Case:
    """A right or wrong notebook: the cells that differ from the reference's, and the points it should earn.

    `cells` is by the name of what a cell defines; `extra` are cells before the first of these. `names` are
    words of which a good explanation has one. `doubt` says why two fair examiners may differ.
    """

    name: str
    why: str
    cells: Mapping[str, str]
    fair: Mapping[str, Range]
    names: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    doubt: str = ""


@dataclass(frozen=True)
class Sheet:
    """An assignment of the corpus: its course, its questions with their points, and its cases.

    `exceptions` are the cases known to be judged otherwise, with the reason.
    """

    name: str
    root: Path
    points: Mapping[str, float]
    cell_of: Mapping[str, str]
    files: tuple[str, ...]
    exceptions: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> Path:
        """The instructor's notebook."""
        return self.root / "reference" / self.name / "notebook.ipynb"

    def cases(self) -> dict[str, Case]:
        """Return every case by the name of its notebook: R_... if it is right, W_... if it is wrong."""
        found: dict[str, Case] = {}
        for file in self.files:
            module = importlib.import_module(f"corpus.{self.name}.{file}")
            for case in module.CASES:
                name = f"{file[0].upper()}_{case.name}"
                if name in found:
                    raise ValueError(f"two cases of {self.name} have the name {name}")
                found[name] = case
        return found

    def fair(self, case: Case) -> dict[str, Range]:
        """Return the points of every question that a fair examiner would give, from least to most."""
        return {question: case.fair.get(question, (most, most)) for question, most in self.points.items()}

    def notebook(self, case: Case) -> Any:
        """Return the notebook of a case, without outputs."""
        made = nbformat.read(self.reference, 4)
        changed = {self.cell_of[name]: source for name, source in case.cells.items()}
        first = next((cell["id"] for cell in made.cells if cell["id"] in changed), made.cells[0]["id"])
        cells = []
        for cell in made.cells:
            if cell["id"] == first:
                for number, source in enumerate(case.extra):
                    cells.append(nbformat.v4.new_code_cell(source, id=f"extra-{number}"))
            new = {**cell, "source": changed.get(cell["id"], stripped(cell["source"]))}
            if cell["cell_type"] == "code":
                new |= {"outputs": [], "execution_count": None}
            cells.append(nbformat.from_dict(new))
        made["cells"] = cells
        return made

    def write(self, folder: Path, names: tuple[str, ...] = ()) -> None:
        """Write the notebooks of all cases, or of some, into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, case in self.cases().items():
            if not names or name in names:
                nbformat.write(self.notebook(case), folder / f"{name}.ipynb")


def stripped(source: str) -> str:
    """Return the source of a cell without the marks of its solution."""
    return MARKS.sub("", source).rstrip("\n")


def sources(path: Path) -> dict[str, str]:
    """Return the sources of a notebook's cells by their ids, without the marks of the solutions."""
    return {cell["id"]: stripped(cell["source"]) for cell in nbformat.read(path, 4).cells}


def edit(text: str, *pairs: tuple[str, str]) -> str:
    """Return a text in which each first text of a pair, which must be there, is replaced by the second."""
    for old, new in pairs:
        if old not in text:
            raise ValueError(f"the text to replace is not there: {old!r}")
        text = text.replace(old, new)
    return text
