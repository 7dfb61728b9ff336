"""Checks the gradebook of the sample submissions: each row must be what its folder's name says.

python .ci/check_table.py results/grades.csv
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "submissions" / "exercise_11"


def verdict(row: dict[str, str]) -> str:
    """Return what a row of the gradebook says of a submission."""
    if row["status"] != "graded":
        return row["status"]
    share = float(row["score"]) / float(row["max_score"])
    return "correct" if share == 1 else "partly_correct" if share > 0 else "no points"


def main() -> None:
    """Compare the table with the folders; exit 1 if a row is missing or wrong."""
    with Path(sys.argv[1]).open(encoding="utf-8", newline="") as file:
        rows = {row["submission"]: row for row in csv.DictReader(file)}
    expected = {path.relative_to(SAMPLES).with_suffix("").as_posix() for path in SAMPLES.rglob("*.ipynb")}
    wrong = [f"in one of the two only: {name}" for name in expected ^ set(rows)]
    for name in sorted(expected & set(rows)):
        folder = name.split("/")[0]
        allowed = "no points" if folder in ("wrong", "not_attempted") else folder
        if verdict(rows[name]) != allowed:
            wrong.append(
                f"{name}: {rows[name]['status']}, {rows[name]['score']} of {rows[name]['max_score']}"
            )
    print("\n".join(wrong) or f"the table is right: {len(rows)} submissions")
    sys.exit(1 if wrong or not rows else 0)


if __name__ == "__main__":
    main()
