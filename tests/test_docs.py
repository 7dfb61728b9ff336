"""Every command line of the documentation is understood, and runs; what a page promises of the site is there.

A page that another test follows step by step is listed in FOLLOWED. The commands of all other pages are run here in the
order of the page, in a small course: names that stand for something are replaced, and a proof takes one seed.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
import yaml
from pypdf import PdfWriter
from support import RIGHT, ROOT, WRONG, notebook
from support_verify import make_course

from grader.cli.main import cli
from grader.course.rubric_file import load_rubric
from grader.student.make_kit import build_kit

PAGES = [
    ROOT / "README.md",
    *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
FOLLOWED = {  # by page: the test that runs its commands, and those that it runs
    "course.md": ("test_course_page.py", r"grade|choose|export moodle|summary|similar"),
    "first_steps.md": ("test_docs.py", r".*"),
    "students.md": ("student/test_documented.py", r"check"),
    "tutorial.md": ("test_tutorial.py", r".*"),
}
ELSEWHERE = {  # what needs another machine: by an option, the test that has one
    "--cluster": "batch/test_cluster.py",
    "--database": "store/test_postgres.py",
    "--accounts": "web/test_site.py",
    "--user-header": "web/test_site.py",
}
PLACEHOLDERS = {
    "FOLDER": "submissions/tiny",
    "NAME": "tiny",
    "kl_divergence": "double",
    "../last_year": str(ROOT),
    "sheet_1": "softmax",
    "/srv/course/results": "results",
    "/srv/kits/week_3": "kits",
    "softmax-submissions": "submissions/tiny",
}
CODE = re.compile(
    r"^(?: {4}){0,2}!?(?:\.venv/bin/)?((?:grader|pytest|make|pip|python) [^\n]*?)(?: {2,}[^\n]*)?$"
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def commands(page: Path) -> list[str]:
    """Return the command lines in the code of a page, without what explains them."""
    found, fenced = [], ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("```"):
            fenced = "" if fenced else line.strip("` ") or "text"
        elif (line.startswith("    ") if not fenced else fenced == "sh") and (match := CODE.match(line)):
            found.append(match[1].strip())
    return found


def ours(page: Path) -> list[str]:
    return [line for line in commands(page) if line.startswith("grader ") and "-----" not in line]


ALL = [(page, line) for page in PAGES for line in ours(page)]


def test_the_pages_have_commands() -> None:
    assert len(ALL) >= 60
    assert {"new", "grade", "check", "verify", "pdf", "serve"} <= {line.split()[1] for _, line in ALL}


def in_workflows() -> list[tuple[Path, str]]:
    """Return the commands in the workflows that the pages offer."""
    found = []
    for path in sorted((ROOT / "docs" / "ci").glob("*.yml")):
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            for step in job["steps"]:
                text = f"{step.get('run', '')}\n{step.get('with', {}).get('command', '')}"
                found += [(path, line) for line in text.splitlines() if line.startswith("grader ")]
    return found


def test_the_workflows_have_commands_and_report_each_step() -> None:
    assert len(in_workflows()) == 3
    classroom = yaml.safe_load((ROOT / "docs" / "ci" / "classroom.yml").read_text(encoding="utf-8"))
    *_, report = steps = classroom["jobs"]["run-autograding-tests"]["steps"]
    runners = [step["id"] for step in steps if "id" in step]
    assert report["with"]["runners"].split(",") == runners
    results = {f"{each.upper()}_RESULTS": f"${{{{ steps.{each}.outputs.result }}}}" for each in runners}
    assert report["env"] == results
    rubric = load_rubric(ROOT / "rubrics" / "softmax.yaml")
    points = {question.id: question.points for question in rubric.questions}
    assert {step["id"]: step["with"]["max-score"] for step in steps if "id" in step} == {
        each: points[each] for each in runners
    }


@pytest.mark.parametrize(
    ("page", "line"), [*ALL, *in_workflows()], ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_command_has_the_options_that_the_page_gives_it(page: Path, line: str) -> None:
    command: click.Command = cli
    context, words = None, shlex.split(line)
    while isinstance(command, click.Group) and len(words) > 1:
        _, name, *words = words
        assert name in command.commands, line
        command, context = command.commands[name], click.Context(command, parent=context)
        words = [name, *words]
    command.make_context(words[0], words[1:], parent=context)


def is_elsewhere(page: Path, line: str) -> bool:
    """Whether another test runs a command."""
    _, what = FOLLOWED.get(page.name, ("", "$."))
    by_option = any(f" {option}" in line for option in ELSEWHERE)
    return bool(re.match(rf"grader (?:{what})", line)) or by_option or "--watch" in line


HERE = [page for page in PAGES if any(not is_elsewhere(page, line) for line in ours(page))]


def test_the_tests_that_follow_a_page_are_there() -> None:
    for name, (test, _) in FOLLOWED.items():
        assert f'"{name}"' in (ROOT / "tests" / test).read_text(encoding="utf-8"), name
    for option, test in ELSEWHERE.items():
        text = (ROOT / "tests" / test).read_text(encoding="utf-8")
        assert option.strip("-").replace("-", "_").removeprefix("user_") in text, option


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small course with results, beside the reference of exercise 11 and what pages give a name."""
    root = tmp_path_factory.mktemp("docs")
    rubric = make_course(root)
    rubric.write_text(rubric.read_text().replace("points: 2, manual", "points: 4, manual"), encoding="utf-8")
    for name, source in {"anna": RIGHT, "bert": WRONG}.items():
        path = root / "submissions" / "tiny" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(notebook(source), encoding="utf-8")
    shutil.copytree(ROOT / "reference" / "exercise_11", root / "reference" / "exercise_11")
    shutil.copy(ROOT / "rubrics" / "exercise_11.yaml", root / "rubrics")
    shutil.copy(ROOT / "reference" / "exercise_11" / "notebook.ipynb", root / "exercise_11.ipynb")
    shutil.copy(ROOT / "tests" / "derivation" / "texts" / "softmax.md", root / "derivation.md")
    (root / "hand_out").mkdir()
    for name, data in build_kit("softmax", ROOT).items():
        (root / "hand_out" / name).write_bytes(data)
    shutil.copy(ROOT / "reference" / "softmax" / "notebook.ipynb", root / "softmax.ipynb")
    for archive in ("submissions", "last_year"):
        shutil.make_archive(str(root / archive), "zip", root / "submissions" / "tiny")
    (root / "numerical_notebook_grader-0.1.0-py3-none-any.whl").write_bytes(b"a wheel")
    (root / "Grades.csv").write_text(
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed\n"
        "Participant 1,anna,anna@example.org,Submitted for grading,,4.00,Yes\n"
        "Participant 2,bert,bert@example.org,Submitted for grading,,4.00,Yes\n",
        encoding="utf-8",
    )
    (root / "classroom_roster.csv").write_text("identifier,name\nanna,Anna\nbert,Bert\n", encoding="utf-8")
    for name in ("problem_1.pdf", "problem_2.pdf"):
        writer = PdfWriter()
        writer.add_blank_page(200, 200)
        writer.write(root / name)
    assert run("grader grade submissions/tiny", root).returncode == 0
    return root


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of a page as it is, but for placeholders and what would take long."""
    for name, meant in PLACEHOLDERS.items():
        line = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w.])", meant, line)
    for name in ("softmax", "week_3"):
        if not (folder / "rubrics" / f"{name}.yaml").exists() and not line.startswith(
            ("grader new", "grader check")
        ):
            line = re.sub(rf"\b{name}\b", "tiny", line)
    _, command, *rest = shlex.split(line)
    if command == "verify" or (command == "grade" and "exercise_11" in rest):
        rest = ["tiny" if word == "exercise_11" else word for word in rest]
    if command == "show" and rest == ["tiny"]:
        rest = ["anna"]
    rest += ["--unsafe"] if command in ("grade", "regrade") else []
    if command == "new":
        rest = [str(ROOT) if word == "." else word for word in rest]
        rest += [] if "--gallery" in rest else ["--gallery", str(ROOT)]
    proves = command == "verify" and not {"--renew", "--separation"} & set(rest)
    rest += ["--seeds", "1", "--jobs", "1"] if proves else []
    rest += ["--only", "reference"] if proves and "--only" not in rest else []
    words = [sys.executable, "-m", "grader", command, *rest]
    if command != "serve":
        return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    process = subprocess.Popen([*words, "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    shown = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate()
    code = 0 if shown.startswith("Open this in a browser") else 1  # the signal may come before it listens
    return subprocess.CompletedProcess(words, code, shown, "")


@pytest.mark.parametrize("page", HERE, ids=lambda page: page.name)
def test_the_commands_of_a_page_run_one_after_the_other(page: Path, course: Path, tmp_path: Path) -> None:
    folder = tmp_path / "course"
    shutil.copytree(course, folder)
    for line in ours(page):
        if is_elsewhere(page, line):
            continue
        done = run(line, folder)
        says_no = re.match(r"grader (?:doctor|derivation|release \S+ --check)", line)
        assert done.returncode in ((0, 1) if says_no else (0,)), f"{line}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, line


FIRST = "first_steps.md"
STEPS = re.findall(
    r"<!-- (run|output) -->\n```\w+\n(.*?)```", (ROOT / "docs" / FIRST).read_text(encoding="utf-8"), re.S
)


def test_the_first_steps_print_what_the_page_says(tmp_path: Path) -> None:
    printed = ""
    for what, text in STEPS:
        if what == "run":
            done = [run(line, tmp_path) for line in text.splitlines()]
            assert {each.returncode for each in done} <= ({0, 1} if "doctor" in text else {0}), done[
                -1
            ].stderr
            printed = " ".join("".join(each.stdout for each in done).split())
        else:
            assert [line for line in text.splitlines() if line not in printed] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["kit", "reference", "results", "rubrics", "submissions"]
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_installs_and_makes_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    extras = set(PROJECT["project"]["optional-dependencies"])
    for line in commands(page):
        program, *words = shlex.split(line)
        if program == "pip":
            named = {
                word
                for each in re.findall(r"numerical-notebook-grader\[([\w,]+)\]", line)
                for word in each.split(",")
            }
            assert named <= extras, line
        elif program == "make":
            assert {word for word in words if "=" not in word} <= targets, line
        elif program == "python" and words[0].endswith(".py"):
            script = (ROOT / words[0]).read_text(encoding="utf-8")
            assert [word for word in words if word.startswith("--") and word not in script] == [], line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_list_begins_after_an_empty_line(page: Path) -> None:
    """Otherwise it is no list on the site, whose Markdown is stricter than that of the repository's host."""
    lines = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S).splitlines()
    starts = [
        after
        for before, after in itertools.pairwise(lines)
        if re.match(r"(?:[-*]|\d+\.) ", after) and re.match(r"(?![-*#|<]|\d+\.)\S", before)
    ]
    assert starts == []


def test_every_page_is_in_the_navigation_of_the_site(tmp_path: Path) -> None:
    config = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    listed = set(re.findall(r"'([\w/]+\.md)'", str(config["nav"])))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, ROOT / "docs" / "lay_out.py", tmp_path / "pages"]
    subprocess.run(command, env=environment, check=True)
    laid_out = {
        path.relative_to(tmp_path / "pages").as_posix() for path in (tmp_path / "pages").rglob("*.md")
    }
    assert listed == laid_out
    page = (tmp_path / "pages" / "commands.md").read_text(encoding="utf-8")
    assert all(f"## grader {name}\n" in page for name in cli.commands)
    assert "--hand-in" in page


def test_the_links_of_the_laid_out_pages_lead_somewhere(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "docs" / "lay_out.py", tmp_path / "pages"]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    broken = []
    for page in (tmp_path / "pages").rglob("*.md"):
        text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
            if not (page.parent / target).exists():
                broken.append((page.name, target))
    assert broken == []
