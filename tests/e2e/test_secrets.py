"""Secrets reach no output, no report, no ledger: markers are put everywhere and looked for everywhere."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from archiver.cli import execute
from e2e_tour import Upstream

MARKER = "hunter2-marker"


def test_a_password_in_an_address_is_seen_nowhere(
    upstream: Upstream,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    host = urlsplit(upstream.slideshare.url).netloc
    monkeypatch.setenv("SLIDESHARE_URL", f"http://user:{MARKER}@{host}")
    monkeypatch.setenv("SPEAKERDECK_URL", f"http://127.0.0.1:9/?api_key={MARKER}")
    upstream.slideshare.fault("*.jpg", "gone", times=3)
    upstream.slideshare.fault("*.jpg", "login", times=3, after=3)
    config = upstream.write_config(tmp_path / "archive.yaml")
    for command in (
        ["check"],
        ["run", "-v"],
        ["run", "-v", "--json"],
        ["status"],
        ["status", "--json"],
        ["search", "deck"],
        ["schema"],
        ["plugins", "list"],
    ):
        execute([*command, "-c", str(config)])
    told = capsys.readouterr()
    assert MARKER not in told.out
    assert MARKER not in told.err
    assert "slides" in told.out
    for path in (tmp_path / "archive").rglob("*"):
        assert not path.is_file() or MARKER.encode() not in path.read_bytes(), path
    assert list((tmp_path / "archive").glob("runs/*.json"))
