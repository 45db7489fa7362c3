"""Read an object as a stream that goes on where a connection broke off."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

_BUFFER = 256 << 10
#: Broken connections in a row, with not one byte between them, after which we give up.
_TRIES = 5

#: Gives the answer to a GET from a byte on, only of the object with that ETag; None past its end.
Get = Callable[[int, str], Any]


class _Raw(io.RawIOBase):
    def __init__(self, get: Get, start: int, explain: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__()
        self._get, self._explain = get, explain
        self._place, self._etag, self._tries = start, "", 0
        # Where the store has no such key, asking raises, and Python closes what is there by then.
        self._body: Any = None
        self._body = self._ask()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        with self._explain():
            while True:
                data = self._read(len(buffer))
                if data is not None:
                    buffer[: len(data)] = data
                    self._place += len(data)
                    return len(data)
                self._body = self._ask()

    def close(self) -> None:
        if not self.closed and self._body is not None:
            self._body.close()
        super().close()

    def _read(self, size: int) -> bytes | None:
        """Read some bytes; None when the connection broke off and another one is worth a try."""
        from botocore.exceptions import HTTPClientError, IncompleteReadError

        if self._body is None:
            return b""
        try:
            data: bytes = self._body.read(size)
        except (HTTPClientError, IncompleteReadError):
            self._tries += 1
            if self._tries >= _TRIES:
                raise
            self._body.close()
            return None
        self._tries = 0
        return data

    def _ask(self) -> Any:
        answer = self._get(self._place, self._etag)
        if answer is None:
            return None
        self._etag = answer.get("ETag", "")
        body = answer["Body"]
        # rclone says 200 where 206 is right, and yet sends the part with `Content-Range: bytes 4-9/10`.
        if self._place and not answer.get("ContentRange", "").startswith(f"bytes {self._place}-"):
            _skip(body, self._place)  # a store that does not know ranges sends all of it
        return body


def _skip(body: Any, count: int) -> None:
    while count > 0 and (data := body.read(min(count, _BUFFER))):
        count -= len(data)


def open_stream(
    get: Get, start: int, explain: Callable[[], AbstractContextManager[None]]
) -> io.BufferedReader:
    """Open a stream from byte `start` on. Raises what `get` raises; reading raises `SinkError`."""
    return io.BufferedReader(_Raw(get, start, explain), _BUFFER)
