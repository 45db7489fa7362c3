"""The whole file: from text to a checked configuration, every problem in one pass."""

from __future__ import annotations

import json
import pickle
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pluggy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, field_validator, model_validator

from archiver import config
from archiver.config import Config, ConfigProblems, Problem
from archiver.contracts import Options, Sink, Source
from archiver.model import Checkpoint, Event, Kind, Material, Talk
from archiver.registry import PluginInfo, Registry, State

Load = Callable[..., Config]
Problems = Callable[..., list[str]]


class PhotoOptions(Options):
    api_key: SecretStr = SecretStr("")
    base_url: str = "https://photos.example.org"
    per_page: int = 100
    raw: bool = False
    mode: Literal["fast", "slow"] = "fast"
    note: str | None = None


class PhotoEntry(Options):
    album: str = ""
    tags: tuple[str, ...] = ()


class Login(BaseModel):
    user: str
    password: SecretStr


class MailOptions(Options):
    login: Login
    port: int = 993

    @field_validator("port")
    @classmethod
    def _port(cls, value: int) -> int:
        if value > 65535:
            raise ValueError(f"{value} is no port")
        return value


class MailEntry(Options):
    subject: str
    folder: str = "INBOX"
    port: int = 0


class BrokenOptions(Options):
    token: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _fail(self) -> BrokenOptions:
        raise RuntimeError(f"cannot work with {self.token.get_secret_value()}")


class _Nothing(Source[Any, Any]):
    def discover(self, scope: Any, cursor: str) -> Iterator[Checkpoint]:
        yield Checkpoint()

    def fetch(self, material: Material, into: Path) -> list[Any]:
        return []


class Photos(_Nothing):
    type_name = "photos"
    options_class = PhotoOptions
    entry_class = PhotoEntry


class Mail(_Nothing):
    type_name = "mail"
    options_class = MailOptions
    entry_class = MailEntry


class Broken(_Nothing):
    type_name = "broken"
    options_class = BrokenOptions


class DiskOptions(Options):
    path: Path


class Disk(Sink[DiskOptions]):
    type_name = "disk"
    options_class = DiskOptions


SINKS: Any = {"disk": Disk}  # never made: its methods are not needed


def _info(name: str, state: State = State.OK, reason: str = "", types: tuple[str, ...] = ()) -> PluginInfo:
    return PluginInfo(name, (), types, "1.0", f"archiver-{name}", 1, state, reason)


@pytest.fixture
def registry() -> Registry:
    plugins = [
        _info("disk", types=("disk",)),
        _info("dropbox", State.DISABLED, "not named under plugins:"),
        _info("weibo", State.QUARANTINED, "it cannot be imported"),
    ]
    sources = {"photos": Photos, "mail": Mail, "broken": Broken}
    return Registry(plugins, sources, SINKS, pluggy.PluginManager("archiver"))


@pytest.fixture
def load(tmp_path: Path, registry: Registry) -> Load:
    """Load a text as archive.yaml in a temporary directory."""

    def _load(text: str, environ: Mapping[str, str] | None = None) -> Config:
        path = tmp_path / "archive.yaml"
        path.write_text(text, encoding="utf-8")
        return config.load(path, registry, environ or {})

    return _load


@pytest.fixture
def problems(load: Load, tmp_path: Path) -> Problems:
    """Give the problems of a text, with the directory cut off."""

    def _problems(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigProblems) as caught:
            load(text, environ)
        assert caught.value.exit_code == 2
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        return [str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems]

    return _problems


HEAD = """\
archive: {title: Tour}
sinks: {local: {type: disk, path: ./a}}
"""
ONE = HEAD + "events: [{id: one}]\n"


def event(lines: str) -> str:
    """Write a configuration with one event; its keys stand in lines from 5 on."""
    return HEAD + "events:\n  - id: one\n" + "".join(f"    {line}\n" for line in lines.splitlines())


def uses(*entries: str, sources: str = "{}") -> str:
    """Write a configuration whose event uses sources; the first entry stands in line 7."""
    listed = "".join(f"      - {entry}\n" for entry in entries)
    return f"{HEAD}sources: {sources}\nevents:\n  - id: one\n    sources:\n{listed}"


