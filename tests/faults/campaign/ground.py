"""The ground that the campaign is fought on: a small tour of three events, its upstream, its archive."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

import media_samples as samples
from archiver.testing.links import File, LinksDouble
from faults.campaign import checks
from faults.campaign.starter import How, Runner, Starter
from s3_servers import KEY, SECRET

EVENTS = ("beijing", "shanghai", "shenzhen")
DISK = {"local": {"type": "disk", "path": "./archive"}}
#: What the configuration of a bucket refers to.
KEYS = {"CAMPAIGN_KEY": KEY, "CAMPAIGN_SECRET": SECRET}
RUN = ("run", "--jobs", "1", "--json")


@dataclass(frozen=True)
class Ground:
    """The upstream, an archive of its first half, and what an undisturbed run makes of all of it."""

    folder: Path
    starter: Starter
    sources: dict[str, Any]
    events: list[dict[str, Any]]
    sinks: dict[str, Any] = field(default_factory=lambda: dict(DISK))
    undisturbed: frozenset[str] = frozenset()

    @property
    def base(self) -> Path:
        """An archive with one version in each of its objects."""
        return self.folder / "base"

    def trial(self, name: str, *, begun: bool = False, where: Path | None = None) -> Path:
        """Make a folder for one trial, with a configuration, and an archive if it was `begun`."""
        folder = (where or self.folder) / name
        folder.mkdir(parents=True)
        self.write(folder)
        if begun:
            shutil.copytree(self.base / "archive", folder / "archive")
        return folder

    def write(self, folder: Path) -> None:
        """Write the configuration."""
        data = {
            "archive": {"title": "A tour", "site": False},
            "sinks": self.sinks,
            "sources": self.sources,
            "events": self.events,
        }
        text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
        (folder / "archive.yaml").write_text(text, encoding="utf-8")

    def start(self, folder: Path, how: How | None = None, log: Path | None = None) -> Runner:
        """Start a run there."""
        return self.starter.start(folder, *RUN, how=how, log=log)

    def aftermath(self, folder: Path, runner: Runner | None, *, items: bool = True) -> list[str]:
        """Look at what was left of a run, do the next one, and say all that is wrong."""
        archive = folder / "archive"
        before = checks.look(archive)
        wrong = list(before.wrong)
        if runner is not None:
            wrong += checks.promised(archive, runner.told(), items=items)
        after = self.starter.run(folder, *RUN, log=_log(folder))
        if after.status != 0:
            wrong.append(f"the next run ended with {after.status}: {after.errors[-600:]}")
        wrong += self.compare(archive)
        return wrong + checks.lost(before, checks.look(archive))

    def compare(self, archive: Path) -> list[str]:
        """Say what is not as an undisturbed run would have left it."""
        found, wrong = checks.digests(archive), checks.is_valid(archive)
        wrong += checks.look(archive).wrong
        if found != self.undisturbed:
            missing, more = len(self.undisturbed - found), len(found - self.undisturbed)
            wrong.append(f"it holds {missing} files less and {more} more than after an undisturbed run")
        return wrong


def _log(folder: Path) -> Path:
    log = folder / "after"
    log.mkdir(exist_ok=True)
    return log


def _upload(folder: Path, half: int) -> None:
    for number, event in enumerate(EVENTS):
        place = folder / event
        (place / "slides").mkdir(parents=True, exist_ok=True)
        (place / "photos").mkdir(exist_ok=True)
        deck = samples.pdf([f"Deck {half} of {event}", "Thanks"])
        (place / "slides" / f"Deck {half}.pdf").write_bytes(deck)
        picture = samples.jpeg(64, 48, (40 * number, 100 * half, 90))
        (place / "photos" / f"IMG_{half}.jpg").write_bytes(picture)


def _files(half: int) -> list[File]:
    pages = [f"Linked {half}", "by somebody"]
    return [
        File(f"/{event}/linked-{half}.pdf", samples.pdf([event, *pages]), "application/pdf")
        for event in EVENTS
    ]


def _events(double: LinksDouble, half: int) -> list[dict[str, Any]]:
    return [
        {
            "id": event,
            "title": f"Stop {event}",
            "talks": [{"id": f"talk-{event}", "title": f"Deck 0 of {event}"}],
            "sources": [
                {"use": "inbox", "path": event},
                *({"use": "files", "url": double.link(f"/{event}/linked-{n}.pdf")} for n in range(half + 1)),
            ],
        }
        for event in EVENTS
    ]


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """Make it: the first half is archived, then the second half is uploaded."""
    folder.mkdir(parents=True, exist_ok=True)
    with LinksDouble([*_files(0), *_files(1)]) as double, Starter(KEYS) as starter:
        sources = {
            "inbox": {"type": "folder", "path": str(folder / "upstream")},
            "files": {"type": "links", "base_url": double.url},
        }
        made = Ground(folder, starter, sources, _events(double, 0))
        _upload(folder / "upstream", 0)
        _whole(made, made.trial("base"))
        _upload(folder / "upstream", 1)
        made = replace(made, events=_events(double, 1))
        whole = made.trial("whole")
        _whole(made, whole)
        starter.load(json.loads((whole / "modules").read_text(encoding="utf-8")))
        yield replace(made, undisturbed=frozenset(checks.digests(whole / "archive")))


def _whole(made: Ground, folder: Path) -> None:
    done = made.starter.run(folder, *RUN)
    if done.status != 0:
        raise SystemExit(f"the undisturbed run ended with {done.status}: {done.errors[-2000:]}")
