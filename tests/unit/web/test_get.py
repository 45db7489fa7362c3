from __future__ import annotations

import gzip
import logging
import socket
import ssl
import threading
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archiver.errors import BlockedError, GoneError, InvalidError, SourceError, TransientError
from archiver.web import Guard, Limits, PoliteClient
from archiver.web.refusal import lasting

if TYPE_CHECKING:
    from unit.web.conftest import FaultOrigin, Request, Steps


def test_a_page_arrives_with_its_head(origin: FaultOrigin, client: PoliteClient) -> None:
    url = origin.on("/p", origin.answer(body="演讲".encode(), Content_Type="text/html; charset=utf-8"))
    page = client.get(url, params={"q": "云", "page": "2"}, headers={"Accept": "text/html"})
    assert (page.status, page.text, page.headers["content-type"]) == (200, "演讲", "text/html; charset=utf-8")
    assert origin.requests[0].target == "/p?q=%E4%BA%91&page=2"
    sent = origin.requests[0].headers
    assert sent["accept"] == "text/html"
    assert sent["user-agent"].startswith("event-archiver/")
    assert sent["host"] == f"127.0.0.1:{origin.port}"


def test_a_connection_serves_many_pages(origin: FaultOrigin, client: PoliteClient) -> None:
    url = origin.on("/p", origin.answer(body=b"x" * 100_000))
    assert all(len(client.get(url).content) == 100_000 for _ in range(5))
    assert origin.connections == 1


def test_a_stale_connection_is_replaced_without_counting(origin: FaultOrigin) -> None:
    def hang_up(request: Request) -> bool:
        return False

    url = origin.on("/p", origin.answer(body=b"1"), hang_up, origin.answer(body=b"2"))
    with PoliteClient(hosts_allowed=[origin.base], limits=Limits(attempts=1)) as client:
        assert [client.get(url).content, client.get(url).content] == [b"1", b"2"]


def test_left_over_bytes_are_not_the_next_answer(origin: FaultOrigin, client: PoliteClient) -> None:
    smuggled = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    first = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood" + smuggled
    url = origin.on("/p", origin.raw(first, keep=True), origin.answer(body=b"next"))
    assert [client.get(url).content for _ in range(2)] == [b"next", b"next"]


#: So much is sent in one piece, whose end cannot come later than its beginning.
_AT_ONCE = 40_000


