"""What a bundle does not tell: secrets, and the addresses that a configuration sets for services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from pydantic import BaseModel

from archiver.bundle.model import Bundle
from archiver.redact import MASK


def masked(bundle: Bundle, mask: Callable[[str], str]) -> Bundle:
    """Take secrets out of what was told of each: services quote addresses in what they answer."""
    return replace(
        bundle,
        items=tuple(replace(each, detail=mask(each.detail)) for each in bundle.items),
        listings=tuple(replace(each, detail=mask(each.detail)) for each in bundle.listings),
    )


def own_addresses(options: Iterable[BaseModel]) -> tuple[str, ...]:
    """Give the addresses that a configuration sets for services: a private mirror stays private."""
    found: set[str] = set()
    for each in options:
        for name in each.model_fields_set:
            value = getattr(each, name, "")
            if name.endswith("base_url") and isinstance(value, str):
                found.add(value)
            elif name == "mirrors" and isinstance(value, Mapping):
                found.update(map(str, value.values()))
    return tuple(sorted(filter(None, found), key=len, reverse=True))


def without(addresses: Iterable[str], text: str) -> str:
    """Take addresses out of a message."""
    for address in addresses:
        text = text.replace(address, MASK)
    return text
