"""The folder of results: what is written again, what stays, and that nothing is ever half there."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from support import notebook, rubric, run, score

from grader.batch import results
from grader.batch.results import Results, close_results, open_results
from grader.errors import ResultsError, UsageError
from grader.intake.submissions import Submission

ANNA = Submission("anna", Path("anna.ipynb"), "anna")
RUN = run(notebook("x = 1"))


def written(folder: Results, name: str) -> tuple[int, int]:
    """Return what changes when a file is put in place of another."""
    found = (folder.out / "anna" / name).stat()
    return found.st_ino, found.st_mtime_ns


@pytest.fixture
def folder(tmp_path: Path) -> Results:
    made = Results(tmp_path / "out", rubric(), "isolated")
    open_results(made.out)
    made.write_submission(ANNA, score(), RUN)
    return made


def test_a_new_verdict_leaves_the_notebook_s_page_as_it_is(folder: Results) -> None:
    before = {name: written(folder, name) for name in ("notebook.html", "executed.ipynb", "feedback.html")}
    folder.write_submission(ANNA, score(points=0.0), RUN)
    changed = [name for name, place in before.items() if written(folder, name) != place]
    assert changed == ["feedback.html"]


def test_the_course_page_tells_the_lowest_tier_of_all_submissions(folder: Results) -> None:
    folder.write_course([score(tier="isolated"), score("bert", tier="restricted"), score("carl")])
    assert "in the tier restricted" in (folder.out / "index.html").read_text()
    assert '"tier": "restricted"' in (folder.out / "grades.json").read_text()


def changed_run(folder: Results) -> None:
    folder.write_submission(ANNA, score(), replace(RUN, executed=notebook("y = 2")))
    assert "y = 2" in (folder.out / "anna" / "executed.ipynb").read_text()


def changed_page(folder: Results) -> None:
    (folder.out / "anna" / "notebook.html").write_text("other")
    folder.write_submission(ANNA, score(), RUN)


def lost_notebook(folder: Results) -> None:
    (folder.out / "anna" / "executed.ipynb").unlink()
    folder.write_submission(ANNA, score(), RUN)


def other_submission(folder: Results) -> None:
    folder.write_submission(ANNA, score("bert"), RUN)


def damaged_notebook(folder: Results) -> None:
    path = folder.out / "anna" / "executed.ipynb"
    whole = path.read_text()
    path.write_text(whole.replace("x = 1", "x = 7"))
    folder.write_submission(ANNA, score(), RUN)
    assert path.read_text() == whole


@pytest.mark.parametrize(
    "change", [changed_run, changed_page, lost_notebook, damaged_notebook, other_submission]
)
def test_the_notebook_s_page_is_written_again_after(folder: Results, change) -> None:
    before = written(folder, "notebook.html")
    change(folder)
    assert written(folder, "notebook.html") != before
    assert (folder.out / "anna" / "executed.ipynb").is_file()


def test_the_notebook_s_page_is_written_again_when_the_code_of_the_pages_changed(
    folder: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written(folder, "notebook.html")
    monkeypatch.setattr(results, "pages_digest", lambda: "another")
    folder.write_submission(ANNA, score(), RUN)
    assert written(folder, "notebook.html") != before


def test_a_submission_that_has_no_notebook_any_more_keeps_no_page_of_it(folder: Results) -> None:
    folder.write_submission(ANNA, score(), None)
    assert [path.name for path in (folder.out / "anna").iterdir()] == ["feedback.html"]


def test_a_folder_that_cannot_be_written_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write results to .*file: .*; choose another --out"):
        open_results(tmp_path / "file")


def test_a_write_that_fails_leaves_the_old_file_and_no_remains(
    folder: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = (folder.out / "anna" / "feedback.html").read_text()

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ResultsError, match=r"anna: No space .*: make room, and give the same command"):
        folder.write_submission(ANNA, score(points=0.0), RUN)
    assert (folder.out / "anna" / "feedback.html").read_text() == old
    assert not list((folder.out / "anna").glob(".*"))
    assert list((folder.out / ".parts").iterdir()) == []


def test_a_page_whose_path_is_too_long_costs_no_gradebook(folder: Results) -> None:
    folder.write_course([score(), score("bert", directory="b" * 5000)])
    assert "bert" in (folder.out / "grades.csv").read_text(encoding="utf-8-sig")


WRITER = """
import sys, time
from pathlib import Path
from grader.batch import results
with results._part(Path(sys.argv[1])) as part:
    part.write_text("half")
    print(part.name, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no locks of files")
def test_what_killed_runs_left_half_written_is_swept_and_only_that(folder: Results) -> None:
    command = [sys.executable, "-c", WRITER, str(folder.out)]
    writers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    killed, writing = (each.stdout.readline().strip() for each in writers if each.stdout)
    writers[0].kill()
    writers[0].communicate()
    open_results(folder.out)
    assert {path.name for path in (folder.out / ".parts").iterdir()} == {writing} != {killed}
    writers[1].communicate()
    close_results(folder.out)
    assert not (folder.out / ".parts").exists()


def test_without_locks_only_old_parts_are_swept(folder: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    parts = folder.out / ".parts"
    old, new = parts / "1.part", parts / "2.part"
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (0, 0))
    open_results(folder.out)
    assert list(parts.iterdir()) == [new], "another machine may still write it"


def test_several_graders_open_one_new_folder_at_once(tmp_path: Path) -> None:
    def work(number: int) -> None:
        made = Results(tmp_path / "out", rubric(), "isolated")
        open_results(made.out)
        made.write_submission(replace(ANNA, id=f"a{number}", directory=f"a{number}"), score(), RUN)
        close_results(made.out)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(200)))
    assert len(list(tmp_path.glob("out/a*/executed.ipynb"))) == 200
    assert not (tmp_path / "out" / ".parts").exists()


def test_a_format_that_fails_leaves_the_others_whole_and_is_told(
    folder: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(gradebook: object) -> str:
        raise ZeroDivisionError("a bug of a plug-in")

    monkeypatch.setattr(results.formats()[0], "export", broken)
    with pytest.raises(ResultsError, match=r"was not written: ZeroDivisionError.*grader\.log"):
        folder.write_course([score()])
    there = {path.name for path in folder.out.iterdir() if path.is_file()}
    assert there == {each.FILE for each in results.formats()[1:]} | {"index.html"}


def test_whoever_handed_in_nothing_has_no_page(folder: Results) -> None:
    folder.write_submission(Submission("carl", Path("roster.csv"), "", absent="nothing"), score("carl"), None)
    assert not (folder.out / "feedback.html").exists()
