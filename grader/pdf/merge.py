"""Joins the PDF of the notebook with the other solutions."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pypdf import PdfReader, PdfWriter
from pypdf.errors import DependencyError

from grader.errors import DocumentError

PYPDF_LOG = logging.getLogger("pypdf")


@dataclass(frozen=True)
class Part:
    """One document of the hand-in; its name becomes a bookmark."""

    name: str
    content: bytes
    pages: int


def read_part(path: Path) -> Part:
    """Return a PDF that can be joined with others; raise DocumentError if it is damaged or encrypted."""
    PYPDF_LOG.setLevel(
        logging.CRITICAL
    )  # its warnings on odd PDFs would appear between the student's messages
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror}") from error
    if b"%PDF-" not in content[:1024]:
        raise DocumentError(f"{path}: this is not a PDF; print or export the document as PDF and try again")

    pages = 0
    try:
        reader = _open(content)
        if reader is not None:
            # Every page is read, as `join` will do it: damage has to show before the notebook is set.
            PdfWriter().append(reader, import_outline=False)
            pages = len(reader.pages)
    except DependencyError as error:
        raise DocumentError(f"{path}: this PDF is encrypted; print it to a new PDF and try again") from error
    except Exception as error:  # a damaged file can make pypdf raise anything
        raise DocumentError(
            f"{path}: this PDF is damaged ({type(error).__name__}: {error}); export it again and try again"
        ) from error
    if reader is None:
        raise DocumentError(
            f"{path}: this PDF is encrypted with a password; open it, print it to a new PDF without one, "
            "and try again"
        )
    if not pages:
        raise DocumentError(f"{path}: this PDF has no pages")
    return Part(path.stem, content, pages)


def _open(content: bytes) -> PdfReader | None:
    """Return a reader, or None if reading needs a password; for many encrypted PDFs it does not."""
    reader = PdfReader(io.BytesIO(content))
    return None if reader.is_encrypted and not reader.decrypt("") else reader


def count_pages(content: bytes) -> int:
    """Return the number of pages of a PDF that grader made."""
    return len(PdfReader(io.BytesIO(content)).pages)


def join(parts: Sequence[Part], title: str, author: str) -> bytes:
    """Return one PDF of all parts, in order, each under a bookmark of its name."""
    writer = PdfWriter()
    for part in parts:
        reader = _open(part.content)
        if reader is not None:  # read_part raised for every other PDF
            writer.append(reader, outline_item=part.name)
    facts = {"/Title": title, "/Author": author, "/Producer": "grader"}
    writer.metadata = {key: value for key, value in facts.items() if value}
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()
