"""Judging and comparing again from the page: a command of grader as a process of its own, one at a time."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

LINES = 6
MAX_LINE = 300


@dataclass(frozen=True)
class JobState:
    """What is going on, or was last: the job `number`; `code` is its exit code, None while it runs."""

    title: str = ""
    lines: tuple[str, ...] = ()
    done: int = 0
    total: int = 0
    code: int | None = None
    number: int = 0

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return bool(self.title) and self.code is None


class Jobs:
    """Runs commands of grader with the options of these results."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        self.options = tuple(options)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._state = JobState()
        self._lines: deque[str] = deque(maxlen=LINES)

    def state(self) -> JobState:
        """Return what is going on."""
        return self._state

    def start(self, command: str, arguments: Sequence[str], title: str, total: int) -> bool:
        """Start a command; return False while another one runs."""
        with self._lock:
            if self._state.running:
                return False
            self._lines.clear()
            self._state = JobState(title, total=total, number=self._state.number + 1)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "grader", command, *self.options, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            threading.Thread(target=self._follow, args=(self._process,), daemon=True).start()
            return True

    def _follow(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        done = 0
        with process.stdout:
            for line in process.stdout:
                self._lines.append(line.strip()[:MAX_LINE])
                done += 1
                before = self._state
                lines, now = tuple(self._lines), min(done, before.total)
                self._state = replace(before, lines=lines, done=now)
        code = process.wait()
        self._state = replace(self._state, code=code)

    def end(self) -> None:
        """End the job that runs."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(10)
