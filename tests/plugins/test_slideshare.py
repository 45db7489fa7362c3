from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from archiver import api
from archiver.testing import Reply, Request, Routes, Service
from archiver.testing.slideshare import Deck, SlideShareDouble
from archiver_plugins.slideshare import SlideShare, SlideShareEntry, SlideShareOptions, archiver_sources
from archiver_plugins.slideshare.options import deck_path
from archiver_plugins.slideshare.page import Document, OEmbed, Slides
from plugins.source_kit import BEIJING, SHENZHEN, Item, Make, fetched, listed

Build = Callable[..., Deck]


@pytest.fixture
def service() -> Iterator[SlideShareDouble]:
    with SlideShareDouble(page_size=2) as service:
        yield service


@pytest.fixture
def source(service: SlideShareDouble, context_for: Make) -> SlideShare:
    return SlideShare(SlideShareOptions(base_url=service.url), context_for(service.url))


@pytest.fixture
def deck(page_image: Callable[..., bytes]) -> Build:
    """Make a deck of two pages; anything may be said otherwise."""

    def build(number: int = 1, **values: Any) -> Deck:
        given: dict[str, Any] = {
            "id": 14567000 + number,
            "user": "cosug",
            "author": "Junqiang Chen",
            "title": f"Deploy OpenStack with Chef {number}",
            "pages": (page_image(1), page_image(2)),
        }
        return Deck(**(given | values))

    return build


def entry(event: api.Event = BEIJING, **options: Any) -> api.ScopeEntry[SlideShareEntry]:
    return api.ScopeEntry(event, SlideShareEntry(**options))


def one(source: SlideShare, **options: Any) -> Item:
    items, _ = listed(source, entry(**options))
    assert len(items) == 1
    return items[0]


def material(source: SlideShare, deck: Deck) -> api.Material:
    item = one(source, url=deck.url)
    assert isinstance(item, api.Material)
    return item


def test_is_announced() -> None:
    assert list(archiver_sources()) == [SlideShare]
    assert SlideShare.type_name == "slideshare"
    assert SlideShareOptions().base_url == "https://www.slideshare.net"


class TestAddresses:
    @pytest.mark.parametrize(
        "form",
        [
            "https://www.slideshare.net{path}",
            "http://slideshare.net{path}/",
            "www.slideshare.net{path}",
            "https://fr.slideshare.net{path}?from_search=3#12",
            "https://www.slideshare.net{old}",
            "https://www.slideshare.net/mobile{old}",
            "https://www.slideshare.net/slideshow/embed_code/key/{key}",
        ],
    )
    def test_every_form_leads_to_the_same_deck(
        self, form: str, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        chef = deck()
        service.add(chef)
        item = one(source, url=form.format(path=chef.path, old=chef.old_path, key=chef.key))
        assert isinstance(item, api.Material)
        assert item.id == "14567001"
        assert item.url == "https://www.slideshare.net/slideshow/deploy-openstack-with-chef-1/14567001"

    def test_an_unlisted_deck_is_reached_by_its_secret_address_alone(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        hidden = deck(secret=True)
        service.add(hidden)
        item = one(source, url=hidden.url)
        assert isinstance(item, api.Material)
        assert (item.id, item.url) == (f"secret/{hidden.key}", hidden.url)

    @pytest.mark.parametrize(
        "url",
        [
            "https://example.org/slideshow/x/1",
            "https://slideshare.net.example.org/slideshow/x/1",
            "https://www.slideshare.net/",
            "https://www.slideshare.net/cosug",
            "https://www.slideshare.net/search/slideshow",
            "https://www.slideshare.net/a/../b",
            "http://[broken/slideshow/x/1",
            "slidesha.re/abc",
        ],
    )
    def test_what_is_no_deck_is_refused_with_the_configuration(self, url: str) -> None:
        with pytest.raises(ValidationError):
            SlideShareEntry(url=url)

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"talk": "chef", "user": "cosug"},
            {"talk": "chef", "urls": ["https://www.slideshare.net/a/b"]},
            {"talk": "chef", "url": "https://www.slideshare.net/a/b", "tag": "x"},
        ],
    )
    def test_combinations_that_say_nothing_are_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            SlideShareEntry(**options)

    def test_a_base_url_without_host_is_refused(self) -> None:
        with pytest.raises(ValidationError):
            SlideShareOptions(base_url="slides.example.org")

    @given(st.text(max_size=200))
    def test_any_text_is_a_path_or_a_value_error(self, text: str) -> None:
        for url in (text, f"https://www.slideshare.net/{text}"):
            try:
                path = deck_path(url)
            except ValueError:
                continue
            assert path.startswith("/")
            assert path.isascii()
            assert deck_path(f"https://www.slideshare.net{path}") == path


