"""Find the material that a person names, in whatever way they name it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from archiver.decisions import short_id
from archiver.explain.model import Found, Knowledge
from archiver.ledger import Record, StoredFile

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SHORT = re.compile(r"[0-9a-f]{4,12}")


def find(what: str, known: Knowledge, folder: Path) -> list[Found]:
    """Find what a person names; `folder` is where relative paths begin. The first way that finds decides.

    Raises `OSError` when a file of that name cannot be read.
    """
    for way in (_by_id, _by_address, _by_stored_path, _by_file, _by_digest, _by_short):
        found = list(way(what, known, folder))
        if found:
            return found
    return []


def _by_id(what: str, known: Knowledge, folder: Path) -> Iterator[Found]:
    del folder
    yield from (Found(each, None, "its id") for each in known.records if each.material.id == what)
    yield from (each for each in _forgotten(known, "its id") if each.decision and each.decision.id == what)


def _by_address(what: str, known: Knowledge, folder: Path) -> Iterator[Found]:
    del folder
    if "://" in what:
        wanted = _plain_address(what)
        for each in known.records:
            if each.material.url and _plain_address(each.material.url) == wanted:
                yield Found(each, None, "its address")


def _plain_address(url: str) -> str:
    """Bring an address into the form that is compared: without scheme, `www.`, fragment and last slash."""
    rest = url.partition("://")[2].partition("#")[0].rstrip("/")
    host, slash, path = rest.partition("/")
    return host.casefold().removeprefix("www.") + slash + path


def _by_stored_path(what: str, known: Knowledge, folder: Path) -> Iterator[Found]:
    """Take a path in a sink, one below a sink's folder, one within an event, or the bare name of a file."""
    plain = {what, *_below_roots(what, known, folder)}
    for record in known.records:
        for file in _every_file(record):
            names = {file.path, file.path.rpartition("/")[2], *_places(record, file, known)}
            if plain & names:
                yield Found(record, None, "the path of its file", file)


def _below_roots(what: str, known: Knowledge, folder: Path) -> Iterator[str]:
    path = (folder / what).resolve()
    for head in known.heads.values():
        root = head.sink.local_root
        if root is not None and path.is_relative_to(root.resolve()):
            yield path.relative_to(root.resolve()).as_posix()


def _places(record: Record, file: StoredFile, known: Knowledge) -> Iterator[str]:
    for head in known.heads.values():
        target = head.object(record.material.event)
        if target.inventory:
            for path in target.inventory.manifest.get(file.sha256, ()):
                yield target.prefix + path


def _by_file(what: str, known: Knowledge, folder: Path) -> Iterator[Found]:
    path = folder / what
    if not path.is_file():
        return
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    yield from _of_digest(digest.hexdigest(), known, "the bytes of that file")


def _by_digest(what: str, known: Knowledge, folder: Path) -> Iterator[Found]:
    """Take a SHA-256, also as the folder of what was derived: derived/<sha256>/text."""
    del folder
    for digest in _DIGEST.findall(what.casefold()):
        yield from _of_digest(digest, known, "the SHA-256 of its file")


def _of_digest(digest: str, known: Knowledge, by: str) -> Iterator[Found]:
    for record in known.records:
        file = next((file for file in _every_file(record) if file.sha256 == digest), None)
        if file is not None:
            yield Found(record, None, by, file)


def _every_file(record: Record) -> Iterator[StoredFile]:
    yield from record.files
    for edition in record.earlier:
        yield from edition.files


def _by_short(what: str, known: Knowledge, folder: Path) -> Iterator[Found]:
    """Take the begin of a short id, as `archive matches list` shows it, or the mark in a file's name.

    "second/3f9a2c41" is the copy of one event.
    """
    del folder
    event, slash, wanted = what.casefold().rpartition("/")
    if not _SHORT.fullmatch(wanted):
        return
    for record in known.records:
        if slash and record.material.event != event:
            continue
        marked = (file for file in _every_file(record) if f"-{wanted}." in file.path and len(wanted) == 12)
        if short_id(record.type_name, record.material.id).startswith(wanted):
            yield Found(record, None, "its id")
        elif file := next(marked, None):
            yield Found(record, None, "the mark in the name of its file", file)
    for each in _forgotten(known, "its id"):
        meant = each.decision and (not slash or each.decision.within == event)
        if meant and each.decision and short_id(*each.decision.item).startswith(wanted):
            yield each


def _forgotten(known: Knowledge, by: str) -> Iterator[Found]:
    """Give what was decided about and is in no ledger: rejected before anything of it was stored."""
    listed = {(record.type_name, record.material.id) for record in known.records}
    there = {(record.material.event, record.type_name, record.material.id) for record in known.records}
    for decision in known.router.decisions.held:
        places = {(decision.within, *decision.item), (decision.event, *decision.item)}
        if decision.item not in listed or (decision.within is not None and not places & there):
            yield Found(None, decision, by)
