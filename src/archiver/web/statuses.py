"""What a status says about the item that was asked for (RFC 9110, 15)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from archiver.errors import BlockedError, GoneError, InvalidError, TransientError
from archiver.web.exchange import Answer, Fault
from archiver.web.fields import retry_after

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
#: With a Retry-After these say that the request was turned away; without one nobody knows.
_REFUSED = frozenset({429, 503})
_BLOCKED = {
    401: "Check the credentials of this source in the configuration.",
    403: "Log in where the source offers it, or check that the item is public and the key is valid.",
    407: "This program does not use proxies; ask for direct access.",
    451: "It may not be shown for legal reasons; add the file by hand if you have it.",
}
_GONE = frozenset({404, 410})


def check_status(answer: Answer, accept: frozenset[int], now: float) -> None:
    """Pass 2xx and the accepted statuses; raise for others. `now` is in seconds since 1970.

    Raises `Fault` where another attempt may help, else `BlockedError`, `GoneError`, `TransientError`
    or `InvalidError`.
    """
    status = answer.status
    if 200 <= status < 300 or status in accept:
        return
    said = f"answered {_name(status)}"
    if status in _BUSY:
        wait = retry_after(answer.headers.get("retry-after", ""), now)
        refused = turned_away(status, answer.headers, now) is not None
        raise Fault(f"it {said}", answer.host, wait=wait, untouched=refused)
    if status in _BLOCKED:
        raise BlockedError(f"{answer} {said}", hint=_BLOCKED[status])
    if status in _GONE:
        raise GoneError(f"{answer} {said}", hint="Correct the address, or waive the item if it is lost.")
    if status >= 500:
        raise TransientError(f"{answer} {said}", hint="The next run tries again.")
    raise InvalidError(f"{answer} {said}", hint="Open the address in a browser to see what it wants.")


def turned_away(status: int, headers: Mapping[str, str], now: float) -> float | None:
    """Give the seconds after which a request that was certainly not acted upon may come again, or None."""
    return retry_after(headers.get("retry-after", ""), now) if status in _REFUSED else None


def _name(status: int) -> str:
    """Write a status with its standard name; what the server wrote beside it is not repeated."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
