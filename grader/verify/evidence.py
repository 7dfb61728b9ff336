"""Runs what a rubric is proved by, in worker processes, and keeps what came out; each part when first needed.

A task is a function of a `Target` and plain data, so that a worker that starts afresh can do it; it loads
the course once for each seed.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import resource
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

from grader.course.misconception import Misconception
from grader.judge.diagnosis import diagnose
from grader.judge.judge_observation import grade
from grader.notebook.facts import find_subjects
from grader.plan.candidates import KnownMistakes
from grader.plan.load import Course, load_course
from grader.plan.separation import Pair, close_pairs
from grader.plan.trusted import with_mistakes
from grader.records import Diagnosis, DiagnosisKind, Observation, Score
from grader.verify.mutants import Mutant, make_mutants
from grader.verify.rewritten import all_rewritings, rewritten
from grader.verify.trial import Bench, make_bench

MUTANT_SECONDS = 8.0  # of processor time for one call; the slowest of the reference takes about one
MEMORY_BYTES = 6 << 30
CHUNK = 12
FRESH = 1_000_003  # added to the rubric's seed for inputs that the rubric does not use
T = TypeVar("T")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Target:
    """What is verified: an assignment of the course in `root`."""

    assignment: str
    root: Path
    rubric: Path | None = None


@dataclass(frozen=True)
class SeedReport:
    """What the reference and its rewritings lost on one seed, as question/check."""

    seed: int
    reference: Score
    rewritings: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class VariantReport:
    """What a known mistake lost on one seed, and what it was taken for."""

    code: str
    seed: int
    lost: tuple[str, ...]
    diagnosis: Diagnosis | None


@dataclass(frozen=True)
class MutantReport:
    """The check that caught a mutant ('' if none did), its name, and the name on fresh inputs."""

    mutant: Mutant
    caught_by: str
    diagnosis: Diagnosis | None = None
    again: Diagnosis | None = None

    @property
    def misnamed(self) -> bool:
        """Whether it was given a name that other inputs do not confirm."""
        if self.diagnosis is None or self.diagnosis.kind is not DiagnosisKind.NAMED:
            return False
        return self.again is None or not set(self.diagnosis.codes) & set(self.again.codes)


@dataclass
class Evidence:
    """Everything that the claims rest on; `seeds` and `jobs` bound the work."""

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
        """The reference and its rewritings on every seed."""
        return self._run("the reference and its rewritings", try_seed, self._seeds(self.seeds))

    @cached_property
    def skeleton(self) -> Score:
        """What the skeleton earns."""
        code = self.course.assignment.skeleton_code
        _, facts = find_subjects(code, self.course.rubric.subjects, code)
        return grade("skeleton", Observation(None, facts, {}), self.course)

    @cached_property
    def variants(self) -> list[VariantReport]:
        """Every known mistake on three seeds that the rubric does not use."""
        seeds = self._seeds(min(self.seeds, 3))
        return [report for found in self._run("known mistakes", try_variants, seeds) for report in found]

    @cached_property
    def close(self) -> list[Pair]:
        """The pairs of known mistakes of one function that its hidden inputs do not tell apart."""
        mistakes = self.course.plan.candidates.values()
        return [pair for known in mistakes if isinstance(known, KnownMistakes) for pair in close_pairs(known)]

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
        """The digest of the hidden inputs as another process makes them."""
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            return pool.submit(inputs_digest_of, self.target, self.course.rubric.seed).result()

    def _seeds(self, number: int) -> list[int]:
        return [self.course.rubric.seed + FRESH + place for place in range(number)]

    def _run(self, what: str, task: Callable[[Target, Any], T], work: Sequence[Any]) -> list[T]:
        """Return what a task makes of every piece of work, in order."""
        if self.jobs < 1:
            return [task(self.target, piece) for piece in self._told(what, work)]
        with ProcessPoolExecutor(self.jobs, multiprocessing.get_context("spawn"), _limit_memory) as pool:
            futures = [pool.submit(partial(task, self.target), piece) for piece in work]
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                self.progress(what, done, len(work))
            return [future.result() for future in futures]

    def _told(self, what: str, work: Sequence[Any]) -> Iterable[Any]:
        for done, piece in enumerate(work, 1):
            yield piece
            self.progress(what, done, len(work))


def try_seed(target: Target, seed: int) -> SeedReport:
    """Judge the reference and every rewriting on the hidden inputs of one seed."""
    bench = _bench(target, seed)
    assignment = bench.course.assignment
    lost = {}
    for each in all_rewritings(assignment, bench.course.rubric.functions):
        observed = bench.observed(rewritten(assignment, each), each.function)
        lost[f"{each.function}/{each.name}"] = tuple(bench.lost(observed, each.function))
    score = grade("reference", bench.observed(assignment.namespace), bench.course)
    return SeedReport(seed, score, lost)


def try_variants(target: Target, seed: int) -> list[VariantReport]:
    """Judge every known mistake on the hidden inputs of one seed."""
    bench = _bench(target, seed)
    return [_variant(bench, known, seed) for known in bench.course.assignment.misconceptions]


def try_mutants(target: Target, mutants: Sequence[Mutant]) -> list[MutantReport]:
    """Judge mutants on the rubric's own inputs; a name is tried again on fresh ones."""
    return [_mutant(target, mutant) for mutant in mutants]


def inputs_digest(course: Course) -> str:
    """Return a digest of every hidden input: a call's id is one of its content."""
    return hashlib.sha256("\n".join(call.id for call in course.plan.calls).encode()).hexdigest()


def inputs_digest_of(target: Target, seed: int) -> str:
    """Load the course, and return the digest of its inputs."""
    return inputs_digest(load_course(target.assignment, target.root, target.rubric, seed, fresh=True))


def _variant(bench: Bench, known: Misconception, seed: int) -> VariantReport:
    observed = bench.observed(with_mistakes(bench.course.assignment, (known,)), known.function)
    lost = tuple(bench.lost(observed, known.function))
    return VariantReport(known.code, seed, lost, _named(bench, observed, known.function))


def _mutant(target: Target, mutant: Mutant) -> MutantReport:
    bench = _bench(target, None)
    namespace = bench.course.assignment.reference.redefined({mutant.function: mutant.source})
    observed = bench.observed(namespace, mutant.function, MUTANT_SECONDS)
    caught = next(iter(bench.losses(observed, mutant.function)), "")
    diagnosis = _named(bench, observed, mutant.function) if caught else None
    if diagnosis is None or diagnosis.kind is not DiagnosisKind.NAMED:
        return MutantReport(mutant, caught, diagnosis)
    other = _bench(target, bench.course.rubric.seed + FRESH)
    fresh = other.observed(
        other.course.assignment.reference.redefined({mutant.function: mutant.source}),
        mutant.function,
        MUTANT_SECONDS,
    )
    return MutantReport(mutant, caught, diagnosis, _named(other, fresh, mutant.function))


def _named(bench: Bench, observed: Observation, function: str) -> Diagnosis | None:
    """Return the diagnosis of the question about a function."""
    question = next(q for q in bench.course.rubric.questions if q.about == function)
    candidates = bench.course.plan.candidates.get(question.id)
    return None if candidates is None else diagnose(candidates, observed.outcomes)


@lru_cache(maxsize=2)
def _bench(target: Target, seed: int | None) -> Bench:
    return make_bench(load_course(target.assignment, target.root, target.rubric, seed))


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
