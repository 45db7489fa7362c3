from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import DamageError
from archiver.inventory import Inventory, Tree, version_number

A, B = "a" * 64, "b" * 64


def document(**changes: Any) -> dict[str, Any]:
    version = {"created": "2012-09-16T10:00:00Z", "message": "m", "user": {"name": "n", "address": "urn:x"}}
    return {
        "id": "urn:x-event-archive:beijing",
        "type": "https://ocfl.io/1.1/spec/#inventory",
        "digestAlgorithm": "sha256",
        "head": "v2",
        "manifest": {A: ["v1/content/slides/a.pdf"], B: ["v1/content/x", "v2/content/photo/云.jpg"]},
        "versions": {
            "v1": {**version, "state": {A: ["slides/a.pdf"]}},
            "v2": {**version, "state": {A: ["slides/a.pdf"], B: ["photo/云.jpg"]}},
        },
        **changes,
    }


def parse(data: Any) -> Inventory:
    return Inventory.parse(json.dumps(data).encode(), "here")


def with_state(state: Any) -> dict[str, Any]:
    data = document()
    data["versions"]["v2"]["state"] = state
    return data


def test_reads_what_it_writes() -> None:
    inventory = parse(document())
    assert inventory.head == 2
    assert inventory.state == {"slides/a.pdf": A, "photo/云.jpg": B}
    again = Inventory.parse(inventory.to_bytes(), "again")
    assert again == inventory
    assert again.to_bytes() == inventory.to_bytes()
    assert "云".encode() in inventory.to_bytes()


DAMAGED: dict[str, Any] = {
    "no object": [],
    "a number": 7,
    "another type": document(type="https://ocfl.io/2.0/spec/#inventory"),
    "another algorithm": document(digestAlgorithm="sha512"),
    "another content directory": document(contentDirectory="data"),
    "no id": document(id=""),
    "an id that is a list": document(id=["x"]),
    "a head without letter": document(head="2"),
    "a padded head": document(head="v02"),
    "a head that is a number": document(head=2),
    "a head that is not there": document(head="v3"),
    "a head that is not the last": document(head="v1"),
    "a huge head": document(head="v" + "9" * 5000),
    "versions in a list": document(versions=["v1", "v2"]),
    "no versions": document(versions={}, head="v0"),
    "a gap": document(versions={"v1": {"state": {}}, "v3": {"state": {}}}, head="v3"),
    "a version without state": document(versions={"v1": {}, "v2": {}}),
    "a digest that is none": document(manifest={"xyz": ["v1/content/a"]}),
    "a digest in capitals": document(manifest={"A" * 64: ["v1/content/a"]}),
    "a manifest of texts": document(manifest={A: "v1/content/a", B: ["v1/content/b"]}),
    "a manifest of nothing": document(manifest={A: [], B: ["v1/content/b"]}),
    "content of a version to come": document(manifest={A: ["v3/content/a"], B: ["v1/content/b"]}),
    "content outside": document(manifest={A: ["v1/content/../../../x"], B: ["v1/content/b"]}),
    "an absolute path": document(manifest={A: ["/etc/passwd"], B: ["v1/content/b"]}),
    "an inventory as content": document(manifest={A: ["v1/inventory.json"], B: ["v1/content/b"]}),
    "content twice": document(manifest={A: ["v1/content/a"], B: ["v1/content/a"]}),
    "content below content": document(manifest={A: ["v1/content/a"], B: ["v1/content/a/b"]}),
    "an unknown digest": with_state({"c" * 64: ["x"]}),
    "an unknown digest long ago": document(
        versions={"v1": {"state": {"c" * 64: ["x"]}}, "v2": {"state": {A: ["x"]}}}
    ),
    "a path twice": with_state({A: ["x"], B: ["x"]}),
    "a path below a path": with_state({A: ["x"], B: ["x/y"]}),
    "a path deep below a path, with one between": with_state({A: ["x", "x-y"], B: ["x/y/z"]}),
    "a path that leads out": with_state({A: ["../../x"]}),
    "a path with an escape code": with_state({A: ["\x1b[2Jx"]}),
    "half a character": with_state({A: ["\ud800"]}),
    "a state of texts": with_state({A: "abc"}),
    "a state that is a list": with_state([A]),
    "a path that is a number": with_state({A: [1]}),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_damage(data: Any) -> None:
    with pytest.raises(DamageError) as caught:
        parse(data)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 300, b"{", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"NaN", b"1" * 10_000, b"null"],
)
def test_torn_or_hostile_bytes(data: bytes) -> None:
    with pytest.raises(DamageError):
        Inventory.parse(data, "here")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(seed=st.integers(0, 2**32), value=JSON)
def test_any_change_of_one_value_is_read_or_damage(seed: int, value: Any) -> None:
    """Nothing else is raised, whatever stands where."""
    data = copy.deepcopy(document())
    chooser = random.Random(seed)
    place: Any = data
    while True:
        key = chooser.choice(list(place) if isinstance(place, dict) else list(range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or chooser.random() < 0.3:
            place[key] = value
            break
        place = place[key]
    try:
        inventory = parse(data)
    except DamageError:
        return
    assert all(path.split("/")[1] == "content" for path in inventory.content)


class TestTree:
    @given(st.lists(st.text("ab/-", min_size=1, max_size=6)))
    def test_agrees_with_looking_at_all_pairs(self, candidates: list[str]) -> None:
        tree, taken = Tree(), list[str]()
        for path in candidates:
            clash = any(
                path == each or path.startswith(each + "/") or each.startswith(path + "/") for each in taken
            )
            assert tree.fits(path) != clash
            if not clash:
                tree.add(path)
                taken.append(path)
            else:
                with pytest.raises(ValueError):
                    tree.add(path)


@pytest.mark.parametrize(
    ("name", "number"),
    [("v1", 1), ("v20", 20), ("v0", 0), ("v01", 0), ("1", 0), ("v1 ", 0), ("v-1", 0), ("v١", 0)],
)
def test_version_numbers(name: str, number: int) -> None:
    assert version_number(name) == number
