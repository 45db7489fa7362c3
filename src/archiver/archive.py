"""The archive as its sinks hold it: objects, ledgers and run reports, read only."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from archiver import ledger, logbook, ocfl
from archiver.contracts import Sink
from archiver.errors import DamageError, FormatError, MissingError, SinkError
from archiver.heads import Loss, Newest, losses, noted, told
from archiver.inventory import UNREADABLE
from archiver.ledger import Key, Record
from archiver.model import Audience
from archiver.ocfl import OcflObject

#: The object that holds what belongs to no single event.
COMMON = "_archive"
#: Raised when an older program could not read the archive any more. See docs/format.md.
FORMAT = 1
LEDGERS = "metadata/ledger/"
ABOUT = "metadata/archive.json"
EVENT = "metadata/event.json"
#: In the object `_archive`: the talks that were read from elsewhere, by event.
TALKS = "metadata/talks.json"
RUNS = "runs/"
#: Run ids begin with the time, so that they sort by it: 20121202T093000Z-3f9a2c.
_RUN = re.compile(r"\d{8}T\d{6}(?:\.\d{3})?Z-[0-9a-f]{6}")
#: What to do when something that was stored is not there any more.
RESTORE = "restore it from another sink, with `archive verify --repair`, or from a backup of your own"
#: A run report larger than this is not ours.
_REPORT_BYTES = 64 << 20


def new_run() -> str:
    """Make the id of a run: with milliseconds, so that the newest report is found by its name."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"[:-3] + f"Z-{secrets.token_hex(3)}"


@dataclass
class Head:
    """One sink as it was when looked at: its objects, its records, its newest run report.

    `audience` is what the sink itself says it was made for.
    """

    name: str
    sink: Sink[Any]
    objects: dict[str, OcflObject] = field(default_factory=dict)
    records: dict[Key, Record] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)
    #: Path → lines of the documents that people's acts add to.
    logbooks: dict[str, tuple[logbook.Line, ...]] = field(default_factory=dict)
    audience: Audience = Audience.INTERNAL
    #: Object name → the version at which it was left, as far as that was noted.
    noted: Mapping[str, Newest] = field(default_factory=dict)
    #: What is wrong with the list that says so.
    trouble: str = ""
    #: Objects of which the newest version is gone.
    losses: list[Loss] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Say whether this sink has never held an archive, as far as it knows itself."""
        return not self.losses and not any(each.inventory for each in self.objects.values())

    def object(self, name: str) -> OcflObject:
        """Give an object, new and empty when the sink does not have it."""
        return self.objects.get(name) or OcflObject(self.sink, name)

    @property
    def missing(self) -> list[str]:
        """Name the stored files that an inventory lists and the sink does not have any more."""
        return [
            each.prefix + path
            for each in self.objects.values()
            for digest, paths in (each.inventory.manifest.items() if each.inventory else ())
            for path in paths
            if path not in each.files and self.keeps(each, digest)
        ]

    def keeps(self, each: OcflObject, digest: str) -> bool:
        """Say whether a sink has to have these bytes: a public one only those of the newest version.

        What is not cleared any more is taken away there by hand.
        """
        if self.audience is Audience.INTERNAL or each.inventory is None:
            return True
        return digest in each.state.values() and each.files.keys().isdisjoint(each.inventory.manifest[digest])

    @property
    def damage(self) -> str:
        """Say what is seen to be wrong without reading every file; "" when nothing is."""
        found = [each for each in (told(self.losses), self.trouble, self.missed) if each]
        return f"{'; '.join(found)}: {RESTORE}" if found else ""

    @property
    def missed(self) -> str:
        """Tell of the stored files that are missing; "" when none is."""
        missing = self.missing
        if not missing:
            return ""
        files = "1 stored file is" if len(missing) == 1 else f"{len(missing)} stored files are"
        return f"{files} missing, such as {missing[0]}"

    @property
    def newest(self) -> dict[str, Newest]:
        """Object name → its newest version. A copy of `beijing` that lies in `beijing-old` is none."""
        return {
            name: Newest(each.head, each.digest)
            for name, each in self.objects.items()
            if each.inventory and each.inventory.object_id == ocfl.id_of(name)
        }

    @property
    def digests(self) -> dict[str, str]:
        """Object name → SHA-256 of its newest inventory: two equal ones hold the same archive."""
        return {name: each.digest for name, each in sorted(self.objects.items()) if each.inventory}


@dataclass
class Archive:
    """All sinks that could be read, and why the others could not.

    `heads` are the internal ones: what the archive knows is what they know. `public` are made from them.
    """

    heads: dict[str, Head]
    errors: dict[str, SinkError]
    public: dict[str, Head] = field(default_factory=dict)

    @property
    def every(self) -> dict[str, Head]:
        """Every sink that could be read, internal and public, by name."""
        return {**self.heads, **self.public}

    @property
    def absent(self) -> list[str]:
        """Name the sinks that hold nothing while another one does: perhaps disks that are not mounted."""
        empty = [name for name, head in self.every.items() if head.empty]
        return empty if len(empty) < len(self.every) else []

    @property
    def records(self) -> dict[Key, Record]:
        """The union of all ledgers."""
        return ledger.union(head.records for head in self.heads.values())

    def lines(self, path: str) -> tuple[logbook.Line, ...]:
        """Give the union of all sinks' lines of a logbook."""
        return lines(self.heads.values(), path)

    @property
    def report(self) -> Mapping[str, Any]:
        """The newest run report of all sinks; empty before the first run."""
        reports = [head.report for head in self.heads.values() if head.report]
        return max(reports, key=lambda report: str(report.get("run", "")), default={})

    @property
    def best(self) -> Head:
        """The sink to read from: the newest report, on this machine if possible. Raises `SinkError`."""
        if not self.heads:
            raise next(iter(self.errors.values()))
        return max(
            self.heads.values(),
            key=lambda head: (str(head.report.get("run", "")), head.sink.local_root is not None),
        )


