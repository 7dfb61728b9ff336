"""The content of the pages, collected cell by cell: blocks, formulas, pictures and warnings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Set
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grader.pdf.fonts import as_number
from grader.pdf.formulas.find import MARK, Found
from grader.pdf.formulas.macros import Macros
from grader.pdf.formulas.tidy import labels_in, refer, tidy
from grader.pdf.formulas.translate import as_string, translate, typst_of
from grader.pdf.pictures import Picture, Pictures, PictureUnreadableError
from grader.pdf.rows import PLAIN, Row, Style
from grader.pdf.text import breakable

Node = dict[str, Any] | str
Block = dict[str, Any]
MAX_WARNINGS, MAX_FORMULAS = 30, 3000


@dataclass
class Draft:
    """The document before it is set. The typesetter can read `folder` and nothing else."""

    folder: Path
    pictures_from: Path | None = None
    title: str = ""
    blocks: list[Block] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    formulas: list[Found] = field(default_factory=list)
    macros: Macros = field(default_factory=Macros)
    tex: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    styles: dict[Style, int] = field(default_factory=lambda: {PLAIN: 0})
    pictures: Pictures = field(init=False)

    def __post_init__(self) -> None:
        self.pictures = Pictures(self.folder)

    def warn(self, message: str) -> None:
        """Add a message for the student, once, and only up to MAX_WARNINGS of them."""
        if message not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(message)

    def keep_formula(self, formula: Found) -> int:
        """Add a formula, with the macros that were defined before it; return its number."""
        if len(self.formulas) == MAX_FORMULAS:
            self.warn(f"only the first {MAX_FORMULAS} formulas are set, the others are shown as text")
        within = len(self.formulas) < MAX_FORMULAS
        tex = self.macros.expand(self.macros.take(formula.tex)) if within else ""
        self.labels |= labels_in(tex)
        self.tex.append(tidy(tex))
        self.formulas.append(formula)
        return len(self.formulas) - 1

    def as_written(self, text: str) -> str:
        """Return text with the marks of formulas replaced by what the notebook had there."""
        pieces = MARK.split(text)  # a text, a formula's number, a text, ...
        for i in range(1, len(pieces), 2):
            number = int(pieces[i])
            pieces[i] = self.formulas[number].written if number < len(self.formulas) else ""
        return "".join(pieces)

    def rows(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """Return rows as data for the page, in which a style is its number in the list of styles."""
        return [
            {
                "k": row.continued,
                "i": row.indent,
                "r": [[text, self.styles.setdefault(style, len(self.styles))] for text, style in row.runs],
            }
            for row in rows
        ]

    def local_picture(self, address: str) -> Picture:
        """Return a picture in the folder that the student allowed; raise PictureUnreadableError."""
        if not address:
            raise PictureUnreadableError("a picture without an address of its own is left out")
        if self.pictures_from is None:
            raise PictureUnreadableError(f"the picture {address} is a file of its own and left out")
        folder = self.pictures_from.resolve()
        path = (folder / address).resolve()
        if not path.is_relative_to(folder) or not path.is_file():
            raise PictureUnreadableError(f"the picture {address} is not in {folder.name} and left out")
        return self.pictures.add(path.read_bytes())

    def write(self, missing: Set[str], **header: Any) -> None:
        """Write all that the typesetter reads into the folder; `missing` characters by their numbers."""
        numbers = str.maketrans({character: as_number(character) for character in missing})
        folder = self.folder / "formulas"
        folder.mkdir(exist_ok=True)
        wanted = [
            (refer(tex, self.labels), formula.display)
            for tex, formula in zip(self.tex, self.formulas, strict=True)
        ]
        for number, found in enumerate(translate(wanted[:MAX_FORMULAS])):
            formula, shown = self.formulas[number], ""
            if isinstance(found, tuple) and missing.isdisjoint(formula.written):
                files = [f"{number}-{place}.svg" for place in range(len(found))]
                for file, picture in zip(files, found, strict=True):
                    (folder / file).write_bytes(picture.svg)
                shown = typst_of(number, found, files, as_source(formula.written), formula.written)
            # No TeX is left of a formula that only defines macros: nothing is shown for it.
            elif self.tex[number]:
                why = found if isinstance(found, str) else "no font has all of its characters"
                self.warn(f"this formula is shown as text ({why}): {self.short(number)}")
                shown = f"#{as_source(formula.written.translate(numbers))}"
            (folder / f"{number}.typ").write_text(shown, encoding="utf-8")

        # For the typesetter, which replaces a formula that it cannot set by how it was written.
        written = json.dumps([formula.written for formula in self.formulas])
        (self.folder / "sources.json").write_text(written, encoding="utf-8")

        styles = [asdict(style) for style in self.styles]
        data = {**header, "title": self.title, "styles": styles, "blocks": self.blocks}
        text = json.dumps(data, ensure_ascii=False).translate(numbers)
        (self.folder / "data.json").write_bytes(text.encode("utf-8", "replace"))

    def short(self, number: int) -> str:
        """Return how a formula was written, as one line of at most 100 characters."""
        line = " ".join(self.formulas[number].written.split())
        return line if len(line) <= 100 else line[:99] + "…"


def as_source(text: str) -> str:
    """Return a typst expression that shows a formula as it was written, in red."""
    return f'text(fill: rgb("#a0111f"), raw({as_string(breakable(text))}))'
