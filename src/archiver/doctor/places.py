"""Looks at the sinks: whether they can be used, what they honour, how much room and what time they have."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from typing import Any

from archiver import hold, ocfl
from archiver.config import Config, SinkSpec
from archiver.contracts import Sink
from archiver.doctor import machine
from archiver.doctor.knock import refused
from archiver.doctor.lines import Level, Line, bad, ok, warn
from archiver.doctor.setup import credentials
from archiver.errors import ArchiverError
from archiver.hold import Hold
from archiver.instances import Instances, Workshop
from archiver.registry import Registry
from archiver.threads import DaemonPool

#: Seconds that one sink may take to answer everything.
PATIENCE = 40.0
#: Seconds between two clocks that are worth a look, and from which on stores refuse signed requests: AWS
#: says RequestTimeTooSkewed above 15 minutes.
SKEW, REFUSED = 30.0, 900.0
_CLOCK = ".probe/clock"
_BODY = b"This object shows what time it is where the archive lies. It may be deleted.\n"


def sinks(config: Config, registry: Registry, patience: float = PATIENCE) -> Iterator[Line]:
    """Ask every sink at once; one that does not answer in time is a line, and holds up nothing."""
    shop = Workshop("doctor", config.folder, config.sources, config.sinks, config.plugins, config.path)
    made = Instances(shop, registry)
    pool = DaemonPool(max(1, min(4, len(config.sinks))), "doctor")
    try:
        asked = [(spec, pool.submit(_sink, made, spec)) for spec in config.sinks]
        usable = []
        for spec, answer in asked:
            lines = list(_answered(spec, answer, patience))
            yield from lines
            if not any(line.level is Level.BAD for line in lines):
                usable.append(spec.name)
        yield from _held(pool.submit(hold.peek, made, usable), patience)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        made.close()


def _answered(spec: SinkSpec, answer: Future[list[Line]], patience: float) -> Iterator[Line]:
    try:
        yield from answer.result(timeout=patience)
    except NotInTime:
        hint = "see whether this machine reaches it: network, VPN, firewall, the address in the configuration"
        yield bad(
            f"sink {spec.name}", f"type {spec.type}: did not answer within {patience:.0f} seconds", hint
        )


def _held(answer: Future[Hold], patience: float) -> Iterator[Line]:
    """Say what a run would make of what the sinks hold."""
    hint = "archive verify tells more"
    try:
        held = answer.result(timeout=patience)
    except NotInTime:
        yield warn("sinks", f"what they hold was not read within {patience:.0f} seconds", hint)
        return
    except ArchiverError as error:
        yield bad("sinks", error.message, error.hint or hint)
        return
    for name, trouble in held.errors.items():
        yield bad(f"sink {name}", trouble.message, trouble.hint or hint)
    for name, note in held.notes.items():
        yield warn(f"sink {name}", note, "mount its disk, or fill it")
    for name, head in {**held.heads, **held.public}.items():
        if head.damage:
            yield warn(f"sink {name}", head.damage, hint)


def _sink(made: Instances, spec: SinkSpec) -> list[Line]:
    subject = f"sink {spec.name}"
    about = f"type {spec.type}, {spec.audience}"
    if option := refused(spec.options):
        why = f"{about}: its address refuses connections: nothing listens at its {option}"
        return [bad(subject, why, f"start the service, or correct {option}: its host, and its port")]
    try:
        sink = made.sink(spec.name)
        sink.check()
        told = [ok(subject, f"{about}: can be used; {credentials(spec.options)}"), *_powers(subject, sink)]
        return [*told, *_place(subject, sink)]
    except ArchiverError as error:
        return [bad(subject, f"{about}: {error.message}", error.hint or "see `archive check`")]
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin may raise anything
        hint = "this looks like a fault of its plugin: report it to its author"
        return [bad(subject, f"{about}: {type(error).__name__}: {error}", hint)]


def _powers(subject: str, sink: Sink[Any]) -> Iterator[Line]:
    notes = sink.notes()
    for note in notes:
        yield warn(subject, note, "nothing is lost by it; another store would be quicker or safer")
    if not notes:
        yield ok(subject, "honours all that is asked of it")


def _place(subject: str, sink: Sink[Any]) -> Iterator[Line]:
    root = sink.local_root
    if root is not None:
        yield machine.room(subject, root, "free some space on that disk, or move the archive to a larger one")
    else:
        yield clock(subject, _time_there(sink), time.time)


def _time_there(sink: Sink[Any]) -> float | None:
    sink.replace(_CLOCK, ocfl.blob(_BODY))
    seen = sink.stat(_CLOCK)
    return seen.modified if seen else None


def clock(subject: str, there: float | None, now: Callable[[], float]) -> Line:
    """Compare two clocks; `there` is what the store says of something that was written just now."""
    if not there:
        return warn(
            subject, "does not tell the time", "nothing to do, as long as this machine's clock is right"
        )
    apart = abs(now() - there)
    told = f"its clock and this machine's are {apart:,.0f} seconds apart"
    hint = "let this machine set its clock by the network (NTP)"
    if apart > REFUSED:
        return bad(subject, told, hint)
    return warn(subject, told, hint) if apart > SKEW else ok(subject, told)
