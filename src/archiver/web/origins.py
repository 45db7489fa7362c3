"""Which origins the user trusts: the configuration names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from archiver.contracts import Options
from archiver.web.urls import origin_of


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
