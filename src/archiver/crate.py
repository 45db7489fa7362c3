"""What an event holds, described for other programs: RO-Crate 1.2 metadata.

Each version of an event's object has one, and each export. It is made from `event.json` and the ledgers
alone, so that equal content gives equal bytes; only what is stored is described.
Facts: RO-Crate 1.2, https://w3id.org/ro/crate/1.2; terms from https://schema.org.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from archiver.inventory import UNREADABLE
from archiver.ledger import Edition, Record, State, StoredFile
from archiver.model import Grade, Kind, Role
from archiver.naming import slug
from archiver.redact import redact

#: Where it lies in the state of an event's object.
CRATE = "metadata/ro-crate-metadata.json"
#: What the file is called in an export.
FILE_NAME = "ro-crate-metadata.json"
_CONTEXT = "https://w3id.org/ro/crate/1.2/context"
_PROFILE = "https://w3id.org/ro/crate/1.2"
_ROOT, _EVENT, _PLACE, _RIGHTS, _SERIES = "./", "#event", "#place", "#rights", "#series"
_RIGHTS_TEXT = (
    "The rights in each file remain with its authors. A file states its own licence where its source named "
    "one; where it does not, none is known."
)
#: Characters of one text that are kept.
_MAX_TEXT = 5_000
# Mail addresses are private. Not matched: "36521959321@N01" in an address of Flickr, "@somebody".
_MAIL = re.compile(
    r"(?:mailto:)?[^\s<>()\[\]\"',;:@]{1,64}@(?:[^\s<>()\[\]\"',;:@./]{1,63}\.){1,8}[^\W\d_]{2,63}"
)
#: Words with single spaces in which no address, of mail or of the web, can be.
_PLAIN = re.compile(r"[A-Za-z0-9._-]+(?: [A-Za-z0-9._-]+)*")
_WEB = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
# Left as they are in the address of a file: what RFC 3986 allows in a path, and whatever is not ASCII.
_ESCAPED = re.compile(r"[^\w/.~()!$&'*+,;=@\x80-\U0010ffff-]")
_MEDIA = {"image": "ImageObject", "video": "VideoObject", "audio": "AudioObject"}
_DOCUMENTS = {Kind.SLIDES: "PresentationDigitalDocument"}
_PLURALS = {
    Kind.SLIDES: "slides",
    Kind.VIDEO: "videos",
    Kind.PHOTO: "photos",
    Kind.REPORT: "reports",
    Kind.OTHER: "other files",
}
_ROLES, _GRADES = list(Role), list(Grade)

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """A stored file, and where it lies in the crate: a relative path."""

    path: str
    file: StoredFile


@dataclass(frozen=True, slots=True)
class Held:
    """One edition of a material: the files that stand for it, or (not `current`) that did."""

    record: Record
    files: tuple[Placed, ...]
    current: bool = True


def held(records: Iterable[Record]) -> Iterator[Held]:
    """Give every edition that may be shown, at the paths of the archive, in a fixed order."""
    for record in sorted(records, key=lambda each: each.key):
        if record.state is State.TAKEN_DOWN:
            continue
        for edition in (None, *record.earlier):
            yield _held(record, edition)


def _held(record: Record, edition: Edition | None) -> Held:
    files = record.files if edition is None else edition.files
    return Held(record, tuple(Placed(file.path, file) for file in files), edition is None)


def event_of(document: bytes, name: str) -> Mapping[str, Any]:
    """Read what `event.json` says; just the event's id when it says nothing that can be understood."""
    try:
        data = json.loads(document)
    except UNREADABLE:
        data = None
    return data if isinstance(data, dict) else {"id": name, "title": name}


def crate(
    event: Mapping[str, Any],
    editions: Iterable[Held],
    *,
    otherwise: str,
    archive: Mapping[str, Any] | None = None,
) -> bytes:
    """Write the metadata file of one event.

    `event` is what `event.json` holds, `archive` what `archive.json` holds, where the whole is to be named.
    The date of publication is the day of the newest change of a material; `otherwise` (RFC 3339) that of
    an event without any. The result is UTF-8: sorted entities, one a line.
    """
    graph = _Graph(event, archive or {})
    for each in editions:
        graph.hold(each)
    entities = graph.finished(otherwise)
    lines = [json.dumps(_ordered(entities[name]), ensure_ascii=False) for name in sorted(entities)]
    graph_text = ",\n".join(lines)
    return f'{{"@context": "{_CONTEXT}", "@graph": [\n{graph_text}\n]}}\n'.encode()


