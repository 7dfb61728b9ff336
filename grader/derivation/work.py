"""How much work a derivation may cause: what is left over is not checked."""

from __future__ import annotations

from dataclasses import dataclass

from grader.derivation.tree import DerivationError

MAX_WORK = 600_000  # about two microseconds each; what a long derivation needs, several times
OPERATION = 15  # an operation on small arrays
ENTRIES = 40  # entries of arrays that cost as much as one unit


@dataclass
class Work:
    """The work that is left for a derivation; all that evaluate it share one."""

    left: int = MAX_WORK

    @property
    def spent(self) -> bool:
        """Whether there is none left."""
        return self.left < 0

    @property
    def scarce(self) -> bool:
        """Whether there is too little left for what only says more."""
        return self.left < MAX_WORK // 2

    def spend(self, amount: int) -> None:
        """Note work that is done; raise DerivationError if there is none left."""
        self.left -= amount
        if self.left < 0:
            raise DerivationError("the derivation is too long to check all of it")