# The whole


def test_the_smallest_configuration(load: Load, tmp_path: Path) -> None:
    found = load(ONE)
    assert found.path == tmp_path / "archive.yaml"
    assert found.folder == tmp_path
    assert found.archive == config.ArchiveSettings("Tour")
    assert (found.archive.language, found.archive.min_copies, found.archive.jobs) == ("en", 1, 4)
    assert [(sink.name, sink.type) for sink in found.sinks] == [("local", "disk")]
    assert found.events == (Event("one", "one"),)
    assert found.events[0].expect == (Kind.REPORT, Kind.PHOTO, Kind.VIDEO)
    assert found.sources == ()


FULL = """\
archive:
  title: 2012 中国行
  organizer: COSUG
  language: zh
  enrolled: 1060
  facts: {Lead: Hui Cheng, stops: 8, code: 007}
  expect: [report]
  min_copies: 2
  jobs: 8
  staging: tmp
sinks:
  local: {type: disk, path: ./a}
  other: {type: disk, path: ./b}
sources:
  flickr: {type: photos, api_key: "${KEY}", raw: no, per_page: 50}
  idle: {type: photos}
events:
  - id: beijing
    title: Beijing Stop
    date: 2012-09-16
    end_date: 2012-09-17
    city: Beijing
    venue: Shanda Innovations
    attended: 150
    talks:
      - Explanation of Keystone
      - {title: 云计算, speakers: [A, B], email: a@example.org, expect: [slides, video]}
      - {title: Explanation of Keystone, id: keystone-again, speaker: Yejia Xu, email: [y@x.org, z@x.org]}
    sources:
      - {use: flickr, album: 72157631, tags: [007, no]}
  - id: osac
    date: 2012-08
    expect: []
"""


def test_a_full_configuration(load: Load, tmp_path: Path) -> None:
    found = load(FULL, {"KEY": "s3cret"})
    assert found.archive.facts == {"enrolled": 1060, "Lead": "Hui Cheng", "stops": 8, "code": "007"}
    assert found.archive.staging == tmp_path / "tmp"
    beijing, osac = found.events
    assert beijing.talks == (
        Talk("explanation-of-keystone", "Explanation of Keystone"),
        Talk("云计算", "云计算", ("A", "B"), "a@example.org", (Kind.SLIDES, Kind.VIDEO)),
        Talk("keystone-again", "Explanation of Keystone", ("Yejia Xu",), "y@x.org, z@x.org"),
    )
    assert (beijing.expect, beijing.facts, beijing.end_date) == (
        (Kind.REPORT,),
        {"attended": 150},
        "2012-09-17",
    )
    assert (osac.title, osac.date, osac.expect) == ("osac", "2012-08", ())
    flickr, idle = found.sources
    assert isinstance(flickr.options, PhotoOptions)
    assert flickr.options.api_key.get_secret_value() == "s3cret"
    assert (flickr.options.raw, flickr.options.per_page) == (False, 50)
    assert flickr.entries[0].event is beijing
    assert flickr.entries[0].options == PhotoEntry(album="72157631", tags=("007", "no"))
    assert idle.entries == ()


def test_the_result_can_be_sent_to_another_process_and_shows_no_secret(load: Load) -> None:
    found = load(FULL, {"KEY": "s3cret"})
    assert pickle.loads(pickle.dumps(found)) == found
    assert "s3cret" not in repr(found)


def test_the_problems_can_be_sent_to_another_process(load: Load) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load("archive: 1\nevent: 2\n")
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems
    assert str(again) == str(caught.value)


