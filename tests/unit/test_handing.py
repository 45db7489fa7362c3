"""What reports point to is listed by the source that takes it: over in-memory sites."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from archiver.config import ArchiveSettings, SourceSpec
from archiver.contracts import Options, Scope, Source
from archiver.errors import BlockedError, GoneError, InvalidError, SourceError, TransientError
from archiver.handing import with_defaults
from archiver.ledger import Record, State
from archiver.model import Checkpoint, Fetched, Kind, Material, Unavailable
from archiver.report import Report
from archiver.route import Filters
from line_kit import A, B, Entry, Upstream, World, counts, plugins

SITE = "https://decks.example/"


@dataclass
class Web:
    """Reports: by event, what each links to. And albums of decks: what is in each, and what fails."""

    reports: dict[str, list[Any]] = field(default_factory=dict)
    albums: dict[str, list[str]] = field(default_factory=dict)
    listing: dict[str, SourceError] = field(default_factory=dict)
    unlisted: dict[str, SourceError] = field(default_factory=dict)
    fetching: dict[str, SourceError] = field(default_factory=dict)
    entry: Any = None
    asked: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    deck_links: str = ""

    def blog(self) -> type[Source[Any, Any]]:
        return type("Blog", (_Blog,), {"web": self})

    def decks(self) -> type[Source[Any, Any]]:
        return type("Decks", (_Decks,), {"web": self})


class _Blog(Source[Options, Entry]):
    """Reports."""

    type_name = "blog"
    entry_class = Entry
    web: Web

    def discover(self, scope: Scope[Entry], cursor: str) -> Iterator[Material | Unavailable | Checkpoint]:
        for event, links in self.web.reports.items():
            if event in {each.event.id for each in scope.entries}:
                revision = json.dumps(links)
                title, url = f"Report of {event}", f"https://blog.example/{event}"
                yield Material(f"r-{event}", Kind.REPORT, title, url, revision, event=event)
        yield Checkpoint(complete=True)

    def fetch(self, material: Material, into: Path) -> Iterable[Fetched | Material]:
        links = self.web.reports[material.event]
        yield replace(material, extra={"links": json.dumps(links)})
        (into / "r").write_text(f"{material.title} {links}", encoding="utf-8")
        yield Fetched(Path("r"))


class _Decks(Source[Options, Entry]):
    """Albums of decks."""

    type_name = "decks"
    entry_class = Entry
    web: Web

    def entry_for(self, url: str) -> Mapping[str, object] | None:
        if self.web.entry is not None:
            if isinstance(self.web.entry, Exception):
                raise self.web.entry
            return self.web.entry  # type: ignore[no-any-return]
        return {"album": url.removeprefix(SITE)} if url.startswith(SITE) else None

    def discover(self, scope: Scope[Entry], cursor: str) -> Iterator[Material | Unavailable | Checkpoint]:
        for each in scope.entries:
            album = each.options.album
            self.web.asked.append(album)
            if album in self.web.listing:
                raise self.web.listing[album]
            for deck in self.web.albums.get(album, []):
                found = Material(deck, Kind.OTHER, deck, SITE + deck, "1", event=each.event.id)
                error = self.web.unlisted.get(deck)
                yield Unavailable(found, error) if error else found
        yield Checkpoint(complete=True)

    def fetch(self, material: Material, into: Path) -> Iterable[Fetched | Material]:
        self.web.fetched.append(material.id)
        if error := self.web.fetching.get(material.id):
            raise error
        yield Material(
            material.id, Kind.OTHER, material.title, material.url, "1", extra={"links": self.web.deck_links}
        )
        (into / "d").write_text(material.id, encoding="utf-8")
        yield Fetched(Path("d"))


@dataclass
class Tour:
    world: World
    web: Web

    def run(self, **options: Any) -> Report:
        return self.world.run(sources={"blog": self.web.blog(), "decks": self.web.decks()}, **options)

    def decks(self) -> dict[tuple[str, str], Record]:
        """Records that are no reports: by event and id."""
        found = self.world.records().values()
        return {
            (each.material.event, each.material.id): each
            for each in found
            if each.material.kind is not Kind.REPORT
        }

    def held(self) -> list[tuple[str, str]]:
        return sorted(key for key, record in self.decks().items() if record.files)


def link(name: str, kind: str = "slides") -> dict[str, str]:
    return {"kind": kind, "source": "decks", "url": SITE + name, "title": f"slides of {name}"}


@pytest.fixture
def tour(tmp_path: Path) -> Tour:
    world = World(tmp_path, {"blog": Upstream(), "decks": Upstream()}, albums={"decks": ()})
    return Tour(world, Web({"a": [link("one")]}, {"one": ["d1"], "two": ["d2", "d3"]}))


def test_a_run_follows_the_report_that_it_has_just_stored(tour: Tour) -> None:
    report = tour.run()
    assert report.exit_code() == 0
    assert tour.held() == [("a", "d1")]
    record = tour.decks()["a", "d1"]
    assert (record.source, record.type_name, record.state) == ("decks", "decks", State.STORED)
    assert record.material.extra["found_in"] == "Report of a"
    assert record.material.extra["found_at"] == "https://blog.example/a"
    assert counts(report, "a", "decks") == {"new": 1}
    assert tour.world.versions() == {"a": 1, "_archive": 1}


def test_the_next_run_asks_again_and_changes_nothing(tour: Tour) -> None:
    tour.run()
    report = tour.run()
    assert (tour.web.asked, tour.web.fetched) == (["one", "one"], ["d1"])
    assert counts(report, "a", "decks") == {"same": 1}
    assert tour.world.versions()["a"] == 1


def test_what_no_report_names_any_more_is_kept_as_it_is(tour: Tour) -> None:
    tour.run()
    tour.web.reports["a"] = []
    tour.world.albums["decks"] = ((A, "two"),)  # a complete listing of the same source, without it
    tour.run()
    tour.run()
    assert tour.decks()["a", "d1"].state is State.STORED
    assert tour.held() == [("a", "d1"), ("a", "d2"), ("a", "d3")]


def test_an_album_that_cannot_be_listed_loses_nothing(tour: Tour, caplog: pytest.LogCaptureFixture) -> None:
    tour.run()
    tour.web.listing["one"] = TransientError("it answers 503")
    report = tour.run()
    assert report.exit_code() == 0
    assert tour.decks().keys() == {("a", "d1")}
    assert "it answers 503" in caplog.text


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (TransientError("503"), "failed", 1),
        (BlockedError("a login"), "blocked", 1),
        (InvalidError("a page"), "link", 0),
        (GoneError("deleted"), "gone", 0),
    ],
    ids=lambda value: getattr(value, "message", value),
)
@pytest.mark.parametrize("step", ["listing", "unlisted", "fetching"])
def test_what_cannot_be_had_says_why(
    tour: Tour, step: str, error: SourceError, reason: str, code: int
) -> None:
    getattr(tour.web, step)["one" if step == "listing" else "d1"] = error
    report = tour.run()
    assert report.exit_code() == code
    (record,) = tour.decks().values()
    assert record.problem
    assert (record.problem.reason, record.state) == (reason, State.PENDING)
    assert record.material.url in {SITE + "one", SITE + "d1"}
    # And once it can be had, nothing is left of that.
    getattr(tour.web, step).clear()
    assert tour.run().exit_code() == 0
    assert tour.decks().keys() == {("a", "d1")}
    assert tour.held() == [("a", "d1")]


def test_what_upstream_says_is_gone_is_withdrawn(tour: Tour) -> None:
    tour.run()
    tour.web.unlisted["d1"] = GoneError("deleted")
    tour.run()
    assert tour.decks()["a", "d1"].state is State.WITHDRAWN


@pytest.mark.parametrize("entry", [ValueError("a fault"), {"albums": "one"}, ["album"], {}], ids=str)
def test_a_plugin_that_answers_nonsense_takes_nothing(tour: Tour, entry: Any) -> None:
    tour.web.entry = entry
    report = tour.run()
    assert report.exit_code() == 0
    if entry != {}:  # a valid entry of this source, which lists nothing
        assert list(tour.decks()) == [("a", f"link:{SITE}one")]
        assert tour.decks()["a", f"link:{SITE}one"].problem.reason == "link"  # type: ignore[union-attr]


def test_an_address_that_nobody_knows_is_passed_over(tour: Tour) -> None:
    tour.web.reports["a"] = [{"kind": "", "url": "https://news.example/1"}]
    assert tour.run().exit_code() == 0
    assert tour.decks() == {}


def test_what_the_organizer_lists_is_not_listed_twice(tour: Tour) -> None:
    tour.world.albums["decks"] = ((B, "one"),)
    tour.run()
    assert tour.held() == [("b", "d1")]
    assert "found_in" not in tour.decks()["b", "d1"].material.extra


def test_the_organizer_may_put_it_elsewhere_later(tour: Tour) -> None:
    tour.run()
    tour.world.albums["decks"] = ((B, "one"),)
    tour.run()
    tour.run()
    assert ("b", "d1") in tour.held()
    assert tour.decks()["a", "d1"].history[-1].reason == "listed for another event"


def test_two_events_do_not_both_take_it(tour: Tour) -> None:
    tour.web.reports = {"b": [link("one")], "a": [link("one"), link("two")]}
    tour.run()
    assert tour.held() == [("a", "d1"), ("a", "d2"), ("a", "d3")]
    tour.run()
    assert len(tour.decks()) == 3


def test_what_a_report_led_to_leads_no_further(tour: Tour) -> None:
    tour.web.deck_links = json.dumps([link("two")])
    tour.run()
    tour.run()
    assert tour.held() == [("a", "d1")]


def test_a_limit_holds_for_both_ways(tour: Tour) -> None:
    tour.web.reports["a"] = [link("one"), link("two")]
    tour.run(filters=Filters(limit=2))
    assert tour.held() == [("a", "d1")]
    tour.run()
    assert len(tour.held()) == 3


def test_a_run_that_is_cut_short_while_it_follows_says_so(tour: Tour) -> None:
    sources = {"blog": tour.web.blog(), "decks": tour.web.decks()}
    prepared = tour.world.prepared(sources=sources)
    tour.web.asked = _Stopping(prepared.stop.set)
    assert prepared.execute().exit_code() == 130
    assert tour.held() == []
    tour.web.asked = []
    assert tour.run().exit_code() == 0
    assert tour.held() == [("a", "d1")]


class _Stopping(list[str]):
    """A list that does something when it is added to."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self._then = then

    def append(self, item: str, /) -> None:
        self._then()
        super().append(item)