@pytest.mark.parametrize("size", [40, 20_000, _AT_ONCE, 3_000_000])
@pytest.mark.parametrize("closing", [b"Connection: close\r\n", b""])
def test_a_page_of_which_more_comes_than_was_declared_is_no_whole_page(
    origin: FaultOrigin, client: PoliteClient, size: int, closing: bytes
) -> None:
    head = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (closing, size // 2)
    wrong = origin.raw(head + b"x" * size, keep=not closing)
    url = origin.on("/p", wrong, origin.answer(body=b"x" * size))
    found = len(client.get(url).content)
    # On a connection that goes on, what comes late is not waited for: it only ends the connection.
    assert found == size or (size > _AT_ONCE and not closing and found == size // 2)
    assert len(client.get(url).content) == size


@pytest.mark.parametrize("size", [4, 20_000])
@pytest.mark.parametrize("closing", [b"Connection: close\r\n", b""])
def test_an_empty_line_behind_a_page_is_nothing(
    origin: FaultOrigin, client: PoliteClient, size: int, closing: bytes
) -> None:
    raw = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (closing, size)
    url = origin.on("/p", origin.raw(raw + b"x" * size + b"\r\n", keep=not closing))
    assert [client.get(url).content for _ in range(2)] == [b"x" * size] * 2
    assert len(origin.requests) == 2


def test_interim_answers_are_skipped(origin: FaultOrigin, client: PoliteClient) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 2
    url = origin.on("/p", origin.raw(hints + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    assert client.get(url).content == b"ok"


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"nonsense\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 " + b"OK" * 40_000 + b"\r\n\r\n", "begins with too long a line"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "more than 100 fields"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "a line of more than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc", "coding that was not asked for"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", "no clear length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\nabcdefghij", "no clear length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc", "no clear length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nabc", "more came than was declared"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "ended after 3 of 10 bytes"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50, "more than 7 interim answers"),
        (b"", "closed without an answer"),
    ],
)
def test_broken_answers_are_tried_again_and_then_transient(
    origin: FaultOrigin, client: PoliteClient, head: bytes, why: str
) -> None:
    url = origin.on("/p", origin.raw(head), origin.answer(body=b"whole"))
    assert client.get(url).content == b"whole"
    origin.on("/p", origin.raw(head))
    with pytest.raises(TransientError, match=f"in 5 attempts: .*{why}"):
        client.get(url)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, BlockedError), (403, BlockedError), (407, BlockedError), (451, BlockedError),
        (404, GoneError), (410, GoneError),
        (400, InvalidError), (405, InvalidError), (418, InvalidError), (304, InvalidError),
        (300, InvalidError),
        (501, TransientError), (599, TransientError),
    ],
)  # fmt: skip
def test_a_final_status_has_its_error(
    origin: FaultOrigin, client: PoliteClient, status: int, kind: type[SourceError]
) -> None:
    url = origin.on("/p", origin.answer(status))
    with pytest.raises(kind) as caught:
        client.get(url)
    assert type(caught.value) is kind
    assert f"{origin.base}/p answered {status}" in caught.value.message
    assert caught.value.hint
    assert len(origin.requests) == 1
    assert client.get(url, accept=[status]).status == status


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_busy_status_is_tried_again(
    origin: FaultOrigin, client: PoliteClient, steps: Steps, status: int
) -> None:
    url = origin.on("/p", origin.answer(status))
    with pytest.raises(TransientError, match=f"in 5 attempts: it answered {status}"):
        client.get(url)
    assert len(origin.requests) == 5
    assert steps.naps == [0.25, 0.5, 1.0, 2.0]  # half, by chance, of 0.5 s doubled each time


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("value", ["17", formatdate(1_800_000_017, usegmt=True)])
def test_retry_after_is_obeyed(
    origin: FaultOrigin, client: PoliteClient, steps: Steps, status: int, value: str
) -> None:
    url = origin.on("/p", origin.answer(status, Retry_After=value), origin.answer(body=b"ok"))
    assert client.get(url).content == b"ok"
    assert sum(steps.naps) == 17.0


def test_a_retry_after_that_nobody_waits_for_blocks(
    origin: FaultOrigin, client: PoliteClient, steps: Steps
) -> None:
    url = origin.on("/p", origin.answer(429, Retry_After="7200"))
    with pytest.raises(BlockedError, match=r"wants no request for 2 hours: it answered 429") as caught:
        client.get(url)
    assert "run again after that time" in caught.value.hint
    assert len(origin.requests) == 1
    assert steps.naps == []


def test_such_a_host_is_asked_for_nothing_else(
    origin: FaultOrigin, client: PoliteClient, steps: Steps
) -> None:
    origin.on("/busy", origin.answer(429, Retry_After="7200"))
    with pytest.raises(BlockedError):
        client.get(origin.base + "/busy")
    with pytest.raises(BlockedError, match="wants no request for 2 hours: it said so a moment ago"):
        client.get(origin.on("/other", origin.answer()))
    assert len(origin.requests) == 1
    assert steps.naps == []


@pytest.mark.parametrize(("seconds", "told"), [(90, "90 seconds"), (119, "119 seconds"), (4, "")])
def test_a_wait_is_told_at_once(
    origin: FaultOrigin,
    client: PoliteClient,
    steps: Steps,
    caplog: pytest.LogCaptureFixture,
    seconds: int,
    told: str,
) -> None:
    said: list[str] = []
    steps.before_nap = lambda: said.extend(caplog.messages)
    url = origin.on("/p", origin.answer(429, Retry_After=str(seconds)), origin.answer(body=b"ok"))
    with caplog.at_level("WARNING", "archiver.web"):
        assert client.get(url).content == b"ok"
    assert sum(steps.naps) == seconds
    assert bool(said) == bool(told)
    if told:
        assert f"wants no request for {told}: it answered 429 Too Many Requests" in said[0]
        assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("seconds", "told"), [(1.2, "1 second"), (119, "119 seconds"), (180, "3 minutes"), (400_000, "5 days")]
)
def test_times_are_told_as_people_say_them(seconds: float, told: str) -> None:
    assert lasting(seconds) == told


