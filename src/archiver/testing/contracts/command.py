"""The contract of the source `command`, with a small program that lists the decks of a folder."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from archiver.testing.contracts.samples import pdf
from archiver.testing.sources import SourceContract, Subject

_PROGRAM = """
import json, shutil, sys
from pathlib import Path

root = Path(sys.argv[1])

def answer(asked):
    if asked["type"] == "describe":
        yield {"type": "described", "protocol": 1, "max_fetches": 3}
    elif asked["type"] == "discover":
        decks = sorted(root.iterdir())
        for deck in decks[: asked["limit"]]:
            revision = str(deck.stat().st_mtime_ns)
            material = {"id": deck.name, "kind": "slides", "title": deck.stem, "revision": revision}
            yield {"type": "material", "material": material}
        yield {"type": "checkpoint", "complete": asked["limit"] in (None, len(decks))}
    elif (root / asked["material"]["id"]).is_file():
        shutil.copyfile(root / asked["material"]["id"], asked["into"] + "/deck")
        yield {"type": "file", "path": "deck"}
        yield {"type": "done"}
    else:
        yield {"type": "error", "reason": "gone", "message": "This deck is no longer there."}

for line in sys.stdin:
    for message in answer(asked := json.loads(line)):
        print(json.dumps({"id": asked["id"], **message}), flush=True)
"""


class TestCommand(SourceContract):
    """Three decks in a folder, brought by a program."""

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        """Give two folders, and the program that reads them."""
        tmp_path.joinpath("program.py").write_text(_PROGRAM, "utf-8")
        for name, numbers in (("mine", (1, 2, 3)), ("hers", (11,))):
            (tmp_path / name).mkdir()
            for number in numbers:
                (tmp_path / name / f"talk {number} 讲稿.pdf").write_bytes(pdf(number))
        first = tmp_path / "mine" / "talk 1 讲稿.pdf"

        def options(name: str) -> Mapping[str, Any]:
            return {
                "run": [sys.executable, "-I", "-S", "program.py", f"./{name}"],
                "secrets": {"TOKEN": "a-token-of-the-service"},
            }

        return Subject(
            "command",
            lambda _: options("mine"),
            folder=tmp_path,
            other=Subject("command", lambda _: options("hers"), folder=tmp_path),
            expected={f"talk {number} 讲稿.pdf": pdf(number) for number in (1, 2, 3)},
            change=lambda: first.write_bytes(pdf(21)),
            remove=first.unlink,
        )
