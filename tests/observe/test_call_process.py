"""The process of one call: what it cannot say for others, and how its time is told on a busy machine."""

from __future__ import annotations

import math
from pathlib import Path

import nbformat
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from support import notebook, sliced, write_course

from grader.inside import wire
from grader.inside.calls import FRAME, MARK, _Clock
from grader.notebook.cells import read_code, read_sources
from grader.observe import observe_submission as observing
from grader.observe.call_functions import Budget, CallSettings, make_calls
from grader.observe.sandbox import PlainSandbox, Sandbox
from grader.plan.load import load_course
from grader.records import HandIn, Outcome, OutcomeKind
from grader.store import Store
from grader.subjects import Call, CallLimits


def called(
    source: str, name: str, arguments: list[float], sandbox: Sandbox, settings: CallSettings
) -> list[Outcome]:
    """Return the outcomes of one function, for each argument."""
    code = read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]))
    found = sliced(code, name)
    assert found is not None
    limits = CallLimits(seconds=30.0, memory_mb=512)
    calls = [Call(f"call {n}", name, (value,), limits=limits) for n, value in enumerate(arguments)]
    outcomes = make_calls({name: found}, calls, sandbox, settings, {})
    return [outcomes[call.id] for call in calls]


FORGES = """
import os
def forges(x):
    if x == 1.0:
        for fd in range(3, 64):
            try:
                os.write(fd, FORGED)
            except OSError:
                pass
    return x
"""


@pytest.mark.parametrize("walled", [True, False])
def test_a_call_cannot_answer_for_the_next_call_of_its_function(sandbox: Sandbox, walled: bool) -> None:
    """The first answer counts, so one that is sent too early would."""
    payload = wire.encode({"kind": "returned", "value": 7.0})
    source = f"FORGED = {FRAME.pack(MARK, 1, len(payload)) + payload!r}\n{FORGES}"
    chosen = sandbox if walled else PlainSandbox()
    first, second = called(source, "forges", [1.0, 2.0], chosen, CallSettings())
    assert (second.kind, second.value) == (OutcomeKind.RETURNED, 2.0)
    assert first.value != 7.0


TIMED = """
import signal
left = signal.getitimer(signal.ITIMER_REAL)[0]
def timed(x):
    return left
"""


@pytest.mark.parametrize(("alone", "longest"), [(False, 60.0), (True, 180.0)])
def test_the_statements_of_a_function_have_thrice_the_wall_time_where_their_end_is_confirmed(
    alone: bool, longest: float
) -> None:
    settings = CallSettings(setup_seconds=60.0, alone=alone)
    (outcome,) = called(TIMED, "timed", [1.0], PlainSandbox(), settings)
    assert longest - 60.0 < outcome.value <= longest


NOBODY = 1 << 23  # no process has this number


def clock(
    seconds: float, *, patient: bool, schedstat: Path | None = None, excused: float = math.inf
) -> _Clock:
    """Return the clock of a process that nothing is told of, or that which a file says."""
    made = _Clock(NOBODY, seconds, excused, patient=patient, seen=schedstat is not None)
    if schedstat is not None:
        made.queue = str(schedstat)
    return made


@pytest.mark.parametrize(("patient", "limit"), [(False, 2000.0), (True, 6000.0)])
def test_where_waiting_cannot_be_seen_a_call_has_thrice_the_time_if_its_end_is_confirmed(
    patient: bool, limit: float
) -> None:
    assert limit - 1000.0 < clock(1000.0, patient=patient).left() <= limit


@pytest.mark.parametrize(
    ("waited", "patient", "forgiven"),
    [(500.0, False, 500.0), (5000.0, False, 800.0), (5000.0, True, 5000.0), (50_000.0, True, 12_000.0)],
)
def test_the_time_that_a_call_waits_for_a_processor_is_forgiven_up_to_a_limit(
    tmp_path: Path, waited: float, patient: bool, forgiven: float
) -> None:
    told = tmp_path / "schedstat"
    told.write_text(f"7 {int(waited * 1e9)} 3")
    used = clock(100.0, patient=patient, schedstat=told).used()
    assert -forgiven <= used < 100.0 - forgiven


def test_no_more_waiting_is_forgiven_than_is_left_for_the_whole_job(tmp_path: Path) -> None:
    told = tmp_path / "schedstat"
    told.write_text(f"7 {int(5000e9)} 3")
    assert -60.0 <= clock(100.0, patient=True, schedstat=told, excused=60.0).used() < 40.0


@pytest.mark.parametrize("said", ["", "1", "a b c"])
def test_what_the_system_says_of_waiting_may_be_nonsense(tmp_path: Path, said: str) -> None:
    told = tmp_path / "schedstat"
    told.write_text(said)
    assert clock(100.0, patient=True, schedstat=told).used() >= 0.0


LARGE = "import numpy as np\ndef large(x):\n    return np.zeros(100_000 if x < 5 else 1)"


def test_results_beyond_the_budget_of_a_submission_are_too_large_and_small_ones_still_count() -> None:
    code = sliced(read_sources([LARGE]), "large")
    assert code is not None
    limits = CallLimits(seconds=30.0, memory_mb=512)
    calls = [Call(f"call {n}", "large", (float(n),), limits=limits) for n in range(6)]
    budget = Budget(2 << 20)
    outcomes = make_calls({"large": code}, calls, PlainSandbox(), CallSettings(), {}, budget)
    kinds = [outcomes[call.id].kind for call in calls]
    assert kinds == [OutcomeKind.RETURNED] * 2 + [OutcomeKind.OUTPUT_TOO_LARGE] * 3 + [OutcomeKind.RETURNED]
    assert budget.refused == {"call 2", "call 3", "call 4"}
    assert 0 <= budget.left < 800_000


def test_what_the_other_functions_left_no_room_for_is_not_kept_of_a_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_course(tmp_path)
    course = load_course("tiny", tmp_path)
    monkeypatch.setattr(observing, "RESULTS", 0)
    large = HandIn(notebook("import numpy as np\n\ndef double(x):\n    return np.zeros(100_000)").encode())
    with Store() as store:
        first = observing.observe(large, course, PlainSandbox(), store)
        monkeypatch.undo()
        second = observing.observe(large, course, PlainSandbox(), store)
    assert {each.kind for each in first.outcomes.values()} == {OutcomeKind.OUTPUT_TOO_LARGE}
    assert {each.kind for each in second.outcomes.values()} == {OutcomeKind.RETURNED}


def test_what_decoding_an_input_needs_is_imported_before_the_first_call() -> None:
    """In the process that forks the calls: each call would import it anew."""
    source = "import sys\nloaded = 'scipy.sparse' in sys.modules\ndef f(x):\n    return loaded\n"
    for value, wanted in ((csr_matrix(np.eye(2)), True), (np.eye(2), False)):
        (outcome,) = called(source, "f", [value], PlainSandbox(), CallSettings())
        assert outcome.value is wanted


def test_masked_arrays_are_loaded_before_the_first_call() -> None:
    source = "import sys\nloaded = 'numpy.ma' in sys.modules\ndef f(x):\n    return loaded\n"
    (outcome,) = called(source, "f", [1.0], PlainSandbox(), CallSettings())
    assert outcome.value is True
