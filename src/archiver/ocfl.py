"""The one writer and reader of OCFL 1.1 objects, over any sink.

A version is begun by creating content under `vN/content/`, and committed by creating
`vN/inventory.json`: whoever creates it first has won. Everything after that can be made again.
Facts: OCFL 1.1.1, https://ocfl.io/1.1/spec/
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archiver import __version__
from archiver.contracts import Blob, Sink, Stat
from archiver.errors import ConflictError, DamageError, ExistsError, MissingError, SinkError
from archiver.inventory import Inventory, Tree, version_number
from archiver.naming import check_path
from archiver.ocfl_object import ROOT, OcflObject, blob, digest, read

__all__ = [
    "DECLARATION",
    "ROOT",
    "UNCLAIMED",
    "Addition",
    "Inventory",
    "OcflObject",
    "blob",
    "commit",
    "digest",
    "heal",
    "is_object_name",
    "load",
    "needs_healing",
    "read",
    "read_head",
]

#: Where files appear that no inventory named, in the state of the version that took them in.
UNCLAIMED = "_unclaimed/"
#: The file that says what the storage root is, and what it holds.
DECLARATION = ("ocfl/0=ocfl_1.1", b"ocfl_1.1\n")
_INVENTORY = "inventory.json"
_SIDECAR = "inventory.json.sha256"
_URN = "urn:x-event-archive:"
_USER = {"name": f"event-archiver {__version__}", "address": "urn:x-event-archiver"}
#: Event ids, and `_archive`. Anything else in the storage root is somebody else's.
_NAME = re.compile(r"_?[a-z0-9][a-z0-9-]{0,99}")
#: Torn copies of one document that killed runs may leave in one version before we give up.
_COPIES = 100


def load(sink: Sink[Any], only: str = "") -> dict[str, OcflObject]:
    """List a sink once and read the newest inventory of every object in it, or of `only` one.

    Raises `DamageError` when an object has a committed version that cannot be read.
    """
    objects: dict[str, OcflObject] = {}
    for stat in sink.list(f"{ROOT}{only}/" if only else ROOT):
        name, slash, rest = stat.path.removeprefix(ROOT).partition("/")
        if slash and _NAME.fullmatch(name):
            objects.setdefault(name, OcflObject(sink, name)).files[rest] = stat
    for each in objects.values():
        read_head(each)
    return objects


@dataclass(frozen=True)
class _Copy:
    """One copy of an inventory, read and checked; `source` is the directory that holds it."""

    source: str
    inventory: Inventory
    digest: str


def is_object_name(name: str) -> bool:
    """Say whether a directory in the storage root may be an object of ours."""
    return _NAME.fullmatch(name) is not None


def read_head(each: OcflObject) -> None:
    """Find the newest version that was committed, whatever a crash left half done. Raises `DamageError`."""
    newest = _contiguous(each.files)
    found = _verified(each, "")
    # The copy in the object's root is right but after a crash between two writes; it then lags behind.
    # It is ahead only where vN/inventory.json was lost: it can be made again from this one.
    if found is None or found.inventory.head < newest:
        found = _behind_root(each, newest, found)
    if found is not None:
        each.inventory, each.digest, each.source = found.inventory, found.digest, found.source


def _behind_root(each: OcflObject, newest: int, root: _Copy | None) -> _Copy | None:
    """Decide when the root's copy does not tell: it is missing, torn, or of an earlier version."""
    if newest:
        found = _verified(each, f"v{newest}/")
        if found is not None and found.inventory.head == newest:
            return found
    # The root's copy is written only after a version is safe. So where the root still shows all of the
    # version before, this one was cut off by a power cut in the middle of its commit: it never was.
    before = root.inventory.head if root else 0
    untouched = root is not None or _INVENTORY not in each.files
    if untouched and before == max(newest - 1, 0) and (not newest or _is_torn(each, newest)):
        return root
    raise DamageError(
        f"both copies of the inventory of {each.prefix}v{newest or 1} are damaged",
        hint="restore one of them from another sink; the content files are not affected",
    )


def _contiguous(files: Mapping[str, Stat]) -> int:
    number = 0
    while f"v{number + 1}/{_INVENTORY}" in files:
        number += 1
    return number


def _verified(each: OcflObject, directory: str) -> _Copy | None:
    """Read one copy of the inventory; None unless it is whole and its sidecar agrees."""
    where = directory + _INVENTORY
    if where not in each.files:
        return None
    try:
        data = read(each.sink, each.prefix + where)
        inventory = Inventory.parse(data, each.prefix + where)
    except DamageError:
        return None
    digest = hashlib.sha256(data).hexdigest()
    sidecar = _sidecar(each, directory)
    # Killed between the commit and its sidecar: believe it when all its content is there.
    believed = sidecar == digest if sidecar else inventory.content <= each.files.keys()
    return _Copy(directory, inventory, digest) if believed else None


