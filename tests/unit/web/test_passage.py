"""Single requests for libraries that speak HTTP themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from archiver.api import BlockedError, InvalidError, RawResponse, TransientError
from archiver.testing import Service
from archiver.testing.contract import Hourglass
from archiver.testing.messages import Reply, Request
from archiver.testing.service import Routes
from archiver.web import Limits, PoliteClient


class Echo(Service):
    turns: ClassVar[list[str]] = []

    def routes(self) -> Routes:
        return {
            "/echo": self.echo,
            "POST /echo": self.echo,
            "/away": self.away,
            "/busy": self.busy,
            "POST /busy": self.busy,
        }

    def echo(self, request: Request) -> Reply:
        return Reply(request.method.encode() + b" " + request.body, 418, headers={"X-Twice": "a"})

    def busy(self, request: Request) -> Reply:
        """Turn away with Retry-After as often as `turns` says."""
        del request
        if not self.turns:
            return Reply(b"at last")
        headers = {"Retry-After": self.turns.pop()} if self.turns[-1] else {}
        if not headers:
            self.turns.pop()
        return Reply(b"later", 429, headers=headers)

    def away(self, request: Request) -> Reply:
        del request
        return Reply.redirect("http://169.254.169.254/", 302)


@pytest.fixture
def service() -> Iterator[Echo]:
    with Echo() as service:
        yield service


@pytest.fixture
def client(service: Echo) -> Iterator[PoliteClient]:
    with PoliteClient(hosts_allowed=[service.url], limits=Limits(read_seconds=2)) as client:
        yield client


def body(answer: RawResponse) -> bytes:
    data, buffer = bytearray(), bytearray(7)
    try:
        while count := answer.readinto(buffer):
            data += buffer[:count]
    finally:
        answer.close()
        answer.close()  # twice is once
    return bytes(data)


def test_whatever_is_answered_comes_back(service: Echo, client: PoliteClient) -> None:
    answer = client.send("GET", f"{service.url}/echo", headers={"X-Ours": "1", "Host": "elsewhere"})
    assert (answer.status, body(answer)) == (418, b"GET ")
    assert ("x-twice", "a") in answer.headers
    (seen,) = service.requests
    assert seen.headers["x-ours"] == "1"
    assert seen.headers["host"] == service.url.removeprefix("http://")
    assert seen.headers["accept-encoding"] == "identity"


def test_a_body_is_sent_and_a_head_has_none(service: Echo, client: PoliteClient) -> None:
    assert body(client.send("POST", f"{service.url}/echo", body=b"words")) == b"POST words"
    assert body(client.send("HEAD", f"{service.url}/echo")) == b""


def test_a_redirect_is_an_answer_and_its_target_meets_the_guard(service: Echo, client: PoliteClient) -> None:
    answer = client.send("GET", f"{service.url}/away")
    answer.close()
    assert answer.status == 302
    with pytest.raises(BlockedError):
        client.send("GET", dict(answer.headers)["location"])


@pytest.fixture
def hourglass(service: Echo) -> Iterator[tuple[PoliteClient, Hourglass]]:
    glass = Hourglass()
    with PoliteClient(hosts_allowed=[service.url], clock=glass.clock()) as client:
        yield client, glass


def test_a_pause_that_is_asked_for_is_kept(service: Echo, hourglass: tuple[PoliteClient, Hourglass]) -> None:
    client, clock = hourglass
    service.turns[:] = ["9"]
    assert body(client.send("POST", f"{service.url}/busy", body=b"")) == b"at last"
    assert max(clock.waited) == 9
    service.turns[:] = [""]  # says nothing of a time: the library decides
    answer = client.send("GET", f"{service.url}/busy")
    assert (answer.status, body(answer)) == (429, b"later")


def test_who_asks_for_pauses_for_ever_is_left(
    service: Echo, hourglass: tuple[PoliteClient, Hourglass]
) -> None:
    client, clock = hourglass
    service.turns[:] = ["3"] * 50
    with pytest.raises(TransientError) as told:
        client.send("GET", f"{service.url}/busy")
    assert told.value.retry_after == 3
    assert 1 < len(clock.waited) < 20
    service.turns[:] = ["9000"]
    for _ in range(2):  # the second time it is not even asked
        with pytest.raises(BlockedError, match="2 hours"):
            client.send("GET", f"{service.url}/busy")
    assert service.turns == []


def test_connections_are_used_again(service: Echo, client: PoliteClient) -> None:
    for _ in range(3):
        body(client.send("GET", f"{service.url}/echo"))
    assert len(client._transport._pool._open) == 1


def test_faults_of_the_wire_are_transient(service: Echo, client: PoliteClient) -> None:
    service.serve("/film", bytes(1000))
    service.fault("/film", "truncate")
    with pytest.raises(TransientError):
        body(client.send("GET", f"{service.url}/film"))
    service.fault("/film", "reset")
    with pytest.raises(TransientError):
        client.send("GET", f"{service.url}/film?token=opensesame")
    service.fault("/film", "stall")
    with pytest.raises(TransientError):
        body(client.send("GET", f"{service.url}/film", seconds=0.1))


@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        ("GET", "file:///etc/passwd", {}),
        ("GET", "//no-scheme/", {}),
        ("GET\r\nX: 1", "http://example.org/", {}),
        ("GET", "http://example.org/", {"X": "a\r\nY: b"}),
        ("GET", "http://example.org/", {"X\r\nY": "a"}),
    ],
)
def test_nonsense_is_refused_before_it_is_sent(
    client: PoliteClient, method: str, url: str, headers: dict[str, str]
) -> None:
    with pytest.raises(InvalidError):
        client.send(method, url, headers=headers)


def test_progress_hears_of_every_byte(service: Echo) -> None:
    heard: list[int] = []
    service.serve("/film", bytes(1000))
    with PoliteClient(
        hosts_allowed=[service.url], progress=lambda done, total=None: heard.append(done)
    ) as client:
        body(client.send("GET", f"{service.url}/film"))
    assert sum(heard) == 1000
