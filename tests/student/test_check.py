"""`grader check`: right functions pass, wrong ones are told what does not hold and where it can be seen."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from support import notebook
from support_student import edited, reports_of, solved, write_kit_to

from grader.cli.main import main
from grader.errors import KitError
from grader.records import VerdictKind
from grader.student.checker import Report
from grader.student.home import Finding
from grader.student.isolation import CAN_FORK
from grader.student.kit import Kit, find_kit
from grader.student.report_lines import exit_code, lines_of, summary
from grader.student.worker import Way

WAYS: tuple[Way, ...] = ("fork", "spawn") if CAN_FORK else ("spawn",)
HALF = ('4.0 * np.einsum("ij,ijd->id"', '2.0 * np.einsum("ij,ijd->id"')
NO_SQUARE = ("forces = (np.asarray(P)", "inverse = np.sqrt(inverse)\n    forces = (np.asarray(P)")


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return write_kit_to(tmp_path_factory.mktemp("kit"))


def finding(report: Report, check: str) -> Finding:
    return next(found for found in report.findings if found.check == check)


def text(report: Report, width: int = 80) -> str:
    return "\n".join(lines_of(report, width))


def run(*arguments: str) -> tuple[int, str]:
    """Run the command line; return its exit code and what it printed."""
    out = io.StringIO()
    with redirect_stdout(out), pytest.raises(SystemExit) as ending:
        main(list(arguments))
    return int(ending.value.code or 0), out.getvalue()


def test_the_right_notebook_passes_every_public_check(kit: Kit) -> None:
    reports = reports_of(kit, solved())
    failed = [
        (r.function.name, f) for r in reports.values() for f in r.findings if f.kind != VerdictKind.PASSED
    ]
    assert failed == []
    assert sum(len(report.findings) for report in reports.values()) >= 26
    assert exit_code(reports.values()) == 0


def test_a_gradient_of_half_the_size_is_told_so_with_the_entry_and_the_input(kit: Kit) -> None:
    report = reports_of(kit, edited(HALF), "tsne_gradient")["tsne_gradient"]
    found = finding(report, "gradient")
    assert found.kind is VerdictKind.FAILED
    assert "the constant factor 0.5" in found.found
    assert found.worst == "entry [0, 0]: yours is 0.08846, the slope of your kl_divergence is 0.1769"
    assert "Y = [[0, 0], [1, 0], [0, 2]]" in found.input
    assert "4 sum_j" in found.look
    assert found.plot is not None
    assert finding(report, "sums_to_zero").kind is VerdictKind.PASSED


def test_the_gradient_is_that_of_the_students_own_cost(kit: Kit) -> None:
    double = ("return float(np.sum(P[counted]", "return 2 * float(np.sum(P[counted]")
    twice = (HALF[0], HALF[0].replace("4.0", "8.0"))
    reports = reports_of(kit, edited(double, twice), "kl_divergence", "tsne_gradient")
    assert finding(reports["tsne_gradient"], "gradient").kind is VerdictKind.PASSED
    assert finding(reports["kl_divergence"], "values").kind is VerdictKind.FAILED


def test_a_gradient_waits_for_its_cost(kit: Kit) -> None:
    gradient = "import numpy as np\ndef tsne_gradient(P, Y):\n    return np.zeros_like(Y) + 1.0"
    cost = "def kl_divergence(P, Y):\n    raise NotImplementedError"
    for cells, words in ((gradient, cost), "still as it was handed out"), ((gradient,), "kl_divergence"):
        report = reports_of(kit, notebook(*cells).encode(), "tsne_gradient")["tsne_gradient"]
        found = finding(report, "gradient")
        assert found.kind is VerdictKind.INCONCLUSIVE
        assert words in found.found
        assert finding(report, "rotation").kind is VerdictKind.FAILED


def test_a_cost_that_fails_is_named(kit: Kit) -> None:
    cells = ("def tsne_gradient(P, Y):\n    return Y", "def kl_divergence(P, Y):\n    return P.nothing")
    report = reports_of(kit, notebook(*cells).encode(), "tsne_gradient")["tsne_gradient"]
    found = finding(report, "gradient")
    assert (found.kind, "your kl_divergence" in found.found) == (VerdictKind.INCONCLUSIVE, True)


@pytest.mark.parametrize(
    ("edit", "function", "check", "words"),
    [
        (
            ("np.fill_diagonal(inverse, 0.0)", "pass"),
            "low_dimensional_similarities",
            "diagonal",
            "the diagonal is [",
        ),
        (
            ("return inverse / inverse.sum()", "return inverse"),
            "low_dimensional_similarities",
            "sum",
            "the sum is ",
        ),
        (("    return X @ W1 @ W2", "    return (X @ W1 @ W2).T"), "reconstruct", "values", "transposed"),
        (
            ("singular_values[k:] ** 2", "singular_values[k:]"),
            "minimum_error",
            "values",
            "yours is 1.5, right is 4.5",
        ),
        (
            ("return directions.T, directions", "return directions, directions.T"),
            "fit_linear_autoencoder",
            "shape_of_w1",
            "(1, 2)",
        ),
        (
            ("def fit_linear_autoencoder(X, k):", "def fit_linear_autoencoder(X, k):\n    X -= 1"),
            "fit_linear_autoencoder",
            "input_untouched",
            "changed its input",
        ),
        (
            ("    return X @ W1 @ W2", "    return undefined @ X"),
            "reconstruct",
            "values",
            "NameError: name 'undefined'",
        ),
    ],
    ids=["diagonal", "sum", "transposed", "not squared", "swapped", "in place", "raises"],
)
def test_a_mistake_is_told_in_plain_words(
    kit: Kit, edit: tuple[str, str], function: str, check: str, words: str
) -> None:
    report = reports_of(kit, edited(edit), function)[function]
    found = finding(report, check)
    assert found.kind is VerdictKind.FAILED
    assert words in found.found + found.worst
    assert " = " in found.input
    assert len(found.look) > 30 or "NameError" in words


def test_an_error_names_the_line_of_the_cell(kit: Kit) -> None:
    source = "def reconstruct(X, W1, W2):\n    Z = X @ W1\n    return Z @ W3"
    report = reports_of(kit, notebook("x = 1", source).encode(), "reconstruct")["reconstruct"]
    assert "code cell 2, line 3: return Z @ W3" in finding(report, "values").found


def test_what_stands_as_handed_out_takes_one_line(kit: Kit) -> None:
    source = 'def reconstruct(X, W1, W2):\n    """Return it."""\n    raise NotImplementedError'
    reports = reports_of(kit, notebook(source).encode(), "reconstruct", "minimum_error")
    assert lines_of(reports["reconstruct"]) == ["– reconstruct is still as it was handed out"]
    assert "✗ " in text(reports["minimum_error"])
    assert "does not define a function" in text(reports["minimum_error"])
    assert exit_code(reports.values()) == 1


def test_the_notebook_is_not_run(kit: Kit, tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    cells = (f"open({str(witness)!r}, 'w')", "def reconstruct(X, W1, W2):\n    return X @ W1 @ W2")
    report = reports_of(kit, notebook(*cells).encode(), "reconstruct")["reconstruct"]
    assert report.passed == 1
    assert not witness.exists()


@pytest.mark.parametrize("way", WAYS)
def test_an_endless_loop_costs_its_limit_once_and_says_where_it_was(kit: Kit, way: Way) -> None:
    short = Kit(**{**vars(kit), "seconds": 0.3})
    loop = "def low_dimensional_similarities(Y):\n    while True:\n        pass"
    cost = "def kl_divergence(P, Y):\n    return low_dimensional_similarities(Y).sum()"
    gradient = "def tsne_gradient(P, Y):\n    return 0 * Y"
    cells = notebook(loop, cost, gradient, "def reconstruct(X, W1, W2):\n    return X @ W1 @ W2").encode()
    names = ("low_dimensional_similarities", "kl_divergence", "tsne_gradient", "reconstruct")
    reports = reports_of(short, cells, *names, way=way)
    first, *rest = reports["low_dimensional_similarities"].findings
    assert (first.kind, first.late) == (VerdictKind.FAILED, True)
    assert "did not finish in time" in first.found
    assert "code cell 1, line " in first.found
    assert [each.kind for each in rest] == [VerdictKind.INCONCLUSIVE] * 2
    needs = "it needs low_dimensional_similarities, which does not finish"
    assert [each.found for each in reports["kl_divergence"].findings] == [needs]
    assert finding(reports["tsne_gradient"], "gradient").kind is VerdictKind.INCONCLUSIVE
    assert reports["reconstruct"].passed == 1


def test_the_random_state_of_the_student_stays(kit: Kit) -> None:
    np.random.seed(5)
    before = np.random.get_state()[1].copy()  # type: ignore[index, union-attr]
    reports_of(kit, solved(), "initialize_Q_P")
    assert np.array_equal(np.random.get_state()[1], before)  # type: ignore[index]


def test_every_call_draws_the_same_as_in_the_grading_whatever_was_called_before(kit: Kit) -> None:
    source = (
        "import numpy as np\nseen = []\ndef reconstruct(X, W1, W2):\n"
        "    seen.append((np.random.rand(), np.random.default_rng().random()))\n"
        "    return X @ W1 @ W2 + len(set(seen)) - 1"
    )
    reports = reports_of(kit, notebook(source).encode(), "reconstruct")
    assert reports["reconstruct"].passed == 1


def test_prints_and_warnings_of_a_function_are_not_shown(
    kit: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "import warnings\ndef reconstruct(X, W1, W2):\n    print('noise')\n    warnings.warn('noise')\n    return X @ W1 @ W2"
    assert reports_of(kit, notebook(source).encode(), "reconstruct")["reconstruct"].passed == 1
    assert "noise" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_terminal(kit: Kit, width: int) -> None:
    reports = reports_of(kit, edited(HALF, ("singular_values[k:] ** 2", "singular_values[k:]")))
    lines = [line for report in reports.values() for line in lines_of(report, width)]
    assert max(map(len, lines)) <= width


def test_the_sentence_at_the_end_counts_everything(kit: Kit) -> None:
    reports = reports_of(kit, edited(HALF), "tsne_gradient", "reconstruct")
    assert summary(list(reports.values())) == "7 public checks: 6 hold, 1 does not."


def test_the_command_says_it_all_with_exit_0_and_1(tmp_path: Path) -> None:
    write_kit_to(tmp_path)
    path = tmp_path / "exercise_11.ipynb"
    path.write_bytes(solved())
    code, out = run("check", str(path), "-f", "reconstruct", "-f", "minimum_error")
    assert (code, out.splitlines()[-1]) == (0, "2 public checks: 2 hold.")
    path.write_bytes(edited(HALF))
    code, out = run("check", str(path), "-f", "tsne_gradient")
    assert code == 1
    assert "✗ The gradient agrees" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("none.ipynb",), "there is no notebook"),
        (("README.md",), "cannot be checked"),
        (("exercise_11.ipynb", "-f", "tsne_gradiant"), "did you mean tsne_gradient?"),
        (("exercise_11.ipynb", "--kit", "none.checks.json"), "cannot be read"),
    ],
    ids=["no file", "no notebook", "unknown function", "no kit"],
)
def test_what_cannot_be_checked_is_exit_2_and_says_why(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    write_kit_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ending:
        main(["check", *arguments])
    assert ending.value.code == 2
    assert words in capsys.readouterr().err


def test_a_gradient_that_cannot_be_checked_is_exit_2() -> None:
    unclear = Report(None, (Finding("a", "A", VerdictKind.INCONCLUSIVE),))  # type: ignore[arg-type]
    assert exit_code([unclear]) == 2


BODIES = {
    "nothing": "return None",
    "zero": "return 0",
    "an empty list": "return []",
    "a dict": "return {}",
    "a long tuple": "return (1, 2, 3, 4, 5)",
    "words": "return 'x'",
    "NaN": "return float('nan')",
    "ragged rows": "return [[1], [2, 3]]",
    "an object": "return object()",
    "a vector": "return np.zeros(3)",
    "a complex number": "return 1j",
    "a generator": "yield 1",
    "half a character": "raise KeyError('\\ud800')",
    "exit": "exit()",
    "sys.exit(0)": "__import__('sys').exit(0)",
    "os._exit(0)": "__import__('os')._exit(0)",
}


def all_doing(kit: Kit, body: str) -> bytes:
    """Return a notebook in which every function does the same, whatever it is asked."""
    made = [f"def {f.name}({', '.join(f.parameters)}):\n    {body}" for f in kit.functions.values()]
    return notebook("import numpy as np", *made).encode()


# A new Python takes a while to start, and what a function returns is judged alike in it.
EVERY_WAY = [(way, body) for way in (*WAYS[:-1], "here") for body in BODIES]
EVERY_WAY += [("spawn", body) for body in ("nothing", "exit", "os._exit(0)")]


@pytest.mark.parametrize(("way", "body"), EVERY_WAY)
def test_whatever_a_function_does_every_check_has_a_verdict_and_the_end_is_no_success(
    kit: Kit, way: Way, body: str
) -> None:
    names = tuple(kit.functions)[:2] if way == "spawn" else tuple(kit.functions)
    reports = reports_of(kit, all_doing(kit, BODIES[body]), *names, way=way)
    found = {name: len(report.findings) for name, report in reports.items()}
    assert found == {name: len(kit.functions[name].checks) for name in names}
    assert exit_code(reports.values()) == 1
    said = "\n".join(text(report) for report in reports.values())
    assert said.encode().decode() == said
    assert "could not be checked" not in said, "the judge of the grading knows what to say"


@pytest.mark.parametrize("body", [BODIES["exit"], BODIES["os._exit(0)"]])
def test_a_cost_that_ends_the_program_is_named_where_its_gradient_is_checked(kit: Kit, body: str) -> None:
    cost = f"def kl_divergence(P, Y):\n    {body}"
    data = notebook("import numpy as np", cost, "def tsne_gradient(P, Y):\n    return 0 * Y").encode()
    report = reports_of(kit, data, "tsne_gradient")["tsne_gradient"]
    found = finding(report, "gradient")
    assert (found.kind, "your kl_divergence" in found.found) == (VerdictKind.INCONCLUSIVE, True)


def test_a_fault_of_ours_in_one_check_leaves_the_others_a_verdict(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grader.checks.gradient import GradientCase

    def fail(*_: object) -> str:
        raise TypeError("a bug of ours")

    monkeypatch.setattr(GradientCase, "detail", fail)
    reports = reports_of(kit, edited(HALF), "tsne_gradient", "reconstruct")
    assert (
        "because of what the function did (TypeError" in finding(reports["tsne_gradient"], "gradient").found
    )
    assert reports["reconstruct"].passed == 1


WITHOUT_SCIPY = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "scipy":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Finder())
from grader.cli.main import main
from grader.errors import KitError
main(sys.argv[1:])
"""


