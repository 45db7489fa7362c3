"""Send large values in parts, several at a time, each with its SHA-256, the whole with its own.

Facts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from archiver.api import Blob, SinkError, Stat
from archiver_plugins.s3.objects import Objects, encoded, written
from archiver_plugins.s3.piece import Piece
from archiver_plugins.s3.problems import code

#: Equal sizes, as some stores ask for. Larger ones only where there would be too many.
_PART = 16 << 20
_MOST = 10_000
_CHUNK = 1 << 20
#: A part that is read from the disk, but not sent yet, would have to be read from there once more.
_AHEAD = 2


class Parts:
    """Sends values in parts; all of one sink share a few threads for it."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def put(self, path: str, blob: Blob, *, checked: bool, conditions: Mapping[str, str]) -> Stat:
        """Put one value; `checked` lets the store compare each part. What fails is aborted."""
        begun = {"ChecksumAlgorithm": "SHA256"} if checked else {}
        client, place = self._objects.client, self._objects.place(path)
        upload = client.create_multipart_upload(**place, **self._objects.described(path), **begun)
        here = {**place, "UploadId": upload["UploadId"]}
        try:
            parts = self._send(path, blob, here, checked=checked)
            answer = _complete(client, here, parts, conditions)
        except BaseException:
            # Left over where even this fails: `prepare` aborts it after a day.
            with suppress(Exception):
                client.abort_multipart_upload(**here)
            raise
        return Stat(path, blob.size, written(answer), answer["ETag"])

    def _send(self, path: str, blob: Blob, here: Mapping[str, str], *, checked: bool) -> list[dict[str, Any]]:
        """Hash the value part by part and send each as soon as it is hashed."""
        assert blob.path is not None
        size = part_size(blob.size)
        whole, sending = hashlib.sha256(), list[Future[dict[str, Any]]]()
        room = threading.Semaphore(self._objects.options.jobs + _AHEAD)
        try:
            with blob.path.open("rb") as stream:
                for number, start in enumerate(range(0, blob.size, size), 1):
                    digest, count = _hash(stream, min(size, blob.size - start), whole)
                    _pass_on_failure(sending)
                    room.acquire()
                    piece = Piece(blob.path, start, count)
                    future = self._threads.submit(self._part, piece, here, number, digest if checked else "")
                    future.add_done_callback(lambda _: room.release())
                    sending.append(future)
            parts = [future.result() for future in sending]
        finally:
            for future in sending:
                future.cancel()
        if whole.hexdigest() != blob.sha256:
            raise SinkError(
                f"{path}: the bytes on their way into sink {self._objects.sink} changed",
                hint="check memory and disk of this machine, then run again",
            )
        return parts

    @property
    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._objects.options.jobs, thread_name_prefix="s3-part")
            return self._pool

    def _part(self, piece: Piece, here: Mapping[str, str], number: int, digest: str) -> dict[str, Any]:
        sums = {"ChecksumSHA256": encoded(digest)} if digest else {}
        with piece:
            sent = self._objects.client.upload_part(
                **here, PartNumber=number, Body=piece, ContentLength=len(piece), **sums
            )
        return {"PartNumber": number, "ETag": sent["ETag"], **sums}


def part_size(size: int) -> int:
    """Give a size of parts, in bytes, with which a value of `size` has few enough of them."""
    least = -(-size // _MOST)
    return max(_PART, -(-least // _CHUNK) * _CHUNK)


def _hash(stream: Any, size: int, whole: Any) -> tuple[str, int]:
    digest, left = hashlib.sha256(), size
    while left and (chunk := stream.read(min(_CHUNK, left))):
        digest.update(chunk)
        whole.update(chunk)
        left -= len(chunk)
    return digest.hexdigest(), size - left


def _pass_on_failure(sending: list[Future[dict[str, Any]]]) -> None:
    for future in sending:
        if future.done():
            future.result()


def _complete(
    client: Any, here: Mapping[str, str], parts: list[dict[str, Any]], conditions: Mapping[str, str]
) -> Any:
    return client.complete_multipart_upload(**here, MultipartUpload={"Parts": parts}, **conditions)


def abort_stale(objects: Objects, prefixes: tuple[str, ...], seconds: float) -> int:
    """Abort uploads under these prefixes that began so long ago; say how many there were."""
    from botocore.exceptions import ClientError

    count = 0
    for path, upload, age in list(objects.uploads("")):
        if age < seconds or not path.startswith(prefixes):
            continue
        try:
            objects.client.abort_multipart_upload(**objects.place(path), UploadId=upload)
        except ClientError as error:
            if code(error) != "NoSuchUpload":  # finished or aborted since
                raise
        count += 1
    return count
