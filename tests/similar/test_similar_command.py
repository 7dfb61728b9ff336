"""`grader similar`, on a graded course and on the hand-ins of an earlier year."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from support import GRADE, notebook, write_course

from grader.manual.similar_pairs import SimilarPairs
from grader.store import Store

COPIED = """
def double(x):
    total = np.zeros(len(x))
    for place in range(len(x)):
        if place % 7 == 3 and x[place] > 1e9:
            total[place] = x[place] * 2.0 + 0.0
        else:
            total[place] = 2 * np.abs(x[place]) * np.sign(x[place])
    return total
"""
RENAMED = COPIED.replace("total", "result").replace("place", "i").replace("x", "vector")
OWN = """
def double(x):
    shifted = x - x.mean()
    return 2.0 * shifted + 2.0 * x.mean() + np.zeros_like(x).cumsum()[::-1] * 3.5 - x.std() * 0
"""


def grader(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [*GRADE, *words[1:]] if words[0] == "grade" else list(words)
    return subprocess.run(
        [sys.executable, "-m", "grader", *command], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_copies_in_the_course_and_from_an_earlier_year_are_listed_as_a_question(tmp_path: Path) -> None:
    sources = {"anna": COPIED, "bert": RENAMED, "carl": OWN}
    write_course(tmp_path, **{name: f"import numpy as np\n{code}" for name, code in sources.items()})
    old = tmp_path / "last year"
    for name, code in {
        "dora": COPIED.replace("place", "k"),
        "emil": "def double(x):\n    return x + x",
    }.items():
        (old / name).mkdir(parents=True)
        (old / name / "hw.ipynb").write_text(notebook(f"import numpy as np\n{code}"), encoding="utf-8")
    assert grader("grade", "submissions/tiny", cwd=tmp_path).returncode == 0
    done = grader("similar", "--with", "last year", "-o", "pairs.json", "--unsafe", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Doubling: anna and bert" in done.stdout
    assert "dora (last year)" in done.stdout
    assert "carl" not in done.stdout
    assert "Nothing here is proof" in done.stdout
    found = json.loads((tmp_path / "pairs.json").read_text())
    assert {(each["first"]["submission"], each["second"]["title"]) for each in found} == {
        ("anna", "bert"),
        ("anna", "dora"),
        ("bert", "dora"),
    }
    assert found[0]["first"]["text"].startswith("def double(x):")
    with Store(tmp_path / "results" / "grader.db") as store:
        kept = SimilarPairs(store, "tiny").all()
        shown = SimilarPairs(store, "tiny").pair(kept[0].key)
    who = {(each.first, each.second, each.origin) for each in kept}
    assert who == {("anna", "bert", ""), ("anna", "dora", "last year"), ("bert", "dora", "last year")}
    assert shown is not None
    assert shown.second.text.startswith("def double(")


def test_a_course_without_copies_says_so(tmp_path: Path) -> None:
    write_course(tmp_path, anna=f"import numpy as np\n{COPIED}", carl=f"import numpy as np\n{OWN}")
    assert grader("grade", "submissions/tiny", cwd=tmp_path).returncode == 0
    done = grader("similar", "-o", "pairs.csv", cwd=tmp_path)
    assert "Nothing is alike beyond what was handed out" in done.stdout
    assert (tmp_path / "pairs.csv").read_text(encoding="utf-8-sig").splitlines() == [
        "share,question,kind,first,second,of,lines,left"
    ]
    assert grader("similar", "-o", "pairs.txt", cwd=tmp_path).returncode == 2
