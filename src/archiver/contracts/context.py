"""What the core lends to a plugin."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from archiver.contracts.http import Http
from archiver.errors import ConfigError


class Progress(Protocol):
    """Called with the bytes that came since the last call, and the total when it is known."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Say that `done` more bytes came."""
        ...


def _no_progress(done: int, total: int | None = None) -> None:
    del done, total


class SendMail(Protocol):
    """Sends one mail through the server that the configuration names under `mail: smtp:`."""

    def __call__(self, to: Sequence[str], subject: str, text: str) -> None:
        """Send plain text; return when the server has taken it.

        Raises `ConfigError` without such a server, `BlockedError` when it refuses, `TransientError`.
        """
        ...


def _no_mail(to: Sequence[str], subject: str, text: str) -> None:
    del to, subject, text
    raise ConfigError("only a notifier sends mail", hint="report this to the author of the plugin")


@dataclass(frozen=True)
class Context:
    """What a plugin instance gets from the core.

    `name` is the one in the configuration, `folder` the directory of the configuration file
    (relative paths in options start there). `progress` is for bytes that `http` does not see. `own`
    are files and directories on this machine that belong to the archive itself: the configuration, and
    sinks. A source of local files leaves them out.
    """

    name: str
    folder: Path
    http: Http
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("archiver.plugin"))
    progress: Progress = _no_progress
    own: tuple[Path, ...] = ()
    #: For notifiers alone.
    send_mail: SendMail = _no_mail