def test_every_problem_is_told_in_one_pass(problems: Problems) -> None:
    text = """\
archive: {titel: X, jobs: 0}
sinks:
  local: {type: dsik, path: ./a}
  cloud: {type: disk}
sorces: {}
sources: {p: {type: photos, per_page: many}}
plugins: [dropbax, nothing-of-the-kind]
events:
  - {id: Con, date: 2012-13-01, talk: []}
  - {id: one, sources: [{use: q}, {use: p, alubm: 1}]}
  - {id: one, title: "${NOPE}"}
  - 3
"""
    assert problems(text) == [
        "archive.yaml:1:10: archive.title: 'title' is missing",
        "archive.yaml:1:11: archive.titel: unknown key; did you mean 'title'?",
        "archive.yaml:1:27: archive.jobs: found '0'; expected at least 1",
        (
            "archive.yaml:3:17: sinks.local.type: no plugin provides 'dsik'; expected one of disk; "
            "did you mean 'disk'?"
        ),
        "archive.yaml:4:10: sinks.cloud.path: 'path' is missing",
        "archive.yaml:5:1: sorces: unknown key; did you mean 'sources'?",
        "archive.yaml:6:39: sources.p.per_page: found 'many'; expected a whole number",
        "archive.yaml:7:11: plugins[0]: no plugin called 'dropbax' is installed; did you mean 'dropbox'?",
        (
            "archive.yaml:7:20: plugins[1]: no plugin called 'nothing-of-the-kind' is installed; "
            "expected one that `archive plugins list` shows"
        ),
        (
            "archive.yaml:9:10: events[0].id: found 'Con'; expected small letters a-z, digits and hyphens, "
            "and no name that Windows keeps, such as con or nul; did you mean 'con'?"
        ),
        (
            "archive.yaml:9:21: events[0].date: found '2012-13-01'; "
            "expected a date such as 2012-09-16, 2012-09 or 2012"
        ),
        "archive.yaml:9:33: events[0].talk: unknown key; did you mean 'talks'?",
        "archive.yaml:10:31: events[1].sources[0].use: no source is called 'q'; expected one of p",
        "archive.yaml:10:44: events[1].sources[1].alubm: unknown key; did you mean 'album'?",
        "archive.yaml:11:10: events[2].id: the event id 'one' is taken in line 10; expected an id of its own",
        (
            "archive.yaml:11:22: events[2].title: the environment variable NOPE is not set; "
            "expected a value for it, or a default: ${NOPE:-…}"
        ),
        "archive.yaml:12:5: events[3]: found '3'; expected a mapping with an id and a title",
    ]


def test_one_problem_and_many_read_well(load: Load, tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems) as one:
        load(ONE + "sorces: {}\n")
    place = f"{tmp_path}/archive.yaml"
    assert one.value.message == f"{place}:4:1: sorces: unknown key; did you mean 'sources'?"
    with pytest.raises(ConfigProblems) as many:
        load(ONE + "sorces: {}\nevnts: []\n")
    assert many.value.message.startswith("The configuration has 2 problems:\n")
    assert "archive check" in many.value.hint


def test_problems_are_plain_data_too(load: Load) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load(ONE + "sorces: {}\n")
    (found,) = caught.value.as_dict()["problems"]
    assert (found["line"], found["column"], found["path"]) == (4, 1, "sorces")
    assert found["suggestion"] == "sources"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "archive: {title: T}\nevents: [{id: one}]\n",
            "1:1: sinks: 'sinks' is missing; expected at least one sink",
        ),
        (
            ONE.replace("{local: {type: disk, path: ./a}}", "{}"),
            "2:8: sinks: nothing is here; expected at least one",
        ),
        (HEAD, "1:1: events: 'events' is missing; expected at least one event"),
        (HEAD + "events: []\n", "3:9: events: nothing is here; expected at least one event"),
        (HEAD + "events:\n", "3:1: events: 'events' is missing"),
        (HEAD + "events: {id: one}\n", "3:9: events: found a mapping; expected a list of events"),
        (ONE + "plugins: disk\n", "4:10: plugins: found 'disk'; expected a list of names"),
        (ONE + "plugins: [[]]\n", "4:11: plugins[0]: found a list; expected the name of a plugin"),
        (ONE + "sources: [1]\n", "4:10: sources: found a list; expected a mapping"),
        (ONE + "sources: {a: 1}\n", "4:14: sources.a: found '1'; expected a mapping with a type"),
        (
            ONE + "sources: {a: {typ: photos}}\n",
            "4:14: sources.a: 'type' is missing; found 'typ'; expected one of",
        ),
        (ONE + "sources: {A b: {type: photos}}\n", "4:11: sources['A b']: 'A b' cannot be a name"),
        (
            ONE + "sources: {a: {type: }}\n",
            "4:21: sources.a.type: found nothing; expected one of broken, mail",
        ),
        (ONE + "<<: {a: 1}\n", "4:1: ['<<']: merge keys are not supported; expected the keys themselves"),
        (ONE + '"\\e[2J": 1\n', r"4:1: ['\x1b[2J']: unknown key"),
        (ONE + "archive: {title: X}\n", "4:1: archive: this key is given twice; first in line 1"),
    ],
)
def test_a_wrong_shape_is_told(problems: Problems, text: str, said: str) -> None:
    found = problems(text)
    assert any(line.removeprefix("archive.yaml:").startswith(said) for line in found), found


