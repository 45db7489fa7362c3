"""The folder of the demo: the example as its configuration, an inbox filled by volunteers, and mail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from archiver.demo.content import media
from archiver.errors import ConfigError

EXAMPLE = "archive.example.yaml"
CONFIG = "archive.yaml"
INBOX = "incoming"
MAIL = "mail"
#: Modification time of the inbox files, 2012-12-31 00:00 UTC: the folder source takes size and time
#: as the revision of a file, so a demo laid out anew must not look like changed files.
DROPPED = 1356912000


def prepare(folder: Path) -> Path:
    """Lay the demo out in `folder` and return its configuration file.

    What is there already stays as it is, whoever wrote it. Raises `ConfigError` when the folder
    cannot be written.
    """
    config = folder / CONFIG
    try:
        _put(config, example())
        for name in (INBOX, MAIL):
            for path, file in _files(media() / name):
                _put(folder / name / path, file.read_bytes(), DROPPED)
    except OSError as error:
        message = f"the demo cannot be laid out in {folder}: {error.strerror or error}"
        raise ConfigError(
            message, hint="name a folder that you may write: archive demo --into FOLDER"
        ) from error
    return config


def example() -> bytes:
    """Read the example configuration: in a source tree a link to the file at its root."""
    return (resources.files("archiver.demo") / EXAMPLE).read_bytes()


def _files(
    folder: Traversable, below: PurePosixPath | None = None
) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        path = (below or PurePosixPath()) / item.name
        if item.is_dir():
            yield from _files(item, path)
        else:
            yield path, item


def _put(path: Path, data: bytes, modified: float | None = None) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed: an interrupted demo leaves no half file that the next one would keep.
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(data)
    if modified is not None:
        os.utime(unfinished, (modified, modified))
    unfinished.replace(path)
