"""`grader.check` and `%check` in a kernel, as JupyterLab and VS Code talk to one, and in plain Python."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jupyter_client.manager import start_new_kernel
from support_student import write_kit_to

import grader
from grader.errors import KitError

IMPORTS = "import numpy as np\n"
COST = """
def low_dimensional_similarities(Y):
    D = 1.0 + np.sum((Y[:, None] - Y[None]) ** 2, axis=-1)
    W = 1.0 / D
    np.fill_diagonal(W, 0.0)
    return W / W.sum()

def kl_divergence(P, Y):
    Q = low_dimensional_similarities(Y)
    keep = (P > 0) & ~np.eye(len(P), dtype=bool)
    return np.sum(P[keep] * np.log(P[keep] / Q[keep]))
"""
GRADIENT = """
def tsne_gradient(P, Y):
    D = 1.0 + np.sum((Y[:, None] - Y[None]) ** 2, axis=-1)
    W = (P - low_dimensional_similarities(Y)) / D
    return FACTOR * np.sum(W[:, :, None] * (Y[:, None] - Y[None]), axis=1)
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start one kernel in a folder with the kit, as a notebook server does."""
    folder = tmp_path_factory.mktemp("kit")
    write_kit_to(folder)
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder), startup_timeout=120)
    client.execute_interactive(f"{IMPORTS}import grader\n%load_ext grader\n{COST}", timeout=120)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def shown(client: Any, code: str) -> dict[str, str]:
    """Run a cell; return the display data that comes back, or the error under 'error'."""
    seen: dict[str, str] = {}

    def keep(message: Any) -> None:
        content = message["content"]
        if message["msg_type"] in ("execute_result", "display_data"):
            seen.update(content["data"])
        elif message["msg_type"] == "error":
            seen["error"] = f"{content['ename']}: {content['evalue']}"
        elif message["msg_type"] == "stream":
            seen["stream"] = seen.get("stream", "") + content["text"]

    client.execute_interactive(code, timeout=120, output_hook=keep)
    return seen


def test_a_wrong_gradient_comes_back_as_html_with_a_picture_and_as_text(kernel: Any) -> None:
    shown(kernel, GRADIENT.replace("FACTOR", "2.0"))
    data = shown(kernel, "grader.check(tsne_gradient)")
    assert set(data) == {"text/html", "text/plain"}
    page = data["text/html"]
    assert "the constant factor 0.5" in page
    assert "slope of your kl_divergence is 0.1769" in page
    picture = ElementTree.fromstring(re.search(r"<svg.*?</svg>", page, re.S).group(0))  # type: ignore[union-attr]
    dots = [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in picture if c.tag.endswith("circle")]
    assert len(dots) == 6
    spread = [max(values) - min(values) for values in zip(*dots, strict=True)]
    assert spread[1] / spread[0] == pytest.approx(0.5, abs=0.06)  # half as steep as the line of equality
    assert "script" not in page
    assert "✗ The gradient agrees" in data["text/plain"]


def test_the_magic_checks_the_function_as_it_is_now(kernel: Any) -> None:
    shown(kernel, GRADIENT.replace("FACTOR", "4.0"))
    data = shown(kernel, "%check tsne_gradient")
    assert "6 of 6" in data["text/html"]
    assert "<svg" not in data["text/html"]
    assert data["text/plain"].endswith("6 public checks: 6 hold.")
    shown(kernel, GRADIENT.replace("FACTOR", "-4.0"))
    assert "wrong sign" in shown(kernel, "%check tsne_gradient")["text/html"]


def test_the_code_that_was_run_is_searched_for_what_is_forbidden(kernel: Any) -> None:
    shown(
        kernel,
        "def tsne_gradient(P, Y):\n    from sklearn.manifold import TSNE\n    return TSNE().fit_transform(Y)",
    )
    data = shown(kernel, "%check tsne_gradient")
    assert "uses sklearn.manifold" in data["text/html"]


def test_without_a_name_every_function_is_checked(kernel: Any) -> None:
    data = shown(kernel, "%check")
    assert "minimum_error is not defined yet; run its cell" in data["text/plain"]
    assert data["text/plain"].startswith("low_dimensional_similarities")


def test_a_name_that_is_no_function_any_more_is_said_to_be_so(kernel: Any) -> None:
    data = shown(kernel, "reconstruct = 3\ngrader.check('reconstruct')")
    assert "reconstruct is a int now, not a function" in data["text/plain"]


def test_a_misspelt_name_is_answered_with_the_right_one(kernel: Any) -> None:
    assert "did you mean tsne_gradient?" in shown(kernel, "%check tsne_gradeint")["error"]


def test_an_error_of_ours_is_one_line(kernel: Any) -> None:
    lines: list[str] = []

    def keep(message: Any) -> None:
        if message["msg_type"] == "error":
            lines.extend(message["content"]["traceback"])

    for code in ("%check tsne_gradeint", "grader.check('tsne_gradeint')", "%check --kit nowhere"):
        lines.clear()
        kernel.execute_interactive(code, timeout=120, output_hook=keep)
        assert len(lines) == 1, lines
        assert lines[0].startswith(("UsageError: ", "KitError: "))


def test_a_function_that_ends_or_fills_its_process_leaves_the_kernel_alone(kernel: Any) -> None:
    shown(kernel, "def reconstruct(X, W1, W2):\n    import posix\n    posix._exit(0)")
    assert "it ended its own process (exit code 0)" in shown(kernel, "%check reconstruct")["text/plain"]
    shown(kernel, "def reconstruct(X, W1, W2):\n    while True:\n        pass")
    assert "it did not finish in time" in " ".join(shown(kernel, "%check reconstruct")["text/plain"].split())
    assert shown(kernel, "1 + 1")["text/plain"] == "2"


def test_a_cost_that_is_missing_is_named(kernel: Any) -> None:
    shown(kernel, "kept = kl_divergence; del kl_divergence")
    data = shown(kernel, "%check tsne_gradient")
    shown(kernel, "kl_divergence = kept")
    said = " ".join(data["text/plain"].split())
    assert "it needs kl_divergence, which cannot be called. kl_divergence is not defined yet" in said


def test_the_inputs_can_be_called_by_hand(kernel: Any) -> None:
    data = shown(
        kernel, "case = grader.inputs('kl_divergence')[0]\n(case.name, float(kl_divergence(*case.args)))"
    )
    assert data["text/plain"].startswith("('three points in the plane', 0.1178")


def test_checking_leaves_prints_and_random_numbers_alone(kernel: Any) -> None:
    noisy = "def reconstruct(X, W1, W2):\n    print('noise'); np.random.rand()\n    return X @ W1 @ W2"
    shown(kernel, noisy)
    shown(kernel, "np.random.seed(3); first = np.random.rand(); np.random.seed(3)")
    assert "stream" not in shown(kernel, "%check reconstruct")
    assert shown(kernel, "bool(np.random.rand() == first)")["text/plain"] == "True"


def test_text_of_the_student_cannot_become_html(kernel: Any) -> None:
    shown(kernel, "def reconstruct(X, W1, W2):\n    raise ValueError('<img src=x>')")
    page = shown(kernel, "%check reconstruct")["text/html"]
    assert "<img" not in page
    assert "&lt;img src=x&gt;" in page


def test_it_works_in_plain_python_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_kit_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))  # type: ignore[misc]
    module: dict[str, Any] = {}
    exec(IMPORTS + COST, module)
    checked = grader.check(module["kl_divergence"])
    assert checked.passed
    assert repr(checked).splitlines()[0].endswith("1 of 1")


def test_without_a_kit_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KitError, match="put the one from the course's kit beside the notebook"):
        grader.check("tsne_gradient")
