"""Brings a process into the state of a notebook: its cells are run, without their outputs.

For functions that need more than their own code: a file that a cell wrote, `%run`, a top-level `await`. The
kernel has one thread and no sockets, so the process can be forked afterwards, once for each call.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from typing import Any

MESSAGE: dict[str, Any] = {"metadata": {}, "parent_header": {}}


def run_cells(cells: list[dict[str, Any]], seconds: float, cell_seconds: float) -> dict[str, Any]:
    """Run whole cells, each within its seconds and all within theirs; return the notebook's names."""
    from . import kernel as kernels  # noqa: PLC0415 -- only the processes of notebooks have loaded it

    kernel = kernels.PREPARED or kernels.make_kernel()
    shell: Any = kernel.shell
    null = os.open(os.devnull, os.O_WRONLY)
    kernel.session.fd = null
    kernel.session.kernel_process = os.getpid()
    kernel.outputs = (
        kernels.Output(kernel.session, "stdout", 1),
        kernels.Output(kernel.session, "stderr", 2),
    )
    sys.stdout, sys.stderr = kernel.outputs
    for output in kernel.outputs:
        output.most = -1
    if "matplotlib.pyplot" in sys.modules:
        with contextlib.suppress(Exception):
            shell.enable_matplotlib("inline")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    end = time.monotonic() + seconds
    for cell in cells:
        left = min(cell_seconds, end - time.monotonic())
        if left <= 0:
            break
        name = f"<cell {cell['number']}>"
        shell.compile.get_code_name = lambda *_, name=name: name
        header = {"msg_id": name, "msg_type": "execute_request"}
        content = {"code": cell["source"], "silent": False, "allow_stdin": False}
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, left)
        with contextlib.suppress(Exception, KeyboardInterrupt, asyncio.CancelledError):
            loop.run_until_complete(kernel.handle({**MESSAGE, "header": header, "content": content}))
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    return dict(shell.user_ns)