class TestListing:
    def test_a_deck_tells_what_its_page_tells(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck(description="A & B", created="2012-09-16 07:59:29 UTC", tags=("2012osac", "chef")))
        item = one(source, url=deck().url, talk="chef")
        assert isinstance(item, api.Material)
        assert item == api.Material(
            id="14567001",
            kind=api.Kind.SLIDES,
            title="Deploy OpenStack with Chef 1",
            url=deck().url,
            revision=item.revision,
            event="beijing",
            talk="chef",
            authors=("Junqiang Chen",),
            date="2012-09-16T07:59:29Z",
            description="A & B",
            tags=("2012osac", "chef"),
        )

    def test_the_revision_changes_with_the_deck_and_not_with_its_visitors(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck())
        first = material(source, deck()).revision
        service.add(deck(views=99_999, description="other words"))
        assert material(source, deck()).revision == first
        service.add(deck(pages=deck().pages[:1]))
        assert material(source, deck()).revision != first

    def test_several_events_share_one_look_and_each_gets_its_material(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        juju = deck()
        service.add(juju)
        items, end = listed(source, entry(url=juju.url), entry(SHENZHEN, urls=[juju.url, juju.url]))
        assert [item.event for item in items if isinstance(item, api.Material)] == ["beijing", "shenzhen"]
        assert service.requests.count(juju.path) == 1
        assert end.complete

    def test_two_addresses_of_one_deck_are_one_material(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        chef = deck()
        service.add(chef)
        one(source, urls=[chef.url, f"https://www.slideshare.net{chef.old_path}"])

    def test_a_user_is_listed_page_by_page_from_cards_alone(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(*(deck(n) for n in range(1, 6)), deck(6, user="other"))
        items, end = listed(source, entry(user="cosug"))
        assert [item.id for item in items if isinstance(item, api.Material)] == [
            str(14567000 + n) for n in range(1, 6)
        ]
        assert end.complete
        assert isinstance(items[0], api.Material)
        assert items[0].title == "Deploy OpenStack with Chef 1"
        assert items[0].authors == ("Junqiang Chen",)
        assert items[0].revision == "2 pages"
        assert set(service.requests.by_path()) == {"/cosug"}

    def test_paging_ends_where_the_last_page_repeats(self, context_for: Make, deck: Build) -> None:
        with SlideShareDouble((deck(n) for n in range(1, 6)), page_size=2, repeats_last=True) as service:
            source = SlideShare(SlideShareOptions(base_url=service.url), context_for(service.url))
            items, end = listed(source, entry(user="cosug"))
            assert len(items) == 5
            assert end.complete
            assert service.requests.count("/cosug") == 4

    def test_the_limit_stops_the_paging_and_the_listing_is_not_complete(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(*(deck(n) for n in range(1, 9)))
        items, end = listed(source, entry(user="cosug"), limit=3)
        assert len(items) == 3
        assert not end.complete
        assert service.requests.count() == 2

    def test_a_tag_is_searched_for_and_its_listing_never_counts_as_complete(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(*(deck(n, tags=("2012osac",)) for n in range(1, 4)), deck(4))
        items, end = listed(source, entry(tag="2012osac"))
        assert len(items) == 3
        assert not end.complete
        assert service.requests.matching("/search")[1].query == {"q": "2012osac", "page": "2"}

    def test_words_are_searched_for(self, source: SlideShare, service: SlideShareDouble, deck: Build) -> None:
        service.add(deck(1, title="云计算的思考"), deck(2))
        found = one(source, search="云计算")
        assert isinstance(found, api.Material)
        assert found.title == "云计算的思考"

    def test_titles_may_hold_the_words_of_the_label(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck(title="Stand by me, has 3 slides with “x”", author="Chen by Sea"))
        item = one(source, user="cosug")
        assert isinstance(item, api.Material)
        assert item.title == "Stand by me, has 3 slides with “x” by Chen"  # " by " is ambiguous
        assert item.revision == "2 pages"

    def test_an_account_without_decks_is_not_taken_for_a_complete_listing(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck(private=True))
        items, end = listed(source, entry(user="cosug"))
        assert (items, end.complete) == ([], False)

    def test_a_missing_user_is_an_error_after_everything_else_was_listed(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck())
        listing = source.discover(api.Scope((entry(user="nobody"), entry(SHENZHEN, url=deck().url))), "")
        assert isinstance(next(listing), api.Material)
        with pytest.raises(api.GoneError, match=r"slideshare\.net/nobody does not exist"):
            next(listing)

    def test_a_listing_that_is_turned_away_is_blocked(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck())
        service.blocked = True
        with pytest.raises(api.BlockedError, match="without its data"):
            list(source.discover(api.Scope((entry(user="cosug"),)), ""))

    def test_every_request_looks_like_a_desktop_browser(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck())
        fetched(source, material(source, deck()), tmp_path / "in")
        listed(source, entry(user="cosug"))
        assert {r.headers["user-agent"].split("/")[0] for r in service.requests} == {"Mozilla"}

    def test_an_endless_listing_is_left_after_a_hundred_pages(self, context_for: Make) -> None:
        with Endless() as service:
            source = SlideShare(SlideShareOptions(base_url=service.url), context_for(service.url))
            items, end = listed(source, entry(user="cosug"))
            assert (len(items), end.complete) == (100, False)
            assert service.requests.count() == 100

    def test_a_listing_links_only_to_decks_of_the_service(
        self, source: SlideShare, service: SlideShareDouble
    ) -> None:
        cards = "".join(
            f'<a data-cy="slideshow-card-link" href="{href}" aria-label="odd">Title</a>'
            for href in ("https://example.org/slideshow/x/1", "//[", "", "/slideshow/y/2", "javascript:x")
        )
        page = f'{cards}<script id="__NEXT_DATA__">{{"props": {{"pageProps": {{}}}}}}</script>'
        service.serve("/cosug", page.encode(), "text/html")
        item = one(source, user="cosug")
        assert isinstance(item, api.Material)
        assert (item.id, item.title, item.revision) == ("2", "Title", "")


class Endless(Service):
    """A user with ever more decks."""

    def routes(self) -> Routes:
        return {"/cosug": self.page}

    def page(self, request: Request) -> Reply:
        path = f"/slideshow/x/{request.query.get('page', '1')}"
        return Reply.html(
            f'<a data-cy="slideshow-card-link" href="{path}">x</a>'
            '<script id="__NEXT_DATA__">{"props": {"pageProps": {}}}</script>'
        )


class TestUnavailable:
    def problem(self, source: SlideShare, url: str) -> api.Unavailable:
        item = one(source, url=url)
        assert isinstance(item, api.Unavailable)
        return item

    def test_a_deleted_deck_is_gone_under_its_number_even_by_its_old_address(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck(gone=True))
        for path in (deck().path, deck().old_path):
            item = self.problem(source, f"https://www.slideshare.net{path}")
            assert isinstance(item.error, api.GoneError)
            assert "was deleted" in str(item.error)
            assert item.material.id == "14567001"

    def test_an_unknown_deck_is_gone_too_and_the_listing_stays_complete(self, source: SlideShare) -> None:
        items, end = listed(source, entry(url="https://www.slideshare.net/cosug/nothing"))
        assert isinstance(items[0], api.Unavailable)
        assert isinstance(items[0].error, api.GoneError)
        assert end.complete

    @pytest.mark.parametrize(
        ("state", "word"), [({"private": True}, "is private"), ({"viewable": False}, "is not viewable")]
    )
    def test_a_closed_deck_is_blocked_and_says_how(
        self, state: dict[str, bool], word: str, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck(**state))
        error = self.problem(source, deck().url).error
        assert isinstance(error, api.BlockedError)
        assert word in str(error)
        assert "Ask its author" in error.hint

    def test_a_page_without_data_is_blocked_and_never_gone(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck())
        service.blocked = True
        error = self.problem(source, deck().url).error
        assert isinstance(error, api.BlockedError)
        assert "try again later" in error.hint

    def test_an_unnumbered_address_that_is_blocked_makes_the_listing_incomplete(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck())
        service.fault("/cosug/*", "login")
        service.fault("/api/oembed/2", "gone")
        items, end = listed(source, entry(url=f"https://www.slideshare.net{deck().old_path}"))
        assert isinstance(items[0], api.Unavailable)
        assert not end.complete

    def test_a_page_that_is_no_deck_is_invalid(self, source: SlideShare, service: SlideShareDouble) -> None:
        page = '<script id="__NEXT_DATA__">{"props": {"pageProps": {}}}</script>'
        service.serve("/cosug/about", page.encode(), "text/html")
        error = self.problem(source, "https://www.slideshare.net/cosug/about").error
        assert isinstance(error, api.InvalidError)
        assert "not the page of a deck" in str(error)

    def test_passing_trouble_belongs_to_the_deck_and_the_others_are_listed(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck(1), deck(2))
        service.fault(deck(1).path, "503", times=None)
        items, _ = listed(source, entry(urls=[deck(1).url, deck(2).url]))
        assert isinstance(items[0], api.Unavailable)
        assert isinstance(items[0].error, api.TransientError)
        assert isinstance(items[1], api.Material)


class TestFetch:
    def test_brings_every_page_in_the_largest_size_under_its_true_type(
        self,
        source: SlideShare,
        service: SlideShareDouble,
        deck: Build,
        page_image: Callable[..., bytes],
        tmp_path: Path,
    ) -> None:
        pages = tuple(page_image(n, "WEBP") for n in range(1, 4))
        chef, other = deck(pages=pages), deck(2)
        service.add(chef, other)
        _, files = fetched(source, material(source, chef), tmp_path / "in")
        assert list(files) == ["p001.webp", "p002.webp", "p003.webp", "slides.pdf"]
        assert [(tmp_path / "in" / f"p00{n}.webp").read_bytes() for n in (1, 2, 3)] == list(pages)
        first = files["p001.webp"]
        assert (first.role, first.grade, first.label) == (api.Role.RENDITION, api.Grade.PAGES, "p001")
        assert first.media_type == "image/webp"
        names = {r.path.rsplit("/", 1)[1] for r in service.requests.matching("*.jpg")}
        assert names == {f"deploy-openstack-with-chef-1-{n}-2048.jpg" for n in (1, 2, 3)}

    def test_a_chinese_deck_has_image_names_without_title(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        thinking = deck(title="云计算的思考")
        service.add(thinking)
        refined, files = fetched(source, material(source, thinking), tmp_path / "in")
        assert refined.title == "云计算的思考"
        assert "p002.webp" in files
        assert service.requests.count("*/75/-2-2048.jpg", status=200) == 1

    @pytest.mark.parametrize("shape", ["list", "html"])
    def test_the_transcript_is_plain_text_page_by_page(
        self, shape: str, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck(shape=shape, transcript=("Chef & <Nova>", "1. 云计算\n  second\x00 line")))
        _, files = fetched(source, material(source, deck()), tmp_path / "in")
        text = (tmp_path / "in" / "transcript.txt").read_text("utf-8")
        assert text.startswith("[p001]\nChef & <Nova>\n\n[p002]\n1. 云计算\nsecond")
        assert "\x00" not in text
        assert files["transcript.txt"].role is api.Role.SIDECAR

    def test_makes_the_same_pdf_each_time_with_a_page_per_image(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck())
        made = []
        for name in ("one", "two"):
            _, files = fetched(source, material(source, deck()), tmp_path / name)
            made.append((tmp_path / name / "slides.pdf").read_bytes())
        assert made[0] == made[1]
        assert (files["slides.pdf"].role, files["slides.pdf"].grade) == (api.Role.DERIVATIVE, api.Grade.PDF)
        document = pypdfium2.PdfDocument(made[0])
        assert len(document) == 2
        assert document.get_metadata_value("Title") == "Deploy OpenStack with Chef 1"
        document.close()

    def test_a_page_without_the_best_size_comes_in_the_next_one(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        chef = deck(missing=frozenset({(2, 2048), (2, 1024)}))
        service.add(chef)
        _, files = fetched(source, material(source, chef), tmp_path / "in")
        assert list(files) == ["p001.webp", "p002.jpg", "slides.pdf"]
        assert service.requests.count("*-2-638.jpg") == 1

    def test_a_page_that_no_size_has_fails_the_deck_by_name(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        chef = deck(missing=frozenset((2, width) for width in (2048, 1024, 638, 320)))
        service.add(chef)
        with pytest.raises(api.InvalidError, match="page p002 of 'Deploy OpenStack with Chef 1'"):
            fetched(source, material(source, chef), tmp_path / "in")

    def test_a_login_page_instead_of_an_image_is_asked_for_once_more(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck())
        service.fault("*-1-2048.jpg", "login")
        _, files = fetched(source, material(source, deck()), tmp_path / "in")
        assert list(files) == ["p001.webp", "p002.webp", "slides.pdf"]
        assert service.requests.count("*-1024.jpg") == 0

    def test_half_an_image_of_the_right_length_is_given_up_for_a_smaller_size(
        self,
        source: SlideShare,
        service: SlideShareDouble,
        deck: Build,
        page_image: Callable[..., bytes],
        tmp_path: Path,
    ) -> None:
        chef = deck()
        service.add(chef)
        half = page_image(1, "WEBP", width=640)[:200]
        service.serve(f"/{chef.location}/75/{chef.image_title}-1-2048.jpg", half, "image/jpeg")
        _, files = fetched(source, material(source, chef), tmp_path / "in")
        assert list(files) == ["p001.jpg", "p002.webp", "slides.pdf"]

    def test_passing_trouble_is_no_reason_for_a_smaller_size(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck())
        service.fault("*-2048.jpg", "503", times=None)
        with pytest.raises(api.TransientError):
            fetched(source, material(source, deck()), tmp_path / "in")
        assert service.requests.count("*-1024.jpg") == 0

    def test_a_truncated_transfer_is_taken_up_again(
        self,
        source: SlideShare,
        service: SlideShareDouble,
        deck: Build,
        page_image: Callable[..., bytes],
        tmp_path: Path,
    ) -> None:
        pages = (page_image(1, "WEBP", width=640),)
        service.add(deck(pages=pages))
        service.fault("*-1-2048.jpg", "truncate")
        fetched(source, material(source, deck()), tmp_path / "in")
        assert (tmp_path / "in" / "p001.webp").read_bytes() == pages[0]

    def test_a_card_is_refined_by_the_page_and_keeps_its_revision(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck(description="How it went", created="2012-09-16 07:59:29 UTC"))
        card = one(source, user="cosug")
        assert isinstance(card, api.Material)
        refined, _ = fetched(source, replace(card, talk="chef"), tmp_path / "in")
        assert (refined.id, refined.revision, refined.talk) == (card.id, "2 pages", "chef")
        assert (refined.description, refined.date) == ("How it went", "2012-09-16T07:59:29Z")

    def test_a_deck_deleted_since_the_listing_is_gone(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck())
        item = material(source, deck())
        service.add(deck(gone=True))
        with pytest.raises(api.GoneError, match="was deleted"):
            fetched(source, item, tmp_path / "in")

    def test_a_material_from_elsewhere_is_refused(self, source: SlideShare, tmp_path: Path) -> None:
        stranger = api.Material("1", api.Kind.SLIDES, url="https://example.org/x")
        with pytest.raises(api.InvalidError, match="no usable address"):
            fetched(source, stranger, tmp_path / "in")


class TestOEmbed:
    @pytest.mark.parametrize("version", [1, 2])
    def test_is_the_second_path_to_the_images(
        self, version: int, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck(blocked=True, conversion_version=version))
        item = one(source, url=deck().url)
        assert isinstance(item, api.Material)
        assert (item.id, item.title, item.revision) == ("14567001", deck().title, "")
        refined, files = fetched(source, item, tmp_path / "in")
        assert list(files) == ["p001.jpg", "p002.jpg", "slides.pdf"]
        # Another revision than any page has: the deck is fetched better when its page is back.
        assert refined.revision == "oembed 2"
        assert service.requests.count("*slide-2-1024.jpg", status=200) == 1

    def test_a_bare_page_without_oembed_is_blocked_at_fetch_time_too(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck())
        item = material(source, deck())
        service.blocked = True
        with pytest.raises(api.BlockedError, match="without its data"):
            fetched(source, item, tmp_path / "in")

    @pytest.mark.parametrize("base", ["file:///etc/", "//[", "", "/relative"])
    def test_an_image_address_without_host_is_invalid(
        self, base: str, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck(blocked=True))
        item = one(source, url=deck().url)
        assert isinstance(item, api.Material)
        answer = {
            "total_slides": 1,
            "slide_image_baseurl": base,
            "slide_image_baseurl_suffix": ".jpg",
            "slideshow_id": 14567001,
        }
        service.serve("/api/oembed/2", json.dumps(answer).encode(), "application/json")
        with pytest.raises(api.InvalidError, match="no usable image host"):
            fetched(source, item, tmp_path / "in")

    def test_nonsense_from_it_is_no_help(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck(blocked=True))
        service.serve("/api/oembed/2", b'{"total_slides": {}}', "application/json")
        item = one(source, url=deck().url)
        assert isinstance(item, api.Unavailable)
        assert isinstance(item.error, api.BlockedError)


class TestHostilePages:
    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ({"totalSlides": 10**9}, "claims to have 1,000,000,000 pages"),
            ({"totalSlides": 0}, "claims to have 0 pages"),
            ({"totalSlides": ...}, "claims to have 0 pages"),
            ({"totalSlides": "many"}, "totalSlides"),
            ({"slides": ...}, "no usable image host"),
            ({"slides": {"host": "file:///etc", "imageLocation": "x"}}, "no usable image host"),
            ({"slides": {"host": "http://[", "imageLocation": "x"}}, "no usable image host"),
            ({"slides": [1]}, "slides"),
            ({"slides": {"imageSizes": [{"width": -1, "quality": 1}]}}, "width"),
            ({"slides": {"imageSizes": [{"width": 9, "quality": 1}] * 10_000}}, "imageSizes"),
            ({"title": {"a": 1}}, "title"),
            ({"transcript": 7}, "transcript"),
            ({"user": "me"}, "user"),
        ],
    )
    def test_wrong_values_are_invalid(
        self,
        data: dict[str, Any],
        message: str,
        source: SlideShare,
        service: SlideShareDouble,
        deck: Build,
        tmp_path: Path,
    ) -> None:
        service.add(deck())
        item = material(source, deck())
        service.add(deck(data=data))
        with pytest.raises(api.InvalidError, match=message):
            fetched(source, item, tmp_path / "in")

    def test_fields_that_only_describe_may_be_missing(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        optional = ("title", "description", "user", "createdAt", "categories", "transcript", "canonicalUrl")
        service.add(deck(data=dict.fromkeys(optional, ...) | {"username": None}))
        refined, files = fetched(source, material(source, deck()), tmp_path / "in")
        assert (refined.id, refined.authors, refined.date) == ("14567001", (), "")
        assert len(files) == 3

    def test_a_page_of_nine_megabytes_is_not_read(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck(description="x" * (9 << 20)))
        item = one(source, url=deck().url)
        assert isinstance(item, api.Unavailable)
        assert isinstance(item.error, api.InvalidError)

    def test_a_deck_of_too_many_bytes_is_given_up(
        self,
        source: SlideShare,
        service: SlideShareDouble,
        deck: Build,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("archiver_plugins.slideshare.source.MAX_DECK_BYTES", 100)
        service.add(deck())
        with pytest.raises(api.InvalidError, match="has more than 100 bytes"):
            fetched(source, material(source, deck()), tmp_path / "in")

    @pytest.mark.parametrize("created", ["2012-99-99 00:00:00 UTC", "yesterday", "2012-09-16"])
    def test_an_odd_date_is_no_date(
        self, created: str, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck(data={"createdAt": created}))
        assert material(source, deck()).date == ""

    def test_an_image_host_inside_our_network_is_refused(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        slides = {"host": "http://127.0.0.1:9", "imageLocation": "x", "title": "x"}
        service.add(deck(data={"slides": slides}))
        with pytest.raises(api.BlockedError, match="loopback"):
            fetched(source, material(source, deck()), tmp_path / "in")

    def test_a_title_is_a_label_and_never_a_path(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        evil = "../../etc/passwd<script>alert(1)</script>"
        service.add(deck(title=evil))
        refined, files = fetched(source, material(source, deck(title=evil)), tmp_path / "in")
        assert refined.title == evil
        assert list(files) == ["p001.webp", "p002.webp", "slides.pdf"]
        assert {path.name for path in tmp_path.rglob("*")} == {"in", *files}

    def test_another_deck_under_this_address_is_invalid(
        self, source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck(1), deck(2))
        item = replace(material(source, deck(1)), url=deck(2).url)
        with pytest.raises(api.InvalidError, match="another deck"):
            fetched(source, item, tmp_path / "in")

    def test_a_page_cannot_claim_the_number_of_another_deck(
        self, source: SlideShare, service: SlideShareDouble, deck: Build
    ) -> None:
        service.add(deck(data={"canonicalUrl": "https://www.slideshare.net/slideshow/x/99"}))
        assert material(source, deck()).id == "14567001"

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "title",
                            "user",
                            "transcript",
                            "html",
                            "slides",
                            "imageSizes",
                            "createdAt",
                            "totalSlides",
                        ]
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        )
    )
    def test_any_json_is_a_deck_or_invalid(self, data: Any) -> None:
        page = json.dumps({"props": {"pageProps": {"slideshow": data}}}).replace("<", "\\u003c")
        content = f'<script id="__NEXT_DATA__" type="application/json">{page}</script>'.encode()
        try:
            deck = Document(api.Response("https://x/", 200, {}, content)).deck()
        except api.InvalidError:
            return
        if deck is not None:
            assert isinstance(deck.texts(), list)
            assert isinstance(deck.date, str)

    @pytest.mark.parametrize(
        "script", ["{", "[1]", "null", '{"props": 1}', '{"props": {"pageProps": 3}}', "[" * 100_000]
    )
    def test_broken_data_are_invalid(self, script: str) -> None:
        content = f'<html><script id="__NEXT_DATA__">{script}</script></html>'.encode()
        with pytest.raises(api.InvalidError, match="is not what a page of this service"):
            Document(api.Response("https://x/", 200, {}, content))

    @given(st.binary(max_size=300))
    def test_any_bytes_are_a_page_without_data(self, content: bytes) -> None:
        document = Document(api.Response("https://x/", 200, {}, content))
        assert not document.has_data
        assert document.deck() is None
        assert list(document.cards()) == []


def test_image_addresses_escape_what_the_page_says() -> None:
    slides = Slides.model_validate(
        {"host": "https://image.slidesharecdn.com/", "imageLocation": "/a b/", "title": "x/../y?z"}
    )
    assert slides.addresses(7) == ["https://image.slidesharecdn.com/a%20b/95/x%2F..%2Fy%3Fz-7-1024.jpg"]


def test_the_older_oembed_form_has_a_middle_part() -> None:
    answer = {
        "total_slides": 3,
        "slide_image_baseurl": "//image.slidesharecdn.com/loc/95/name",
        "slide_image_baseurl_suffix": "-1024.jpg",
        "slideshow_id": "12",
        "conversion_version": 1,
    }
    expected = "https://image.slidesharecdn.com/loc/95/name-slide-2-1024.jpg"
    assert OEmbed.model_validate(answer).address(2, "https") == expected


def test_pages_are_real_images(
    source: SlideShare, service: SlideShareDouble, deck: Build, tmp_path: Path
) -> None:
    service.add(deck())
    fetched(source, material(source, deck()), tmp_path / "in")
    with Image.open(tmp_path / "in" / "p001.webp") as image:
        assert image.format == "WEBP"
