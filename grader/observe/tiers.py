"""Chooses the strongest walls that work on this machine, by building boxes and attacking them from inside.

    for every kind of box, the strongest first:  start it, try its layers (probe.py)  -->  the tier it reaches

A layer counts if its attack fails: a kernel that offers a layer which does not work is as one without it.
"""

from __future__ import annotations

import itertools
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.errors import SandboxError, TierError
from grader.inside.walls import BUBBLEWRAP, NONE, OWN
from grader.observe import bubblewrap
from grader.observe.attack_walls import bait, probe_sandbox
from grader.observe.interpreter import find_interpreter
from grader.observe.kept_survey import keep_survey, read_survey
from grader.observe.layers import (
    ISOLATED,
    LAYERS,
    PLAIN,
    RESTRICTED,
    TIERS,
    Found,
    Tier,
    lower,
    reached_tier,
    reaches,
)
from grader.observe.sandbox import PlainSandbox
from grader.observe.warm import WarmSandbox

CLOSED = "Python lies in a directory that is closed to the user of a box:"
TRIES = 2
KINDS = ((ISOLATED, BUBBLEWRAP), (ISOLATED, OWN), (RESTRICTED, BUBBLEWRAP), (RESTRICTED, NONE))


@dataclass(frozen=True)
class Survey:
    """What this machine offers: the tier, the layers of the best box, why boxes of some kinds do not start.

    `kind` is the tier that the best box was built for, `outer` who builds its outer wall.
    """

    tier: Tier = PLAIN
    kind: Tier = PLAIN
    outer: str = NONE
    layers: tuple[Found, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)


def choose_sandbox(
    preload: Sequence[str],
    minimum: str = RESTRICTED,
    python: str = sys.executable,
    *,
    unsafe: bool = False,
) -> WarmSandbox | PlainSandbox:
    """Return the strongest sandbox that starts here; which one that is, is kept until the next boot.

    Raises TierError if its tier is below `minimum`, unless `unsafe`.
    """
    kept = read_survey(python)
    if kept is not None and kept[0] in offered_kinds() and reaches(kept[1], minimum):
        (kind, outer), tier = kept
        known = WarmSandbox(preload, kind, python, outer)
        known.warm_all()
        try:
            known.warm()
        except SandboxError:  # it can no longer be built: find out again what can
            known.close()
        except BaseException:
            known.close()
            raise
        else:
            known.name = tier
            return known
    sandbox, survey = start_best(preload, python)
    if reaches(survey.tier, minimum) or unsafe:
        return sandbox or PlainSandbox(python)
    if sandbox is not None:
        sandbox.close()
    raise TierError(
        f"the notebooks would run in the tier '{survey.tier}', and '{minimum}' is the least that is allowed: "
        f"{'; '.join(shortcomings(survey))}. `grader doctor` tries every layer and names the command that "
        "helps; --unsafe runs them all the same, on a machine that holds nothing they may not have"
    )


def start_best(
    preload: Sequence[str] = (), python: str = sys.executable, *, thorough: bool = False
) -> tuple[WarmSandbox | None, Survey]:
    """Start the kind of sandbox that reaches the highest tier; None if no kind starts.

    With `thorough`, the layers whose attacks take seconds are tried too. A kind that does not start, or does
    not hold, is tried once more: a signal from outside may have ended one of its processes.
    """
    layers = tuple(layer for layer in LAYERS if thorough or not layer.thorough)
    best, survey, failures = None, Survey(), {}
    with bait() as known:
        for kind, outer in itertools.chain.from_iterable([each] * TRIES for each in offered_kinds()):
            sandbox = WarmSandbox(preload, kind, python, outer)
            try:
                _require_open_python(outer, python)
                found = probe_sandbox(sandbox, known, layers)
            except SandboxError as error:
                failures[kind + (" behind bubblewrap" if outer == BUBBLEWRAP else "")] = str(error)
                sandbox.close()
                continue
            except BaseException:
                sandbox.close()
                raise
            holds = {each.layer.key: each.holds for each in found}
            tier = lower(kind, reached_tier(holds, apart=kind == ISOLATED))
            sandbox.name = tier
            if best is None or TIERS.index(tier) < TIERS.index(survey.tier):
                if best is not None:
                    best.close()
                best, survey = sandbox, Survey(tier, Tier(kind), outer, found)
            else:
                sandbox.close()
            if reaches(survey.tier, kind):
                break
    if best is not None:
        keep_survey(python, (survey.kind, survey.outer), survey.tier)
    return best, replace(survey, failures=failures)


def offered_kinds() -> list[tuple[str, str]]:
    """Return the kinds of boxes to try, the strongest first: the tier they are built for, the outer wall."""
    if sys.platform != "linux":
        return []
    return [kind for kind in KINDS if kind[1] != BUBBLEWRAP or bubblewrap.found()]


def _require_open_python(outer: str, python: str) -> None:
    """Raise SandboxError if this is root and the user of a box could not reach the interpreter's files."""
    if outer == OWN or os.getuid() != 0:
        return
    for path in map(Path, find_interpreter(python).places):
        for folder in reversed(path.parents):
            if not folder.stat().st_mode & stat.S_IXOTH:
                raise SandboxError(f"{CLOSED} {folder}")


def shortcomings(survey: Survey) -> list[str]:
    """Return, as clauses for a message, what keeps this machine below the highest tier."""
    if sys.platform != "linux":
        return [f"there are no walls for {sys.platform}"]
    lost = [found for found in survey.layers if not found.holds and not found.layer.optional]
    lacking = [f"{found.layer.title}: {found.detail}" for found in lost]
    return [*survey.failures.values(), *lacking]
