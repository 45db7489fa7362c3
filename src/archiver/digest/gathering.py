"""Make a digest from run reports and ledgers. Reads what it is given, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from archiver.config import Config
from archiver.coverage import Coverage
from archiver.digest.model import Digest, Figure, Item, Place, SinkTrouble, SourceTrouble, Trouble
from archiver.digest.reports import Reports
from archiver.digest.wording import LEFT_TO_DO, to_do
from archiver.ledger import Record, State
from archiver.model import Event
from archiver.plan import OUT_OF_SCOPE, RETURNED
from archiver.report import LEFT, ItemProblem, Report, SinkReport, SourceReport

_Table = Mapping[str, Any]


def gather(
    config: Config,
    reports: Reports,
    records: Iterable[Record],
    now: Coverage,
    *,
    run: str,
    since: str,
    exit_code: int | None = None,
) -> Digest:
    """Make the digest of all runs after `since` up to `run`. `now` is the coverage as the ledgers show it.

    Without an `exit_code` it is the one that the report holds.
    """
    runs = tuple(each for each in reports.ids if since < each <= run)
    report, earlier = reports.read(run), reports.read(since) if since else {}
    names = _Names(config.events)
    moved = _moved(records, frozenset(runs), names)
    before, after = _lacking(earlier), _lacking(report)
    held = {(event, talk, kind.value) for event, talk, kind in now.held()}
    return Digest(
        archive=config.archive.title,
        run=run,
        since=since,
        runs=runs,
        started=_text(reports.read(runs[0]) if runs else report, "started"),
        finished=_text(report, "finished"),
        exit_code=_exit_code(report) if exit_code is None else exit_code,
        interrupted=report.get("interrupted") is True,
        stopped=_text(report, "stopped"),
        remaining=_number(report, "remaining"),
        unlisted=tuple(name for name, each in _named(report.get("sources")) if each.get("cut") is True),
        new=tuple(moved["new"]),
        changed=tuple(moved["changed"]),
        returned=tuple(moved["returned"]),
        withdrawn=tuple(moved["withdrawn"]),
        problems=tuple(_problems(report, _new_ones(reports, runs), names)),
        sources=tuple(_sources(report)),
        sinks=tuple(_sinks(report)),
        coverage=_figure(report),
        before=_figure(earlier),
        arrived=tuple(names.place(*key, "have") for key in before if key not in after and key in held),
        lost=tuple(names.place(*key, state) for key, state in _lost(report, earlier, before, after)),
        missing=tuple(names.place(*key, state) for key, state in after.items()),
    )


def failure(config: Config, run: str, started: str, error: str, exit_code: int) -> Digest:
    """Make the digest of a run that could not begin: no sink could be used."""
    return Digest(config.archive.title, run, started=started, error=error, exit_code=exit_code)


class _Names:
    """The titles of events and talks, as far as the configuration still has them."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = {event.id: event for event in events}
        self._talks = {(event.id, talk.id): talk for event in events for talk in event.talks}

    def stop(self, event: str) -> str:
        """Give the title of an event."""
        found = self._events.get(event)
        return found.title if found is not None else event

    def place(self, event: str, talk: str, kind: str, state: str) -> Place:
        """Describe one expected thing."""
        found = self._talks.get((event, talk))
        title, speakers = (found.title, tuple(found.speakers)) if found else (talk, ())
        return Place(event, self.stop(event), talk, title, speakers, kind, state)

    def item(self, record: Record) -> Item:
        """Describe one material."""
        known = record.material
        title = known.title or known.id
        stop = self.stop(known.event)
        return Item(known.event, stop, record.source, known.id, known.kind.value, title, known.url)


def _moved(records: Iterable[Record], runs: frozenset[str], names: _Names) -> dict[str, list[Item]]:
    moved: dict[str, list[Item]] = {"new": [], "changed": [], "returned": [], "withdrawn": []}
    for record in sorted(records, key=lambda each: each.key):
        what = _became(record, runs)
        if what:
            moved[what].append(names.item(record))
    return moved


