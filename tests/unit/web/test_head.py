"""Heads: fields are read as `http.client` and httpx read them, and what no head may hold is not sent."""

from __future__ import annotations

import http.client
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archiver.errors import InvalidError, TransientError
from archiver.web import PoliteClient
from archiver.web.breaks import Broken
from archiver.web.head import joined, read_fields, request_head
from archiver.web.urls import parse_url

if TYPE_CHECKING:
    from unit.web.conftest import FaultOrigin

_NAME = st.one_of(
    st.sampled_from(["Content-Type", "ETag", "x-a", "X-A", "Set-Cookie", "From ", ""]),
    st.text("aB-: \t", max_size=6),
)
_VALUE = st.text('ab \t,;="é北\x00\x0b\x85', max_size=12)
_LINE = st.one_of(
    st.builds(
        lambda name, space, value: f"{name}:{space}{value}", _NAME, st.sampled_from(["", " ", "\t "]), _VALUE
    ),
    _VALUE,
    _VALUE.map(lambda value: f" {value}"),
)
_ENDS = st.sampled_from(["\r\n", "\n", "\r", "\r\r\n"])
_HEADS = st.lists(st.builds(lambda line, end: line + end, _LINE, _ENDS), max_size=8).map("".join)


def _as_others_read(head: bytes) -> dict[str, str]:
    message = http.client.parse_headers(io.BytesIO(head))
    raw = [
        (name.encode("latin-1", "replace"), re.sub(r"[\r\n]+", " ", value).encode("latin-1", "replace"))
        for name, value in message.items()
    ]
    return dict(httpx.Headers(raw).items())


def _without_odd_space(fields: dict[str, str]) -> dict[str, str]:
    return {name: "".join(value.split()) for name, value in fields.items()}


@given(_HEADS, st.sampled_from(["utf-8", "latin-1"]))
@example('ETag: "x"\r\nContent-Length: 3\r\n', "utf-8")
@example("X-A: Åne\r\n two\r\nx-a: three\r\n", "utf-8")
@example("X-A: é\r\n", "latin-1")
@example("no field\r\nX-A: lost\r\n", "utf-8")
def test_fields_are_read_as_others_read_them(text: str, encoding: str) -> None:
    head = text.encode(encoding, "ignore") + b"\r\n\r\n"
    found = read_fields(io.BytesIO(head))
    assert all(name == name.lower() for name, _ in found)
    assert _without_odd_space(joined(found)) == _without_odd_space(_as_others_read(head))


def test_fields_end_at_the_empty_line() -> None:
    stream = io.BytesIO(b"A: 1\r\nA:2 \r\n\r\nbody")
    assert read_fields(stream) == [("a", "1"), ("a", "2")]
    assert stream.read() == b"body"


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"a: 1\r\n" * 101 + b"\r\n", "more than 100 fields"),
        (b"a: " + b"x" * 70_000 + b"\r\n\r\n", "more than 65536 bytes"),
        (b"a:1\r" * 10_000 + b"\r\n\r\n", "more than 100 fields"),  # a lone CR ends a line for some
        (b"content-type: text/html\r\ncontent-len", "broke off"),
        (b"", "broke off"),
    ],
)
def test_endless_and_broken_heads_are_refused(head: bytes, why: str) -> None:
    with pytest.raises(Broken, match=why):
        read_fields(io.BytesIO(head))


def test_a_request_names_its_host_and_the_length_of_its_body() -> None:
    url = parse_url("http://127.0.0.1:8080/a?b=c")
    assert request_head("GET", url, {"accept": "*/*"}, None) == (
        b"GET /a?b=c HTTP/1.1\r\nhost: 127.0.0.1:8080\r\naccept: */*\r\n\r\n"
    )
    assert b"\r\ncontent-length: 0\r\n" in request_head("POST", url, {}, None)
    assert b"\r\ncontent-length: 2\r\n" in request_head("POST", url, {}, b"ab")
    assert b"host: [2001:db8::1]\r\n" in request_head("GET", parse_url("https://[2001:db8::1]/"), {}, None)


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\x00b", "北京"])
def test_what_no_head_may_hold_is_not_sent(value: str) -> None:
    with pytest.raises(InvalidError) as caught:
        request_head("GET", parse_url("http://a.org/"), {"x-a": value}, None)
    assert value not in str(caught.value)


def test_a_folded_field_is_read_like_any_other() -> None:
    head = b"Transfer-Encoding:\r\n chunked \r\nX-A: b\r\n c\r\n\r\n"
    assert read_fields(io.BytesIO(head)) == [("transfer-encoding", "chunked"), ("x-a", "b c")]


@pytest.mark.parametrize(
    "fields",
    [
        b"Transfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Content-Type: application/pdf\r\nContent-Len",
    ],
)
def test_a_body_whose_end_nobody_knows_is_no_answer(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path, fields: bytes
) -> None:
    body = b"" if fields.endswith(b"Len") else b"\r\n5\r\nhello\r\n0\r\n\r\n"
    url = origin.on("/a.pdf", origin.raw(b"HTTP/1.1 200 OK\r\n" + fields + body))
    with pytest.raises(TransientError):
        client.download(url, tmp_path / "a.pdf")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n",
    ],
)
def test_nothing_is_asked_over_a_connection_of_which_nobody_knows_what_comes_next(
    origin: FaultOrigin, client: PoliteClient, first: bytes
) -> None:
    one = origin.on("/one", origin.raw(first, keep=True))
    other = origin.on("/other", origin.answer(200, b"whole"))
    client.get(one, accept=(101, 204))
    assert client.get(other).content == b"whole"
    assert origin.connections == 2


def test_a_port_that_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidError):
        parse_url("http://127.0.0.1:65616/")
