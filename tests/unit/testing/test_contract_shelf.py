"""The suite, as an author runs it, over a source that keeps every promise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from archiver.testing.sources import SourceContract, Subject
from unit.testing.shelf import subject_of


class TestShelf(SourceContract):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        with subject_of() as subject:
            yield subject
