"""A way to an object store on which things go wrong: answers are made up, lost or cut off."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from s3_servers import Server

_PER_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


@dataclass(frozen=True)
class Asked:
    """One request: `path` with its query, as it was sent."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """What to do with a request.

    With a `status` nothing reaches the store. `lost`: the store answers, and nobody hears it. `cut`: only
    so many bytes of the body come. `headers` are added to the answer.
    """

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False
    cut: int | None = None


Rule = Callable[[Asked], Reply | None]


class Proxy:
    """The proxy: `rules` are asked in turn, `asked` is what came.

    `ignores` are beginnings of headers that the store does not get to see: it seems to pass over them.
    With them, `spoils` turns the first byte of each body into another one on the way.
    """

    def __init__(self, store: Server) -> None:
        self.rules: list[Rule] = []
        self.asked: list[Asked] = []
        self.ignores: tuple[str, ...] = ()
        self.spoils = False
        self._store, self._keys = urlsplit(store.url), (store.key, store.secret)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self) -> None:
                outer._serve(self)

            # The names that the base class looks for.
            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = serve  # noqa: N815  # see above

            def log_message(self, *_: Any) -> None:
                pass

            def handle_expect_100(self) -> bool:
                return True

        self._listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._listener.daemon_threads = True
        self.server = replace(store, url=f"http://127.0.0.1:{self._listener.server_address[1]}")

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._listener.shutdown()
            self._listener.server_close()
            thread.join()

    def count(self, method: str, part: str = "") -> int:
        """Say how many requests of a kind came."""
        return sum(1 for each in self.asked if each.method == method and part in each.path)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        asked = Asked(handler.command, handler.path, {k.lower(): v for k, v in handler.headers.items()})
        self.asked.append(asked)
        reply = next((found for rule in self.rules if (found := rule(asked))), Reply())
        if "100-continue" in asked.headers.get("expect", "") and not reply.status:
            handler.send_response_only(100)
            handler.end_headers()
        body = handler.rfile.read(int(asked.headers.get("content-length", 0))) if not reply.status else b""
        if reply.status:
            handler.close_connection = True  # the body was not read
            self._answer(handler, reply.status, reply.headers, reply.body, None)
            return
        status, headers, data = self._forward(asked, body)
        if reply.lost:
            handler.close_connection = True
            return
        self._answer(handler, status, {**headers, **reply.headers}, data, reply.cut)

    def _forward(self, asked: Asked, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self._store.hostname or "", self._store.port, timeout=30)
        try:
            # The host as it was signed. Nobody waits for leave to send.
            headers = {k: v for k, v in asked.headers.items() if k != "expect"}
            if self.ignores:
                headers, body = self._signed_anew(asked, headers, body)
            connection.request(asked.method, asked.path, body, headers)
            answer = connection.getresponse()
            told = {k.lower(): v for k, v in answer.getheaders()}
            length = told.get("content-length", "")
            data = answer.read()
            if asked.method == "HEAD":
                told["x-length"] = length
            return answer.status, told, data
        finally:
            connection.close()

    def _signed_anew(
        self, asked: Asked, headers: dict[str, str], body: bytes
    ) -> tuple[dict[str, str], bytes]:
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        gone = (*self.ignores, "authorization", "x-amz-date", "x-amz-content-sha256", "content-length")
        kept = {name: value for name, value in headers.items() if not name.startswith(gone)}
        if "x-amz-checksum" in self.ignores:
            body = re.sub(rb"<ChecksumSHA256>[^<]*</ChecksumSHA256>", b"", body)
        if self.spoils and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        request = AWSRequest(asked.method, f"http://{headers['host']}{asked.path}", kept, body)
        S3SigV4Auth(Credentials(*self._keys), "s3", "us-east-1").add_auth(request)
        return dict(request.headers.items()), body

    @staticmethod
    def _answer(
        handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], data: bytes, cut: int | None
    ) -> None:
        handler.send_response_only(status)
        for name, value in headers.items():
            if name not in {*_PER_HOP, "x-length"}:
                handler.send_header(name, value)
        if handler.close_connection:
            handler.send_header("Connection", "close")
        handler.send_header("Content-Length", headers.get("x-length") or str(len(data)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data[:cut])
        if cut is not None:
            handler.close_connection = True


def once(rule: Rule, times: int = 1) -> Rule:
    """Let a rule hold for the first requests that it meets."""
    left = [times]

    def limited(asked: Asked) -> Reply | None:
        if left[0] and (reply := rule(asked)):
            left[0] -= 1
            return reply
        return None

    return limited


def on(method: str, part: str, reply: Reply) -> Rule:
    """Answer requests of a kind whose path holds `part`."""
    return lambda asked: reply if asked.method == method and part in asked.path else None


def error(status: int, code: str, message: str = "", more: str = "") -> Reply:
    """Make an error as stores write it."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>".encode()
    return Reply(status, body, {"Content-Type": "application/xml"})