def test_an_unusable_plugin_is_told_from_an_unknown_one(problems: Problems) -> None:
    (found,) = problems(ONE + "sources: {a: {type: dropbox}}\n")
    assert "the plugin dropbox is installed but not enabled; expected dropbox under plugins:" in found
    (found,) = problems(ONE + "sources: {a: {type: weibo}}\n")
    assert "the plugin weibo cannot be used: it cannot be imported" in found


def test_two_sinks_in_one_place_are_no_two_copies(problems: Problems) -> None:
    (found,) = problems(ONE.replace("}}\n", "}, b: {type: disk, path: ./a}}\n"))
    assert "sinks.b: this is the same place as the sink 'local'" in found


def test_more_copies_than_sinks_cannot_be(problems: Problems) -> None:
    (found,) = problems(ONE.replace("title: Tour", "title: Tour, min_copies: 2"))
    assert "archive.min_copies: found 2; expected at most 1, the number of sinks" in found


def test_the_document_tells_the_plugins_before_it_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "archive.yaml"
    path.write_text("plugins: [a, 'b', [c], ~]\n")
    assert config.read(path).plugins == ("a", "b")


# The archive and its events


@pytest.mark.parametrize("language", ["en", "zh", "pt-BR", "zh-Hans-CN", "yue"])
def test_language_tags(load: Load, language: str) -> None:
    assert load(ONE.replace("Tour", f"Tour, language: {language}")).archive.language == language


def test_what_is_no_language_tag(problems: Problems) -> None:
    (found,) = problems(ONE.replace("Tour", "Tour, language: Chinese and English"))
    assert found.endswith("expected a language tag such as en, zh or pt-BR")


def test_no_is_a_language_and_not_a_boolean(load: Load) -> None:
    assert load(ONE.replace("Tour", "Tour, language: no")).archive.language == "no"


@pytest.mark.parametrize("date", ["2012", "2012-09", "2012-09-16", '"2012-09-16"', "'2012'", "2012-02-29"])
def test_dates_with_and_without_quotes(load: Load, date: str) -> None:
    assert load(event(f"date: {date}")).events[0].date == date.strip("'\"")


@pytest.mark.parametrize(
    "date",
    [
        "2012-9-16",
        "2012-13",
        "2012-02-30",
        "0000",
        "16.9.2012",
        "2012-09-16T10:00",
        "２０１２",
        "20120916",
        "[2012]",
    ],
)
def test_what_is_no_date(problems: Problems, date: str) -> None:
    (found,) = problems(event(f"date: {date}"))
    assert found.startswith("archive.yaml:5:11: events[0].date: found ")


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (
            "date: 2012-09-16\nend_date: 2012-09-15",
            "6:15: events[0].end_date: the event ends before it begins",
        ),
        ("date: 2012-09\nend_date: 2012-08-31", "6:15: events[0].end_date: the event ends before it begins"),
        ("end_date: 2012", "5:15: events[0].end_date: there is an end, but no date"),
    ],
)
def test_an_end_needs_a_beginning_before_it(problems: Problems, dates: str, said: str) -> None:
    (found,) = problems(event(dates))
    assert said in found


