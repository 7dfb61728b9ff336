"""Compares what grader gives with what a fair examiner would, and builds the notebooks of the corpus.

    python -m corpus.compare exercise_11 RESULTS              what a run of `grader grade` says
    python -m corpus.compare exercise_11 --write FOLDER       the notebooks, to be graded

Run it with tests/ in PYTHONPATH. A question that waits for a person counts with the points suggested.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from corpus.cases import Case, Range, Sheet
from corpus.sheets import SHEETS

from grader.records import QuestionScore, Score
from grader.store import Store

ROUNDING = 1e-6
MOST_UNPUNISHED = 0.01  # of the wrong notebooks
LEAST_INSIDE = 0.95  # of all


@dataclass(frozen=True)
class Judged:
    """A notebook of the corpus with the points that it earned, by question."""

    name: str
    case: Case
    points: Mapping[str, float]
    fair: Mapping[str, Range]
    most: float

    @property
    def right(self) -> bool:
        """Whether the notebook is right."""
        return self.name.startswith("R_")

    @property
    def outside(self) -> dict[str, str]:
        """What is outside of the fair range, by question."""
        return {
            question: f"{points:.2f}, fair: {low:g} to {high:g}"
            for question, points in self.points.items()
            for low, high in [self.fair[question]]
            if not low - ROUNDING <= points <= high + ROUNDING
        }

    @property
    def loses(self) -> bool:
        """Whether a question earns less than is fair."""
        return any(points < self.fair[question][0] - ROUNDING for question, points in self.points.items())

    @property
    def unpunished(self) -> bool:
        """Whether it earns all points although no fair examiner would give them."""
        fairest = sum(high for _, high in self.fair.values())
        return sum(self.points.values()) > self.most - ROUNDING and fairest < self.most - ROUNDING


@dataclass(frozen=True)
class Comparison:
    """All notebooks of an assignment that were graded."""

    sheet: Sheet
    judged: tuple[Judged, ...]

    @property
    def losing(self) -> list[Judged]:
        """The right notebooks that lose points."""
        return [each for each in self.judged if each.right and each.loses]

    @property
    def unpunished(self) -> list[Judged]:
        """The wrong notebooks that lose nothing."""
        return [each for each in self.judged if not each.right and each.unpunished]

    @property
    def outside(self) -> list[Judged]:
        """The notebooks outside of the fair range in some question."""
        return [each for each in self.judged if each.outside]

    def problems(self) -> list[str]:
        """Return the bounds that do not hold."""
        wrong = sum(not each.right for each in self.judged)
        inside = len(self.judged) - len(self.outside)
        bounds = {
            f"{len(self.losing)} right notebooks lose points": not self.losing,
            f"{len(self.unpunished)} of {wrong} wrong notebooks lose nothing": (
                len(self.unpunished) <= MOST_UNPUNISHED * wrong
            ),
            f"{inside} of {len(self.judged)} notebooks are inside the fair range": (
                inside >= LEAST_INSIDE * len(self.judged)
            ),
        }
        return [told for told, holds in bounds.items() if not holds]

    def report(self) -> str:
        """Return the figures, and every notebook outside of the fair range with the reason, if it is known."""
        right = sum(each.right for each in self.judged)
        lines = [
            f"{self.sheet.name}: {right} right and {len(self.judged) - right} wrong notebooks",
            f"  right ones that lose points      {len(self.losing)}",
            f"  wrong ones that lose nothing     {len(self.unpunished)}",
            f"  inside the fair range            {len(self.judged) - len(self.outside)} of {len(self.judged)}",
        ]
        for each in self.outside:
            told = "; ".join(f"{question} {found}" for question, found in each.outside.items())
            reason = self.sheet.exceptions.get(each.name, "no reason is known")
            lines.append(f"  {each.name} ({each.case.why}): {told}: {reason}")
        outside = {each.name for each in self.outside}
        graded = {each.name for each in self.judged}
        lines += [
            f"  {name} is an exception no longer"
            for name in self.sheet.exceptions
            if name in graded and name not in outside
        ]
        return "\n".join(lines)


def compared(sheet: Sheet, results: Path) -> Comparison:
    """Compare the results of `grader grade` in a folder with the fair points."""
    with Store(results / "grader.db") as store:
        scores = store.get_scores(sheet.name)
    cases = sheet.cases()
    return Comparison(
        sheet,
        tuple(
            Judged(
                name, cases[name], earned(sheet, score), sheet.fair(cases[name]), sum(sheet.points.values())
            )
            for name, score in sorted(scores.items())
            if name in cases
        ),
    )


def earned(sheet: Sheet, score: Score) -> dict[str, float]:
    """Return the points of every question of the sheet; a submission without scores has none."""
    points = dict.fromkeys(sheet.points, 0.0)
    points.update({each.id: suggested(each) for each in score.questions if each.id in points})
    return points


def suggested(question: QuestionScore) -> float:
    """Return the points of a question; of one that waits for a person, those of its checks."""
    return sum(check.points for check in question.checks) if question.points is None else question.points


def main() -> None:
    """Write the notebooks of an assignment, or compare the results of a run."""
    parser = argparse.ArgumentParser(description="Notebooks with fair ranges of points.")
    parser.add_argument("assignment", choices=sorted(SHEETS))
    parser.add_argument("results", type=Path, nargs="?")
    parser.add_argument("--write", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    sheet = SHEETS[options.assignment]
    if options.write:
        sheet.write(options.write)
    if options.results:
        comparison = compared(sheet, options.results)
        print("\n".join([comparison.report(), *comparison.problems()]))


if __name__ == "__main__":
    main()
