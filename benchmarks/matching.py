"""Judge the matcher against titles with a known answer, and see how long it takes.

    python benchmarks/matching.py                  the labelled titles, and 100 made-up stops
    python benchmarks/matching.py --seeds 0:1000   other stops
    python benchmarks/matching.py --misses         with every title that found no talk
    python benchmarks/matching.py --speed          10,000 materials against 300 talks as well

Ends with 1 when a title got a wrong talk.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from archiver.matching import match
from archiver.model import Event, Kind, Material, Talk
from unit.matching_pairs import Score, pairs, score
from unit.matching_tours import make_pairs

EACH = 60
METHODS = ("id", "title", "title+speaker", "title+time", "speaker", "none")


def main() -> int:
    options = _options()
    first, last = (int(part) for part in options.seeds.split(":"))
    made = [pair for seed in range(first, last) for pair in make_pairs(seed, EACH)]
    results = {
        "labelled, tuning": score(pairs("tuning")),
        "labelled, held out": score(pairs("heldout")),
        f"made up, {last - first} stops": score(made),
    }
    for line in _table(results):
        print(line)
    for name, result in results.items():
        for line in _failures(name, result, misses=options.misses):
            print(line)
    if options.speed:
        _speed()
    return 1 if any(result.wrong for result in results.values()) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Judge the matcher.")
    parser.add_argument("--seeds", default="1000:1100", help="made-up stops, FIRST:LAST")
    parser.add_argument("--misses", action="store_true", help="print what found no talk, too")
    parser.add_argument("--speed", action="store_true", help="time it on programmes of three sizes")
    return parser.parse_args()


def _table(results: dict[str, Score]) -> Iterator[str]:
    heads = ["pairs", "no talk", "right", "wrong", "missed", "precision", "recall", *METHODS]
    yield " ".join([f"{'':24}", *(f"{head:>13}" for head in heads)])
    for name, each in results.items():
        counts = [each.pairs, each.pairs - each.belonging, each.right, len(each.wrong), len(each.missed)]
        shares = [f"{each.precision:.3f}", f"{each.recall:.3f}"]
        methods = [each.methods[method] for method in METHODS]
        yield " ".join([f"{name:24}", *(f"{cell:>13}" for cell in (*counts, *shares, *methods))])


def _failures(name: str, result: Score, *, misses: bool) -> Iterator[str]:
    for pair, found in result.wrong:
        yield f"WRONG  {name}: {pair} went to {found.talk} by {found.method}, {found.score}"
    for pair, found in result.missed if misses else ():
        yield f"missed {name}: {pair}: {found.why}"


def _speed() -> None:
    for talks, materials in ((7, 2_000), (40, 2_000), (300, 10_000)):
        event, listed = _large(talks, materials)
        began = time.process_time()
        found = sum(bool(match(each, event, series="OpenStack China Tour").talk) for each in listed)
        took = time.process_time() - began
        each = took / materials * 1e6
        print(
            f"{materials} materials, {talks} talks: {took:.2f} s of CPU, {each:.0f} µs each, {found} matched"
        )


def _large(talks: int, materials: int) -> tuple[Event, list[Material]]:
    dice = random.Random(talks)
    words = ["".join(dice.choices("abcdefghijklmnoprstuvw", k=dice.randint(4, 10))) for _ in range(600)]
    people = [
        f"{''.join(dice.choices('aeilnouwxzgh', k=7))} {''.join(dice.choices('aeilnouwxz', k=4))}".title()
        for _ in range(talks)
    ]
    expected = tuple(
        Talk(f"t{number}", f"OpenStack {' '.join(dice.sample(words, dice.randint(3, 7)))}", (people[number],))
        for number in range(talks)
    )
    listed = [_upload(dice, number, dice.choice(expected), words) for number in range(materials)]
    return Event("large", "Large Stop", date="2012-09-16", talks=expected), listed


def _upload(dice: random.Random, number: int, talk: Talk, words: list[str]) -> Material:
    titles = (
        talk.title,
        f"2012 OpenStack China Tour: {talk.title} - {talk.speakers[0]}",
        talk.title.replace(" ", "_") + "_final_v2.pptx",
        " ".join(dice.sample(words, 5)) + ".pdf",
        f"IMG_{number:05}.mp4",
    )
    authors = dice.choice([("COSUG",), talk.speakers])
    return Material(f"m{number}", Kind.SLIDES, dice.choice(titles), authors=authors)


if __name__ == "__main__":
    sys.exit(main())
