"""Another attempt or not, and when."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from archiver.errors import TransientError
from archiver.web.exchange import Call, Fault
from archiver.web.limits import Clock, Limits, Politeness
from archiver.web.refusal import lasting, wants_none

_log = logging.getLogger("archiver.web")
_T = TypeVar("_T")


def _never() -> bool:
    return False


class Retrier:
    """Repeats attempts that ended in a `Fault`, with full jitter, as long as the limits allow."""

    def __init__(
        self, limits: Limits, politeness: Politeness, clock: Clock, sleep: Callable[[float], object]
    ) -> None:
        self._limits = limits
        self._politeness = politeness
        self._clock = clock
        self._sleep = sleep

    def run(self, call: Call, attempt: Callable[[], _T], *, progressed: Callable[[], bool] = _never) -> _T:
        """Run `attempt` until it succeeds. Raises `TransientError` when that does not happen.

        A host that wants no request for longer than a run waits (Retry-After) is a `BlockedError`.
        Attempts that `progressed` (a long download on a bad line) do not count against their number;
        the call's budget of time bounds them. A POST is repeated only when it was certainly not acted upon
        (RFC 9110, 9.2.2): twice posted may mean twice done.
        """
        failed = 0
        while True:
            try:
                return attempt()
            except Fault as fault:
                failed = 1 if progressed() else failed + 1
                self._wait(call, fault, failed)

    def _wait(self, call: Call, fault: Fault, failed: int) -> None:
        limits = self._limits
        if fault.wait is not None and fault.wait > limits.longest_wait:
            self._politeness.refuse(fault.host, fault.wait)
            raise wants_none(fault.host, fault.wait, fault.reason) from fault
        is_news = fault.wait is not None and self._politeness.pause(fault.host, fault.wait)
        repeatable = call.body is None or fault.untouched
        if failed >= limits.attempts or call.budget.left <= 0 or not repeatable:
            raise self._gave_up(call, fault, failed) from fault
        if is_news and fault.wait is not None and fault.wait >= limits.told_wait:
            # At once: who sees nothing happen for two minutes takes the program for dead.
            told = "%s wants no request for %s: %s. The run waits, and goes on then"
            _log.warning(told, fault.host, lasting(fault.wait), fault.reason)
        seconds = fault.wait or self._backoff(failed)
        _log.debug("%s: %s; attempt %d follows in %.1f s", call, fault.reason, failed + 1, seconds)
        self._sleep(seconds)

    def _backoff(self, failed: int) -> float:
        most = min(self._limits.longest_backoff, self._limits.backoff * 2.0 ** (failed - 1))
        return self._clock.random() * most

    def _gave_up(self, call: Call, fault: Fault, failed: int) -> TransientError:
        if fault.unreachable:
            self._politeness.mark_unreachable(fault.host, self._limits.unreachable)
        attempts = "one attempt" if failed == 1 else f"{failed} attempts"
        return TransientError(
            f"{call} could not be fetched from {fault.host} in {attempts}: {fault.reason}",
            hint="The next run tries again; if it stays so, open the address in a browser.",
            retry_after=fault.wait,
        )
