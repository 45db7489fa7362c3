"""How an answer ends over TLS: with a farewell, or cut by whoever has the line in hand (RFC 9112, 9.8)."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archiver.errors import TransientError
from archiver.web import PoliteClient

if TYPE_CHECKING:
    from unit.web.conftest import FaultOrigin, Request, Script

_BODY = b"x" * 40_000


def _ending(data: bytes, *, farewell: bool) -> Script:
    """Send and close; the origin itself closes without a word."""

    def script(request: Request) -> bool:
        request.sock.sendall(data)
        if farewell:
            assert isinstance(request.sock, ssl.SSLSocket)
            request.sock.unwrap()
        return False

    return script


def _url(origin: FaultOrigin, script: Script) -> str:
    origin.on("/f", script)
    return f"https://talks.example:{origin.port}/f"


def test_a_body_without_a_length_is_whole_when_tls_says_so(
    tls_origin: FaultOrigin, tls_client: PoliteClient, tmp_path: Path
) -> None:
    url = _url(tls_origin, _ending(b"HTTP/1.1 200 OK\r\n\r\n" + _BODY, farewell=True))
    assert tls_client.download(url, tmp_path / "f").size == len(_BODY)
    assert tls_client.get(url).content == _BODY


def test_a_body_without_a_length_that_was_cut_is_not_whole(
    tls_origin: FaultOrigin, tls_client: PoliteClient, tmp_path: Path
) -> None:
    url = _url(tls_origin, _ending(b"HTTP/1.1 200 OK\r\n\r\n" + _BODY, farewell=False))
    with pytest.raises(TransientError, match="without the farewell"):
        tls_client.download(url, tmp_path / "f")
    with pytest.raises(TransientError, match="without the farewell"):
        tls_client.get(url)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("closing", [b"", b"Connection: close\r\n"])
@pytest.mark.parametrize(
    "framed",
    [
        b"Content-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY),
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(_BODY), _BODY),
    ],
)
def test_a_body_that_tells_its_end_needs_no_farewell(
    tls_origin: FaultOrigin, tls_client: PoliteClient, closing: bytes, framed: bytes
) -> None:
    url = _url(tls_origin, _ending(b"HTTP/1.1 200 OK\r\n" + closing + framed, farewell=False))
    assert [tls_client.get(url).content for _ in range(2)] == [_BODY] * 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "it ended after 4 of 9 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n00", "before its last chunk"),
        (b"HTTP/1.1 200 OK\r\nContent-Len", "broke off"),
        (b"", "closed without an answer"),
    ],
)
def test_what_is_cut_is_told_as_without_tls(
    tls_origin: FaultOrigin, tls_client: PoliteClient, data: bytes, why: str
) -> None:
    with pytest.raises(TransientError, match=why):
        tls_client.get(_url(tls_origin, _ending(data, farewell=False)))


# One record holds 16 KiB: the surplus is with the TLS layer, or still in a record of its own.
@pytest.mark.parametrize("size", [10_000, 16_000, 16_384, 20_000])
@pytest.mark.parametrize("closing", [b"", b"Connection: close\r\n"])
def test_more_than_was_declared_is_seen_through_tls(
    tls_origin: FaultOrigin, tls_client: PoliteClient, size: int, closing: bytes
) -> None:
    head = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n" % (closing, size)

    def script(request: Request) -> bool:
        # All leaves at once, or what is too much may come too late to be seen.
        request.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        request.sock.sendall(head + b"\r\n")
        request.sock.sendall(b"x" * (size + 3000))
        request.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        return not closing

    with pytest.raises(TransientError, match="more came than was declared"):
        tls_client.get(_url(tls_origin, script))