def lines(heads: Iterable[Head], path: str) -> tuple[logbook.Line, ...]:
    """Give the union of the sinks' lines of a logbook, by time."""
    return logbook.union(head.logbooks.get(path, ()) for head in heads)


def logbooks(heads: Iterable[Head]) -> dict[str, bytes]:
    """Give every logbook that any sink has, with the lines of all."""
    known = list(heads)
    found = {path: lines(known, path) for path in logbook.LOGBOOKS}
    return {path: logbook.dump(each) for path, each in found.items() if each}


def open_archive(
    sinks: Iterable[tuple[str, Callable[[], Sink[Any]]]], public: Collection[str] = ()
) -> Archive:
    """Read every sink; one that fails is noted, the others serve. `public` names those for everybody."""
    heads: dict[str, Head] = {}
    shown: dict[str, Head] = {}
    errors = {}
    for name, make in sinks:
        try:
            audience = Audience.PUBLIC if name in public else Audience.INTERNAL
            found = shown if name in public else heads
            found[name] = as_meant(look(name, make()), audience)
        except FormatError:
            raise
        except (SinkError, DamageError) as error:
            errors[name] = as_sink_error(name, error)
    return Archive(heads, errors, shown)


def as_meant(head: Head, audience: Audience) -> Head:
    """Refuse a sink that was filled for another audience than it is to have now. Raises `SinkError`."""
    if head.empty:
        head.audience = audience
    if head.audience is audience:
        return head
    if audience is Audience.PUBLIC:
        raise SinkError(
            f"sink {head.name} is configured as public, and holds an archive that was made as internal",
            hint="give the public sink another, empty place: what is not cleared lies in this one",
        )
    raise SinkError(
        f"sink {head.name} is configured as internal, and holds what was cleared for the public alone",
        hint="write `audience: public` at it, or give the internal sink another place",
    )


def check_audience(name: str, sink: Sink[Any], audience: Audience) -> None:
    """Look whether a sink may be used for an audience, reading no more than what it says of itself.

    Raises `SinkError` as `as_meant` does, `FormatError` for a newer format, `DamageError`.
    """
    head = Head(name, sink, ocfl.load(sink, COMMON))
    head.audience = check_format(name, head.object(COMMON))
    as_meant(head, audience)


def as_sink_error(name: str, error: SinkError | DamageError) -> SinkError:
    """Take damage as what it is to a run: this sink cannot be used, the others serve."""
    if isinstance(error, SinkError):
        return error
    found = SinkError(f"sink {name} is damaged: {error.message}", hint=error.hint)
    found.__cause__ = error
    return found


def look(name: str, sink: Sink[Any]) -> Head:
    """Read one sink. Raises `SinkError`, `FormatError` for a newer format, `DamageError`."""
    before = noted(sink)
    head = Head(name, sink, ocfl.load(sink), noted=before.newest, trouble=before.trouble)
    there = {each for each, known in head.objects.items() if known.inventory}
    head.losses = losses(sink, head.noted, head.newest, there - head.newest.keys())
    head.audience = check_format(name, head.object(COMMON))
    for each in head.objects.values():
        for record in _records(each):
            # A copy that somebody made of an object (`beijing-old`) still speaks of the event `beijing`.
            if record.material.event == ("" if each.name == COMMON else each.name):
                head.records[record.key] = record
    common = head.object(COMMON)
    for path in logbook.LOGBOOKS:
        if path in common.state:
            head.logbooks[path] = logbook.load(common.read(path), common.prefix + path)
    head.runs = tuple(sorted(_run_ids(sink)))
    head.report = read_report(sink, head.runs[-1]) if head.runs else {}
    return head


def check_format(name: str, common: OcflObject) -> Audience:
    """Refuse an archive of a format that this program does not know. Raises `FormatError`.

    Returns for whom it was made.
    """
    try:
        about = json.loads(common.read(ABOUT))
        number = int(about["format"])
        audience = Audience.PUBLIC if about.get("audience") == Audience.PUBLIC else Audience.INTERNAL
    except MissingError:
        return Audience.INTERNAL
    except UNREADABLE as error:
        raise DamageError(
            f"{ABOUT} in sink {name} cannot be read ({type(error).__name__}: {str(error)[:300]})",
            hint="restore it from another sink or an earlier version",
        ) from error
    if number > FORMAT:
        raise FormatError(
            f"the archive in sink {name} has format {number}; this program knows formats up to {FORMAT}",
            hint="update the program: pip install --upgrade event-archiver",
        )
    return audience


def _records(each: OcflObject) -> Iterable[Record]:
    for path in each.state:
        if path.startswith(LEDGERS):
            yield from ledger.load(each.read(path), each.prefix + path)


def _run_ids(sink: Sink[Any]) -> Iterable[str]:
    for stat in sink.list(RUNS):
        run = stat.path.removeprefix(RUNS).removesuffix(".json")
        if stat.path.endswith(".json") and _RUN.fullmatch(run):
            yield run


def read_report(sink: Sink[Any], run: str) -> Mapping[str, Any]:
    """Read the report of one run; empty when it cannot be read."""
    # A torn report costs its cursors only: the sources are listed in full again.
    try:
        data = json.loads(ocfl.read(sink, f"{RUNS}{run}.json", _REPORT_BYTES))
    except (DamageError, *UNREADABLE):
        return {}
    return data if isinstance(data, dict) else {}
