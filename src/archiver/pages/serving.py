"""Serve the site and the files it leads to: on this machine, with ranges, nothing else of the archive.

What strangers sent is only shown where it can run nothing: a web page among the files arrives in a
sandbox, without scripts. Names of hosts are checked, so that a page elsewhere cannot point its own name
at this server and read it (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Final, Self
from urllib.parse import unquote, urlsplit

from archiver.archive import Head
from archiver.contracts import Stat
from archiver.errors import ArchiverError, MissingError
from archiver.ledger import Record, State, StoredFile
from archiver.naming import check_path
from archiver.pages import places

_CHUNK: Final = 1 << 18
_SECONDS: Final = 60
_TYPES: Final = {
    "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json", "xml": "application/xml", "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8", "vtt": "text/vtt; charset=utf-8", "srt": "text/plain; charset=utf-8",
    "pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png", "gif": "image/gif",
    "webp": "image/webp", "avif": "image/avif", "mp4": "video/mp4", "webm": "video/webm",
    "mov": "video/quicktime", "ogv": "video/ogg", "mp3": "audio/mpeg", "m4a": "audio/mp4",
    "ogg": "audio/ogg", "wav": "audio/wav", "flac": "audio/flac",
}  # fmt: skip
#: What may run something in a browser when it is shown.
_ACTIVE: Final = frozenset({"html", "xml", "svg"})
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_CONTENT: Final = re.compile(r"ocfl/[^/]+/v\d+/content/(?!metadata/)")
_DERIVED: Final = re.compile(r"derived/([^/]+)/")
_PUBLIC: Final = (places.SITE, "derived/")


def is_loopback(address: str) -> bool:
    """Say whether an address is one that only this machine reaches."""
    if address == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(address).is_loopback
    return False


class Server:
    """Serves one sink; use it as a context manager. `url` is where, with the port that was free."""

    def __init__(self, head: Head, address: str = "127.0.0.1", port: int = 0) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        hidden = frozenset(_hidden(head))
        about = {"sink": head.sink, "hidden": hidden, "hidden_texts": _hidden_texts(head)}
        handler = type("Handler", (_Handler,), about)
        kind = type("HttpServer", (_HttpServer,), {"address_family": family})
        try:
            self._server = kind((address, port), handler)
        except OSError as error:
            raise ArchiverError(
                f"The address {address}:{port} cannot be used: {error.strerror or error}",
                hint="choose another with --port, or --port 0 for any that is free",
            ) from error
        port = self._server.server_address[1]
        self.url = f"http://{f'[{address}]' if ':' in address else address}:{port}/"
        if is_loopback(address):
            handler.hosts = frozenset(  # type: ignore[attr-defined]  # the class was made above
                f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]", address)
            )
        self.has_pages = head.sink.stat(places.HOME) is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.server_close()

    def serve_forever(self) -> None:
        """Answer until `stop` is called or the program is interrupted."""
        self._server.serve_forever(poll_interval=0.1)

    def stop(self) -> None:
        """Let `serve_forever` return; called from another thread."""
        self._server.shutdown()


def _hidden(head: Head) -> Iterator[str]:
    """Name the files of what was taken down: their bytes stay, and are shown to nobody."""
    for record in head.records.values():
        if record.state is State.TAKEN_DOWN:
            for file in _files(record):
                yield from _copies(head, record.material.event, file)


def _copies(head: Head, event: str, file: StoredFile) -> Iterator[str]:
    """Name every place where the bytes of a file lie in its event."""
    owner = head.object(event)
    with suppress(MissingError):
        yield owner.locate(file.path)
    if owner.inventory is not None:
        yield from (owner.prefix + path for path in owner.inventory.manifest.get(file.sha256, ()))


def _hidden_texts(head: Head) -> frozenset[str]:
    """Give the SHA-256 of what was taken down, and of which nothing made of it is shown either."""
    taken, kept = set[str](), set[str]()
    for record in head.records.values():
        known = taken if record.state is State.TAKEN_DOWN else kept
        known.update(file.sha256 for file in _files(record))
    return frozenset(taken - kept)


def _files(record: Record) -> Iterator[StoredFile]:
    for files in (record.files, *(edition.files for edition in record.earlier)):
        yield from files


class _HttpServer(ThreadingHTTPServer):
    """Answers each request in a thread of its own."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of an error in a request; a browser that hung up is none."""
        # A closed tab, a player that jumps: before the request was whole, or while the answer was written.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD."""

    protocol_version = "HTTP/1.1"
    server_version = "archive"
    sys_version = ""
    timeout = _SECONDS
    sink: ClassVar[Any]
    hidden: ClassVar[frozenset[str]]
    hidden_texts: ClassVar[frozenset[str]]
    hosts: ClassVar[frozenset[str]] = frozenset()

    def do_GET(self) -> None:
        """Answer with a file."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer with the headers of a file."""
        self._answer(body=False)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
        """Say nothing of each request."""

    def _answer(self, *, body: bool) -> None:
        if self.hosts and self.headers.get("Host", "") not in self.hosts:
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
            return
        path = _asked(self.path)
        if path.endswith("/") or not path:
            self._redirect(f"/{places.HOME}")
            return
        try:
            found = self.sink.stat(path) if self._may_show(path) else None
            if found is None:
                self._refuse(HTTPStatus.NOT_FOUND)
            else:
                self._send(found, body=body)
        except (ArchiverError, ValueError):
            self._refuse(HTTPStatus.NOT_FOUND)

    def _may_show(self, path: str) -> bool:
        check_path(path)
        public = path == places.ROOT_PAGE or path.startswith(_PUBLIC) or _CONTENT.match(path)
        made_of = _DERIVED.match(path)
        shown = path not in self.hidden and (made_of is None or made_of[1] not in self.hidden_texts)
        return bool(public) and shown

    def _send(self, found: Stat, *, body: bool) -> None:
        span = _span(self.headers.get("Range", ""), found.size)
        if span is None:
            self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, f"bytes */{found.size}")
            return
        start, end = span
        partial = (start, end) != (0, found.size)
        self.send_response(HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK)
        if partial:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{found.size}")
        self.send_header("Content-Length", str(end - start))
        self.send_header("Accept-Ranges", "bytes")
        self._headers(found.path)
        self.end_headers()
        if body:
            self._copy(found.path, start, end)

    def _headers(self, path: str) -> None:
        ending = path.rpartition(".")[2].lower() if "." in path.rpartition("/")[2] else ""
        own = path.startswith(places.SITE) or path == places.ROOT_PAGE
        self.send_header("Content-Type", _TYPES.get(ending, "application/octet-stream"))
        self.send_header("Cache-Control", "no-cache" if own else "private, max-age=3600")
        self._safety()
        if not own and ending in _ACTIVE:
            self.send_header(
                "Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'"
            )

    def _safety(self) -> None:
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Frame-Options", "DENY")

    def _copy(self, path: str, start: int, end: int) -> None:
        with self.sink.open(path, start) as stream:
            left = end - start
            while left and (piece := stream.read(min(left, _CHUNK))):
                self.wfile.write(piece)
                left -= len(piece)
        if left:  # shorter than it was: the browser must not take the next answer for the rest
            self.close_connection = True

    def _redirect(self, target: str) -> None:
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _refuse(self, status: HTTPStatus, span: str = "") -> None:
        text = f"{status.value} {status.phrase}\n".encode()
        self.send_response(status)
        if span:
            self.send_header("Content-Range", span)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self._safety()
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)


def _asked(target: str) -> str:
    """Read the path of a request, decoded; what is no path of a sink is refused later."""
    return unquote(urlsplit(target).path, errors="replace").removeprefix("/")


def _span(header: str, size: int) -> tuple[int, int] | None:
    """Read a Range header (RFC 9110, 14.1.2): (start, end), end not included; None when out of reach.

    Several ranges, and what cannot be read, count as no range: the whole file is a right answer.
    """
    found = _RANGE.fullmatch(header.strip())
    if not found or not (found[1] or found[2]):
        return 0, size
    if not found[1]:  # the last so many bytes
        last = min(int(found[2]), size)
        return (size - last, size) if last else None
    start = int(found[1])
    end = min(int(found[2]) + 1, size) if found[2] else size
    if found[2] and int(found[2]) < start:
        return 0, size
    return (start, end) if start < size else None
