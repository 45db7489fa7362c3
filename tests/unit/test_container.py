"""The Containerfile and what is handed to its builder: right as far as files can tell."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from workflow_kit import ROOT

CONTAINER = ROOT / "Containerfile"
IGNORED = ROOT / ".dockerignore"
GUIDE = ROOT / "docs" / "how-to" / "ci" / "index.md"
#: What the commands of pip need, so that no layer keeps more than it has to.
QUIET = ("--no-cache-dir", "--constraint")


def instructions(text: str) -> list[tuple[str, str]]:
    """Read the instructions of a container file: comments go, continued lines are put together."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    pairs = [line.split(maxsplit=1) for line in "\n".join(lines).replace("\\\n", " ").splitlines() if line]
    return [(word, " ".join(rest.split())) for word, rest in pairs]


def parts() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the instructions of the part that builds, and of the part that is kept."""
    whole = instructions(CONTAINER.read_text(encoding="utf-8"))
    second = [word for word, _ in whole].index("FROM", 1)
    return whole[:second], whole[second:]


def whole() -> list[tuple[str, str]]:
    return [each for part in parts() for each in part]


def runs() -> list[str]:
    return [rest for word, rest in whole() if word == "RUN"]


def copied() -> list[str]:
    """Name what the part that builds takes from the folder."""
    return [source for word, rest in parts()[0] if word == "COPY" for source in rest.split()[:-1]]


def handed_over(path: str) -> bool:
    """Say whether the builder gets a path: of the lines of `.dockerignore` that fit, the last decides."""
    given = True
    for line in IGNORED.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#") and fits(path, line.lstrip("!")):
            given = line.startswith("!")
    return given


def fits(path: str, pattern: str) -> bool:
    # A pattern is for the path or for a folder above it: `src` means `src/archiver/api.py` too.
    each = [path, *(str(folder) for folder in PurePosixPath(path).parents)]
    if pattern.startswith("**/"):
        return any(fnmatch.fnmatchcase(PurePosixPath(name).name, pattern[3:]) for name in each)
    return any(name.count("/") == pattern.count("/") and fnmatch.fnmatchcase(name, pattern) for name in each)


@pytest.mark.parametrize("script", runs(), ids=lambda value: value[:40])
def test_every_piece_of_shell_is_shell(script: str) -> None:
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run([bash, "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_runs_the_wheel_without_rights() -> None:
    _, last = parts()
    text = dict(last)
    assert int(text["USER"]) > 0
    assert last.index(("USER", text["USER"])) > max(at for at, (word, _) in enumerate(last) if word == "RUN")
    assert any("/wheels/*.whl" in rest for word, rest in last if word == "RUN")
    assert all(rest.startswith("--from=build ") for word, rest in last if word == "COPY")


def test_signals_reach_the_command() -> None:
    """A process with the number 1 that handles no SIGTERM gets none, so another one has that number."""
    _, last = parts()
    text = dict(last)
    assert json.loads(text["ENTRYPOINT"]) == ["tini", "--", "archive"]
    assert text["STOPSIGNAL"] == "SIGINT"
    installed = next(rest for word, rest in last if word == "RUN" and "apt-get install" in rest)
    assert {"ffmpeg", "tini"} <= set(installed.split())


def test_names_of_base_images_are_exact_and_whole() -> None:
    bases = [rest for word, rest in whole() if word == "FROM"]
    form = r"docker\.io/library/python:(\d+\.\d+\.\d+-[a-z-]+(?:@sha256:[0-9a-f]{64})?)(?: AS \w+)?"
    found = [re.fullmatch(form, each) for each in bases]
    assert len({each[1] for each in found if each}) == 1
    assert None not in found


def test_what_is_installed_is_known_to_work_and_leaves_nothing_behind() -> None:
    for rest in runs():
        if "pip install" in rest:
            assert all(option in rest for option in QUIET)
        if "apt-get" in rest:
            assert "--no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists/*" in rest
    assert sum("pip install" in rest for rest in runs()) == 2


def test_it_copies_no_more_than_it_needs() -> None:
    assert "." not in copied()
    assert all((ROOT / source).exists() for source in copied())


@pytest.mark.parametrize("source", copied())
def test_the_builder_gets_what_is_copied(source: str) -> None:
    assert handed_over(source)
    deep = [path for path in (ROOT / source).rglob("*.py") if path.parent.name != "__pycache__"]
    assert all(handed_over(str(path.relative_to(ROOT))) for path in deep)


def test_the_builder_gets_nothing_else() -> None:
    beside = {path.name for path in ROOT.iterdir()} - set(copied())
    assert {".git", "tests", "docs"} <= beside | {".git"}
    others = [*beside, "demo/archive", "credentials", "src/archiver/__pycache__", "plugins/__pycache__/x.pyc"]
    assert [name for name in others if handed_over(name)] == []


def test_the_guide_adds_to_the_image_as_its_user() -> None:
    """An image that is made from this one must not end as root."""
    (derived,) = re.findall(r"```dockerfile\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    users = [rest for word, rest in instructions(derived) if word == "USER"]
    assert users == ["0", dict(parts()[1])["USER"]]


def test_it_builds_the_wheel_of_what_it_copies(tmp_path: Path) -> None:
    """Do what its first part does, but for installing the builder, which is here."""
    first, _ = parts()
    tree = tmp_path / "src"
    tree.mkdir()
    for source in copied():
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, tree / source, symlinks=True)
        else:
            shutil.copy2(ROOT / source, tree / source)
    (build,) = [rest for word, rest in first if word == "RUN" and "build" in rest.split()]
    command = build.replace("/wheels", str(tmp_path / "wheels")).replace("python", sys.executable, 1)
    done = subprocess.run(["bash", "-c", command], cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "wheels").glob("event_archiver-*.whl"))) == 1
