"""Makes up a tour from a seed: other people and topics than the reference tour's, in Chinese and English.

What is right is known because it is made: each material comes from one talk, or from none. The tables
here (pinyin, traditional characters) are the generator's own, so that the matcher is not held against
the libraries that it uses.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from archiver.model import Event, Kind, Material, Talk
from unit.matching_pairs import Pair

SERIES = "Harbour Data Days"
CITIES = (("Qingdao", "青岛"), ("Xiamen", "厦门"), ("Chongqing", "重庆"), ("Leipzig", ""), ("Lyon", ""))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FAMILIES = dict(zip("单曾解仇查区王李赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于", _words(
    "shan zeng xie qiu zha ou wang li zhao huang zhou wu xu sun hu zhu gao lin he guo ma luo liang song"
    " zheng xie han tang feng yu"), strict=True))  # fmt: skip
GIVEN = dict(zip("伟芳娜敏静强磊军洋勇艳杰涛明超秀霞平刚桂英华建文志海波宁晨欣", _words(
    "wei fang na min jing qiang lei jun yang yong yan jie tao ming chao xiu xia ping gang gui ying hua"
    " jian wen zhi hai bo ning chen xin"), strict=True))  # fmt: skip
FIRST = _words("Anna Boris Carla Denis Elena Farid Greta Hugo Irene Jonas Karim Laura Marco Nadia Oscar")
LAST = _words("Keller Novak Moreau Silva Rossi Haddad Berg Olsen Duarte Weiss Tanaka Petrov Fontaine Lind")
PRODUCTS = _words(
    "Kafka Spark Flink Cassandra Redis Postgres Airflow Druid Iceberg Parquet Arrow Trino Hive Impala Kudu"
    " Pulsar Samza Nifi Zookeeper Clickhouse"
)  # fmt: skip
ENGLISH = (
    "Operating {0} at a Large Bank", "Inside the {0} Query Planner", "Migrating from {1} to {0}",
    "{0} Performance Tuning in Practice", "Streaming Pipelines with {0} and {1}", "{0} on Bare Metal",
    "What We Learned Running {0} for Five Years", "Backup Strategies for {0} Clusters",
    "A Gentle Introduction to {0}", "Securing {0} in a Hospital Network", "{0} for Weather Forecasts",
)  # fmt: skip
CHINESE = (
    "{0}在电商平台中的应用", "{0}源码分析", "{0}性能优化实践", "基于{0}的日志系统设计",
    "从{1}迁移到{0}的经验",
    "{0}与{1}的比较", "{0}集群运维之道", "深入理解{0}存储引擎", "{0}在银行的落地实践", "用{0}构建实时报表",
)  # fmt: skip
TRADITIONAL = str.maketrans(
    "在电应码优实践于统设计从经验与较维储银构建时报表迁运",
    "在電應碼優實踐於統設計從經驗與較維儲銀構建時報表遷運",
)


@dataclass(frozen=True)
class Person:
    """Somebody's name in Latin letters and, for some, in Chinese."""

    latin: tuple[str, str]  # given, family
    han: str = ""

    @property
    def plain(self) -> str:
        return " ".join(self.latin)


def _person(dice: random.Random) -> Person:
    if dice.random() < 0.35:
        return Person((dice.choice(FIRST), dice.choice(LAST)))
    family = dice.choice(list(FAMILIES))
    given = dice.sample(list(GIVEN), 2)
    latin = "".join(GIVEN[char] for char in given).title()
    return Person((latin, FAMILIES[family].title()), family + "".join(given))


def _listed(dice: random.Random, person: Person) -> str:
    """Write a name as a programme does."""
    forms = [person.plain]
    if person.han:
        forms += [person.han, f"{person.han} {person.plain}"]
    return dice.choice(forms)


def _signed(dice: random.Random, person: Person) -> str:
    """Write a name as whoever uploads does: not as the programme has it."""
    given, family = person.latin
    forms = [f"{given} {family}", f"{family} {given}", f"{family}{given}".lower()]
    return person.han if person.han and dice.random() < 0.5 else dice.choice(forms)


@dataclass(frozen=True)
class Given:
    """A talk with the person who gives it; `alone` says that no other talk of the stop has its title."""

    talk: Talk
    person: Person
    alone: bool = True


@dataclass(frozen=True)
class Stop:
    """One event of a made-up tour, and titles that belong to none of its talks."""

    event: Event
    talks: tuple[Given, ...]
    foreign: tuple[str, ...]
    city: str


def _topics(dice: random.Random) -> Iterator[str]:
    """Yield titles, none twice, the near equals (one word exchanged) not far from each other."""
    made = [
        form.format(product, other)
        for form in dice.sample((*ENGLISH, *CHINESE), 12)
        for product, other in (dice.sample(PRODUCTS, 2) for _ in range(6))
    ]
    dice.shuffle(made)
    yield from dict.fromkeys(made)


def _numbered(dice: random.Random, title: str) -> list[str]:
    if title.isascii():
        return [f"{title}, Part 1", f"{title}, Part 2"]
    return (
        [f"{title}（上）", f"{title}（下）"]
        if dice.random() < 0.5
        else [f"{title} 第一部分", f"{title} 第二部分"]
    )


