"""A real Chromium, without which these tests fail."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from line_kit import World
from site_kit import built, tour

if TYPE_CHECKING:
    from playwright.sync_api import Browser


# Not for the whole session: even with nothing to show, it takes a seventh of a core from the other tests.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if program is None:
        pytest.fail("chromium and the package playwright are needed here: tools/test-parts")
    with sync_playwright() as tool:
        # As root, in a container, Chromium's own sandbox cannot start.
        browser = tool.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = tour(tmp_path_factory.mktemp("tour"))
    built(made)
    return made


@pytest.fixture(scope="session")
def root(world: World) -> Path:
    return world.folder / "local"
