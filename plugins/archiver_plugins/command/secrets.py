"""The secrets that a program was given: out of the log, and never into the archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from archiver import api

#: Shorter lines of a secret are not looked for: masking every "a" would leave nothing to read.
_SHORTEST = 4
#: Shorter ones may stand in a title by chance; finding them there would stop the whole source.
_TELLING = 8
_MASK = "***"


@dataclass(frozen=True)
class Hidden:
    """All forms of the secrets that may turn up in what a program writes, the longest first."""

    forms: tuple[str, ...] = ()

    @classmethod
    def of(cls, secrets: Mapping[str, SecretStr]) -> Hidden:
        """Take them from the options. A secret of several lines, such as a key, may come line by line."""
        found = {form for secret in secrets.values() for form in _forms(secret.get_secret_value())}
        return cls(tuple(sorted(found, key=len, reverse=True)))

    def mask(self, text: str) -> str:
        """Give a text without them, and without those that addresses show by themselves."""
        for form in self.forms:
            text = text.replace(form, _MASK)
        return api.redact(text)

    def stands_in(self, value: Any) -> bool:
        """Say whether one of them is in a text, at any depth of a value."""
        telling = [form for form in self.forms if len(form) >= _TELLING]
        return bool(telling) and any(form in text for text in _texts(value) for form in telling)


def _forms(secret: str) -> Iterator[str]:
    for part in {secret, *secret.splitlines()}:
        if len(part.strip()) >= _SHORTEST:
            yield from {part, part.strip(), quote(part), quote(part, safe="")}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (*_texts(key), *_texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
