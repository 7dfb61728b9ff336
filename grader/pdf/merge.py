"""Other solutions, as PDF files, and the pages of the notebook in one document."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pypdf import PdfReader, PdfWriter
from pypdf.errors import DependencyError

from grader.errors import UsageError

QUIET = logging.getLogger("pypdf")


@dataclass(frozen=True)
class Part:
    """One document of the hand-in: its name, for the bookmarks, and its content."""

    name: str
    content: bytes
    pages: int


def read_part(path: Path) -> Part:
    """Return a PDF that can be joined with others; raise UsageError if it is damaged or encrypted."""
    QUIET.setLevel(logging.CRITICAL)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    if b"%PDF-" not in content[:1024]:
        raise UsageError(f"{path}: this is not a PDF; print or export the document as PDF and try again")
    pages = _pages(content, path)
    if not pages:
        raise UsageError(f"{path}: this PDF has no pages")
    return Part(path.stem, content, pages)


def _pages(content: bytes, path: Path) -> int:
    """Return how many pages a PDF has, after reading every one of them as the joining will."""
    try:
        reader = _open(content)
        if reader is None:
            raise UsageError(
                f"{path}: this PDF is encrypted with a password; open it, print it to a new PDF without one, "
                "and try again"
            )
        PdfWriter().append(reader, import_outline=False)
        return len(reader.pages)
    except UsageError:
        raise
    except DependencyError as error:
        raise UsageError(f"{path}: this PDF is encrypted; print it to a new PDF and try again") from error
    except Exception as error:  # the reader raises whatever the file makes it trip over
        raise UsageError(
            f"{path}: this PDF is damaged ({type(error).__name__}: {error}); export it again and try again"
        ) from error


def _open(content: bytes) -> PdfReader | None:
    """Return a reader, None if a password is needed; many encrypted PDFs need none for reading."""
    reader = PdfReader(io.BytesIO(content))
    return None if reader.is_encrypted and not reader.decrypt("") else reader


def count_pages(content: bytes) -> int:
    """Return the number of pages of a PDF that is ours."""
    return len(PdfReader(io.BytesIO(content)).pages)


def join(parts: Sequence[Part], title: str, author: str) -> bytes:
    """Return one PDF of all parts, in order, each under a bookmark of its name."""
    writer = PdfWriter()
    for part in parts:
        reader = _open(part.content)
        if reader is not None:  # read_part has seen to that
            writer.append(reader, outline_item=part.name)
    facts = {"/Title": title, "/Author": author, "/Producer": "grader"}
    writer.metadata = {key: value for key, value in facts.items() if value}
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()
