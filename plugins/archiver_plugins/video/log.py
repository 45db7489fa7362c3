"""What yt-dlp says, kept out of the terminal: into our log, without secrets."""

from __future__ import annotations

import logging
import re
from typing import Final

from archiver import api

_ESCAPES: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
#: The appeal that follows unexpected errors is for users of the command.
_APPEAL: Final = re.compile(r";? please report this issue on\b.*", re.IGNORECASE | re.DOTALL)
_PREFIX: Final = re.compile(r"^(?:ERROR: |WARNING: )?(?:\[[\w:+.-]+\] )?")
_MAX: Final = 500
#: Said of every address that belongs to no site in particular; the reason of nothing.
_USUAL: Final = "Falling back on generic information extractor"


def plain(text: str) -> str:
    """Take a message of yt-dlp to what it says: one line, no colours, no secrets, no appeals."""
    text = " ".join(_APPEAL.sub("", _ESCAPES.sub("", text)).split())
    return api.redact(_PREFIX.sub("", text))[:_MAX]


class Log:
    """The logger that yt-dlp is given: everything is for the details, `-v` shows it."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        #: The last warning: often the reason of the error that follows.
        self.last = ""

    def debug(self, message: str) -> None:
        """Take a step or a detail."""
        self._log.debug("%s", plain(message))

    def info(self, message: str) -> None:
        """Take a step."""
        self.debug(message)

    def warning(self, message: str) -> None:
        """Take what may matter later."""
        text = plain(message)
        self._log.debug("%s", text)
        if not text.startswith(_USUAL):
            self.last = text

    def error(self, message: str) -> None:
        """Take an error; it is raised too."""
        self.debug(message)
