"""`grader grade`: a folder of submissions becomes a folder of results."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rich.markup import escape

from grader.batch.course_bundle import pack_course
from grader.batch.event_log import EventLog
from grader.batch.gradebook import Rows
from grader.batch.judges import Judges
from grader.batch.pool import Graded, Listener, grade_all
from grader.batch.prepare import MAX_NAMES, Where, prepared, tell_intake
from grader.batch.progress import (
    LiveProgress,
    PatientConsole,
    PlainProgress,
    choose_progress,
    closing_words,
)
from grader.batch.resources import possible_workers
from grader.batch.results import DATABASE, LOG_FILE, Results, close_results, open_results
from grader.batch.tally import Tally
from grader.course.folder import rubric_path
from grader.course.sheet import sheet_text
from grader.errors import MissingPackageError, UsageError
from grader.exports import formats
from grader.intake.archives import opened
from grader.intake.attempts import rules_for
from grader.intake.submissions import Submission, find_submissions, source_of
from grader.intake.times import parsed_time
from grader.observe.layers import ISOLATED, PLAIN, RESTRICTED, Tier
from grader.observe.tiers import choose_sandbox
from grader.plan.load import load_course
from grader.plan.plan import Course
from grader.project import quoted
from grader.records import Status
from grader.store import Store
from grader.verify.proof import refuse_wrong_reference

LOG = logging.getLogger(__name__)
WARNINGS = {
    RESTRICTED: "the notebooks run in the tier restricted: no namespaces; see `grader doctor`",
    PLAIN: "the notebooks run in the tier plain, WITHOUT WALLS: they can read and do what you can; "
    "see `grader doctor`",
}


@dataclass(frozen=True)
class Options:
    """How to grade: `fresh` observes everything again, `unsafe` runs notebooks without walls too.

    `roster` lists who may hand in; its column `teams` says who works together. `deadline` is a time in place
    of the rubric's, `extensions` a table of who has longer; `file_times` takes the times of files for those
    of the hand-ins. `database` is the address of a database in place of one in the results, `log_file` is for
    events. `cluster` is the address of a Dask scheduler whose workers grade.
    """

    rubric: Path | None = None
    fresh: bool = False
    unsafe: bool = False
    roster: Path | None = None
    database: str | None = None
    log_file: Path | None = None
    cluster: str | None = None
    deadline: str | None = None
    extensions: Path | None = None
    teams: str = ""
    file_times: bool = False


def grade_folder(
    folder: Path, assignment: str, root: Path, out: Path, jobs: int, options: Options | None = None
) -> int:
    """Grade every notebook in `folder` into `out`; return how many were not graded through our fault."""
    options = options or Options()
    left_out: list[str] = []
    reserved = [each.FILE for each in formats()]
    handed_in = opened(folder, out, assignment)
    may_be_empty = options.roster is not None
    submissions = find_submissions(handed_in.folder, out, reserved, left_out, may_be_empty=may_be_empty)
    course = load_course(assignment, root, options.rubric)
    if options.deadline is not None:
        course = with_deadline(course, options.deadline)
    deadline = course.rubric.deadline
    rules = rules_for(
        course.rubric.assignment,
        deadline.astimezone() if deadline is not None else None,
        options.roster,
        options.extensions,
        options.teams,
        file_times=options.file_times,
        grace_minutes=course.rubric.late.grace_minutes if course.rubric.late is not None else 0.0,
    )
    refuse_wrong_reference(course)
    open_results(out)
    try:
        with _log_file(out / LOG_FILE), EventLog(options.log_file) as events:
            where = Where(handed_in, rules, out, left_out)
            return _grade(submissions, course, root, where, jobs, options, events)
    finally:
        close_results(out)


def _grade(
    submissions: list[Submission],
    course: Course,
    root: Path,
    where: Where,
    jobs: int,
    options: Options,
    events: EventLog,
) -> int:
    console, errors = (PatientConsole(highlight=False, emoji=False, stderr=err) for err in (False, True))

    def warn(words: str) -> None:
        with _logged_only():
            errors.print(f"[bold yellow]warning:[/] {escape(words)}", soft_wrap=True)
        LOG.info("%s", words)

    jobs = min(jobs, max(1, len(submissions)))
    with (
        _on_cluster(course, root, options, warn)
        if options.cluster
        else _here(course, root, jobs, options, warn)
    ) as machinery:
        results = Results(where.out, course.rubric, machinery.tier)
        if machinery.tier != ISOLATED:
            colour = "red" if machinery.tier == PLAIN else "yellow"
            warning = f"[bold {colour}]warning:[/] {WARNINGS[Tier(machinery.tier)]}"
            with _logged_only():
                errors.print(warning, soft_wrap=True)
        with Store(options.database or where.out / DATABASE, warn) as store:
            if options.fresh:
                store.forget()
            name = course.rubric.assignment
            store.put_rubric(name, course.rubric.model_dump_json(by_alias=True))
            store.put_sheet(name, sheet_text(course.assignment))
            submissions = prepared(submissions, course, store, where, warn)
            tell_intake(submissions, where, warn)
            tally = Tally(len(submissions))
            finished: set[str] = set()
            folder = where.handed_in.folder
            whole = folder.is_dir()
            rows = Rows(
                store,
                name,
                course.digest,
                finished,
                source_of(folder) if whole else "",
                {each.id for each in submissions},
            )
            results.write_course(rows, store.workers(name))
            events.write(
                "begun",
                assignment=name,
                submissions=len(submissions),
                workers=machinery.workers,
                tier=machinery.tier,
            )
            with choose_progress(tally, console) as display:
                writer = _Writer(results, store, display, tally, events, finished)
                try:
                    machinery.grade(submissions, store, writer)
                finally:
                    results.write_course(rows, store.workers(name))
                    events.write("ended", done=tally.done, faults=tally.faults)
            others = len(rows) - tally.done
    with _logged_only():
        closing_words(tally, console, course.rubric)
        if where.left_out:
            shown = ", ".join(where.left_out[:MAX_NAMES]) + (" and more" * (len(where.left_out) > MAX_NAMES))
            console.print(f"Not taken for hand-ins: {escape(shown)}", soft_wrap=True)
        if others:
            console.print(f"The gradebook has {others} more of earlier runs.", soft_wrap=True)
        if tally.faults:
            console.print(f"What went wrong through our fault is in {where.out / LOG_FILE}.", soft_wrap=True)
        if tally.pending:
            console.print(f"To give points: grader serve {where.out}", soft_wrap=True)
        console.print(f"{where.out / 'index.html'}", soft_wrap=True)
    return tally.faults


@dataclass(frozen=True)
class _Machinery:
    """What grades: in which tier, with how many workers, and how."""

    tier: str
    workers: int
    grade: Callable[[list[Submission], Store, Listener], None]


@contextlib.contextmanager
def _here(
    course: Course, root: Path, jobs: int, options: Options, warn: Callable[[str], None]
) -> Iterator[_Machinery]:
    """Grade on this machine."""
    workers, fewer = possible_workers(jobs)
    for words in fewer:
        warn(words)
    environment = course.rubric.environment
    python = str(root.resolve() / environment.python) if environment.python else sys.executable
    judge_jobs = max(2, workers)  # from 2 on, judging has a process of its own
    with (
        Judges(course, judge_jobs) as judges,
        choose_sandbox(
            environment.preload, environment.minimum_tier, python, unsafe=options.unsafe
        ) as sandbox,
    ):

        def grade(submissions: list[Submission], store: Store, listener: Listener) -> None:
            grade_all(submissions, course, sandbox, store, workers, listener, judges)

        yield _Machinery(sandbox.name, workers, grade)


@contextlib.contextmanager
def _on_cluster(
    course: Course, root: Path, options: Options, warn: Callable[[str], None]
) -> Iterator[_Machinery]:
    """Grade on the workers of a cluster."""
    try:
        from grader.batch.cluster import Cluster  # noqa: PLC0415 -- an extra
        from grader.batch.grade_on_cluster import grade_on_cluster  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"the package {error.name} is missing; run: pip install {quoted('grade,cluster')}"
        ) from error
    rubric = options.rubric or rubric_path(course.rubric.assignment, root)
    with Cluster(str(options.cluster), pack_course(course, root, rubric), warn) as cluster:
        cluster.wait_for_worker()

        def grade(submissions: list[Submission], store: Store, listener: Listener) -> None:
            grade_on_cluster(submissions, course, store, cluster, listener)

        yield _Machinery(cluster.tier, cluster.threads, grade)


def with_deadline(course: Course, text: str) -> Course:
    """Return the course with another deadline; raise UsageError if it is no time."""
    time = parsed_time(text)
    if not time:
        raise UsageError(f"--deadline {text!r} cannot be read as a time: write it like 2026-11-20 23:59")
    deadline = dt.datetime.fromisoformat(time)
    return replace(course, rubric=course.rubric.model_copy(update={"deadline": deadline}))


@contextlib.contextmanager
def _log_file(path: Path) -> Iterator[None]:
    """Write what goes wrong to a file, with tracebacks; the file is there only if something does."""
    handler = logging.FileHandler(path, encoding="utf-8", errors="replace", delay=True)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("grader")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


class _Writer:
    """The listener of a run: writes the pages of each result at once, and tells of it."""

    def __init__(
        self,
        results: Results,
        store: Store,
        display: PlainProgress | LiveProgress,
        tally: Tally,
        events: EventLog,
        finished: set[str],
    ) -> None:
        self.results = results
        self.store = store
        self.display = display
        self.tally = tally
        self.events = events
        self.finished_ids = finished
        self.shown = True

    def started(self, submission: Submission) -> None:
        """Tell that a submission is being graded."""
        self.events.started(submission)
        self._show(lambda: self.display.started(submission))

    def finished(self, graded: Graded) -> None:
        """Write the pages of a submission; raise OSError if they cannot be written.

        If it was not graded, that may be the reason why, so the error is only logged.
        """
        judged = graded.score.status
        kept = self.store.get_score(self.results.rubric.assignment, graded.submission.id)
        if kept is not None:
            graded = replace(graded, score=kept.score)  # with what people decided
        try:
            self.results.write_submission(graded.submission, graded.score, graded.run)
        except OSError:
            if judged is not Status.NOT_GRADED:
                raise
            LOG.exception("no page of %s was written", graded.submission.id)
        self.finished_ids.add(graded.submission.id)
        self.tally.add(graded)
        self.events.finished(graded)
        self._show(lambda: self.display.finished(graded))

    def _show(self, show: Callable[[], None]) -> None:
        """Show progress until that fails for the first time: a terminal that is gone stays gone."""
        if self.shown:
            self.shown = False
            with _logged_only():
                show()
                self.shown = True


@contextlib.contextmanager
def _logged_only() -> Iterator[None]:
    """Log an error of the terminal, such as a closed pipe: the run must not lose a result because of it."""
    try:
        yield
    except (OSError, ValueError):
        LOG.exception("the progress was not shown")
