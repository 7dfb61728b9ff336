"""Every notebook in a folder is found once, under a name that is safe everywhere."""

from __future__ import annotations

import errno
import os
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.intake.submissions import RESERVED, Entry, _named, find_submissions


def touch(path: Path, content: str = "{}") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def ids(folder: Path) -> list[str]:
    return [submission.id for submission in find_submissions(folder)]


def test_notebooks_are_found_at_every_depth_and_named_by_their_path(tmp_path: Path) -> None:
    for name in ("b.ipynb", "a/deep/er.ipynb", "A.IPYNB", "README.md"):
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


def test_a_link_is_followed_inside_a_student_s_own_folder_alone(tmp_path: Path) -> None:
    for name in ("anna", "bert", "carl", "group"):
        (tmp_path / name).mkdir()
    touch(tmp_path / "anna" / "final.json")
    (tmp_path / "anna" / "hw.ipynb").symlink_to("final.json")
    touch(tmp_path / "bert" / "hw.ipynb")
    (tmp_path / "carl" / "hw.ipynb").symlink_to("../anna/final.json")
    touch(tmp_path / "group" / "dora.ipynb")
    (tmp_path / "group" / "emil.ipynb").symlink_to("dora.ipynb")
    found = {each.id: each for each in find_submissions(tmp_path)}
    assert found["anna/hw"].problem == ""
    assert found["anna/hw"].path == (tmp_path / "anna" / "final.json").resolve()
    for name in ("carl/hw", "group/emil"):
        assert "a link, which is not followed" in found[name].problem


def test_links_beside_a_notebook_that_are_not_followed_are_told(tmp_path: Path) -> None:
    moodle = "Doe Jo_1_assignsubmission_file_"
    for name in ("anna/data", "bert", moodle):
        (tmp_path / name).mkdir(parents=True)
    for name in ("anna", "bert", moodle):
        touch(tmp_path / name / "hw.ipynb")
    secret = touch(tmp_path / "anna" / "solution.txt")
    (tmp_path / "anna" / "data" / "numbers.csv").symlink_to(secret)
    (tmp_path / moodle / "scan.pdf").symlink_to(secret)
    remarks = {each.id: each.remark for each in find_submissions(tmp_path)}
    assert "Links are not followed: data/numbers.csv." in remarks["anna/hw"]
    assert "Links are not followed: scan.pdf." in remarks[f"{moodle}/hw"]
    assert "Links" not in remarks["bert/hw"]


def test_a_folder_without_notebooks_is_a_mistake_unless_a_roster_tells_who_there_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no notebooks"):
        find_submissions(tmp_path)
    assert find_submissions(tmp_path, may_be_empty=True) == []
    (tmp_path / "anna").mkdir()
    touch(tmp_path / "bert.zip")
    found = find_submissions(tmp_path, may_be_empty=True)
    assert {each.id: bool(each.missing) for each in found} == {"anna": True, "bert.zip": True}


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
    "other kinds of files at the top": (
        ("anna.ipynb", "bert.docx", "carl.py", "dora", "erna.html", "fritz/hw.ipynb", "ratings.npy"),
        dict.fromkeys(("bert.docx", "carl.py", "dora", "erna.html"), "no notebook"),
    ),
    "an archive beside a notebook in a group": (
        ("mon/anna.ipynb", "mon/bert.zip", "mon/anna.zip", "mon/notes.pdf", "tue/dora.ipynb"),
        {"mon/bert.zip": "unpack the archive"},
    ),
    "a PDF beside the notebooks of a group": (
        ("mon/anna.ipynb", "mon/carl.ipynb", "mon/bert.pdf", "tue/dora.ipynb"),
        {"mon/bert.pdf": "no notebook"},
    ),
    "what a student hands in beside a notebook": (
        (
            "Bo_12_assignsubmission_file_/hw.ipynb",
            "Bo_12_assignsubmission_file_/data.zip",
            "c/d.ipynb",
            "c/f.png",
        ),
        {},
    ),
    "what archives leave behind": (("anna/hw.ipynb", "__MACOSX/x.zip", ".git/x.pdf"), {}),
}


