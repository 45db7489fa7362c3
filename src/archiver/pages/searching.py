"""The search of the site: an index cut into script files, so that it works from a folder too.

A page opened from a disk may load scripts that lie beside it, and nothing else. So the index is scripts:
one with what is found, and one for each group of words, of which a search loads only those it needs.
Words are cut as in the catalog (`archiver.catalog.words`): Chinese into pairs of characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from archiver.catalog.words import clean, index_text
from archiver.model import Kind
from archiver.pages import places
from archiver.pages.model import Item, Site, TalkView
from archiver.pages.texts import MAX_TEXT, Texts, shorten, text_of

#: Word groups; a search in the browser computes the same numbers (see static/search.js).
GROUPS: Final = 64
FOLDER: Final = f"{places.SITE}search/"
ITEMS: Final = f"{FOLDER}items.js"
#: The order is that of the bits in the index.
KINDS: Final = ("event", "talk", "slides", "video", "photo", "report", "other", "speaker")
_EXCERPT: Final = 150
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
# What a camera calls a photo: IMG_0412, DSC01877, 20120916_101500. Nobody looks for those.
_CAMERA: Final = re.compile(r"(?:[A-Za-z_]{0,5}[ _-]?\d{3,}[ _-]?\d*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that search finds. `fields` are texts from what weighs most to what weighs least."""

    title: str
    page: str
    kinds: tuple[str, ...]
    event: str
    year: str
    speakers: tuple[str, ...]
    excerpt: str
    picture: str
    fields: tuple[str, str, str, str]


def entries(site: Site, texts: Texts) -> Iterator[Entry]:
    """Yield everything that can be found, in the order of the programme."""
    for view in site.events:
        event = view.event
        where = f"{event.city} {event.venue}"
        cover = view.cover.small[0] if view.cover else ""
        yield Entry(event.title, view.page, ("event",), event.id, event.date[:4], (), where.strip(), cover,
                    (event.title, where, "", ""))  # fmt: skip
        for talk in view.talks:
            yield _talk(talk, texts)
        talks = {talk.page for talk in view.talks}
        yield from (_item(each, site, texts) for each in view.items if _of_its_own(each, talks))
    for speaker in site.speakers:
        about = ", ".join(dict.fromkeys(talk.talk.title for talk in speaker.talks))
        excerpt = shorten(about, _EXCERPT)
        yield Entry(speaker.name, speaker.page, ("speaker",), "", "", (speaker.name,), excerpt, "",
                    (speaker.name, "", about, ""))  # fmt: skip


def _of_its_own(item: Item, talks: set[str]) -> bool:
    if item.page in talks:
        return False
    return item.kind is not Kind.PHOTO or bool(item.description or not _CAMERA.fullmatch(item.title))


def _talk(talk: TalkView, texts: Texts) -> Entry:
    held = [item for item in talk.items if item.kind in {Kind.SLIDES, Kind.VIDEO, Kind.OTHER}]
    body = "\n".join(text_of(item, texts) for item in held)[:MAX_TEXT]
    said = " ".join(item.description for item in held)
    title, names = talk.talk.title, " ".join(talk.talk.speakers)
    kinds = ("talk", *dict.fromkeys(item.kind.value for item in held))
    cover = next((item.cover.small[0] for item in held if item.cover), "")
    other = " ".join(item.title for item in held if item.title != title)
    return Entry(title, talk.page, kinds, talk.event.id, talk.event.date[:4], talk.talk.speakers,
                 _excerpt(said or body), cover,
                 (title, f"{other} {names} {talk.event.title} {talk.event.city}", said, body))  # fmt: skip


def _item(item: Item, site: Site, texts: Texts) -> Entry:
    event = next(view.event for view in site.events if view.event.id == item.event)
    body = "" if item.kind is Kind.PHOTO else text_of(item, texts)
    cover = item.cover.small[0] if item.cover else ""
    return Entry(item.title, item.page, (item.kind.value,), item.event, (item.date or event.date)[:4],
                 item.authors, _excerpt(item.description or body), cover,
                 (item.title, f"{' '.join(item.authors)} {event.title} {event.city}",
                  item.description, body))  # fmt: skip


def _excerpt(text: str) -> str:
    # Marks of pages in transcripts stand alone on their lines: [p001]
    plain = re.sub(r"^\[p\d+\]$", "", text[: _EXCERPT * 4], flags=re.MULTILINE)
    return shorten(" ".join(clean(plain).split()), _EXCERPT)


def scripts(site: Site, found: Sequence[Entry], link: Callable[[str], str]) -> Iterator[tuple[str, bytes]]:
    """Write the script files of the index: (path, content). `link` gives an address from the search page."""
    yield ITEMS, script("archiveItems", _listing(site, found, link))
    groups: list[dict[str, list[int]]] = [{} for _ in range(2 * GROUPS)]
    for number, entry in enumerate(found):
        for word, weight in _weights(entry).items():
            groups[group(word)].setdefault(word, []).append(number * 4 + weight)
    for number, words in enumerate(groups):
        flat = [part for word in sorted(words) for part in (word, _packed(words[word]))]
        yield f"{FOLDER}w{number}.js", script("archiveWords", number, flat)


def _weights(entry: Entry) -> dict[str, int]:
    weights: dict[str, int] = {}
    for weight, text in zip((3, 2, 1, 0), entry.fields, strict=True):
        for word in index_text(clean(text)).split():
            weights.setdefault(word, weight)
    return weights


def group(word: str) -> int:
    """Give the number of the script that holds a word: by its first letters, so that beginnings share it."""
    first = ord(word[0])
    if first >= 0x0E00:  # scripts without spaces: a search for one character asks for all words it begins
        return GROUPS + first % GROUPS
    return (first * 31 + (ord(word[1]) if len(word) > 1 else 0)) % GROUPS


def _packed(numbers: Iterable[int]) -> str:
    """Write rising numbers as differences in base 36."""
    parts, before = [], 0
    for number in numbers:
        parts.append(_base36(number - before))
        before = number
    return " ".join(parts)


def _base36(number: int) -> str:
    digits = ""
    while number >= len(_DIGITS):
        number, rest = divmod(number, len(_DIGITS))
        digits = _DIGITS[rest] + digits
    return _DIGITS[number] + digits


def _listing(site: Site, found: Sequence[Entry], link: Callable[[str], str]) -> dict[str, Any]:
    events = {view.event.id: at for at, view in enumerate(site.events)}
    speakers = {name: at for at, name in enumerate(dict.fromkeys(n for each in found for n in each.speakers))}
    return {
        "events": [view.event.title for view in site.events],
        "speakers": list(speakers),
        "items": [
            [
                each.title, link(each.page), sum(1 << KINDS.index(kind) for kind in each.kinds),
                events.get(each.event, -1), each.year, [speakers[name] for name in each.speakers],
                each.excerpt, link(each.picture) if each.picture else "",
            ]
            for each in found
        ],
    }  # fmt: skip


def script(function: str, *arguments: Any) -> bytes:
    """Write a script that calls one function with plain data. U+2028 would end a line of old scripts."""
    texts = (json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in arguments)
    line = ",".join(texts).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f"{function}({line});\n".encode("utf-8", "replace")
