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
    """Count what needs no fetch, and name what upstream does not give."""
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
    """Mark the sources that the run before could not list either, for the same reason."""
    earlier = before.get("sources")
    for name, source in report.sources.items():
        told = earlier.get(name) if isinstance(earlier, Mapping) else None
        if source.error and isinstance(told, Mapping):
            source.known = bool(told.get("error")) and told.get("error_reason") == source.error_reason


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
