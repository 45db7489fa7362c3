"""Bundles for a hand-off: what one machine could not get, for another one to fetch into the same sinks.

Sites that refuse the addresses of data centres are no loss while a person's own machine is let in. A bundle
is one JSON file that names what stayed blocked: single materials, and sources whose listing was refused. It
holds what the ledgers hold and no secrets. Whoever reads one takes it for the word of a stranger.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from archiver import __version__, vetting
from archiver.config import SourceSpec
from archiver.contracts import Source
from archiver.decisions import ACCEPTED
from archiver.errors import BlockedError, ConfigError, FatalError, GoneError, LinkOnlyError, SourceError
from archiver.inventory import UNREADABLE
from archiver.ledger import Key, Record, State, material_from_json, material_to_json
from archiver.model import Material
from archiver.plan import Plan, Work, is_settled
from archiver.redact import MASK
from archiver.report import LEFT_ALONE, Report, SourceReport
from archiver.route import REJECTED, UNROUTED, Filters, Found

FORMAT, VERSION = "archive-handoff", 1
#: Bounds of a bundle; what does not fit waits for the next one. Bytes, and entries of each list.
MAX_BYTES, MAX_ITEMS, MAX_LISTINGS = 32 << 20, 50_000, 1_000
#: Why a material is in a bundle: what a person's machine may get, and what failed otherwise.
BLOCKED = frozenset({BlockedError.reason})
FAILED = frozenset({SourceError.reason, "invalid"})

_MAX_NAME, _MAX_DETAIL = 200, 2_000
#: States that no fetch from another machine changes.
_SETTLED = frozenset({GoneError.reason, LinkOnlyError.reason, UNROUTED, REJECTED, ACCEPTED})
#: Begins the id of what is known by its address alone: nothing fetches it.
_LINK = "link:"


@dataclass(frozen=True, slots=True)
class Item:
    """One material that could not be fetched: from which source, and why not."""

    source: str
    type_name: str
    material: Material
    reason: str = BlockedError.reason
    detail: str = ""

    @property
    def key(self) -> Key:
        """The ledger's key for it."""
        return (self.material.event, self.source, self.material.id)


@dataclass(frozen=True, slots=True)
class Refused:
    """One source that could not be listed at all: what it has, nobody knows yet."""

    source: str
    type_name: str
    reason: str = BlockedError.reason
    detail: str = ""


@dataclass(frozen=True)
class Bundle:
    """What one machine could not get. `made` is UTC, RFC 3339; `left_out` is what did not fit in."""

    title: str = ""
    made: str = ""
    items: tuple[Item, ...] = ()
    listings: tuple[Refused, ...] = ()
    left_out: int = 0

    @property
    def listed(self) -> frozenset[str]:
        """Name the sources that are to be listed again."""
        return frozenset(each.source for each in self.listings)


def is_open(record: Record) -> bool:
    """Say whether a fetch from elsewhere could still help: known, wanted, and not had as it is now."""
    return (
        record.problem is not None
        and record.problem.reason not in _SETTLED
        and record.state in {State.PENDING, State.STORED}
        and bool(record.material.event)
        and not record.material.id.startswith(_LINK)
        and not is_settled(record)
    )


def gather(
    records: Iterable[Record],
    report: Mapping[str, Any],
    sources: Iterable[SourceSpec],
    reasons: Collection[str] = BLOCKED,
    events: Collection[str] = (),
) -> tuple[tuple[Item, ...], tuple[Refused, ...]]:
    """Take from the ledgers, and from the newest run report, what is to be handed off.

    `sources` are the configured ones: nothing else could be fetched anywhere. `events` are those asked for,
    all when empty.
    """
    types = {spec.name: spec.type for spec in sources}
    wanted = (record for record in records if is_open(record) and record.source in types)
    items = [
        Item(each.source, each.type_name, each.material, each.problem.reason, each.problem.detail)
        for each in wanted
        if each.problem and each.problem.reason in reasons and (not events or each.material.event in events)
    ]
    items.sort(key=lambda item: item.key)
    return tuple(items), tuple(_refused(types, report, reasons))


def _refused(
    types: Mapping[str, str], report: Mapping[str, Any], reasons: Collection[str]
) -> Iterator[Refused]:
    told = report.get("sources")
    for name, data in sorted(told.items()) if isinstance(told, Mapping) else ():
        reason = data.get("error_reason") if isinstance(data, Mapping) else None
        if name in types and isinstance(reason, str) and reason in reasons:
            yield Refused(name, types[name], reason, str(data.get("error") or ""))


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


