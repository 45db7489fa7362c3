"""The table of contents of one OCFL object, checked when read: it may come from a damaged sink.

Facts: OCFL 1.1.1, sections 3.5 and 3.6, https://ocfl.io/1.1/spec/; codes such as E101 are from its list
of validation codes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from archiver.errors import DamageError
from archiver.naming import check_path

_TYPE = "https://ocfl.io/1.1/spec/#inventory"
_VERSION = re.compile(r"v([1-9][0-9]{0,8})")
_DIGEST = re.compile(r"[0-9a-f]{64}")
#: What reading hostile JSON can raise; RecursionError comes from "[[[[[[…".
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError)


class Tree:
    """Paths of one tree, of which none may be a directory of another (E095, E101)."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()
        for path in paths:
            self.add(path)

    def fits(self, path: str) -> bool:
        """Say whether a path is free, and neither a directory of another nor below another."""
        taken = path in self._files or path in self._folders
        return not taken and self._files.isdisjoint(_folders(path))

    def add(self, path: str) -> None:
        """Take a path in. Raises `ValueError` when it does not fit."""
        if not self.fits(path):
            raise ValueError(f"{path!r:.200} is there twice, or is a directory of another path")
        self._files.add(path)
        self._folders.update(_folders(path))


def _folders(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def version_number(name: str) -> int:
    """Read `v12` as 12; 0 for what is no name of a version."""
    found = _VERSION.fullmatch(name)
    return int(found[1]) if found else 0


@dataclass(frozen=True)
class Inventory:
    """All versions and all content files of an object, by SHA-256.

    `manifest` maps each digest to its content paths, relative to the object. `versions` maps `v1`, `v2`, …
    to what OCFL says of a version; their `state` maps each digest to its logical paths.
    """

    object_id: str
    head: int
    manifest: Mapping[str, tuple[str, ...]]
    versions: Mapping[str, Mapping[str, Any]]

    @cached_property
    def state(self) -> Mapping[str, str]:
        """Logical path → SHA-256 of the newest version."""
        states = self.versions[f"v{self.head}"]["state"]
        return {path: digest for digest, paths in states.items() for path in paths}

    @cached_property
    def content(self) -> frozenset[str]:
        """All content paths."""
        return frozenset(path for paths in self.manifest.values() for path in paths)

    def to_bytes(self) -> bytes:
        """Write as canonical JSON that a person can read."""
        data = {
            "id": self.object_id,
            "type": _TYPE,
            "digestAlgorithm": "sha256",
            "head": f"v{self.head}",
            "manifest": {digest: sorted(self.manifest[digest]) for digest in sorted(self.manifest)},
            "versions": self.versions,
        }
        return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode()

    @classmethod
    def parse(cls, data: bytes, where: str) -> Inventory:
        """Read and check an inventory of ours. Raises `DamageError`."""
        try:
            return _parsed(json.loads(data))
        except UNREADABLE as error:
            raise DamageError(
                f"{where} is not a readable inventory ({type(error).__name__}: {str(error)[:300]})",
                hint="restore it from another sink; the content files beside it are not affected",
            ) from error


def _parsed(raw: Any) -> Inventory:
    if (
        raw["type"] != _TYPE
        or raw["digestAlgorithm"] != "sha256"
        or raw.get("contentDirectory", "")
        not in {
            "",
            "content",
        }
    ):
        raise ValueError("it is of a kind that this program does not write")
    if not isinstance(raw["id"], str) or not raw["id"]:
        raise ValueError("it has no id")
    head = version_number(raw["head"])
    versions = raw["versions"]
    if not head or set(versions) != {f"v{number}" for number in range(1, len(versions) + 1)}:
        raise ValueError("its versions are not v1, v2, … without a gap")
    if head != len(versions):
        raise ValueError(f"its head is v{head}, but it has {len(versions)} versions")
    manifest = {sha256_text(digest): _content(paths, head) for digest, paths in raw["manifest"].items()}
    for version in versions.values():
        _check_version(version, manifest)
    inventory = Inventory(raw["id"], head, manifest, versions)
    _check_paths(inventory)
    return inventory


def sha256_text(text: str) -> str:
    """Return a SHA-256 in lower-case hex as it is. Raises `ValueError` or `TypeError` on anything else."""
    if not _DIGEST.fullmatch(text):
        raise ValueError(f"{text!r:.100} is no SHA-256")
    return text


def _texts(value: Any) -> list[str]:
    # A lone string would pass for a list of its letters.
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise TypeError(f"a list of paths is {value!r:.100}")
    return value


def _content(paths: Any, head: int) -> tuple[str, ...]:
    for path in _texts(paths):
        number, slash, rest = check_path(path).partition("/content/")
        if not (slash and rest and 0 < version_number(number) <= head):
            raise ValueError(f"{path!r:.200} lies outside the content of its versions")
    return tuple(paths)


def _check_version(version: Any, manifest: Mapping[str, Any]) -> None:
    for digest, paths in version["state"].items():
        if digest not in manifest:
            raise ValueError(f"{digest!r:.100} is in a version, but has no content file")
        _texts(paths)


def _check_paths(inventory: Inventory) -> None:
    Tree(path for paths in inventory.manifest.values() for path in paths)
    newest = inventory.versions[f"v{inventory.head}"]["state"]
    Tree(check_path(path) for paths in newest.values() for path in paths)
