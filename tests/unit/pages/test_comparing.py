"""The same talk at several stops, and how its decks differ."""

from __future__ import annotations

import pytest

from archiver.asked import NOBODY_ASKED
from archiver.pages import comparing, gathering
from archiver.pages.model import Site
from archiver.pages.pictures import Pictures
from site_kit import tour


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    world = tour(tmp_path_factory.mktemp("tour"))
    head = world.head()
    return gathering.gather(
        world.config, head, Pictures(), lambda event, path: head.object(event).locate(path), NOBODY_ASKED
    )


def test_titles_that_differ_in_signs_and_capitals_are_one_talk(site: Site) -> None:
    again = comparing.given_again(site.talks)
    assert {page: [o.event.id for o in others] for page, others in again.items() if others} == {
        "site/talk/beijing/juju.html": ["nanjing"],
        "site/talk/nanjing/juju.html": ["beijing"],
    }


@pytest.mark.parametrize(
    ("mine", "theirs", "counts"),
    [
        ("a\fb\fc", "a\fb\fd\fe", (2, 1, 2)),
        ("a\fb", "a\f  b \n", (2, 0, 0)),
        ("[p001]\na\n\n[p002]\nb", "a\fb", (2, 0, 0)),
        ("a\fb", "c\fd", (0, 2, 2)),
        ("one page without marks", "a\fb", (None, 0, 0)),
        (None, "a\fb", (None, 0, 0)),
    ],
)
def test_decks_are_compared_slide_by_slide(
    site: Site, mine: str | None, theirs: str, counts: tuple[int | None, int, int]
) -> None:
    one, _, two = site.talks
    assert one.deck
    assert one.deck.main
    texts = {one.deck.main.sha256: mine}
    other = comparing.compare(one, two, lambda sha: texts.get(sha, theirs))
    assert (other.same, other.here, other.there) == counts


def test_equal_bytes_need_no_look(site: Site) -> None:
    one = next(site.talks)
    assert comparing.compare(one, one, lambda _: pytest.fail("looked")).identical


def test_a_talk_without_a_deck_can_be_compared_with_nothing(site: Site) -> None:
    one, bare, _ = site.talks
    assert comparing.compare(one, bare, lambda _: "").same is None


def test_speakers_are_listed_once_with_their_talks(site: Site) -> None:
    assert [(each.name, len(each.talks)) for each in site.speakers] == [
        ("Hui Cheng", 1), ("Junqiang Chen", 1), ("侯正鹏", 1)
    ]  # fmt: skip
