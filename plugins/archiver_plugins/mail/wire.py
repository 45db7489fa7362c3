"""The IMAP connection: the standard library's client on a socket with bounds of its own.

`imaplib` reads lines of up to a million bytes, literals of any length, and waits for each read anew, so
that a server which drips one byte a minute is never given up. Here every answer has a deadline.
"""

from __future__ import annotations

import imaplib
import socket
import ssl
import time
from pathlib import Path
from typing import Any, Final, Literal

#: Bytes of one line: the numbers of a million messages, or the structure of the worst message.
MAX_LINE: Final = 16 << 20
MAX_LITERAL: Final = 16 << 20
#: Bytes a second below which a transfer counts as stalled, once the time-out is used up.
_SLOWEST: Final = 1024

Tls = Literal["on", "starttls", "none"]


class Connection(imaplib.IMAP4):
    """One connection to a server. `timeout` is in seconds, for each answer.

    Raises `imaplib.IMAP4.error` and `OSError` (also `TimeoutError` and `ssl.SSLError`); the session
    makes errors of ours out of them.
    """

    def __init__(self, host: str, port: int, *, tls: Tls, ca_file: Path | None, timeout: float) -> None:
        self._tls: Tls = tls
        self._ca_file = ca_file
        self._patience = timeout
        self._received = bytearray()
        self._buffer = bytearray(256 << 10)
        super().__init__(host, port, timeout)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect, with TLS where it is asked for, certificates checked."""
        self.host, self.port = host, port
        self.sock = socket.create_connection((host, port), timeout)
        try:
            if self._tls == "starttls":
                self._ask_for_tls()
            if self._tls != "none":
                self.sock = self._context().wrap_socket(self.sock, server_hostname=host)
        except BaseException:
            self.sock.close()
            raise

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self._ca_file) if self._ca_file else None)

    def _ask_for_tls(self) -> None:
        """Begin TLS before anything else (RFC 9051, 6.2.1).

        What came beside the two lines came from nobody knows whom, and is thrown away.
        """
        self._line(4096)
        self.sock.sendall(b"TLS0 STARTTLS\r\n")
        answer = self._line(4096)
        if not answer.startswith(b"TLS0 OK"):
            raise self.error("the server refuses STARTTLS")
        self._received[:] = b"* OK\r\n"  # a greeting was spoken already, and imaplib waits for one

    def readline(self) -> bytes:
        """Read a line with its end; empty at the end of the connection."""
        return self._line(MAX_LINE)

    def read(self, size: int) -> bytes:
        """Read a literal."""
        if size > MAX_LITERAL:
            raise self.abort(f"the server announces {size:,} bytes at once")
        deadline = self._deadline(size)
        while len(self._received) < size:
            if not self._more(deadline):
                return b""  # the caller stumbles over the next line
        return self._taken(size)

    def _line(self, most: int) -> bytes:
        deadline, searched = self._deadline(0), 0
        while (at := self._received.find(b"\n", searched)) < 0:
            searched = len(self._received)
            if searched > most:
                raise self.abort(f"the server sent a line of more than {most:,} bytes")
            if not self._more(deadline):
                return b""
        return self._taken(at + 1)

    def _deadline(self, size: int) -> float:
        return time.monotonic() + self._patience + size / _SLOWEST

    def _more(self, deadline: float) -> bool:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server is too slow")
        self.sock.settimeout(min(left, self._patience))
        count = self.sock.recv_into(self._buffer)
        self._received += memoryview(self._buffer)[:count]
        return bool(count)

    def _taken(self, size: int) -> bytes:
        data = bytes(memoryview(self._received)[:size])
        del self._received[:size]
        return data

    def shutdown(self) -> None:
        """Close the socket."""
        self.sock.close()

    def _untagged(self, name: str) -> Any:
        """Give the last data of an untagged response, None when there was none."""
        return self.untagged_responses.get(name, [None])[-1]

    def number(self, name: str) -> int | None:
        """Give the number of a response such as UIDNEXT, None when the server named none."""
        value = self._untagged(name)
        return int(value) if isinstance(value, bytes) and value.isdigit() else None
