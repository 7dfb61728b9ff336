"""A machine with few open files or little memory gets fewer workers, and is told why."""

from __future__ import annotations

import csv
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import GRADE, RIGHT, write_course

from grader.batch import resources
from grader.batch.resources import FILES, FILES_EACH, MEMORY, MEMORY_EACH, possible_workers


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None, int], None]:
    def have(files: int | None, memory: int) -> None:
        monkeypatch.setattr(resources, "open_files", lambda: files)
        monkeypatch.setattr(resources.psutil, "virtual_memory", lambda: SimpleNamespace(available=memory))
        monkeypatch.setattr(resources, "free_memory", lambda: None)

    return have


@pytest.mark.parametrize(
    ("files", "memory", "workers", "told"),
    [
        (None, 64 << 30, 64, []),
        (
            1024,
            64 << 30,
            61,
            ["61 workers in place of 64: this process may have 1024 files open; `ulimit -n 1072`"],
        ),
        (64, 64 << 30, 1, ["1 worker in place of 64"]),
        (8, 64 << 30, 1, ["1 worker"]),
        (None, MEMORY + 3 * MEMORY_EACH, 3, ["3 workers in place of 64: 1344 MB of memory are free"]),
        (None, 1 << 20, 1, ["1 worker in place of 64: 1 MB"]),
        (
            FILES + 8 * FILES_EACH,
            MEMORY + 2 * MEMORY_EACH,
            2,
            ["8 workers in place of 64", "2 workers in place of 8"],
        ),
    ],
)
def test_there_are_as_many_workers_as_the_machine_carries(
    machine: Callable[[int | None, int], None], files: int | None, memory: int, workers: int, told: list[str]
) -> None:
    machine(files, memory)
    found, words = possible_workers(64)
    assert found == workers
    assert len(words) == len(told)
    assert all(each.startswith(start) for each, start in zip(words, told, strict=True))


def test_in_a_container_its_own_limit_of_memory_counts(
    machine: Callable[[int | None, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(None, 64 << 30)
    monkeypatch.setattr(resources, "free_memory", lambda: MEMORY + 2 * MEMORY_EACH)
    assert possible_workers(64)[0] == 2


@pytest.mark.parametrize(("files", "jobs"), [(64, 64), (128, 8)])
def test_a_batch_with_few_open_files_grades_everybody(tmp_path: Path, files: int, jobs: int) -> None:
    write_course(tmp_path, **{f"s{number}": RIGHT for number in range(6)})
    done = subprocess.run(
        [sys.executable, "-m", "grader", *GRADE, "submissions/tiny", "--jobs", str(jobs)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "results" / "grades.csv").open() as file:
        assert [row["score"] for row in csv.DictReader(file)] == ["3"] * 6
    assert "in place of 6: this process may have" in done.stderr
