"""Attempts to make the program talk to machines of its own network, and to keep it busy for ever."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from archiver.api import ArchiverError, BlockedError, InvalidError, TransientError
from archiver.testing import Service
from archiver.testing.messages import Reply, Request
from archiver.testing.service import Routes
from archiver.web import Guard, Limits, Origin, PoliteClient


class Front(Service):
    """A service that the configuration names; its pages lead wherever `target` says."""

    target = ""

    def routes(self) -> Routes:
        return {"/go": self.go, "POST /go": self.go}

    def go(self, request: Request) -> Reply:
        del request
        return Reply.redirect(self.target, 302)


class Inner(Service):
    """A service inside the own network that nobody named."""

    def routes(self) -> Routes:
        return {"/": lambda _: Reply.html("secret"), "POST /": lambda _: Reply.html("secret")}


@pytest.fixture
def front() -> Iterator[Front]:
    with Front() as service:
        yield service


@pytest.fixture
def inner() -> Iterator[Inner]:
    with Inner() as service:
        yield service


@dataclass
class Changing:
    """A name service of an attacker: each question gets the next answer, the last one stays."""

    answers: list[str]
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        self.asked.append(host)
        address = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


Way = Callable[[PoliteClient, str, Path], object]
WAYS: dict[str, Way] = {
    "get": lambda client, url, _: client.get(url),
    "post": lambda client, url, _: client.post(url, form={"a": "b"}),
    "download": lambda client, url, into: client.download(url, into / "file"),
}
#: Spellings of this machine, of neighbours and of what serves metadata. `{port}` is that of a real service.
INSIDE = [
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://2130706433:{port}/",
    "http://0x7f000001:{port}/", "http://0177.0.0.1:{port}/", "http://127.1:{port}/", "http://0:{port}/",
    "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/", "http://[64:ff9b::7f00:1]:{port}/", "http://127.0.0.1.:{port}/",
    "http://\uff11\uff12\uff17.0.0.1:{port}/", "http://127\u30020\u30020\u30021:{port}/",
    "http://\u2460\u2461\u2466.0.0.1:{port}/", "http://www.example.org@127.0.0.1:{port}/",
    "http://www.example.org%40127.0.0.1:{port}/", "http://127.0.0.1:{port}\\@www.example.org/",
    "http://127.0.0.1:{port}#@www.example.org/", "//127.0.0.1:{port}/", "http:127.0.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://100.100.100.200/",
    "http://10.0.0.1/", "http://192.168.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/",
    "ftp://127.0.0.1/", "data:text/html,x", "http://[fe80::1%25lo]:{port}/", "http://0.0.0.0:{port}/",
]  # fmt: skip


@pytest.mark.parametrize("target", INSIDE)
@pytest.mark.parametrize("way", WAYS)
def test_no_redirect_leads_inside(front: Front, inner: Inner, way: str, target: str, tmp_path: Path) -> None:
    front.target = target.replace("{port}", inner.url.rpartition(":")[2])
    with (
        PoliteClient(hosts_allowed=[front.url], limits=Limits(attempts=1)) as client,
        pytest.raises(ArchiverError),
    ):
        WAYS[way](client, f"{front.url}/go", tmp_path)
    assert len(inner.requests) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", INSIDE)
def test_no_address_of_a_page_leads_inside(inner: Inner, target: str) -> None:
    url = target.replace("{port}", inner.url.rpartition(":")[2])
    with PoliteClient(limits=Limits(attempts=1)) as client:
        for ask in (client.get, lambda url: client.send("GET", url)):
            with pytest.raises(ArchiverError):
                ask(url)
    assert len(inner.requests) == 0


def test_a_name_that_changes_its_mind_is_asked_again_and_checked_again() -> None:
    names = Changing(["93.184.215.14", "127.0.0.1"])
    guard, origin = Guard(resolver=names), Origin("http", "rebind.example", 80)
    assert guard.addresses(origin) == [(socket.AF_INET, ("93.184.215.14", 80))]
    with pytest.raises(BlockedError, match="a loopback address"):
        guard.addresses(origin)
    assert names.asked == ["rebind.example"] * 2


def test_no_second_look_up_lies_between_check_and_connection(
    inner: Inner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is connected to is the checked address itself: the system's own resolver is never asked."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a name was resolved outside of the guard")

    port = inner.url.rpartition(":")[2]
    base = f"http://checked.example:{port}"
    guard = Guard([base], resolver=Changing(["127.0.0.1", "10.9.8.7"]))
    monkeypatch.setattr(socket, "getaddrinfo", never)
    monkeypatch.setattr(socket, "gethostbyname", never)
    with PoliteClient(guard=guard) as client:
        assert client.get(f"{base}/").content.endswith(b"secret")


def test_a_redirect_meets_the_name_service_anew(front: Front, inner: Inner) -> None:
    """A first answer that was fine says nothing of the second, also at the name that was just used."""
    port, own = inner.url.rpartition(":")[2], front.url.rpartition(":")[2]
    names = Changing(["127.0.0.1"])
    front.target = f"http://front.example:{port}/"
    guard = Guard([f"http://front.example:{own}"], resolver=names)
    with PoliteClient(guard=guard) as client, pytest.raises(BlockedError):
        client.get(f"http://front.example:{own}/go")
    assert names.asked == ["front.example"] * 2
    assert len(inner.requests) == 0


def test_the_allowance_of_one_origin_is_nobody_elses(front: Front, inner: Inner) -> None:
    with PoliteClient(hosts_allowed=[front.url]) as client:
        for url in (inner.url, front.url.replace("127.0.0.1", "localhost"), "http://127.0.0.1/"):
            with pytest.raises(BlockedError):
                client.get(f"{url}/")


class Raw:
    """Answers every connection with pieces of bytes, as long as somebody reads."""

    def __init__(self, pieces: Callable[[], Iterator[bytes]]) -> None:
        self._server, self._pieces = socket.create_server(("127.0.0.1", 0)), pieces
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            with peer:
                try:
                    peer.recv(65536)
                    for piece in self._pieces():
                        peer.sendall(piece)
                except OSError:
                    continue

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)


OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS: dict[str, Callable[[], Iterator[bytes]]] = {
    "many fields": lambda: itertools.chain([OK], (b"X-%d: y\r\n" % n for n in itertools.count())),
    "one long field": lambda: itertools.chain([OK, b"X: "], itertools.repeat(b"y" * 65536)),
    "a long first line": lambda: itertools.repeat(b"HTTP/1.1 200 " + b"x" * 65536),
    "interim answers": lambda: itertools.repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a page without end": lambda: itertools.chain([OK + b"\r\n"], itertools.repeat(b"y" * 65536)),
    "chunks without end": lambda: itertools.chain(
        [OK + b"Transfer-Encoding: chunked\r\n\r\n"], itertools.repeat(b"1000\r\n" + b"y" * 4096 + b"\r\n")
    ),
    "one long chunk extension": lambda: itertools.chain(
        [OK + b"Transfer-Encoding: chunked\r\n\r\n1;"], itertools.repeat(b"y" * 65536)
    ),
    "trailers without end": lambda: itertools.chain(
        [OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"], itertools.repeat(b"X: y\r\n" * 1000)
    ),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_an_answer_without_end_ends(what: str, tmp_path: Path) -> None:
    limits = Limits(attempts=1, page_seconds=2, file_seconds=2, page_bytes=1 << 20, file_bytes=1 << 20)
    with Raw(ENDLESS[what]) as server, PoliteClient(hosts_allowed=[server.url], limits=limits) as client:
        with pytest.raises((TransientError, InvalidError)):
            client.get(f"{server.url}/", max_bytes=1 << 20)
        with pytest.raises((TransientError, InvalidError)):
            client.download(f"{server.url}/", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []
