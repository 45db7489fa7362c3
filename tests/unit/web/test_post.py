from __future__ import annotations

import logging
import socket
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import BlockedError, GoneError, InvalidError, SourceError, TransientError
from archiver.web import Limits, PoliteClient
from archiver.web.posting import encode_body

if TYPE_CHECKING:
    from unit.web.conftest import FaultOrigin, Request, Steps


def hang_up(request: Request) -> bool:
    del request
    return False


def methods(origin: FaultOrigin) -> list[str]:
    return [request.method for request in origin.requests]


def test_a_form_is_posted(origin: FaultOrigin, client: PoliteClient) -> None:
    url = origin.on("/token", origin.answer(body=b'{"a": 1}'))
    form = {"name": "云 & sky", "word": "a=b"}
    answer = client.post(url, form=form, headers={"Accept": "application/json"})
    assert answer.json() == {"a": 1}
    (request,) = origin.requests
    assert (request.method, request.target) == ("POST", "/token")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["accept"] == "application/json"
    assert dict(parse_qsl(request.body.decode())) == form


def test_json_is_posted(origin: FaultOrigin, client: PoliteClient) -> None:
    url = origin.on("/api", origin.answer())
    client.post(url, json={"title": "云"})
    client.post(url, json=[], headers={"Content-Type": "application/vnd.x+json"})
    client.post(url)
    assert [request.body for request in origin.requests] == [b'{"title":"\\u4e91"}', b"[]", b""]
    types = [request.headers.get("content-type") for request in origin.requests]
    assert types == ["application/json", "application/vnd.x+json", None]
    assert methods(origin) == ["POST"] * 3
    assert origin.requests[2].headers["content-length"] == "0"


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))))
def test_a_form_survives_the_wire(form: dict[str, str]) -> None:
    body, _ = encode_body(form, None)
    assert dict(parse_qsl(body.decode("ascii"), keep_blank_values=True)) == form


@pytest.mark.parametrize("data", [{"password-x": object()}, float("nan")])
def test_what_json_cannot_hold_is_told_without_repeating_it(client: PoliteClient, data: Any) -> None:
    with pytest.raises(InvalidError, match="JSON") as caught:
        client.post("http://127.0.0.1:1/", json=data)
    assert "password-x" not in str(caught.value)


def test_a_form_and_json_at_once_are_a_fault(client: PoliteClient) -> None:
    with pytest.raises(InvalidError, match="both"):
        client.post("http://127.0.0.1:1/", form={}, json={})


@pytest.mark.parametrize(("status", "kind"), [(401, BlockedError), (404, GoneError), (400, InvalidError)])
def test_a_final_status_has_its_error_unless_it_is_accepted(
    origin: FaultOrigin, client: PoliteClient, status: int, kind: type[SourceError]
) -> None:
    url = origin.on("/p", origin.answer(status, b"why"))
    with pytest.raises(kind):
        client.post(url, form={})
    assert client.post(url, form={}, accept=[status]).content == b"why"


def test_the_limit_holds(origin: FaultOrigin, client: PoliteClient) -> None:
    url = origin.on("/p", origin.answer(body=b"x" * 11))
    with pytest.raises(InvalidError, match="longer than"):
        client.post(url, json={}, max_bytes=10)


