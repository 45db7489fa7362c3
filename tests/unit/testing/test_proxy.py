from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest

from archiver.testing import Reply, Request, Routes, Service
from archiver.testing.proxy import FaultProxy, answering, renamed


class Odd(Service):
    """Answers that name the service itself in all the ways there are."""

    def routes(self) -> Routes:
        return {
            "/page": lambda _: Reply.html(f'<a href="{self.url}/x?u={quote(self.url, safe="")}">x</a>'),
            "/moved": lambda _: Reply.redirect(f"{self.url}/page"),
            "/echo/{rest:path}": self.echo,
            "POST /echo/{rest:path}": self.echo,
            "/file": lambda _: Reply.file(b"0123456789", "application/pdf"),
            "/gone": lambda _: Reply.missing(410),
        }

    def echo(self, request: Request) -> Reply:
        return Reply(request.target.encode() + b"|" + request.body, media_type="application/octet-stream")


@pytest.fixture
def service() -> Iterator[Odd]:
    with Odd() as service:
        yield service


@pytest.fixture
def proxy(service: Odd) -> Iterator[FaultProxy]:
    with FaultProxy(service.url) as proxy:
        yield proxy


def ask(
    proxy: FaultProxy, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=10)
    try:
        connection.request(
            method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = connection.getresponse()
        return (
            response.status,
            {name.lower(): value for name, value in response.headers.items()},
            response.read(),
        )
    finally:
        connection.close()


def test_answers_name_the_proxy(proxy: FaultProxy, service: Odd) -> None:
    _, _, body = ask(proxy, "/page")
    assert f'"{proxy.url}/x?u={quote(proxy.url, safe="")}"' in body.decode()
    assert urlsplit(service.url).netloc.encode() not in body
    assert ask(proxy, "/moved")[1]["location"] == f"{proxy.url}/page"


def test_requests_name_the_service(proxy: FaultProxy, service: Odd) -> None:
    target = f"/echo/%e4%ba%91?a=1&a=2&b=&u={quote(proxy.url, safe='')}"
    wanted = target.replace(quote(proxy.url, safe=""), quote(service.url, safe=""))
    assert ask(proxy, target)[2] == f"{wanted}|".encode()
    assert ask(proxy, "/echo/p", "POST", f"u={proxy.url}".encode())[2] == f"/echo/p|u={service.url}".encode()


def test_ranges_conditions_and_lengths_pass(proxy: FaultProxy) -> None:
    status, headers, body = ask(proxy, "/file")
    assert (status, headers["content-length"], body) == (200, "10", b"0123456789")
    assert ask(proxy, "/file", "HEAD")[1]["content-length"] == "10"
    status, ranged, body = ask(proxy, "/file", Range="bytes=4-6")
    assert (status, ranged["content-range"], body) == (206, "bytes 4-6/10", b"456")
    assert ask(proxy, "/file", If_None_Match=headers["etag"])[0] == 304
    assert ask(proxy, "/gone")[0] == 410


def test_faults_hit_before_the_service(proxy: FaultProxy, service: Odd) -> None:
    proxy.fault("/file", "429", retry_after=7)
    status, headers, _ = ask(proxy, "/file")
    assert (status, headers["retry-after"]) == (429, "7")
    assert ask(proxy, "/file")[2] == b"0123456789"
    proxy.fault("*", "truncate")
    with pytest.raises(http.client.IncompleteRead):
        ask(proxy, "/file")


def test_answers_can_be_changed(proxy: FaultProxy) -> None:
    proxy.tamper = renamed("../../evil")
    assert ask(proxy, "/file")[1]["content-disposition"] == 'attachment; filename="../../evil"'
    proxy.tamper = answering(b"null", "application/json")
    assert ask(proxy, "/gone")[::2] == (200, b"null")


def test_a_service_that_is_away_is_answered_for(proxy: FaultProxy, service: Odd) -> None:
    service.stop()
    assert ask(proxy, "/page")[0] == 502


def test_the_path_of_the_service_is_kept(service: Odd) -> None:
    with FaultProxy(f"{service.url}/echo/") as proxy:
        assert proxy.address == f"{proxy.url}/echo"
        assert ask(proxy, "/echo/a")[2] == b"/echo/a|"


@pytest.mark.parametrize("address", ["", "https://example.org", "example.org", "http://"])
def test_what_is_no_address_of_a_service_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is no address like"):
        FaultProxy(address)