# Size and coding


def test_packed_pages_are_unpacked(origin: FaultOrigin, client: PoliteClient) -> None:
    text = b"slides " * 5000
    packed = gzip.compress(text[:7000]) + gzip.compress(text[7000:]) + b"\0" * 8
    url = origin.on("/p", origin.answer(body=packed, Content_Encoding="gzip"))
    assert client.get(url).content == text
    assert origin.requests[0].headers["accept-encoding"] == "gzip"


def test_a_bomb_is_refused(origin: FaultOrigin, client: PoliteClient) -> None:
    bomb = gzip.compress(b"\0" * (20 << 20))
    url = origin.on("/p", origin.answer(body=bomb, Content_Encoding="gzip"))
    with pytest.raises(InvalidError, match="200 times its size"):
        client.get(url)
    with pytest.raises(InvalidError, match="longer than the 100000 bytes"):
        client.get(url, max_bytes=100_000)


@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: b"\x1f\x8b\xff" + data[3:]])
def test_damaged_packing_is_tried_again(origin: FaultOrigin, client: PoliteClient, spoil: object) -> None:
    packed = gzip.compress(b"text" * 100)
    bad = origin.answer(body=spoil(packed), Content_Encoding="gzip")  # type: ignore[operator]  # a lambda
    url = origin.on("/p", bad, origin.answer(body=packed, Content_Encoding="gzip"))
    assert client.get(url).content == b"text" * 100
    assert len(origin.requests) == 2


def test_an_unknown_coding_is_refused(origin: FaultOrigin, client: PoliteClient) -> None:
    with pytest.raises(InvalidError, match="coding"):
        client.get(origin.on("/p", origin.answer(body=b"x", Content_Encoding="br")))


@pytest.mark.parametrize("padding", [b"\r\n", b"\n", b"\0" * 500])
def test_what_fills_up_behind_what_is_packed_is_passed_over(
    origin: FaultOrigin, client: PoliteClient, padding: bytes
) -> None:
    packed = gzip.compress(b"text" * 100) + padding
    url = origin.on("/p", origin.answer(body=packed, Content_Encoding="gzip"))
    assert client.get(url).content == b"text" * 100


@pytest.mark.parametrize("gap", [b"", b"\0" * 9, b"\0" * 70_000])
def test_nothing_else_follows_what_is_packed(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path, gap: bytes
) -> None:
    packed = gzip.compress(b"text" * 100) + gap + b"the rest of the file"
    url = origin.on("/p", origin.answer(body=packed, Content_Encoding="gzip"))
    for ask in (lambda: client.get(url), lambda: client.download(url, tmp_path / "f")):
        with pytest.raises(TransientError, match="goes on behind its end with something else"):
            ask()
    assert not list(tmp_path.iterdir())


def test_the_limit_holds_with_and_without_a_declared_length(
    origin: FaultOrigin, client: PoliteClient
) -> None:
    endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 1001
    for script in (origin.answer(body=b"x" * 1001), origin.raw(endless)):
        with pytest.raises(InvalidError, match="longer than the 1000 bytes"):
            client.get(origin.on("/p", script), max_bytes=1000)
    assert len(client.get(origin.on("/p", origin.answer(body=b"x" * 1000)), max_bytes=1000).content) == 1000


def test_a_wrong_digest_is_tried_again(origin: FaultOrigin, client: PoliteClient) -> None:
    wrong = origin.answer(body=b"abc", Content_MD5="rL0Y20zC+Fzt72VPzMSk2A==")  # of "foo"
    assert client.get(origin.on("/p", wrong, origin.answer(body=b"abc"))).content == b"abc"
    assert len(origin.requests) == 2


# Redirects and credentials


def test_redirects_are_followed_and_told(origin: FaultOrigin, client: PoliteClient) -> None:
    origin.on("/b/c", origin.answer(302, Location="../演讲?x=1#part"))
    origin.on("/%E6%BC%94%E8%AE%B2", origin.answer(body=b"here"))
    page = client.get(origin.on("/a", origin.answer(301, Location="/b/c")))
    assert page.content == b"here"
    assert page.url == f"{origin.base}/%E6%BC%94%E8%AE%B2?x=1"
    assert origin.connections == 1


