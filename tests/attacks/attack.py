"""What an attack is, and how its notebook is made."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

SECRET = "the-secret-2718281828"
LOOTING = """
def double(x):
    try:
        return repr(steal())
    except BaseException as error:
        return repr(error)

print(double(1))
"""


@dataclass(frozen=True)
class Attack:
    """A notebook that wants what it may not have, and its honest twin.

    `steal` is a function steal() whose result is the loot; or `double` is the graded function itself. The
    words {reference}, {rubric}, {database}, {other}, {host}, {pid}, {port} stand for what an attacker could
    know: paths of the machine, the grader's process, an open port on it. `earns` are the points that the
    attack's own function rightly gets (of 3).
    """

    name: str
    goal: str
    layer: str
    benign: str
    steal: str = ""
    double: str = ""
    earns: float = 0.0

    @property
    def runs(self) -> tuple[str, ...]:
        """The suffixes of its submissions: what is left behind is seen by the second one."""
        return ("", "-again") if self.name.startswith("leaves") else ("",)

    def source(self, **known: object) -> str:
        """Return the attacker's notebook cell."""
        text = dedent(self.steal) + LOOTING if self.steal else dedent(self.double)
        for word, value in known.items():
            text = text.replace("{" + word + "}", str(value))
        return text

    def twin(self) -> str:
        """Return the cell of the one who does the honest version of the same."""
        return dedent(self.benign)
