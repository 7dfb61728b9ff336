"""Who may look into a box's process: where the system asks whether its memory may be dumped."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import psutil
import pytest
from support import sliced
from support_attacks import offered_kinds

from grader.errors import SandboxError
from grader.notebook.cells import read_code
from grader.observe import warm_parent
from grader.observe.call_functions import CallSettings, make_calls
from grader.observe.warm import WarmSandbox
from grader.records import OutcomeKind
from grader.subjects import Call

ASKS = """
import ctypes
GET, SET = 3, 4
def dumpable():
    control = ctypes.CDLL(None).prctl
    before = control(GET, 0, 0, 0, 0)
    refused = [control(SET, value, 0, 0, 0) for value in (0, 1)]
    return before, refused, control(GET, 0, 0, 0, 0)
"""


@pytest.mark.parametrize(
    ("kind", "dumpable"),
    [("isolated own", 0), ("isolated bubblewrap", 0), ("restricted none", 1), ("restricted bubblewrap", 1)],
)
def test_only_the_files_of_a_restricted_box_can_be_counted_from_outside_and_no_box_changes_that(
    kind: str, dumpable: int
) -> None:
    """Where no file system limits a box, its parent reads which files it holds; elsewhere nobody needs to."""
    if kind not in offered_kinds():
        pytest.skip(f"boxes of the kind {kind} cannot be built here")
    code = read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(ASKS)]))
    found = sliced(code, "dumpable")
    assert found is not None
    tier, outer = kind.split()
    try:
        with WarmSandbox(("numpy",), tier, outer=outer) as box:
            calls = [Call("one", "dumpable", ())]
            outcome = make_calls({"dumpable": found}, calls, box, CallSettings(), {})["one"]
    except SandboxError as error:
        pytest.skip(f"this process is no root of a container, so that no such box starts: {error}")
    assert outcome.kind is OutcomeKind.RETURNED, outcome
    assert outcome.value == (dumpable, [-1, -1], dumpable)


def test_a_warm_parent_keeps_of_root_what_gives_a_box_its_user_and_nothing_else() -> None:
    if os.getuid() != 0 or "isolated own" not in offered_kinds():
        pytest.skip("this process is not root, or can build no walls of its own")
    with WarmSandbox(("numpy",), outer="own") as box:
        (parent,) = psutil.Process(box.warm("numpy").process.pid).children()
        lines = Path(f"/proc/{parent.pid}/status").read_text().splitlines()
    held = {
        name: int(value, 16) for name, _, value in (line.partition(":") for line in lines) if "Cap" in name
    }
    kill, setgid, setuid = 1 << 5, 1 << 6, 1 << 7
    assert held["CapEff"] == held["CapPrm"] == held["CapBnd"] == kill | setgid | setuid
    assert held["CapInh"] == held["CapAmb"] == 0


@pytest.mark.parametrize(
    ("known", "first", "last"),
    [
        ((0, 1 << 32), 1_900_000_000, 2_147_000_000),
        ((0, 65_536), 61_000, 65_535),
        ((0, 2_000_000_000), 61_000, 65_535),
    ],
)
def test_the_users_of_boxes_are_ones_that_a_container_can_have(
    monkeypatch: pytest.MonkeyPatch, known: tuple[int, int], first: int, last: int
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(warm_parent, "_known_ids", lambda: [known])
    ids = [warm_parent.unprivileged_ids() for _ in range(200)]
    assert all(first <= each["uid"] and each["uid"] + each["users"] <= last for each in ids)
    assert len({each["uid"] for each in ids}) > 1, "two graders share their users"