def test_an_accepted_redirect_comes_back(origin: FaultOrigin, client: PoliteClient) -> None:
    url = origin.on("/a", origin.answer(302, Location="/b"))
    assert client.get(url, accept=[302]).headers["location"] == "/b"


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("/a", "in a circle"),
        ("ftp://host/x", "/a could not be fetched: it was redirected, but ftp.* only http and https"),
        ("file:///etc/passwd", "/a could not be fetched: it was redirected, but file"),
        ("http://[broken/", "no valid host"),
        ("http://a:b:c/", "not a web address"),
        ("http://127.0.0.1:1/", "/a redirects to http://127.0.0.1:1/: 127.0.0.1 is a loopback address"),
        (
            "http://169.254.169.254/latest/meta-data",
            "/a redirects to http://169.254.*is a link-local address",
        ),
    ],
)
def test_redirects_that_lead_nowhere_good(
    origin: FaultOrigin, client: PoliteClient, location: str, why: str
) -> None:
    with pytest.raises((InvalidError, BlockedError), match=why) as caught:
        client.get(origin.on("/a", origin.answer(302, Location=location)))
    assert "Correct the address in the configuration" not in str(caught.value)
    assert len(origin.requests) == 1


def test_redirects_end(origin: FaultOrigin, client: PoliteClient) -> None:
    for number in range(20):
        origin.on(f"/{number}", origin.answer(307, Location=f"/{number + 1}"))
    with pytest.raises(InvalidError, match="more than 10 times"):
        client.get(origin.base + "/0")
    assert len(origin.requests) == 11
    with pytest.raises(InvalidError, match="without being told"):
        client.get(origin.on("/lost", origin.answer(302)))


def test_credentials_stay_at_their_origin(origin: FaultOrigin, stranger: FaultOrigin, steps: Steps) -> None:
    secret = {"Authorization": "Bearer t", "Cookie": "c=1", "X-Api-Key": "k", "X-Auth-Token": "t"}
    origin.on("/a", origin.answer(302, Location="/b", Set_Cookie="session=1"))
    origin.on("/b", origin.answer(302, Location=stranger.base + "/c"))
    stranger.on("/c", origin.answer(302, Location=origin.base + "/d"))
    origin.on("/d", origin.answer(body=b"end"))
    with PoliteClient(hosts_allowed=[origin.base, stranger.base], clock=steps.clock()) as client:
        client.get(origin.base + "/a", headers={**secret, "X-Plain": "stays"})
    names = {name.lower() for name in secret}
    assert names <= origin.asked("/a")[0].keys()
    assert origin.asked("/b")[0]["cookie"] == "c=1"  # what the source gave, not what the server set
    assert not names & stranger.asked("/c")[0].keys()
    assert not names & origin.asked("/d")[0].keys()
    assert stranger.asked("/c")[0]["x-plain"] == "stays"


def test_user_and_password_in_the_address_become_a_credential(
    origin: FaultOrigin, client: PoliteClient
) -> None:
    origin.on("/a", origin.answer(body=b"x"))
    page = client.get(origin.base.replace("://", "://jane:p%40ss@") + "/a#top")
    assert origin.requests[0].headers["authorization"] == "Basic amFuZTpwQHNz"
    assert page.url == f"{origin.base}/a"


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-A", "b\r\nEvil: 1"), ("X-A", "b\nEvil: 1"), ("X-A", "b\0"), ("X-A", "é"), ("X A", "b"),
     ("X\r\nA", "b"), ("", "b"), ("Host", "other"), ("Content-Length", "5"),
     ("transfer-encoding", "chunked")],
)  # fmt: skip
def test_fields_cannot_be_smuggled(origin: FaultOrigin, client: PoliteClient, name: str, value: str) -> None:
    with pytest.raises(InvalidError) as caught:
        client.get(origin.base + "/a", headers={name: value})
    assert "Evil: 1" not in str(caught.value)
    assert origin.requests == []


