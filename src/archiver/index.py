"""Bring the catalog of a sink up to date."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from archiver import seal
from archiver.archive import Head
from archiver.catalog import is_current
from archiver.catalog.serving import CATALOG, build_from
from archiver.config import Config
from archiver.contracts import Blob


def refresh(head: Head, config: Config, *, changed: bool) -> bool:
    """Rebuild the catalog when it is not there or was made from other heads; say whether it was.

    `changed` says that this run made a version: in a sink on another machine that is what tells.
    """
    root = head.sink.local_root
    if root is not None and is_current(root / CATALOG, head.digests):
        return False
    if root is None and not changed and head.sink.stat(CATALOG) is not None:
        return False
    rebuild(head, config)
    return True


def rebuild(head: Head, config: Config) -> None:
    """Build the catalog from ledgers and extracted texts, whatever is there, and seal it."""
    with tempfile.TemporaryDirectory(prefix="catalog-") as folder:
        path = Path(folder, CATALOG)
        build_from(head, config, path)
        seal.replace(head.sink, CATALOG, _blob(path))


def _blob(path: Path) -> Blob:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Blob(path.stat().st_size, digest, path=path, movable=True)
