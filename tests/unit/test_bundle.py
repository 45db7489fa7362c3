"""Bundles: what is put in, what comes back out, and what a stranger may have made of one."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import bundle
from archiver.bundle import Bundle, Item, Refused, Taking, dump, gather, is_open, load, parse, without
from archiver.config import SourceSpec
from archiver.contracts import Options
from archiver.errors import BlockedError, ConfigError, GoneError
from archiver.ledger import Key, Problem, Record, State, StoredFile, Transition
from archiver.model import Kind, Material
from archiver.plan import OUT_OF_SCOPE, Plan, Work
from archiver.report import Report, SourceReport
from archiver.route import Filters, Found
from line_kit import Item as Thing
from line_kit import Upstream, World, counts

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
        (good(items=[good()["items"][0]] * (bundle.MAX_ITEMS + 1)), "at most 50,000"),
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
        stream.truncate(bundle.MAX_BYTES + 1000)
    with pytest.raises(ConfigError, match="larger than 32 MiB"):
        load(path)


def test_what_does_not_fit_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Bundle(items=tuple(Item("s", "t", Material(str(n), Kind.OTHER, event="a")) for n in range(9)))
    monkeypatch.setattr(bundle, "MAX_ITEMS", 4)
    data, left_out = dump(made)
    assert (left_out, parse(data, "x").left_out, len(parse(data, "x").items)) == (5, 5, 4)
    monkeypatch.setattr(bundle, "MAX_BYTES", (1 << 20) + 300)
    data, left_out = dump(made)
    assert 5 < left_out < 9
    assert len(parse(data, "x").items) == 9 - left_out


FILE = StoredFile("slides/x.pdf", 3, "a" * 64)
BASE = Record("decks", "speakerdeck", Material("1", Kind.SLIDES, event="a"), State.PENDING)


def record(reason: str = "blocked", **changes: Any) -> Record:
    return replace(BASE, problem=Problem(reason, "403"), **changes)


@pytest.mark.parametrize(
    ("given_record", "expected"),
    [
        (record(), True),
        (record("failed"), True),
        (record(files=(FILE,), state=State.STORED), True),  # a newer revision was refused
        (replace(record(), problem=None), False),
        (record("gone"), False),
        (record("link"), False),
        (record("unrouted"), False),
        (record(state=State.WITHDRAWN), False),
        (record(state=State.TAKEN_DOWN), False),
        (record(material=Material("link:https://x", Kind.SLIDES, event="a")), False),
        (record(material=Material("1", Kind.SLIDES)), False),
        (record(history=(Transition("2026", State.PENDING, "", OUT_OF_SCOPE),)), False),
    ],
)
def test_what_another_machine_could_still_get(given_record: Record, expected: bool) -> None:
    assert is_open(given_record) is expected


def test_gathering_takes_what_was_asked_for() -> None:
    specs = [SourceSpec("decks", "speakerdeck", Options()), SourceSpec("slides", "slideshare", Options())]
    records = [
        record(),
        record("failed", material=Material("2", Kind.SLIDES, event="b")),
        record(source="forgotten"),
    ]
    report = {
        "sources": {
            "slides": {"error": "403", "error_reason": "blocked"},
            "decks": {"error": "500", "error_reason": "failed"},
            "forgotten": {"error_reason": "blocked"},
            "odd": 7,
        }
    }
    found, refused = gather(records, report, specs)
    assert ([each.material.id for each in found], [each.source for each in refused]) == (["1"], ["slides"])
    found, refused = gather(records, report, specs, bundle.BLOCKED | bundle.FAILED)
    assert [each.material.id for each in found] == ["1", "2"]
    assert [each.source for each in refused] == ["decks", "slides"]
    found, _ = gather(records, {"sources": []}, specs, bundle.BLOCKED | bundle.FAILED, ["b"])
    assert [each.material.id for each in found] == ["2"]


def test_a_run_takes_the_ledgers_word_and_names_what_it_leaves() -> None:
    specs = [SourceSpec("decks", "speakerdeck", Options()), SourceSpec("inbox", "folder", Options())]
    stored = replace(BASE, material=Material("2", Kind.SLIDES, event="a"), files=(FILE,), state=State.STORED)
    known: dict[Key, Record] = {each.key: each for each in (record(), stored)}

    def entry_for(name: str) -> Any:
        raise LookupError(name)

    def offer(source: str, type_name: str, name: str, event: str = "a") -> Item:
        lie = Material(name, Kind.SLIDES, "A lie", "https://x", event=event, extra={"path": "/etc"})
        return Item(source, type_name, lie)

    made = Bundle(
        items=(
            offer("decks", "speakerdeck", "1"),
            offer("decks", "speakerdeck", "2"),
            offer("decks", "speakerdeck", "3"),
            offer("decks", "flickr", "1"),
            offer("decks", "speakerdeck", "1", event="z"),
            offer("nobody", "x", "1"),
            offer("nobody", "x", "2"),
        ),
        listings=(Refused("nobody", "x"), Refused("inbox", "folder")),
    )
    taking = Taking(specs, {"a"}, known, entry_for)
    handed = taking.take(made, Plan())
    (work,) = handed.plan.work
    assert (work.reason, work.found.material) == ("retry", BASE.material)
    assert [each.key for each in handed.plan.same] == [stored.key]
    assert len(handed.left["decks"]) == 3
    assert handed.left["nobody"] == [
        "2 items of the bundle left alone: no source of this name is configured here"
    ]
    assert "inbox" not in handed.left
    report = Report("run", "now", "0", sources={"decks": SourceReport(cursor="kept", baseline=4)})
    handed.tell(report)
    assert (report.sources["decks"].cursor, report.sources["decks"].baseline) == ("kept", 4)
    assert report.exit_code() == 1
    planned = Plan(work=[Work(Found("decks", "speakerdeck", BASE.material, "entry"), "retry")])
    assert taking.take(made, planned).plan.work == [], "what a listing of the same run plans is done once"
    limited = replace(taking, filters=Filters(limit=0))
    assert limited.take(made, Plan()).plan.work == []


def test_addresses_of_ones_own_are_taken_out() -> None:
    class Own(Options):
        base_url: str = "https://example.org"
        mirrors: dict[str, str] = {}  # noqa: RUF012  # pydantic copies it
        title: str = ""

    made = Own(base_url="http://mirror.lan", mirrors={"x": "http://other.lan:1"}, title="http://stays.org")
    own = bundle.own_addresses([made, Own()])
    shown = without(own, "http://mirror.lan/a http://other.lan:1/b http://stays.org https://example.org")
    assert shown == "***/a ***/b http://stays.org https://example.org"


def refusing(world: World) -> None:
    world.up.put(Thing("x"), Thing("y", fails=BlockedError("not you")), Thing("z", fails=GoneError("away")))


def handed_off(world: World) -> Bundle:
    found, refused = gather(world.records().values(), world.head().report, world.config.sources)
    # This world's configuration has a word of its own for each type.
    data, _ = dump(
        Bundle("A tour", "now", tuple(replace(each, type_name="memory-src") for each in found), refused)
    )
    return parse(data, "x.json")


def test_a_withdrawn_flag_and_a_cursor_outlive_a_hand_off(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.up.cursor = "seven"
    world.up.put(Thing("w"))
    world.run()
    del world.up.items["w"]
    refusing(world)
    assert counts(world.run(accept_shrink=frozenset({"src"})))["blocked"] == 1
    before = world.record("w")
    assert before.state is State.WITHDRAWN
    made = handed_off(world)
    assert [each.material.id for each in made.items] == ["y"]
    world.up.change("y", fails=None)
    listed = len(world.up.cursors)
    fetched = len(world.up.fetched)
    report = world.run(bundle=made)
    assert report.exit_code() == 0
    assert counts(report) == {"new": 1}
    assert world.up.fetched[fetched:] == ["y"]
    assert len(world.up.cursors) == listed, "nothing was listed"
    assert world.record("w") == before
    assert report.sources["src"].cursor == "seven"
    world.up.fetched.clear()
    assert counts(world.run(bundle=made)) == {"same": 1}
    assert world.up.fetched == []
    assert counts(world.run())["same"] >= 2
    assert world.up.cursors[-1] == "seven"


def test_what_is_blocked_here_too_stays_blocked_and_the_exit_code_says_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    refusing(world)
    world.run()
    versions = world.versions()
    report = world.run(bundle=handed_off(world))
    assert (report.exit_code(), counts(report)) == (1, {"blocked": 1})
    assert world.versions() == versions


def test_only_the_source_that_could_not_be_listed_is_listed(tmp_path: Path) -> None:
    world = World(tmp_path, {"src": Upstream(), "other": Upstream()})
    src, other = world.upstreams.values()
    other.put(Thing("o"))
    src.put(Thing("x"))
    src.error, src.breaks_after = BlockedError("not you"), 0
    assert world.run().exit_code() == 1
    made = handed_off(world)
    assert (made.items, made.listed) == ((), frozenset({"src"}))
    src.breaks_after = None
    other.put(Thing("unwanted"))
    report = world.run(bundle=made)
    assert report.exit_code() == 0
    assert report.counts == {"a": {"src": {"new": 1}}}
    assert len(other.cursors) == 1
