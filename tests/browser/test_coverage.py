"""What is missing and why, what nobody waits for, the review, and decks without a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archiver import logbook
from archiver.amend import amending
from archiver.errors import BlockedError
from archiver.model import Kind
from archiver.pages import places
from archiver.waivers import Waiver
from browser_kit import DESKTOP, PHONE, visiting
from line_kit import World
from media_samples import pptx
from site_kit import Rich, built, items, tour

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def partly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archive a tour of which one thing is blocked, one is not waited for, and one deck has no picture."""
    blocked = Rich("film", (b"x",), event="nanjing", kind=Kind.VIDEO, title="Film",
                   url="https://example.org/film", fails=BlockedError("a login is asked for"))  # fmt: skip
    bare = Rich(
        "bare", (pptx(["Chef"]),), event="beijing", kind=Kind.SLIDES, talk="chef", title="Chef & knives"
    )
    world: World = tour(tmp_path_factory.mktemp("partly"), things=[*items(), blocked, bare])
    waiver = Waiver("beijing", Kind.VIDEO, "", "没有录像 <b>", logbook.now())
    with amending(world.config, world.registry()) as desk:
        desk.write(logbook.WAIVERS, [waiver.line()], "waived")
    built(world)
    return world.folder / "local"


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_page_says_what_is_missing_and_why(browser: Browser, partly: Path, size: tuple[int, int]) -> None:
    with visiting(browser, size) as visit:
        visit.page.goto((partly / places.COVERAGE).as_uri())
        row = visit.page.locator(".gaps tbody tr", has_text="Nanjing").filter(has_text="视频")
        text = row.inner_text()
        assert "受阻" in text
        assert "a login is asked for" in text
        reason = row.get_by_text("a login is asked for").bounding_box()
        assert reason
        assert 0 <= reason["x"] < size[0] - 40  # in sight without scrolling sideways
    assert not visit.faults


def test_the_page_says_what_nobody_waits_for(browser: Browser, partly: Path) -> None:
    with visiting(browser) as visit:
        visit.page.goto((partly / places.COVERAGE).as_uri())
        assert "没有录像 <b>" in visit.page.locator("section[aria-labelledby=waived]").inner_text()
        visit.page.goto((partly / places.REVIEW).as_uri())
        assert "没有录像 <b>" in visit.page.locator("section[aria-labelledby=still]").inner_text()
    assert not visit.faults


def test_the_review_leads_to_the_decks(browser: Browser, partly: Path) -> None:
    with visiting(browser) as visit:
        visit.page.goto((partly / places.REVIEW).as_uri())
        visit.page.locator(".topics a.tag.slides").first.click()
        visit.page.wait_for_url("**/site/talk/beijing/juju.html*")
        assert visit.page.locator(".strip img").count() == 3
    assert not visit.faults


def test_a_deck_without_a_picture_shows_its_title(browser: Browser, partly: Path) -> None:
    with visiting(browser) as visit:
        for path, where in (
            (places.event_page("beijing"), ".card"),
            (places.talk_page("beijing", "chef"), ".deck"),
        ):
            visit.page.goto((partly / path).as_uri())
            shown = visit.page.locator(f"{where} .blank", has_text="PPTX")
            assert shown.count() == 1
            assert shown.locator("b").inner_text() in {"Deploy OpenStack with Chef", "Chef & knives"}
            box = shown.bounding_box()
            assert box
            assert box["height"] > 100
    assert not visit.faults
