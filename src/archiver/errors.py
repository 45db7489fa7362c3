"""Everything that can go wrong, each with the exit code and the next step.

ArchiverError
├── ConfigError            2   the configuration or the call is wrong
├── SourceError            1   a source, or one of its items
│   ├── TransientError         try again: time-out, reset, 429, 5xx
│   ├── BlockedError           a person has to act: login, quota, captcha
│   ├── GoneError              upstream says that it no longer exists
│   ├── InvalidError           what came is not what was asked for
│   ├── LinkOnlyError          an address is all there is: nothing here fetches what it leads to
│   └── FatalError             this source cannot go on at all
├── SinkError              3   a sink cannot be used
│   ├── ExistsError            create-only write met another value
│   ├── ConflictError          swap met another value than expected
│   ├── MissingError           no value under that path
│   ├── LeaseHeldError         another run holds this archive
│   └── FormatError            written by a newer version of this program
└── DamageError            4   stored bytes are not what was stored
"""

from __future__ import annotations

from typing import ClassVar


class ArchiverError(Exception):
    """Tell what went wrong and, in `hint`, what to do about it."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions with keyword arguments need help to cross a process border.
        return (_rebuild, (type(self), self.message, self.__dict__))


def _rebuild(kind: type[ArchiverError], message: str, state: dict[str, object]) -> ArchiverError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class ConfigError(ArchiverError):
    """The configuration or the command line is wrong."""

    exit_code = 2


class SourceError(ArchiverError):
    """A source, or one of its items, failed; the run goes on."""

    #: Word for reports and ledgers: why an item is pending.
    reason: ClassVar[str] = "failed"


class TransientError(SourceError):
    """It may work later: the core retries, at the latest in the next run.

    `retry_after` is in seconds, when the other side named a time.
    """

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class BlockedError(SourceError):
    """A person has to act first: login, quota, captcha, geography. Never counted as missing."""

    reason = "blocked"


class GoneError(SourceError):
    """Upstream says that the item no longer exists (404, 410, deleted)."""

    reason = "gone"


class InvalidError(SourceError):
    """What arrived is not what was asked for: a login page, half a file, an empty document."""

    reason = "invalid"


class LinkOnlyError(SourceError):
    """It exists at its address, and no source fetches it: the address is what the archive keeps.

    That is a state, not a fault: a run in which nothing worse happened succeeds.
    """

    reason = "link"


class FatalError(SourceError):
    """The source cannot go on at all in this run."""


class SinkError(ArchiverError):
    """A sink cannot be used; it gets nothing more in this run."""

    exit_code = 3


class ExistsError(SinkError):
    """A create-only write met a value that is already there."""


class ConflictError(SinkError):
    """A swap met another value than the expected one: somebody else wrote."""


class MissingError(SinkError):
    """Nothing is stored under that path."""


class LeaseHeldError(SinkError):
    """Another run holds this archive."""


class FormatError(SinkError):
    """The archive was written by a newer version of this program."""


class DamageError(ArchiverError):
    """Stored bytes are not the bytes that were stored."""

    exit_code = 4
