"""Archives by strangers: what is unpacked stays in its folder, and within its limits."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.intake import archives
from grader.intake.archives import opened
from grader.intake.unpack import _parts


def packed(path: Path, content: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize(
    ("name", "lands"),
    [
        ("../../etc/x.ipynb", "etc/x.ipynb"),
        ("/root/x.ipynb", "root/x.ipynb"),
        ("a\\..\\..\\x.ipynb", "a/x.ipynb"),
        ("C:/x.ipynb", "x.ipynb"),
        ("a/\x07b.ipynb", "a/_b.ipynb"),
        ("a" * 300 + ".ipynb", None),
    ],
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str, lands: str | None) -> None:
    source = packed(tmp_path / "in.zip", {name: b"{}", "other.ipynb": b"{}"})
    found = files(opened(source, tmp_path / "out", "hw").folder)
    assert len(found) == 2
    assert lands is None or lands in found
    outside = set(tmp_path.iterdir()) - {source, tmp_path / "out"}
    assert outside == set()


@given(st.text(max_size=400))
def test_every_name_becomes_parts_that_a_file_system_takes(name: str) -> None:
    for part in _parts(name):
        assert part not in ("", ".", "..")
        assert "/" not in part
        assert "\\" not in part
        assert len(part.encode(errors="replace")) <= 200
        assert part.isprintable() or any(c in part for c in "\u200c\u200d")


def test_links_and_devices_are_not_made_and_are_told(tmp_path: Path) -> None:
    path = tmp_path / "in.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, kind in (("s", tarfile.SYMTYPE), ("h", tarfile.LNKTYPE), ("d", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(f"anna/{name}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("anna/hw.ipynb")
        info.size = 2
        archive.addfile(info, io.BytesIO(b"{}"))
    found = opened(path, tmp_path / "out", "hw")
    assert files(found.folder) == {"hw.ipynb": b"{}"}
    assert sum("it is a link or a device" in words for words in found.remarks.values()) == 1


def test_a_link_in_a_zip_is_no_file(tmp_path: Path) -> None:
    path = packed(tmp_path / "in.zip", {"a.ipynb": b"{}", "b.ipynb": b"{}"})
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("link.ipynb")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert set(files(opened(path, tmp_path / "out", "hw").folder)) == {"a.ipynb", "b.ipynb"}


def test_a_bomb_of_a_student_costs_its_own_hand_in_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "INNER", (50, 5, 5))
    bomb = packed(tmp_path / "bomb.zip", {"x.bin": bytes(20 << 20)}).read_bytes()
    many = packed(tmp_path / "many.zip", {f"{n}.txt": b"x" for n in range(60)}).read_bytes()
    fine = packed(tmp_path / "fine.zip", {"hw.ipynb": b"{}"}).read_bytes()
    source = packed(
        tmp_path / "in.zip",
        {"anna/b.zip": bomb, "bert/m.zip": many, "carl/f.zip": fine, "dora/d.zip": b"PK\3\4 damaged"},
    )
    found = opened(source, tmp_path / "out", "hw")
    assert files(found.folder)["carl/f/hw.ipynb"] == b"{}"
    told = " ".join(found.remarks.values())
    for words in ("larger than 5 MB", "more than 50 files", "no ZIP or TAR archive"):
        assert words in told
    assert {"anna/b.zip", "bert/m.zip", "dora/d.zip"} <= set(files(found.folder))


def test_archives_in_archives_are_unpacked_and_a_quine_ends(tmp_path: Path) -> None:
    data = b"{}"
    for depth in range(6):
        name = "hw.ipynb" if depth == 0 else "deeper.zip"
        data = packed(tmp_path / "part.zip", {name: data}).read_bytes()
    source = packed(tmp_path / "in.zip", {"anna/all.zip": data, "bert/hw.ipynb": b"{}"})
    found = files(opened(source, tmp_path / "out", "hw").folder)
    assert [name for name in found if name.startswith("anna/")] == ["anna/all/deeper/deeper/deeper.zip"]


def test_names_that_are_given_twice_lose_no_file(tmp_path: Path) -> None:
    path = tmp_path / "in.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("anna.ipynb", b"1")
        archive.writestr("bert.ipynb", b"3")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("anna.ipynb", b"2")
    found = files(opened(path, tmp_path / "out", "hw").folder)
    assert found == {"anna.ipynb": b"1", "anna (2).ipynb": b"2", "bert.ipynb": b"3"}


def test_names_in_utf_8_that_do_not_say_so_are_read(tmp_path: Path) -> None:
    path = packed(tmp_path / "in.zip", {"XXrg.ipynb": b"{}", "b.ipynb": b"{}"})
    raw = path.read_bytes().replace(b"XXrg", "ör".encode() + b"g")
    path.write_bytes(raw)
    assert "örg.ipynb" in files(opened(path, tmp_path / "out", "hw").folder)


def test_the_archive_that_was_given_is_told_if_it_cannot_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "in.zip").write_bytes(b"no archive")
    with pytest.raises(UsageError, match="cannot be unpacked: it is no ZIP or TAR archive"):
        opened(tmp_path / "in.zip", tmp_path / "out", "hw")


def test_a_folder_of_archives_is_copied_and_stays_as_it_was(tmp_path: Path) -> None:
    packed(tmp_path / "in" / "anna.zip", {"hw.ipynb": b"1"})
    (tmp_path / "in" / "bert.ipynb").write_bytes(b"2")
    before = files(tmp_path / "in")
    found = opened(tmp_path / "in", tmp_path / "in" / "results", "hw")
    assert files(found.folder) == {"anna/hw.ipynb": b"1", "bert.ipynb": b"2"}
    assert {name: data for name, data in files(tmp_path / "in").items() if "results" not in name} == before


def test_what_has_not_changed_is_not_unpacked_again(tmp_path: Path) -> None:
    source = packed(tmp_path / "in.zip", {"anna.ipynb": b"1", "bert.ipynb": b"2"})
    first = opened(source, tmp_path / "out", "hw")
    (first.folder / "mark.txt").write_text("here")
    assert (opened(source, tmp_path / "out", "hw").folder / "mark.txt").exists()
    packed(source, {"anna.ipynb": b"1", "bert.ipynb": b"3 is longer"})
    again = opened(source, tmp_path / "out", "hw")
    assert again.folder == first.folder
    assert files(again.folder) == {"anna.ipynb": b"1", "bert.ipynb": b"3 is longer"}


@pytest.mark.parametrize("inside", ["x.ipynb", ".git/config", "__MACOSX/x"])
def test_folders_that_are_nested_too_deep_end_nobody_elses_grading(tmp_path: Path, inside: str) -> None:
    deep = packed(tmp_path / "deep.zip", {"a/" * 1500 + inside: b"{}"}).read_bytes()
    source = packed(tmp_path / "in.zip", {"anna/x.ipynb": b"{}", "bert/deep.zip": deep})
    assert "anna/x.ipynb" in files(opened(source, tmp_path / "out", "hw").folder)


def test_archives_in_an_archive_have_their_limits_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "INNER", (100, 2, 2))
    inner = packed(tmp_path / "inner.zip", {"zeros": bytes(1 << 20)}).read_bytes()
    bomb = packed(tmp_path / "bomb.zip", {f"{n}.zip": inner for n in range(9)}).read_bytes()
    source = packed(tmp_path / "in.zip", {"anna/x.ipynb": b"{}", "bert/bomb.zip": bomb})
    found = opened(source, tmp_path / "out", "hw")
    assert sum(map(len, files(found.folder).values())) < 3 << 20
    assert any("larger than" in words for words in found.remarks.values())


def test_a_student_cannot_make_the_computer_open_archives_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_ARCHIVES", 3)
    many = packed(tmp_path / "many.zip", {f"{n}.zip": b"PK" for n in range(9)}).read_bytes()
    source = packed(tmp_path / "in.zip", {"anna/many.zip": many, "bert/x.zip": b"PK", "x.ipynb": b"{}"})
    remarks = opened(source, tmp_path / "out", "hw").remarks
    assert sum("too many" in words for words in remarks.values()) == 1
    assert len(remarks) == 4


def test_a_folder_with_a_single_archive_holds_what_one_student_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "INNER", (50, 2, 2))
    source = packed(tmp_path / "in" / "anna.zip", {"hw.ipynb": b"{}", "data/x.bin": bytes(1 << 20)})
    os.utime(source, (1_000_000_000, 1_000_000_000))
    found = opened(tmp_path / "in", tmp_path / "out", "hw")
    assert set(files(found.folder)) == {"anna/hw.ipynb", "anna/data/x.bin"}
    assert (found.folder / "anna" / "hw.ipynb").stat().st_mtime == 1_000_000_000
    packed(tmp_path / "bombs" / "anna.zip", {"hw.ipynb": b"{}", "data/x.bin": bytes(3 << 20)})
    told = opened(tmp_path / "bombs", tmp_path / "out", "hw").remarks
    assert ["larger than 2 MB" in words for words in told.values()] == [True]


@pytest.mark.parametrize(
    "inside",
    [
        ["Doe Jo_1_assignsubmission_file_/hw.ipynb"],
        ["anna/hw.ipynb", "bert/work/hw.ipynb"],
        ["doejo_4711_9912_hw.ipynb", "leeeve_4712_9913_hw.ipynb"],
    ],
)
def test_the_archive_of_a_platform_that_was_packed_again_has_the_limits_of_a_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: list[str]
) -> None:
    monkeypatch.setattr(archives, "INNER", (50, 1, 1))
    data = packed(tmp_path / "all.zip", {name: bytes(2 << 20) for name in inside}).read_bytes()
    found = opened(packed(tmp_path / "in.zip", {"all.zip": data}), tmp_path / "out", "hw")
    assert sum(map(len, files(found.folder).values())) == len(inside) * 2 << 20
    assert found.remarks == {}


def test_a_process_that_a_signal_ends_unpacks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = packed(tmp_path / "in.zip", {"a.ipynb": b"{}", "b.ipynb": b"{}"})
    mark, program = tmp_path / "ended", tmp_path / "program.py"
    program.write_text(
        "import os, pathlib, runpy, sys\n"
        f"mark = pathlib.Path({str(mark)!r})\n"
        "if not mark.exists():\n"
        "    mark.touch()\n"
        "    pathlib.Path(sys.argv[2], 'half.ipynb').touch()\n"
        "    os.kill(os.getpid(), 15)\n"
        f"runpy.run_path({str(archives.PROGRAM)!r}, run_name='__main__')\n"
    )
    monkeypatch.setattr(archives, "PROGRAM", program)
    assert files(opened(source, tmp_path / "out", "hw").folder) == {"a.ipynb": b"{}", "b.ipynb": b"{}"}
    assert mark.exists()
