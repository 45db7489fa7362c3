"""Web addresses, taken apart once: where to connect, what to ask for, and what is secret in them."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from archiver.errors import InvalidError
from archiver.redact import redact

if TYPE_CHECKING:
    import httpx  # where it is needed: few addresses do, and it takes as long to load as all the rest

#: Host names and IPv4 addresses, or IPv6 ones; httpx lets `%5bbroken` and `a"b` through.
_HOST = re.compile(r"[a-z0-9._-]{1,253}\Z|[0-9a-f:.]+\Z")
#: Addresses that are in their normal form already (RFC 3986, 6.2): most are, and httpx takes 40 µs for each.
#: Without escapes, dot segments, logins and fragments there is nothing to bring into form.
_PLAIN = re.compile(
    r"(https?://[a-z0-9.-]{1,253}(?::[1-9][0-9]{0,4})?)"
    r"(/[A-Za-z0-9._~!$&'()*+,;=:@/-]*(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]+)?)"
)

DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65_535


class Origin(NamedTuple):
    """Scheme, host and port of a URL (RFC 6454), the host lower-case and in its ASCII form."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def authority(self) -> str:
        """Give what the Host field names it: without the port that goes without saying (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Url:
    """One http or https address. `str` gives it without login and fragment.

    `target` is the path with its query, as a request names it (RFC 9112, 3.2.1); `login` is what stood
    before an `@`, still escaped.
    """

    text: str
    origin: Origin
    target: str
    login: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.text

    def join(self, reference: str) -> Url:
        """Follow a reference from here (RFC 3986, 5). Raises `InvalidError`, and `ValueError` on nonsense."""
        import httpx

        try:
            return _taken_apart(httpx.URL(self.text).join(reference))
        except httpx.InvalidURL as error:
            raise ValueError(str(error)) from error


def parse_url(url: str, params: Mapping[str, str] | None = None) -> Url:
    """Parse an address, with parameters put into its query. Raises `InvalidError` when it is none.

    What may be secret is not repeated in the message.
    """
    plain = _PLAIN.fullmatch(url) if isinstance(url, str) and not params else None
    if plain is not None and "/." not in plain[2]:
        origin = _plain_origin(plain[1])
        if origin is not None:
            return Url(url, origin, plain[2])
    import httpx

    try:
        parsed = httpx.URL(url)
        return _taken_apart(parsed.copy_merge_params(dict(params)) if params else parsed)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        shown = ascii(redact(url))[:200] if isinstance(url, str) else type(url).__name__
        raise InvalidError(
            f"{shown} is not a valid web address",
            hint="Correct the address in the configuration, or report it to the author of the source.",
        ) from error


def origin_of(url: str) -> Origin:
    """Find the origin of a URL. Raises `InvalidError` unless it is an http or https one with a host."""
    return parse_url(url).origin


def _taken_apart(parsed: httpx.URL) -> Url:
    origin = _origin(parsed)
    login = parsed.userinfo.decode("ascii")
    plain = parsed.copy_with(userinfo=b"", fragment=None) if login or parsed.fragment else parsed
    return Url(str(plain), origin, plain.raw_path.decode("ascii"), login)


def _origin(parsed: httpx.URL) -> Origin:
    if parsed.scheme not in DEFAULT_PORTS:
        raise InvalidError(
            f"{redact(str(parsed))} is not a web address: only http and https are fetched",
            hint="Correct the address in the configuration, or report it to the author of the source.",
        )
    host = parsed.raw_host.decode("ascii").lower()
    if not _HOST.match(host) or (parsed.port or 0) > _MAX_PORT:
        raise InvalidError(
            f"{redact(str(parsed))} names no valid host and port", hint="Write the address in full."
        )
    return Origin(parsed.scheme, host, parsed.port or DEFAULT_PORTS[parsed.scheme])


@functools.lru_cache(maxsize=1024)
def _plain_origin(start: str) -> Origin | None:
    """Find the origin of an address that begins so; None when that is not its normal form, or no origin."""
    scheme, _, authority = start.partition("://")
    host, _, port = authority.partition(":")
    number = int(port) if port else DEFAULT_PORTS[scheme]
    if number > _MAX_PORT or (port and number == DEFAULT_PORTS[scheme]):
        return None
    try:
        return Origin(scheme, str(ipaddress.IPv4Address(host)), number)
    except ValueError:
        # "1.2.3.400" is no name either (WHATWG URL, 3.5): the long way says what is wrong.
        return None if host[-1].isdigit() or host[-1] == "." else Origin(scheme, host, number)
