"""Checks the claims of a rubric one after the other; what the command and the pytest plugin share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grader.course.assignment import load_assignment
from grader.course.rubric_file import load_rubric
from grader.verify.claims import Claim, Result, claims_of
from grader.verify.evidence import Evidence, Target
from grader.verify.rewritten import all_rewritings

Checked = tuple[Claim, Result]


def list_claims(rubric_path: Path, root: Path) -> list[Claim]:
    """Return every claim of a rubric; raise RubricError or AssignmentError for a wrong one."""
    rubric = load_rubric(rubric_path)
    assignment = load_assignment(root / "reference" / rubric.assignment, rubric.subjects, rubric.seed)
    codes = [known.code for known in assignment.misconceptions]
    names = [f"{each.function}/{each.name}" for each in all_rewritings(assignment, rubric.functions)]
    return list(claims_of(rubric, codes, names))


def make_evidence(rubric_path: Path, root: Path, seeds: int, jobs: int) -> Evidence:
    """Return the evidence for a rubric; nothing is run yet."""
    return Evidence(Target(load_rubric(rubric_path).assignment, root, rubric_path), seeds, jobs)


def as_json(assignment: str, checked: list[Checked]) -> dict[str, object]:
    """Return what was found as plain data."""
    return {
        "assignment": assignment,
        "holds": all(result.holds for _, result in checked),
        "claims": list(_rows(checked)),
    }


def _rows(checked: list[Checked]) -> Iterator[dict[str, object]]:
    for claim, result in checked:
        yield {
            "id": claim.id,
            "title": claim.title,
            "holds": result.holds,
            "figures": result.figures,
            "problems": list(result.problems),
        }
