"""Hundreds of single flipped bits, over everything that a sink keeps: all found, all repaired."""

from __future__ import annotations

import random
import shutil

import pytest

from archiver import index, pages
from verify_kit import Bench, damage, flip


def witnesses(path: str) -> str:
    """Name the group of files that prove each other: of each one, only one is spoiled at a time."""
    name = path.rpartition("/")[2]
    if name.startswith("inventory.json"):
        return path.split("/")[1]
    return path.removesuffix(".sha256")


def spoil(bench: Bench, chance: random.Random) -> dict[str, int]:
    """Flip one bit in many files at once."""
    chosen: dict[str, str] = {}
    for path in chance.sample(bench.paths(), k=len(bench.paths())):
        chosen.setdefault(witnesses(path), path)
    picked = chance.sample(sorted(chosen.values()), k=20)
    return {path: flip(bench.one / path, chance) for path in picked}


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.long) for n in range(2, 15))])
def test_every_flipped_bit_is_found_and_repaired_from_the_second_sink(bench: Bench, seed: int) -> None:
    before, other = bench.digests(), bench.digests(bench.two)
    flipped = spoil(bench, random.Random(seed))
    told = bench.verify()
    assert told.exit_code() == 4
    found = set(damage(told.findings))
    if {pages.STATE + "pages.json", pages.STATE + "pages.json.sha256"} & found:
        # What the pages were is not known any more: all of them are written again.
        flipped = {path: bit for path, bit in flipped.items() if not pages.is_page(path)}
    assert {path for path in flipped if not {path, path.removesuffix(".sha256")} & found} == set(), flipped
    mended = bench.verify(repair=True)
    assert mended.damage == []
    assert bench.digests() == before, flipped
    assert bench.digests(bench.two) == other
    assert bench.verify(sinks=frozenset()).findings == []


def test_every_single_file_spoiled_alone_is_found(bench: Bench) -> None:
    chance = random.Random(2012)
    site = {path for path in bench.paths() if pages.is_page(path)}
    # Of the pages, which are many and much alike, some.
    left = site - {*chance.sample(sorted(site), 12), "index.html"}
    for path in [path for path in bench.paths() if path not in left]:
        file = bench.one / path
        right = file.read_bytes()
        bit = flip(file, chance)
        told = damage(bench.verify().findings)
        assert told in ([path], [path.removesuffix(".sha256")]), (path, bit)
        file.write_bytes(right)
    assert bench.verify().findings == []


def test_every_file_that_is_gone_is_found_and_brought_back(bench: Bench) -> None:
    before = bench.digests()
    # A seal that is gone leaves its value unproven, which is told, and no damage.
    ocfl = [path for path in bench.paths() if path.startswith("ocfl/")]
    for path in [*ocfl[::3], next(p for p in bench.paths() if p.endswith("/text-v1"))]:
        (bench.one / path).unlink()
        told = bench.verify()
        assert [each.path for each in told.findings] == [path], told.findings
        assert bench.verify(repair=True).damage == []
        assert bench.digests() == before, path


def test_a_whole_event_that_is_spoiled_is_restored(bench: Bench) -> None:
    """Both copies of the inventory, and the content: the other sink's object describes what lies here."""
    for name in ("inventory.json", "v2/inventory.json"):
        (bench.one / "ocfl/a" / name).write_bytes(b"{}")
    (bench.one / bench.content("ocfl/a/v1/content/slides/")).unlink()
    told = bench.verify()
    assert told.exit_code() == 4
    assert "both copies" in told.damage[0].detail
    mended = bench.verify(repair=True)
    assert mended.damage == []
    # Sinks commit one after the other, so their inventories may tell other seconds.
    one, two = bench.digests(), bench.digests(bench.two)
    assert [(path, one[path]) for path in one if path.startswith("ocfl/a/")] == [
        (path, two[path]) for path in two if path.startswith("ocfl/a/")
    ]
    assert bench.verify().findings == []


def test_an_object_is_not_taken_from_one_that_differs(bench: Bench) -> None:
    for name in ("inventory.json", "v2/inventory.json"):
        (bench.one / "ocfl/a" / name).write_bytes(b"{}")
    spoiled = bench.one / bench.content("ocfl/a/v1/content/slides/")
    spoiled.write_bytes(b"other bytes")
    told = bench.verify(repair=True)
    assert told.exit_code() == 4
    assert "has other bytes there" in told.damage[0].hint
    assert spoiled.read_bytes() == b"other bytes"


def test_two_wrong_copies_are_no_right_one(bench: Bench) -> None:
    path = bench.content()
    for root in (bench.one, bench.two):
        (root / path).write_bytes(b"equal, and wrong")
    told = bench.verify(repair=True, sinks=frozenset())
    assert told.exit_code() == 4
    assert {(each.sink, each.path) for each in told.damage} == {("one", path), ("two", path)}
    assert all("no copy in any sink" in each.hint for each in told.damage)
    assert (bench.one / path).read_bytes() == b"equal, and wrong"


def test_alone_a_sink_repairs_what_follows_from_the_rest(bench: Bench) -> None:
    before = bench.digests()
    shutil.rmtree(bench.two)
    chance = random.Random(7)
    spoiled = [
        path
        for path in bench.paths()
        if path.startswith(("ocfl/b/inventory", "ocfl/a/v1/inventory.json", "derived/", "catalog"))
        or "0=ocfl" in path
    ]
    chosen = {witnesses(path): path for path in spoiled}
    for path in chosen.values():
        flip(bench.one / path, chance)
    assert len(damage(bench.verify().findings)) == len(chosen)
    assert bench.verify(repair=True).damage == []
    assert bench.digests() == before


def test_alone_a_sink_names_what_it_cannot_repair(bench: Bench) -> None:
    shutil.rmtree(bench.two)
    content = bench.content()
    report = next(path for path in bench.paths() if path.startswith("runs/"))
    journal = next(path for path in bench.paths() if path.startswith("journal/"))
    for path in (content, report, journal):
        flip(bench.one / path, random.Random(1))
    told = bench.verify(repair=True)
    assert {each.path for each in told.damage} == {content, report}
    assert {each.path: each.repaired for each in told.findings}[journal].startswith("emptied")
    assert "backup" in next(each.hint for each in told.damage if each.path == content)
    assert "delete it" in next(each.hint for each in told.damage if each.path == report)


def test_a_catalog_that_a_run_built_from_a_damaged_text_is_built_again(bench: Bench) -> None:
    before = bench.digests()
    text = next(path for path in bench.paths() if path.endswith("/text-v1"))
    flip(bench.one / text, random.Random(1))
    index.rebuild(bench.world.head("one"), bench.world.config)
    assert damage(bench.verify().findings) == [text]
    assert bench.verify(repair=True).damage == []
    assert bench.digests() == before
