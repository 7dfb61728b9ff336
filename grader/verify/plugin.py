"""pytest plugin: `pytest rubrics/` collects every rubric as test items, one for each claim.

    pytest rubrics/ -k "reference or skeleton"     some claims only; nothing else is run
    pytest rubrics/ --grader-seeds 3               fewer seeds than the 20 of `grader verify`
    pytest rubrics/ --junit-xml report.xml         for a CI service

A rubric is a file rubrics/*.yaml next to a folder reference/. The rest of grader is imported only when there
is one, because pytest loads this plugin in every project.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from grader.verify.claims import Claim
    from grader.verify.evidence import Evidence


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options --grader-seeds and --grader-jobs."""
    group = parser.getgroup("grader", "claims of rubrics")
    group.addoption("--grader-seeds", type=int, default=20, help="seeds on which the reference is tried")
    group.addoption("--grader-jobs", type=int, default=os.cpu_count() or 1, help="worker processes")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a file if it is a rubric."""
    root = file_path.parent.parent
    if file_path.suffix == ".yaml" and file_path.parent.name == "rubrics" and (root / "reference").is_dir():
        return RubricFile.from_parent(parent, path=file_path)
    return None


class BrokenClaimError(Exception):
    """A claim does not hold; the message says why."""


class RubricFile(pytest.File):
    """A rubric; each of its claims is an item, and all of them share the evidence."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for each claim."""
        from grader.verify.verification import list_claims, make_evidence  # noqa: PLC0415

        root = self.path.parent.parent
        options = self.config.option
        evidence = make_evidence(self.path, root, options.grader_seeds, options.grader_jobs)
        for claim in list_claims(self.path, root):
            yield ClaimItem.from_parent(self, name=claim.id, claim=claim, evidence=evidence)


class ClaimItem(pytest.Item):
    """One claim."""

    def __init__(self, *, claim: Claim, evidence: Evidence, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.claim = claim
        self.evidence = evidence

    def runtest(self) -> None:
        """Check the claim; raise BrokenClaimError if it does not hold."""
        result = self.claim.check(self.evidence)
        if not result.holds:
            raise BrokenClaimError(f"{self.claim.title}: {result.figures}\n" + "\n".join(result.problems))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Return the message of a broken claim without a traceback, which would show only grader's code."""
        if isinstance(excinfo.value, BrokenClaimError):
            return f"does not hold: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file, the line and the title that pytest shows for the claim."""
        return self.path, 0, self.claim.title
