"""The sample submissions earn what expected.yaml says, whatever the seed of the hidden inputs.

Two seeds here, in processes of their own; the rubric's own seed is the third, in `make grade`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support import ROOT
from support_exercise_11 import SAMPLES, expected, sample_names

from grader.course.rubric_file import load_rubric

SEEDS = (101, 202)
EXPECTED = expected()
POINTS = {
    q.id: q.points for q in load_rubric(ROOT / "rubrics" / "exercise_11.yaml").questions if not q.manual
}
TOLERANCE = 0.005 + 1e-6  # what a question earns is given in hundredths


def judge(seed: int, samples: list[str]) -> dict[str, dict[str, float]]:
    """Return what samples lose on a seed, judged in a process of its own."""
    script = ROOT / "tests" / "support_exercise_11.py"
    done = subprocess.run(
        [sys.executable, str(script), str(seed), *samples],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def losses() -> dict[int, dict[str, dict[str, float]]]:
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda seed: judge(seed, sample_names()), SEEDS))
    return dict(zip(SEEDS, found, strict=True))


def bounds(sample: str) -> dict[str, tuple[float, float]]:
    """Return the least and the most that a sample may lose, by question."""
    lost: Any = EXPECTED.get(sample, {}).get("lost", {})
    pairs = dict(POINTS) if lost == "all" else lost
    return {q: (v[0], v[1]) if isinstance(v, list) else (v, v) for q, v in pairs.items()}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sample", sample_names())
def test_a_sample_loses_what_its_mistakes_cost_and_nothing_else(
    losses: dict[int, dict[str, dict[str, float]]], sample: str, seed: int
) -> None:
    allowed = bounds(sample)
    lost = losses[seed][sample]
    wrong = {
        question: (lost.get(question, 0.0), allowed.get(question, (0.0, 0.0)))
        for question in lost.keys() | allowed.keys()
        if not _within(lost.get(question, 0.0), *allowed.get(question, (0.0, 0.0)))
    }
    assert wrong == {}, "question: (points lost, what may be lost)"


def _within(lost: float, least: float, most: float) -> bool:
    return least - TOLERANCE <= lost <= most + TOLERANCE


def test_every_sample_that_loses_points_has_a_reason_and_no_reason_lacks_its_sample() -> None:
    losing = {name for name in sample_names() if not name.startswith("correct/")}
    assert EXPECTED.keys() == losing
    assert [name for name, entry in EXPECTED.items() if not entry["why"]] == []
    for name, entry in EXPECTED.items():
        assert entry["lost"] == "all" or entry["lost"].keys() <= POINTS.keys(), name
        folder = name.split("/")[0]
        assert entry["lost"] != "all" or folder in ("wrong", "not_attempted"), name
        assert entry["lost"] == "all" or folder != "not_attempted", name


def test_there_are_samples_of_every_verdict() -> None:
    folders = [path.parent.name for path in SAMPLES.rglob("*.ipynb")]
    assert len(folders) >= 40
    assert set(folders) == {"correct", "partly_correct", "wrong", "not_attempted", "unreadable"}
