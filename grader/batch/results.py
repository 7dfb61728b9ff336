"""Writes what a course reads: the folder of results.

    out/
        index.html                        the course
        grades.csv, grades.json           the gradebook
        grader.db                         observations and scores
        <submission>/feedback.html        for the student
        <submission>/notebook.html        the notebook as it ran, safe to look at
        <submission>/executed.ipynb       the same, to open in Jupyter

Every file is written beside its place and then moved there, so that none is ever half there.
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
from grader.errors import UsageError
from grader.intake.submissions import Submission
from grader.records import NotebookRun, Score
from grader.report.pages import course_page, feedback_page, notebook_page, pages_digest
from grader.report.table import grades_csv, grades_json

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
WALLS = {
    "isolated": "notebooks run in the tier isolated",
    "restricted": "notebooks run in the tier restricted (no namespaces)",
    "plain": "notebooks run in the tier plain: WITHOUT WALLS, so a hostile one could have changed this",
}


@dataclass(frozen=True)
class Results:
    """The folder of results of one rubric; `tier` is that of the walls that the submissions ran behind."""

    out: Path
    rubric: Rubric
    tier: str

    def open(self) -> None:
        """Make the folder; raise UsageError if it cannot be written."""
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            _write(self.out / ".writable", "")
            (self.out / ".writable").unlink()
        except OSError as error:
            raise UsageError(
                f"cannot write results to {self.out}: {error.strerror}; choose another --out"
            ) from error

    def write_submission(self, submission: Submission, score: Score, run: NotebookRun | None) -> None:
        """Write the pages of one submission.

        Raises UsageError if there is no room for any file, OSError if only these cannot be written.
        """
        folder = self.out / submission.directory
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / "feedback.html", feedback_page(self.rubric, score, run, self._made()))
            if run is not None:
                _write_notebook(folder, score.submission, run)
            else:
                for stale in ("notebook.html", "executed.ipynb"):
                    (folder / stale).unlink(missing_ok=True)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise _unwritable(folder, error) from error
            raise

    def write_course(self, scores: Sequence[Score]) -> None:
        """Write the gradebook and the course page of everybody who has a score, also of earlier runs."""
        pages = {score.submission: f"{score.directory}/feedback.html" for score in scores if score.directory}
        links = {name: quote(page) for name, page in pages.items() if os.path.isfile(self.out / page)}  # noqa: PTH113 -- no error for a name that is too long
        made = {"grader": __version__, "tier": self.tier, "seed": self.rubric.seed}
        try:
            _write(self.out / "grades.csv", grades_csv(scores, self.rubric))
            _write(self.out / "grades.json", grades_json(scores, self.rubric, made))
            _write(self.out / "index.html", course_page(self.rubric, scores, links, self._made()))
        except OSError as error:
            raise _unwritable(self.out, error) from error

    def _made(self) -> str:
        return f"Made by grader {__version__}, {WALLS[self.tier]}."


def _write_notebook(folder: Path, submission: str, run: NotebookRun) -> None:
    """Write the notebook as it ran, unless it is there already: judging again changes nothing in it.

    The page ends with a digest of what it shows and of the code that made it.
    """
    shown = hashlib.sha256("\n".join((pages_digest(), submission, run.executed)).encode(errors="replace"))
    stamp = f"<!-- {shown.hexdigest()} -->\n"
    page = folder / "notebook.html"
    if not _ends_with(page, stamp) or not (folder / "executed.ipynb").is_file():
        _write(folder / "executed.ipynb", run.executed)
        _write(page, notebook_page(submission, run) + stamp)


def _ends_with(path: Path, text: str) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-len(text), os.SEEK_END)
            return file.read() == text.encode()
    except OSError:
        return False


def _unwritable(folder: Path, error: OSError) -> UsageError:
    return UsageError(
        f"cannot write to {folder}: {error.strerror}; what was observed is kept: make room, and give the "
        "same command again"
    )


def _write(path: Path, text: str) -> None:
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
