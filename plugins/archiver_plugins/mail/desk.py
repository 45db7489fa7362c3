"""Sort what the messages carry: each thing once, and to the event whose filters chose its message."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from archiver import api
from archiver_plugins.mail import filters, materials
from archiver_plugins.mail.head import Head
from archiver_plugins.mail.letter import Letter
from archiver_plugins.mail.materials import Listed
from archiver_plugins.mail.options import EmailEntry, EmailOptions


class Desk:
    """Takes letters one after the other; remembers what it has given out in this listing."""

    def __init__(self, scope: api.Scope[EmailEntry], options: EmailOptions) -> None:
        self._scope = scope
        self._options = options
        self._left = scope.limit
        #: Of each message: its dates, and what it carried, as (name, type, how many-th of these).
        self._carried: dict[str, dict[str, set[tuple[str, str, int]]]] = {}
        self._ids: set[str] = set()

    @property
    def full(self) -> bool:
        """Say whether the run has as much as it wants."""
        return self._left is not None and self._left <= 0

    def sort(self, letter: Letter) -> Iterator[Listed]:
        """Give what is new of a letter, with its event where its entry's filters chose it."""
        placed: dict[str, object] | None = None
        for item in self._new(letter):
            if self.full:
                return
            placed = self._place(letter.head) if placed is None else placed
            yield _changed(item, placed)
            self._left = None if self._left is None else self._left - 1

    def _new(self, letter: Letter) -> Iterator[Listed]:
        """Leave out what another copy of the message brought: from another mailbox, a file, a list.

        A list may add a part and so change the numbers: the same name and type is the same file. Broken
        mailers give one Message-ID to many messages: those of other dates get ids of their own. An archive of
        a list writes dates in its own way, and names of files too: there the Message-ID alone decides.
        """
        key, mark = letter.head.key, letter.head.mark
        if letter.archive:
            mark = next(iter(self._carried.get(key, ())), mark)
        counts: Counter[tuple[str, str]] = Counter()
        for item in materials.of_letter(letter, self._options):
            material = _material(item)
            if "link" in material.extra:
                if self._is_first(material.id):
                    yield item
                continue
            kind = (material.extra.get("name", ""), material.extra.get("type", material.id))
            counts[kind] += 1
            copies = self._carried.setdefault(key, {})
            carried = copies.setdefault(mark, set())
            if (*kind, counts[kind]) in carried:
                continue
            if letter.archive and material.id in self._ids:
                continue
            carried.add((*kind, counts[kind]))
            # The first date that was met keeps the plain id.
            suffix = "" if next(iter(copies)) == mark else f"~{mark}"
            yield self._named(item, key + suffix + material.id.removeprefix(key))

    def _named(self, item: Listed, identity: str) -> Listed:
        if not self._is_first(identity):
            told = repr(sorted(_material(item).extra.items())).encode()
            identity += f"~{hashlib.sha256(told).hexdigest()[:8]}"
            self._ids.add(identity)
        return _changed(item, {"id": identity})

    def _is_first(self, identity: str) -> bool:
        if identity in self._ids:
            return False
        self._ids.add(identity)
        return True

    def _place(self, head: Head) -> dict[str, object]:
        """Name the event when the filters of one event alone chose the message, else who might want it."""
        entries = self._scope.entries
        chosen = [each for each in entries if each.options.filters and filters.takes(each.options, head)]
        events = list(dict.fromkeys(each.event.id for each in chosen))
        extra = {"sender_talks": self._talks_of(head.sender_address)}
        if len(events) != 1:
            return {"extra": extra | {"events": " ".join(events)}}
        talks = {each.options.talk for each in chosen} - {""}
        return {"event": events[0], "talk": talks.pop() if len(talks) == 1 else "", "extra": extra}

    def _talks_of(self, address: str) -> str:
        """Name the talks whose speaker sent the message, as "event/talk": a hint without the address."""
        events = {each.event.id: each.event for each in self._scope.entries}
        return " ".join(
            f"{event.id}/{talk.id}"
            for event in events.values()
            for talk in event.talks
            if address and address in map(str.lower, talk.emails)
        )


def _material(item: Listed) -> api.Material:
    return item.material if isinstance(item, api.Unavailable) else item


def _changed(item: Listed, values: dict[str, object]) -> Listed:
    material = _material(item)
    more = values.get("extra")
    extra = (
        {**material.extra, **{key: value for key, value in more.items() if value}}
        if isinstance(more, dict)
        else material.extra
    )
    changed = replace(material, **{**values, "extra": extra})  # type: ignore[arg-type]  # fields of a material
    return replace(item, material=changed) if isinstance(item, api.Unavailable) else changed
