"""Addresses: the short way for plain ones agrees with httpx, and nothing odd takes it."""

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archiver.errors import InvalidError
from archiver.web.urls import Origin, parse_url

_HOST = st.one_of(
    st.text("abcz019-.", min_size=1, max_size=12),
    st.lists(st.integers(0, 300).map(str), min_size=1, max_size=5).map(".".join),
    st.sampled_from(["example.org", "127.0.0.1", "xn--fsqu00a.cn", "a_b", "例子.cn", "[::1]", "A.org"]),
)
_PORT = st.one_of(
    st.just(""), st.integers(0, 70_000).map(lambda port: f":{port}"), st.sampled_from([":", ":080"])
)
_REST = st.text("aZ09/.?#@%&=+ ~!$'()*,;:-_[]|\"\\ü", max_size=14)
_URLS = st.builds(
    lambda scheme, host, port, rest: f"{scheme}://{host}{port}{rest}",
    st.sampled_from(["http", "https", "HTTP", "ftp"]),
    _HOST,
    _PORT,
    st.one_of(_REST, _REST.map(lambda rest: f"/{rest}")),
)


@given(_URLS)
@example("http://127.0.0.1:8080/a/b.jpg?x=1")
@example("https://a.org:443/x")
@example("http://a.org/a/../b")
@example("http://1.2.3.400/")
@example("http://a.org./x")
@example("http://user:pass@a.org/x#y")
def test_an_address_is_taken_apart_as_httpx_does(text: str) -> None:
    try:
        found = parse_url(text)
    except InvalidError:
        found = None
    try:
        told = httpx.URL(text)
    except httpx.InvalidURL:
        assert found is None
        return
    if found is None:
        return  # refused for its scheme or host: see the tests of the guard
    plain = told.copy_with(userinfo=b"", fragment=None) if told.userinfo or told.fragment else told
    assert (found.text, found.target) == (str(plain), told.raw_path.decode())
    assert found.login == told.userinfo.decode()
    port = told.port or {"http": 80, "https": 443}[told.scheme]
    assert found.origin == Origin(told.scheme, told.raw_host.decode(), port)
    if told.port not in {0, 80, 443}:  # httpx keeps ":080", and nothing can listen at 0
        assert found.origin.authority == told.netloc.decode()


def test_what_is_secret_in_an_address_stays_out_of_its_text() -> None:
    url = parse_url("https://ann:s3cret@example.org/deck?x=1#page=2")
    assert str(url) == "https://example.org/deck?x=1"
    assert url.login == "ann:s3cret"
    assert "s3cret" not in repr(url)


def test_parameters_go_into_the_query() -> None:
    assert parse_url("https://example.org/a?x=1", {"q": "云 计"}).target == "/a?x=1&q=%E4%BA%91+%E8%AE%A1"


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("other", "https://example.org/a/other"),
        ("/root?x", "https://example.org/root?x"),
        ("//b.org:81/y", "https://b.org:81/y"),
        ("../up#part", "https://example.org/up"),
    ],
)
def test_references_are_followed(reference: str, target: str) -> None:
    assert str(parse_url("https://example.org/a/b").join(reference)) == target


def test_nonsense_is_no_reference() -> None:
    with pytest.raises(ValueError, match="port"):
        parse_url("https://example.org/").join("http://a:b:c")
    with pytest.raises(InvalidError, match="only http and https"):
        parse_url("https://example.org/").join("file:///etc/passwd")