def _is_torn(each: OcflObject, version: int) -> bool:
    """Say whether a commit was cut off: its inventory makes no sense and never got a sidecar."""
    if _sidecar(each, f"v{version}/"):
        return False
    where = f"{each.prefix}v{version}/{_INVENTORY}"
    try:
        Inventory.parse(read(each.sink, where), where)
    except DamageError:
        return True
    return False


def _sidecar(each: OcflObject, directory: str) -> str:
    """Read a sidecar; empty when it is missing or torn (a power cut can leave zeros or nothing)."""
    try:
        data = read(each.sink, each.prefix + directory + _SIDECAR, 1024)
    except (MissingError, DamageError):
        return ""
    found = re.fullmatch(rb"([0-9a-f]{64})\s+inventory\.json\s*", data)
    return found[1].decode() if found else ""


def needs_healing(each: OcflObject) -> bool:
    """Say whether the newest version lacks a copy of its inventory or a sidecar. Reads two small files."""
    if each.inventory is None:
        return False
    stored = [each.files.get(name) for name in (_INVENTORY, f"v{each.head}/{_INVENTORY}")]
    sizes = {stat.size if stat else -1 for stat in stored}
    sidecars = {_sidecar(each, directory) for directory in ("", f"v{each.head}/")}
    return each.source != "" or len(sizes) > 1 or sidecars != {each.digest}


def heal(each: OcflObject) -> None:
    """Make again what a killed run may have left out: sidecars and copies of the inventory."""
    if each.inventory is None:
        return
    data = read(each.sink, each.prefix + each.source + _INVENTORY)
    if hashlib.sha256(data).hexdigest() != each.digest:
        return  # changed since it was read
    version = f"v{each.head}/"
    if version + _INVENTORY not in each.files:
        _create_same(each.sink, each.prefix + version + _INVENTORY, blob(data))
    # As in a commit: sidecars say that the version is safe, so it has to be before they are written.
    _cover_head(each)
    each.sink.flush()
    _publish(each, version, data, each.digest)


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
    without: Iterable[str] = (),
) -> OcflObject | None:
    """Make one new version: the old state, plus `additions`, plus `documents` (small metadata files).

    Paths in `without` are not in its state; their bytes stay where they are, for the versions before.

    Returns the object after it, or None when nothing would change. `created` is RFC 3339.
    Raises `ConflictError` when somebody else has committed this version first, `SinkError` when an
    addition is not there.
    """
    version = f"v{each.head + 1}"
    state, manifest = dict(each.state), dict(each.inventory.manifest if each.inventory else {})
    present = frozenset(_listed(each))
    for item in additions:
        where = _present(each, present, f"{version}/content/{check_path(item.path)}")
        _hold(manifest, item.sha256, where)
        state[item.path] = item.sha256
    for path in without:
        state.pop(path, None)
    for path, data in documents.items():
        state[path] = _store_document(each, present, manifest, version, check_path(path), data)
    if each.inventory is not None and state == each.state:
        return None
    try:
        _claim_strangers(each, present, manifest, state)
        described = {"created": created, "message": message, "state": _by_digest(state), "user": _USER}
        inventory = _next(each, manifest, described)
    except (ValueError, DamageError) as error:
        raise SinkError(
            f"{version} of {each.name} would not be a valid object: {error}",
            hint="nothing was changed; this is a fault of this program, please report it",
        ) from error
    return _write(each, inventory)


def _listed(each: OcflObject) -> Iterator[str]:
    return (stat.path.removeprefix(each.prefix) for stat in each.sink.list(each.prefix))


def _present(each: OcflObject, present: frozenset[str], path: str) -> str:
    """Return a path that is about to be named, if something is there."""
    if path not in present:
        raise SinkError(
            f"sink {each.sink.context.name} lost {each.prefix}{path} since it was put there",
            hint="is another program changing the archive? Run again: the file is fetched once more",
        )
    return path


def _next(
    each: OcflObject, manifest: Mapping[str, tuple[str, ...]], described: Mapping[str, Any]
) -> Inventory:
    versions = each.inventory.versions if each.inventory else {}
    object_id = each.inventory.object_id if each.inventory else _URN + each.name
    version = f"v{each.head + 1}"
    made = Inventory(object_id, each.head + 1, manifest, {**versions, version: described})
    # Never commit what could not be read back.
    return Inventory.parse(made.to_bytes(), f"the inventory of {version} of {each.name}")


def _hold(manifest: dict[str, tuple[str, ...]], digest: str, path: str) -> None:
    held = manifest.get(digest, ())
    if path not in held:
        manifest[digest] = (*held, path)


