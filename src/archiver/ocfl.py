"""The one writer and reader of OCFL 1.1 objects, over any sink.

A version is begun by creating content under `vN/content/`, and committed by creating
`vN/inventory.json`: whoever creates it first has won. Everything after that can be made again.
Facts: OCFL 1.1.1, https://ocfl.io/1.1/spec/
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archiver import __version__
from archiver.contracts import Blob, Sink, Stat
from archiver.errors import ConflictError, DamageError, ExistsError, MissingError
from archiver.naming import check_path

ROOT = "ocfl/"
_DECLARATION = ("ocfl/0=ocfl_1.1", b"ocfl_1.1\n")
_INVENTORY_TYPE = "https://ocfl.io/1.1/spec/#inventory"
_INVENTORY = "inventory.json"
_SIDECAR = "inventory.json.sha256"
_URN = "urn:x-event-archive:"
_USER = {"name": f"event-archiver {__version__}", "address": "urn:x-event-archiver"}
#: An inventory larger than this is not ours: 100,000 files make about 40 MB.
_INVENTORY_BYTES = 256 << 20
_VERSION = re.compile(r"v[1-9][0-9]{0,8}")


def blob(data: bytes) -> Blob:
    """Wrap bytes in memory for a sink."""
    return Blob(len(data), hashlib.sha256(data).hexdigest(), data=data)


def read(sink: Sink[Any], path: str, limit: int = _INVENTORY_BYTES) -> bytes:
    """Read a whole small value. Raises `MissingError`, or `DamageError` when it is over `limit` bytes."""
    with sink.open(path) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise DamageError(f"{path} is larger than {limit} bytes", hint="it was not written by this program")
    return data


@dataclass(frozen=True, slots=True)
class Inventory:
    """The table of contents of an object: all versions, all content files, by SHA-256."""

    object_id: str
    head: int
    manifest: Mapping[str, tuple[str, ...]]
    versions: Mapping[str, Mapping[str, Any]]

    @property
    def state(self) -> dict[str, str]:
        """Logical path → SHA-256 of the newest version."""
        states = self.versions[f"v{self.head}"]["state"]
        return {path: digest for digest, paths in states.items() for path in paths}

    def to_bytes(self) -> bytes:
        """Write as canonical JSON that a person can read."""
        data = {
            "id": self.object_id,
            "type": _INVENTORY_TYPE,
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
            raw = json.loads(data)
            manifest = {digest: tuple(map(check_path, paths)) for digest, paths in raw["manifest"].items()}
            inventory = cls(raw["id"], int(raw["head"][1:]), manifest, raw["versions"])
            for path, digest in inventory.state.items():
                check_path(path)
                manifest[digest]  # every digest of the state must be held
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise DamageError(
                f"{where} is not a readable inventory ({type(error).__name__}: {error})",
                hint="restore it from another sink; the content files beside it are not affected",
            ) from error
        return inventory


@dataclass
class OcflObject:
    """One object in one sink, as it was when listed. `files` are paths relative to the object."""

    sink: Sink[Any]
    name: str
    files: dict[str, Stat] = field(default_factory=dict)
    inventory: Inventory | None = None
    digest: str = ""

    @property
    def prefix(self) -> str:
        """Where the object lies in the sink."""
        return f"{ROOT}{self.name}/"

    @property
    def head(self) -> int:
        """Number of the newest committed version; 0 when there is none."""
        return self.inventory.head if self.inventory else 0

    @property
    def next_content(self) -> str:
        """Where the content of the version to come is created, as a path prefix in the sink."""
        return f"{self.prefix}v{self.head + 1}/content/"

    @property
    def state(self) -> dict[str, str]:
        """Logical path → SHA-256 of the newest version."""
        return self.inventory.state if self.inventory else {}

    def locate(self, logical: str) -> str:
        """Say where in the sink the bytes of a logical path lie. Raises `MissingError`."""
        digest = self.state.get(logical)
        if self.inventory is None or digest is None:
            raise MissingError(f"{self.name} holds no {logical}")
        own = [path for path in self.inventory.manifest[digest] if path.endswith(f"/content/{logical}")]
        return self.prefix + (own or list(self.inventory.manifest[digest]))[0]

    def read(self, logical: str) -> bytes:
        """Read a metadata file and prove it. Raises `MissingError` or `DamageError`."""
        where = self.locate(logical)
        data = read(self.sink, where)
        if hashlib.sha256(data).hexdigest() != self.state[logical]:
            raise DamageError(
                f"{where} does not have the SHA-256 of its inventory", hint="run `archive verify`"
            )
        return data


def load(sink: Sink[Any], only: str = "") -> dict[str, OcflObject]:
    """List a sink once and read the newest inventory of every object in it, or of `only` one."""
    objects: dict[str, OcflObject] = {}
    for stat in sink.list(f"{ROOT}{only}/" if only else ROOT):
        name, slash, rest = stat.path.removeprefix(ROOT).partition("/")
        if slash:
            objects.setdefault(name, OcflObject(sink, name)).files[rest] = stat
    for each in objects.values():
        _read_head(each)
    return objects


def _read_head(each: OcflObject) -> None:
    versions = _contiguous(each.files)
    if not versions:
        return
    # The copy in the object's root is one read; it is right but after a crash between two writes.
    for directory in ("", f"v{versions}/"):
        inventory = _verified(each, directory, versions)
        if inventory:
            each.inventory, each.digest = inventory
            return
    raise DamageError(
        f"both copies of the inventory of {each.prefix}v{versions} are damaged",
        hint="restore one of them from another sink; the content files are not affected",
    )


def _contiguous(files: Mapping[str, Stat]) -> int:
    number = 0
    while f"v{number + 1}/{_INVENTORY}" in files:
        number += 1
    return number


def _verified(each: OcflObject, directory: str, version: int) -> tuple[Inventory, str] | None:
    """Read one copy of the inventory; None unless it is that version's and its sidecar agrees."""
    if directory + _INVENTORY not in each.files:
        return None
    data = read(each.sink, each.prefix + directory + _INVENTORY)
    digest = hashlib.sha256(data).hexdigest()
    try:
        sidecar = read(each.sink, each.prefix + directory + _SIDECAR, 1024).split()[:1]
    except MissingError:
        # Killed between the commit and its sidecar: believe it when all its content is there.
        sidecar = []
    if sidecar and sidecar[0] != digest.encode():
        return None
    try:
        inventory = Inventory.parse(data, each.prefix + directory + _INVENTORY)
    except DamageError:
        return None
    complete = all(path in each.files for paths in inventory.manifest.values() for path in paths)
    return (inventory, digest) if inventory.head == version and (sidecar or complete) else None


