"""Expected talks from elsewhere: read, kept, and the same after every change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import media_samples
from archiver import config, schedule
from archiver.config import Config, ConfigProblems
from archiver.documents import event_document, talks_document
from archiver.errors import InvalidError
from archiver.model import Event, Kind, Talk
from archiver.registry import load_plugins
from archiver.report import Report
from archiver.run import Run, RunOptions
from archiver.talks import ListedTalk, merge, read_calendar, read_table, with_kept
from archiver.talks.programme import _kept_talk
from archiver.talks.reading import read_schedule_talks
from archiver.testing.pretalx import PUBLIC, PretalxDouble
from archiver.testing.pretalx import Talk as Planned

SLIDES = (Kind.SLIDES,)
CHEF = ListedTalk("A", "Deploy OpenStack with Chef", ("Junqiang Chen",))
SWIFT = ListedTalk("B", "Swift 架构")


def merged(
    kept: tuple[Talk, ...] = (), *listed: ListedTalk, typed: tuple[Talk, ...] = ()
) -> tuple[Talk, ...]:
    return merge(typed, kept, [(each, SLIDES) for each in listed])


class TestMerging:
    def test_a_new_talk_gets_an_id_of_its_title(self) -> None:
        (chef, swift) = merged((), CHEF, SWIFT)
        assert (chef.id, chef.uid, chef.speakers, chef.expect) == (
            "deploy-openstack-with-chef", "A", ("Junqiang Chen",), SLIDES,
        )  # fmt: skip
        assert swift.id == "swift-架构"

    def test_a_renamed_talk_keeps_its_id(self) -> None:
        before = merged((), CHEF)
        (after,) = merged(before, replace(CHEF, title="Chef in production"))
        assert (after.id, after.title) == (before[0].id, "Chef in production")

    def test_a_new_uid_under_the_same_title_keeps_the_id(self) -> None:
        before = merged((), CHEF)
        (after,) = merged(before, replace(CHEF, uid="other"))
        assert (after.id, after.uid) == (before[0].id, "other")

    def test_equal_titles_are_told_apart_for_good(self) -> None:
        twin = replace(CHEF, uid="C7")
        first = merged((), CHEF, twin)
        assert [talk.id for talk in first] == ["deploy-openstack-with-chef", "deploy-openstack-with-chef-c7"]
        assert {talk.uid: talk.id for talk in merged(first, twin, CHEF)} == {
            talk.uid: talk.id for talk in first
        }

    def test_what_vanishes_stays_as_cancelled_and_may_come_back(self) -> None:
        before = merged((), CHEF, SWIFT)
        gone = merged(before, CHEF)[1]
        assert (gone.id, gone.cancelled, gone.expect) == ("swift-架构", True, ())
        back = merged(merged(before, CHEF), CHEF, SWIFT)[1]
        assert (back.id, back.cancelled, back.expect) == ("swift-架构", False, SLIDES)

    def test_what_is_listed_as_cancelled_is_expected_no_more(self) -> None:
        off = replace(CHEF, cancelled=True)
        assert merged((), off) == ()
        assert merged(merged((), CHEF), off)[0].expect == ()

    def test_a_typed_talk_stands_for_a_listed_one(self) -> None:
        typed = (Talk("chef", "Deploy  OpenStack with chef", email="jq@example.org"),)
        assert merged((), CHEF, SWIFT, typed=typed)[0] == typed[0]
        assert len(merged(merged((), CHEF), CHEF, typed=typed)) == 1

    @given(st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8))))
    def test_ids_are_distinct_and_stay(self, rows: list[tuple[str, str]]) -> None:
        listed = [ListedTalk(uid, title) for uid, title in dict(rows).items()]
        first = merged((), *listed)
        assert len({talk.id for talk in first}) == len(listed) == len({talk.uid for talk in first})
        again = merged(first, *reversed(listed))
        assert {talk.uid: talk.id for talk in again} == {talk.uid: talk.id for talk in first}


ICS = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1@x
DTSTART;TZID=Asia/Shanghai:20120916T100000
SUMMARY:Deploy OpenStack\\, with
  Chef
ATTENDEE;CN="Chen, Junqiang":mailto:jq@example.org
END:VEVENT
BEGIN:VEVENT
UID:2@x
DTSTART;VALUE=DATE:20120917
SUMMARY:架构
STATUS:CANCELLED
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


class TestCalendars:
    def test_events_are_talks(self) -> None:
        chef, swift = read_calendar(ICS.encode(), "x.ics")
        assert (chef.uid, chef.title, chef.speakers) == (
            "1@x",
            "Deploy OpenStack, with Chef",
            ("Chen, Junqiang",),
        )
        assert chef.date.startswith("2012-09-16T10:00:00")
        assert (chef.email, swift.email) == ("jq@example.org", "")
        assert (swift.title, swift.date, swift.cancelled) == ("架构", "2012-09-17", True)

    def test_a_room_is_no_speaker(self) -> None:
        room = 'ATTENDEE;CUTYPE=RESOURCE;CN="Room 3":mailto:c_18@rooms.example.org\r\nATTENDEE'
        (chef, _) = read_calendar(ICS.replace("ATTENDEE", room).encode(), "x.ics")
        assert (chef.speakers, chef.email) == (("Chen, Junqiang",), "jq@example.org")

    @pytest.mark.parametrize(
        ("line", "said"), [("UID:2@x\r\n", "no UID"), ("SUMMARY:架构\r\n", "no SUMMARY")]
    )
    def test_what_lacks_a_name_is_told_with_its_line(self, line: str, said: str) -> None:
        with pytest.raises(InvalidError, match=rf"x\.ics, line 10: .*{said}"):
            read_calendar(ICS.replace(line, "").encode(), "x.ics")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (ICS.replace("END:VEVENT\r\nEND:VCALENDAR\r\n", ""), "line 10: BEGIN:VEVENT has no END"),
            (f"{ICS}END:VEVENT\r\n", f"line {ICS.count(chr(10)) + 1}: END:VEVENT ends nothing"),
            ("\r\nhello\r\n", "line 2: nothing has begun here with BEGIN:VCALENDAR, and there is “hello”"),
        ],
    )
    def test_what_does_not_nest_is_told_with_its_line(self, text: str, said: str) -> None:
        with pytest.raises(InvalidError) as caught:
            read_calendar(text.encode(), "x.ics")
        assert caught.value.message.startswith(f"x.ics, {said}")

    def test_no_bytes_are_quoted_as_python_writes_them(self) -> None:
        with pytest.raises(InvalidError) as caught:
            read_calendar(ICS.encode() * 2, "x.ics")
        assert "b'" not in caught.value.message

    def test_an_event_that_recurs_counts_once(self) -> None:
        changed = ICS.replace("UID:2@x", "UID:1@x\r\nRECURRENCE-ID:20120917T100000")
        assert [talk.uid for talk in read_calendar(changed.encode(), "x")] == ["1@x"]

    @pytest.mark.parametrize(
        "data", [b"", b"<html>", b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR", b"\xff\xfe"]
    )
    def test_what_is_no_calendar_is_an_error_or_empty(self, data: bytes) -> None:
        with suppress(InvalidError):
            assert read_calendar(data, "x") == []

    @settings(max_examples=60)
    @given(st.binary(max_size=200), st.integers(0, 500))
    def test_any_bytes_are_a_calendar_or_an_error(self, data: bytes, at: int) -> None:
        whole = ICS.encode()
        for content in (data, whole[:at] + data + whole[at:]):
            try:
                assert all(talk.uid and talk.title for talk in read_calendar(content, "x"))
            except InvalidError:
                continue


class TestTables:
    def test_rows_are_talks(self) -> None:
        rows = ["\ufeffID,Title,speakers,email", "7,Chef,Junqiang Chen; Hui Cheng,jq@example.org", ",,,"]
        text = "\r\n".join([*rows, ",Swift 架构,,", ""])
        chef, swift = read_table(text.encode(), "t.csv").talks
        assert (chef.uid, chef.speakers, chef.email) == (
            "7",
            ("Junqiang Chen", "Hui Cheng"),
            "jq@example.org",
        )
        assert swift.uid == "swift-架构"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("name\nx\n", "line 1: the columns are name"),
            ("title,title\nx,y\n", "line 1"),
            ("", "line 1: the columns are missing"),
            ("title,id\nChef,1\nSwift,1\n", "line 3: the talk of line 2 again"),
            ("title,id\n,1\n", "line 2: no title"),
            ("title\nChef,too many\n", "line 2: more cells"),
            ('title\n"open', "line"),
        ],
    )
    def test_a_wrong_line_is_named(self, text: str, said: str) -> None:
        with pytest.raises(InvalidError, match=said):
            read_table(text.encode(), "t.csv")

    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_the_header_tells_the_separator(self, separator: str, mark: str) -> None:
        rows = ["id;title;speaker;email;", '1;"Chef, Juju";"Ann; Bo";a@e.org;b@e.org;', "2;Swift;;;"]
        text = "\r\n".join(rows).replace("a@e.org;b", '"a@e.org;b').replace("b@e.org;", 'b@e.org";')
        quoted = text.replace("Ann; Bo", "Ann\0 Bo").replace("org;b", "org\0b").replace(";", separator)
        content = (mark + quoted.replace("\0", ";")).encode()
        chef, swift = read_table(content, "t.csv").talks
        assert (chef.uid, chef.title, chef.speakers) == ("1", "Chef, Juju", ("Ann", "Bo"))
        assert chef.email == "a@e.org, b@e.org"
        assert swift.title == "Swift"

    def test_the_columns_of_a_wrong_header_are_told_apart(self) -> None:
        with pytest.raises(InvalidError, match="the columns are id, name") as caught:
            read_table(b"id;name\n1;x\n", "t.csv")
        assert "semicolons" in caught.value.hint

    def test_several_speakers_that_look_like_cells_are_told(self) -> None:
        with pytest.raises(InvalidError, match="more cells") as caught:
            read_table(b"title;speaker\nChef;Ann;Bo\n", "t.csv")
        assert "double quotes" in caught.value.hint

    @pytest.mark.parametrize(
        ("encoding", "language", "cells"),
        [
            ("cp1252", "en", "Größe zählt,Jürgen"),
            ("cp1252", "zh", "Größe zählt,Jürgen"),
            ("cp1252", "fr", "Créée à l’été – 5 €,Zoë"),
            ("cp1252", "es", "2ª sesión: ¿Y ahora?,Íñigo"),
            ("gb18030", "en", "Swift 架构,陈俊强"),
            ("gb18030", "zh", "OpenStack入门（一）,镕"),
            ("gb18030", "de", "架构,张昊"),
            ("cp950", "zh-TW", "雲端計算的架構,陳俊強"),
            ("cp932", "ja", "合唱団のためのコンテナ,田中"),
            ("cp949", "ko", "합창단을 위한 컨테이너,김"),
            ("cp1251", "ru", "Контейнеры для хора,Анна"),
            ("cp1250", "pl", "Zażółć gęślą jaźń,Łukasz"),
        ],
    )
    def test_a_table_of_a_spreadsheet_is_read_and_its_encoding_told(
        self, encoding: str, language: str, cells: str
    ) -> None:
        found = read_table(f"title,speaker\n{cells}\n".encode(encoding), "t.csv", language)
        assert [f"{talk.title},{talk.speakers[0]}" for talk in found.talks] == [cells]
        assert "t.csv is not in UTF-8 and was read as" in found.note

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_unicode_needs_no_word(self, encoding: str) -> None:
        found = read_table("title,speaker\nGröße 架构,x\n".encode(encoding), "t.csv")
        assert (found.talks[0].title, found.note) == ("Größe 架构", "")

    @pytest.mark.parametrize(
        ("encoding", "language", "cells"),
        [
            ("cp1251", "en", "Контейнеры для хора,Анна"),
            ("cp932", "zh", "合唱団のためのコンテナ,田中"),
            ("cp949", "en", "합창단을 위한 컨테이너,김"),
            ("cp950", "en", "雲端計算的架構,陳俊強"),
            ("cp1253", "de", "Μεγάλα δεδομένα,Άννα"),
        ],
    )
    def test_what_would_be_garbage_is_refused_with_the_next_step(
        self, encoding: str, language: str, cells: str
    ) -> None:
        with pytest.raises(InvalidError, match="not in UTF-8") as caught:
            read_table(f"title,speaker\n{cells}\n".encode(encoding), "t.csv", language)
        assert "CSV UTF-8" in caught.value.hint

    @given(st.binary(max_size=200))
    def test_any_bytes_are_a_table_or_an_error(self, data: bytes) -> None:
        try:
            assert all(talk.uid for talk in read_table(b"title,id\n" + data, "x").talks)
        except InvalidError:
            return


_KEYS = st.sampled_from(["title", "code", "persons", "links", "url", "name", "date", "attachments"])


def _mappings(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(_KEYS, values)


class TestSchedules:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"{\n,", "line 2 is no JSON"),
            (b"[" * 100_000, "is no JSON"),
            (b"[]", "no list of days"),
            (b'{"schedule":{"conference":{"days":[{}]}}}', "day 1 has no rooms"),
            (b'{"schedule":{"conference":{"days":[{"rooms":{"A":[7]}}]}}}', "room 'A', talk 1 is no talk"),
            (b'{"schedule":{"conference":{"days":[{"rooms":{"A":[{"title":"x"}]}}]}}}', "no code"),
            (b'{"schedule":{"conference":{"days":[{"rooms":{"A":[{"id":1}]}}]}}}', "no title"),
        ],
    )
    def test_what_is_none_is_told_with_its_place(self, content: bytes, said: str) -> None:
        with pytest.raises(InvalidError, match=said):
            read_schedule_talks(content, "s.json", "")

    @given(st.recursive(st.none() | st.text() | st.integers(), lambda each: st.lists(each) | _mappings(each)))
    def test_any_talk_is_one_or_an_error(self, talk: Any) -> None:
        data = {"schedule": {"conference": {"days": [{"rooms": {"A": [talk]}}]}}}
        try:
            (session,) = schedule.read_schedule(data, "https://e.org/s.json")
        except InvalidError:
            return
        assert session.title
        assert all(link.url.startswith("http") for link in session.links)

    @pytest.mark.parametrize(
        "url", ["https://p.org/demo", "https://p.org/demo/", "https://p.org/demo/talk/X/?a=b"]
    )
    def test_any_address_of_an_event_leads_to_its_schedule(self, url: str) -> None:
        assert schedule.schedule_address(url) == "https://p.org/demo/schedule/export/schedule.json"


YAML = """
archive: {title: A tour}
sinks: {local: {type: disk, path: ./archive}}
sources: {drop: {type: folder, path: ./drop}}
events:
  - {id: beijing, title: Beijing Stop, talks: %s, sources: [{use: drop}]}
