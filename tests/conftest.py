"""What holds for all tests: timing is never asserted, so no example of a property-based test is too slow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from grader.observe.sandbox import Sandbox

settings.register_profile("grader", deadline=None, max_examples=60)
settings.load_profile("grader")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep plans in a folder of this run of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The strongest sandbox that this machine has, started once for all tests that run student code in it."""
    from grader.observe.tiers import choose_sandbox

    with choose_sandbox(["numpy", "scipy.sparse"], unsafe=True) as chosen:
        yield chosen
