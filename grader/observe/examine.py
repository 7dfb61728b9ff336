"""`grader doctor`: each layer of the walls, whether it holds, the tier that is reached, what would raise it.

The kernel is not asked what it offers: a box is built and attacked from inside (`inside/probe.py`).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader import __version__
from grader.inside.walls import BUBBLEWRAP, NONE, OWN
from grader.observe.layers import ISOLATED, LAYERS, PLAIN, RESTRICTED, Found, reaches
from grader.observe.tiers import CLOSED, Survey, start_best

MEANING = {
    ISOLATED: "every layer holds: notebooks of strangers may run here",
    RESTRICTED: "no namespaces: files, signals and the network are closed by Landlock and seccomp",
    PLAIN: "no walls: a notebook can read and do what this user can",
}
OUTER = {
    OWN: "our own, around the warm parent and all its boxes",
    BUBBLEWRAP: "bubblewrap, around the warm parent and all its boxes",
    NONE: "none",
}
LOST = {False: Text("✗", style="red"), True: Text("-", style="yellow")}
PIPE_WIDTH = 160  # a layer stays on its line
COLOURS = {ISOLATED: "green", RESTRICTED: "yellow", PLAIN: "red"}
DOCKER = 'docker run --rm {options}-v "$PWD:/course" -w /course python:3.12 make grade'
CONTAINER_SIGNS = ("/.dockerenv", "/run/.containerenv")
SWITCHES = (
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
)


@dataclass(frozen=True)
class Remedy:
    """The one command that would raise the tier, and why it would."""

    command: str
    why: str


def examine(minimum: str, console: Console, *, as_json: bool = False) -> bool:
    """Try every layer and print the result of each; return whether the minimum tier is reached."""
    sandbox, survey = start_best(thorough=True)
    if sandbox is not None:
        sandbox.close()
    sufficient = reaches(survey.tier, minimum)
    better = remedy(survey)
    if not as_json:
        if not console.is_terminal:
            console.width = PIPE_WIDTH
        console.print(_report(survey, minimum, better))
        return sufficient
    data = {
        "grader": __version__,
        "platform": sys.platform,
        "tier": survey.tier,
        "outer": survey.outer,
        "minimum": minimum,
        "sufficient": sufficient,
        "layers": [
            {
                "layer": found.layer.key,
                "title": found.layer.title,
                "attack": found.layer.attack,
                "optional": found.layer.optional,
                "holds": found.holds,
                "detail": found.detail,
            }
            for found in tried_layers(survey)
        ],
        "failures": dict(survey.failures),
        "raise": {"command": better.command, "why": better.why} if better else None,
    }
    print(json.dumps(data, indent=1))
    return sufficient


def tried_layers(survey: Survey) -> tuple[Found, ...]:
    """Return the result of every layer; where no box starts, none holds."""
    if survey.layers:
        return survey.layers
    reason = "; ".join(survey.failures.values()) or f"there is none for {sys.platform}"
    return tuple(Found(layer, False, reason) for layer in LAYERS)


def remedy(  # noqa: PLR0911 -- each remedy ends the search
    survey: Survey, read: Callable[[str], str] | None = None
) -> Remedy | None:
    """Return the command that would raise the tier of a machine; None at the highest tier.

    `read` returns the text of a file of the machine, '' if there is none.
    """
    read = read or _read
    if survey.tier == ISOLATED:
        return None
    if sys.platform != "linux":
        return Remedy(DOCKER.format(options=""), f"{sys.platform} has no walls to build; Linux in Docker has")
    # what this process may not do, while the kernel could
    for failure in survey.failures.values():
        if failure.startswith(CLOSED) and survey.tier == PLAIN:
            return Remedy(f"chmod o+x {failure.removeprefix(CLOSED).strip()}", failure)
    if os.getuid() == 0 or any(map(read, CONTAINER_SIGNS)):
        why = "a container may make no namespaces unless it is started so"
        return Remedy(DOCKER.format(options="--privileged "), why)
    # what the kernel is configured not to offer
    for path, bad, setting in SWITCHES:
        if read(path).strip() == bad:
            return Remedy(f"sudo sysctl -w {setting}", f"{path} is {bad}: namespaces are switched off")
    if "landlock" not in read("/sys/kernel/security/lsm"):
        security = read("/sys/kernel/security/lsm").strip() or "lockdown,yama"
        command = f"sudo grubby --update-kernel=ALL --args=lsm=landlock,{security}"
        return Remedy(command, "Landlock is not among the security modules that the kernel started with")
    command = f"sudo {Path(sys.argv[0]).resolve()} doctor"
    return Remedy(command, "root may make namespaces where users may not")


def _read(path: str) -> str:
    """Return the text of a file, '' if there is none; a file that exists but is empty gives a blank."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace") or " "
    except OSError:
        return ""


def _report(survey: Survey, minimum: str, better: Remedy | None) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "layer", "what was tried in a box", "what it obtained"):
        table.add_column(heading)
    for found in tried_layers(survey):
        mark = Text("✓", style="green") if found.holds else LOST[found.layer.optional]
        obtained = Text("nothing", style="dim") if found.holds else Text(found.detail)
        table.add_row(mark, found.layer.title, Text(found.layer.attack, style="dim"), obtained)
    colour = COLOURS[survey.tier]
    verdict = Text.assemble("Tier: ", (survey.tier, f"bold {colour}"), f"  {MEANING[survey.tier]}")
    wall = Text.assemble("Outer wall: ", OUTER[survey.outer])
    parts: list[RenderableType] = [table, Text(), wall, verdict]
    parts += [Text(f"{kind}: {why}", style="dim") for kind, why in survey.failures.items()]
    if not reaches(survey.tier, minimum):
        parts.append(Text(f"Below the minimum, {minimum}: `grader grade` refuses.", style="bold red"))
    if better is not None:
        parts += [Text(f"\nTo raise it ({better.why}):"), Padding(Text(better.command, style="bold"), (0, 2))]
    return Group(*parts)
