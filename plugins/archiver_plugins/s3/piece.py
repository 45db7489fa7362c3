"""A file, or a part of one, as it is sent."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

#: Bytes that are sent at a time.
_SENT = 256 << 10


class Piece(io.RawIOBase):
    """A part of a file as a file of its own, so that no part lies in memory."""

    def __init__(self, path: Path, start: int, size: int) -> None:
        super().__init__()
        # Where the file is gone, opening raises, and Python closes what is there by then.
        self._stream: Any = None
        self._stream = path.open("rb", buffering=0)
        self._start, self._size, self._place = start, size, 0

    def __len__(self) -> int:
        return self._size

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes: a part that failed is sent again."""
        return True

    def tell(self) -> int:
        """Give the place in the part."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to another place in the part."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def read(self, size: int = -1, /) -> bytes:
        """Read more than was asked for, at most to the end of the part.

        The client reads 16 kB at a time and sends whatever it gets: larger pieces cost less.
        """
        left = max(0, self._size - self._place)
        self._stream.seek(self._start + self._place)
        # Not by way of `readinto`, which would copy each byte twice more.
        found: bytes = self._stream.read(left if size < 0 else min(left, max(size, _SENT)))
        self._place += len(found)
        return found

    def readinto(self, buffer: Any, /) -> int:
        """Read, at most to the end of the part."""
        view = memoryview(buffer)[: max(0, self._size - self._place)]
        self._stream.seek(self._start + self._place)
        count = self._stream.readinto(view) or 0
        self._place += count
        return count

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
        super().close()
        super().close()