def test_an_end_may_be_coarser_or_finer_than_the_beginning(load: Load) -> None:
    assert load(event("date: 2012-09-16\nend_date: 2012-09")).events[0].end_date == "2012-09"
    assert load(event("date: 2012\nend_date: 2012-01-02")).events[0].end_date == "2012-01-02"


@pytest.mark.parametrize(
    ("event_id", "near"),
    [
        ("Beijing", "beijing"),
        ("xi'an", "xi-an"),
        ("_archive", "archive"),
        ("-a", "a"),
        ("con", ""),
        ("nul", ""),
        ("北京", ""),
        ("a/b", "a-b"),
        ("..", ""),
    ],
)
def test_bad_event_ids(problems: Problems, event_id: str, near: str) -> None:
    (found,) = problems(f'{HEAD}events: [{{id: "{event_id}"}}]\n')
    assert "events[0].id: found" in found
    assert found.endswith(f"; did you mean '{near}'?") == bool(near)


def test_a_value_without_text_counts_as_left_out(load: Load, problems: Problems) -> None:
    found = load(event("title:\ncity: ~\nattended:\ntalks:\nsources:"))
    assert found.events == (Event("one", "one"),)
    (said,) = problems(HEAD + "events: [{id: }]\n")
    assert said == "archive.yaml:3:15: events[0].id: 'id' is missing"
    (said,) = problems(event("cities:"))
    assert "events[0].cities: unknown key" in said


def test_a_title_cannot_steer_a_terminal(problems: Problems) -> None:
    (found,) = problems(event('title: "a\\e[2Jb"'))
    assert found.endswith(r"found 'a\x1b[2Jb'; expected text on one line, without control characters")


def test_figures_are_whole_and_stated_once(problems: Problems) -> None:
    (found,) = problems(event("attended: over 150"))
    assert found.endswith("events[0].attended: found 'over 150'; expected a whole number")
    (found,) = problems(event("attended: -1"))
    assert found.endswith("expected at least 0")
    (found,) = problems(event(f"facts: {{Lead: {'long ' * 300}}}"))
    assert found.endswith("expected a whole number, or text of 1 to 1,000 letters")
    (found,) = problems(event("attended: 1\nfacts: {attended: over 150}"))
    assert "this is stated here and under facts" in found


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        ("{speaker: x}", "talks[0].title: 'title' is missing"),
        ("[x]", "talks[0]: found a list; expected a title, or a mapping with a title"),
        ("~", "talks[0]: found nothing; expected a title"),
        ('""', "talks[0].title: found ''; expected text, 1 letters or more"),
        ('"🎉"', "talks[0]: no id can be made from this title; expected an id:"),
        (
            "{title: A, id: A B}",
            (
                "talks[0].id: found 'A B'; expected small letters and digits, joined by hyphens; "
                "did you mean 'a-b'?"
            ),
        ),
        (
            "{title: A, speaker: x, speakers: [y]}",
            "speaker and speakers are both given; expected one of them",
        ),
        ("{title: A, email: nobody}", "talks[0].email: found 'nobody'; expected a mail address"),
        ("{title: A, email: [a@x.org, no]}", "talks[0].email[1]: found 'no'; expected a mail address"),
        ('{title: A, email: "a@x.org,b@x.org"}', "expected a mail address"),
        (
            "{title: A, expect: [slide]}",
            (
                "talks[0].expect[0]: found 'slide'; expected slides, video, photo, report "
                "or other; did you mean 'slides'?"
            ),
        ),
        ("{title: A, expect: slides}", "talks[0].expect: found 'slides'; expected a list"),
        ("{title: {a: b}}", "talks[0].title: found a mapping; expected text"),
        ("{title: A, speeker: x}", "talks[0].speeker: unknown key; did you mean 'speaker'?"),
    ],
)
def test_wrong_talks(problems: Problems, talk: str, said: str) -> None:
    (found,) = problems(event(f"talks:\n  - {talk}"))
    assert said in found
    assert found.startswith("archive.yaml:6:")


