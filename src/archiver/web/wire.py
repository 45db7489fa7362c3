"""One connected socket, read and written under deadlines and a minimum rate."""

from __future__ import annotations

import contextlib
import io
import os
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from archiver.web.limits import Patience

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

#: Header lines are read through this; a body goes past it, straight into the caller's buffer.
_BUFFER = 8192
_NEVER = float("inf")


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
        self._patience = Patience(10.0, 30.0, 30.0, _NEVER, 0.0, 30.0)
        self._head_until = _NEVER
        self._window: tuple[float, int] | None = None
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._interrupted = False
        #: The other side ended the connection without the farewell of TLS: anybody may have cut it.
        self.ragged = False
        self._reader = _Reader(self)

    def arm(self, patience: Patience) -> None:
        """Set the bounds of the exchange that begins now."""
        self._patience, self._window, self._head_until = patience, None, _NEVER
        self._allow(max(0.001, min(patience.read, patience.until - self._monotonic())))

    def watch_rate(self) -> None:
        """Hold the bytes from now on against the minimum rate: the head of the answer is read."""
        self._window, self._head_until = (self._monotonic(), 0), _NEVER

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
        except ssl.SSLEOFError:  # the connection ended, and TLS did not say that it would (RFC 9112, 9.8)
            self.ragged = True
            count = 0
        if self._interrupted:
            # An interrupted read looks like the end of the answer.
            raise ConnectionAbortedError("the client was closed")
        if self._window is not None:
            self._check_rate(count)
        elif self._head_until == _NEVER:
            self._head_until = self._monotonic() + self._patience.head
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
        """Give a little of what comes within so many seconds, nothing at the end. Over TLS it is taken."""
        try:
            if isinstance(self._sock, ssl.SSLSocket):
                return self._unpacked(self._sock, seconds)
            return self._sock.recv(16, socket.MSG_PEEK) if self._poll.poll(seconds * 1000) else b""
        except OSError:
            return b""

    def _unpacked(self, sock: ssl.SSLSocket, seconds: float) -> bytes:
        # What came in one record with the answer before is with the TLS layer already.
        if not sock.pending() and not self._poll.poll(seconds * 1000):
            return b""
        allowed = sock.gettimeout()
        sock.settimeout(0)  # a session ticket, say, holds nothing that could be read
        try:
            return sock.recv(16)
        finally:
            sock.settimeout(allowed)

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
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():  # see `_unpacked`
            return False
        return not self._poll.poll(0)

    def _seconds(self) -> float:
        now = self._monotonic()
        if now >= self._head_until:
            told = f"the head of the answer did not come to its end in {self._patience.head:.0f} seconds"
            raise TimeoutError(told)
        left = self._patience.until - now
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
