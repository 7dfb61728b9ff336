"""Lets the users of a JupyterHub into `grader serve`: a service of the hub.

    browser -> hub's proxy -> this (who is it? OAuth of the hub) -> grader serve
                                   adds X-Remote-User, after removing what a browser sent under that name

    python login_proxy.py RESULTS [OPTION OF grader serve]...

The hub starts it (jupyterhub_config.py) and tells it its address and prefix. Between the two is a Unix socket
in a folder of this user, because people with a shell on this machine reach every port. Whether a person may
grade is decided by grader: `grader people add NAME --no-password`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from typing import Any
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado.httpclient import HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.netutil import Resolver
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.web import Application, RequestHandler, authenticated

HEADER = "X-Remote-User"
OURS = (HEADER, "Connection", "Content-Length", "Cookie", "Transfer-Encoding", "X-Forwarded-For")
NOT_BACK = ("Connection", "Content-Length", "Transfer-Encoding", "Date", "Server")


class AtSocket(Resolver):
    """Leads every name to one Unix socket."""

    def initialize(self, path: str) -> None:
        """Keep where the socket is."""
        self.path = path

    async def resolve(self, *_: Any, **__: Any) -> list[tuple[int, Any]]:
        """Return the socket."""
        return [(socket.AF_UNIX, self.path)]


class Forward(HubOAuthenticated, RequestHandler):
    """Passes the requests of a person whom the hub knows on to grader."""

    def check_xsrf_cookie(self) -> None:
        """Leave this to grader: each of its forms has a token of its own."""

    @authenticated
    async def get(self, *_: Any) -> None:
        """Pass a request on, and the answer back."""
        headers = HTTPHeaders(self.request.headers)
        for name in OURS:
            headers.pop(name, None)
        headers[HEADER] = self.current_user["name"]
        headers["X-Forwarded-For"] = self.request.remote_ip or ""
        client: SimpleAsyncHTTPClient = self.settings["grader"]
        answer = await client.fetch(
            HTTPRequest(
                f"http://localhost{self.request.uri}",
                self.request.method or "GET",
                headers,
                self.request.body or None,
                follow_redirects=False,
                decompress_response=False,
                request_timeout=120,
                allow_nonstandard_methods=True,
            ),
            raise_error=False,
        )
        self.clear()
        self.clear_header("Content-Type")
        self.set_status(answer.code)
        for name, value in answer.headers.get_all():
            if name not in NOT_BACK:
                self.add_header(name, value)
        if answer.body:
            self.write(answer.body)

    head = post = get


async def main(folder: str) -> None:
    """Start grader and the server in front of it; end with either of them."""
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"].rstrip("/")
    path = f"{folder}/grader.socket"
    options = ["--socket", path, "--user-header", HEADER, "--prefix", prefix, *sys.argv[2:]]
    grader = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "grader", "serve", sys.argv[1], *options
    )
    routes = [(f"{prefix}/oauth_callback", HubOAuthCallbackHandler), (f"{prefix}(?:/.*)?", Forward)]
    client = SimpleAsyncHTTPClient(force_instance=True, resolver=AtSocket(path=path))
    application = Application(routes, cookie_secret=os.urandom(32), grader=client)
    where = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    application.listen(where.port or 8643, where.hostname or "127.0.0.1")
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, grader.terminate
    )  # the hub ends a service so
    try:
        await grader.wait()
    finally:
        if grader.returncode is None:
            grader.terminate()
            await grader.wait()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(folder))