def test_without_scipy_what_needs_it_says_so_and_the_rest_is_checked(kit: Kit, tmp_path: Path) -> None:
    """What the documents tell students to install brings no SciPy."""
    write_kit_to(tmp_path)
    body = "return X @ W1 @ W2"
    (tmp_path / "mine.ipynb").write_text(
        notebook(
            f"def reconstruct(X, W1, W2):\n    {body}",
            "def shift_user_mean(matrix):\n    return matrix, 0",
        )
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            WITHOUT_SCIPY,
            "check",
            "mine.ipynb",
            "-f",
            "reconstruct",
            "-f",
            "shift_user_mean",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "✓ The reconstruction is X W1 W2" in done.stdout
    assert done.stdout.count("it needs scipy, which is not installed: python -m pip install scipy") == 1
    assert "as above" in done.stdout
    assert done.stdout.endswith("3 public checks: 1 holds, 2 cannot be made yet.\n")


ENDINGS = {
    "exit, from the system's own module": "import posix\n    posix._exit(0)",
    "exit, from the C library": "import ctypes\n    ctypes.CDLL(None).exit(0)",
    "another program in its place": "import os\n    os.execv('/bin/true', ['true'])",
    "a signal": "import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)",
}


def in_terminal(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "grader", "check", "mine.ipynb", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.skipif(os.name != "posix", reason="the endings are those of POSIX systems")
@pytest.mark.parametrize("body", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("way", WAYS)
def test_whatever_ends_the_process_is_told_and_the_others_are_checked(kit: Kit, way: Way, body: str) -> None:
    cells = (f"def minimum_error(X, k):\n    {body}", "def reconstruct(X, W1, W2):\n    return X @ W1 @ W2")
    reports = reports_of(kit, notebook(*cells).encode(), "minimum_error", "reconstruct", way=way)
    (ended,) = reports["minimum_error"].findings
    assert ended.kind is VerdictKind.FAILED
    assert re.fullmatch(r"it (ended its own process|ends the program) \((exit code 0|SIGKILL)\)", ended.found)
    assert reports["reconstruct"].passed == 1


@pytest.mark.parametrize("way", WAYS)
def test_code_around_a_function_that_ends_the_process_is_told(kit: Kit, way: Way) -> None:
    cells = "import posix\nW = posix._exit(3)\ndef reconstruct(X, W1, W2):\n    return X @ W1 @ W2 + W"
    report = reports_of(kit, notebook(cells).encode(), "reconstruct", way=way)["reconstruct"]
    assert report.remark == "reconstruct: the code that it needs ends the program (exit code 3)"
    assert exit_code([report]) == 1


def test_what_a_function_leaves_behind_does_not_change_the_exit_code(tmp_path: Path) -> None:
    write_kit_to(tmp_path)
    body = "import atexit, os\n    atexit.register(os._exit, 0)\n    return X"
    (tmp_path / "mine.ipynb").write_text(notebook(f"def reconstruct(X, W1, W2):\n    {body}"))
    assert in_terminal(tmp_path, "-f", "reconstruct").returncode == 1
    assert in_terminal(tmp_path, "-f", "reconstrukt").returncode == 2


@pytest.mark.skipif(not CAN_FORK, reason="the limit of memory is Linux's")
def test_memory_that_runs_out_is_told_with_the_shape_and_the_line(kit: Kit) -> None:
    source = "import numpy as np\ndef reconstruct(X, W1, W2):\n    return np.ones((60000, 60000)) @ X"
    report = reports_of(kit, notebook(source).encode(), "reconstruct", way="fork")["reconstruct"]
    assert "it needs more memory than there is: unable to allocate" in report.findings[0].found
    assert "(60000, 60000)" in report.findings[0].found
    assert "code cell 1, line 3" in report.findings[0].found


@pytest.mark.skipif(os.name != "posix", reason="it starts a program of POSIX systems")
def test_a_process_that_a_function_started_and_left_does_not_hold_up_the_check(kit: Kit) -> None:
    body = "import subprocess, sys\n    subprocess.Popen(['sleep', '60'])\n    return X @ W1 @ W2"
    source = f"def reconstruct(X, W1, W2):\n    {body}"
    report = reports_of(kit, notebook(source).encode(), "reconstruct", way=WAYS[0])["reconstruct"]
    assert report.passed == 1


@pytest.mark.skipif(not CAN_FORK, reason="calls have a process of their own on Linux")
def test_a_call_sees_nothing_of_another(kit: Kit) -> None:
    source = (
        "calls = []\ndef reconstruct(X, W1, W2):\n    calls.append(1)\n    return X @ W1 @ W2 * len(calls)"
    )
    report = reports_of(kit, notebook(source).encode(), "reconstruct", way="fork")["reconstruct"]
    assert report.passed == 1


def test_an_exception_that_cannot_be_told_is_told_by_its_type(tmp_path: Path) -> None:
    write_kit_to(tmp_path)
    used = "class E(Exception):\n    def __str__(self):\n        raise RuntimeError\ndef g():\n    raise E\n"
    used += "reconstruct = g()"
    (tmp_path / "mine.ipynb").write_text(notebook(used))
    done = in_terminal(tmp_path, "-f", "reconstruct")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "reconstruct is not there when the code that it needs has run: E" in done.stdout.replace(
        "\n  ", " "
    )


@pytest.mark.parametrize("cell", ["x = 1", "from mine import reconstruct", "from mine import *"])
def test_a_function_may_stand_in_a_file_beside_the_notebook(tmp_path: Path, cell: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write_kit_to(folder)
    (folder / "mine.ipynb").write_text(notebook(cell))
    source = "import shapes\n\ndef reconstruct(X, W1, W2):\n    return shapes.product(X, W1) @ W2\n"
    (folder / "mine.py").write_text(source)
    (folder / "shapes.py").write_text("def product(A, B):\n    return A @ B\n")
    command = [sys.executable, "-m", "grader", "check", "folder/mine.ipynb", "-f", "reconstruct"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "shapes.py").write_text("def product(A, B):\n    return 2.0 * A @ B\n")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, "factor 2" in done.stdout) == (1, True), done.stdout + done.stderr


def test_a_file_beside_the_notebook_that_is_too_large_is_named(tmp_path: Path) -> None:
    write_kit_to(tmp_path)
    (tmp_path / "mine.ipynb").write_text(notebook("x = 1"))
    (tmp_path / "data.py").write_bytes(b"#" * ((1 << 20) + 1))
    done = in_terminal(tmp_path)
    assert done.returncode == 2
    assert "data.py cannot be read: the file data.py has 1 MB, more than the 1 MB allowed" in done.stderr


def test_the_kit_is_found_above_and_below_and_may_be_named_by_its_folder(tmp_path: Path) -> None:
    course = tmp_path / "course"
    for folder in ("kit", "work/today", "elsewhere"):
        (course / folder).mkdir(parents=True)
    write_kit_to(course / "kit")
    kit = course / "kit" / "exercise_11.checks.json"
    assert find_kit(course / "kit") == kit
    assert find_kit(course) == kit
    assert find_kit(course / "elsewhere", course) == kit
    assert find_kit(tmp_path, given=course / "kit") == kit
    assert find_kit(tmp_path, given=kit) == kit
    with pytest.raises(KitError, match=r"there is no file \*\.checks\.json in .*work"):
        find_kit(tmp_path, given=course / "work")
    (course / "work" / "other.checks.json").write_text("{}")
    assert find_kit(course / "work" / "today").name == "other.checks.json"
    with pytest.raises(KitError, match=r"there are kits in .*kit.*, .*work; choose one with --kit FOLDER"):
        find_kit(course)


def test_a_notebook_that_is_not_there_is_said_so_before_the_kit_is_looked_for(tmp_path: Path) -> None:
    done = in_terminal(tmp_path)
    assert (done.returncode, "there is no notebook mine.ipynb" in done.stderr) == (2, True), done.stderr


def test_a_watched_notebook_is_checked_again_when_it_is_saved(tmp_path: Path) -> None:
    write_kit_to(tmp_path)
    path = tmp_path / "mine.ipynb"
    source = "def reconstruct(X, W1, W2):\n    return X @ W1"
    path.write_text(notebook(source))
    command = [sys.executable, "-u", "-m", "grader", "check", "mine.ipynb", "-f", "reconstruct", "--watch"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = read_until(process.stdout, "waiting for mine.ipynb")
        path.write_text(notebook(source + " @ W2"))
        second = read_until(process.stdout, "waiting for mine.ipynb")
        path.write_text("no notebook")
        read_until(process.stdout, "waiting for mine.ipynb")
        process.terminate()
    assert "✗ The reconstruction" in first
    assert "✓ The reconstruction" in second


def read_until(stream: IO[str], words: str) -> str:
    """Return what a process prints up to the line with these words."""
    lines = []
    for line in stream:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError("it ended: " + "".join(lines))


def test_what_a_misspelt_name_may_mean_is_told_on_every_python(kit: Kit) -> None:
    cells = ("def other(X):\n    return X", "def reconstruct(X, W1, W2):\n    return othr(X)")
    (found,) = reports_of(kit, notebook(*cells).encode(), "reconstruct")["reconstruct"].findings
    assert "name 'othr' is not defined" in found.found
    hidden = "import numpy as np\ndef reconstruct(X, W1, W2):\n    result = X @ W1\n    return reslt @ W2"
    (found,) = reports_of(kit, notebook(hidden).encode(), "reconstruct")["reconstruct"].findings
    assert "Did you mean result?" in found.found
