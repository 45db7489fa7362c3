"""SECURITY.md names a test for each threat: all of them are there, and all tests of this folder are named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", TEXT)


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda each: each.rpartition("/")[2])
def test_every_named_proof_exists(file: str, name: str) -> None:
    source = (ROOT / file).read_text("utf-8")
    assert re.search(rf"^(?:    )?def {name}\(" if name else r"^(?:    )?def test_", source, re.MULTILINE)


def test_every_threat_has_a_proof() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("|") and line.count("|") == 4]
    threats = [row for row in rows if not set(row) <= set("|- ") and not row.startswith("| Threat")]
    assert len(threats) > 30
    assert [row for row in threats if "`tests/" not in row] == []


def test_every_module_here_is_named() -> None:
    files = {f"tests/security/{path.name}" for path in Path(__file__).parent.glob("test_*.py")}
    assert files <= {file for file, _ in NAMED}
