"""EVENT or EVENT/TALK on the command line."""

from __future__ import annotations

from dataclasses import dataclass

import click
import pytest

from archiver.cli.place import nearest, read_place
from archiver.model import Event, Talk

CHEF = Talk("chef", "Deploy OpenStack with Chef")
NOVA = Talk("nova", "Nova inside")


@dataclass(frozen=True)
class Configured:
    events: tuple[Event, ...] = (Event("beijing", "Beijing Stop", talks=(CHEF, NOVA)),)


@pytest.mark.parametrize("talk", ["chef", "CHEF", "deploy openstack with chef"])
def test_a_talk_by_id_or_title(talk: str) -> None:
    assert read_place(f"beijing/{talk}", Configured()) == ("beijing", "chef")  # type: ignore[arg-type]


def test_each_talk_is_named_once() -> None:
    with pytest.raises(click.UsageError) as caught:
        read_place("beijing/zzz", Configured())  # type: ignore[arg-type]  # only its events count
    assert caught.value.message.endswith("There are: chef, nova.")


def test_a_title_is_guessed() -> None:
    with pytest.raises(click.UsageError, match="Did you mean 'nova insid"):
        read_place("beijing/nova insid", Configured())  # type: ignore[arg-type]  # likewise
    assert nearest("x", []) == "There are: none."
