"""Count what a run meets: every material once, under the word for what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archiver.coverage import Coverage, Standing
from archiver.errors import GoneError
from archiver.ledger import Key, Problem, Record, State
from archiver.model import Material
from archiver.plan import RETURNED, Change, Plan
from archiver.pointers import is_handed
from archiver.report import CoverageReport, ItemProblem, Lack, Report
from archiver.work import Outcome


def count_plan(report: Report, planned: Plan, known: Mapping[Key, Record]) -> None:
    """Count what needs no fetch and what a limit leaves out, and name what upstream does not give."""
    report.remaining += len(planned.left)
    changed = {change.key: _word(change) for change in planned.changes}
    for found in planned.obstacles:
        assert found.problem is not None
        changed[found.key] = found.problem.reason
        report.problems.append(
            _item_problem(found.source, found.material, found.problem, known.get(found.key))
        )
    for found in planned.same:
        changed.setdefault(found.key, "same")
    for key, what in changed.items():
        report.count(key[0], key[1], what)


def count_work(report: Report, planned: Plan, known: Mapping[Key, Record]) -> None:
    """Count what would be fetched, for a dry run; `bytes` adds up the sizes that are known."""
    for work in planned.work:
        before = known.get(work.found.key)
        report.count(*work.found.key[:2], "changed" if before and before.files else "new")
        report.bytes += work.found.material.size or 0


def count_new(report: Report, listed: Iterable[str]) -> None:
    """Say of each source that was listed in this run how much of that was new."""
    for name in report.sources.keys() & set(listed):
        new = sum(sources.get(name, {}).get("new", 0) for sources in report.counts.values())
        report.sources[name].new = new


def note_known(report: Report, before: Mapping[str, Any]) -> None:
    """Mark trouble that the run before met already, so that an outage is news once.

    A host that is down shows in one run by what is fetched from it, in the next by its listing, or the other
    way round. So a listing is no news when the run before could not list the source either, or met the first
    such failure of one of its items; and an item is none when its source could not be listed then. The
    reason has to be the same. What failed before that, and for ever, excuses no listing.
    """
    unlisted, fresh = _told_of_sources(before), _fresh_of_items(before)
    for name, source in report.sources.items():
        source.known = bool(source.error) and (name, source.error_reason) in unlisted | fresh
    for item in report.problems:
        item.known = item.known or (item.source, item.reason) in unlisted


def _told_of_sources(before: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Give the sources that a run could not list, each with the reason."""
    told = before.get("sources")
    return {
        (name, str(each.get("error_reason")))
        for name, each in (told.items() if isinstance(told, Mapping) else ())
        if isinstance(each, Mapping) and each.get("error")
    }


def _fresh_of_items(before: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Give the sources, with the reasons, of items that a run was the first to have trouble with."""
    told = before.get("problems")
    return {
        (str(each.get("source")), str(each.get("reason")))
        for each in (told if isinstance(told, list) else ())
        if isinstance(each, Mapping) and each.get("known") is False and not _is_old_link(each)
    }


def _is_old_link(told: Mapping[str, Any]) -> bool:
    """Say whether a report of long ago led to it and it is gone: that makes no night a failure."""
    return told.get("linked") is True and told.get("reason") == GoneError.reason


def count_coverage(report: Report, found: Coverage) -> None:
    """Note how much of what is expected is held, and what is not."""
    have, wanted = found.tally()
    fine = {Standing.HAVE, Standing.WAIVED}
    lacking = []
    for event in found.events:
        by_talks = {kind for talk in event.talks for kind in talk.talk.expect}
        places = [(talk.talk.id, kind, talk.kinds[kind]) for talk in event.talks for kind in talk.talk.expect]
        whole = [
            ("", kind, cell) for kind, cell in event.kinds.items() if cell.expected and kind not in by_talks
        ]
        lacking += [
            Lack(event.event.id, talk, kind.value, cell.state.value)
            for talk, kind, cell in dict.fromkeys([*whole, *places])
            if cell.state not in fine
        ]
    report.coverage = CoverageReport(have, wanted, lacking)


def count_outcome(
    report: Report, outcome: Outcome, before: Record | None, after: Record | None, *, resumed: bool = False
) -> str:
    """Count what became of a task; return the word for it. `after` is None when nothing changed."""
    task, problem = outcome.task, outcome.problem
    what = _became(problem, before, after, resumed=resumed)
    report.count(task.material.event, task.source, what)
    if problem is not None and what == problem.reason:
        report.problems.append(_item_problem(task.source, outcome.material, problem, before))
    elif problem is None and what != "same":
        report.files += len(outcome.files)
        report.bytes += outcome.size
    return what


def _became(problem: Problem | None, before: Record | None, after: Record | None, *, resumed: bool) -> str:
    held = before is not None and bool(before.files)
    if problem is not None and held and problem.reason == GoneError.reason:
        return "withdrawn" if after is not None else "same"
    if problem is not None:
        return problem.reason
    if after is None:
        return "same"
    return "resumed" if resumed else "changed" if held else "new"


def _word(change: Change) -> str:
    if change.state is State.WITHDRAWN:
        return "withdrawn"
    if change.reason == RETURNED:
        return "returned"
    return change.problem.reason if change.problem and not change.reason else "out-of-scope"


def _item_problem(source: str, material: Material, problem: Problem, before: Record | None) -> ItemProblem:
    known = before is not None and before.problem is not None
    return ItemProblem(
        material.event,
        source,
        material.id,
        material.title,
        problem.reason,
        problem.detail,
        known,
        is_handed(material),
    )
