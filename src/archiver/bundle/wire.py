"""A bundle as one JSON file: written within its bounds, read as the word of a stranger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from archiver import __version__, vetting
from archiver.bundle.model import Bundle, Item, Refused
from archiver.errors import ConfigError, FatalError
from archiver.inventory import UNREADABLE
from archiver.ledger import Key, material_from_json, material_to_json

FORMAT, VERSION = "archive-handoff", 1
#: Bounds of a bundle; what does not fit waits for the next one. Bytes, and entries of each list.
MAX_BYTES, MAX_ITEMS, MAX_LISTINGS = 32 << 20, 50_000, 1_000

_MAX_NAME, _MAX_DETAIL = 200, 2_000


def dump(bundle: Bundle) -> tuple[bytes, int]:
    """Write a bundle within the bounds; give its bytes, and how many items did not fit in."""
    room = MAX_BYTES - (1 << 20)  # what stands around the items
    lines: list[str] = []
    for item in bundle.items[:MAX_ITEMS]:
        # Plain ASCII: one character is one byte, and a file name that is no UTF-8 stays as it is.
        line = json.dumps(_item_to_json(item), sort_keys=True)
        room -= len(line) + 2
        if room < 0:
            break
        lines.append(line)
    left_out = len(bundle.items) - len(lines)
    head = {
        "format": FORMAT,
        "version": VERSION,
        "made": bundle.made,
        "program": __version__,
        "archive": bundle.title[: vetting.MAX_TITLE],
        "left_out": left_out,
        "listings": [_about(each) for each in bundle.listings[:MAX_LISTINGS]],
    }
    text = json.dumps(head)[:-1] + ', "items": [\n' + ",\n".join(lines) + "\n]}\n"
    return text.encode("ascii"), left_out


def _about(each: Item | Refused) -> dict[str, Any]:
    about = {"source": each.source, "type": each.type_name, "reason": each.reason}
    return {**about, "detail": each.detail[: _MAX_DETAIL // 2]}


def _item_to_json(item: Item) -> dict[str, Any]:
    return {**_about(item), "material": material_to_json(item.material)}


def load(path: Path) -> Bundle:
    """Read a bundle. Raises `ConfigError` for anything else, for one too large, and for a newer version."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        hint = "make one with `archive handoff` on the machine that was refused"
        raise ConfigError(f"the bundle {path} cannot be read: {error.strerror}", hint=hint) from error
    return parse(data, str(path))


def parse(data: bytes, where: str) -> Bundle:
    """Read the bytes of a bundle, checked and bounded. Raises `ConfigError` naming `where`."""
    if len(data) > MAX_BYTES:
        raise _wrong(where, f"it is larger than {MAX_BYTES >> 20} MiB")
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError) as error:  # "[[[[…" is too deep for the parser
        raise _wrong(where, "it is no JSON") from error
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise _wrong(where, f'it does not say "format": "{FORMAT}"')
    _check_version(whole.get("version"), where)
    return Bundle(
        _text(whole.get("archive", ""), vetting.MAX_TITLE, where, "archive"),
        _text(whole.get("made", ""), _MAX_NAME, where, "made"),
        _distinct(
            _item(each, f"{where}, item {n}") for n, each in _entries(whole, "items", MAX_ITEMS, where)
        ),
        tuple(
            _listing(each, f"{where}, listing {n}")
            for n, each in _entries(whole, "listings", MAX_LISTINGS, where)
        ),
        left_out=_count(whole.get("left_out", 0)),
    )


def _wrong(where: str, why: str) -> ConfigError:
    return ConfigError(
        f"{where} is no bundle that can be used: {why}",
        hint="make it again with `archive handoff` on the machine that was refused",
    )


def _check_version(version: object, where: str) -> None:
    if type(version) is not int or version < 1:
        raise _wrong(where, "it has no version")
    if version > VERSION:
        raise ConfigError(
            f"{where} is a bundle of version {version}; this program reads up to {VERSION}",
            hint="update the program: pip install --upgrade event-archiver",
        )


def _entries(whole: Mapping[str, Any], name: str, limit: int, where: str) -> Iterator[tuple[int, Any]]:
    entries = whole.get(name, [])
    if not isinstance(entries, list) or len(entries) > limit:
        raise _wrong(where, f'"{name}" is no list of at most {limit:,} entries')
    return enumerate(entries, 1)


def _text(value: object, limit: int, where: str, name: str) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise _wrong(where, f'"{name}" is no text of at most {limit:,} characters')
    return value


def _count(value: object) -> int:
    return value if type(value) is int and value >= 0 else 0


def _named(data: Any, where: str) -> tuple[str, str, str, str]:
    if not isinstance(data, Mapping):
        raise _wrong(where, "it is no object")
    texts = [_text(data.get(name, ""), _MAX_NAME, where, name) for name in ("source", "type", "reason")]
    if not all(texts):
        raise _wrong(where, "it lacks its source, its type or the reason")
    return texts[0], texts[1], texts[2], _text(data.get("detail", ""), _MAX_DETAIL, where, "detail")


def _listing(data: Any, where: str) -> Refused:
    return Refused(*_named(data, where))


def _item(data: Any, where: str) -> Item:
    source, type_name, reason, detail = _named(data, where)
    try:
        material = vetting.material(material_from_json(data["material"]))
    except FatalError as error:
        raise _wrong(where, error.message) from error
    except UNREADABLE as error:
        raise _wrong(where, f"its material cannot be read ({type(error).__name__})") from error
    if not material.event:
        raise _wrong(where, "its material belongs to no event")
    return Item(source, type_name, material, reason, detail)


def _distinct(items: Iterable[Item]) -> tuple[Item, ...]:
    """Keep one of each, the first."""
    found: dict[Key, Item] = {}
    for item in items:
        found.setdefault(item.key, item)
    return tuple(found.values())
