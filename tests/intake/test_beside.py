"""Files beside a notebook are shown to people: those of the student, and no others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.intake import beside
from grader.intake.beside import files_beside, read_file

NAMES = ("anna/hw", "anna/hw (2)", "bert/hw", "carl", "dora")


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, str]:
    for name in ("anna", "bert", "dora/scans"):
        (tmp_path / name).mkdir(parents=True)
    for path in (
        "anna/hw.ipynb",
        "anna/hw (2).ipynb",
        "anna/derivation.pdf",
        "anna/.hidden",
        "bert/hw.ipynb",
    ):
        (tmp_path / path).write_text(path)
    for path in ("carl.ipynb", "carl.pdf", "dora/scans/page 1.jpg"):
        (tmp_path / path).write_text(path)
    (tmp_path / "anna" / "link.pdf").symlink_to(tmp_path / "bert" / "hw.ipynb")
    paths = ("anna/hw.ipynb", "anna/hw (2).ipynb", "bert/hw.ipynb", "carl.ipynb", "dora")
    return {name: str(tmp_path / path) for name, path in zip(NAMES, paths, strict=True)}


def test_the_files_of_a_student_are_those_in_a_folder_of_nobody_else(sources: dict[str, str]) -> None:
    found = {name: list(files_beside(name, sources)) for name in NAMES}
    assert found == {
        "anna/hw": ["derivation.pdf"],
        "anna/hw (2)": ["derivation.pdf"],
        "bert/hw": [],
        "carl": [],
        "dora": ["scans/page 1.jpg"],
    }


def test_a_notebook_that_was_graded_alone_has_no_files_beside_it(sources: dict[str, str]) -> None:
    assert files_beside("anna/hw", {"anna/hw": sources["anna/hw"]}) == {}
    assert files_beside("nobody", {**sources, "nobody": "roster"}) == {}


def test_what_is_no_file_is_not_read(
    sources: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "MAX_BYTES", 20)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_text("x" * 21)
    assert read_file(tmp_path / "anna" / "derivation.pdf") == b"anna/derivation.pdf"
    for name in ("anna/link.pdf", "pipe", "large", "anna", "nothing"):
        assert read_file(tmp_path / name) is None