def test_two_talks_of_one_title_need_an_id(problems: Problems) -> None:
    (found,) = problems(event("talks:\n  - Practice of Clouds\n  - {title: practice of clouds!}"))
    assert found == (
        "archive.yaml:7:9: events[0].talks[1]: the talk id 'practice-of-clouds' is taken in line 6; "
        "expected an id: of its own, such as practice-of-clouds-2"
    )


# Sources and what the events use of them


def test_a_named_source_gathers_its_uses(load: Load) -> None:
    text = HEAD + (
        "sources: {p: {type: photos}}\nevents:\n"
        "  - {id: one, sources: [{use: p, album: 1}, {use: p, album: 2}]}\n"
        "  - {id: two, sources: [{use: p, album: 3}]}\n"
    )
    (source,) = load(text).sources
    found = [(entry.event.id, entry.options) for entry in source.entries]
    assert found == [
        ("one", PhotoEntry(album="1")),
        ("one", PhotoEntry(album="2")),
        ("two", PhotoEntry(album="3")),
    ]


def test_an_inline_source_is_split_into_its_options_and_its_entry(load: Load) -> None:
    (source,) = load(uses("{type: photos, album: x, per_page: 7, tags: [a]}")).sources
    assert source.options == PhotoOptions(per_page=7)
    assert source.entries[0].options == PhotoEntry(album="x", tags=("a",))


def test_a_key_that_both_have_is_the_options_of_an_inline_source(load: Load) -> None:
    text = "{type: mail, login: {user: a, password: b}, subject: x, port: 7}"
    (source,) = load(uses(text)).sources
    assert source.options.model_dump()["port"] == 7
    assert source.entries[0].options.model_dump()["port"] != 7


def names(found: Config) -> list[tuple[str, int]]:
    return [(source.name, len(source.entries)) for source in found.sources]


def test_equal_inline_sources_are_one(load: Load) -> None:
    plain = load(uses("{type: photos, album: a}", "{type: photos, album: b}"))
    assert names(plain) == [("photos", 2)]
    paged = load(
        uses("{type: photos, album: a, per_page: 7}", "{type: photos, per_page: 7}", "{type: photos}")
    )
    (name, count), other = names(paged)
    assert (name[:7], len(name), count, other) == ("photos-", 13, 2, ("photos", 1))


def test_saying_what_holds_anyway_makes_no_other_source(load: Load) -> None:
    assert names(load(uses("{type: photos, per_page: 100}", "{type: photos}"))) == [("photos", 2)]


def test_the_name_of_an_inline_source_depends_on_the_file_alone(load: Load) -> None:
    text = uses('{type: photos, base_url: "${URL:-https://photos.example.org}", api_key: "${KEY}"}')
    one = names(load(text, {"KEY": "a"}))
    two = names(load(text, {"KEY": "b", "URL": "http://127.0.0.1:1"}))
    assert one == two
    assert one[0][0].startswith("photos-")


def test_a_secret_makes_no_name(load: Load) -> None:
    assert names(load(uses("{type: photos, api_key: hunter2}"))) == [("photos", 1)]


def test_the_plain_name_is_left_to_a_configured_source(load: Load) -> None:
    found = names(load(uses("{type: photos}", sources="{photos: {type: photos, per_page: 7}}")))
    assert found[0] == ("photos", 0)
    assert found[1][0].startswith("photos-")


