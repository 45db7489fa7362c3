"""Weigh the evidence for what one message brought: file it where it is sure, else say what is unclear.

A wrong talk is worse than none: whoever gave it would never be asked again. So signs that point to
different places decide nothing, and a person does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from archiver.asked import Asks
from archiver.model import Event, Kind, Material
from archiver.routing import evidence
from archiver.routing.evidence import Claim, Titles
from archiver.routing.hints import Hints, own_title, without_code

#: A title this near to a talk that was not asked for, and this much nearer than to those asked for,
#: speaks against the answer; with a word in it that only that talk has.
AGAINST, LEAD = 0.4, 0.15
#: The same for talks of other events, which share more words by chance.
AGAINST_ELSEWHERE = 0.6


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a material belongs and how that was seen; `event` "" means unclear, and `how` says why."""

    event: str
    talk: str = ""
    how: str = ""


@dataclass(frozen=True)
class Programme:
    """What messages are compared with. `partial` says that only some events' senders are known."""

    events: Sequence[Event]
    asks: Asks
    series: str = ""
    partial: bool = False
    users: Sequence[str] = ()

    @property
    def candidates(self) -> list[Event]:
        """The events that use the source, or all."""
        return [event for event in self.events if not self.users or event.id in self.users]

    def __contains__(self, event: str) -> bool:
        """Say whether the configuration names an event."""
        return any(each.id == event for each in self.events)


@dataclass
class Letter:
    """One message: its hints, and all that it brought."""

    hints: Hints
    materials: Sequence[Material]
    programme: Programme
    _titles: dict[str, Titles] = field(default_factory=dict)

    def verdict(self, material: Material) -> Verdict:
        """Decide where one material of the message belongs."""
        if self.hints.automatic:
            return Verdict("", how="no person sent it: an automatic answer or report")
        if self.claim is not None:
            return self._answer(material, self.claim)
        if material.event and material.event not in self.programme:
            return Verdict("", how=f"no event {material.event!r} in the configuration")
        return self._unasked(material)

    @cached_property
    def claim(self) -> Claim | None:
        """Give the mail of ours that the message answers."""
        return evidence.claim(self.hints, self.programme.asks)

    def titles(self, material: Material) -> Titles:
        """Compare the title of a material with all talks, once."""
        if material.id not in self._titles:
            programme = self.programme
            title = own_title(material) if self.claim else without_code(material.title)
            plain = replace(material, title=title)
            self._titles[material.id] = evidence.titles(plain, programme.events, programme.series)
        return self._titles[material.id]

    def _answer(self, material: Material, asked: Claim) -> Verdict:
        """Decide about what came in answer to a mail of ours."""
        doubt = asked.conflict or self._doubt(material, asked)
        if doubt:
            return Verdict("", how=doubt)
        talk = self.titles(material).talk(asked.event)
        if talk in asked.talks:
            return Verdict(asked.event, talk, asked.how)
        if reason := self._unfit(material, asked):
            return Verdict("", how=reason)
        return Verdict(asked.event, asked.talks[0], asked.how)

    def _unfit(self, material: Material, asked: Claim) -> str:
        """Say why what came in an answer is not taken for the one deck that was asked for; "" when it is."""
        if not evidence.is_deck(material):
            return f"it answers our mail about {_place(asked)}, but seems to be no deck"
        if len(asked.talks) > 1:
            return f"our mail asked for {len(asked.talks)} talks, and its title fits none"
        if sum(map(evidence.is_deck, self.materials)) > 1:
            return f"the message brings several decks, and the title of this is not {_place(asked)}"
        if self._is_strange(material, asked):
            return f"it answers our mail about {_place(asked)}, but neither title nor sender point there"
        return ""

    def _is_strange(self, material: Material, asked: Claim) -> bool:
        """Say whether a file has a name of its own that fits no talk asked for, from nobody who was asked."""
        senders, talks = set(self.hints.sender_talks), asked.talks
        if not own_title(material) or any((asked.event, talk) in senders for talk in talks):
            return False
        titles = self.titles(material)
        return not any(titles.near(asked.event, talk) for talk in talks)

    def _doubt(self, material: Material, asked: Claim) -> str:
        """Say what speaks against the answer's talk; "" when nothing does."""
        titles = self.titles(material)
        supported = titles.talk(asked.event) in asked.talks
        if not supported and (other := _other_talk(titles, asked)):
            return f"it answers our mail about {_place(asked)}, but its title points to {other}"
        senders = set(self.hints.sender_talks)
        ours = {(asked.event, talk) for talk in asked.talks}
        if senders and not senders & ours and not supported:
            return f"it answers our mail about {_place(asked)}, but comes from the speaker of another talk"
        if self.hints.forwarded and not supported and not senders & ours:
            return f"somebody forwarded our mail about {_place(asked)}, and its title says nothing of that"
        return ""

    def _unasked(self, material: Material) -> Verdict:
        """Decide about what came by itself: the entry's filter, then subject, sender and title."""
        titles = self.titles(material)
        found = {how: events for how, events in self._signs(material, titles) if events}
        sure = [(how, events[0]) for how, events in found.items() if len(events) == 1]
        possible = _common(list(found.values()))
        if not sure:
            return Verdict("", how=_unsure(found))
        how, event = sure[0]
        if event not in possible:
            return Verdict("", how=_contradiction(found))
        return self._in_event(material, event, how)

    def _signs(self, material: Material, titles: Titles) -> list[tuple[str, list[str]]]:
        """Give the events that each kind of evidence allows, the strongest kind first."""
        users = list(dict.fromkeys(self.programme.users))
        entry = [material.event] if material.event else users if len(users) == 1 else []
        chosen = [event for event in self.hints.events if event in self.programme]
        candidates = [each for each in self.programme.candidates if not chosen or each.id in chosen]
        subject = evidence.named_in(self.hints.subject, candidates)
        sender = [] if self.programme.partial else [event for event, _ in self.hints.sender_talks]
        return [
            ("entry", entry or chosen),
            # A filter of the configuration was set by a person: words in the subject do not undo it.
            ("subject", [] if entry else subject),
            (
                "sender",
                [] if entry else list(dict.fromkeys(event for event in sender if event in self.programme)),
            ),
            ("title", titles.events),
        ]

    def _in_event(self, material: Material, event: str, how: str) -> Verdict:
        """Decide about the talk when the event is clear."""
        talk = self.titles(material).talk(event)
        if material.talk:
            return Verdict(event, material.talk, how)
        if talk:
            return self._by_title(material, event, talk, how)
        if how == "sender":
            return Verdict("", how=f"it comes from a speaker of {event}, and its title fits no talk")
        others = [each for each in self.materials if each.id != material.id]
        if evidence.is_deck(material) and any(self.titles(each).talk(event) for each in others):
            return Verdict("", how="the message brings several decks, and the title of this fits no talk")
        return Verdict(event, "", how)

    def _by_title(self, material: Material, event: str, talk: str, how: str) -> Verdict:
        found = self.titles(material).rank(event, talk)
        alone = how == "title" and found is not None and found.words < 2 and not found.agrees
        if alone:  # "swift.pdf" from a stranger may be from a bank
            return Verdict("", how=f"nothing but one word of its title points to {event}/{talk}")
        return Verdict(event, "" if material.kind in _OF_EVENT else talk, how)


