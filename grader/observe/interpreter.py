"""The interpreter that runs in the boxes: grader's own, or the one that a course pins.

A box may read the parts of the interpreter's installation, never the whole directory around it: a virtual
environment may lie in the folder of a course, beside the solutions. It may not read what an editable
installation adds to the path either: that is a working tree.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from grader.errors import InterpreterError

OLDEST = (3, 11)
SECONDS = 60
TRIES = 3
MAX_TOLD = 300  # characters of what an interpreter says that cannot be used
NEEDED = ("ipykernel", "numpy")
PARTS = ("bin", "lib", "lib64", "share", "etc", "include", "pyvenv.cfg")
INSIDE = str(Path(__file__).parent.parent / "inside")
QUESTION = f"""
import glob, hashlib, importlib.util, json, os, sys, sysconfig

packages = [path for path in sys.path if path.endswith('-packages') and os.path.isdir(path)]
installed = []
for folder in packages:
    installed += sorted(os.listdir(folder))
    for record in sorted(glob.glob(os.path.join(glob.escape(folder), '*.dist-info', 'RECORD'))):
        with open(record, 'rb') as file:
            installed.append(hashlib.sha256(file.read()).hexdigest())
print(json.dumps({{
    'version': sys.version_info[:2],
    'prefixes': [sys.prefix, sys.base_prefix],
    'paths': [sysconfig.get_path('stdlib'), *packages],
    'real': os.path.realpath(sys.executable),
    'build': sys.version,
    'installed': installed,
    'missing': [name for name in {NEEDED} if importlib.util.find_spec(name) is None],
}}))
"""


@dataclass(frozen=True)
class Interpreter:
    """An interpreter: its executable, its version, and the files and directories that a box needs to run it.

    `environment` is a digest of its exact version and of what is installed for it: the names in its
    `site-packages`, which hold the version of each distribution (`numpy-2.1.0.dist-info`), and the lists of
    their files, which hold the digest of each file.
    """

    python: str
    version: tuple[int, int]
    places: tuple[str, ...]
    environment: str


@cache
def find_interpreter(python: str = sys.executable) -> Interpreter:
    """Ask an interpreter for its version and installation; raise InterpreterError if it cannot be used."""
    what = f"environment.python: {python}"
    try:
        answer = _answer(python)
    except subprocess.TimeoutExpired as error:
        raise InterpreterError(f"{what} did not answer within {SECONDS} s") from error
    except (OSError, ValueError) as error:
        raise InterpreterError(f"{what} cannot be run as a Python interpreter: {error}") from error
    version = tuple(answer["version"])
    if version < OLDEST:
        raise InterpreterError(f"{what} is Python {version[0]}.{version[1]}; the boxes need 3.11 or newer")
    if answer["missing"]:
        lacking = " ".join(answer["missing"])
        raise InterpreterError(f"{what} lacks {lacking}; install: {python} -m pip install {lacking}")
    prefixes = {*answer["prefixes"], str(Path(str(answer["real"])).parent.parent)}
    paths = {INSIDE, *answer["paths"]} | {str(Path(prefix) / part) for prefix in prefixes for part in PARTS}
    kept: list[str] = []  # none of them inside another, the shortest first
    for path in sorted((path for path in paths if Path(path).exists()), key=len):
        if not any(Path(path).is_relative_to(parent) for parent in (*kept, "/usr")):
            kept.append(path)
    installed = json.dumps([answer["build"], answer["installed"]])
    environment = hashlib.sha256(installed.encode()).hexdigest()
    return Interpreter(python, (version[0], version[1]), tuple(kept), environment)


def _answer(python: str) -> dict[str, Any]:
    """Return what an interpreter says of itself; asked again if a signal from outside ended it."""
    command = [python, "-I", "-c", QUESTION]
    for _ in range(TRIES):
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode >= 0:
            break
    if done.returncode:
        raise ValueError(f"it ended with {done.returncode}: {done.stderr.strip()[-MAX_TOLD:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
