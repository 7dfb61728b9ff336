"""Trials: a variant is called as the box would call it, and only as far as the judge asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from support import write_course

from grader.plan.load import load_course
from grader.records import OutcomeKind
from grader.subjects import Call, Sweep
from grader.verify.trial import Outcomes, make_bench, outcome


def call(function: Any, *args: Any, echo: bool = False, **keywords: Any) -> Any:
    return outcome({"f": function}, Call("f-1", "f", args, keywords, 7, echo), 0.3)


def test_a_value_comes_back_as_it_would_from_the_box() -> None:
    class Clever(np.ndarray):
        pass

    found = call(lambda x: (2 * x).view(Clever), np.ones(3))
    assert found.kind is OutcomeKind.RETURNED
    assert type(found.value) is np.ndarray


def test_a_sweep_is_evaluated_at_each_of_its_points_as_the_box_does_it() -> None:
    sweep = Sweep((1,), ((0.0,), (1.0,), (2.0,)))

    def adds_and_spoils(x: Any, y: Any) -> Any:
        x += y
        return x.sum(), np.random.rand()

    found = outcome({"f": adds_and_spoils}, Call("f-1", "f", (np.ones(2), 9.0), sweep=sweep), 0.3)
    sums, drawn = zip(*found.value, strict=True)
    assert (sums, len(set(drawn))) == ((2.0, 4.0, 6.0), 1)


def test_what_a_function_does_to_its_arguments_is_seen_and_stays_there() -> None:
    given = np.ones(2)
    found = call(lambda x: x.fill(0), given, echo=True)
    assert found.args_after[0].tolist() == [0, 0]
    assert given.tolist() == [1, 1]


def test_keywords_that_are_not_taken_are_left_out_and_said() -> None:
    found = call(lambda x: x, 1.0, speed=3)
    assert (found.value, found.ignored) == (1.0, ("speed",))


def test_exceptions_endless_loops_and_strange_values_are_outcomes() -> None:
    def endless(x: object) -> None:
        while True:
            pass

    assert call(lambda x: 1 / x, 0).fault.type == "ZeroDivisionError"
    assert call(endless, 0).kind is OutcomeKind.CPU_TIMEOUT
    assert call(lambda x: object(), 0).kind is OutcomeKind.UNDECODABLE
    assert call(lambda x: x[10**10], np.zeros(1)).kind is OutcomeKind.RAISED


def test_a_call_is_made_once_and_only_if_it_is_asked_for(tmp_path: Path) -> None:
    write_course(tmp_path)
    course = load_course("tiny", tmp_path)
    made = []

    def double(x: Any) -> Any:
        made.append(x)
        return 2 * x

    outcomes = Outcomes(course, {"double": double})
    first = next(iter(outcomes))
    assert len(outcomes) == len(course.plan.calls)
    assert not made
    assert outcomes[first] is outcomes[first]
    assert len(made) == 1


def test_the_checks_that_take_points_are_named(tmp_path: Path) -> None:
    write_course(tmp_path)
    bench = make_bench(load_course("tiny", tmp_path))

    def spoils(x: Any) -> Any:
        x *= 2
        return x

    assert bench.lost(bench.observed({"double": lambda x: 2 * x}), "double") == []
    assert bench.lost(bench.observed({"double": spoils}), "double") == ["double/kept"]
    assert bench.lost(bench.observed({"double": lambda x: x}, "double"), "double") == ["double/values"]
