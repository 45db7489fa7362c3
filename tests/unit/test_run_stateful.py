"""Any sequence of nights: what upstream, the disks and the user do in any order loses nothing."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from archiver.errors import BlockedError, GoneError, InvalidError, TransientError
from archiver.ledger import Key, State, StoredFile, union
from archiver.model import Kind
from archiver.report import Report
from archiver.route import Filters
from line_kit import Item, World, failing_at

NAMES = st.sampled_from("uvwxyz")
EVENTS = st.sampled_from(["a", "b", ""])
SINKS = ("one", "two")
FAULTS = st.sampled_from(
    [
        None,
        None,
        InvalidError("half"),
        GoneError("404"),
        BlockedError("login"),
        TransientError("503"),
        ValueError(),
    ]
)
LISTED = st.sampled_from([None, None, None, GoneError("410"), BlockedError("private")])
FILTERS = st.sampled_from(
    [
        Filters(),
        Filters(),
        Filters(),
        Filters(events=frozenset("a")),
        Filters(limit=2),
        Filters(kinds=frozenset({Kind.PHOTO})),
    ]
)


class Nights(RuleBasedStateMachine):
    """The world, and all that was ever stored in it."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nights-"))
        self.world = World(self.folder, sinks=SINKS)
        self.ever: dict[str, set[tuple[Key, str, str]]] = {name: set() for name in SINKS}
        self.bytes = 0
        self.night()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    @rule(name=NAMES, event=EVENTS, pieces=st.integers(1, 3))
    def upload(self, name: str, event: str, pieces: int) -> None:
        self.bytes += 1
        data = tuple(f"{name}{self.bytes}{n}".encode() for n in range(pieces))
        self.world.up.put(Item(name, data=data, revision=f"{self.bytes}", event=event))

    @rule(name=NAMES, fails=FAULTS, listed=LISTED)
    def spoil(self, name: str, fails: Exception | None, listed: GoneError | None) -> None:
        if name in self.world.up.items:
            self.world.up.change(name, fails=fails, listed_as=listed)

    @rule(name=NAMES)
    def touch(self, name: str) -> None:
        if name in self.world.up.items:
            self.bytes += 1
            self.world.up.change(name, revision=f"touched {self.bytes}")

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        self.world.up.items.pop(name, None)

    @rule(after=st.none() | st.integers(0, 4), complete=st.booleans())
    def listing(self, after: int | None, complete: bool) -> None:
        self.world.up.breaks_after, self.world.up.complete = after, complete

    @rule(sink=st.none() | st.sampled_from(SINKS), part=st.sampled_from(["content/", "inventory", "check"]))
    def breakdown(self, sink: str | None, part: str) -> None:
        self.world.troubles = {sink: failing_at(part)} if sink else {}

    @rule(filters=FILTERS, accept=st.booleans())
    def run(self, filters: Filters, accept: bool) -> None:
        self.night(filters=filters, accept_shrink=frozenset({"src"} if accept else ()))

    @rule()
    def quiet(self) -> None:
        """With nothing changed since a good run, a night makes no version and fetches only what failed."""
        self.world.troubles = {}
        self.night()
        before = {name: self.world.versions(name) for name in SINKS}
        self.night()
        assert {name: self.world.versions(name) for name in SINKS} == before
        # Whichever was away in which night: now each has everything that the other has.
        assert self.world.states("one") == self.world.states("two")

    def night(self, **options: object) -> None:
        known = union(self.world.records(name) for name in SINKS)
        report = self.world.run(**options)
        self.check_withdrawals(known, report, options.get("filters", Filters()))
        self.remember()

    def check_withdrawals(self, known: object, report: Report, filters: object) -> None:
        assert isinstance(known, dict)
        assert isinstance(filters, Filters)
        source = report.sources["src"]
        meaningful = source.complete and not source.error and not source.alarm and not filters.any
        for key, record in union(self.world.records(name) for name in SINKS).items():
            before = known.get(key)
            if record.state is State.WITHDRAWN and before and before.state is State.STORED:
                item = self.world.up.items.get(key[2])
                said_gone = item is not None and GoneError in {type(item.listed_as), type(item.fails)}
                assert said_gone or (meaningful and item is None), (key, report.sources)

    def remember(self) -> None:
        for name in SINKS:
            now = self.everything(name)
            assert self.ever[name] <= now, self.ever[name] - now
            self.ever[name] = now

    def everything(self, sink: str) -> set[tuple[Key, str, str]]:
        """All files of now and of earlier that the ledger names; that it holds them is checked by `run`."""
        found: set[tuple[Key, str, str]] = set()
        for key, record in self.world.records(sink).items():
            files: list[StoredFile] = [*record.files]
            for edition in record.earlier:
                files += edition.files
            found |= {(key, file.path, file.sha256) for file in files}
        return found

    @invariant()
    def no_file_without_a_record(self) -> None:
        """What an inventory holds under a kind's folder, some ledger names."""
        if not hasattr(self, "world"):
            return
        for sink in SINKS:
            named = {path for _, path, _ in self.everything(sink)}
            for name, each in self.world.head(sink).objects.items():
                held = {path for path in each.state if path.startswith("other/")}
                assert held <= named, (sink, name)


Nights.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
TestNights = Nights.TestCase
