from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.testing import FaultKind, Reply, Request, Routes, Service
from archiver.testing.messages import Answer, settle

BODY = bytes(range(256)) * 8


class Shop(Service):
    """A service with one route of each form."""

    def routes(self) -> Routes:
        return {
            "/items/{id:int}": lambda request: Reply.html(f"item {request.args['id']}"),
            "/items/{name}.txt": lambda request: Reply.html(f"text {request.args['name']}"),
            "/tree/{rest:path}": lambda request: Reply.html(f"tree {request.args['rest']}"),
            "/search": lambda request: Reply.json(dict(request.query)),
            "POST /login": lambda request: Reply.html(f"hello {request.body.decode()}"),
            "/old": lambda _: Reply.redirect("/items/7"),
            "/broken": self.broken,
        }

    def broken(self, request: Request) -> Reply:
        raise KeyError(request.path)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


@pytest.fixture
def client(shop: Shop) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shop.url, timeout=10, trust_env=False) as client:
        yield client


class TestRoutes:
    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("/items/12", "item 12"),
            ("/items/云.txt", "text 云"),
            ("/tree/a/b/c", "tree a/b/c"),
            ("/search?q=%E4%BA%91+b&q=last&empty=", '{"q": "last", "empty": ""}'),
        ],
    )
    def test_lead_to_their_handlers(self, path: str, text: str, client: httpx.Client) -> None:
        assert client.get(path).text == text

    @pytest.mark.parametrize("path", ["/items/x", "/items/1/2", "/nothing", "/login"])
    def test_what_no_route_names_is_missing(self, path: str, client: httpx.Client) -> None:
        assert client.get(path).status_code == 404

    def test_other_methods_need_a_route_of_their_own(self, client: httpx.Client) -> None:
        assert client.post("/login", content=b"me").text == "hello me"
        assert client.post("/items/12").status_code == 404

    def test_head_gives_the_headers_of_get(self, client: httpx.Client) -> None:
        answer = client.head("/items/12")
        assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "7", b"")

    def test_redirects_send_on(self, client: httpx.Client) -> None:
        assert client.get("/old").headers["location"] == "/items/7"

    def test_a_body_that_cannot_be_read_is_refused(self, client: httpx.Client) -> None:
        assert client.post("/login", content=iter([b"chunks"])).status_code == 413


class TestFiles:
    @pytest.fixture
    def file(self, shop: Shop) -> str:
        return shop.serve("/照片 1.jpg", BODY, "image/jpeg")

    def test_come_with_type_length_and_tag(self, file: str, client: httpx.Client) -> None:
        answer = client.get(file)
        assert answer.content == BODY
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["etag"].startswith('"')
        assert answer.headers["accept-ranges"] == "bytes"

    @pytest.mark.parametrize(
        ("wanted", "part", "shown"),
        [
            ("bytes=10-19", BODY[10:20], "bytes 10-19/2048"),
            ("bytes=2000-", BODY[2000:], "bytes 2000-2047/2048"),
            ("bytes=-8", BODY[-8:], "bytes 2040-2047/2048"),
            ("bytes=2040-9999", BODY[2040:], "bytes 2040-2047/2048"),
        ],
    )
    def test_come_in_parts(
        self, wanted: str, part: bytes, shown: str, file: str, client: httpx.Client
    ) -> None:
        answer = client.get(file, headers={"Range": wanted})
        assert (answer.status_code, answer.content, answer.headers["content-range"]) == (206, part, shown)

    @pytest.mark.parametrize("wanted", ["bytes=1-2,5-6", "bytes=x-", "items=1-2", "bytes=9-3", "bytes=-"])
    def test_come_whole_when_the_part_makes_no_sense(
        self, wanted: str, file: str, client: httpx.Client
    ) -> None:
        assert client.get(file, headers={"Range": wanted}).status_code == 200

    def test_a_part_beyond_the_end_cannot_be_had(self, file: str, client: httpx.Client) -> None:
        answer = client.get(file, headers={"Range": "bytes=2048-"})
        assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */2048")

    def test_a_part_of_another_version_is_not_given(
        self, file: str, shop: Shop, client: httpx.Client
    ) -> None:
        etag = client.get(file).headers["etag"]
        wanted = {"Range": "bytes=5-", "If-Range": etag}
        assert client.get(file, headers=wanted).status_code == 206
        shop.serve("/照片 1.jpg", BODY + b"!", "image/jpeg")
        assert client.get(file, headers=wanted).status_code == 200

    @pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
    def test_what_the_client_has_is_not_sent_again(self, form: str, file: str, client: httpx.Client) -> None:
        etag = client.get(file).headers["etag"]
        answer = client.get(file, headers={"If-None-Match": form.format(etag)})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)

    def test_come_from_disk_with_a_date(self, tmp_path: Path, shop: Shop, client: httpx.Client) -> None:
        path = tmp_path / "big"
        path.write_bytes(BODY * 100)
        url = shop.serve("/big", path)
        answer = client.get(url)
        assert answer.content == BODY * 100
        modified = answer.headers["last-modified"]
        assert parsedate_to_datetime(modified).timestamp() == int(path.stat().st_mtime)
        part = client.get(url, headers={"Range": "bytes=100000-100009", "If-Range": modified})
        assert part.content == (BODY * 100)[100000:100010]

    def test_withdrawn_ones_are_missing(self, file: str, shop: Shop, client: httpx.Client) -> None:
        shop.withdraw("/照片 1.jpg")
        assert client.get(file).status_code == 404

    @given(first=st.none() | st.integers(0, 99), last=st.none() | st.integers(0, 99), size=st.integers(0, 60))
    def test_any_range_gives_what_it_says(self, first: int | None, last: int | None, size: int) -> None:
        body = BODY[:size]
        wanted = f"bytes={'' if first is None else first}-{'' if last is None else last}"
        answer: Answer = settle(Request("GET", "/", headers={"range": wanted}), Reply.file(body))
        sent = b"".join(answer.read(chunk=7))
        assert len(sent) == answer.length
        if answer.status == 206:
            start = first if first is not None else max(size - (last or 0), 0)
            assert body[start : start + len(sent)] == sent
            assert sent
        else:
            assert sent == (body if answer.status == 200 else b"")


