"""A file fetched onto disk: hashed while it is written, resumed where it broke off, proven at the end."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archiver.contracts import Downloaded, Progress
from archiver.errors import FatalError, InvalidError
from archiver.web.decode import Decoder, decoder_for
from archiver.web.disposition import file_name
from archiver.web.exchange import Answer, Call, Exchanger, Fault
from archiver.web.fields import content_range, digests, validator
from archiver.web.statuses import check_status

#: Smaller buffers cost more turns with Python's lock, larger ones only memory (benchmarks/transport.py).
_CHUNK = 256 << 10
_RANGE_REFUSED = frozenset({416})
#: That many new bytes make a broken attempt a step forward.
_STEP = 1 << 20

_buffers = threading.local()


def _buffer() -> memoryview:
    """Return this thread's buffer; a file a moment would else mean a new one a moment."""
    if not hasattr(_buffers, "view"):
        _buffers.view = memoryview(bytearray(_CHUNK))
    view: memoryview = _buffers.view
    return view


@dataclass(frozen=True, slots=True)
class Expected:
    """What the source knows of the file beforehand; sizes in bytes, `sha256` in lower-case hex."""

    size: int | None
    sha256: str
    max_bytes: int


class _Hashes:
    """SHA-256, and whatever else the server declares a digest in."""

    def __init__(self, declared: dict[str, bytes]) -> None:
        self.sha256 = hashlib.sha256()
        self._declared = declared
        self._others = {
            name: hashlib.new(name, usedforsecurity=False) for name in declared if name != "sha256"
        }

    def update(self, data: memoryview | bytes) -> None:
        self.sha256.update(data)
        for other in self._others.values():
            other.update(data)

    def wrong(self) -> str:
        """Name a declared digest that these bytes do not have."""
        computed = {"sha256": self.sha256, **self._others}
        return next((name for name, value in self._declared.items() if computed[name].digest() != value), "")


class Transfer:
    """One download over any number of attempts; the file grows from attempt to attempt."""

    def __init__(self, call: Call, file: io.FileIO, expected: Expected, progress: Progress) -> None:
        self._call = call
        self._file = file
        self._expected = expected
        self._progress = progress
        self._restart()
        self._furthest = 0
        self._step_from = 0

    def attempt(self, exchanger: Exchanger, now: float) -> Answer:
        """Fetch what is missing, and return the head of the last answer when the file is proven whole.

        Raises `Fault` when another attempt may go on from here, else what `check_status` raises,
        `InvalidError` and `FatalError`. `now` is in seconds since 1970.
        """
        with exchanger.open(self._call, self._range_fields()) as answer:
            check_status(answer, _RANGE_REFUSED, now)
            self._begin(answer)
            self._read(answer)
        self._prove(answer)
        return answer

    def progressed(self) -> bool:
        """Say whether the file got substantially longer than it ever was when this was last asked."""
        if self._furthest < self._step_from + _STEP:
            return False
        self._step_from = self._furthest
        return True

    @property
    def size(self) -> int:
        """Return the bytes written."""
        return self._offset

    @property
    def sha256(self) -> str:
        """Return the digest of the bytes written, in lower-case hex."""
        return self._hashes.sha256.hexdigest()

    def _restart(self) -> None:
        self._offset = 0
        self._total: int | None = None
        self._validator = ""
        self._stitched = False
        self._decoder: Decoder | None = None
        self._hashes = _Hashes({})

    def _range_fields(self) -> dict[str, str]:
        fields = {"accept-encoding": "identity"}
        if self._offset and self._validator:
            fields |= {"range": f"bytes={self._offset}-", "if-range": self._validator}
        return fields

    def _begin(self, answer: Answer) -> None:
        asked_for_part = bool(self._offset and self._validator)
        if asked_for_part and answer.status == 206:
            self._check_part(answer)
            answer.body.begins_at = self._offset
            self._stitched = True
            return
        self._start_over()
        if answer.status == 416:
            raise Fault("it has nothing more at the point where the download broke off", answer.host)
        if answer.status not in {200, 203}:
            raise InvalidError(
                f"{answer} answered {answer.status} and brought no file",
                hint="Open the address in a browser to see what it wants.",
            )
        self._begin_whole(answer)

    def _start_over(self) -> None:
        if self._furthest:
            # Never on an empty file: ext4 then writes it out at close (auto_da_alloc), at half the speed.
            with _own_disk(self._call):
                self._file.seek(0)
                self._file.truncate()
        self._restart()

    def _begin_whole(self, answer: Answer) -> None:
        self._decoder = decoder_for(answer.headers, answer)
        if self._decoder is None:
            self._total = answer.body.length
            # A range counts packed bytes, so only a plain body can be taken up again.
            self._validator = validator(answer.headers)
            self._hashes = _Hashes(digests(answer.headers))
        self._check_declared(answer)

    def _check_declared(self, answer: Answer) -> None:
        expected = self._expected
        if (answer.body.length or 0) > expected.max_bytes:
            raise self._too_long()
        if self._total is not None and expected.size not in {None, self._total}:
            raise self._wrong_size(self._total)

    def _check_part(self, answer: Answer) -> None:
        """Accept exactly the part that was asked for, of exactly the file that was begun."""
        part = content_range(answer.headers.get("content-range", ""))
        problem = ""
        if part is None or part.first != self._offset:
            problem = "it sent another part than the one that was asked for"
        elif part.total != self._total or (part.total is not None and part.last != part.total - 1):
            problem = "its length changed while it was fetched"
        elif answer.body.length not in {None, part.last - part.first + 1}:
            problem = "it contradicts itself about the length of a part"
        elif not self._same_version(answer) or decoder_for(answer.headers, answer):
            problem = "it changed while it was fetched"
        if problem:
            self._start_over()
            raise Fault(problem, answer.host)

    def _same_version(self, answer: Answer) -> bool:
        # A 206 must repeat the ETag, and may leave the date out (RFC 9110, 15.3.7).
        if self._validator.startswith('"'):
            return answer.headers.get("etag") == self._validator
        return answer.headers.get("last-modified", self._validator) == self._validator

    def _read(self, answer: Answer) -> None:
        body, buffer = answer.body, _buffer()
        while count := body.readinto(buffer):
            data = buffer[:count]
            if self._decoder is None:
                self._store(data)
            else:
                for piece in self._decoder.feed(bytes(data)):
                    self._store(piece)
            self._progress(count, self._total)
        if self._decoder is not None:
            self._decoder.finish()

    def _store(self, data: memoryview | bytes) -> None:
        if self._offset + len(data) > self._expected.max_bytes:
            raise self._too_long()
        self._hashes.update(data)
        try:
            _write(self._file, data)
        except OSError as error:
            raise _disk_failed(self._call, error) from error
        self._offset += len(data)
        self._furthest = max(self._furthest, self._offset)

    def _prove(self, answer: Answer) -> None:
        if self._total is not None and self._offset != self._total:
            self._start_over()
            raise Fault("more or less came than was declared", answer.host)
        wrong = self._hashes.wrong() or self._unexpected_digest()
        if wrong and self._stitched:
            self._start_over()
            raise Fault(f"its parts do not fit together: the {wrong} digest is another", answer.host)
        if wrong:
            raise self._wrong_digest(wrong)
        if self._expected.size not in {None, self._offset}:
            raise self._wrong_size(self._offset)

    def _unexpected_digest(self) -> str:
        return "expected sha256" if self._expected.sha256.lower() not in {"", self.sha256} else ""

    def _wrong_digest(self, name: str) -> InvalidError:
        return InvalidError(
            f"{self._call} arrived with other bytes than announced: the {name} digest differs",
            hint="The next run tries again; if it stays so, the file is damaged at its source.",
        )

    def _wrong_size(self, size: int) -> InvalidError:
        return InvalidError(
            f"{self._call} has {size} bytes where {self._expected.size} were expected",
            hint="The next run tries again; if it stays so, the source's listing is wrong.",
        )

    def _too_long(self) -> InvalidError:
        return InvalidError(
            f"{self._call} is longer than the {self._expected.max_bytes} bytes that are allowed",
            hint="Check that the address is the right one, or fetch the file by hand.",
        )


