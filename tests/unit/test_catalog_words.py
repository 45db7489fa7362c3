"""How text is cut for search, and how the passage that was found is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.catalog.snippet import CLOSE, OPEN, WIDTH, snippet
from archiver.catalog.words import MAX_TERMS, clean, fold, index_text, parse


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Deploy OpenStack with Chef", "deploy openstack with chef"),
        ("云计算", "云计 计算 算"),
        ("云", "云"),
        ("Swift架构", "swift 架构 构"),
        ("使用Swift", "使用 用 swift"),
        ("云计\n  算", "云计 计算 算"),
        ("云计，算", "云计 计 算"),
        ("OpenStack+OpenShift v2.0", "openstack openshift v2 0"),
        ("Café CAFÉ Straße", "cafe cafe strasse"),
        ("ひらがな", "ひら らが がな な"),
        ("한국어", "한국 국어 어"),
        ("snake_case", "snake case"),
        ("zero\u200bwidth", "zerowidth"),
        ("x" * 100, "x" * 64),
        ("… — !", ""),
    ],
)
def test_text_is_cut_into_words_and_pairs(text: str, words: str) -> None:
    assert index_text(clean(text)) == words


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("swift 架构", ['"swift"', '"架构"']),
        ("swift架构", ['"swift 架构"']),
        ("架构swift", ['"架构 构 swift"']),
        ("云", ['"云"*']),
        ("用swift", ['"用 swift"']),
        ("swift用", ['"swift 用"*']),
        ('"block device" cinder', ['"block device"', '"cinder"']),
        ('"block device', ['"block device"']),
        ("“block device”", ['"block device"']),
        ("virtual*", ['"virtual"*']),
        ("NEAR(a b) OR -c", ['"near a"', '"b"', '"or"', '"c"']),
        ("a a A", ['"a"']),
        ('" " * -', []),
    ],
)
def test_queries_become_safe_terms(query: str, terms: list[str]) -> None:
    assert [term.match() for term in parse(query)] == terms


def test_a_query_is_bounded() -> None:
    assert len(parse(" ".join(f"w{n}" for n in range(1000)))) <= MAX_TERMS
    assert len(parse("x" * 10_000)[0].match()) < 100


@given(st.text(max_size=60))
def test_terms_hold_no_syntax(query: str) -> None:
    for term in parse(query):
        inner = term.match().removesuffix("*")
        assert inner[0] == inner[-1] == '"'
        assert '"' not in inner[1:-1]
        assert inner[1:-1].strip()
        term.pattern()


@given(st.text(max_size=60))
def test_cleaning_is_final_and_leaves_nothing_that_steers(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert all(char == "\n" or char.isprintable() or not char.isascii() for char in once)
    assert not set(once) & set("\x00\x1b\u202e\u2066\u200b\ud800")


def shown(text: str, query: str) -> str:
    return snippet([clean(text)], [term.pattern() for term in parse(query)])


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Deploy OpenStack with Chef", "chef", "Deploy OpenStack with «Chef»"),
        ("chefs and a Chef.", "chef", "chefs and a «Chef»."),
        ("chefs", "chef*", "«chef»s"),
        ("对象存储的架构", "架构", "对象存储的«架构»"),
        ("云计\n算平台", "云计算", "«云计 算»平台"),
        ("ﬁne ﬁn", "fin", "ﬁne «ﬁn»"),
        ("block\tdevice\nstorage", '"block device"', "«block device» storage"),
        ("«marks» of chef", "chef", '"marks" of «chef»'),
        ("chef chef", "chef", "«chef» «chef»"),
        ("架构swift", "swift", "架构«swift»"),
        ("evil \x1b[2J \u202echef", "chef", "evil [2J «chef»"),
        ("nothing here", "chef", ""),
    ],
)
def test_found_words_are_marked(text: str, query: str, expected: str) -> None:
    assert shown(text, query) == expected


def test_the_passage_with_most_words_is_shown() -> None:
    text = "swift alone. " + "filler words " * 600 + "here swift meets keystone at last " + "more " * 100
    passage = shown(text, "swift keystone")
    assert "«swift» meets «keystone»" in passage
    assert passage.startswith("…")
    assert passage.endswith("…")
    assert len(passage) <= WIDTH + 20


def test_texts_are_preferred_in_their_order() -> None:
    patterns = [term.pattern() for term in parse("swift keystone")]
    assert snippet(["about swift", "swift"], patterns) == "about «swift»"
    assert snippet(["about swift", "swift and keystone"], patterns) == "«swift» and «keystone»"


@given(st.text(max_size=300), st.text(min_size=1, max_size=8))
def test_any_text_can_be_shown(text: str, query: str) -> None:
    passage = shown(f"{text} {query} {text}", query)
    assert passage.count(OPEN) == passage.count(CLOSE)
    assert "\n" not in passage


@given(st.text(max_size=200))
def test_folding_is_done_character_by_character(text: str) -> None:
    assert fold(text) == "".join(map(fold, text))


@given(st.text(st.characters(max_codepoint=127)))
def test_the_quick_way_for_ascii_is_the_way_for_any_script(text: str) -> None:
    # A word of Chinese behind it keeps a text from the quick way, and adds a word of its own.
    assert fold(text) == fold(f"{text}云")[:-1]
    cut = index_text(clean(text)).split()
    assert index_text(f"{clean(text)} 云计").split() == [*cut, "云计", "计"]