class TestLog:
    def test_holds_every_request_in_order(self, shop: Shop, client: httpx.Client) -> None:
        client.get("/items/1", headers={"X-Mark": "a"})
        client.get("/nothing?x=1")
        client.get("/items/1")
        first, second, _ = shop.requests
        assert (first.method, first.path, first.status, first.headers["x-mark"]) == (
            "GET",
            "/items/1",
            200,
            "a",
        )
        assert (second.query, second.status) == ({"x": "1"}, 404)
        assert shop.requests.count("/items/*") == 2
        assert shop.requests.count(status=404) == 1
        assert shop.requests.count(method="POST") == 0
        assert shop.requests.by_path() == {"/items/1": 2, "/nothing": 1}
        shop.requests.clear()
        assert len(shop.requests) == 0

    def test_loses_nothing_under_many_threads(self, shop: Shop) -> None:
        def visit() -> None:
            with httpx.Client(base_url=shop.url, trust_env=False) as client:
                for number in range(20):
                    assert client.get(f"/items/{number}").status_code == 200

        threads = [threading.Thread(target=visit) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert shop.requests.count("/items/*", status=200) == 160


class TestFaults:
    @pytest.fixture
    def file(self, shop: Shop) -> str:
        return shop.serve("/a.bin", BODY)

    def test_hit_as_often_as_told_and_not_before(self, file: str, shop: Shop, client: httpx.Client) -> None:
        shop.fault("*.bin", "503", times=2, after=1)
        assert [client.get(file).status_code for _ in range(5)] == [200, 503, 503, 200, 200]
        assert client.get("/items/1").status_code == 200

    def test_can_be_switched_off(self, file: str, shop: Shop, client: httpx.Client) -> None:
        shop.fault("*", "gone", times=None)
        assert client.get(file).status_code == 410
        shop.faults.clear()
        assert client.get(file).status_code == 200

    @pytest.mark.parametrize("kind", ["429", "503"])
    def test_name_the_time_to_come_back(self, kind: str, file: str, shop: Shop, client: httpx.Client) -> None:
        shop.fault("*", kind, retry_after=30)
        shop.fault("*", kind, retry_after=datetime(2012, 9, 16, 8, tzinfo=UTC))
        shop.fault("*", kind)
        answers = [client.get(file) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {int(kind)}
        assert [answer.headers.get("retry-after") for answer in answers] == [
            "30", "Sun, 16 Sep 2012 08:00:00 GMT", None,
        ]  # fmt: skip

    def test_an_unknown_kind_is_refused(self, shop: Shop) -> None:
        with pytest.raises(ValueError, match="explode"):
            shop.fault("*", "explode")

    def test_a_login_page_takes_the_place_of_the_file(
        self, file: str, shop: Shop, client: httpx.Client
    ) -> None:
        shop.fault("*", FaultKind.LOGIN)
        answer = client.get(file)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert b"password" in answer.content

    @pytest.mark.parametrize(("at", "expected"), [(None, 1024), (10, 10), (0, 0)])
    def test_a_truncation_declares_all_and_sends_a_part(
        self, at: int | None, expected: int, file: str, shop: Shop, client: httpx.Client
    ) -> None:
        shop.fault("*", "truncate", at=at)
        with client.stream("GET", file) as answer:
            pieces = answer.iter_raw()
            got = b"".join(islice(pieces, 1)) if expected else b""
            with pytest.raises(httpx.RemoteProtocolError):
                next(pieces)
        assert answer.headers["content-length"] == "2048"
        assert got == BODY[:expected]

    def test_a_part_is_truncated_too(self, file: str, shop: Shop, client: httpx.Client) -> None:
        shop.fault("*", "truncate", at=10)
        with client.stream("GET", file, headers={"Range": "bytes=100-"}) as answer:
            with pytest.raises(httpx.RemoteProtocolError):
                answer.read()
            assert answer.status_code == 206

    @pytest.mark.parametrize("at", [None, 100])
    def test_a_reset_is_a_reset(self, at: int | None, file: str, shop: Shop) -> None:
        shop.fault("*", "reset", at=at)
        host, port = shop.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"GET /a.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                b"".join(iter(lambda: connection.recv(4096), b""))

    def test_a_drip_brings_everything_in_small_pieces(
        self, file: str, shop: Shop, client: httpx.Client
    ) -> None:
        shop.fault("*", "drip", chunk=500, pause=0.001)
        assert client.get(file).content == BODY

    def test_a_wrong_length_makes_half_a_file_look_whole(self, file: str, shop: Shop) -> None:
        shop.fault("*", "wrong-length")
        host, port = shop.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"GET /a.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            raw = b"".join(iter(lambda: connection.recv(4096), b""))
        head, _, body = raw.partition(b"\r\n\r\n")
        assert b"Content-Length: 1024\r\n" in head + b"\r\n"
        assert body == BODY

    def test_a_stall_sends_half_and_keeps_the_connection_open(
        self, file: str, shop: Shop, client: httpx.Client
    ) -> None:
        shop.fault("*", "stall", at=7)
        with client.stream("GET", file, timeout=0.2) as answer:
            with pytest.raises(httpx.ReadTimeout):
                answer.read()
            assert answer.num_bytes_downloaded == 7


class TestLife:
    def test_a_stop_ends_stalled_and_idle_connections_and_threads(self) -> None:
        before = set(threading.enumerate())
        shop = Shop().start()
        shop.serve("/a.bin", BODY)
        shop.fault("/a.bin", "stall")
        with httpx.Client(base_url=shop.url, trust_env=False, timeout=0.2) as client:
            client.get("/items/1")  # stays connected
            with pytest.raises(httpx.ReadTimeout):
                client.get("/a.bin")
            url = shop.url
            shop.stop()
            with pytest.raises(httpx.TransportError):
                client.get(f"{url}/items/1")
        assert set(threading.enumerate()) == before

    def test_it_stops_twice_and_starts_again_on_the_port_it_is_given(self) -> None:
        shop = Shop().start()
        port = int(shop.url.rpartition(":")[2])
        shop.stop()
        shop.stop()
        with Shop(port=port) as again:
            assert again.url == f"http://127.0.0.1:{port}"

    def test_a_taken_port_is_an_error(self, shop: Shop) -> None:
        with pytest.raises(OSError, match="in use"):
            Shop(port=int(shop.url.rpartition(":")[2])).start()

    def test_it_has_no_address_before_it_runs(self) -> None:
        with pytest.raises(RuntimeError, match="not started"):
            _ = Shop().url

    def test_a_broken_handler_fails_the_block_and_not_only_the_request(self) -> None:
        with pytest.raises(KeyError, match="/broken"), Shop() as shop:  # noqa: PT012  # the block is the subject
            answer = httpx.get(f"{shop.url}/broken", trust_env=False)
            assert answer.status_code == 500


def test_the_service_of_the_guide_works_as_it_stands_there() -> None:
    guide = Path(__file__).parents[3] / "docs" / "how-to" / "doubles.md"
    blocks = guide.read_text("utf-8").split("```python\n")[1:]
    code = next(block.partition("```")[0] for block in blocks if "class PhotoDouble" in block)
    names: dict[str, Any] = {}
    exec(compile(code, str(guide), "exec"), names)
    with names["PhotoDouble"]() as service, httpx.Client(base_url=service.url, trust_env=False) as client:
        assert client.get("/photos/<me>/1").text == "<h1>&lt;me&gt;</h1>"
        assert client.get("/feeds/a/b?page=2").json() == {"page": "2"}
        assert client.post("/login").status_code == 403
