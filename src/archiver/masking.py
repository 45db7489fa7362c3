"""The configured secrets out of every message: a plugin may quote its own password in an error."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretBytes, SecretStr

from archiver.errors import (
    BlockedError,
    FatalError,
    GoneError,
    InvalidError,
    LinkOnlyError,
    SourceError,
    TransientError,
)
from archiver.redact import MASK, redact

# A plugin may derive classes of its own, with other arguments and reasons that no report knows.
_KINDS = (TransientError, BlockedError, GoneError, InvalidError, LinkOnlyError, FatalError, SourceError)

#: Characters of one message that are kept: some services answer an error with a whole page.
MAX_MESSAGE = 2_000
#: Shorter secrets are not looked for: masking every "a" would leave nothing to read.
MIN_SECRET = 4


@dataclass(frozen=True)
class Mask:
    """Takes the given secrets, and those that addresses show by themselves, out of a text."""

    secrets: tuple[str, ...] = ()

    @classmethod
    def of(cls, options: Iterable[object]) -> Mask:
        """Make one for all `SecretStr` and `SecretBytes` in these options, at any depth."""
        found = {form for each in options for secret in _secrets(each) for form in _forms(secret)}
        return cls(tuple(sorted(found, key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        """Give a message as it may be shown: without secrets, and not over-long."""
        shown = self.hide(text)  # before it is cut: half a secret would not be found
        return shown if len(shown) <= MAX_MESSAGE else f"{shown[:MAX_MESSAGE]}…"

    def hide(self, text: str) -> str:
        """Give a text of any length without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        return redact(text)

    def traceback(self, error: BaseException) -> str:
        """Give the whole traceback of an error without secrets, for a log."""
        return self.hide("".join(traceback.format_exception(error)))

    def error(self, error: SourceError) -> SourceError:
        """Give an error that says the same without secrets, of the class that this program knows."""
        kind = next(each for each in type(error).__mro__ if each in _KINDS)
        message, hint = (getattr(error, name, "") for name in ("message", "hint"))
        return kind(self(str(message) or text_of(error) or type(error).__name__), hint=self(str(hint)))


def text_of(error: BaseException) -> str:
    """Give what an error says, or nothing when even that fails."""
    try:
        return str(error)
    except (Exception, SystemExit):  # noqa: BLE001  # the error's own code, which is a plugin's
        return ""


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, SecretBytes):
        yield value.get_secret_value().decode("utf-8", "replace")
    elif isinstance(value, BaseModel):
        # Not dict(value): a plugin may have an option, or a property, of the name `keys`.
        yield from _in_all(each for _, each in value)
    elif isinstance(value, Mapping):
        yield from _in_all(value.values())
    elif isinstance(value, list | tuple | set | frozenset):
        yield from _in_all(value)


def _in_all(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        yield from _secrets(value)


def _forms(secret: str) -> Iterator[str]:
    """Give the ways in which a secret may stand in a message: as it is, in an address, in a `repr`."""
    if len(secret) >= MIN_SECRET:
        yield from {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]}
