"""One small upstream for each source: what is there is called what the caller says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from html import escape
from pathlib import Path
from typing import Any

import media_samples as samples
from archiver.testing.flickr import Album, FlickrDouble, Photo, User
from archiver.testing.links import File, LinksDouble
from archiver.testing.messages import Reply
from archiver.testing.pretalx import PretalxDouble, Talk, Upload
from archiver.testing.service import Service
from archiver.testing.slideshare import Deck as SlideShareDeck
from archiver.testing.slideshare import SlideShareDouble
from archiver.testing.speakerdeck import Deck as SpeakerDeck
from archiver.testing.speakerdeck import SpeakerDeckDouble
from archiver.testing.video import Clip, VideoDouble
from archiver.testing.web import WebDouble

OWNER, ALBUM = "10000001@N02", 72157631000000001


@dataclass(frozen=True)
class Upstream:
    """A running upstream: the options of its source and of its entry, and how to empty it.

    `service` is what answers over the network, where anything does. `hides` says that a name reaches the
    source in a form of its own, such as the last part of an address.
    """

    options: dict[str, Any]
    entry: dict[str, Any]
    empty: Callable[[], object]
    service: Service | None = None


Make = Callable[[Path, Sequence[str], str], Any]


def _nothing_is_there(service: Service, reply: Callable[[], Reply]) -> Callable[[], None]:
    """Let a service answer everything in one way from now on."""

    def empty() -> None:
        service.reply_to = lambda request: reply()  # type: ignore[method-assign]  # it is emptied

    return empty


def _pictures(number: int) -> list[bytes]:
    return [samples.jpeg(120, 80, (20 * number % 256, 50 * page, 90)) for page in (1, 2)]


@contextmanager
def slideshare(folder: Path, titles: Sequence[str], speaker: str) -> Iterator[Upstream]:
    """Decks of one user."""
    decks = [
        SlideShareDeck(
            id=14310000 + number, user="cosug", title=title, author=speaker, pages=tuple(_pictures(number)),
            created="2013-01-02 03:04:05 UTC", transcript=("one", "two"),
        )
        for number, title in enumerate(titles)
    ]  # fmt: skip
    with SlideShareDouble(decks) as service:
        empty = _nothing_is_there(service, Reply.missing)
        yield Upstream({"base_url": service.url}, {"user": "cosug"}, empty, service)


@contextmanager
def speakerdeck(folder: Path, titles: Sequence[str], speaker: str) -> Iterator[Upstream]:
    """Decks of one user, every second one with a PDF."""
    decks = [
        SpeakerDeck(
            user="cosug", title=title, author=speaker, slug=f"deck-{number}", pages=_pictures(number),
            pdf=samples.pdf([f"Deck {number}"]) if number % 2 else None,
        )
        for number, title in enumerate(titles)
    ]  # fmt: skip
    with SpeakerDeckDouble(decks) as service:
        empty = _nothing_is_there(service, Reply.missing)
        yield Upstream({"base_url": service.url}, {"user": "cosug"}, empty, service)


@contextmanager
def flickr(folder: Path, titles: Sequence[str], speaker: str) -> Iterator[Upstream]:
    """Photos of an album."""
    photos = [Photo(id=8000000000 + n, title=title, image=_pictures(n)[0]) for n, title in enumerate(titles)]
    with FlickrDouble(photos, users=[User(OWNER, speaker, "cosug")]) as service:
        service.add_album(Album(ALBUM, OWNER, [photo.id for photo in photos], "An album"))
        options = {f"{name}base_url": service.url for name in ("", "web_", "short_", "file_")}

        def empty() -> None:
            service.add_album(Album(ALBUM, OWNER, [], "An album"))

        yield Upstream({**options, "api_key": service.api_key}, {"album": f"{ALBUM}"}, empty, service)


@contextmanager
def links(folder: Path, titles: Sequence[str], speaker: str) -> Iterator[Upstream]:
    """Files at plain addresses, named by their server."""
    files = [
        File(f"/files/{n}.pdf", samples.pdf([f"File {n}", title]), "application/pdf")
        for n, title in enumerate(titles)
    ]
    with LinksDouble(files) as service:
        urls = [{"url": service.link(file.path), "title": t} for file, t in zip(files, titles, strict=True)]
        empty = _nothing_is_there(service, Reply.missing)
        yield Upstream({"base_url": service.url}, {"urls": urls}, empty, service)


@contextmanager
def pretalx(folder: Path, titles: Sequence[str], speaker: str) -> Iterator[Upstream]:
    """Uploads of the talks of a conference."""
    talks = [
        Talk(f"T{n:05}", title, (speaker,), (Upload(f"{_segment(title)}.pdf", samples.pdf([f"Talk {n}"])),))
        for n, title in enumerate(titles)
    ]
    with PretalxDouble("democon", talks) as service:

        def empty() -> None:
            for talk in talks:
                service.remove(talk.code)

        yield Upstream({"base_url": service.url}, {"url": service.address}, empty, service)


@contextmanager
def web(folder: Path, titles: Sequence[str], speaker: str) -> Iterator[Upstream]:
    """Reports on a site."""
    with WebDouble(public="https://news.example.org") as service:
        told = "".join(
            f"<p>The stop of the tour by {escape(speaker)}, part {n}: {'talk ' * 30}</p>" for n in range(6)
        )
        pages = [
            service.page(f"/{n}.html", f"<h1>{escape(title)}</h1>{told}{n}", title=escape(title))
            for n, title in enumerate(titles)
        ]
        options = {"base_url": service.url, "site": service.public}
        empty = _nothing_is_there(service, Reply.missing)
        yield Upstream(options, {"pages": pages}, empty, service)


@contextmanager
def video(folder: Path, titles: Sequence[str], speaker: str) -> Iterator[Upstream]:
    """Short films."""
    clips = [Clip(f"clip-{n}", title, seconds=2 + n % 3) for n, title in enumerate(titles)]
    with VideoDouble(clips) as service:
        options = {"base_url": service.url, "public_url": "https://video.example.org", "pause": 0}
        urls = [f"https://video.example.org/watch/{clip.slug}" for clip in clips]
        empty = _nothing_is_there(service, Reply.missing)
        yield Upstream(options, {"urls": urls}, empty, service)


@contextmanager
def mail(folder: Path, titles: Sequence[str], speaker: str) -> Iterator[Upstream]:
    """Messages with an attachment each, as files."""
    place = folder / "mails"
    place.mkdir(parents=True)
    for number, title in enumerate(titles):
        (place / f"{number}.eml").write_bytes(_letter(number, title, speaker))

    def empty() -> None:
        for file in place.iterdir():
            file.unlink()

    yield Upstream({"paths": str(place)}, {"subject": "Beijing"}, empty)


def _letter(number: int, title: str, speaker: str) -> bytes:
    message = EmailMessage()
    message["From"] = "speaker@example.org"
    message["Date"] = "Sun, 16 Sep 2012 10:00:00 +0800"
    message["Message-ID"] = f"<{number}@example.org>"
    message["Subject"] = f"Slides for Beijing {number}"
    message.set_content(f"Here they are.\n{speaker!r}\n")
    pdf = samples.pdf([f"Mailed {number}"])
    message.add_attachment(pdf, "application", "pdf", filename=f"{_one_line(title)}.pdf")
    return message.as_bytes()


def _segment(text: str) -> str:
    # A service keeps what it was given under one segment of an address: these would end or split it.
    return "".join(c for c in _one_line(text) if c not in "/?#%\\") or "nameless"


def _one_line(text: str) -> str:
    # The library refuses to write a header with a line break in it, rightly.
    return "".join(c for c in text if c.isprintable() or c == "\t").encode("utf-8", "replace").decode()


@contextmanager
def folder_(folder: Path, titles: Sequence[str], speaker: str) -> Iterator[Upstream]:
    """Files in a directory."""
    place = folder / "incoming"
    place.mkdir(parents=True)
    for number, title in enumerate(titles):
        name = title.replace("/", "").replace("\0", "")[:60]
        name = f"n{name}" if name[:1] in {"", "."} else name  # hidden files are nobody's material
        (place / f"{name}.pdf").write_bytes(samples.pdf([f"Dropped {number}"]))

    def empty() -> None:
        for file in place.iterdir():
            file.unlink()

    yield Upstream({"path": str(place)}, {}, empty)


UPSTREAMS: dict[str, Callable[[Path, Sequence[str], str], Any]] = {
    "slideshare": slideshare,
    "speakerdeck": speakerdeck,
    "flickr": flickr,
    "links": links,
    "pretalx": pretalx,
    "web": web,
    "video": video,
    "email": mail,
    "folder": folder_,
}
#: Those that are asked over the network.
NETWORKED = ("slideshare", "speakerdeck", "flickr", "links", "pretalx", "web", "video")
