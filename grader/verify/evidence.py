"""Runs the experiments behind the claims in worker processes; each part runs when a claim first asks for it.

A task is a function of a `Target` and plain data, because both must be sent to a new process. A worker loads
the course for each seed and keeps the last two.
"""

from __future__ import annotations

import hashlib
import itertools
import multiprocessing
import resource
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

from grader.judge.diagnosis import diagnose
from grader.judge.judge_observation import grade
from grader.notebook.facts import find_subjects
from grader.plan.candidates import KnownMistakes
from grader.plan.load import load_course
from grader.plan.plan import Course
from grader.plan.separation import Pair, close_pairs
from grader.plan.trusted import with_mistakes
from grader.records import Diagnosis, DiagnosisKind, Observation, Score
from grader.verify.mutants import Mutant, make_mutants
from grader.verify.rewritten import all_rewritings, rewritten
from grader.verify.trial import Bench, make_bench
from grader.verify.whole_run import needs_a_run, observe_reference

MUTANT_SECONDS = 1.0  # of processor time for one call, or a few times what the reference takes for it
MEMORY_BYTES = 6 << 30  # for each worker
CHUNK = 12  # mutants in one task
PARTS = 4  # of the rewritings, each tried on every so many seeds
FRESH = 1_000_003  # added to the rubric's seed for inputs that the rubric does not use
T = TypeVar("T")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Target:
    """The assignment to verify, in the course at `root`."""

    assignment: str
    root: Path
    rubric: Path | None = None


@dataclass(frozen=True)
class SeedReport:
    """The score of the reference on one seed, and the checks (question/check) that rewritings lost.

    What only a run of the notebook shows is not in the score.
    """

    seed: int
    reference: Score
    rewritings: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class VariantReport:
    """The first check (question/check) that a known mistake lost on one seed, and its diagnosis."""

    code: str
    seed: int
    lost: tuple[str, ...]
    diagnosis: Diagnosis | None


@dataclass(frozen=True)
class MutantReport:
    """The check that caught a mutant ('' if none did), its diagnosis, and the one on fresh inputs.

    Only a diagnosis that names a mistake is made again on fresh inputs.
    """

    mutant: Mutant
    caught_by: str
    diagnosis: Diagnosis | None = None
    again: Diagnosis | None = None

    @property
    def name(self) -> str:
        """The codes of the mistake that it was taken for, '' if it was not given a name."""
        if self.diagnosis is None or self.diagnosis.kind is not DiagnosisKind.NAMED:
            return ""
        return "+".join(self.diagnosis.codes)

    @property
    def misnamed(self) -> bool:
        """Whether it was given a name that fresh inputs do not confirm."""
        if self.diagnosis is None or self.diagnosis.kind is not DiagnosisKind.NAMED:
            return False
        return self.again is None or not set(self.diagnosis.codes) & set(self.again.codes)


@dataclass
class Evidence:
    """The results that claims are checked against; each property runs its experiments when first read.

    The reference runs on `seeds` seeds, in `jobs` worker processes; 0 means in this process.
    """

    target: Target
    seeds: int = 20
    jobs: int = 1
    progress: Progress = field(default=lambda what, done, total: None)

    @cached_property
    def course(self) -> Course:
        """The course with the rubric's own seed."""
        return load_course(self.target.assignment, self.target.root, self.target.rubric)

    @cached_property
    def by_seed(self) -> list[SeedReport]:
        """The reference on every seed, and every rewriting on one of PARTS."""
        parts = min(self.seeds, PARTS)
        work = [(seed, number % parts, parts) for number, seed in enumerate(self._seeds(self.seeds))]
        return self._run("the reference and its rewritings", try_seed, work)

    @cached_property
    def whole_run(self) -> Score:
        """The score of the reference's notebook, run as a hand-in is."""
        return grade("reference", observe_reference(self.course), self.course)

    @cached_property
    def skeleton(self) -> Score:
        """The score of the skeleton: of what students are given."""
        code = self.course.assignment.skeleton_code
        _, facts = find_subjects(code, self.course.rubric.subjects, code)
        return grade("skeleton", Observation(None, facts, {}), self.course)

    @cached_property
    def variants(self) -> list[VariantReport]:
        """Every known mistake, on up to three seeds."""
        seeds = self._seeds(min(self.seeds, 3))
        reports = self._run("known mistakes", try_variants, seeds)
        return [report for of_one_seed in reports for report in of_one_seed]

    @cached_property
    def close(self) -> list[Pair]:
        """The pairs of known mistakes of one function that its hidden inputs do not tell apart."""
        pairs: list[Pair] = []
        for candidates in self.course.plan.candidates.values():
            if isinstance(candidates, KnownMistakes):
                pairs += close_pairs(candidates)
        return pairs

    @cached_property
    def mutants(self) -> list[MutantReport]:
        """Every mutant of every function of the rubric."""
        reference = self.course.assignment.reference
        names = self.course.rubric.functions
        made = [mutant for name in names for mutant in make_mutants(name, reference.source(name))]
        chunks = [made[start : start + CHUNK] for start in range(0, len(made), CHUNK)]
        return [report for found in self._run("mutants", try_mutants, chunks) for report in found]

    @cached_property
    def inputs_elsewhere(self) -> str:
        """The digest of the hidden inputs that another process generates."""
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            return pool.submit(inputs_digest_of, self.target, self.course.rubric.seed).result()

    def _seeds(self, number: int) -> list[int]:
        return [self.course.rubric.seed + FRESH + index for index in range(number)]

    def _run(self, what: str, task: Callable[[Target, Any], T], work: Sequence[Any]) -> list[T]:
        """Return the results of a task for every item of work, in order; report progress as `what`."""
        if self.jobs < 1:
            results = []
            for done, item in enumerate(work, 1):
                results.append(task(self.target, item))
                self.progress(what, done, len(work))
            return results
        spawn = multiprocessing.get_context("spawn")
        limit = (resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        with ProcessPoolExecutor(self.jobs, spawn, resource.setrlimit, limit) as pool:
            futures = [pool.submit(partial(task, self.target), item) for item in work]
            for done, future in enumerate(as_completed(futures), 1):
                future.result()  # raises at once what a task raised
                self.progress(what, done, len(work))
            return [future.result() for future in futures]


def try_seed(target: Target, work: tuple[int, int, int]) -> SeedReport:
    """Judge the reference, and one part of the rewritings, on the hidden inputs of one seed.

    `work` is the seed, the number of the part from 0, and how many parts there are.
    """
    seed, part, parts = work
    bench = make_bench(load_course(target.assignment, target.root, target.rubric, seed, naming=False))
    assignment = bench.course.assignment
    lost = {}
    for each in all_rewritings(assignment, bench.course.rubric.functions)[part::parts]:
        observed = bench.observed(rewritten(assignment, each), each.function)
        lost[f"{each.function}/{each.name}"] = tuple(bench.lost(observed, each.function))
    score = grade("reference", bench.observed(assignment.namespace), bench.course)
    left_out = needs_a_run(bench.course.rubric)
    called = tuple(question for question in score.questions if question.id not in left_out)
    return SeedReport(seed, replace(score, questions=called), lost)


def try_variants(target: Target, seed: int) -> list[VariantReport]:
    """Judge every known mistake on the hidden inputs of one seed."""
    bench = _bench(target, seed)
    assignment = bench.course.assignment
    reports = []
    for mistake in assignment.misconceptions:
        observed = bench.observed(with_mistakes(assignment, (mistake,)), mistake.function)
        lost = tuple(itertools.islice(bench.losses(observed, mistake.function), 1))
        reports.append(VariantReport(mistake.code, seed, lost, _diagnosis(bench, observed, mistake.function)))
    return reports


def try_mutants(target: Target, mutants: Sequence[Mutant]) -> list[MutantReport]:
    """Judge mutants on the rubric's own inputs; diagnose those with a name again on fresh inputs."""
    bench = _bench(target, None)
    reports = []
    for mutant in mutants:
        observed = _observe_mutant(bench, mutant)
        caught_by = next(bench.losses(observed, mutant.function), "")
        diagnosis = _diagnosis(bench, observed, mutant.function) if caught_by else None
        again = None
        if diagnosis is not None and diagnosis.kind is DiagnosisKind.NAMED:
            other = _bench(target, bench.course.rubric.seed + FRESH)
            again = _diagnosis(other, _observe_mutant(other, mutant), mutant.function)
        reports.append(MutantReport(mutant, caught_by, diagnosis, again))
    return reports


def inputs_digest(course: Course) -> str:
    """Return a digest of every hidden input; the id of a call is a digest of its content."""
    return hashlib.sha256("\n".join(call.id for call in course.plan.calls).encode()).hexdigest()


def inputs_digest_of(target: Target, seed: int) -> str:
    """Load the course, and return the digest of its inputs."""
    return inputs_digest(load_course(target.assignment, target.root, target.rubric, seed, fresh=True))


def _observe_mutant(bench: Bench, mutant: Mutant) -> Observation:
    namespace = bench.course.assignment.reference.redefined({mutant.function: mutant.source})
    return bench.observed(namespace, mutant.function, MUTANT_SECONDS)


def _diagnosis(bench: Bench, observed: Observation, function: str) -> Diagnosis | None:
    """Return the diagnosis of the question about a function; None if the rubric asks for none."""
    question = next(q for q in bench.course.rubric.questions if q.about == function)
    candidates = bench.course.plan.candidates.get(question.id)
    return None if candidates is None else diagnose(candidates, observed.outcomes)


@lru_cache(maxsize=2)
def _bench(target: Target, seed: int | None) -> Bench:
    return make_bench(load_course(target.assignment, target.root, target.rubric, seed))
