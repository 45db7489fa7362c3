"""Listing sources: what is taken from them, what is refused, and when they are left behind."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from archiver import discover as module
from archiver.contracts import Context, Options, ScopeEntry, Source
from archiver.discover import Discovery, Listable, Listing
from archiver.errors import BlockedError, FatalError, GoneError, TransientError
from archiver.ledger import Record, State, StoredFile
from archiver.model import Checkpoint, Event, Kind, Material, Unavailable
from archiver.route import Filters
from archiver.routing import Router

A, B = Event("a", "A", date="2012-09-16"), Event("b", "B", date="2012-09-23")


def material(name: str = "x", **more: Any) -> Material:
    return Material(**{"id": name, "kind": Kind.SLIDES, "event": "a", **more})


def listable(lists: Callable[[Any, str], Iterator[Any]], cursor: str = "", name: str = "src") -> Listable:
    class Listed(Source[Options, Options]):
        type_name = "listed"

        def discover(self, scope: Any, cursor: str) -> Iterator[Any]:
            return lists(scope, cursor)

        def fetch(self, material: Material, into: Path) -> Any:
            raise NotImplementedError

    context = Context(name, Path(), http=None)  # type: ignore[arg-type]  # these reach for no network
    entries = tuple(ScopeEntry(event, Options()) for event in (A, B))
    return Listable(name, Listed(Options(), context), entries, cursor)


def listing(*items: Any, discovery: Discovery | None = None) -> Listing:
    return (discovery or Discovery(Router([A, B]), Filters())).listings([listable(lambda *_: iter(items))])[0]


def test_a_listing_ends_with_its_checkpoint() -> None:
    found = listing(material(), material("y"), Checkpoint("c", complete=True))
    assert [item.material.id for item in found.found] == ["x", "y"]
    assert found.complete
    assert found.checkpoint == Checkpoint("c", complete=True)


def test_what_comes_after_the_checkpoint_is_taken_and_told_of(caplog: pytest.LogCaptureFixture) -> None:
    found = listing(material(), Checkpoint("c", complete=True), material("after"))
    assert [item.material.id for item in found.found] == ["x", "after"]
    assert not found.complete
    assert found.checkpoint == Checkpoint()
    assert "source src went on after its checkpoint" in caplog.text


def test_without_a_checkpoint_nothing_is_complete() -> None:
    found = listing(material())
    assert not found.complete
    assert found.error is None


def test_what_is_gone_does_not_count_as_alive() -> None:
    gone = Unavailable(material("x"), GoneError("410"))
    private = Unavailable(material("y"), BlockedError("private"))
    found = listing(gone, private, material("z"), Checkpoint(complete=True))
    assert found.alive == 2
    assert [item.problem.reason if item.problem else "" for item in found.found] == ["gone", "blocked", ""]


def test_what_two_entries_name_is_counted_once() -> None:
    gone = Unavailable(material("x"), GoneError("410"))
    found = listing(material("x"), gone, material("y"), material("y"), material("y", event="b"))
    assert (len(found.found), found.size, found.alive) == (5, 3, 3)
    discovery = Discovery(Router([A]), Filters(limit=2))
    found = listing(*(material(name) for name in "xxxyz"), discovery=discovery)
    assert [item.material.id for item in found.found] == ["x", "x", "x", "y"]


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint(None),  # type: ignore[arg-type]
        Checkpoint(b"c"),  # type: ignore[arg-type]
        Checkpoint("c", complete="no"),  # type: ignore[arg-type]
        Checkpoint("c" * 2_000_000),
    ],
)
def test_a_checkpoint_of_wrong_types_is_refused(checkpoint: Checkpoint) -> None:
    found = listing(material(), checkpoint)
    assert isinstance(found.error, FatalError)
    assert not found.complete


def test_an_error_that_is_none_becomes_one() -> None:
    found = listing(Unavailable(material(), "private"))  # type: ignore[arg-type]
    assert found.error is None
    assert found.found[0].problem is not None
    assert found.found[0].problem.reason == "failed"


def test_a_listing_that_is_no_iterator_is_a_fault_of_the_plugin() -> None:
    found = Discovery(Router([A]), Filters()).listings([listable(lambda *_: None)])[0]  # type: ignore[arg-type]
    assert "it returned None" in str(found.error)
    assert "plugin" in str(found.error)


def test_a_listing_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LISTED", 100)

    def endless(*_: Any) -> Iterator[Material]:
        number = 0
        while True:
            number += 1
            yield material(f"{number}")

    found = Discovery(Router([A]), Filters()).listings([listable(endless)])[0]
    assert "more than 100" in str(found.error)


def test_filters_leave_out_and_the_scope_names_only_the_events_asked_for() -> None:
    scopes = []

    def lists(scope: Any, cursor: str) -> Iterator[Material]:
        scopes.append([entry.event.id for entry in scope.entries])
        yield from (material("x"), material("y", event="b"))

    filters = Filters(events=frozenset("a"))
    found = Discovery(Router([A, B]), filters).listings([listable(lists)])[0]
    assert [item.material.id for item in found.found] == ["x"]
    assert scopes == [["a"]]


def test_asking_for_one_event_routes_nothing_to_it_that_is_not_its_own() -> None:
    # Both events use the source: on a full run the date decides, and so it does when one is asked for.
    stranger = material(event="", date="2012-09-23")
    found = listing(stranger, discovery=Discovery(Router([A, B]), Filters(events=frozenset("a"))))
    assert found.found == []


@pytest.mark.parametrize(("held", "expected"), [(False, 2), (True, 4)])
def test_a_limit_counts_what_is_not_held(held: bool, expected: int) -> None:
    file = StoredFile("slides/x.pdf", 1, "0" * 64)
    names = "xy" if held else ""
    records = {
        ("a", "src", name): Record("src", "listed", material(name), State.STORED, files=(file,))
        for name in names
    }
    discovery = Discovery(Router([A]), Filters(limit=2), held=records)
    found = listing(*(material(name) for name in "xyzuvw"), Checkpoint(complete=True), discovery=discovery)
    assert len(found.found) == expected
    assert not found.complete


@pytest.mark.parametrize(("held", "limit"), [(False, 2), (True, None)])
def test_a_source_is_told_the_limit_only_while_nothing_of_it_is_held(held: bool, limit: int | None) -> None:
    asked = []

    def lists(scope: Any, cursor: str) -> Iterator[Any]:
        asked.append(scope.limit)
        yield Checkpoint(complete=True)

    file = StoredFile("slides/x.pdf", 1, "0" * 64)
    record = Record("src", "listed", material(), State.STORED, files=(file,))
    known = {record.key: record} if held else {}
    Discovery(Router([A]), Filters(limit=2), held=known).listings([listable(lists)])
    assert asked == [limit]


def test_a_limit_of_nothing_lists_nothing() -> None:
    assert listing(material(), discovery=Discovery(Router([A]), Filters(limit=0))).found == []


@pytest.mark.parametrize(
    ("error", "cursors"),
    [
        (FatalError("no such token"), ["old", ""]),
        (ValueError(), ["old", ""]),
        (TransientError("503"), ["old"]),
    ],
)
def test_a_cursor_that_breaks_the_listing_is_dropped(error: Exception, cursors: list[str]) -> None:
    asked = []

    def lists(scope: Any, cursor: str) -> Iterator[Any]:
        asked.append(cursor)
        if cursor:
            raise error
        yield from (material(), Checkpoint("new", complete=True))

    found = Discovery(Router([A]), Filters()).listings([listable(lists, "old")])[0]
    assert asked == cursors
    assert (found.error is None) == (cursors[-1] == "")


def test_sources_are_listed_in_their_order_and_told_of() -> None:
    told = []
    discovery = Discovery(Router([A]), Filters(), jobs=3, listed=lambda each: told.append(each.source))
    names = ["one", "two", "three", "four"]
    found = discovery.listings([listable(lambda *_: iter([material()]), name=name) for name in names])
    assert [each.source for each in found] == names
    assert sorted(told) == sorted(names)
    assert discovery.listings([]) == []


def test_a_stop_ends_a_listing_at_its_next_material_without_an_error() -> None:
    stop = threading.Event()

    def lists(*_: Any) -> Iterator[Any]:
        yield material("x")
        stop.set()
        yield material("y")
        yield Checkpoint(complete=True)

    found = Discovery(Router([A]), Filters(), stop).listings([listable(lists)])[0]
    assert [item.material.id for item in found.found] == ["x"]
    assert found.error is None
    assert found.checkpoint is None


def test_a_source_that_hangs_at_a_stop_is_left_behind() -> None:
    stop, never = threading.Event(), threading.Event()

    def hangs(*_: Any) -> Iterator[Any]:
        stop.set()
        never.wait(60)
        yield material()

    discovery = Discovery(Router([A]), Filters(), stop, grace=0.05)
    found = discovery.listings([listable(hangs), listable(lambda *_: iter([]), name="other")])
    assert [each.source for each in found] == ["src", "other"]
    assert found[0] == Listing("src")
    never.set()


def test_a_listing_that_never_ends_is_cut_off_and_takes_nothing_from_the_others() -> None:
    never = threading.Event()

    def hangs(*_: Any) -> Iterator[Any]:
        yield material("before")
        never.wait(60)

    def goes_on(*_: Any) -> Iterator[Any]:
        for number in itertools.count():
            yield material(f"m{number}")
            time.sleep(0.001)

    listables = [
        listable(hangs), listable(goes_on, name="long"),
        listable(lambda *_: iter([material("z"), Checkpoint("c")]), name="good"),
    ]  # fmt: skip
    told: list[str] = []
    discovery = Discovery(Router([A]), Filters(), seconds=0.3, listed=lambda each: told.append(each.source))
    hung, cut, good = discovery.listings(listables)
    never.set()
    for each in (hung, cut):
        assert isinstance(each.error, TransientError)
        assert "cut off after" in each.error.message
        assert "--time-limit" in each.error.hint
        assert not each.complete
    assert [item.material.id for item in hung.found] == ["before"]
    assert len(cut.found) > 1
    assert (good.error, [item.material.id for item in good.found]) == (None, ["z"])
    assert sorted(told) == ["good", "long", "src"]


def test_secrets_in_addresses_and_ids_are_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    one, two = (material(f"{name}?sig=abcdefgh-{name}", url="https://h/?token=abcdefghij") for name in "12")
    found = listing(one, Unavailable(two, GoneError("404")), material("3"), Checkpoint(complete=True)).found
    assert [each.material.url for each in found] == ["https://h/?token=***"] * 2 + [""]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert {"lists ids with the parameter 'sig'" in line for line in told} == {True, False}
    assert all("abcdef" not in line for line in told)


class Asked(Options):
    user: str = ""
    key: SecretStr = SecretStr("")


def asking(name: str, users: dict[str, str], discovery: Discovery | None = None) -> Listing:
    """List a source that fails, with an entry for each event and user."""

    def lists(*_: Any) -> Iterator[Any]:
        raise TransientError("the host answers 503.", hint="wait")

    source = listable(lists, name=name).source
    entries = tuple(
        ScopeEntry(Event(event, event), Asked(user=user, key=SecretStr("hunter2")))
        for event, user in users.items()
    )
    return (discovery or Discovery(Router([A]), Filters())).listings([Listable(name, source, entries)])[0]


@pytest.mark.parametrize("name", ["listed", "listed-e71ca6"])
def test_an_unnamed_source_that_fails_says_what_it_was_asked_for(name: str) -> None:
    error = asking(name, {"a": "alice", "b": "bob"}).error
    assert isinstance(error, TransientError)
    told = "the host answers 503; asked for user 'alice', key '***' for a; user 'bob', key '***' for b (wait)"
    assert str(error).replace("**********", "***") == told


def test_of_many_entries_the_first_are_told() -> None:
    error = asking("listed", {f"stop-{number}": "x" for number in range(12)}).error
    assert "for stop-2 and 9 more" in str(error)
    assert "stop-3" not in str(error)


def test_what_is_not_asked_for_today_is_not_told() -> None:
    discovery = Discovery(Router([A]), Filters(events=frozenset({"b"})))
    assert "alice" not in str(asking("listed", {"a": "alice", "b": "bob"}, discovery).error)


@pytest.mark.parametrize("name", ["decks", "listedness"])
def test_a_name_of_its_own_says_enough(name: str) -> None:
    assert str(asking(name, {"a": "alice"}).error) == "the host answers 503. (wait)"
