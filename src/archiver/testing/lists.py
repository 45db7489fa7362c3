"""Archives of mailing lists with the habits of the real ones, on loopback: Mailman 2 and Mailman 3.

    with ListsDouble("talks") as service:
        service.add(message)  # whole messages as bytes, as the list received them
        ...  # mirrors: {service.host: service.url}; pipermail: service.pipermail

What it imitates. Pipermail: an index page with sizes, a text for each month, packed or not, in which
addresses are obscured ("jq at example.org"), attachments are taken out and lie elsewhere on the server, lines
that begin with "From " have a ">", and headers other than six are gone; files come with types that are not
theirs. HyperKitty: a page that links months, and an export of any period with attachments in it and addresses
as "jq(a)example.org"; exports that are switched off (400), archives for members alone (a login page).
"""

from __future__ import annotations

import gzip
import hashlib
import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from email.utils import parseaddr, parsedate_to_datetime
from urllib.parse import quote

from archiver.testing.faults import LOGIN_PAGE
from archiver.testing.messages import Reply, Request
from archiver.testing.service import Routes, Service

_KEPT = ("Date", "Subject", "In-Reply-To", "References", "Message-ID")


@dataclass(frozen=True)
class Wording:
    """What a list writes in its language where it took something out."""

    part: str = "next part"
    taken: str = "A non-text attachment was scrubbed..."
    html: str = "An HTML attachment was scrubbed..."
    labels: tuple[str, str, str, str, str] = ("Name", "Type", "Size", "Desc", "URL")
    unknown: str = "not available"
    at: str = "at"


ENGLISH = Wording()
GERMAN = Wording(
    "nächster Teil",
    "Ein Dateianhang mit Binärdaten wurde abgetrennt...",
    "Ein Dateianhang mit HTML-Daten wurde abgetrennt...",
    ("Dateiname ", "Dateityp  ", "Dateigröße", "Beschreibung", "URL        "),
    "nicht verfügbar",
)


@dataclass(eq=False)
class ListsDouble(Service):
    """A server with one list in both kinds of archive; `add` messages while it runs.

    `packed` says whether months are gzip, `exports` whether HyperKitty gives them, `private` whether anything
    is seen without a login. `types` are what the server says of files, by the end of their names.
    `moved_to` is an address under which notices say that attachments lie: that of before a move.
    """

    name: str = "talks"
    host: str = "lists.example.org"
    packed: bool = True
    exports: bool = True
    private: bool = False
    wording: Wording = ENGLISH
    moved_to: str = ""
    types: Mapping[str, str] = field(default_factory=lambda: {".gz": "text/plain; charset=us-ascii"})
    port: int = 0

    def __post_init__(self) -> None:
        super().__init__(port=self.port)
        self._messages: list[bytes] = []

    def add(self, *messages: bytes) -> None:
        """Let the list receive messages."""
        self._messages += messages

    def remove(self, message: bytes) -> None:
        """Take a message out of the archive."""
        self._messages.remove(message)

    @property
    def pipermail(self) -> str:
        """Give the public address of the archive of Mailman 2."""
        return f"https://{self.host}/pipermail/{self.name}/"

    @property
    def hyperkitty(self) -> str:
        """Give the public address of the archive of Mailman 3."""
        return f"https://{self.host}/hyperkitty/list/{self.name}@{self.host}/"

    def routes(self) -> Routes:
        """List the addresses of both archives."""
        exported = f"/hyperkitty/list/{self.name}@{self.host}/"
        return {
            f"/pipermail/{self.name}/": self.index,
            f"/pipermail/{self.name}/attachments/{{day:int}}/{{code}}/{{file}}": self.attachment,
            f"/pipermail/{self.name}/{{file}}": self.month,
            exported: self.overview,
            f"{exported}export/{{file}}.mbox.gz": self.export,
        }

    def _by_month(self) -> dict[date, list[bytes]]:
        found: dict[date, list[bytes]] = {}
        for raw in self._messages:
            found.setdefault(_day(raw).replace(day=1), []).append(raw)
        return found

    def index(self, request: Request) -> Reply:
        """Answer with the index of the archive of Mailman 2."""
        del request
        if self.private:
            return Reply.html(LOGIN_PAGE)
        rows = "".join(self._row(day, messages) for day, messages in sorted(self._by_month().items())[::-1])
        table = f"<table border=3>{rows}</table>" if rows else "<p>There are currently no archives.</p>"
        return Reply.html(
            f"<!doctype html><title>The {self.name} Archives</title>"
            f'<a href="../{self.name}.mbox/{self.name}.mbox">download the full raw archive</a>{table}'
        )

    def _row(self, day: date, messages: list[bytes]) -> str:
        name, file = f"{day:%Y-%B}", self._file(day)
        told = f"[ {'Gzip&#39;d ' if self.packed else ''}Text {len(self._text(messages))} bytes ]"
        return (
            f"<tr><td>{day:%B %Y}:</td><td><A href='{name}/thread.html'>[ Thread ]</a></td>"
            f'<td><A href="{file}">{told}</a></td></tr>'
        )

    def _file(self, day: date) -> str:
        return f"{day:%Y-%B}.txt{'.gz' if self.packed else ''}"

    def month(self, request: Request) -> Reply:
        """Answer with the text of a month."""
        for day, messages in self._by_month().items():
            if request.args["file"] == self._file(day) and not self.private:
                text = self._text(messages)
                return Reply.file(gzip.compress(text, mtime=0) if self.packed else text, self._type(request))
        return Reply.html(LOGIN_PAGE) if self.private else Reply.missing()

    def _type(self, request: Request) -> str:
        return next(
            (each for end, each in self.types.items() if request.path.endswith(end)), "application/x-unknown"
        )

    def _text(self, messages: Iterable[bytes]) -> bytes:
        return b"".join(self._entry(raw) for raw in messages)

    def _entry(self, raw: bytes) -> bytes:
        """Write one message as pipermail does."""
        message = message_from_bytes(raw)
        name, sender = parseaddr(str(message["From"]))
        address = sender.replace("@", f" {self.wording.at} ")
        fields = [f"From: {address}" + (f" ({name})" if name else "")]
        fields += [f"{key}: {message[key]}" for key in _KEPT if message[key]]
        when = _moment(raw).strftime("%a %b %e %H:%M:%S %Y")
        head = f"From {address}  {when}\n" + "\n".join(fields) + "\n\n"
        body = b"".join(self._shown(part, number, raw) for number, part in enumerate(_leaves(message)))
        body = re.sub(rb"([\w.+-]+)@([\w.-]+)", rb"\1 at \2", body)
        return head.encode() + re.sub(rb"^From ", b">From ", body, flags=re.MULTILINE).rstrip() + b"\n\n"

    def _shown(self, part: Message, number: int, raw: bytes) -> bytes:
        """Give a text as it is, and for all else a notice; HTML has a shorter one."""
        data = _payload(part)
        if part.get_content_type() == "text/plain" and not part.get_filename():
            return data.rstrip(b"\n") + b"\n"
        base = self.moved_to or self.pipermail
        at = f"{base}attachments/{_day(raw):%Y%m%d}/{_code(raw)}/{_kept(part, number)}"
        words, labels = self.wording, self.wording.labels
        lines = [f"-------------- {words.part} --------------"]
        if part.get_content_type() == "text/html":
            lines += [words.html, f"URL: <{at}>"]
        else:
            values = (
                part.get_filename() or words.unknown,
                part.get_content_type(),
                f"{len(data)} bytes",
                words.unknown,
                f"<{at}>",
            )
            lines += [words.taken, *(f"{name}: {value}" for name, value in zip(labels, values, strict=True))]
        return ("\n".join(lines) + "\n").encode()

    def attachment(self, request: Request) -> Reply:
        """Answer with what was taken out of a message."""
        for raw in self._messages:
            if request.args["code"] == _code(raw) and f"{_day(raw):%Y%m%d}" == request.args["day"]:
                for number, part in enumerate(_leaves(message_from_bytes(raw))):
                    if _kept(part, number) == request.args["file"]:
                        return Reply.file(_payload(part), self._type(request))
        return Reply.missing()

    def overview(self, request: Request) -> Reply:
        """Answer with the page of the list in HyperKitty."""
        del request
        if self.private:
            return Reply.html(LOGIN_PAGE)
        here = quote(f"/hyperkitty/list/{self.name}@{self.host}/")
        links = "".join(
            f'<li><a href="{here}{day.year}/{day.month}/">{day:%B}</a></li>' for day in self._by_month()
        )
        return Reply.html(f"<!doctype html><title>{html.escape(self.name)}</title><ul>{links}</ul>")

    def export(self, request: Request) -> Reply:
        """Answer with the messages of a period; the end is the first day that is left out."""
        if self.private:
            return Reply.html(LOGIN_PAGE)
        if not self.exports:
            return Reply.html("<h1>Bad Request (400)</h1>", 400)
        first, end = (date.fromisoformat(request.query[name]) for name in ("start", "end"))
        chosen = [raw for raw in self._messages if first <= _day(raw) < end]
        data = gzip.compress(b"".join(map(_exported, chosen)), mtime=0)
        return Reply(data, 200, "application/gzip")  # made for each request: no entity tag


