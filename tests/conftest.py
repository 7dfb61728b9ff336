"""What holds for all tests: timing is never asserted, so no example of a property-based test is too slow."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from grader.observe.sandbox import Sandbox

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

settings.register_profile(
    "grader", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless browser of this machine; where there is none, its tests are skipped, or fail if it is required.

    It holds an event loop of this thread while it is open, so it is closed before the tests of the next file.
    """
    from playwright import sync_api

    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None and os.environ.get("GRADER_BROWSER") == "required":
        pytest.fail("there is no browser, and GRADER_BROWSER says that there must be one")
    if path is None:
        pytest.skip("there is no browser here: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.getuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=path, args=arguments)
        yield opened
        opened.close()
