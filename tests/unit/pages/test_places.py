"""Links lead where they should, pages share no place, a photo is on the page that its link names."""

from __future__ import annotations

import posixpath
from pathlib import Path
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from archiver.model import Kind
from archiver.pages import gathering, places, rendering
from archiver.pages.pictures import Pictures
from site_kit import Rich, jpeg, tour

names = st.text("abc-.é北 :%", min_size=1, max_size=4).filter(lambda name: name not in {".", ".."})
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


@given(paths, paths)
def test_a_link_leads_to_its_target(target: str, page: str) -> None:
    link = places.relative(target, page)
    assert ":" not in link.partition("/")[0]  # or it would be an address of its own
    folder = posixpath.dirname(page)
    assert posixpath.normpath(posixpath.join(folder, unquote(link))) == posixpath.normpath(target)


def test_pages_of_walls_do_not_share_places() -> None:
    found = [
        places.wall_page(event, number) for event in ("day", "day-2", "day-2-2") for number in (1, 2, 22)
    ]
    assert len(set(found)) == len(found)


def test_a_photo_is_on_the_page_of_the_wall_that_its_link_names(tmp_path: Path) -> None:
    world = tour(tmp_path, things=[
        Rich(f"photo-{n:03}", (jpeg(f"{n}", (40, 30)) + b"%d" % n,), event="beijing", kind=Kind.PHOTO,
             title=f"Photo {n:03}", date=f"2012-09-16T10:{n // 60:02}:{n % 60:02}")
        for n in range(places.WALL + 2)
    ])  # fmt: skip
    head = world.head("local")
    records = gathering.visible(head.records.values())
    assert len(records) == places.WALL + 2
    event = next(each for each in world.events if each.id == "beijing")
    view = gathering._event(event, records, Pictures(), lambda _, path: path)
    found = [item.page.partition("#")[0] for item in view.of("photo")]
    first, second = places.wall_page("beijing"), places.wall_page("beijing", 2)
    assert found == [first] * places.WALL + [second] * 2


def test_the_documentation_has_the_schema_of_the_catalog() -> None:
    copy = Path(__file__).parents[3] / "docs/reference/catalog.schema.json"
    assert copy.read_bytes() == rendering.static("catalog.schema.json"), "copy it there again"
