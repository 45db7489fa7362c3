from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def child_environment() -> dict[str, str]:
    """What a child process needs to import what we import."""
    top = Path(__file__).parents[2]
    paths = [str(top / name) for name in ("src", "plugins", "tests")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *(path for path in sys.path if path)])}


@pytest.fixture
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the time that syncing takes, where no power is cut."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
