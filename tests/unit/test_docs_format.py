"""docs/format.md is true: this builds the archive that it shows, compares its samples, runs its commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import media_samples
from archiver import archive, crate, derive, journal, lease, ledger, naming, ocfl
from archiver.catalog.serving import CATALOG
from archiver.cli import execute
from archiver.model import Grade, Kind, Role

PAGE = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")
CONFIG = """
archive: {title: 2012 OpenStack China Tour, organizer: COSUG, language: zh}
sinks: {local: {type: disk, path: ./archive}}
sources: {incoming: {type: folder, path: ./incoming}}
events:
  - id: beijing
    title: Beijing Stop
    date: 2012-09-16
    city: Beijing
    attended: 150
    talks:
      - {title: Deploy OpenStack with Chef, speaker: Junqiang Chen, email: jq@example.org}
    sources:
      - {use: incoming, path: beijing}
"""
FILES = {
    "slides/Deploy OpenStack with Chef.pdf": media_samples.pdf(
        ["Deploy OpenStack with Chef\n云计算", "Recipes and roles"]
    ),
    "report/北京站活动报道.html": media_samples.html("<p>150 people came.</p>", "北京站活动报道"),
}
WRITTEN = 1347780600  # 2012-09-16T07:30:00Z, in seconds
DECK = "ocfl/beijing/v1/content/slides/deploy-openstack-with-chef-45322bc6b00e.pdf"


def build(folder: Path) -> Path:
    """Make the archive that the page shows, and give its directory."""
    for name, data in FILES.items():
        put(folder, name, data)
    (folder / "archive.yaml").write_text(CONFIG, encoding="utf-8")
    assert execute(["run", "-c", str(folder / "archive.yaml")]) == 0
    return folder / "archive"


def put(folder: Path, name: str, data: bytes) -> None:
    file = folder / "incoming" / "beijing" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    os.utime(file, (WRITTEN, WRITTEN))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("format"))


def blocks(word: str) -> list[tuple[str, str]]:
    """Give the fenced blocks that begin with a word, each with its title."""
    found = re.finditer(rf'^```{word}(?: title="([^\n"]*)")?\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
    return [(block[1] or "", block[2]) for block in found]


RUN = re.compile(r"\d{8}T\d{6}(\.\d{3})?Z-[0-9a-f]{6}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
#: Values that differ from machine to machine: only their types are compared.
DIFFERING = {"at", "datePublished", "host", "pages", "pid", "process", "rules", "written"}


def same_each_time(value: Any, key: str = "") -> Any:
    """Replace what differs from run to run."""
    if isinstance(value, dict):
        return {name: same_each_time(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [same_each_time(item) for item in value]
    if key in DIFFERING and not TIME.fullmatch(str(value)):
        return type(value).__name__
    return TIME.sub("TIME", RUN.sub("RUN", value)) if isinstance(value, str) else value


def sample(root: Path, name: str) -> Any:
    """Read what the block of that name shows: a file, or the one line of it that holds some words."""
    pattern, _, words = name.partition(" ")
    (file,) = root.glob(pattern)
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".jsonl":
        (text,) = [line for line in text.splitlines() if words in line]
    if file.name == "inventory.json":
        for word, path in (("LEDGER", "ledger/"), ("CRATE", "ro-crate")):
            digest = re.findall(rf'"([0-9a-f]{{64}})": \[\s+"v1/content/metadata/{path}', text)
            text = text.replace(digest[0], word)
        return json.loads(text)
    if file.name == "heads.json":
        for sidecar in root.glob("ocfl/*/inventory.json.sha256"):
            text = text.replace(sidecar.read_text(encoding="utf-8").split()[0], "INVENTORY")
    data = json.loads(text)
    for source in data.get("sources", {}).values():
        source["scopes"] = source["settled"] = dict.fromkeys(source["scopes"], "ENTRIES")
    return data


SAMPLES = blocks("json")


@pytest.mark.parametrize(("name", "shown"), SAMPLES, ids=[name for name, _ in SAMPLES])
def test_every_sample_is_what_the_program_writes(name: str, shown: str, root: Path) -> None:
    expected, actual = same_each_time(json.loads(shown)), same_each_time(sample(root, name))
    assert actual == expected
    # In the file as well as on the page; an inventory's digests are sorted, wherever LEDGER falls.
    if not name.endswith("inventory.json"):
        assert json.dumps(actual) == json.dumps(expected)


def test_the_tree_is_complete(root: Path) -> None:
    ((_, shown),) = blocks("tree")
    listed = {RUN.sub("RUN", line.split(" ")[0]) for line in shown.splitlines()}
    files = [file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()]
    # The site is described as one: its files are many, and no part of the format.
    there = {"site/" if path.startswith("site/") else RUN.sub("RUN", path) for path in files}
    assert listed == there
    outline = PAGE.split("```")[1]
    assert {path.name for path in root.iterdir()} <= set(re.findall(r"[.\w]+", outline))


COMMANDS = [script for _, script in blocks("sh")]


def shell(script: str, folder: Path) -> str:
    done = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout + (done.stderr if done.returncode else "")


def answers(script: str) -> list[str]:
    return [line.removeprefix("# →").strip() for line in script.splitlines() if line.startswith("# →")]


@pytest.mark.parametrize("script", COMMANDS)
def test_every_command_prints_what_stands_below_it(script: str, root: Path) -> None:
    assert [line.strip() for line in shell(script, root).splitlines()] == answers(script)


CHECK_ALL = next(script for script in COMMANDS if "--check --quiet" in script)


def test_damage_is_found_by_hand(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "archive"
    shutil.copytree(root, copy)
    deck = copy / DECK
    deck.write_bytes(deck.read_bytes()[:-1] + b"X")
    assert f"{DECK.removeprefix('ocfl/beijing/')}: FAILED" in shell(CHECK_ALL, copy)


def test_a_foreign_file_is_found_by_hand(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "archive"
    shutil.copytree(root, copy)
    (copy / DECK).with_name("stranger.pdf").write_bytes(b"%PDF-")
    assert "not listed: v1/content/slides/stranger.pdf" in shell(CHECK_ALL, copy)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with a second version: another deck under the same name, and a broken one."""
    folder = tmp_path_factory.mktemp("changed")
    made = build(folder)
    put(folder, "slides/Deploy OpenStack with Chef.pdf", media_samples.pdf(["Chef, again"]))
    put(folder, "slides/Nothing.pdf", b"")
    assert execute(["run", "-c", str(folder / "archive.yaml")]) == 1
    return made


