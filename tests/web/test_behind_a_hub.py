"""`grader serve` at a Unix socket, and the service of a JupyterHub in front of it, with a hub that knows two people."""

from __future__ import annotations

import os
import re
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from support import ROOT
from support_manual import fill

from grader.store import Store

pytest.importorskip("starlette", reason="grader[serve] is not installed")
pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")

# What the service uses of a hub: who somebody is, by a cookie. The real one asks the hub by OAuth.
HUB = """
import tornado.web

class HubOAuthenticated:
    def get_current_user(self):
        name = self.get_cookie("hub-user")
        return {"name": name} if name else None

    def get_login_url(self):
        return "/hub/login"

class HubOAuthCallbackHandler(tornado.web.RequestHandler):
    pass
"""


def grader(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "grader", *arguments]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return results of a small course, and an account of anna without a password."""
    folder = tmp_path_factory.mktemp("results")
    with Store(folder / "grader.db") as store:
        fill(store)
    add = ("people", "add", "anna", "--no-password", "--role", "head", "--out", str(folder))
    subprocess.run(grader(*add), check=True, capture_output=True)
    return folder


def started(process: subprocess.Popen[str]) -> None:
    """Wait until grader says that it listens; a timer ends a process that never does."""
    assert process.stdout is not None
    timer = threading.Timer(60, process.kill)
    timer.start()
    for line in process.stdout:
        if line.startswith("Listening at"):
            break
    timer.cancel()


def test_a_socket_is_its_users_alone_and_the_header_counts_there(results: Path, tmp_path: Path) -> None:
    path = tmp_path / "grader.socket"
    command = grader("serve", str(results), "--socket", str(path), "--user-header", "X-Remote-User")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            started(process)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            transport = httpx2.HTTPTransport(uds=str(path))
            with httpx2.Client(transport=transport, base_url="http://localhost") as client:
                for person, status in (("anna", 200), ("stranger", 303), ("", 303)):
                    headers = {"X-Remote-User": person} if person else {}
                    assert client.get("/", headers=headers).status_code == status, person
        finally:
            process.terminate()
    assert not path.exists()


@pytest.mark.parametrize("options", [(), ("--accounts",), ("--user-header", "X-U", "--proxy", "10.0.0.1")])
def test_a_socket_is_for_a_proxy_that_names_people(
    results: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    command = grader("serve", str(results), "--socket", str(tmp_path / "s"), *options)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "give --user-header, and no --proxy" in done.stderr) == (2, True), done.stderr


@pytest.fixture(scope="module")
def service(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of the service, as a hub would start it at /services/grading/."""
    hub = tmp_path_factory.mktemp("hub")
    (hub / "jupyterhub" / "services").mkdir(parents=True)
    for name, text in {"__init__.py": "", "services/__init__.py": "", "services/auth.py": HUB}.items():
        (hub / "jupyterhub" / name).write_text(text, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    environment = os.environ | {
        "PYTHONPATH": str(hub),
        "JUPYTERHUB_SERVICE_PREFIX": "/services/grading/",
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}",
    }
    command = [sys.executable, ROOT / "contrib" / "jupyterhub" / "login_proxy.py", str(results)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            started(process)
            yield port
        finally:
            process.terminate()


def ask(port: int, path: str, method: str = "GET", **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.request(method, f"http://127.0.0.1:{port}/services/grading{path}", headers=named)


def test_who_is_not_logged_in_at_the_hub_is_sent_there(service: int) -> None:
    answer = ask(service, "/", X_Remote_User="anna")
    assert (answer.status_code, answer.headers["location"].startswith("/hub/login")) == (302, True)
    assert ask(service, "/points", "POST", X_Remote_User="anna").status_code == 403


def test_the_name_is_the_hubs_whatever_the_browser_sends(service: int) -> None:
    answer = ask(service, "/", Cookie="hub-user=anna")
    assert answer.status_code == 200
    assert "anna" in answer.text
    refused = ask(service, "/", Cookie="hub-user=bert", X_Remote_User="anna", x_remote_user="anna")
    assert (refused.status_code, "login" in refused.headers["location"]) == (303, True)


def test_files_keep_their_type_and_answers_their_policy(service: int) -> None:
    page = ask(service, "/", Cookie="hub-user=anna")
    assert page.headers.get_list("content-type") == ["text/html; charset=utf-8"]
    assert "script-src" in page.headers["content-security-policy"]
    (style,) = re.findall(r'"/services/grading(/static/[^"]+\.css)"', page.text)
    answer = ask(service, style, Cookie="hub-user=anna")
    assert answer.headers.get_list("content-type") == ["text/css; charset=utf-8"]


def test_the_configuration_of_the_hub_names_what_is_there() -> None:
    class Config:
        """Takes every attribute, as the hub's does."""

        def __getattr__(self, name: str) -> Config:
            made = Config()
            setattr(self, name, made)
            return made

    made = Config()
    text = (ROOT / "contrib" / "jupyterhub" / "jupyterhub_config.py").read_text(encoding="utf-8")
    exec(compile(text, "jupyterhub_config.py", "exec"), {"get_config": lambda: made})
    (service,) = made.JupyterHub.services
    python, script, _, *options = service["command"]
    assert (python, Path(script).name) == (sys.executable, "login_proxy.py")
    (role,) = made.JupyterHub.load_roles
    assert role["scopes"] == [f"access:services!service={service['name']}"]
    assert set(role["groups"]) == set(made.JupyterHub.load_groups)
    help_text = subprocess.run(grader("serve", "--help"), capture_output=True, text=True, check=True).stdout
    assert [word for word in options if word.startswith("--") and word not in help_text] == []
