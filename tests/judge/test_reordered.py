"""Right parts in another order, or transposed, are recognised."""

from __future__ import annotations

import numpy as np

from grader.judge.reordered import reordered
from grader.records import Outcome, OutcomeKind

Q, P = np.arange(6.0).reshape(3, 2), np.arange(8.0).reshape(2, 4)


def returned(*values: object) -> dict[str, Outcome]:
    return {str(n): Outcome(OutcomeKind.RETURNED, value) for n, value in enumerate(values)}


def test_every_two_parts_are_exchanged_and_all_are_transposed() -> None:
    outcomes = returned((P, Q, [1.0]), (2 * P, Q, [2.0]))
    found = list(reordered(outcomes, {"0", "1"}))
    assert len(found) == 4
    words, changed = found[0]
    assert words == "the first and the second part are exchanged"
    assert changed["1"].value[0] is outcomes["1"].value[1]
    assert changed["1"].value[2] == [2.0]
    words, transposed = found[-1]
    assert words == "the parts are transposed"
    np.testing.assert_array_equal(transposed["0"].value[1], Q.T)


def test_other_calls_and_what_raised_stay() -> None:
    outcomes = {**returned((P, Q), (P, Q)), "2": Outcome(OutcomeKind.RAISED)}
    _, changed = next(iter(reordered(outcomes, {"0", "2"})))
    assert changed["1"] is outcomes["1"]
    assert changed["2"] is outcomes["2"]
    assert changed["0"].value[0] is Q


def test_nothing_is_exchanged_where_there_are_no_parts() -> None:
    assert not list(reordered(returned(P, Q), {"0", "1"}))
    assert not list(reordered(returned((P,), (Q,)), {"0", "1"}))
    assert not list(reordered(returned((P, Q), (P, Q, 1)), {"0", "1"}))
    assert not list(reordered(returned((1,) * 7), {"0"}))
