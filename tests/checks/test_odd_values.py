"""Whatever a function returns, each type of check judges it: no value of a box trips the judge."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import TypeAdapter
from scipy.sparse import csr_matrix

from grader.checks.base import PlannedCase
from grader.checks.gradient import GradientCase
from grader.checks.metric import MetricCase
from grader.checks.property import Change, PropertyCase, PropertyCheck
from grader.checks.raises import RaisesCase
from grader.checks.reference import ReferenceCase
from grader.checks.result import CaseResult
from grader.course import Case
from grader.course.rubric import AnyCheck
from grader.decode import decode, travelled
from grader.explanations import Candidate, Prediction
from grader.inside import wire
from grader.judge.diagnosis import diagnose
from grader.numerics.arrays import dense
from grader.numerics.compare import Sensitivity
from grader.numerics.differentiate import OwnCost
from grader.numerics.freedom import Freedom, error_up_to
from grader.numerics.in_words import describe
from grader.numerics.numeric_gradient import Numeric
from grader.numerics.residual import parts_of
from grader.records import Outcome, OutcomeKind, Table
from grader.subjects import Call, Sweep

POINT = np.ones(3)
INPUT = Case("case", (POINT, ["a", None], {"k": np.array(["x"])}, {1, 2}, csr_matrix(np.eye(2))))
CALL, OTHER = Call("call", "f", INPUT.args), Call("other", "f", INPUT.args)
SQUARE = np.array([[1.0, 2.5], [-3.25, 0.5]])
CHECKS: TypeAdapter[Any] = TypeAdapter(AnyCheck)
DTYPES = ("?", "i1", "u8", "i8", "f2", "f4", "f8", "g", "c8", "c16", "U3", "S2", "M8[s]", "m8[ns]", "O")


class Forged:
    """An object that says of itself that it is a table."""

    def __init__(self, parts: Any) -> None:
        self.wire_table = parts


def masked(array: Any) -> Any:
    return np.ma.MaskedArray(array, np.resize([True, False], array.shape))


ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: (
        st.just(np.array([1, "a", None, 2**70], dtype=object))
        if dtype == "O"
        else hnp.arrays(np.dtype(dtype), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    )
)
STRUCTURED = st.just(np.zeros(2, dtype=[("a", "f8"), ("b", "U2")]))
SPARSE = st.sampled_from(
    [
        csr_matrix((0, 2**62)),
        csr_matrix((3, 10**9)),
        csr_matrix(np.eye(3)),
        csr_matrix((2, 2), dtype=np.int8),
        csr_matrix(np.eye(2) * 1j),
        csr_matrix((0, 0)),
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**2000), 2**2000),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.sampled_from([np.float16(1), np.longdouble(2), np.uint64(2**64 - 1), np.datetime64(1, "s"), "\ud800"]),
)
LEAVES = st.one_of(
    SCALARS, ARRAYS, STRUCTURED, SPARSE, ARRAYS.filter(lambda a: a.dtype != object).map(masked)
)
KEYS = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=2), st.tuples(st.integers()))


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, max_size=3)
    return st.one_of(
        lists,
        lists.map(tuple),
        st.dictionaries(KEYS, inner, max_size=2),
        st.sets(KEYS, max_size=2),
        st.builds(lambda *parts: Forged(parts), st.none() | lists, inner, lists),
        st.builds(lambda column: Forged((None, column, [column])), inner),
        st.builds(lambda column, name: Forged(([name, name], column, [column, column])), inner, inner),
    )


VALUES = st.recursive(LEAVES, containers, max_leaves=5)


def came_out(value: Any) -> Any:
    """Return a value as it comes out of a box; None if it cannot."""
    with contextlib.suppress(Exception):  # whatever an encoder in a box raises is an outcome
        message = wire.encode(value)
        with contextlib.suppress(wire.WireError):
            return decode(message)
    return None


def check(kind: str, **options: Any) -> Any:
    given_inputs = {"inputs": "i"}
    return CHECKS.validate_python(
        {"id": "c", "title": "t", "points": 1, "type": kind, **given_inputs, **options}
    )


EXPECTED: dict[str, Any] = {
    "matrix": SQUARE,
    "vector": SQUARE[0],
    "number": 2.5,
    "integer": 2**70,
    "complex": SQUARE + 1j,
    "truth": True,
    "nothing": None,
    "text": "a",
    "texts": np.array(["a", "b"]),
    "pair": (SQUARE, SQUARE[0]),
    "list": [SQUARE, "a"],
    "dict": {"a": SQUARE, None: "b"},
    "set": {1, 2.5},
    "set of texts": {"a", 2},
    "table": Table(("a", "b"), [0, 1], (SQUARE[0], ["x", "y"])),
    "series": Table(None, [0, 1], (SQUARE[0],)),
    "masked": np.ma.MaskedArray(SQUARE, [[True, False], [False, False]]),
    "sparse": csr_matrix(SQUARE),
    "empty": np.zeros((0, 3)),
}
FREEDOMS = get_args(Freedom)


def reference_cases() -> dict[str, PlannedCase]:
    cases = {}
    for name, right in EXPECTED.items():
        asked = check("reference", flatten=True, credit={})
        cases[f"reference, {name}"] = ReferenceCase(
            (CALL,), INPUT, asked, right, 1.0, Sensitivity(1e-9, 1e-3)
        )
    for freedom in FREEDOMS:
        asked = check("reference", up_to=freedom)
        for name, right in (("matrix", SQUARE), ("pair", (SQUARE, SQUARE[0])), ("vector", SQUARE[0])):
            cases[f"reference up to {freedom}, {name}"] = ReferenceCase((CALL,), INPUT, asked, right)
    cases["reference, form only"] = ReferenceCase((CALL,), INPUT, check("reference", form_only=True), SQUARE)
    cases["reference, a part"] = ReferenceCase((CALL,), INPUT, check("reference", output=1), SQUARE)
    return cases


def property_cases() -> dict[str, PlannedCase]:
    changes = {
        "rotation_equivariant": Change(rotation=np.eye(2)),
        "permutation_equivariant": Change(permutation=np.array([1, 0])),
    }
    names = get_args(PropertyCheck.model_fields["property"].annotation)
    return {
        f"property, {name}": PropertyCase(
            (CALL, OTHER), INPUT, check("property", property=name, argument="x"), changes.get(name, Change())
        )
        for name in names
    }


def gradient_cases() -> dict[str, PlannedCase]:
    own = OwnCost((), (), Sweep((), ()))
    swept = OwnCost(((np.ones(2),),), (1e-2, 1e-3), Sweep((0,), ((1.0,),) * 5))
    cases = {}
    for name, parts in {
        "matrix": (SQUARE,),
        "pair": (SQUARE[0], SQUARE),
        "number": (np.asarray(2.0),),
    }.items():
        numeric = Numeric(parts, tuple(1e-9 + 0 * part for part in parts))
        wrt = [f"x{place}" for place in range(len(parts))]
        asked = check("gradient", cost="cost", wrt=wrt)
        cases[f"gradient, {name}"] = GradientCase((CALL,), INPUT, asked, numeric, own)
    asked = check("gradient", cost="cost", wrt=["x"], own_cost=0.5)
    numeric = Numeric((SQUARE[0],), (np.full(2, 1e-9),))
    cases["gradient, of the own cost"] = GradientCase((CALL, OTHER), INPUT, asked, numeric, swept)
    return cases


METRICS: dict[str, Callable[..., Any]] = {"entries": lambda value, case: np.asarray(value).sum()}
TRUSTED: Any = SimpleNamespace(metric=METRICS.__getitem__)
CASES: dict[str, PlannedCase] = {
    **reference_cases(),
    **property_cases(),
    **gradient_cases(),
    "metric": MetricCase((CALL,), INPUT, check("metric", metric="entries", full=1, none=0), 1.0, 0.0),
    "raises": RaisesCase((CALL,), INPUT, check("raises", exception="ValueError")),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
@settings(max_examples=400, deadline=None)
@given(VALUES, VALUES)
def test_judging_never_raises(name: str, first: Any, second: Any) -> None:
    case, values = CASES[name], (came_out(first), came_out(second))
    after = tuple(came_out(value) for value in (first, second, first, second, first))
    sweep = (values[1],) * 5
    outcomes = {
        "call": Outcome(OutcomeKind.RETURNED, values[0], args_after=after),
        "other": Outcome(OutcomeKind.RETURNED, sweep if "own cost" in name else values[1]),
    }
    result = case.judge(outcomes, TRUSTED)
    assert isinstance(result, CaseResult)
    assert 0.0 <= result.fraction <= 1.0
    assert not result.ours
    case.detail(values[0], result)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_a_value_is_described_and_made_dense_or_not(value: Any) -> None:
    came = came_out(value)
    assert describe(came)
    array = dense(came)
    assert array is None or array.dtype.kind in "biufc"
    for expected in EXPECTED.values():
        error_up_to(came, travelled(expected), "rotation")


CANDIDATE = Candidate((), (), "", 1.0, {"call": Prediction((SQUARE,))})
KNOWN: Any = SimpleNamespace(
    calls=(CALL,),
    rtol=1e-6,
    whole=True,
    observed=lambda call, value: Prediction(parts_of(value)),
    lengths=lambda call: (2, 2),
    right=lambda: CANDIDATE,
    single=lambda: (CANDIDATE,),
    pairs=lambda: (),
    arguments=lambda: (),
)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_the_search_for_a_known_mistake_never_raises(value: Any) -> None:
    diagnose(KNOWN, {"call": Outcome(OutcomeKind.RETURNED, came_out(value))})


def test_an_unchanged_table_and_unchanged_texts_are_unchanged() -> None:
    case = CASES["property, input_not_mutated"]
    table = Table(("a", "b"), [0, 1], (SQUARE[0], ["x", "y"]))
    args = (table, np.array(["a", "b"]), *INPUT.args)
    case = PropertyCase(case.calls, Case("case", args), case.check, Change())  # type: ignore[attr-defined]
    for after, fraction in ((args, 1.0), ((table, np.array(["a", "c"]), *INPUT.args), 0.0)):
        outcome = Outcome(OutcomeKind.RETURNED, 1.0, args_after=travelled(after))
        assert case.judge({"call": outcome, "other": outcome}, None).fraction == fraction