_OF_EVENT = frozenset({Kind.PHOTO, Kind.REPORT})


def _place(asked: Claim) -> str:
    return f"{asked.event}/{asked.talks[0]}"


def _other_talk(titles: Titles, asked: Claim) -> str:
    """Name a talk that was not asked for and to which a title points more than to those that were."""
    mine = max((titles.near(asked.event, talk) for talk in asked.talks), default=0.0)
    for event, ranks in titles.ranks.items():
        least = AGAINST if event == asked.event else AGAINST_ELSEWHERE
        for each in ranks:
            if event == asked.event and each.talk.id in asked.talks:
                continue
            if each.own and each.title >= least and each.title - mine >= LEAD:
                return f"{event}/{each.talk.id}"
    return ""


def _common(sets: Sequence[Sequence[str]]) -> set[str]:
    common = set(sets[0]) if sets else set()
    for each in sets[1:]:
        common &= set(each)
    return common


def _unsure(found: dict[str, list[str]]) -> str:
    for how, events in found.items():
        return f"by its {_WORDS[how]} it may belong to {' or '.join(events[:5])}"
    return "neither a token, its filter, subject, sender nor title point to one event"


def _contradiction(found: dict[str, list[str]]) -> str:
    signs = [f"its {_WORDS[how]} to {' or '.join(events[:3])}" for how, events in found.items()]
    return f"the signs contradict each other: {', '.join(signs)}"


_WORDS = {"entry": "filter", "subject": "subject", "sender": "sender", "title": "title"}
