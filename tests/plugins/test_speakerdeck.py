from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from archiver import api
from archiver.testing.speakerdeck import Deck, SpeakerDeckDouble
from archiver_plugins.speakerdeck import SpeakerDeck, SpeakerDeckEntry, SpeakerDeckOptions, archiver_sources
from archiver_plugins.speakerdeck.options import deck_path
from archiver_plugins.speakerdeck.page import Page, read_feed
from plugins.source_kit import BEIJING, SHENZHEN, Item, Make, fetched, listed, the_error

Build = Callable[..., Deck]
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture
def service() -> Iterator[SpeakerDeckDouble]:
    with SpeakerDeckDouble(page_size=2, feed_size=3) as service:
        yield service


@pytest.fixture
def source(service: SpeakerDeckDouble, context_for: Make) -> SpeakerDeck:
    return SpeakerDeck(SpeakerDeckOptions(base_url=service.url), context_for(service.url))


@pytest.fixture
def deck(page_image: Callable[..., bytes]) -> Build:
    """Make a deck of two slides; anything may be said otherwise."""

    def build(number: int = 1, **values: Any) -> Deck:
        given: dict[str, Any] = {
            "user": "zhengpeng",
            "author": "Zhengpeng Hou",
            "title": f"Juju {number}",
            "published": f"2012-09-0{number}",
            "pages": (page_image(1), page_image(2)),
        }
        return Deck(**(given | values))

    return build


def entry(event: api.Event = BEIJING, **options: Any) -> api.ScopeEntry[SpeakerDeckEntry]:
    return api.ScopeEntry(event, SpeakerDeckEntry(**options))


def one(source: SpeakerDeck, **options: Any) -> Item:
    items, _ = listed(source, entry(**options))
    assert len(items) == 1
    return items[0]


def material(source: SpeakerDeck, deck: Deck) -> api.Material:
    item = one(source, url=deck.url)
    assert isinstance(item, api.Material)
    return item


def problem(source: SpeakerDeck, url: str) -> api.SourceError:
    return the_error(one(source, url=url))


def test_is_announced() -> None:
    assert list(archiver_sources()) == [SpeakerDeck]
    assert SpeakerDeckOptions().base_url == "https://speakerdeck.com"


class TestAddresses:
    @pytest.mark.parametrize("tail", ["", "/", "?slide=7", "#x"])
    def test_one_deck_has_one_id(
        self, tail: str, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build
    ) -> None:
        service.add(deck())
        item = one(source, url=f"{deck().url}{tail}", talk="juju")
        assert isinstance(item, api.Material)
        assert (item.id, item.url) == ("zhengpeng/juju-1", "https://speakerdeck.com/zhengpeng/juju-1")
        assert (item.event, item.talk, item.title) == ("beijing", "juju", "Juju 1")

    @pytest.mark.parametrize(
        "url",
        [
            "https://example.org/a/b",
            "https://speakerdeck.com/zhengpeng",
            "https://speakerdeck.com/player/0123",
            "https://speakerdeck.com/a/..",
            "https://[",
        ],
    )
    def test_what_is_no_deck_is_refused_with_the_configuration(self, url: str) -> None:
        with pytest.raises(ValidationError):
            SpeakerDeckEntry(urls=(url,))

    @pytest.mark.parametrize("options", [{}, {"talk": "x", "user": "y"}])
    def test_combinations_that_say_nothing_are_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            SpeakerDeckEntry(**options)

    @given(st.text(max_size=200))
    def test_any_text_is_a_path_or_a_value_error(self, text: str) -> None:
        for url in (text, f"https://speakerdeck.com/{text}"):
            try:
                path = deck_path(url)
            except ValueError:
                continue
            assert path.isascii()
            assert deck_path(f"https://speakerdeck.com{path}") == path


