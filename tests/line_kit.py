"""An in-memory upstream, sinks that break on request, and runs over them: for tests of the straight line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from archiver.archive import Head, look
from archiver.config import ArchiveSettings, Config, SinkSpec, SourceSpec
from archiver.contracts import Blob, Context, Options, ScopeEntry, Sink, Source, Stat
from archiver.errors import SinkError, SourceError
from archiver.ledger import Key, Record
from archiver.model import Checkpoint, Event, Fetched, Kind, Material, Talk, Unavailable
from archiver.ocfl import read
from archiver.registry import Registry, load_plugins
from archiver.report import Report
from archiver.route import Filters
from archiver.run import Run, RunOptions
from archiver_plugins.disk import DiskOptions, DiskSink

A = Event("a", "Stop A", talks=(Talk("chef", "Deploy OpenStack with Chef"), Talk("swift", "Swift 架构")))
B = Event("b", "Stop B")


@dataclass
class Item:
    """One thing upstream. `fails` is raised by its fetch, `listed_as` stands for it in a listing."""

    id: str
    data: tuple[bytes, ...] = (b"some bytes",)
    revision: str = "1"
    event: str = "a"
    talk: str = ""
    kind: Kind = Kind.OTHER
    title: str = ""
    date: str = ""
    fails: BaseException | Callable[[], BaseException | None] | None = None
    listed_as: SourceError | None = None

    @property
    def material(self) -> Material:
        """How a source lists it."""
        size = sum(map(len, self.data))
        return Material(
            id=self.id, kind=self.kind, title=self.title or self.id, revision=self.revision,
            event=self.event, talk=self.talk, date=self.date, size=size,
        )  # fmt: skip


class Entry(Options):
    """The options of a use: which of the upstream's albums."""

    album: str = ""


@dataclass
class Upstream:
    """What a source will list and give; `log` tells what was asked of it."""

    items: dict[str, Item] = field(default_factory=dict)
    complete: bool = True
    cursor: str = ""
    breaks_after: int | None = None
    error: BaseException = field(default_factory=lambda: SourceError("the listing broke off"))
    extra: list[Any] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    during_fetch: Callable[[str], None] = lambda _: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, *items: Item) -> None:
        """Upload, or replace what has the same id."""
        self.items.update({item.id: item for item in items})

    def change(self, name: str, **changes: Any) -> None:
        """Change one thing."""
        self.items[name] = replace(self.items[name], **changes)

    def source(self) -> type[Source[Any, Any]]:
        """Make the class that lists and gives this."""
        return type("MemorySource", (_MemorySource,), {"upstream": self})


class _MemorySource(Source[Options, Entry]):
    """Things in memory."""

    type_name = "memory"
    entry_class = Entry
    upstream: Upstream

    def discover(self, scope: Any, cursor: str) -> Iterator[Material | Unavailable | Checkpoint]:
        up = self.upstream
        up.cursors.append(cursor)
        for number, item in enumerate([*up.items.values(), *up.extra]):
            if number == up.breaks_after:
                raise up.error
            if not isinstance(item, Item):
                yield item
            elif item.listed_as is not None:
                yield Unavailable(item.material, item.listed_as)
            else:
                yield item.material
        yield Checkpoint(up.cursor, up.complete)

    def fetch(self, material: Material, into: Path) -> Iterable[Fetched | Material]:
        up = self.upstream
        with up.lock:
            up.fetched.append(material.id)
        up.during_fetch(material.id)
        item = up.items[material.id]
        error = item.fails() if callable(item.fails) else item.fails
        if error is not None:
            raise error
        for number, data in enumerate(item.data):
            (into / f"{number}").write_bytes(data)
            self.context.progress(len(data), None)
            yield Fetched(Path(f"{number}"), label=f"p{number}" if number else "")


class BrittleSink(DiskSink):
    """A directory whose disk fails: `trouble` is asked before every write, and may raise."""

    type_name = "brittle"
    trouble: Callable[[str], None] = staticmethod(lambda _: None)

    def create(self, path: str, blob: Blob) -> Stat:
        type(self).trouble(path)
        return super().create(path, blob)

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        type(self).trouble(path)
        return super().replace(path, blob, expected=expected)

    def check(self) -> None:
        type(self).trouble("check")
        super().check()


def failing_at(part: str, times: int = 1_000_000) -> Callable[[str], None]:
    """Fail so many writes to paths that hold `part`."""
    left = [times]

    def trouble(path: str) -> None:
        if part in path and left[0] > 0:
            left[0] -= 1
            raise SinkError(f"the disk broke at {path}")

    return trouble


@cache
def plugins() -> Registry:
    return load_plugins()