def _store_document(
    each: OcflObject,
    present: frozenset[str],
    manifest: dict[str, tuple[str, ...]],
    version: str,
    path: str,
    data: bytes,
) -> str:
    """Create a document unless its bytes are held already; give its SHA-256."""
    document = blob(data)
    # There from before, or made for this very version under another name.
    held = [
        each
        for each in manifest.get(document.sha256, ())
        if each in present or each.startswith(f"{version}/")
    ]
    if not held:
        # A killed run may have left another state of it there: that is claimed, ours goes beside it.
        # OCFL allows a content path unlike the logical one: metadata/event.json → metadata/event.json.1
        for copy in range(_COPIES):
            where = f"{version}/content/{path}" + (f".{copy}" if copy else "")
            if _create_or_same(each.sink, each.prefix + where, document):
                _hold(manifest, document.sha256, where)
                break
        else:
            raise SinkError(
                f"{each.prefix}{version}/content/{path} has {_COPIES} torn copies in sink "
                f"{each.sink.context.name}",
                hint="see whether that disk is failing",
            )
    return document.sha256


def _create_or_same(sink: Sink[Any], path: str, document: Blob) -> bool:
    """Create a value; say whether it is there now, be it from before."""
    try:
        sink.create(path, document)
    except ExistsError:
        return digest(sink, path) == document.sha256
    return True


def _create_same(sink: Sink[Any], path: str, document: Blob) -> None:
    if not _create_or_same(sink, path, document):
        raise ExistsError(
            f"{path} is there in sink {sink.context.name} and holds something else",
            hint="is another program writing to the archive?",
        )


def _claim_strangers(
    each: OcflObject, present: Iterable[str], manifest: dict[str, tuple[str, ...]], state: dict[str, str]
) -> None:
    """Take in content that no inventory names: of a killed run, or of one that wrote after its lease."""
    content = Tree(path for paths in manifest.values() for path in paths)
    logical, held = Tree(state), set(state.values())
    for path in sorted(present):
        version, _, rest = path.partition("/content/")
        if not rest or not 0 < version_number(version) <= each.head + 1 or not content.fits(path):
            continue
        content.add(path)
        found = digest(each.sink, each.prefix + path)
        _hold(manifest, found, path)
        if found not in held:
            held.add(found)
            name = f"{UNCLAIMED}{version}/{rest}"
            logical.add(name)
            state[name] = found


def _by_digest(state: Mapping[str, str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for path in sorted(state):
        grouped.setdefault(state[path], []).append(path)
    return {digest: grouped[digest] for digest in sorted(grouped)}


def _write(each: OcflObject, inventory: Inventory) -> OcflObject:
    sink, data = each.sink, inventory.to_bytes()
    commit_point = blob(data)
    _cover_head(each)
    _declare(sink, *DECLARATION)
    _declare(sink, f"{each.prefix}0=ocfl_object_1.1", b"ocfl_object_1.1\n")
    sink.flush()
    _commit_point(each, f"v{inventory.head}/{_INVENTORY}", commit_point)
    sink.flush()
    _publish(each, f"v{inventory.head}/", data, commit_point.sha256)
    sink.flush()
    files = {stat.path.removeprefix(each.prefix): stat for stat in sink.list(each.prefix)}
    return OcflObject(sink, each.name, files, inventory, commit_point.sha256)


def _cover_head(each: OcflObject) -> None:
    """Let our flush cover what a run that was killed right after its commit did not come to sync.

    A power cut in the middle of the next commit is told from damage by the root's copy being whole.
    """
    for directory in ("", f"v{each.head}/"):
        for name in (directory + _INVENTORY, directory + _SIDECAR):
            if name in each.files:
                each.sink.cover(each.prefix + name)


def _commit_point(each: OcflObject, path: str, inventory: Blob) -> None:
    torn = each.files.get(path)
    try:
        if torn is None:
            each.sink.create(each.prefix + path, inventory)
        else:  # left by a power cut in the middle of a commit: see _behind_root
            each.sink.replace(each.prefix + path, inventory, expected=torn.token)
    except (ExistsError, ConflictError) as error:
        # A sink that retried after a time-out may have met its own write.
        if digest(each.sink, each.prefix + path) != inventory.sha256:
            raise ConflictError(
                f"another run committed v{each.head + 1} of {each.name} first",
                hint="run again: what this run stored is kept and taken in",
            ) from error


def _declare(sink: Sink[Any], path: str, data: bytes) -> None:
    # Read, not only looked for: a power cut can leave it torn, and what a killed run did not come to
    # sync has to be covered by our flush.
    if not _create_or_same(sink, path, blob(data)):
        sink.replace(path, blob(data))


def _publish(each: OcflObject, directory: str, data: bytes, digest: str) -> None:
    sidecar = blob(f"{digest} {_INVENTORY}\n".encode())
    each.sink.replace(each.prefix + directory + _SIDECAR, sidecar)
    each.sink.replace(each.prefix + _INVENTORY, blob(data))
    each.sink.replace(each.prefix + _SIDECAR, sidecar)
