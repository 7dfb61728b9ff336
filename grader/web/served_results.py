"""What all requests share: the results, who may come in, and what is going on."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from grader.course.rubric import Rubric
from grader.given_answer import GivenAnswer
from grader.intake.beside import files_beside
from grader.manual.accounts import Accounts
from grader.manual.alike import Group, groups_of
from grader.manual.decisions import Decisions
from grader.manual.palette import Palette
from grader.manual.sharing import Sharing
from grader.manual.similar_pairs import SimilarPairs
from grader.manual.worklist import Item, Worklist, code_name
from grader.store import Store
from grader.web.jobs import Jobs
from grader.web.presence import Presence

KEPT_GROUPS = 16


@dataclass(frozen=True)
class Access:
    """Who may come in. With neither accounts nor a header there is one person, with a one-time token.

    `header` is that in which a proxy with one of the addresses `proxies` names the user.
    """

    person: str = ""
    token: str = ""
    accounts: bool = False
    header: str = ""
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")


@dataclass
class Results:
    """The results of one assignment, as the pages use them.

    By session: `notices` are told on its next page, `closed` is the number of the job that it hides.
    """

    store: Store
    assignment: str
    out: Path
    title: str
    access: Access
    jobs: Jobs
    prefix: str = ""
    secure: bool = False
    presence: Presence = field(default_factory=Presence)
    notices: dict[str, str] = field(default_factory=dict)
    closed: dict[str, int] = field(default_factory=dict)
    _groups: dict[str, list[Group]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def worklist(self) -> Worklist:
        """What waits for a person."""
        return Worklist(self.store, self.assignment)

    @cached_property
    def decisions(self) -> Decisions:
        """The history."""
        return Decisions(self.store, self.assignment)

    @cached_property
    def palette(self) -> Palette:
        """Comments that are used again."""
        return Palette(self.store, self.assignment)

    @cached_property
    def sharing(self) -> Sharing:
        """Who grades what."""
        return Sharing(self.store, self.assignment)

    @cached_property
    def similar(self) -> SimilarPairs:
        """Functions and answers that are alike."""
        return SimilarPairs(self.store, self.assignment)

    @cached_property
    def accounts(self) -> Accounts:
        """People, sessions, the audit log."""
        return Accounts(self.store)

    @cached_property
    def secret(self) -> str:
        """What the names of answers in addresses are made from."""
        return self.sharing.secret()

    @cached_property
    def cookie(self) -> str:
        """The name of the cookie: cookies ignore ports, so servers of other results need another one."""
        return f"grader-{hashlib.sha256(f'cookie {self.secret}'.encode()).hexdigest()[:12]}"

    def code(self, submission: str, question: str = "") -> str:
        """Return the name of a submission in addresses: in those of a question it has another one."""
        return code_name(f"{self.secret}\0{question}" if question else self.secret, submission)

    def submission(self, code: str, question: str = "") -> str | None:
        """Return the submission with a name in addresses, of a question or of a student."""
        names = self.worklist.submissions()
        return next((name for name in names if self.code(name, question) == code), None)

    def rubric(self) -> Rubric | None:
        """Return the rubric with which the results were graded, None if that was not kept."""
        text = self.store.get_rubric(self.assignment)
        return _rubric(text) if text else None

    def sheet(self, question: str) -> dict[str, list[dict[str, Any]]]:
        """Return the cells of the `task` of a written question, and those of the course's own `answer`."""
        text = self.store.get_sheet(self.assignment)
        found: dict[str, list[dict[str, Any]]] = json.loads(text).get(question, {}) if text else {}
        return {part: cells for part, cells in found.items() if cells}

    def beside(self, submission: str) -> dict[str, Path]:
        """Return the files that were handed in beside a notebook, by name."""
        return files_beside(submission, self.store.sources(self.assignment))

    def groups(self, question: str, items: Sequence[Item], *, written: bool) -> list[Group]:
        """Return the groups of a question's answers; those of the same answers are made once."""
        content = "\n".join(f"{item.submission}\0{item.alike}" for item in items)
        key = f"{question} {hashlib.sha256(content.encode(errors='replace')).hexdigest()}"
        with self._lock:
            kept = self._groups.get(key)
            if kept is None:
                answers: dict[str, GivenAnswer] | None = self.worklist.texts(question) if written else None
                kept = groups_of(items, answers)
                self._groups[key] = kept
                while len(self._groups) > KEPT_GROUPS:
                    self._groups.pop(next(iter(self._groups)))
        now = {item.submission: item for item in items}
        return [
            Group(tuple(now[item.submission] for item in group.items), group.equal, group.closeness)
            for group in kept
        ]


@lru_cache(maxsize=2)
def _rubric(text: str) -> Rubric:
    return Rubric.model_validate_json(text)
