"""What may never be: who imports whom, what the wheel holds, which words the files use."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support import ROOT

PACKAGE = ROOT / "grader"
OURS = {path.stem for path in PACKAGE.glob("*.py")} | {
    path.name for path in PACKAGE.iterdir() if path.is_dir()
}
PURE = ("checks", "course", "judge", "numerics", "report")
FORBIDDEN = (
    "grader.observe",
    "grader.store",
    "grader.batch.pool",
    "grader.flow",
    "subprocess",
    "socket",
    "multiprocessing",
)
INSIDE = {"numpy", "scipy", "IPython", "ipykernel", "matplotlib", "pandas", "psutil", "inside", "resource"}


def imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports, at any depth of its code."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def within(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_imports_nothing_that_runs_or_reads(room: str) -> None:
    files = sorted((PACKAGE / room).rglob("*.py"))
    assert files
    broken = [(f.name, n) for f in files for n in imports(f) for bad in FORBIDDEN if within(n, bad)]
    assert broken == []


def test_the_code_of_the_box_imports_nothing_of_the_rest() -> None:
    files = sorted((PACKAGE / "observe" / "inside").glob("*.py"))
    assert len(files) >= 4
    names = {name for file in files for name in imports(file)}
    assert [name for name in names if within(name, "grader")] == []
    tops = {name.split(".")[0] for name in names if not name.startswith(".")}
    foreign = tops - INSIDE - sys.stdlib_module_names
    assert foreign == set()


def test_only_the_batch_observes_and_judges() -> None:
    stages = {"grader.observe.observe_submission", "grader.judge.judge_observation"}
    importers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if all(any(within(name, stage) for name in imports(path)) for stage in stages)
    }
    assert importers == {"batch/pool.py"}


def test_the_data_flows_one_way() -> None:
    earlier = {
        "judge": ("grader.report", "grader.store"),
        "plan": ("grader.report", "grader.store"),
        "notebook": (
            "grader.judge",
            "grader.plan",
            "grader.rubric",
            "grader.report",
            "grader.store",
            "grader.observe",
        ),
    }
    broken = [
        (path.name, name)
        for room, later in earlier.items()
        for path in (PACKAGE / room).rglob("*.py")
        for name in imports(path)
        if any(within(name, bad) for bad in later)
    ]
    assert broken == []


def test_the_wheel_holds_the_package_with_its_templates_and_nothing_of_a_course(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"grader"}
    for needed in (
        "report/templates/style.css",
        "report/templates/course.js",
        "observe/inside/wire.py",
        "cli/main.py",
    ):
        assert f"grader/{needed}" in names
    assert not [name for name in names if name.endswith((".ipynb", ".yaml"))]


def test_the_lock_has_a_hash_for_every_package_and_names_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = [
        block for block in text.replace("\\\n", " ").splitlines() if block and not block.startswith("#")
    ]
    assert len(blocks) > 50
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert "http" not in text


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_a_file_opens_with_what_it_is_for_and_stays_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text:
        assert ast.get_docstring(ast.parse(text)), "a module opens with what it is for"
    assert text.count("\n") <= 400
    assert str(ROOT) not in text
