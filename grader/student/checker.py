"""Checks functions at home: what each check says, and what of it is another function's doing.

    for each function    its worker makes the checks       (worker, home)
    what does not hold   may follow from a function that it needs: then nothing can be said of it yet

A function that does not finish is waited for once: what needs it is not tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from grader.checks.base import Check, InputsCheck
from grader.reading import FactsStatus
from grader.records import VerdictKind
from grader.student.functions import Functions, Unavailable, silent
from grader.student.home import Bench, Finding, inconclusive
from grader.student.kit import Kit, KitFunction
from grader.student.worker import Way, Worker, finding_of

STILL = "is still as it was handed out"


@dataclass(frozen=True)
class Report:
    """The results of all checks of one function; `remark` says why none could be made."""

    function: KitFunction
    findings: tuple[Finding, ...] = ()
    remark: str = ""

    @property
    def passed(self) -> int:
        """The number of checks that hold."""
        return sum(finding.kind is VerdictKind.PASSED for finding in self.findings)

    @property
    def late(self) -> bool:
        """Whether the function did not finish."""
        return any(finding.late for finding in self.findings)


def check_functions(
    kit: Kit, functions: Functions, names: Sequence[str], way: Way | Literal["here"]
) -> Iterator[Report]:
    """Yield the report of each function.

    `way` is how its worker is made; "here" makes the checks in this process, where an interrupt from the
    keyboard ends a check that takes too long.
    """
    checker = Checker(kit, functions, frozenset(names), way)
    for name in names:
        yield checker.report(name)


class Checker:
    """Makes the reports of some functions, each once."""

    def __init__(
        self, kit: Kit, functions: Functions, wanted: frozenset[str], way: Way | Literal["here"]
    ) -> None:
        self.kit, self.functions, self.wanted, self.way = kit, functions, wanted, way
        self.reports: dict[str, Report] = {}
        self.under_way: set[str] = set()

    def report(self, name: str) -> Report:
        """Return the report of a function; what it needs is checked before, if that is wanted too."""
        if name in self.reports:
            return self.reports[name]
        self.under_way.add(name)
        function = self.kit.functions[name]
        needs = [each for each in self.functions.needs(name) if each in self.kit.functions]
        for each in needs:
            if each in self.wanted and each not in self.under_way:
                self.report(each)
        endless = next((each for each in needs if each in self.reports and self.reports[each].late), "")
        report = self._report(function, endless)
        findings = []
        for check, finding in zip(function.checks, report.findings, strict=True):
            costs = tuple(filter(self.kit.functions.get, [getattr(check, "cost", "")]))
            findings.append(self._followed(check, finding, dict.fromkeys((*needs, *costs))))
        report = replace(report, findings=told_once(findings))
        self.under_way.discard(name)
        self.reports[name] = report
        return report

    def _followed(self, check: Check, finding: Finding, needs: dict[str, None]) -> Finding:
        """Return a finding; what does not hold says nothing, if something that it needs does not hold."""
        doubtful = finding.kind in (VerdictKind.FAILED, VerdictKind.INCONCLUSIVE) and not finding.late
        if not doubtful or not isinstance(check, InputsCheck):
            return finding
        for other in needs:
            if other in self.under_way:
                continue
            report = self.report(other)
            kinds = {each.kind for each in report.findings}
            if VerdictKind.NOT_ATTEMPTED in kinds:
                return inconclusive(check, f"it needs {other}, which {STILL}")
            if report.remark:
                reason = f"it needs {other}, which cannot be called"
                reason += "" if other in self.wanted else f". {report.remark}"
                return inconclusive(check, reason)
            if report.late:
                return inconclusive(check, f"it needs {other}, which does not finish")
            if VerdictKind.FAILED in kinds:
                reason = f"it uses your {other}, of which a check does not hold: mend that first"
                return inconclusive(check, reason)
        return finding

    def _report(self, function: KitFunction, endless: str) -> Report:
        """Return what the checks say by themselves; what needs an `endless` function is not tried."""
        facts = self.functions.facts(function.name)
        if facts.status is not FactsStatus.FOUND:
            untouched = facts.status is FactsStatus.NOT_ATTEMPTED
            remark = facts.remark or f"{function.name} {STILL}"
            return _not_made(function, VerdictKind.NOT_ATTEMPTED if untouched else VerdictKind.FAILED, remark)
        if endless:
            reason = f"it needs {endless}, which does not finish"
            return Report(
                function, tuple(self._unless_called(function, check, reason) for check in function.checks)
            )
        return self._made_here(function) if self.way == "here" else self._made_by_worker(function, self.way)

    def _made_here(self, function: KitFunction) -> Report:
        try:
            with silent():
                self.functions.get(function.name)
        except Unavailable as error:
            return _not_made(function, VerdictKind.FAILED, str(error))
        bench = Bench(self.kit, function, self.functions, apart=False, limited=False)
        return Report(function, tuple(bench.finding(check) for check in function.checks))

    def _made_by_worker(self, function: KitFunction, way: Way) -> Report:
        """Return what workers say; another one goes on after a check that ended the one before."""
        findings: list[Finding] = []
        while len(findings) < len(function.checks):
            called, begun = function.name, -1
            with Worker(self.kit, self.functions, function.name, len(findings), way) as worker:
                for message in worker.messages():
                    if "finding" in message:
                        findings.append(finding_of(message))
                    elif "unavailable" in message:
                        return _not_made(
                            function, VerdictKind.FAILED, message["unavailable"], late="late" in message
                        )
                    called, begun = message.get("call", called), message.get("check", begun)
                    if findings and findings[-1].late:
                        break
            if findings and findings[-1].late:
                break
            if len(findings) == len(function.checks):
                break
            what = "does not finish" if worker.late else f"ends the program ({worker.ended})"
            if begun < 0:
                remark = f"{function.name}: the code that it needs {what}"
                return _not_made(function, VerdictKind.FAILED, remark, late=worker.late)
            check = function.checks[len(findings)]
            if called != function.name:
                findings.append(inconclusive(check, f"it needs {called}, which {what}"))
                continue
            what = f"it {what}" + (": the grading would stop it too" if worker.late else "")
            finding = Finding(check.id, check.title, VerdictKind.FAILED, what, late=worker.late)
            findings.append(finding)
            if worker.late:
                break
        reason = "it was not tried, as an earlier check did not finish"
        rest = function.checks[len(findings) :]
        return Report(
            function, (*findings, *(self._unless_called(function, check, reason) for check in rest))
        )

    def _unless_called(self, function: KitFunction, check: Check, reason: str) -> Finding:
        """Return that a check was not made, and why; one that looks at the code alone is made."""
        if isinstance(check, InputsCheck):
            return inconclusive(check, reason)
        return Bench(self.kit, function, self.functions, apart=False, limited=False).finding(check)


def told_once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings; one in the words of an earlier one, on the same input, refers to it."""
    seen: set[str] = set()
    told = []
    for finding in findings:
        words = finding.found
        again = finding.kind is not VerdictKind.PASSED and len(words) > len("as above") and words in seen
        seen.add(words)
        told.append(replace(finding, found="as above", worst="", input="", plot=None) if again else finding)
    return tuple(told)


def _not_made(function: KitFunction, kind: VerdictKind, remark: str, *, late: bool = False) -> Report:
    findings = tuple(Finding(check.id, check.title, kind, late=late) for check in function.checks)
    return Report(function, findings, remark)
