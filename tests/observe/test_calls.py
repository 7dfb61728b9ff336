"""What arrives of a call, whatever the function does: an outcome of the closed set, and never a surprise."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from support import sliced

from grader.errors import GraderFault
from grader.inside import wire
from grader.inside.call_group import forked
from grader.inside.calls import CHANGED, FRAME, GROUP, MARK
from grader.inside.execute import fault
from grader.notebook.cells import read_code
from grader.observe.call_functions import CallSettings, make_calls, outcome_of
from grader.observe.sandbox import PlainSandbox, Program, Sandbox
from grader.records import Outcome, OutcomeKind
from grader.subjects import Call, CallLimits, Sweep

LIMITS = CallLimits(seconds=20.0, memory_mb=512, result_mb=8)
CELLS = """
import os, random, sys, threading
import numpy as np
counter = []
K = 2

def plain(x): return x * K
def keywords(x, scale=1): return x * scale
def any_keywords(x, **more): return sorted(more)
def mutates(x):
    x[0] = 99.0
    return None
def replaces(x):
    x = x + 1
    return x
def prints(x):
    print("noise" * 100000); print("error", file=sys.stderr); sys.stdout.flush(); os.write(1, b"FRAM")
    return x
def counts(x):
    counter.append(1)
    return len(counter)
def draws(x): return np.random.rand(3), random.random()
def draws_afresh(x): return np.random.default_rng().random(3), np.random.RandomState().rand()
def sets_a_seed(x):
    np.random.seed(7)
    return np.random.rand(3)
def adds_and_spoils(x, y, scale=1):
    x += y
    return scale * x.sum()
def counts_and_draws(x, y):
    counter.append(1)
    return len(counter), random.random(), np.random.rand()
def divides(x, y): return 1 / int(y[0])
def threads(x):
    found = []
    workers = [threading.Thread(target=found.append, args=(n,)) for n in range(3)]
    [w.start() for w in workers]; [w.join() for w in workers]
    return sorted(found)
def raises(x):
    y = x
    raise ValueError("no " + "z" * 1000)
def raises_in_helper(x): return helper(x)
def helper(x): return x.nothing
def lies_about_its_error(x):
    class Error(Exception):
        def __str__(self): raise RuntimeError
    raise Error
