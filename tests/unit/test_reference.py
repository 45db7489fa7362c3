"""The reference pages say what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["configuration.md", "command.md"])
def test_a_page_is_current(maker: ModuleType, name: str) -> None:
    path = ROOT / "docs" / "reference" / name
    assert path.read_text("utf-8") == maker.render()[path], "run: python docs/make_reference.py"


def test_every_option_of_every_bundled_type_is_described(maker: ModuleType) -> None:
    text = maker.render()[ROOT / "docs" / "reference" / "configuration.md"]
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) > 20
    assert [row[0] for row in rows if len(row[-1].removesuffix(" |").strip()) < 5] == []
