"""What a contract suite works with: the subject that an author supplies, and how a run would drive it.

A check of the suite gets a `Trial`. It makes `Account`s (configured instances of the source), lists with
the core's own discovery, fetches with the core's own worker into a sink in memory, and stands between
the source and its service as a proxy that can let anything go wrong.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

import pluggy
import pytest

from archiver import hooks, instances, staging, vetting
from archiver.config import SinkSpec, SourceSpec
from archiver.contracts import Context, Http, Scope, ScopeEntry, Source
from archiver.discover import Discovery, Listable, Listing
from archiver.ledger import StoredFile
from archiver.model import Event, Material, Role
from archiver.registry import Registry, load_plugins
from archiver.route import Filters
from archiver.routing import Router
from archiver.testing.proxy import FaultProxy
from archiver.testing.sinks_memory import MemoryOptions, MemorySink
from archiver.web import Clock, Limits, PoliteClient, Politeness, origins_of
from archiver.work import Destination, Outcome, Task, work

EVENT = Event("beijing", "Beijing Stop", date="2012-09-16", city="Beijing")
NAME = "under-test"
#: Seconds that a source may need for one thing that it is asked to do.
PATIENCE = 20.0
#: Seconds that it gets when it has needed more before: a contract has many checks, and each would wait.
IMPATIENCE = 4.0
_T = TypeVar("_T")


class UnmetPromiseError(AssertionError):
    """A plugin does not keep a promise; the message says what was seen instead."""


def promise(kept: object, seen: str) -> None:
    """Raise `UnmetPromiseError` with what was seen, unless the promise was kept."""
    if not kept:
        raise UnmetPromiseError(seen)


def does_not_apply(reason: str) -> NoReturn:
    """End a check that says nothing about this plugin; the verdict names it with the reason."""
    pytest.skip(reason)


@dataclass(frozen=True)
class Subject:
    """What an author supplies: the source, how to configure it, and what to do upstream.

    `source` is the class, or the `type:` of an installed plugin. `url` is where its service listens on
    this machine, "" when it has none (local files). `options` gives the options of the source for the
    address at which it shall find the service: the suite's proxy, in front of `url`. `entries` are the
    options of each entry of the event. `other` is a second account of the same type, with other materials.

    `expected` holds, by material id, the bytes of an original that the service has. `change` changes one
    of the materials upstream, `remove` deletes one. What is not given is not tested, and the verdict
    says so. `waived` names checks that this source cannot pass by its nature, each with the reason: the
    verdict shows it. `folder` is where relative paths in the options start, by default one of the suite's.
    """

    source: type[Source[Any, Any]] | str
    options: Callable[[str], Mapping[str, Any]] = lambda _: {}
    entries: Sequence[Mapping[str, Any]] = ({},)
    url: str = ""
    other: Subject | None = None
    expected: Mapping[str, bytes] = field(default_factory=dict)
    change: Callable[[], object] | None = None
    remove: Callable[[], object] | None = None
    waived: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def source_class(self) -> type[Source[Any, Any]]:
        """Give the class, by its type when that was named. Raises `LookupError` for an unknown type."""
        if not isinstance(self.source, str):
            return self.source
        known = _installed()
        if self.source not in known:
            raise LookupError(f"no installed plugin provides the source type {self.source!r}")
        return known[self.source]


@lru_cache(maxsize=1)
def _installed() -> Mapping[str, type[Source[Any, Any]]]:
    """Load the bundled plugins once: every check makes several accounts."""
    return load_plugins().sources


@dataclass
class Hourglass:
    """Time that passes when somebody waits: nobody has to, and `waited` tells how long they would have."""

    waited: list[float] = field(default_factory=list)
    _ahead: float = 0.0

    def monotonic(self) -> float:
        """Tell the time in seconds, the skipped ones included."""
        return time.monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Skip so many seconds."""
        self.waited.append(seconds)
        self._ahead += seconds

    def clock(self) -> Clock:
        """Give the form that the HTTP client takes."""
        return Clock(monotonic=self.monotonic, sleep=self.sleep, random=lambda: 0.5)


