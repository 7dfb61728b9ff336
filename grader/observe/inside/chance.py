"""Makes what a call draws from `random` and NumPy depend on a seed alone: made again, it gives the same.

A generator without a seed (`np.random.default_rng()`) begins with entropy of the operating system, which
NumPy asks for in one place: `randbits` of numpy.random.bit_generator. Here it comes from the seed too.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.random import bit_generator

NUMPY: Any = bit_generator  # its stubs do not tell of randbits


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python's and NumPy's random state and NumPy's entropy; leave all of them as they were."""
    state, array_state, entropy = random.getstate(), np.random.get_state(), NUMPY.randbits
    random.seed(seed)
    np.random.seed(seed)
    NUMPY.randbits = random.Random(seed).getrandbits
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(array_state)
        NUMPY.randbits = entropy
