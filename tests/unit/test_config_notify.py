"""`notify:` in the configuration: typed, checked at its place, its secrets hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from archiver import config
from archiver.config import Config, ConfigProblems
from archiver.config.schema import file_schema
from archiver.registry import Registry, load_plugins
from archiver_plugins import notifiers

BASE = """\
archive: {title: T}
sinks: {local: {type: disk, path: ./a}}
events: [{id: one}]
"""


@pytest.fixture(scope="module")
def registry() -> Registry:
    known = load_plugins()
    found = {each.type_name: each for each in notifiers.archiver_notifiers()}
    return Registry(known.plugins, known.sources, known.sinks, known._manager, found)


def load(folder: Path, registry: Registry, notify: str, **environ: str) -> Config:
    path = folder / "archive.yaml"
    path.write_text(BASE + notify, encoding="utf-8")
    return config.load(path, registry, environ)


def test_it_is_typed_and_says_when(tmp_path: Path, registry: Registry) -> None:
    text = """\
notify:
  - {type: webhook, url: "https://example.org/${PART}", secret: "${KEY}", when: problems}
  - {type: mail, to: a@example.org}
"""
    made = load(tmp_path, registry, text, PART="hidden-part", KEY="a-secret-key")
    assert [(spec.type, spec.when) for spec in made.notify] == [("webhook", "problems"), ("mail", "changes")]
    options: Any = made.notify[0].options
    assert options.url.get_secret_value() == "https://example.org/hidden-part"
    for shown in (repr(made), str(made.notify)):
        assert "hidden-part" not in shown
        assert "a-secret-key" not in shown


@pytest.mark.parametrize("text", ["", "notify: []\n", "notify:\n"])
def test_nobody(tmp_path: Path, registry: Registry, text: str) -> None:
    assert load(tmp_path, registry, text).notify == ()


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("notify: {type: mail}\n", ":4:9", "a list of notifiers"),
        ("notify: [mail]\n", ":4:10", "a mapping with a type"),
        ("notify: [{type: mial, to: a@example.org}]\n", ":4:17", "did you mean 'mail'?"),
        ("notify: [{type: mail, to: a@example.org, when: never}]\n", ":4:48", "always"),
        ("notify: [{type: mail, to: a@example.org, wen: always}]\n", ":4:42", "wen"),
        ("notify: [{type: mail}]\n", ":4:10", "'to' is missing"),
        ("notify: [{to: a@example.org}]\n", ":4:10", "'type' is missing"),
        ("notify: [{type: webhook, url: nowhere}]\n", ":4:31", "expected an address like"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(
    tmp_path: Path, registry: Registry, text: str, place: str, said: str
) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load(tmp_path, registry, text)
    assert f"archive.yaml{place}: notify" in str(caught.value)
    assert said in str(caught.value)


def test_the_schema_knows_it(registry: Registry) -> None:
    validator = jsonschema.Draft202012Validator(file_schema(registry))
    good = "notify: [{type: mail, to: [a@example.org], when: always}, {type: github-summary}]\n"
    assert validator.is_valid(yaml.safe_load(BASE + good))
    for bad in ("notify: [{type: nobody}]\n", "notify: [{type: mail, to: a@b.c, when: never}]\n"):
        assert not validator.is_valid(yaml.safe_load(BASE + bad))