def heal(each: OcflObject) -> None:
    """Make again what a killed run may have left out: sidecars and the copy in the object's root."""
    if each.inventory is None:
        return
    data = read(each.sink, f"{each.prefix}v{each.head}/{_INVENTORY}")
    if hashlib.sha256(data).hexdigest() == each.digest:  # else it is damaged, and verify's business
        _publish(each, f"v{each.head}/", data, each.digest)


def needs_healing(each: OcflObject) -> bool:
    """Say whether the newest version lacks its sidecar or its copy in the root. Reads two small files."""
    if each.inventory is None:
        return False
    if f"v{each.head}/{_SIDECAR}" not in each.files or _SIDECAR not in each.files:
        return True
    stored = {name: each.files.get(name) for name in (_INVENTORY, f"v{each.head}/{_INVENTORY}")}
    return len({stat.size if stat else -1 for stat in stored.values()}) > 1 or (
        _verified(each, "", each.head) is None
    )


@dataclass(frozen=True, slots=True)
class Addition:
    """A file whose bytes are already proven under `next_content`: its logical path and SHA-256."""

    path: str
    sha256: str


def commit(
    each: OcflObject,
    additions: Iterable[Addition],
    documents: Mapping[str, bytes],
    *,
    created: str,
    message: str,
) -> OcflObject | None:
    """Make one new version: the old state, plus `additions`, plus `documents` (small metadata files).

    Returns the object after it, or None when nothing would change. `created` is RFC 3339.
    Raises `ExistsError` when somebody else has committed this version first.
    """
    version = f"v{each.head + 1}"
    state, manifest = each.state, _manifest(each)
    for item in additions:
        state[check_path(item.path)] = item.sha256
        _hold(manifest, item.sha256, f"{version}/content/{item.path}")
    for path, data in documents.items():
        state[check_path(path)] = _store_document(each, manifest, version, path, data)
    if each.inventory is not None and state == each.state:
        return None
    _claim_strangers(each, manifest, state, version)
    inventory = Inventory(
        object_id=_URN + each.name,
        head=each.head + 1,
        manifest=manifest,
        versions={
            **(each.inventory.versions if each.inventory else {}),
            version: {"created": created, "message": message, "state": _by_digest(state), "user": _USER},
        },
    )
    return _write(each, inventory, version)


