"""Put values so that they are proven, by what the store honours, and where it does not, without it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from archiver.api import Blob, ConflictError, ExistsError, SinkError, Stat
from archiver_plugins.s3.multipart import Parts
from archiver_plugins.s3.objects import Objects, settle
from archiver_plugins.s3.probe import Powers, Verdict, probe, probe_parts
from archiver_plugins.s3.problems import code, retried, status

#: Up to this size one request stores a value, and the store compares our SHA-256 with all of it.
SINGLE = 64 << 20
_CHUNK = 1 << 20
# Where the store does not guard a key, threads of this process at least come one after the other.
_TURNS = tuple(threading.Lock() for _ in range(64))


class Store:
    """Creates and replaces; what the store honours is found out before the first write."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._parts = Parts(objects)
        self._powers: dict[str, Powers] = {}
        self._lock = threading.Lock()

    @property
    def powers(self) -> Powers:
        """What the store honours for values sent in one request."""
        return self._found_out("single", lambda: probe(self._objects))

    @property
    def powers_in_parts(self) -> Powers:
        """What it honours for those sent in parts."""
        powers = self.powers
        if powers.checksum is Verdict.REFUSED:
            return powers
        return replace(self._found_out("parts", lambda: probe_parts(self._objects)), swap=powers.swap)

    def create(self, path: str, blob: Blob) -> Stat:
        """Store under a new path. Raises `ExistsError`."""
        powers = self._check(path, blob)
        if powers.create_only is powers.swap is Verdict.HONOURED and not _in_parts(blob):
            return self._conditional(path, blob, powers, {"IfNoneMatch": "*"}, _exists)
        # Swift looks before it writes, not while: two that create at the same moment may both have done so.
        # It is known by refusing to swap.
        weakest = powers.swap if powers.create_only is Verdict.HONOURED else powers.create_only
        with self._turn(path, weakest):
            # Before gigabytes are sent, or because nobody else looks.
            if (_in_parts(blob) or powers.create_only is not Verdict.HONOURED) and self._objects.head(path):
                raise _exists(path, self._objects.sink)
            if powers.create_only is Verdict.HONOURED:
                return self._conditional(path, blob, powers, {"IfNoneMatch": "*"}, _exists)
            return self._unguarded(path, blob, powers, _exists)

    def replace(self, path: str, blob: Blob, expected: str | None) -> Stat:
        """Store over what is there. Raises `ConflictError`."""
        powers = self._check(path, blob)
        if expected is None:
            return self._proven(path, blob, powers, self._put(path, blob, powers, {}))
        if powers.swap is Verdict.HONOURED:
            # Anything may be given for a token; only what looks like one is sent.
            if not _is_etag(expected):
                raise _conflict(path, self._objects.sink)
            return self._conditional(path, blob, powers, {"IfMatch": expected}, _conflict)
        with self._turn(path, powers.swap):
            found = self._objects.head(path)
            if found is None or found.token != expected:
                raise _conflict(path, self._objects.sink)
            return self._unguarded(path, blob, powers, _conflict)

    def _check(self, path: str, blob: Blob) -> Powers:
        """Look whether the bytes are what they are said to be, as far as nobody else does."""
        size = blob.path.stat().st_size if blob.path else len(blob.data or b"")
        powers = self.powers_in_parts if _in_parts(blob) else self.powers
        # Parts are hashed while they are sent.
        wrong = not _in_parts(blob) and not powers.proves and _digest(blob.open()) != blob.sha256
        if size != blob.size or wrong:
            raise SinkError(
                f"{path}: the bytes on their way into sink {self._objects.sink} changed",
                hint="check memory and disk of this machine, then run again",
            )
        return powers

    def _conditional(
        self,
        path: str,
        blob: Blob,
        powers: Powers,
        conditions: dict[str, str],
        refusal: Callable[[str, str], SinkError],
    ) -> Stat:
        from botocore.exceptions import ClientError

        try:
            made = settle(self._put, path, blob, powers, conditions)
        except ClientError as error:
            # 404: a swap of what is not there.
            if status(error) != 412 and not (status(error) == 404 and "IfMatch" in conditions):
                raise
            # A retried request meets what its own first try has written, when only the answer got lost.
            if not (retried(error) and self._is_ours(path, blob)):
                raise refusal(path, self._objects.sink) from error
            made = self._objects.head(path)
        return self._proven(path, blob, powers, made)

    def _unguarded(
        self, path: str, blob: Blob, powers: Powers, refusal: Callable[[str, str], SinkError]
    ) -> Stat:
        """Put without a condition, then look who wrote last."""
        made = self._put(path, blob, powers, {})
        found = self._objects.head(path)
        if found is None or (found.token != made.token and not self._is_ours(path, blob)):
            raise refusal(path, self._objects.sink)
        return self._proven(path, blob, powers, found)

    def _put(self, path: str, blob: Blob, powers: Powers, conditions: dict[str, str]) -> Stat:
        checked = powers.checksum is not Verdict.REFUSED
        if _in_parts(blob):
            return self._put_parts(path, blob, checked=checked, conditions=conditions)
        return self._objects.put(path, blob, sha256=blob.sha256 if checked else "", conditions=conditions)

    def _put_parts(self, path: str, blob: Blob, *, checked: bool, conditions: dict[str, str]) -> Stat:
        from botocore.exceptions import ClientError

        try:
            return self._parts.put(path, blob, checked=checked, conditions=conditions)
        except ClientError as error:
            # Completed by a first try whose answer got lost, or was an error in the body of a 200.
            if not (code(error) == "NoSuchUpload" and retried(error) and self._is_ours(path, blob)):
                raise
            found = self._objects.head(path)
            if found is None:
                raise
            return found

    def _proven(self, path: str, blob: Blob, powers: Powers, made: Stat) -> Stat:
        if not powers.proves and not self._is_ours(path, blob):
            raise SinkError(
                f"{path} is not in sink {self._objects.sink} ({self._objects.options.place}) as it was sent",
                hint="another program wrote to it, or the store is failing: run again",
            )
        return made

    def _is_ours(self, path: str, blob: Blob) -> bool:
        """Read a value back and compare."""
        answer = self._objects.get(path)
        return answer is not None and _digest(answer["Body"]) == blob.sha256

    def _found_out(self, kind: str, ask: Callable[[], Powers]) -> Powers:
        with self._lock:
            if kind not in self._powers:
                self._powers[kind] = ask()
            return self._powers[kind]

    @contextmanager
    def _turn(self, path: str, verdict: Verdict) -> Iterator[None]:
        if verdict is Verdict.HONOURED:
            yield
            return
        options = self._objects.options
        with _TURNS[hash((options.endpoint_url, options.bucket, options.prefix, path)) % len(_TURNS)]:
            yield


def _in_parts(blob: Blob) -> bool:
    # What lies in memory already is sent as it is: one request may be as large as 5 GiB.
    return blob.size > SINGLE and blob.path is not None


def _digest(stream: Any) -> str:
    found = hashlib.sha256()
    try:
        while chunk := stream.read(_CHUNK):
            found.update(chunk)
    finally:
        stream.close()
    return found.hexdigest()


def _is_etag(token: str) -> bool:
    return token.isascii() and token.isprintable() and token.startswith('"') and token.endswith('"')


def _exists(path: str, sink: str) -> SinkError:
    return ExistsError(f"{path} is already there in sink {sink}")


def _conflict(path: str, sink: str) -> SinkError:
    return ConflictError(f"{path} was changed by somebody else in sink {sink}")
