"""Connections: opened to checked addresses only, kept for the next request, closed from anywhere."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archiver.errors import BlockedError
from archiver.web.breaks import ConnectionFault, Unreachable
from archiver.web.guard import Address, Guard
from archiver.web.limits import Patience
from archiver.web.urls import Origin

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

#: Connections kept open for one origin; more than eight buy nothing (see benchmarks/transport.py).
MAX_IDLE = 8
#: Servers close idle connections after 5 s (Apache) to 75 s (nginx).
IDLE_SECONDS = 15.0
#: Header lines are read through this; a body goes past it, straight into the caller's buffer.
_BUFFER = 8192


@functools.cache
def default_tls() -> ssl.SSLContext:
    """Make the TLS context that trusts what the system trusts; once, because it costs 20 ms."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Wire:
    """A connected socket whose reads keep a deadline and a minimum rate.

    To `http.client` it is the socket. Its `close` does nothing: `http.client` closes early when the
    server will, while the body is still to be read. `shut` closes, in the thread that uses the wire;
    any other thread may `interrupt`.
    """

    def __init__(self, sock: socket.socket, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._sock = sock
        self._allow = _by_the_system(sock) if _is_plain(sock) else _by_polling(sock)
        self._monotonic = monotonic
        self._patience = Patience(10.0, 30.0, float("inf"), 0.0, 30.0)
        self._window: tuple[float, int] | None = None
        self._interrupted = False
        self._reader = _Reader(self)

    def arm(self, patience: Patience) -> None:
        """Set the bounds of the exchange that begins now."""
        self._patience, self._window = patience, None
        self._allow(max(0.001, min(patience.read, patience.until - self._monotonic())))

    def watch_rate(self) -> None:
        """Hold the bytes from now on against the minimum rate: the head of the answer is read."""
        self._window = (self._monotonic(), 0)

    def receive(self, buffer: WriteableBuffer) -> int:
        """Read what is there into `buffer`. Raises `TimeoutError` when it comes too late or too slowly."""
        seconds = self._seconds()
        if seconds < self._patience.read:
            self._allow(seconds)
        try:
            count = self._sock.recv_into(buffer)
        except (TimeoutError, BlockingIOError):
            if seconds < self._patience.read:
                raise _too_long() from None
            raise TimeoutError(f"nothing came for {seconds:.0f} seconds") from None
        if self._interrupted:
            # An interrupted read looks like the end of the answer.
            raise ConnectionAbortedError("the client was closed")
        if self._window is not None:
            self._check_rate(count)
        return count

    def sendall(self, data: ReadableBuffer) -> None:
        """Send everything. Raises `TimeoutError` when it is not taken in time."""
        left = memoryview(data)
        try:
            while left:
                left = left[self._sock.send(left) :]
                if left:  # more than the system holds for a connection
                    self._allow(self._seconds())
        except BlockingIOError:
            raise TimeoutError("nothing of what was sent was taken") from None

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """Give `http.client` a file to read one answer from."""
        self._reader = _Reader(self)
        return io.BufferedReader(self._reader, _BUFFER)

    def end_answer(self) -> None:
        """Let the file of this answer give nothing more than it has read already."""
        self._reader.ended = True

    def goes_on(self, seconds: float) -> bytes:
        """Give a little of what comes within so many seconds, and leave it there; nothing at the end."""
        if isinstance(self._sock, ssl.SSLSocket):
            return b"-" if self._sock.pending() else b""
        try:
            poll = select.poll()
            poll.register(self._sock, select.POLLIN)
            return self._sock.recv(16, socket.MSG_PEEK) if poll.poll(seconds * 1000) else b""
        except (OSError, ValueError):
            return b""

    def close(self) -> None:
        """Do nothing; see the class."""

    def shut(self) -> None:
        """Close at once."""
        self._sock.close()

    def interrupt(self) -> None:
        """Make the thread that reads here fail. It closes: a number closed here could be taken again."""
        self._interrupted = True
        with contextlib.suppress(OSError):
            # Not `SSLSocket.shutdown`: after that one, a read returns what came still encrypted.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def is_quiet(self) -> bool:
        """Say whether nothing is there to read: on an idle connection that would be its end, or junk."""
        # What came in one record with the answer before is with the TLS layer already.
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return False
        try:
            poll = select.poll()
            poll.register(self._sock, select.POLLIN)
            return not poll.poll(0)
        except (OSError, ValueError):
            return False

    def _seconds(self) -> float:
        left = self._patience.until - self._monotonic()
        if left <= 0:
            raise _too_long()
        return min(left, self._patience.read)

    def _check_rate(self, count: int) -> None:
        assert self._window is not None
        begun, received = self._window
        received += count
        now = self._monotonic()
        if now - begun < self._patience.rate_seconds:
            self._window = (begun, received)
        elif received < self._patience.rate * (now - begun):
            raise TimeoutError(f"it came slower than {self._patience.rate:.0f} bytes a second")
        else:
            self._window = (now, 0)


def _is_plain(sock: socket.socket) -> bool:
    # On 32 bits a time has 32 or 64 bits, by the C library.
    simple = os.name == "posix" and struct.calcsize("@l") == 8
    return simple and not isinstance(sock, ssl.SSLSocket)


def _by_polling(sock: socket.socket) -> Callable[[float], None]:
    """Give what bounds each read and write, in seconds: Python then asks the system before each."""
    allowed = sock.gettimeout()

    def allow(seconds: float) -> None:
        nonlocal allowed
        if seconds != allowed:  # setting it is a system call
            sock.settimeout(seconds)
            allowed = seconds

    return allow


def _by_the_system(sock: socket.socket) -> Callable[[float], None]:
    """The same for a plain socket, with half of the system calls: the system itself ends a wait (socket(7)).

    A read or write that waited too long raises `BlockingIOError`.
    """
    sock.settimeout(None)
    allowed = 0.0

    def allow(seconds: float) -> None:
        nonlocal allowed
        if seconds != allowed:
            bounded = max(seconds, 0.001)  # 0 would be for ever
            whole = int(bounded)
            value = struct.pack("@ll", whole, int((bounded - whole) * 1e6))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)
            allowed = seconds

    return allow


