"""What of an event is handed over, and under which names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archiver.crate import Held, Placed, held
from archiver.export.names import Names, extension, readable
from archiver.ledger import Record


def chosen(records: Iterable[Record], *, all_editions: bool) -> list[Held]:
    """Choose the editions and place their files in a folder per kind, with readable names.

    A material of one file is called by its title; one of several gets a folder of that name. What was
    taken down is left out. The same records give the same names, in whatever order they come.
    """
    return list(_placed(records, all_editions=all_editions))


def _placed(records: Iterable[Record], *, all_editions: bool) -> Iterator[Held]:
    names, seen = Names(), set[str]()
    for each in sorted(held(records), key=_order):
        if not each.current and not all_editions:
            continue
        # Two sources of one type may bring the same file: it is stored once.
        fresh = [placed for placed in each.files if placed.path not in seen]
        seen.update(placed.path for placed in fresh)
        if fresh:
            yield Held(each.record, tuple(_named(each, fresh, names)), each.current)


def _order(each: Held) -> tuple[str, str, bool, str, str]:
    material = each.record.material
    return (material.kind.value, material.title, not each.current, material.id, each.record.source)


def _named(each: Held, files: list[Placed], names: Names) -> Iterator[Placed]:
    kind, title = each.record.material.kind.value, _title(each, files[0])
    if len(files) == 1:
        yield Placed(names.path(kind, title, extension(files[0].path)), files[0].file)
        return
    folder = names.path(kind, title)
    for placed in files:
        name = readable(placed.file.label) or title
        yield Placed(names.path(folder, name, extension(placed.path)), placed.file)


def _title(each: Held, first: Placed) -> str:
    stem = first.path.rpartition("/")[2].removesuffix(extension(first.path))
    title = readable(each.record.material.title) or readable(stem) or "untitled"
    return title if each.current else f"{title} (other edition)"
