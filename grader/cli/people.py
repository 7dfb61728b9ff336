"""`grader people`: who may use `grader serve`."""

from __future__ import annotations

import click

from grader.cli.open_results import Where, opened, results_options


@click.group(short_help="Accounts for grader serve: add, remove, list.")
def people() -> None:
    """Manage the accounts of those who grade in a browser, for `grader serve --accounts`."""


@people.command()
@click.argument("name")
@click.option("--role", type=click.Choice(["ta", "head"]), default="ta", show_default=True)
@click.option("--no-password", is_flag=True, help="For a proxy that names its users (--user-header).")
@results_options
def add(name: str, role: str, where: Where, *, no_password: bool) -> None:
    """Add an account, or give one a new role and password; the password is asked for."""
    from grader.manual.accounts import Accounts, Role  # noqa: PLC0415 -- keeps --help fast

    password = "" if no_password else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with opened(where) as results:
        accounts = Accounts(results.store)
        accounts.add(name, Role(role), password)
        accounts.log("", "command line", "account added", f"{name}, {role}")
    click.echo(f"{name}: {role}")


@people.command()
@click.argument("name")
@results_options
def remove(name: str, where: Where) -> None:
    """Remove an account; what the person decided stays."""
    from grader.manual.accounts import Accounts  # noqa: PLC0415 -- keeps --help fast

    with opened(where) as results:
        Accounts(results.store).remove(name)
        Accounts(results.store).log("", "command line", "account removed", name)


@people.command("list")
@results_options
def list_(where: Where) -> None:
    """List the accounts with their roles."""
    from grader.manual.accounts import Accounts  # noqa: PLC0415 -- keeps --help fast

    with opened(where) as results:
        for person, role in Accounts(results.store).people().items():
            click.echo(f"{person}: {role.value}")
