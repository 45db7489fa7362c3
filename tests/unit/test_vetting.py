"""What plugins say, held to the types of the contract."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import vetting
from archiver.errors import BlockedError, FatalError
from archiver.ledger import Record, State, dump, load
from archiver.model import Checkpoint, Fetched, Kind, Material, Unavailable

GOOD = Material("x", Kind.SLIDES, authors=("Ada Fan",), tags=("a",), size=3, extra={"k": "v"})


def test_what_is_right_stays_as_it_is() -> None:
    assert vetting.material(GOOD) == GOOD
    assert vetting.material(replace(GOOD, kind="slides", authors=["Ada Fan"])) == GOOD  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""}, {"id": None}, {"id": "x" * 2001}, {"id": 7}, {"kind": "film"}, {"kind": None},
        {"title": None},
        {"title": b"bytes"}, {"url": 1}, {"revision": 3}, {"revision": "r" * 2001}, {"event": None},
        {"date": 2012}, {"description": None}, {"authors": "Ada Fan"}, {"authors": None}, {"authors": (1,)},
        {"tags": {"a"}}, {"size": "3"}, {"size": -1}, {"size": True}, {"size": 1.5}, {"extra": None},
        {"extra": {"k": 1}}, {"extra": {1: "v"}}, {"extra": {"k": "v" * 70_000}}, {"extra": [("k", "v")]},
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(changes: dict[str, Any]) -> None:
    with pytest.raises(FatalError) as caught:
        vetting.material(replace(GOOD, **changes))
    assert next(iter(changes)) in str(caught.value)
    assert "plugin" in caught.value.hint
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("given", [None, "x", 7, {"id": "x"}, Checkpoint()])
def test_what_is_no_material_is_refused(given: object) -> None:
    with pytest.raises(FatalError, match=type(given).__name__):
        vetting.material(given)


def test_long_texts_are_cut_but_no_identity() -> None:
    long = replace(GOOD, title="t" * 5_000, description="d" * 500_000, authors=("n" * 5_000,) * 1_000)
    vetted = vetting.material(long)
    assert (len(vetted.title), len(vetted.description), len(vetted.authors)) == (1_000, 100_000, 200)


def test_unavailable() -> None:
    error = BlockedError("login")
    assert vetting.unavailable(Unavailable(GOOD, error)) == (GOOD, error)


@pytest.mark.parametrize(("error", "told"), [(ValueError("no"), "ValueError: no"), ("gone", "str: gone")])
def test_an_unavailable_without_a_source_error_is_the_fault_of_the_plugin(error: Any, told: str) -> None:
    given = Unavailable(GOOD, error)
    wrong = vetting.trouble(given)
    assert wrong is not None
    assert told in wrong.message
    assert "has to be a SourceError" in wrong.message
    assert "plugin" in wrong.hint
    about, found = vetting.unavailable(given)
    assert (about, str(found)) == (GOOD, str(wrong))


class Feed:
    """What the messages call the plugin by."""


async def asynchronous() -> None:
    raise AssertionError("nobody awaits it")


async def asynchronous_listing() -> AsyncIterator[Material]:
    yield GOOD


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: None, "it returned None"),
        (lambda: Fetched(Path("a.pdf")), "it returned something of type Fetched"),
        (asynchronous, "it returned something of type coroutine: sources are not asynchronous"),
        (asynchronous_listing, "of type async_generator: sources are not asynchronous"),
    ],
)
@pytest.mark.parametrize(("method", "wanted"), [("fetch", "Fetched"), ("discover", "a Checkpoint")])
def test_what_gives_nothing_to_go_through_is_named(
    method: str, wanted: str, make: Callable[[], Any], told: str
) -> None:
    with pytest.raises(FatalError) as raised:
        vetting.each(Feed(), method, make())
    assert f"`{method}` of Feed has to yield" in raised.value.message
    assert wanted in raised.value.message
    assert raised.value.message.endswith(told)


def test_a_listing_ends_with_its_checkpoint(caplog: pytest.LogCaptureFixture) -> None:
    end = Checkpoint("here", complete=True)
    assert list(vetting.listed("feed", Feed(), [GOOD, end])) == [GOOD, end]
    assert list(vetting.listed("feed", Feed(), iter([GOOD]))) == [GOOD]
    assert list(vetting.listed("feed", Feed(), [end, Checkpoint()])) == [Checkpoint("here")]
    assert not caplog.records
    with pytest.raises(FatalError):
        list(vetting.listed("feed", Feed(), [Checkpoint(7)]))  # type: ignore[arg-type]


def test_what_is_listed_after_the_checkpoint_is_taken_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    late = [GOOD, Checkpoint("here", complete=True), replace(GOOD, id="y"), replace(GOOD, id="z")]
    *taken, end = vetting.listed("feed", Feed(), late)
    assert [item.id for item in taken] == ["x", "y", "z"]
    assert end == Checkpoint()
    (record,) = caplog.records
    assert "source feed went on after its checkpoint" in record.getMessage()
    assert "(2)" in record.getMessage()


def test_checkpoints() -> None:
    assert vetting.checkpoint(Checkpoint("c", complete=True)).cursor == "c"
    for wrong in (Checkpoint(1), Checkpoint("c", 1), Checkpoint("c" * 1_048_577)):  # type: ignore[arg-type]
        with pytest.raises(FatalError):
            vetting.checkpoint(wrong)


ANYTHING = st.none() | st.text() | st.integers() | st.binary() | st.lists(st.text()) | st.floats()


@given(
    st.fixed_dictionaries(
        {"id": st.text(min_size=1) | ANYTHING, "kind": st.sampled_from(Kind)},
        optional={
            name: st.text() | ANYTHING
            for name in (
                "title",
                "url",
                "revision",
                "date",
                "authors",
                "tags",
                "size",
                "extra",
                "description",
            )
        },
    )
)
def test_what_passes_can_be_written_and_read_back(fields: dict[str, Any]) -> None:
    try:
        vetted = vetting.material(Material(**fields))
    except FatalError:
        return
    record = Record("src", "t", vetted, State.PENDING)
    data = dump([record])
    assert json.loads(data)
    assert list(load(data, "test")) == [record]


def test_a_secret_in_an_address_is_masked_and_named() -> None:
    given = replace(GOOD, id="1?sig=abcdefghij", url="https://host/1?token=abcdefghij&page=2")
    vetted = vetting.material(given)
    # The id is the identity: another one would be another material.
    assert (vetted.id, vetted.url) == (given.id, "https://host/1?token=***&page=2")
    assert vetting.secrets(given) == {"id": "sig", "url": "token"}
    assert vetting.secrets(GOOD) == {}
    assert vetting.secrets(replace(GOOD, id=7, url=None)) == {}  # type: ignore[arg-type]
