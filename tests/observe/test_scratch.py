"""What a killed run has left is removed by the next one, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.observe.scratch import make_scratch, sweep_scratch


def test_folders_of_killed_runs_are_removed_and_only_those(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    program = (
        "import os, signal, tempfile; tempfile.tempdir = os.environ['FOLDER']\n"
        "from grader.observe.scratch import make_scratch\n"
        "folder, _ = make_scratch(); (folder / 'run-1').mkdir(); print(folder, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "FOLDER": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    killed = Path(done.stdout.strip())
    assert killed.is_dir()
    alive, descriptor = make_scratch()
    for name in ("grader-of-somebody", "grader-pdf-x"):
        (tmp_path / name).mkdir()
    (tmp_path / "grader-link").symlink_to(killed)
    sweep_scratch()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {alive.name, "grader-of-somebody", "grader-pdf-x", "grader-link"}
    os.close(descriptor)
    sweep_scratch()
    assert not alive.exists()


def test_a_folder_of_a_process_that_was_killed_before_it_was_marked_is_removed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names = (
        "grader-empty123",
        "grader-unmarked",
        "grader-new12345",
        "grader-holds123",
        "grader-other-program",
    )
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "grader-unmarked" / ".alive").touch()
    (tmp_path / "grader-holds123" / "file").touch()
    for name in set(names) - {"grader-new12345"}:
        os.utime(tmp_path / name, (0, 0))
    sweep_scratch()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"grader-new12345", "grader-holds123", "grader-other-program"}