@pytest.mark.parametrize("path", ["/a\r\nEvil: 1", "/a HTTP/1.1\r\nX: y", "/\0"])
def test_lines_cannot_be_smuggled_through_the_address(
    origin: FaultOrigin, client: PoliteClient, path: str
) -> None:
    with pytest.raises(InvalidError):
        client.get(origin.base + path)
    assert origin.requests == []


def test_secrets_are_in_no_message_and_no_log(
    origin: FaultOrigin, client: PoliteClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="archiver")
    query = "?api_key=SESAME&X-Amz-Signature=SESAME&page=1"
    scripts = [
        origin.answer(403), origin.answer(404), origin.answer(503), origin.answer(500, Retry_After="9999"),
        origin.answer(302, Location="/p" + query), origin.answer(302, Location="ftp://u:SESAME@h/" + query),
        origin.answer(302, Location="http://10.0.0.1/" + query), origin.raw(b"SESAME"),
        origin.answer(body=b"x", Content_Encoding="zip"), origin.answer(length=9, cut=0),
    ]  # fmt: skip
    for script in scripts:
        url = origin.on("/p", script).replace("://", "://jane:SESAME@") + query
        with pytest.raises(SourceError) as caught:
            client.get(url, headers={"Authorization": "Bearer SESAME"}, max_bytes=50)
        assert "SESAME" not in str(caught.value)
    assert "attempt 2 follows" in caplog.text
    assert "SESAME" not in caplog.text


# TLS