class TestListing:
    def test_several_events_share_one_look(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build
    ) -> None:
        service.add(deck())
        items, end = listed(source, entry(url=deck().url), entry(SHENZHEN, urls=[deck().url, deck().url]))
        assert [item.event for item in items if isinstance(item, api.Material)] == ["beijing", "shenzhen"]
        assert service.requests.count() == 1
        assert end.complete

    def test_a_user_is_listed_whole_although_the_feed_holds_the_newest_only(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build
    ) -> None:
        service.add(*(deck(n) for n in range(1, 6)), deck(6, user="other"))
        items, end = listed(source, entry(user="zhengpeng"))
        found = {item.title: item for item in items if isinstance(item, api.Material)}
        assert list(found) == ["Juju 5", "Juju 4", "Juju 3", "Juju 2", "Juju 1"]
        assert found["Juju 5"].date == found["Juju 5"].revision == "2012-09-05T00:00:00Z"
        assert found["Juju 1"].date == found["Juju 1"].revision == ""
        assert end.complete
        assert service.requests.count("/zhengpeng/*") == 0

    def test_a_user_is_listed_without_the_feed(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build
    ) -> None:
        service.add(deck())
        service.fault("*.atom", "login")
        items, end = listed(source, entry(user="zhengpeng"))
        assert (len(items), end.complete) == (1, True)

    def test_the_limit_stops_the_paging(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build
    ) -> None:
        service.add(*(deck(n) for n in range(1, 9)))
        items, end = listed(source, entry(user="zhengpeng"), limit=2)
        assert (len(items), end.complete) == (2, False)
        assert service.requests.count("/zhengpeng") == 1

    def test_an_account_without_decks_is_not_taken_for_a_complete_listing(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build
    ) -> None:
        service.add(deck(gone=True))
        assert listed(source, entry(user="zhengpeng")) == ([], api.Checkpoint(complete=False))

    def test_a_missing_user_is_an_error_after_everything_else_was_listed(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build
    ) -> None:
        service.add(deck())
        listing = source.discover(api.Scope((entry(user="nobody"), entry(SHENZHEN, url=deck().url))), "")
        assert isinstance(next(listing), api.Material)
        with pytest.raises(api.GoneError, match="no user 'nobody'"):
            next(listing)

    def test_the_revision_is_that_of_the_upload(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build
    ) -> None:
        service.add(deck(transcript=("a", "b")))
        first = material(source, deck())
        assert first.revision == f"{deck().id} 2"
        service.add(deck(transcript=("a", "b"), description="new words"))
        assert material(source, deck()).revision == first.revision


class TestUnavailable:
    def test_a_deleted_deck_is_gone(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build
    ) -> None:
        service.add(deck(gone=True))
        error = problem(source, deck().url)
        assert isinstance(error, api.GoneError)
        assert "speakerdeck.com/zhengpeng/juju-1 does not exist" in str(error)

    def test_a_page_without_a_deck_is_blocked(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build
    ) -> None:
        service.add(deck())
        service.fault("/zhengpeng/*", "login")
        assert isinstance(problem(source, deck().url), api.BlockedError)

    def test_a_page_of_something_else_is_invalid(
        self, source: SpeakerDeck, service: SpeakerDeckDouble
    ) -> None:
        service.serve("/x/about", b'<meta name="stats-view_type" content="page">', "text/html")
        assert isinstance(problem(source, "https://speakerdeck.com/x/about"), api.InvalidError)

    def test_passing_trouble_belongs_to_the_deck(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build
    ) -> None:
        service.add(deck(1), deck(2))
        service.fault(deck(1).path, "503", times=None)
        items, _ = listed(source, entry(urls=[deck(1).url, deck(2).url]))
        assert isinstance(items[0], api.Unavailable)
        assert isinstance(items[0].error, api.TransientError)
        assert isinstance(items[1], api.Material)


