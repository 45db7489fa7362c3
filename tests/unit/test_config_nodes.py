"""YAML as a tree with places, under limits."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.config import nodes
from archiver.config.nodes import MAX_BYTES, Mapping, Scalar, Sequence, describe, parse, read_text
from archiver.config.problems import ConfigProblems, Problem


def problem(text: str) -> Problem:
    """Give the one problem that ends the reading."""
    with pytest.raises(ConfigProblems) as caught:
        parse(text, "archive.yaml")
    (found,) = caught.value.problems
    return found


def noted(text: str) -> list[Problem]:
    return parse(text, "archive.yaml")[1]


def scalar(text: str) -> Scalar:
    node = parse(text, "archive.yaml")[0].items["a"]
    assert isinstance(node, Scalar)
    return node


def test_every_value_knows_its_place() -> None:
    root, problems = parse("a:\n  - x\n  - bé: [1, 词]\n", "archive.yaml")
    assert problems == []
    items = root.items["a"]
    assert isinstance(items, Sequence)
    inner = items.items[1]
    assert isinstance(inner, Mapping)
    assert (inner.keys["bé"].line, inner.keys["bé"].column) == (3, 5)
    word = inner.items["bé"]
    assert isinstance(word, Sequence)
    assert (word.items[1].line, word.items[1].column) == (3, 13)


@pytest.mark.parametrize("text", ["no", "007", "2012-09", "72157631", "1e3", "0x1f", "12:30:00", "yes", ".5"])
def test_plain_scalars_stay_the_text_they_are(text: str) -> None:
    assert scalar(f"a: {text}").text == text
    assert not scalar(f"a: {text}").is_null


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_null_only_without_quotes(text: str) -> None:
    assert scalar(f"a: {text}").is_null
    assert not scalar(f'a: "{text}"').is_null
    assert not scalar(f'a: !!str "{text}"').is_null


def test_a_duplicate_key_is_noted_with_both_places() -> None:
    (found,) = noted("a: {b: 1}\nc: [{d: 1,\n d: 2}]\n")
    assert str(found) == "archive.yaml:3:2: c[0].d: this key is given twice; first in line 2"


def test_a_list_as_a_key_and_a_tag_are_noted() -> None:
    found = noted("a: {[1]: 2}\nb: !!python/object/apply:os.system [x]\n")
    assert [(p.line, p.path) for p in found] == [(1, "a"), (2, "b")]
    assert "cannot be a key" in found[0].message
    assert "is not known" in found[1].message


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: [1, 2\n", (2, 1), "YAML"),
        ("a:\n\t- b\n", (2, 1), "YAML"),
        ("a: 'x\n", (1, 4), "YAML"),
        ("a: 1\n  b: 2\n", (2, 4), "not allowed"),
        ("a: 词\nb: 词\x07\n", (2, 5), "control characters"),
        ("a: *nobody\n", (1, 4), "no anchor"),
        ("a: &x [*x]\n", (1, 8), "inside what it repeats"),
        ("---\na: 1\n---\nb: 1\n", (3, 1), "second document"),
        ("- 1\n", (1, 1), "a list"),
        ("just words\n", (1, 1), "'just words'"),
    ],
)
def test_what_ends_the_reading_is_told_with_its_place(text: str, place: tuple[int, int], words: str) -> None:
    found = problem(text)
    assert (found.line, found.column) == place
    assert words in found.message


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("a:\n\t- b\n", (2, 1), "spaces instead of tabs"),
        ("a:\n  b: c\n\td: e\n", (3, 1), "spaces instead of tabs"),
        ("a:\n  title: Summer: Salon\n", (2, 16), "quotes around a text with a colon in it"),
        ("a:\n  - title: At http://x: y\n", (2, 23), "quotes around a text with a colon in it"),
        ("a: {id: b, title: Summer: Salon}\n", (1, 25), "or quotes around a text with a colon in it"),
        ("a:\n  b: 'x\n  c: d\n", (2, 6), "a closing quote for the text that begins here"),
        ('a: "x\nb: "y"\n', (2, 5), "one is missing before this, or stands inside"),
        ("a: 'Don't panic'\n", (1, 9), "one is missing before this, or stands inside"),
        ("a: @home\n", (1, 4), "quotes around a text that begins with @"),
        ("a: {b: %c}\n", (1, 8), "quotes around a text that begins with %"),
        ("a:\n  - `c`\n", (2, 5), "quotes around a text that begins with `"),
        ("a: [Draft] Salon\n", (1, 12), "quotes around a text that begins with ["),
        ("a: {Draft} Salon\n", (1, 12), "quotes around a text that begins with {"),
        ("a: [Draft\nb: c\n", (2, 2), "] to close the [ of line 1, or quotes"),
        ("a: [b, c}\n", (1, 9), "] to close the [ of line 1, or quotes"),
        ("a: *new* ideas\n", (1, 8), "quotes around a text that begins with *"),
        ("a: *new ideas\n", (1, 4), "quotes around a text that begins with *, or &new"),
        ("a: | b\n", (1, 6), "quotes around a text that begins with |"),
        ('a: "C:\\photos"\n', (1, 7), "'single quotes' around a text with a \\ in it"),
    ],
)
def test_the_usual_slips_are_told_with_their_remedy(text: str, place: tuple[int, int], remedy: str) -> None:
    found = problem(text)
    assert (found.line, found.column) == place
    assert remedy in found.expected


@pytest.mark.parametrize("text", ["a: b\n c: d\ne\n", "a: 'b' # it's\n  c: d\n", "a: ]b\n", "%a: b\n"])
def test_of_other_slips_no_remedy_is_made_up(text: str) -> None:
    assert problem(text).expected == ""


def test_a_remedy_repeats_nothing_of_the_line() -> None:
    assert "hunter2" not in str(problem("a: {password: hunter2: hunter2}\n"))


@pytest.mark.parametrize(
    "text", ["a: b: c\n", "a: 'x\n", "a: @b\n", "a: [b] c\n", "a: [b\nc: d\n", "a: 'b'c'\n"]
)
def test_the_parser_in_python_gets_the_same_remedies(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with_c = problem(text)
    monkeypatch.setattr(nodes, "_LOADER", yaml.SafeLoader)
    assert problem(text).expected == with_c.expected != ""


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "null\n"])
def test_an_empty_file_says_how_to_begin(text: str) -> None:
    with pytest.raises(ConfigProblems) as caught:
        parse(text, "archive.yaml")
    assert caught.value.message == "archive.yaml: the file is empty"
    assert caught.value.hint == "fill it, or remove it and write one with: archive init archive.yaml"


def test_aliases_repeat_but_cannot_explode() -> None:
    root, problems = parse("a: &x {b: 1}\nc: *x\n", "archive.yaml")
    assert root.items["c"] is root.items["a"]
    assert problems == []
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    laughs += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    assert "too large" in problem(laughs).message


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_is_bounded(opening: str) -> None:
    found = problem("a:\n  " + opening * 500_000)
    assert "deep" in found.message or "YAML" in found.message
    assert len(found.path) < 100


def test_the_number_of_values_is_bounded() -> None:
    assert "too many values" in problem("a: [" + "1," * 250_000 + "]").message


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "archive.yaml"
    path.write_bytes(b"\xef\xbb\xbfarchive: 1\n")
    assert list(parse(read_text(path), str(path))[0].items) == ["archive"]


def test_a_file_that_is_not_utf8_is_told_with_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "archive.yaml"
    path.write_bytes("title: a\ncity: 北京\n".encode("gbk"))
    with pytest.raises(ConfigProblems) as caught:
        read_text(path)
    (found,) = caught.value.problems
    assert (found.line, found.column) == (2, 7)
    assert "UTF-8" in found.message


def test_utf16_is_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / "archive.yaml"
    path.write_bytes("a: 1\n".encode("utf-16"))
    with pytest.raises(ConfigProblems, match="is not UTF-8"):
        read_text(path)


def test_a_missing_file_a_directory_and_a_large_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems) as caught:
        read_text(tmp_path / "nope.yaml")
    assert "no such file" in caught.value.message
    assert "archive init" in caught.value.hint
    with pytest.raises(ConfigProblems) as caught:
        read_text(Path("no such.yaml"))
    assert "`archive init 'no such.yaml'`" in caught.value.hint
    with pytest.raises(ConfigProblems, match="is a directory"):
        read_text(tmp_path)
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigProblems, match="at most 4 MiB"):
        read_text(large)


def outcome(text: str) -> tuple[Mapping | None, tuple[Problem, ...]]:
    try:
        return parse(text, "f.yaml")[0], ()
    except ConfigProblems as error:
        return None, error.problems


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(max_size=200))
def test_any_text_gives_a_tree_or_problems_with_places(text: str) -> None:
    root, problems = outcome(text)
    assert (root is None) == bool(problems)
    assert all(found.line >= 0 and found.column >= 0 for found in problems)
    assert all(str(found).isprintable() for found in problems)


yaml_like = st.lists(
    st.sampled_from(
        ["a", "b", ": ", "\n", "  ", "- ", "[", "]", "{", "}", ",", "&x ", "*x", "'", '"', "#", "!t "]
    )
).map("".join)


@settings(deadline=None)  # a busy machine is no failure
@given(yaml_like)
def test_any_pieces_of_yaml_give_a_tree_or_problems(text: str) -> None:
    root, problems = outcome(text)
    assert (root is None) == bool(problems)
    assert root is None or describe(root) == "a mapping"
