"""Sets formulas as pictures, by MathJax in a process of its own.

A formula that MathJax cannot read, or that takes too long, has no picture: it is shown as it was written.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from grader.errors import GraderFault
from grader.pdf.formulas.breaks import breakable
from grader.pdf.pictures import PictureUnreadableError, safe_vector

Formula = tuple[str, bool]
SECONDS, CHUNK = 60.0, 200
SIZE = 1.05  # of MathJax's letters, which are a little smaller than those of the text
UNITS_PER_EM = 1000.0
MARGIN = 25  # units around a picture
IN_TEXT, ON_LINES, ONE_LINE = 16.0, 55.0, 44.0  # em: what is wider is broken, or has no place on a line
NUMBER = r"(-?\d+(?:\.\d+)?)"
BOX = re.compile(rf"{NUMBER} {NUMBER} {NUMBER} {NUMBER}")


@dataclass(frozen=True)
class Picture:
    """A formula as SVG, with its size in em; `depth` is how far it reaches below the line."""

    svg: bytes
    width: float
    height: float
    depth: float


Formulas = tuple[Picture, ...]
"""The pictures of one formula, which follow each other."""


def translate(formulas: Sequence[Formula]) -> list[Formulas | str]:
    """Return the picture of each formula, or why there is none.

    One that is wider than a line becomes several, which follow each other, if TeX would break it.
    """
    read = _read_all(formulas)
    pieces: dict[Formula, list[str]] = {}
    for formula, found in read.items():
        most = ON_LINES if formula[1] else IN_TEXT
        if isinstance(found, Picture) and found.width > most and len(parts := breakable(formula[0])) > 1:
            pieces[formula] = parts
    small = _read_all([(piece, formula[1]) for formula, parts in pieces.items() for piece in parts])
    answers: list[Formulas | str] = []
    for formula in formulas:
        found = read.get(formula, "")
        set_apart = [small[piece, formula[1]] for piece in pieces.get(formula, ())]
        row = tuple(part for part in set_apart if isinstance(part, Picture))
        if row and len(row) == len(set_apart):
            answers.append(row)
        else:
            answers.append(found if isinstance(found, str) else (found,))
    return answers


def _read_all(formulas: Sequence[Formula]) -> dict[Formula, Picture | str]:
    """Return what MathJax says of each formula that is not empty."""
    wanted = sorted({formula for formula in formulas if formula[0]})
    read: dict[Formula, Picture | str] = {}
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        answers = _mathjax(chunk)
        if answers is None:  # one of them ended the process: which one is found out by halves
            if _mathjax([("x", False)]) is None:
                raise GraderFault(
                    "MathJax, which sets the formulas, does not start; install the extra pdf again"
                )
            answers = _by_halves(chunk, time.monotonic() + SECONDS)
        read |= {formula: _picture(*answer) for formula, answer in zip(chunk, answers, strict=True)}
    return read


def _by_halves(formulas: Sequence[Formula], end: float) -> list[tuple[str, str]]:
    """Return the answers for formulas of which one ends the process, as far as known at the `end`."""
    if len(formulas) == 1 or time.monotonic() > end:
        return [("", "it takes too long")] * len(formulas)
    answers: list[tuple[str, str]] = []
    middle = len(formulas) // 2
    for half in (formulas[:middle], formulas[middle:]):
        found = _mathjax(half)
        answers += _by_halves(half, end) if found is None else found
    return answers


def _picture(svg: str, error: str) -> Picture | str:
    """Return the picture of an answer of MathJax."""
    if error or not svg:
        return error or "it is empty"
    try:
        root = ElementTree.fromstring(safe_vector(svg.encode("utf-8", "replace")))  # noqa: S314 -- safe now
    except (PictureUnreadableError, ElementTree.ParseError):
        return "it has no picture"
    box = BOX.fullmatch(root.attrib.get("viewBox", ""))
    if box is None:
        return "it has no size"
    for element in root.iter():  # what MathJax says in a style sheet of the page
        if "data-line" in element.attrib or "data-frame" in element.attrib:
            kind = element.attrib.get("class", "")
            dashes = {"mjx-dashed": "140", "mjx-dotted": "1 140"}.get(kind)
            element.attrib |= {"stroke-width": "70", "fill": "none"} | (
                {"stroke-dasharray": dashes} if dashes else {}
            )
    left, top, width, height = (float(number) for number in box.groups())
    # Letters may reach a little out of the box, which clips.
    left, top, width, height = left - MARGIN, top - MARGIN, width + 2 * MARGIN, height + 2 * MARGIN
    root.attrib["viewBox"] = f"{left} {top} {width} {height}"
    root.attrib |= {"width": f"{width / 10}", "height": f"{height / 10}"}
    em = SIZE / UNITS_PER_EM
    return Picture(ElementTree.tostring(root), width * em, height * em, (height + top) * em)


def typst_of(row: Formulas, files: Sequence[str], alternative: str, *, display: bool) -> str:
    """Return the typst that shows the pictures of a formula in a text, or on lines of its own."""
    quoted = alternative.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    shown = []
    for number, (picture, file) in enumerate(zip(row, files, strict=True)):
        size = f"width: {picture.width:.4f}em, height: {picture.height:.4f}em"
        image = f'image("{file}", {size}, alt: "{quoted if not number else ""}")'
        if not display and len(row) == 1 and picture.width > ONE_LINE:
            image = f'image("{file}", width: 100%, alt: "{quoted}")'
        shown.append(
            f"#{image}" if display and len(row) == 1 else f"#box(baseline: {picture.depth:.4f}em, {image})"
        )
    return "#sym.zws".join(shown)


def _mathjax(formulas: Sequence[Formula]) -> list[tuple[str, str]] | None:
    """Return MathJax's answers; None if its process fails or takes too long."""
    command = [sys.executable, "-I", "-m", "grader.pdf.formulas.mathjax"]
    try:
        done = subprocess.run(
            command, input=json.dumps(formulas).encode(), capture_output=True, timeout=SECONDS, check=True
        )
        answers = [(str(svg), str(error)) for svg, error in json.loads(done.stdout)]
    except (subprocess.SubprocessError, ValueError, TypeError):
        return None
    return answers if len(answers) == len(formulas) else None