class Diary(logging.Handler):
    """Keeps every line that a plugin logs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.lines.append(record.getMessage())


class Account:
    """One configured instance of the source under test, used as a run uses it."""

    def __init__(self, subject: Subject, address: str, folder: Path, http: Http | None = None) -> None:
        kind = subject.source_class
        self.subject = subject
        self.hourglass = Hourglass()
        self.diary = Diary()
        options = kind.options_class.model_validate(dict(subject.options(address)))
        entries = tuple(
            ScopeEntry(EVENT, kind.entry_class.model_validate(dict(entry))) for entry in subject.entries
        )
        run = uuid.uuid4().hex
        self.spec = SourceSpec(NAME, kind.type_name, options, entries)
        sink = SinkSpec("memory", "memory", MemoryOptions(name=run))
        self.workshop = instances.Workshop(run, folder, (self.spec,), (sink,))
        self.client = PoliteClient(
            hosts_allowed=origins_of(options),
            limits=Limits(attempts=2, connect_seconds=5.0, read_seconds=5.0),
            progress=staging.report_progress,
            politeness=Politeness(self.hourglass.clock()),
            clock=self.hourglass.clock(),
        )
        log = logging.getLogger(f"archiver.plugin.{NAME}.{run}")
        log.setLevel(logging.DEBUG)
        log.addHandler(self.diary)
        log.propagate = False
        context = Context(NAME, folder, http or staging.Noting(self.client), log, staging.report_progress)
        self.source = self.within(lambda: kind(options, context), "making an instance")
        self._share(kind)

    def _share(self, kind: type[Source[Any, Any]]) -> None:
        manager = pluggy.PluginManager(hooks.PROJECT)
        registry = Registry([], {kind.type_name: kind}, {"memory": MemorySink}, manager)
        self._instances = instances.Instances(self.workshop, registry, {NAME: self.source})
        instances.share(self._instances)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Give every secret of the options, in the forms in which it may be written."""
        return self.workshop.mask.secrets

    @property
    def scope(self) -> Scope[Any]:
        """Give what a listing is asked for."""
        return Scope(self.spec.entries)

    def within(self, act: Callable[[], _T], what: str) -> _T:
        """Have the source do something, in bounded time; see `in_thread`."""
        kind = self.subject.source_class
        try:
            return in_thread(act, what, IMPATIENCE if kind in _LATE else PATIENCE)
        except LateError:
            _LATE.add(kind)
            raise

    def listing(self, cursor: str = "", limit: int | None = None) -> Listing:
        """List as a run does: checked, routed, bounded."""
        discovery = Discovery(Router([EVENT]), Filters(limit=limit), mask=self.workshop.mask, grace=0.0)
        listable = Listable(NAME, self.source, self.spec.entries, cursor)
        try:
            (listing,) = self.within(lambda: discovery.listings([listable]), "a listing")
        finally:
            discovery.stop.set()  # whoever still waits for it need not
        return listing

    def raw(self, cursor: str = "", limit: int | None = None) -> list[Any]:
        """List without the core between: everything that the source yields."""
        scope = Scope(self.spec.entries, limit)
        return self.within(lambda: list(self.given(scope, cursor)), "a listing")

    def given(self, scope: Scope[Any], cursor: str = "") -> Iterator[Any]:
        """Begin a listing. Raises `FatalError` when `discover` gives nothing to go through."""
        return vetting.each(self.source, "discover", self.source.discover(scope, cursor))

    def materials(self) -> list[Material]:
        """List, and give what can be fetched."""
        return [found.material for found in self.listing().found if found.problem is None]

    def task(self, material: Material) -> Task:
        """Make the task that fetches a material into the sink in memory."""
        content = f"objects/{uuid.uuid4().hex}/"
        destination = (Destination("memory", content),)
        return Task(self.workshop, NAME, material, "new", destination, staging=None, type_name=self.spec.type)

    def fetch(
        self, material: Material, note: Callable[[int, int | None], None] = staging.nobody
    ) -> tuple[Outcome, dict[str, bytes]]:
        """Fetch as a worker does; give the outcome, and the bytes read back from the sink by path."""
        return self.done(self.task(material), note)

    def done(
        self, task: Task, note: Callable[[int, int | None], None] = staging.nobody
    ) -> tuple[Outcome, dict[str, bytes]]:
        """Do one task; see `fetch`."""
        outcome = self.within(lambda: work(task, note), "a fetch")
        values = MemorySink.stores[self.workshop.run].values
        content = task.destinations[0].content
        held = {file.path: values.get(content + file.path, (b"",))[0] for file in outcome.files}
        return outcome, held

    def close(self) -> None:
        """End the source, its client and the sharing."""
        self.source.close()
        self.drop()

    def drop(self) -> None:
        """End what the suite made around the source."""
        instances.forget(self._instances)
        self.client.close()
        MemorySink.stores.pop(self.workshop.run, None)


