"""What is claimed of a rubric, one by one, and whether the evidence bears it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from grader.course.rubric import Rubric
from grader.errors import AssignmentError
from grader.records import DiagnosisKind, QuestionScore
from grader.verify.evidence import Evidence, MutantReport, VariantReport, inputs_digest
from grader.verify.goldens import drifted
from grader.verify.survivors import load_survivors

MOST_SURVIVORS = 0.02
MOST_MISNAMED = 0.02
LOST = 1e-9


@dataclass(frozen=True)
class Result:
    """Whether a claim holds, in figures, and what contradicts it."""

    holds: bool
    figures: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """One sentence that must be true of a rubric; `check` looks whether it is."""

    id: str
    title: str
    check: Callable[[Evidence], Result]


def claims_of(rubric: Rubric, codes: list[str], rewritings: list[str]) -> Iterator[Claim]:
    """Yield every claim of a rubric, given codes of known mistakes and names of rewritings."""
    yield Claim("reference", "The reference earns every point, whatever the seed", _reference)
    yield Claim("skeleton", "The skeleton earns nothing", _skeleton)
    yield Claim("points", "Every point can be earned, and the points of the checks add up", _points)
    yield Claim("inputs", "The hidden inputs are the same, byte for byte, in every process", _inputs)
    yield Claim("goldens", "The results of the reference have not drifted", _goldens)
    yield Claim("separation", "The hidden inputs tell the known mistakes apart", _separation)
    for code in codes:
        yield Claim(f"mistake/{code}", f"The mistake {code} loses points and is named", _variant(code))
    for name in rewritings:
        yield Claim(f"rewriting/{name}", f"The rewriting {name} keeps every point", _rewriting(name))
    for name in rubric.functions:
        yield Claim(f"mutants/{name}", f"Mistakes made by a machine in {name} lose points", _mutants(name))
    yield Claim("survivors", "Hardly a mistake made by a machine survives, and each is argued", _survivors)
    yield Claim("names", "Hardly a mistake made by a machine is given a wrong name", _names)


def _reference(evidence: Evidence) -> Result:
    problems = [
        f"seed {report.seed}: {check.id} of {question.id} earns {check.points:g} of {check.max_points:g}: "
        f"{check.verdict.message}"
        for report in evidence.by_seed
        for question in report.reference.questions
        for check in question.checks
        if check.points < check.max_points - LOST
    ]
    return Result(not problems, f"{len(evidence.by_seed)} seeds", tuple(problems))


def _skeleton(evidence: Evidence) -> Result:
    score = evidence.skeleton
    problems = [f"{q.id} earns {q.points:g}" for q in score.questions if q.points]
    return Result(not problems, f"{score.points:g} of {score.max_points:g} points", tuple(problems))


def _points(evidence: Evidence) -> Result:
    earned = evidence.by_seed[0].reference
    problems = []
    for question in evidence.course.rubric.questions:
        total = sum(check.points for check in question.checks)
        if not question.manual and abs(total - question.points) > LOST:
            problems.append(f"{question.id}: the checks are worth {total:g} of {question.points:g} points")
    problems += [f"{q.id}: only {q.points:g} of {q.max_points:g}" for q in earned.questions if _short(q)]
    return Result(not problems, f"{earned.points:g} points", tuple(problems))


def _short(question: QuestionScore) -> bool:
    return question.points is not None and question.points < question.max_points - LOST


def _inputs(evidence: Evidence) -> Result:
    here, there = inputs_digest(evidence.course), evidence.inputs_elsewhere
    problem = "two processes made different inputs: does a generator use another source of chance than rng?"
    number = len(evidence.course.plan.calls)
    return Result(here == there, f"{number} inputs", () if here == there else (problem,))


def _goldens(evidence: Evidence) -> Result:
    try:
        problems = drifted(evidence.course)
    except AssignmentError as error:
        problems = [str(error)]
    return Result(not problems, "", tuple(problems))


def _separation(evidence: Evidence) -> Result:
    number = len({code for pair in evidence.close for code in (pair.first, pair.second)})
    problems = tuple(
        f"{p.first} and {p.second} differ by {p.distance:.2g}: choose inputs that tell them apart, or "
        "declare same_as"
        for p in evidence.close
    )
    return Result(not problems, f"{number} too close" if number else "", problems)


def _variant(code: str) -> Callable[[Evidence], Result]:
    def check(evidence: Evidence) -> Result:
        reports = [report for report in evidence.variants if report.code == code]
        problems = [problem for report in reports if (problem := _variant_problem(report))]
        return Result(not problems, f"{len(reports)} seeds", tuple(problems))

    return check


def _variant_problem(report: VariantReport) -> str:
    """Return what is wrong with how a known mistake was judged, '' if nothing is."""
    if not report.lost:
        return f"seed {report.seed}: it loses no points"
    found = report.diagnosis
    if found is None:
        return f"seed {report.seed}: nothing is wrong with its results on the inputs of the recognition"
    if found.kind is DiagnosisKind.UNKNOWN:
        return f"seed {report.seed}: it is not recognised"
    if report.code not in found.codes or found.kind is not DiagnosisKind.NAMED:
        return f"seed {report.seed}: it is taken for {' or '.join(found.codes)}"
    return ""


def _rewriting(name: str) -> Callable[[Evidence], Result]:
    def check(evidence: Evidence) -> Result:
        problems = [
            f"seed {report.seed}: it loses points in {', '.join(report.rewritings[name])}"
            for report in evidence.by_seed
            if report.rewritings[name]
        ]
        return Result(not problems, f"{len(evidence.by_seed)} seeds", tuple(problems))

    return check


def _mutants(function: str) -> Callable[[Evidence], Result]:
    def check(evidence: Evidence) -> Result:
        argued = load_survivors(evidence.course.assignment.folder)
        mine = [report for report in evidence.mutants if report.mutant.function == function]
        alive = [report for report in mine if not report.caught_by]
        problems = [f"survives unargued: {r.mutant.id}" for r in alive if r.mutant.id not in argued]
        return Result(not problems, f"{len(mine)} made, {len(alive)} survive", tuple(problems))

    return check


def _survivors(evidence: Evidence) -> Result:
    argued = load_survivors(evidence.course.assignment.folder)
    alive = {report.mutant.id for report in evidence.mutants if not report.caught_by}
    real = [name for name in alive if name in argued and not argued[name].equivalent]
    different = len(evidence.mutants) - len(alive) + len(real)
    problems = [f"argued, but caught or no more made: {name}" for name in argued if name not in alive]
    share = len(real) / max(different, 1)
    if share > MOST_SURVIVORS:
        problems.append(f"{share:.1%} of the mutants that compute something else survive")
    figures = (
        f"{len(evidence.mutants)} mutants, {len(alive) - len(real)} equal to the reference, "
        f"{len(real)} others survive ({share:.1%})"
    )
    return Result(not problems, figures, tuple(problems))


def _names(evidence: Evidence) -> Result:
    caught = [report for report in evidence.mutants if report.caught_by]
    named = [report for report in caught if _is_named(report)]
    wrong = [report for report in named if report.misnamed]
    share = len(wrong) / max(len(caught), 1)
    figures = f"{len(caught)} wrong functions, {len(named)} named, {len(wrong)} of them wrongly ({share:.1%})"
    problems = [f"{r.mutant.id} is taken for {_codes(r)}" for r in wrong] if share > MOST_MISNAMED else []
    return Result(share <= MOST_MISNAMED, figures, tuple(problems))


def _is_named(report: MutantReport) -> bool:
    return report.diagnosis is not None and report.diagnosis.kind is DiagnosisKind.NAMED


def _codes(report: MutantReport) -> str:
    return "+".join(report.diagnosis.codes) if report.diagnosis else ""
