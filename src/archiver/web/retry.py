"""Another attempt or not, and when."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from archiver.errors import TransientError
from archiver.web.exchange import Call, Fault
from archiver.web.limits import Clock, Limits, Politeness

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
        if fault.wait is not None:
            self._politeness.pause(fault.host, min(fault.wait, limits.longest_wait))
        repeatable = call.body is None or fault.untouched
        spent = failed >= limits.attempts or call.budget.left <= 0
        if spent or not repeatable or (fault.wait or 0.0) > limits.longest_wait:
            raise self._gave_up(call, fault, failed) from fault
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
