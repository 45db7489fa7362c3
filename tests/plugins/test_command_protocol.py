"""The protocol as it is written down: lines, schema, and every example of the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from archiver_plugins.command import messages, schema_text
from archiver_plugins.command.journal import Journal
from archiver_plugins.command.lines import Lines, ProtocolError, decode, encode
from archiver_plugins.command.secrets import Hidden
from plugins.command_kit import Diary

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/command-protocol.md").read_text("utf-8")
EXAMPLES = re.findall(r"^### (\w+)\n.*?^```json\n(.*?)\n```", PAGE, re.MULTILINE | re.DOTALL)
ANY: TypeAdapter[Any] = TypeAdapter(messages.AnyRequest)
TYPES = {
    "describe",
    "discover",
    "fetch",
    "described",
    "material",
    "unavailable",
    "progress",
    "checkpoint",
    "file",
    "done",
    "error",
}

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)
objects = st.dictionaries(st.text(st.characters(codec="utf-8")), values)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_published_schema_is_current() -> None:
    assert json.loads(schema_text()) == messages.schema(), (
        "write archiver_plugins.command.messages.schema() to protocol.schema.json again"
    )


def test_the_page_shows_every_message() -> None:
    assert {name for name, _ in EXAMPLES} == TYPES
    assert all(json.loads(text)["type"] == name for name, text in EXAMPLES)
    assert {name for name, _ in EXAMPLES} == set(messages.schema()["discriminator"]["mapping"])


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_every_example_is_right(name: str, text: str, validator: jsonschema.Draft202012Validator) -> None:
    message = decode(text.encode())
    validator.validate(message)
    validator.validate({**message, "a_later_member": 1})
    if name in {"describe", "discover", "fetch"}:
        # What scripts rely on: no blanks, and this order.
        assert encode(ANY.validate_python(message).model_dump(mode="json")) == text.encode() + b"\n"
    else:
        assert messages.REPLY.validate_python(message).type == name


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "done"},
        {"id": 1},
        {"id": 1, "type": "shout"},
        {"id": "1", "type": "done"},
        {"id": 1, "type": "material"},
        {"id": 1, "type": "material", "material": {"id": "", "kind": "slides"}},
        {"id": 1, "type": "material", "material": {"id": "1", "kind": "poem"}},
        {"id": 1, "type": "error", "reason": "tired", "message": ""},
        {"id": 1, "type": "described", "protocol": 1, "max_fetches": 0},
        {"id": 1, "type": "progress", "done": -1},
    ],
)
def test_the_schema_and_the_archiver_refuse_the_same(
    wrong: dict[str, Any], validator: jsonschema.Draft202012Validator
) -> None:
    assert not validator.is_valid(wrong)
    with pytest.raises(ValueError, match="validation error"):
        messages.REPLY.validate_python(wrong)


@settings(max_examples=50)
@given(objects)
def test_what_is_written_can_be_read(message: dict[str, Any]) -> None:
    line = encode(message)
    assert line.count(b"\n") == 1
    assert decode(line[:-1]) == message
    for blank in (b'": ', b'", "'):
        assert blank not in encode({"a": 1, "b": [2, 3]})


@given(st.binary())
def test_any_bytes_are_an_object_or_an_error(line: bytes) -> None:
    try:
        found: object = decode(line)
    except ProtocolError as error:
        found = error
    assert isinstance(found, dict) or len(str(found)) < 1000


@given(st.lists(st.binary(max_size=8).map(lambda part: part.replace(b"\n", b"")), max_size=6), st.data())
def test_lines_are_found_however_they_come(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(part + b"\n" for part in parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    lines = Lines(8)
    found: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        lines.add(stream[start:end])
        while (line := lines.take()) is not None:
            found.append(line)
    assert found == parts
    assert not lines.unread


@given(st.integers(0, 40), st.integers(1, 12))
def test_a_line_is_bounded_however_it_comes(length: int, step: int) -> None:
    lines = Lines(16)
    stream = b"x" * length + b"\n"
    try:
        for start in range(0, len(stream), step):
            lines.add(stream[start : start + step])
    except ProtocolError:
        assert length > 16
    else:
        assert length <= 16


SECRET = "s3cr3t/of+the=service"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n")), st.integers(1, 9))
def test_no_secret_reaches_the_log(around: str, step: int) -> None:
    diary = Diary()
    import logging

    log = logging.Logger("test")  # noqa: LOG001  # one of its own, which no test shares
    log.addHandler(diary)
    journal = Journal(log, "decks", Hidden((SECRET,)))
    stream = f"{around}{SECRET}{around}\n{SECRET * 3}".encode()
    for start in range(0, len(stream), step):
        journal.add(stream[start : start + step])
    journal.end()
    assert diary.lines
    assert not any(SECRET in line for line in diary.lines)


def test_short_secrets_do_not_stop_a_source() -> None:
    from pydantic import SecretStr

    hidden = Hidden.of({"TOKEN": SecretStr("talk")})
    assert hidden.mask("talk 1") == "*** 1"
    assert not hidden.stands_in({"title": "A talk"})
    assert Hidden.of({"TOKEN": SecretStr("")}).mask("all") == "all"


def test_escaped_secrets_are_known_too() -> None:
    from pydantic import SecretStr

    hidden = Hidden.of({"TOKEN": SecretStr("a b/c%d&e")})
    assert hidden.stands_in({"url": "https://example.org/?t=a%20b%2Fc%25d%26e"})
    assert hidden.stands_in([{"deep": ["a b/c%d&e"]}])
    assert hidden.stands_in({"a b/c%d&e": 1})
