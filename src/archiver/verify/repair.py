"""Make damaged values right again: from what follows by itself, or from a copy whose own digest proves it.

Never by a vote: two equal copies that no digest proves are two wrong ones. Where no copy proves right, the
damaged value stays as it is, and is named.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from archiver import examine, heads, index, ocfl, pages, previews, seal
from archiver.archive import COMMON, RUNS, Head, look
from archiver.asked import Asks
from archiver.catalog.serving import CATALOG
from archiver.config import Config
from archiver.contracts import Sink
from archiver.errors import ArchiverError, SinkError
from archiver.inventory import version_number
from archiver.journal import PREFIX as JOURNAL
from archiver.ledger import StoredFile
from archiver.verify import fetching
from archiver.verify.findings import Finding, What
from archiver.verify.items import Item
from archiver.verify.objects import inventory_at, sidecar
from archiver.verify.survey import DERIVED, Survey, contents, recipe_of

_LEFT_ALONE = frozenset({What.UNNAMED, What.OFFLINE})
_NO_COPY = "no copy in any sink has the right SHA-256: restore this file from a backup of your own"
_NO_REPORT = "no other sink has it: it only says what that run did; delete it and its .sha256 file"


class CannotError(Exception):
    """There is nothing that this could be made right from; the message is the next step for the user."""


class Mender:
    """Repairs one sink, which this process holds the lease of.

    `others` gives what the other sinks hold, read when first needed. `staging` is where copies go on the way.
    `asks` are told of on the pages.
    """

    def __init__(
        self,
        here: Survey,
        others: Callable[[], Sequence[Survey]],
        config: Config,
        staging: Path | None,
        asks: Callable[[Head], Asks],
    ) -> None:
        self._here, self._config, self._staging, self._asks = here, config, staging, asks
        self._site: frozenset[str] = frozenset()
        self._others_of = others
        self._texts_changed = False
        self._sink = here.sink
        self._items = {path: item for item in here.items for path in (item.path, item.seal) if path}

    def mend_all(self, findings: Iterable[Finding]) -> None:
        """Repair what can be, in the order in which one thing is made of the other.

        Sets `repaired` of each finding, or else `hint`.
        """
        found = sorted(findings, key=lambda each: _rank(each.path))
        self._site = frozenset(each.path for each in found if _is_of_site(each.path))
        for finding in found:
            self._mend_one(finding)
        if self._texts_changed:
            # A run may have built it from a text that was damaged already.
            with suppress(CannotError, SinkError):
                index.rebuild(self._head, self._config)
                if pages.forget_origins(self._sink):
                    pages.build(self._head, self._config, self._asks(self._head))

    def _mend_one(self, finding: Finding) -> None:
        if finding.what in _LEFT_ALONE:
            return
        item = self._items.get(finding.path)
        if item is None:
            return
        try:
            finding.repaired = self._mend(item)
            self._texts_changed |= item.path.startswith(DERIVED)
        except (CannotError, SinkError) as error:
            finding.hint = str(error)  # the others may still be restored

    @cached_property
    def _others(self) -> Sequence[Survey]:
        return self._others_of()

    @cached_property
    def _head(self) -> Head:
        # Read only now: what it needs has been repaired by then.
        try:
            return look(self._here.name, self._sink)
        except ArchiverError as error:
            raise CannotError(f"first see to the rest of this sink: {error.message}") from error

    @cached_property
    def _site_made(self) -> str:
        """Write all pages again that are not as they were written. Raises `CannotError`, `SinkError`."""
        pages.forget(self._sink, self._site)
        pages.build(self._head, self._config, self._asks(self._head))
        return "made again from the archive"

    def _mend(self, item: Item) -> str:
        if _is_of_site(item.path):
            return self._site_made
        if item.data is not None:
            fetching.put_bytes(self._sink, item.path, item.data)
            return "written again: what it says follows from the rest"
        if item.twin and item.twin != item.path:
            return self._content(item, [(self._here, item.twin)])
        if item.path.startswith(ocfl.ROOT):
            return self._version(item) if item.seal else self._content(item, self._copies(item))
        return self._sealed(item)

    def _copies(self, item: Item) -> Sequence[tuple[Survey, str]]:
        (digest,) = item.digests
        found = contents([self._here, *self._others], digest)
        return [each for each in found if each != (self._here, item.path)]

    def _content(self, item: Item, copies: Sequence[tuple[Survey, str]]) -> str:
        (digest,) = item.digests
        with tempfile.TemporaryDirectory(prefix="verify-", dir=self._staging) as folder:
            for survey, path in copies:
                copy = fetching.copy(survey.sink, path, digest, Path(folder))
                if copy is not None:
                    fetching.put(self._sink, item.path, copy)
                    return f"restored from {_named(survey, self._here)}{path}"
        tried = f" (looked at: {', '.join(f'{s.name}: {path}' for s, path in copies[:5])})" if copies else ""
        raise CannotError(_NO_COPY + _by_hand(item) + tried)

    def _version(self, item: Item) -> str:
        """Repair the inventory of an earlier version, or its sidecar: the newest inventory tells which."""
        judged = self._here.objects[item.group]
        assert judged.inventory is not None
        number = version_number(item.path.removeprefix(judged.prefix).partition("/")[0])
        data = fetching.small(self._sink, item.path)
        held = hashlib.sha256(data).hexdigest() if data is not None else ""
        noted = fetching.allowed(self._sink, item.path)
        made = inventory_at(judged.inventory, number)
        candidates = [(made, hashlib.sha256(made).hexdigest(), "made again from the newest inventory")]
        found = fetching.pairs(self._other_sinks, item.path)
        candidates += [(pair.data, pair.digest, f"restored from sink {pair.sink}") for pair in found]
        for right, digest, how in candidates:
            if digest == held:
                fetching.put_bytes(self._sink, item.seal, sidecar(digest))
                return how
            if digest in noted:
                fetching.put_bytes(self._sink, item.path, right)
                return how
        raise CannotError(_NO_COPY)

    @property
    def _other_sinks(self) -> list[tuple[str, Sink[Any]]]:
        return [(each.name, each.sink) for each in self._others if each.kin]

    def _sealed(self, item: Item) -> str:
        """Repair a value outside the objects, or its seal."""
        if item.path == CATALOG:
            index.rebuild(self._head, self._config)
            return "built again from the archive"
        if item.path == heads.PATH:
            heads.note(self._sink, self._head.newest)
            return "made again from the objects that are there: whether one was gone before is not known"
        if not item.seal:
            return self._unsealed(item)
        data = fetching.small(self._sink, item.path)
        held = hashlib.sha256(data).hexdigest() if data is not None else ""
        noted = fetching.allowed(self._sink, item.path)
        found = sorted(
            fetching.pairs(self._other_sinks, item.path), key=lambda pair: pair.digest not in {held, *noted}
        )
        exact = bool(found) and found[0].digest in {held, *noted}
        if exact or (found and not item.path.startswith(JOURNAL)):
            pair = found[0]
            if pair.digest != held:
                fetching.put_bytes(self._sink, item.path, pair.data)
            seal.put(self._sink, item.path, pair.digest)
            return f"restored from sink {pair.sink}"
        return self._made_again(item)

    def _unsealed(self, item: Item) -> str:
        if recipe_of(item.path):
            return self._made_again(item)
        digest = ocfl.digest(self._sink, item.path)
        seal.put(self._sink, item.path, digest)
        return "noted as it is now: nothing says what it was"

    def _made_again(self, item: Item) -> str:
        if item.path.startswith(JOURNAL):
            # Lines of a journal differ from sink to sink. What it names is only fetched again.
            fetching.put_bytes(self._sink, item.path, b"")
            seal.put(self._sink, item.path, hashlib.sha256(b"").hexdigest())
            return "emptied: what that run had not committed is fetched again"
        if item.path.startswith(RUNS):
            raise CannotError(_NO_REPORT)
        if previews.source_of(item.path):
            return self._redrawn(previews.source_of(item.path))
        if not recipe_of(item.path):
            raise CannotError("this program cannot make it again: delete it and its .sha256 file")
        seal.replace(self._sink, item.path, ocfl.blob(self._text(recipe_of(item.path))))
        return "made again from the file"

    def _text(self, digest: str) -> bytes:
        """Take the text out of a file again, once that file proves right."""
        stored = _stored(self._head, digest)
        if stored is None:
            raise CannotError("no file of the archive belongs to it: it can be deleted")
        with self._proven(digest) as path:
            text = examine.text(path, stored.media_type) if path is not None else None
        if not text:
            raise CannotError("its file gives no text any more: it can be deleted")
        return text.encode("utf-8", "replace")

    def _redrawn(self, digest: str) -> str:
        """Draw all pictures of a file again, once that file proves right."""
        for record in self._head.records.values():
            for file, wanted in previews.wanted(record.material.kind, record.files):
                if file.sha256 == digest:
                    with self._proven(digest) as path:
                        if path is not None:
                            previews.make(wanted, path, self._keep)
                            return "made again from the file"
        raise CannotError("no page shows it any more: it can be deleted, with its .sha256 file")

    def _keep(self, path: str, data: bytes) -> None:
        seal.replace(self._sink, path, ocfl.blob(data))

    @contextmanager
    def _proven(self, digest: str) -> Iterator[Path | None]:
        """Lend a copy, on this machine, of the bytes with this SHA-256; None when no sink has them."""
        with tempfile.TemporaryDirectory(prefix="verify-", dir=self._staging) as folder:
            for survey, path in contents([self._here, *self._others], digest):
                copy = fetching.copy(survey.sink, path, digest, Path(folder))
                if copy is not None and copy.path is not None:
                    yield copy.path
                    return
            yield None


def _by_hand(item: Item) -> str:
    """Name the other way for what people gave: bytes that are added prove themselves by their digest."""
    if item.group in ("", COMMON) or "/content/metadata/" in item.path:
        return ""
    return f"; or, if you have the file: archive add {item.group} FILE --talk TALK, then repair again"


def _rank(path: str) -> int:
    """Objects first, then what is made of them, then the catalog and the pages, built from all of it."""
    if path.startswith(ocfl.ROOT):
        return 0
    return 3 if _is_of_site(path) else 2 if path.startswith(CATALOG) else 1


def _is_of_site(path: str) -> bool:
    return pages.is_page(path) or path.startswith(pages.STATE)


def _stored(head: Head, digest: str) -> StoredFile | None:
    for record in head.records.values():
        files = [*record.files, *(file for edition in record.earlier for file in edition.files)]
        for file in files:
            if file.sha256 == digest:
                return file
    return None


def _named(survey: Survey, here: Survey) -> str:
    return "" if survey is here else f"sink {survey.name}: "
