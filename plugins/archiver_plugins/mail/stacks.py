"""The files of list archives on this machine: fetched, unpacked within bounds, kept until the run is over."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from archiver import api
from archiver_plugins.mail.resolve import at_mirror, is_page
from archiver_plugins.mail.window import Window

#: Bytes of a file as it comes, and unpacked. A busy list with attachments has some 200 MB a month.
MAX_PACKED: Final = 512 << 20
MAX_UNPACKED: Final = 2 << 30
#: Bytes of unpacked files that are kept for the fetches after the listing.
_KEPT: Final = 1 << 30
#: Bytes of the page that names the months.
MAX_PAGE: Final = 8 << 20
_PIECE: Final = 256 << 10
#: Bytes of an answer of which only the first one was asked for.
_GLIMPSE: Final = 1 << 20
#: Text shrinks to a tenth; deflate ends at 1:1032, where bombs are.
_MOST_RATIO: Final = 200
_FREE: Final = 16 << 20
_GZIP: Final = b"\x1f\x8b"
#: Times that a file is unpacked: some servers pack what is packed.
_LAYERS: Final = 2


@dataclass(frozen=True, slots=True)
class Copy:
    """A file on this machine, and what the server says of its version: an entity tag or a date."""

    path: Path
    version: str


class Stacks:
    """Fetches files of list archives, each once as long as there is room. Used by several threads."""

    def __init__(self, http: api.Http, mirrors: Mapping[str, str]) -> None:
        self._http = http
        self._mirrors = mirrors
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._copies: OrderedDict[str, Copy] = OrderedDict()
        self._made = 0

    def close(self) -> None:
        """Remove the files."""
        with self._lock:
            self._copies.clear()
            folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def page(self, url: str) -> str:
        """Get a page of the archive as text."""
        return self._http.get(at_mirror(url, self._mirrors), max_bytes=MAX_PAGE).text

    def is_still(self, url: str, version: str) -> bool:
        """Ask whether a file is still the one of that version; not when the server cannot tell.

        One byte of it is asked for, so that a server without conditions does not send the whole.
        """
        name = "if-none-match" if version.startswith(('"', 'W/"')) else "if-modified-since"
        try:
            answer = self._one_byte(url, {name: version}, (304, 412, 416))
        except api.InvalidError:
            return False  # too long for one byte: it ignores ranges and conditions
        return answer.status == 304

    @contextmanager
    def opened(self, url: str) -> Iterator[tuple[Window, str]]:
        """Open a file, unpacked, and say which version it is.

        Raises what `Http.download` does; `BlockedError` when a web page comes instead; `InvalidError` when it
        is damaged or a trap.
        """
        with self._lock:  # one file at a time is what a list server is asked for
            copy = self._copies.get(url) or self._fetched(url)
            self._copies[url] = copy
            self._copies.move_to_end(url)
            stream = copy.path.open("rb", buffering=0)
            self._make_room()
        with stream:
            yield Window(stream, 0, os.fstat(stream.fileno()).st_size), copy.version

    def download(self, url: str, path: Path, *, most: int) -> api.Downloaded:
        """Get a file that an archive keeps beside its messages."""
        return self._http.download(at_mirror(url, self._mirrors), path, max_bytes=most)

    def _one_byte(self, url: str, fields: Mapping[str, str], accept: tuple[int, ...]) -> api.Response:
        headers = {"range": "bytes=0-0", **fields}
        return self._http.get(
            at_mirror(url, self._mirrors), headers=headers, accept=accept, max_bytes=_GLIMPSE
        )

    def _make_room(self) -> None:
        sizes = {url: copy.path.stat().st_size for url, copy in self._copies.items()}
        for url in list(self._copies)[:-1]:
            if sum(sizes.values()) <= _KEPT:
                return
            # Whoever reads it now keeps it open.
            self._copies.pop(url).path.unlink()
            del sizes[url]

    def _fetched(self, url: str) -> Copy:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="archiver-lists-"))
        self._made += 1
        path = self._folder / str(self._made)
        try:
            done = self._http.download(at_mirror(url, self._mirrors), path, max_bytes=MAX_PACKED)
        except api.InvalidError as error:
            raise self._explained(url, error) from error
        for layer in range(_LAYERS):
            path = _unpacked(path, self._folder / f"{self._made}-{layer}", url)
        if is_page(path):
            path.unlink()
            raise api.BlockedError(
                f"{api.redact(url)} is a web page instead of messages",
                hint="The archive seems to be for members alone; ask its owner for the mbox file, and name "
                "that in paths.",
            )
        return Copy(path, done.etag or done.last_modified)

    def _explained(self, url: str, error: api.InvalidError) -> api.SourceError:
        """Tell what a refusal means: HyperKitty answers 400 where its owner has switched exports off."""
        try:
            answer = self._one_byte(url, {}, (400,))
        except api.SourceError:
            return error
        if answer.status != 400:
            return error
        return api.BlockedError(
            f"{api.redact(url)} answered 400: the archive does not export its messages",
            hint="Ask the owner of the list to allow exports, or for the mbox file, and name that in paths.",
        )


def _unpacked(path: Path, target: Path, url: str) -> Path:
    """Unpack a file that is gzip by its first bytes, whatever its name or type says; else leave it."""
    with path.open("rb") as packed:
        if packed.read(2) != _GZIP:
            return path
        packed.seek(0)
        try:
            with target.open("xb") as out:
                for piece in _pieces(packed, url):
                    out.write(piece)
        except BaseException:
            target.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise
    path.unlink()
    return target


def _pieces(packed: BinaryIO, url: str) -> Iterator[bytes]:
    """Undo gzip (RFC 1952), also several members in a row. Raises `InvalidError`."""
    inflate, taken, given = zlib.decompressobj(31), 0, 0
    data = b""
    while True:
        fresh = packed.read(_PIECE)
        taken += len(fresh)
        data += fresh
        while data:
            if inflate.eof:
                if not data.startswith(_GZIP):
                    return  # padding after the last member
                inflate = zlib.decompressobj(31)
            try:
                piece = inflate.decompress(data, _PIECE)
            except zlib.error as error:
                raise _damaged(url, "is damaged") from error
            data = inflate.unconsumed_tail or inflate.unused_data
            given += len(piece)
            if given > min(MAX_UNPACKED, _FREE + _MOST_RATIO * taken):
                raise _damaged(url, f"unpacks to more than {given >> 20} MiB, as only a trap does")
            if piece:
                yield piece
        if not fresh:
            break
    if not inflate.eof:
        raise _damaged(url, "is cut off in the middle")


def _damaged(url: str, what: str) -> api.InvalidError:
    return api.InvalidError(
        f"{api.redact(url)} {what}",
        hint="Look at the file in a browser; if it stays so, ask the owner of the list to make it anew.",
    )
