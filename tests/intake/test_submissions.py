"""Every notebook in a folder is found once, under a name that is safe everywhere."""

from __future__ import annotations

import errno
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.intake.submissions import RESERVED, _named, find_submissions


def touch(path: Path, content: str = "{}") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def ids(folder: Path) -> list[str]:
    return [submission.id for submission in find_submissions(folder)]


def test_notebooks_are_found_at_every_depth_and_named_by_their_path(tmp_path: Path) -> None:
    for name in ("b.ipynb", "a/deep/er.ipynb", "A.IPYNB", "notes.txt"):
        touch(tmp_path / name)
    assert ids(tmp_path) == ["A", "a/deep/er", "b"]


def test_a_single_file_is_a_submission(tmp_path: Path) -> None:
    assert ids(touch(tmp_path / "mine.ipynb")) == ["mine"]


@pytest.mark.parametrize("name", [".ipynb_checkpoints/a-checkpoint.ipynb", "__MACOSX/._a.ipynb", "._a.ipynb"])
def test_what_jupyter_and_archives_leave_behind_is_no_submission(tmp_path: Path, name: str) -> None:
    touch(tmp_path / name)
    touch(tmp_path / "real.ipynb")
    assert ids(tmp_path) == ["real"]


@pytest.mark.parametrize(
    "name", ["two words", "Jörg Müller", "😀", "=HYPERLINK(1)", "-rf", "%2e%2e", "a'b\"c"]
)
def test_odd_names_keep_their_id(tmp_path: Path, name: str) -> None:
    touch(tmp_path / f"{name}.ipynb")
    assert ids(tmp_path) == [name]


def test_a_name_with_a_newline_becomes_one_line(tmp_path: Path) -> None:
    touch(tmp_path / "a\nscore,100.ipynb")
    (found,) = find_submissions(tmp_path)
    assert found.id == "a\N{REPLACEMENT CHARACTER}score,100"
    assert "\n" not in found.directory
    assert found.path.is_file()


