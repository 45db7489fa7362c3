"""A stretch of a file, read in bounded pieces: a message in an mbox, a part in a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

_CHUNK: Final = 256 << 10
#: Bytes of a line that are looked at; longer ones are data.
MAX_LINE: Final = 2_000


class Window:
    """Bytes `start` to `end` of a seekable file. Positions are those of the file. One thread's alone."""

    def __init__(self, stream: BinaryIO, start: int, end: int) -> None:
        self._stream = stream
        self.start = start
        self.end = end
        self._base = start
        self._buffer = b""

    def part(self, start: int, end: int) -> Window:
        """Give a stretch of this one."""
        return Window(self._stream, start, min(end, self.end))

    def read(self, position: int, size: int) -> bytes:
        """Read up to `size` bytes from a position on; fewer at the end."""
        size = min(size, self.end - position)
        if size <= 0:
            return b""
        offset = position - self._base
        if offset < 0 or offset + size > len(self._buffer):
            self._fill(position, size)
            offset = 0
        return self._buffer[offset : offset + size]

    def _fill(self, position: int, size: int = 0) -> None:
        self._stream.seek(position)
        self._base = position
        self._buffer = self._stream.read(min(max(size, _CHUNK), self.end - position))

    def line(self, position: int) -> bytes:
        """Read the line that begins there, with its line end, or the first `MAX_LINE` bytes of it."""
        found = self.read(position, MAX_LINE)
        return found[: found.find(b"\n") + 1] or found

    def find(self, needle: bytes, position: int) -> int:
        """Find the needle at or after a position; -1 when it is not there."""
        while position < self.end:
            offset = position - self._base
            if not 0 <= offset < len(self._buffer):
                self._fill(position)
                offset = 0
            at = self._buffer.find(needle, offset)
            if at >= 0:
                return self._base + at
            if not self._buffer or self._base + len(self._buffer) >= self.end:
                return -1
            # The needle may lie across the end of what was read.
            position = max(position, self._base + len(self._buffer) - len(needle) + 1)
            self._fill(position)
        return -1

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """Read a stretch piece by piece."""
        position = start
        while position < end and (chunk := self.read(position, min(_CHUNK, end - position))):
            yield chunk
            position += len(chunk)