@dataclass
class World:
    """A configuration over in-memory upstreams and disk sinks, changed between runs at will."""

    folder: Path
    upstreams: dict[str, Upstream] = field(default_factory=lambda: {"src": Upstream()})
    events: tuple[Event, ...] = (A, B)
    albums: dict[str, tuple[tuple[Event, str], ...]] = field(default_factory=dict)
    sinks: tuple[str, ...] = ("local",)
    troubles: dict[str, Callable[[str], None]] = field(default_factory=dict)
    settings: ArchiveSettings = field(default_factory=lambda: ArchiveSettings("A tour", site=False))
    hooks: list[Any] = field(default_factory=list)
    source_options: dict[str, Options] = field(default_factory=dict)

    @property
    def up(self) -> Upstream:
        """The first upstream."""
        return next(iter(self.upstreams.values()))

    @property
    def config(self) -> Config:
        sinks = tuple(SinkSpec(n, f"disk-{n}", DiskOptions(path=Path(n))) for n in self.sinks)
        return Config(
            self.folder / "archive.yaml", self.folder, self.settings, sinks,
            tuple(self._spec(name) for name in self.upstreams), self.events,
        )  # fmt: skip

    def _spec(self, name: str) -> SourceSpec:
        uses = self.albums.get(name, tuple((event, "") for event in self.events))
        entries = tuple(ScopeEntry(event, Entry(album=album)) for event, album in uses)
        return SourceSpec(name, f"memory-{name}", self.source_options.get(name, Options()), entries)

    def registry(self, **sources: type[Source[Any, Any]]) -> Registry:
        made = {name: sources.get(name) or up.source() for name, up in self.upstreams.items()}
        sinks = {f"disk-{name}": self._sink(name) for name in self.sinks}
        manager = plugins()._manager
        return Registry((), {f"memory-{n}": s for n, s in made.items()}, sinks, manager)

    def _sink(self, name: str) -> type[Sink[Any]]:
        trouble = self.troubles.get(name)
        return type("Brittle", (BrittleSink,), {"trouble": staticmethod(trouble)}) if trouble else DiskSink

    def prepared(self, *, sources: Mapping[str, Any] | None = None, **options: Any) -> Run:
        filters = options.pop("filters", Filters())
        chosen = RunOptions(filters, options.pop("jobs", 2), **options)
        registry = self.registry(**(sources or {}))
        with_hooks = _with_hooks(registry, self.hooks) if self.hooks else registry
        return Run(self.config, with_hooks, chosen)

    def run(self, **options: Any) -> Report:
        """Do a run; the archive is then held to what must always be true of it."""
        run = self.prepared(**options)
        report = run.execute()
        check_counts(run, report)
        for name in self.sinks:
            check_head(self.head(name))
        return report

    def head(self, sink: str = "local") -> Head:
        context = Context(sink, self.folder, http=None)  # type: ignore[arg-type]  # a disk needs none
        return look(sink, DiskSink(DiskOptions(path=Path(sink)), context))

    def records(self, sink: str = "local") -> dict[Key, Record]:
        return self.head(sink).records

    def record(self, name: str, event: str = "a", source: str = "src", sink: str = "local") -> Record:
        return self.records(sink)[event, source, name]

    def versions(self, sink: str = "local") -> dict[str, int]:
        return {name: each.head for name, each in self.head(sink).objects.items() if each.head}

    def states(self, sink: str = "local") -> dict[str, dict[str, str]]:
        """Path → SHA-256 of the newest version of every object."""
        return {name: dict(each.state) for name, each in self.head(sink).objects.items() if each.inventory}

    def stored(self, name: str, event: str = "a", sink: str = "local") -> list[bytes]:
        """The bytes that stand for a material now."""
        head = self.head(sink)
        record = self.record(name, event, sink=sink)
        target = head.object(event)
        return [read(head.sink, target.locate(file.path)) for file in record.files]


def _with_hooks(registry: Registry, hooks: Iterable[Any]) -> Registry:
    import pluggy

    from archiver import hooks as specs

    manager = pluggy.PluginManager(specs.PROJECT)
    manager.add_hookspecs(specs)
    for number, hook in enumerate(hooks):
        manager.register(hook, name=f"hook{number}")
    return Registry((), registry.sources, registry.sinks, manager)


def check_head(head: Head) -> None:
    """A ledger names only files that its own sink holds, now and in earlier editions."""
    for key, record in head.records.items():
        state = head.object(key[0] or "_archive").state
        for file in (*record.files, *(each for edition in record.earlier for each in edition.files)):
            assert state.get(file.path) == file.sha256, (head.name, key, file.path)


def check_counts(run: Run, report: Report) -> None:
    """Every material that the plan names was counted once, or remains."""
    planned = run.planned
    named = {found.key for found in (*planned.same, *planned.obstacles)}
    work = (*planned.work, *planned.left)
    named |= {change.key for change in planned.changes} | {each.found.key for each in work}
    counted = sum(
        n for sources in report.counts.values() for counts in sources.values() for n in counts.values()
    )
    assert counted + report.remaining == len(named), report.counts


def counts(report: Report, event: str = "a", source: str = "src") -> dict[str, int]:
    """The counts of one event and source."""
    return report.counts.get(event, {}).get(source, {})
