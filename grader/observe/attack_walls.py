"""Tries the layers of a sandbox: runs attacks in a box of that kind, on targets that are made on the host.

bait: makes the targets: a file, an open descriptor, a port, shared memory, this process
probe_sandbox  --attacks, targets-->  box (inside/probe.py)  --what they obtained-->  Found, one a layer
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
    """Make on the host the targets of the attacks; enter it before the sandbox is started.

    Only then would the sandbox inherit the open descriptor.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with (
        tempfile.TemporaryDirectory(prefix="bait-") as folder,
        socket.create_server(("127.0.0.1", 0)) as server,
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
                "port": server.getsockname()[1],
                "key": key,
                "host": platform.node(),
                "patience": PATIENCE_SECONDS,
            }
        finally:
            os.close(left_open)
            if shared >= 0:
                libc.shmctl(shared, SHM_REMOVE, None)


def probe_sandbox(
    sandbox: Sandbox, targets: Mapping[str, Any], layers: Sequence[Layer] = LAYERS
) -> tuple[Found, ...]:
    """Try the layers of a sandbox that has started; raises SandboxError if no box starts."""
    found: list[Found] = []
    # the quick attacks share two boxes
    for bare in (True, False):
        chosen = [layer for layer in layers if not layer.thorough and layer.bare is bare]
        keys = [layer.key for layer in chosen]
        with _started(sandbox, keys, targets, bare=bare) as process:
            answer = _read(process, PROBE_SECONDS)
        obtained = dict.fromkeys(keys, NOT_RUN) | (json.loads(answer) if answer else {})
        found += [Found(layer, not obtained[layer.key], obtained[layer.key]) for layer in chosen]
    # the others have a box each, as they end it
    for layer in layers:
        if layer.key == "memory":
            held = _hold_memory(sandbox, layer, targets, memory_mb=SMALL_MB)
            found.append(Found(layer, held is None, held or ""))
        elif layer.key == "group":
            held = _hold_memory(sandbox, layer, targets, counted_mb=COUNTED_MB)
            why = getattr(sandbox, "groups", Groups()).why
            found.append(Found(layer, not held, ": ".join(filter(None, (held, why))) if held else ""))
        elif layer.key == "clock":
            # once everything in the box has ended, its standard output is closed
            with _started(sandbox, [layer.key], targets, bare=True) as process:
                reader = threading.Thread(target=_read, args=(process, CLOCK_SECONDS), daemon=True)
                reader.start()
                reader.join(END_SECONDS)
                over = not reader.is_alive()
            found.append(Found(layer, over, "" if over else "a process of the box still runs"))
    return tuple(sorted(found, key=lambda each: layers.index(each.layer)))


def _hold_memory(sandbox: Sandbox, layer: Layer, targets: Mapping[str, Any], **limit: int) -> str | None:
    """Return what an attack on memory obtained in a box with a limit; None if the box was ended for it."""
    with _started(sandbox, [layer.key], targets, bare=layer.bare, **limit) as process:
        answer = _read(process, PROBE_SECONDS)
        settle(process)
        process.kill()
    if process.reason == "out_of_memory":
        return None
    return str(json.loads(answer)[layer.key]) if answer else NOT_RUN


@contextlib.contextmanager
def _started(
    sandbox: Sandbox,
    keys: Sequence[str],
    targets: Mapping[str, Any],
    *,
    bare: bool,
    memory_mb: int = PLENTY_MB,
    counted_mb: int | None = None,
) -> Iterator[Process]:
    """Start the attacks on some layers in a box of their own, and kill it at the end."""
    with run_directory(sandbox.scratch) as folder:
        program = Program("probe", folder, memory_mb=memory_mb, counted_mb=counted_mb, bare=bare)
        process = sandbox.launch(program)
        try:
            job = json.dumps({"layers": list(keys), "known": dict(targets)}).encode()
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.write(job)
                    process.stdin.close()
            yield process
        finally:
            process.kill()


def _read(process: Process, seconds: float) -> bytes:
    """Read what a box writes until all its processes have ended; kill them after so many seconds."""
    clock = threading.Timer(seconds, process.kill)
    clock.start()
    try:
        with contextlib.suppress(OSError, ValueError):
            return process.stdout.read() if process.stdout is not None else b""
        return b""
    finally:
        clock.cancel()
