"""The site in a real browser, opened from a folder as an organizer would, and from `archive serve`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archiver.coverage import Coverage
from archiver.pages import places, rendering, searching
from archiver.pages.model import Site
from archiver.pages.serving import Server
from archiver.pages.words import Words
from browser_kit import DESKTOP, PHONE, kinds_of_pages, visiting
from line_kit import World
from site_kit import built, hostile

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route


def _searched(page: Page, query: str) -> None:
    """Wait for the results of a query. Conditions in JavaScript would be refused: the pages allow no eval."""
    page.locator(f"#results[data-query='{query}']").wait_for(state="attached")


def _counted(page: Page, least: int, *, exact: bool) -> None:
    """Wait until so many results are shown."""
    from playwright.sync_api import expect

    if exact:
        expect(page.locator("#results li")).to_have_count(least)
    else:
        page.locator("#results li").nth(least - 1).wait_for()


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (PHONE, "dark"), (DESKTOP, "dark")])
def test_every_kind_of_page_fits_and_is_whole(
    browser: Browser, root: Path, size: tuple[int, int], scheme: str
) -> None:
    with visiting(browser, size, scheme) as visit:
        for path in kinds_of_pages(root):
            visit.page.goto(path.as_uri())
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= size[0], path
            assert visit.page.locator("h1").count() == 1, path
            assert not visit.page.locator("img:not([alt])").count(), path
            assert visit.page.evaluate("document.documentElement.lang") == "zh"
    assert not visit.faults
    assert all(url.startswith("file:") for url in visit.requests)


def test_dark_is_dark(browser: Browser, root: Path) -> None:
    found = {}
    for scheme in ("light", "dark"):
        with visiting(browser, scheme=scheme) as visit:
            visit.page.goto((root / "site/index.html").as_uri())
            colour = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
            found[scheme] = int(colour.split("(")[1].split(",")[0])
    assert found["dark"] < 60
    assert found["light"] > 200


def test_the_page_at_the_root_leads_to_the_site(browser: Browser, root: Path) -> None:
    with visiting(browser) as visit:
        visit.page.goto((root / "index.html").as_uri())
        visit.page.wait_for_url("**/site/index.html")
    assert not visit.faults


def test_photos_are_walked_through_by_keyboard_and_by_swipe(browser: Browser, root: Path) -> None:
    with visiting(browser) as visit:
        page = visit.page
        page.goto((root / places.wall_page("beijing")).as_uri())
        page.locator(".wall a").first.focus()
        page.keyboard.press("Enter")
        dialog = page.locator("dialog[open]")
        assert dialog.locator("p").inner_text().startswith("1 / 5")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        assert dialog.locator("p").inner_text().startswith("3 / 5")
        page.keyboard.press("End")
        assert dialog.locator("button", has_text="下一张").is_disabled()
        stage = dialog.locator(".stage").bounding_box()
        assert stage
        page.mouse.move(stage["x"] + 300, stage["y"] + 200)
        page.mouse.down()
        page.mouse.move(stage["x"] + 700, stage["y"] + 210)
        page.mouse.up()
        assert dialog.locator("p").inner_text().startswith("4 / 5")
        assert page.evaluate("document.querySelector('dialog[open] img').decode().then(() => true)")
        page.keyboard.press("Escape")
        assert not page.locator("dialog[open]").count()
        assert page.evaluate("document.activeElement.closest('li').id").startswith("p-")
    assert not visit.faults


def test_the_slides_of_a_deck_open_one_by_one(browser: Browser, root: Path) -> None:
    with visiting(browser, PHONE) as visit:
        visit.page.goto((root / places.talk_page("beijing", "juju")).as_uri())
        visit.page.locator(".strip a").first.click()
        visit.page.keyboard.press("ArrowRight")
        assert "第 2 页，共 3 页" in visit.page.locator("dialog[open] p").inner_text()


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("云计算", "Juju"),
        ("北京", "北京站"),
        ("侯", "侯正鹏"),
        ("junq", "Junqiang Chen"),
        ("CHEF deploy", "Deploy"),
        ("讨论", "report"),
        ("部署 云", "Juju"),
    ],
)
def test_search_from_a_folder(browser: Browser, root: Path, query: str, first: str) -> None:
    with visiting(browser) as visit:
        page = visit.page
        page.goto((root / "site/search.html").as_uri())
        page.keyboard.type(query)  # the field has the focus already
        _searched(page, query)
        titles = page.locator("#results b").all_inner_texts()
        assert any(first in title for title in titles), titles
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "search.html" not in url)
        assert page.locator("h1").count() == 1
    assert not visit.faults


def test_what_is_typed_at_once_is_searched_for(browser: Browser, root: Path) -> None:
    with visiting(browser) as visit:
        visit.page.add_init_script(
            "addEventListener('DOMContentLoaded', () => { document.title = document.activeElement.id; });"
        )
        for _ in range(10):  # with `autofocus` the field has no focus yet, one time of five
            visit.page.goto((root / "site/search.html").as_uri())
            assert visit.page.title() == "q"
    assert not visit.faults


def test_what_is_typed_before_the_list_came_is_searched_for(browser: Browser, root: Path) -> None:
    with visiting(browser) as visit:
        page = visit.page
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page.route("**/search/items.js", hold)
        page.goto((root / "site/search.html").as_uri(), wait_until="commit")
        page.locator("#q:focus").wait_for()
        page.keyboard.type("juju")
        page.keyboard.press("Enter")
        assert not page.locator("#results li").count()
        held[0].continue_()
        _searched(page, "juju")
        assert page.locator("#results li").count()
    assert not visit.faults


def test_filters_narrow_what_is_found(browser: Browser, root: Path) -> None:
    with visiting(browser) as visit:
        page = visit.page
        page.goto((root / "site/search.html").as_uri() + "?q=juju")
        _counted(page, 2, exact=False)
        page.locator("select[name=event]").select_option(label="Nanjing")
        _counted(page, 1, exact=True)
        assert "nanjing" in str(page.locator("#results a").get_attribute("href"))
        page.locator("select[name=kind]").select_option(label="视频")
        _counted(page, 0, exact=True)


def test_subtitles_reach_the_player_from_a_folder(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "site.js").write_bytes(rendering.static("site.js"))
    cues = [[0.0, 1.5, "你好 <script>window.pwned=1</script>"], [2.0, 3.0, "world"]]
    (folder / "cues.js").write_bytes(searching.script("archiveCues", "ab12", cues))
    track = '<track data-cues="cues.js" data-key="ab12" data-language="zh (auto)">'
    policy = f'<meta http-equiv="Content-Security-Policy" content="{rendering.POLICY}">'
    page = f'<!doctype html>{policy}<script src="site.js" defer></script><video controls>{track}</video>'
    (folder / "page.html").write_text(page, encoding="utf-8")
    with visiting(browser) as visit:
        visit.page.goto((folder / "page.html").as_uri())
        visit.page.locator("track").wait_for(state="detached")
        found = visit.page.evaluate(
            "(() => { const t = document.querySelector('video').textTracks[0];"
            " t.mode = 'showing'; return [t.kind, t.language, t.cues.length]; })()"
        )
        assert found == ["subtitles", "zh", 2]
        assert visit.page.evaluate("window.pwned") is None
    assert not visit.faults


def test_hostile_texts_run_nothing(browser: Browser, tmp_path: Path) -> None:
    world = hostile(tmp_path)
    built(world)
    local = tmp_path / "local"
    with visiting(browser) as visit:
        for path in [*(local / "site").rglob("*.html")]:
            visit.page.goto(path.as_uri())
            assert visit.page.evaluate("window.pwned") is None, path
            assert not visit.page.locator("img[src=x]").count()
            if visit.page.locator(".wall a, .strip a").count():
                visit.page.locator(".wall a, .strip a").first.click()
                visit.page.keyboard.press("Escape")
        visit.page.goto((local / "site/search.html").as_uri() + "?q=img")
        _counted(visit.page, 2, exact=False)
        assert visit.page.evaluate("window.pwned") is None
        assert not visit.page.locator("img[src=x]").count()
    # Nothing was even refused by the policy: it is the second line of defence.
    assert not visit.faults


def test_the_server_shows_the_same(browser: Browser, world: World, root: Path) -> None:
    with Server(world.head()) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with visiting(browser) as visit:
                for path in kinds_of_pages(root):
                    visit.page.goto(server.url + path.relative_to(root).as_posix())
                visit.page.goto(f"{server.url}site/search.html?q=juju")
                _counted(visit.page, 2, exact=False)
            assert not visit.faults
            assert all(url.startswith(server.url) for url in visit.requests)
        finally:
            server.stop()
            thread.join()


def test_five_thousand_items_are_searched_in_time(browser: Browser, tmp_path: Path) -> None:
    words = [
        f"{a}{b}"
        for a in ("nova", "swift", "cinder", "quantum", "云计算", "部署", "架构")
        for b in range(300)
    ]

    def entry(number: int) -> searching.Entry:
        body = " ".join(words[(number * 7 + at * 13) % len(words)] for at in range(120))
        title = f"Talk {number} 云平台"
        fields = (title, "Beijing", "", f"openstack {body}")
        return searching.Entry(
            title, f"site/x{number}.html", ("talk",), "", "2012", ("A",), "about", "", fields
        )

    site = Site("Big", "", "zh", {}, (), (), Coverage(()))
    values = {
        "site": site,
        "frame": {"title": "Big", "organizer": ""},
        "title": "",
        "description": "",
        "linked_data": None,
        "kinds": " ".join(searching.KINDS),
    }
    found = [entry(number) for number in range(5000)]
    files = [
        *searching.scripts(site, found, lambda path: places.relative(path, places.SEARCH)),
        *((rendering.asset(name), rendering.static(name)) for name in rendering.ASSETS),
        (places.SEARCH, rendering.render("search.html", places.SEARCH, Words("zh"), values)),
    ]
    for path, data in files:
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    with visiting(browser) as visit:
        visit.page.goto((tmp_path / places.SEARCH).as_uri())
        for query in ("云计算", "openstack", "swift12 架构", "平台"):
            visit.page.locator("#q").fill(query)
            _searched(visit.page, query)
            took = int(visit.page.evaluate("document.getElementById('results').dataset.milliseconds"))
            assert visit.page.locator("#results li").count() > 0
            assert took < 1000, query  # 200 on a quiet machine; this one may be busy
    assert not visit.faults