def test_an_inline_source_may_be_given_a_name(load: Load) -> None:
    found = load(uses("{type: photos, name: ours, album: a}", "{type: photos, name: ours, album: b}"))
    assert names(found) == [("ours", 2)]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (["{use: p, type: photos}"], "7:18: events[0].sources[0]: use and type are both given"),
        (["{album: x}"], "7:9: events[0].sources[0]: no source is named; expected use: NAME or type: TYPE"),
        (
            ["{ues: p}"],
            (
                "7:10: events[0].sources[0].ues: no source is named; expected use: NAME or type: TYPE; "
                "did you mean 'use'?"
            ),
        ),
        (["p"], "7:9: events[0].sources[0]: found 'p'; expected a mapping with use: NAME or type: TYPE"),
        (["{use: q}"], "7:15: events[0].sources[0].use: no source is called 'q'; expected one of p"),
        (["{use: [p]}"], "7:15: events[0].sources[0].use: found a list"),
        (
            ["{use: p, per_page: 7}"],
            "7:18: events[0].sources[0].per_page: unknown key; expected one of album or tags",
        ),
        (
            ["{type: photos, colour: x}"],
            "7:24: events[0].sources[0].colour: unknown key; expected one of album",
        ),
        (
            ["{type: photos, name: p}"],
            "7:30: events[0].sources[0].name: a source under sources: is called 'p'",
        ),
        (["{type: photos, name: P!}"], "7:30: events[0].sources[0].name: 'P!' cannot be a name"),
        (
            ["{type: photos, name: a, per_page: 1}", "{type: photos, name: a}"],
            "8:9: events[0].sources[1]: this has other options than another source called 'a'",
        ),
        (
            ["{type: photos, api_key: a}", "{type: photos, api_key: b}"],
            (
                "8:9: events[0].sources[1]: this has other options than another source called 'photos'; "
                "expected a name: of its own"
            ),
        ),
        (
            ["{type: mail, login: {user: a, password: b}}"],
            "7:9: events[0].sources[0].subject: 'subject' is missing",
        ),
        (["{type: mail, subject: x}"], "7:9: events[0].sources[0].login: 'login' is missing"),
    ],
)
def test_wrong_uses(problems: Problems, entries: list[str], said: str) -> None:
    found = problems(uses(*entries, sources="{p: {type: photos}}"))
    assert len(found) == 1
    assert found[0].removeprefix("archive.yaml:").startswith(said)


def test_the_uses_of_a_broken_source_are_not_reported_again(problems: Problems) -> None:
    (found,) = problems(uses("{use: p, album: x}", sources="{p: {type: nothing}}"))
    assert "sources.p.type" in found


def test_the_uses_of_a_broken_event_are_still_checked(problems: Problems) -> None:
    text = HEAD + "sources: {p: {type: photos}}\nevents: [{id: A, sources: [{use: p, alubm: 1}]}]\n"
    assert [line.split(": ")[1] for line in problems(text)] == ["events[0].id", "events[0].sources[0].alubm"]


# Options of plugins


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("per_page: [1]", "found a list; expected a whole number"),
        ("raw: perhaps", "found 'perhaps'; expected true or false"),
        ("mode: fats", "found 'fats'; expected fast or slow; did you mean 'fast'?"),
        ("base_url: {a: b}", "found a mapping; expected text"),
        ("api_key: [a]", "found a list; expected text"),
    ],
)
def test_options_of_the_wrong_type(problems: Problems, option: str, said: str) -> None:
    (found,) = problems(ONE + f"sources: {{p: {{type: photos, {option}}}}}\n")
    assert found.startswith(f"archive.yaml:4:{29 + option.index(':') + 2}: ")
    assert found.endswith(said)


def test_nested_options_are_told_at_their_place(problems: Problems) -> None:
    (found,) = problems(ONE + "sources: {m: {type: mail, login: {user: a}}}\n")
    assert found == "archive.yaml:4:34: sources.m.login.password: 'password' is missing"


def test_a_scalar_of_the_environment_takes_the_type_of_its_option(load: Load) -> None:
    text = ONE + 'sources: {p: {type: photos, per_page: "${N}", raw: "${RAW:-yes}", note: "${EMPTY:-}"}}\n'
    (source,) = load(text, {"N": "12"}).sources
    assert source.options == PhotoOptions(per_page=12, raw=True, note="")


def test_a_value_of_the_environment_cannot_become_structure(load: Load) -> None:
    text = ONE + 'sources: {p: {type: photos, base_url: "${URL}"}}\n'
    (source,) = load(text, {"URL": "x\n  per_page: 1\n  - ${HOME} # }"}).sources
    assert source.options == PhotoOptions(base_url="x\n  per_page: 1\n  - ${HOME} # }")


SECRET = "hunter2-and-more"


