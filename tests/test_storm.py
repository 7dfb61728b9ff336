"""A short storm of signals: the table is that of a calm run, and nothing is left (benchmarks/storm.py)."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from support import ROOT

from grader.observe.sandbox import Sandbox


@pytest.mark.skipif(sys.platform != "linux", reason="there are no walls, and no /proc, elsewhere")
def test_a_short_storm_changes_nothing(tmp_path: Path, sandbox: Sandbox) -> None:
    if sandbox.name == "plain":
        pytest.skip("without walls nothing ends a program when the batch is killed")
    spec = importlib.util.spec_from_file_location("storm", ROOT / "benchmarks" / "storm.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["storm"] = module
    spec.loader.exec_module(module)
    found = module.storm(tmp_path, submissions=10, signals=12, jobs=2, seed=5)
    assert found.wrong == []
    assert sum(found.signals.values()) >= 12
