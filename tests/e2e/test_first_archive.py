"""The tutorial "Your first archive", done block by block as it is printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import media_samples as samples
from archiver.testing.slideshare import Deck, SlideShareDouble

TUTORIAL = Path(__file__).parents[2] / "docs/tutorial/first-archive.md"
DECKS = [
    Deck(
        id=14310001,
        user="b-speaker",
        title="What we learned",
        author="B. Speaker",
        pages=(samples.webp(640, 480),),
        transcript=("What we learned",),
    ),
]


class Reader:
    """Somebody who does what the tutorial says, in a folder of their own."""

    def __init__(self, home: Path, service: str) -> None:
        self.folder = home
        self.service = service
        self.said = ""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ARCHIVE_")}
        self.environ = {**kept, "PATH": path, "HOME": str(home), "PYTHONUTF8": "1"}

    def read(self, language: str, text: str) -> None:
        if language == "sh":
            self.said = "".join([self.do(line) for line in text.splitlines()])
        elif language == "text":
            said = [plain(line) for line in self.said.splitlines()]
            assert [line for line in text.splitlines() if plain(line) not in said] == [], self.said
        else:
            assert language == "yaml"
            # The reader has the service; the tests have one on this machine.
            text = text.replace("type: slideshare,", f'type: slideshare, base_url: "{self.service}",')
            (self.folder / "archive.yaml").write_text(text, encoding="utf-8")

    def do(self, line: str) -> str:
        if line.startswith("cd "):
            self.folder = self.folder / line[3:]
            return ""
        done = subprocess.run(
            line,
            shell=True,
            check=False,
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=110,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}"
        return done.stdout


def plain(line: str) -> str:
    """Leave out what differs from machine to machine: sizes, counts of files, digests, spaces around."""
    line = re.sub(r"\d+(\.\d+)? (B|kB|MB|files)\b", "N", line)
    # With a `base_url`, a source has a name that says which one.
    return re.sub(r"-[0-9a-f]{12}\.pdf|(?<=slideshare)-[0-9a-f]{6}", "", line).strip()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    (tmp_path / "talk.pdf").write_bytes(samples.pdf(["How we archive our talks", "plain files"]))
    with SlideShareDouble(DECKS) as service:
        yield Reader(tmp_path, service.url)


@pytest.mark.timeout(300)
def test_the_tutorial_does_what_it_says(reader: Reader) -> None:
    steps = re.findall(
        r"^```(sh|text|yaml)\n(.*?)^```", TUTORIAL.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert [language for language, _ in steps].count("text") >= 8
    for language, text in steps:
        reader.read(language, text)
