"""What a user may write for a program that is a source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, SecretStr

from archiver import api

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: What the program always gets, and nobody may set.
GIVEN: Final = ("PATH", "LANG", "HOME", "TMPDIR")


def _variable(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name[:50]!r} is no name of a variable: letters, digits and _ alone")
    if name in GIVEN:
        raise ValueError(f"{name} is set by the archiver; choose another name")
    return name


def _word(text: str) -> str:
    if "\0" in text:
        raise ValueError("it holds a NUL, which no program can be given")
    return text


def _hidden_word(secret: SecretStr) -> SecretStr:
    _word(secret.get_secret_value())
    return secret


_Variable = Annotated[str, AfterValidator(_variable)]
_Word = Annotated[str, AfterValidator(_word)]
_Hidden = Annotated[SecretStr, AfterValidator(_hidden_word)]


class CommandOptions(api.Options):
    """Options of the source."""

    run: Annotated[tuple[_Word, ...], Field(min_length=1, max_length=200)]
    """The program and its arguments, as a list. No shell reads it."""
    options: Mapping[str, Any] = Field(default_factory=dict)
    """Whatever the program wants to know; it is told in the first message. Values are texts."""
    secrets: Mapping[_Variable, _Hidden] = Field(default_factory=dict)
    """Secrets, by the name of the environment variable in which the program finds each."""
    environment: Mapping[_Variable, _Word] = Field(default_factory=dict)
    """Other environment variables of the program. It sees nothing else of the archiver's environment."""
    timeout: float = Field(default=60.0, gt=0, le=86_400)
    """Seconds that the program may say nothing while it is asked something."""


class CommandEntry(api.Options):
    """What one event takes from the program."""

    entry: Mapping[str, Any] = Field(default_factory=dict)
    """Whatever the program wants to know about this event's part. Values are texts."""
