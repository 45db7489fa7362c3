"""Compare a listing with the one before: only equal scopes say something about each other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from archiver.contracts import ScopeEntry
from archiver.discover import Listing
from archiver.report import SourceReport


def fingerprints(entries: Iterable[ScopeEntry[Any]]) -> dict[str, str]:
    """Give, for each event, a short digest of the options of its entries; secrets do not enter it."""
    by_event: dict[str, list[str]] = {}
    for entry in entries:
        options = json.dumps(entry.options.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        by_event.setdefault(entry.event.id, []).append(options)
    return {
        event: hashlib.sha256(json.dumps(sorted(options)).encode()).hexdigest()[:16]
        for event, options in by_event.items()
    }


def cursor(before: SourceReport | None, scopes: Mapping[str, str]) -> str:
    """Give the cursor to go on from; none when the scope is not the one it was made for."""
    return before.cursor if before is not None and before.scopes == scopes else ""


def rescoped(before: SourceReport | None, scopes: Mapping[str, str]) -> frozenset[str]:
    """Name the events whose entries changed since the earlier run: there, absence says nothing."""
    if before is None:
        return frozenset()
    events = before.scopes.keys() | scopes.keys()
    return frozenset(event for event in events if before.scopes.get(event) != scopes.get(event))


def alarm(before: SourceReport | None, scopes: Mapping[str, str], listed: int, *, complete: bool) -> str:
    """Say what is wrong with a complete listing of less than half of what there was; "" when nothing is."""
    comparable = before is not None and before.scopes == scopes and before.complete
    if not comparable or not complete or before is None or 2 * listed >= before.listed:
        return ""
    return (
        f"only {listed} listed, {before.listed} the last time: nothing was marked as withdrawn. "
        "If this is right, run once with --accept-shrink"
    )


def judge(
    listing: Listing, before: SourceReport | None, scopes: Mapping[str, str], *, partial: bool, accept: bool
) -> tuple[bool, SourceReport]:
    """Say whether absence from a listing means something, and what the next run must know of it.

    `partial` says that the user asked for a part only; then nothing the next run goes by may change.
    """
    known = replace(before or SourceReport(), error="", error_reason="", alarm="")
    if listing.error is not None:
        return False, replace(known, error=str(listing.error), error_reason=listing.error.reason)
    if partial or listing.checkpoint is None:
        return False, known
    warning = alarm(before, scopes, len(listing.found), complete=listing.complete)
    if warning and not accept:
        return False, replace(known, alarm=warning)
    same_scope = before is not None and before.scopes == scopes
    now = SourceReport(len(listing.found), listing.complete, listing.checkpoint.cursor, dict(scopes))
    if not listing.complete and same_scope:
        # An incremental listing is short by nature: keep what the last full one said.
        now = replace(now, listed=known.listed, complete=known.complete)
    return listing.complete, now
