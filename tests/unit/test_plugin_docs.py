"""What the pages for authors of plugins show is run as it stands there."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs/how-to/plugins").glob("*.md")), ROOT / "docs/reference/compatibility.md"]
TUTORIAL = ROOT / "docs/tutorial/first-source.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    return _BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_programs_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    programs = [text for language, text in blocks(page) if language == "python"]
    assert programs
    names: dict[str, object] = {"__name__": f"page_{page.stem}"}
    for number, text in enumerate(programs, 1):
        exec(compile(text, f"{page.name}, block {number}", "exec"), names)


def test_the_reference_of_the_api_is_current() -> None:
    spec = importlib.util.spec_from_file_location("make_api_reference", ROOT / "docs/make_api_reference.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert maker.PAGE.read_text("utf-8") == maker.render(), "run: python docs/make_api_reference.py"


class Reader:
    """Somebody who does what the tutorial says, block by block, in a folder of their own."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.folder = home
        self.port = str(port)
        self.said = ""
        self.running: list[subprocess.Popen[str]] = []
        # Stands for `pip install --editable`, which would change the environment that the tests run in.
        site = home / "site"
        info = site / "archiver_my_talks-0.1.0.dist-info"
        info.mkdir(parents=True)
        info.joinpath("METADATA").write_text(
            "Metadata-Version: 2.1\nName: archiver-my-talks\nVersion: 0.1.0\n"
        )
        info.joinpath("entry_points.txt").write_text("[archiver]\nmy-talks = archiver_my_talks\n")
        source = home / "archiver-my-talks" / "src"
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environ = {**os.environ, "PATH": path, "PYTHONPATH": f"{site}{os.pathsep}{source}"}
        self.environ.pop("PYTEST_ADDOPTS", None)

    def read(self, language: str, text: str) -> None:
        """Do what one block is for."""
        text = text.replace("8123", self.port)
        if language == "sh":
            for line in text.splitlines():
                self.do(line)
        elif language == "text":
            self.compare(text)
        elif language == "diff":
            self.change(text)
        else:
            assert language == "yml"
            (self.folder / "archive.yaml").write_text(text, encoding="utf-8")

    def do(self, line: str) -> None:
        if line.startswith("cd "):
            self.folder = self.folder / line[3:]
        elif line == "python tests/double.py":
            self.start()
        elif "pip install" not in line:
            # What is generated passes the whole suite: that is shown where it is generated.
            line = line.replace("pytest -q", "pytest -q -k 'not TestContract'")
            done = subprocess.run(
                line,
                shell=True,
                check=False,
                cwd=self.folder,
                env=self.environ,
                capture_output=True,
                text=True,
                timeout=100,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            self.said = done.stdout + done.stderr

    def start(self) -> None:
        double = self.folder / "tests" / "double.py"
        double.write_text(double.read_text("utf-8").replace("8123", self.port), encoding="utf-8")
        command = [sys.executable, str(double)]
        started = subprocess.Popen(command, env=self.environ, stdout=subprocess.PIPE, text=True)
        self.running.append(started)
        assert started.stdout is not None
        assert self.port in started.stdout.readline()

    def restart(self) -> None:
        for each in self.running:
            each.terminate()
            each.wait(10)
            assert each.stdout is not None
            each.stdout.close()
        if self.running:
            self.running.clear()
            self.start()

    def compare(self, text: str) -> None:
        """Every line of the page was said, whatever the times, sizes and places."""
        said = [plain(line) for line in self.said.splitlines()]
        assert [line for line in text.splitlines() if line and plain(line) not in said] == [], self.said

    def change(self, text: str) -> None:
        command = ["patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch"]
        done = subprocess.run(
            command, check=False, cwd=self.folder, input=text, capture_output=True, text=True, timeout=20
        )
        assert done.returncode == 0, done.stdout + done.stderr
        if "tests/double.py" in text:
            self.restart()


def plain(line: str) -> str:
    line = re.sub(r"\d+(\.\d+)? (ms|s|B|kB)\b", "N", line)
    line = re.sub(r"-[0-9a-f]{12}\.", "-HASH.", line)
    line = re.sub(r"^ +/\S*/archive/", "FOLDER/archive/", line)
    return re.sub(r"(are in|in) \S*/[\w/.-]+", r"\1 FOLDER", line).strip()


@contextmanager
def reader(home: Path) -> Iterator[Reader]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    someone = Reader(home, port)
    try:
        yield someone
    finally:
        for each in someone.running:
            each.terminate()
            each.wait(10)
            assert each.stdout is not None
            each.stdout.close()


@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("patch") is None, reason="the tutorial's changes are applied by patch")
def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    steps = blocks(TUTORIAL)
    assert {language for language, _ in steps} == {"sh", "text", "diff", "yml"}
    with reader(tmp_path) as someone:
        for language, text in steps:
            someone.read(language, text)
