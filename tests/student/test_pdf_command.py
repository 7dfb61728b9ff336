"""`grader pdf` as a student meets it: other solutions, exit codes, messages, and nothing is lost."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader
from student.pdf_support import code, pages, pdf_file, text, write_notebook

from grader.errors import DocumentError, MissingPackageError, UsageError
from grader.pdf.document import Wishes, write_hand_in
from grader.pdf.merge import read_part


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    return write_notebook(tmp_path / "work.ipynb", "# Ratings\n\n## Loss", code("x = 1"))


def grader(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "grader", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_writes_the_solutions_with_the_notebook_behind_them(
    notebook: Path, tmp_path: Path
) -> None:
    pdf_file(tmp_path / "sheet 1.pdf", 2)
    pdf_file(tmp_path / "sheet 2.pdf", 1)
    done = grader(
        "pdf", "work.ipynb", "--append", "sheet 1.pdf", "--append", "sheet 2.pdf", "--name", "Ada", "-o", "out.pdf",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = ["   2 pages  sheet 1", "    1 page  sheet 2", "    1 page  Ratings", "out.pdf: 4 pages"]
    assert done.stdout.splitlines() == lines
    content = (tmp_path / "out.pdf").read_bytes()
    reader = PdfReader(io.BytesIO(content))
    heights = [round(float(page.mediabox.height)) for page in reader.pages]
    assert heights == [300, 301, 300, 842]
    assert "4 / 4" in pages(content)[3]
    outline = str([item["/Title"] for item in reader.outline if isinstance(item, dict)])
    assert outline == "['sheet 1', 'sheet 2', 'Ratings']"
    assert reader.metadata is not None
    assert (reader.metadata.title, reader.metadata.author) == ("Ratings", "Ada")


def test_the_notebook_can_come_first(notebook: Path, tmp_path: Path) -> None:
    other = pdf_file(tmp_path / "sheet.pdf", 2)
    hand_in = write_hand_in(notebook, tmp_path / "o.pdf", Wishes(append=(other,), notebook_first=True))
    assert [part.pages for part in hand_in.parts] == [1, 2]
    assert "1 / 3" in pages(hand_in)[0]


def test_a_pdf_that_only_its_owner_may_change_is_joined(notebook: Path, tmp_path: Path) -> None:
    other = pdf_file(tmp_path / "sheet.pdf", owner="secret")
    hand_in = write_hand_in(notebook, tmp_path / "o.pdf", Wishes(append=(other,)))
    assert len(pages(hand_in)) == 2


def broken(path: Path, how: str) -> Path:
    if how == "encrypted":
        return pdf_file(path, password="secret")
    whole = pdf_file(path, 3).read_bytes()
    contents = {
        "empty": b"",
        "no PDF": b"PK\x03\x04 a word document",
        "cut off": whole[:80],
        "only a header": b"%PDF-1.7\n%%EOF",
        "no pages": whole.replace(b"/Kids", b"/Dogs").replace(b"/Count 3", b"/Count 0"),
    }
    path.write_bytes(contents[how])
    return path


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("encrypted", "encrypted with a password"),
        ("empty", "not a PDF"),
        ("no PDF", "not a PDF"),
        ("cut off", "damaged"),
        ("only a header", "damaged"),
        ("no pages", "no pages|damaged"),
    ],
)
def test_a_pdf_that_cannot_be_joined_is_named_with_what_to_do(how: str, message: str, tmp_path: Path) -> None:
    path = broken(tmp_path / "sheet.pdf", how)
    with pytest.raises(DocumentError, match=f"sheet.pdf: .*({message})"):
        read_part(path)


def test_a_damaged_pdf_ends_with_exit_code_2_and_what_was_there_stays(notebook: Path, tmp_path: Path) -> None:
    broken(tmp_path / "sheet.pdf", "cut off")
    (tmp_path / "out.pdf").write_text("the hand-in of yesterday")
    before = sorted(path.name for path in tmp_path.iterdir())
    done = grader("pdf", notebook, "--append", "sheet.pdf", "-o", "out.pdf", cwd=tmp_path)
    assert done.returncode == 2
    assert "sheet.pdf: this PDF is damaged" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "out.pdf").read_text() == "the hand-in of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("target", ["work.ipynb", "sheet.pdf", "no folder/out.pdf", "."])
def test_what_the_document_is_made_of_is_never_overwritten(
    target: str, notebook: Path, tmp_path: Path
) -> None:
    other = pdf_file(tmp_path / "sheet.pdf")
    kept = notebook.read_bytes(), other.read_bytes()
    with pytest.raises(UsageError, match="give another"):
        write_hand_in(notebook, tmp_path / target, Wishes(append=(other,)))
    assert (notebook.read_bytes(), other.read_bytes()) == kept


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "empty"), (b"%PDF-1.7", "it is a PDF"), (b'{"a": 1}', "no \"cells\"")]
)  # fmt: skip
def test_what_is_no_notebook_is_said(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "n.ipynb").write_bytes(content)
    with pytest.raises(DocumentError, match=message):
        write_hand_in(tmp_path / "n.ipynb", tmp_path / "o.pdf", Wishes())
    assert not (tmp_path / "o.pdf").exists()


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from grader.cli import pdf as command

    monkeypatch.setattr(command, "PACKAGES", ("typst", "no_such_package"))
    with pytest.raises(
        MissingPackageError, match=r"no_such_package.*pip install \"numerical-notebook-grader\[pdf\]\""
    ):
        command.pdf.main(["n.ipynb", "-o", "o.pdf"], standalone_mode=False)


def test_an_old_notebook_is_converted(tmp_path: Path) -> None:
    old = (
        '{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [{"cell_type": "code", '
        '"language": "python", "input": "print(1)", "outputs": [{"output_type": "stream", "stream": "stdout", '
        '"text": "an old output"}], "metadata": {}}, {"cell_type": "heading", "level": 2, "source": "Old"}]}]}'
    )
    (tmp_path / "n.ipynb").write_text(old)
    whole = text(write_hand_in(tmp_path / "n.ipynb", tmp_path / "o.pdf", Wishes()).content)
    assert "print(1)" in whole
    assert "an old output" in whole


def test_a_name_that_is_no_pdfs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from grader.cli import pdf as command

    with pytest.raises(
        UsageError, match=r"o\.txt: what is written is a PDF; give it a name that ends in \.pdf"
    ):
        command.pdf.main(["n.ipynb", "-o", "o.txt"], standalone_mode=False)
