"""Whatever is handed in under the name of a notebook is read, repaired, or refused with a reason."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import NotebookUnreadable, UsageError
from grader.notebook.read import MAX_CELLS, MAX_TOKENS, TOO_LONG, parse_notebook, read_bytes
from grader.notebook.sources import code_sources, load_json, read_named

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def cell(source: Any = "x = 1", **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "source": source} | more


def content(*cells: Any, **more: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | more


def sources(notebook: Any) -> list[str]:
    return [cell.source for cell in parse_notebook(json.dumps(notebook).encode()).cells]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_the_text_may_be_encoded_as_an_editor_on_windows_does(encoding: str) -> None:
    data = json.dumps(content(cell("x = 'ß'")), ensure_ascii=False).replace("\n", "\r\n").encode(encoding)
    assert parse_notebook(data).cells[0].source == "x = 'ß'"


SOURCES = {
    "a text": ("x = 1\ny = 2", "x = 1\ny = 2"),
    "lines": (["x = 1\n", "y = 2"], "x = 1\ny = 2"),
    "lines as on Windows": (["x = 1\r\n", "y = 2"], "x = 1\r\ny = 2"),
    "lines and other things": (["x = ", 1, None], "x = 1"),
    "nothing": (None, ""),
    "a number": (5, "5"),
    "half a surrogate pair": ("x = '\ud800'", "x = '?'"),
}


@pytest.mark.parametrize(("source", "text"), SOURCES.values(), ids=SOURCES)
def test_a_source_may_be(source: Any, text: str) -> None:
    assert sources(content(cell(source))) == [text]


REPAIRED = {
    "no format": {"nbformat": None},
    "a format in words": {"nbformat": "4"},
    "a minor format in words": {"nbformat_minor": "5"},
    "no metadata": {"metadata": None},
    "the format of a later year": {"nbformat": 9, "nbformat_minor": 0},
    "the kernel of another language": {"metadata": {"kernelspec": {"name": "julia"}}},
}


@pytest.mark.parametrize("change", REPAIRED.values(), ids=REPAIRED)
def test_a_notebook_is_read_with(change: dict[str, Any]) -> None:
    assert sources(content(cell(), **change)) == ["x = 1"]


CELLS = {
    "of an unknown kind": (cell(cell_type="heading"), "raw"),
    "of no kind": (cell(cell_type=None), "raw"),
    "without a source": ({"cell_type": "code"}, "code"),
    "with metadata that is a list": (cell(metadata=[1]), "code"),
    "of text with a picture": (cell(cell_type="markdown", attachments={"a.png": {}}), "markdown"),
    "with attachments that are a text": (cell(cell_type="markdown", attachments="a"), "markdown"),
}


@pytest.mark.parametrize(("given", "kind"), CELLS.values(), ids=CELLS)
def test_a_cell_is_kept(given: dict[str, Any], kind: str) -> None:
    (kept,) = parse_notebook(json.dumps(content(given)).encode()).cells
    assert kept.cell_type == kind
    assert "attachments" not in kept or isinstance(kept.attachments, dict)


def test_a_cell_that_is_none_is_left_out() -> None:
    assert sources(content(1, None, "x = 2", [cell()], cell())) == ["x = 1"]


def test_pictures_stay_with_their_text() -> None:
    given = cell(cell_type="markdown", attachments={"a.png": {"image/png": "aa"}})
    (kept,) = parse_notebook(json.dumps(content(given)).encode()).cells
    assert kept.attachments == {"a.png": {"image/png": "aa"}}


@pytest.mark.parametrize("identity", [None, 5, "", "a b", "ü", "x" * 65, "a\n"])
def test_a_cell_without_a_valid_id_gets_the_same_one_each_time(identity: Any) -> None:
    data = json.dumps(
        content(cell(id=identity), cell(id="b"), cell(id="b"), cell(id="cell-4"), cell(id=None))
    ).encode()
    first, second = (parse_notebook(data) for _ in range(2))
    ids = [c.id for c in first.cells]
    assert ids[:4] == ["cell-1", "b", "cell-3", "cell-4"]
    assert ids == [c.id for c in second.cells]
    nbformat.validate(first)


def test_an_id_that_a_student_took_is_given_to_no_other() -> None:
    notebook = parse_notebook(json.dumps(content(cell(id="cell-2"), cell(id=None))).encode())
    assert len({c.id for c in notebook.cells}) == 2
    nbformat.validate(notebook)


def test_outputs_of_the_student_are_left_behind_and_attachments_kept() -> None:
    given = cell(outputs=[{"output_type": "stream", "name": "stdout", "text": "forged"}], execution_count=7)
    (kept,) = parse_notebook(json.dumps(content(given)).encode()).cells
    assert (kept.outputs, kept.execution_count) == ([], None)


def test_formats_2_and_3_are_read() -> None:
    old = {"cell_type": "code", "language": "python", "outputs": [], "input": "x = 3", "collapsed": False}
    for version in (2, 3):
        notebook = {
            "nbformat": version,
            "nbformat_minor": 0,
            "metadata": {"name": ""},
            "worksheets": [{"cells": [old]}],
        }
        assert sources(notebook) == ["x = 3"]
        assert sources({**notebook, "nbformat": "old"}) == ["x = 3"]


REFUSED = {
    "an empty file": (b"", "the file is empty"),
    "white space": (b" \n", "the file is empty"),
    "a PDF": (b"%PDF-1.7\n\xe2\xe3", "it is a PDF"),
    "a web page": (b"<!DOCTYPE html><p>Sign in</p>", "it is a web page"),
    "an archive": (b"PK\x03\x04\xff\xfe", "it is a ZIP archive"),
    "a text": (b"x = 1", "it is not JSON"),
    "bytes": (bytes(range(128, 256)), "it is not JSON"),
    "half a notebook": (b'{"cells": [', "cut off or damaged"),
    "a list": (b"[]", 'it has no "cells"'),
    "another JSON file": (b'{"a": 1}', 'it has no "cells"'),
    "cells that are no list": (b'{"nbformat": 4, "cells": {}}', '"cells" are not a list'),
    "an old format without its parts": (b'{"nbformat": 3, "worksheets": 5}', "damaged notebook"),
    "nesting without end": (b'{"cells": ' + b"[" * 100_000, "nested without end"),
    "a number without end": (b'{"cells": ' + b"1" * 5000 + b"}", "cut off or damaged"),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_notebook_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(NotebookUnreadable, match=reason):
        parse_notebook(data)


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=100, deadline=None)
def test_whatever_the_bytes_nothing_but_the_refusal_is_raised(data: bytes) -> None:
    with contextlib.suppress(NotebookUnreadable):
        nbformat.validate(parse_notebook(data))


@given(
    st.dictionaries(
        st.sampled_from(["cell_type", "source", "metadata", "id", "attachments", "outputs"]), JSON
    )
)
@settings(max_examples=100, deadline=None)
def test_whatever_a_cell_holds_the_notebook_is_valid(parts: dict[str, Any]) -> None:
    nbformat.validate(parse_notebook(json.dumps(content(parts, cell())).encode()))


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_bytes(b"abc")
    assert read_bytes(tmp_path / "a.ipynb") == b"abc"
    assert read_bytes(tmp_path / "a.ipynb", max_bytes=3) == b"abc"


def test_a_file_that_is_too_large_is_not_read_and_the_student_learns_what_to_do(tmp_path: Path) -> None:
    with (tmp_path / "a.ipynb").open("wb") as file:
        file.truncate(300 << 20)
    with pytest.raises(NotebookUnreadable, match=r"300 MB, more than the 50 MB allowed; clear the outputs"):
        read_bytes(tmp_path / "a.ipynb")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotebookUnreadable, match="not a regular file"):
        read_bytes(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotebookUnreadable, match="not a regular file"):
        read_bytes(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "nothing")


def test_a_file_that_the_machine_cannot_read_is_no_fault_of_the_student(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.ipynb").write_bytes(b"abc")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(PermissionError):
        read_bytes(tmp_path / "a.ipynb")
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        read_named(tmp_path / "a.ipynb")


def old_cells(*cells: dict[str, Any], version: int) -> dict[str, Any]:
    return {"nbformat": version, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": list(cells)}]}


def test_a_heading_of_version_3_is_read_whether_its_text_is_a_list_or_not() -> None:
    code = {"cell_type": "code", "language": "python", "input": ["x = 1\n", "y = 2"], "outputs": []}
    headings = [
        {"cell_type": "heading", "level": 2, "source": source} for source in (["A\n", "title"], "A title")
    ]
    assert sources(old_cells(*headings, code, version=3)) == ["## A title", "## A title", "x = 1\ny = 2"]


def test_lines_of_version_2_stay_lines() -> None:
    """Version 2 keeps lines without their ends."""
    code = {"cell_type": "code", "language": "python", "input": ["def f():", "    return 1"], "outputs": []}
    text = {"cell_type": "markdown", "source": ["a", "b"]}
    assert sources(old_cells(text, code, version=2)) == ["a\nb", "def f():\n    return 1"]


def test_the_sources_of_the_code_cells_are_read_without_the_rest() -> None:
    cells = [cell(["x = 1\n", "y"]), cell("# Text", cell_type="markdown"), cell(None), 5]
    assert code_sources(content(*cells)) == ["x = 1\ny", ""]
    assert code_sources({"cells": 5}) == []
    assert code_sources({"worksheets": []}) == []


def test_a_notebook_has_no_more_cells_than_anybody_writes() -> None:
    def of(cells: int) -> bytes:
        return json.dumps({"cells": [{"cell_type": "raw", "source": ""}] * cells, "nbformat": 4}).encode()

    assert len(parse_notebook(of(MAX_CELLS)).cells) == MAX_CELLS
    with pytest.raises(NotebookUnreadable, match=f"{MAX_CELLS + 1} cells, more than the {MAX_CELLS}"):
        parse_notebook(of(MAX_CELLS + 1))


def test_code_that_nobody_has_written_is_neither_read_nor_run() -> None:
    def kinds(*sources: str) -> tuple[list[str], list[str]]:
        cells = [{"cell_type": "code", "source": source} for source in sources]
        repairs: list[str] = []
        made = parse_notebook(json.dumps({"cells": cells, "nbformat": 4}).encode(), repairs)
        return [cell.cell_type for cell in made.cells], repairs

    half = "1+" * (MAX_TOKENS // 4 + 1)
    text = f"data = '{half * 4}'"
    assert kinds(half, text, "!ls 'a", "x = 1") == (["code"] * 4, [])
    found, told = kinds(half, text, half, "x = 1")
    assert found == ["code", "code", "raw", "code"]
    assert told == [TOO_LONG.format(3)]


CODE_3 = {"cell_type": "code", "language": "python", "outputs": [], "collapsed": False, "metadata": {}}
OLD = {
    "1": {
        "nbformat": 1,
        "cells": [{"cell_type": "text", "text": "a"}, {"cell_type": "code", "code": "x = 1\ny"}],
    },
    "1 that does not say so": {"cells": [{"cell_type": "code", "code": "x = 1\ny"}]},
    "2": {"nbformat": 2, "metadata": {}, "worksheets": [{"cells": [{**CODE_3, "input": ["x = 1", "y"]}]}]},
    "3": {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [{**CODE_3, "input": ["x = 1\n", "y"]}]}]},
    "3 without metadata": {"nbformat": 3, "worksheets": [{"cells": [{**CODE_3, "input": "x = 1\ny"}]}]},
    "3 on two sheets": {
        "nbformat": 3,
        "metadata": {},
        "worksheets": [{"cells": [{**CODE_3, "input": "x = 1\ny"}]}, {"cells": [{**CODE_3, "input": "z"}]}],
    },
}


@pytest.mark.parametrize("old", OLD.values(), ids=OLD)
def test_an_old_format_has_the_code_that_nbformat_reads(old: dict[str, Any]) -> None:
    data = json.dumps(old).encode()
    cells = [cell.source for cell in parse_notebook(data).cells if cell.cell_type == "code"]
    assert cells[0] == "x = 1\ny"
    assert code_sources(load_json(data)) == cells
    if "metadata" in old or "1" in str(old.get("nbformat", 1)):
        read = nbformat.reads(data.decode(), as_version=4)
        assert [cell.source for cell in read.cells if cell.cell_type == "code"] == cells


def test_a_heading_of_an_old_format_is_a_heading() -> None:
    heading = {"cell_type": "heading", "level": 2, "metadata": {}, "source": ["Title"]}
    old = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [heading]}]}
    (cell,) = parse_notebook(json.dumps(old).encode()).cells
    assert (cell.cell_type, cell.source) == ("markdown", "## Title")
