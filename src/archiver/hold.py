"""Open the sinks for a run that writes: checked, held by a lease, cleared, healed, read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from archiver import ocfl
from archiver.archive import COMMON, Head, as_sink_error, check_format, look
from archiver.errors import DamageError, SinkError
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
    #: What the stores that are used do not do as they should.
    limits: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def release(self) -> None:
        """Give all leases back."""
        for lease in self.leases.values():
            lease.release()
        self.leases.clear()

    def lost(self) -> list[str]:
        """Name the sinks that another run has taken over, as far as is known."""
        return [name for name, lease in self.leases.items() if lease.lost.is_set()]

    def confirm(self) -> dict[str, SinkError]:
        """Ask every sink whether this run still holds it; say for which it does not, and why.

        Meant for right before a commit, when the news of a take-over may not have come yet.
        """
        failed = {}
        for name, lease in self.leases.items():
            try:
                if not lease.confirm():
                    hint = "run again: what this run stored is kept and taken in"
                    failed[name] = SinkError(f"another run took over sink {name}", hint=hint)
            except SinkError as error:
                failed[name] = error
        return failed


def take(made: Instances, names: Iterable[str], run: str) -> Hold:
    """Open every sink for writing. Raises the first `SinkError` when none can be used."""
    hold = Hold()
    try:
        # First look, then write: a sink that is to be left alone is not touched at all.
        empty = {}
        for name in names:
            with _noted(hold, name):
                empty[name] = _is_empty(made, name)
        for name in _without_strangers(hold, empty):
            with _noted(hold, name):
                _take_one(hold, made, name, run)
    except BaseException:
        hold.release()
        raise
    return _usable(hold)


def peek(made: Instances, names: Iterable[str]) -> Hold:
    """Open every sink for reading only. Raises the first `SinkError` when none can be used."""
    hold = Hold()
    for name in names:
        with _noted(hold, name):
            hold.heads[name] = look(name, DryRun(made.sink(name)))
    kept = _without_strangers(hold, {name: head.empty for name, head in hold.heads.items()})
    hold.heads = {name: hold.heads[name] for name in kept}
    return _usable(hold)


@contextmanager
def _noted(hold: Hold, name: str) -> Iterator[None]:
    """Note why a sink cannot be used, and give back the lease on it."""
    try:
        yield
    except (SinkError, DamageError) as error:
        hold.errors[name] = as_sink_error(name, error)
        if name in hold.leases:
            hold.leases.pop(name).release()


def _is_empty(made: Instances, name: str) -> bool:
    """Look whether a sink has ever held an archive; refuse one of a newer format."""
    sink = made.sink(name)
    sink.check()
    common = ocfl.load(sink, COMMON).get(COMMON) or ocfl.OcflObject(sink, COMMON)
    check_format(name, common)
    # A killed first run may have committed an event before what belongs to all.
    return common.inventory is None and not any(each.inventory for each in ocfl.load(sink).values())


def _take_one(hold: Hold, made: Instances, name: str, run: str) -> None:
    sink = made.sink(name)
    lease = Lease(sink, run)
    lease.acquire()
    hold.leases[name] = lease
    sink.prepare()
    hold.limits[name] = tuple(sink.notes())
    head = look(name, sink)
    for each in head.objects.values():
        if ocfl.needs_healing(each):
            ocfl.heal(each)
    hold.heads[name] = head


def _without_strangers(hold: Hold, empty: Mapping[str, bool]) -> list[str]:
    """Leave out a sink that never held this archive while another one has: perhaps a disk not mounted."""
    if all(empty.values()):
        return list(empty)
    full = next(name for name, is_empty in empty.items() if not is_empty)
    for name in [name for name, is_empty in empty.items() if is_empty]:
        hold.notes[name] = (
            "has never held this archive while another sink has: it was left alone. "
            f"Is its disk mounted? If it is new, fill it: archive copy --from {full} --to {name}"
        )
    return [name for name, is_empty in empty.items() if not is_empty]


def _usable(hold: Hold) -> Hold:
    if not hold.heads and hold.errors:
        hold.release()
        raise next(iter(hold.errors.values()))
    return hold
