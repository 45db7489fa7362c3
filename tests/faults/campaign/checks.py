"""What must be true of an archive after whatever happened: looked at without any code of the archiver."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ocfl_checks import faults


@dataclass
class Left:
    """What was left in an archive: `committed` maps each file that a version names to its SHA-256."""

    committed: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def _parsed(file: Path) -> dict[str, Any] | None:
    try:
        data: dict[str, Any] = json.loads(file.read_bytes())
    except ValueError:
        return None
    return data


def look(archive: Path) -> Left:
    """Read every committed version, and prove every file that one names."""
    left = Left()
    for folder in sorted(archive.glob("ocfl/*/")):
        number = 0
        while (file := folder / f"v{number + 1}" / "inventory.json").exists():
            number += 1
            _look_at(left, folder, file)
        if number:
            left.versions[folder.name] = number
    return left


def _look_at(left: Left, folder: Path, file: Path) -> None:
    data, sidecar = _parsed(file), file.with_name("inventory.json.sha256")
    if data is None:
        left.wrong.append(f"{folder.name}/{file.parent.name} is torn")
        return
    if sidecar.exists() and sidecar.read_text()[:64] != sha256(file):
        left.wrong.append(f"{folder.name}/{file.parent.name} is not what its sidecar says")
    for digest, paths in data["manifest"].items():
        for path in paths:
            _prove(left, folder / path, f"{folder.name}/{path}", digest)


def _prove(left: Left, file: Path, name: str, digest: str) -> None:
    if name in left.committed:
        return
    left.committed[name] = digest
    if not file.is_file():
        left.wrong.append(f"{name} is named by a version and not there")
    elif sha256(file) != digest:
        left.wrong.append(f"{name} holds other bytes than its version says")


def sha256(file: Path) -> str:
    """Hash a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def digests(archive: Path) -> set[str]:
    """Give the digests that the newest versions hold, but for our own records, which name the run."""
    found: set[str] = set()
    for file in archive.glob("ocfl/*/inventory.json"):
        data = json.loads(file.read_bytes())
        for digest, paths in data["versions"][data["head"]]["state"].items():
            if not all("metadata/" in path for path in paths):
                found.add(digest)
    return found


def promised(archive: Path, told: Sequence[Mapping[str, Any]], *, items: bool = True) -> list[str]:
    """Say what a run had reported as safe, and is not there.

    Without `items` only commits count: what was merely stored is safe from a kill, not from a power cut.
    """
    wrong, there = [], {sha256(file) for file in archive.glob("ocfl/**/*") if file.is_file()}
    held = look(archive).versions
    for each in told:
        if items and each["type"] == "item.done" and each["sinks"]:
            lost = [file["path"] for file in each["files"] if file["sha256"] not in there]
            wrong += [f"{path} was reported as stored and is lost" for path in lost]
        if each["type"] == "committed":
            wrong += [
                f"version {version} of {name} was reported as committed and is lost"
                for name, version in _versions(each["versions"])
                if held.get(name, 0) < version
            ]
    return wrong


def _versions(told: Any) -> Iterable[tuple[str, int]]:
    return [(name, int(str(version).removeprefix("v"))) for name, version in dict(told).items()]


def lost(before: Left, after: Left) -> list[str]:
    """Say which committed bytes were there before and are not any more."""
    missing = [name for name, digest in before.committed.items() if after.committed.get(name) != digest]
    return [f"{name} was committed and is lost" for name in missing]


def is_valid(archive: Path) -> list[str]:
    """Ask the independent validator, and say what it found."""
    return [f"the validator says: {each:.500}" for each in faults(archive)]
