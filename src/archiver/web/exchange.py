"""One attempt at a URL: its turn at the host, the request, and redirects followed by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from archiver.errors import InvalidError, SourceError, TransientError
from archiver.redact import redact
from archiver.web.breaks import ConnectionFault, Unreachable
from archiver.web.guard import Guard
from archiver.web.head import joined
from archiver.web.headers import without_credentials
from archiver.web.limits import Budget, Clock, Limits, Patience, Politeness
from archiver.web.posting import without_body_fields
from archiver.web.refusal import wants_none
from archiver.web.transport import Body, Transport
from archiver.web.urls import Origin, Url

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Of these, the ones after which a POST stays one.
_REPEATING = frozenset({307, 308})


class Fault(Exception):  # noqa: N818  # a state of an attempt, not an error that leaves this package
    """An attempt failed in a way that another one may not: `reason` completes "because …".

    `host` is the one that failed; `wait` the seconds it asked for; `unreachable` when it never answered.
    `untouched` says that the request was certainly not acted upon: only then may a POST be sent again.
    """

    def __init__(
        self,
        reason: str,
        host: str,
        *,
        wait: float | None = None,
        unreachable: bool = False,
        untouched: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.host = host
        self.wait = wait
        self.unreachable = unreachable
        self.untouched = untouched or unreachable


@dataclass(frozen=True, slots=True)
class Call:
    """What a source asked for: a URL, its own header fields, and the statuses it takes as answers.

    With a `body`, even an empty one, it is a POST. Fields and body are in no `repr`: they may be secret.
    """

    url: Url
    headers: Mapping[str, str] = field(repr=False)
    accept: frozenset[int]
    budget: Budget
    body: bytes | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return redact(str(self.url))


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, names in lower case, and its body still to be read."""

    url: Url
    status: int
    headers: Mapping[str, str]
    body: Body

    def __str__(self) -> str:
        return redact(str(self.url))

    @property
    def host(self) -> str:
        """The key under which turns at this host are given."""
        return host_of(self.url.origin)


def host_of(origin: Origin) -> str:
    """Name the machine whose patience a request uses."""
    return f"{origin.host}:{origin.port}"


class Exchanger:
    """Makes attempts. Thread-safe, as its parts are."""

    def __init__(
        self,
        transport: Transport,
        guard: Guard,
        limits: Limits,
        politeness: Politeness,
        clock: Clock,
        sleep: Callable[[float], object],
    ) -> None:
        self._transport = transport
        self._guard = guard
        self._limits = limits
        self._politeness = politeness
        self._clock = clock
        self._sleep = sleep

    @contextmanager
    def open(self, call: Call, extra: Mapping[str, str]) -> Iterator[Answer]:
        """Request the URL with the call's own fields and `extra`, and give the final answer.

        Raises `Fault` when another attempt may help, also while the body is read inside the `with`;
        `InvalidError` on redirects that lead nowhere good; what the guard raises.
        """
        trail = _Trail(call, self._limits.redirects)
        try:
            while True:
                with self._hop(trail, extra, call.budget) as answer:
                    if answer.status in call.accept or answer.status not in _REDIRECTS:
                        yield answer
                        return
                trail.follow(answer)
        except Fault as fault:
            # What was posted before a 303 has been taken, whatever becomes of the page it leads to.
            fault.untouched = fault.untouched and trail.body == call.body
            raise

    @contextmanager
    def _hop(self, trail: _Trail, extra: Mapping[str, str], budget: Budget) -> Iterator[Answer]:
        origin = trail.url.origin
        host = host_of(origin)
        with self._turn(origin, host):
            if self._politeness.is_unreachable(host):
                raise _unreachable(host)
            begun = self._clock.monotonic()
            try:
                answer = self._request(trail, extra, budget)
                try:
                    yield answer
                finally:
                    answer.body.close()
            except ConnectionFault as error:
                unreachable = isinstance(error, Unreachable)
                raise Fault(str(error), host, unreachable=unreachable) from error
            finally:
                budget.left -= self._clock.monotonic() - begun

    def _turn(self, origin: Origin, host: str) -> AbstractContextManager[None]:
        limits, trusted = self._limits, self._guard.trusts(origin)
        interval = limits.trusted_interval if trusted else limits.interval
        concurrency = limits.trusted_concurrency if trusted else limits.concurrency
        if seconds := self._politeness.refused(host):
            raise wants_none(host, seconds)
        return self._politeness.turn(host, interval, concurrency, self._sleep)

    def _request(self, trail: _Trail, extra: Mapping[str, str], budget: Budget) -> Answer:
        method = "GET" if trail.body is None else "POST"
        headers = {**trail.headers, **extra}
        try:
            reply = self._transport.send(method, trail.url, headers, trail.body, self._patience(budget))
        except SourceError as error:
            # Who reads only of 169.254.169.254 looks for it in the configuration, where it is not.
            error.message = trail.told(error.message)
            raise
        return Answer(trail.url, reply.status, joined(reply.fields), reply.body)

    def _patience(self, budget: Budget) -> Patience:
        limits = self._limits
        until = self._clock.monotonic() + budget.left
        return limits.patience(until)


