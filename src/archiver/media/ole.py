"""Old Office files: the directory and the size of a compound file ([MS-CFB])."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from archiver.errors import InvalidError
from archiver.media import types

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: A password-protected pptx or docx is a compound file with this stream ([MS-OFFCRYPTO]).
ENCRYPTED: Final = "EncryptedPackage"
_STREAMS: Final = {
    "PowerPoint Document": types.PPT,
    "WordDocument": types.DOC,
    "Workbook": types.XLS,
    "Book": types.XLS,
}
_FREE: Final = 0xFFFFFFFF
_LAST_SECTOR: Final = 0xFFFFFFFA
_MAX_DIRECTORY: Final = 512  # sectors
_MAX_TABLES: Final = 20_000  # sectors of the allocation table: 1.2 GB of content


@dataclass(frozen=True, slots=True)
class _File:
    """An open compound file: sector size in bytes, and where its allocation table lies."""

    stream: BinaryIO
    sector_size: int
    tables: tuple[int, ...]
    directory: int
    size: int

    def sector(self, number: int) -> bytes:
        self.stream.seek((number + 1) * self.sector_size)
        data = self.stream.read(self.sector_size)
        if len(data) < self.sector_size:
            raise InvalidError("The old Office file is cut off: a part of its structure lies beyond its end.")
        return data

    def numbers(self, number: int) -> tuple[int, ...]:
        return struct.unpack(f"<{self.sector_size // 4}I", self.sector(number))

    def after(self, number: int) -> int:
        """Give the sector that follows in a chain."""
        table, entry = divmod(number, self.sector_size // 4)
        return self.numbers(self.tables[table])[entry] if table < len(self.tables) else _FREE


def identify(path: Path) -> str:
    """Tell an old PowerPoint, Word or Excel file, else just a compound file (also when damaged)."""
    try:
        names = streams(path)
    except InvalidError:
        return types.OLE
    return next((_STREAMS[name] for name in _STREAMS if name in names), types.OLE)


def streams(path: Path) -> set[str]:
    """Name what is stored inside. Raises `InvalidError` when the directory cannot be read."""
    with path.open("rb") as stream:
        file = _open(stream)
        names: set[str] = set()
        number = file.directory
        for _ in range(_MAX_DIRECTORY):
            if number >= _LAST_SECTOR:
                break
            names |= _names(file.sector(number))
            number = file.after(number)
        return names


def _names(sector: bytes) -> set[str]:
    entries = (sector[start : start + 128] for start in range(0, len(sector), 128))
    return {
        entry[: max(0, min(64, struct.unpack_from("<H", entry, 64)[0]) - 2)].decode("utf-16-le", "replace")
        for entry in entries
    }


def _open(stream: BinaryIO) -> _File:
    size = stream.seek(0, 2)
    stream.seek(0)
    head = stream.read(512)
    if len(head) < 512:
        raise InvalidError("The old Office file is cut off inside its header.")
    shift = struct.unpack_from("<H", head, 30)[0]
    if shift not in {9, 12}:
        raise InvalidError("The old Office file is damaged: its header makes no sense.")
    directory = struct.unpack_from("<I", head, 48)[0]
    bare = _File(stream, 1 << shift, (), directory, size)
    return _File(stream, 1 << shift, _tables(bare, head), directory, size)


def _tables(file: _File, head: bytes) -> tuple[int, ...]:
    """List the sectors of the allocation table: 109 in the header, the others in a chain."""
    (count,) = struct.unpack_from("<I", head, 44)
    if count > _MAX_TABLES:
        raise InvalidError("The old Office file is damaged: its header makes no sense.")
    tables = list(struct.unpack_from("<109I", head, 76))
    (number,) = struct.unpack_from("<I", head, 68)
    while len(tables) < count and number < _LAST_SECTOR:
        *more, number = file.numbers(number)
        tables += more
    return tuple(table for table in tables[:count] if table < _LAST_SECTOR)


def check(path: Path) -> None:
    """Look whether every sector in use lies inside the file. Raises `InvalidError` when it is cut off."""
    with path.open("rb") as stream:
        file = _open(stream)
        for index in range(len(file.tables) - 1, -1, -1):
            entries = file.numbers(file.tables[index])
            used = [entry for entry, value in enumerate(entries) if value != _FREE]
            if used:
                # Writers may leave the last sector short, so it only has to begin inside the file.
                last = index * len(entries) + used[-1]
                if (last + 1) * file.sector_size >= file.size:
                    raise InvalidError("The old Office file is cut off: its last sectors are missing.")
                return
    raise InvalidError("The old Office file is damaged: it has no content.")
