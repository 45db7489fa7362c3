"""The built documentation in a real browser, from a folder and a server: no other host is asked."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import docs_site_kit as kit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@dataclass
class Visit:
    """A page, what went wrong on it, and what it asked for."""

    page: Page
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def hosts(self) -> set[str]:
        """Give the hosts that were asked; the empty one is this machine's folders."""
        return {urlsplit(each).netloc for each in self.requests if not each.startswith(("data:", "blob:"))}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that the base class gives
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = kit.build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build/site-docs"


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=site)
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def visiting(browser: Browser) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    visit = Visit(context.new_page())
    visit.page.on("pageerror", lambda error: visit.faults.append(str(error)))
    visit.page.on("console", lambda said: visit.faults.append(said.text) if said.type == "error" else None)
    context.on("request", lambda request: visit.requests.append(request.url))
    try:
        yield visit
    finally:
        context.close()


@pytest.fixture(params=["folder", "server"])
def start(request: pytest.FixtureRequest, site: Path, served: str) -> str:
    return site.as_uri() if request.param == "folder" else served


@pytest.mark.parametrize(
    ("words", "leads_to"),
    [("waive nobody waits", "how-to/coverage.html"), ("云计算", ".html")],
    ids=["English", "Chinese"],
)
def test_words_are_found_and_no_other_host_is_asked(
    browser: Browser, start: str, words: str, leads_to: str
) -> None:
    with visiting(browser) as visit:
        visit.page.goto(f"{start}/index.html")
        visit.page.get_by_role("button", name="Search").first.click()
        visit.page.get_by_role("combobox").fill(words)
        visit.page.locator(f"ol[role=listbox] a[href*='{leads_to}?h=']").first.click()
        visit.page.wait_for_url("**?h=*")
        # The page that was found marks the words.
        assert words.split(maxsplit=1)[0] in visit.page.locator("article mark").first.inner_text().lower()
        assert visit.faults == []
        assert visit.hosts() == {urlsplit(start).netloc}


def test_pages_open_without_a_fault(browser: Browser, served: str) -> None:
    """One page of every folder: they are all made alike."""
    with visiting(browser) as visit:
        for name in {str(Path(each).parent): each for each in kit.nav()}.values():
            visit.page.goto(f"{served}/{name.replace('.md', '.html')}")
            assert visit.page.locator("article h1").count() == 1, name
        assert visit.faults == []
        assert visit.hosts() == {urlsplit(served).netloc}
