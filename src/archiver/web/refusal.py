"""What is said of a host that wants to be left alone for a while (Retry-After, RFC 9110, 10.2.3)."""

from __future__ import annotations

from archiver.errors import BlockedError


def lasting(seconds: float) -> str:
    """Write a time as people say it: "90 seconds", "2 hours"."""
    for unit, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{round(seconds / unit)} {name}"
    return "1 second" if round(seconds) == 1 else f"{round(seconds)} seconds"


def wants_none(host: str, seconds: float, reason: str = "it said so a moment ago") -> BlockedError:
    """Tell that a host wants no request for longer than a run waits."""
    return BlockedError(
        f"{host} wants no request for {lasting(seconds)}: {reason}",
        hint="Its limit is used up: run again after that time, and ask for less at once (fewer entries, "
        "another API key) if it happens often.",
    )
