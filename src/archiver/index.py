"""Bring the catalog of a sink up to date."""

from __future__ import annotations

from archiver.archive import Head
from archiver.config import Config


def refresh(head: Head, config: Config) -> None:
    """Rebuild the catalog when it was made from other heads."""
    del head, config
