"""The ZIP that makes grader the autograder of an assignment in Gradescope.

    setup.sh          once, when the image is made: Python, the locked packages, grader
    run_autograder    for each submission: grade, and write results/results.json
    course/           rubrics/NAME.yaml and reference/NAME/
    *.whl             this version of grader

Gradescope unpacks it to /autograder/source. Its containers allow no namespaces, so the tier is `restricted`.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution, requires
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from packaging.requirements import Requirement

from grader import __version__
from grader.course.folder import rubric_path
from grader.course.rubric_file import load_rubric
from grader.errors import MissingPackageError, UsageError
from grader.project import NAME

EXTRA = "grade"
STEM = f"{NAME.replace('-', '_')}-{__version__}"  # of the names in and of a wheel
SETUP = """#!/bin/sh
# Prepares the image in which every submission is graded.
set -eu
cd /autograder/source
apt-get update
apt-get install -y python3 python3-venv python3-pip
python3 -m venv /autograder/venv
/autograder/venv/bin/python -m pip install --quiet --requirement requirements.txt
/autograder/venv/bin/python -m pip install --quiet --no-deps {wheel}
chmod -R go+rX /autograder/venv
chmod -R go-rwx /autograder/source/course
"""
RUN = """#!/bin/sh
# Grades what one student handed in; Gradescope reads results/results.json.
set -eu
cd /autograder/source/course
rm -rf /autograder/graded
told() {{
    /autograder/venv/bin/python -c '
import json, sys
try:
    with open("/autograder/submission_metadata.json") as file:
        content = json.load(file)
    for key in sys.argv[1:]:
        content = content[key]
    print(content or "")
except (OSError, ValueError, KeyError):
    pass
' "$@"
}}
deadline=$(told assignment due_date)
handed_in=$(told created_at)
if [ -n "$handed_in" ]; then
    find /autograder/submission -exec touch -h -d "$handed_in" {{}} +
fi
code=0
/autograder/venv/bin/python -m grader grade /autograder/submission --assignment {assignment} \\
    --root /autograder/source/course --out /autograder/graded --file-times \\
    ${{deadline:+--deadline "$deadline"}} || code=$?
mkdir -p /autograder/results
/autograder/venv/bin/python -m grader export gradescope --out /autograder/graded \\
    --output /autograder/results/results.json || exit "$code"
"""
SKIPPED = ("__pycache__", ".ipynb_checkpoints")
STAMP = (2020, 1, 1, 0, 0, 0)  # equal files of a course give equal bytes


def gradescope_autograder(assignment: str, root: Path) -> bytes:
    """Return the ZIP for an assignment; raise UsageError or CourseError if its files are missing or wrong."""
    rubric_file = rubric_path(assignment, root)
    rubric = load_rubric(rubric_file)
    reference = root / "reference" / rubric.assignment
    if not reference.is_dir():
        raise UsageError(f"there is no folder {reference}")
    wheel = f"{STEM}-py3-none-any.whl"
    content = {
        "setup.sh": SETUP.format(wheel=wheel).encode(),
        "run_autograder": RUN.format(assignment=assignment).encode(),
        "requirements.txt": "\n".join(_pinned()).encode() + b"\n",
        wheel: _wheel(),
        f"course/rubrics/{rubric_file.name}": rubric_file.read_bytes(),
    }
    for path in sorted(reference.rglob("*")):
        if path.is_file() and not set(path.parts) & set(SKIPPED):
            content[f"course/{path.relative_to(root).as_posix()}"] = path.read_bytes()
    return _zip(content)


def _zip(content: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in content.items():
            info = zipfile.ZipInfo(name, STAMP)
            executable = name in ("setup.sh", "run_autograder")
            info.external_attr = (0o100755 if executable else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, each)
    return data.getvalue()


def _distribution() -> Distribution:
    try:
        return distribution(NAME)
    except PackageNotFoundError as error:
        raise MissingPackageError(
            "grader is not installed here as a package: pip install it first"
        ) from error


def _pinned() -> list[str]:
    """Return the versions of all packages that grading needs, as they are installed here."""
    found: dict[str, str] = {}
    waiting = [(NAME, frozenset({EXTRA}))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            wanted = [Requirement(text) for text in requires(name) or ()]
            found[name] = distribution(name).version
        except PackageNotFoundError:  # of another system or Python
            continue
        for each in wanted:
            fits = each.marker is None or any(
                each.marker.evaluate({"extra": extra}) for extra in (extras or {""})
            )
            if fits:
                waiting.append((each.name.lower(), frozenset(each.extras)))
    found.pop(NAME, None)
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _wheel() -> bytes:
    """Return this version of grader as a wheel, made of the files that run now."""
    info = f"{STEM}.dist-info"
    content = dict(_files(files("grader"), "grader"))
    own = _distribution()
    content[f"{info}/METADATA"] = (own.read_text("METADATA") or "").encode()
    content[f"{info}/entry_points.txt"] = (own.read_text("entry_points.txt") or "").encode()
    content[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: grader\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    text = io.StringIO()
    record = csv.writer(text, lineterminator="\n")
    for name, each in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(each).digest()).rstrip(b"=").decode()
        record.writerow([name, f"sha256={digest}", len(each)])
    record.writerow([f"{info}/RECORD", "", ""])
    content[f"{info}/RECORD"] = text.getvalue().encode()
    return _zip(content)


def _files(folder: Traversable, name: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        if each.name in SKIPPED or each.name.endswith((".pyc", ".so")):
            continue
        inside = f"{name}/{each.name}"
        found += _files(each, inside) if each.is_dir() else [(inside, each.read_bytes())]
    return found