@dataclass
class _Graph:
    """The entities by their id."""

    event: Mapping[str, Any]
    archive: Mapping[str, Any]
    entities: dict[str, Entity] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    kinds: set[Kind] = field(default_factory=set)
    newest: str = ""

    def __post_init__(self) -> None:
        self.talks = [each for each in _items(self.event.get("talks")) if isinstance(each, dict)]
        self._add(_RIGHTS, "CreativeWork", name="Rights", description=_RIGHTS_TEXT)
        self._add_event()

    def hold(self, each: Held) -> None:
        """Describe the files of one edition; what was described before is left as it is."""
        self.newest = max(self.newest, each.record.changed_at)
        if not each.files:
            return
        self.kinds.add(each.record.material.kind)
        common, lead = self._common(each), _lead(each.files)
        bases = [
            _link(_path_id(p.path)) for p in each.files if p.file.role in {Role.ORIGINAL, Role.RENDITION}
        ]
        for placed in each.files:
            name = _path_id(placed.path)
            if name in self.entities:
                continue
            self.parts.append(name)
            self.entities[name] = {"@id": name, **_file(each, placed), **common}
            self._relate(self.entities[name], placed, lead, bases)
            if placed is lead:
                self.entities[name].update(_details(each))

    def finished(self, otherwise: str) -> dict[str, Entity]:
        """Add what speaks of the whole; give all entities."""
        title = _text(self.event.get("title")) or _text(self.event.get("id"))
        self._add(
            _ROOT,
            "Dataset",
            name=title,
            description=self._description(title),
            datePublished=(self.newest or otherwise)[:10],
            license=_link(_RIGHTS),
            about=_link(_EVENT),
            identifier=f"urn:x-event-archive:{_text(self.event.get('id'))}",
            hasPart=[_link(name) for name in sorted(self.parts)],
        )
        self._add(FILE_NAME, "CreativeWork", about=_link(_ROOT), conformsTo=_link(_PROFILE))
        return self.entities

    def _description(self, title: str) -> str:
        names = [_PLURALS[kind] for kind in Kind if kind in self.kinds] or ["What is known"]
        kinds = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return f"{kinds[0].upper()}{kinds[1:]} of the event “{title}”."

    def _add(self, identifier: str, kind: str, /, **properties: Any) -> None:
        self.entities.setdefault(identifier, {"@id": identifier, "@type": kind, **properties})

    def _add_event(self) -> None:
        talks = [self._talk(talk) for talk in self.talks]
        place = self._place()
        self._add(
            _EVENT,
            "Event",
            name=_text(self.event.get("title")),
            startDate=_text(self.event.get("date")),
            endDate=_text(self.event.get("end_date")),
            location=place,
            organizer=self._organizer(),
            subEvent=talks,
            superEvent=self._series(),
        )

    def _place(self) -> Entity | None:
        venue, city = _text(self.event.get("venue")), _text(self.event.get("city"))
        if not venue and not city:
            return None
        self._add(_PLACE, "Place", name=venue or city, address=city)
        return _link(_PLACE)

    def _organizer(self) -> Entity | None:
        name = _text(self.archive.get("organizer"))
        if not name:
            return None
        self._add("#organizer", "Organization", name=name)
        return _link("#organizer")

    def _series(self) -> Entity | None:
        name = _text(self.archive.get("title"))
        if not name:
            return None
        self._add(_SERIES, "EventSeries", name=name, inLanguage=_text(self.archive.get("language")))
        return _link(_SERIES)

    def _talk(self, talk: Mapping[str, Any]) -> Entity:
        name = _talk_id(_text(talk.get("id")))
        cancelled = "https://schema.org/EventCancelled" if talk.get("cancelled") else ""
        self._add(
            name,
            "Event",
            name=_text(talk.get("title")),
            performer=[self._person(each) for each in _texts(talk.get("speakers"))],
            superEvent=_link(_EVENT),
            eventStatus=cancelled,
        )
        return _link(name)

    def _person(self, name: str) -> Entity:
        found = f"#person-{_word(name)}"
        self._add(found, "Person", name=name)
        return _link(found)

    def _common(self, each: Held) -> Entity:
        """Give what is true of every file of a material."""
        material, talk = each.record.material, _talk_id(each.record.match.talk)
        subject = _link(talk if talk in self.entities else _EVENT)
        recorded = subject if material.kind in {Kind.VIDEO, Kind.PHOTO} else None
        return {
            "about": subject,
            "recordedAt": recorded,
            "author": [self._person(name) for name in _texts(material.authors)],
            "license": self._licence(material.licence),
            "inLanguage": _text(material.language),
            "creativeWorkStatus": _status(each),
        }

    def _licence(self, licence: str) -> Entity | None:
        name = _text(licence)
        if not name:
            return None
        found = _address(licence) or f"#licence-{_word(name)}"
        self._add(found, "CreativeWork", name=name)
        return _link(found)

    def _relate(self, entity: Entity, placed: Placed, lead: Placed, bases: Sequence[Entity]) -> None:
        """Say how a file comes from others of its material."""
        if placed.file.role is Role.DERIVATIVE:
            entity["isBasedOn"] = list(bases)
        elif placed is not lead and placed.file.role is Role.SIDECAR:
            entity["about"] = _link(_path_id(lead.path))
        elif placed is not lead and lead.file.role is Role.ORIGINAL and placed.file.role is Role.RENDITION:
            entity["isBasedOn"] = _link(_path_id(lead.path))