def _too_long() -> TimeoutError:
    return TimeoutError("it took longer than the whole call may take")


class _Reader(io.RawIOBase):
    """The reading side of a wire for one answer; closing it leaves the wire open."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return 0 if self.ended else self._wire.receive(buffer)


@dataclass(eq=False, slots=True)
class Connection:
    """One HTTP/1.1 connection. It is `used` when an answer came over it before, and idle since then."""

    origin: Origin
    wire: Wire
    used: bool = False
    idle_since: float = 0.0


class Pool:
    """Idle connections by origin, and all open ones, so that `close` can end them from any thread."""

    def __init__(
        self,
        guard: Guard,
        *,
        tls: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guard = guard
        self._tls = tls
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._idle: dict[Origin, list[Connection]] = {}
        self._open: set[Connection] = set()
        self._closed = False

    def lease(self, origin: Origin, patience: Patience, *, fresh: bool = False) -> Connection:
        """Take an idle connection, or open one; with `fresh`, open one in any case.

        Raises what `Guard.addresses` raises, and `Unreachable`.
        """
        connection = None if fresh else self._reusable(origin)
        if connection is None:
            connection = self._connect(origin, patience)
        connection.wire.arm(patience)
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep a connection, whose answer was read to its end, for the next request."""
        connection.used = True
        connection.idle_since = self._monotonic()
        with self._lock:
            idle = self._idle.setdefault(connection.origin, [])
            if not self._closed and len(idle) < MAX_IDLE:
                idle.append(connection)
                return
        self.discard(connection)

    def discard(self, connection: Connection) -> None:
        """Close a connection whose state is not known."""
        with self._lock:
            self._open.discard(connection)
        connection.wire.shut()

    def close(self) -> None:
        """Close all connections, also those in use: their readers fail at once."""
        with self._lock:
            self._closed = True
            connections = set(self._open)
            idle = [connection for each in self._idle.values() for connection in each]
            self._idle = {}
        for connection in connections.difference(idle):
            connection.wire.interrupt()
        for connection in idle:
            self.discard(connection)

    def _reusable(self, origin: Origin) -> Connection | None:
        while True:
            with self._lock:
                idle = self._idle.get(origin)
                connection = idle.pop() if idle else None
            if connection is None:
                return None
            fresh_enough = self._monotonic() - connection.idle_since < IDLE_SECONDS
            if fresh_enough and connection.wire.is_quiet():
                return connection
            self.discard(connection)

    def _connect(self, origin: Origin, patience: Patience) -> Connection:
        problem: ConnectionFault = Unreachable("the host has no address")
        for address in self._guard.addresses(origin):
            try:
                return self._register(Connection(origin, self._wire(origin, address, patience)))
            except TimeoutError:
                problem = Unreachable(f"no connection within {patience.connect:.0f} seconds")
            except OSError as error:
                problem = Unreachable(error.strerror or str(error))
        raise problem

    def _register(self, connection: Connection) -> Connection:
        with self._lock:
            if not self._closed:
                self._open.add(connection)
                return connection
        connection.wire.shut()
        raise Unreachable("the client is closed")

    def _wire(self, origin: Origin, address: Address, patience: Patience) -> Wire:
        family, target = address
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(max(0.001, min(patience.connect, patience.until - self._monotonic())))
            sock.connect(target)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Wire(self._secured(sock, origin), self._monotonic)
        except BaseException:
            sock.close()
            raise

    def _secured(self, sock: socket.socket, origin: Origin) -> socket.socket:
        if origin.scheme != "https":
            return sock
        try:
            # The certificate must be the host's, although we connect to an address.
            return (self._tls or default_tls()).wrap_socket(sock, server_hostname=origin.host)
        except ssl.SSLCertVerificationError as error:
            raise BlockedError(
                f"The certificate of {origin.host} cannot be trusted: {error.verify_message}",
                hint="Check the address and this machine's clock and certificates.",
            ) from error
