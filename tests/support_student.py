"""What the tests of the student's side share: the kit of exercise 11, and notebooks made of cells."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Literal

from support import ROOT, notebook

from grader.notebook.cells import read_sources
from grader.notebook.sources import code_sources, load_json
from grader.student.checker import Report, check_functions
from grader.student.functions import NotebookFunctions
from grader.student.kit import Kit, read_kit
from grader.student.make_kit import build_kit
from grader.student.worker import Way

CHECKS = "exercise_11.checks.json"
REFERENCE = ROOT / "reference" / "exercise_11"


@functools.cache
def kit_files() -> dict[str, bytes]:
    """Return the files of the kit of exercise 11; made once, and the same for every test."""
    return build_kit("exercise_11", ROOT)


def write_kit_to(folder: Path) -> Kit:
    """Write the kit into a folder that a test uses, and read it from there."""
    for name, data in kit_files().items():
        (folder / name).write_bytes(data)
    return read_kit(folder / CHECKS)


def solved() -> bytes:
    """Return the handed-out notebook with right solutions in it."""
    return (REFERENCE / "notebook.ipynb").read_bytes()


def edited(*edits: tuple[str, str]) -> bytes:
    """Return the right notebook with pieces of its code replaced, each of which occurs once."""
    content = json.loads(solved())
    cells = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    for old, new in edits:
        assert sum(cell.count(old) for cell in cells) == 1, old
        cells = [cell.replace(old, new) for cell in cells]
    return notebook(*cells).encode()


def reports_of(kit: Kit, data: bytes, *names: str, way: Way | Literal["here"] = "here") -> dict[str, Report]:
    """Return the reports of the functions of a notebook."""
    code = read_sources(code_sources(load_json(data)))
    functions = NotebookFunctions(code, kit.functions)
    wanted = names or tuple(kit.functions)
    return {r.function.name: r for r in check_functions(kit, functions, wanted, way)}


def solutions() -> list[str]:
    """Return the texts between the solution markers of the reference."""
    content = json.loads(solved())
    texts = ["".join(cell["source"]) for cell in content["cells"]]
    pattern = r"(?:###|<!--) BEGIN SOLUTION(?: -->)?(.*?)(?:###|<!--) END SOLUTION"
    return [found for text in texts for found in re.findall(pattern, text, re.S)]
