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
from grader.pdf.formulas.breaks import broken
from grader.pdf.formulas.mathjax import letter_width
from grader.pdf.pictures import PictureUnreadableError, safe_vector

Formula = tuple[str, bool]
SECONDS, CHUNK = 60.0, 200
SIZE = 1.05  # of MathJax's letters, which are a little smaller than those of the text
UNITS_PER_EM = 1000.0
INK = "#1f2328"  # of the text, as in page.typ
MARGIN = 25  # units around a picture
# In em. What is wider is broken, in a text and on lines of its own, and in a text inside of brackets, too;
# what is less wide and high has a place everywhere.
IN_TEXT, ON_LINES, ONE_LINE, ALWAYS_FITS = 16.0, 55.0, 44.0, 8.0
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
    pieces = {formula: [formula] for formula in read}
    for inline in (IN_TEXT, ONE_LINE, ONE_LINE):  # each time, pieces are broken inside of further brackets
        found: list[Formula] = []
        for formula, parts in pieces.items():
            smaller: list[Formula] = []
            for piece in parts:
                picture = read[piece]
                most = ON_LINES if formula[1] else inline
                wide = isinstance(picture, Picture) and picture.width > most
                smaller += [(tex, formula[1]) for tex in broken(piece[0])] if wide else [piece]
            if len(smaller) > len(parts):
                found += smaller
                pieces[formula] = smaller
        if not found:
            break
        read |= _read_all([piece for piece in found if piece not in read])
    answers: list[Formulas | str] = []
    for formula in formulas:
        whole = read.get(formula, "")
        row = [read[piece] for piece in pieces.get(formula, ())]
        pictures = tuple(picture for picture in row if isinstance(picture, Picture))
        # A piece that MathJax does not read has no place in the row: the formula stays whole.
        if isinstance(whole, str) or len(pictures) < len(row):
            answers.append(whole if isinstance(whole, str) else (whole,))
        else:
            answers.append(pictures)
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
    _join_letters(root)
    left, top, width, height = (float(number) for number in box.groups())
    # Letters may reach a little out of the box, which clips.
    left, top, width, height = left - MARGIN, top - MARGIN, width + 2 * MARGIN, height + 2 * MARGIN
    root.attrib["viewBox"] = f"{left} {top} {width} {height}"
    root.attrib |= {"width": f"{width / 10}", "height": f"{height / 10}", "color": INK}
    em = SIZE / UNITS_PER_EM
    return Picture(ElementTree.tostring(root), width * em, height * em, (height + top) * em)


def _join_letters(root: ElementTree.Element) -> None:
    """Make words of the letters that MathJax has no shape for, and puts at equal distances."""
    for parent in root.iter():
        word: ElementTree.Element | None = None
        width = 0.0
        for child in list(parent):
            letter = child.text or ""
            if not child.tag.endswith("}text") or len(child):
                word = None
                continue
            if word is None or word.attrib.get("data-variant") != child.attrib.get("data-variant"):
                word, width = child, 0.0
                word.attrib |= {"font-family": "New Computer Modern, serif", "font-size": f"{UNITS_PER_EM}px"}
            else:
                word.text = f"{word.text}{letter}"
                parent.remove(child)
            width += sum(map(letter_width, letter)) * UNITS_PER_EM
            word.attrib["textLength"] = f"{width}"


def typst_of(number: int, row: Formulas, files: Sequence[str], source: str, alternative: str) -> str:
    """Return the typst that shows the pictures of a formula, or its `source` where they could not be read."""
    boxes: list[str] = []
    for picture, file in zip(row, files, strict=True):
        size = f"width: {picture.width:.4f}em, height: {picture.height:.4f}em"
        image = f"image({as_string(file)}, {size}, alt: {as_string(alternative if not boxes else '')})"
        boxes.append(f"box(baseline: {picture.depth:.4f}em, {image})")
    widest, highest = max(picture.width for picture in row), max(picture.height for picture in row)
    if max(widest, highest) < ALWAYS_FITS:
        return "#" + "#sym.zws#".join(boxes)
    return f"""#import "/formula.typ": fitted
#fitted({number}, {widest:.4f}, {highest:.4f}, ({", ".join(boxes)},), {source})"""


def as_string(text: str) -> str:
    """Return a text as typst's string."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


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
