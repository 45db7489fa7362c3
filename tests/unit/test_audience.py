"""Who may see what: by what is said of the archive, an event, a talk, a use, and by decisions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archiver.audience import Clearance
from archiver.config import ArchiveSettings, Config, SourceSpec
from archiver.consents import Consents, Given
from archiver.contracts import Options, ScopeEntry
from archiver.ledger import Match, Problem, Record, State, StoredFile, Transition
from archiver.model import Consent, Event, Kind, Material, Talk
from archiver.plan import OUT_OF_SCOPE

PUBLIC, INTERNAL, UNKNOWN = Consent.PUBLIC, Consent.INTERNAL, Consent.UNKNOWN
FILE = StoredFile("slides/a-3f9a2c41d07b.pdf", 1, "0" * 64)
CHEF, SWIFT = Talk("chef", "Chef"), Talk("swift", "Swift")


def record(name: str = "x", talk: str = "chef", source: str = "src", **more: object) -> Record:
    material = Material(name, Kind.SLIDES, "A deck", event=str(more.pop("event", "a")), talk=talk)
    made = Record(source, "folder", material, State.STORED, Match(talk, "title", 1.0, "why"), (FILE,))
    return replace(made, **more)  # type: ignore[arg-type]  # fields of a record


def clearance(
    *events: Event, default: Consent = UNKNOWN, use: Consent | None = None, given: tuple[Given, ...] = ()
) -> Clearance:
    entries = tuple(ScopeEntry(event, Options()) for event in events)
    spec = SourceSpec("src", "folder", Options(), entries, (use,) * len(events))
    settings = ArchiveSettings("A tour", consent=default)
    config = Config(Path("archive.yaml"), Path(), settings, (), (spec,), events)
    return Clearance(config, Consents.of(each.line() for each in given))


def event(*talks: Talk, consent: Consent | None = None) -> Event:
    return Event("a", "Stop A", talks=talks or (CHEF, SWIFT), consent=consent)


def said(talk: Talk, consent: Consent) -> Talk:
    return replace(talk, consent=consent)


def item(consent: Consent | None, at: str = "1", name: str = "x") -> Given:
    return Given(("item", "folder", name), consent, at)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (clearance(event()), UNKNOWN),
        (clearance(event(), default=PUBLIC), PUBLIC),
        (clearance(event(consent=PUBLIC)), PUBLIC),
        (clearance(event(consent=INTERNAL), default=PUBLIC), INTERNAL),
        (clearance(event(said(CHEF, PUBLIC), consent=INTERNAL)), PUBLIC),
        (clearance(event(said(CHEF, INTERNAL)), default=PUBLIC, use=PUBLIC), INTERNAL),
        (clearance(event(said(CHEF, PUBLIC)), use=INTERNAL), INTERNAL),
        (clearance(event(said(CHEF, PUBLIC)), use=UNKNOWN), UNKNOWN),
        (clearance(event(consent=INTERNAL), use=PUBLIC), PUBLIC),
        (clearance(event(said(CHEF, INTERNAL)), given=(item(PUBLIC),)), PUBLIC),
        (clearance(event(), default=PUBLIC, given=(item(PUBLIC), item(INTERNAL, "2"))), INTERNAL),
        (clearance(event(), default=PUBLIC, given=(item(INTERNAL), item(None, "2"))), PUBLIC),
        (clearance(event(), given=(Given(("talk", "a", "chef"), PUBLIC, "1"),)), PUBLIC),
    ],
)
def test_what_is_said_nearest_counts(by: Clearance, expected: Consent) -> None:
    assert by.of_record(record()).consent is expected


def test_a_deck_of_no_known_talk_may_be_of_one_that_is_not_public() -> None:
    loose = record(talk="", match=Match())
    assert clearance(event(consent=PUBLIC)).of_record(loose).consent is PUBLIC
    mixed = clearance(event(said(SWIFT, INTERNAL), consent=PUBLIC))
    assert mixed.of_record(loose).consent is UNKNOWN
    placed = replace(loose, match=Match(method="decision"))
    assert mixed.of_record(placed).consent is PUBLIC
    photo = replace(loose, material=replace(loose.material, kind=Kind.PHOTO))
    assert mixed.of_record(photo).consent is PUBLIC


def test_what_an_entry_said_is_not_forgotten_with_the_entry() -> None:
    gone = record().moved(State.WITHDRAWN, "2012-09-16T10:00:00Z", "run", OUT_OF_SCOPE)
    assert clearance(event(consent=PUBLIC)).of_record(gone).consent is UNKNOWN
    lost = record().moved(State.WITHDRAWN, "2012-09-16T10:00:00Z", "run", "not listed")
    assert clearance(event(consent=PUBLIC)).of_record(lost).consent is PUBLIC


def test_an_event_that_left_the_configuration_and_a_takedown_are_not_public() -> None:
    by = clearance(event(), default=PUBLIC)
    assert by.of_record(record(event="elsewhere")).consent is UNKNOWN
    assert by.of_record(record(state=State.TAKEN_DOWN)).consent is INTERNAL


def test_a_material_listed_twice_is_one() -> None:
    by = clearance(event(consent=PUBLIC), use=PUBLIC)
    one, other = record(), record(source="more", match=Match("swift", "title"))
    closed = replace(
        by, config=replace(by.config, events=(event(CHEF, said(SWIFT, INTERNAL), consent=PUBLIC),))
    )
    assert {ruling.consent for ruling in by.rulings([one, other]).values()} == {PUBLIC}
    assert by.records([one, other]).keys() == {one.key, other.key}
    assert {ruling.consent for ruling in closed.rulings([one, other]).values()} == {INTERNAL}
    assert closed.records([one, other]) == {}


def test_a_public_record_tells_nothing_of_how_the_archive_is_kept() -> None:
    known = replace(
        record(),
        material=replace(
            record().material,
            title="Chef, by jq@example.org",
            authors=("jq@example.org", "Junqiang"),
            url="https://user:secret@example.org/deck",
            extra={"header": "private"},
            revision="r7",
        ),
        problem=Problem("blocked", "log in as somebody"),
        history=(Transition("2012-09-16T10:00:00Z", State.STORED, "run", "a reason"),),
    )
    by = clearance(event(said(CHEF, INTERNAL)), given=(item(PUBLIC),))
    (shown,) = by.records([known]).values()
    assert (shown.material.title, shown.material.authors, shown.material.url) == (
        "Chef, by",
        ("Junqiang",),
        "",
    )
    assert (shown.material.extra, shown.material.revision, shown.material.talk) == ({}, "", "")
    assert (shown.match, shown.problem, shown.history[0].reason, shown.history[0].run) == (
        Match(),
        None,
        "",
        "",
    )
    assert shown.files == known.files


def test_events_are_shown_with_what_is_cleared_of_them() -> None:
    hidden = clearance(event(consent=INTERNAL))
    assert hidden.events([]) == ()
    assert hidden.events([("a", "src", "x")]) == (Event("a", "a", expect=()),)
    by = clearance(event(said(CHEF, PUBLIC), SWIFT))
    (shown,) = by.events([])
    assert (shown.title, [talk.id for talk in shown.talks]) == ("Stop A", ["chef"])
    assert clearance(event()).events([]) == ()
    assert clearance(event()).events([("gone", "src", "x")]) == (Event("gone", "gone", expect=()),)


def test_a_word_that_is_not_known_closes() -> None:
    lines = [{"type_name": "folder", "id": "x", "consent": "members", "at": "1"}]
    assert Consents.of(lines).of_item("folder", "x") is INTERNAL
