"""Runs a notebook headlessly, cell by cell, with nbclient, in a kernel of the sandbox.

A failed cell does not end the run. There are limits on the seconds of a cell, the seconds of the notebook and
the bytes of output of a cell. A cell that runs too long is interrupted; a kernel that does not react is
killed, and the cells after it are `not_run`. nbclient runs in a thread of its own: whatever the kernel does,
`run_notebook` returns once all limits are over, and leaves a thread that has not ended behind.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import zmq
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from grader.decode import decode
from grader.errors import GraderFault
from grader.inside.harvest import MIME
from grader.inside.safe_text import message_text, valid_text
from grader.observe.call_functions import outcome_of
from grader.observe.client import PromptClient
from grader.observe.provisioner import NAME, SandboxProvisioner
from grader.observe.sandbox import Process, Sandbox, prepared_directory
from grader.records import CellRun, CellStatus, Fault, NotebookRun, Outcome, OutcomeKind
from grader.subjects import Subject, SubjectKind

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
START_SECONDS = 60
END_SECONDS = 20.0
SEND_MILLISECONDS = 2000  # otherwise, a socket whose peer is gone waits for another for ever
VALUE_MB = 8  # of all values that are looked at when the notebook has run
SHOWN = ("stream", "display_data", "update_display_data", "execute_result", "error")
QUIET = logging.getLogger("grader.nbclient")
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


@dataclass(frozen=True)
class NotebookLimits:
    """What one run of a notebook may use."""

    seconds: float = 300.0
    cell_seconds: float = 60.0
    memory_mb: int = 4096
    output_kb: int = 512


def run_notebook(
    notebook: nbformat.NotebookNode,
    files: Mapping[str, bytes],
    sandbox: Sandbox,
    limits: NotebookLimits,
    looked_at: Sequence[Subject] = (),
) -> NotebookRun:
    """Execute every code cell in order, with `files` in the working directory; raise GraderFault.

    The values of the subjects `looked_at` (variables, files, figures) are taken when all cells have run.
    """
    notebook = nbformat.from_dict(notebook)
    with prepared_directory(sandbox, files) as folder:
        (wires := folder / "k").mkdir()
        return _Run(notebook, sandbox, limits, looked_at).within_limits(folder / "work", wires)


class CappedClient(NotebookClient):
    """nbclient with a limit on what one cell may display."""

    max_bytes: int = 512 << 10
    max_outputs: int = 500
    used = 0
    dropped = False

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Pass a message on, or drop the output in it once the cell has displayed too much."""
        if msg["msg_type"] not in SHOWN:
            return super().process_message(msg, cell, cell_index)
        self.used += len(repr(msg["content"]))
        if self.used > self.max_bytes or len(cell.outputs) > self.max_outputs:
            self.dropped = True
            return None
        return super().process_message(msg, cell, cell_index)