@pytest.mark.parametrize(("files", "missing"), MISSING.values(), ids=MISSING)
def test_whoever_handed_in_no_notebook_has_a_row_that_says_what_is_there(
    tmp_path: Path, files: tuple[str, ...], missing: dict[str, str]
) -> None:
    for name in files:
        (tmp_path / name).mkdir(parents=True) if name.endswith("/") else touch(tmp_path / name)
    problems = {s.id: s.missing for s in find_submissions(tmp_path) if s.missing}
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

    found = _named([Entry(Path(name), PurePosixPath("x" + name)) for name in names])
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


def test_a_path_beyond_the_limit_of_the_system_is_a_fault_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "in" / "anna.ipynb")
    touch(tmp_path / "in" / "results" / "index.html")
    (tmp_path / "in" / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "in" / "deep")
    for _ in range(25):  # each step is short, the path is not
        Path("d" * 200).mkdir()
        os.chdir("d" * 200)
    touch(Path("hw.ipynb"))
    try:
        found = find_submissions(tmp_path / "in", tmp_path / "in" / "results")
    finally:
        os.chdir(tmp_path)
        shutil.rmtree("in")  # it goes by descriptors; what cleans up after the tests does not
    assert [bool(each.fault) for each in found] == [False, True]
    assert "File name too long" in found[1].fault


def test_files_beside_a_notebook_that_cannot_be_listed_are_a_fault_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def modules_in(folder: Path) -> tuple[Path, ...]:
        raise OSError(errno.EIO, "Input/output error", str(folder))

    monkeypatch.setattr("grader.intake.submissions.modules_in", modules_in)
    found = find_submissions(touch(tmp_path / "anna.ipynb"))
    assert found[0].fault == "its folder cannot be read: Input/output error"


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


def test_files_that_are_the_course_s_own_are_named(tmp_path: Path) -> None:
    for name in ("anna.ipynb", "bert.ipynb", "README.md", "roster.csv", "carl.txt"):
        touch(tmp_path / name)
    left_out: list[str] = []
    find_submissions(tmp_path, left_out=left_out)
    assert left_out == ["README.md", "roster.csv"]


def test_results_inside_the_folder_are_no_submissions(tmp_path: Path) -> None:
    for name in ("anna.ipynb", "bert/hw.ipynb", "results/anna/executed.ipynb", "results/index.html"):
        touch(tmp_path / name)
    assert [each.id for each in find_submissions(tmp_path, tmp_path / "results")] == ["anna", "bert/hw"]
    with pytest.raises(UsageError, match="choose another --out"):
        find_submissions(tmp_path, tmp_path)


def test_a_path_that_is_very_deep_gets_a_short_directory(tmp_path: Path) -> None:
    deep = "/".join(["a" * 60] * 10)
    touch(tmp_path / deep / "x.ipynb")
    touch(tmp_path / deep / "y.ipynb")
    first, second = find_submissions(tmp_path)
    assert max(len(each.directory) for each in (first, second)) <= 80
    assert first.directory != second.directory


@pytest.mark.parametrize(
    "name", ["\N{WOMAN}\u200d\N{PERSONAL COMPUTER}", "\u0645\u06cc\u200c\u0631", ":fox:"]
)
def test_names_of_joined_characters_keep_their_id(tmp_path: Path, name: str) -> None:
    touch(tmp_path / f"{name}.ipynb")
    (found,) = find_submissions(tmp_path)
    assert found.id == name
    assert found.directory.isprintable()


def test_no_directory_is_that_of_a_file_of_a_plug_in(tmp_path: Path) -> None:
    for name in ("moodle.xml.ipynb", "moodle.xml/x.ipynb", "grades.ods.ipynb", "grader.db.before-0002.ipynb"):
        touch(tmp_path / name)
    found = {each.directory for each in find_submissions(tmp_path, reserved=["moodle.xml"])}
    assert found == {"moodle.xml_", "moodle.xml_/x", "grades.ods_", "grader.db.before-0002_"}
