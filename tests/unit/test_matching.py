"""Which talk a material belongs to: the rules one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.ledger import Match
from archiver.matching import THRESHOLD, hold, match
from archiver.model import Event, Kind, Material, Talk
from archiver.naming import slug
from unit.matching_pairs import Pair, pairs, programme


def talk(title: str, *speakers: str, id_: str = "") -> Talk:
    return Talk(id_ or slug(title), title, speakers)


def event(id_: str, *talks: Talk, city: str = "", date: str = "", title: str = "") -> Event:
    return Event(id_, title or f"{id_.title()} Stop", date=date, city=city or id_.title(), talks=tuple(talks))


def material(title: str, *authors: str, kind: Kind = Kind.SLIDES, named: str = "") -> Material:
    return Material("m1", kind, title, authors=authors, talk=named)


BLOCK = "OpenStack block Device Storage Services"
CINDER = "OpenStack Block Device Storage Services Cinder"
PUBLIC = "Practice of OpenStack Public Cloud"

BEIJING, SHENZHEN, SHANGHAI = (programme()[name] for name in ("beijing", "shenzhen", "shanghai"))
HANGZHOU, OSAC = programme()["hangzhou"], programme()["osac"]


@pytest.mark.parametrize("kind", [Kind.SLIDES, Kind.VIDEO, Kind.OTHER])
def test_slides_videos_and_others_are_matched_by_title(kind: Kind) -> None:
    assert match(material("Deploy OpenStack with Chef", kind=kind), BEIJING).talk == "chef"


@pytest.mark.parametrize("kind", [Kind.PHOTO, Kind.REPORT])
def test_photos_and_reports_belong_to_the_event_unless_the_source_names_the_talk(kind: Kind) -> None:
    by_title = match(material("Deploy OpenStack with Chef", kind=kind), BEIJING)
    assert by_title.talk == ""
    assert "event as a whole" in by_title.why
    assert match(material("Group photo", kind=kind, named="chef"), BEIJING).talk == "chef"
    near = material("x", kind=kind, named="Deploying OpenStack with Chef")
    assert match(near, BEIJING).talk == ""


@pytest.mark.parametrize("named", ["chef", "Deploy OpenStack with Chef", "deploy openstack WITH chef "])
def test_a_named_talk_is_explicit_whatever_the_title_says(named: str) -> None:
    result = match(material("Explanation of Keystone", named=named), BEIJING)
    assert (result.talk, result.method, result.score) == ("chef", "explicit", 1.0)


def test_a_title_that_two_talks_bear_is_not_explicit() -> None:
    unclear = match(material("deck", named=PUBLIC), SHANGHAI)
    assert unclear.talk == ""
    assert "Wei Zhang" in unclear.why
    assert "Li Na" in unclear.why
    assert match(material("deck", "Li Na", named=PUBLIC), SHANGHAI).talk == "public-2"


def test_a_misspelt_name_counts_as_the_title_and_the_title_no_more() -> None:
    assert (
        match(material("Explanation of Keystone", named="Deploying OpenStack with Chef"), BEIJING).talk
        == "chef"
    )
    assert match(material("Explanation of Keystone", named="Part 3"), BEIJING).talk == ""


def test_the_speaker_raises_and_lowers_the_score() -> None:
    title = "OpenStack Block Device Storage Services at Sina"
    scores = [
        match(material(title, *authors), BEIJING).score
        for authors in [("Zhu Rongze",), (), ("Somebody Else",), ("Hui Cheng",)]
    ]
    assert scores[0] == 1.0
    assert scores[1] == 0.833
    assert scores[2] == 0.783
    assert scores[3] is None


@pytest.mark.parametrize(
    "author",
    [
        "Junqiang Chen",
        "Chen Junqiang",
        "Chen, Junqiang",
        "junqiangchen",
        "JUNQIANG CHEN (Gamewave)",
        "Jun-Qiang Chen",
    ],
)
def test_a_name_is_known_in_either_order_and_spelling(author: str) -> None:
    assert match(material("Deploy OpenStack with Chef", author), BEIJING).method == "title+speaker"


@pytest.mark.parametrize("author", ["J. Chen", "Jimmy Chen", "Chen", "COSUG", ""])
def test_a_name_that_cannot_be_compared_says_nothing(author: str) -> None:
    result = match(material("Deploy OpenStack with Chef", author), BEIJING)
    assert (result.talk, result.method, result.score) == ("chef", "title", 1.0)


def test_chinese_names_are_compared_with_each_other() -> None:
    stop = event("xian", talk("公有云实践", "张伟", id_="a"), talk("公有云实践", "李娜", id_="b"))
    assert match(material("公有云实践 李娜.pdf"), stop).talk == "b"
    assert match(material("公有云实践", "张伟"), stop).talk == "a"
    assert match(material("公有云实践", "王芳"), stop).talk == ""
    assert match(material("私有云实践", "张伟"), stop).talk == ""


def test_a_title_and_a_speaker_that_disagree_leave_it_open() -> None:
    stop = event("xian", talk(BLOCK, "Wei Zhang", id_="a"), talk(CINDER, "Rongze Zhu", id_="b"))
    result = match(material(BLOCK, "Rongze Zhu"), stop)
    assert result.talk == ""
    assert BLOCK in result.why
    assert match(material(BLOCK), stop).talk == "a"
    assert match(material(CINDER), stop).talk == "b"


PARTS = event(
    "parts",
    talk("Quantum in Depth, Part 1", id_="p1"),
    talk("Quantum in Depth, Part 2", id_="p2"),
    talk("Identity API v2", id_="v2"),
    talk("Identity API v3", id_="v3"),
    talk("对象存储（上）", id_="up"),
    talk("对象存储（下）", id_="down"),
    talk("Networking", id_="n0"),
    talk("Networking II", id_="n2"),
)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Quantum in Depth Part 1", "p1"),
        ("Quantum in depth - part two", "p2"),
        ("Quantum in Depth Part II.pdf", "p2"),
        ("Quantum in Depth pt. 2", ""),
        ("Quantum in Depth Part 3", ""),
        ("Quantum in Depth", ""),
        ("Identity API v3", "v3"),
        ("Identity API version 2", "v2"),
        ("Identity API v4", ""),
        ("Identity API", ""),
        ("Identity API 2.0", ""),
        ("对象存储(下)", "down"),
        ("对象存储 上篇", "up"),
        ("对象存储", ""),
        ("Networking", "n0"),
        ("Networking 2", "n2"),
        ("Networking v2.pdf", "n2"),
        ("Networking III", ""),
    ],
)
def test_titles_that_differ_by_number_are_never_crossed(title: str, expected: str) -> None:
    assert match(material(title), PARTS).talk == expected


def test_a_year_is_noise_only_when_it_is_the_year_of_the_event() -> None:
    stop = event("day", talk("State of OpenStack"), date="2012-12-22")
    assert match(material("State of OpenStack 2012"), stop).talk == "state-of-openstack"
    assert match(material("State of OpenStack 2013"), stop).talk == ""


def test_the_series_name_is_noise_even_when_its_words_are_in_the_talks() -> None:
    title = "Stack Days Europe Keystone for Europe"
    stop = event("one", talk("Keystone for Europe", id_="k"), talk("Stack of Days", id_="s"))
    assert match(material(title), stop).talk == ""
    assert match(material(title), stop, series="Stack Days Europe").talk == "k"


def test_reasons_name_the_candidates() -> None:
    assert match(material("Practice of OpenStack Public Cloud"), SHANGHAI).why == (
        f"several talks are equally near: “{PUBLIC}” by Wei Zhang (1.00); “{PUBLIC}” by Li Na (1.00)"
    )
    assert "nearest is “Swift Performance" in match(material("Swift performance tuning"), SHANGHAI).why
    assert match(material("x"), event("empty")).why == "the event lists no talks"
    assert match(material(" "), BEIJING).why == "it has no title"
    assert match(material("全体合影"), BEIJING).why == "no talk is near"


@given(st.text(max_size=80), st.lists(st.text(max_size=30), max_size=3))
def test_any_text_gets_an_answer(title: str, authors: list[str]) -> None:
    result = match(material(title, *authors), SHENZHEN)
    known = {expected.id for expected in SHENZHEN.talks}
    assert (result.talk in known and (result.score or 0) >= THRESHOLD) or (not result.talk and result.why)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_programme_gets_an_answer(title: str, speaker: str) -> None:
    stop = event("any", Talk("one", title, (speaker,)), Talk("two", title + " again", (speaker,)))
    assert match(material(title, speaker), stop).talk in ("", "one", "two")


@given(
    st.permutations(SHENZHEN.talks),
    st.sampled_from([each for each in pairs("tuning") if each.event is SHENZHEN]),
)
def test_the_order_of_the_talks_does_not_matter(talks: list[Talk], pair: Pair) -> None:
    shuffled = replace(SHENZHEN, talks=tuple(talks))
    assert match(pair.material, shuffled).talk == match(pair.material, SHENZHEN).talk


def test_hostile_lengths_stay_quick() -> None:
    long = event("long", *(talk("x " * 5000, "y " * 5000, id_=f"t{n}") for n in range(20)))
    assert match(material("x " * 100_000, "z " * 100_000), long).talk == ""


class TestHolding:
    """What becomes of a match when the talks change."""

    DECK = material("Deploy with Chef")
    SURE, WEAK = Match("chef", "title", 1.0), Match("chef", "title", 0.8)

    def held(self, before: Match, *talks: Talk) -> str:
        now = event("beijing", *talks)
        return hold(before, match(self.DECK, now), self.DECK, now).talk

    def test_it_holds_under_another_title(self) -> None:
        assert self.held(self.WEAK, talk("Docker in Music", id_="chef"), talk("Swift")) == "chef"

    def test_a_talk_that_is_gone_holds_nothing(self) -> None:
        assert self.held(self.SURE, talk("Swift")) == ""

    def test_another_talk_that_fits_exactly_takes_it(self) -> None:
        talks = talk("Docker in Music", id_="chef"), talk("Deploy with Chef", id_="new")
        assert self.held(self.SURE, *talks) == self.held(self.WEAK, *talks) == "new"

    def test_a_talk_that_fits_less_does_not(self) -> None:
        talks = talk("Docker in Music", id_="chef"), talk("Deploy Clouds Quickly Using", id_="new")
        deck, now = material("Deploy Clouds Quickly Using Chef"), event("beijing", *talks)
        found = match(deck, now)
        assert (found.talk, found.score) == ("new", 0.8)
        assert hold(self.SURE, found, deck, now) == self.SURE
        assert hold(self.WEAK, found, deck, now) == found

    def test_talks_that_fit_as_well_leave_it_to_a_person(self) -> None:
        twins = talk("Deploy with Chef", id_="chef"), talk("Deploy with Chef", id_="twin")
        assert self.held(self.SURE, *twins) == ""

    def test_photos_of_a_talk_stay_with_it(self) -> None:
        photo, now = material("Chef", kind=Kind.PHOTO), event("beijing", talk("Docker in Music", id_="chef"))
        assert hold(self.SURE, match(photo, now), photo, now) == self.SURE