def test_a_second_version_is_proven_and_read_by_hand(changed: Path) -> None:
    assert shell(CHECK_ALL, changed) == "inventory.json: OK\n"
    newest = next(script for script in COMMANDS if 'echo "$file"' in script)
    assert shell(newest, changed).startswith("v2/content/metadata/ledger/incoming.jsonl\n")


def keys(data: object) -> Iterator[str]:
    if isinstance(data, dict):
        yield from data
        for value in data.values():
            yield from keys(value)
    for item in data if isinstance(data, list) else ():
        yield from keys(item)


def test_every_key_of_every_record_is_described(changed: Path) -> None:
    described = set(re.findall(r"`(@?\w+)`", PAGE)) | {"attended"}  # a fact that the user named
    for file in changed.glob("ocfl/*/v*/content/metadata/**/*.json*"):
        lines = file.read_text("utf-8").splitlines() if file.suffix == ".jsonl" else [file.read_text("utf-8")]
        samples = {word for name, shown in SAMPLES if file.name in name for word in keys(json.loads(shown))}
        for line in lines:
            assert set(keys(json.loads(line))) <= described | samples, file
    for file in changed.glob("runs/*.json"):
        assert set(json.loads(file.read_text("utf-8"))) <= described


@pytest.mark.parametrize(
    "word",
    [
        *ledger.State, *Role, *Grade, *Kind, archive.FORMAT, archive.COMMON, archive.ABOUT, archive.EVENT,
        crate.CRATE,
        f"{archive.LEDGERS}<source>.jsonl", f"{archive.RUNS}<run>.json", f"{journal.PREFIX}<run>/<n>.jsonl",
        journal.SEGMENT, lease.PATH, f"{lease.TTL:.0f}", derive.RECIPE, CATALOG, ocfl.UNCLAIMED, "tmp/",
        naming.TITLE_BYTES, naming.NAME_BYTES,
    ],
)  # fmt: skip
def test_every_word_of_the_format_is_on_the_page(word: object) -> None:
    assert f"`{word}`" in PAGE


def test_no_mail_address_is_stored(root: Path) -> None:
    files = [file for file in root.rglob("*") if file.is_file()]
    assert not [file for file in files if b"jq@example.org" in file.read_bytes()]


def test_names_are_made_as_the_page_says(root: Path) -> None:
    record = sample(root, "ocfl/beijing/v1/content/metadata/ledger/incoming.jsonl report/")
    (file,) = record["files"]
    array = json.dumps(
        [record["type"], record["material"]["id"], file["role"], file["sha256"]], ensure_ascii=False
    )
    script = 'printf %s "$1" | sha256sum | cut -c1-12'
    done = subprocess.run(["sh", "-c", script, "-", array], capture_output=True, text=True, check=True)
    assert file["path"].endswith(f"-{done.stdout.strip()}.html")
