"""The interpreter of the boxes: what may be read of it, and another one than grader's own."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml
from support import GRADE, RIGHT, write_course

from grader.errors import InterpreterError
from grader.observe.interpreter import find_interpreter


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment in the folder of a course, which sees the packages of this one."""
    root = tmp_path_factory.mktemp("pinned")
    venv.create(root, with_pip=False, symlinks=True)
    found = next(root.glob("lib/python*/site-packages"))
    (found / "shared.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
    return root / "bin" / "python"


def test_of_an_environment_in_a_course_only_its_parts_may_be_read(python: Path) -> None:
    course = python.parent.parent
    (course / "reference").mkdir(exist_ok=True)
    places = find_interpreter(str(python)).places
    assert str(course / "lib") in places
    assert not [place for place in places if (course / "reference").is_relative_to(place)]
    assert not [a for a in places for b in places if a != b and Path(a).is_relative_to(b)]


def test_an_interpreter_that_is_none_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", Path("/bin/true")):
        with pytest.raises(InterpreterError, match=r"environment\.python: .* cannot be run as a Python"):
            find_interpreter(str(path))


def answering(tmp_path: Path, answer: str) -> str:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\necho '{answer}'\n")
    script.chmod(0o755)
    return str(script)


def test_an_interpreter_that_is_too_old_or_lacks_a_package_is_named(tmp_path: Path) -> None:
    old = answering(tmp_path, '{"version": [3, 8], "missing": []}')
    with pytest.raises(InterpreterError, match=r"is Python 3\.8; the boxes need 3\.11"):
        find_interpreter(old)
    find_interpreter.cache_clear()
    bare = answering(tmp_path, '{"version": [3, 12], "missing": ["numpy"]}')
    with pytest.raises(InterpreterError, match=r"lacks numpy; install: .*python -m pip install numpy"):
        find_interpreter(bare)


def test_a_course_runs_its_notebooks_in_the_interpreter_that_it_pins(tmp_path: Path, python: Path) -> None:
    source = (
        "import subprocess, sys\n"
        f"assert sys.prefix == {str(python.parent.parent)!r}, sys.prefix\n"
        f"subprocess.run([sys.executable, '-c', 'import colorsys'], check=True)\n{RIGHT}"
    )
    write_course(tmp_path, anna=source, bert=source.replace("==", "!="))
    path = tmp_path / "rubrics" / "tiny.yaml"
    rubric = yaml.safe_load(path.read_text())
    rubric["environment"] = {"python": os.path.relpath(python, tmp_path)}
    path.write_text(yaml.safe_dump(rubric, sort_keys=False))
    command = [sys.executable, "-m", "grader", *GRADE, "submissions/tiny"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "anna: correct, 3 of 3 points" in done.stdout
    executed = (tmp_path / "results" / "bert" / "executed.ipynb").read_text()
    assert "AssertionError" in executed
    assert "AssertionError" not in (tmp_path / "results" / "anna" / "executed.ipynb").read_text()


def test_what_is_installed_belongs_to_the_environment(python: Path) -> None:
    place = next(python.parent.parent.glob("lib/python*/site-packages"))
    seen = []
    for name in ("", "wanted-1.0.dist-info", "wanted-2.0.dist-info", "by_hand.py"):
        if name:
            (place / name).mkdir() if "info" in name else (place / name).touch()
        find_interpreter.cache_clear()
        seen.append(find_interpreter(str(python)).environment)
    find_interpreter.cache_clear()
    assert len(set(seen)) == 4
    assert seen[-1] == find_interpreter(str(python)).environment


def test_an_interpreter_that_a_signal_ends_is_asked_again(tmp_path: Path) -> None:
    script = tmp_path / "python"
    mark = tmp_path / "ended"
    script.write_text(
        f'#!/bin/sh\n[ -e {mark} ] || {{ touch {mark}; kill -TERM $$; }}\nexec {sys.executable} "$@"\n'
    )
    script.chmod(0o755)
    assert find_interpreter(str(script)).version == sys.version_info[:2]
    assert mark.exists()


def test_an_interpreter_that_is_always_ended_is_named(tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nkill -KILL $$\n")
    script.chmod(0o755)
    with pytest.raises(InterpreterError, match=r"cannot be run as a Python interpreter: it ended with -9"):
        find_interpreter(str(script))
