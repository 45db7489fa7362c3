from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

import media_samples
from archiver import api
from archiver.testing.pretalx import PUBLIC, PretalxDouble, Talk, Upload
from archiver_plugins.pretalx import Pretalx, PretalxEntry, PretalxOptions, archiver_sources
from archiver_plugins.pretalx.links import file_kind, page_of
from plugins import source_kit
from plugins.source_kit import BEIJING, Item, Make

PDF = media_samples.pdf(["Chef"])
CHEF = Talk("A7KX3Q", "Deploy OpenStack with Chef", ("Junqiang Chen",), (Upload("chef_x7.pdf", PDF),))


@pytest.fixture
def service() -> Iterator[PretalxDouble]:
    with PretalxDouble("democon", [CHEF]) as service:
        yield service


@pytest.fixture
def source(service: PretalxDouble, context_for: Make) -> Pretalx:
    return Pretalx(PretalxOptions(base_url=service.url), context_for(service.url))


def listed(source: Pretalx, url: str = f"{PUBLIC}/democon/", **options: Any) -> tuple[list[Item], bool]:
    entry = api.ScopeEntry(BEIJING, PretalxEntry(url=url, **options))
    items, last = source_kit.listed(source, entry)
    return items, last.complete


def materials(source: Pretalx, **options: Any) -> list[api.Material]:
    return [item for item in listed(source, **options)[0] if isinstance(item, api.Material)]


def test_is_announced() -> None:
    assert list(archiver_sources()) == [Pretalx]


class TestListing:
    def test_an_upload_has_what_the_schedule_says(self, source: Pretalx) -> None:
        (item,) = materials(source)
        assert (item.kind, item.title, item.talk) == (api.Kind.SLIDES, CHEF.title, CHEF.title)
        assert (item.authors, item.language) == (("Junqiang Chen",), "zh")
        assert (item.event, item.date) == ("beijing", CHEF.date)
        assert item.url == f"{PUBLIC}/media/democon/submissions/A7KX3Q/resources/chef_x7.pdf"
        assert item.id.startswith("A7KX3Q/")

    def test_the_id_stays_when_the_title_changes(self, source: Pretalx, service: PretalxDouble) -> None:
        before = materials(source)
        service.add(replace(CHEF, title="Chef, renamed"))
        after = materials(source)
        assert [item.id for item in before] == [item.id for item in after]
        assert after[0].talk == "Chef, renamed"

    def test_a_talk_held_twice_is_listed_once(self, source: Pretalx, service: PretalxDouble) -> None:
        service.add(replace(CHEF, times=2))
        assert [item.title for item in materials(source)] == [CHEF.title]

    def test_frab_has_no_codes(self, source: Pretalx, service: PretalxDouble) -> None:
        service.frab = True
        (item,) = materials(source)
        assert item.id.startswith("guid-A7KX3Q/")
        assert item.authors == ("Junqiang Chen",)

    def test_a_day_is_a_part(self, source: Pretalx, service: PretalxDouble) -> None:
        service.add(replace(CHEF, code="B", date="2012-09-17T09:00:00+08:00"))
        assert [item.extra["talk"] for item in materials(source, day="2012-09-17")] == ["B"]

    def test_links_are_files_pages_or_nothing(self, source: Pretalx, service: PretalxDouble) -> None:
        links = (
            ("Slides", "https://example.org/chef.pptx"),
            ("Video", "https://youtu.be/dQw4w9WgXcQ"),
            ("Deck", "https://speakerdeck.com/u/chef"),
            ("Home", "https://example.org/"),
            ("Channel", "https://www.youtube.com/"),
            ("Bad", "javascript:alert(1)"),
            ("Broken", "http://["),
        )
        service.add(replace(CHEF, attachments=(), links=links))
        items, complete = listed(source)
        found = [
            (item.material.kind.value, item.error.hint.split()[-1]) if isinstance(item, api.Unavailable)
            else (item.kind.value, item.url)
            for item in items
        ]  # fmt: skip
        assert found == [
            ("slides", "https://example.org/chef.pptx"),
            ("video", "video."),
            ("slides", "speakerdeck."),
        ]
        assert complete
        assert [item for item in listed(source, links=False)[0] if isinstance(item, api.Unavailable)] == []

    def test_an_empty_schedule_is_not_taken_for_the_end_of_everything(
        self, source: Pretalx, service: PretalxDouble
    ) -> None:
        service.remove(CHEF.code)
        assert listed(source) == ([], False)

    def test_two_events_read_one_schedule_once(self, source: Pretalx, service: PretalxDouble) -> None:
        entries = tuple(
            api.ScopeEntry(api.Event(name, name), PretalxEntry(url=service.address)) for name in ("a", "b")
        )
        list(source.discover(api.Scope(entries), ""))
        assert service.requests.count() == 1

    def test_a_signed_address_is_used_and_not_kept(
        self, source: Pretalx, service: PretalxDouble, tmp_path: Path
    ) -> None:
        ids = set()
        for sign in ("hunter22", "hunter33"):
            link = f"{PUBLIC}/media/democon/submissions/A7KX3Q/resources/chef_x7.pdf?X-Amz-Signature={sign}"
            service.add(replace(CHEF, links=(("Slides", link),)))
            item = materials(source)[-1]
            assert "hunter" not in repr(item)
            ids.add(item.id)
        assert len(ids) == 1
        list(source.fetch(materials(source)[-1], tmp_path))


