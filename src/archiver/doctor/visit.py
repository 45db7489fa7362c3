"""The whole visit: every look in order, each line shaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from archiver import config as configuration
from archiver.config import Config
from archiver.doctor import machine, places, setup, tools
from archiver.doctor.lines import Level, Line, safely
from archiver.doctor.shade import shade
from archiver.errors import ConfigError
from archiver.registry import Registry, load_plugins


@dataclass(frozen=True)
class Visit:
    """What was found. `healthy` says that nothing is in the way."""

    lines: tuple[Line, ...]

    @property
    def healthy(self) -> bool:
        """Say whether nothing is bad; warnings are no illness."""
        return all(line.level is not Level.BAD for line in self.lines)


@dataclass(frozen=True)
class _Read:
    """The configuration, as far as it could be read."""

    registry: Registry
    config: Config | None = None
    error: ConfigError | None = None
    missing: bool = False


def examine(
    file: Path, environ: Mapping[str, str], *, hosts: bool = False, today: date | None = None
) -> Visit:
    """Look at everything. Raises nothing: what cannot be looked at is a line.

    With `hosts`, names of hosts, buckets and folders stay in. `today` is what the age of programs is counted
    from.
    """
    read = _read(file, environ)
    tone = shade(read.config, file, environ, hosts=hosts)
    return Visit(tuple(tone(line) for line in _lines(read, environ, today or datetime.now(UTC).date())))


def _read(file: Path, environ: Mapping[str, str]) -> _Read:
    if not file.exists():
        return _Read(load_plugins(), missing=True)
    registry = None
    try:
        document = configuration.read(file)
        registry = load_plugins(document.plugins)
        return _Read(registry, configuration.build(document, registry, environ))
    except ConfigError as error:
        return _Read(registry or load_plugins(), error=error)
    except Exception as error:  # noqa: BLE001  # a directory, a pipe, a fault of ours: all are told
        wrong = ConfigError(f"it cannot be read: {type(error).__name__}: {error}", hint="see `archive check`")
        return _Read(registry or load_plugins(), error=wrong)


def _lines(read: _Read, environ: Mapping[str, str], today: date) -> Iterator[Line]:
    for subject, look in _looks(read, environ, today):
        yield from safely(subject, look)


def _looks(
    read: _Read, environ: Mapping[str, str], today: date
) -> Iterator[tuple[str, Callable[[], Iterable[Line]]]]:
    found = read.config
    yield "versions", machine.versions
    yield "plugins", lambda: setup.plugins(read.registry)
    yield "configuration", lambda: setup.configuration(found, read.error, missing=read.missing)
    if found is not None:
        yield "sinks", lambda: places.sinks(found, read.registry)
        yield "sources", lambda: setup.sources(found)
    yield "tools", lambda: tools.tools(found, today)
    yield "staging", lambda: machine.staging(found)
    yield "encoding", machine.text
    yield "proxies", lambda: machine.proxies(environ)
    yield "open files", machine.files
