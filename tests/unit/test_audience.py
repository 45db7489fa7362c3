"""Who may see what: by what is said of the archive, an event, a talk, a use, and by decisions."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.audience import Clearance
from archiver.config import ArchiveSettings, Config, SourceSpec
from archiver.consents import Consents, Given
from archiver.contracts import Options, ScopeEntry
from archiver.decisions import Decision, Decisions, Verdict, settle
from archiver.ledger import Edition, Match, Problem, Record, State, StoredFile, Transition, dump
from archiver.model import Consent, Event, Kind, Material, Role, Talk
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


# What holds between records


OTHER = StoredFile("report/b-0123456789ab.pdf", 1, "1" * 64)


def rejected(name: str = "x", at: str = "1") -> Decision:
    return Decision("folder", name, Verdict.REJECT, at)


def deciding(by: Clearance, *made: Decision) -> Clearance:
    return replace(by, decisions=Decisions.of((each.to_json() for each in made), by.config.events))


@pytest.mark.parametrize("followed", [False, True], ids=["before a run", "after a run"])
def test_a_rejection_opens_nothing(*, followed: bool) -> None:
    mixed = clearance(event(said(SWIFT, INTERNAL), consent=PUBLIC))
    loose = record(talk="", match=Match())
    by = deciding(mixed, rejected())
    if followed:
        found = settle({loose.key: loose}, by.decisions, "2")
        (loose,) = found.entered
    assert by.of_record(loose).consent is INTERNAL
    assert mixed.of_record(loose).consent is (INTERNAL if followed else UNKNOWN)
    everywhere = deciding(clearance(event(consent=PUBLIC)), rejected())
    assert everywhere.of_record(loose).consent is UNKNOWN
    assert deciding(clearance(event(), given=(item(PUBLIC),)), rejected()).of_record(loose).public


def test_a_rejected_duplicate_does_not_hide_what_is_public() -> None:
    by = deciding(clearance(event(consent=PUBLIC)), rejected("copy"))
    deck, copy = record(), record("copy", talk="", match=Match())
    assert by.records([deck, copy]).keys() == {deck.key}


def test_what_belongs_elsewhere_is_as_closed_as_that_place() -> None:
    there = Event("b", "Stop B", talks=(Talk("secret", "Secret", consent=INTERNAL),), consent=PUBLIC)
    by = clearance(event(consent=PUBLIC), there)
    moved = Decision("folder", "x", Verdict.ACCEPT, "1", "b", "secret")
    assert by.of_record(record()).public
    assert deciding(by, moved).of_record(record()).consent is INTERNAL
    assert deciding(by, replace(moved, talk="")).of_record(record()).public


def test_an_accepted_talk_counts_before_the_next_run() -> None:
    by = clearance(event(said(CHEF, INTERNAL), SWIFT, consent=PUBLIC))
    here = Decision("folder", "x", Verdict.ACCEPT, "1", "a", "chef")
    swift = record(talk="swift")
    assert by.of_record(swift).public
    assert deciding(by, here).of_record(swift).consent is INTERNAL


@pytest.mark.parametrize("earlier", [False, True], ids=["now", "in an earlier edition"])
def test_bytes_that_are_internal_anywhere_are_public_nowhere(*, earlier: bool) -> None:
    by = clearance(event(said(CHEF, INTERNAL), SWIFT, consent=PUBLIC))
    closed = record()
    if earlier:
        closed = replace(closed, files=(OTHER,), earlier=(Edition("2012", "1", (FILE,)),))
    copy = record("copy", talk="swift", files=(replace(FILE, path="slides/b-0123456789ab.pdf"),))
    other = record("other", talk="swift", files=(replace(OTHER, sha256="2" * 64),))
    found = by.rulings([copy, closed, other])
    assert (found[copy.key].consent, found[other.key].consent) == (INTERNAL, PUBLIC)
    assert "the same bytes are in “A deck”" in found[copy.key].why
    assert by.records([copy, closed, other]).keys() == {other.key}
    assert by.records([copy]).keys() == {copy.key}


def test_who_decides_for_a_copy_decides_about_its_bytes_and_internal_counts_more() -> None:
    closing = event(said(CHEF, INTERNAL), SWIFT, consent=PUBLIC)
    closed, copy = record(), record("copy", talk="swift")
    opened = clearance(closing, given=(item(PUBLIC, name="copy"),))
    assert opened.records([closed, copy]).keys() == {copy.key}
    both = clearance(closing, given=(item(PUBLIC, name="copy"), item(INTERNAL)))
    assert both.records([closed, copy]) == {}
    down = replace(closed, state=State.TAKEN_DOWN)
    assert opened.records([down, copy]) == {}


def test_empty_files_and_the_text_of_one_mail_say_nothing() -> None:
    by = clearance(event(said(CHEF, INTERNAL), SWIFT, consent=PUBLIC))
    empty = replace(FILE, sha256=hashlib.sha256(b"").hexdigest())
    one, other = record("one", files=(empty,)), record("other", talk="swift", files=(empty,))
    assert by.records([one, other]).keys() == {other.key}
    letter = replace(FILE, path="slides/letter.txt", role=Role.SIDECAR)
    mails = [
        record("m@x/2", type_name="email", files=(replace(FILE, sha256="3" * 64), letter)),
        record("m@x/3", talk="swift", type_name="email", files=(replace(FILE, sha256="4" * 64), letter)),
    ]
    (shown,) = by.records(mails).values()
    assert [file.sha256 for file in shown.files] == ["4" * 64]


def found_in(report: Record, name: str = "x", talk: str = "swift") -> Record:
    deck = record(name, talk=talk, source="decks")
    marks = {"found_as": "https://decks.example/1", "found_at": report.material.url, "found_in": "A report"}
    return replace(deck, material=replace(deck.material, extra={k: v for k, v in marks.items() if v}))


def report_of(talk: str = "", url: str = "https://blog.example/a") -> Record:
    made = record("report", talk=talk, match=Match(talk, "title"), files=(OTHER,))
    return replace(made, material=replace(made.material, kind=Kind.REPORT, title="A report", url=url))


@pytest.mark.parametrize("url", ["https://blog.example/a", ""])
def test_what_a_report_led_to_is_no_more_public_than_the_report(url: str) -> None:
    plain, report = clearance(event(consent=PUBLIC)), report_of(url=url)
    closed = clearance(event(consent=PUBLIC), use=INTERNAL)
    deck = found_in(report)
    assert plain.records([report, deck]).keys() == {report.key, deck.key}
    found = closed.rulings([deck, report])
    assert found[deck.key].consent is INTERNAL
    assert "the report that it was found in" in found[deck.key].why
    gone = plain.rulings([deck])
    assert gone[deck.key].consent is UNKNOWN
    decided = clearance(event(consent=PUBLIC), use=INTERNAL, given=(item(PUBLIC),))
    assert decided.records([deck, report]).keys() == {deck.key}


def test_a_chain_is_followed_to_its_end() -> None:
    """Bytes that are internal close a report, the report its deck, the deck's bytes a copy of it."""
    by = clearance(event(said(CHEF, INTERNAL), SWIFT, consent=PUBLIC))
    source = record("source", files=(replace(OTHER, path="report/c-0123456789ab.pdf"),))
    report = report_of()
    deck, copy = found_in(report), record("copy", talk="swift", source="other")
    assert by.records([copy, deck, report]).keys() == {copy.key, deck.key, report.key}
    assert by.records([copy, deck, report, source]) == {}


