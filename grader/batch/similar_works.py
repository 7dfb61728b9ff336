"""Collects what is compared: the functions and answers of a course, and those of earlier years.

Notebooks that were not graded here are read by handlers, as all of a student is; none of them is run.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.batch.code_shown import shown_code
from grader.batch.given_answers import answer_to
from grader.batch.results import DATABASE
from grader.course.assignment import Assignment
from grader.course.rubric import Rubric
from grader.errors import GraderFault, NotebookUnreadable, UsageError
from grader.handler.job import Job
from grader.intake.archives import opened
from grader.intake.attempts import Rules, with_attempts
from grader.intake.submissions import find_submissions
from grader.manual.worklist import Worklist
from grader.notebook.sources import MAX_MODULE, read_bytes
from grader.observe.handle import handle
from grader.observe.sandbox import Sandbox
from grader.records import NotebookLimits
from grader.similar.pairs import Pair, Work, pairs
from grader.store import Store

LOG = logging.getLogger(__name__)
Works = dict[tuple[str, str], list[Work]]  # by question and kind


@dataclass(frozen=True)
class Comparison:
    """What is compared, and with what: `earlier` are folders of results, or of old hand-ins."""

    rubric: Rubric
    assignment: Assignment
    store: Store
    out: Path
    earlier: Sequence[Path]
    least: float

    def pairs(self, sandbox: Callable[[], Sandbox], told: Callable[[str], None]) -> list[Pair]:
        """Return the pairs of all questions; `sandbox` is called if notebooks have to be read."""
        works: Works = defaultdict(list)
        _of_results(works, self.rubric, self.store, "")
        for folder in self.earlier:
            if (folder / DATABASE).is_file():
                with Store(folder / DATABASE, told) as store:
                    _of_results(works, self.rubric, store, folder.name)
            else:
                self._of_notebooks(works, folder, sandbox(), told)
        handed_out = self._handed_out()
        found: list[Pair] = []
        for question in self.rubric.questions:
            for kind in ("code", "answer"):
                own = works.get((question.id, kind), [])
                found += pairs(question.id, question.title, kind, own, handed_out[kind], self.least)
        return sorted(found, key=lambda pair: (-pair.share, -pair.left))

    def _handed_out(self) -> Mapping[str, str]:
        cells = self.assignment.skeleton.cells
        return {
            "code": "\n".join(cell.source for cell in cells if cell.cell_type == "code"),
            "answer": "\n".join(cell.source for cell in cells if cell.cell_type != "code"),
        }

    def _of_notebooks(
        self, works: Works, folder: Path, sandbox: Sandbox, told: Callable[[str], None]
    ) -> None:
        handed_in = opened(folder, self.out, self.rubric.assignment)
        submissions = find_submissions(handed_in.folder, self.out)
        for each in with_attempts(submissions, handed_in, Rules(self.rubric.assignment)):
            if each.missing or each.problem or each.fault:
                continue
            try:
                modules = {path.name: read_bytes(path, MAX_MODULE) for path in each.modules}
                job = Job(
                    notebook=read_bytes(each.path),
                    modules=modules,
                    skeleton=self.assignment.handed_out,
                    subjects=tuple(map(str, self.rubric.subjects)),
                    read=True,
                    run=False,
                    limits=NotebookLimits(),
                )
                reading, _ = handle(job, sandbox, {})
            except (OSError, NotebookUnreadable, GraderFault) as error:
                told(f"{each.id} of {folder} cannot be read: {error}")
                continue
            if reading is None:
                continue
            owners = frozenset(f"{folder.name} {student.key}" for student in each.attempt.students)
            title = each.attempt.name or each.id
            for question in self.rubric.questions:
                code = shown_code(question, reading.facts, reading.sources)
                written = answer_to(question, reading.written)
                texts = {
                    "code": code.text if code else "",
                    "answer": written.text if written else "",
                }
                for kind, text in texts.items():
                    if text:
                        works[question.id, kind].append(Work(title, each.id, text, owners, folder.name))


def _of_results(works: Works, rubric: Rubric, store: Store, origin: str) -> None:
    """Add the works of a database; those of another assignment are none."""
    if rubric.assignment not in store.assignments():
        raise UsageError(f"the results in {origin or 'this folder'} are not of {rubric.assignment}")
    who: dict[str, tuple[str, frozenset[str]]] = {}
    for kept in store.kept_scores(rubric.assignment):
        score = kept.score
        keys = [student.key for student in score.attempt.students] or [score.submission]
        owners = frozenset(f"{origin} {key}" if origin else key for key in keys)
        who[score.submission] = score.title, owners
        for question in score.questions:
            if question.code is not None:
                work = Work(score.title, score.submission, question.code.text, owners, origin)
                works[question.id, "code"].append(work)
    worklist = Worklist(store, rubric.assignment)
    for asked in (each for each in rubric.questions if each.manual):
        works[asked.id, "answer"] += _answers(worklist, asked.id, who, origin)


def _answers(
    worklist: Worklist, question: str, who: Mapping[str, tuple[str, frozenset[str]]], origin: str
) -> Iterator[Work]:
    for submission, answer in worklist.texts(question).items():
        if submission in who and answer.text:
            title, owners = who[submission]
            yield Work(title, submission, answer.text, owners, origin)
