"""Which Pythons are supported, and which of them are here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path


def minors(root: Path) -> list[str]:
    """List the supported versions, "3.11" and so on, from the classifiers of the project."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = (
        re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each) for each in project["classifiers"]
    )
    return [match[1] for match in found if match]


def supported(root: Path) -> list[Path]:
    """Find one Python of each supported version that works here."""
    return [python for minor in minors(root) if (python := _find(minor)) is not None]


def missing(root: Path) -> list[str]:
    """List the supported versions that are not here."""
    return [minor for minor in minors(root) if _find(minor) is None]


def version(python: Path) -> str:
    """Give the version of a Python, such as "3.12.1"; empty when it does not run."""
    command = [str(python), "-c", "import sys, ensurepip; print(sys.version.split()[0])"]
    try:
        done = subprocess.run(  # noqa: S603  # a Python that the user has
            command, check=False, capture_output=True, text=True, timeout=30
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _find(minor: str) -> Path | None:
    # What is on the path may be a signpost that leads nowhere, as pyenv's are: only one that runs counts.
    return next((each for each in _candidates(minor) if version(each).startswith(f"{minor}.")), None)


def _candidates(minor: str) -> Iterator[Path]:
    for folder in os.get_exec_path():
        if found := shutil.which(f"python{minor}", path=folder):
            yield Path(found)
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(home.glob(f"versions/{minor}.*/bin/python{minor}"), reverse=True)