class _Run:
    """One run of a notebook; `remark` says why it did not run to its end, '' if it did."""

    def __init__(
        self, notebook: Any, sandbox: Sandbox, limits: NotebookLimits, looked_at: Sequence[Subject]
    ) -> None:
        self.notebook = notebook
        self.looked_at = looked_at
        self.executed: list[int] = []  # the indices of the cells that were run, in order
        self.values: dict[str, Outcome] = {}
        self.limits = limits
        self.cells: list[CellRun] = []
        self.remark = ""
        self.seconds: dict[str, float] = {}
        self.client: CappedClient | None = None
        self.provisioner = type("Provisioner", (SandboxProvisioner,), {"sandbox": sandbox})

    def within_limits(self, work: Path, wires: Path) -> NotebookRun:
        """Run the notebook in a thread; return when the limits are over, even if the thread has not ended."""
        done: list[NotebookRun] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                done.append(asyncio.run(self.execute(work, wires)))
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=run, name="grader-notebook", daemon=True)
        thread.start()
        thread.join(START_SECONDS + self.limits.seconds + self.limits.cell_seconds + END_SECONDS)
        if thread.is_alive() and self.client is not None and (process := _process(self.client)) is not None:
            process.kill()
            thread.join(END_SECONDS)
        if failed and not isinstance(failed[0], Exception):
            raise GraderFault(f"the conversation with the kernel was ended: {failed[0]!r}") from failed[0]
        if failed:
            raise failed[0]
        if not done and self.client is None:
            raise GraderFault("the notebook's kernel did not start in time")
        if done:
            return done[0]
        # the thread still uses the notebook: report the cells that ended, and a copy without any output
        self.remark = "The kernel kept the run from coming to its end; what it displayed is lost."
        code = [cell for cell in self.notebook.cells if cell.cell_type == "code"]
        cells = list(self.cells)
        cells += [CellRun(number, CellStatus.NOT_RUN) for number in range(len(cells) + 1, len(code) + 1)]
        blank = nbformat.from_dict(self.notebook)
        for cell in blank.cells:
            if cell.cell_type == "code":
                cell.outputs = []
        return NotebookRun(tuple(cells), valid_text(nbformat.writes(blank)), self.remark)

    async def execute(self, work: Path, wires: Path) -> NotebookRun:
        """Start the kernel, run the cells, end the kernel."""
        started = time.monotonic()
        try:
            client = await self._start_kernel(work, wires)
            self.seconds["kernel"] = time.monotonic() - started
            await self._tell(client, "from inside import harvest; harvest.install(get_ipython())")
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
                    await self._run_cell(client, cell, index, number)
            await self._look(client)
        finally:
            if self.client is not None:
                await self._stop(self.client)
        self.seconds["notebook"] = time.monotonic() - started - self.seconds["kernel"]
        executed = valid_text(nbformat.writes(self.notebook))
        return NotebookRun(tuple(self.cells), executed, self.remark, self.seconds, self.values)

    async def _start_kernel(self, work: Path, wires: Path) -> CappedClient:
        """Start a kernel in the sandbox and connect to it; raise GraderFault if that fails.

        `self.client` is set before the kernel starts, so that whatever happens, there is something to stop.
        """
        manager: Any = AsyncKernelManager(
            transport="ipc",
            ip=str(wires / "s"),
            connection_file=str(wires / "c.json"),
            client_factory=PromptClient,
            log=QUIET,
        )
        manager.context.setsockopt(zmq.SNDTIMEO, SEND_MILLISECONDS)
        manager._kernel_spec = KernelSpec(
            argv=["{connection_file}"],
            display_name="grader",
            language="python",
            interrupt_mode="message",
            metadata={"kernel_provisioner": {"provisioner_name": NAME}},
        )
        options = {"timeout": int(self.limits.cell_seconds), "interrupt_on_timeout": True}
        client = CappedClient(
            self.notebook, km=manager, allow_errors=True, store_widget_state=False, log=QUIET, **options
        )
        client.max_bytes = self.limits.output_kb << 10
        client.startup_timeout = START_SECONDS
        self.client = client
        try:
            manager.provisioner = self.provisioner(
                kernel_id=manager.kernel_id or "grader",
                kernel_spec=manager.kernel_spec,
                parent=manager,
                memory_mb=self.limits.memory_mb,
            )
            client.reset_execution_trackers()
            await client.async_start_new_kernel(cwd=str(work))
            await client.async_start_new_kernel_client()
        except (RuntimeError, OSError) as error:
            process = _process(client)
            why = process.fault if process and process.fault else error
            raise GraderFault(f"the notebook's kernel did not start: {why}") from error
        return client

    async def _look(self, client: CappedClient) -> None:
        """Take the values of variables, files and figures; what cannot be taken is missing."""
        wanted = []
        for subject in self.looked_at:
            index = find_cell(self.notebook, subject.name) if subject.kind is SubjectKind.FIGURE else None
            number = self.executed.index(index) + 1 if index in self.executed else None
            wanted.append({"kind": subject.kind.value, "name": subject.name, "cell": number})
        source = f"from inside import harvest; harvest.collect({wanted!r}, {VALUE_MB})"
        output = await self._tell(client, source)
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

    async def _tell(self, client: CappedClient, source: str) -> Any:
        """Run code of ours behind the notebook's cells; return what it displays, if anything."""
        if not self.looked_at or self.remark:
            return {}
        cell = nbformat.v4.new_code_cell(source)
        self.notebook.cells.append(cell)
        limit, client.max_bytes = client.max_bytes, 2 * VALUE_MB << 20
        try:
            client.used = 0
            index = len(self.notebook.cells) - 1
            await asyncio.wait_for(client.async_execute_cell(cell, index), self.limits.cell_seconds + 5)
        except (TimeoutError, DeadKernelError, RuntimeError, ValueError, KeyError, TypeError) as error:
            QUIET.info("after the cells: %r", error)
        finally:
            client.max_bytes = limit
            self.notebook.cells.pop()
        return next((output for output in cell.outputs if "data" in output), {})

    async def _run_cell(self, client: CappedClient, cell: Any, index: int, number: int) -> None:
        """Run a cell and note what it did; raise GraderFault if it failed through no fault of the student."""
        client.used, client.dropped = 0, False
        self.executed.append(index)
        started = time.monotonic()
        limit = self.limits.cell_seconds
        status: CellStatus | None = None
        fault: Fault | None = None
        try:
            await asyncio.wait_for(client.async_execute_cell(cell, index), limit + 5)
        except TimeoutError:
            self.remark = f"Cell {number} did not stop when its {limit:g} s were over; the kernel was ended."
            status = CellStatus.TIMEOUT
        except DeadKernelError as error:
            status = CellStatus.ERROR
            process = _process(client)
            if process is not None and process.fault:
                raise GraderFault(process.fault) from error
            if process is not None and process.reason == "out_of_memory":
                self.remark = (
                    f"The kernel ran out of memory in cell {number}; the cells after it were not run."
                )
                fault = Fault("MemoryError", "the notebook took more memory than it may", number)
            else:
                self.remark = f"The kernel ended in cell {number}; the cells after it were not run."
        except (GraderFault, OSError):
            raise
        except Exception as error:  # a forged message can make the client raise anything
            QUIET.info("cell %d: %r", number, error)
            self.remark = f"The kernel sent nonsense in cell {number}; the cells after it were not run."
            status = CellStatus.ERROR
        seconds = time.monotonic() - started
        if client.dropped:
            note = f"[output cut off after {self.limits.output_kb} kB]\n"
            cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text=note))
        # drop outputs that are not in Jupyter's format: a student's code can forge messages
        valid = []
        for output in cell.outputs:
            with contextlib.suppress(nbformat.ValidationError):
                nbformat.validate(output, "output", version=4)
                valid.append(output)
        cell.outputs = valid
        errors = [output for output in valid if output.output_type == "error"]
        if fault is None and errors:
            trace = ANSI.sub("", "\n".join(errors[0].traceback))
            lines = re.findall(r"^-+> (\d{1,9}) ", trace, re.M)  # the arrow at the line of the cell
            name, message = str(errors[0].ename)[:100], str(errors[0].evalue)[:400]
            line = int(lines[0]) if lines else None
            fault = Fault(message_text(name), message_text(message), number, line)
        late = CellStatus.TIMEOUT if seconds >= limit else None
        status = status or late or (CellStatus.ERROR if fault else CellStatus.OK)
        self.cells.append(CellRun(number, status, seconds, fault))

    async def _stop(self, client: CappedClient) -> None:
        """Kill the kernel and close the channels, without waiting for a message of the kernel."""
        manager: Any = client.km
        process = _process(client)
        if process is not None:
            await asyncio.to_thread(process.kill)
        if client.kc is not None:
            client.kc.stop_channels()
        if manager is not None and manager.has_kernel:
            with contextlib.suppress(zmq.ZMQError):  # it first sends an interrupt, to a kernel that is gone
                await manager.shutdown_kernel(now=True)
        if manager is not None:
            await manager._async_cleanup_resources()


def find_cell(notebook: Any, name: str) -> int | None:
    """Return the index of the cell with a tag or, if there is none, an id."""
    for index, cell in enumerate(notebook.cells):
        if name in cell.get("metadata", {}).get("tags", ()):
            return index
    return next((index for index, cell in enumerate(notebook.cells) if cell.get("id") == name), None)


def _process(client: CappedClient) -> Process | None:
    """Return the kernel's process, None before it has started."""
    provisioner = getattr(client.km, "provisioner", None)
    return provisioner.process if isinstance(provisioner, SandboxProvisioner) else None
