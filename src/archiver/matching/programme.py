"""An event made ready for comparing: every title read once, and found by its words."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from archiver.matching import pinyin, speakers, titles
from archiver.matching.likeness import is_slip
from archiver.matching.speakers import Company, Finder, Name
from archiver.matching.titles import Title
from archiver.model import Event, Talk

_K = TypeVar("_K")
_V = TypeVar("_V")

#: Events kept ready; and for each of them words and names of materials whose answers are kept.
MAX_PREPARED, MAX_WORDS, MAX_COMPANIES = 64, 50_000, 2_000
#: From this many talks, and this share of them, a word is common: "OpenStack" at an OpenStack event.
COMMON_TALKS, COMMON_SHARE = 3, 0.3
#: The least share of a talk's words that a material must have for the talk to be looked at, and how many
#: of the nearest are looked at in any case.
LEAST_SHARE, NEAREST = 0.4, 12


@dataclass(frozen=True, slots=True)
class Expected:
    """A talk made ready for comparing.

    `sisters` are the numbers of other talks that differ from it by number alone, `own` words that no
    other talk of the event has; `only_talk` says that its speakers have no other; `code` is what the
    programme that it was read from calls it.
    """

    talk: Talk
    titles: tuple[Title, ...]
    speakers: tuple[Name, ...]
    sisters: frozenset[str]
    own: frozenset[str]
    only_talk: bool
    code: str


@dataclass(frozen=True)
class Programme:
    """An event made ready for comparing. `common` are words of many of its talks."""

    event: Event
    expected: tuple[Expected, ...]
    finders: tuple[Finder, ...]
    words: frozenset[str]
    common: frozenset[str]
    noise: frozenset[str]
    years: frozenset[str]
    by_title: Mapping[str, Sequence[Talk]]
    by_id: Mapping[str, Talk]
    by_code: Mapping[str, Sequence[Talk]]
    _by_word: Mapping[str, Sequence[tuple[int, int]]]  # (talk, which of its titles)
    _by_squeezed: Mapping[str, Sequence[int]]
    _by_letter: Mapping[str, Sequence[str]]
    _by_speaker: Mapping[Name, Sequence[int]]
    _near: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _companies: dict[tuple[Name, ...], Company] = field(default_factory=dict)

    @property
    def people(self) -> tuple[Name, ...]:
        """Everybody who speaks at the event."""
        return tuple(self._by_speaker)

    def company(self, names: tuple[Name, ...]) -> Company:
        """Compare names with all speakers; few people upload much, so the answers are kept."""
        found = self._companies.get(names)
        if found is None:
            if len(self._companies) > MAX_COMPANIES:
                self._companies.clear()
            found = self._companies[names] = Company.of(names, self.people)
        return found

    def talks_of(self, name: Name) -> list[Expected]:
        """Give the talks of one of its speakers."""
        return [self.expected[at] for at in self._by_speaker.get(name, ())]

    def near(self, readings: Iterable[Title], speakers_: Iterable[Name], *, every: bool) -> list[Expected]:
        """Give the talks that may match any of the readings; `every` for all with a word in common."""
        counted: Counter[tuple[int, int]] = Counter()
        found: set[int] = {at for name in speakers_ for at in self._by_speaker.get(name, ())}
        words: set[str] = set()
        for reading in readings:
            found.update(self._by_squeezed.get(reading.squeezed, ()))
            words |= reading.words
        found.update(self._by_squeezed.get("", ()))
        for word in {known for each in words for known in self._slips(each)}:
            counted.update(self._by_word[word])
        found.update(self._likely(counted, every=every))
        return [self.expected[at] for at in sorted(found)]

    def _likely(self, counted: Mapping[tuple[int, int], int], *, every: bool) -> set[int]:
        share: dict[int, float] = {}
        for (at, which), count in counted.items():
            title = self.expected[at].titles[which]
            part = (count + len(title.numbers)) / (len(title.words) + len(title.numbers))
            share[at] = max(share.get(at, 0.0), part)
        if every or len(share) <= NEAREST:
            return set(share)
        nearest = sorted(share, key=lambda at: -share[at])[:NEAREST]
        return {at for at, part in share.items() if part >= LEAST_SHARE} | set(nearest)

    def _slips(self, word: str) -> tuple[str, ...]:
        """Give the words of the programme that a word is or may be meant for."""
        found = self._near.get(word)
        if found is None:
            similar = (known for known in self._by_letter.get(word[:1], ()) if is_slip(known, word))
            found = tuple({*similar, word} & self.words)
            if len(self._near) > MAX_WORDS:
                self._near.clear()
            self._near[word] = found
        return found


_PREPARED: dict[int, Programme] = {}
_LOCK = threading.Lock()


def prepare(event: Event) -> Programme:
    """Make an event ready for comparing, once for each object: hashing all its talks would cost more."""
    found = _PREPARED.get(id(event))
    if found is None or found.event is not event:
        found = _prepare(event)
        with _LOCK:
            while len(_PREPARED) >= MAX_PREPARED:
                del _PREPARED[next(iter(_PREPARED))]
            _PREPARED[id(event)] = found
    return found


def _prepare(event: Event) -> Programme:
    people = [speakers.parse_all(talk.speakers) for talk in event.talks]
    everyone = dict.fromkeys(name for names in people for name in names)
    finders = {name: Finder.of(name) for name in everyone}
    read = [
        _titles(talk, [finders[name] for name in names])
        for talk, names in zip(event.talks, people, strict=True)
    ]
    counts = Counter(word for found in read for word in {word for title in found for word in title.words})
    expected = _expected(event.talks, read, people, counts)
    least = max(COMMON_TALKS, COMMON_SHARE * len(read))
    return Programme(
        event,
        expected,
        tuple(finders.values()),
        frozenset(counts),
        frozenset(word for word, count in counts.items() if count >= least),
        titles.read_talk(titles.fold(f"{event.id} {event.title} {event.city}")).words | _squeezed(event),
        frozenset(date[:4] for date in (event.date, event.end_date) if date),
        _grouped((titles.fold(talk.title), talk) for talk in event.talks),
        {talk.id: talk for talk in reversed(event.talks)},
        _grouped((each.code, each.talk) for each in expected if each.code),
        _grouped((word, (at, which)) for at, which, title in _numbered(expected) for word in title.words),
        _grouped((title.squeezed if title.words else "", at) for at, _, title in _numbered(expected)),
        _grouped((word[0], word) for word in counts),
        _grouped((name, at) for at, each in enumerate(expected) for name in dict.fromkeys(each.speakers)),
    )


def _squeezed(event: Event) -> frozenset[str]:
    names = (titles.fold(name) for name in (event.id, event.city))
    return frozenset(filter(None, ("".join(filter(str.isalnum, name)) for name in names)))  # "xi'an"


def _grouped(pairs: Iterable[tuple[_K, _V]]) -> dict[_K, list[_V]]:
    result: dict[_K, list[_V]] = defaultdict(list)
    for key, value in pairs:
        result[key].append(value)
    return dict(result)


def _numbered(expected: Sequence[Expected]) -> Iterable[tuple[int, int, Title]]:
    for at, each in enumerate(expected):
        for which, title in enumerate(each.titles):
            yield at, which, title


def _titles(talk: Talk, finders: Sequence[Finder]) -> tuple[Title, ...]:
    folded = titles.fold(talk.title)
    variants = dict.fromkeys((folded, speakers.without(finders, folded)))
    parts = dict.fromkeys(half for variant in variants for half in titles.halves(variant))
    return tuple(titles.read_talk(part) for part in parts if part)


def _expected(
    talks: Sequence[Talk],
    read: Sequence[tuple[Title, ...]],
    people: Sequence[tuple[Name, ...]],
    counts: Mapping[str, int],
) -> tuple[Expected, ...]:
    numbers: dict[frozenset[str], set[frozenset[str]]] = defaultdict(set)
    for title in (title for found in read for title in found):
        numbers[title.words].add(title.numbers)
    busy = Counter(key for names in people for key in {key for name in names for key in _keys(name)})
    result = []
    for talk, found, names in zip(talks, read, people, strict=True):
        own = frozenset(word for title in found for word in title.words if counts[word] == 1)
        mine = frozenset(number for title in found for number in title.numbers)
        sisters = frozenset(
            number for title in found for each in numbers[title.words] for number in each - mine
        )
        only = all(busy[key] == 1 for name in names for key in _keys(name))
        code = titles.fold(talk.uid.rpartition(" ")[2])
        result.append(Expected(talk, found, names, sisters, own, only, code))
    return tuple(result)


def _keys(name: Name) -> frozenset[str]:
    """Give what two forms of one name have in common."""
    return name.joined | pinyin.joined(name.han) | ({name.han} if name.han else frozenset())
