"""What lies in a public sink and is not cleared any more: nothing is deleted there by this program.

A sink has no delete. New versions, pages and the catalog do not name it any more; the bytes of earlier
versions stay until a person removes them, and this says which they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archiver.archive import Head
from archiver.inventory import version_number
from archiver.ocfl import OcflObject
from archiver.replicate.needs import DERIVED, METADATA

#: In the message of a version that names less than the one before, because consent was withdrawn.
WITHDRAWN = "consent withdrawn"


def find(head: Head) -> list[str]:
    """Name the paths of a public sink that hold what is not cleared any more, in order."""
    found = sorted(path for each in head.objects.values() for path in _of_object(each))
    if not found:
        return []
    return [*found, *_derived(head)]


def _of_object(each: OcflObject) -> Iterator[str]:
    """Name stale content, and the metadata of versions up to the last from which something was withdrawn."""
    inventory = each.inventory
    if inventory is None:
        return
    notes = {
        number: str(inventory.versions[f"v{number}"].get("message", "")) for number in range(1, each.head + 1)
    }
    last = max((number for number, message in notes.items() if WITHDRAWN in message), default=0)
    held = set(each.state.values())
    for digest, paths in inventory.manifest.items():
        for path in paths:
            version, _, logical = path.partition("/content/")
            named = digest in held if logical.startswith(METADATA) else logical in each.state
            old = version_number(version) < last or not logical.startswith(METADATA)
            if path in each.files and old and not named:
                yield each.prefix + path


def _derived(head: Head) -> Iterator[str]:
    """Name texts and pictures made of files that no newest version names."""
    held = {digest for each in head.objects.values() for digest in each.state.values()}
    for path in sorted(stat.path for stat in head.sink.list(DERIVED)):
        if path.removeprefix(DERIVED).partition("/")[0] not in held:
            yield path


def told(paths: Sequence[str]) -> str:
    """Say it in words that follow the sink's name."""
    files = "1 file" if len(paths) == 1 else f"{len(paths)} files"
    return (
        f"still has {files} of what is not cleared any more, such as {paths[0]}: "
        "`archive consent left` names them all, and says how to remove them"
    )
