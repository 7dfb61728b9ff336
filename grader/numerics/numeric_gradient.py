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

    def decides(self, rtol: float) -> bool:
        """Whether the noise leaves the tolerance visible; where the gradient is zero it always does."""
        return bool(np.isfinite(self.right).all()) and (self.flat or self.noise <= self.slack(rtol))
