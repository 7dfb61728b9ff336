"""The claims about a rubric that `grader verify` checks, each a function from the evidence to a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from grader.course.rubric import Rubric
from grader.errors import AssignmentError
from grader.records import DiagnosisKind
from grader.verify.evidence import Evidence, inputs_digest
from grader.verify.goldens import drifted
from grader.verify.proof import lost_points
from grader.verify.survivors import load_survivors
from grader.verify.whole_run import needs_a_run

MOST_SURVIVORS = 0.02
MOST_MISNAMED = 0.02
LOST = 1e-9  # a smaller difference of points is rounding


@dataclass(frozen=True)
class Result:
    """Whether a claim holds, a summary in numbers, and what contradicts it."""

    holds: bool
    figures: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """One sentence that must be true of a rubric, and the function that checks it."""

    id: str
    title: str
    check: Callable[[Evidence], Result]


def claims_of(rubric: Rubric, codes: list[str], rewritings: list[str]) -> Iterator[Claim]:
    """Yield every claim of a rubric with known mistakes `codes` and rewritings `rewritings`."""
    yield Claim("reference", "The reference earns every point, whatever the seed", _reference)
    if needs_a_run(rubric):
        yield Claim("notebook", "The reference's notebook earns every point when it is run", _notebook)
    yield Claim("skeleton", "The skeleton earns nothing", _skeleton)
    yield Claim("points", "Every point can be earned, and the points of the checks add up", _points)
    yield Claim("inputs", "The hidden inputs are the same, byte for byte, in every process", _inputs)
    yield Claim("goldens", "The results of the reference have not drifted", _goldens)
    yield Claim("separation", "The hidden inputs tell the known mistakes apart", _separation)
    for code in codes:
        title = f"The mistake {code} loses points and is named"
        yield Claim(f"mistake/{code}", title, partial(_mistake, code))
    for name in rewritings:
        title = f"The rewriting {name} keeps every point"
        yield Claim(f"rewriting/{name}", title, partial(_rewriting, name))
    for name in rubric.functions:
        title = f"Mistakes made by a machine in {name} lose points"
        yield Claim(f"mutants/{name}", title, partial(_mutants, name))
    yield Claim("survivors", "Hardly a mistake made by a machine survives, and each is argued", _survivors)
    yield Claim("names", "Hardly a mistake made by a machine is given a wrong name", _names)


def _reference(evidence: Evidence) -> Result:
    problems = [
        f"seed {report.seed}: {problem}"
        for report in evidence.by_seed
        for problem in lost_points(report.reference)
    ]
    return Result(not problems, f"{len(evidence.by_seed)} seeds", tuple(problems))


def _notebook(evidence: Evidence) -> Result:
    score = evidence.whole_run
    problems = tuple(lost_points(score))
    return Result(not problems, f"{score.points:g} of {score.max_points:g} points", problems)


def _skeleton(evidence: Evidence) -> Result:
    score = evidence.skeleton
    problems = [f"{q.id} earns {q.points:g}" for q in score.questions if q.points]
    return Result(not problems, f"{score.points:g} of {score.max_points:g} points", tuple(problems))


def _points(evidence: Evidence) -> Result:
    score = evidence.by_seed[0].reference
    problems = []
    for question in evidence.course.rubric.questions:
        total = sum(check.points for check in question.checks if not check.bonus)
        if not question.manual and abs(total - question.points) > LOST:
            problems.append(f"{question.id}: the checks are worth {total:g} of {question.points:g} points")
    for earned in score.questions:
        if earned.points is not None and earned.points < earned.max_points - LOST:
            problems.append(f"{earned.id}: only {earned.points:g} of {earned.max_points:g}")
    return Result(not problems, f"{score.points:g} points", tuple(problems))


def _inputs(evidence: Evidence) -> Result:
    same = inputs_digest(evidence.course) == evidence.inputs_elsewhere
    problem = "two processes made different inputs: does a generator use another source of chance than rng?"
    return Result(same, f"{len(evidence.course.plan.calls)} inputs", () if same else (problem,))


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


def _mistake(code: str, evidence: Evidence) -> Result:
    reports = [report for report in evidence.variants if report.code == code]
    problems = []
    for report in reports:
        diagnosis = report.diagnosis
        if not report.lost:
            problem = "it loses no points"
        elif diagnosis is None:
            problem = "nothing is wrong with its results on the inputs of the recognition"
        elif diagnosis.kind is DiagnosisKind.UNKNOWN:
            problem = "it is not recognised"
        elif code not in diagnosis.codes or diagnosis.kind is not DiagnosisKind.NAMED:
            problem = f"it is taken for {' or '.join(diagnosis.codes)}"
        else:
            continue
        problems.append(f"seed {report.seed}: {problem}")
    return Result(not problems, f"{len(reports)} seeds", tuple(problems))


def _rewriting(name: str, evidence: Evidence) -> Result:
    reports = [report for report in evidence.by_seed if name in report.rewritings]
    problems = [
        f"seed {report.seed}: it loses points in {', '.join(report.rewritings[name])}"
        for report in reports
        if report.rewritings[name]
    ]
    return Result(not problems, f"{len(reports)} seeds", tuple(problems))


def _mutants(function: str, evidence: Evidence) -> Result:
    argued = load_survivors(evidence.course.assignment.folder)
    reports = [report for report in evidence.mutants if report.mutant.function == function]
    alive = [report for report in reports if not report.caught_by]
    problems = [f"survives unargued: {r.mutant.id}" for r in alive if r.mutant.id not in argued]
    return Result(not problems, f"{len(reports)} made, {len(alive)} survive", tuple(problems))


def _survivors(evidence: Evidence) -> Result:
    argued = load_survivors(evidence.course.assignment.folder)
    alive = {report.mutant.id for report in evidence.mutants if not report.caught_by}
    # Mutants that compute the same as the reference count neither as survivors nor in the total.
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
    named = [report for report in caught if report.name]
    wrong = [report for report in named if report.misnamed]
    share = len(wrong) / max(len(caught), 1)
    figures = f"{len(caught)} wrong functions, {len(named)} named, {len(wrong)} of them wrongly ({share:.1%})"
    holds = share <= MOST_MISNAMED
    problems = () if holds else tuple(f"{r.mutant.id} is taken for {r.name}" for r in wrong)
    return Result(holds, figures, problems)
