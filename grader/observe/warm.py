"""The walled sandbox: a warm parent forks a box for every program.

    WarmSandbox.launch  -->  full parent   all modules and the kernel's     --fork-->  box
                        -->  lean parent   numpy and scipy alone            --fork-->  box

The more a parent has imported, the longer it takes to fork, and the longer the forked process takes to exit.
So a program that needs numpy and scipy alone is forked from a parent that has imported nothing else. If a
parent dies, its boxes die with it: the `fault` of each program says so, and the next launch starts a new one.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from grader.errors import SandboxError
from grader.inside.limits import DISK_MB, SHARED_MB
from grader.inside.walls import ISOLATED, NONE, OWN, RESTRICTED
from grader.observe.control_groups import Groups
from grader.observe.interpreter import find_interpreter
from grader.observe.sandbox import Program, minimal_environment, remove_tree
from grader.observe.warm_parent import Parent, Settings, WarmProcess, unprivileged_ids

BOX_USER = 61_011  # an id that no account of an ordinary system has
BOX_USERS = 500  # the number of ids from there on, where each box needs a user of its own
KERNEL_MODULES = (
    "inside.kernel",
    "inside.calls",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.extensions.storemagic",
    "debugpy.server.api",
    "tornado.platform.asyncio",
    "tornado.locks",
    "tornado.queues",
    "ipykernel.embed",
    "matplotlib_inline.backend_inline",
    "matplotlib.font_manager",
    "matplotlib.backends.backend_agg",
)
BESIDE_MB = DISK_MB + SHARED_MB + 64  # a group also counts files in memory and kernel buffers
LEAN = ("numpy", "scipy")
LEAN_MODULES = ("inside.calls",)


class WarmSandbox:
    """Starts programs in boxes with walls, in milliseconds. Close it, or use `with`.

    `kind` is the tier that the boxes are built for, `name` the tier that they reach: lower if a layer does
    not hold. `outer` is who builds the outer wall (`inside.walls.Plan`).
    """

    def __init__(
        self,
        preload: Sequence[str] = (),
        tier: str = ISOLATED,
        python: str = sys.executable,
        outer: str | None = None,
    ) -> None:
        self.kind = tier
        self.name = tier
        self.outer = outer or (OWN if tier == ISOLATED else NONE)
        self.python = python
        self.asked = tuple(preload)
        lean = [name for name in preload if is_lean([name])]
        self.preload = {
            "full": tuple(dict.fromkeys((*preload, *KERNEL_MODULES))),
            "lean": tuple(dict.fromkeys((*lean, *LEAN_MODULES))),
        }
        self.scratch = Path(tempfile.mkdtemp(prefix="grader-"))
        self.scratch.chmod(0o711)
        self.groups = Groups.open()
        self._users = itertools.count(1)
        self._lock = threading.Lock()
        self._parents: dict[str, Parent] = {}
        self._retired: list[Parent] = []

    def __enter__(self) -> WarmSandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the parents with their boxes; remove the control groups and the directories."""
        with self._lock:
            for parent in (*self._parents.values(), *self._retired):
                parent.stop()
            self._parents.clear()
            self._retired.clear()
            self.groups.close()
            remove_tree(self.scratch)

    def warm(self, which: str = "full") -> Parent:
        """Return the `full` or the `lean` parent, started first if there is none that can fork.

        Raises SandboxError if it does not start, or cannot import a module that was asked for.
        """
        with self._lock:
            parent = self._parents.get(which)
            if parent is not None and parent.alive and not parent.tired:
                return parent
            # a parent that cannot fork is kept until its last box has ended
            if parent is not None:
                self._retired.append(parent)
            for old in [old for old in self._retired if not old.running]:
                old.stop()
                self._retired.remove(old)
            self._parents.pop(which, None)
            try:
                paths = list(find_interpreter(self.python).places)
                plan = {"tier": self.kind, "outer": self.outer, "paths": paths, **unprivileged_ids(BOX_USER)}
                parent = Parent(Settings(self.python, self.preload[which], plan, self.scratch))
            except OSError as error:
                raise SandboxError(f"no warm parent could be started: {error}") from error
            missing = [name for name in self.asked if name in parent.ready["missing"]]
            if missing:
                parent.stop()
                raise SandboxError(
                    f"{self.python} cannot import {', '.join(missing)}: install them there, or take them out "
                    "of environment.preload"
                )
            self._parents[which] = parent
            return parent

    def launch(self, program: Program) -> WarmProcess:
        """Start a program in a box of its own; raise SandboxError if that is impossible."""
        lean = program.modules is not None and is_lean(program.modules)
        parent = self.warm("lean" if lean else "full")
        identity = next(parent.numbers)
        user = BOX_USER + (next(self._users) % BOX_USERS if self.outer == NONE else 0)
        group = self.groups.make(program.counted_mb or program.memory_mb + BESIDE_MB)
        try:
            self._hand_over(program, user)
            files = sorted(path for path in program.directory.iterdir() if path.is_file())
            with contextlib.ExitStack() as stack:
                file_fds = [stack.enter_context(path.open("rb")).fileno() for path in files]
                group_fds = stack.enter_context(group.doors())
                message = {
                    "id": identity,
                    "module": program.module,
                    "arguments": list(program.arguments),
                    "directory": str(program.directory),
                    "wires": str(program.wires or ""),
                    "environment": {**minimal_environment(program.directory), **program.environment},
                    "memory_mb": program.memory_mb,
                    "bare": program.bare,
                    "user": user,
                    "files": [path.name for path in files],
                    "group_fds": len(group_fds),
                    "counted": "pids" in self.groups.controllers,
                }
                in_read, in_write = os.pipe()
                out_read, out_write = os.pipe()
                streams = os.fdopen(in_write, "wb"), os.fdopen(out_read, "rb")
                process = WarmProcess(identity, *streams, parent.kill, group)
                try:
                    parent.start(message, [in_read, out_write, *group_fds, *file_fds], process)
                except SandboxError:
                    parent.stop()
                    process.end(-1, fault="the warm parent died")
                    process.kill()
                    raise
                finally:
                    os.close(in_read)
                    os.close(out_write)
                return process
        except OSError as error:
            group.end()
            raise SandboxError(f"no box could be prepared: {error}") from error

    def _hand_over(self, program: Program, user: int) -> None:
        """Make the box's user the owner of the directories that it writes to, if this is root."""
        if os.getuid() != 0:
            return
        writable = [program.wires] if program.wires else []
        if self.kind == RESTRICTED:
            writable += [program.directory, *program.directory.iterdir()]
        for path in writable:
            os.chown(path, user, BOX_USER)
        for path in (program.directory, *([program.wires] if program.wires else [])):
            path.parent.chmod(0o711)


def is_lean(modules: Sequence[str]) -> bool:
    """Whether the lean parent has every module that these imports need."""
    return all(name.partition(".")[0] in LEAN or name in LEAN_MODULES for name in modules)
