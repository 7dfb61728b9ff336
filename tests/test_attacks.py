"""Every attack of the corpus, behind every tier that this machine offers: the effect must not happen.

The assertion is on effects: the secret is not obtained, the score is what the function earns, the others and
the host are untouched, nothing is left. The twin that does the honest version must earn every point.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from support import ROOT
from support_attacks import ATTACKS, SECRET, Attack, grade_corpus, offered_kinds

from grader.observe.sandbox import PlainSandbox

TIERS = ("isolated own", "isolated bubblewrap", "restricted bubblewrap", "restricted none")
IDS = [attack.name for attack in ATTACKS]
BITING = (
    "reads the reference",
    "reads another submission",
    "reads a file of the host",
    "calls the grader's machine by TCP",
)


@cache
def corpus(tier: str) -> dict[str, Any]:
    """Grade the whole corpus behind a tier, once, in a process of its own."""
    if tier not in offered_kinds():
        pytest.skip(f"no box of the kind {tier} starts on this machine; the corpus runs in those that do")
    with TemporaryDirectory() as root:
        done = subprocess.run(
            [sys.executable, str(ROOT / "tests" / "support_attacks.py"), tier, root],
            env={"PYTHONPATH": str(ROOT / "tests"), "PATH": "/usr/bin:/bin", "GRADER_LOG": "CRITICAL"},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_the_corpus_runs_behind_at_least_one_kind_of_walls() -> None:
    if not offered_kinds():
        pytest.skip("this machine can build no walls at all: `grader doctor` says why; grading is refused")
    assert set(offered_kinds()) <= set(TIERS)


def test_the_corpus_is_large_and_every_attack_has_a_goal_a_layer_and_a_twin() -> None:
    assert len(ATTACKS) >= 40
    assert len(set(IDS)) == len(ATTACKS)
    for attack in ATTACKS:
        assert attack.goal
        assert attack.layer
        assert "def double" in attack.benign
        assert bool(attack.steal) != bool(attack.double)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("attack", ATTACKS, ids=IDS)
def test_an_attack_obtains_nothing_and_earns_what_its_function_earns(attack: Attack, tier: str) -> None:
    report = corpus(tier)
    for name in (f"a{ATTACKS.index(attack):02}{suffix}" for suffix in attack.runs):
        assert name not in report["stolen"], f"{attack.goal}: {attack.layer}"
        assert report["points"][name] == pytest.approx(attack.earns, abs=0.01), report["messages"].get(name)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("attack", ATTACKS, ids=IDS)
def test_its_honest_twin_earns_every_point(attack: Attack, tier: str) -> None:
    report = corpus(tier)
    name = f"a{ATTACKS.index(attack):02}-twin"
    assert report["points"][name] == 3.0, report["messages"].get(name)


@pytest.mark.parametrize("tier", TIERS)
def test_the_corpus_leaves_the_host_and_the_others_untouched(tier: str) -> None:
    report = corpus(tier)
    assert report["points"]["bystander"] == 3.0
    for what in ("connections", "processes", "directories", "changed", "extra", "messages"):
        assert not report[what], what


def test_without_walls_the_same_attacks_obtain_the_secret(tmp_path: Path) -> None:
    chosen = [attack for attack in ATTACKS if attack.name in BITING]
    found = grade_corpus(tmp_path, PlainSandbox(), chosen)
    stolen = {name for name, text in found.seen.items() if SECRET in text}
    assert {f"a{place:02}" for place in range(len(BITING))} <= stolen
    assert "tcp" in found.connections
