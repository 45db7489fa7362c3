"""Write the review as Markdown that every reader takes alike: titles stay text, whatever they hold.

CommonMark 0.31 with the tables of GitHub. Escapes: https://spec.commonmark.org/0.31.2/#backslash-escapes
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import quote

from archiver.pages.model import Item
from archiver.pages.reviewing import Review, Saying, Stop, Topic
from archiver.pages.words import Words

# What means something anywhere in a line. "&" only begins an entity when a name or number follows.
_SIGNS: Final = re.compile(r"[\\`*_\[\]|~]|&(?=#|[A-Za-z])")
# What means something at the begin of a line: "# ", "- ", "+ ", "> ", "===", ": ", "1. ", "1) ".
_BEGIN: Final = re.compile(r"^(\d{1,9})?([#+\-=>:.)])")
_SCHEME: Final = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp)(?=:)|\b(www)(?=\.)")

# "?a=1&copy;" in an address is no sign of copyright.
_ENTITY: Final = re.compile(r"&(?=#|\w+;)")

#: Says where a material can be had: an address or a relative path; "" when nowhere.
Where = Callable[[Item], str]


def text(words: str) -> str:
    """Write plain text so that no sign of it is markup, at the begin of a line or within."""
    line = " ".join(words.split())
    line = _SIGNS.sub(lambda found: "\\" + found[0], line)
    line = line.replace("<", "&lt;").replace(">", "&gt;")
    # GitHub makes links of bare addresses: an entity in their place reads the same, and is none.
    line = _SCHEME.sub(lambda found: f"&#{ord(found[0][0])};{found[0][1:]}", line)
    return _BEGIN.sub(lambda found: f"{found[1] or ''}\\{found[2]}", line)


def link(words: str, target: str) -> str:
    """Write a link; only the words when there is no target."""
    if not target:
        return text(words)
    plain = _ENTITY.sub("&amp;", quote(target, safe=_SAFE))
    return f"[{text(words)}](<{plain}>)"


#: What an address may hold as it is. "%" too: addresses are encoded already, paths come encoded.
_SAFE: Final = ":/?#@!$&'*+,;=%~-._"


def markdown(told: Review, words: Words, where: Where) -> str:
    """Write the review. Every line ends with a line feed; there is no HTML in it."""
    return _Writing(told, words, where).everything()


class _Writing:
    """Writes one review."""

    def __init__(self, told: Review, words: Words, where: Where) -> None:
        self.told, self.t, self.where = told, words, where
        self.say = Saying(told, words)

    def everything(self) -> str:
        """Put all sections together."""
        blocks = [*self._front(), *self._stops(), *self._end()]
        return "\n\n".join(block for block in blocks if block) + "\n"

    def _front(self) -> Iterator[str]:
        say = self.say
        yield f"# {text(say.heading)}"
        yield ("" if self.t.chinese else " ").join(map(text, say.introduction()))
        yield self._list(self._pair(*each) for each in say.holdings())
        yield f"## {self.t['review_glance']}"
        yield _table(*say.table())

    def _stops(self) -> Iterator[str]:
        yield f"## {self.t['stops']}"
        for stop in self.told.stops:
            yield from self._stop(stop)
        if self.told.others:
            yield f"## {self.t['review_others']}"
        for stop in self.told.others:
            yield from self._stop(stop)

    def _stop(self, stop: Stop) -> Iterator[str]:
        number = f"{stop.number}\\. " if stop.number else ""
        yield f"### {number}{text(stop.title)}"
        yield self._list(self._pair(*each) for each in self.say.about(stop))
        yield "\n".join(f"{n}. {self._topic(topic)}" for n, topic in enumerate(stop.topics, 1))
        yield self._list(self._found(stop))

    def _topic(self, topic: Topic) -> str:
        parts = [text(topic.title)]
        parts += [text(self.say.names(topic))] if topic.speakers else []
        parts += [link(self.t["slides"], self.where(item)) for item in topic.slides]
        parts += [link(self.t["video"], self.where(item)) for item in topic.videos]
        parts += map(text, self.say.lacks(topic))
        return " · ".join(parts)

    def _found(self, stop: Stop) -> Iterator[str]:
        colon = self.t["colon"]
        for item, title in stop.reports:
            yield f"{self.t['report']}{colon}{link(title, self.where(item))}"
        for item in stop.videos:
            yield f"{self.t['video']}{colon}{link(item.title, self.where(item))}"
        for item in stop.slides:
            yield f"{self.t['review_other']}{colon}{link(item.title, self.where(item))}"
        photos = len(stop.view.of("photo"))
        if photos:
            yield f"{self.t['photos']}{colon}{self.t.number(photos)}"

    def _end(self) -> Iterator[str]:
        say = self.say
        if again := say.again():
            yield f"## {self.t['review_again']}"
            yield self._list(self._pair(*each) for each in again)
        yield f"## {self.t['review_still']}"
        missing = say.missing()
        yield (
            self._list(self._pair(stop.title, words) for stop, words in missing) or self.t["review_complete"]
        )
        if waived := say.waived():
            yield f"## {self.t['waived_title']}"
            yield self._list(self._pair(*each) if each[1] else text(each[0]) for each in waived)

    def _pair(self, label: str, value: str) -> str:
        return f"{text(label)}{self.t['colon']}{text(value)}"

    @staticmethod
    def _list(lines: Iterable[str]) -> str:
        return "\n".join(f"- {line}" for line in lines)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    written = [[cell if number == 1 else text(cell) for cell in line] for number, line in enumerate(lines)]
    return "\n".join(f"| {' | '.join(line)} |" for line in written)
