"""What axe-core finds on every kind of page, and that a keyboard reaches everything and shows where it is."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from archiver.pages import places
from browser_kit import DESKTOP, PHONE, kinds_of_pages, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: Moderate ones too: landmarks, order of headings.
_RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
}


@pytest.fixture(scope="session")
def axe() -> str:
    """Give axe-core as text; it is part of a package for tests, and of nothing that we ship."""
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate("rules => axe.run(document, rules)", _RULES)["violations"]
    return [f"{each['id']} ({each['impact']}): {each['nodes'][0]['html'][:300]}" for each in found]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_on_any_kind_of_page(
    browser: Browser, root: Path, axe: str, size: tuple[int, int], scheme: str
) -> None:
    with visiting(browser, size, scheme) as visit:
        found = {}
        for path in kinds_of_pages(root):
            visit.page.goto(path.as_uri() + ("?q=juju" if path.name == "search.html" else ""))
            for folded in visit.page.locator("details > summary").all():
                folded.click()
            found[path.name] = violations(visit.page, axe)
        assert not {name: each for name, each in found.items() if each}
    assert len(found) > 9


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_in_the_viewer(browser: Browser, root: Path, axe: str, scheme: str) -> None:
    with visiting(browser, DESKTOP, scheme) as visit:
        visit.page.goto((root / places.wall_page("beijing")).as_uri())
        visit.page.locator(".wall a").nth(1).click()
        assert not violations(visit.page, axe)


def test_axe_itself_would_find_a_fault(browser: Browser, root: Path, axe: str) -> None:
    with visiting(browser) as visit:
        visit.page.goto((root / places.HOME).as_uri())
        visit.page.evaluate("document.querySelector('h1').style.color = '#ddd'")
        assert any("color-contrast (serious)" in each for each in violations(visit.page, axe))


def _reached(page: Page, most: int = 200) -> list[dict[str, Any]]:
    """Press Tab until the page has been walked through; say of each stop what it was and how it showed."""
    found: list[dict[str, Any]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " const b = e.getBoundingClientRect();"
            " return {name: e.tagName, number: [...document.querySelectorAll('*')].indexOf(e),"
            "   outline: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2,"
            "   inView: b.bottom > 0 && b.top < innerHeight, hidden: !!e.closest('[aria-hidden=true]')}; })()"
        )
        if stop["name"] == "BODY" or any(stop["number"] == each["number"] for each in found):
            return found
        found.append(stop)
    pytest.fail(f"more than {most} stops")


def test_the_keyboard_reaches_everything_and_shows_where_it_is(browser: Browser, root: Path) -> None:
    with visiting(browser) as visit:
        for path in kinds_of_pages(root):
            if path.name == "search.html":  # its field has the focus at once: another test walks there
                continue
            visit.page.emulate_media(reduced_motion="reduce")  # or it would still be scrolling
            visit.page.goto(path.as_uri())
            stops = _reached(visit.page)
            unseen = [s for s in stops if s["hidden"] or not (s["outline"] and s["inView"])]
            assert not unseen, path
            wanted = visit.page.locator(
                "a[href]:not([tabindex='-1']):visible, button:visible, input:visible, summary:visible"
            ).count()
            assert sum(stop["name"] in {"A", "BUTTON", "INPUT", "SUMMARY"} for stop in stops) >= wanted, path


def test_the_first_stop_skips_to_the_content(browser: Browser, root: Path) -> None:
    with visiting(browser) as visit:
        visit.page.goto((root / places.HOME).as_uri())
        visit.page.keyboard.press("Tab")
        assert visit.page.locator(".skip").is_visible()
        visit.page.keyboard.press("Enter")
        assert visit.page.evaluate("document.activeElement.id") == "content"


def test_the_focus_stays_in_the_viewer_and_comes_back(browser: Browser, root: Path) -> None:
    with visiting(browser) as visit:
        visit.page.goto((root / places.wall_page("beijing")).as_uri())
        visit.page.locator(".wall a").nth(1).focus()
        visit.page.keyboard.press("Enter")
        inside = "!!document.activeElement.closest('dialog') || document.activeElement === document.body"
        for _ in range(8):
            visit.page.keyboard.press("Tab")
            assert visit.page.evaluate(inside)
        visit.page.keyboard.press("Escape")
        assert visit.page.evaluate("document.activeElement === document.querySelectorAll('.wall a')[1]")


def test_whoever_wants_no_motion_gets_none(browser: Browser, root: Path) -> None:
    moving = (
        "[...document.querySelectorAll('*')].filter(e => {const s = getComputedStyle(e);"
        " return s.transitionDuration.split(', ').some(d => parseFloat(d) > 0) || s.animationName !== 'none'"
        " || s.scrollBehavior === 'smooth'}).length"
    )
    found = {}
    for wish in ("no-preference", "reduce"):
        with visiting(browser) as visit:
            visit.page.emulate_media(reduced_motion=wish)
            visit.page.goto((root / places.event_page("beijing")).as_uri())
            found[wish] = visit.page.evaluate(moving)
    assert found["reduce"] == 0
    assert found["no-preference"] > 0


def test_every_picture_has_words_and_every_page_its_landmarks(browser: Browser, root: Path) -> None:
    with visiting(browser) as visit:
        for path in kinds_of_pages(root):
            visit.page.goto(path.as_uri())
            for name in ("main", "header", "footer", "nav"):
                assert visit.page.locator(name).count() >= 1, (path, name)
            alone = visit.page.locator("img[alt='']").all()
            # Without words only where the link says the same beside it, and nobody is led there.
            assert all(
                each.evaluate("e => !!e.closest('[aria-hidden=true], #results, dialog')") for each in alone
            )
