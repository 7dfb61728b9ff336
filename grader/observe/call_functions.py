"""The trusted side of calling a student's functions: a box for each function, frames in, outcomes out.

    job  --stdin-->  worker (inside.calls)  --frames-->  outcomes

A box makes the calls of one function only, so no function can answer for another, see its inputs, or spoil
its files. Whatever happens in the box, every call has an outcome afterwards: that of a call without a frame
follows from how the worker ended.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, Any

from grader.errors import GraderFault
from grader.inside import wire
from grader.inside.call_group import PATIENT_WALL
from grader.inside.calls import CHANGED, FRAME, GROUP, GROUP_SECONDS, MARK, MOST_WAITING
from grader.observe.sandbox import Process, Program, Sandbox, prepared_directory, settle
from grader.observe.warm import package_of
from grader.outcome import decoded, fault_of, outcome_of
from grader.reading import FunctionCode
from grader.records import Fault, Outcome, OutcomeKind
from grader.subjects import Call

START_SECONDS = 60.0  # for the start of a worker and the import of its modules
LATE = 1  # calls in a row that may run out of time; the calls after them are left for a second try
MAX_STREAM_BYTES = 2 << 30  # of all frames of a worker
SMALL = 1 << 16  # bytes of a frame that is always kept: how a call ended, what arguments were changed
RESULTS = 4  # the results of a submission together may be this many times as large as one of them
SIGALRM, SIGKILL, SIGPROF = 14, 9, 27

ENDED = {
    "out_of_memory": Outcome(OutcomeKind.OUT_OF_MEMORY),
    "disk_full": Outcome(OutcomeKind.KILLED_BY_SIGNAL, fault=Fault("", "it wrote more files than it may")),
}
TOO_MUCH = Outcome(
    OutcomeKind.OUTPUT_TOO_LARGE, fault=Fault("", "the results of all calls are too large together")
)
UNCONFIRMED = frozenset(
    {
        OutcomeKind.CPU_TIMEOUT,
        OutcomeKind.WALL_TIMEOUT,
        OutcomeKind.OUT_OF_MEMORY,
        OutcomeKind.KILLED_BY_SIGNAL,
    }
)


@dataclass
class Budget:
    """The bytes that are left for the results of a submission, and the calls whose results were too many.

    How those ended says nothing of their own code, which others may have too: it is not kept.
    """

    left: int
    refused: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class CallSettings:
    """What holds for all calls: modules to preload, seconds for a function's statements and all its calls.

    `cell_seconds` are for a cell, where whole cells are run.

    `alone` says that nothing else of the batch runs meanwhile, to confirm how calls ended. Each call then has
    its own limit, whatever the others took, and no time limit depends on how busy the machine is.
    """

    preload: tuple[str, ...] = ("numpy",)
    setup_seconds: float = 30.0
    function_seconds: float = 60.0
    cell_seconds: float = 30.0
    alone: bool = False


def make_calls(
    code: Mapping[str, FunctionCode],
    calls: Iterable[Call],
    sandbox: Sandbox,
    settings: CallSettings,
    files: Mapping[str, bytes],
    budget: Budget | None = None,
) -> dict[str, Outcome]:
    """Call each function of `code` as planned, each in a box of its own that holds `files`.

    Returns the outcome of every call by its id; a busy machine may have caused those of an UNCONFIRMED kind.
    """
    wanted = [call for call in calls if call.function in code]
    if budget is None:
        budget = Budget(RESULTS * max((call.limits.result_mb for call in wanted), default=0) << 20)
    outcomes: dict[str, Outcome] = {}
    for name in dict.fromkeys(call.function for call in wanted):
        own = [call for call in wanted if call.function == name]
        outcomes |= _call_function(code[name], own, sandbox, settings, files, budget)
    return outcomes


def _call_function(
    function: FunctionCode,
    calls: Sequence[Call],
    sandbox: Sandbox,
    settings: CallSettings,
    files: Mapping[str, bytes],
    budget: Budget,
) -> dict[str, Outcome]:
    """Make the calls of one function in a box of its own."""
    inputs = [wire.encode({**call.message(), **vars(call.limits)}) for call in calls]
    of_inputs = sorted({module for data in inputs for module in wire.modules_of(data)})
    modules = None if function.in_state else (*function.modules, *of_inputs)
    imports = shared_imports(settings.preload, (*function.modules, *of_inputs))
    setup = wire.encode(
        {
            "name": function.name,
            "imports": [*of_inputs, *(name for name in imports if name not in settings.preload)],
            "cells": [vars(cell) for cell in function.cells],
            "seconds": settings.setup_seconds,
            "cell_seconds": settings.cell_seconds,
            "in_state": function.in_state,
            "bound": function.bound,
            "patient": settings.alone,
        }
    )
    job = wire.encode(
        {
            "setup": setup,
            "setup_seconds": settings.setup_seconds,
            "seconds": float("inf") if settings.alone else settings.function_seconds,
            "late": len(calls) if settings.alone else LATE,  # alone, every call is started
            "patient": settings.alone,
            "calls": [
                {
                    "index": index,
                    "echo": call.echo,
                    "seconds": call.limits.seconds,
                    "result_mb": call.limits.result_mb,
                    "data": data,
                }
                for index, (call, data) in enumerate(zip(calls, inputs, strict=True))
            ],
        }
    )

    seconds = START_SECONDS + settings.setup_seconds + settings.function_seconds + 5
    if settings.alone:
        # longer than the worker takes by itself, whatever the student does
        own = settings.setup_seconds + sum(call.limits.seconds for call in calls)
        seconds = START_SECONDS + 2 * PATIENT_WALL * own + GROUP_SECONDS + MOST_WAITING
    memory_mb = 2 * max(call.limits.memory_mb for call in calls)
    frame_mb = max(call.limits.result_mb for call in calls) + 16
    with prepared_directory(sandbox, files) as folder:
        given = tuple(name for name in imports if name in settings.preload)
        program = Program("calls", folder / "work", given, memory_mb=memory_mb, modules=modules)
        process = sandbox.launch(program)
        frames, late = _converse(process, job, seconds, frame_mb, budget)
    if process.fault:
        raise GraderFault(process.fault)

    answered = {calls[index].id for index, _ in frames if index < len(calls)}
    budget.refused |= {calls[index].id for index, data in frames if index < len(calls) and data is None}
    outcomes = _outcomes(calls, frames, process.reason)
    if late and settings.alone:  # killed here: the end of a call without a frame is not confirmed
        left = [call.id for call in calls if call.id not in answered]
        outcomes |= dict.fromkeys(left, Outcome(OutcomeKind.GRADER_FAULT))
    return outcomes


def shared_imports(preload: Iterable[str], modules: Iterable[str]) -> tuple[str, ...]:
    """Return what is imported once for all calls: those modules of the course's `preload` whose package the
    student's code uses, and the modules of these packages that it imports.
    """
    used, preloaded = {package_of(name) for name in modules}, {package_of(name) for name in preload}
    wanted = [name for name in preload if package_of(name) in used]
    return tuple(dict.fromkeys([*wanted, *(name for name in modules if package_of(name) in preloaded)]))


def _converse(
    process: Process, job: bytes, seconds: float, frame_mb: int, budget: Budget
) -> tuple[list[tuple[int, bytes | None]], bool]:
    """Send the job; return the worker's (index, payload) frames, and whether it was killed after `seconds`.

    Reading stops at the end of the stream, at bytes that are no frame, and at a frame that is too long. A
    payload beyond the budget is dropped.
    """
    if process.stdin is None or process.stdout is None:
        raise GraderFault("the sandbox started a worker without pipes")
    writer = threading.Thread(target=_write, args=(process.stdin, job), daemon=True)
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    clock = threading.Timer(seconds, end)
    clock.daemon = True
    writer.start()
    clock.start()
    frames: list[tuple[int, bytes | None]] = []
    try:
        total = 0
        with contextlib.suppress(OSError, ValueError):
            while len(header := process.stdout.read(FRAME.size)) == FRAME.size:
                mark, index, size = FRAME.unpack(header)
                total += size
                if mark != MARK or size > frame_mb << 20 or total > MAX_STREAM_BYTES:
                    break
                payload: bytes | None = b""
                if size > max(budget.left, SMALL):
                    while size > 0 and (dropped := process.stdout.read(min(size, 1 << 20))):
                        size -= len(dropped)
                    payload = None
                else:
                    budget.left -= size
                    payload = process.stdout.read(size)
                    size -= len(payload)
                if size:
                    break
                frames.append((index, payload))
        settle(process)
        return frames, late.is_set()
    finally:
        clock.cancel()
        process.kill()
        writer.join()


def _write(stream: IO[bytes], data: bytes) -> None:
    """Write a whole job in a thread: a worker that answers before it has read everything blocks nobody."""
    with contextlib.suppress(OSError, ValueError):
        stream.write(data)
        stream.close()


def _outcomes(
    calls: Sequence[Call], frames: list[tuple[int, bytes | None]], reason: str
) -> dict[str, Outcome]:
    """Return the outcome of every call from the frames of its worker; `reason` is why its box was ended.

    The frames are used up: no result is held twice.
    """
    if not frames and not reason:
        raise GraderFault("the worker ended without a word: it could not start or was killed from outside")
    outcomes: dict[str, Outcome] = {}
    group: dict[str, Any] = {}
    changed: dict[str, Any] | None = None
    frames.reverse()
    while frames:
        index, payload = frames.pop()
        if payload is None:
            if index < len(calls):
                outcomes.setdefault(calls[index].id, TOO_MUCH)
        elif index == GROUP:
            group = decoded(payload)
        elif index == CHANGED:
            changed = (changed or {}) | decoded(payload)
        elif index < len(calls):
            outcomes.setdefault(calls[index].id, outcome_of(payload))

    # The outcome of the calls without a frame: the box ended, its group did, or the group made no function.
    died, failures = group.get("died"), group.get("failures")
    died = died if type(died) is int else None
    first = fault_of(failures[0]) if isinstance(failures, list) and failures else None
    if reason in ENDED:
        missing = ENDED[reason]
    elif died in (-SIGALRM, -SIGPROF):
        slow = Fault("Timeout", "the statements that the function needs did not finish in time")
        missing = Outcome(OutcomeKind.WALL_TIMEOUT, fault=slow)
    elif died == -SIGKILL:
        missing = Outcome(OutcomeKind.OUT_OF_MEMORY, fault=first)
    elif died is not None:
        ended = Fault("", f"the statements that the function needs ended the process ({died})")
        missing = Outcome(OutcomeKind.KILLED_BY_SIGNAL, fault=ended)
    elif group.get("callable") is False:
        missing = Outcome(OutcomeKind.MISSING, fault=first)
    else:
        slow = Fault("Timeout", "the time for all calls was over")
        missing = Outcome(OutcomeKind.WALL_TIMEOUT, fault=slow)

    for index, call in enumerate(calls):
        found = outcomes.setdefault(call.id, missing)
        if first and found.kind is OutcomeKind.RAISED and found.fault and found.fault.type == "NameError":
            outcomes[call.id] = replace(found, fault=first)  # the error that left the name unbound
        if call.echo and changed is None and not reason:  # student code ended the worker first
            outcomes[call.id] = replace(outcomes[call.id], args_after=None)
        elif call.echo and changed and str(index) in changed:
            after = changed[str(index)]
            outcomes[call.id] = replace(outcomes[call.id], args_after=after if type(after) is tuple else None)
    return outcomes
