"""What is there and what is missing, cell by cell."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.coverage import Cell, Coverage, Standing, coverage
from archiver.ledger import Match, Problem, Record, State, StoredFile
from archiver.model import Event, Grade, Kind, Material, Role, Talk
from archiver.waivers import Waiver

TALKS = (Talk("a", "Deploy OpenStack with Chef"), Talk("b", "Keystone"), Talk("c", "Quantum"))
EVENT = Event("beijing", "Beijing Stop", talks=TALKS)


def record(
    kind: Kind = Kind.SLIDES,
    talk: str = "",
    state: State = State.STORED,
    *,
    id_: str = "",
    event: str = "beijing",
    grades: tuple[Grade, ...] = (Grade.ORIGINAL,),
    role: Role = Role.ORIGINAL,
    reason: str = "",
    url: str = "",
) -> Record:
    files = tuple(StoredFile(f"slides/{n}", 1, "0" * 64, role, grade) for n, grade in enumerate(grades))
    return Record(
        "source",
        "folder",
        Material(id_ or f"{kind}-{talk}", kind, event=event, url=url),
        state,
        Match(talk, "title" if talk else "none"),
        () if state is State.PENDING else files,
        Problem(reason) if reason else None,
    )


def pending(reason: str, talk: str = "a", url: str = "https://example.org/deck") -> Record:
    return record(talk=talk, state=State.PENDING, reason=reason, url=url)


def slides_of(talk: str, *records: Record, waivers: tuple[Waiver, ...] = ()) -> Cell:
    result = coverage([EVENT], records, waivers)
    return next(item.kinds[Kind.SLIDES] for item in result.events[0].talks if item.talk.id == talk)


def of_event(kind: Kind, *records: Record, event: Event = EVENT, waivers: tuple[Waiver, ...] = ()) -> Cell:
    return coverage([event], records, waivers).events[0].kinds[kind]


def test_before_the_first_run_everything_is_missing() -> None:
    result = coverage([EVENT], [])
    assert result.to_json() == {
        "events": [
            {
                "id": "beijing",
                "title": "Beijing Stop",
                "kinds": {
                    "slides": {"state": "missing", "have": 0, "expected": 3, "withdrawn": 0},
                    "video": {"state": "missing", "have": 0, "expected": 1, "withdrawn": 0},
                    "photo": {"state": "missing", "have": 0, "expected": 1, "withdrawn": 0},
                    "report": {"state": "missing", "have": 0, "expected": 1, "withdrawn": 0},
                },
                "talks": [
                    {
                        "id": talk.id,
                        "title": talk.title,
                        "kinds": {
                            "slides": {
                                "state": "missing",
                                "have": 0,
                                "expected": 1,
                                "withdrawn": 0,
                                "grade": None,
                            }
                        },
                    }
                    for talk in TALKS
                ],
            }
        ],
        "coverage": 0.0,
    }


def test_the_json_of_a_full_archive_is_plain_data() -> None:
    records = [record(talk=talk.id) for talk in TALKS]
    records += [record(kind) for kind in (Kind.VIDEO, Kind.PHOTO, Kind.REPORT)]
    result = coverage([EVENT], records)
    assert result.share == 1.0
    assert json.loads(json.dumps(result.to_json())) == result.to_json()


def test_some_talks_make_the_event_partial_and_all_make_it_whole() -> None:
    some = of_event(Kind.SLIDES, record(talk="a"), record(talk="b"))
    assert (some.state, some.have, some.expected) == (Standing.PARTIAL, 2, 3)
    every = of_event(Kind.SLIDES, *(record(talk=talk.id) for talk in TALKS))
    assert (every.state, every.have, every.expected) == (Standing.HAVE, 3, 3)


def test_two_decks_of_one_talk_cover_one_talk() -> None:
    cell = of_event(Kind.SLIDES, record(talk="a", id_="1"), record(talk="a", id_="2"))
    assert (cell.state, cell.have) == (Standing.PARTIAL, 1)
    assert slides_of("a", record(talk="a", id_="1"), record(talk="a", id_="2")).have == 2


def test_slides_of_no_talk_are_counted_beside_and_give_no_talk_its_slides() -> None:
    loose = [record(id_="x"), record(talk="not-in-the-programme", id_="y")]
    cell = of_event(Kind.SLIDES, *loose)
    assert (cell.state, cell.have, cell.unmatched) == (Standing.MISSING, 0, 2)
    assert cell.to_json()["unmatched"] == 2
    result = coverage([EVENT], loose)
    assert {item.kinds[Kind.SLIDES].state for item in result.events[0].talks} == {Standing.MISSING}
    assert len(result.events[0].unmatched) == 2
    assert result.share == 0.0


def test_one_loose_deck_fills_nothing_though_it_has_an_address() -> None:
    single = Event("beijing", "Beijing", talks=(Talk("a", "A"),))
    loose = record(id_="x")
    found = replace(loose, material=replace(loose.material, url="https://decks.example/x"))
    cell = of_event(Kind.SLIDES, found, event=single)
    assert (cell.state, cell.have, cell.expected, cell.unmatched) == (Standing.MISSING, 0, 1, 1)
    assert of_event(Kind.SLIDES, found, pending("blocked"), event=single).state is Standing.BLOCKED


def test_an_event_without_talks_counts_its_slides_as_a_whole() -> None:
    meetup = Event("m", "Meetup", expect=(Kind.SLIDES,))
    assert of_event(Kind.SLIDES, event=meetup).state is Standing.MISSING
    cell = of_event(Kind.SLIDES, record(event="m"), event=meetup)
    assert (cell.state, cell.have, cell.expected, cell.unmatched) == (Standing.HAVE, 1, 1, 0)


def test_many_photos_fulfil_the_one_that_is_expected() -> None:
    cell = of_event(Kind.PHOTO, *(record(Kind.PHOTO, id_=str(n)) for n in range(40)))
    assert (cell.state, cell.have, cell.expected) == (Standing.HAVE, 40, 1)


def test_what_nobody_expects_is_shown_when_it_is_there_and_never_counted() -> None:
    quiet = Event("beijing", "Beijing", expect=())
    result = coverage([quiet], [record(Kind.OTHER)])
    cell = result.events[0].kinds[Kind.OTHER]
    assert (cell.state, cell.have, cell.expected) == (Standing.HAVE, 1, 0)
    assert set(result.events[0].kinds) == {Kind.OTHER}
    assert result.events[0].counted() == []
    assert result.share == 1.0


def test_withdrawn_is_had_and_counted_beside() -> None:
    gone = record(talk="a", state=State.WITHDRAWN)
    assert slides_of("a", gone).to_json() == {
        "state": "have",
        "have": 1,
        "expected": 1,
        "withdrawn": 1,
    }
    assert of_event(Kind.SLIDES, gone, record(talk="b")).withdrawn == 1


def test_a_takedown_counts_for_nothing() -> None:
    assert slides_of("a", record(talk="a", state=State.TAKEN_DOWN)).state is Standing.MISSING
    assert of_event(Kind.PHOTO, record(Kind.PHOTO, state=State.TAKEN_DOWN)).have == 0


@pytest.mark.parametrize(
    ("reason", "url", "state"),
    [
        ("blocked", "https://example.org/deck", Standing.BLOCKED),
        ("blocked", "", Standing.BLOCKED),
        ("failed", "https://example.org/deck", Standing.LINK),
        ("invalid", "https://example.org/deck", Standing.LINK),
        ("unrouted", "https://example.org/deck", Standing.LINK),
        ("gone", "https://example.org/deck", Standing.MISSING),
        ("invalid", "", Standing.MISSING),
        ("failed", "file:///mnt/stick/deck.pdf", Standing.MISSING),
    ],
)
def test_what_is_known_and_not_held_says_what_to_do(reason: str, url: str, state: Standing) -> None:
    one = pending(reason, url=url)
    assert slides_of("a", one).state is state
    assert of_event(Kind.SLIDES, one).state is state
    assert coverage([EVENT], [one]).events[0].pending == (one,)


def test_blocked_wins_over_a_link_and_what_is_held_over_both() -> None:
    blocked, link = pending("blocked"), replace(pending("failed"), source="other")
    assert slides_of("a", blocked, link).state is Standing.BLOCKED
    assert slides_of("a", blocked, link, record(talk="a", id_="have")).state is Standing.HAVE


def test_a_held_deck_whose_new_edition_fails_is_still_had() -> None:
    assert slides_of("a", replace(record(talk="a"), problem=Problem("failed"))).state is Standing.HAVE


def test_a_waived_cell_leaves_the_sum() -> None:
    waivers = (Waiver("beijing", Kind.SLIDES, "a"), Waiver("beijing", Kind.VIDEO))
    assert slides_of("a", waivers=waivers).state is Standing.WAIVED
    assert of_event(Kind.VIDEO, waivers=waivers).state is Standing.WAIVED
    records = [record(talk="b"), record(talk="c"), record(Kind.PHOTO)]
    slides = of_event(Kind.SLIDES, *records, waivers=waivers)
    assert (slides.state, slides.have, slides.expected, slides.waived) == (Standing.HAVE, 2, 3, 1)
    assert coverage([EVENT], records, waivers).share == 3 / 4  # the report is missing


def test_waiving_the_slides_of_an_event_waives_them_for_each_talk() -> None:
    waivers = (Waiver("beijing", Kind.SLIDES),)
    assert slides_of("b", waivers=waivers).state is Standing.WAIVED
    assert of_event(Kind.SLIDES, waivers=waivers).state is Standing.WAIVED


def test_what_came_in_spite_of_a_waiver_counts() -> None:
    assert (
        slides_of("a", record(talk="a"), waivers=(Waiver("beijing", Kind.SLIDES, "a"),)).state
        is Standing.HAVE
    )


@pytest.mark.parametrize(
    ("grades", "role", "best", "state"),
    [
        ((Grade.PAGES, Grade.PDF), Role.ORIGINAL, Grade.PDF, Standing.HAVE),
        ((Grade.PAGES, Grade.PAGES), Role.RENDITION, Grade.PAGES, Standing.HAVE),
        ((Grade.THUMBNAIL,), Role.RENDITION, Grade.THUMBNAIL, Standing.PARTIAL),
        ((Grade.PDF,), Role.DERIVATIVE, Grade.PDF, Standing.HAVE),
        ((Grade.ORIGINAL,), Role.SIDECAR, None, Standing.MISSING),
    ],
)
def test_the_grade_is_that_of_the_best_file(
    grades: tuple[Grade, ...], role: Role, best: Grade | None, state: Standing
) -> None:
    cell = slides_of("a", record(talk="a", grades=grades, role=role))
    assert (cell.grade, cell.state) == (best, state)


def test_a_pdf_made_from_page_images_is_no_better_than_they_are() -> None:
    deck = record(talk="a", grades=(Grade.PAGES,), role=Role.RENDITION)
    made = StoredFile("slides/made.pdf", 1, "1" * 64, Role.DERIVATIVE, Grade.PDF)
    assert slides_of("a", replace(deck, files=(*deck.files, made))).grade is Grade.PAGES


def test_other_events_and_unrouted_records_change_no_cell() -> None:
    lost = replace(pending("unrouted"), material=Material("m", Kind.SLIDES, event=""))
    result = coverage([EVENT], [record(event="elsewhere", talk="a"), lost])
    assert result.share == 0.0
    assert result.unrouted == (lost,)
    assert result.events == coverage([EVENT], []).events


def test_talks_decide_about_a_kind_that_they_expect() -> None:
    filmed = Event("beijing", "Beijing", talks=(Talk("a", "A", expect=(Kind.SLIDES, Kind.VIDEO)),))
    whole = of_event(Kind.VIDEO, record(Kind.VIDEO), event=filmed)
    assert (whole.state, whole.have, whole.expected, whole.unmatched) == (Standing.MISSING, 0, 1, 1)
    assert of_event(Kind.VIDEO, record(Kind.VIDEO, "a"), event=filmed).state is Standing.HAVE


_KINDS = st.sampled_from([Kind.SLIDES, Kind.VIDEO, Kind.PHOTO, Kind.REPORT])
_RECORDS = st.lists(
    st.builds(
        record,
        _KINDS,
        st.sampled_from(["", "a", "b", "c"]),
        st.sampled_from(list(State)),
        id_=st.uuids().map(str),
        url=st.sampled_from(["", "https://example.org/"]),
        reason=st.sampled_from(["", "blocked", "gone", "failed"]),
    ),
    max_size=12,
)


def _cells(result: Coverage) -> dict[tuple[str, Kind], Cell]:
    talks = {
        (talk.talk.id, kind): cell for talk in result.events[0].talks for kind, cell in talk.kinds.items()
    }
    return talks | {("", kind): cell for kind, cell in result.events[0].kinds.items()}


@given(_RECORDS)
def test_the_order_of_records_does_not_matter_and_the_share_is_a_share(
    records: list[Record],
) -> None:
    result = coverage([EVENT], records)
    assert result == coverage([EVENT], list(reversed(records)))
    assert 0.0 <= result.share <= 1.0


@given(_RECORDS, st.integers(0, 100))
def test_losing_one_record_changes_its_own_cells_alone(records: list[Record], at: int) -> None:
    if not records:
        return
    lost = records[at % len(records)]
    before = _cells(coverage([EVENT], records))
    after = _cells(coverage([EVENT], [item for item in records if item is not lost]))
    changed = {key for key in before | after if before.get(key) != after.get(key)}
    assert changed <= {("", lost.material.kind), (lost.match.talk, lost.material.kind)}


def test_what_is_held_while_upstream_has_something_newer_is_named() -> None:
    held = record(Kind.PHOTO, reason="invalid")
    (event,) = coverage([EVENT], [held, record(Kind.REPORT)]).events
    assert event.outdated == (held,)
    assert event.kinds[Kind.PHOTO].state is Standing.HAVE


def test_what_belongs_to_an_event_outside_the_programme_is_named() -> None:
    held = record(Kind.PHOTO)
    assert coverage([Event("other", "Other")], [held, pending("failed")]).outside == (held,)
    assert coverage([EVENT], [held]).outside == ()


def test_what_a_person_rejected_counts_for_nothing() -> None:
    loose = record(id_="odd")
    for why in ("rejected", "rejected: an invoice"):
        rejected = replace(loose, match=Match(method="decision", why=why))
        result = coverage(
            [EVENT], [rejected, replace(rejected, material=Material("far", Kind.SLIDES, event="gone"))]
        )
        assert result == coverage([EVENT], [])
    accepted = replace(loose, match=Match(method="decision", why="accepted for the event as a whole"))
    assert coverage([EVENT], [accepted]).events[0].kinds[Kind.SLIDES].state is Standing.PARTIAL
