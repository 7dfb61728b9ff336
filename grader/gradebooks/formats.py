"""The formats of a gradebook by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.gradebooks.book import Book
from grader.gradebooks.canvas import canvas_feedback, canvas_gradebook
from grader.gradebooks.feedback import feedback_zip
from grader.gradebooks.gradescope import gradescope_results
from grader.gradebooks.moodle import moodle_feedback, moodle_worksheet
from grader.gradebooks.spreadsheets import csv_file, json_file, nbgrader_file, xlsx_file


@dataclass(frozen=True)
class BookFormat:
    """A format: what it is, how its file is called if nobody says, and how it is made.

    `is_upload` says that a platform takes the points from it, `is_pages` that it holds the pages of feedback.
    """

    about: str
    file: str
    write: Callable[[Book], bytes]
    is_upload: bool = False
    is_pages: bool = False


FORMATS: Mapping[str, BookFormat] = {
    "csv": BookFormat("a table for spreadsheets and scripts", "gradebook.csv", csv_file),
    "xlsx": BookFormat("the same as a workbook", "gradebook.xlsx", xlsx_file),
    "json": BookFormat("the same for programs", "gradebook.json", json_file),
    "moodle": BookFormat("Moodle's grading worksheet", "moodle.csv", moodle_worksheet, is_upload=True),
    "moodle-feedback": BookFormat(
        "the pages as Moodle's feedback files", "moodle-feedback.zip", moodle_feedback, is_pages=True
    ),
    "canvas": BookFormat("Canvas's gradebook", "canvas.csv", canvas_gradebook, is_upload=True),
    "canvas-feedback": BookFormat(
        "the pages as files for Canvas", "canvas-feedback.zip", canvas_feedback, is_pages=True
    ),
    "gradescope": BookFormat("results.json of one submission", "results.json", gradescope_results),
    "nbgrader": BookFormat("the CSV of nbgrader's exporter", "nbgrader.csv", nbgrader_file, is_upload=True),
    "feedback": BookFormat(
        "the pages, named after the students", "feedback.zip", feedback_zip, is_pages=True
    ),
}
