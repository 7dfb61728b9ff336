"""Runs `grader check` in a child process, because a student's code can end the process that it runs in.

    grader check  --starts-->  child: makes the checks and prints the results
                  <--file----  its exit code, written after the last check

If the file is missing, the student's code ended the child; the exit code of the process is then ignored.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

VARIABLE = "GRADER_CHECK_ENDS_IN"  # environment variable: where the child writes its exit code
EXIT_NO = 1
LEAVE = os._exit  # kept, because a student's code may replace os._exit


def ending_file() -> Path | None:
    """Return the file for the exit code, or None if this process is not the child.

    The variable is removed from the environment, so that processes started by the student do not see it.
    """
    name = os.environ.pop(VARIABLE, "")
    return Path(name) if name else None


def check_in_child(arguments: Sequence[str]) -> int:
    """Run the command line in a child; return its exit code, or 1 if the child ended too early."""
    with tempfile.TemporaryDirectory() as folder:
        ending = Path(folder) / "ending"
        environment = {**os.environ, VARIABLE: str(ending)}
        program = f"import sys; sys.path[:] = {sys.path!r}; from grader.cli.main import main; main()"
        with subprocess.Popen([sys.executable, "-c", program, *arguments], env=environment) as process:
            while True:
                try:
                    code = process.wait()
                    break
                except KeyboardInterrupt:  # the child is interrupted too, and reports it
                    continue
        try:
            return int(ending.read_text(encoding="ascii"))
        except (OSError, ValueError):
            how = f"exit code {code}" if code >= 0 else f"signal {-code}"
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(
        f"your code ended the check ({how}). The functions above were checked; the one that came next, or "
        "code that it needs, ends the program. The rest was not checked: mend that function first, or check "
        "the others one at a time with -f NAME.",
        err=True,
    )
    return EXIT_NO


def leave(code: int, ending: Path) -> NoReturn:
    """Write the exit code and end the child at once, before threads or exit handlers can change it."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    ending.write_text(str(code), encoding="ascii")
    LEAVE(code)
