"""A bundle as a file: what comes back out, and what a stranger may have made of one."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.bundle import Bundle, Item, Refused, dump, load, parse, wire
from archiver.errors import ConfigError
from archiver.model import Kind, Material

texts = st.text(max_size=30)
names = st.text(min_size=1, max_size=30)
materials = st.builds(
    Material,
    id=names,
    kind=st.sampled_from(Kind),
    title=texts,
    url=texts,
    revision=texts,
    event=names,
    talk=texts,
    authors=st.lists(texts.filter(bool), max_size=3).map(tuple),
    size=st.none() | st.integers(0, 1 << 50),
    extra=st.dictionaries(names, texts.filter(bool), max_size=3),
)
items = st.builds(Item, names, names, materials, names, texts)
bundles = st.builds(
    Bundle,
    texts,
    texts,
    st.lists(items, max_size=5, unique_by=lambda item: item.key).map(tuple),
    st.lists(st.builds(Refused, names, names, names, texts), max_size=3).map(tuple),
)


@given(bundles)
def test_what_is_written_is_read_back(made: Bundle) -> None:
    data, left_out = dump(made)
    assert left_out == 0
    assert parse(data, "x.json") == made


@given(bundles, st.data())
def test_a_cut_or_changed_bundle_is_refused_or_read_never_worse(made: Bundle, data: st.DataObject) -> None:
    whole, _ = dump(made)
    place = data.draw(st.integers(0, len(whole) - 2))
    changed = whole[:place] + data.draw(st.binary(max_size=3)) + whole[place + 1 :]
    for bad in (whole[:place], changed):
        with suppress(ConfigError):
            assert all(item.material.id and item.material.event for item in parse(bad, "x.json").items)


def good(**changes: Any) -> dict[str, Any]:
    material = {"id": "1", "kind": "slides", "event": "beijing"}
    item = {"source": "decks", "type": "speakerdeck", "reason": "blocked", "material": material}
    return {"format": "archive-handoff", "version": 1, "items": [item], "listings": [], **changes}


def item(**changes: Any) -> dict[str, Any]:
    (one,) = good()["items"]
    return good(items=[{**one, **changes}])


def material(**changes: Any) -> dict[str, Any]:
    return item(material={"id": "1", "kind": "slides", "event": "beijing", **changes})


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"{}", '"format"'),
        (b"[]", '"format"'),
        (good(version=0), "no version"),
        (good(version=True), "no version"),
        (good(version="1"), "no version"),
        (good(version=2), "reads up to 1"),
        (good(items={}), "no list"),
        (good(items=[1]), "item 1 is no bundle"),
        (good(items=[good()["items"][0]] * (wire.MAX_ITEMS + 1)), "at most 50,000"),
        (good(listings=[{"source": "x"}]), "listing 1"),
        (good(listings=[{"source": "x", "type": "y", "reason": "z"}] * 1001), "at most 1,000"),
        (good(archive=7), '"archive" is no text'),
        (item(source=7), '"source" is no text'),
        (item(source="x" * 201), '"source" is no text'),
        (item(type=""), "lacks its source"),
        (item(detail="x" * 2001), '"detail" is no text'),
        (item(material=None), "cannot be read"),
        (item(material={"id": "1"}), "cannot be read"),
        (material(kind="film"), "cannot be read"),
        (material(id=""), "no usable id"),
        (material(id="x" * 2001), "no usable id"),
        (material(event=""), "belongs to no event"),
        (material(title=["x"]), "cannot be read"),
        (material(size=-1), "cannot be read"),
        (material(extra={"x": "y" * 70_000}), "at most 65536"),
        (material(extra={"x": {"y": 1}}), "cannot be read"),
    ],
)
def test_hostile_bundles(data: bytes | dict[str, Any], told: str) -> None:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    with pytest.raises(ConfigError) as caught:
        parse(raw, "x.json")
    assert told in str(caught.value)
    assert caught.value.hint


def test_the_twin_of_the_hostile_ones_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(good(unknown=1)), encoding="utf-8")
    (one,) = load(path).items
    assert (one.key, one.reason) == (("beijing", "decks", "1"), "blocked")
    twice = good(items=good()["items"] * 2)
    assert len(parse(json.dumps(twice).encode(), "x").items) == 1
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.json")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_too_large_a_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with path.open("wb") as stream:
        stream.truncate(wire.MAX_BYTES + 1000)
    with pytest.raises(ConfigError, match="larger than 32 MiB"):
        load(path)


def test_what_does_not_fit_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Bundle(items=tuple(Item("s", "t", Material(str(n), Kind.OTHER, event="a")) for n in range(9)))
    monkeypatch.setattr(wire, "MAX_ITEMS", 4)
    data, left_out = dump(made)
    assert (left_out, parse(data, "x").left_out, len(parse(data, "x").items)) == (5, 5, 4)
    monkeypatch.setattr(wire, "MAX_BYTES", (1 << 20) + 300)
    data, left_out = dump(made)
    assert 5 < left_out < 9
    assert len(parse(data, "x").items) == 9 - left_out