def _exported(raw: bytes) -> bytes:
    """Write one message as HyperKitty makes it anew from its database."""
    before = message_from_bytes(raw, policy=default)
    message = EmailMessage(policy=default)
    message["From"] = str(before["From"]).replace("@", "(a)")
    for name in _KEPT[1:]:
        if before[name]:
            message[name] = str(before[name])
    moment = _moment(raw)
    message["Date"] = moment.astimezone(moment.tzinfo).strftime("%a, %d %b %Y %H:%M:%S %z")
    body = before.get_body(("plain",))
    message.set_content(body.get_content() if body else "", cte="8bit")
    for part in before.iter_attachments():
        data = _payload(part)
        kind, _, sub = part.get_content_type().partition("/")
        message.add_attachment(data, maintype=kind, subtype=sub, filename=part.get_filename())
    text = message.as_bytes(policy=default.clone(linesep="\n"))
    sender = parseaddr(str(before["From"]))[1].replace("@", "(a)").encode()
    when = (moment + timedelta(seconds=5)).strftime("%a %b %e %H:%M:%S %Y").encode()
    quoted = re.sub(rb"^From ", b">From ", text, flags=re.MULTILINE)
    return b"From " + sender + b" " + when + b"\n" + quoted.rstrip() + b"\n\n"


def _leaves(message: Message) -> list[Message]:
    return [part for part in message.walk() if not part.is_multipart()]


def _payload(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _moment(raw: bytes) -> datetime:
    return parsedate_to_datetime(str(message_from_bytes(raw)["Date"]))


def _day(raw: bytes) -> date:
    return _moment(raw).date()


def _code(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:8]


def _kept(part: Message, number: int) -> str:
    """Name a file as the archive does: by a type's usual ending, `.obj` where it knows none."""
    endings = {"text/html": "htm", "application/pdf": "pdf", "image/png": "png"}
    ending = endings.get(part.get_content_type(), "obj")
    return f"attachment{f'-{number:04}' if number > 1 else ''}.{ending}"
