"""Notebooks for the tests of the PDF, and what can be read in the pages."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from pypdf import PdfReader, PdfWriter

from grader.pdf.document import HandIn, Wishes, make_hand_in


def png(width: int = 30, height: int = 20) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (width, height), (20, 120, 200)).save(target, "png")
    return target.getvalue()


def code(source: str, *outputs: Any) -> Any:
    return new_code_cell(source, execution_count=1, outputs=list(outputs))


def shown(**data: Any) -> Any:
    """Return an output that displays `data`; kinds with `_` for `/`."""
    return new_output("display_data", {kind.replace("_", "/", 1): value for kind, value in data.items()})


def write_notebook(path: Path, *cells: Any) -> Path:
    """Write a notebook of cells; a text is a cell of Markdown."""
    made = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    nbformat.write(new_notebook(cells=made), str(path))
    return path


def convert(folder: Path, *cells: Any, **wishes: Any) -> HandIn:
    return make_hand_in(write_notebook(folder / "work.ipynb", *cells), Wishes(**wishes))


def pages(hand_in: HandIn | bytes) -> list[str]:
    content = hand_in if isinstance(hand_in, bytes) else hand_in.content
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def text(hand_in: HandIn | bytes) -> str:
    return "\n".join(pages(hand_in))


def squeezed(some: str) -> str:
    """Return text without white space and soft break points: what does not depend on where rows end."""
    return re.sub(r"[\s\u200b]+", "", some)


def pdf_file(path: Path, number_of_pages: int = 1, password: str = "", owner: str = "") -> Path:
    writer = PdfWriter()
    for number in range(number_of_pages):
        writer.add_blank_page(200, 300 + number)
    if password or owner:
        writer.encrypt(password, owner or None, algorithm="AES-256")
    writer.write(path)
    return path
