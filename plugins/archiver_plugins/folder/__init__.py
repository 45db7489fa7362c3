"""The `folder` source: files on a disk, as volunteers drop them.

One use of the source (`Entry`) says which files belong to an event; `walk` finds them, `pattern` and
`words` read their names, `copying` brings one over, `facts` looks for what the file says of itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from archiver import api
from archiver_plugins.folder import copying, facts, walk, words
from archiver_plugins.folder.options import Entry, Options
from archiver_plugins.folder.selection import Selection, select

__all__ = ["Entry", "FolderSource", "Options", "archiver_sources"]


class FolderSource(api.Source[Options, Entry]):
    """Files in a folder: kind, talk and event from their names, places and dates."""

    type_name = "folder"
    options_class = Options
    entry_class = Entry
    max_fetches = 4  # more only makes a disk's head jump

    @property
    def root(self) -> Path:
        """The folder that this source reads."""
        return self.context.folder / Path(self.options.path).expanduser()

    def check(self) -> None:
        """Raise `FatalError` when the folder is not there, `BlockedError` when it cannot be read."""
        walk.check_root(self.root, self.context.own)

    def discover(
        self, scope: api.Scope[Entry], cursor: str
    ) -> Iterator[api.Material | api.Unavailable | api.Checkpoint]:
        """List the files of every entry, sorted within each, from a fresh look at the disk."""
        del cursor
        before = walk.check_root(self.root, self.context.own)
        listing = _Listing(self, scope)
        yield from listing.materials()
        if walk.check_root(self.root, self.context.own) != before:
            raise api.FatalError(
                f"{self.context.name}: the folder {self.root} was exchanged while it was read",
                hint="is the disk still mounted?",
            )
        yield api.Checkpoint(complete=listing.complete)

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched | api.Material]:
        """Copy one file, unless it is still being written, and look what it says of itself."""
        target = into / "file"
        raw = walk.raw_path(material.id, material.extra)
        copying.copy(
            copying.Original(self.root, raw, linked=walk.is_linked(material.extra)),
            target,
            material,
            self.context.progress,
        )
        fuller = facts.enrich(material, target)
        if fuller != material:
            yield fuller
        yield api.Fetched(Path(target.name), media_type=words.media_type(raw))


class _Listing:
    """One pass over a scope; knows afterwards whether it saw everything."""

    def __init__(self, source: FolderSource, scope: api.Scope[Entry]) -> None:
        self.source = source
        self.scope = scope
        self.top = source.root.resolve().name
        self.events = {entry.event.id: entry.event for entry in scope.entries}
        self.complete = True
        self._seen: set[tuple[str, str]] = set()

    def materials(self) -> Iterator[api.Material]:
        """Yield each file once per event, until the run has enough."""
        if walk.is_empty(self.source.root):
            self._incomplete(f"the folder {self.source.root} is empty; is the disk mounted?")
            return
        for material in self._all():
            if self.scope.limit is not None and len(self._seen) >= self.scope.limit:
                self.complete = False
                return
            if (key := (material.id, material.event)) not in self._seen:
                self._seen.add(key)
                yield material

    def _all(self) -> Iterator[api.Material]:
        served: list[Entry] = []
        for entry in self.scope.entries:
            if entry.options.names_events:
                # The files say which event they belong to: one pass serves all entries like this.
                if entry.options in served:
                    continue
                served.append(entry.options)
            yield from self._entry(entry)

    def _entry(self, entry: api.ScopeEntry[Entry]) -> Iterator[api.Material]:
        selection = select(self.source.root, entry.options)
        found = 0
        context = self.source.context
        for file in walk.walk(self.source.root, selection, context.log, context.own):
            found += 1
            material = self._material(entry, selection, file)
            if material is not None:
                yield material
        if not found:
            self._incomplete(f"there are no files under {self.source.root / selection.shown} yet.")

    def _incomplete(self, message: str) -> None:
        self.complete = False
        log = self.source.context.log
        log.warning("%s: %s Nothing is taken as withdrawn.", self.source.context.name, message)

    def _material(
        self, entry: api.ScopeEntry[Entry], selection: Selection, file: walk.Found
    ) -> api.Material | None:
        fields = selection.fields(file)
        event = self._event(entry, fields)
        if event is None:
            return None
        options = entry.options
        title = words.title(fields.get("talk") or file.name)
        return api.Material(
            id=file.id,
            kind=options.kind or words.kind((self.top, *file.parts), fields.get("kind", "")),
            title=title,
            revision=f"{file.size}-{file.modified}",
            event=event,
            talk=options.talk or _talk(self.events.get(event), title),
            authors=words.speakers(fields.get("speaker", "")),
            date=fields.get("date", ""),
            size=file.size,
            extra=file.extra,
        )

    def _event(self, entry: api.ScopeEntry[Entry], fields: dict[str, str]) -> str | None:
        """Name the file's event: empty when the core has to find out, None when it is out of scope."""
        if not entry.options.names_events:
            return entry.event.id
        named = fields.get("event", "").lower()
        return named if not named or named in self.events else None


def _talk(event: api.Event | None, title: str) -> str:
    """Give the id of the talk with exactly this title; the core finds the others by likeness."""
    for talk in event.talks if event else ():
        if title.casefold() in {talk.title.casefold(), talk.id.casefold()}:
            return talk.id
    return ""


@api.hookimpl
def archiver_sources() -> Sequence[type[api.Source[Any, Any]]]:
    """Announce the source."""
    return [FolderSource]