class TestOnce:
    """What was posted is not posted again unless nobody can have acted upon it."""

    @pytest.mark.parametrize("status", [429, 503])
    def test_turned_away_with_a_time_it_comes_back(
        self, origin: FaultOrigin, client: PoliteClient, steps: Steps, status: int
    ) -> None:
        url = origin.on("/p", origin.answer(status, Retry_After="7"), origin.answer(body=b"done"))
        assert client.post(url, form={"a": "b"}).content == b"done"
        assert [request.body for request in origin.requests] == [b"a=b"] * 2
        assert sum(steps.naps) >= 7

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
    def test_any_other_fault_may_have_come_too_late(
        self, origin: FaultOrigin, client: PoliteClient, status: int
    ) -> None:
        first = origin.answer(status) if status in {429, 503} else origin.answer(status, Retry_After="1")
        url = origin.on("/p", first, origin.answer(body=b"done"))
        with pytest.raises(TransientError, match="one attempt"):
            client.post(url, form={})
        assert len(origin.requests) == 1

    def test_an_answer_that_breaks_off(self, origin: FaultOrigin, client: PoliteClient) -> None:
        for script in (hang_up, origin.answer(body=b"12345", cut=2), origin.raw(b"nonsense\r\n\r\n")):
            origin.requests.clear()
            url = origin.on("/p", script, origin.answer(body=b"done"))
            with pytest.raises(TransientError):
                client.post(url, form={})
            assert methods(origin) == ["POST"]

    def test_no_connection_is_tried_again(self, steps: Steps) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            base = f"http://127.0.0.1:{free.getsockname()[1]}"
        client = PoliteClient(hosts_allowed=[base], clock=steps.clock(), limits=Limits(attempts=3))
        with client, pytest.raises(TransientError, match="3 attempts"):
            client.post(base, form={})

    def test_an_idle_connection_is_not_trusted_with_it(
        self, origin: FaultOrigin, client: PoliteClient
    ) -> None:
        get, post = origin.on("/g", origin.answer()), origin.on("/p", origin.answer())
        client.get(get)
        client.post(post)
        assert origin.connections == 2
        client.get(get)
        assert origin.connections == 2

    def test_what_follows_a_303_is_no_reason_to_post_again(
        self, origin: FaultOrigin, client: PoliteClient
    ) -> None:
        origin.on("/page", origin.answer(503, Retry_After="1"), origin.answer(body=b"done"))
        url = origin.on("/p", origin.answer(303, Location="/page"))
        with pytest.raises(TransientError):
            client.post(url, form={})
        assert methods(origin) == ["POST", "GET"]


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303])
    def test_the_answer_comes_by_a_get(
        self, origin: FaultOrigin, stranger: FaultOrigin, steps: Steps, status: int
    ) -> None:
        stranger.on("/page", stranger.answer(body=b"done"))
        url = origin.on("/p", origin.answer(status, Location=f"{stranger.base}/page"))
        with PoliteClient(hosts_allowed=[origin.base, stranger.base], clock=steps.clock()) as client:
            assert client.post(url, json={"a": 1}, headers={"Authorization": "x"}).content == b"done"
        (request,) = stranger.requests
        assert (request.method, request.body) == ("GET", b"")
        assert not {"content-type", "content-length", "authorization"} & set(request.headers)

    @pytest.mark.parametrize("status", [307, 308])
    def test_it_is_posted_again_at_the_same_origin(
        self, origin: FaultOrigin, client: PoliteClient, status: int
    ) -> None:
        origin.on("/new", origin.answer(body=b"done"))
        url = origin.on("/p", origin.answer(status, Location="/new"))
        assert client.post(url, form={"a": "b"}).content == b"done"
        assert [(each.method, each.body) for each in origin.requests] == [("POST", b"a=b")] * 2

    @pytest.mark.parametrize("status", [307, 308])
    def test_no_other_origin_gets_it(
        self, origin: FaultOrigin, stranger: FaultOrigin, steps: Steps, status: int
    ) -> None:
        url = origin.on("/p", origin.answer(status, Location=f"{stranger.base}/"))
        client = PoliteClient(hosts_allowed=[origin.base, stranger.base], clock=steps.clock())
        with client, pytest.raises(InvalidError, match="another host"):
            client.post(url, form={"secret": "x"})
        assert stranger.requests == []

    def test_the_page_that_was_posted_to_may_be_the_answer(
        self, origin: FaultOrigin, client: PoliteClient
    ) -> None:
        url = origin.on("/p", origin.answer(303, Location="/p"), origin.answer(body=b"done"))
        assert client.post(url, form={}).content == b"done"
        assert methods(origin) == ["POST", "GET"]

    def test_circles_end(self, origin: FaultOrigin, client: PoliteClient) -> None:
        url = origin.on("/p", origin.answer(307, Location="/p"))
        with pytest.raises(InvalidError, match="circle"):
            client.post(url, form={})


@pytest.mark.parametrize("takes", [0, 4096], ids=["nothing", "a little at a time"])
def test_who_does_not_take_what_is_posted_ends_the_call_in_time(takes: int) -> None:
    over = threading.Event()

    def serve() -> None:
        taken, _ = listener.accept()
        with taken:
            while not over.wait(0.01):
                if takes:
                    taken.recv(takes)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/form"
        server = threading.Thread(target=serve)
        server.start()
        limits = Limits(read_seconds=0.5, page_seconds=1.5, attempts=1)
        begun = time.monotonic()
        try:
            with PoliteClient(hosts_allowed=[url], limits=limits) as client, pytest.raises(TransientError):
                client.post(url, json={"data": "x" * (30 << 20)})
        finally:
            over.set()
            server.join(10)
    assert time.monotonic() - begun < 20


def test_what_is_posted_is_in_no_message_and_no_log(
    origin: FaultOrigin, client: PoliteClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "very-secret-value"
    for script in (origin.answer(503, Retry_After="1"), origin.answer(401), origin.answer(302), hang_up):
        url = origin.on("/p", script)
        for options in ({"form": {"refresh_token": secret}}, {"json": {"refresh_token": secret}}):
            with pytest.raises(SourceError) as caught:
                client.post(url, **options)  # type: ignore[arg-type]  # one of two
            trail: BaseException | None = caught.value
            while trail is not None:
                assert secret not in repr(trail)
                trail = trail.__cause__ or trail.__context__
    assert secret not in caplog.text