def exits(x): sys.exit(0)
def ends(x): os._exit(0)
def crashes(x): os.kill(os.getpid(), 11)
def grows(x): return np.ones(10 ** 9)
def too_much(x): return np.zeros(10 ** 7)
def function(x): return plain
def odd(x): return {object()}
def matrix(x): return np.matrix(x)
def nothing(x): pass
def generator(x): yield x
def interrupted(x): raise KeyboardInterrupt
not_callable = 3
late = unknown + 1
def needs_late(x): return late
unmade = unknown_factory()
""".split("\n\n")


def calls_of(name: str) -> list[Call]:
    x = np.array([1.0, 2.0])
    call = Call(name, name, (x,), {}, 3, False, LIMITS)
    swept = replace(call, args=(x, x), sweep=Sweep((1,), tuple((np.full(2, y),) for y in (0.0, 1.0, 2.0))))
    more = {
        "adds_and_spoils": [replace(swept, keywords={"scale": 2})],
        "counts_and_draws": [swept],
        "divides": [swept],
        "keywords": [
            replace(call, id="taken", keywords={"scale": 3}),
            replace(call, id="refused", keywords={"size": 3}),
        ],
        "any_keywords": [replace(call, keywords={"size": 3})],
        "mutates": [replace(call, echo=True)],
        "replaces": [replace(call, echo=True)],
        "counts": [call, replace(call, id="counts again")],
        "draws_afresh": [
            replace(call, id="afresh"),
            replace(call, id="afresh again"),
            replace(call, id="afresh, another seed", seed=4),
        ],
        "draws": [call, replace(call, id="draws again"), replace(call, id="another seed", seed=4)],
    }
    return more.get(name, [call])


@pytest.fixture(scope="module")
def outcomes(sandbox: Sandbox) -> dict[str, Outcome]:
    """Every function of the notebook, called."""
    code = read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS]))
    names = [
        n
        for s in code.statements
        for n in s.binds
        if n not in ("counter", "K", "os", "sys", "np", "late", "random")
    ]
    slices = {
        name: found for name in names if (found := sliced(code, name)) is not None and name != "threading"
    }
    calls = [call for name in slices for call in calls_of(name)]
    return make_calls(slices, calls, sandbox, CallSettings(), {})


RETURNED = {
    "plain": np.array([2.0, 4.0]),
    "taken": np.array([3.0, 6.0]),
    "refused": np.array([1.0, 2.0]),
    "any_keywords": ["size"],
    "mutates": None,
    "prints": np.array([1.0, 2.0]),
    "counts": 1,
    "counts again": 1,
    "threads": [0, 1, 2],
    "matrix": np.array([[1.0, 2.0]]),
    "nothing": None,
}


def test_every_point_of_a_sweep_has_fresh_arguments_and_the_same_seed(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["adds_and_spoils"].value == (6.0, 10.0, 14.0)
    counted, *drawn = zip(*outcomes["counts_and_draws"].value, strict=True)
    assert counted == (1, 2, 3), "the points of a sweep share a process"
    assert [len(set(numbers)) for numbers in drawn] == [1, 1]
    assert outcomes["divides"].kind is OutcomeKind.RAISED, "one point that fails ends the call"


@pytest.mark.parametrize("call", RETURNED)
def test_a_value_comes_back_from(outcomes: dict[str, Outcome], call: str) -> None:
    assert outcomes[call].kind is OutcomeKind.RETURNED
    np.testing.assert_equal(outcomes[call].value, RETURNED[call])
    assert type(outcomes[call].value) is type(RETURNED[call])


# the kind of the outcome, the type of the error, a part of its message, the line of code
DIED = {
    "raises": ("raised", "ValueError", "no zzz", "raise ValueError"),
    "raises_in_helper": ("raised", "AttributeError", "nothing", "return x.nothing"),
    "lies_about_its_error": ("raised", "Error", "", "raise Error"),
    "exits": ("raised", "SystemExit", "0", "sys.exit(0)"),
    "interrupted": ("raised", "KeyboardInterrupt", "", "raise KeyboardInterrupt"),
    "ends": ("killed_by_signal", "SystemExit", "the process ended itself", ""),
    "crashes": ("killed_by_signal", "SIGSEGV", "", ""),
    "too_much": ("output_too_large", "", "need more than 8 MB", ""),
    "function": ("undecodable", "", "it is a function", ""),
    "odd": ("undecodable", "", "of type builtins.object", ""),
    "generator": ("undecodable", "", "of type builtins.generator", ""),
    "not_callable": ("missing", None, "", ""),
    "unmade": ("missing", "NameError", "unknown_factory", "unmade ="),
    "needs_late": ("raised", "NameError", "unknown", "late = unknown + 1"),
}


@pytest.mark.parametrize("call", DIED)
def test_the_end_of_a_call_is_told_of(outcomes: dict[str, Outcome], call: str) -> None:
    kind, error, words, line = DIED[call]
    found = outcomes[call]
    assert found.kind.value == kind, found
    assert (found.fault.type if found.fault else None) == error
    if found.fault:
        assert words in found.fault.message
        assert len(found.fault.message) <= 400
        assert found.fault.cell == (1 if line else None)  # of the code that the box got
        assert line in found.fault.code


def test_memory_without_end_is_no_fault_of_ours(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["grows"].kind in (OutcomeKind.OUT_OF_MEMORY, OutcomeKind.RAISED)
    assert outcomes["grows"].fault is None or "Memory" in outcomes["grows"].fault.type


def test_the_input_after_the_call_tells_whether_it_was_changed(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["plain"].args_after is None, "nobody asked"
    for call, after in (("mutates", [99.0, 2.0]), ("replaces", [1.0, 2.0])):
        assert outcomes[call].args_after is not None
        np.testing.assert_array_equal(outcomes[call].args_after[0], after)


def test_an_argument_that_the_function_does_not_take_is_left_out_and_named(
    outcomes: dict[str, Outcome],
) -> None:
    assert (outcomes["taken"].ignored, outcomes["refused"].ignored) == ((), ("size",))
    assert outcomes["any_keywords"].ignored == ()


def test_random_numbers_depend_on_the_seed_of_the_call_alone(outcomes: dict[str, Outcome]) -> None:
    np.testing.assert_equal(outcomes["draws"].value, outcomes["draws again"].value)
    assert outcomes["draws"].value[1] != outcomes["another seed"].value[1]
    assert not np.array_equal(outcomes["draws"].value[0], outcomes["another seed"].value[0])
    np.testing.assert_array_equal(outcomes["sets_a_seed"].value, np.random.RandomState(7).rand(3))


def test_a_generator_without_a_seed_depends_on_the_seed_of_the_call_alone(
    outcomes: dict[str, Outcome],
) -> None:
    np.testing.assert_equal(outcomes["afresh"].value, outcomes["afresh again"].value)
    for drawn, other in zip(outcomes["afresh"].value, outcomes["afresh, another seed"].value, strict=True):
        assert not np.array_equal(drawn, other)


def test_a_generator_that_a_notebook_makes_begins_the_same_in_every_box(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    cells = "import numpy as np\nstart = np.random.default_rng()", "def f(): return start.random(3)"
    code = read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]))
    found = sliced(code, "f")
    assert found is not None
    call = Call("f", "f", (), {}, 3, False, LIMITS)
    settings = CallSettings()
    drawn = [make_calls({"f": found}, [call], sandbox, settings, {})["f"].value for _ in range(2)]
    assert drawn[0].shape == (3,)
    np.testing.assert_array_equal(*drawn)


def test_every_call_has_an_outcome(outcomes: dict[str, Outcome]) -> None:
    assert all(isinstance(outcome.kind, OutcomeKind) for outcome in outcomes.values())
    assert OutcomeKind.GRADER_FAULT not in {outcome.kind for outcome in outcomes.values()}


BUSY = """
import os, time
def works(x):
    others = all(os.fork() for _ in range(3))
    end = time.process_time() + 0.7
    while time.process_time() < end:
        pass
    return x if others else os._exit(0)