def make_stop(seed: int) -> Stop:
    dice = random.Random(seed)
    topics = _topics(dice)
    titles = [next(topics) for _ in range(dice.randint(6, 14))]
    titles += _numbered(dice, next(topics))
    people = list({each.plain: each for each in (_person(dice) for _ in range(40))}.values())
    twice = next(topics)  # one title, two lecturers
    talks = [
        Given(Talk(f"t{number}", title, (_listed(dice, who),)), who, title is not twice)
        for number, (title, who) in enumerate(zip([*titles, twice, twice], people, strict=False))
    ]
    city, han = CITIES[seed % len(CITIES)]
    event = Event(
        f"stop-{seed}",
        f"{city} Day",
        date=f"2019-05-1{seed % 10}",
        city=city,
        talks=tuple(each.talk for each in talks),
    )
    return Stop(event, tuple(talks), tuple(topics), dice.choice([city, han or city]))


def _slip(dice: random.Random, text: str) -> str:
    words = [word for word in text.split() if len(word) >= 8 and word.isascii() and word.isalpha()]
    if not words:
        return text
    word = dice.choice(words)
    at = dice.randint(3, len(word) - 3)
    return text.replace(word, word[:at] + word[at + 1 :])


def _garbled(text: str) -> str:
    return text.encode("gb18030").decode("latin-1") if not text.isascii() else text


_NOISES: tuple[Callable[[random.Random, str], str], ...] = (
    lambda dice, text: text,
    lambda dice, text: text.lower().replace(" ", "_") + dice.choice([".pptx", ".pdf", ".key", ".mp4"]),
    lambda dice, text: f"{dice.randint(1, 30):02}-{text}.pdf",
    lambda dice, text: f"{SERIES}: {text}",
    lambda dice, text: f"{text} (slides)",
    lambda dice, text: f"{text} v{dice.randint(2, 9)}.pptx",
    lambda dice, text: f"{text} ({dice.randint(1, 3)}).pdf",
    lambda dice, text: f"20190514 {text}",
    lambda dice, text: text.upper(),
    lambda dice, text: text.translate(TRADITIONAL),
    lambda dice, text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    _slip,
    lambda dice, text: _garbled(text),
    lambda dice, text: text.replace(" the ", " ").replace(" a ", " "),
)


def _positive(dice: random.Random, stop: Stop, given: Given) -> tuple[str, tuple[str, ...]]:
    """Give a title of a talk as somebody may write it, and the authors."""
    title = dice.choice(_NOISES)(dice, given.talk.title)
    who = _signed(dice, given.person)
    place = dice.random()
    if given.alone and place < 0.4:
        return title, dice.choice([(), ("admin",), (SERIES,), (who,)])
    if place < 0.7 and "." not in title[-5:]:
        return dice.choice([f"{title} - {who}", f"{who} - {title}", f"{title} ({who})"]), ()
    return title, (who,)


def _negative(dice: random.Random, stop: Stop) -> tuple[str, tuple[str, ...], str]:
    """Give a title that belongs to no talk of this stop, or not certainly, with authors.

    The last is the talk after all.

    One word of a title says nothing, but signed by whoever gives that talk alone it means it.
    """
    given = dice.choice([each for each in stop.talks if each.alone])
    twice = next(each for each in stop.talks if not each.alone)
    other = _other_product(dice, given.talk.title)
    titles = [
        dice.choice(stop.foreign),
        f"{given.talk.title} Part 3",
        twice.talk.title,
        given.talk.title.split()[0],
    ]
    titles += [f"Interview: {given.talk.title}", SERIES, f"{stop.city} 2019", *([other] if other else [])]
    title = dice.choice(titles)
    sure = title == given.talk.title or title in {each.talk.title for each in stop.talks if each.alone}
    title = dice.choice(stop.foreign) if sure else title
    noise = dice.choice((_NOISES[0], _NOISES[1], _NOISES[3]))
    speaker = _signed(dice, given.person) if title != twice.talk.title and dice.random() < 0.3 else ""
    own_word = title == given.talk.title.split()[0] and "Part" not in given.talk.title and title.isascii()
    meant = given.talk.id if speaker and own_word else ""
    return noise(dice, title), (speaker,) if speaker else (), meant


def _other_product(dice: random.Random, title: str) -> str:
    """Put a product in the place of another that no talk is about."""
    used = [product for product in PRODUCTS if product in title]
    new = dice.choice(PRODUCTS)
    return title.replace(used[0], new) if used and new not in title else ""


def make_pairs(seed: int, count: int) -> list[Pair]:
    """Make a stop, and so many materials for it: six of ten belong to a talk."""
    dice, stop = random.Random(f"materials {seed}"), make_stop(seed)
    own = {talk.title for talk in stop.event.talks}
    result: list[Pair] = []
    while len(result) < count:
        given = dice.choice(stop.talks) if dice.random() < 0.6 else None
        if given:
            (title, authors), meant = _positive(dice, stop, given), given.talk.id
        else:
            title, authors, meant = _negative(dice, stop)
        if given is None and _plain(title) in {_plain(each) for each in own} and not _is_double(stop, title):
            continue  # an exchanged product made another talk of this stop
        material = Material(f"m{len(result)}", dice.choice([Kind.SLIDES, Kind.VIDEO]), title, authors=authors)
        result.append(Pair(stop.event, material, meant, SERIES))
    return result


def _is_double(stop: Stop, title: str) -> bool:
    return any(_plain(each.talk.title) == _plain(title) for each in stop.talks if not each.alone)


def _plain(title: str) -> str:
    text = title.lower().replace("_", " ").removeprefix(f"{SERIES.lower()}: ")
    return text.rsplit(".", 1)[0] if text.endswith((".pptx", ".pdf", ".key", ".mp4")) else text
