"""Writes claims for people: one line for each group that holds, and every claim that does not, in full."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rich.console import Group, RenderableType
from rich.text import Text

from grader.verify.verification import Checked

MOST_PROBLEMS = 12
GROUPS = {
    "mistake": "Known mistakes lose points and are named",
    "rewriting": "Other ways to write the reference keep every point",
    "mutants": "Mistakes made by a machine lose points",
}


def show_claims(assignment: str, checked: list[Checked]) -> RenderableType:
    """Return the report for a terminal."""
    broken = [claim.id for claim, result in checked if not result.holds]
    verdict = f"{len(checked) - len(broken)} of {len(checked)} claims hold"
    head = Text(f"{assignment}: {verdict}", style="bold red" if broken else "bold green")
    return Group(head, Text(), *_lines(checked))


def _lines(checked: list[Checked]) -> Iterator[Text]:
    for kind, rows in groupby(checked, key=lambda row: row[0].id.split("/")[0]):
        group = list(rows)
        if kind in GROUPS:
            held = sum(result.holds for _, result in group)
            yield _line(held == len(group), GROUPS[kind], f"{held} of {len(group)}")
            group = [row for row in group if not row[1].holds]
            yield from (part for row in group for part in _broken(row, "    "))
        else:
            yield from (part for row in group for part in _single(row))


def _single(row: Checked) -> Iterator[Text]:
    claim, result = row
    yield _line(result.holds, claim.title, result.figures)
    yield from _problems(row, "    ")


def _broken(row: Checked, indent: str) -> Iterator[Text]:
    yield Text(f"{indent}{row[0].id}  {row[1].figures}", style="red")
    yield from _problems(row, indent + "    ")


def _problems(row: Checked, indent: str) -> Iterator[Text]:
    problems = row[1].problems
    yield from (Text(indent + problem) for problem in problems[:MOST_PROBLEMS])
    if len(problems) > MOST_PROBLEMS:
        yield Text(f"{indent}and {len(problems) - MOST_PROBLEMS} more; all of them with --json", style="dim")


def _line(holds: bool, title: str, figures: str) -> Text:
    mark = Text("✓ ", style="green") if holds else Text("✗ ", style="bold red")
    return mark.append(title, style="").append(f"  {figures}" if figures else "", style="dim")
