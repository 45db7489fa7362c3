"""A service on this machine that behaves like the real one. Run this file to look at it."""

import time
from dataclasses import dataclass
from typing import Any

from archiver.testing import Reply, Request, Routes, Service

PAGE_SIZE = 2


@dataclass
class Talk:
    id: str
    title: str
    updated: str
    speaker: str = ""
    transcript: str = ""
    deleted: bool = False

    @property
    def slides(self) -> bytes:
        return pdf(self.title + self.updated)

    def shown(self) -> dict[str, Any]:
        if self.deleted:
            return {"id": self.id, "updated": self.updated, "deleted": True}
        about = {"id": self.id, "title": self.title, "updated": self.updated, "speaker": self.speaker}
        return {**about, "size": len(self.slides), "transcript": bool(self.transcript)}


def pdf(title: str) -> bytes:
    """Make a PDF of one empty page; the title makes its bytes differ from those of others."""
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 320 180] /Resources << >> >>",
        b"<< /Title <%s> >>" % title.encode("utf-16").hex().encode(),
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    head = b"xref\n0 5\n0000000000 65535 f \n" + table
    tail = b"trailer\n<< /Size 5 /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n" % len(out)
    return out + head + tail + b"%" * 2 + b"EOF\n"


class Double(Service):
    """One series of talks in pages of two; `talks` may be changed while it runs. Wants its token, if any."""

    def __init__(self, talks: list[Talk], *, token: str = "", port: int = 0) -> None:
        super().__init__(port=port)
        self.talks = talks
        self.token = token

    def routes(self) -> Routes:
        return {
            "/series/{series}": self.listing,
            "/talks/{id}/slides.pdf": self.slides,
            "/talks/{id}/transcript.txt": self.transcript,
        }

    def reply_to(self, request: Request) -> Reply:
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return Reply.html("<h1>Log in</h1>", 401)
        return super().reply_to(request)

    def listing(self, request: Request) -> Reply:
        since = request.query.get("since", "")
        wanted = [talk for talk in self.talks if talk.updated >= since and (since or not talk.deleted)]
        first = (int(request.query.get("page", "1")) - 1) * PAGE_SIZE
        shown = [talk.shown() for talk in wanted[first : first + PAGE_SIZE]]
        return Reply.json({"talks": shown, "more": first + PAGE_SIZE < len(wanted)})

    def slides(self, request: Request) -> Reply:
        found = self.find(request.args["id"])
        return Reply.file(found.slides, "application/pdf") if found else Reply.missing()

    def transcript(self, request: Request) -> Reply:
        found = self.find(request.args["id"])
        return Reply.file(found.transcript.encode(), "text/plain") if found else Reply.missing()

    def find(self, wanted: str) -> Talk | None:
        return next((talk for talk in self.talks if talk.id == wanted and not talk.deleted), None)


SAMPLE = [
    Talk("12", "Deploy OpenStack with Chef", "2012-09-17T08:00:00Z", "Junqiang Chen"),
    Talk("13", "云计算的思考", "2012-09-18T08:00:00Z", "Shake Chen", transcript="大家好，今天我们讲云计算。"),
    Talk("14", "Quantum & friends", "2012-09-18T09:00:00Z"),
]

if __name__ == "__main__":
    with Double(list(SAMPLE), port=8123) as service:
        print(f"{service.url} answers until you press Ctrl-C", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass
