"""What decides beside titles and names: codes and addresses of talks, days and times, links."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from archiver.documents import talks_document
from archiver.matching import match, rank
from archiver.matching.programme import prepare
from archiver.matching.titles import dates
from archiver.model import Event, Kind, Material, Talk
from archiver.talks.merging import merge
from archiver.talks.programme import _kept_talk
from archiver.talks.reading import ListedTalk
from unit.matching_pairs import programme

OSAC = programme()["osac"]
BEIJING = programme()["beijing"]


def video(title: str, **known: str) -> Material:
    return Material("m", Kind.VIDEO, title, **known)  # type: ignore[arg-type]


def test_the_code_that_a_source_gives_tells_talks_of_one_title_apart() -> None:
    coded = replace(video("slides.pdf", talk="Ceph and OpenStack"), extra={"talk": "CEPHPM"})
    found = match(coded, OSAC)
    assert (found.talk, found.method, found.score) == ("ceph-pm", "id", 1.0)
    assert match(replace(coded, extra={"talk": "OTHER"}), OSAC).talk == ""


@pytest.mark.parametrize(
    ("url", "talk"),
    [
        ("https://pretalx.com/osac/talk/DASHB7/", "dash"),
        ("https://pretalx.com/osac/talk/dashb7", "dash"),
        ("https://example.org/watch/DASHB7", ""),
        ("https://pretalx.com/osac/talk/NOBODY/", ""),
        ("https://[broken/talk/DASHB7", ""),
    ],
)
def test_the_address_of_a_talk_is_known_by_its_code(url: str, talk: str) -> None:
    assert match(video("recording", url=url), OSAC).talk == talk


def test_a_description_that_links_to_one_talk_decides_where_the_title_does_not() -> None:
    link = "Recorded at OSAC: https://pretalx.com/osac/talk/LIVE99/."
    assert match(video("DSC_0033.mp4", description=link), OSAC).talk == "live"
    assert match(video("Extending the Dashboard", description=link), OSAC).talk == "dash"
    two = f"{link} See also https://pretalx.com/osac/talk/DASHB7/"
    assert match(video("DSC_0033.mp4", description=two), OSAC).talk == ""


@pytest.mark.parametrize(
    ("date", "talk"),
    [
        ("2012-08-10T10:55:00+08:00", "ceph-am"),
        ("2012-08-10T02:55:00Z", "ceph-am"),
        ("2012-08-10T16:30:00+08:00", "ceph-pm"),
        ("2012-08-10T13:30:00+08:00", ""),  # in neither
        ("2012-08-10T16:30:00", ""),  # in no known time zone
        ("2012-08-10", ""),
        ("yesterday", ""),
        ("0001-01-01T00:00:00+14:00", ""),
        ("9999-12-31T23:59:59-14:00", ""),
    ],
)
def test_the_time_of_a_recording_chooses_between_equals(date: str, talk: str) -> None:
    found = match(video("Ceph and OpenStack", date=date), OSAC)
    assert found.talk == talk
    assert found.method == ("title+time" if talk else "none")


def test_the_time_alone_chooses_nothing_and_outvotes_no_title() -> None:
    assert match(video("MOV_0012", date="2012-08-11T13:35:00+08:00"), OSAC).talk == ""
    assert match(video("Extending the Dashboard", date="2012-08-11T13:35:00+08:00"), OSAC).talk == "dash"


def test_the_time_does_not_choose_against_the_speaker() -> None:
    same = video("Opening Keynote 2012-08-11", authors=("Hui Cheng",))  # type: ignore[arg-type]
    assert match(replace(same, authors=("Hui Cheng",)), OSAC).talk == "keynote-1"


def test_talks_without_times_are_not_told_apart_by_them() -> None:
    untimed = replace(OSAC, talks=tuple(replace(talk, start="") for talk in OSAC.talks))
    assert match(video("Opening Keynote 2012-08-11"), untimed).talk == ""


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("20120811 keynote", {"2012-08-11"}),
        ("keynote 2012-8-11.mp4", {"2012-08-11"}),
        ("2012年8月11日", {"2012-08-11"}),
        ("2012-08", set()),
        ("keynote 2012", set()),
    ],
)
def test_days_are_read_in_titles(title: str, found: set[str]) -> None:
    assert dates(title) == found


def test_a_speaker_in_the_title_decides_when_it_says_nothing_else() -> None:
    found = match(
        video("2012 OpenStack China Tour Beijing - Junqiang Chen.mp4"),
        BEIJING,
        series="2012 OpenStack China Tour",
    )
    assert (found.talk, found.method) == ("chef", "speaker")
    assert match(video("Junqiang Chen in the kitchen.mp4"), BEIJING).talk == ""
    assert match(replace(video("recording.mp4"), authors=("Junqiang Chen",)), BEIJING).talk == ""
    assert match(replace(video("Junqiang Chen.zip"), kind=Kind.OTHER), BEIJING).talk == ""
    assert match(video("Chen Fang.mp4"), OSAC).talk == ""  # gives two talks


def test_the_time_of_a_talk_that_was_read_is_kept() -> None:
    listed = ListedTalk("A", "Ceph and OpenStack", date="2012-08-10T16:00:00+08:00")
    (read,) = merge((), (), [(listed, (Kind.SLIDES,))])
    (kept,) = kept_of(talks_document([Event("osac", "OSAC", talks=(read,))]))
    assert (read.start, kept) == (listed.date, read)


def kept_of(document: bytes) -> list[Talk]:
    return [talk for row in json.loads(document)["osac"] if (talk := _kept_talk(row)) is not None]


def test_ranks_hold_all_talks_with_a_word_in_common() -> None:
    found = {each.talk.id for each in rank(video("OpenStack"), BEIJING)}
    assert {"foundation", "virt", "block", "chef"} <= found


def test_an_event_is_made_ready_once() -> None:
    assert prepare(BEIJING) is prepare(BEIJING)
    assert prepare(replace(BEIJING)) is not prepare(BEIJING)


def large(talks: int) -> Event:
    words = [
        f"{first}{second}" for first in "bdfgklmnprst" for second in ("aluno", "erixo", "imare", "osten")
    ]
    pairs = [(one, other) for one in words for other in words if one < other]
    return Event(
        "large",
        "Large",
        talks=tuple(
            Talk(f"t{n}", f"OpenStack {one} {other} in practice", (f"{one} {other}",))
            for n, (one, other) in enumerate(pairs[:talks])
        ),
    )


LARGE = large(120)


def test_a_large_programme_is_searched_by_words_and_not_from_end_to_end() -> None:
    event = large(300)
    titles = [talk.title for talk in event.talks[::30]]
    began = time.process_time()
    assert [match(video(title), event).talk for title in titles] == [talk.id for talk in event.talks[::30]]
    assert time.process_time() - began < 10  # comparing with every talk takes minutes


@pytest.mark.parametrize("at", range(0, 120, 17))
def test_looking_at_likely_talks_alone_finds_what_looking_at_all_does(at: int) -> None:
    event = LARGE
    title = event.talks[at].title.replace(" in", " - in")
    found = match(video(title), event)
    nearest = max(rank(video(title), event), key=lambda each: each.score)
    assert (found.talk, found.score) == (nearest.talk.id, nearest.score)