class TestFetch:
    def test_the_authors_pdf_is_the_original_and_no_slide_is_asked_for(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck(pdf=PDF, description="How it went", transcript=("One & two", "云计算")))
        refined, files = fetched(source, material(source, deck()), tmp_path / "in")
        assert list(files) == ["original.pdf", "transcript.txt"]
        assert (tmp_path / "in" / "original.pdf").read_bytes() == PDF
        original = files["original.pdf"]
        assert (original.role, original.grade) == (api.Role.ORIGINAL, api.Grade.PDF)
        assert (tmp_path / "in" / "transcript.txt").read_text("utf-8") == (
            "[p001]\nOne & two\n\n[p002]\n云计算\n"
        )
        assert (refined.authors, refined.description) == (("Zhengpeng Hou",), "How it went")
        assert service.requests.count("*.jpg") == 0

    def test_without_a_pdf_the_slides_come_counted_from_one(
        self,
        source: SpeakerDeck,
        service: SpeakerDeckDouble,
        deck: Build,
        page_image: Callable[..., bytes],
        tmp_path: Path,
    ) -> None:
        service.add(deck())
        _, files = fetched(source, material(source, deck()), tmp_path / "in")
        assert list(files) == ["p001.jpg", "p002.jpg", "slides.pdf"]
        assert (tmp_path / "in" / "p001.jpg").read_bytes() == page_image(1)
        assert (files["p001.jpg"].role, files["p001.jpg"].grade) == (api.Role.RENDITION, api.Grade.PAGES)
        assert (files["slides.pdf"].role, files["slides.pdf"].grade) == (api.Role.DERIVATIVE, api.Grade.PDF)
        document = pypdfium2.PdfDocument(tmp_path / "in" / "slides.pdf")
        assert len(document) == 2
        document.close()

    def test_a_login_page_instead_of_the_pdf_is_asked_for_once_more(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck(pdf=PDF))
        service.fault("*.pdf", "login")
        _, files = fetched(source, material(source, deck()), tmp_path / "in")
        assert list(files) == ["original.pdf"]

    @pytest.mark.parametrize("kind", ["gone", "login"])
    def test_a_pdf_that_cannot_be_had_gives_way_to_slides_under_another_revision(
        self, kind: str, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck(pdf=PDF))
        service.fault("*.pdf", kind, times=None)
        item = material(source, deck())
        refined, files = fetched(source, item, tmp_path / "in")
        assert list(files) == ["p001.jpg", "p002.jpg", "slides.pdf"]
        assert refined.revision != item.revision

    def test_passing_trouble_with_the_pdf_is_no_reason_for_slides(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck(pdf=PDF))
        service.fault("*.pdf", "503", times=None)
        with pytest.raises(api.TransientError):
            fetched(source, material(source, deck()), tmp_path / "in")

    def test_the_preview_image_names_the_player_when_oembed_does_not(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck())
        service.fault("/oembed.json", "gone", times=None)
        refined, files = fetched(source, material(source, deck()), tmp_path / "in")
        assert (len(files), refined.authors) == (3, ())

    def test_a_deck_that_names_no_slides_is_invalid(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, tmp_path: Path
    ) -> None:
        service.serve("/x/y", b'<meta name="stats-view_type" content="talk">', "text/html")
        item = one(source, url="https://speakerdeck.com/x/y")
        assert isinstance(item, api.Material)
        with pytest.raises(api.InvalidError, match="offers no PDF"):
            fetched(source, item, tmp_path / "in")

    def test_a_lost_slide_fails_the_deck_by_name_and_not_as_gone(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck())
        service.fault("*/slide_1.jpg", "gone", times=None)
        with pytest.raises(api.InvalidError, match="Slide p002 of 'Juju 1'"):
            fetched(source, material(source, deck()), tmp_path / "in")

    def test_a_feed_entry_is_refined_and_keeps_date_and_revision(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck(description="How it went"))
        item = one(source, user="zhengpeng")
        assert isinstance(item, api.Material)
        refined, _ = fetched(source, replace(item, talk="juju"), tmp_path / "in")
        assert (refined.id, refined.date, refined.revision, refined.talk) == (
            item.id, item.date, item.revision, "juju",
        )  # fmt: skip
        assert refined.description == "How it went"

    def test_a_material_from_elsewhere_is_refused(self, source: SpeakerDeck, tmp_path: Path) -> None:
        stranger = api.Material("1", api.Kind.SLIDES, url="https://example.org/x")
        with pytest.raises(api.InvalidError, match="no usable address"):
            fetched(source, stranger, tmp_path / "in")


