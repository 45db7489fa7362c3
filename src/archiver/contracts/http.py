"""The polite HTTP client as a plugin sees it, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer, read into memory under a limit. `headers` has lower-case names."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """Decode by the declared charset, else UTF-8, replacing what does not fit."""
        _, _, charset = self.headers.get("content-type", "").partition("charset=")
        try:
            return self.content.decode(charset.split(";")[0].strip("\"' ") or "utf-8", "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Parse as JSON. Raises `InvalidError` when it is none."""
        import json

        from archiver.errors import InvalidError
        from archiver.redact import redact

        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:  # "[[[[…" is too deep for the parser
            raise InvalidError(f"{redact(self.url)} did not answer with JSON: {error}") from error


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that arrived whole. `size` in bytes, `sha256` in lower-case hex.

    `name` is what the other side calls it (Content-Disposition, RFC 6266): a label of at most 200
    visible characters without any folder, never a path; "" when it did not say.
    """

    path: Path
    size: int
    sha256: str
    url: str
    media_type: str = ""
    etag: str = ""
    last_modified: str = ""
    name: str = ""


class RawResponse(Protocol):
    """One answer with its body still to be read; a redirect and a refusal are answers too.

    `headers` are in order, names in lower case, repeated ones repeated.
    """

    url: str
    status: int
    headers: Sequence[tuple[str, str]]

    def readinto(self, buffer: memoryview | bytearray) -> int:
        """Fill `buffer` and return how many bytes came, 0 at the end. Raises `TransientError`."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class Http(Protocol):
    """The polite HTTP client that the core lends to a source.

    Per-host rate and concurrency, `Retry-After`, retries on transient faults, resume, limits of size
    and time, the address guard and redaction are its business. It raises `TransientError` (retries
    used up), `BlockedError` (401, 403, 407, 451, and a Retry-After of over two minutes), `GoneError`
    (404, 410) and `InvalidError` (too long, wrong length or digest). Statuses named in `accept` come back
    instead.
    """

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Iterable[int] = (),
        max_bytes: int = ...,
    ) -> Response:
        """Get a page or an API answer into memory; `max_bytes` defaults to 32 MiB."""
        ...

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        accept: Iterable[int] = (),
        max_bytes: int = ...,
    ) -> Response:
        """Post a form (UTF-8) or JSON, one of them at most, and get the answer into memory.

        What is posted is in no log and no message. It is sent once; a second time only after a fault in
        which it was certainly not acted upon: no connection, or a 429 or 503 with Retry-After. After a
        redirect by 301, 302 or 303 the answer comes by a GET; by 307 or 308 it is posted again, to the
        same origin alone (RFC 9110, 15.4).
        """
        ...

    def download(
        self,
        url: str,
        path: Path,
        *,
        headers: Mapping[str, str] | None = None,
        size: int | None = None,
        sha256: str = "",
        max_bytes: int | None = None,
    ) -> Downloaded:
        """Get a file onto disk, whole and hashed; `size` and `sha256` are compared when given."""
        ...

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        seconds: float | None = None,
    ) -> RawResponse:
        """Send one request for a library that speaks HTTP itself, and give whatever is answered.

        The address guard, the connections, the bounds of time and the pauses that a 429 or 503 asks for
        with Retry-After are the core's; redirects, cookies, other retries and what a status means are the
        library's. `seconds` is how long the other side may stay silent, when that is less than the core
        allows. Nothing comes packed unless the other side insists. Raises `BlockedError` for an address
        that a source may not reach and for a Retry-After of over two minutes, `InvalidError` for what is
        no web address, `TransientError` when there is no answer, or again and again a Retry-After.
        """
        ...
