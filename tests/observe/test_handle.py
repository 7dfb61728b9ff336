"""The core's side of a handler: what is lost, and whose fault it is, wherever a handler ends."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from grader.codec import pack_reading, pack_run
from grader.errors import GraderFault, NotebookUnreadable
from grader.handler.job import ANSWER_MB, TOO_MUCH, Answer, Job
from grader.inside import wire
from grader.inside.packets import PACKET
from grader.observe import handle as handling
from grader.observe.handle import FATAL, LOST, UNKEPT, UNREAD, UNSHOWN, handle
from grader.observe.sandbox import Process, Program
from grader.reading import Reading
from grader.records import CellRun, CellStatus, NotebookLimits, NotebookRun, Outcome, OutcomeKind

SUBJECTS = ("f", "variable v", "file out.txt", "text essay")
READING = Reading({}, {}, ("v = 1",))
RUN = NotebookRun((CellRun(1, CellStatus.OK),), "", values={"variable v": Outcome(OutcomeKind.RETURNED, 1.0)})
ANSWERS = {
    Answer.BEGUN: b"",
    Answer.READING: pack_reading(READING),
    Answer.RUN: pack_run(RUN),
    Answer.EXECUTED: b"{}",
    Answer.SHOWN: b"<p>shown</p>\n",
}


@dataclass
class Ended:
    """A process that has ended, with what it had answered; `code` is negative for a signal."""

    answered: bytes = b""
    code: int = 0
    reason: str = ""
    fault: str = ""
    stdin: Any = field(default_factory=io.BytesIO)

    def __post_init__(self) -> None:
        self.stdout: Any = io.BufferedReader(io.BytesIO(self.answered))

    def poll(self) -> int:
        return self.code

    def interrupt(self) -> None:
        pass

    def kill(self) -> None:
        pass


@dataclass
class Scripted:
    """A sandbox whose handler ends as a test says."""

    scratch: Path
    handler: Ended
    kernel: Ended = field(default_factory=Ended)
    name: str = "scripted"
    python: str = ""

    def launch(self, program: Program) -> Process:
        return self.kernel

    def launch_handler(self, kernel: Process | None) -> Process:
        return self.handler


def packets(message: bytes, number: int) -> bytes:
    parts = [message[start : start + 4000] for start in range(0, len(message), 4000)]
    lasts = [*[False] * (len(parts) - 1), True]
    return b"".join(
        PACKET.pack(1, number, len(part), last) + part for part, last in zip(parts, lasts, strict=True)
    )


def said(answers: Mapping[Answer, bytes]) -> bytes:
    """Return the bytes of some answers."""
    messages = (wire.encode((kind.value, content)) for kind, content in answers.items())
    return b"".join(packets(message, number) for number, message in enumerate(messages))


def until(last: Answer | None) -> bytes:
    """Return the bytes of a handler that ends when it has given this answer."""
    kinds = list(ANSWERS)
    return said({kind: ANSWERS[kind] for kind in kinds[: kinds.index(last) + 1 if last else 0]})


def handled(
    folder: Path, answered: bytes, *, kernel: Ended | None = None, **end: Any
) -> tuple[Reading | None, NotebookRun | None]:
    job = Job(b"{}", {}, b"", SUBJECTS, read=True, run=True, limits=NotebookLimits())
    return handle(job, Scripted(folder, Ended(answered, **end), kernel or Ended()), {})


ENDS = {
    "an exception": {"code": 1},
    "too much memory": {"code": TOO_MUCH},
    "SIGSEGV": {"code": -11},
    "SIGABRT": {"code": -6},
    "SIGKILL": {"code": -9, "reason": "out_of_memory"},
    "SIGXCPU": {"code": -24, "reason": "cpu_timeout"},
    "success": {"code": 0},
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_what_ends_a_handler_before_it_has_begun_is_our_fault(end: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(GraderFault):
        handled(tmp_path, until(None), **end)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_what_ends_a_handler_that_reads_makes_the_notebook_unreadable(
    end: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(NotebookUnreadable) as raised:
        handled(tmp_path, until(Answer.BEGUN), **end)
    limited = "reason" in end or end["code"] == TOO_MUCH
    assert str(raised.value) == (UNREAD if limited else FATAL)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_what_ends_a_handler_that_runs_the_notebook_costs_the_run_and_its_values(
    end: dict[str, Any], tmp_path: Path
) -> None:
    reading, run = handled(tmp_path, until(Answer.READING), **end)
    assert reading == READING
    assert run is not None
    assert run.remark == LOST
    assert LOST in run.shown
    assert {name: value.kind for name, value in run.values.items()} == dict.fromkeys(
        ("variable v", "file out.txt"), OutcomeKind.MISSING
    ), "and a person reads the text"


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("last", [Answer.RUN, Answer.EXECUTED])
def test_what_ends_a_handler_that_shows_the_notebook_costs_its_page(
    last: Answer, end: dict[str, Any], tmp_path: Path
) -> None:
    reading, run = handled(tmp_path, until(last), **end)
    assert reading == READING
    assert run is not None
    assert (run.cells, run.values) == (RUN.cells, RUN.values)
    assert UNSHOWN in run.remark
    assert UNSHOWN in run.shown
    assert (UNKEPT in run.remark, run.executed) == ((True, "") if last is Answer.RUN else (False, "{}"))


def test_a_handler_that_has_answered_everything_has_lost_nothing(tmp_path: Path) -> None:
    _, run = handled(tmp_path, until(Answer.SHOWN), code=-9)
    assert run is not None
    assert (run.remark, run.executed, run.shown) == ("", "{}", "<p>shown</p>\n")


@pytest.mark.parametrize("last", [Answer.BEGUN, Answer.READING, Answer.RUN])
def test_the_end_of_all_handlers_is_our_fault(last: Answer, tmp_path: Path) -> None:
    with pytest.raises(GraderFault, match="the parent died"):
        handled(tmp_path, until(last), code=-1, fault="the parent died")


NONSENSE = {
    "no packets": b"nonsense" * 2000,
    "no message": packets(b"nonsense", 9),
    "an unheard of kind": packets(wire.encode(("passed", b"")), 9),
    "no bytes": packets(wire.encode(("run", 5)), 9),
    "no run": said({Answer.RUN: b"[]"}),
    "no text": said({Answer.SHOWN: b"\xff"}),
    "too much": packets(wire.encode(("run", bytes(ANSWER_MB << 20))), 9),
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_of_a_handler_ends_what_it_says(nonsense: bytes, tmp_path: Path) -> None:
    with pytest.raises(GraderFault, match="nonsense"):
        handled(tmp_path, nonsense)
    with pytest.raises(NotebookUnreadable):
        handled(tmp_path, until(Answer.BEGUN) + nonsense)
    reading, run = handled(tmp_path, until(Answer.READING) + nonsense + until(Answer.SHOWN))
    assert reading == READING
    assert run is not None
    assert run.remark == LOST


def test_the_cells_of_a_kernel_that_ran_out_of_memory_say_so_without_a_page(tmp_path: Path) -> None:
    _, run = handled(tmp_path, until(Answer.RUN), kernel=Ended(reason="out_of_memory"))
    assert run is not None
    assert run.cells[0].status is CellStatus.ERROR
    assert "out of memory" in run.remark
    assert UNSHOWN in run.remark


def test_what_is_shown_holds_no_control_characters(tmp_path: Path) -> None:
    shown = "<p>a\x1b[2J\u202eb</p>\n".encode()
    _, run = handled(tmp_path, until(Answer.EXECUTED) + packets(wire.encode(("shown", shown)), 9))
    assert run is not None
    replaced = handling.message_text("\x1b")
    assert run.shown == f"<p>a{replaced}[2J{replaced}b</p>\n"
