"""Tries the layers of a sandbox: attacks in a box of that kind, with bait laid out on the host.

bait: a file, an open descriptor, a port, shared memory, this process
probe_sandbox  --attacks-->  box (inside/probe.py)  --loot-->  Found, one a layer
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.observe.control_groups import Groups
from grader.observe.layers import LAYERS, Found, Layer
from grader.observe.sandbox import Process, Program, Sandbox, run_directory, settle

SECRET = "bait-of-grader-doctor"  # noqa: S105 -- worth nothing
PROBE_SECONDS = 30.0
PATIENCE_SECONDS = 5.0
CLOCK_SECONDS = 0.3
END_SECONDS = 10.0
SMALL_MB, PLENTY_MB = 96, 1 << 20
COUNTED_MB = 64
KEY = 0x67726164
SHM_CREATE, SHM_REMOVE = 0o1666, 0
NOT_RUN = "the attack did not run in the box"


@contextlib.contextmanager
def bait() -> Iterator[Mapping[str, Any]]:
    """Lay out on the host what an attack would take; enter it before the sandbox is started."""
    libc = ctypes.CDLL(None, use_errno=True)
    with (
        tempfile.TemporaryDirectory(prefix="bait-") as folder,
        socket.create_server(("127.0.0.1", 0)) as door,
    ):
        Path(folder).chmod(0o755)
        file = Path(folder) / "bait"
        file.write_text(SECRET)
        file.chmod(0o644)
        left_open = os.open(file, os.O_RDONLY)
        os.set_inheritable(left_open, True)
        key = KEY + os.getpid()
        shared = libc.shmget(key, ctypes.c_size_t(4096), SHM_CREATE)
        try:
            yield {
                "secret": SECRET,
                "file": str(file),
                "pid": os.getpid(),
                "port": door.getsockname()[1],
                "key": key,
                "host": platform.node(),
                "patience": PATIENCE_SECONDS,
            }
        finally:
            os.close(left_open)
            if shared >= 0:
                libc.shmctl(shared, SHM_REMOVE, None)


def probe_sandbox(
    sandbox: Sandbox, known: Mapping[str, Any], layers: Sequence[Layer] = LAYERS
) -> tuple[Found, ...]:
    """Try the layers of a sandbox that has started; raises SandboxError if no box starts."""
    quick = [layer for layer in layers if not layer.thorough]
    loot: dict[str, str] = {}
    for bare in (True, False):
        chosen = [layer.key for layer in quick if layer.bare is bare]
        loot |= _tried(sandbox, chosen, known, bare=bare)
    found = [Found(layer, not loot[layer.key], loot[layer.key]) for layer in quick]
    tests = {"memory": _try_memory, "clock": _try_clock, "group": _try_group}
    found += [tests[layer.key](sandbox, layer, known) for layer in layers if layer.thorough]
    return tuple(sorted(found, key=lambda each: layers.index(each.layer)))


def _tried(sandbox: Sandbox, keys: Sequence[str], known: Mapping[str, Any], *, bare: bool) -> dict[str, str]:
    """Run attacks in a box; return what each obtained, or that it did not run."""
    with _started(sandbox, keys, known, bare=bare) as process:
        answer = _read(process, PROBE_SECONDS)
    missing = dict.fromkeys(keys, NOT_RUN)
    return missing | json.loads(answer) if answer else missing


def _try_memory(sandbox: Sandbox, layer: Layer, known: Mapping[str, Any]) -> Found:
    """Whether a box that takes too much memory in many processes is ended for that."""
    with _started(sandbox, [layer.key], known, memory_mb=SMALL_MB, bare=True) as process:
        answer = _read(process, PROBE_SECONDS)
        process.kill()
    if process.reason == "out_of_memory":
        return Found(layer, True)
    return Found(layer, False, json.loads(answer)[layer.key] if answer else NOT_RUN)


def _try_group(sandbox: Sandbox, layer: Layer, known: Mapping[str, Any]) -> Found:
    """Whether the kernel ends a box that makes the kernel hold too much for it."""
    with _started(sandbox, [layer.key], known, counted_mb=COUNTED_MB, bare=False) as process:
        answer = _read(process, PROBE_SECONDS)
        settle(process)
        process.kill()
    if process.reason == "out_of_memory":
        return Found(layer, True)
    loot = json.loads(answer)[layer.key] if answer else NOT_RUN
    why = getattr(sandbox, "groups", Groups()).why
    return Found(layer, not loot, ": ".join(filter(None, (loot, why))) if loot else "")


def _try_clock(sandbox: Sandbox, layer: Layer, known: Mapping[str, Any]) -> Found:
    """Whether a box that hears nothing ends with everything in it: then its standard output is closed."""
    with _started(sandbox, [layer.key], known, bare=True) as process:
        reader = threading.Thread(target=_read, args=(process, CLOCK_SECONDS), daemon=True)
        reader.start()
        reader.join(END_SECONDS)
        over = not reader.is_alive()
    return Found(layer, over, "" if over else "a process of the box still runs")


@contextlib.contextmanager
def _started(
    sandbox: Sandbox,
    keys: Sequence[str],
    known: Mapping[str, Any],
    *,
    bare: bool,
    memory_mb: int = PLENTY_MB,
    counted_mb: int | None = None,
) -> Iterator[Process]:
    with run_directory(sandbox.scratch) as folder:
        program = Program("probe", folder, memory_mb=memory_mb, counted_mb=counted_mb, bare=bare)
        process = sandbox.launch(program)
        try:
            job = json.dumps({"layers": list(keys), "known": dict(known)}).encode()
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.write(job)
                    process.stdin.close()
            yield process
        finally:
            process.kill()


def _read(process: Process, seconds: float) -> bytes:
    """Read what a box says until it and all its processes have ended; end it after so many seconds."""
    clock = threading.Timer(seconds, process.kill)
    clock.start()
    try:
        with contextlib.suppress(OSError, ValueError):
            return process.stdout.read() if process.stdout is not None else b""
        return b""
    finally:
        clock.cancel()
