"""What the core and a handler say to each other: the one part of the handler that the core imports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from grader.decode import decode
from grader.inside import wire
from grader.records import NotebookLimits
from grader.written import WrittenTask

ANSWER_MB = 32  # what a message of a handler may hold
TOO_MUCH = 3  # the exit code of a handler whose notebook takes more memory or nests deeper than it may


class Answer(StrEnum):
    """What a message of the handler holds, in the order in which they are sent.

    BEGUN says that the handler has its job and has read what was handed out: whatever ends it from then on is
    the notebook's doing. RUN holds no page: the executed notebook and what is shown of it follow.
    """

    BEGUN = "begun"
    READING = "reading"
    UNREADABLE = "unreadable"
    INTERRUPT = "interrupt"
    KILL = "kill"
    NOT_STARTED = "not started"
    RUN = "run"
    EXECUTED = "executed"
    SHOWN = "shown"
    WRITTEN = "written"


@dataclass(frozen=True)
class Job:
    """What the handler is to do: read, or run, or both, or test what written answers state.

    `skeleton` is the notebook as it was handed out, empty if there is none.
    """

    notebook: bytes
    modules: Mapping[str, bytes]
    skeleton: bytes
    subjects: tuple[str, ...]
    read: bool
    run: bool
    limits: NotebookLimits
    start_seconds: float = 60.0
    written: tuple[WrittenTask, ...] = ()

    def pack(self) -> bytes:
        """Return the job as bytes."""
        return wire.encode(
            {
                **vars(self),
                "modules": dict(self.modules),
                "limits": vars(self.limits),
                "written": [vars(task) for task in self.written],
            }
        )

    @classmethod
    def unpack(cls, data: bytes) -> Job:
        """Return the job that `pack` packed."""
        message = decode(data)
        written = tuple(WrittenTask(**task) for task in message["written"])
        return cls(**{**message, "limits": NotebookLimits(**message["limits"]), "written": written})