def test_a_public_ledger_has_no_letter_no_message_id_and_no_code() -> None:
    material = replace(
        record().material,
        id="o3@mail.example/2",
        title="Chef [beijing/chef#k3f9a2xz]",
        description="Re: [Beijing/chef# K3F9A2XZ] the slides",
    )
    letter = StoredFile("slides/message.txt", 1, "1" * 64, Role.SIDECAR)
    known = replace(
        record(), type_name="email", material=material, files=(FILE, letter),
        earlier=(Edition("2012", "1", (letter,)), Edition("2013", "2", (OTHER, letter))),
    )  # fmt: skip
    by = clearance(event(consent=PUBLIC))
    ((key, shown),) = by.records([known]).items()
    assert key == shown.key
    assert re.fullmatch("[0-9a-f]{24}", shown.material.id)
    assert (shown.material.title, shown.material.description) == ("Chef", "Re: the slides")
    assert (shown.files, [each.files for each in shown.earlier]) == ((FILE,), [(OTHER,)])
    text = dump([shown]).decode()
    assert "mail.example" not in text
    assert "k3f9a2xz" not in text.casefold()
    alone = replace(known, files=(letter,), earlier=())
    assert by.records([alone]) == {}


def test_an_id_with_an_address_is_a_digest_and_every_other_id_itself() -> None:
    by = clearance(event(consent=PUBLIC))
    (one,), (other,) = (by.records([record(name)]).values() for name in ("by jq@example.org.pdf", "b/1.pdf"))
    assert "@" not in one.material.id
    assert other.material.id == "b/1.pdf"
    subtitles = replace(FILE, role=Role.SIDECAR)
    (video,) = by.records([record(files=(FILE, subtitles))]).values()
    assert video.files == (FILE, subtitles)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), st.permutations(range(3)))
def test_the_order_of_records_decides_nothing(letters: list[str], order: list[int]) -> None:
    by = clearance(event(said(CHEF, INTERNAL), SWIFT, consent=PUBLIC))
    files = [
        tuple(replace(FILE, path=f"slides/{n}{each}.pdf", sha256=each * 64) for each in letters[n:])
        for n in range(3)
    ]
    known = [record(f"m{n}", talk="chef" if n == 0 else "swift", files=files[n]) for n in range(3)]
    found = by.rulings([known[n] for n in order])
    assert found == by.rulings(known)
    for one in known:
        shared = {file.sha256 for file in one.files} & {file.sha256 for file in known[0].files}
        assert not (shared and found[one.key].public)
