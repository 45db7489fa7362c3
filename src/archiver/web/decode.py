"""Content codings, undone piece by piece so that a small answer cannot become a huge one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

from archiver.errors import InvalidError
from archiver.web.breaks import Broken

_PIECE = 64 << 10
#: Text shrinks to a tenth, at best a fiftieth; deflate ends at 1:1032, where bombs are.
_MOST_RATIO = 200
_FREE = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS
_MEMBER = b"\x1f"


def decoder_for(headers: Mapping[str, str], shown: object) -> Decoder | None:
    """Choose what undoes the Content-Encoding (RFC 9110, 8.4); None when there is none.

    Raises `InvalidError` on a coding that was not offered. `shown` is written into messages, only then.
    """
    coding = headers.get("content-encoding", "").strip().lower()
    if coding in {"", "identity"}:
        return None
    if coding in {"gzip", "x-gzip"}:
        return Decoder(shown)
    raise InvalidError(
        f"{shown} came in a coding that was not asked for: {coding[:40]!a}",
        hint="Report this to whoever runs the service.",
    )


class Decoder:
    """Undoes gzip (RFC 1952), also several members in a row."""

    def __init__(self, shown: object) -> None:
        self._shown = shown
        self._inflate = zlib.decompressobj(_GZIP)
        self._consumed = self._produced = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` contains, in pieces of at most 64 KiB.

        Raises `Broken` on damage, `InvalidError` on a bomb.
        """
        self._consumed += len(data)
        try:
            yield from self._pieces(data)
        except zlib.error as error:
            raise Broken("the compressed answer is damaged") from error

    def finish(self) -> None:
        """Check that the end was reached. Raises `Broken`."""
        if self._consumed and not self._inflate.eof:
            raise Broken("the compressed answer is cut off")

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        pending = False
        while data or pending:
            if self._inflate.eof:
                if data[:1] != _MEMBER:
                    self._check_padding(data)
                    return
                self._inflate = zlib.decompressobj(_GZIP)
            piece = self._inflate.decompress(data, _PIECE)
            data = self._inflate.unconsumed_tail or self._inflate.unused_data
            # A full piece may leave output inside zlib although all input is taken.
            pending = len(piece) == _PIECE and not self._inflate.eof
            self._count(piece)
            if piece:
                yield piece

    def _check_padding(self, data: bytes) -> None:
        # Zeros fill a block, as on a tape; an empty line behind a page was a habit once.
        if data.strip(b"\0\r\n"):
            raise Broken("the compressed answer goes on behind its end with something else")

    def _count(self, piece: bytes) -> None:
        self._produced += len(piece)
        if self._produced > _FREE + _MOST_RATIO * self._consumed:
            raise InvalidError(
                f"{self._shown} unpacks to more than {_MOST_RATIO} times its size, as only a trap does",
                hint="Remove the address from the configuration, or fetch the file by hand.",
            )
