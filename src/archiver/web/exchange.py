"""One attempt at a URL: its turn at the host, the request, and redirects followed by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from archiver.errors import InvalidError, TransientError
from archiver.redact import redact
from archiver.web.guard import Guard
from archiver.web.headers import split_credentials, without_credentials
from archiver.web.limits import Budget, Clock, Limits, Patience, Politeness
from archiver.web.origins import Origin, origin_of
from archiver.web.transport import Body

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Fault(Exception):  # noqa: N818  # a state of an attempt, not an error that leaves this package
    """An attempt failed in a way that another one may not: `reason` completes "because …".

    `host` is the one that failed; `wait` the seconds it asked for; `unreachable` when it never answered.
    """

    def __init__(
        self, reason: str, host: str, *, wait: float | None = None, unreachable: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.host = host
        self.wait = wait
        self.unreachable = unreachable


@dataclass(frozen=True, slots=True)
class Call:
    """What a source asked for: a URL, its own header fields, and the statuses it takes as answers."""

    url: httpx.URL
    headers: Mapping[str, str]
    accept: frozenset[int]
    budget: Budget

    def __str__(self) -> str:
        return redact(str(self.url))


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, names in lower case, and its body still to be read."""

    url: httpx.URL
    status: int
    headers: Mapping[str, str]
    body: Body

    def __str__(self) -> str:
        return redact(str(self.url))

    @property
    def host(self) -> str:
        """The key under which turns at this host are given."""
        return host_of(origin_of(self.url))


def host_of(origin: Origin) -> str:
    """Name the machine whose patience a request uses."""
    return f"{origin.host}:{origin.port}"


class Exchanger:
    """Makes attempts. Thread-safe, as its parts are."""

    def __init__(
        self,
        transport: httpx.BaseTransport,
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
        while True:
            with self._hop(trail.url, {**trail.headers, **extra}, call.budget) as answer:
                if answer.status in call.accept or answer.status not in _REDIRECTS:
                    yield answer
                    return
            trail.follow(answer)

    @contextmanager
    def _hop(self, url: httpx.URL, headers: dict[str, str], budget: Budget) -> Iterator[Answer]:
        origin = origin_of(url)
        with self._turn(origin):
            begun = self._clock.monotonic()
            try:
                with self._request(url, headers, budget) as answer:
                    yield answer
            except httpx.TransportError as error:
                unreachable = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
                raise Fault(str(error), host_of(origin), unreachable=unreachable) from error
            finally:
                budget.left -= self._clock.monotonic() - begun

    @contextmanager
    def _turn(self, origin: Origin) -> Iterator[None]:
        limits, trusted, host = self._limits, self._guard.trusts(origin), host_of(origin)
        interval = limits.trusted_interval if trusted else limits.interval
        concurrency = limits.trusted_concurrency if trusted else limits.concurrency
        with self._politeness.turn(host, interval, concurrency, self._sleep):
            if self._politeness.is_unreachable(host):
                raise TransientError(
                    f"{host} could not be reached a moment ago, so nothing more was asked of it",
                    hint="Check the network and the address; the next run tries again.",
                )
            yield

    @contextmanager
    def _request(self, url: httpx.URL, headers: dict[str, str], budget: Budget) -> Iterator[Answer]:
        request = httpx.Request("GET", url, headers=headers, extensions={"patience": self._patience(budget)})
        response = self._transport.handle_request(request)
        try:
            assert isinstance(response.stream, Body)
            yield Answer(url, response.status_code, dict(response.headers.items()), response.stream)
        finally:
            response.stream.close()  # type: ignore[union-attr]  # a Body; see above

    def _patience(self, budget: Budget) -> Patience:
        limits = self._limits
        until = self._clock.monotonic() + budget.left
        return Patience(limits.connect_seconds, limits.read_seconds, until, limits.rate, limits.rate_seconds)


class _Trail:
    """The way from the URL that was asked for to the one that answers."""

    def __init__(self, call: Call, most: int) -> None:
        self.url = call.url
        self.headers = dict(call.headers)
        self._call = call
        self._most = most
        self._seen = {str(call.url)}

    def follow(self, answer: Answer) -> None:
        """Go on to where a redirect points. Raises `InvalidError` when that may not or need not be."""
        target = self._target(answer)
        if target.scheme == "http" and self.url.scheme == "https":
            raise self._error(f"it leads from https down to {redact(str(target))}, which is not encrypted")
        if str(target) in self._seen:
            raise self._error("it leads in a circle, as sites do that want a login or cookies")
        if len(self._seen) > self._most:
            raise self._error(f"it was redirected more than {self._most} times")
        if origin_of(target) != origin_of(self.url):
            # Once dropped they stay dropped: a stranger chose the rest of the way.
            self.headers = without_credentials(self.headers)
        self._seen.add(str(target))
        self.url = target

    def _target(self, answer: Answer) -> httpx.URL:
        try:
            target = answer.url.join(answer.headers["location"])
        except KeyError:
            raise self._error("it was redirected without being told where to") from None
        except (httpx.InvalidURL, ValueError):
            raise self._error("it was redirected to something that is not a web address") from None
        origin_of(target)
        # A password that the other side put into an address is not ours to send.
        return split_credentials(target)[0]

    def _error(self, why: str) -> InvalidError:
        return InvalidError(
            f"{self._call} could not be fetched: {why}",
            hint="Open it in a browser and put the address it ends at into the configuration.",
        )
