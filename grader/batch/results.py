"""Writes the folder of results, which teachers and students read.

    out/
        index.html                        the course
        grades.csv, grades.json           the gradebook, in every format of grader.exports
        grader.db                         observations and scores
        grader.log                        what went wrong through our fault, with tracebacks
        <submission>/feedback.html        for the student
        <submission>/notebook.html        the notebook as it ran, safe to look at
        <submission>/executed.ipynb       the same, to open in Jupyter

Every file is written under a temporary name and then renamed, so that nobody reads half a file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from grader import __version__
from grader.course.rubric import Rubric
from grader.errors import ResultsError, UsageError
from grader.exports import Gradebook, formats
from grader.intake.submissions import Submission
from grader.records import NotebookRun, Score
from grader.report.pages import course_page, feedback_page, notebook_page, pages_digest

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
WALLS = {
    "isolated": "notebooks run in the tier isolated",
    "restricted": "notebooks run in the tier restricted (no namespaces)",
    "plain": "notebooks run in the tier plain: WITHOUT WALLS, so a hostile one could have changed this",
}


def open_results(out: Path) -> None:
    """Create the folder of results; raise UsageError for a file, ResultsError if nothing can be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write(out / ".writable", "")
        (out / ".writable").unlink()
    except OSError as error:
        what = f"cannot write results to {out}: {error.strerror}; choose another --out"
        no_folder = isinstance(error, FileExistsError | NotADirectoryError)
        raise (UsageError(what) if no_folder else ResultsError(what)) from error


@dataclass(frozen=True)
class Results:
    """The folder of results of one rubric; `tier` is the sandbox tier in which the submissions ran."""

    out: Path
    rubric: Rubric
    tier: str

    def write_submission(self, submission: Submission, score: Score, run: NotebookRun | None) -> None:
        """Write the pages of one submission.

        Raises ResultsError if the disk is full or read-only, OSError if only these files cannot be written.
        """
        folder = self.out / submission.directory
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / "feedback.html", feedback_page(self.rubric, score, run, self._made_by()))
            page, executed = folder / "notebook.html", folder / "executed.ipynb"
            if run is None:
                page.unlink(missing_ok=True)  # of an earlier run
                executed.unlink(missing_ok=True)
                return
            # Judging again does not change the notebook. Its page ends with a digest of its content and of
            # the code that makes pages, so that both files are written only when one of these has changed.
            content = "\n".join((pages_digest(), score.submission, run.executed))
            stamp = f"<!-- {hashlib.sha256(content.encode(errors='replace')).hexdigest()} -->\n"
            if not _ends_with(page, stamp) or not executed.is_file():
                _write(executed, run.executed)
                _write(page, notebook_page(score.submission, run) + stamp)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise _unwritable(folder, error) from error
            raise

    def write_course(self, scores: Sequence[Score]) -> None:
        """Write the gradebook and the course page from all scores, those of earlier runs included."""
        pages = {score.submission: f"{score.directory}/feedback.html" for score in scores if score.directory}
        links = {name: quote(page) for name, page in pages.items() if os.path.isfile(self.out / page)}  # noqa: PTH113 -- no error for a name that is too long
        made = {"grader": __version__, "tier": self.tier, "seed": self.rubric.seed}
        try:
            for each in formats():
                _write(self.out / each.FILE, each.export(Gradebook(self.rubric, scores, made)))
            _write(self.out / "index.html", course_page(self.rubric, scores, links, self._made_by()))
        except OSError as error:
            raise _unwritable(self.out, error) from error

    def _made_by(self) -> str:
        """Return the last line of a page."""
        return f"Made by grader {__version__}, {WALLS[self.tier]}."


def _ends_with(path: Path, text: str) -> bool:
    """Return whether a file ends with a text; False if it is shorter or cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(-len(text), os.SEEK_END)
            return file.read() == text.encode()
    except OSError:
        return False


def _unwritable(folder: Path, error: OSError) -> ResultsError:
    """Return the error that tells the user what to do about a folder that cannot be written to."""
    return ResultsError(
        f"cannot write to {folder}: {error.strerror}; what was observed is kept: make room, and give the "
        "same command again"
    )


def _write(path: Path, text: str) -> None:
    """Write a file as a whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