@pytest.mark.parametrize(
    "source",
    [
        "{type: photos, per_page: '${S}'}",
        "{type: photos, mode: '${S}'}",
        "{type: photos, api_key: '${S}', per_page: '${S}x'}",
        "{type: '${S}'}",
        "{type: mail, login: '${S}'}",
        "{type: mail, login: {user: '${S}', password: [hunter2-and-more]}}",
        "{type: mail, login: {user: a, password: {b: hunter2-and-more}}}",
        "{type: mail, login: {user: a, password: hunter2-and-more}, port: 70000, x: 1}",
        "{type: broken, token: '${S}'}",
        "{type: broken, token: hunter2-and-more}",
    ],
)
def test_no_message_shows_a_secret_or_a_value_of_the_environment(problems: Problems, source: str) -> None:
    found = problems(ONE + f"sources: {{p: {source}}}\n", {"S": SECRET})
    assert found
    assert SECRET not in "\n".join(found)


def test_a_message_written_by_a_plugin_is_redacted(problems: Problems) -> None:
    text = ONE + "sources: {m: {type: mail, login: {user: a, password: b}, port: '${PORT}'}}\n"
    (found,) = problems(text, {"PORT": "70123"})
    assert found.endswith("sources.m.port: *** is no port")


def test_a_validator_that_fails_is_the_fault_of_its_plugin(problems: Problems) -> None:
    (found,) = problems(ONE + "sources: {b: {type: broken, token: abc}}\n")
    assert found.endswith(
        "sources.b: the plugin failed while it checked its options: RuntimeError: cannot work with ***"
    )


@pytest.mark.parametrize("text", ["${", "${A B}", "a ${KEY"])
def test_a_reference_that_cannot_be_read(problems: Problems, text: str) -> None:
    (found,) = problems(event(f'title: "{text}"'))
    assert "this reference cannot be read; expected ${NAME} or ${NAME:-default}" in found


def test_what_follows_from_a_missing_variable_is_not_told(problems: Problems) -> None:
    text = ONE + "sources: {p: {type: photos, per_page: '${NOPE}', colour: '${NOPE}'}}\n"
    found = problems(text)
    assert [line.split(": ", 2)[1:] for line in found] == [
        [
            "sources.p.per_page",
            ("the environment variable NOPE is not set; expected a value for it, or a default: ${NOPE:-…}"),
        ],
        ["sources.p.colour", "unknown key; expected one of api_key, base_url, mode, note, per_page or raw"],
        [
            "sources.p.colour",
            ("the environment variable NOPE is not set; expected a value for it, or a default: ${NOPE:-…}"),
        ],
    ]


json_like: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("${X}"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["id", "title", "type", "use", "talks", "sources", "path", "facts", "expect", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)  # a busy machine is no failure
@given(st.dictionaries(st.sampled_from(["archive", "sinks", "sources", "events", "plugins"]), json_like))
def test_any_shape_gives_a_configuration_or_problems_with_places(data: dict[str, Any]) -> None:
    plugins = Registry([], {"photos": Photos, "mail": Mail}, SINKS, pluggy.PluginManager("archiver"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "archive.yaml")
        path.write_text(json.dumps(data))
        found, problems = _outcome(path, plugins)
    assert all(isinstance(one, Problem) and one.file == str(path) for one in problems)
    assert bool(found) != bool(problems)


def _outcome(path: Path, plugins: Registry) -> tuple[Config | None, tuple[Problem, ...]]:
    try:
        return config.load(path, plugins, {}), ()
    except ConfigProblems as error:
        return None, error.problems


def test_bounds_of_bytes_on_their_way(load: Load, problems: Problems) -> None:
    found = load(ONE.replace("title: Tour", "title: Tour, staging_limit: 5000000000, catch_up_limit: 7"))
    assert (found.archive.staging_limit, found.archive.catch_up_limit) == (5_000_000_000, 7)
    assert (load(ONE).archive.staging_limit, load(ONE).archive.catch_up_limit) == (None, None)
    (told,) = problems(ONE.replace("title: Tour", "title: Tour, staging_limit: 0"))
    assert "archive.staging_limit" in told
