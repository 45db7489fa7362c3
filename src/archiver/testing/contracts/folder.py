"""The contract of the source `folder`."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.testing.contracts.samples import pdf
from archiver.testing.sources import SourceContract, Subject


class TestFolder(SourceContract):
    """A folder with three decks."""

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        """Give two folders."""
        for name, numbers in (("mine", (1, 2, 3)), ("hers", (11,))):
            (tmp_path / name).mkdir()
            for number in numbers:
                (tmp_path / name / f"talk {number} 讲稿.pdf").write_bytes(pdf(number))
        first = tmp_path / "mine" / "talk 1 讲稿.pdf"
        return Subject(
            "folder",
            lambda _: {"path": "mine"},
            folder=tmp_path,
            other=Subject("folder", lambda _: {"path": "hers"}, folder=tmp_path),
            change=lambda: first.write_bytes(pdf(21)),
            remove=first.unlink,
        )