def _unreachable(host: str) -> TransientError:
    return TransientError(
        f"{host} could not be reached a moment ago, so nothing more was asked of it",
        hint="Check the network and the address; the next run tries again.",
    )


class _Trail:
    """The way from the URL that was asked for to the one that answers."""

    def __init__(self, call: Call, most: int) -> None:
        self.url = call.url
        self.headers = dict(call.headers)
        self.body = call.body
        self._call = call
        self._most = most
        self._seen = {(str(call.url), self.body is None)}

    def follow(self, answer: Answer) -> None:
        """Go on to where a redirect points. Raises `InvalidError` when that may not or need not be."""
        target = self._target(answer)
        if target.origin.scheme == "http" and self.url.origin.scheme == "https":
            raise self._error(f"it leads from https down to {redact(str(target))}, which is not encrypted")
        foreign = target.origin != self.url.origin
        self._mind_body(answer.status, foreign=foreign)
        step = (str(target), self.body is None)
        if step in self._seen:
            raise self._error("it leads in a circle, as sites do that want a login or cookies")
        if len(self._seen) > self._most:
            raise self._error(f"it was redirected more than {self._most} times")
        if foreign:
            # Once dropped they stay dropped: a stranger chose the rest of the way.
            self.headers = without_credentials(self.headers)
        self._seen.add(step)
        self.url = target

    def told(self, why: str) -> str:
        """Say where the redirect came from, when it was one that led to what is wrong."""
        if self.url == self._call.url:
            return why
        return f"{self._call} redirects to {redact(str(self.url))}: {why}"

    def _mind_body(self, status: int, *, foreign: bool) -> None:
        """Go on with a GET after 301, 302 and 303, as RFC 9110 (15.4) has it; else post again, here alone."""
        if self.body is None:
            return
        if status not in _REPEATING:
            self.body, self.headers = None, without_body_fields(self.headers)
        elif foreign:
            raise self._error("it wants what was posted to be sent to another host as well")

    def _target(self, answer: Answer) -> Url:
        # A password that the other side put into an address is not ours to send: it is left out.
        try:
            return answer.url.join(answer.headers["location"])
        except KeyError:
            raise self._error("it was redirected without being told where to") from None
        except InvalidError as error:  # "file:///etc/passwd"
            raise self._error(f"it was redirected, but {error.message}") from None
        except ValueError:
            raise self._error("it was redirected to something that is not a web address") from None

    def _error(self, why: str) -> InvalidError:
        return InvalidError(
            f"{self._call} could not be fetched: {why}",
            hint="Open it in a browser and put the address it ends at into the configuration.",
        )