def _manifest(each: OcflObject) -> dict[str, tuple[str, ...]]:
    return dict(each.inventory.manifest) if each.inventory else {}


def _hold(manifest: dict[str, tuple[str, ...]], digest: str, path: str) -> None:
    held = manifest.get(digest, ())
    if path not in held:
        manifest[digest] = (*held, path)


def _store_document(
    each: OcflObject, manifest: dict[str, tuple[str, ...]], version: str, path: str, data: bytes
) -> str:
    document = blob(data)
    if document.sha256 not in manifest:
        where = f"{version}/content/{path}"
        try:
            each.sink.create(each.prefix + where, document)
        except ExistsError:
            # A killed run wrote another state of this document here: it is claimed, ours goes beside it.
            if hashlib.sha256(read(each.sink, each.prefix + where)).hexdigest() != document.sha256:
                where = f"{version}/content/{_beside(path, document.sha256)}"
                _create_same(each.sink, each.prefix + where, document)
        _hold(manifest, document.sha256, where)
    return document.sha256


def _beside(path: str, sha256: str) -> str:
    # OCFL allows a content path unlike the logical one: metadata/event.json → metadata/event.json.3f9a2c41
    return f"{path}.{sha256[:8]}"


def _create_same(sink: Sink[Any], path: str, document: Blob) -> None:
    try:
        sink.create(path, document)
    except ExistsError:
        if hashlib.sha256(read(sink, path)).hexdigest() != document.sha256:
            raise


def _claim_strangers(
    each: OcflObject, manifest: dict[str, tuple[str, ...]], state: dict[str, str], version: str
) -> None:
    """Take in content that no inventory names: of a killed run, or of one that wrote after its lease."""
    named = {path for paths in manifest.values() for path in paths}
    for stat in list(each.sink.list(each.prefix)):
        path = stat.path.removeprefix(each.prefix)
        number, _, rest = path.partition("/content/")
        if not rest or path in named or not _VERSION.fullmatch(number) or int(number[1:]) > int(version[1:]):
            continue
        found = digest(each.sink, stat.path)
        _hold(manifest, found, path)
        if found not in state.values():
            state[f"_unclaimed/{number}/{rest}"] = found


def digest(sink: Sink[Any], path: str) -> str:
    """Read a value through and give its SHA-256. Raises `MissingError`."""
    found = hashlib.sha256()
    with sink.open(path) as stream:
        while chunk := stream.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()


def _by_digest(state: Mapping[str, str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for path in sorted(state):
        grouped.setdefault(state[path], []).append(path)
    return {digest: grouped[digest] for digest in sorted(grouped)}


def _write(each: OcflObject, inventory: Inventory, version: str) -> OcflObject:
    sink, data = each.sink, inventory.to_bytes()
    _declare(sink, *_DECLARATION)
    _declare(sink, f"{each.prefix}0=ocfl_object_1.1", b"ocfl_object_1.1\n")
    sink.flush()
    commit_point = blob(data)
    try:
        sink.create(f"{each.prefix}{version}/{_INVENTORY}", commit_point)
    except ExistsError as error:
        raise ConflictError(
            f"another run committed {version} of {each.name} first",
            hint="run again: what this run stored is kept and taken in",
        ) from error
    sink.flush()
    _publish(each, f"{version}/", data, commit_point.sha256)
    sink.flush()
    files = {stat.path.removeprefix(each.prefix): stat for stat in sink.list(each.prefix)}
    return OcflObject(sink, each.name, files, inventory, commit_point.sha256)


def _declare(sink: Sink[Any], path: str, data: bytes) -> None:
    if sink.stat(path) is None:
        _create_same(sink, path, blob(data))


def _publish(each: OcflObject, directory: str, data: bytes, digest: str) -> None:
    sidecar = blob(f"{digest} {_INVENTORY}\n".encode())
    each.sink.replace(each.prefix + directory + _SIDECAR, sidecar)
    each.sink.replace(each.prefix + _INVENTORY, blob(data))
    each.sink.replace(each.prefix + _SIDECAR, sidecar)
