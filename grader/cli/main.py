"""The command line: its commands, and the message and exit code of an error.

Exit codes: 0 graded, 1 below the minimum tier (doctor) or a claim broken (verify), 2 usage or rubric,
3 some not graded through our fault, or results that cannot be kept, 130 interrupted. An error has the code of
its class (`grader.errors`).
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from collections.abc import Sequence

import click

from grader import __version__
from grader.cli.check import check
from grader.cli.choose import choose
from grader.cli.derivation import derivation
from grader.cli.doctor import doctor
from grader.cli.exit_codes import EXIT_INTERRUPTED, EXIT_USAGE
from grader.cli.export import export, summary
from grader.cli.grade import grade
from grader.cli.new import new
from grader.cli.pdf import pdf
from grader.cli.people import people
from grader.cli.points import override, points
from grader.cli.publish import publish
from grader.cli.regrade import regrade
from grader.cli.release import release
from grader.cli.schema import schema
from grader.cli.serve import serve
from grader.cli.show import show
from grader.cli.similar import similar
from grader.cli.todo import todo
from grader.cli.verify import verify
from grader.errors import GraderError

HELP = """Grade Jupyter notebooks of numerical machine learning.

\b
A teaching assistant grades a folder, and looks at one result:
    grader grade submissions/exercise_11
    grader show correct/loops
    grader export moodle --worksheet Grades.csv

\b
What no machine decides: in a browser, or here:
    grader serve results
    grader todo
    grader points set anna essay 2.5 --comment "Why is the rank at most $K$?"

\b
Before that, whether this machine can hold the notebooks of strangers:
    grader doctor

\b
An author begins from the gallery, lets the editor complete and check the rubric, and proves it:
    grader new my_sheet --from softmax
    grader schema > rubrics/rubric.schema.json
    grader verify my_sheet

\b
A student checks a notebook at home, and makes the PDF to hand in:
    grader check exercise_11.ipynb
    grader pdf exercise_11.ipynb -o hand_in.pdf
    grader derivation exercise_11.ipynb --assignment exercise_11 --question QUESTION

An assignment is a folder reference/NAME with the instructor's notebook and the generators of hidden
inputs, and a file rubrics/NAME.yaml with the questions and points.
"""


@click.group(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="grader")
def cli() -> None:
    """Run a command."""


COMMANDS = (grade, show, choose, export, summary, similar, new, verify, schema, doctor, pdf, release)
AT_HOME = (check, derivation)
DECIDING = (serve, todo, points, override, regrade, publish, people)
for command in (*COMMANDS, *AT_HOME, *DECIDING):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; print an error as a message, without a traceback, and exit with its code."""
    terminal = logging.StreamHandler()  # what is logged goes to a file in the results, see batch/grade_folder
    terminal.setLevel(os.environ.get("GRADER_LOG", "CRITICAL").upper())
    logging.basicConfig(handlers=[terminal], level=logging.INFO, format="%(name)s: %(message)s")
    for name in ("SIGTERM", "SIGHUP"):  # as Ctrl-C; under nohup, a terminal that closes stays ignored
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows ASCII alone shows names all the same
            stream.reconfigure(errors="replace")
    try:
        cli.main(args=arguments, prog_name="grader", standalone_mode=False)
    except GraderError as error:
        click.secho("error: ", fg="red", bold=True, nl=False, err=True)
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted. What was finished is kept; run the same command again to go on.", err=True)
        sys.exit(EXIT_INTERRUPTED)
    finally:
        try:
            sys.stdout.flush()
        except OSError:  # nobody reads any more, as in `grader ... | head -1`; Python would say so at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
