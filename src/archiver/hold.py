"""Open the sinks for a run that writes: checked, held by a lease, cleared, healed, read."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from archiver import ocfl
from archiver.archive import COMMON, Head, check_format, look
from archiver.errors import SinkError
from archiver.instances import Instances
from archiver.lease import Lease
from archiver.sinks.dry import DryRun


@dataclass
class Hold:
    """The sinks of a run: what each holds, the leases on them, and why others are not used."""

    heads: dict[str, Head] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    errors: dict[str, SinkError] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def release(self) -> None:
        """Give all leases back."""
        for lease in self.leases.values():
            lease.release()
        self.leases.clear()

    def lost(self) -> list[str]:
        """Name the sinks that another run has taken over."""
        return [name for name, lease in self.leases.items() if lease.lost.is_set()]


def take(made: Instances, names: Iterable[str], run: str) -> Hold:
    """Open every sink for writing. Raises the first `SinkError` when none can be used."""
    hold = Hold()
    try:
        for name in names:
            try:
                _take_one(hold, made, name, run)
            except SinkError as error:
                hold.errors[name] = error
        _leave_strangers(hold)
    except BaseException:
        hold.release()
        raise
    return _usable(hold)


def peek(made: Instances, names: Iterable[str]) -> Hold:
    """Open every sink for reading only. Raises the first `SinkError` when none can be used."""
    hold = Hold()
    for name in names:
        try:
            hold.heads[name] = look(name, DryRun(made.sink(name)))
        except SinkError as error:
            hold.errors[name] = error
    _leave_strangers(hold)
    return _usable(hold)


def _take_one(hold: Hold, made: Instances, name: str, run: str) -> None:
    sink = made.sink(name)
    sink.check()
    # Before anything is written: an archive of a newer format is left as it is.
    check_format(name, ocfl.load(sink, COMMON).get(COMMON) or ocfl.OcflObject(sink, COMMON))
    lease = Lease(sink, run)
    lease.acquire()
    hold.leases[name] = lease
    sink.prepare()
    head = look(name, sink)
    for each in head.objects.values():
        if ocfl.needs_healing(each):
            ocfl.heal(each)
    hold.heads[name] = head


def _leave_strangers(hold: Hold) -> None:
    """Leave alone a sink that never held this archive while another one has: perhaps a disk not mounted."""
    if all(head.empty for head in hold.heads.values()):
        return
    for name in [name for name, head in hold.heads.items() if head.empty]:
        del hold.heads[name]
        hold.notes[name] = (
            "has never held this archive while another sink has: it was left alone. "
            "Is its disk mounted? If it is new, fill it with a copy of the other sink first"
        )
        with suppress(KeyError):
            hold.leases.pop(name).release()


def _usable(hold: Hold) -> Hold:
    if not hold.heads and hold.errors:
        hold.release()
        raise next(iter(hold.errors.values()))
    return hold
