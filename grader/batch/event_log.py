"""`--log-file`: what happens in a batch, for programs that watch it; one JSON object a line, at once."""

from __future__ import annotations

import json
import logging
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grader.batch.pool import Graded
from grader.errors import UsageError
from grader.intake.submissions import Submission

LOG = logging.getLogger(__name__)


class EventLog(logging.Handler):
    """Writes events to the end of a file, None: nowhere. What the core logs as a warning is an event too.

    Each line has `time` (seconds since 1970) and `event`: begun, started, finished, warning, ended.
    """

    def __init__(self, path: Path | None) -> None:
        super().__init__(logging.WARNING)
        self._writing = threading.RLock()
        try:
            self._file = None if path is None else path.open("a", encoding="utf-8", errors="replace")
        except OSError as error:
            raise UsageError(f"the log file {path} cannot be written: {error.strerror}") from error

    def __enter__(self) -> Self:
        logging.getLogger("grader").addHandler(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        logging.getLogger("grader").removeHandler(self)
        with self._writing:
            if self._file is not None:
                self._file.close()
                self._file = None

    def write(self, event: str, **fields: Any) -> None:
        """Write one event; a file that can no longer be written to ends the log and not the batch."""
        with self._writing:
            if self._file is None:
                return
            try:
                line = json.dumps(
                    {"time": round(time.time(), 3), "event": event, **fields}, ensure_ascii=False
                )
                self._file.write(line + "\n")
                self._file.flush()
            except OSError:
                self._file = None
                LOG.exception("the log file cannot be written to any more")

    def emit(self, record: logging.LogRecord) -> None:
        """Write what the core logged."""
        self.write("warning", level=record.levelname, logger=record.name, message=record.getMessage())

    def started(self, submission: Submission) -> None:
        """Write that a worker has begun with a submission."""
        self.write("started", submission=submission.id)

    def finished(self, graded: Graded) -> None:
        """Write a result."""
        score = graded.score
        self.write(
            "finished",
            submission=score.submission,
            status=score.status.value,
            summary=score.summary.value,
            points=score.points,
            max_points=score.max_points,
            seconds=round(graded.seconds, 3),
            message=score.message,
            worker=graded.worker,
        )
