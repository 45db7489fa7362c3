"""The review of a tour: what happened where, what came of it, what is still missing.

Counts come from the archive; what only people can know is stated in the configuration. `review` gathers,
`Saying` puts it into words, which the page and the Markdown share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from archiver.archive import Head
from archiver.asked import Asks
from archiver.catalog.serving import texts_of
from archiver.config import Config
from archiver.coverage import Cell, EventCoverage, Standing
from archiver.gaps import Gap
from archiver.model import Kind
from archiver.pages import comparing, covering, gathering, texts
from archiver.pages.model import EventView, Item, Site, TalkView
from archiver.pages.pictures import Pictures
from archiver.pages.texts import ReportText
from archiver.pages.words import Words

#: Stated figures that have a word of their own.
FIGURES: Final = ("enrolled", "attended", "lecturers")
_KINDS: Final = (Kind.SLIDES, Kind.VIDEO, Kind.REPORT, Kind.PHOTO)
_HERE: Final = frozenset({Standing.HAVE, Standing.PARTIAL})


@dataclass(frozen=True, slots=True)
class Topic:
    """One talk of a stop, or one deck of an event without a list of talks.

    `lacks` are the kinds that are expected of it and not fully here, with how they stand.
    """

    title: str
    speakers: tuple[str, ...]
    slides: tuple[Item, ...]
    videos: tuple[Item, ...]
    lacks: tuple[tuple[Kind, Standing], ...] = ()
    page: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """One event with what came of it. `number` is its place among the stops, 0 for other events."""

    number: int
    view: EventView
    topics: tuple[Topic, ...]
    slides: tuple[Item, ...]
    videos: tuple[Item, ...]
    reports: tuple[tuple[Item, str], ...]
    gaps: tuple[Gap, ...]
    coverage: EventCoverage | None

    @property
    def title(self) -> str:
        """How it is called."""
        return self.view.event.title

    def cell(self, kind: Kind) -> Cell | None:
        """Say how a kind of material stands."""
        return self.coverage.kinds.get(kind) if self.coverage else None


@dataclass(frozen=True, slots=True)
class Review:
    """The stops, and the events beside them."""

    site: Site
    stops: tuple[Stop, ...]
    others: tuple[Stop, ...]

    @property
    def all(self) -> tuple[Stop, ...]:
        """Every event, the stops first."""
        return (*self.stops, *self.others)


def review(site: Site, reports: Mapping[str, ReportText]) -> Review:
    """Gather the review. `reports` are the texts of reports by the id of their item. Pure.

    Events with a list of talks are the stops. Others, such as a conference before the tour of which decks
    were collected by their tag, are told beside them; when no event has talks, all are stops.
    """
    gaps: dict[str, list[Gap]] = {}
    for gap in covering.missing(site):
        gaps.setdefault(gap.event.id, []).append(gap)
    listed = [view for view in site.events if view.talks] or list(site.events)
    found = {each.event.id: each for each in site.coverage.events}
    made: tuple[list[Stop], list[Stop]] = ([], [])
    for view in site.events:
        own = view in listed
        number = len(made[0]) + 1 if own else 0
        name = view.event.id
        made[not own].append(_stop(number, view, reports, tuple(gaps.get(name, ())), found.get(name)))
    return Review(site, tuple(made[0]), tuple(made[1]))


def of_head(head: Head, config: Config, asks: Asks) -> Review:
    """Gather the review of what a sink holds, without drawing or writing anything. Raises `SinkError`."""
    locate = cache(lambda event, path: head.object(event).locate(path))
    site = gathering.gather(config, head, Pictures(), locate, asks)
    read = texts_of(head)
    return review(
        site, {item.id: texts.report(item, read) for item in site.items if item.kind is Kind.REPORT}
    )


def _stop(
    number: int,
    view: EventView,
    reports: Mapping[str, ReportText],
    gaps: tuple[Gap, ...],
    coverage: EventCoverage | None,
) -> Stop:
    stands = {talk.talk.id: talk.kinds for talk in coverage.talks} if coverage else {}
    topics = tuple(_topic(talk, stands.get(talk.talk.id, {})) for talk in view.talks)
    decks = view.loose_of("slides")
    if not topics:
        topics, decks = tuple(Topic(deck.title, deck.authors, (deck,), ()) for deck in decks), ()
    told = tuple(
        (each, reports[each.id].title if each.id in reports else each.title) for each in view.of("report")
    )
    return Stop(number, view, topics, decks, view.loose_of("video"), told, gaps, coverage)


def _is_here(cell: Cell) -> bool:
    """Say whether there is any of it, though it may belong to no talk yet."""
    return cell.state in _HERE or cell.unmatched > 0


def _topic(talk: TalkView, stands: Mapping[Kind, Cell]) -> Topic:
    lacks = tuple(
        (kind, cell.state)
        for kind, cell in stands.items()
        if cell.expected and cell.state is not Standing.HAVE
    )
    return Topic(talk.talk.title, talk.talk.speakers, talk.of("slides"), talk.of("video"), lacks, talk.page)


class Saying:
    """Puts a review into words, without any markup."""

    def __init__(self, told: Review, words: Words) -> None:
        self.told, self.t, self.site = told, words, told.site

    @property
    def heading(self) -> str:
        """The title of the review."""
        return self.t("review_of", title=self.site.title)

    def introduction(self) -> list[str]:
        """Say in a few sentences what it was and what came of it."""
        figures = self._figures(self.site.facts)
        have, wanted = self.site.coverage.tally()
        told = [
            self.t("review_by", title=self.site.title, organizer=self.site.organizer)
            if self.site.organizer
            else "",
            self._extent(),
            self._undated(),
            self.t("review_stated", figures=self._list(figures)) if figures else "",
            self._held(),
            self.t(
                "review_share",
                have=self.t.number(have),
                wanted=self.t.number(wanted),
                percent=self.site.coverage.percent,
            )
            if wanted
            else "",
        ]
        return [sentence for sentence in told if sentence]

    def _extent(self) -> str:
        stops = self.t("review_stops", count=len(self.told.stops))
        talks = self.t("review_talks", count=sum(len(stop.view.talks) for stop in self.told.stops))
        return self.t("review_extent", stops=stops, talks=talks, when=self._when())

    def _when(self) -> str:
        events = [stop.view.event for stop in self.told.stops]
        known = sorted(event.date for event in events if event.date)
        if not known:
            return ""
        ends = sorted(event.end_date or event.date for event in events if event.date)
        begin, end = self.t.date(known[0]), self.t.date(ends[-1])
        # A tour may have begun before the first date that is known.
        sure = bool(events[0].date and events[-1].date)
        if begin == end:
            return self.t("review_on" if sure else "review_known_one", begin=begin)
        return self.t("review_from" if sure else "review_known", begin=begin, end=end)

    def _undated(self) -> str:
        count = sum(not stop.view.event.date for stop in self.told.stops)
        return self.t("review_undated", count=count) if count else ""

    def _figures(self, facts: Mapping[str, str | int]) -> list[str]:
        return [self._figure(name, facts[name]) for name in FIGURES if name in facts]

    def _figure(self, name: str, value: str | int) -> str:
        if isinstance(value, int):
            return self.t(f"review_{name}", count=value)
        return f"{self.t[name]}{self.t['colon']}{value}"

    def _held(self) -> str:
        totals = self.site.totals
        parts = [self.t(f"review_{kind}", count=totals[kind]) for kind in _KINDS if kind in totals]
        return self.t("review_held", what=self._list(parts)) if parts else self.t["review_empty"]

    def holdings(self) -> list[tuple[str, str]]:
        """Say of each kind of material at how many stops there is any: (kind, words)."""
        told = [(self.t[f"kind_{kind}"], self._holding(kind)) for kind in _KINDS]
        return [(label, words) for label, words in told if words]

    def _holding(self, kind: Kind) -> str:
        cells = [(stop, cell) for stop in self.told.stops if (cell := stop.cell(kind)) and cell.expected]
        waived = [stop.title for stop, cell in cells if cell.state is Standing.WAIVED]
        wanted = [(stop, cell) for stop, cell in cells if cell.state is not Standing.WAIVED]
        have = [stop.title for stop, cell in wanted if _is_here(cell)]
        lack = [stop.title for stop, cell in wanted if not _is_here(cell)]
        some = [stop.title for stop, cell in wanted if _is_here(cell) and cell.state is not Standing.HAVE]
        parts = [self._how_many(have, lack)] if wanted else []
        parts += [self.t("review_partly", which=self._list(some))] if some else []
        parts += [self.t("review_waived", which=self._list(waived))] if waived else []
        return self.t["semicolon"].join(parts)

    def _how_many(self, have: Sequence[str], lack: Sequence[str]) -> str:
        total = len(have) + len(lack)
        if not lack:
            return self.t("review_all", count=total)
        if not have:
            return self.t("review_none", count=total)
        counts = {"have": len(have), "total": total}
        if len(lack) <= len(have):
            return self.t("review_but", which=self._list(lack), **counts)
        return self.t("review_only", which=self._list(have), **counts)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Lay out all events: the heads of the columns, and a row for each."""
        heads = [
            self.t["number"],
            *(self.t[word] for word in ("event", "when", "venue", "lecturers", "attended", "talks")),
        ]
        heads += [self.t[f"kind_{kind}"] for kind in _KINDS]
        return heads, [self._row(stop) for stop in self.told.all]

    def _row(self, stop: Stop) -> list[str]:
        event = stop.view.event
        stated = [self._value(event.facts.get(name)) for name in ("lecturers", "attended")]
        counts = [len(stop.view.talks), *(len(stop.view.of(kind)) for kind in _KINDS)]
        when = self.t.dates(event.date, event.end_date) if event.date else "–"
        number = str(stop.number) if stop.number else "–"
        return [number, event.title, when, self.place(stop) or "–", *stated, *map(self.t.number, counts)]

    def _value(self, value: str | int | None) -> str:
        if value is None:
            return "–"
        return self.t.number(value) if isinstance(value, int) else value

    def place(self, stop: Stop) -> str:
        """Say where it was."""
        event = stop.view.event
        return self.t["comma"].join(dict.fromkeys(part for part in (event.venue, event.city) if part))

    def about(self, stop: Stop) -> list[tuple[str, str]]:
        """Give the date, the place and the stated facts of a stop: (label, value)."""
        event, facts = stop.view.event, stop.view.event.facts
        when = self.t.dates(event.date, event.end_date) if event.date else self.t["unknown"]
        told = [(self.t["when"], when), (self.t["venue"], self.place(stop))]
        told += [
            (self.t[name], self._value(facts[name]))
            for name in ("lecturers", "attended", "enrolled")
            if name in facts
        ]
        told += [(label, self._value(value)) for label, value in facts.items() if label not in FIGURES]
        return [(label, value) for label, value in told if value]

    def names(self, topic: Topic) -> str:
        """Name the speakers of a talk."""
        return ("、" if self.t.chinese else ", ").join(topic.speakers)

    def lacks(self, topic: Topic) -> list[str]:
        """Say what is not here of a talk."""
        return [
            f"{self.t[f'kind_{kind}']}{self.t['colon']}{self.t[state.value]}" for kind, state in topic.lacks
        ]

    def missing(self) -> list[tuple[Stop, str]]:
        """Sum up what is missing, for each event that lacks something."""
        return [(stop, self._list([*self._missing(stop.gaps)])) for stop in self.told.all if stop.gaps]

    def _missing(self, gaps: Iterable[Gap]) -> Iterator[str]:
        sums = Counter((gap.kind, gap.cell.state, gap.talk is not None) for gap in gaps)
        counts = dict(sorted(sums.items(), key=lambda each: not each[0][2]))  # of talks first
        for (kind, state, of_talks), count in counts.items():
            what = self.t("review_of_talks", count=count) if of_talks else ""
            told = self.t("review_lack", kind=self.t[f"lack_{kind}"], what=what).strip()
            note = "" if state is Standing.MISSING else self.t("in_brackets", text=self.t[state.value])
            yield f"{told}{note}"

    def waived(self) -> list[tuple[str, str]]:
        """List what nobody waits for: what it is, and why."""
        told = []
        for each in covering.waived(self.site):
            title = [each.talk.title] if each.talk else []
            parts = [each.event.title, *title, self.t[f"kind_{each.waiver.kind}"]]
            told.append((self.t["comma"].join(parts), each.waiver.why))
        return told

    def again(self) -> list[tuple[str, str]]:
        """List the talks that were given more than once: title, and where."""
        told, seen = [], set[str]()
        talks = {talk.page: talk for stop in self.told.stops for talk in stop.view.talks}
        for page, others in comparing.given_again(talks.values()).items():
            if others and page not in seen:
                group = [talks[page], *others]
                seen.update(talk.page for talk in group)
                places = Counter(talk.event.title for talk in group)
                named = [name if n == 1 else f"{name} ×{n}" for name, n in places.items()]
                told.append((talks[page].talk.title, self._list(named)))
        return told

    def _list(self, parts: Sequence[str]) -> str:
        """Join the parts of an enumeration."""
        if len(parts) < 2 or self.t.chinese:
            return "、".join(parts)
        return f"{', '.join(parts[:-1])} and {parts[-1]}"
