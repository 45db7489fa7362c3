"""How long a server may take: each bound by itself, and as the documents tell it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archiver.errors import TransientError
from archiver.web import Limits, PoliteClient

if TYPE_CHECKING:
    from unit.web.conftest import FaultOrigin, Request, Script

_DOCUMENT = Path(__file__).parents[3] / "docs/how-to/unattended.md"
_TOLD = "the head of the answer did not come to its end in 0 seconds"


@pytest.fixture
def over() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def _repeating(start: bytes, more: bytes, over: threading.Event) -> Script:
    def script(request: Request) -> bool:
        request.sock.sendall(start)
        while not over.wait(0.02):
            request.sock.sendall(more)
        return False

    return script


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Wait: ", b"a"),
        (b"HTTP/1.1 2", b"0"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: ", b"a"),
        (b"", b"H"),
    ],
)
def test_a_head_that_drips_is_given_up(
    origin: FaultOrigin, tmp_path: Path, over: threading.Event, start: bytes, more: bytes
) -> None:
    limits = Limits(head_seconds=0.2, attempts=1)
    url = origin.on("/f", _repeating(start, more, over))
    with PoliteClient(hosts_allowed=[origin.base], limits=limits) as client:
        with pytest.raises(TransientError, match=_TOLD):
            client.get(url)
        with pytest.raises(TransientError, match=_TOLD):
            client.download(url, tmp_path / "f")
    assert not list(tmp_path.iterdir())


def test_interim_answers_do_not_begin_the_time_anew(origin: FaultOrigin, over: threading.Event) -> None:
    interim = b"HTTP/1.1 102 Processing\r\n\r\n"

    def slowly(request: Request) -> bool:
        for _ in range(5):
            request.sock.sendall(interim)
            over.wait(0.1)
        request.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        return True

    limits = Limits(head_seconds=0.25, attempts=1)
    with (
        PoliteClient(hosts_allowed=[origin.base], limits=limits) as client,
        pytest.raises(TransientError, match=_TOLD),
    ):
        client.get(origin.on("/p", slowly))


def test_a_server_that_thinks_first_has_the_time_for_its_head_afterwards(
    origin: FaultOrigin, over: threading.Event
) -> None:
    def think(request: Request) -> bool:
        over.wait(0.4)
        request.sock.sendall(b"HTTP/1.1 200 OK\r\n")
        over.wait(0.05)
        request.sock.sendall(b"Content-Length: 2\r\n\r\n")
        over.wait(0.4)  # the body has other bounds
        request.sock.sendall(b"o")
        over.wait(0.05)
        request.sock.sendall(b"k")
        return True

    limits = Limits(head_seconds=0.3, attempts=1)
    with PoliteClient(hosts_allowed=[origin.base], limits=limits) as client:
        url = origin.on("/p", think)
        assert [client.get(url).content for _ in range(2)] == [b"ok", b"ok"]
    assert origin.connections == 1


def test_the_document_tells_the_bounds_that_hold() -> None:
    section = _DOCUMENT.read_text("utf-8").partition("## Servers that are slow")[2].partition("\n## ")[0]
    told = [row.split("|")[2].strip() for row in section.splitlines() if row.startswith("| ")][1:]
    limits = Limits()
    assert told == [
        f"{limits.connect_seconds:.0f} seconds",
        f"{limits.read_seconds:.0f} seconds",
        f"{limits.head_seconds:.0f} seconds",
        f"{limits.read_seconds:.0f} seconds",
        f"{limits.rate:.0f} bytes a second, over {limits.rate_seconds:.0f} seconds",
        f"{limits.page_seconds:.0f} seconds",
        f"{limits.file_seconds / 3600:.0f} hours",
        f"{limits.attempts}",
        f"{limits.longest_wait:.0f} seconds",
    ]
