"""Visits of pages in a real browser: everything that goes wrong on one is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

PHONE, DESKTOP = (390, 844), (1280, 900)


@dataclass
class Visit:
    """A page, and everything that went wrong on it."""

    page: Page
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def _failed(visit: Visit, request: Request) -> None:
    # Pictures and films that were still on their way when the next page was opened are no fault.
    if "ERR_ABORTED" not in str(request.failure):
        visit.faults.append(request.url)


@contextmanager
def visiting(browser: Browser, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Iterator[Visit]:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]  # light or dark
    )
    visit = Visit(context.new_page())
    visit.page.on("console", lambda message: visit.faults.append(message.text))
    visit.page.on("pageerror", lambda error: visit.faults.append(str(error)))
    visit.page.on("dialog", lambda dialog: visit.faults.append(dialog.message))
    visit.page.on("requestfailed", lambda request: _failed(visit, request))
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    try:
        yield visit
    finally:
        context.close()


def kinds_of_pages(root: Path) -> list[Path]:
    """Choose one page of each kind."""
    found = {
        path.parent.name if path.parent.name != "site" else path.name: path
        for path in (root / "site").rglob("*.html")
    }
    return sorted(found.values())
