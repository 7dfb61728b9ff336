"""Checks the gradebook of the sample submissions: every row, to the point, must be what is expected of it.

    python .ci/check_table.py results/grades.csv

The folder of a sample names its verdict; submissions/exercise_11/expected.yaml says how many points each
question loses, exactly or as [least, most], and why.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "submissions" / "exercise_11"
RUBRIC = ROOT / "rubrics" / "exercise_11.yaml"
TOLERANCE = 0.005 + 1e-6  # what a question earns is given in hundredths
Row = dict[str, str]


def main() -> None:
    """Compare the table with the samples; exit 1 if a row is missing or wrong."""
    with Path(sys.argv[1]).open(encoding="utf-8-sig", newline="") as file:
        rows = {row["submission"]: row for row in csv.DictReader(file)}
    expected = yaml.safe_load((SAMPLES / "expected.yaml").read_text(encoding="utf-8"))
    names = {path.relative_to(SAMPLES).with_suffix("").as_posix() for path in SAMPLES.rglob("*.ipynb")}
    wrong = [f"in one of the two only: {name}" for name in sorted(names ^ set(rows))]
    for name in sorted(names & set(rows)):
        wrong += [f"{name}: {problem}" for problem in problems(name, rows[name], expected.get(name, {}))]
    print("\n".join(wrong) or f"the table is right: {len(rows)} submissions")
    sys.exit(1 if wrong or not rows else 0)


def problems(name: str, row: Row, entry: dict[str, Any]) -> list[str]:
    """Return what is wrong with a row of the gradebook."""
    folder = name.partition("/")[0]
    if folder == "unreadable" or row["status"] != "graded":
        right = (row["status"], float(row["score"] or 0)) == (folder, 0.0)
        return [] if right else [f"{row['status']}, {row['score']} points"]
    found = []
    for question, points in automatic_points().items():
        least, most = allowed(entry.get("lost", {}), question, points)
        lost = points - float(row[question] or "nan")
        if not least - TOLERANCE <= lost <= most + TOLERANCE:
            found.append(f"{question} loses {lost:g} points, expected {least:g} to {most:g}")
    return found


def automatic_points() -> dict[str, float]:
    """Return the points of the questions that are graded without a person."""
    questions = yaml.safe_load(RUBRIC.read_text(encoding="utf-8"))["questions"]
    return {q["id"]: float(q["points"]) for q in questions if not q.get("manual")}


def allowed(lost: Any, question: str, points: float) -> tuple[float, float]:
    """Return the least and the most that a question may lose."""
    value = points if lost == "all" else lost.get(question, 0.0)
    return (value[0], value[1]) if isinstance(value, list) else (value, value)


if __name__ == "__main__":
    main()
