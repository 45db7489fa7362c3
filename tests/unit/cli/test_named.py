"""Events, talks, sources and sinks as people name them on the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import pytest

from archiver.cli.named import check_events, check_sinks, check_sources, find_event, nearest, read_place
from archiver.config import ArchiveSettings, Config, SinkSpec, SourceSpec
from archiver.contracts import Options
from archiver.model import Event, Talk

CHEF = Talk("chef", "Deploy OpenStack with Chef")
NOVA = Talk("nova", "Nova inside")
BEIJING = Event("beijing", "Beijing Stop", talks=(CHEF, NOVA))
CONFIG = Config(
    Path("a/tour.yaml"),
    Path("a"),
    ArchiveSettings("A tour"),
    (SinkSpec("local", "disk", Options()),),
    (SourceSpec("inbox", "folder", Options()),),
    (BEIJING, Event("wuhan", "Wuhan Stop")),
)


def refused(place: str) -> str:
    with pytest.raises(click.UsageError) as caught:
        read_place(place, CONFIG)
    return caught.value.message


@pytest.mark.parametrize("talk", ["chef", "CHEF", "deploy openstack with chef"])
def test_a_talk_by_id_or_title(talk: str) -> None:
    assert read_place(f"beijing/{talk}", CONFIG) == ("beijing", "chef")


def test_a_place_without_a_talk() -> None:
    assert read_place("wuhan", CONFIG) == ("wuhan", "")
    assert find_event("beijing", CONFIG) is BEIJING


def test_an_unknown_talk_is_told_with_the_nearest_or_all() -> None:
    assert refused("beijing/nova insid") == "Event beijing has no talk 'nova insid'. Did you mean 'nova'?"
    assert refused("beijing/zzz").endswith("Its talks are:\n  chef\n  nova")
    assert "It has no talks" in refused("wuhan/chef")


def test_unknown_names_are_told_with_the_file_that_lacks_them() -> None:
    assert refused("bejing") == "There is no event 'bejing' in tour.yaml. Did you mean 'beijing'?"
    with pytest.raises(click.UsageError, match=r"no source 'x' in tour\.yaml\. There are: inbox\."):
        check_sources(["inbox", "x"], CONFIG)
    with pytest.raises(click.UsageError, match=r"no sink 'locl' in tour\.yaml\. Did you mean 'local'\?"):
        check_sinks(["locl"], CONFIG)
    with pytest.raises(click.UsageError, match="There are: none"):
        check_events(["x"], replace(CONFIG, events=()))


def test_known_names_pass() -> None:
    check_events(["wuhan", "beijing"], CONFIG)
    check_sources([], CONFIG)
    assert nearest("x", []) == "There are: none."