def _write(file: io.FileIO, data: memoryview | bytes) -> None:
    written = file.write(data)
    while written < len(data):  # a nearly full disk takes a part
        data = memoryview(data)[written:]
        written = file.write(data)


@contextmanager
def _own_disk(call: Call) -> Iterator[None]:
    """Tell errors of this machine's disk from those of the network."""
    try:
        yield
    except OSError as error:
        raise _disk_failed(call, error) from error


def _disk_failed(call: Call, error: OSError) -> FatalError:
    return FatalError(
        f"{call} could not be written to this machine's disk: {error.strerror or error}",
        hint="Make room where temporary files go, then run again.",
    )


@contextmanager
def part_file(path: Path, call: Call) -> Iterator[tuple[io.FileIO, Callable[[], None]]]:
    """Open a new file beside `path`; the second value moves it there. Without that it is removed."""
    folder = os.path.dirname(path)  # noqa: PTH120  # as plain text, for each of thousands of photos
    part = os.path.join(folder, f".{secrets.token_hex(8)}.part")  # noqa: PTH118  # see above
    with _own_disk(call):
        file = io.FileIO(part, "x")

    finished = False

    def finish() -> None:
        nonlocal finished
        with _own_disk(call):
            file.close()
            os.replace(part, path)  # noqa: PTH105  # half the work of `Path.replace`, for thousands of photos
        finished = True

    try:
        yield file, finish
    finally:
        file.close()
        if not finished:
            Path(part).unlink(missing_ok=True)


def describe(path: Path, transfer: Transfer, answer: Answer) -> Downloaded:
    """Say what arrived."""
    headers = answer.headers
    return Downloaded(
        path=path,
        size=transfer.size,
        sha256=transfer.sha256,
        url=str(answer.url),
        media_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
        etag=headers.get("etag", ""),
        last_modified=headers.get("last-modified", ""),
        name=file_name(headers.get("content-disposition", "")),
    )