def _file(each: Held, placed: Placed) -> Entity:
    file, title = placed.file, _text(each.record.material.title)
    label = _text(file.label)
    return {
        "@type": _types(each.record.material.kind, file),
        "name": " ".join(part for part in (title, f"({label})" if label else "") if part) or placed.path,
        "encodingFormat": _text(file.media_type),
        "contentSize": str(file.size),
        "sha256": file.sha256,
    }


def _details(each: Held) -> Entity:
    """Give what is said once for a material, with the file that stands for it."""
    material = each.record.material
    dated = {Kind.VIDEO: "uploadDate", Kind.PHOTO: "dateCreated"}.get(material.kind, "datePublished")
    identifier = f"{each.record.type_name}:{material.id}"
    return {
        "description": _text(material.description),
        "keywords": _texts(material.tags),
        "url": _address(material.url),
        "identifier": identifier if _text(identifier) == identifier else "",
        "sdDatePublished": _fetched(each),
        dated: _text(material.date),
    }


def _fetched(each: Held) -> str:
    """Say when the files came, where the ledger tells: those of the first edition with the first storing."""
    if each.record.earlier:
        return ""
    return next((step.at for step in each.record.history if step.state is State.STORED), "")


def _status(each: Held) -> str:
    if not each.current:
        return "not current: another edition stands for this material"
    return "no longer listed by its source" if each.record.state is State.WITHDRAWN else ""


def _types(kind: Kind, file: StoredFile) -> str | list[str]:
    if file.role is Role.SIDECAR:
        return "File"
    family = file.media_type.partition("/")[0]
    return ["File", _MEDIA.get(family) or _DOCUMENTS.get(kind, "DigitalDocument")]


def _lead(files: Sequence[Placed]) -> Placed:
    """Choose the file that stands for its material."""
    return min(files, key=lambda each: (_ROLES.index(each.file.role), _GRADES.index(each.file.grade)))


def _link(name: str) -> Entity:
    return {"@id": name}


def _talk_id(talk: str) -> str:
    return f"#talk-{_path_id(talk)}"


def _path_id(path: str) -> str:
    """Write a path as an `@id`: escaped as in an address, letters of any script as they are."""
    return _ESCAPED.sub(lambda found: quote(found[0], errors="replace"), path)


def _word(name: str) -> str:
    """Give a short word for a name: the same for "Hui Cheng" and "hui  cheng"."""
    return slug(name) or hashlib.sha256(name.encode()).hexdigest()[:12]


def _address(url: str) -> str:
    """Give a public address; nothing for one that holds a secret, a user name or a mail address."""
    public = bool(_WEB.match(url)) and redact(url) == url and not _MAIL.search(url) and url.isprintable()
    return url if public and " " not in url else ""


def _text(value: Any) -> str:
    """Give a text as it may be shown: NFC, no controls, no mail addresses, no secrets of addresses."""
    if not isinstance(value, str):
        return ""
    if _PLAIN.fullmatch(value):  # as most names of photos and files
        return value[:_MAX_TEXT]
    visible = value if value.isprintable() else _without_controls(value)
    plain = _MAIL.sub("", redact(unicodedata.normalize("NFC", visible)))
    return " ".join(plain.replace("<>", "").replace("()", "").split())[:_MAX_TEXT]


def _without_controls(value: str) -> str:
    return "".join(char if unicodedata.category(char) not in {"Cc", "Cs"} else " " for char in value)


def public_text(value: str) -> str:
    """Give a text as it may be shown to everybody: one line without mail addresses and secrets."""
    return _text(value)


def public_address(url: str) -> str:
    """Give a web address as it may be shown to everybody; "" for one with a secret or a mail address."""
    return _address(url)


def _texts(values: Any) -> list[str]:
    return [text for text in map(_text, _items(values)) if text]


def _items(values: Any) -> Sequence[Any]:
    return values if isinstance(values, list | tuple) else ()


def _ordered(entity: Entity) -> Entity:
    """Order the properties by name, `@id` and `@type` first; leave out what is empty."""
    return {key: entity[key] for key in sorted(entity) if entity[key] not in ("", None, [])}
