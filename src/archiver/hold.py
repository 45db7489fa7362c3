"""Open the sinks for a run that writes: checked, held by a lease, cleared, healed, read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from archiver import heads, identity, ocfl
from archiver.archive import COMMON, Head, as_meant, as_sink_error, check_format, look
from archiver.errors import DamageError, SinkError
from archiver.heads import told
from archiver.instances import Instances
from archiver.lease import Lease
from archiver.model import Audience
from archiver.sinks.dry import DryRun


@dataclass
class Hold:
    """The sinks of a run: what each holds, the leases on them, and why others are not used.

    `heads` are the internal ones. `public` are filled from them at the end, and tell a run nothing.
    """

    heads: dict[str, Head] = field(default_factory=dict)
    public: dict[str, Head] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    errors: dict[str, SinkError] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    #: Internal sinks that were left alone: they count as missing where several have to have everything.
    lacking: set[str] = field(default_factory=set)
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


def take(made: Instances, names: Iterable[str], run: str, wait: float = 0.0, *, losers: bool = False) -> Hold:
    """Open every sink for writing; wait so many seconds for another run that holds one.

    `losers` are taken too where they are about to be filled: sinks that lost what none of these can give.
    Raises the first `SinkError` when none can be used.
    """
    hold, names = Hold(), list(names)
    try:
        # First look, then write: a sink that is to be left alone is not touched at all.
        empty, identities = {}, {}
        for name in names:
            with _noted(hold, name):
                common = _common(made, name)
                empty[name] = _is_empty(made, name, common)
                identities[name] = identity.of_object(common)
        identity.check({name: each for name, each in identities.items() if each is not None})
        for name in _without_strangers(hold, made, empty):
            with _noted(hold, name):
                _take_one(hold, made, name, Lease(made.sink(name), run, wait=wait))
        _set_apart(hold)
        _without_losers(hold, losers=losers)
    except BaseException:
        hold.release()
        raise
    return _usable(hold, made, names)


def peek(made: Instances, names: Iterable[str], *, losers: bool = False) -> Hold:
    """Open every sink for reading only; `losers` as for `take`.

    Raises the first `SinkError` when none can be used.
    """
    hold, names = Hold(), list(names)
    for name in names:
        with _noted(hold, name):
            hold.heads[name] = as_meant(look(name, DryRun(made.sink(name))), _audience(made, name))
    kept = _without_strangers(hold, made, {name: head.empty for name, head in hold.heads.items()})
    hold.heads = {name: hold.heads[name] for name in kept}
    identity.check(identity.of_heads(hold.heads.values()))
    _set_apart(hold)
    _without_losers(hold, losers=losers)
    return _usable(hold, made, names)


@contextmanager
def _noted(hold: Hold, name: str) -> Iterator[None]:
    """Note why a sink cannot be used, and give back the lease on it."""
    try:
        yield
    except (SinkError, DamageError) as error:
        hold.errors[name] = as_sink_error(name, error)
        if name in hold.leases:
            hold.leases.pop(name).release()


def _common(made: Instances, name: str) -> ocfl.OcflObject:
    """Read what a sink says of its archive; refuse one of a newer format."""
    sink = made.sink(name)
    sink.check()
    common = ocfl.load(sink, COMMON).get(COMMON) or ocfl.OcflObject(sink, COMMON)
    check_format(name, common)
    return common


def _is_empty(made: Instances, name: str, common: ocfl.OcflObject) -> bool:
    """Look whether a sink has ever held an archive."""
    if common.inventory is not None or heads.noted(made.sink(name)).newest:
        return False  # where something is noted, the disk is mounted, and what it held is gone
    # A killed first run may have committed an event before what belongs to all.
    return not any(each.inventory for each in ocfl.load(made.sink(name)).values())


def _take_one(hold: Hold, made: Instances, name: str, lease: Lease) -> None:
    sink = lease.sink
    lease.acquire()
    hold.leases[name] = lease
    sink.prepare()
    hold.limits[name] = tuple(sink.notes())
    head = as_meant(look(name, sink), _audience(made, name))
    for each in head.objects.values():
        if ocfl.needs_healing(each):
            ocfl.heal(each)
    hold.heads[name] = head


def _audience(made: Instances, name: str) -> Audience:
    return next(spec.audience for spec in made.workshop.sinks if spec.name == name)


def _set_apart(hold: Hold) -> None:
    """Tell the public sinks from those that know everything."""
    hold.public = {name: head for name, head in hold.heads.items() if head.audience is Audience.PUBLIC}
    hold.heads = {name: head for name, head in hold.heads.items() if name not in hold.public}


def _without_strangers(hold: Hold, made: Instances, empty: Mapping[str, bool]) -> list[str]:
    """Leave out a sink that holds no archive while another one does: perhaps a disk not mounted."""
    if all(empty.values()):
        return list(empty)
    # A public sink is no place to fill another from, where there is one that has everything.
    held = [name for name, is_empty in empty.items() if not is_empty]
    full = min(held, key=lambda name: _audience(made, name) is Audience.PUBLIC)
    for name in [name for name, is_empty in empty.items() if is_empty]:
        if _audience(made, name) is Audience.INTERNAL:
            hold.lacking.add(name)
        hold.notes[name] = (
            "holds nothing of this archive while another sink does: it is left alone. "
            f"Is its disk mounted? If it is new, fill it: archive copy --from {full} --to {name}"
        )
    return [name for name, is_empty in empty.items() if not is_empty]


def _without_losers(hold: Hold, *, losers: bool) -> None:
    """Leave out a sink that lost what no other one can give back: a person may still bring it back.

    A run would begin the object anew, and a backup of it could not be put in its place any more. Nor is what
    lies in the place of another object taken for that, and copied to the other sinks.
    """
    whole = {name for head in hold.heads.values() for name in head.newest.keys() - _lost(head)}
    for name, head in {**hold.heads, **hold.public}.items():
        lost = [loss for loss in head.losses if loss.foreign or not (losers or loss.name in whole)]
        if name in hold.public:  # filled again from the internal ones, whatever it lost
            lost = [loss for loss in lost if loss.foreign]
        if lost:
            hint = f"{lost[0].by_hand} --sink {name}"
            if lost[0].foreign and lost[0].name in whole:
                hint = f"move {ocfl.ROOT}{lost[0].name} of sink {name} elsewhere, then: archive run"
            what = f"sink {name} has lost what was stored there, and nothing is written to it: {told(lost)}"
            hold.errors[name] = SinkError(what, hint=hint)
            hold.heads.pop(name, None)
            hold.public.pop(name, None)
            if name in hold.leases:
                hold.leases.pop(name).release()


def _lost(head: Head) -> frozenset[str]:
    return frozenset(loss.name for loss in head.losses)


def _usable(hold: Hold, made: Instances, names: Iterable[str]) -> Hold:
    """Refuse to go on without any sink, or with public ones alone where internal ones are asked for."""
    internal = [name for name in names if _audience(made, name) is Audience.INTERNAL]
    if hold.heads or (hold.public and not internal) or not (hold.errors or hold.notes):
        return hold
    hold.release()
    for name in [*internal, *hold.errors]:
        if name in hold.errors:
            raise hold.errors[name]
    name, note = next(iter(hold.notes.items()))
    raise SinkError(
        f"sink {name} {note}", hint="a public sink alone is no archive: bring an internal one back"
    )
