"""`archive serve` gives the site and its files, in pieces where asked, and nothing else."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.archive import Head
from archiver.errors import ArchiverError
from archiver.ledger import State
from archiver.pages.serving import Server, _Handler, _HttpServer, _span, is_loopback
from site_kit import Rich, built, html, items, tour


@contextmanager
def serving(head: Head) -> Iterator[Server]:
    with Server(head) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.stop()
        thread.join()


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Head:
    hidden = Rich("gone", (html("secret words"),), event="beijing", kind=items()[-1].kind, title="gone")
    world = tour(tmp_path_factory.mktemp("tour"), things=[*items(), hidden])
    head = world.head()
    record = head.records["beijing", "src", "gone"]
    head.records[record.key] = record.moved(State.TAKEN_DOWN, "2026-01-01T00:00:00Z", "run")
    built(world)
    return head


@pytest.fixture(scope="module")
def server(head: Head) -> Iterator[Server]:
    with serving(head) as server:
        yield server


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def path_of(head: Head, name: str) -> str:
    [file] = head.records["beijing", "src", name].files
    return "/" + quote(head.object("beijing").locate(file.path))


def test_pages_come_with_their_types_and_safety_headers(server: Server) -> None:
    status, headers, body = ask(server, "/site/index.html")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert headers["x-content-type-options"] == "nosniff"
    assert "content-security-policy" not in headers
    assert int(headers["content-length"]) == len(body) > 1000


def test_the_root_leads_to_the_pages(server: Server) -> None:
    assert ask(server, "/")[1]["location"] == "/site/index.html"
    assert ask(server, "/index.html")[0] == 200


def test_a_film_can_be_asked_for_in_pieces(server: Server, head: Head) -> None:
    path = path_of(head, "photo-1")
    _, _, whole = ask(server, path)
    status, headers, body = ask(server, path, Range="bytes=10-19")
    assert (status, body) == (206, whole[10:20])
    assert headers["content-range"] == f"bytes 10-19/{len(whole)}"
    assert ask(server, path, Range="bytes=-5")[2] == whole[-5:]
    status, headers, _ = ask(server, path, Range=f"bytes={len(whole)}-")
    assert (status, headers["content-range"]) == (416, f"bytes */{len(whole)}")
    assert ask(server, path, "HEAD")[1]["content-length"] == str(len(whole))
    assert ask(server, path, "HEAD")[2] == b""


def test_web_pages_of_strangers_come_in_a_sandbox(server: Server, head: Head) -> None:
    status, headers, _ = ask(server, path_of(head, "report"))
    assert status == 200
    assert headers["content-security-policy"].startswith("sandbox;")


def test_what_was_taken_down_is_shown_to_nobody(server: Server, head: Head) -> None:
    assert ask(server, path_of(head, "gone"))[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/runs", "/catalog.sqlite", "/ocfl/beijing/inventory.json", "/site/../runs/x.json",
        "/ocfl/beijing/v1/content/metadata/event.json", "/site/%2e%2e/catalog.sqlite", "/site//index.html",
        "/site/%00", "/%ff", "/site/nothing.html", "/site", "//etc/passwd",
        "/site/..%5c..%5cetc", "/site/" + "x" * 2000,
    ],
)  # fmt: skip
def test_nothing_else_is_served(server: Server, path: str) -> None:
    assert ask(server, path)[0] == 404


def test_another_name_for_this_machine_is_refused(server: Server) -> None:
    assert ask(server, "/site/index.html", Host="evil.example")[0] == 421


def test_other_methods_are_refused(server: Server) -> None:
    assert ask(server, "/site/index.html", "POST")[0] == 501


def test_a_port_that_is_taken_is_told(server: Server, head: Head) -> None:
    with pytest.raises(ArchiverError, match="cannot be used"):
        Server(head, "127.0.0.1", urlsplit(server.url).port or 0)


@pytest.mark.parametrize(
    ("address", "own"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("192.0.2.1", False), ("example.org", False)],
)  # fmt: skip
def test_which_addresses_stay_on_this_machine(address: str, own: bool) -> None:
    assert is_loopback(address) is own


@given(st.text(max_size=20) | st.from_regex(r"bytes=\d{0,6}-\d{0,6}", fullmatch=True), st.integers(0, 10_000))
def test_any_range_is_inside_the_file_or_refused(header: str, size: int) -> None:
    span = _span(header, size)
    if span is not None:
        assert 0 <= span[0] <= span[1] <= size


def test_the_page_of_a_record_is_a_path(tmp_path: Path) -> None:
    with serving(tour(tmp_path, things=[]).head()) as server:
        assert not server.has_pages
        assert ask(server, "/site/index.html")[0] == 404


def _reset(server: Server, asked: bytes) -> None:
    """Connect, send, and hang up so that the other side gets a reset."""
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        # Closing with a linger of no time sends RST instead of FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(asked)


@pytest.mark.parametrize("asked", ["", "GET /site/index.html HT", "GET / HTTP/1.1\r\nHost: {}\r\n\r\n"])
def test_a_browser_that_hangs_up_is_nothing_to_tell(
    head: Head, asked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(head) as server:
        server._server.daemon_threads = False  # so that closing waits for what the requests have to say
        for _ in range(20):
            _reset(server, asked.format(urlsplit(server.url).netloc).encode())
        assert ask(server, "/index.html")[0] == 200
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("error", [ConnectionResetError, BrokenPipeError, ConnectionAbortedError])
def test_whenever_it_hangs_up_nothing_is_told(
    head: Head, error: type[Exception], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _failing(head, error, monkeypatch)
    assert capsys.readouterr().err == ""


def test_another_error_in_a_request_is_told(
    head: Head, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _failing(head, ZeroDivisionError, monkeypatch)
    assert "ZeroDivisionError" in capsys.readouterr().err


def _failing(head: Head, error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a server whose answer fails with an error; it has been told, if it is, when this returns."""

    def fail(*_: object, **__: object) -> None:
        raise error

    told = threading.Event()
    handle = _HttpServer.handle_error

    def handled(*arguments: Any) -> None:
        handle(*arguments)
        told.set()

    monkeypatch.setattr(_HttpServer, "handle_error", handled)
    monkeypatch.setattr(_Handler, "_send", fail)
    with serving(head) as server:
        with pytest.raises(http.client.RemoteDisconnected):
            ask(server, "/site/index.html")
        assert told.wait(10)
