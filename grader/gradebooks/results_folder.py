"""What a folder of results holds for a gradebook: the rubric that it was made with, and the scores."""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import ValidationError

from grader.course.rubric import Rubric
from grader.errors import UsageError
from grader.gradebooks.book import Book, rows_of
from grader.store import Store

LOG = logging.getLogger(__name__)
RUBRIC, DATABASE = "rubric.json", "grader.db"


def load_rubric_of(out: Path) -> Rubric:
    """Return the rubric with which a folder of results was made; raise UsageError if it has none."""
    try:
        return Rubric.model_validate_json((out / RUBRIC).read_bytes())
    except FileNotFoundError as error:
        advice = "run `grader grade FOLDER` first, or give --out"
        raise UsageError(f"there are no results in {out}; {advice}") from error
    except (OSError, ValidationError) as error:
        raise UsageError(
            f"{out / RUBRIC} cannot be read; run `grader grade FOLDER` again: {error}"
        ) from error


def open_store(out: Path, database: str | None = None) -> Store:
    """Return the database of a folder of results, or the one at an address; raise UsageError if none is."""
    if database is None and not (out / DATABASE).is_file():
        raise UsageError(f"there are no results in {out}; run `grader grade FOLDER` first, or give --out")
    return Store(database or out / DATABASE, LOG.warning)


def load_book(out: Path, database: str | None = None) -> Book:
    """Return the gradebook of the assignment whose results are in a folder."""
    rubric = load_rubric_of(out)
    with open_store(out, database) as store:
        scores = (kept.score for kept in store.kept_scores(rubric.assignment))
        return Book(rubric, rows_of(scores, rubric), out)
