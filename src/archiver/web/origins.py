"""Origins: scheme, host and port, the unit to which credentials and permissions are bound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import httpx
from pydantic import BaseModel

from archiver.contracts import Options
from archiver.errors import InvalidError
from archiver.redact import redact

#: Host names and IPv4 addresses, or IPv6 ones; httpx lets `%5bbroken` and `a"b` through.
_HOST = re.compile(r"[a-z0-9._-]{1,253}\Z|[0-9a-f:.]+\Z")

DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Scheme, host and port of a URL (RFC 6454), the host lower-case and in its ASCII form."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def origin_of(url: httpx.URL | str) -> Origin:
    """Find the origin of a URL. Raises `InvalidError` unless it is an http or https one with a host."""
    parsed = parse_url(url) if isinstance(url, str) else url
    if parsed.scheme not in DEFAULT_PORTS:
        raise InvalidError(
            f"{redact(str(parsed))} is not a web address: only http and https are fetched",
            hint="Correct the address in the configuration, or report it to the author of the source.",
        )
    host = parsed.raw_host.decode("ascii").lower()
    if not _HOST.match(host):
        raise InvalidError(f"{redact(str(parsed))} names no valid host", hint="Write the address in full.")
    return Origin(parsed.scheme, host, parsed.port or DEFAULT_PORTS[parsed.scheme])


def parse_url(url: str) -> httpx.URL:
    """Parse a URL. Raises `InvalidError` when it is none, without repeating what may be secret."""
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        shown = ascii(redact(url))[:200] if isinstance(url, str) else type(url).__name__
        raise InvalidError(
            f"{shown} is not a valid web address",
            hint="Correct the address in the configuration, or report it to the author of the source.",
        ) from error


def origins_of(options: Options) -> frozenset[str]:
    """Collect the origins that the user trusts by naming them in an option called `base_url` or `mirrors`.

    Names ending in `_base_url` count. `mirrors` maps names of hosts to addresses, of which all are trusted.
    Options inside options are looked through too.
    """
    return frozenset(str(origin_of(url)) for url in _trusted(options))


def _trusted(options: BaseModel) -> Iterator[str]:
    for name in type(options).model_fields:
        value = getattr(options, name)
        if isinstance(value, BaseModel):
            yield from _trusted(value)
        elif name == "mirrors" and isinstance(value, Mapping):
            yield from (str(address) for address in value.values())
        elif value and (name == "base_url" or name.endswith("_base_url")):
            yield str(value)
