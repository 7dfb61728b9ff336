"""Writes the folder of results, which teachers and students read.

    out/
        index.html                        the course
        grades.csv, grades.json           the gradebook, in every format of grader.exports
        grader.db                         observations and scores
        handed-in/                        what was unpacked
        grader.log                        what went wrong through our fault, with tracebacks
        .parts/                           files that are being written
        <submission>/feedback.html        for the student
        <submission>/notebook.html        the notebook as it ran, safe to look at
        <submission>/executed.ipynb       the same, to open in Jupyter

Every file is written as a whole under another name and then renamed, so that nobody reads half a file, also
after a kill or a power cut.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import logging
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from grader import __version__
from grader.course.rubric import Rubric
from grader.errors import ResultsError, UsageError
from grader.exports import Gradebook, formats
from grader.intake.submissions import Submission
from grader.observe.layers import lower
from grader.records import Evidence, NotebookRun, QuestionScore, Score
from grader.report.pages import course_page, feedback_page, notebook_page, pages_digest

if sys.platform != "win32":
    import fcntl

LOG = logging.getLogger(__name__)
LOG_FILE, DATABASE = "grader.log", "grader.db"
PARTS, PART = ".parts", ".part"
OTHERS_SECONDS = 3600.0
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
WALLS = {
    "isolated": "notebooks run in the tier isolated",
    "restricted": "notebooks run in the tier restricted (no namespaces)",
    "plain": "notebooks run in the tier plain: WITHOUT WALLS, so a hostile one could have changed this",
}


def open_results(out: Path) -> None:
    """Create the folder of results; raise UsageError for a file, ResultsError if nothing can be written.

    What killed runs have left half written is removed.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        parts = out / PARTS
        for part in parts.glob(f"*{PART}") if parts.is_dir() else ():
            _sweep(part)
        with _part(out) as part:
            part.write_bytes(b"")
            part.unlink()
    except OSError as error:
        what = f"cannot write results to {out}: {error.strerror}; choose another --out"
        no_folder = isinstance(error, FileExistsError | NotADirectoryError)
        raise (UsageError(what) if no_folder else ResultsError(what)) from error


