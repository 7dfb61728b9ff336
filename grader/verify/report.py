"""The report of `grader verify` in a terminal: a line for each group of claims, details of broken ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rich.console import Group, RenderableType
from rich.text import Text

from grader.verify.claims import Result
from grader.verify.verification import Checked

MOST_PROBLEMS = 12
GROUPS = {
    "mistake": "Known mistakes lose points and are named",
    "rewriting": "Other ways to write the reference keep every point",
    "mutants": "Mistakes made by a machine lose points",
}


def show_claims(assignment: str, checked: list[Checked]) -> RenderableType:
    """Return the report for a terminal."""
    held = sum(result.holds for _, result in checked)
    style = "bold green" if held == len(checked) else "bold red"
    lines = [Text(f"{assignment}: {held} of {len(checked)} claims hold", style=style), Text()]
    for kind, rows in groupby(checked, key=lambda row: row[0].id.split("/")[0]):
        group = list(rows)
        if kind not in GROUPS:
            for claim, result in group:
                lines += [_line(result.holds, claim.title, result.figures), *_problems(result, "    ")]
            continue
        broken = [(claim, result) for claim, result in group if not result.holds]
        lines.append(_line(not broken, GROUPS[kind], f"{len(group) - len(broken)} of {len(group)}"))
        for claim, result in broken:
            lines.append(Text(f"    {claim.id}  {result.figures}", style="red"))
            lines += _problems(result, "        ")
    return Group(*lines)


def _problems(result: Result, indent: str) -> Iterator[Text]:
    """Yield one line for each of the first problems of a claim."""
    problems = result.problems
    yield from (Text(indent + problem) for problem in problems[:MOST_PROBLEMS])
    if len(problems) > MOST_PROBLEMS:
        yield Text(f"{indent}and {len(problems) - MOST_PROBLEMS} more; all of them with --json", style="dim")


def _line(holds: bool, title: str, figures: str) -> Text:
    mark = Text("✓ ", style="green") if holds else Text("✗ ", style="bold red")
    return mark.append(title, style="").append(f"  {figures}" if figures else "", style="dim")
