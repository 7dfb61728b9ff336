"""Follows docs/kernel.md: the provisioner works with an unmodified nbclient, without the grader."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support import ROOT

from grader.errors import TierError
from grader.observe.provisioner import SandboxProvisioner
from grader.observe.tiers import choose_sandbox, start_best

PAGE = (ROOT / "docs" / "kernel.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- (?P<what>[^\n]*?) -->\n(?:```\w+\n(?P<text>.*?)```\n)?", re.S)
STEPS = {match["what"]: match["text"] or "" for match in BLOCK.finditer(PAGE)}


@pytest.fixture(scope="module")
def walled() -> bool:
    """Whether this machine can build walls."""
    best = start_best()[0]
    if best is not None:
        best.close()
    return best is not None


def followed(root: Path, **changes: object) -> subprocess.CompletedProcess[str]:
    """Write the files of the page, with changes to `config`, and run what it says."""
    for what, text in STEPS.items():
        if what.startswith("file "):
            (root / what[5:]).parent.mkdir(parents=True, exist_ok=True)
            (root / what[5:]).write_text(text)
    specification = json.loads((root / "kernels/walled/kernel.json").read_text())
    specification["metadata"]["kernel_provisioner"]["config"] |= changes
    (root / "kernels/walled/kernel.json").write_text(json.dumps(specification))
    (root / "data").mkdir()
    (root / "data" / "data.txt").write_text("42")
    (root / "data" / ".hidden").write_text("not for the box")
    (run,) = (what for what in STEPS if what.startswith("run "))
    assert run == "run JUPYTER_PATH=. python run.py"
    with tempfile.TemporaryDirectory(prefix="s") as scratch:  # a short path: those of sockets are limited
        done = subprocess.run(
            [sys.executable, "run.py"],
            cwd=root,
            env={**os.environ, "JUPYTER_PATH": ".", "TMPDIR": scratch},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert list(Path(scratch).glob("grader-*")) == []
    return done


def test_a_notebook_runs_behind_walls_as_the_page_says(tmp_path: Path, walled: bool) -> None:
    tmp_path.chmod(0o755)
    done = followed(tmp_path)
    if walled:
        assert done.stdout == STEPS["output"], done.stderr[-2000:]
    else:
        assert "grader doctor" in done.stderr


def test_without_walls_a_kernel_starts_only_where_unsafe_says_so(tmp_path: Path) -> None:
    with_walls = "from nbclient import NotebookClient\n"
    run = STEPS["file run.py"].replace(
        with_walls, with_walls + "import grader.observe.tiers as tiers\ntiers.KINDS = ()\n"
    )
    for unsafe in (False, True):
        root = tmp_path / str(unsafe)
        root.mkdir()
        steps = {**STEPS, "file run.py": run}
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(globals(), "STEPS", steps)
            done = followed(root, unsafe=unsafe)
        assert ("first ['data.txt'] 42" in done.stdout) is unsafe, done.stderr[-2000:]
        assert ("grader doctor" in done.stderr) is not unsafe


def test_the_page_lists_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", PAGE, re.M))
    traits = {name for name in SandboxProvisioner.class_own_traits() if not name.startswith("_")}
    assert set(rows) == traits
    assert int(rows["memory_mb"]) == SandboxProvisioner.memory_mb.default_value


def test_a_module_that_the_interpreter_lacks_is_named_before_any_notebook_runs() -> None:
    with pytest.raises(TierError, match=r"no_such_module|there are no walls"):
        choose_sandbox(("numpy", "no_such_module"))