def _became(record: Record, runs: frozenset[str]) -> str:
    """Say in one word what these runs made of a material; "" when nothing that is worth telling."""
    steps = [step for step in record.history if step.run in runs]
    if not steps:
        return ""
    if steps[-1].state is State.WITHDRAWN:
        return "" if steps[-1].reason == OUT_OF_SCOPE else "withdrawn"
    reasons = [step.reason for step in steps if step.state is State.STORED]
    # The words of `archiver.record` for files that came.
    for reason, what in (("stored", "new"), ("updated", "changed"), (RETURNED, "returned")):
        if reason in reasons:
            return what
    return "changed" if "a lesser copy" in reasons else ""


def _problems(report: _Table, fresh: set[tuple[str, ...]], names: _Names) -> Iterator[Trouble]:
    for each in _tables(report.get("problems")):
        event, source, name, title, reason, detail = (
            _text(each, key) for key in ("event", "source", "id", "title", "reason", "detail")
        )
        known = (event, source, name, reason) not in fresh
        item = ItemProblem(event, source, name, title, reason, detail, known, each.get("linked") is True)
        stop = names.stop(event)
        yield Trouble(
            event, stop, source, name, title or name, reason, detail, to_do(reason), known, item.is_open
        )


def _new_ones(reports: Reports, runs: Iterable[str]) -> set[tuple[str, ...]]:
    """Name the problems that some run of these was the first to meet."""
    return {
        tuple(_text(each, key) for key in ("event", "source", "id", "reason"))
        for run in runs
        for each in _tables(reports.read(run).get("problems"))
        if each.get("known") is not True
    }


def _sources(report: _Table) -> Iterator[SourceTrouble]:
    for name, each in _named(report.get("sources")):
        error, reason, alarm = (_text(each, key) for key in ("error", "error_reason", "alarm"))
        if error or alarm:
            advice = "Look at the source; if it is right, run with --accept-shrink NAME once."
            told = advice if alarm else LEFT_TO_DO if reason == LEFT else to_do(reason or "failed")
            yield SourceTrouble(name, error, reason, alarm, told, known=each.get("known") is True)


def _sinks(report: _Table) -> Iterator[SinkTrouble]:
    for name, each in _named(report.get("sinks")):
        error, damage, note = (_text(each, key) for key in ("error", "damage", "note"))
        if error or damage or note:
            yield SinkTrouble(name, error, damage, note)


def _exit_code(report: _Table) -> int:
    """Say with which code a run ended. An older report does not: then by what it tells, as with `any`."""
    if isinstance(report.get("exit_code"), int):
        return _number(report, "exit_code")
    told = Report("", "", "", interrupted=report.get("interrupted") is True)
    told.sinks = {each.name: SinkReport(error=each.error, damage=each.damage) for each in _sinks(report)}
    told.sources = {each.name: SourceReport(error=each.error, alarm=each.alarm) for each in _sources(report)}
    for each in _tables(report.get("problems")):
        reason, linked = _text(each, "reason"), each.get("linked") is True
        told.problems.append(ItemProblem("", "", "", "", reason, "", linked=linked))
    return told.exit_code()


def _figure(report: _Table) -> Figure | None:
    told = report.get("coverage")
    return Figure(_number(told, "have"), _number(told, "wanted")) if isinstance(told, Mapping) else None


def _lacking(report: _Table) -> dict[tuple[str, str, str], str]:
    told = report.get("coverage")
    found = _tables(told.get("lacking")) if isinstance(told, Mapping) else ()
    return {(_text(x, "event"), _text(x, "talk"), _text(x, "kind")): _text(x, "state") for x in found}


def _lost(
    report: _Table, earlier: _Table, before: Mapping[Any, str], after: dict[tuple[str, str, str], str]
) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Name what lacks now and did not before. A programme that grew is told by its figure alone."""
    one, other = _figure(earlier), _figure(report)
    if one is None or other is None or other.wanted > one.wanted:
        return
    yield from ((key, state) for key, state in after.items() if key not in before)


def _tables(value: object) -> Iterator[_Table]:
    yield from (each for each in (value if isinstance(value, list) else ()) if isinstance(each, Mapping))


def _named(value: object) -> Iterator[tuple[str, _Table]]:
    for name, each in value.items() if isinstance(value, Mapping) else ():
        if isinstance(each, Mapping):
            yield str(name), each


def _text(data: object, key: str) -> str:
    value = data.get(key) if isinstance(data, Mapping) else None
    return value if isinstance(value, str) else ""


def _number(data: object, key: str) -> int:
    value = data.get(key) if isinstance(data, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
