"""Runs a notebook headlessly, cell by cell, with nbclient, in a kernel that others have started.

A failed cell does not end the run. There are limits on the seconds of a cell, the seconds of the notebook,
and the bytes of output of a cell and of all cells. A cell that runs too long is interrupted; a kernel that
does not react is killed, and the cells after it are `not_run`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import re
import time
from collections.abc import Sequence
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from grader.decode import decode
from grader.handler.kernel_client import Kernel, PipeManager
from grader.inside.harvest import MIME
from grader.inside.safe_text import message_text
from grader.notebook.cells import find_cell
from grader.outcome import outcome_of
from grader.records import CellRun, CellStatus, Fault, NotebookLimits, NotebookRun, Outcome, OutcomeKind
from grader.subjects import Subject, SubjectKind

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
MAX_OUTPUTS = 500  # of one cell
PATIENCE = 5  # seconds that an interrupted cell has to end
VALUE_MB = 8  # of all values that are looked at when the notebook has run
OVERHEAD = 500  # bytes that each output takes of those of the run, beside its content
SHOWN = ("stream", "display_data", "update_display_data", "execute_result", "error")
QUIET = logging.getLogger("grader.nbclient")
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


class KernelNotStarted(Exception):  # noqa: N818 -- it says what has happened
    """The kernel did not say that it is ready."""


def run_notebook(
    notebook: nbformat.NotebookNode,
    kernel: Kernel,
    limits: NotebookLimits,
    looked_at: Sequence[Subject] = (),
    start_seconds: float = 60.0,
) -> NotebookRun:
    """Execute every code cell in order; raise KernelNotStarted.

    The values of the subjects `looked_at` (variables, files, figures) are taken when all cells have run. The
    outputs in `notebook` are replaced by those of this run; the result holds no copy of them.
    """
    return asyncio.run(_Run(notebook, kernel, limits, looked_at, start_seconds).execute())


class CappedClient(NotebookClient):
    """nbclient with a limit on what one cell may display."""

    most = 0  # bytes that the cell may display
    used = 0  # bytes that it displayed, and those that were dropped
    kept = 0
    dropped = False

    def begin(self, most: int) -> None:
        """Count anew, for a cell that may display `most` bytes."""
        self.most, self.used, self.kept, self.dropped = most, 0, 0, False

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Pass a message on, or drop the output in it once the cell has displayed too much.

        Of the first error, what it says remains.
        """
        if msg["msg_type"].startswith("comm"):  # of widgets, which are not shown
            return None
        if msg["msg_type"] not in SHOWN:
            return super().process_message(msg, cell, cell_index)
        size = len(repr(msg["content"]).encode(errors="replace"))
        display = (msg["content"].get("transient") or {}).get("display_id")
        places = self._display_id_map.get(display, {}) if display else {}
        size *= 1 + sum(map(len, places.values()))  # it is shown again in each of these places
        self.used += size
        if self.used <= self.most and len(cell.outputs) < MAX_OUTPUTS:
            self.kept += size + OVERHEAD
        else:
            self.dropped = True
            if msg["msg_type"] != "error" or any(each.output_type == "error" for each in cell.outputs):
                return None
            name, text = (str(msg["content"][key])[:400] for key in ("ename", "evalue"))
            msg = {**msg, "content": {"ename": name, "evalue": text, "traceback": []}}
        return super().process_message(msg, cell, cell_index)


