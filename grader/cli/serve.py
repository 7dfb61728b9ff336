"""`grader serve`: grading in a browser."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import socket
import sys
from pathlib import Path

import click

from grader.cli.open_results import Opened, Where, opened, own_name
from grader.cli.options import PATH
from grader.errors import MissingPackageError, UsageError
from grader.project import quoted

UNIX_PEERS = ("",)  # the address of who opened a Unix socket


@click.command(short_help="Grade in a browser what no machine decides.")
@click.argument("results", type=PATH, default=Path("results"))
@click.option("--port", type=click.IntRange(0, 65535), default=8642, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--socket",
    "socket_path",
    type=PATH,
    help="With --user-header: listen at this file, which is yours alone.",
)
@click.option("--accounts", is_flag=True, help="Several people, with passwords: see grader people.")
@click.option("--user-header", metavar="NAME", help="A proxy logs people in and names them in this header.")
@click.option(
    "--proxy", multiple=True, metavar="ADDRESS", help="The address of that proxy [default: this machine]."
)
@click.option("--name", "names", multiple=True, metavar="HOST", help="A host name that people use for it.")
@click.option("--prefix", default="", metavar="/PATH", help="The path below which a proxy shows it.")
@click.option("--https", is_flag=True, help="People reach it by https, through a proxy: secure cookies.")
@click.option("--as", "person", default=own_name, help="Who you are, alone [default: your user name].")
@click.option("--assignment", help="Name of the assignment, if the results are of several.")
@click.option("--database", metavar="URL", help="The database of the course, if not in RESULTS.")
@click.option("--root", type=PATH, help="The folder with rubrics/ and reference/, to judge again.")
@click.option("--unsafe", is_flag=True, help="Judge again even where no walls can be built.")
def serve(
    results: Path,
    port: int,
    host: str,
    *,
    socket_path: Path | None,
    accounts: bool,
    user_header: str | None,
    proxy: tuple[str, ...],
    names: tuple[str, ...],
    prefix: str,
    https: bool,
    person: str,
    assignment: str | None,
    database: str | None,
    root: Path | None,
    unsafe: bool,
) -> None:
    """Open the RESULTS of `grader grade` in a browser: written parts, overrides, groups, history.

    Alone: open the address that is printed; it works once, and only on this machine. With several people:
    --accounts or --user-header, behind a proxy that speaks TLS. See docs/web.md.
    """
    try:
        import argon2  # noqa: F401, PLC0415 -- of an extra
        import starlette  # noqa: F401, PLC0415
        import uvicorn  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"the package {error.name} is missing; run: pip install {quoted('serve')}"
        ) from error
    from grader.web.jobs import Jobs  # noqa: PLC0415
    from grader.web.served_results import Access, Results  # noqa: PLC0415
    from grader.web.site import make_site  # noqa: PLC0415

    _check(host, accounts=accounts, header=user_header, prefix=prefix)
    if socket_path is not None and (not user_header or proxy):
        raise UsageError("--socket is for a proxy that names people: give --user-header, and no --proxy")
    token = "" if accounts or user_header else secrets.token_urlsafe(24)
    proxies = proxy or (Access.proxies if socket_path is None else UNIX_PEERS)
    access = Access(person, token, accounts, user_header or "", proxies)
    with opened(Where(results, assignment, database)) as found:
        options = ["--out", str(results), "--assignment", found.assignment]
        options += ["--database", database] if database else []
        options += ["--root", str(root)] if root else []
        options += ["--unsafe"] if unsafe else []
        jobs = Jobs(options)
        site = Results(found.store, found.assignment, results, _title(found), access, jobs, prefix, https)
        if accounts and not site.accounts.people():
            raise UsageError("there are no accounts yet: grader people add NAME --role head")
        server = uvicorn.Server(
            uvicorn.Config(
                make_site(site, names),
                host,
                port,
                log_level="warning",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=5,
            )
        )
        if socket_path is not None:
            listening = _unix_socket(socket_path)
            where = str(socket_path)
        else:
            listening = server.config.bind_socket()
            where = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}{prefix}/"
        if token:
            click.echo(f"Open this in a browser; it works once:\n\n    {where}enter?token={token}\n")
        else:
            click.echo(f"Listening at {where}; TLS is the proxy's.")
        click.echo("Ctrl-C ends it; what was decided is kept. The pages and the gradebook: grader publish")
        sys.stdout.flush()
        try:
            with contextlib.suppress(KeyboardInterrupt):  # the usual way to end it
                server.run(sockets=[listening])
        finally:
            jobs.end()
            if socket_path is not None:
                socket_path.unlink(missing_ok=True)


def _unix_socket(path: Path) -> socket.socket:
    """Return a socket at a file that only this user may open, in place of one that an earlier run left."""
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError("--socket needs a system with Unix sockets")
    if path.is_socket():
        path.unlink()
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    kept = os.umask(0o177)
    try:
        made.bind(str(path))
    except OSError as error:
        raise UsageError(f"cannot listen at {path}: {error.strerror or error}") from error
    finally:
        os.umask(kept)
    return made


def _title(found: Opened) -> str:
    rubric = found.rubric
    return rubric.title if rubric is not None else found.assignment


def _check(host: str, *, accounts: bool, header: str | None, prefix: str) -> None:
    """Refuse what would let people in whom nobody knows."""
    try:
        alone = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        alone = False
    if not alone and not accounts and not header:
        raise UsageError(f"--host {host} is open to others: give --accounts or --user-header too")
    if accounts and header:
        raise UsageError("give --accounts or --user-header, not both")
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        raise UsageError(f"--prefix {prefix!r} begins with / and does not end with it, such as /grading")