def sleeps(x):
    time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this system does not tell of waiting")
def test_what_a_call_waits_for_a_processor_is_not_counted_and_what_it_sleeps_is(tmp_path: Path) -> None:
    """Four processes share a processor: seven tenths of a second of work take almost three."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        found = called(BUSY, PlainSandbox(), CallLimits(seconds=1.0, memory_mb=512))
    finally:
        os.sched_setaffinity(0, allowed)
    assert found["works"].kind is OutcomeKind.RETURNED
    assert found["sleeps"].kind is OutcomeKind.WALL_TIMEOUT


def called(source: str, sandbox: Sandbox, limits: CallLimits) -> dict[str, Outcome]:
    code = read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]))
    names = [name for name in (n for s in code.statements for n in s.binds) if f"def {name}" in source]
    slices = {name: found for name in names if (found := sliced(code, name)) is not None}
    calls = [Call(name, name, (1.0,), limits=limits) for name in slices]
    return make_calls(slices, calls, sandbox, CallSettings(), {})


class Said:
    """A worker that says what a hostile or dying one may say."""

    name = "said"
    scratch = Path()

    def __init__(self, data: bytes, reason: str = "", fault: str = "") -> None:
        import io

        self.stdin: Any = io.BytesIO()
        self.stdout: Any = io.BytesIO(data)
        self.reason, self.fault = reason, fault

    def launch(self, program: Program) -> Said:
        return self

    def poll(self) -> int:
        return 0

    def kill(self) -> None:
        pass


def frame(index: int, payload: Any) -> bytes:
    data = payload if isinstance(payload, bytes) else wire.encode(payload)
    return FRAME.pack(MARK, index, len(data)) + data


def said(*frames: bytes, **ending: str) -> Outcome:
    code = read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("def f(): return 1")]))
    found = sliced(code, "f")
    assert found is not None
    call = Call("a", "f", ())
    return make_calls({"f": found}, [call], Said(b"".join(frames), **ending), CallSettings(), {})["a"]


RIGHT = {"kind": "returned", "value": 1}
GONE = {"failures": []}
FORGED = {
    "a value": ([frame(0, RIGHT)], "returned"),
    "the first of two values": ([frame(0, {"kind": "raised"}), frame(0, RIGHT)], "raised"),
    "bytes that are no message": ([frame(0, b"nonsense")], "undecodable"),
    "a message that is no outcome": ([frame(0, [1])], "undecodable"),
    "an unknown kind": ([frame(0, {"kind": "correct"})], "undecodable"),
    "a fault of ours": ([frame(0, {"kind": "grader_fault"})], "undecodable"),
    "a time that is a word": ([frame(0, RIGHT | {"seconds": "fast"})], "undecodable"),
    "a list for a fault": ([frame(0, RIGHT | {"fault": [1]})], "returned"),
    "a value for another call": ([frame(7, RIGHT)], "wall_timeout"),
    "half a frame": ([frame(GROUP, GONE), frame(0, RIGHT)[:-1]], "wall_timeout"),
    "noise between frames": ([frame(GROUP, GONE), b"noise and more noise", frame(0, RIGHT)], "wall_timeout"),
    "a group that did not make its function": ([frame(GROUP, GONE | {"callable": False})], "missing"),
    "a group that ran out of time": ([frame(GROUP, GONE | {"died": -14})], "wall_timeout"),
    "a group that was killed": ([frame(GROUP, GONE | {"died": -9})], "out_of_memory"),
    "a time beyond all numbers": ([frame(0, RIGHT | {"seconds": 1 << 2040})], "undecodable"),
    "failures that are no list": ([frame(GROUP, GONE | {"failures": 5, "callable": False})], "missing"),
    "failures that are named": (
        [frame(GROUP, GONE | {"failures": {"a": 1}, "callable": False})],
        "missing",
    ),
    "an array in place of words": (
        [frame(GROUP, {"callable": np.ones(2), "died": np.ones(2), "failures": np.ones(2)})],
        "wall_timeout",
    ),
    "a group that crashed": ([frame(GROUP, GONE | {"died": -11})], "killed_by_signal"),
}


@pytest.mark.parametrize(("frames", "kind"), FORGED.values(), ids=FORGED)
def test_what_a_worker_may_say(frames: list[bytes], kind: str) -> None:
    assert said(*frames).kind.value == kind


def test_a_box_that_ran_out_of_memory_and_one_that_never_spoke() -> None:
    assert said(reason="out_of_memory").kind is OutcomeKind.OUT_OF_MEMORY
    with pytest.raises(GraderFault, match="ended without a word"):
        said()
    with pytest.raises(GraderFault, match="the parent died"):
        said(frame(0, RIGHT), fault="the parent died")


def test_nothing_is_started_where_nothing_is_asked(tmp_path: Path) -> None:
    class Never:
        name = "never"
        scratch = tmp_path

        def launch(self, program: Program) -> Any:
            raise AssertionError

    assert make_calls({}, [Call("a", "f", ())], Never(), CallSettings(), {}) == {}


def test_a_worker_waits_for_a_process_that_another_box_has_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [BlockingIOError(), BlockingIOError(), 7]

    def fork() -> int:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr("os.fork", fork)
    assert forked() == 7
    monkeypatch.setattr("grader.inside.call_group.FORK_SECONDS", 0.0)
    answers += [BlockingIOError(), BlockingIOError(), 7]
    with pytest.raises(BlockingIOError):
        forked()


TWO = """
import os, sys, signal, time
import numpy as np

