"""docs/format.md is true: its commands find and prove a deck, its keys are those of real files."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

import media_samples as samples
from archiver.cli import execute

PAGE = (Path(__file__).parents[2] / "docs/format.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    (incoming / "Deploy OpenStack with Chef.pdf").write_bytes(samples.pdf(["Chef"]))
    (incoming / "hall.jpg").write_bytes(samples.jpeg(40, 30))
    (incoming / "broken.pdf").write_bytes(b"")
    config = tmp_path / "archive.yaml"
    config.write_text(
        """
archive: {title: A tour}
sinks: {local: {type: disk, path: ./archive}}
sources: {inbox: {type: folder, path: ./incoming}}
events:
  - id: beijing
    title: Beijing Stop
    talks: [{title: Deploy OpenStack with Chef, speaker: Junqiang Chen, email: jq@example.org}]
    sources: [{use: inbox}]
""",
        encoding="utf-8",
    )
    assert execute(["run", "-c", str(config)]) == 1  # the broken one is pending
    (incoming / "hall.jpg").write_bytes(samples.jpeg(44, 30))
    assert execute(["run", "-c", str(config)]) == 1
    return tmp_path / "archive"


def shell(script: str, folder: Path, scratch: Path) -> str:
    done = subprocess.run(
        ["bash", "-ec", script.replace("/tmp/", f"{scratch}/")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_deck_is_found_and_proven_by_hand(archive: Path, tmp_path: Path) -> None:
    grep, find, prove = COMMANDS
    lines = [json.loads(line) for line in shell(grep, archive, tmp_path).splitlines()]
    assert {line["state"] for line in lines} == {"stored"}
    name = Path(lines[0]["files"][0]["path"]).name
    assert shell(find, archive, tmp_path).strip().endswith(name)
    assert shell(prove, archive, tmp_path) == "inventory.json: OK\n"


def test_damage_is_seen_by_hand(archive: Path, tmp_path: Path) -> None:
    (deck,) = archive.glob("ocfl/beijing/v1/content/slides/*.pdf")
    deck.write_bytes(deck.read_bytes()[:-1] + b"X")
    told = shell(COMMANDS[2], archive, tmp_path).splitlines()
    assert len(told) == 3  # the sidecar is right, one digest is missing, one is unknown


def test_every_key_of_real_files_is_described(archive: Path) -> None:
    described = set(re.findall(r"`([a-z_0-9]+)`", PAGE))
    for path in archive.glob("ocfl/*/v*/content/metadata/**/*.json*"):
        for line in (
            path.read_text("utf-8").splitlines() if path.suffix == ".jsonl" else [path.read_text("utf-8")]
        ):
            assert keys(json.loads(line)) - {"attended"} <= described, path
    for path in archive.glob("runs/*.json"):
        report = json.loads(path.read_text("utf-8"))
        assert report.keys() - {"dry_run"} <= described
        assert set().union(*(problem.keys() for problem in report["problems"])) <= described


def keys(data: object) -> set[str]:
    if isinstance(data, dict):
        return set(data).union(*(keys(value) for value in data.values()))
    if isinstance(data, list):
        return set().union(*(keys(value) for value in data)) if data else set()
    return set()


def test_what_is_listed_at_the_top_is_all_there_is(archive: Path) -> None:
    tree = PAGE.split("```")[1]
    assert {path.name for path in archive.iterdir()} <= set(re.findall(r"[.\w]+", tree))


def test_the_name_of_a_file_can_be_worked_out_from_the_page(archive: Path) -> None:
    line = (
        (archive / "ocfl/beijing/v1/content/metadata/ledger/inbox.jsonl").read_text("utf-8").splitlines()[0]
    )
    record = json.loads(line)
    (file,) = record["files"]
    parts = [record["type"], record["material"]["id"], file["role"], file["sha256"]]
    digest = hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
    assert f"-{digest[:12]}." in file["path"]
