"""The matcher against titles with a known answer: a real tour's, and made-up tours'."""

from __future__ import annotations

import pytest

from unit.matching_pairs import Pair, Score, pairs, score
from unit.matching_tours import make_pairs, make_stop

#: Stops of made-up tours, and materials of each. None of these seeds was looked at for a rule.
SEEDS, EACH = range(500, 525), 60


def told(result: Score) -> list[str]:
    return [f"{pair} went to {found.talk} by {found.method}" for pair, found in result.wrong]


def test_the_labelled_titles_are_many_and_many_of_them_mislead() -> None:
    everything = [*pairs("tuning"), *pairs("heldout")]
    assert len(everything) >= 400
    assert sum(not each.expected for each in everything) >= 150
    assert len({str(each) for each in everything}) == len({*map(_identity, everything)})


def _identity(pair: Pair) -> tuple[str, ...]:
    return (pair.event.id, pair.expected, pair.material.title, *pair.material.authors)


@pytest.mark.parametrize("name", ["tuning", "heldout"])
def test_no_labelled_title_gets_a_wrong_talk_and_few_get_none(name: str) -> None:
    result = score(pairs(name))
    assert not told(result)
    assert result.recall >= 0.9, [str(pair) for pair, _ in result.missed]


def test_made_up_tours_are_matched_without_one_wrong_talk() -> None:
    result = score(pair for seed in SEEDS for pair in make_pairs(seed, EACH))
    assert result.pairs >= 1000
    assert not told(result)
    assert result.recall >= 0.9, [str(pair) for pair, _ in result.missed]


def test_a_made_up_tour_is_the_same_each_time_and_another_with_another_seed() -> None:
    assert list(map(str, make_pairs(7, 40))) == list(map(str, make_pairs(7, 40)))
    assert make_stop(7).event != make_stop(8).event


def test_a_made_up_stop_has_what_makes_matching_hard() -> None:
    stops = [make_stop(seed) for seed in SEEDS]
    names = {talk.id: talk.speakers for stop in stops for talk in stop.event.talks}
    assert all(sum(not each.alone for each in stop.talks) == 2 for stop in stops)
    assert any(not "".join(who).isascii() for who in names.values())
    assert any(talk.title.isascii() for stop in stops for talk in stop.event.talks)
    assert any(not talk.title.isascii() for stop in stops for talk in stop.event.talks)


def test_a_wrong_answer_would_be_seen() -> None:
    pair = next(each for each in pairs("tuning") if each.expected and each.found.talk == each.expected)
    other = next(talk.id for talk in pair.event.talks if talk.id != pair.expected)
    result = score([Pair(pair.event, pair.material, other), Pair(pair.event, pair.material, "")])
    assert (result.right, len(result.wrong), result.precision) == (0, 2, 0.0)