def first(x):
    frame, seen = sys._getframe(), []
    while frame is not None:
        seen.append(repr(frame.f_locals))
        frame = frame.f_back
    open("numbers.txt", "w").write("spoiled")
    if os.fork() == 0:
        os.setsid()
        time.sleep(0.2)
        os.kill(-1, signal.SIGKILL)
    out = [fd for fd in range(3, 64) if not os.get_inheritable(fd)]
    for fd in range(3, 64):
        try:
            os.write(fd, FRAME)
        except OSError:
            pass
    return "second" in " ".join(seen)

def second(x):
    return x + float(open("numbers.txt").read())
"""


def test_a_function_cannot_answer_for_another_see_its_calls_or_spoil_its_files(sandbox: Sandbox) -> None:
    """What one says of another would be kept for everybody who wrote the other's code."""
    if sandbox.name == "plain":
        pytest.skip("without walls nothing keeps processes apart")
    forged = frame(1, {"kind": "returned", "value": 0.0}) + frame(0, {"kind": "returned", "value": 0.0})
    code = read_code(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"FRAME = {forged!r}\n{TWO}")])
    )
    slices = {name: found for name in ("first", "second") if (found := sliced(code, name))}
    calls = [Call(name, name, (1.0,), limits=LIMITS) for name in slices]
    found = make_calls(slices, calls, sandbox, CallSettings(), {"numbers.txt": b"41"})
    assert found["first"].value is not True, "it saw the job of another function"
    assert (found["second"].kind, found["second"].value) == (OutcomeKind.RETURNED, 42.0)