def test_bytes_that_are_no_text_make_a_readable_id(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.ipynb")).write_text("{}")
    (found,) = find_submissions(tmp_path)
    assert found.id.encode() == "caf\N{REPLACEMENT CHARACTER}".encode()
    assert found.directory == "caf_"


def test_composed_and_decomposed_umlauts_are_two_submissions(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        touch(tmp_path / (unicodedata.normalize(form, "Jörg") + ".ipynb"))
    found = find_submissions(tmp_path)
    assert len({submission.id for submission in found}) == len({s.directory for s in found}) == 2


def test_names_that_differ_in_case_only_get_directories_of_their_own(tmp_path: Path) -> None:
    for name in ("anna/x.ipynb", "Anna/x.ipynb"):
        touch(tmp_path / name)
    directories = [submission.directory.casefold() for submission in find_submissions(tmp_path)]
    assert len(set(directories)) == 2


@pytest.mark.parametrize("name", RESERVED)
def test_no_submission_overwrites_a_file_of_the_results(tmp_path: Path, name: str) -> None:
    touch(tmp_path / f"{name}.ipynb")
    (found,) = find_submissions(tmp_path)
    assert found.directory != name


def test_a_very_long_name_gets_a_directory_that_file_systems_take(tmp_path: Path) -> None:
    touch(tmp_path / ("ü" * 120 + ".ipynb"))
    touch(tmp_path / ("ü" * 119 + "x.ipynb"))
    first, second = find_submissions(tmp_path)
    assert max(len(s.directory.encode()) for s in (first, second)) <= 80
    assert first.directory != second.directory


def test_no_link_is_followed_out_of_the_folder_or_to_the_notebook_of_another_student(tmp_path: Path) -> None:
    secret = touch(tmp_path / "secret.ipynb")
    folder = tmp_path / "submissions"
    folder.mkdir()
    (folder / "a.ipynb").symlink_to(secret)
    (folder / "b.ipynb").symlink_to(folder / "nowhere")
    (folder / "c").symlink_to(tmp_path, target_is_directory=True)
    touch(folder / "real.ipynb")
    (folder / "d.ipynb").symlink_to(folder / "real.ipynb")
    (folder / "e").symlink_to(folder / "nowhere")
    problems = {submission.id: submission.problem for submission in find_submissions(folder)}
    for name in ("a", "b", "d", "e"):
        assert "a link, which is not followed" in problems[name]
    assert "link to a folder" in problems["c"]
    assert problems["real"] == ""
    assert set(problems) == {"a", "b", "c", "d", "e", "real"}


MISSING = {
    "an archive in a student's folder": (("anna/hw.ipynb", "bert/hw.zip"), {"bert": "hw.zip"}),
    "an empty folder": (("anna/hw.ipynb", "bert/"), {"bert": "empty"}),
    "a notebook that was saved as text": (("anna/hw.ipynb", "bert/hw.ipynb.txt"), {"bert": "hw.ipynb.txt"}),
    "a download that did not end": (("anna/hw.ipynb", "bert/hw.ipynb.crdownload"), {"bert": "crdownload"}),
    "a PDF deep in a folder": (("anna/hw.ipynb", "bert/a/b/hw.pdf"), {"bert": "hw.pdf"}),
    "students in groups": (
        ("mon/anna/hw.ipynb", "mon/bert/hw.ipynb", "mon/carl/", "tue/dora/hw.ipynb"),
        {"mon/carl": "empty"},
    ),
    "files in place of notebooks": (
        ("anna.ipynb", "bert.zip", "carl.ipynb.txt", "dora.pdf"),
        {"bert.zip": "no notebook", "carl.ipynb.txt": "no notebook", "dora.pdf": "no notebook"},
    ),
    "a group in which one has a notebook": (
        ("mon/anna/hw.ipynb", "mon/bert/hw.zip", "mon/carl/", "tue/dora/hw.ipynb"),
        {"mon/bert": "hw.zip", "mon/carl": "empty"},
    ),
    "a group with a stray notebook": (
        ("mon/notes.ipynb", "mon/anna/hw.ipynb", "mon/bert/hw.zip", "mon/carl/", "tue/dora/hw.ipynb"),
        {"mon/bert": "hw.zip", "mon/carl": "empty"},
    ),
    "a large group with a stray notebook": (
        ("mon/n.ipynb", "mon/a/hw.ipynb", "mon/b/hw.ipynb", "mon/c/hw.html", "tue/d/hw.ipynb"),
        {"mon/c": "hw.html"},
    ),
    "files in place of notebooks in the folder of an archive": (
        ("ex11/anna.ipynb", "ex11/erna.ipynb", "ex11/bert.zip", "ex11/carl.ipynb.txt", "ex11/dora/"),
        {"ex11/bert.zip": "no notebook", "ex11/carl.ipynb.txt": "no notebook", "ex11/dora": "empty"},
    ),
    "folders beside a stray notebook": (
        ("solution.ipynb", "anna/hw.ipynb", "bert/hw.html", "carl/.DS_Store"),
        {"bert": "hw.html", "carl": "empty"},
    ),
    "an empty folder beside notebooks": (("anna.ipynb", "bert/"), {"bert": "empty"}),
    "a student's own folder of data": (("anna/hw.ipynb", "anna/data/x.npy", "anna/empty/"), {}),
    "the folders of a clone": (("hw.ipynb", "data/x.npy", "src/notes.txt"), {}),
    "a PDF of a notebook": (("anna.ipynb", "anna.pdf", "bert/hw.ipynb", "bert.pdf"), {}),
    "files of the course": (("anna.ipynb", "README.md", "roster.csv", "expected.yaml"), {}),
    "what archives leave behind": (("anna/hw.ipynb", "__MACOSX/x.zip", ".git/x.pdf"), {}),
}


@pytest.mark.parametrize(("files", "missing"), MISSING.values(), ids=MISSING)
def test_whoever_handed_in_no_notebook_has_a_row_that_says_what_is_there(
    tmp_path: Path, files: tuple[str, ...], missing: dict[str, str]
) -> None:
    for name in files:
        (tmp_path / name).mkdir(parents=True) if name.endswith("/") else touch(tmp_path / name)
    problems = {s.id: s.problem for s in find_submissions(tmp_path) if s.problem}
    assert problems.keys() == missing.keys()
    assert all(told in problems[name] for name, told in missing.items())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Müller_123_assignsubmission_file_/final.ipynb", "Müller_123_assignsubmission_file_/other.ipynb"),
        ("anna/nb.ipynb", "anna/nb (1).ipynb"),
        ("anna.ipynb", "anna - Copy.ipynb"),
    ],
)
def test_two_notebooks_of_one_student_are_both_kept_and_said_so(
    tmp_path: Path, first: str, second: str
) -> None:
    for name in (first, second, "bert.ipynb"):
        touch(tmp_path / name)
    remarks = {submission.id: submission.remark for submission in find_submissions(tmp_path)}
    assert second.removesuffix(".ipynb") in remarks[first.removesuffix(".ipynb")]
    assert first.removesuffix(".ipynb") in remarks[second.removesuffix(".ipynb")]
    assert remarks["bert"] == ""


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no folder .*nowhere"):
        find_submissions(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "it is empty"),
        (["a.zip"], "unpack the archive"),
        (["a", "b", "c", "d"], "it holds a, b, c and more"),
    ],
)
def test_a_folder_without_notebooks_says_what_it_holds(
    tmp_path: Path, files: list[str], message: str
) -> None:
    for name in files:
        touch(tmp_path / name)
    with pytest.raises(UsageError, match=message):
        find_submissions(tmp_path)


