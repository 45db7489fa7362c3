"""What lies in a sink, and what all of it has to be: listed once, read as little as possible."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from archiver import derive, heads, ocfl, pages, seal
from archiver.archive import RUNS
from archiver.catalog.serving import CATALOG
from archiver.contracts import Sink, Stat
from archiver.journal import PREFIX as JOURNAL
from archiver.verify.findings import Finding, What
from archiver.verify.items import Item
from archiver.verify.objects import Judged, judge

DERIVED = "derived/"
_DERIVED = re.compile(r"derived/([0-9a-f]{64})/[^/]+")
#: What is written anew by every run, or belongs to one that is going on: nothing in it is kept.
_PASSING = (".lease", ".probe/", "tmp/")
_AGAIN = "run again, with: archive run; what it had stored is taken over"
_CLAIMED = "nothing has to be done: the next version of that event takes it in"


@dataclass
class Survey:
    """All that is to be proven in one sink, and what was seen to be wrong on the way.

    `kin` says that it has the same documents as the sink it is compared with: both are internal. Of a
    public sink only bytes that a digest asks for are of use to others, and the other way round.
    """

    name: str
    sink: Sink[Any]
    objects: dict[str, Judged] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    kin: bool = True


def survey(name: str, sink: Sink[Any], only: Iterable[str] = ()) -> Survey:
    """List a sink and read the inventories in it. `only` names the objects to look at, else all there is.

    Raises `SinkError` when the sink cannot be listed.
    """
    wanted = frozenset(only)
    noted = heads.noted(sink).newest
    found, objects, outside = Survey(name, sink), dict[str, dict[str, Stat]](), dict[str, Stat]()
    for stat in sink.list(ocfl.ROOT if wanted else ""):
        at, slash, rest = stat.path.removeprefix(ocfl.ROOT).partition("/")
        if stat.path.startswith(ocfl.ROOT) and slash and ocfl.is_object_name(at):
            objects.setdefault(at, {})[rest] = stat
        else:
            outside[stat.path] = stat
    for each in sorted(objects):
        if not wanted or each in wanted:
            _take(found, judge(sink, each, objects[each]))
    _miss(found, {name: each for name, each in noted.items() if not wanted or name in wanted})
    if wanted:
        outside = _derived_of(sink, found)
    _outside(found, outside, everything=not wanted)
    return found


def _take(found: Survey, judged: Judged) -> None:
    found.objects[judged.name] = judged
    found.items += judged.items
    for path in judged.unnamed:
        detail = "no inventory of its object names it"
        found.findings.append(Finding(found.name, path, What.UNNAMED, detail, _CLAIMED))
    if judged.trouble:
        hint = "restore the object from another sink: archive verify --repair"
        path = f"{judged.prefix}inventory.json"
        found.findings.append(Finding(found.name, path, What.DAMAGED, judged.trouble, hint))


def _miss(found: Survey, noted: Mapping[str, heads.Newest]) -> None:
    """Find the objects of which the newest version is gone. One that is known to be damaged is not missed."""
    troubled = {name for name, each in found.objects.items() if each.trouble}
    known = {name: each.inventory for name, each in found.objects.items() if each.inventory}
    strangers = {name for name, inventory in known.items() if inventory.object_id != ocfl.id_of(name)}
    present = {
        name: heads.Newest(known[name].head, found.objects[name].digest) for name in known.keys() - strangers
    }
    expected = {name: each for name, each in noted.items() if name not in troubled}
    for loss in heads.losses(found.sink, expected, present, strangers):
        judged = found.objects.setdefault(loss.name, Judged(loss.name, {}))
        judged.trouble = str(loss)
        path = f"{judged.prefix}inventory.json"
        hint = f"restore it from another sink, with: archive verify --repair; or {loss.by_hand}"
        if loss.foreign:
            hint = f"move {judged.prefix} elsewhere, then: archive verify --repair; or {loss.by_hand}"
        found.findings.append(Finding(found.name, path, What.MISSING, judged.trouble, hint))


def _derived_of(sink: Sink[Any], found: Survey) -> dict[str, Stat]:
    """Look for what was derived from the files of the objects at hand."""
    digests = {
        digest for each in found.objects.values() if each.inventory for digest in each.inventory.manifest
    }
    return {
        stat.path: stat
        for stat in sink.list(DERIVED)
        if stat.path.removeprefix(DERIVED).partition("/")[0] in digests
    }


def _outside(found: Survey, files: Mapping[str, Stat], *, everything: bool) -> None:
    if everything and found.objects:
        _declared(found, files)
    if everything:
        found.items += _site(found.sink, files)
    values = {path.removesuffix(seal.SUFFIX) for path in files}
    for path in sorted(values):
        if path.startswith(_PASSING) or path == ocfl.DECLARATION[0]:
            continue
        if path.startswith(ocfl.ROOT):
            _stranger(found, path if path in files else seal.of(path))
        elif path.startswith(JOURNAL) and seal.of(path) not in files:
            continue  # a segment that a run was still writing: whoever reads it proves what it names
        elif _is_sealed(path):
            found.items.append(_sealed(path, files))


def _declared(found: Survey, files: Mapping[str, Stat]) -> None:
    """See whether the storage root says what it is: the first commit writes that, before its inventory.

    Where nothing is committed, it may be missing or torn: a first run was cut off, or goes on.
    """
    path, data = ocfl.DECLARATION
    if path in files or any(each.inventory or each.trouble for each in found.objects.values()):
        found.items.append(Item.of(path, data, ""))
        return
    detail = "the first run was cut off before it committed anything"
    found.findings.append(Finding(found.name, path, What.UNFINISHED, detail, _AGAIN))


def _site(sink: Sink[Any], files: Mapping[str, Stat]) -> Iterator[Item]:
    """Name the pages, as the last finished build wrote them."""
    for path, digest in pages.digests(sink).items():
        stat = files.get(path)
        key = hashlib.sha256(path.encode()).hexdigest()
        yield Item(path, "", stat.size if stat else 0, frozenset([digest]), key=key)


def _stranger(found: Survey, path: str) -> None:
    detail = "it belongs to no object"
    found.findings.append(
        Finding(found.name, path, What.UNNAMED, detail, "move it elsewhere if it is not yours")
    )


def _is_sealed(path: str) -> bool:
    if path in {CATALOG, heads.PATH} or _DERIVED.fullmatch(path) or path.startswith(pages.STATE):
        return True
    return path.startswith((RUNS, JOURNAL)) and path.endswith((".json", ".jsonl"))


def _sealed(path: str, files: Mapping[str, Stat]) -> Item:
    stat = files.get(path)
    created = f"{datetime.fromtimestamp(stat.modified, UTC):%Y-%m-%dT%H:%M:%SZ}" if stat else ""
    sealed = seal.of(path) if seal.of(path) in files else ""
    source = _DERIVED.fullmatch(path)
    # Who deletes the catalog or the site gets another one from the next run.
    item = Item(
        path,
        "",
        stat.size if stat else 0,
        seal=sealed,
        created=created,
        late=path == CATALOG or path.startswith(pages.STATE),
    )
    # The extracted text is looked at together with its file.
    return item if source is None else Item(**{**_fields(item), "key": source[1]})


def _fields(item: Item) -> dict[str, Any]:
    return {name: getattr(item, name) for name in Item.__slots__}


def contents(surveys: Iterable[Survey], digest: str) -> Iterator[tuple[Survey, str]]:
    """Name every place, in any sink, where an inventory says that these bytes lie."""
    for each in surveys:
        for judged in each.objects.values():
            for path in judged.inventory.manifest.get(digest, ()) if judged.inventory else ():
                yield each, judged.prefix + path


def is_removed(found: Survey, item: Item) -> bool:
    """Say whether a value is not there, and no newest version needs it: in a public sink that is right."""
    judged = found.objects.get(item.group)
    if judged is None or judged.inventory is None or not item.is_content:
        return False
    if item.path.removeprefix(judged.prefix) in judged.files:
        return False
    (digest,) = item.digests
    needed = digest in judged.inventory.state.values()
    return not needed or not judged.files.keys().isdisjoint(judged.inventory.manifest[digest])


def recipe_of(path: str) -> str:
    """Give the digest of the file that a derived value was made of, when this program can make it again."""
    found = _DERIVED.fullmatch(path)
    return found[1] if found and path == derive.path(found[1]) else ""
