"""Which walls this machine can hold: the tiers, from the strongest to none, and how one is chosen.

isolated     namespaces, own read-only root, Landlock, seccomp, limits
restricted   Landlock, seccomp, limits, an unprivileged user (what plain Docker allows)
plain        limits alone: no walls; only with --unsafe
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from grader.errors import SandboxError, UsageError
from grader.observe.inside.walls import ISOLATED, RESTRICTED
from grader.observe.sandbox import PlainSandbox
from grader.observe.warm import WarmSandbox

PLAIN = "plain"
TIERS = (ISOLATED, RESTRICTED, PLAIN)


def choose_sandbox(preload: Sequence[str], *, unsafe: bool = False) -> WarmSandbox | PlainSandbox:
    """Return the strongest sandbox that starts here; raise UsageError if none has walls and not `unsafe`."""
    reasons = []
    for tier in (ISOLATED, RESTRICTED) if sys.platform == "linux" else ():
        sandbox = WarmSandbox(preload, tier)
        try:
            sandbox.warm()
        except SandboxError as error:
            reasons.append(str(error))
            sandbox.close()
        else:
            return sandbox
    if unsafe:
        return PlainSandbox()
    why = "; ".join(reasons) or f"there are none for {sys.platform}"
    raise UsageError(
        f"no walls can be built around the notebooks here ({why}). Run `grader doctor` for the command that "
        "helps, or give --unsafe to run them without walls, on a machine that holds nothing they may not have"
    )
