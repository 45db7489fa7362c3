"""Ask an independent validator what it thinks of the objects that we wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ocfl
from ocfl.validator import Validator

from archiver.api import Context
from archiver_plugins.disk import DiskOptions, DiskSink

# W004: "sha256 is used": decided so. W005 asks for a URI as id, W007 to W009 for message and user.
EXPECTED_WARNINGS = {"W004"}


def open_sink(folder: Path) -> DiskSink:
    """Make a disk sink in `folder`/archive as it is."""
    http: Any = None
    return DiskSink(DiskOptions(path=Path("archive")), Context("local", folder, http))


def make_sink(folder: Path) -> DiskSink:
    """Make a disk sink in `folder`/archive, and prepare it for a run."""
    sink = open_sink(folder)
    sink.prepare()
    return sink


def complaints(path: Path) -> list[str]:
    """Validate one object with all its digests; give every error, and every warning not decided upon."""
    validator = Validator(log_warnings=True)
    passed = validator.validate_object(str(path))
    unexpected = [text for code, text in validator.log.codes.items() if code not in EXPECTED_WARNINGS]
    return [f"{path.name}: {text}" for text in sorted(unexpected) or ([] if passed else ["not valid"])]


def faults(archive: Path) -> list[str]:
    """Validate the storage root and every object in it; name whatever is wrong, or there beside them."""
    root = archive / "ocfl"
    objects = [folder for folder in root.iterdir() if folder.is_dir()]
    found = [line for each in objects for line in complaints(each)]
    store = ocfl.StorageRoot(root=str(root))
    found += [] if store.validate(validate_objects=False) else ["the storage root is not valid"]
    strange = {folder.name for folder in objects} ^ set(store.object_paths())
    found += [f"{name} is no object" for name in sorted(strange)]
    files = [path for path in root.rglob("*") if not path.is_dir() or path.is_symlink()]
    return found + [f"{path} is a link" for path in files if path.is_symlink() or path.stat().st_nlink != 1]


def assert_valid(archive: Path) -> None:
    """Assert that the storage root and every object in it are valid, and nothing else is there."""
    assert faults(archive) == []
