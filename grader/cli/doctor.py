"""`grader doctor`: tests how well this machine can isolate notebooks."""

from __future__ import annotations

import sys

import click

from grader.cli.exit_codes import EXIT_NO


@click.command(short_help="Try the walls that this machine can build around notebooks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--minimum",
    type=click.Choice(["isolated", "restricted", "plain"]),
    default="restricted",
    show_default=True,
    help="The tier below which the exit code is 1.",
)
def doctor(as_json: bool, minimum: str) -> None:
    """Build a box, attack it from inside, and say of each layer whether it holds.

    The layers add up to a tier: isolated (all of them), restricted (no namespaces), plain (no walls).
    Where a higher one can be had, the command that raises it is named.
    """
    from rich.console import Console  # noqa: PLC0415 -- keeps --help fast

    from grader.observe.examine import examine  # noqa: PLC0415

    if not examine(minimum, Console(highlight=False), as_json=as_json):
        sys.exit(EXIT_NO)
