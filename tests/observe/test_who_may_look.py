"""Who may look into a box's process: where the system asks whether its memory may be dumped."""

from __future__ import annotations

import nbformat
import pytest
from support import sliced
from support_attacks import offered_kinds

from grader.errors import SandboxError
from grader.notebook.cells import read_code
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
