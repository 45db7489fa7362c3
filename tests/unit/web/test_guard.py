from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import HttpUrl

from archiver.contracts import Options
from archiver.errors import BlockedError, InvalidError, TransientError
from archiver.web import Guard, Origin, origin_of, origins_of
from archiver.web.breaks import Unreachable
from archiver.web.guard import refusal


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.9.9.9", "168.63.129.16",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.1.1",
        "198.18.0.1", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::8.8.8.8", "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::",
        "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "5f00::1",
    ],
)  # fmt: skip
def test_addresses_inside_are_refused(address: str) -> None:
    assert refusal(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2001:4860:4860::8888", "64:ff9b::8.8.8.8"],
)
def test_public_addresses_pass(address: str) -> None:
    assert refusal(ip_address(address)) == ""


@given(st.ip_addresses(v=4))
def test_what_python_calls_not_global_never_passes(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        assert refusal(address)


@given(st.ip_addresses(v=4))
def test_a_translated_address_is_as_good_as_the_inner_one(address: IPv4Address) -> None:
    nat64 = IPv6Address(int(IPv6Address("64:ff9b::")) + int(address))
    assert refusal(nat64) == refusal(address)
    assert refusal(IPv6Address((0xFFFF << 32) + int(address)))


@given(st.ip_addresses(v=6))
def test_only_unicast_space_passes(address: IPv6Address) -> None:
    if int(address) >> 125 != 1 and int(address) >> 32 != int(IPv6Address("64:ff9b::")) >> 32:
        assert refusal(address)


class Names:
    """A name service with fixed answers that counts its questions."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    def __call__(self, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        self.asked += 1
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in self.addresses
        ]


def test_one_private_address_spoils_the_name() -> None:
    guard = Guard(resolver=Names("8.8.8.8", "10.0.0.1"))
    with pytest.raises(BlockedError) as caught:
        guard.addresses(Origin("http", "trap.example", 80))
    assert "trap.example leads to 10.0.0.1, a private address" in str(caught.value)
    assert "base_url: http://trap.example:80" in caught.value.hint


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("192.168.1.1", True), ("127.0.0.1", True), ("100.64.0.1", True), ("::1", True), ("fd12::1", True),
        ("169.254.169.254", False), ("100.100.100.200", False), ("168.63.129.16", False),
        ("fd00:ec2::254", False), ("fe80::1", False), ("224.0.0.1", False), ("198.18.0.1", False),
    ],
)  # fmt: skip
def test_only_addresses_of_ones_own_are_ones_to_open(address: str, own: bool) -> None:
    with pytest.raises(BlockedError, match=f"^{address} is a") as caught:
        Guard(resolver=Names(address)).addresses(Origin("http", address, 80))
    assert ("base_url" in caught.value.hint) == own


def test_a_scoped_address_is_refused() -> None:
    with pytest.raises(BlockedError):
        Guard(resolver=Names("fe80::1%eth0")).addresses(Origin("http", "trap.example", 80))


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost", "127.0.0.1"])
def test_every_spelling_of_loopback_is_refused(host: str) -> None:
    with pytest.raises(BlockedError):
        Guard().addresses(origin_of(f"http://{host}/"))


def test_a_named_origin_may_be_private_and_its_neighbours_not() -> None:
    guard = Guard(["http://nas.example:8080/photos/"], resolver=Names("10.0.0.1"))
    allowed = Origin("http", "nas.example", 8080)
    assert guard.trusts(allowed)
    assert guard.addresses(allowed) == [(socket.AF_INET, ("10.0.0.1", 8080))]
    for other in (
        allowed._replace(port=80),
        allowed._replace(scheme="https"),
        allowed._replace(host="b.example"),
    ):
        with pytest.raises(BlockedError):
            guard.addresses(other)


def test_many_addresses_are_cut_short() -> None:
    names = Names(*[f"8.8.8.{number}" for number in range(1, 60)])
    assert len(Guard(resolver=names).addresses(Origin("http", "many.example", 80))) == 4
    assert names.asked == 1


def test_unknown_name_and_silent_name_service_are_told_apart() -> None:
    def fail(number: int) -> Guard:
        def resolver(*_: object, **__: object) -> list[tuple[object, ...]]:
            raise socket.gaierror(number, "why")

        return Guard(resolver=resolver)

    with pytest.raises(TransientError, match=r"no\.example is not known"):
        fail(socket.EAI_NONAME).addresses(Origin("http", "no.example", 80))
    with pytest.raises(Unreachable):
        fail(socket.EAI_AGAIN).addresses(Origin("http", "no.example", 80))


def test_an_overlong_label_is_invalid() -> None:
    with pytest.raises(InvalidError):
        Guard().addresses(Origin("http", "é" + "a" * 70, 80))


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://Host.Example/x", "http://host.example:80"),
        ("https://host.example", "https://host.example:443"),
        ("https://host.example:8443/?q", "https://host.example:8443"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://讲座.example/", "http://xn--5mqr49b.example:80"),
        ("http://u:p@host.example:80/", "http://host.example:80"),
    ],
)
def test_origin(url: str, origin: str) -> None:
    if "xn--" in origin:
        assert str(origin_of(url)).startswith("http://xn--")
    else:
        assert str(origin_of(url)) == origin


@pytest.mark.parametrize(
    "url", ["ftp://h/", "file:///etc/passwd", "/path", "", "http://", "http://h:pw/", "http://a\nb/"]
)
def test_what_is_no_web_address(url: str) -> None:
    with pytest.raises(InvalidError):
        origin_of(url)


class _Inner(Options):
    api_base_url: str = "http://10.0.0.2/api"


class _Mirrored(Options):
    mirrors: dict[str, str] = {}  # noqa: RUF012  # a pydantic default, copied for each


class _Some(Options):
    base_url: HttpUrl | None = None
    other_url: str = "http://10.0.0.1"
    inner: _Inner = _Inner()


def test_origins_of_options() -> None:
    inner = "http://10.0.0.2:80"
    assert origins_of(_Some()) == {inner}
    assert origins_of(_Some(base_url=HttpUrl("http://127.0.0.1:8080/x"))) == {inner, "http://127.0.0.1:8080"}
    mirrors = {"www.dropbox.com": "http://10.0.0.3/x", "we.tl": "http://10.0.0.4:81"}
    assert origins_of(_Mirrored(mirrors=mirrors)) == {"http://10.0.0.3:80", "http://10.0.0.4:81"}