@dataclass
class Handed:
    """What a run does about a bundle. `left` says, by source, why it leaves which of it, for people."""

    plan: Plan = field(default_factory=Plan)
    left: dict[str, list[str]] = field(default_factory=dict)

    def tell(self, report: Report) -> None:
        """Name what is left alone; the cursors that the report has from earlier runs stay."""
        for name, why in self.left.items():
            before = report.sources.get(name, SourceReport())
            told = "; ".join([*filter(None, [before.error]), *why])
            report.sources[name] = replace(before, error=told, error_reason=SourceError.reason)


@dataclass(frozen=True)
class Taking:
    """Decides which items of a bundle are fetched.

    What a ledger knows is fetched by what the ledger says of it. What no ledger knows is taken only when
    its source deals in public addresses (`Source.entry_for`) and knows this one. Otherwise a forged bundle
    could name any file of a folder, any letter of a mailbox, and have it archived. `source` gives the made
    source of a name.
    """

    sources: Sequence[SourceSpec]
    events: Collection[str]
    known: Mapping[Key, Record]
    source: Callable[[str], Source[Any, Any]]
    filters: Filters = field(default_factory=Filters)

    def take(self, bundle: Bundle, planned: Plan) -> Handed:
        """Plan the items of a bundle, beside what the listings of the same run have planned."""
        handed = Handed()
        why_not: dict[tuple[str, str], list[Item | Refused]] = {}
        types = {spec.name: spec.type for spec in self.sources}
        seen = _keys(planned)
        both: tuple[Item | Refused, ...] = (*bundle.listings, *bundle.items)
        for each in both:
            why = self._unfit(each, types)
            if why:
                why_not.setdefault((each.source, why), []).append(each)
            elif isinstance(each, Item) and each.key not in seen and self._wanted(each):
                self._plan(each, handed.plan)
        for (source, why), these in why_not.items():
            handed.left.setdefault(source, []).append(_told(why, these))
        if self.filters.limit is not None:
            del handed.plan.work[max(0, self.filters.limit - len(planned.work)) :]
        return handed

    def _unfit(self, each: Item | Refused, types: Mapping[str, str]) -> str:
        """Say why this machine leaves it; "" when it can be done here."""
        if each.source not in types:
            return "no source of this name is configured here"
        if types[each.source] != each.type_name:
            return f"it is of type {types[each.source]} here, and of type {each.type_name} in the bundle"
        if isinstance(each, Refused):
            return ""
        if each.material.event not in self.events:
            return f"there is no event {each.material.event!r:.60} in the configuration"
        if each.key in self.known or self._recognises(each.source, each.material.url):
            return ""
        return "no sink here knows of it, and its address is none that the source knows"

    def _recognises(self, name: str, url: str) -> bool:
        try:
            return bool(url) and self.source(name).entry_for(url) is not None
        except Exception:  # noqa: BLE001  # a plugin may raise anything: then it does not know it
            return False

    def _wanted(self, item: Item) -> bool:
        return self.filters.takes(item.material.event, item.source, item.material.kind)

    def _plan(self, item: Item, result: Plan) -> None:
        record = self.known.get(item.key)
        if record is None:
            result.work.append(Work(Found(item.source, item.type_name, item.material, "bundle"), "new"))
            return
        found = Found(item.source, record.type_name, record.material, "bundle")
        if is_open(record):
            result.work.append(Work(found, "retry"))
        else:
            result.same.append(found)  # stored meanwhile, taken down, or gone: it stays as it is


def _keys(planned: Plan) -> set[Key]:
    found = (*planned.same, *planned.obstacles, *(work.found for work in planned.work))
    return {each.key for each in found} | {change.key for change in planned.changes}


def _told(why: str, these: Sequence[Item | Refused]) -> str:
    items = [each for each in these if isinstance(each, Item)]
    number = "1 item" if len(items) == 1 else f"{len(items):,} items"
    waits = f"{number} of the bundle" if items else "its listing"
    return f"{waits} {LEFT_ALONE}: {why}"


def masked(bundle: Bundle, mask: Callable[[str], str]) -> Bundle:
    """Take secrets out of what was told of each: services quote addresses in what they answer."""
    return replace(
        bundle,
        items=tuple(replace(each, detail=mask(each.detail)) for each in bundle.items),
        listings=tuple(replace(each, detail=mask(each.detail)) for each in bundle.listings),
    )


def own_addresses(options: Iterable[BaseModel]) -> tuple[str, ...]:
    """Give the addresses that a configuration sets for services: a private mirror stays private."""
    found: set[str] = set()
    for each in options:
        for name in each.model_fields_set:
            value = getattr(each, name, "")
            if name.endswith("base_url") and isinstance(value, str):
                found.add(value)
            elif name == "mirrors" and isinstance(value, Mapping):
                found.update(map(str, value.values()))
    return tuple(sorted(filter(None, found), key=len, reverse=True))


def without(addresses: Iterable[str], text: str) -> str:
    """Take addresses out of a message."""
    for address in addresses:
        text = text.replace(address, MASK)
    return text
