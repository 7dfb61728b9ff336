"""`grader schema`: what a rubric may say, for editors and for people."""

from __future__ import annotations

import click


@click.command(short_help="Print the JSON Schema of rubrics, for editors.")
@click.option("--markdown", is_flag=True, help="Print the reference of all keys instead, for reading.")
def schema(markdown: bool) -> None:
    """Print the JSON Schema of rubrics, with which editors complete and check them."""
    from grader.course.rubric_docs import rubric_reference  # noqa: PLC0415
    from grader.course.rubric_file import json_schema  # noqa: PLC0415

    click.echo(rubric_reference() if markdown else json_schema(), nl=False)
