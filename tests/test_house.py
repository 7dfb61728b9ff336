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
PURE = ("checks", "course", "derivation", "judge", "numerics", "report", "similar")
FORBIDDEN = (
    "grader.observe",
    "grader.store",
    "grader.batch.pool",
    "subprocess",
    "socket",
    "multiprocessing",
)
INSIDE = {
    "numpy",
    "scipy",
    "IPython",
    "ipykernel",
    "jupyter_client",
    "matplotlib",
    "pandas",
    "psutil",
    "traitlets",
    "inside",
    "resource",
}


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


@pytest.mark.parametrize("package", PURE)
def test_a_pure_package_imports_nothing_that_runs_or_reads(package: str) -> None:
    files = sorted((PACKAGE / package).rglob("*.py"))
    assert files
    broken = [(f.name, n) for f in files for n in imports(f) for bad in FORBIDDEN if within(n, bad)]
    assert broken == []


def test_the_code_of_the_box_imports_nothing_of_the_rest() -> None:
    files = sorted((PACKAGE / "inside").glob("*.py"))
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


def test_the_core_imports_nothing_that_reads_what_a_student_made() -> None:
    """A notebook is parsed and shown by handlers; the core knows the form of their answers."""
    core = [
        *(PACKAGE / "observe").glob("*.py"),
        *(PACKAGE / "batch").glob("*.py"),
        *(PACKAGE / "store").glob("*.py"),
    ]
    readers = ("grader.handler", "grader.notebook", "nbformat", "nbclient", "markdown_it", "pygments")
    allowed = ("grader.handler.job", "grader.notebook.sources")
    broken = [
        (file.name, name)
        for file in core
        for name in imports(file)
        if any(within(name, reader) for reader in readers) and not any(within(name, good) for good in allowed)
    ]
    assert broken == []


def test_words_of_people_are_the_only_markdown_that_the_core_makes_html_of() -> None:
    makers = {
        (str(path.relative_to(PACKAGE)), name)
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] not in ("handler", "pdf", "observe", "inside", "student")
        for name in imports(path)
        if within(name, "grader.handler") and name.count(".") == 3
    }
    shown = "grader.handler.safe_html.show_markdown"
    pages = {(name, shown) for name in ("report/pages.py", "web/visit.py")}
    assert {each for each in makers if "safe_html" in each[1]} == pages


def test_the_web_application_reads_no_notebook_and_starts_nothing_but_regrade() -> None:
    files = sorted((PACKAGE / "web").glob("*.py")) + sorted((PACKAGE / "manual").glob("*.py"))
    bad = ("grader.notebook", "grader.observe", "grader.judge", "grader.inside", "nbformat", "subprocess")
    found = {(f.name, n) for f in files for n in imports(f) for b in bad if within(n, b)}
    assert {each for each in found if "safe_text" not in each[1]} == {("jobs.py", "subprocess")}


def packages_used() -> dict[str, set[str]]:
    """Return which parts of grader (packages, and modules of its top level) each part imports, at any depth."""
    used: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        part = path.relative_to(PACKAGE).with_suffix("").parts[0]
        names = {name.split(".")[1] for name in imports(path) if name.startswith("grader.")}
        used.setdefault(part, set()).update(names & OURS - {part})
    return used


def test_no_part_of_grader_needs_itself_by_way_of_others() -> None:
    used = packages_used()
    for lazy in ("__init__", "__main__"):  # they import what they use when it is used
        used.pop(lazy)
    used["student"].discard("cli")
    while free := {part for part, needs in used.items() if not needs & used.keys()}:
        used = {part: needs for part, needs in used.items() if part not in free}
    assert used == {}


MAY_USE = {
    "subjects": set(),
    "cache": set(),
    "project": set(),
    "reading": set(),
    "explanations": {"subjects"},
    "decision": set(),
    "given_answer": set(),
    "attempt": set(),
    "csv_table": set(),
    "counted": set(),
    "moodle_table": set(),
    "written": set(),
    "records": {"attempt", "decision", "reading", "written"},
    "final": {"decision", "records"},
    "errors": {"decision"},
    "inside": set(),
    "decode": {"inside", "records"},
    "outcome": {"decode", "inside", "records"},
    "codec": {"decode", "inside", "reading", "records", "written"},
    "numerics": {"errors", "explanations", "records", "subjects"},
    "checks": {"errors", "numerics", "reading", "records", "subjects", "written"},
    "notebook": {"errors", "reading", "subjects"},
    "handler": {
        "codec",
        "decode",
        "derivation",
        "errors",
        "inside",
        "notebook",
        "outcome",
        "reading",
        "records",
        "subjects",
        "written",
    },
    "course": {"final", "checks", "errors", "notebook", "numerics", "reading", "records", "subjects"},
    "plan": {
        "cache",
        "checks",
        "course",
        "decode",
        "derivation",
        "errors",
        "explanations",
        "inside",
        "numerics",
        "reading",
        "records",
        "subjects",
        "written",
    },
    "judge": {
        "checks",
        "course",
        "decode",
        "errors",
        "explanations",
        "numerics",
        "plan",
        "reading",
        "records",
        "subjects",
    },
    "store": {"codec", "decision", "errors", "final", "given_answer", "project", "reading", "records"},
    "manual": {
        "decision",
        "errors",
        "exports",
        "final",
        "given_answer",
        "inside",
        "project",
        "records",
        "similar",
        "store",
    },
    "report": {"attempt", "course", "handler", "reading", "records", "written"},
    "exports": {"course", "errors", "records"},
    "intake": {"attempt", "counted", "csv_table", "errors", "moodle_table", "notebook"},
    "similar": set(),
    "gradebooks": {
        "attempt",
        "counted",
        "course",
        "csv_table",
        "errors",
        "exports",
        "moodle_table",
        "project",
        "records",
        "report",
        "store",
    },
    "pdf": {"errors", "notebook", "project"},
    "derivation": {"errors", "written"},
}


@pytest.mark.parametrize("part", MAY_USE)
def test_a_part_uses_only_what_lies_below_it(part: str) -> None:
    assert packages_used()[part] <= MAY_USE[part]


def test_no_two_files_have_the_same_name() -> None:
    names = [path.name for path in PACKAGE.rglob("*.py") if path.name not in ("__init__.py", "__main__.py")]
    assert sorted(names) == sorted(set(names))


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
        "web/templates/grade.html",
        "web/static/grading.js",
        "inside/wire.py",
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
    assert "://" not in text


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_a_file_opens_with_what_it_is_for_and_stays_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text:
        assert ast.get_docstring(ast.parse(text)), "a module opens with what it is for"
    assert text.count("\n") <= 400
    assert str(ROOT) not in text
