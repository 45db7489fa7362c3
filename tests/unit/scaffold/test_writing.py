"""What is generated is complete and works as it is: its own tests, ruff and mypy pass."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from archiver import __version__
from archiver.errors import ConfigError
from archiver.scaffold import KINDS, Written, named, write
from archiver.scaffold.writing import render

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scaffold")


@pytest.fixture(scope="module", params=KINDS)
def written(request: pytest.FixtureRequest, home: Path) -> Written:
    kind = request.param
    return write(kind, named(f"quite-a-long-name-of-a-{kind}"), home / kind)


def run(written: Written, home: Path, program: str, *arguments: str) -> None:
    environ = {**os.environ, "MYPY_CACHE_DIR": str(home / "mypy"), "RUFF_NO_CACHE": "true"}
    environ.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        [str(BIN / program), *arguments],
        check=False,
        cwd=written.folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.timeout(300)
def test_its_own_tests_pass(written: Written, home: Path) -> None:
    # 64 MB through a sink is the suite's own business; here the rest of it is enough.
    run(written, home, "pytest", "-q", "-p", "no:cacheprovider", "-k", "not thousand and not big")


def test_ruff_finds_nothing_with_its_own_settings(written: Written, home: Path) -> None:
    run(written, home, "ruff", "check")
    run(written, home, "ruff", "format", "--check")


def test_mypy_finds_nothing_with_its_own_settings(written: Written, home: Path) -> None:
    run(written, home, "mypy")


def test_the_module_is_short_and_imports_the_public_module_alone(written: Written) -> None:
    text = (written.folder / "src" / written.names.module / "__init__.py").read_text("utf-8")
    assert len(text.splitlines()) < 60
    imported = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    ours = [(node.module, [name.name for name in node.names]) for node in imported]
    assert [names for module, names in ours if (module or "").split(".")[0] == "archiver"] == [["api"]]


def test_it_is_a_whole_distribution(written: Written) -> None:
    project = tomllib.loads((written.folder / "pyproject.toml").read_text("utf-8"))
    names = written.names
    assert project["project"]["entry-points"] == {"archiver": {names.type: names.module}}
    assert project["project"]["dependencies"][0] == f"event-archiver>={__version__}"
    assert project["project"]["license"] == "Apache-2.0"
    assert yaml.safe_load((written.folder / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]
    for name in ("README.md", "LICENSE", ".gitignore", f"src/{names.module}/py.typed"):
        assert (written.folder / name).is_file()
    assert "%%" not in "".join(path.read_text("utf-8") for path in written.folder.rglob("*.toml"))


def test_any_pip_installs_what_its_tests_need(written: Written) -> None:
    """An extra, not a dependency group: those need pip 25.1, and an environment of Python 3.11 has pip 23."""
    project = tomllib.loads((written.folder / "pyproject.toml").read_text("utf-8"))
    assert "dependency-groups" not in project
    needed = project["project"]["optional-dependencies"]["dev"]
    assert {each.partition(">")[0] for each in needed} == {"mypy", "pytest", "ruff"}
    for name in ("README.md", ".github/workflows/ci.yml"):
        text = (written.folder / name).read_text("utf-8")
        assert '-m pip install --editable ".[dev]"' in text
        assert "--group" not in text


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty"):
        write("source", named("mine"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        write("sink", named("mine"), tmp_path / "file")
    assert "--to" in caught.value.hint


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert (write("sink", named("mine"), tmp_path).folder / "pyproject.toml").exists()


def test_the_licence_is_chosen() -> None:
    mit = render("source", named("mine"), licence="MIT", author="Ada Fan")
    assert " Ada Fan\n" in mit["LICENSE"]
    assert 'license = "MIT"' in mit["pyproject.toml"]
    none = render("source", named("mine"), licence="none")
    assert "LICENSE" not in none
    assert "license" not in tomllib.loads(none["pyproject.toml"])["project"]
