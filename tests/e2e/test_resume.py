"""A killed run costs nothing that was acknowledged: the next one, anywhere, goes on from the sink."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from e2e_tour import Tour, Upload, Upstream

HERE = Path(__file__).parent


def environment(upstream: Upstream, home: Path) -> dict[str, str]:
    home.mkdir(exist_ok=True)
    paths = os.pathsep.join(str(HERE.parents[1] / name) for name in ("src", "plugins"))
    return {**os.environ, **upstream.environment, "HOME": str(home), "PYTHONPATH": paths}


def python(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], env=env, capture_output=True, text=True, timeout=100, check=False
    )


def acknowledged(archive: Path) -> list[dict[str, Any]]:
    lines = [line for file in archive.glob("journal/*/*.jsonl") for line in file.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def digests(archive: Path) -> set[str]:
    """The bytes that the newest versions hold, but for our own records, which name the run."""
    found = set()
    for inventory in archive.glob("ocfl/*/inventory.json"):
        data = json.loads(inventory.read_text())
        for digest, paths in data["versions"][data["head"]]["state"].items():
            if not all(path.startswith("metadata/") for path in paths):
                found.add(digest)
    return found


def pictures(upstream: Upstream) -> Counter[str]:
    logs = (upstream.slideshare.requests, upstream.speakerdeck.requests)
    return Counter(request.path for log in logs for request in log if request.path.endswith((".jpg", ".pdf")))


def belongs(path: str, upload: Upload, upstream: Upstream) -> bool:
    """Whether a file of the services is one of this upload's."""
    if upload.host == "slideshare":
        deck = next(deck for deck in upstream.slideshare.decks if deck.id == upload.number)
        return f"/{deck.location}/" in path
    decks = [deck for deck in upstream.speakerdeck.decks if deck.slug == f"deck-{upload.number}"]
    return any(deck.id in path for deck in decks)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    from e2e_tour import make_tour

    folder = tmp_path_factory.mktemp("undisturbed")
    with Upstream(make_tour(seed=20261122), folder / "upstream") as upstream:
        config = upstream.write_config(folder / "archive.yaml")
        env = environment(upstream, folder / "home")
        assert python("-m", "archiver", "run", "-c", str(config), env=env).returncode == 0
    return digests(folder / "archive")


@pytest.mark.parametrize("k", [1, 2, 3, 5, 8, 11])
def test_killed_after_the_kth_acknowledged_put(
    k: int, tour: Tour, upstream: Upstream, tmp_path: Path, undisturbed: set[str]
) -> None:
    config = upstream.write_config(tmp_path / "one" / "archive.yaml", sink=str(tmp_path / "archive"))
    killed = python(
        str(HERE / "interrupted_run.py"), str(config), str(k), env=environment(upstream, tmp_path / "home1")
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    safe = acknowledged(tmp_path / "archive")
    assert len(safe) >= k
    before = pictures(upstream)

    # Another machine: nothing but the sink and a configuration.
    config = upstream.write_config(tmp_path / "two" / "archive.yaml", sink=str(tmp_path / "archive"))
    env = environment(upstream, tmp_path / "home2")
    resumed = python("-m", "archiver", "run", "-c", str(config), "--json", env=env)
    assert resumed.returncode == 0, resumed.stderr
    outcomes = [json.loads(line) for line in resumed.stdout.splitlines()]
    taken = {item["id"] for item in outcomes if item.get("outcome") == "resumed"}
    assert taken == {entry["material"]["id"] for entry in safe}

    again = pictures(upstream) - before
    titles = {entry["material"]["title"] for entry in safe}
    spared = [upload for upload in tour.uploads if upload.title in titles and upload.host != "folder"]
    assert not [path for path in again for upload in spared if belongs(path, upload, upstream)]
    assert digests(tmp_path / "archive") == undisturbed
