"""Fixtures of the system tests: one Airflow for all of them, and one first push."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.system.chromium import SECONDS, chromium, log_in, open_page
from tests.system.world import World
from tests.system.worlds import open_world

from pushtrain.local.browser import find_browser

LOOP = ("loop_ann.py", "loop_cnn.py", "loop_knn.py", "loop_far_target.py")
BROKEN = (
    "broken_raises.py", "broken_settings.py", "broken_silent.py", "broken_syntax.py",
    "broken_torch.py",
)  # fmt: skip


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Yield a running Airflow with a model repo, a mailbox and a store of its own."""
    with open_world(tmp_path_factory.mktemp("pushtrain")) as world:
        yield world


@pytest.fixture(scope="session")
def pushed(world: World) -> str:
    """Push the scripts of the loop and the broken ones at once, and return the commit."""
    world.lay(*LOOP, *BROKEN)
    return world.push("Add models")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a Chromium; of the module, for its event loop would disturb tests without it."""
    if not find_browser():
        # a person may go without; in CI a browser that was not installed must be noticed
        leave = pytest.fail if os.environ.get("CI") else pytest.skip
        leave("no Chromium here: `apt-get install chromium`, or set PUSHTRAIN_BROWSER")
    expect.set_options(timeout=SECONDS * 1000)
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(world: World, browser: Browser) -> Page:
    """Return a browser's page in which somebody has logged in to Airflow."""
    assert world.running
    return log_in(open_page(browser, world.running), world.running)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder: they need all there is, and time."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            for marker in (pytest.mark.airflow, pytest.mark.docker, pytest.mark.slow):
                item.add_marker(marker)
