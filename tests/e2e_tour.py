"""A tour made from a seed: events, talks, and the files that exist upstream for them."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

import media_samples as samples
from archiver.testing.slideshare import Deck as SlideShareDeck
from archiver.testing.slideshare import SlideShareDouble
from archiver.testing.speakerdeck import Deck as SpeakerDeckDeck
from archiver.testing.speakerdeck import SpeakerDeckDouble

_SUBJECTS = [
    "Block storage", "Identity service", "Object storage", "Network plugins", "Image registry",
    "Message queues", "Bare metal", "Live migration", "Telemetry", "Load balancing",
    "容器编排", "云计算架构", "虚拟化技术", "持续集成", "日志分析", "配置管理", "安全加固", "数据库集群",
]  # fmt: skip
_ANGLES = ["in production", "for beginners", "at scale", "实践", "internals", "踩坑记"]
_PEOPLE = ["Ada Fan", "Bo Chen", "Carla Wu", "Dmitri Liu", "Eva Zhao", "Feng Gao", "Gita Rao", "Hans Meyer"]
_HOSTS = ["slideshare", "speakerdeck", "folder"]


@dataclass(frozen=True)
class Upload:
    """One file or deck upstream: what it is, where it is, and the cell of the status that it fills."""

    event: str
    kind: str
    host: str
    title: str
    speaker: str = ""
    talk: str = ""
    number: int = 0


@dataclass(frozen=True)
class Tour:
    """The programme, and what was uploaded."""

    events: Sequence[Mapping[str, Any]]
    uploads: Sequence[Upload]

    def without(self, upload: Upload) -> Tour:
        """Take one upload away."""
        return replace(self, uploads=[each for each in self.uploads if each != upload])


def make_tour(seed: int, stops: int = 4) -> Tour:
    """Make a tour: every talk has its own title; some talks, reports and recordings lack their upload."""
    chance = random.Random(seed)
    titles = [f"{subject} {angle}" for subject in _SUBJECTS for angle in _ANGLES]
    chance.shuffle(titles)
    events, uploads = [], []
    for stop in range(stops):
        talks = [
            {"id": f"t{stop}-{n}", "title": titles.pop(), "speaker": chance.choice(_PEOPLE)}
            for n in range(chance.randint(2, 4))
        ]
        event = {"id": f"stop{stop}", "title": f"Stop {stop}", "talks": talks}
        if chance.random() < 0.5:
            event["date"] = f"2013-0{stop + 1}-1{stop}"
        events.append(event)
        uploads += _uploads(event, chance)
    return Tour(events, [replace(each, number=1000 + n) for n, each in enumerate(uploads)])


def _uploads(event: Mapping[str, Any], chance: random.Random) -> list[Upload]:
    made = [
        Upload(event["id"], "slides", chance.choice(_HOSTS), talk["title"], talk["speaker"], talk["id"])
        for talk in event["talks"]
        if chance.random() < 0.8
    ]
    made += [
        Upload(event["id"], kind, "folder", f"{kind} of {event['title']}")
        for kind in ("report", "photo", "video")
        if chance.random() < 0.7
    ]
    return made


def _page(text: str, number: int) -> bytes:
    # Different pixels for different decks, so that no two files are alike by accident.
    seed = random.Random(f"{text}{number}")
    return samples.jpeg(160, 90, (seed.randrange(256), seed.randrange(256), seed.randrange(256)))


def _file(upload: Upload) -> tuple[str, bytes]:
    name = upload.title.replace(" ", "_")
    if upload.kind == "slides":
        return f"slides/{name}.pdf", samples.pdf([upload.title, f"by {upload.speaker}"])
    if upload.kind == "report":
        return f"reports/{name}.html", samples.html(
            f"<p>{upload.title} {'was a success. ' * 20}</p>", upload.title
        )
    if upload.kind == "photo":
        return f"photos/{name}.jpg", _page(upload.title, 0)
    return f"videos/{name}.mp4", samples.mp4(2 + upload.number % 5)


@dataclass
class Upstream:
    """The services and the folder that hold a tour's uploads, while used as a context manager."""

    tour: Tour
    folder: Path
    slideshare: SlideShareDouble = field(init=False)
    speakerdeck: SpeakerDeckDouble = field(init=False)

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self.slideshare = self._stack.enter_context(SlideShareDouble(self._slideshare()))
        self.speakerdeck = self._stack.enter_context(SpeakerDeckDouble(self._speakerdeck()))
        self.folder.mkdir(parents=True)
        (self.folder / "README.txt").write_text("not material", encoding="utf-8")
        for event in self.tour.events:
            (self.folder / event["id"]).mkdir()
        for upload in self._at("folder"):
            name, data = _file(upload)
            path = self.folder / upload.event / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _at(self, host: str) -> list[Upload]:
        return [upload for upload in self.tour.uploads if upload.host == host]

    def _slideshare(self) -> list[SlideShareDeck]:
        return [
            SlideShareDeck(
                id=upload.number,
                user=upload.event,
                title=upload.title,
                author=upload.speaker,
                created="2013-01-02 03:04:05 UTC",
                pages=tuple(_page(upload.title, n) for n in (1, 2)),
                transcript=(upload.title, f"Thanks from {upload.speaker}"),
            )
            for upload in self._at("slideshare")
        ]

    def _speakerdeck(self) -> list[SpeakerDeckDeck]:
        return [
            SpeakerDeckDeck(
                user=upload.event,
                title=upload.title,
                author=upload.speaker,
                slug=f"deck-{upload.number}",
                pages=[_page(upload.title, n) for n in (1, 2)],
                pdf=samples.pdf([upload.title]) if upload.number % 2 else None,
            )
            for upload in self._at("speakerdeck")
        ]

    @property
    def environment(self) -> dict[str, str]:
        """What the configuration refers to."""
        return {"SLIDESHARE_URL": self.slideshare.url, "SPEAKERDECK_URL": self.speakerdeck.url}

    def write_config(self, path: Path, sink: str = "./archive") -> Path:
        """Write the configuration an organizer would have for this tour."""
        data = {
            "archive": {"title": "A made tour", "organizer": "Nobody", "site": False},
            "sinks": {"local": {"type": "disk", "path": sink}},
            "sources": {
                "decks": {"type": "slideshare", "base_url": "${SLIDESHARE_URL}"},
                "speaker": {"type": "speakerdeck", "base_url": "${SPEAKERDECK_URL}"},
                "inbox": {"type": "folder", "path": str(self.folder)},
            },
            "events": [{**event, "sources": self._entries(event["id"])} for event in self.tour.events],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return path

    def _entries(self, event: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = [{"use": "inbox", "path": event}]
        if any(upload.event == event for upload in self._at("slideshare")):
            entries.append({"use": "decks", "user": event})
        if any(upload.event == event for upload in self._at("speakerdeck")):
            entries.append({"use": "speaker", "user": event})
        return entries


def set_environment(upstream: Upstream) -> None:
    """Put the addresses into this process's environment."""
    os.environ.update(upstream.environment)
