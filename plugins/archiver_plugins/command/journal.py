"""What a program writes on standard error: its log, bounded and without secrets."""

from __future__ import annotations

import logging

from archiver_plugins.command.secrets import Hidden

#: Lines of one process that are logged, and characters of each.
MAX_LINES, MAX_SHOWN = 2_000, 1_000
#: Bytes of an unfinished line that are kept: a secret that is cut in two would not be found.
_LONGEST = 1 << 16


class Journal:
    """Logs line by line what comes in pieces. `last` is the last line that says something."""

    def __init__(self, log: logging.Logger, name: str, hidden: Hidden) -> None:
        self.last = ""
        self._log = log
        self._name = name
        self._hidden = hidden
        self._rest = b""
        self._cut = False
        self._count = 0

    def add(self, data: bytes) -> None:
        """Take what came."""
        *whole, rest = data.split(b"\n")
        for part in whole:
            self._grow(part)
            self._write()
        self._grow(rest)

    def end(self) -> None:
        """Log an unfinished line as well."""
        if self._rest:
            self._write()

    def _grow(self, part: bytes) -> None:
        room = max(0, _LONGEST - len(self._rest))
        self._cut = self._cut or len(part) > room
        self._rest += part[:room]

    def _write(self) -> None:
        text = self._hidden.mask(self._rest.decode("utf-8", "replace").rstrip())
        cut = self._cut or len(text) > MAX_SHOWN
        text = text[:MAX_SHOWN] + ("…" if cut else "")
        self._rest, self._cut = b"", False
        if not text.strip():
            return
        self.last = text
        self._count += 1
        if self._count <= MAX_LINES:
            self._log.debug("%s: %s", self._name, text)
        elif self._count == MAX_LINES + 1:
            self._log.debug("%s: more than %d lines; the rest is left out", self._name, MAX_LINES)