class TestTrouble:
    def test_a_schedule_that_is_not_released_is_blocked(
        self, source: Pretalx, service: PretalxDouble
    ) -> None:
        service.released = False
        with pytest.raises(api.BlockedError, match="no public schedule"):
            listed(source)

    def test_a_token_opens_it_and_is_not_sent_elsewhere(
        self, service: PretalxDouble, context_for: Make, tmp_path: Path
    ) -> None:
        service.token = "hunter22"
        with pytest.raises(api.BlockedError):
            listed(Pretalx(PretalxOptions(base_url=service.url), context_for(service.url)))
        options = PretalxOptions(base_url=service.url, token=SecretStr("hunter22"))
        source = Pretalx(options, context_for(service.url))
        (item,) = materials(source)
        assert source._headers("https://example.org/x.pdf", item.extra["schedule"]) == {}
        list(source.fetch(item, tmp_path))
        assert all(each.headers["authorization"] == "Token hunter22" for each in list(service.requests)[1:])
        assert "hunter22" not in repr(item)

    @pytest.mark.parametrize("kind", ["login", "truncate"])
    def test_what_is_no_schedule_fails_the_listing(
        self, kind: str, source: Pretalx, service: PretalxDouble
    ) -> None:
        service.fault("*.json", kind, times=None)
        with pytest.raises(api.SourceError):
            listed(source)

    def test_a_lost_upload_is_gone(self, source: Pretalx, service: PretalxDouble, tmp_path: Path) -> None:
        (item,) = materials(source)
        service.add(replace(CHEF, attachments=()))
        with pytest.raises(api.GoneError):
            list(source.fetch(item, tmp_path))

    def test_a_login_page_is_not_a_deck(
        self, source: Pretalx, service: PretalxDouble, tmp_path: Path
    ) -> None:
        (item,) = materials(source)
        service.fault("*.pdf", "login")
        with pytest.raises(api.InvalidError, match="web page"):
            list(source.fetch(item, tmp_path))

    @pytest.mark.parametrize(
        "url", ["https://pretalx.com", "ftp://e.org/x", "https://a:b@e.org/x", "nonsense"]
    )
    def test_what_is_no_address_is_refused_with_the_configuration(self, url: str) -> None:
        with pytest.raises(ValidationError):
            PretalxEntry(url=url)

    def test_a_day_is_checked(self) -> None:
        with pytest.raises(ValidationError, match="2012-09-16"):
            PretalxEntry(url="https://pretalx.com/x", day="Monday")


def test_the_file_comes(source: Pretalx, service: PretalxDouble, tmp_path: Path) -> None:
    (item,) = materials(source)
    refined, file = source.fetch(item, tmp_path)
    assert isinstance(refined, api.Material)
    assert isinstance(file, api.Fetched)
    assert (tmp_path / file.path).read_bytes() == PDF
    assert (refined.size, file.grade) == (len(PDF), api.Grade.PDF)
    assert service.url not in repr(refined)


def test_kinds_of_addresses() -> None:
    assert file_kind("https://e.org/a/b.ODP?x=1") is api.Kind.SLIDES
    assert file_kind("https://e.org/a.html") is None
    assert page_of("https://media.ccc.de/v/x") == (api.Kind.VIDEO, "video")
    assert page_of("https://youtube.com.evil.example/x") is None
