"""The `s3` sink itself: the interface over one bucket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from archiver.api import Blob, Context, MissingError, Sink, SinkError, Stat
from archiver_plugins.s3.multipart import abort_stale
from archiver_plugins.s3.objects import Objects
from archiver_plugins.s3.options import S3Options
from archiver_plugins.s3.problems import code, skew, skew_in_words, status
from archiver_plugins.s3.reader import open_stream
from archiver_plugins.s3.store import Store

#: Uploads of ours that are so old belong to runs that were killed.
_STALE_SECONDS = 24 * 3600.0
#: Where uploads of ours can lie; a bucket may hold other things too.
_OURS = ("ocfl/", "derived/", "site/", "catalog.sqlite", "journal/", "runs/", ".probe/")
#: Stores refuse requests that are off by 15 minutes. We speak up before.
_SKEW_SECONDS = 120.0


class S3Sink(Sink[S3Options]):
    """A bucket at AWS or at any store that speaks S3."""

    type_name = "s3"
    options_class = S3Options
    shared = True

    def __init__(self, options: S3Options, context: Context) -> None:
        super().__init__(options, context)
        self._objects = Objects(options, context.name)
        self._store = Store(self._objects)
        self._skewed = ""

    def create(self, path: str, blob: Blob) -> Stat:
        """Put once only; the store compares the SHA-256, or the value is read back."""
        with self._objects.explained(path):
            return self._store.create(path, blob)

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        """Put over what is there; the token is the ETag."""
        with self._objects.explained(path):
            return self._store.replace(path, blob, expected)

    def open(self, path: str, start: int = 0) -> BinaryIO:
        """Read from the store, going on where a connection breaks off."""
        with self._objects.explained(path):
            return open_stream(
                lambda place, etag: self._get(path, place, etag),
                start,
                lambda: self._objects.explained(path),
            )

    def stat(self, path: str) -> Stat | None:
        """Ask for one object."""
        with self._objects.explained(path):
            return self._objects.head(path)

    def list(self, prefix: str) -> Iterator[Stat]:
        """List, 1,000 objects a request."""
        with self._objects.explained(f"the list of {prefix or 'everything'}"):
            yield from self._objects.list(prefix)

    def flush(self) -> None:
        """Do nothing: what a store has confirmed is safe."""

    def check(self) -> None:
        """List one object: that needs the address, the bucket, the keys and a clock that is about right."""
        with self._objects.explained("its check"):
            answer = self._objects.first_page()
        self._skewed = skew_in_words(answer) if abs(skew(answer)) > _SKEW_SECONDS else ""

    def notes(self) -> Sequence[str]:
        """Say what the store does not honour; writes two small objects below `.probe/`."""
        with self._objects.explained("the probe of what it honours"):
            found = self._store.powers.notes
        if self._skewed:
            return (*found, f"will soon refuse requests: the clock of this machine is {self._skewed}: set it")
        return found

    def prepare(self) -> None:
        """Abort uploads that killed runs left; they would be billed for ever."""
        from botocore.exceptions import ClientError

        try:
            with self._objects.explained("unfinished uploads"):
                count = abort_stale(self._objects, _OURS, _STALE_SECONDS)
        except SinkError as error:
            # Not every store lists uploads, and not every role may: it costs money, not files.
            if not isinstance(error.__cause__, ClientError):
                raise
            self.context.log.debug("unfinished uploads were left alone: %s", error)
        else:
            if count:
                self.context.log.info("aborted %d unfinished uploads of earlier runs", count)

    def _get(self, path: str, start: int, etag: str) -> Any:
        from botocore.exceptions import ClientError

        try:
            return self._objects.get(path, start, etag)
        except ClientError as error:
            if status(error) == 404 and code(error) == "NoSuchKey":
                raise MissingError(f"{path} is not there in sink {self.context.name}") from error
            raise
