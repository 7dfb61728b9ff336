"""Lists the claims of a rubric and prepares their evidence, for the command and for the pytest plugin."""

from __future__ import annotations

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
    """Return the claims and their results as plain data."""
    claims = [
        {
            "id": claim.id,
            "title": claim.title,
            "holds": result.holds,
            "figures": result.figures,
            "problems": list(result.problems),
        }
        for claim, result in checked
    ]
    return {"assignment": assignment, "holds": all(result.holds for _, result in checked), "claims": claims}
