"""A run keeps the tasks and the course's own answers for those who grade, and writes them nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
from support import RIGHT, write_course

from grader.batch.grade_folder import Options, grade_folder
from grader.store import Store


def test_a_run_keeps_the_task_and_the_courses_answer_and_no_page_has_them(tmp_path: Path) -> None:
    folder = write_course(tmp_path, anna=RIGHT)
    path = tmp_path / "reference" / "tiny" / "notebook.ipynb"
    notebook = nbformat.read(path, 4)
    answer = nbformat.v4.new_markdown_cell(
        "Why?<!-- BEGIN SOLUTION -->\nbecause of the rank<!-- END SOLUTION -->",
        metadata={"grader": {"question": "essay"}},
    )
    notebook.cells.append(answer)
    nbformat.write(notebook, path)
    assert grade_folder(folder, "tiny", tmp_path, tmp_path / "out", 1, Options(unsafe=True)) == 0
    with Store(tmp_path / "out" / "grader.db") as store:
        kept = json.loads(store.get_sheet("tiny"))
    assert [cell["source"] for cell in kept["essay"]["answer"]] == ["because of the rank"]
    written = [file for file in (tmp_path / "out").rglob("*") if file.suffix in (".html", ".json", ".ipynb")]
    assert any(file.name == "feedback.html" for file in written)
    assert not any("because of the rank" in file.read_text(encoding="utf-8") for file in written)
