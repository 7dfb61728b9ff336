"""The site without a browser, for tests of what it answers."""

from __future__ import annotations

import re
from typing import Any

from starlette.testclient import TestClient

from grader.web.site import make_site

PASSWORD = "correct horse battery"
HOST = "http://127.0.0.1"


def client(results: Any, *, enter: bool = True, **more: Any) -> TestClient:
    """Return a client of the site, of the person with the one-time token if it is to `enter`."""
    made = TestClient(
        make_site(results, **more), base_url=HOST, client=("127.0.0.1", 5000), follow_redirects=False
    )
    if enter:
        assert made.get("/enter?token=once").status_code == 303
    return made


def forgery(made: TestClient) -> str:
    """Return what the forms of a session carry."""
    found = re.search(r'data-forgery="([0-9a-f]{64})"', made.get("/").text)
    assert found is not None
    return found[1]