"""


class Stage:
    """A configuration in a directory, and runs over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "drop").mkdir()
        (folder / "drop" / "Deploy OpenStack with Chef.pdf").write_bytes(media_samples.pdf(["Chef"]))
        self.talks = ""

    def config(self) -> Config:
        path = self.folder / "archive.yaml"
        path.write_text(YAML % self.talks, encoding="utf-8")
        return config.load(path, load_plugins(), {"TOKEN": "hunter22"})

    def run(self) -> tuple[Report, Run]:
        run = Run(self.config(), load_plugins(), RunOptions())
        return run.execute(), run

    def kept(self) -> dict[str, Talk]:
        from archiver.archive import look
        from archiver.contracts import Context
        from archiver_plugins.disk import DiskOptions, DiskSink

        sink = DiskSink(DiskOptions(path=Path("archive")), Context("local", self.folder, http=None))  # type: ignore[arg-type]  # a disk needs none
        made = with_kept(self.config(), [look("local", sink)])
        return {talk.id: talk for talk in made.events[0].talks}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def service() -> Iterator[PretalxDouble]:
    talks = [Planned("A", "Deploy OpenStack with Chef", ("Junqiang Chen",)), Planned("B", "Swift 架构")]
    with PretalxDouble("democon", talks) as service:
        yield service


