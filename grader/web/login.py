"""Who comes in: by a one-time token, a password, or the name that a proxy gives.

Failed logins are counted by name and by address: after some, both wait. Refusals are logged once in that time
for each address, and few passwords are hashed at once.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections import deque
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grader.manual.accounts import Role, Session
from grader.web.guards import same_origin
from grader.web.served_results import Results
from grader.web.visit import address, address_of, page

TRIES_NAME, TRIES_ADDRESS, WINDOW = 5, 20, 300.0
MAX_KEPT = 10_000
HASHES_AT_ONCE = 2  # each takes 64 MB and a processor
MAX_PASSWORD = 1000


class LoginLimit:
    """Counts failed logins; a name or an address with too many of them waits.

    It forgets the oldest of many names and addresses.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._failed: dict[str, deque[float]] = {}
        self._told: dict[str, float] = {}
        self._lock = threading.Lock()

    def begun(self, name: str, where: str) -> bool:
        """Count a login as failed until it has succeeded; False if it may not even be tried."""
        keys = (f"name {name}", f"at {where}")
        with self._lock:
            if self._count(keys[0]) >= TRIES_NAME or self._count(keys[1]) >= TRIES_ADDRESS:
                return False
            for key in keys:
                self._failed.setdefault(key, deque(maxlen=TRIES_ADDRESS)).append(self.clock())
            while len(self._failed) > MAX_KEPT:
                self._failed.pop(next(iter(self._failed)))
            return True

    def succeeded(self, name: str, where: str) -> None:
        """Take back what `begun` has counted."""
        with self._lock:
            for key in (f"name {name}", f"at {where}"):
                if times := self._failed.get(key):
                    times.pop()

    def told_now(self, where: str) -> bool:
        """Whether a refusal is to be logged: the first one of an address in a window."""
        with self._lock:
            last, now = self._told.pop(where, None), self.clock()
            is_first = last is None or last < now - WINDOW
            self._told[where] = now if is_first or last is None else last
            while len(self._told) > MAX_KEPT:
                self._told.pop(next(iter(self._told)))
            return is_first

    def _count(self, key: str) -> int:
        times = self._failed.get(key, deque())
        while times and times[0] < self.clock() - WINDOW:
            times.popleft()
        return len(times)


class Login:
    """Lets people in and out; `token` is spent with its first use."""

    def __init__(self, results: Results, limit: LoginLimit | None = None) -> None:
        self.results = results
        self.limit = limit or LoginLimit()
        self.token = results.access.token
        self._lock = threading.Lock()

    def find(self, results: Results, request: Request) -> tuple[Session, str] | None:
        """Return the session of a request and its token, None if there is none."""
        access = results.access
        if access.header:
            direct = request.client.host if request.client else ""
            person, *further = request.headers.getlist(access.header) or [""]
            known = person and not further and direct in access.proxies  # one more is not the proxy's
            role = results.accounts.people().get(person) if known else None
            return None if role is None else (Session(person, role), f"{results.secret} {person}")
        token = request.cookies.get(self.results.cookie, "")
        session = results.accounts.session(token) if token else None
        return None if session is None else (session, token)

    def enter(self, request: Request) -> Response:
        """Let the one person in who has the one-time token."""
        given = request.query_params.get("token", "")
        with self._lock:
            right = bool(self.token) and hmac.compare_digest(given.encode(), self.token.encode())
            if right:
                self.token = ""
        where = address_of(request, self.results)
        if not right:
            if self.limit.told_now(where):
                self.results.accounts.log("", where, "refused", "a token that is wrong or was used")
            words = "The address works once. Start grader serve again for a new one."
            return page(self.results, "told.html", 403, title="This address was used already", words=words)
        session = Session(self.results.access.person, Role.HEAD)
        return self._opened(request, session, "")

    def login_page(self, request: Request) -> Response:
        """Return the form to log in, or say how else to come in."""
        if not self.results.access.accounts:
            words = "Open the address that grader serve has printed."
            if self.results.access.header:
                words = "The proxy named no account of this course: grader people add NAME --no-password."
            return page(self.results, "told.html", 403, title="Who are you?", words=words)
        to = request.query_params.get("to", "")
        return page(self.results, "login.html", to=to, problem="", name="")

    def login(self, request: Request, form: dict[str, str]) -> Response:
        """Let a person in whose password is right."""
        name, where = form.get("name", "")[:100], address_of(request, self.results)
        to = form.get("to", "")
        if not self.results.access.accounts or not same_origin(request):
            return page(
                self.results, "told.html", 403, title="Refused", words="This form is not one of ours."
            )
        if not self.limit.begun(name, where):
            if self.limit.told_now(where):
                self.results.accounts.log(name, where, "login refused", "too many tries")
            problem = "Too many tries. Wait some minutes."
            return page(self.results, "login.html", 429, to=to, problem=problem, name=name)
        session = self.results.accounts.logged_in(name, form.get("password", "")[:MAX_PASSWORD])
        if session is None:
            self.results.accounts.log(name, where, "login failed")
            problem = "The name or the password is wrong."
            return page(self.results, "login.html", 403, to=to, problem=problem, name=name)
        self.limit.succeeded(name, where)
        return self._opened(request, session, to)

    def leave(self, request: Request) -> Response:
        """End the session."""
        if not same_origin(request):
            return page(
                self.results, "told.html", 403, title="Refused", words="This form is not one of ours."
            )
        self.results.accounts.close_session(request.cookies.get(self.results.cookie, ""))
        answer = page(self.results, "told.html", title="Good bye", words="You are logged out.")
        answer.delete_cookie(self.results.cookie, path=self.results.prefix or "/")
        return answer

    def _opened(self, request: Request, session: Session, to: str) -> Response:
        ours = to.startswith(f"{self.results.prefix}/") and not to.startswith("//") and "\\" not in to
        token = self.results.accounts.open_session(session)
        self.results.accounts.log(session.person, address_of(request, self.results), "logged in")
        answer = RedirectResponse(to if ours else address(self.results), 303)
        answer.set_cookie(
            self.results.cookie,
            token,
            path=self.results.prefix or "/",
            httponly=True,
            samesite="lax",
            secure=self.results.secure,
        )
        return answer
