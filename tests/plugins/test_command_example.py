"""The examples of the documents: a source in POSIX sh, and one in Python that needs nothing of ours."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from archiver.testing.contracts.samples import pdf
from archiver.testing.sources import SourceContract, Subject

ROOT = Path(__file__).parents[2]
SHELL = ROOT / "examples/source-in-shell/folder.sh"
PAGE = ROOT / "docs/how-to/any-language.md"


def decks(folder: Path, *numbers: int) -> Path:
    event = folder / "beijing"
    event.mkdir(parents=True)
    for number in numbers:
        event.joinpath(f"Talk {number} 讲稿.pdf").write_bytes(pdf(number))
    return event


class TestShell(SourceContract):
    """Decks in a folder, brought by a shell script."""

    shell = "sh"

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        if shutil.which(self.shell.split()[0]) is None:
            pytest.skip(f"there is no {self.shell} here")
        shutil.copy(SHELL, tmp_path)
        mine = decks(tmp_path / "mine", 1, 2, 3)
        decks(tmp_path / "hers", 11)
        first = mine / "Talk 1 讲稿.pdf"

        def options(folder: str) -> Mapping[str, Any]:
            return {"run": [*self.shell.split(), "folder.sh", f"./{folder}"]}

        return Subject(
            "command",
            lambda _: options("mine"),
            folder=tmp_path,
            other=Subject("command", lambda _: options("hers"), folder=tmp_path),
            expected={f"beijing/Talk {number} 讲稿.pdf": pdf(number) for number in (1, 2, 3)},
            change=lambda: first.write_bytes(pdf(21)),
            remove=first.unlink,
        )
