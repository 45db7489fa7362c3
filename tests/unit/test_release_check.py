"""The release check: it passes what is right, and each fault that it is for makes it fail."""

from __future__ import annotations

import base64
import hashlib
import importlib
import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
INFO = "event_archiver-0.1.0.dist-info"
CHANGES = "# Changes\n\n## 0.1.0 (not yet released)\n\n- All.\n"
METADATA = """\
Metadata-Version: 2.4
Name: event-archiver
Version: 0.1.0
Summary: Archive events.
License-Expression: Apache-2.0
License-File: LICENSE
Classifier: Programming Language :: Python :: 3.11
Requires-Python: >=3.11
Description-Content-Type: text/markdown

# A readme

With a [link](https://example.org).
"""
Change = Callable[[dict[str, str]], None]


@pytest.fixture(scope="module")
def release() -> Iterator[Callable[[str], Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools")
        yield importlib.import_module


@pytest.fixture(scope="module")
def artifacts(release: Callable[[str], Any]) -> Any:
    return release("release.artifacts")


def small_tree(folder: Path) -> Path:
    for name, place in (("archiver", "src/archiver"), ("archiver_plugins", "plugins/archiver_plugins")):
        (folder / place / "templates").mkdir(parents=True)
        (folder / place / "py.typed").touch()
        (folder / place / "templates" / "page.html").write_text(name)
        (folder / place / "__pycache__").mkdir()
        (folder / place / "__pycache__" / "x.pyc").touch()
    return folder


def members() -> dict[str, str]:
    code = {f"{name}/templates/page.html": name for name in ("archiver", "archiver_plugins")}
    typed = {f"{name}/py.typed": "" for name in ("archiver", "archiver_plugins")}
    return {**code, **typed, f"{INFO}/METADATA": METADATA, f"{INFO}/licenses/LICENSE": "Apache"}


def wheel(path: Path, content: Mapping[str, str], record: Mapping[str, str] | None = None) -> Path:
    def row(name: str, text: str) -> str:
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        return f"{name},sha256={digest},{len(text)}\n"

    rows = [row(*each) for each in (content if record is None else record).items()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)
        archive.writestr(f"{INFO}/RECORD", "".join(rows) + f"{INFO}/RECORD,,\n")
    return path


def test_what_is_right_passes(artifacts: Any, tmp_path: Path) -> None:
    made = wheel(tmp_path / "a.whl", members())
    assert artifacts.wheel_problems(made, small_tree(tmp_path / "tree")) == []
    assert artifacts.metadata_problems(made, CHANGES) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: found.pop("archiver/py.typed"), "missing: archiver/py.typed"),
        (lambda found: found.pop("archiver/templates/page.html"), "missing: archiver/templates/page.html"),
        (lambda found: found.update({"tests/test_x.py": ""}), "not ours: tests/test_x.py"),
        (lambda found: found.update({"archiver/__pycache__/x.pyc": ""}), "does not belong there"),
        (lambda found: found.update({"archiver/templates/page.html": "old"}), "differs from the tree"),
    ],
)
def test_a_fault_in_the_contents_is_found(artifacts: Any, tmp_path: Path, change: Change, said: str) -> None:
    content = members()
    change(content)
    problems = artifacts.wheel_problems(wheel(tmp_path / "a.whl", content), small_tree(tmp_path / "tree"))
    assert any(said in problem for problem in problems)


