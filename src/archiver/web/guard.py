"""The address guard: which machines a source may make this program talk to.

Events name addresses, pages name more, and any of them may point into the network that this program
runs in. So every connection goes through here: the name is resolved once, every address is checked,
and exactly a checked address is connected to, so that a name cannot change its mind in between.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from archiver.errors import BlockedError, InvalidError, TransientError
from archiver.web.breaks import Unreachable
from archiver.web.urls import Origin, origin_of

#: Family and socket address, as `socket.getaddrinfo` gives them.
Address = tuple[int, tuple[Any, ...]]
Resolver = Callable[..., list[tuple[Any, ...]]]

#: Where a service of one's own may be: no other address is one to open, least of all of metadata.
_OWN = frozenset({"a carrier's private", "a local or reserved", "a loopback", "a private"})
#: How many addresses of one name are tried.
MAX_ADDRESSES = 4

_METADATA = "a cloud metadata"
# IANA special-purpose registries (RFC 6890 and updates). Written out because what
# `ipaddress.is_global` says differs between Python releases.
_REFUSED_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), what)
    for network, what in (
        ("0.0.0.0/8", "a local"),
        ("10.0.0.0/8", "a private"),
        ("100.100.100.200/32", _METADATA),  # Alibaba's
        ("100.64.0.0/10", "a carrier's private"),  # RFC 6598
        ("127.0.0.0/8", "a loopback"),
        ("168.63.129.16/32", _METADATA),  # Azure's, although the address is a public one
        ("169.254.0.0/16", "a link-local"),  # 169.254.169.254 serves metadata
        ("172.16.0.0/12", "a private"),
        ("192.0.0.0/24", "a reserved"),
        ("192.0.2.0/24", "a documentation"),
        ("192.31.196.0/24", "a reserved"),
        ("192.52.193.0/24", "a reserved"),
        ("192.88.99.0/24", "a reserved"),
        ("192.168.0.0/16", "a private"),
        ("192.175.48.0/24", "a reserved"),
        ("198.18.0.0/15", "a benchmarking"),
        ("198.51.100.0/24", "a documentation"),
        ("203.0.113.0/24", "a documentation"),
        ("224.0.0.0/4", "a multicast"),
        ("240.0.0.0/4", "a reserved"),
    )
)
_REFUSED_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), what)
    for network, what in (
        ("2001::/23", "a reserved"),  # Teredo and other protocol assignments
        ("2001:db8::/32", "a documentation"),
        ("2002::/16", "a 6to4"),  # carries any IPv4 address inside
        ("2620:4f:8000::/48", "a reserved"),
        ("3fff::/20", "a documentation"),
        ("fd00:ec2::254/128", _METADATA),  # Amazon's, in the range of private ones
        ("fe80::/10", "a link-local"),
    )
)
_UNICAST_V6 = IPv6Network("2000::/3")
#: Networks without IPv4 reach public hosts through these (RFC 6052): the inner address decides.
_NAT64 = IPv6Network("64:ff9b::/96")
#: Resolver answers that say for certain that there is no such name; others may pass.
_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def refusal(address: IPv4Address | IPv6Address) -> str:
    """Say what makes this address one that a source may not reach, or nothing when it may."""
    if isinstance(address, IPv4Address):
        return _listed(address, _REFUSED_V4) or ("" if address.is_global else "a reserved")
    if address.ipv4_mapped is not None:
        return "an IPv4-mapped"
    if address in _NAT64:
        return refusal(IPv4Address(int(address) & 0xFFFFFFFF))
    listed = _listed(address, _REFUSED_V6)
    if listed or address in _UNICAST_V6:
        return listed or ("" if address.is_global else "a reserved")
    return "a multicast" if address.is_multicast else "a local or reserved"


def _listed(address: Any, networks: Iterable[tuple[Any, str]]) -> str:
    return next((what for network, what in networks if address in network), "")


class Guard:
    """Resolves names, and refuses addresses inside the own network.

    `allowed` are the origins that the configuration names: their addresses are not checked.
    `resolver` has the signature of `socket.getaddrinfo`.
    """

    def __init__(self, allowed: Iterable[str] = (), resolver: Resolver = socket.getaddrinfo) -> None:
        self._allowed = frozenset(origin_of(url) for url in allowed)
        self._resolver = resolver

    def trusts(self, origin: Origin) -> bool:
        """Say whether the configuration names this origin."""
        return origin in self._allowed

    def addresses(self, origin: Origin) -> list[Address]:
        """Resolve the host of an origin into the addresses that may be connected to, best first.

        Raises `BlockedError` when any of its addresses is refused: a name with a public and a private
        address is a trap or a mistake. Raises `TransientError` when there is no such name and
        `Unreachable` when the resolver could not say.
        """
        found = [(int(entry[0]), tuple(entry[4])) for entry in self._resolve(origin)]
        if not self.trusts(origin):
            for _, address in found:
                _check(origin, str(address[0]))
        return found[:MAX_ADDRESSES]

    def _resolve(self, origin: Origin) -> list[tuple[Any, ...]]:
        try:
            return self._resolver(origin.host, origin.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            if error.errno not in _NO_SUCH_NAME:
                raise Unreachable(f"the name could not be resolved: {error.strerror}") from error
            raise TransientError(
                f"The host {origin.host} is not known to the name service",
                hint="Check the spelling of the address and this machine's network.",
            ) from error
        except (UnicodeError, OverflowError, ValueError) as error:
            # Labels over 63 characters fail in the IDNA codec, before any look-up.
            raise InvalidError(
                f"{origin.host[:80]!a} is not a host name", hint="Correct the address."
            ) from error


def _check(origin: Origin, address: str) -> None:
    what = refusal(ip_address(address.partition("%")[0]))  # fe80::1%eth0
    if not what:
        return
    where = "is" if origin.host == address else f"leads to {address},"
    own = f"If this is your own service, name it in the source's base_url: {origin}."
    others = "Correct or remove the address; if a site led there, tell whoever runs it."
    raise BlockedError(
        f"{origin.host} {where} {what} address, which a source may not reach",
        hint=own if what in _OWN else others,
    )