def close_results(out: Path) -> None:
    """Remove the folder of files that are being written, unless another grader has some there."""
    with contextlib.suppress(OSError):
        (out / PARTS).rmdir()


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
        if submission.absent:
            return
        folder = self.out / submission.directory
        try:
            folder.mkdir(parents=True, exist_ok=True)
            made = self._made_by(score.tier or self.tier)
            self._write(folder / "feedback.html", feedback_page(self.rubric, score, run, made))
            page, executed = folder / "notebook.html", folder / "executed.ipynb"
            if run is None:
                page.unlink(missing_ok=True)  # of an earlier run
                executed.unlink(missing_ok=True)
                return
            # Judging again does not change the notebook. Its page ends with a digest of its content and of
            # the code that makes pages, so that both files are written only when one of these has changed.
            content = "\n".join((pages_digest(), score.submission, run.executed))
            stamp = f"<!-- {hashlib.sha256(content.encode(errors='replace')).hexdigest()} -->\n"
            if not _ends_with(page, stamp) or not _holds(executed, run.executed):
                self._write(executed, run.executed)
                self._write(page, notebook_page(score.submission, run) + stamp)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise _unwritable(folder, error) from error
            raise

    def write_course(
        self, scores: Sequence[Score], workers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Write the gradebook and the course page from all scores, those of earlier runs included.

        `scores` may be read from the database whenever they are gone through; `workers` are those of a
        cluster, by submission. The tier that is told is the lowest of all. Raises ResultsError if files
        cannot be written; whatever else fails in one format leaves the others whole, and is told at the end.
        """
        shared: dict[QuestionScore, QuestionScore] = {}
        rows = [_without_evidence(score, shared) for score in scores]
        tiers = (self.tier, *(row.tier for row in rows if row.tier))  # of earlier runs, and of other machines
        lowest = functools.reduce(lower, tiers)
        failed: Exception | None = None
        made = {"grader": __version__, "tier": lowest, "seed": self.rubric.seed}
        for each in formats():
            try:
                self._write(self.out / each.FILE, each.export(Gradebook(self.rubric, scores, made)))
            except OSError as error:
                raise _unwritable(self.out, error) from error
            except Exception as error:  # whatever a plug-in raises
                LOG.exception("%s was not written", each.FILE)
                failed = failed or ResultsError(
                    f"{each.FILE} was not written: {error!r}; see {self.out / LOG_FILE}"
                )
        pages = {score.submission: f"{score.directory}/feedback.html" for score in rows if score.directory}
        links = {name: quote(page) for name, page in pages.items() if os.path.isfile(self.out / page)}  # noqa: PTH113 -- no error for a name that is too long
        page = course_page(self.rubric, rows, links, self._made_by(lowest), workers)
        try:
            self._write(self.out / "index.html", page)
        except OSError as error:
            raise _unwritable(self.out, error) from error
        if failed is not None:
            raise failed

    def _write(self, path: Path, text: str) -> None:
        """Write a file as a whole or not at all."""
        with _part(self.out) as part:
            with part.open("w", encoding="utf-8", errors="replace") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.chmod(0o644)
            part.replace(path)

    def _made_by(self, tier: str) -> str:
        """Return the last line of a page."""
        return f"Made by grader {__version__}, {WALLS[tier]}."


def _ends_with(path: Path, text: str) -> bool:
    """Return whether a file ends with a text; False if it is shorter or cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(-len(text), os.SEEK_END)
            return file.read() == text.encode()
    except OSError:
        return False


def _holds(path: Path, text: str) -> bool:
    """Return whether a file holds a text and nothing else."""
    data = text.encode(errors="replace")
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _unwritable(folder: Path, error: OSError) -> ResultsError:
    """Return the error that tells the user what to do about a folder that cannot be written to."""
    return ResultsError(
        f"cannot write to {folder}: {error.strerror}; what was observed is kept: make room, and give the "
        "same command again"
    )


def _without_evidence(score: Score, shared: dict[QuestionScore, QuestionScore]) -> Score:
    """Return a score without what the course page does not show: most of what it holds.

    Questions that came out alike are one object for all submissions, so that a whole course fits in memory.
    """
    questions = []
    for question in score.questions:
        checks = tuple(
            replace(
                check,
                verdict=replace(check.verdict, message="", evidence=Evidence(), remarks=()),
                feedback="",
            )
            for check in question.checks
        )
        named = question.diagnosis
        if named is not None:
            named = replace(named, message="", residual=None, margin=None, inputs="")
        bare = replace(question, checks=checks, diagnosis=named, remarks=(), code=None, decided=None)
        questions.append(shared.setdefault(bare, bare))
    return replace(score, questions=tuple(questions))


@contextlib.contextmanager
def _part(out: Path) -> Iterator[Path]:
    """Yield a path for a file that is being written; at the end, what is still there is removed."""
    with contextlib.ExitStack() as stack:
        while True:  # with a new name each time: who removes an old part has only its name
            part = out / PARTS / f"{secrets.token_hex(8)}{PART}"
            part.parent.mkdir(exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # another grader has just removed the folder, or it
                part.touch(exist_ok=False)
                if sys.platform == "win32":
                    break
                locked = stack.enter_context(part.open("rb"))
                with contextlib.suppress(OSError):  # a file system without locks
                    fcntl.flock(locked, fcntl.LOCK_EX)
                if part.exists():
                    break
        try:
            yield part
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def _sweep(part: Path) -> None:
    """Remove a part, unless who writes it has it locked; without locks, unless it is of the last hour."""
    with contextlib.suppress(FileNotFoundError, BlockingIOError), part.open("rb") as file:
        try:
            if sys.platform == "win32":
                raise OSError("no locks")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            if time.time() - part.stat().st_mtime < OTHERS_SECONDS:
                return
        part.unlink()
