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
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from grader import __version__
from grader.errors import UsageError
from grader.records import NotebookRun, Score
from grader.report.pages import course_page, feedback_page, notebook_page
from grader.report.table import grades_csv, grades_json
from grader.rubric.model import Rubric
from grader.submissions import Submission

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
        """Write the pages of one submission."""
        folder = self.out / submission.directory
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "feedback.html", feedback_page(self.rubric, score, run, self._made()))
        if run is not None:
            _write(folder / "notebook.html", notebook_page(score.submission, run))
            _write(folder / "executed.ipynb", run.executed)
        else:
            for stale in ("notebook.html", "executed.ipynb"):
                (folder / stale).unlink(missing_ok=True)

    def write_course(self, submissions: Sequence[Submission], scores: Sequence[Score]) -> None:
        """Write the gradebook and the course page."""
        links = {s.id: quote(f"{s.directory}/feedback.html") for s in submissions}
        made = {"grader": __version__, "tier": self.tier, "seed": self.rubric.seed}
        _write(self.out / "grades.csv", grades_csv(scores, self.rubric))
        _write(self.out / "grades.json", grades_json(scores, self.rubric, made))
        _write(self.out / "index.html", course_page(self.rubric, scores, links, self._made()))

    def _made(self) -> str:
        return f"Made by grader {__version__}, {WALLS[self.tier]}."


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
