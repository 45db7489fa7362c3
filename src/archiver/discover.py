"""List every configured source once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from typing import Any, Self

from archiver import staging, vetting
from archiver.config.problems import quoted
from archiver.contracts import Scope, ScopeEntry, Source
from archiver.errors import ArchiverError, BlockedError, FatalError, GoneError, SourceError, TransientError
from archiver.ledger import Key, Problem, Record
from archiver.masking import Mask, text_of
from archiver.model import Checkpoint, Material, Unavailable
from archiver.route import REJECTED, Filters, Found
from archiver.routing import Router, message_of
from archiver.threads import GRACE, DaemonPool, Patience, Stopped

_LOG = logging.getLogger("archiver")
#: What one listing may hold; a source that goes on past it is broken.
MAX_LISTED = 1_000_000
#: Entries of a source that a message names; the configuration has them all.
_NAMED = 3
_SECRETS = {
    "url": (
        "source %s lists addresses with the parameter %r, which looks like a secret; it is masked: "
        "a source has to list public addresses"
    ),
    "id": (
        "source %s lists ids with the parameter %r, which looks like a secret; ids stand in the archive "
        "for ever: change the source's plugin before more of it is stored"
    ),
}
_FAULT = "this looks like a fault of the source's plugin; run with -v for the details"


@dataclass(frozen=True)
class Listing:
    """What one source listed. `checkpoint` is None when the listing did not come to its end."""

    source: str
    found: Sequence[Found] = ()
    checkpoint: Checkpoint | None = None
    error: SourceError | None = None

    @property
    def complete(self) -> bool:
        """Say whether everything that exists in scope was listed."""
        return self.error is None and self.checkpoint is not None and self.checkpoint.complete

    @property
    def alive(self) -> int:
        """Count what upstream still has: what it lists as gone is as good as not listed."""
        return len({item.key for item in self.found if not _is_gone(item)})

    @property
    def size(self) -> int:
        """Count what was listed: once what several entries name, such as an album and a tag."""
        return len({item.key for item in self.found})


@dataclass(frozen=True)
class Listable:
    """A configured source, made, with its entries and the cursor to go on from."""

    name: str
    source: Source[Any, Any]
    entries: tuple[ScopeEntry[Any], ...]
    cursor: str = ""

    @property
    def users(self) -> tuple[str, ...]:
        """Name the events that use the source, whichever of them are asked for today."""
        return tuple(dict.fromkeys(entry.event.id for entry in self.entries))

    @property
    def is_unnamed(self) -> bool:
        """Say whether an event wrote it out: its name is made from its type, as in `folder-cb4390`."""
        return f"{self.name}-".startswith(f"{self.source.type_name}-")


@dataclass(frozen=True)
class Discovery:
    """Lists sources, several at a time, and routes what they list.

    `router` says which event takes what. `listed` hears of each source as it ends; `mask` takes the
    secrets out of what plugins say. `held` tells what a limit does not count. After `stop` a source gets
    `grace` seconds to come to its next material, then it is left behind. Listings that last longer than
    `seconds` are cut off, which is an error of theirs: what they listed until then is still taken.
    """

    router: Router
    filters: Filters
    stop: threading.Event = field(default_factory=threading.Event)
    jobs: int = 4
    listed: Callable[[Listing], None] = lambda _: None
    mask: Mask = field(default_factory=Mask)
    held: Mapping[Key, Record] = field(default_factory=dict)
    grace: float = GRACE
    seconds: float | None = None
    _cut: threading.Event = field(default_factory=threading.Event)
    _sieves: dict[str, _Sieve] = field(default_factory=dict)

    def listings(self, sources: Sequence[Listable]) -> list[Listing]:
        """List all sources: one listing each, in the same order."""
        pool = DaemonPool(min(self.jobs, len(sources)), "discover")
        try:
            futures = [pool.submit(self._listing, each) for each in sources]
            self._wait(set(futures))
            return [
                future.result() if future.done() else self._left_behind(each)
                for each, future in zip(sources, futures, strict=True)
            ]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def unlistable(self, name: str, error: BaseException) -> Listing:
        """Give the listing of a source that could not even be made."""
        listing = Listing(name, error=self._explained(name, error))
        self.listed(listing)
        return listing

    def _wait(self, running: set[Future[Listing]]) -> None:
        seconds = self.seconds
        until = None if seconds is None else time.monotonic() + seconds
        grace = self.grace if seconds is None else min(self.grace, seconds / 2)
        stopped, late = Patience(self.stop, self.grace), Patience(self._cut, grace)
        while running and not stopped.over and not late.over:
            _, running = wait(running, timeout=0.2)
            if until is not None and time.monotonic() >= until:
                self._cut.set()

    def _left_behind(self, each: Listable) -> Listing:
        """Give what a source listed that does not come back; its thread may still be at it."""
        found = tuple(self._sieves[each.name].found) if each.name in self._sieves else ()
        return self._ended(each, Listing(each.name, found, None, self._cut_off(len(found))))

    def _ended(self, each: Listable, listing: Listing) -> Listing:
        """Tell of a listing; of one that failed what it was asked for, where no name of its own says so."""
        if listing.error is not None and each.is_unnamed:
            told = f"{listing.error.message.rstrip('.')}; asked for {self._asked(each)}"
            listing = replace(listing, error=type(listing.error)(self.mask(told), hint=listing.error.hint))
        self.listed(listing)
        return listing

    def _asked(self, each: Listable) -> str:
        told = [_wanted(entry) for entry in self._scope(each).entries]
        more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        return f"{'; '.join(told[:_NAMED])}{more}"

    def _cut_off(self, found: int) -> SourceError | None:
        """Say that a listing had not come to its end when its time was over; None when it was stopped."""
        if not self._cut.is_set():
            return None
        came = f"after {found:,} material{'s' * (found != 1)}" if found else "without a single material"
        return TransientError(
            f"its listing was cut off {came}: it took more than {self.seconds:.0f} seconds",
            hint="listings get half of --time-limit: give the run more time, or let this source list less",
        )

    def _listing(self, each: Listable) -> Listing:
        listing = self._once(each, each.cursor)
        if each.cursor and _perhaps_the_cursor(listing.error):
            # Services forget old cursors: without this the source would fail every night from now on.
            _LOG.info("source %s is listed from the start: %s", each.name, listing.error)
            listing = self._once(each, "")
        return self._ended(each, listing)

    def _once(self, each: Listable, cursor: str) -> Listing:
        self._sieves[each.name] = sieve = _Sieve(each.name, each.source.type_name, each.users, self)
        try:
            checkpoint = self._sift(each, cursor, sieve)
        except Stopped:
            return Listing(each.name, sieve.found, None, self._cut_off(sieve.size))
        except BaseException as error:  # noqa: BLE001  # a plugin may raise anything, SystemExit too
            return Listing(each.name, sieve.found, None, self._explained(each.name, error))
        cut_off = None if checkpoint else self._cut_off(sieve.size)
        return Listing(each.name, sieve.found, checkpoint, cut_off)

    def _sift(self, each: Listable, cursor: str, sieve: _Sieve) -> Checkpoint | None:
        limit = self.filters.limit
        with staging.desk(self._note), sieve:
            given = each.source.discover(self._scope(each), cursor)
            for item in vetting.listed(each.name, each.source, given):
                if isinstance(item, Checkpoint):
                    return item
                full = limit is not None and sieve.wanted >= limit
                if full or self.stop.is_set() or self._cut.is_set():
                    return None
                sieve.take(item)
                if sieve.size > MAX_LISTED:
                    raise FatalError(f"source {each.name} lists more than {MAX_LISTED} materials")
        return None

    def _scope(self, each: Listable) -> Scope[Any]:
        asked = self.filters.events
        entries = tuple(entry for entry in each.entries if not asked or entry.event.id in asked)
        # A source that stops at the limit would name what is held already, night after night.
        begun = any(key[1] == each.name and record.files for key, record in self.held.items())
        return Scope(entries, None if begun else self.filters.limit)

    def _note(self, done: int, total: int | None) -> None:
        del done, total
        if self.stop.is_set() or self._cut.is_set():
            raise Stopped

    def _explained(self, name: str, error: BaseException) -> SourceError:
        if isinstance(error, SourceError):
            return self.mask.error(error)
        if not isinstance(error, ArchiverError):
            _LOG.debug("source %s failed:\n%s", name, self.mask.traceback(error))
        told = f"source {name} failed: {type(error).__name__}: {text_of(error)}"
        return FatalError(self.mask(told), hint=_FAULT)


@dataclass
class _Sieve:
    """Takes what one source yields. What one message brought is routed together, when all of it is there."""

    name: str
    type_name: str
    users: Sequence[str]
    discovery: Discovery
    found: list[Found] = field(default_factory=list)
    _wanted: set[Key] = field(default_factory=set)
    _warned: set[str] = field(default_factory=set)
    _message: str = ""
    _together: list[tuple[Material, Problem | None]] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()

    @property
    def wanted(self) -> int:
        """Count what is to be fetched of it: once what several entries name."""
        return len(self._wanted)

    @property
    def size(self) -> int:
        """Count what came so far."""
        return len(self.found) + len(self._together)

    def take(self, item: Material | Unavailable) -> None:
        """Check and keep one; route what is complete."""
        problem = None
        if isinstance(item, Unavailable):
            self._warn(item.material)
            material, error = vetting.unavailable(item)
            told = self.discovery.mask.error(error)
            problem = Problem(told.reason, str(told), material.revision)
        else:
            self._warn(item)
            material = vetting.material(item)
        message = message_of(material)
        if not message or message != self._message:
            self._flush()
        self._message = message
        self._together.append((material, problem))
        if not message:
            self._flush()

    def _warn(self, given: object) -> None:
        """Tell once of what everybody could read: an id stays as it is, or it would be another material."""
        for where, name in vetting.secrets(given).items() if isinstance(given, Material) else ():
            if where not in self._warned:
                self._warned.add(where)
                _LOG.warning(_SECRETS[where], self.name, name)

    def _flush(self) -> None:
        together, self._together = self._together, []
        routed = self.discovery.router.route(self.name, self.type_name, together, self.users)
        for found in routed:
            if self.discovery.filters.takes(found.material.event, self.name, found.material.kind):
                self._keep(found)

    def _keep(self, found: Found) -> None:
        self.found.append(found)
        record = self.discovery.held.get(found.key)
        rejected = found.problem is not None and found.problem.reason == REJECTED
        if not rejected and (record is None or not record.files):
            self._wanted.add(found.key)


def _wanted(entry: ScopeEntry[Any]) -> str:
    """Say what an event asks a source for: `user 'alice' for beijing`. Secrets stay stars."""
    options = entry.options.model_dump(mode="json", exclude_defaults=True)
    words = [f"{key} {quoted(str(value))}" for key, value in options.items()]
    return f"{', '.join(words)} for {entry.event.id}" if words else entry.event.id


def _is_gone(item: Found) -> bool:
    return item.problem is not None and item.problem.reason == GoneError.reason


def _perhaps_the_cursor(error: SourceError | None) -> bool:
    return error is not None and not isinstance(error, TransientError | BlockedError)