def test_a_wheel_that_is_not_as_its_own_list_says_is_found(artifacts: Any, tmp_path: Path) -> None:
    tree = small_tree(tmp_path / "tree")
    other = {**members(), "archiver/templates/page.html": "something else"}
    less = {name: text for name, text in members().items() if not name.endswith("METADATA")}
    assert artifacts.wheel_problems(wheel(tmp_path / "a.whl", members(), other), tree) == [
        "not as in RECORD: archiver/templates/page.html"
    ]
    assert artifacts.wheel_problems(wheel(tmp_path / "b.whl", members(), less), tree) == [
        f"not in RECORD: {INFO}/METADATA"
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Version: 0.1.0", "Version: 0.2.0", "newest section of the changelog is 0.1.0"),
        ("Python :: 3.11", "Python :: 3.99", "unknown classifier"),
        ("Python :: 3.11", "Python :: 3.9", "contradicts requires-python"),
        ("License-Expression: Apache-2.0\n", "", "licence expression"),
        ("License-Expression: Apache-2.0", "License-Expression: Whatever", "license"),
        ("License-File: LICENSE", "License-File: NOTICE", "NOTICE is not in the wheel"),
        ("text/markdown", "text/plain", "not as text/markdown"),
        ("With a", "With <b>a</b>", "uses HTML"),
        ("# A readme", "A readme", "does not begin with a heading"),
        ("Summary: Archive events.\n", "", "no description"),
        ("Requires-Python: >=3.11", "Requires-Python: what", "requires-python"),
    ],
)
def test_a_fault_in_the_metadata_is_found(
    artifacts: Any, tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in METADATA
    made = wheel(tmp_path / "a.whl", {**members(), f"{INFO}/METADATA": METADATA.replace(old, new, 1)})
    problems = artifacts.metadata_problems(made, CHANGES)
    assert any(said in problem for problem in problems), problems


def sdist(path: Path, names: list[str], links: Mapping[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return path


def test_what_is_wrong_with_an_sdist_is_found(artifacts: Any, tmp_path: Path) -> None:
    typed = ["src/archiver/py.typed", "plugins/archiver_plugins/py.typed"]
    needed = (
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "constraints.txt",
        "Makefile",
        "PKG-INFO",
    )
    names = [f"a-0.1.0/{name}" for name in (*needed, *typed)]
    inside, outside = {"a-0.1.0/src/archiver/x": "../../README.md"}, {"a-0.1.0/x": "../../etc/passwd"}
    assert artifacts.sdist_problems(sdist(tmp_path / "a", names, inside)) == []
    assert artifacts.sdist_problems(sdist(tmp_path / "b", names, outside)) == [
        "leads out of it, or is no file: a-0.1.0/x"
    ]
    assert artifacts.sdist_problems(sdist(tmp_path / "c", names[1:])) == ["missing: pyproject.toml"]
    for rubbish in (".venv/x", "src/x.pyc", ".mypy_cache/x", ".git/config"):
        problems = artifacts.sdist_problems(sdist(tmp_path / "d", [*names, f"a-0.1.0/{rubbish}"]))
        assert problems == [f"does not belong there: {rubbish}"]
    assert "more than one folder at the top" in artifacts.sdist_problems(
        sdist(tmp_path / "e", [*names, "b/x"])
    )


def test_what_differs_between_two_wheels_is_named(artifacts: Any, tmp_path: Path) -> None:
    one = wheel(tmp_path / "a.whl", members())
    other = wheel(tmp_path / "b.whl", {**members(), "archiver/x": ""})
    assert artifacts.differences(one, one) == []
    assert artifacts.differences(one, other) == ["archiver/x", f"{INFO}/RECORD"]


def test_this_tree_builds_the_same_wheel_by_both_ways(release: Callable[[str], Any], tmp_path: Path) -> None:
    """All of the check but the installations, which take packages from elsewhere."""
    check = release("release_check")
    results = check.Results()
    made = check.check_builds(tmp_path, results)
    assert results.failed == []
    with zipfile.ZipFile(made) as archive:
        assert "archiver/cli/starter.yaml" in archive.namelist()


def test_pythons_are_found_where_they_run(
    release: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pythons = release("release.pythons")
    assert "3.11" in pythons.minors(ROOT)
    dead, good = tmp_path / "dead", tmp_path / "good"
    for folder in (dead, good):
        folder.mkdir()
    (dead / "python3.11").write_text("#!/bin/sh\nexit 127\n")
    (good / "python3.11").write_text("#!/bin/sh\necho 3.11.99\n")
    for folder in (dead, good):
        (folder / "python3.11").chmod(0o755)
    monkeypatch.setenv("PATH", f"{dead}:{good}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert pythons.supported(ROOT) == [good / "python3.11"]
    assert "3.12" in pythons.missing(ROOT)


def test_the_command_fails_when_a_check_does(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(
        ROOT,
        tree,
        symlinks=True,
        ignore=shutil.ignore_patterns(".git", ".venv", "tests", ".*_cache", "docs", "demo"),
    )
    changes = tree / "CHANGELOG.md"
    changes.write_text(changes.read_text().replace("## 0.1.0", "## 9.9.9", 1))
    nobody = tmp_path / "python"
    nobody.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    nobody.chmod(0o755)
    command = [sys.executable, str(tree / "tools" / "release_check.py"), "--python", str(nobody)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "FAILED  metadata of" in done.stdout
    assert "newest section of the changelog is 9.9.9" in done.stdout
    assert "FAILED  Python : installs" in done.stdout
    assert done.stdout.endswith("2 checks failed.\n")