def test_filters_hold(tour: Tour) -> None:
    tour.web.reports["b"] = [link("two")]
    tour.run(filters=Filters(events=frozenset("b")))
    assert tour.held() == [("b", "d2"), ("b", "d3")]
    tour.run(filters=Filters(kinds=frozenset([Kind.REPORT])))
    assert len(tour.held()) == 2
    tour.run(filters=Filters(sources=frozenset(["decks"])))
    assert len(tour.held()) == 3


def test_nothing_is_followed_against_the_organizer_s_word(tour: Tour) -> None:
    tour.world.settings = ArchiveSettings("A tour", follow="none")
    tour.run()
    assert tour.decks() == {}
    assert tour.web.asked == []


def test_a_dry_run_counts_what_known_reports_lead_to(tour: Tour) -> None:
    tour.world.settings = ArchiveSettings("A tour", follow="none")
    tour.run()
    tour.world.settings = ArchiveSettings("A tour")
    report = tour.run(dry_run=True)
    assert counts(report, "a", "decks") == {"new": 1}
    assert tour.decks() == {}


def defaults(tmp_path: Path, follow: str, specs: Sequence[SourceSpec] = ()) -> list[tuple[str, str]]:
    config = replace(World(tmp_path).config, archive=ArchiveSettings("A", follow=follow))
    return [(each.name, each.type) for each in with_defaults(specs, config, plugins())]


def test_types_that_need_nothing_are_added_on_request(tmp_path: Path) -> None:
    assert defaults(tmp_path, "configured") == []
    found = dict(defaults(tmp_path, "any"))
    assert {"slideshare", "speakerdeck", "video", "links"} <= found.keys()
    assert "flickr" not in found  # it needs a key
    own = (SourceSpec("video", "slideshare", Options()),)
    made = defaults(tmp_path, "any", own)
    assert ("video-linked", "video") in made
    assert ("slideshare", "slideshare") not in made


def test_an_entry_is_one_of_the_event_s(tour: Tour) -> None:
    """A source that the event uses already is asked before one that it does not."""
    world = tour.world
    world.upstreams["more"] = Upstream()
    world.albums["more"] = ((A, "none"),)
    sources = {"blog": tour.web.blog(), "decks": tour.web.decks(), "more": tour.web.decks()}
    world.run(sources=sources)
    (record,) = tour.decks().values()
    assert record.source == "more"
