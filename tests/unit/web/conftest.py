"""A loopback origin made of raw sockets, so that it can misbehave in every way a real one does."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

import pytest

from archiver.web import Clock, Guard, Limits, PoliteClient


@dataclass
class Request:
    target: str
    headers: dict[str, str]
    sock: socket.socket
    method: str = "GET"
    body: bytes = b""


#: Answers a request on its socket; True keeps the connection.
Script = Callable[[Request], bool]


@dataclass
class Steps:
    """A clock that moves only when somebody sleeps, and remembers the naps. `tick` moves it per look.

    `before_nap` is called before each.
    """

    now: float = 1_000.0
    tick: float = 0.0
    naps: list[float] = field(default_factory=list)
    before_nap: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        self.now += self.tick
        return self.now

    def sleep(self, seconds: float) -> None:
        self.before_nap()
        self.naps.append(seconds)
        self.now += seconds

    def clock(self, wall: float = 1_800_000_000.0, random: float = 0.5) -> Clock:
        return Clock(self.monotonic, lambda: wall, lambda: random, self.sleep)


class FaultOrigin:
    """Plays scripts by path: each request takes the next one, the last one stays."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._tls = tls
        self._scripts: dict[str, list[Script]] = {}
        self._sockets: set[socket.socket] = set()
        self.requests: list[Request] = []
        self.connections = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    @property
    def base(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def on(self, path: str, *scripts: Script) -> str:
        self._scripts[path] = list(scripts)
        return self.base + path

    def asked(self, path: str) -> list[dict[str, str]]:
        return [request.headers for request in self.requests if request.target.partition("?")[0] == path]

    def stop(self) -> None:
        self._server.close()
        for sock in list(self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    # Scripts

    @staticmethod
    def raw(data: bytes, *, keep: bool = False) -> Script:
        def script(request: Request) -> bool:
            request.sock.sendall(data)
            return keep

        return script

    @staticmethod
    def answer(
        status: int = 200,
        body: bytes = b"",
        *,
        length: int | None = None,
        cut: int | None = None,
        reset: bool = False,
        **headers: str,
    ) -> Script:
        """Answer; `length` lies about the size, `cut` sends only so much, `reset` ends with an RST."""
        fields = {"content-length": str(len(body) if length is None else length)}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}

        def script(request: Request) -> bool:
            _send(request.sock, status, fields, body if cut is None else body[:cut])
            if reset:
                request.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                request.sock.close()
            return cut is None and not reset

        return script

    @staticmethod
    def file(data: bytes, *, etag: str = '"v1"', cut: int | None = None, **headers: str) -> Script:
        """Serve a file as the RFC says, If-Range included; `cut` breaks off after so many bytes."""

        def script(request: Request) -> bool:
            start = 0
            asked, guard = request.headers.get("range", ""), request.headers.get("if-range")
            if asked and guard in {None, etag, headers.get("last_modified")}:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
            body = data[start:]
            fields = {"content-length": str(len(body)), "date": formatdate(1_800_000_000, usegmt=True)}
            fields |= {name.replace("_", "-"): value for name, value in headers.items()}
            if etag:
                fields["etag"] = etag
            if start:
                fields["content-range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            _send(request.sock, 206 if start else 200, fields, body[:cut])
            return cut is None

        return script

    # Serving

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            self._sockets.add(sock)
            with sock.makefile("rb") as lines:
                while (request := _read(lines, sock)) and self._play(request):
                    pass
        except OSError:
            pass
        finally:
            sock.close()

    def _play(self, request: Request) -> bool:
        self.requests.append(request)
        scripts = self._scripts.get(request.target.partition("?")[0], [self.answer(404)])
        return (scripts.pop(0) if len(scripts) > 1 else scripts[0])(request)


def _read(lines: object, sock: socket.socket) -> Request | None:
    readline: Callable[[], bytes] = lines.readline  # type: ignore[attr-defined]  # a binary file
    read: Callable[[int], bytes] = lines.read  # type: ignore[attr-defined]  # likewise
    first = readline().decode("latin-1").split(" ")
    if len(first) != 3:
        return None
    headers = {}
    while (line := readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = read(int(headers.get("content-length", "0")))
    return Request(first[1], headers, sock, first[0], body)


def _send(sock: socket.socket, status: int, fields: dict[str, str], body: bytes) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    sock.sendall(f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body)


@pytest.fixture
def origin() -> Iterator[FaultOrigin]:
    server = FaultOrigin()
    yield server
    server.stop()


@pytest.fixture
def stranger() -> Iterator[FaultOrigin]:
    server = FaultOrigin()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One PEM file with a key and a certificate for the name `talks.example`."""
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout key.pem "
        "-out cert.pem -subj /CN=talks.example -addext subjectAltName=DNS:talks.example"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    return both


@pytest.fixture
def tls_origin(certificate: Path) -> Iterator[FaultOrigin]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = FaultOrigin(context)
    yield server
    server.stop()


@pytest.fixture
def tls_client(tls_origin: FaultOrigin, certificate: Path) -> Iterator[PoliteClient]:
    """A client that gets `talks.example` from the TLS origin, and tries nothing twice."""

    def resolver(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        del host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    guard = Guard([f"https://talks.example:{tls_origin.port}"], resolver=resolver)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with PoliteClient(guard=guard, tls=trusting, limits=Limits(attempts=1)) as made:
        yield made


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def client(origin: FaultOrigin, steps: Steps) -> Iterator[PoliteClient]:
    with PoliteClient(hosts_allowed=[origin.base], clock=steps.clock(), limits=Limits()) as made:
        yield made
