"""A loopback service: a real HTTP server that a test or the demo talks to instead of the real one.

A service is a class that says which path leads to which method:

    class PhotoDouble(Service):
        def routes(self) -> Routes:
            return {
                "/photos/{user}/{id}": self.photo,
                "POST /login": self.login,
            }

        def photo(self, request: Request) -> Reply:
            return Reply.html(f"<h1>{html.escape(request.args['id'])}</h1>")

    with PhotoDouble() as service:
        service.serve("/file.jpg", data, "image/jpeg")
        service.fault("*.jpg", "truncate", times=2)
        ...  # talk to service.url
        assert service.requests.count("*.jpg", status=200) == 3
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from archiver.testing.faults import Fault, FaultBoard, FaultKind, deliver
from archiver.testing.messages import Answer, Logged, Reply, Request, RequestLog, settle

MAX_BODY = 64 * 1024 * 1024

Handler = Callable[[Request], Reply]
Routes = Mapping[str, Handler]


class Service:
    """A threaded HTTP/1.1 server on 127.0.0.1, on a free port unless one is given.

    Use it as a context manager, or call `start` and `stop`. An exception in a handler is answered
    with 500 and raised again when the `with` block ends: a broken double must not pass for a
    broken network.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.requests = RequestLog()
        self.faults = FaultBoard()
        self.errors: list[Exception] = []
        self._files: dict[str, Reply] = {}
        self._table: list[tuple[str, re.Pattern[str], Handler]] | None = None
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def routes(self) -> Routes:
        """Say which path leads to which handler; the first that matches answers.

        A key is a path with placeholders, `/photos/{user}/{id:int}`: `{x}` matches one segment or a
        part of it, `{x:int}` digits, `{x:path}` anything. A method before it (`POST /login`) is
        needed for all but GET and HEAD.
        """
        return {}

    @property
    def url(self) -> str:
        """Give the address, without a slash at the end. Raises `RuntimeError` when not started."""
        if self._server is None:
            raise RuntimeError(f"{type(self).__name__} is not started; use it in a with block")
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> Self:
        """Begin to listen. Raises `OSError` when the port is taken."""
        self._server = _Server(self._port, self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port and every connection; return when no thread of the service is left."""
        server, self._server = self._server, None
        if server is None or self._thread is None:
            return
        server.stopping.set()
        server.shutdown()
        self._thread.join()
        server.close_connections()
        server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if kind is None and self.errors:
            raise self.errors[0]

    def serve(self, path: str, body: bytes | Path, media_type: str = "application/octet-stream") -> str:
        """Offer a file under a (percent-decoded) path and return its address; it may replace another."""
        self._files[path] = Reply.file(body, media_type)
        return f"{self.url}{path}"

    def withdraw(self, path: str) -> None:
        """Stop offering a file; nothing happens when there is none."""
        self._files.pop(path, None)

    def fault(
        self,
        pattern: str,
        kind: FaultKind | str,
        *,
        times: int | None = 1,
        after: int = 0,
        retry_after: float | datetime | None = None,
        at: int | None = None,
        chunk: int = 16,
        pause: float = 0.05,
    ) -> None:
        """Switch a fault on for the paths that match a shell pattern; see `Fault` for the rest.

        Raises `ValueError` for an unknown kind.
        """
        self.faults.add(Fault(pattern, FaultKind(kind), times, after, retry_after, at, chunk, pause))

    def reply_to(self, request: Request) -> Reply:
        """Find the file or the route for a request and let it answer."""
        if request.path in self._files:
            return self._files[request.path]
        if self._table is None:
            self._table = [_compile(route, handler) for route, handler in self.routes().items()]
        method = "GET" if request.method == "HEAD" else request.method
        for wanted, pattern, handler in self._table:
            if wanted == method and (match := pattern.fullmatch(request.path)):
                return handler(replace(request, args=match.groupdict()))
        return Reply.missing()


_PLACEHOLDER = re.compile(r"\{(\w+)(?::(int|path))?\}")
_PLACEHOLDER_KINDS = {"": "[^/]+?", "int": "[0-9]+", "path": ".+"}


def _compile(route: str, handler: Handler) -> tuple[str, re.Pattern[str], Handler]:
    method, _, path = route.rpartition(" ")
    pieces = _PLACEHOLDER.split(path)
    # split() yields text, name, kind, text, name, kind, …, text
    pattern = re.escape(pieces[0])
    for name, kind, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        pattern += f"(?P<{name}>{_PLACEHOLDER_KINDS[kind or '']}){re.escape(text)}"
    return method or "GET", re.compile(pattern, re.DOTALL), handler


class _Server(socketserver.ThreadingTCPServer):
    """The socket side: knows its open connections, so that a stop is quick and complete."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, service: Service) -> None:
        self.service = service
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}
        super().__init__(("127.0.0.1", port), _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        with self._lock:
            self._open[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: clients may leave at any time, and handlers report their own errors."""

    def close_connections(self) -> None:
        with self._lock:
            still_open = dict(self._open)
        for connection in still_open.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in still_open:
            thread.join(10)


class _Connection(BaseHTTPRequestHandler):
    """One client's connection; also the `Wire` that faults act on."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    _torn = False

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it
        """Write nothing: the request log is the log."""

    def _answer(self) -> None:
        service = self.server.service
        request = self._read()
        if request is None:
            return
        fault = service.faults.take(request.path)
        reply = self._reply(request)
        answer = settle(request, fault.replace(reply) if fault else reply)
        # Logged before it is sent: whoever has the answer finds it in the log.
        logged = Logged(request.method, request.path, request.query, request.headers, answer.status)
        service.requests.add(logged)
        with contextlib.suppress(ConnectionError):
            deliver(self, answer, fault)
            return
        self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815  # the base class names them

    def _read(self) -> Request | None:
        target = urlsplit(self.path)
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY or "Transfer-Encoding" in self.headers:
            self.send_error(413)
            return None
        return Request(
            method=self.command,
            path=unquote(target.path),
            query=dict(parse_qsl(target.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
            target=self.path,
        )

    def _reply(self, request: Request) -> Reply:
        try:
            return self.server.service.reply_to(request)
        except Exception as error:  # noqa: BLE001  # kept and raised again when the service ends
            self.server.service.errors.append(error)
            return Reply(f"the double failed: {error!r}".encode(), 500, "text/plain; charset=utf-8")

    def head(self, answer: Answer, length: int, *, close: bool) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", self.date_time_string())
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Length", str(length))
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()

    def write(self, data: bytes) -> None:
        if self.command != "HEAD":
            self.wfile.write(data)

    def wait(self, seconds: float | None) -> bool:
        stopping = self.server.stopping
        if seconds is not None:
            return not stopping.wait(seconds)
        while not stopping.wait(0.05):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return False
        return False

    def reset(self) -> None:
        # Closing with a linger time of zero sends RST instead of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = self._torn = True

    def finish(self) -> None:
        super().finish()
        if self._torn:
            # Here, before the server would say goodbye properly with a FIN.
            self.connection.close()
