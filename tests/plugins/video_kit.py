"""What the tests of the video source share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archiver import api
from archiver.testing.video import Clip, VideoDouble
from archiver.web import Limits, PoliteClient, origins_of
from archiver_plugins.video import Video, VideoEntry, VideoOptions

PUBLIC = "https://video.example.org"
BEIJING = api.Event("beijing", "Beijing Stop")
WORDS = "WEBVTT\n\n00:00.000 --> 00:02.000\n大家好，我们来讲 OpenStack\n"


class World:
    """The double, and a source that takes it for a public site."""

    def __init__(self, folder: Path, service: VideoDouble) -> None:
        self.folder = folder
        self.service = service
        self.sources: list[Video] = []
        self.clients: list[PoliteClient] = []
        self._numbers = itertools.count()

    def source(self, **options: Any) -> Video:
        limits = Limits(attempts=2, backoff=0.001, longest_backoff=0.001, connect_seconds=2, read_seconds=3)
        twin = {"base_url": self.service.url, "public_url": PUBLIC}
        chosen = VideoOptions(**({"pause": 0} | twin | options))
        client = PoliteClient(hosts_allowed=origins_of(chosen), limits=limits)
        self.clients.append(client)
        made = Video(chosen, api.Context("recordings", self.folder, client))
        self.sources.append(made)
        return made

    def publish(self, *clips: Clip) -> None:
        for clip in clips:
            self.service.add(clip)

    def listed(
        self, source: Video, *paths: str, limit: int | None = None
    ) -> tuple[list[api.Material | api.Unavailable], api.Checkpoint]:
        urls = tuple(path if "://" in path else PUBLIC + path for path in paths)
        entry = api.ScopeEntry(BEIJING, VideoEntry(urls=urls))
        *items, last = source.discover(api.Scope((entry,), limit), "")
        assert isinstance(last, api.Checkpoint)
        return [item for item in items if not isinstance(item, api.Checkpoint)], last

    def material(self, source: Video, path: str) -> api.Material:
        (item,), _ = self.listed(source, path)
        assert isinstance(item, api.Material), item
        return item

    def fetched(
        self, source: Video, material: api.Material
    ) -> tuple[api.Material, dict[str, Path], list[api.Fetched]]:
        """Fetch into a directory of its own: the fuller material, paths by label, files."""
        into = self.folder / f"into-{next(self._numbers)}"
        into.mkdir()
        fuller, *files = source.fetch(material, into)
        assert isinstance(fuller, api.Material)
        found = [file for file in files if isinstance(file, api.Fetched)]
        assert {file.path.name for file in found} == {path.name for path in into.iterdir()}
        return fuller, {file.label or "film": into / file.path for file in found}, found

    def get(self, path: str, **options: Any) -> tuple[api.Material, dict[str, Path]]:
        source = self.source(**options)
        fuller, files, _ = self.fetched(source, self.material(source, path))
        return fuller, files


@contextmanager
def world(folder: Path) -> Iterator[World]:
    with VideoDouble() as service:
        made = World(folder, service)
        try:
            yield made
        finally:
            for source in made.sources:
                source.close()
            for client in made.clients:
                client.close()
