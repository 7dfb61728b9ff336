"""bubblewrap as the outer wall: found, used where it works, given up with a word where it does not."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support import ROOT
from support_attacks import offered_kinds

from grader.cli.main import cli
from grader.observe import bubblewrap, tiers
from grader.observe import examine as doctor
from grader.observe.layers import LAYERS, NAMESPACES, Found
from grader.observe.tiers import Survey, start_best
from grader.observe.warm import WarmSandbox

SURVEY = """
import json, os, sys
import support_attacks
support_attacks.like_a_container()
from grader.observe import bubblewrap, tiers
tiers.KINDS = tuple(kind for kind in tiers.KINDS if kind[1] != "own")  # we may make no namespaces
if sys.argv[1:]:
    bubblewrap.found = lambda: sys.argv[1]
sandbox, survey = tiers.start_best()
found = {each.layer.key: each.holds for each in survey.layers}
print(json.dumps({"tier": survey.tier, "kind": survey.kind, "outer": survey.outer, "holds": found}))
if sandbox is not None:
    left = sandbox.scratch
    sandbox.close()
    assert not left.exists()
"""
WITHOUT_NESTING = """#!/bin/sh
exec bwrap --unshare-user --disable-userns "$@"
"""
BROKEN = "#!/bin/sh\necho bwrap: no permissions to create a new namespace >&2\nexit 1\n"
KIND = "isolated bubblewrap"


def works(*, needs: str = "") -> object:
    """The kind as a parameter; with the reason why not, where it is not offered, or bwrap lacks an option."""
    reason = ""
    if KIND not in offered_kinds():
        reason = "bubblewrap is not installed, or no parent starts behind it here"
    elif needs not in subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=True).stdout:
        reason = f"this bubblewrap is too old: it lacks {needs}"
    return pytest.param(KIND, marks=[pytest.mark.skip(reason=reason)] if reason else [])


@pytest.fixture
def program() -> Iterator[Path]:
    """The place of a program that every user may run."""
    with tempfile.TemporaryDirectory(prefix="bwrap-") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "bwrap"
        path.touch(0o755)
        yield path


def survey(*arguments: str) -> dict[str, Any]:
    """Survey, in a process of its own, a machine that lets us make no namespaces but may let bubblewrap."""
    environment = {"PYTHONPATH": str(ROOT / "tests"), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", SURVEY, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("kind", [works()])
def test_where_it_makes_namespaces_and_we_may_not_boxes_behind_it_are_isolated(kind: str) -> None:
    found = survey()
    assert f"{found['kind']} {found['outer']}" == kind
    assert found["tier"] == "isolated"
    assert all(found["holds"].values())


@pytest.mark.parametrize("kind", [works(needs="--disable-userns")])
def test_where_none_may_be_made_within_it_restricted_boxes_see_nothing_of_the_host(
    kind: str, program: Path
) -> None:
    program.write_text(WITHOUT_NESTING)
    found = survey(str(program))
    assert (found["tier"], found["kind"], found["outer"]) == ("restricted", "restricted", "bubblewrap")
    lost = {key for key, holds in found["holds"].items() if not holds}
    assert lost <= {"tmpfs"}  # one /tmp for all of them, in which Landlock lets each write to its own place


def test_one_that_does_not_work_gives_way_to_our_own_wall_and_the_doctor_says_so(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.write_text(BROKEN)
    monkeypatch.setattr(bubblewrap, "found", lambda: str(program))
    monkeypatch.setattr(tiers, "_require_open_python", lambda outer, python: None)
    monkeypatch.setattr(tiers, "KINDS", tiers.KINDS[:2])
    assert [outer for _, outer in tiers.KINDS] == ["bubblewrap", "own"]
    sandbox, found = start_best()
    if sandbox is not None:
        assert sandbox.outer == "own"
        sandbox.close()
    assert "no permissions to create a new namespace" in found.failures["isolated behind bubblewrap"]
    monkeypatch.setattr(doctor, "start_best", lambda **_: (None, found))
    said = CliRunner().invoke(cli, ["doctor"]).output
    assert "isolated behind bubblewrap: the warm parent did not start" in said


def test_where_it_is_not_installed_it_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert ("isolated", "bubblewrap") not in tiers.offered_kinds()
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/bwrap")
    assert tiers.offered_kinds()[0] == ("isolated", "bubblewrap")


def test_boxes_that_share_their_namespaces_are_not_called_isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers, "KINDS", (("restricted", "bubblewrap"),))
    monkeypatch.setattr(bubblewrap, "found", lambda: "/usr/bin/bwrap")
    monkeypatch.setattr(tiers, "_require_open_python", lambda outer, python: None)
    all_hold = tuple(Found(layer, True) for layer in LAYERS)
    monkeypatch.setattr(tiers, "probe_sandbox", lambda *_: all_hold)
    sandbox, found = start_best()
    assert isinstance(sandbox, WarmSandbox)
    with sandbox:
        assert sandbox.name == found.tier == "restricted"


@pytest.mark.parametrize("outer", ["own", "bubblewrap", "none"])
def test_the_doctor_prints_which_outer_wall_stands(outer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = tuple(Found(layer, layer not in NAMESPACES) for layer in LAYERS)
    monkeypatch.setattr(
        doctor, "start_best", lambda **_: (None, Survey("restricted", "restricted", outer, layers))
    )
    assert f"Outer wall: {doctor.OUTER[outer]}" in CliRunner().invoke(cli, ["doctor"]).output
    assert json.loads(CliRunner().invoke(cli, ["doctor", "--json"]).stdout)["outer"] == outer
