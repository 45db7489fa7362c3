"""What a bundle does not tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.bundle import own_addresses, without
from archiver.contracts import Options


class Inner(Options):
    api_base_url: str = "https://api.example.org"


class Own(Options):
    base_url: str | None = "https://example.org"
    mirrors: dict[str, str] = {}  # noqa: RUF012  # pydantic copies it
    title: str = ""
    inner: Inner = Inner()


def test_addresses_of_ones_own_are_taken_out() -> None:
    made = Own(base_url="http://mirror.lan", mirrors={"x": "http://other.lan:1"}, title="http://stays.org")
    own = own_addresses([made, Own()])
    shown = without(own, "http://mirror.lan/a http://other.lan:1/b http://stays.org https://example.org")
    assert shown == "***/a ***/b http://stays.org https://example.org"


def test_options_inside_options_are_looked_through() -> None:
    inner = Inner(api_base_url="http://api.lan")
    assert own_addresses([Own(inner=inner), Own(base_url=None)]) == ("http://api.lan",)


@pytest.mark.parametrize(
    ("address", "text", "shown"),
    [
        (
            "http://127.0.0.1:9404",
            "http://127.0.0.1:9404/a.pdf could not be fetched from 127.0.0.1:9404: Connection refused",
            "***/a.pdf could not be fetched from ***: Connection refused",
        ),
        ("http://127.0.0.1:9404", "127.0.0.1 and 127.0.0.1:1, not 127.0.0.10", "*** and ***, not 127.0.0.10"),
        (
            "http://mirror.lan/",
            "the host mirror.lan is not known. MIRROR.LAN",
            "the host *** is not known. ***",
        ),
        ("http://mirror.lan", "mirror.lan.", "***."),
        ("http://mirror.lan", "my-mirror.lan mirror.lantern.org mirror.lan.org", ""),
        ("http://nas", "nas:80 is down, banas is not", "*** is down, banas is not"),
        ("http://[fd00::5]:80/x", "from [fd00::5]:80 or fd00::5", "from *** or ***"),
        ("http://云.example", "from xn--9kq.example:80", "from ***"),
        ("http://mirror.lan:8", "?u=http%3A%2F%2Fmirror.lan%3A8%2Fa", "?u=http%3A%2F%2F***%2Fa"),
        ("http://[broken", "http://[broken/x", "***/x"),
    ],
)
def test_hosts_are_taken_out_too(address: str, text: str, shown: str) -> None:
    assert without([address], text) == (shown or text)


@given(
    st.from_regex(r"\Azq[a-z0-9-]{0,8}z(\.[a-z]{2,5}){0,2}\Z"),
    st.integers(1, 65535),
    st.sampled_from(["{}", "from {} in 5 attempts", "({})", "http://{}/a", "{}: refused", "“{}”", "user@{}"]),
)
def test_whatever_the_host_is_called(host: str, port: int, message: str) -> None:
    for shown in (host, f"{host}:{port}", host.upper()):
        told = without([f"https://{host}:{port}/x/"], message.format(shown))
        assert "zq" not in told.lower()
        assert told.replace("***", "") == message.format("")