class Trial:
    """One check's world: the proxy before the service, and the accounts that were made."""

    def __init__(self, subject: Subject, folder: Path) -> None:
        self.subject = subject
        self.folder = subject.folder or folder
        self._proxies: dict[str, FaultProxy] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def proxy(self) -> FaultProxy:
        """Give the proxy before the service; a check that needs it does not apply without a service."""
        if not self.subject.url:
            does_not_apply("the source has no service on the network")
        return self._before(self.subject.url)

    def _before(self, url: str) -> FaultProxy:
        if url not in self._proxies:
            self._proxies[url] = self._stack.enter_context(FaultProxy(url))
        return self._proxies[url]

    def account(self, subject: Subject | None = None, http: Http | None = None) -> Account:
        """Configure an instance of the source, as for a new run."""
        wanted = subject or self.subject
        address = self._before(wanted.url).address if wanted.url else ""
        folder = (wanted.folder or self.folder).absolute()
        made = Account(wanted, address, folder, http)
        self._stack.callback(made.drop)
        self._stack.callback(_quietly, lambda: made.within(made.source.close, "`close`"))
        return made

    def listed(self) -> Account:
        """Configure an instance and let it list, as a run does before it fetches."""
        account = self.account()
        account.listing()
        return account

    def samples(self, account: Account, number: int = 2) -> list[Material]:
        """List, and give some materials, of different kinds as far as there are."""
        materials = account.materials()
        firsts = {material.kind: material for material in reversed(materials)}
        chosen = {material.id: material for material in [*firsts.values(), *materials]}
        return list(chosen.values())[:number]

    @contextmanager
    def broken(self, kind: str, after: int, **more: Any) -> Iterator[None]:
        """Let everything go wrong from the request after so many on."""
        self.proxy.fault("*", kind, times=None, after=after, **more)
        try:
            yield
        finally:
            self.proxy.faults.clear()

    def points(self, act: Callable[[], object], most: int = 3) -> list[int]:
        """Do something once in peace; give some places among its requests where things can go wrong."""
        before = len(self.proxy.requests)
        act()
        number = len(self.proxy.requests) - before
        if number <= most:
            return list(range(number))
        return sorted({0, 1, *(number * step // (most - 1) for step in range(1, most - 1)), number - 1})


def _quietly(close: Callable[[], object]) -> None:
    try:
        close()
    except Exception:  # `test_it_can_be_closed` is there to tell of it
        logging.getLogger("archiver.plugin").debug("a source could not be closed", exc_info=True)


def ids(listing: Listing) -> set[str]:
    """Give the ids of what a listing says is there."""
    return {
        found.material.id
        for found in listing.found
        if found.problem is None or found.problem.reason != "gone"
    }


def shape(outcome: Outcome) -> set[tuple[str, str, str]]:
    """Give role, label and media type of each file."""
    return {(file.role.value, file.label, file.media_type) for file in outcome.files}


def main_digests(files: Sequence[StoredFile]) -> set[str]:
    """Give the digests of what stands for a material: originals and renditions."""
    return {file.sha256 for file in files if file.role in {Role.ORIGINAL, Role.RENDITION}}


def told(outcome: Outcome) -> str:
    """Say what became of a fetch."""
    return outcome.problem.detail if outcome.problem else f"{len(outcome.files)} files"


class LateError(UnmetPromiseError):
    """A plugin did not end in time."""


#: Kinds of sources that were late once.
_LATE: set[type[Source[Any, Any]]] = set()


def in_thread(act: Callable[[], _T], what: str, patience: float | None = None) -> _T:
    """Do something that might hang. Raises what it raises, or `LateError` when it does not end."""
    given: list[_T] = []
    raised: list[BaseException] = []
    seconds = PATIENCE if patience is None else patience

    def run() -> None:
        try:
            given.append(act())
        except BaseException as error:  # noqa: BLE001  # handed to whoever waits
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not given:
        raise LateError(f"{what} did not end within {seconds:.0f} seconds")
    return given[0]


def hostile(material: Material) -> Material:
    """Give the material with names that would leave any directory."""
    name = "../../../../escaped/\x00\r\n<script>'\";$(id)" + "长" * 120
    return replace(material, title=name, description=name, authors=(name,), tags=(name,), talk=name)
