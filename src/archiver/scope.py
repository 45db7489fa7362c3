"""Compare a listing with the one before: only equal scopes say something about each other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from archiver.contracts import Options, ScopeEntry
from archiver.discover import Listing
from archiver.plan import Standing
from archiver.report import SourceReport

#: Options of a source that say how to reach it, not what is there; and how the names of others end.
_WAYS = frozenset({"mirrors", "timeout"})
_WAY = "base_url"


def fingerprints(entries: Iterable[ScopeEntry[Any]], options: Options) -> dict[str, str]:
    """Give, for each event, a short digest of the options of its entries and of the source.

    Secrets do not enter it (pydantic writes stars for them), nor does the way there: `base_url`, `mirrors`,
    `timeout`.
    """
    shared = _plain(options, [name for name in type(options).model_fields if _is_way(name)])
    by_event: dict[str, list[str]] = {}
    for entry in entries:
        by_event.setdefault(entry.event.id, []).append(_plain(entry.options))
    return {
        event: hashlib.sha256(json.dumps([shared, *sorted(own)]).encode()).hexdigest()[:16]
        for event, own in by_event.items()
    }


def _is_way(name: str) -> bool:
    return name in _WAYS or name.endswith(_WAY)


def _plain(options: Options, without: Iterable[str] = ()) -> str:
    data = options.model_dump(mode="json", exclude=set(without))
    return json.dumps(data, sort_keys=True, ensure_ascii=True)


def cursor(before: SourceReport | None, scopes: Mapping[str, str]) -> str:
    """Give the cursor to go on from; none when the scope is not the one it was made for."""
    return before.cursor if before is not None and before.scopes == scopes else ""


def rescoped(before: SourceReport | None, scopes: Mapping[str, str]) -> frozenset[str]:
    """Name the events whose entries changed since the last complete listing: absence says nothing there.

    When there is one, "" is among them: what no event has yet may have come from any entry.
    """
    if before is None:
        return frozenset()
    events = before.settled.keys() | scopes.keys()
    changed = {event for event in events if before.settled.get(event) != scopes.get(event)}
    return frozenset(changed | {""} if changed else ())


def alarm(before: SourceReport | None, scopes: Mapping[str, str], alive: int) -> str:
    """Say what is wrong with a complete listing of less than half of what there was; "" when nothing is.

    Entries may have come since (a tour gets a new stop each month), but none may have gone or changed.
    """
    if before is None or 2 * alive >= before.baseline:
        return ""
    if any(scopes.get(event) != mark for event, mark in before.settled.items()):
        return ""
    return (
        f"it lists {alive} now and listed {before.baseline} the last time. Nothing that is stored was "
        "changed. If this is right, run once with --accept-shrink"
    )


def _is_cut(listing: Listing, known: SourceReport) -> bool:
    """Say whether a listing ended before its end. One that goes on from a cursor is never called complete."""
    told = listing.checkpoint
    return not listing.complete and not (told and told.cursor and known.cursor)


def judge(
    listing: Listing,
    before: SourceReport | None,
    scopes: Mapping[str, str],
    *,
    at: str,
    partial: bool,
    accept: bool,
) -> tuple[Standing, SourceReport]:
    """Say how far a listing is believed, and what the next run must know of it.

    `at` is the time of the listing. `partial` says that the user asked for a part only; then nothing the
    next run goes by may change.
    """
    known = replace(before or SourceReport(), at=at, listed=listing.size, new=0, complete=False)
    if listing.error is not None:
        return Standing.DOUBTFUL, replace(known, error=str(listing.error), error_reason=listing.error.reason)
    if partial or listing.checkpoint is None:
        return Standing.PARTIAL, replace(known, cut=partial and _is_cut(listing, known))
    now = replace(known, cursor=listing.checkpoint.cursor, scopes=dict(scopes))
    increment = bool(listing.checkpoint.cursor or known.cursor)
    if not listing.complete and increment:
        # Only what changed: the baseline stays that of the last complete listing.
        return Standing.PARTIAL, now
    # A source that is not sure of having seen all is still asked whether it lost the most of it.
    warning = alarm(before, scopes, listing.alive)
    if warning and not accept:
        return Standing.DOUBTFUL, replace(known, alarm=warning)
    if not listing.complete:
        return Standing.PARTIAL, replace(now, baseline=listing.alive) if warning else now
    return Standing.COMPLETE, replace(now, complete=True, baseline=listing.alive, settled=dict(scopes))
