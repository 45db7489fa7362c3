"""What a user may write about the sink `disk`."""

from __future__ import annotations

from pathlib import Path

from archiver.api import Options


class DiskOptions(Options):
    """Options of the `disk` sink."""

    path: Path
    """Directory of the archive, relative to the configuration file."""
