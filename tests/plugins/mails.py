"""Messages for tests, written byte by byte: what mailers really send is rarely what libraries write."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from archiver import api
from archiver.web import Limits, PoliteClient
from archiver_plugins.mail import Email, EmailEntry, EmailOptions
from archiver_plugins.mail.parts import Part
from archiver_plugins.mail.scan import parts_of
from archiver_plugins.mail.window import Window

BEIJING = api.Event("beijing", "Beijing Stop")
SHENZHEN = api.Event("shenzhen", "Shenzhen Stop")
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 8 + b"\n%%EOF\n"
#: The line before each message of an mbox.
SEPARATOR = b"From jq@example.org Sun Sep 16 10:00:00 2012\n"
Listed = api.Material | api.Unavailable


def encoded(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def header(number: int = 1, /, **fields: str | bytes | None) -> bytes:
    """Write a header; a field of None is left out, `in_reply_to` is In-Reply-To."""
    given: dict[str, str | bytes | None] = {
        "From": "Junqiang Chen <jq@example.org>",
        "To": "box@example.test",
        "Subject": f"Talk {number}",
        "Date": "Sun, 16 Sep 2012 10:00:00 +0800",
        "Message-ID": f"<m{number}@example.org>",
    }
    for name, value in fields.items():
        proper = {"message_id": "Message-ID"}.get(name, name.replace("_", "-").title())
        given[proper] = value
    return b"".join(
        name.encode() + b": " + encoded(value) + b"\n" for name, value in given.items() if value is not None
    )


def leaf(content_type: str | bytes, data: bytes, *fields: str | bytes, encoding: str = "base64") -> bytes:
    """Write one part: Content-Type, further fields, and the encoded data."""
    body = base64.encodebytes(data).rstrip(b"\n") if encoding == "base64" else data
    lines = [b"Content-Type: " + encoded(content_type), *map(encoded, fields)]
    if encoding:
        lines.append(b"Content-Transfer-Encoding: " + encoding.encode())
    return b"\n".join(lines) + b"\n\n" + body


def attachment(name: str | bytes, data: bytes = PDF, content_type: str = "application/octet-stream") -> bytes:
    return leaf(content_type, data, b'Content-Disposition: attachment; filename="' + encoded(name) + b'"')


def text(body: str | bytes, charset: str = "utf-8", kind: str = "plain") -> bytes:
    return leaf(f"text/{kind}; charset={charset}", encoded(body), encoding="8bit")


def multipart(parts: Iterable[bytes], kind: str = "mixed", boundary: str = "=_b") -> bytes:
    """Write a multipart with its own Content-Type, as a part of something or below a header."""
    mark = b"--" + boundary.encode()
    body = b"".join(mark + b"\n" + part + b"\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'.encode() + body + mark + b"--\n"


def mail(number: int = 1, *parts: bytes, body: str | bytes = "Hello", **fields: str | bytes | None) -> bytes:
    """Write a message with a text and these parts."""
    return header(number, **fields) + multipart([text(body), *parts])


def forwarded(message: bytes) -> bytes:
    return b"Content-Type: message/rfc822\n\n" + message


def scanned(message: bytes) -> list[Part]:
    return list(parts_of(Window(io.BytesIO(message), 0, len(message))))


def entry(event: api.Event = BEIJING, **options: Any) -> api.ScopeEntry[EmailEntry]:
    return api.ScopeEntry(event, EmailEntry(**options))


def listed(
    source: Email, *entries: api.ScopeEntry[EmailEntry], cursor: str = "", limit: int | None = None
) -> tuple[list[Listed], api.Checkpoint]:
    *items, last = source.discover(api.Scope(entries or (entry(),), limit), cursor)
    assert isinstance(last, api.Checkpoint)
    return [item for item in items if not isinstance(item, api.Checkpoint)], last


def materials(source: Email, *entries: api.ScopeEntry[EmailEntry], cursor: str = "") -> list[api.Material]:
    items, _ = listed(source, *entries, cursor=cursor)
    assert all(isinstance(item, api.Material) for item in items), items
    return [item for item in items if isinstance(item, api.Material)]


def fetched(source: Email, item: Listed, into: Path) -> tuple[api.Material, dict[str, bytes]]:
    """Fetch into a fresh directory: the refined material, and the content of each named file."""
    assert isinstance(item, api.Material)
    into.mkdir(parents=True)
    refined, found = item, {}
    for each in source.fetch(item, into):
        if isinstance(each, api.Material):
            refined = each
        else:
            found[each.path.name] = (into / each.path).read_bytes()
    assert sorted(found) == sorted(path.name for path in into.iterdir())
    return refined, found


class Sources:
    """Makes sources and closes what they opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._clients: list[PoliteClient] = []
        self._made: list[Email] = []

    def make(self, *allowed: str, progress: Any = None, **options: Any) -> Email:
        """Make a source; `allowed` are addresses that its HTTP client may reach."""
        limits = Limits(attempts=2, backoff=0.001, longest_backoff=0.001)
        client = PoliteClient(hosts_allowed=allowed, limits=limits)
        self._clients.append(client)
        more = {} if progress is None else {"progress": progress}
        context = api.Context("inbox", self.folder, client, **more)
        source = Email(EmailOptions(**options), context)
        self._made.append(source)
        return source

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for source in self._made:
            source.close()
        for client in self._clients:
            client.close()
