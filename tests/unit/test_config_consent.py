"""Consent and audience in archive.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.config import ConfigProblems, load
from archiver.config.settings import Config
from archiver.model import Audience, Consent
from archiver.registry import load_plugins

FILE = """
archive: {{title: T, min_copies: {copies}}}
sinks:
  local: {{type: disk, path: ./a{local}}}
  web: {{type: disk, path: ./b, audience: {web}}}
events:
  - id: beijing
    consent: internal
    talks:
      - {{title: Chef, consent: public}}
      - Keystone
    sources:
      - {{type: folder, path: ./in, consent: {use}}}
      - {{type: folder, path: ./other}}
"""


def read(
    tmp_path: Path, *, copies: int = 1, local: str = "", web: str = "public", use: str = "unknown"
) -> Config:
    path = tmp_path / "archive.yaml"
    path.write_text(FILE.format(copies=copies, local=local, web=web, use=use), encoding="utf-8")
    return load(path, load_plugins(), {})


def test_everything_that_can_say_something_is_heard(tmp_path: Path) -> None:
    config = read(tmp_path)
    assert config.archive.consent is Consent.UNKNOWN
    assert [sink.audience for sink in config.sinks] == [Audience.INTERNAL, Audience.PUBLIC]
    (event,) = config.events
    assert event.consent is Consent.INTERNAL
    assert [talk.consent for talk in event.talks] == [Consent.PUBLIC, None]
    assert [spec.consents for spec in config.sources] == [(Consent.UNKNOWN,), (None,)]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"use": "members"}, "consent"),
        ({"web": "everybody"}, "audience"),
        ({"local": ", audience: public"}, "every sink is public"),
        ({"copies": 2}, "internal sinks"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigProblems, match=told):
        read(tmp_path, **wrong)  # type: ignore[arg-type]  # the words of this table
