"""Which listings can be compared with each other."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from archiver.contracts import Options, ScopeEntry
from archiver.discover import Listing
from archiver.errors import BlockedError, GoneError
from archiver.ledger import Problem
from archiver.model import Checkpoint, Event, Kind, Material
from archiver.plan import Standing
from archiver.report import SourceReport
from archiver.route import Found
from archiver.scope import alarm, cursor, fingerprints, judge, rescoped


class Place(Options):
    path: str = ""
    base_url: str = ""
    mirrors: dict[str, str] = {}  # noqa: RUF012  # a pydantic default, copied for each
    timeout: float = 60.0
    password: SecretStr = SecretStr("")


def entry(event: str, path: str) -> ScopeEntry[Any]:
    return ScopeEntry(Event(event, event), Place(path=path))


def test_a_fingerprint_knows_the_options_but_no_secret_order_or_mirror() -> None:
    entries = [entry("a", "x"), entry("a", "y"), entry("b", "z")]
    before = fingerprints(entries, Place(password=SecretStr("old")))
    assert set(before) == {"a", "b"}
    assert fingerprints(entries[::-1], Place(base_url="http://mirror", password=SecretStr("new"))) == before
    way = Place(mirrors={"a.example": "http://b"}, timeout=5, password=SecretStr("old"))
    assert fingerprints(entries, way) == before
    assert fingerprints(entries, Place(path="elsewhere", password=SecretStr("old"))) != before
    changed = fingerprints([entry("a", "x"), entry("b", "z")], Place(password=SecretStr("old")))
    assert (changed["a"] == before["a"], changed["b"] == before["b"]) == (False, True)


def test_a_cursor_belongs_to_its_scope() -> None:
    before = SourceReport(cursor="c", scopes={"a": "1"})
    assert cursor(before, {"a": "1"}) == "c"
    assert cursor(before, {"a": "2"}) == cursor(before, {"a": "1", "b": "1"}) == cursor(None, {}) == ""


def test_rescoped_events() -> None:
    before = SourceReport(settled={"a": "1", "b": "1"})
    assert rescoped(before, {"a": "1", "b": "1"}) == frozenset()
    assert rescoped(before, {"a": "2", "c": "1"}) == {"a", "b", "c", ""}
    assert rescoped(None, {"a": "1"}) == frozenset()


def test_alarm() -> None:
    before = SourceReport(baseline=5, settled={"a": "1"})
    assert "2 now and listed 5" in alarm(before, {"a": "1"}, 2)
    assert alarm(before, {"a": "1", "b": "1"}, 2)
    assert not alarm(before, {"a": "1"}, 3)
    assert not alarm(before, {"a": "2"}, 0)
    assert not alarm(before, {}, 0)
    assert not alarm(None, {"a": "1"}, 0)
    assert not alarm(SourceReport(), {"a": "1"}, 0)


def listing(number: int, *, complete: bool = True, gone: int = 0, **more: Any) -> Listing:
    problems = [Problem("gone") if n < gone else None for n in range(number)]
    items = [Found("s", "t", Material(f"{n}", Kind.OTHER), "", problem) for n, problem in enumerate(problems)]
    return Listing("s", items, **{"checkpoint": Checkpoint("new", complete), **more})


AT = "2012-09-16T10:00:00Z"
BEFORE = SourceReport(10, True, "old", {"a": "1"}, {"a": "1"}, 10)


def judged(given: Listing, *, partial: bool = False, accept: bool = False, scopes: Any = None) -> Any:
    return judge(given, BEFORE, scopes or {"a": "1"}, at=AT, partial=partial, accept=accept)


def test_judging_a_complete_listing() -> None:
    standing, now = judged(listing(6, gone=1))
    assert standing is Standing.COMPLETE
    assert now == SourceReport(6, True, "new", {"a": "1"}, {"a": "1"}, 5, at=AT)


def test_judging_a_listing_of_what_changed() -> None:
    standing, now = judged(listing(1, complete=False), scopes={"a": "2"})
    assert standing is Standing.PARTIAL
    assert (now.cursor, now.scopes, now.settled, now.baseline) == ("new", {"a": "2"}, {"a": "1"}, 10)


def test_judging_a_part_a_failure_and_a_shrinking() -> None:
    for standing, now in (
        judged(listing(1), partial=True),
        judged(listing(1, checkpoint=None)),
        judged(listing(1, error=BlockedError("login", hint="renew the token"))),
        judged(listing(9, gone=6)),
    ):
        assert standing in {Standing.PARTIAL, Standing.DOUBTFUL}
        assert (now.cursor, now.scopes, now.settled, now.baseline) == ("old", {"a": "1"}, {"a": "1"}, 10)
    assert judged(listing(1, error=GoneError("410")))[1].error_reason == "gone"
    assert judged(listing(3))[1].alarm
    standing, now = judged(listing(3), accept=True)
    assert (standing, now.baseline, now.alarm) == (Standing.COMPLETE, 3, "")
