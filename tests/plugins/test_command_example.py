"""The examples of the documents: a source in POSIX sh, and one in Python that needs nothing of ours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from archiver.testing.contracts.samples import pdf
from archiver.testing.sources import SourceContract, Subject
from archiver_plugins.command.lines import decode, encode

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

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        shutil.copy(SHELL, tmp_path)
        mine = decks(tmp_path / "mine", 1, 2, 3)
        decks(tmp_path / "hers", 11)
        first = mine / "Talk 1 讲稿.pdf"

        def options(folder: str) -> Mapping[str, Any]:
            return {"run": ["sh", "folder.sh", f"./{folder}"]}

        return Subject(
            "command",
            lambda _: options("mine"),
            folder=tmp_path,
            other=Subject("command", lambda _: options("hers"), folder=tmp_path),
            expected={f"beijing/Talk {number} 讲稿.pdf": pdf(number) for number in (1, 2, 3)},
            change=lambda: first.write_bytes(pdf(21)),
            remove=first.unlink,
        )


class TestPython(SourceContract):
    """The program of the page, which imports nothing of ours."""

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        (program,) = (text for text in pieces("python") if "for line in sys.stdin" in text)
        assert len(program.splitlines()) <= 32
        tmp_path.joinpath("folder.py").write_text(program, "utf-8")
        mine = decks(tmp_path / "mine", 1, 2)
        decks(tmp_path / "hers", 11)
        first = mine / "Talk 1 讲稿.pdf"

        def options(folder: str) -> Mapping[str, Any]:
            return {"run": [sys.executable, "-I", "-S", "folder.py", f"./{folder}"]}

        return Subject(
            "command",
            lambda _: options("mine"),
            folder=tmp_path,
            other=Subject("command", lambda _: options("hers"), folder=tmp_path),
            expected={f"beijing/Talk {number} 讲稿.pdf": pdf(number) for number in (1, 2)},
            change=lambda: first.write_bytes(pdf(21)),
            remove=first.unlink,
        )


def pieces(language: str) -> list[str]:
    """Give the blocks of one language of the page."""
    text = PAGE.read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_page_can_be_followed(tmp_path: Path) -> None:
    """Its configuration and its commands, with the script beside it."""
    (configuration,) = pieces("yaml")
    by_hand, run = pieces("console")
    tmp_path.joinpath("archive.yaml").write_text(configuration, "utf-8")
    shutil.copy(SHELL, tmp_path)
    decks(tmp_path / "decks", 1)
    asked, answer = by_hand.splitlines()
    assert shell(asked, tmp_path).stdout.strip() == answer
    for line in run.splitlines():
        done = shell(line, tmp_path)
        assert done.returncode == 0, done.stderr
    (stored,) = tmp_path.glob("archive/ocfl/beijing/v1/content/slides/*.pdf")
    assert stored.read_bytes() == pdf(1)


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Do one line of a page, with the command of these sources."""
    path = os.pathsep.join(sys.path)
    archive = f"archive() {{ PYTHONPATH='{path}' '{sys.executable}' -m archiver \"$@\"; }}"
    words = ["sh", "-c", f"{archive}\n{line.removeprefix('$ ')}"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def run_shell(shell_words: list[str], folder: Path, request: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask the script one thing, as the archiver writes it."""
    done = subprocess.run(
        [*shell_words, str(SHELL), str(folder)],
        input=encode(request),
        capture_output=True,
        timeout=20,
        check=True,
    )
    return [decode(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "words", [["dash"], ["bash", "--posix"], ["busybox", "sh"]], ids=lambda words: words[0]
)
def test_the_script_minds_odd_names(words: list[str], tmp_path: Path) -> None:
    if shutil.which(words[0]) is None:
        pytest.skip(f"there is no {words[0]} here")
    event = decks(tmp_path / "decks", 1)
    odd = ["a 'b' $(id) `id` *.pdf", "-rf.pdf", "%s%n.pdf", "x&y;z.pdf", "讲.pdf"]
    left_out = [b'quo"te.pdf', b"back\\slash.pdf", b"line\nfeed.pdf", b"not-utf-8-\xff.pdf"]
    for name in odd:
        event.joinpath(name).write_bytes(b"x")
    for raw in left_out:
        Path(os.fsdecode(os.fsencode(event) + b"/" + raw)).write_bytes(b"x")
    event.parent.joinpath("elsewhere").mkdir()
    event.parent.joinpath("elsewhere", "deck.pdf").write_bytes(b"x")
    asked = {
        "id": 5,
        "type": "discover",
        "cursor": '","limit":1,',
        "limit": None,
        "entries": [{"event": {"id": "beijing"}}],
    }
    *found, end = run_shell(words, event.parent, asked)
    assert {each["material"]["id"] for each in found} == {
        f"beijing/{name}" for name in [*odd, "Talk 1 讲稿.pdf"]
    }
    assert end == {"id": 5, "type": "checkpoint", "complete": True}
    *some, end = run_shell(words, event.parent, {**asked, "limit": 2})
    assert (len(some), end["complete"]) == (2, False)
    into = tmp_path / "into"
    into.mkdir()
    for each in found:
        answer = run_shell(
            words, event.parent, {"id": 6, "type": "fetch", "into": str(into), "material": each["material"]}
        )
        assert [part["type"] for part in answer] == ["file", "done"]
    for lost in ("beijing/none.pdf", "../secret", "beijing/../../secret", "..", ""):
        tmp_path.joinpath("secret").write_text("x")
        (answer_to,) = run_shell(
            words,
            event.parent,
            {"id": 7, "type": "fetch", "into": str(into), "material": {"id": lost, "kind": "slides"}},
        )
        assert answer_to["reason"] == "gone"
