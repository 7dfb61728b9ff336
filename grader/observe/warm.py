"""The walled sandbox: a warm parent forks a box for every program.

    WarmSandbox.launch          -->  full parent     all modules and the kernel's   --fork-->  box
                                -->  scipy parent    numpy and scipy alone          --fork-->  box
                                -->  numpy parent    numpy alone                    --fork-->  box
               .launch_handler  -->  handler parent  what reads notebooks           --fork-->  handler

The more a parent has imported, the longer it takes to fork, and the longer the forked process takes to exit.
So a program is forked from the parent that has imported the least of what it needs. If a parent dies, its
boxes die with it: the `fault` of each program says so, and the next launch starts a new one.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from grader.errors import SandboxError
from grader.inside.limits import DESCRIPTORS, DISK_MB, SHARED_MB, WORKER_DESCRIPTORS
from grader.inside.parent import describe
from grader.inside.walls import BUBBLEWRAP, ISOLATED, NONE, OWN, RESTRICTED
from grader.observe.control_groups import Group, Groups
from grader.observe.interpreter import find_interpreter
from grader.observe.sandbox import (
    HANDLER,
    PACKAGE,
    Process,
    Program,
    kernel_pipes,
    minimal_environment,
    release_pipes,
    remove_tree,
)
from grader.observe.warm_parent import Parent, Settings, WarmProcess, unprivileged_ids

KERNEL_MODULES = (
    "matplotlib_inline.backend_inline",
    "matplotlib.font_manager",
    "matplotlib.backends.backend_agg",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.extensions.storemagic",
    "inside.calls",
    "inside.kernel",
)
BESIDE_MB = DISK_MB + SHARED_MB + 64  # a group also counts files in memory and kernel buffers
HANDLER_MB = 1024
REHEARSAL = "grader.handler.rehearse"
SMALL = {"numpy": {"numpy"}, "scipy": {"numpy", "scipy"}}  # the packages of each small parent


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
        self.preload = {
            "full": tuple(dict.fromkeys((*preload, *KERNEL_MODULES))),
            "handler": (HANDLER, REHEARSAL),
        }
        for which, packages in SMALL.items():
            own = [name for name in preload if package_of(name) in packages]
            self.preload[which] = tuple(dict.fromkeys((which, *own, "inside.calls")))
        self.scratch = Path(tempfile.mkdtemp(prefix="grader-"))
        self.scratch.chmod(0o711)
        self.groups = Groups.open()
        self.ids = unprivileged_ids()
        self._boxes = itertools.count(1)
        self._lock = threading.Lock()
        self._starting = {which: threading.Lock() for which in self.preload}
        self._closed = threading.Event()
        self._parents: dict[str, Parent] = {}
        self._retired: list[Parent] = []

    def __enter__(self) -> WarmSandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the parents with their boxes; remove the control groups and the directories."""
        with self._lock:
            self._closed.set()
            for parent in (*self._parents.values(), *self._retired):
                parent.stop()
            self._parents.clear()
            self._retired.clear()
            self.groups.close()
            remove_tree(self.scratch)

    def warm(self, which: str = "full") -> Parent:
        """Return a parent by its name in `preload`; start it if there is none that can fork.

        Raises SandboxError if it does not start, or cannot import a module that was asked for.
        """
        with self._starting[which]:
            with self._lock:
                if self._closed.is_set():
                    raise SandboxError("the sandbox is closed")
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
                python = sys.executable if which == "handler" else self.python
                paths = list(find_interpreter(python).places)
                if which == "handler":  # the whole package, in place of the part for boxes
                    paths = [path for path in paths if not Path(path).is_relative_to(PACKAGE)]
                    paths.append(str(PACKAGE))
                plan = {"tier": self.kind, "outer": self.outer, "paths": paths, **self.ids}
                path = (str(PACKAGE.parent),) if which == "handler" else ()
                parent = Parent(Settings(python, self.preload[which], plan, self.scratch, path))
            except OSError as error:
                raise SandboxError(f"no warm parent could be started: {error}") from error
            asked = (HANDLER,) if which == "handler" else self.asked
            missing = [name for name in asked if name in parent.ready["missing"]]
            if missing:
                parent.stop()
                if which == "handler":
                    raise SandboxError(f"the handlers do not start: {parent.ready['missing'][HANDLER]}")
                raise SandboxError(
                    f"{python} cannot import {', '.join(missing)}: install them there, or take them out "
                    "of environment.preload"
                )
            with self._lock:
                self._parents[which] = parent
                if self._closed.is_set():
                    parent.stop()
            return parent

    def warm_all(self) -> None:
        """Start every parent, each in a thread of its own: most batches need all of them."""
        for which in self.preload:
            threading.Thread(target=self._warm_quietly, args=(which,), daemon=True).start()

    def _warm_quietly(self, which: str) -> None:
        with contextlib.suppress(SandboxError):  # whoever needs it asks again, and is told
            self.warm(which)

    def launch(self, program: Program) -> WarmProcess:
        """Start a program in a box of its own; raise SandboxError if that is impossible."""
        parent = self.warm(smallest(program.modules))
        user = 0
        if self.ids["users"] and self.outer != BUBBLEWRAP:  # bwrap leaves us no privilege to change the user
            user = self.ids["uid"] + 1 + next(self._boxes) % self.ids["users"]
        group = self.groups.make(program.counted_mb or program.memory_mb + BESIDE_MB)
        try:
            self._hand_over(program, user)
            files = []  # the others find them in their directory
            if self.kind == ISOLATED:
                files = sorted(path for path in program.directory.iterdir() if path.is_file())
            message = {
                "directory": str(program.directory),
                "wires": str(program.wires or ""),
                "memory_mb": program.memory_mb,
                "user": user,
                "handler": False,
            }
            description = {
                "module": f"inside.{program.module}",
                "arguments": list(program.arguments),
                "environment": {**minimal_environment(program.directory), **program.environment},
                "files": [(path.name, path.stat().st_size) for path in files],
                "bare": program.bare,
                "descriptors": WORKER_DESCRIPTORS if program.module == "calls" else DESCRIPTORS,
                "counted": "pids" in self.groups.controllers,
            }
            with group.doors() as group_fds:
                described = describe(description, (path.read_bytes() for path in files))
                return self._started(parent, message, group_fds, described, group)
        except OSError as error:
            group.end()
            raise SandboxError(f"no box could be prepared: {error}") from error

    def launch_handler(self, kernel: Process | None) -> WarmProcess:
        """Start a handler: a process without a box of its own, behind the walls of its parent."""
        pipes = kernel_pipes(kernel)
        message = {"directory": "", "wires": "", "memory_mb": HANDLER_MB, "user": 0, "handler": True}
        description = {"module": HANDLER, "arguments": [], "environment": minimal_environment(Path("/"))}
        try:
            process = self._started(self.warm("handler"), message, pipes, describe(description))
        except OSError as error:
            raise SandboxError(f"no handler could be started: {error}") from error
        release_pipes(kernel)
        return process

    def _started(
        self,
        parent: Parent,
        message: dict[str, Any],
        others: Iterable[int],
        described: int,
        group: Group | None = None,
    ) -> WarmProcess:
        """Have a parent fork a described program with two pipes; raise SandboxError if it cannot be asked."""
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, described)
            in_read, in_write = os.pipe()
            stack.callback(os.close, in_read)
            stdin = os.fdopen(in_write, "wb")
            out_read, out_write = os.pipe()
            stack.callback(os.close, out_write)
            process = WarmProcess(next(parent.numbers), stdin, os.fdopen(out_read, "rb"), parent, group)
            descriptors = [in_read, out_write, *others, described]
            try:
                parent.start({**message, "id": process.identity}, descriptors, process)
            except SandboxError as error:
                process.end(-1, fault=str(error))
                process.kill()
                raise
        return process

    def _hand_over(self, program: Program, user: int) -> None:
        """Make the box's user the owner of the directories that it writes to, if this is root."""
        if os.getuid() != 0:
            return
        writable = [program.wires] if program.wires else []
        if self.kind == RESTRICTED:
            writable += [program.directory, *program.directory.iterdir()]
        for path in writable:
            os.chown(path, user or self.ids["uid"], self.ids["gid"])
        for path in (program.directory, *([program.wires] if program.wires else [])):
            path.parent.chmod(0o711)


def smallest(modules: Sequence[str] | None) -> str:
    """Return which parent has every module that a program imports; None: it is not known what it imports."""
    needed = None if modules is None else {package_of(name) for name in modules}
    return next((which for which, has in SMALL.items() if needed is not None and needed <= has), "full")


def package_of(module: str) -> str:
    """Return the top-level package of a module."""
    return module.partition(".")[0]
