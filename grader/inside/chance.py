"""Makes the random numbers that a call draws, from `random` and NumPy, depend on a seed alone.

So a call can be repeated. A generator without a seed (`np.random.default_rng()`) starts from entropy of the
operating system, which NumPy reads in one place, `randbits` of numpy.random.bit_generator. That is replaced,
so that such a generator depends on the seed too.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.random import bit_generator

NUMPY: Any = bit_generator  # its type stubs lack randbits


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python's and NumPy's random state and NumPy's entropy; restore all of them at the end."""
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
