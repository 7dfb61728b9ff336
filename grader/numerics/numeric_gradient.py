"""The numeric gradient that a gradient is judged by, and whether it can tell right from wrong at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Numeric:
    """The numeric gradient of the trusted cost: one array a part, with the estimated error of each entry.

    `rounding` is how far rounding of the inputs (in double precision) moves each part, as a norm; `flat`
    whether a part is zero but for that rounding; `kink` whether the cost has a kink at the point.
    """

    parts: tuple[Array, ...]
    errors: tuple[Array, ...]
    rounding: tuple[float, ...] = ()
    flat: tuple[bool, ...] = ()
    kink: bool = False

    def part(self, number: int) -> NumericPart:
        """Return one part with what is known of it."""
        rounding = self.rounding[number] if self.rounding else 0.0
        return NumericPart(
            self.parts[number], self.errors[number], rounding, bool(self.flat) and self.flat[number]
        )

    def decides(self, rtol: float) -> bool:
        """Whether a gradient can be told from a wrong one: finite, and no more noise than the tolerance."""
        return all(self.part(number).decides(rtol) for number in range(len(self.parts)))


@dataclass(frozen=True)
class NumericPart:
    """The numeric gradient with respect to one argument."""

    right: Array
    error: Array
    rounding: float
    flat: bool

    @property
    def norm(self) -> float:
        """The norm of the gradient."""
        return float(np.linalg.norm(self.right))

    @property
    def noise(self) -> float:
        """The norm of the estimated errors."""
        return float(np.linalg.norm(self.error))

    def slack(self, rtol: float, unit: float = 1.0) -> float:
        """Return how far a right gradient may be off; `unit` is its rounding in that of double precision."""
        return rtol * self.norm + self.rounding * unit

    def facts(self, got: Array, name: str, slack: float) -> tuple[tuple[str, str], ...]:
        """Return what a student can look into: the worst entry, both values there, and the errors."""
        if self.right.size == 0:
            return ()
        worst = np.unravel_index(int(np.argmax(np.abs(got - self.right))), self.right.shape)
        place = f"{name}[{', '.join(str(int(i)) for i in worst)}]" if worst else name
        facts = [
            ("worst entry", place),
            ("returned there", f"{got[worst]:.6g}"),
            ("finite difference there", f"{self.right[worst]:.6g}"),
        ]
        if self.norm:
            unit = self.right / self.norm  # so that no square of an entry over- or underflows
            facts += [
                ("relative error", f"{float(np.linalg.norm(got / self.norm - unit)):.2g}"),
                ("relative error allowed", f"{slack / self.norm:.2g}"),
                ("noise of the finite differences", f"{self.noise / self.norm:.1g}"),
                ("best-fitting factor", f"{float(np.vdot(unit, got / self.norm)):.4g}"),
            ]
        return tuple(facts)

    def decides(self, rtol: float) -> bool:
        """Whether the noise leaves the tolerance visible; where the gradient is zero it always does."""
        return bool(np.isfinite(self.right).all()) and (self.flat or self.noise <= self.slack(rtol))
