"""Makes the pictures of the documentation, with a headless Chromium.

python docs/pictures.py FOLDER [NAME]...        such as docs/images check-in-jupyterlab

course, feedback        the pages of the sample submissions of exercise 11
grading                 `grader serve` on these results
pdf                     the first page of `grader pdf`
check-in-jupyterlab     a notebook of the kit in JupyterLab (of the environment of `make docs`)
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / ".venv-docs" / "bin"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
GRADER = (sys.executable, "-m", "grader")
ASSIGNMENT = "exercise_11"
STUDENT = "partly_correct/gradient_factor_and_sign"
WAIT = 120_000  # milliseconds, for a page that computes
HALF = ("return 4.0 * np.einsum", "return 2.0 * np.einsum")
CELLS = ("imports", "low-dimensional-similarities", "kl-divergence", "tsne-gradient")
PDF = """
import sys, pypdfium2
pypdfium2.PdfDocument(sys.argv[1])[0].render(scale=1.6).to_pil().save(sys.argv[2])
"""
Picture = Callable[[Browser, Path, Path], None]


def main() -> None:
    """Make the pictures that the command line names, all if it names none."""
    folder, *names = sys.argv[1:]
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        sys.exit("there is no browser: apt-get install chromium")
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name in names or PICTURES:
            PICTURES[name](browser, Path(work), Path(folder).resolve() / f"{name}.png")
            print(f"{name}.png")
        browser.close()


def results(work: Path) -> Path:
    """Return the folder of results of the sample submissions."""
    made = work / "results"
    if not made.exists():
        command = (*GRADER, "grade", f"submissions/{ASSIGNMENT}", "--unsafe", "--out", str(made))
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return made


def page(browser: Browser, height: int, width: int = 1000) -> Page:
    """Return an empty page of a size in pixels."""
    made = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=1)
    made.set_default_timeout(WAIT)
    return made


def course(browser: Browser, work: Path, file: Path) -> None:
    """Show the page of the course."""
    shown = page(browser, 1100)
    shown.goto((results(work) / "index.html").as_uri())
    shown.screenshot(path=file)


def feedback(browser: Browser, work: Path, file: Path) -> None:
    """Show the page of a student, from a question with a picture on."""
    shown = page(browser, 1100)
    shown.goto((results(work) / STUDENT / "feedback.html").as_uri())
    shown.get_by_role("heading", name="Gradient of t-SNE").evaluate("heading => heading.scrollIntoView()")
    shown.screenshot(path=file)


def grading(browser: Browser, work: Path, file: Path) -> None:
    """Show an answer that waits, in the web application."""
    with started([*GRADER, "serve", str(results(work)), "--port", "0"], r"(http://\S+/enter\S+)") as address:
        shown = page(browser, 760, 1200)
        shown.goto(address)
        shown.goto(address.partition("/enter")[0] + "/grade/tsne_derivation")
        shown.get_by_role("link", name="Next").click()
        shown.wait_for_load_state("networkidle")
        shown.screenshot(path=file)


def pdf(browser: Browser, work: Path, file: Path) -> None:
    """Show the first page of the PDF of the course's notebook."""
    made = work / "notebook.pdf"
    notebook = ROOT / "reference" / ASSIGNMENT / "notebook.ipynb"
    subprocess.run([*GRADER, "pdf", str(notebook), "-o", str(made)], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([DOCS / "python", "-c", PDF, made, file], check=True)


def check_in_jupyterlab(browser: Browser, work: Path, file: Path) -> None:
    """Show what `%check` says of a gradient of half the right size."""
    folder = work / "kit"
    command = (*GRADER, "release", ASSIGNMENT, "-o", str(folder))
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    source = nbformat.read(ROOT / "reference" / ASSIGNMENT / "notebook.ipynb", 4)
    texts = {cell.id: re.sub(r" *### (?:BEGIN|END) SOLUTION\n?", "", cell.source) for cell in source.cells}
    cells = [texts[name].replace(*HALF) for name in CELLS] + ["%load_ext grader\n%check tsne_gradient"]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}  # else a dialog asks for it
    nbformat.write(made, folder / f"{ASSIGNMENT}.ipynb")
    kernel = work / "share" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    arguments = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": arguments, "display_name": "Python 3", "language": "python"}))
    quiet = work / "config" / "labconfig" / "page_config.json"  # no question about news
    quiet.parent.mkdir(parents=True)
    quiet.write_text(
        json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}})
    )
    token = secrets.token_hex()
    environment = {
        "JUPYTER_PATH": str(work / "share"),
        "JUPYTER_CONFIG_DIR": str(work / "config"),
        "JUPYTER_TOKEN": token,
    }
    server = [DOCS / "jupyter-lab", "--no-browser", "--allow-root", "--port=0", f"--notebook-dir={folder}"]
    with started(server, r"(http://127\S+)\?token=", **environment) as address:
        shown = page(browser, 900, 1100)
        shown.goto(f"{address}/tree/{ASSIGNMENT}.ipynb?token={token}")
        shown.get_by_text("%load_ext grader").first.wait_for()  # the menus are ready with the notebook
        shown.get_by_role("menuitem", name="Run", exact=True).click()
        shown.get_by_text("Run All Cells", exact=True).click()
        shown.get_by_text("constant factor").first.wait_for()
        shown.locator(".jp-Cell").nth(len(cells) - 2).evaluate("cell => cell.scrollIntoView()")
        shown.locator(".jp-Notebook").screenshot(path=file)


@contextmanager
def started(command: list[str | Path], pattern: str, **environment: str) -> Iterator[str]:
    """Yield what the first line that fits says, of a server that is ended afterwards."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            found = next(filter(None, (re.search(pattern, line) for line in process.stdout)), None)
            if found is None:
                sys.exit(f"{command[0]} does not start")
            yield found[1]
        finally:
            process.terminate()


PICTURES: dict[str, Picture] = {
    "course": course,
    "feedback": feedback,
    "grading": grading,
    "pdf": pdf,
    "check-in-jupyterlab": check_in_jupyterlab,
}

if __name__ == "__main__":
    main()