HIDES = """
import sys
def send_copies_back():
    frame = sys._getframe()
    while frame is not None:
        call = frame.f_locals.get("call")
        if isinstance(call, dict) and call.get("echo"):
            call["args"] = tuple(a.copy() for a in call["args"])
        frame = frame.f_back
def hides(x):
    send_copies_back()
    x *= 3
    return x
def keeps(x):
    return x * 3
def changes_a_sparse_one(x):
    send_copies_back()
    x.data[0] = 7.0
    return 0
"""


def test_a_changed_input_is_seen_however_the_function_hides_it(sandbox: Sandbox) -> None:
    code = read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(HIDES)]))
    names = ("hides", "keeps", "changes_a_sparse_one")
    slices = {name: found for name in names if (found := sliced(code, name))}
    arguments = {name: np.array([1.0, 2.0]) for name in names[:2]} | {names[2]: csr_matrix(np.eye(2))}
    calls = [Call(name, name, (arguments[name],), echo=True, limits=LIMITS) for name in names]
    found = make_calls(slices, calls, sandbox, CallSettings(("numpy",)), {})
    after = {name: found[name].args_after for name in names}
    assert all(after.values())
    assert after["hides"][0].tolist() == [3.0, 6.0]  # type: ignore[index]
    assert after["keeps"][0].tolist() == [1.0, 2.0]  # type: ignore[index]
    assert after["changes_a_sparse_one"][0].toarray()[0, 0] == 7.0  # type: ignore[index]


def test_where_the_worker_was_kept_from_looking_an_input_counts_as_changed() -> None:
    code = read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("def f(x): return 1")]))
    found = sliced(code, "f")
    assert found is not None
    call = Call("a", "f", (np.ones(1),), echo=True)
    told = frame(0, {"kind": "returned", "value": 1, "after": (np.ones(1),)})
    for end, known in ((b"", False), (frame(CHANGED, {}), True), (frame(CHANGED, {"0": 5}), False)):
        outcome = make_calls({"f": found}, [call], Said(told + end), CallSettings(), {})["a"]
        assert (outcome.args_after is not None) is known


ESCAPES = """
def escapes(x):
    raise type("\\x1b[2JE", (Exception,), {})("\\ud83d \\x1b[31mALL\\r\\x9b \\u202e\\n\\tpoints")
"""