NAMES = st.text(st.characters(exclude_characters="/\x00"), min_size=1, max_size=100)


@given(st.lists(NAMES, min_size=1, max_size=8))
def test_ids_and_directories_are_unique_and_harmless_whatever_the_names(names: list[str]) -> None:
    from pathlib import PurePosixPath

    found = _named([(Path(name), PurePosixPath("x" + name), "") for name in names])
    directories = [submission.directory for submission in found]
    assert len({name.casefold() for name in directories}) == len(names)
    assert len({submission.id.casefold() for submission in found}) == len(names)
    for name in directories:
        assert not any(ord(c) < 32 for c in name)
        assert not set(name) & set('<>:"|?*\\/')
        assert name.encode()
        assert name not in (".", "..")


def test_a_folder_that_cannot_be_listed_is_a_fault_of_ours_and_the_others_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("anna", "bert", "carl"):
        touch(tmp_path / name / "hw.ipynb")
    listed = os.scandir

    def scandir(path: str) -> Any:
        if Path(path).name == "bert":
            raise OSError(errno.EIO, "Input/output error", path)
        return listed(path)

    monkeypatch.setattr("os.scandir", scandir)
    found = {each.id: each.fault for each in find_submissions(tmp_path)}
    assert found == {"anna/hw": "", "bert": "the folder cannot be read: Input/output error", "carl/hw": ""}


@pytest.mark.parametrize(("count", "used", "told"), [(20, 20, False), (23, 20, True)])
def test_files_beside_a_notebook_beyond_the_limit_are_left_out_and_that_is_told(
    tmp_path: Path, count: int, used: int, told: bool
) -> None:
    for number in range(count):
        touch(tmp_path / "anna" / f"m{number:02}.py")
    touch(tmp_path / "anna" / "anna.ipynb")
    touch(tmp_path / "bert" / "bert.ipynb")
    anna = find_submissions(tmp_path)[0]
    assert [path.name for path in anna.modules] == [f"m{number:02}.py" for number in range(used)]
    assert (f"There are {count} Python files beside the notebook" in anna.remark) is told


def test_no_directory_of_results_has_characters_that_do_not_show(tmp_path: Path) -> None:
    for name in ("\u202egnp", "\x1b]0;x", "a\u2066b", "a\u2028b", "\x9bm"):
        touch(tmp_path / f"{name}.ipynb")
    assert all(each.directory.isprintable() for each in find_submissions(tmp_path))
