"""Find out what a store honours, instead of believing it.

A store may take a condition or a checksum and pass over it without a word. So each is tried once on
small objects of our own that are never deleted, only written over. Several may probe at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from enum import Enum

from archiver.api import Blob
from archiver_plugins.s3.objects import SCRATCH, Objects, encoded, settle
from archiver_plugins.s3.problems import status

_KEY, _SUM_KEY = f"{SCRATCH}conditions", f"{SCRATCH}checksum"
_BODY = b"This object shows what the store honours. It may be deleted.\n"
#: Answers to a condition that does not hold, and to bytes that are not those announced: AWS says 400; who
#: compares only the digest in the signature may say 403.
_NOT_NOW, _NOT_THESE_BYTES = frozenset({412}), frozenset({400, 403})
_NO_ETAG = '"00000000000000000000000000000000"'


class Verdict(Enum):
    """What a store makes of a header."""

    HONOURED = "honours"
    IGNORED = "takes and ignores"
    REFUSED = "refuses"


@dataclass(frozen=True)
class Powers:
    """What the store makes of each of the three headers that we would rely on."""

    checksum: Verdict = Verdict.HONOURED
    create_only: Verdict = Verdict.HONOURED
    swap: Verdict = Verdict.HONOURED

    @property
    def proves(self) -> bool:
        """Say whether the store compares our SHA-256 with the bytes that it got."""
        return self.checksum is Verdict.HONOURED

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what is missing and what is done instead, going on from the name of the sink."""
        return tuple(self._notes())

    def _notes(self) -> Iterator[str]:
        if not self.proves:
            yield (f"{self.checksum.value} the SHA-256 of what it gets: every file is read back to prove it")
        if self.create_only is not Verdict.HONOURED:
            yield (
                f"{self.create_only.value} 'create only' (If-None-Match): each name is looked up "
                "first and each file checked afterwards; never let two runs write to it at the same time"
            )
        if self.swap is not Verdict.HONOURED:
            yield (
                f"{self.swap.value} 'swap' (If-Match): the lease is compared before and after "
                "it is written; never let two runs begin at the same moment"
            )


def probe(objects: Objects) -> Powers:
    """Try each header on objects of our own. Raises what botocore raises when nothing can be put at all."""
    checksum = _checksum(objects)
    sha256 = "" if checksum is Verdict.REFUSED else _blob().sha256
    create_only = _create_only(objects, sha256)
    swap = _swap(objects, sha256)
    return Powers(checksum, create_only, swap)


def probe_parts(objects: Objects) -> Powers:
    """Try the same for an upload in parts, which stores treat by other code. Follows `probe`."""
    upload = objects.client.create_multipart_upload(**objects.place(_KEY), ChecksumAlgorithm="SHA256")
    here = {**objects.place(_KEY), "UploadId": upload["UploadId"]}
    try:
        return _parts(objects, here)
    finally:
        _abort(objects, here)


def _parts(objects: Objects, here: dict[str, str]) -> Powers:
    client, right = objects.client, encoded(_blob().sha256)
    wrong = encoded(hashlib.sha256(b"another").hexdigest())

    def part(checksum: str) -> dict[str, str]:
        sent = client.upload_part(**here, PartNumber=1, Body=_BODY, ChecksumSHA256=checksum)
        return {"ETag": sent["ETag"]}

    checksum = _verdict(lambda: part(wrong), _NOT_THESE_BYTES)
    listed = [{"PartNumber": 1, **part(right), "ChecksumSHA256": right}]
    # The object is there since `probe`: completing it "only if it is new" has to fail.
    create_only = _verdict(
        lambda: client.complete_multipart_upload(**here, MultipartUpload={"Parts": listed}, IfNoneMatch="*")
    )
    return Powers(checksum, create_only)


def _abort(objects: Objects, here: dict[str, str]) -> None:
    from botocore.exceptions import ClientError

    try:
        objects.client.abort_multipart_upload(**here)
    except ClientError as error:
        if status(error) != 404:  # completed, by a store that ignores the condition
            raise


def _checksum(objects: Objects) -> Verdict:
    from botocore.exceptions import ClientError

    try:
        settle(objects.put, _SUM_KEY, _blob(), sha256=_blob().sha256)
    except ClientError as error:
        if status(error) not in {400, 501}:
            raise
        settle(objects.put, _SUM_KEY, _blob())  # when that fails too, it was not the checksum
        return Verdict.REFUSED
    wrong = hashlib.sha256(b"another").hexdigest()
    return _verdict(lambda: settle(objects.put, _SUM_KEY, _blob(), sha256=wrong), _NOT_THESE_BYTES)


def _create_only(objects: Objects, sha256: str) -> Verdict:
    def create() -> object:
        return settle(objects.put, _KEY, _blob(), sha256=sha256, conditions={"IfNoneMatch": "*"})

    first = _verdict(create)
    # It may have been new; by now it is there in any case, unless the header is refused.
    return _verdict(create) if first is Verdict.IGNORED else _refused(objects, first)


def _refused(objects: Objects, verdict: Verdict) -> Verdict:
    if verdict is Verdict.REFUSED:
        settle(objects.put, _KEY, _blob())
    return verdict


def _swap(objects: Objects, sha256: str) -> Verdict:
    return _verdict(
        lambda: settle(objects.put, _KEY, _blob(), sha256=sha256, conditions={"IfMatch": _NO_ETAG})
    )


def _verdict(call: Callable[[], object], failure: Container[int] = _NOT_NOW) -> Verdict:
    """Make a request that has to fail, and judge by what comes."""
    from botocore.exceptions import ClientError

    try:
        call()
    except ClientError as error:
        if status(error) in failure:
            return Verdict.HONOURED
        if status(error) in {400, 501}:
            return Verdict.REFUSED
        raise
    return Verdict.IGNORED


def _blob() -> Blob:
    return Blob(len(_BODY), hashlib.sha256(_BODY).hexdigest(), data=_BODY)