class _Run:
    """One run of a notebook; `remark` says why it did not run to its end, '' if it did."""

    def __init__(
        self,
        notebook: Any,
        kernel: Kernel,
        limits: NotebookLimits,
        looked_at: Sequence[Subject],
        start_seconds: float,
    ) -> None:
        self.notebook = notebook
        self.limits = limits
        self.output_left = max(limits.run_output_kb, limits.output_kb) << 10
        self.looked_at = looked_at
        self.executed: list[int] = []  # the indices of the cells that were run, in order
        self.values: dict[str, Outcome] = {}
        self.cells: list[CellRun] = []
        self.remark = ""
        options = {"timeout": int(limits.cell_seconds), "interrupt_on_timeout": True}
        self.manager = PipeManager(kernel)
        manager: Any = self.manager
        self.client = CappedClient(
            notebook, km=manager, allow_errors=True, store_widget_state=False, log=QUIET, **options
        )
        self.client.startup_timeout = int(start_seconds)
        self.client.comm_open_handlers = {}  # there are no widgets: what is printed into one is an output

    async def execute(self) -> NotebookRun:
        """Run the cells, end the kernel."""
        started = time.monotonic()
        try:
            await self.client.async_start_new_kernel_client()
        except RuntimeError as error:
            raise KernelNotStarted(str(error)) from error
        ready = time.monotonic()
        try:
            await self._tell("from inside import harvest; harvest.install(get_ipython())")
            deadline = time.monotonic() + self.limits.seconds
            number = 0
            for index, cell in enumerate(self.notebook.cells):
                if cell.cell_type != "code":
                    continue
                number += 1
                cell.outputs = []
                if not cell.source.strip():
                    self.cells.append(CellRun(number, CellStatus.OK))
                elif self.remark:
                    self.cells.append(CellRun(number, CellStatus.NOT_RUN))
                elif time.monotonic() > deadline:
                    limit = f"{self.limits.seconds:g} s"
                    self.remark = f"The notebook ran longer than {limit}; the rest was not run."
                    self.cells.append(CellRun(number, CellStatus.NOT_RUN))
                else:
                    await self._run_cell(cell, index, number)
            await self._look()
        finally:
            await self.manager.shutdown_kernel(now=True)
            if self.client.kc is not None:
                self.client.kc.stop_channels()
        seconds = {"kernel": ready - started, "notebook": time.monotonic() - ready}
        return NotebookRun(tuple(self.cells), "", self.remark, seconds, self.values)

    async def _look(self) -> None:
        """Take the values of variables, files and figures; what cannot be taken is missing."""
        wanted = []
        for subject in self.looked_at:
            index = find_cell(self.notebook, subject.name) if subject.kind is SubjectKind.FIGURE else None
            number = self.executed.index(index) + 1 if index in self.executed else None
            wanted.append({"kind": subject.kind.value, "name": subject.name, "cell": number})
        source = f"from inside import harvest; harvest.collect({wanted!r}, {VALUE_MB})"
        output = await self._tell(source)
        payloads: Any = ()
        with contextlib.suppress(ValueError, TypeError, KeyError):
            payloads = decode(base64.b64decode(output["data"][MIME]))
        if not isinstance(payloads, list) or len(payloads) != len(wanted):
            payloads = [b""] * len(wanted)
        for subject, payload in zip(self.looked_at, payloads, strict=True):
            if isinstance(payload, bytes) and payload:
                self.values[str(subject)] = outcome_of(payload)
            else:
                gone = Fault("", self.remark or "the kernel did not answer when the notebook had run")
                self.values[str(subject)] = Outcome(OutcomeKind.MISSING, fault=gone)

    async def _tell(self, source: str) -> Any:
        """Run code of ours behind the notebook's cells; return what it displays, if anything."""
        if not self.looked_at or self.remark:
            return {}
        cell = nbformat.v4.new_code_cell(source)
        self.notebook.cells.append(cell)
        self.client.begin(2 * VALUE_MB << 20)
        try:
            index = len(self.notebook.cells) - 1
            await asyncio.wait_for(self.client.async_execute_cell(cell, index), self.limits.cell_seconds + 5)
        except Exception as error:  # as in a cell of the notebook
            QUIET.info("after the cells: %r", error)
        finally:
            self.notebook.cells.pop()
        return next((output for output in cell.outputs if "data" in output), {})

    async def _run_cell(self, cell: Any, index: int, number: int) -> None:
        """Run a cell and note what it did."""
        client = self.client
        own = self.limits.output_kb << 10
        client.begin(min(own, self.output_left))
        self.executed.append(index)
        started = time.monotonic()
        limit = self.limits.cell_seconds
        status: CellStatus | None = None
        clock = asyncio.timeout(limit + PATIENCE)
        try:
            async with clock:
                await client.async_execute_cell(cell, index)
        except Exception as error:  # a forged message can make the client raise anything
            QUIET.info("cell %d: %r", number, error)
            status = CellStatus.ERROR
            if clock.expired():  # nbclient then says that the kernel is dead
                over = f"when its {limit:g} s were over"
                self.remark = f"Code cell {number} did not stop {over}; the kernel was ended."
                status = CellStatus.TIMEOUT
            elif isinstance(error, DeadKernelError):
                self.remark = f"The kernel ended in code cell {number}; the cells after it were not run."
            else:
                self.remark = (
                    f"The kernel sent nonsense in code cell {number}; the cells after it were not run."
                )
        if status is None and getattr(client.kc, "broken", False):
            self.remark = f"The kernel sent nonsense in code cell {number}; the cells after it were not run."
            status = CellStatus.ERROR
        seconds = time.monotonic() - started
        self.output_left -= client.kept
        if client.dropped:
            note = f"[output cut off after {self.limits.output_kb} kB]\n"
            if client.most < own:
                note = f"[output cut off: all cells together have more than {self.limits.run_output_kb} kB]\n"
            cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text=note))
        # drop outputs that are not in Jupyter's format: a student's code can forge messages
        valid = []
        for output in cell.outputs:
            with contextlib.suppress(nbformat.ValidationError):
                nbformat.validate(output, "output", version=4)
                valid.append(output)
        cell.outputs = valid
        if type(cell.execution_count) is not int:
            cell.execution_count = None
        errors = [output for output in valid if output.output_type == "error"]
        fault = None
        if errors:
            trace = ANSI.sub("", "\n".join(errors[0].traceback))
            lines = re.findall(r"^-+> (\d{1,9}) ", trace, re.M)  # the arrow at the line of the cell
            name, message = str(errors[0].ename)[:100], str(errors[0].evalue)[:400]
            line = int(lines[0]) if lines else None
            fault = Fault(message_text(name), message_text(message), number, line)
        late = CellStatus.TIMEOUT if seconds >= limit else None
        status = status or late or (CellStatus.ERROR if fault else CellStatus.OK)
        self.cells.append(CellRun(number, status, seconds, fault))
