from __future__ import annotations

from pathlib import Path

import pytest

import verify_kit
from verify_kit import Bench


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return verify_kit.build(tmp_path_factory.mktemp("built"))


@pytest.fixture
def bench(tmp_path: Path, built: Path) -> Bench:
    """Two sinks that hold the same small archive."""
    return verify_kit.bench(tmp_path / "bench", built)
