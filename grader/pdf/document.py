"""`grader pdf`: one notebook and the other solutions become the file that is handed in."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from grader.errors import DocumentError, NotebookUnreadable, UsageError
from grader.notebook.read import load_notebook, parse_notebook
from grader.notebook.sources import read_named
from grader.pdf.draft import Draft
from grader.pdf.merge import Part, count_pages, join, read_part
from grader.pdf.notebook_cells import set_notebook
from grader.pdf.run import run_notebook
from grader.pdf.text import plain
from grader.pdf.typeset import typeset


@dataclass(frozen=True)
class HandIn:
    """The finished document: its bytes, the parts it was joined from, and warnings for the student."""

    content: bytes
    parts: tuple[Part, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Wishes:
    """The options of the command."""

    run: bool = False
    append: tuple[Path, ...] = ()
    notebook_first: bool = False
    name: str = ""
    title: str = ""
    pictures_from: Path | None = None


def write_hand_in(notebook: Path, target: Path, wishes: Wishes) -> HandIn:
    """Write the PDF of a notebook, joined with others, to `target`; raise UsageError,
    DocumentError or GraderFault.

    When anything fails, the target stays as it was.
    """
    if target.is_dir() or not target.resolve().parent.is_dir():
        raise UsageError(f"{target}: not a file in a folder that exists; give another with -o")
    for source in (notebook, *wishes.append):
        if target.exists() and source.exists() and target.samefile(source):
            raise UsageError(
                f"{target}: would be overwritten, but the document is made of it; give another -o"
            )

    hand_in = make_hand_in(notebook, wishes)

    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(hand_in.content)
        partial.replace(target)
    except OSError as error:
        raise DocumentError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
    return hand_in


def make_hand_in(path: Path, wishes: Wishes) -> HandIn:
    """Return the PDF of the notebook at `path`, joined with the other solutions."""
    others = [read_part(other) for other in wishes.append]
    data = read_named(path)
    try:
        notebook = parse_notebook(data) if wishes.run else load_notebook(data)
    except NotebookUnreadable as error:
        raise DocumentError(f"{path}: {error}") from error
    if wishes.run:
        notebook = run_notebook(notebook, path.resolve().parent)

    # The page numbers count through all parts.
    pages = sum(part.pages for part in others)
    before, after = (0, pages) if wishes.notebook_first else (pages, 0)
    with tempfile.TemporaryDirectory(prefix="grader-pdf-") as folder:
        draft = Draft(Path(folder).resolve(), wishes.pictures_from, plain(wishes.title))
        set_notebook(notebook, draft)
        draft.title = draft.title or path.stem
        content = typeset(draft, plain(wishes.name), plain(path.name), before, after)

    own = Part(draft.title, content, count_pages(content))
    parts = (own, *others) if wishes.notebook_first else (*others, own)
    whole = join(parts, draft.title, wishes.name) if others else content
    return HandIn(whole, parts, tuple(draft.warnings))
