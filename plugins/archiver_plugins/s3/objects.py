"""Objects of one bucket: each method is one request, and raises what botocore raises."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from email.utils import parsedate_to_datetime
from typing import Any

from archiver.api import Blob, Stat
from archiver_plugins.s3.client import make_client
from archiver_plugins.s3.headers import headers_for, is_material
from archiver_plugins.s3.options import S3Options
from archiver_plugins.s3.piece import Piece
from archiver_plugins.s3.problems import code, explained, status

#: Where probes and the lease's clock write; as the `tmp/` of a disk it does not show in listings.
SCRATCH = ".probe/"
_ABSENT = {"404", "NoSuchKey", "NotFound"}
#: Conflicts of requests that run at the same time, after which we give up.
_RACES = 8


class Objects:
    """The objects below the prefix of a sink. Its client is made when first needed."""

    def __init__(self, options: S3Options, sink: str) -> None:
        self.options, self.sink = options, sink
        self._root = f"{options.prefix}/" if options.prefix else ""
        self._client: Any = None
        self._lock = threading.Lock()

    @property
    def client(self) -> Any:
        """The client of botocore."""
        with self._lock:
            if self._client is None:
                self._client = make_client(self.options)
            return self._client

    def explained(self, what: str) -> AbstractContextManager[None]:
        """Turn what goes wrong inside into a `SinkError` that names `what`."""
        return explained(self.sink, self.options.place, what)

    def place(self, path: str) -> dict[str, str]:
        """Say where a path lies, as arguments of a request."""
        return {"Bucket": self.options.bucket, "Key": self._root + path}

    def head(self, path: str) -> Stat | None:
        """Look up one object; None when it is not there."""
        from botocore.exceptions import ClientError

        try:
            answer = self.client.head_object(**self.place(path))
        except ClientError as error:
            if status(error) == 404 and code(error) in _ABSENT:
                return None
            raise
        return Stat(path, answer["ContentLength"], answer["LastModified"].timestamp(), _etag(answer))

    def get(self, path: str, start: int = 0, etag: str = "") -> Any:
        """Begin to read from a byte on, only while the object has that ETag; None past its end."""
        from botocore.exceptions import ClientError

        asked = {"Range": f"bytes={start}-"} if start else {}
        try:
            return self.client.get_object(**self.place(path), **asked, **({"IfMatch": etag} if etag else {}))
        except ClientError as error:
            if status(error) == 416:  # the range begins behind the last byte
                return None
            raise

    def put(
        self, path: str, blob: Blob, *, sha256: str = "", conditions: Mapping[str, str] | None = None
    ) -> Stat:
        """Put one object; `sha256` is what the store is asked to compare."""
        with whole(blob) as body:
            answer = self.client.put_object(
                **self.place(path),
                Body=body,
                ContentLength=blob.size,
                **self.described(path),
                **({"ChecksumSHA256": encoded(sha256)} if sha256 else {}),
                **(conditions or {}),
            )
        return Stat(path, blob.size, written(answer), _etag(answer))

    def described(self, path: str) -> dict[str, str]:
        """Give the arguments that say how an object is kept and shown."""
        told, options = headers_for(path), self.options
        if options.storage_class and is_material(path):
            told["StorageClass"] = options.storage_class
        if options.encryption != "none":
            told["ServerSideEncryption"] = options.encryption
        if options.kms_key:
            told["SSEKMSKeyId"] = options.kms_key
        return told

    def list(self, prefix: str) -> Iterator[Stat]:
        """List, 1,000 at a time; never asks for a single object."""
        for page in self._pages("list_objects_v2", prefix):
            for found in page.get("Contents", ()):
                path = found["Key"].removeprefix(self._root)
                # Some stores show folders as empty objects: `slides/`.
                if not path.endswith("/") and (not path.startswith(SCRATCH) or prefix.startswith(SCRATCH)):
                    yield Stat(path, found["Size"], found["LastModified"].timestamp(), _etag(found))

    def uploads(self, prefix: str) -> Iterator[tuple[str, str, float]]:
        """List uploads in parts under way: path, id, and since how many seconds by the store's clock."""
        for page in self._pages("list_multipart_uploads", prefix):
            now = written(page)
            for found in page.get("Uploads", ()):
                begun = found["Initiated"].timestamp()
                yield found["Key"].removeprefix(self._root), found["UploadId"], now - begun

    def first_page(self) -> Any:
        """List one object at most: the cheapest question that needs the keys, the region and the bucket."""
        return self.client.list_objects_v2(Bucket=self.options.bucket, Prefix=self._root, MaxKeys=1)

    def _pages(self, operation: str, prefix: str) -> Iterator[Any]:
        pages = self.client.get_paginator(operation)
        yield from pages.paginate(Bucket=self.options.bucket, Prefix=self._root + prefix)


def whole(blob: Blob) -> AbstractContextManager[Any]:
    """Give all of a value to be sent: the file, or the bytes as they are."""
    return Piece(blob.path, 0, blob.size) if blob.path is not None else nullcontext(blob.data or b"")


def _etag(answer: Mapping[str, Any]) -> str:
    # Some stores leave out the quotes in lists only.
    return '"{}"'.format(answer["ETag"].strip('"'))


def encoded(sha256: str) -> str:
    """Turn a digest in hex into the form of the checksum headers."""
    return base64.b64encode(bytes.fromhex(sha256)).decode("ascii")


def written(answer: Mapping[str, Any]) -> float:
    """Say when an answer was given by the store's clock, in seconds since 1970."""
    try:
        stamp = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
        return parsedate_to_datetime(stamp).timestamp()
    except (KeyError, TypeError, ValueError):
        return time.time()


def settle(call: Any, *arguments: Any, **named: Any) -> Any:
    """Call until the answer is not that another request on the same key is under way (409)."""
    from botocore.exceptions import ClientError

    for turn in range(_RACES):
        try:
            return call(*arguments, **named)
        except ClientError as error:
            if code(error) != "ConditionalRequestConflict" or turn == _RACES - 1:
                raise
            time.sleep(0.05 * 2**turn)
    raise AssertionError("unreachable")
