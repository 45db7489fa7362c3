"""What a bundle does not tell: secrets, and the addresses that a configuration sets for services."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from pydantic import BaseModel

from archiver.bundle.model import Bundle
from archiver.redact import MASK

#: Where the name of a host may begin and end in a message: "mirror.lan" is no part of "mirror.lantern.org".
#: In an address inside of an address, `//` is written `%2F%2F`.
_BEFORE = r"(?:(?<![\w.-])|(?<=%2F)|(?<=%40))"
_AFTER = r"(?:(?::|%3A)\d+)?(?![\w-]|\.\w)"


def masked(bundle: Bundle, mask: Callable[[str], str]) -> Bundle:
    """Take secrets out of what was told of each: services quote addresses in what they answer."""
    return replace(
        bundle,
        items=tuple(replace(each, detail=mask(each.detail)) for each in bundle.items),
        listings=tuple(replace(each, detail=mask(each.detail)) for each in bundle.listings),
    )


def own_addresses(options: Iterable[BaseModel]) -> tuple[str, ...]:
    """Give the addresses that a configuration sets for services: a private mirror stays private.

    That is each `base_url`, `…_base_url` and value of `mirrors`, also of options inside options; what a
    plugin has by default is no secret of anybody's.
    """
    found = {address for each in options for address in _set_in(each)}
    return tuple(sorted(filter(None, found), key=len, reverse=True))


def _set_in(options: BaseModel) -> Iterator[str]:
    for name in options.model_fields_set:
        value = getattr(options, name, "")
        if isinstance(value, BaseModel):
            yield from _set_in(value)
        elif name == "mirrors" and isinstance(value, Mapping):
            yield from map(str, value.values())
        elif value is not None and name.endswith("base_url"):
            yield str(value)


def without(addresses: Iterable[str], text: str) -> str:
    """Take addresses out of a message, and their hosts: "could not be fetched from 10.0.0.5:8080"."""
    addresses = tuple(addresses)
    for address in addresses:
        text = text.replace(address, MASK)
    for host in sorted({each for address in addresses for each in _hosts(address)}, key=len, reverse=True):
        text = re.sub(rf"{_BEFORE}{host}{_AFTER}", MASK, text, flags=re.IGNORECASE)
    return text


def _hosts(address: str) -> Iterator[str]:
    """Give patterns for the host of an address: as it is written, and in the ASCII form of its name."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:  # "http://[x"
        return
    if ":" in host:
        yield rf"\[?{re.escape(host)}\]?"
    elif host:
        yield re.escape(host)
        yield re.escape(_in_ascii(host))


def _in_ascii(host: str) -> str:
    """Write 云.example as xn--….example, which is how messages have it."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host
