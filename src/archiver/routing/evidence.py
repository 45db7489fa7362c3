"""What speaks for which event and talk: each piece of evidence for itself, without weighing it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from archiver.asked import Ask, Asks
from archiver.ledger import Match
from archiver.matching import Rank, match, rank
from archiver.model import Event, Kind, Material
from archiver.routing.hints import Hints, fold

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
#: Words in event titles that name no event: "Beijing Stop", "Meetup 12".
_GENERIC = frozenset(
    ("stop", "meetup", "event", "day", "conference", "tour", "session", "站", "大会", "沙龙")
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a message answers: the event and talks that we asked for, and how that was seen.

    `conflict` says why the message's own signs point to different mails of ours.
    """

    event: str
    talks: tuple[str, ...]
    how: str
    conflict: str = ""


def claim(hints: Hints, asks: Asks) -> Claim | None:
    """Find the mail of ours that a message answers, by its tokens, then by what it replies to.

    A speaker who was asked twice may name both tokens: then the talks that both asked for count.
    """
    by_token = _distinct(asks.by_token.get(token) for token in hints.tokens)
    by_reply = _distinct(asks.by_message_id.get(name) for name in hints.answered)
    found = by_token or by_reply
    if not found:
        return None
    how = "token" if by_token else "reply"
    # What we asked long ago in the same thread says less than the mail that is answered directly.
    asked = by_token + by_reply[:1] if by_token else by_reply[:1]
    talks = set(asked[0].talks).intersection(*(each.talks for each in asked))
    if len({each.event for each in asked}) > 1 or not talks:
        places = ", ".join(dict.fromkeys(f"{each.event}/{each.talks[0]}" for each in asked))
        return Claim("", (), how, f"it answers several of our mails at once: {places}")
    return Claim(asked[0].event, tuple(talk for talk in asked[0].talks if talk in talks), how)


def _distinct(asks: Iterable[Ask | None]) -> list[Ask]:
    return list({each.token: each for each in asks if each is not None}.values())


@dataclass(frozen=True)
class Titles:
    """How near a material's title is to the talks of each event."""

    material: Material
    candidates: Sequence[Event]
    series: str = ""

    @cached_property
    def matches(self) -> Mapping[str, Match]:
        """The talk that the title means in each event, as `archiver.matching` decides it."""
        return {each.id: match(self.material, each, series=self.series) for each in self.candidates}

    @cached_property
    def ranks(self) -> Mapping[str, Sequence[Rank]]:
        """All talks of each event that the title has anything in common with."""
        return {each.id: rank(self.material, each, series=self.series) for each in self.candidates}

    @property
    def events(self) -> list[str]:
        """Name the events in which the title clearly means one talk."""
        return [event for event, found in self.matches.items() if found.talk]

    def talk(self, event: str) -> str:
        """Give the talk of an event that the title clearly means."""
        found = self.matches.get(event)
        return found.talk if found else ""

    def near(self, event: str, talk: str) -> float:
        """Say how near the title alone is to one talk."""
        return max((each.title for each in self.ranks.get(event, ()) if each.talk.id == talk), default=0.0)

    def rank(self, event: str, talk: str) -> Rank | None:
        """Give all that is known of the nearness to one talk."""
        return next((each for each in self.ranks.get(event, ()) if each.talk.id == talk), None)


def titles(material: Material, events: Iterable[Event], series: str) -> Titles:
    """Compare a material's title with the talks of all these events, whatever its source says of it."""
    plain = Material(material.id, material.kind, material.title, authors=material.authors)
    return Titles(plain, tuple(events), series)


def named_in(subject: str, events: Iterable[Event]) -> list[str]:
    """Name the events whose id, city or title stands in a folded subject."""
    # Our own "[beijing/chef#token]" is no word of the sender's, and a talk may be called "Shenzhen".
    plain = re.sub(r"\[[^\]\s]*\s*#[^\]]*\]", " ", subject)
    return [event.id for event in events if any(re.search(form, plain) for form in _names(event))]


@lru_cache(maxsize=512)
def _names(event: Event) -> tuple[str, ...]:
    words = {fold(name) for name in (event.id, event.city, event.title, event.id.replace("-", " ")) if name}
    title = [word for word in fold(event.title).split() if word not in _GENERIC]
    words.add(" ".join(title))
    return tuple(_pattern(word) for word in sorted(words) if len(word) > 1 and not word.isdigit())


def _pattern(word: str) -> str:
    # Chinese is written without spaces, all else is not: "wuhan" is not in "wuhanese".
    return re.escape(word) if _HAN.search(word) else rf"(?<![^\W_]){re.escape(word)}(?![^\W_])"


def is_deck(material: Material) -> bool:
    """Say whether a material may be what was asked for: a deck, or a link behind which one may lie."""
    return material.kind is Kind.SLIDES or "link" in material.extra