class TestHostilePages:
    def player(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Deck, slides: str
    ) -> api.Material:
        service.add(deck)
        service.serve(f"/player/{deck.id}", slides.encode(), "text/html")
        return material(source, deck)

    @pytest.mark.parametrize(
        "slides",
        [
            "",
            '<div class="js-sd-slide"></div>',
            '<div class="js-sd-slide" data-url="file:///etc/passwd"></div>',
            '<div class="js-sd-slide" data-url="//["></div>',
            '<i class="js-sd-slide" data-url="/1.jpg"></i>' * 2_001,
        ],
    )
    def test_a_player_without_proper_slides_is_invalid(
        self, slides: str, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build, tmp_path: Path
    ) -> None:
        item = self.player(source, service, deck(), slides)
        with pytest.raises(api.InvalidError, match=r"The player .* shows"):
            fetched(source, item, tmp_path / "in")
        assert service.requests.count("*.jpg") == 0

    def test_a_slide_inside_our_network_is_refused(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build, tmp_path: Path
    ) -> None:
        slides = '<div class="js-sd-slide" data-url="http://169.254.169.254/latest/meta-data"></div>'
        item = self.player(source, service, deck(), slides)
        with pytest.raises(api.BlockedError, match="link-local"):
            fetched(source, item, tmp_path / "in")

    def test_a_title_is_a_label_and_never_a_path(
        self, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build, tmp_path: Path
    ) -> None:
        evil = deck(title="../../x<script>", slug="evil", pdf=PDF)
        service.add(evil)
        refined, files = fetched(source, material(source, evil), tmp_path / "in")
        assert refined.title == "../../x<script>"
        assert {path.name for path in tmp_path.rglob("*")} == {"in", *files}

    @pytest.mark.parametrize("answer", [b'{"html": 7}', b"[]", b"<html>", b'{"html": "//x/player/zz"}'])
    def test_an_odd_oembed_answer_does_not_keep_the_pdf_away(
        self, answer: bytes, source: SpeakerDeck, service: SpeakerDeckDouble, deck: Build, tmp_path: Path
    ) -> None:
        service.add(deck(pdf=PDF))
        service.serve("/oembed.json", answer, "application/json")
        _, files = fetched(source, material(source, deck()), tmp_path / "in")
        assert list(files) == ["original.pdf"]

    def test_a_feed_reads_no_files_through_entities(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("hush")
        feed = (
            f'<!DOCTYPE feed [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
            '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>a&x;b</title>'
            '<link href="https://speakerdeck.com/u/d"/><updated>&x;</updated></entry></feed>'
        )
        found = read_feed(api.Response("https://x/", 200, {}, feed.encode()))
        assert "hush" not in repr(found)

    @given(st.binary(max_size=300))
    def test_any_bytes_are_a_feed_without_decks_and_a_page_without_anything(self, content: bytes) -> None:
        response = api.Response("https://x/", 200, {}, content)
        assert read_feed(response) == {}
        page = Page(response)
        assert (page.view_type, page.pdf, page.path, page.file_id, page.texts()) == ("", "", "", "", [])
        assert list(page.decks_of("zhengpeng")) == []


def test_links_of_others_are_not_decks_of_the_user() -> None:
    page = (
        '<a href="/zhengpeng/juju">Juju</a><a href="/other/deck">x</a><a href="//[">x</a>'
        '<a href="https://example.org/zhengpeng/a">x</a><a href="/zhengpeng">x</a>'
    )
    found = Page(api.Response("https://speakerdeck.com/zhengpeng", 200, {}, page.encode())).decks_of(
        "Zhengpeng"
    )
    assert list(found) == [("/zhengpeng/juju", "Juju")]
