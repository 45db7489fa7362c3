"""The suite bites: for each promise there is a source, a few lines away from a good one, that breaks it."""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path

import pytest

from archiver.testing.sources import SourceContract, Trial
from unit.testing.faulty_sources import TWINS
from unit.testing.shelf import Shelf, subject_of

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
