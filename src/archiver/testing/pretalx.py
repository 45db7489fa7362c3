"""A pretalx-like service with the habits of the real one, on loopback.

    talk = Talk("A7KX3Q", "Chef", ("Junqiang Chen",), attachments=(Upload("chef.pdf", pdf),))
    with PretalxDouble("democon", [talk]) as service:
        ...  # service.url is the base_url; PUBLIC + "/democon" belongs in a configuration

What it imitates: `schedule.json` with relative addresses of uploads, texts in several languages, talks
that are held twice, `null` where nothing is, a schedule that is not released (404), a token, frab's
form without codes, and the calendar of the same talks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from archiver.testing.messages import Reply, Request
from archiver.testing.service import Routes, Service

PUBLIC = "https://pretalx.example.org"


@dataclass(frozen=True)
class Upload:
    """A file that a speaker uploaded."""

    name: str
    body: bytes
    media_type: str = "application/pdf"
    title: str = "Slides"


@dataclass(frozen=True)
class Talk:
    """One talk. `links` are pairs of title and address; `times` is how often it is held."""

    code: str
    title: str
    speakers: tuple[str, ...] = ()
    attachments: tuple[Upload, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    date: str = "2012-09-16T10:00:00+08:00"
    room: str = "Hall"
    times: int = 1


class PretalxDouble(Service):
    """The service with one event; `add` and `remove` talks while it runs.

    `released` is whether there is a schedule; `token` is needed when given; `frab` leaves out what only
    pretalx has.
    """

    def __init__(
        self, event: str = "democon", talks: Iterable[Talk] = (), *, port: int = 0, token: str = ""
    ) -> None:
        super().__init__(port=port)
        self.event, self.token = event, token
        self.released, self.frab = True, False
        self._talks: dict[str, Talk] = {}
        self.add(*talks)

    def add(self, *talks: Talk) -> None:
        """Accept talks; one with a known code takes the place of the other."""
        self._talks |= {talk.code: talk for talk in talks}

    def remove(self, code: str) -> None:
        """Take a talk out of the schedule."""
        self._talks.pop(code)

    @property
    def address(self) -> str:
        """Give the public address of the event."""
        return f"{PUBLIC}/{self.event}/"

    def routes(self) -> Routes:
        """List the addresses of the service."""
        return {
            f"/{self.event}/schedule/export/schedule.json": self.schedule,
            f"/{self.event}/schedule.ics": self.calendar,
            f"/media/{self.event}/submissions/{{code}}/resources/{{name}}": self.upload,
        }

    def _closed(self, request: Request) -> Reply | None:
        if self.token and request.headers.get("authorization") != f"Token {self.token}":
            return Reply.missing(401)
        return None if self.released else Reply.missing()

    def schedule(self, request: Request) -> Reply:
        """Answer with the schedule."""
        return self._closed(request) or Reply.json({"schedule": {"version": "1", "conference": self._days()}})

    def _days(self) -> dict[str, Any]:
        days: dict[str, dict[str, list[Any]]] = {}
        for talk in self._talks.values():
            rooms = days.setdefault(talk.date[:10], {})
            for _ in range(talk.times):
                rooms.setdefault(talk.room, []).append(self._talk(talk))
        listed = [{"index": n, "date": day, "rooms": days[day]} for n, day in enumerate(sorted(days), 1)]
        return {"acronym": self.event, "title": self.event, "daysCount": len(listed), "days": listed}

    def _talk(self, talk: Talk) -> dict[str, Any]:
        names = "full_public_name" if self.frab else "name"
        talked: dict[str, Any] = {
            "guid": f"guid-{talk.code}",
            "title": {"en": talk.title} if talk.times > 1 else talk.title,
            "abstract": None,
            "date": talk.date,
            "language": "zh",
            "url": f"{self.address}talk/{talk.code}/",
            "persons": [{names: name} for name in talk.speakers],
            "links": [{"title": title, "url": url} for title, url in talk.links],
            "attachments": [
                {
                    "title": file.title,
                    "url": f"/media/{self.event}/submissions/{talk.code}/resources/{file.name}",
                }
                for file in talk.attachments
            ],
        }
        return talked if self.frab else {"code": talk.code, **talked}

    def upload(self, request: Request) -> Reply:
        """Answer with a file."""
        talk = self._talks.get(request.args["code"])
        for file in talk.attachments if talk else ():
            if file.name == request.args["name"]:
                return Reply.file(file.body, file.media_type)
        return Reply.missing()

    def calendar(self, request: Request) -> Reply:
        """Answer with the talks as iCalendar (RFC 5545), titles escaped and long lines folded."""
        events = "".join(self._event(talk) for talk in self._talks.values())
        text = (
            f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//double//{self.event}//\r\n{events}END:VCALENDAR\r\n"
        )
        return self._closed(request) or Reply(text.encode(), 200, "text/calendar")

    def _event(self, talk: Talk) -> str:
        title = talk.title.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
        start = talk.date[:19].replace("-", "").replace(":", "")
        lines = [
            "BEGIN:VEVENT",
            f"UID:pretalx-{self.event}-{talk.code}@example.org",
            f"DTSTART:{start}",
            _folded(f"SUMMARY:{title}"),
            *(f'ATTENDEE;CN="{name}":mailto:speaker@example.org' for name in talk.speakers),
            "END:VEVENT",
        ]
        return "".join(f"{line}\r\n" for line in lines)


def _folded(line: str) -> str:
    """Break a line of over 75 bytes between characters (RFC 5545, 3.1)."""
    return "\r\n ".join(line[at : at + 24] for at in range(0, len(line), 24))
