"""Lays the pages of the site out in a folder, from which `make docs` builds it.

    python docs/lay_out.py build/pages

    docs/*.md, docs/images, docs/ci            ->  the top of the folder
    CHANGELOG, CONTRIBUTING, SECURITY.md       ->  beside them
    benchmarks/README.md                       ->  benchmarks/
    the commands and their options             ->  commands.md

Links are those of the repository, where docs/ is a folder; they lose it here.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from grader.cli.main import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md")
HEAD = """# Commands

Every command with its arguments and options, as `grader COMMAND --help` prints them. What may be relied on,
and the exit codes: [What is public](api.md).
"""


def main() -> None:
    """Write the pages into the folder that the command line names, in place of what was there."""
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for page in folder.glob("*.md"):
        page.write_text(page.read_text(encoding="utf-8").replace("](../", "]("), encoding="utf-8")
    for name in PAGES:
        text = (ROOT / name).read_text(encoding="utf-8")
        (folder / name).parent.mkdir(exist_ok=True)
        text = text.replace("](docs/", "](").replace("](../docs/", "](../")
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "commands.md").write_text(commands(), encoding="utf-8")


def commands() -> str:
    """Return the page of all commands, in the order of the alphabet."""
    parts = [HEAD]
    for name, command in sorted(cli.commands.items()):
        parts += sections(command, click.Context(command, info_name=f"grader {name}"), "##")
    return "\n".join(parts)


def sections(command: click.Command, context: click.Context, level: str) -> list[str]:
    """Return the section of a command, and those of its own commands below it."""
    context.max_content_width = 100
    parts = [f"{level} {context.info_name}\n\n```text\n{command.get_help(context)}\n```\n"]
    if isinstance(command, click.Group):
        for name, each in sorted(command.commands.items()):
            inner = click.Context(each, info_name=f"{context.info_name} {name}")
            parts += sections(each, inner, f"{level}#")
    return parts


if __name__ == "__main__":
    main()
