"""The index that browsers search: words cut as in the catalog, groups that a search can compute."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from archiver.catalog.words import index_text
from archiver.pages import searching
from site_kit import EVIL, built, tour


def unpacked(script: str) -> list[object]:
    found = re.fullmatch(r"\w+\((.*)\);\n", script, re.DOTALL)
    assert found
    values: list[object] = json.loads(f"[{found[1]}]")
    return values


def numbers(packed: str) -> list[int]:
    found, at = [], 0
    for part in packed.split():
        at += int(part, 36)
        found.append(at)
    return found


def test_words_lead_to_what_holds_them(tmp_path: Path) -> None:
    built(tour(tmp_path))
    folder = tmp_path / "local" / "site" / "search"
    [listing] = unpacked((folder / "items.js").read_text())
    assert isinstance(listing, dict)
    number = searching.group("云计")
    _, flat = unpacked((folder / f"w{number}.js").read_text())
    assert isinstance(flat, list)
    words = dict(zip(flat[::2], flat[1::2], strict=True))
    titles = [listing["items"][each >> 2][0] for each in numbers(words["云计"])]
    assert "Juju – Make Your Life Easier" in titles
    assert any("report" in title for title in titles)


@given(st.text(min_size=1, max_size=30))
def test_a_word_and_its_beginnings_are_in_one_group(text: str) -> None:
    for word in index_text(text).split():
        number = searching.group(word)
        assert 0 <= number < 2 * searching.GROUPS
        unspaced = ord(word[0]) >= 0x0E00
        assert searching.group(word[: 1 if unspaced else 2]) == number


@given(st.lists(st.integers(0, 10**6), unique=True).map(sorted))
def test_numbers_are_packed_without_loss(given_numbers: list[int]) -> None:
    assert numbers(searching._packed(given_numbers)) == given_numbers


def test_a_script_holds_any_text() -> None:
    script = searching.script("f", EVIL, "\u2028", "\ud800").decode()
    assert "\u2028" not in script
    assert unpacked(script)[0] == EVIL


def test_what_a_camera_called_a_photo_is_not_found() -> None:
    assert all(
        searching._CAMERA.fullmatch(name)
        for name in ("IMG_0412", "DSC01877", "20120916_101500", "P1010001", "")
    )
    assert not any(
        searching._CAMERA.fullmatch(name) for name in ("会场 1", "Opening in Beijing", "3Wcoffee-1")
    )
