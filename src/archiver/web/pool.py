"""Connections: opened to checked addresses only, kept for the next request, closed from anywhere."""

from __future__ import annotations

import functools
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from archiver.errors import BlockedError
from archiver.web.breaks import ConnectionFault, Unreachable
from archiver.web.guard import Address, Guard
from archiver.web.limits import Patience
from archiver.web.urls import Origin
from archiver.web.wire import Wire

#: Connections kept open for one origin; more than eight buy nothing (see benchmarks/transport.py).
MAX_IDLE = 8
#: Servers close idle connections after 5 s (Apache) to 75 s (nginx).
IDLE_SECONDS = 15.0


@functools.cache
def default_tls() -> ssl.SSLContext:
    """Make the TLS context that trusts what the system trusts; once, because it costs 20 ms."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


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
            context = self._tls or default_tls()
            return context.wrap_socket(sock, server_hostname=origin.host, suppress_ragged_eofs=False)
        except ssl.SSLCertVerificationError as error:
            raise BlockedError(
                f"The certificate of {origin.host} cannot be trusted: {error.verify_message}",
                hint="Check the address and this machine's clock and certificates.",
            ) from error
