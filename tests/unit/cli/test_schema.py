"""`archive schema`: JSON Schema of the whole file, held against an independent validator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from archiver.cli import execute
from archiver.cli.init import starter
from archiver.registry import load_plugins


@pytest.fixture
def schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert execute(["schema", "-c", str(tmp_path / "nope.yaml")]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def valid(validator: jsonschema.Draft202012Validator, text: str) -> bool:
    # The loader leaves dates as text, as the program does.
    return validator.is_valid(yaml.load(text, Loader=yaml.BaseLoader)) or validator.is_valid(
        json.loads(json.dumps(yaml.safe_load(text), default=str))
    )


BASE = """\
archive: {title: T}
sinks: {local: {type: disk, path: ./a}}
sources: {inbox: {type: folder, path: incoming}}
events: [{id: one, talks: [A, {title: B}], sources: [{use: inbox, path: x}]}]
"""


def test_it_is_json_schema_of_the_draft_it_names(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_inside_has_its_target(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    targets = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert targets <= set(schema["$defs"])
    assert targets


def test_the_starter_and_a_small_file_are_valid(validator: jsonschema.Draft202012Validator) -> None:
    assert valid(validator, starter().decode())
    assert valid(validator, BASE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: T", "titel: T"),
        ("title: T", "title: T, jobs: many"),
        ("type: disk", "type: floppy"),
        ("path: ./a", "pth: ./a"),
        (", path: ./a", ""),
        ("{use: inbox, path: x}", "{use: inbox, colour: x}"),
        ("{use: inbox, path: x}", "{path: x}"),
        ("{use: inbox, path: x}", "{type: nothing}"),
        ("{title: B}", "{speaker: B}"),
        ("id: one, ", ""),
        ("events:", "event:"),
        ("{inbox:", "{In box:"),
        ("{local: {type: disk, path: ./a}}", "{}"),
        ("talks: [A", "talks: [[A]"),
    ],
)
def test_a_mistake_is_not_valid(validator: jsonschema.Draft202012Validator, old: str, new: str) -> None:
    assert old in BASE
    assert not valid(validator, BASE.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: T", 'title: T, jobs: "${JOBS}"'),
        ("title: T", "title: 2012"),
        ("path: x", "path: 2012"),
        ("id: one", "id: one, date: 2012-09-16, attended: 150, facts: {a: 1, b: x}"),
        ("id: one", "id: one, expect: [report, photo]"),
        ("{use: inbox, path: x}", "{type: slideshare, user: cosug, name: decks}"),
    ],
)
def test_what_the_program_takes_is_valid(
    validator: jsonschema.Draft202012Validator, old: str, new: str
) -> None:
    assert old in BASE
    assert valid(validator, BASE.replace(old, new, 1))


def test_it_holds_the_options_of_every_plugin_that_runs(schema: dict[str, Any]) -> None:
    registry = load_plugins()
    named = [kind["properties"] for kind in schema["properties"]["sources"]["additionalProperties"]["oneOf"]]
    assert {properties["type"]["const"] for properties in named} == set(registry.sources)
    for properties in named:
        options = registry.sources[properties["type"]["const"]].options_class
        assert set(options.model_fields) == set(properties) - {"type"}
    sinks = schema["properties"]["sinks"]["additionalProperties"]["oneOf"]
    assert {kind["properties"]["type"]["const"] for kind in sinks} == set(registry.sinks)


def test_the_descriptions_come_from_the_code(schema: dict[str, Any]) -> None:
    event = schema["properties"]["events"]["items"]["properties"]
    assert event["venue"]["description"] == "The place in the city."


def test_a_broken_configuration_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "archive.yaml"
    path.write_text("a: *b\n")
    assert execute(["schema", "-c", str(path)]) == 2
    assert f"{path}:1:4: a: no anchor" in capsys.readouterr().err
