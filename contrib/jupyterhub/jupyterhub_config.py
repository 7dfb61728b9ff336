"""What a JupyterHub needs to show the pages of `grader serve` at /services/grading/ (docs/hub.md).

Take it over into the hub's own configuration; `get_config` is the hub's.
"""

import sys

c = get_config()  # type: ignore[name-defined]  # noqa: F821
RESULTS = "/srv/course/results"
COURSE = "/srv/course"

c.JupyterHub.services = [
    {
        "name": "grading",
        "url": "http://127.0.0.1:8643",
        "command": [
            sys.executable,
            f"{COURSE}/login_proxy.py",
            RESULTS,
            *("--root", COURSE),
            *("--name", "hub.example.org"),  # as the address bar of a browser shows it
            "--https",
        ],
        "oauth_no_confirm": True,
    },
]
c.JupyterHub.load_groups = {"graders": {"users": ["anna", "bert"]}}
c.JupyterHub.load_roles = [
    {"name": "graders", "groups": ["graders"], "scopes": ["access:services!service=grading"]},
]