def _named(port: int) -> Guard:
    """Trust the name `talks.example`, and let the name service say that it is this machine."""

    def resolver(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        assert host in {"talks.example", "other.example"}
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    return Guard([f"https://{host}.example:{port}" for host in ("talks", "other")], resolver=resolver)


def test_the_certificate_must_be_the_hosts(tls_origin: FaultOrigin, certificate: Path) -> None:
    tls_origin.on("/p", tls_origin.answer(body=b"safe"))
    trusting = ssl.create_default_context(cafile=str(certificate))
    with PoliteClient(guard=_named(tls_origin.port), tls=trusting) as client:
        for _ in range(3):
            assert client.get(f"https://talks.example:{tls_origin.port}/p").content == b"safe"
        assert tls_origin.connections == 1
        with pytest.raises(BlockedError, match=r"certificate of other\.example cannot be trusted"):
            client.get(f"https://other.example:{tls_origin.port}/p")
    with (
        PoliteClient(guard=_named(tls_origin.port)) as client,
        pytest.raises(BlockedError, match="cannot be trusted"),
    ):
        client.get(f"https://talks.example:{tls_origin.port}/p")
    assert len(tls_origin.requests) == 3


def test_an_answer_that_came_with_the_one_before_is_not_taken_for_the_next(
    tls_origin: FaultOrigin, tls_client: PoliteClient
) -> None:
    # One record of TLS holds both: nothing is left to see on the socket itself.
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Pad: "
    first = start + b"p" * (8192 - len(start) - 6) + b"\r\n\r\nOK"
    forged = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"
    tls_origin.on("/one", tls_origin.raw(first + forged, keep=True))
    tls_origin.on("/other", tls_origin.answer(200, b"whole"))
    base = f"https://talks.example:{tls_origin.port}"
    with pytest.raises(TransientError, match="more came than was declared"):
        tls_client.get(f"{base}/one")
    assert tls_client.get(f"{base}/other").content == b"whole"


def test_no_way_down_to_plain_http(tls_origin: FaultOrigin, certificate: Path) -> None:
    tls_origin.on("/p", tls_origin.answer(302, Location="http://talks.example/?token=SESAME"))
    trusting = ssl.create_default_context(cafile=str(certificate))
    with (
        PoliteClient(guard=_named(tls_origin.port), tls=trusting) as client,
        pytest.raises(InvalidError, match=r"from https down to http://talks\.example/") as caught,
    ):
        client.get(f"https://talks.example:{tls_origin.port}/p")
    assert "SESAME" not in str(caught.value)


def test_the_checked_address_is_the_one_connected_to(origin: FaultOrigin) -> None:
    asked = []

    def resolver(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    origin.on("/p", origin.answer(body=b"x"))
    base = f"http://talks.example:{origin.port}"
    with PoliteClient(guard=Guard([base], resolver=resolver)) as client:
        client.get(base + "/p")
        client.get(base + "/p")
    assert asked == ["talks.example"]
    assert origin.requests[0].headers["host"] == f"talks.example:{origin.port}"


# Politeness and ends


def test_starts_at_a_public_host_keep_their_distance(origin: FaultOrigin, steps: Steps) -> None:
    limits = Limits(trusted_interval=2.0)
    url = origin.on("/p", origin.answer())
    with PoliteClient(hosts_allowed=[origin.base], clock=steps.clock(), limits=limits) as client:
        for _ in range(4):
            client.get(url)
    assert steps.naps == [2.0, 2.0, 2.0]


def test_no_more_than_so_many_at_once(origin: FaultOrigin) -> None:
    lock, gate, most = threading.Lock(), threading.Event(), [0, 0]

    def script(request: Request) -> bool:
        with lock:
            most[0] += 1
            most[1] = max(most)
            if most[0] == 3:
                gate.set()
        gate.wait(5)
        with lock:
            most[0] -= 1
        request.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return True

    url = origin.on("/p", script)
    limits = Limits(trusted_concurrency=3)
    with PoliteClient(hosts_allowed=[origin.base], limits=limits) as client:
        threads = [threading.Thread(target=client.get, args=(url,)) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(origin.requests) == 12
    assert most[1] == 3


def test_a_dead_host_is_not_asked_for_every_item(steps: Steps) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        base = f"http://127.0.0.1:{server.getsockname()[1]}"
    with PoliteClient(hosts_allowed=[base], clock=steps.clock()) as client:
        with pytest.raises(TransientError, match="in 5 attempts: Connection refused"):
            client.get(base)
        naps = len(steps.naps)
        with pytest.raises(TransientError, match="a moment ago"):
            client.get(base)
        assert len(steps.naps) == naps
        steps.now += 60
        with pytest.raises(TransientError, match="in 5 attempts"):
            client.get(base)


def test_a_head_that_drips_ends_at_the_deadline(origin: FaultOrigin) -> None:
    over = threading.Event()

    def drip(request: Request) -> bool:
        request.sock.sendall(b"HTTP/1.1 200 OK\r\n")
        while not over.wait(0.01):
            request.sock.sendall(b"X-Wait: a little\r\n")
        return False

    limits = Limits(page_seconds=0.3, read_seconds=5.0)
    with (
        PoliteClient(hosts_allowed=[origin.base], limits=limits) as client,
        pytest.raises(TransientError, match="longer than the whole call may take"),
    ):
        client.get(origin.on("/p", drip))
    over.set()


def test_close_ends_what_waits_and_what_reads(origin: FaultOrigin) -> None:
    reading, over = threading.Event(), threading.Event()

    def stall(request: Request) -> bool:
        request.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf")  # no length: its end would look right
        reading.set()
        over.wait(20)
        return False

    client = PoliteClient(hosts_allowed=[origin.base])
    failed: list[BaseException] = []

    def call(path: str) -> None:
        try:
            client.get(origin.base + path)
        except TransientError as error:
            failed.append(error)

    origin.on("/stall", stall)
    threads = [threading.Thread(target=call, args=(path,)) for path in ("/stall", "/stall")]
    for thread in threads:
        thread.start()
    reading.wait(10)
    client.close()
    for thread in threads:
        thread.join(10)
    over.set()
    assert len(failed) == 2
    with pytest.raises(TransientError):
        client.get(origin.base + "/stall")


def test_an_answer_that_is_no_json_keeps_the_secret(origin: FaultOrigin, client: PoliteClient) -> None:
    page = client.get(origin.on("/p", origin.answer(body=b"<html>")), params={"api_key": "SESAME"})
    with pytest.raises(InvalidError, match="did not answer with JSON") as caught:
        page.json()
    assert "SESAME" not in str(caught.value)


def test_the_environment_is_not_asked_for_a_proxy(
    origin: FaultOrigin, client: PoliteClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert client.get(origin.on("/p", origin.answer(body=b"direct"))).content == b"direct"
