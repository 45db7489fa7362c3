"""Make the configured plugins, once per process and run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archiver import masking, staging
from archiver.config import SinkSpec, SourceSpec
from archiver.contracts import Context, Http, Progress, Sink, Source
from archiver.masking import Mask
from archiver.registry import Registry, load_plugins
from archiver.sinks.guarded import Guarded
from archiver.web import PoliteClient, Politeness, Seen, origins_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workshop:
    """All that a worker needs beside its task, as data that can be sent to another process."""

    run: str
    folder: Path
    sources: tuple[SourceSpec, ...] = ()
    sinks: tuple[SinkSpec, ...] = ()
    plugins: tuple[str, ...] = ()
    config: Path | None = None

    @property
    def mask(self) -> Mask:
        """Give what takes the configured secrets out of a message."""
        entries = [entry.options for spec in self.sources for entry in spec.entries]
        sources = [spec.options for spec in self.sources]
        return Mask.of([*entries, *sources, *(spec.options for spec in self.sinks)])


@dataclass
class Instances:
    """The sources and sinks of one workshop, made when first asked for."""

    workshop: Workshop
    registry: Registry
    given: Mapping[str, Source[Any, Any]] = field(default_factory=dict)
    progress: Progress = staging.report_progress
    #: Hears of every request that a plugin makes through `http`, once it is over.
    watch: Callable[[Seen], None] | None = None
    _made: dict[tuple[str, str], Any] = field(default_factory=dict)
    _clients: list[PoliteClient] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    #: One for all: two sources at one host are one visitor there.
    _politeness: Politeness = field(default_factory=Politeness)

    def source(self, name: str) -> Source[Any, Any]:
        """Give the source of that name."""
        if name in self.given:
            return self.given[name]
        spec = next(spec for spec in self.workshop.sources if spec.name == name)
        own = self._own()
        with self._lock:
            if ("source", name) not in self._made:
                kind = self.registry.sources[spec.type]
                self._made["source", name] = kind(spec.options, self._context(spec, own))
        made: Source[Any, Any] = self._made["source", name]
        return made

    def sink(self, name: str) -> Sink[Any]:
        """Give the sink of that name, held to safe paths and sink errors."""
        spec = next(spec for spec in self.workshop.sinks if spec.name == name)
        with self._lock:
            if ("sink", name) not in self._made:
                kind = self.registry.sinks[spec.type]
                self._made["sink", name] = Guarded(kind(spec.options, self._context(spec)))
        made: Sink[Any] = self._made["sink", name]
        return made

    def close(self) -> None:
        """Close all sources that were made here, then the connections of all HTTP clients."""
        with self._lock:
            sources = {name: made for (kind, name), made in self._made.items() if kind == "source"}
            self._made.clear()
        for name, source in sources.items():
            self._close(name, source)
        with self._lock:
            for client in self._clients:
                client.close()
            self._clients.clear()

    def _close(self, name: str, source: Source[Any, Any]) -> None:
        try:
            source.close()
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin's code: whatever it raises, the run has ended
            told = self.workshop.mask(masking.text_of(error) or type(error).__name__)
            _log.warning("The source %s could not be closed: %s", name, told)

    def _own(self) -> tuple[Path, ...]:
        """Name what belongs to the archive itself on this machine."""
        roots = []
        for spec in self.workshop.sinks:
            with suppress(Exception):  # a sink that cannot be made is told of where it is used
                roots.append(self.sink(spec.name).local_root)
        return tuple(path for path in (self.workshop.config, *roots) if path is not None)

    def _context(self, spec: SourceSpec | SinkSpec, own: tuple[Path, ...] = ()) -> Context:
        client = PoliteClient(
            hosts_allowed=origins_of(spec.options),
            progress=self.progress,
            politeness=self._politeness,
            watch=self.watch,
        )
        self._clients.append(client)
        http: Http = staging.Noting(client)
        log = logging.getLogger(f"archiver.plugin.{spec.name}")
        return Context(spec.name, self.workshop.folder, http, log, self.progress, own)


_SHARED: dict[str, Instances] = {}
_SHARED_LOCK = threading.Lock()


def share(instances: Instances) -> None:
    """Let the workers of this process use these instances."""
    with _SHARED_LOCK:
        _SHARED[instances.workshop.run] = instances


def of(workshop: Workshop) -> Instances:
    """Give the instances of a workshop, making them where a worker is alone in its process."""
    with _SHARED_LOCK:
        if workshop.run not in _SHARED:
            _SHARED[workshop.run] = Instances(workshop, load_plugins(workshop.plugins))
        return _SHARED[workshop.run]


def forget(instances: Instances) -> None:
    """End the sharing and close what was made."""
    with _SHARED_LOCK:
        _SHARED.pop(instances.workshop.run, None)
    instances.close()
