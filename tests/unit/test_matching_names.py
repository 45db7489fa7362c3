"""People's names: Chinese and in Latin letters, short, in two orders; and text read in a wrong encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.matching import pinyin, titles
from archiver.matching.han import mend, simplify
from archiver.matching.speakers import Company, Finder, Name, Relation, mentioned, parse, parse_all


def name(text: str) -> Name:
    (found,) = parse(text)
    return found


@pytest.mark.parametrize(
    ("han", "latin"),
    [
        ("陈俊强", "Junqiang Chen"),
        ("陈俊强", "Chen Jun-Qiang"),
        ("陳俊強", "CHEN Junqiang"),
        ("陈俊强", "chenjunqiang"),
        ("单志远", "Zhiyuan Shan"),
        ("曾国强", "Guoqiang Zeng"),
        ("解晓东", "Xie Xiaodong"),
        ("仇伟", "Wei Qiu"),
        ("查理强", "Liqiang Zha"),
        ("区文辉", "Wenhui Ou"),
        ("欧阳明", "Ming Ouyang"),
        ("吕岚", "Lü Lan"),
        ("吕岚", "Lv Lan"),
        ("吕岚", "Lyu Lan"),
        ("讲师：张伟", "Wei Zhang"),
    ],
)
def test_a_chinese_name_is_the_one_that_its_pinyin_spells(han: str, latin: str) -> None:
    assert name(han).same_as(name(latin)) is True
    assert name(latin).same_as(name(han)) is True


@pytest.mark.parametrize(
    ("han", "latin"),
    [("单志远", "Zhiyuan Dan"), ("曾国强", "Ceng Guoqiang"), ("陈俊强", "Jun Chen"), ("张伟", "Li Na")],
)
def test_another_pinyin_is_another_person(han: str, latin: str) -> None:
    assert name(han).same_as(name(latin)) is False


@pytest.mark.parametrize(
    ("han", "latin"),
    [
        ("陈俊强", "Jimmy Chen"),
        ("陈俊强", "J. Chen"),
        ("骆伟", "Bruce Lok"),
        ("李娜", "lina"),
        ("陈俊强", "Chen"),
    ],
)
def test_nicknames_initials_and_other_spellings_say_neither(han: str, latin: str) -> None:
    assert name(han).same_as(name(latin)) is None


def test_two_people_of_one_pinyin_are_told_apart_by_their_characters_alone() -> None:
    both = parse_all(["张伟", "张炜"])
    assert Company.of([name("张炜")], both).agreeing == {both[1]}
    assert Company.of([name("Wei Zhang")], both).agreeing == set(both)


def test_initials_speak_for_somebody_when_nobody_else_could_be_meant() -> None:
    chen, zhang = parse_all(["Junqiang Chen", "Wei Zhang"])
    assert Company.of([name("J. Chen")], [chen, zhang]).relate([chen]) is Relation.RESEMBLES
    assert Company.of([name("J. Chen")], [chen, zhang]).relate([zhang]) is Relation.UNKNOWN
    jing = name("Jing Chen")
    assert Company.of([name("J. Chen")], [chen, jing]).relate([chen]) is Relation.UNKNOWN
    assert name("J. Chen").resembles(name("陈俊强"))


@pytest.mark.parametrize(
    ("who", "title", "rest"),
    [
        ("Junqiang Chen", "swift_陈俊强.pptx", "swift_ .pptx"),
        ("陈俊强", "swift - chen junqiang", "swift"),
        ("陈俊强", "swift - junqiangchen", "swift"),
        ("陈俊强 Junqiang Chen", "陈俊强: swift", "swift"),
        ("Junqiang Chen", "主讲陈俊强 swift", "swift"),
    ],
)
def test_a_name_is_found_in_a_title_in_either_script(who: str, title: str, rest: str) -> None:
    found, plain = mentioned([Finder.of(name(who))], title)
    assert len(found) == 1
    assert plain == rest


@pytest.mark.parametrize("title", ["swift 架构与实践", "swift in junqiang", "chen 2012", "陈俊强大的架构"])
def test_no_name_is_found_where_none_is(title: str) -> None:
    assert mentioned([Finder.of(name("Junqiang Chen"))], title) == ((), title)


def test_traditional_characters_are_compared_as_simplified_ones() -> None:
    assert simplify("雲計算架構與實踐") == "云计算架构与实践"
    assert titles.fold("Swift 架構") == titles.fold("swift 架构")


@pytest.mark.parametrize(
    "text", ["云平台计费系统设计", "Swift 架构与实践（上）", "架构", "Ceph在生产环境中的应用"]
)
@pytest.mark.parametrize(
    ("wrote", "read"), [("utf-8", "cp1252"), ("utf-8", "latin-1"), ("gb18030", "latin-1")]
)
def test_chinese_read_as_western_is_read_again(text: str, wrote: str, read: str) -> None:
    raw = text.encode(wrote)
    garbled = "".join(bytes([byte]).decode(read, errors="ignore") or chr(byte) for byte in raw)
    assert mend(garbled) == text


@pytest.mark.parametrize(
    "text", ["Größe und Übermut", "café à la crème", "naïve – “quoted” – text…", "架构", ""]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert mend(text) == text


@given(st.text(max_size=60))
def test_any_text_is_folded_and_folding_again_changes_no_comparison(text: str) -> None:
    assert isinstance(titles.fold(text), str)
    assert all(isinstance(each, str) for found in parse(text) for each in (*found.latin, found.han))


@given(st.text(alphabet="陈俊强张伟单曾解吕绿乐长重abc", max_size=8))
def test_spellings_are_few_and_lower_case(text: str) -> None:
    found = pinyin.spellings(text)
    assert len(found) <= pinyin.MAX_SPELLINGS
    assert all(family.islower() and given.islower() for family, given in found if given)


@given(st.text(max_size=30), st.text(max_size=30))
def test_comparing_names_is_symmetric(one: str, other: str) -> None:
    for mine in parse(one):
        for theirs in parse(other):
            assert mine.same_as(theirs) == theirs.same_as(mine)