def test_what_an_exception_says_is_text_and_no_command_to_a_terminal(sandbox: Sandbox) -> None:
    fault = called(ESCAPES, sandbox, LIMITS)["escapes"].fault
    assert fault is not None
    said = fault.type + fault.message
    assert said.encode().decode() == said
    assert not [c for c in said if not c.isprintable() and c not in "\n\t"]
    assert "ALL" in fault.message
    assert fault.message.endswith("\n\tpoints")


SLOW = """
def slow(x):
    while True:
        pass
def quick(x):
    return x
"""


def test_alone_every_call_is_tried_until_two_in_a_row_are_too_late() -> None:
    code = read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SLOW)]))
    slices = {name: found for name in ("slow", "quick") if (found := sliced(code, name))}
    limits = CallLimits(seconds=1.0, memory_mb=512)
    calls = [Call(f"{name} {n}", name, (1.0,), limits=limits) for name in slices for n in range(3)]
    tried = {
        alone: {
            name
            for name, outcome in make_calls(
                slices, calls, PlainSandbox(), CallSettings(alone=alone), {}
            ).items()
            if not (outcome.fault and outcome.fault.message.startswith("not tried"))
        }
        for alone in (False, True)
    }
    quick = {"quick 0", "quick 1", "quick 2"}
    assert tried[False] == quick | {"slow 0"}
    assert tried[True] == quick | {"slow 0", "slow 1"}


class Silent(Said):
    """A worker that speaks once and then keeps its pipe open until it is killed."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        read, self.write = os.pipe()
        os.write(self.write, data)
        self.stdout = os.fdopen(read, "rb", buffering=0)
        self.lock = threading.Lock()  # it is killed by a timer and by whoever waits for it

    def kill(self) -> None:
        with self.lock:
            if self.write >= 0:
                os.close(self.write)
                self.write = -1


@pytest.mark.parametrize(("alone", "kind"), [(False, "wall_timeout"), (True, "grader_fault")])
def test_what_a_box_had_not_come_to_when_it_was_ended_is_not_confirmed(
    monkeypatch: pytest.MonkeyPatch, alone: bool, kind: str
) -> None:
    code = read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("def f(x): return 1")]))
    found = sliced(code, "f")
    assert found is not None
    for limit in ("START_SECONDS", "GROUP_SECONDS", "MOST_WAITING"):
        monkeypatch.setattr(f"grader.observe.call_functions.{limit}", 0.1)
    calls = [Call(name, "f", (), limits=CallLimits(seconds=0.0)) for name in ("first", "second")]
    settings = CallSettings(setup_seconds=0.1, function_seconds=-5.0, alone=alone)
    said = Silent(frame(GROUP, GONE) + frame(0, RIGHT))
    outcomes = make_calls({"f": found}, calls, said, settings, {})
    said.stdout.close()
    assert outcomes["first"].value == 1
    assert outcomes["second"].kind == kind


def test_what_a_box_says_of_ignored_arguments_and_times_is_bounded() -> None:
    said = {"kind": "returned", "value": 1.0, "ignored": b"z" * 1_000_000, "seconds": float("inf")}
    outcome = outcome_of(wire.encode(said))
    assert (outcome.ignored, outcome.seconds) == ((), 1e6)
    names = outcome_of(wire.encode({**said, "ignored": ["lr\x1b", 5, *["x" * 5_000] * 100]})).ignored
    assert names[0] == "lr\N{REPLACEMENT CHARACTER}"
    assert len(names) < 30
    assert max(map(len, names)) <= 100


@pytest.mark.parametrize("name", ["<cell x>", f"<cell {'9' * 5000}>", "<cell -1>"])
def test_a_file_name_that_code_gives_itself_is_no_place(name: str) -> None:
    try:
        exec(compile("1 / 0", name, "exec"))
    except ZeroDivisionError as error:
        told = fault(error)
    assert (told["type"], told["cell"]) == ("ZeroDivisionError", None)
