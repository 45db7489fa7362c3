"""The suite bites: for each promise there is a source, a few lines away from a good one, that breaks it."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from archiver import api
from archiver.testing import contract
from archiver.testing.sources import SourceContract, Trial
from unit.testing.faulty_sources import TWINS
from unit.testing.shelf import Shelf, ShelfEntry, subject_of

PROMISES = sorted(name for name in dir(SourceContract) if name.startswith("test_"))
#: Lines that a twin's class may have beside its first, the signatures and the decorator.
MOST = 5


def verdict(promise: str, kind: type[Shelf], folder: Path) -> str:
    """Check one promise of a source; give what is wrong, or nothing."""
    check = getattr(SourceContract(), promise)
    try:
        with subject_of(kind) as subject, Trial(subject, folder) as trial:
            check(trial)
    except AssertionError as error:
        return str(error)
    except pytest.skip.Exception:
        return ""
    return ""


def test_every_promise_has_a_faulty_twin() -> None:
    assert sorted(TWINS) == PROMISES
    assert len({kind for kind, _ in TWINS.values()}) == len(PROMISES) >= 12


def test_every_promise_is_told_in_words() -> None:
    for promise in PROMISES:
        first, *_ = (inspect.getdoc(getattr(SourceContract, promise)) or "").splitlines()
        assert first.endswith("."), promise


@pytest.mark.parametrize("promise", PROMISES)
def test_the_twin_is_caught(promise: str, tmp_path: Path) -> None:
    kind, message = TWINS[promise]
    assert re.search(message, verdict(promise, kind, tmp_path))


class Wandering(Shelf):
    def download(self, address: str, material: api.Material, into: Path) -> api.Fetched:
        os.chdir("/")
        return super().download(address, material, into)


def test_a_fetch_that_leaves_for_another_directory_is_caught(tmp_path: Path) -> None:
    before = Path.cwd()
    told = verdict("test_a_fetch_keeps_to_its_directory", Wandering, tmp_path)
    assert "changed the working directory of the whole run" in told
    assert Path.cwd() == before


class Writing(Shelf):
    def decks(self) -> Iterator[api.Material]:
        os.write(1, b"by number")
        yield from super().decks()


class Starting(Shelf):
    def close(self) -> None:
        subprocess.run(["echo", "by a child"], check=True)


class Closing(Shelf):
    def download(self, address: str, material: api.Material, into: Path) -> api.Fetched:
        sys.stdout.close()
        print("more")  # noqa: T201  # whoever prints later finds it open
        return super().download(address, material, into)


@pytest.mark.parametrize(
    ("kind", "told"),
    [(Writing, "by number"), (Starting, "by a child"), (Closing, "(sys.stdout was closed)")],
)
def test_whatever_way_a_source_prints_is_caught(kind: type[Shelf], told: str, tmp_path: Path) -> None:
    assert f"printed on standard output: {told!r}" in verdict("test_nothing_is_printed", kind, tmp_path)


class Excusing(Shelf):
    def decks(self) -> Iterator[Any]:
        yield api.Unavailable(self.material("lost", "1"), "gone")  # type: ignore[arg-type]
        yield from super().decks()


class Absent(Shelf):
    def discover(self, scope: api.Scope[ShelfEntry], cursor: str) -> Any:
        return None


@pytest.mark.parametrize(
    ("kind", "promise", "told"),
    [
        (Excusing, "test_materials_keep_to_their_types", "its error has to be a SourceError"),
        (Absent, "test_a_listing_can_be_left", "`discover` of Absent has to yield Material"),
    ],
)
def test_the_verdict_says_what_is_wrong(kind: type[Shelf], promise: str, told: str, tmp_path: Path) -> None:
    assert told in verdict(promise, kind, tmp_path)


class Sleeping(Shelf):
    """Answers nothing until the test is over."""

    over: ClassVar[threading.Event] = threading.Event()

    def discover(self, scope: api.Scope[ShelfEntry], cursor: str) -> Iterator[Any]:
        self.over.wait()
        yield api.Checkpoint()


class Dozing(Sleeping):
    def discover(self, scope: api.Scope[ShelfEntry], cursor: str) -> Iterator[Any]:
        return Shelf.discover(self, scope, cursor)

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched]:
        self.over.wait()
        raise api.InvalidError("the test is over")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(contract, "PATIENCE", 1.0)
    monkeypatch.setattr(contract, "IMPATIENCE", 0.5)
    monkeypatch.setattr(contract, "_LATE", set())
    Sleeping.over = threading.Event()
    yield
    Sleeping.over.set()


@pytest.mark.parametrize(
    ("kind", "promise", "what"),
    [
        (Sleeping, "test_something_is_listed", "a listing"),
        (Sleeping, "test_ids_are_unique", "a listing"),
        (Sleeping, "test_a_strange_cursor_breaks_nothing", "a listing"),
        (Sleeping, "test_odd_answers_are_told_of", "a listing"),
        (Sleeping, "test_a_listing_can_be_left", "leaving a listing"),
        (Dozing, "test_a_fetch_brings_files", "a fetch"),
        (Dozing, "test_several_threads_may_fetch", "a fetch"),
        (Dozing, "test_a_fetch_can_be_stopped", "a fetch"),
    ],
)
@pytest.mark.usefixtures("hurried")
def test_what_never_ends_is_told_of(kind: type[Shelf], promise: str, what: str, tmp_path: Path) -> None:
    assert re.fullmatch(rf"{what} did not end within \d seconds", verdict(promise, kind, tmp_path))


@pytest.mark.usefixtures("hurried")
def test_who_was_late_once_gets_less_time(tmp_path: Path) -> None:
    with subject_of(Dozing) as subject, Trial(subject, tmp_path) as trial:
        account = trial.account()
        (material,) = trial.samples(account, 1)
        for seconds in (contract.PATIENCE, contract.IMPATIENCE):
            with pytest.raises(contract.LateError, match=f"{seconds:.0f} seconds"):
                account.fetch(material)


@pytest.mark.parametrize("promise", PROMISES)
def test_the_twin_differs_in_a_few_lines(promise: str) -> None:
    kind, _ = TWINS[promise]
    body = inspect.getsource(kind).splitlines()[2:]
    own = [line for line in body if line.strip() and not line.strip().startswith(("def ", "@"))]
    given = inspect.getsource(Shelf)
    assert len([line for line in own if f"{line}\n" not in given]) <= MOST


@pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE") != "hunt", reason="only on a hunt: it takes minutes")
@pytest.mark.parametrize("promise", PROMISES)
def test_no_other_promise_catches_the_twin(promise: str, tmp_path: Path) -> None:
    kind, _ = TWINS[promise]
    others = [other for other in PROMISES if other != promise]
    caught = {other: told for other in others if (told := verdict(other, kind, tmp_path))}
    assert not caught
