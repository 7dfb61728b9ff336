"""What is asked and answered of a written answer, between the core and the process that reads it: plain data.

WrittenTask  --handler: find the answer, test what it states-->  WrittenReport
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class StepVerdict(StrEnum):
    """What is said of a step: a closed set."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True)
class WrittenTask:
    """What to do with an answer: `kind` is derivation or claims, `cell` names the cell, `content` is JSON."""

    id: str
    kind: str
    cell: str
    content: str


@dataclass(frozen=True)
class WrittenStep:
    """An equality of a derivation, or a claim (in `left`); `shown` is MathML, `rule` why it holds."""

    line: int
    left: str
    right: str
    verdict: StepVerdict
    reason: str = ""
    rule: str = ""
    shown: str = ""


@dataclass(frozen=True)
class WrittenReport:
    """What was found in an answer."""

    steps: tuple[WrittenStep, ...] = ()
    starts_right: bool = False
    target_reached: bool = False
    remarks: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return the report as plain data."""
        content = asdict(self)
        for step in content["steps"]:
            step["verdict"] = str(step["verdict"])
        return content

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> WrittenReport:
        """Return the report of plain data; raises KeyError, TypeError or ValueError for other data."""
        steps = tuple(
            WrittenStep(**{**step, "verdict": StepVerdict(step["verdict"])}) for step in content["steps"]
        )
        return cls(**{**content, "steps": steps, "remarks": tuple(content["remarks"])})
