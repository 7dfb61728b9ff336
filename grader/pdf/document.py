"""`grader pdf`: one notebook and the other solutions become the file that is handed in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import NotebookUnreadable, UsageError
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
    """The finished document: its bytes, what is in it, and what the student should look at."""

    content: bytes
    parts: tuple[Part, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Wishes:
    """What the student asked for beside the notebook."""

    run: bool = False
    append: tuple[Path, ...] = ()
    notebook_first: bool = False
    name: str = ""
    title: str = ""
    pictures_from: Path | None = None


def write_hand_in(notebook: Path, target: Path, wishes: Wishes) -> HandIn:
    """Write the PDF of a notebook, joined with others, to `target`; raise UsageError or GraderFault.

    The target appears when it is complete, or stays as it was.
    """
    _check_target(target, (notebook, *wishes.append))
    hand_in = make_hand_in(notebook, wishes)
    _write(target, hand_in.content)
    return hand_in


def make_hand_in(path: Path, wishes: Wishes) -> HandIn:
    """Return the PDF of the notebook at `path`, joined with those to append."""
    others = [read_part(other) for other in wishes.append]
    data = read_named(path)
    try:
        notebook = parse_notebook(data) if wishes.run else load_notebook(data)
    except NotebookUnreadable as error:
        raise UsageError(f"{path}: {error}") from error
    if wishes.run:
        notebook = run_notebook(notebook, path.resolve().parent)
    pages = sum(part.pages for part in others)
    before, after = (0, pages) if wishes.notebook_first else (pages, 0)
    with tempfile.TemporaryDirectory(prefix="grader-pdf-") as folder:
        draft = Draft(Path(folder).resolve(), wishes.pictures_from, plain(wishes.title))
        set_notebook(notebook, draft)
        draft.title = draft.title or path.stem
        content = typeset(draft, plain(wishes.name), plain(path.name), before, after)
    return _joined(content, draft, others, wishes)


def _joined(content: bytes, draft: Draft, others: Sequence[Part], wishes: Wishes) -> HandIn:
    own = Part(draft.title, content, count_pages(content))
    parts = (own, *others) if wishes.notebook_first else (*others, own)
    whole = join(parts, draft.title, wishes.name) if others else content
    return HandIn(whole, parts, tuple(draft.warnings))


def _check_target(target: Path, sources: Sequence[Path]) -> None:
    """Raise UsageError if the file cannot be written, or is one of those that it is made of."""
    if target.is_dir() or not target.resolve().parent.is_dir():
        raise UsageError(f"{target}: not a file in a folder that exists; give another with -o")
    for source in sources:
        if target.exists() and source.exists() and target.samefile(source):
            raise UsageError(
                f"{target}: would be overwritten, but the document is made of it; give another -o"
            )


def _write(target: Path, content: bytes) -> None:
    """Write a file in one step, so that what was there is not lost when something fails."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
