"""Make one new version of an object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archiver import __version__
from archiver.contracts import Blob, Sink
from archiver.errors import ConflictError, DamageError, ExistsError, SinkError
from archiver.inventory import Inventory, Tree, version_number
from archiver.naming import check_path
from archiver.ocfl.publishing import cover_head, create_or_same, publish
from archiver.ocfl.reading import INVENTORY
from archiver.ocfl_object import OcflObject, blob, digest

#: Where files appear that no inventory named, in the state of the version that took them in.
UNCLAIMED = "_unclaimed/"
#: The file that says what the storage root is, and what it holds.
DECLARATION = ("ocfl/0=ocfl_1.1", b"ocfl_1.1\n")
_URN = "urn:x-event-archive:"
_USER = {"name": f"event-archiver {__version__}", "address": "urn:x-event-archiver"}
#: Torn copies of one document that killed runs may leave in one version before we give up.
_COPIES = 100


def id_of(name: str) -> str:
    """Give the id that the object of this name has in its inventory: its own, wherever it is moved to."""
    return _URN + name


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

    Content that a late writer left in a committed version is taken in, which is a change too.

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
    strangers = _strangers(each, present, manifest)
    if each.inventory and state == each.state and not any(_is_late(each, path) for path in strangers):
        return None
    try:
        _claim(each, strangers, manifest, state)
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
    object_id = each.inventory.object_id if each.inventory else id_of(each.name)
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
            if create_or_same(each.sink, each.prefix + where, document):
                _hold(manifest, document.sha256, where)
                break
        else:
            raise SinkError(
                f"{each.prefix}{version}/content/{path} has {_COPIES} torn copies in sink "
                f"{each.sink.context.name}",
                hint="see whether that disk is failing",
            )
    return document.sha256


def _strangers(each: OcflObject, present: Iterable[str], manifest: Mapping[str, Sequence[str]]) -> list[str]:
    """Name content that no inventory names, of any version up to the one that is being made.

    A killed run has left it, or one that went on writing when its lease had lapsed. Names that we would
    not give, such as `a:b`, are somebody else's.
    """
    named = {path for paths in manifest.values() for path in paths}
    unnamed = [path for path in present if "/content/" in path and path not in named]
    if not unnamed:
        return []
    content, found = Tree(named), []
    for path in sorted(unnamed):
        version, _, rest = path.partition("/content/")
        if rest and 0 < version_number(version) <= each.head + 1 and content.fits(path):
            content.add(path)
            found.append(path)
    return found


def _is_late(each: OcflObject, stranger: str) -> bool:
    """Say whether content came to a version that was committed already: until it is named, that is invalid.

    Under the version to come it is no fault: the next run that stores the same takes it over.
    """
    return version_number(stranger.partition("/")[0]) <= each.head


def _claim(
    each: OcflObject, strangers: Iterable[str], manifest: dict[str, tuple[str, ...]], state: dict[str, str]
) -> None:
    """Take in content that no inventory names."""
    logical, held = Tree(state), set(state.values())
    for path in strangers:
        found = digest(each.sink, each.prefix + path)
        _hold(manifest, found, path)
        if found not in held:
            held.add(found)
            version, _, rest = path.partition("/content/")
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
    cover_head(each)
    _declare(sink, *DECLARATION)
    _declare(sink, f"{each.prefix}0=ocfl_object_1.1", b"ocfl_object_1.1\n")
    sink.flush()
    _commit_point(each, f"v{inventory.head}/{INVENTORY}", commit_point)
    sink.flush()
    publish(each, f"v{inventory.head}/", data, commit_point.sha256)
    sink.flush()
    files = {stat.path.removeprefix(each.prefix): stat for stat in sink.list(each.prefix)}
    return OcflObject(sink, each.name, files, inventory, commit_point.sha256)


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
    if not create_or_same(sink, path, blob(data)):
        sink.replace(path, blob(data))