class TestRuns:
    @pytest.mark.parametrize(
        "form", ["{from: pretalx, url: '%s/democon', base_url: '%s'}",
                 "{from: ical, url: '%s/democon/schedule.ics', base_url: '%s'}"],
    )  # fmt: skip
    def test_talks_come_with_a_run_and_stay_in_the_archive(
        self, form: str, stage: Stage, service: PretalxDouble
    ) -> None:
        stage.talks = form % (PUBLIC, service.url)
        assert stage.config().events[0].talks == ()
        assert stage.run()[0].exit_code() == 0
        assert list(stage.kept()) == ["deploy-openstack-with-chef", "swift-架构"]
        service.add(Planned("B", "Swift, renamed"))
        service.remove("A")
        report, run = stage.run()
        assert report.exit_code() == 0
        kept = stage.kept()
        assert kept["swift-架构"].title == "Swift, renamed"
        assert kept["deploy-openstack-with-chef"].cancelled
        assert [talk.expect for talk in run.config.events[0].talks] == [SLIDES, ()]

    def test_material_of_a_talk_that_was_cancelled_stays_with_it(
        self, stage: Stage, service: PretalxDouble
    ) -> None:
        from archiver.coverage import coverage

        stage.talks = f"{{from: pretalx, url: '{PUBLIC}/democon', base_url: '{service.url}'}}"
        stage.run()
        service.remove("A")
        _, run = stage.run()
        (record,) = run_records(stage)
        assert record.match.talk == "deploy-openstack-with-chef"
        result = coverage(run.config.events, run_records(stage)).events[0]
        chef = next(talk for talk in result.talks if talk.talk.cancelled)
        assert (chef.kinds[Kind.SLIDES].have, chef.kinds[Kind.SLIDES].expected) == (1, 0)
        assert [talk.to_json().get("cancelled") for talk in result.talks] == [None, True]

    def test_a_service_that_is_down_leaves_the_known_talks(
        self, stage: Stage, service: PretalxDouble
    ) -> None:
        stage.talks = f"{{from: pretalx, url: '{PUBLIC}/democon', base_url: '{service.url}'}}"
        stage.run()
        service.released = False
        report, run = stage.run()
        assert report.exit_code() == 1
        (problem,) = report.problems
        assert (problem.event, problem.source) == ("beijing", "talks")
        assert f"{PUBLIC}/democon" in problem.title
        assert [talk.cancelled for talk in run.config.events[0].talks] == [False, False]

    def test_an_empty_schedule_cancels_nothing(self, stage: Stage, service: PretalxDouble) -> None:
        stage.talks = f"{{from: pretalx, url: '{PUBLIC}/democon', base_url: '{service.url}'}}"
        stage.run()
        service.remove("A")
        service.remove("B")
        assert "lists no talks" in stage.run()[0].problems[0].detail
        assert not any(talk.cancelled for talk in stage.kept().values())

    def test_a_table_stands_beside_typed_talks(self, stage: Stage) -> None:
        (stage.folder / "t.csv").write_text("id,title,email\n1,Swift,a@example.org\n", encoding="utf-8")
        stage.talks = "[Juju, {from: csv, file: t.csv, expect: [slides, video]}]"
        _, run = stage.run()
        juju, swift = run.config.events[0].talks
        assert (juju.id, swift.id, swift.email, swift.expect) == (
            "juju", "swift", "a@example.org", (Kind.SLIDES, Kind.VIDEO),
        )  # fmt: skip
        assert not [
            p for p in (stage.folder / "archive").rglob("*") if p.is_file() and b"a@ex" in p.read_bytes()
        ]

    def table(self, stage: Stage, *rows: str) -> None:
        (stage.folder / "t.csv").write_text("\n".join(["id,title,speaker", *rows]), encoding="utf-8")
        stage.talks = "{from: csv, file: t.csv}"

    def places(self, stage: Stage) -> list[str]:
        assert stage.run()[0].exit_code() == 0
        return [record.match.talk for record in run_records(stage)]

    def test_a_deck_stays_with_a_talk_that_is_renamed(self, stage: Stage) -> None:
        self.table(stage, "1,Deploy OpenStack with Chef,Ann", "2,Swift,Bo")
        chef = "deploy-openstack-with-chef"
        assert self.places(stage) == [chef]
        self.table(stage, "1,Docker in Music,Ann", "2,Swift,Bo")
        assert self.places(stage) == [chef]
        assert self.places(stage) == [chef]
        assert stage.kept()[chef].title == "Docker in Music"
        deck = stage.folder / "drop" / "Deploy OpenStack with Chef.pdf"
        deck.write_bytes(media_samples.pdf(["Chef", "second edition"]))  # stored anew, and matched anew
        assert self.places(stage) == [chef]

    def test_a_deck_moves_to_the_talk_that_has_its_title_now(self, stage: Stage) -> None:
        self.table(stage, "1,Deploy OpenStack with Chef,Ann", "2,Swift,Bo")
        assert self.places(stage) == ["deploy-openstack-with-chef"]
        self.table(stage, "1,Swift,Bo", "2,Deploy OpenStack with Chef,Ann")
        assert self.places(stage) == ["swift"]

    def test_a_deck_stays_with_a_typed_talk_that_has_an_id(self, stage: Stage) -> None:
        stage.talks = "[{id: chef, title: Deploy OpenStack with Chef}]"
        assert self.places(stage) == ["chef"]
        stage.talks = "[{id: chef, title: Docker in Music}]"
        assert self.places(stage) == ["chef"]
        stage.talks = "[Docker in Music]"
        assert self.places(stage) == [""]

    def test_a_deck_whose_talk_is_renamed_is_explained_so(
        self, stage: Stage, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from archiver.cli import execute
        from archiver.decisions import short_id

        self.table(stage, "1,Deploy OpenStack with Chef,Ann")
        stage.run()
        self.table(stage, "1,Docker in Music,Ann")
        stage.run()
        (record,) = run_records(stage)
        name = short_id(record.type_name, record.material.id)
        assert execute(["why", name, "-c", str(stage.folder / "archive.yaml")]) == 0
        assert "the one that the talk had then; it has another by now" in capsys.readouterr().out

    def test_a_table_that_is_not_in_utf_8_is_told(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        stage.talks = "{from: csv, file: t.csv}"
        (stage.folder / "t.csv").write_bytes("id;title\n1;Größe zählt\n".encode("cp1252"))
        _, run = stage.run()
        assert [talk.title for talk in run.config.events[0].talks] == ["Größe zählt"]
        assert "t.csv is not in UTF-8 and was read as Windows-1252" in caplog.text

    def test_talks_are_known_before_there_is_any_material(
        self, stage: Stage, service: PretalxDouble, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from archiver.cli import execute

        (stage.folder / "drop" / "Deploy OpenStack with Chef.pdf").unlink()
        stage.talks = f"{{from: pretalx, url: '{PUBLIC}/democon', base_url: '{service.url}'}}"
        stage.run()
        service.stop()
        assert "swift-架构" in stage.kept()
        capsys.readouterr()
        assert execute(["status", "--json", "-c", str(stage.folder / "archive.yaml")]) == 0
        told = json.loads(capsys.readouterr().out)
        assert [talk["title"] for talk in told["events"][0]["talks"]] == [
            "Deploy OpenStack with Chef",
            "Swift 架构",
        ]
        assert told["coverage"] == 0

    def test_a_file_can_be_added_to_such_a_talk(self, stage: Stage, service: PretalxDouble) -> None:
        from archiver.cli import execute

        stage.talks = f"{{from: pretalx, url: '{PUBLIC}/democon', base_url: '{service.url}'}}"
        stage.run()
        service.requests.clear()
        (stage.folder / "swift.pdf").write_bytes(media_samples.pdf(["Swift"]))
        path = str(stage.folder / "swift.pdf")
        command = ["add", "beijing", path, "--talk", "swift-架构", "-c", str(stage.folder / "archive.yaml")]
        assert execute(command) == 0
        assert {each.match.talk for each in run_records(stage)} == {
            "deploy-openstack-with-chef",
            "swift-架构",
        }
        assert len(service.requests) == 0

    def test_a_missing_table_is_a_problem_that_names_event_and_file(self, stage: Stage) -> None:
        stage.talks = "{from: csv, file: no.csv}"
        (problem,) = stage.run()[0].problems
        assert (problem.event, problem.id) == ("beijing", "no.csv")

    def test_a_token_is_sent_and_not_told(self, stage: Stage, service: PretalxDouble) -> None:
        service.token = "hunter22"
        stage.talks = (
            f"{{from: pretalx, url: '{PUBLIC}/democon', base_url: '{service.url}', token: '${{TOKEN}}'}}"
        )
        assert stage.run()[0].exit_code() == 0
        assert not [
            path
            for path in (stage.folder / "archive").rglob("*")
            if path.is_file() and b"hunter22" in path.read_bytes()
        ]

    def test_a_day_is_a_part(self, stage: Stage, service: PretalxDouble) -> None:
        service.add(Planned("C", "Juju", date="2012-09-17T10:00:00+08:00"))
        stage.talks = (
            f"{{from: pretalx, url: '{PUBLIC}/democon', base_url: '{service.url}', day: 2012-09-17}}"
        )
        assert [talk.title for talk in stage.run()[1].config.events[0].talks] == ["Juju"]

    @pytest.mark.parametrize(
        ("talks", "said"),
        [
            ("{from: pretalx}", "either a url or a file"),
            ("{from: csv, file: a, url: 'https://e.org/a'}", "either a url or a file"),
            ("{from: pretalks, url: 'https://e.org/a'}", "pretalx"),
            ("{from: ical, url: 'file:///etc/passwd'}", "expected an address"),
            ("{from: pretalx, url: 'https://e.org'}", "is not like"),
            ("{from: ical, file: a, dya: 2012-09-16}", "unknown key"),
            ("{title: x}", "a list of talks, or from"),
        ],
    )
    def test_a_wrong_programme_is_an_error_with_its_place(self, talks: str, said: str, stage: Stage) -> None:
        stage.talks = talks
        with pytest.raises(ConfigProblems) as error:
            stage.config()
        assert said in str(error.value)
        assert "archive.yaml:6" in str(error.value)


def run_records(stage: Stage) -> list[Any]:
    from archiver.archive import look
    from archiver.contracts import Context
    from archiver_plugins.disk import DiskOptions, DiskSink

    sink = DiskSink(DiskOptions(path=Path("archive")), Context("local", stage.folder, http=None))  # type: ignore[arg-type]  # a disk needs none
    return list(look("local", sink).records.values())


def test_what_is_kept_is_what_was_written() -> None:
    talk = Talk("a", "A", ("B",), "x@example.org", uid="ical 1", cancelled=True, expect=())
    event = Event("beijing", "Beijing", talks=(talk, Talk("b", "B")))
    for document in (event_document(event), talks_document([event, Event("b", "B")])):
        assert "x@example.org" not in document.decode()
    (kept,) = json.loads(talks_document([event, Event("b", "B")]))["beijing"]
    assert _kept_talk(kept) == replace(talk, email="")
    assert "uid" not in json.loads(event_document(event))["talks"][1]


@pytest.mark.parametrize(
    "data", [None, [], {}, {"uid": "1"}, {"uid": "1", "id": "a", "title": "A", "expect": ["x"]}]
)
def test_what_is_kept_wrongly_is_left_out(data: Any) -> None:
    assert _kept_talk(data) is None
