"""What the autograder of Gradescope runs for each submission."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from grader.gradebooks.gradescope_autograder import RUN

PYTHON = """#!/bin/sh
[ "$1" = -c ] && exec python3 "$@"
echo "$@"
"""


def test_a_submission_is_graded_with_the_times_that_gradescope_tells(tmp_path: Path) -> None:
    for name in ("submission", "venv/bin", "source/course"):
        (tmp_path / name).mkdir(parents=True)
    notebook = tmp_path / "submission" / "my notebook.ipynb"
    notebook.write_text("{}")
    python = tmp_path / "venv" / "bin" / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    told = {
        "created_at": "2018-07-01T14:22:32-07:00",
        "assignment": {"due_date": "2018-07-31T23:00:00-07:00"},
    }
    (tmp_path / "submission_metadata.json").write_text(json.dumps(told))
    script = RUN.format(assignment="tiny").replace("/autograder", str(tmp_path))
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert notebook.stat().st_mtime == 1530480152
    assert "--file-times --deadline 2018-07-31T23:00:00-07:00" in done.stdout.splitlines()[0]
    assert "export gradescope" in done.stdout.splitlines()[1]
