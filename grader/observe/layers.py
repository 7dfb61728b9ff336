"""The layers of the walls, and the rule for the tier that a machine reaches with those that hold.

isolated     every layer below
restricted   no namespaces, Landlock in their place (what plain Docker allows); or the reverse
plain        no walls: limits that a program sets on itself

An optional layer is used where the machine offers it; where it does not, the tier is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Tier(StrEnum):
    """How much keeps a notebook in its box: all layers, those without namespaces, or none."""

    ISOLATED = "isolated"
    RESTRICTED = "restricted"
    PLAIN = "plain"


TIERS = tuple(Tier)
ISOLATED, RESTRICTED, PLAIN = TIERS


@dataclass(frozen=True)
class Layer:
    """One layer: its key, its name, and what `inside/probe.py` tries against it.

    A `bare` layer is tried in a box without Landlock and seccomp, which would refuse the attempt first. The
    attempt of a `thorough` layer takes seconds: it is left out when a batch starts. An `optional` layer does
    not affect the tier.
    """

    key: str
    title: str
    attack: str
    bare: bool = True
    thorough: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Found:
    """The result for one layer: whether it holds; if not, what the attack obtained or why no box started."""

    layer: Layer
    holds: bool
    detail: str = ""


NAMESPACES = (
    Layer("user", "user namespace", "own files as root"),
    Layer("mount", "mount namespace", "read a file of the host"),
    Layer("pid", "process namespace", "see a process of the host"),
    Layer("net", "network namespace", "reach the host by TCP"),
    Layer("ipc", "ipc namespace", "find the host's shared memory"),
    Layer("uts", "uts namespace", "learn the name of the host"),
    Layer("root", "read-only root", "make a directory in /"),
    Layer("tmpfs", "private tmpfs with a limit", "take 540 MB of disk"),
)
LANDLOCK = Layer("landlock", "Landlock", "list /", bare=False)
ALWAYS = (
    Layer("seccomp", "seccomp", "netlink, io_uring, unshare", bare=False),
    Layer("signals", "no signals to others", "end the grader", bare=False),
    Layer("privileges", "no new privileges", "run a setuid program"),
    Layer("capabilities", "no capabilities", "chroot, rename the host"),
    Layer("uid", "never uid 0", "become root"),
    Layer("limits", "limits on a process", "400 processes, 2000 files"),
    Layer("memory", "memory of a whole box", "share it among children", thorough=True),
    Layer("descriptors", "closed descriptors", "use the grader's open files"),
    Layer("clock", "outer wall clock", "ignore it, leave a process", thorough=True),
)
OPTIONAL = (
    Layer("group", "control group", "hold memory in sockets", bare=False, thorough=True, optional=True),
)
LAYERS = (*NAMESPACES, LANDLOCK, *ALWAYS, *OPTIONAL)
APART = ("mount", "pid", "net", "root")  # the namespaces that can replace Landlock


def reached_tier(holds: Mapping[str, bool], *, apart: bool = True) -> Tier:
    """Return the tier, given which layers hold; a layer that was not tried counts as one that holds.

    `apart` says that each box has namespaces of its own. Those of an outer wall, shared by all boxes, cannot
    replace Landlock.
    """
    if not all(holds.get(layer.key, True) for layer in ALWAYS):
        return PLAIN
    landlock = holds.get("landlock", True)
    if landlock and all(holds.get(layer.key, True) for layer in NAMESPACES):
        return ISOLATED
    return RESTRICTED if landlock or (apart and all(holds.get(key, True) for key in APART)) else PLAIN


def lower(one: str, other: str) -> Tier:
    """Return the lower of two tiers."""
    return max(Tier(one), Tier(other), key=TIERS.index)


def reaches(tier: str, minimum: str) -> bool:
    """Whether a tier is at least as high as the minimum."""
    return TIERS.index(Tier(tier)) <= TIERS.index(Tier(minimum))
