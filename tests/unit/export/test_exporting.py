"""An event out of the archive: whole and proven, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import bagit
import pytest

from archiver.archive import Archive, Head
from archiver.config import ArchiveSettings
from archiver.errors import ConfigError, DamageError
from archiver.export import Exported, ExportError, Order, export
from archiver.export.choosing import chosen
from archiver.ledger import Record, State, StoredFile
from archiver.model import Kind, Material
from line_kit import Item, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, settings=ArchiveSettings("A tour", "COSUG"))
    made.up.put(
        Item("x", title="Deploy OpenStack with Chef"),
        Item("y", (b"page one", b"page two"), title="云计算: why?"),
        Item("z", (b"third",), title="deploy openstack WITH chef"),
    )
    made.run()
    return made


def archive(world: World) -> Archive:
    return Archive({name: world.head(name) for name in world.sinks}, {})


def exported(world: World, **wanted: Any) -> Exported:
    return export(archive(world), "a", Order(world.folder / "out", **wanted))


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


NAMES = {
    "other/deploy openstack WITH chef (2).bin",
    "other/Deploy OpenStack with Chef.bin",
    "other/云计算 - why/p1.bin",
    "other/云计算 - why/云计算 - why.bin",
}


def plain(names: Any) -> set[str]:
    """Leave the ending out, which depends on what the bytes look like."""
    return {name.rpartition(".")[0] if "." in name.rpartition("/")[2] else name for name in names}


def test_files_have_readable_names_in_a_folder_per_kind(world: World) -> None:
    done = exported(world)
    files = tree(done.path)
    described = files.pop("ro-crate-metadata.json")
    assert done.path == world.folder / "out" / "a"
    assert plain(files) == plain(NAMES)
    assert (done.files, done.bytes) == (4, len(b"some bytespage onepage twothird"))
    assert sorted(files.values()) == sorted([b"some bytes", b"page one", b"page two", b"third"])
    entities = {each["@id"]: each for each in json.loads(described)["@graph"]}
    sums = {entities[part["@id"]]["sha256"] for part in entities["./"]["hasPart"]}
    assert sums == {hashlib.sha256(data).hexdigest() for data in files.values()}
    assert entities["#organizer"]["name"] == "COSUG"
    assert entities["#event"]["name"] == "Stop A"
    assert os.listdir(world.folder / "out") == ["a"]  # noqa: PTH208  # hidden ones too


def test_a_bag_is_valid_for_another_program(world: World) -> None:
    done = exported(world, bagit=True)
    bag = bagit.Bag(str(done.path))
    assert bag.validate()
    assert bag.version_info == (1, 0)
    assert bag.info["Source-Organization"] == "COSUG"
    files = tree(done.path)
    payload = {name: data for name, data in files.items() if name.startswith("data/")}
    assert bag.info["Payload-Oxum"] == f"{sum(map(len, payload.values()))}.{len(payload)}"
    assert "data/ro-crate-metadata.json" in payload
    assert set(bag.payload_entries()) == payload.keys()
    command = "sha256sum --strict --check --quiet manifest-sha256.txt tagmanifest-sha256.txt"  # docs/how-to
    subprocess.run(command.split(), cwd=done.path, check=True, capture_output=True, timeout=30)


@pytest.mark.parametrize("bagged", [False, True])
def test_a_zip_file_has_the_same_content_and_always_the_same_bytes(world: World, *, bagged: bool) -> None:
    folder = exported(world, bagit=bagged)
    first = exported(world, bagit=bagged, zipped=True)
    assert first.path.name == "a.zip"
    with zipfile.ZipFile(first.path) as archive:
        assert archive.testzip() is None
        held = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert held == {f"a/{name}": data for name, data in tree(folder.path).items()}
    again = export(archive_of(world), "a", Order(world.folder / "again", bagit=bagged, zipped=True))
    assert again.path.read_bytes() == first.path.read_bytes()


archive_of = archive


def test_a_zip_file_takes_more_than_four_gigabytes(tmp_path: Path) -> None:
    from archiver.export.targets import zip_file

    with zip_file(tmp_path / "x.zip", "x") as target, target.file("big.mp4", 5 << 30) as stream:
        stream.write(b"only the header is of interest")
    with (tmp_path / "x.zip").open("rb") as made:
        header = made.read(64)
    assert header[4] == 45  # PKWARE APPNOTE 4.4.3.2: version 4.5 is needed, for ZIP64


def test_earlier_editions_come_on_request(world: World) -> None:
    world.up.change("x", data=(b"second edition",), revision="2")
    world.run()
    assert b"some bytes" not in tree(exported(world).path).values()
    everything = export(archive(world), "a", Order(world.folder / "all", all_editions=True))
    files = tree(everything.path)
    (old,) = [name for name, data in files.items() if data == b"some bytes"]
    assert "(other edition)" in old
    assert b"second edition" in files.values()
    assert b"not current" in files["ro-crate-metadata.json"]


def test_what_was_taken_down_stays_here(world: World) -> None:
    heads = archive(world)
    records = heads.heads["local"].records
    key = next(key for key in records if key[2] == "x")
    records[key] = replace(records[key], state=State.TAKEN_DOWN)
    done = export(heads, "a", Order(world.folder / "out", all_editions=True))
    assert b"some bytes" not in tree(done.path).values()


def damage(world: World, data: bytes, into: bytes | None, sink: str = "local") -> Path:
    (file,) = [
        path for path in (world.folder / sink / "ocfl").rglob("content/other/*") if path.read_bytes() == data
    ]
    file.unlink()
    if into is not None:
        file.write_bytes(into)
    return file


@pytest.mark.parametrize("into", [b"page 0ne", b"page one and more", b"page", b"", None])
@pytest.mark.parametrize("zipped", [False, True])
def test_damage_is_named_and_nothing_is_left(world: World, into: bytes | None, *, zipped: bool) -> None:
    file = damage(world, b"page one", into)
    with pytest.raises(DamageError) as caught:
        exported(world, zipped=zipped)
    assert caught.value.exit_code == 4
    assert file.relative_to(world.folder / "local").as_posix() in caught.value.message
    assert os.listdir(world.folder / "out") == []  # noqa: PTH208  # hidden ones too


@pytest.mark.parametrize("form", [{}, {"zipped": True}, {"bagit": True}])
def test_another_sink_helps_where_one_is_damaged(tmp_path: Path, form: dict[str, Any]) -> None:
    world = World(tmp_path, sinks=("one", "two"))
    world.up.put(*(Item(name, (name.encode(),)) for name in ("first", "second", "third")))
    world.run()
    whole = exported(world, **form)
    before = whole.path.read_bytes() if whole.path.is_file() else tree(whole.path)
    damage(world, b"first", b"First", "one")
    damage(world, b"second", None, "two")
    damage(world, b"third", b"", "one")
    done = export(archive(world), "a", Order(tmp_path / "again", **form))
    assert (done.path.read_bytes() if done.path.is_file() else tree(done.path)) == before
    assert 1 <= len(done.damaged) <= 3
    damage(world, b"first", b"First", "two")
    with pytest.raises(DamageError):
        export(archive(world), "a", Order(tmp_path / "third", **form))


@pytest.mark.parametrize("zipped", [False, True])
def test_nothing_is_written_over(world: World, *, zipped: bool) -> None:
    done = exported(world, zipped=zipped)
    with pytest.raises(ConfigError, match="is there already"):
        exported(world, zipped=zipped)
    assert done.path.exists()
    dangling = Order(world.folder / "links", zipped=zipped).target("a")
    dangling.parent.mkdir()
    dangling.symlink_to(world.folder / "nowhere")
    with pytest.raises(ConfigError, match="is there already"):
        export(archive(world), "a", Order(dangling.parent, zipped=zipped))
    assert not (world.folder / "nowhere").exists()


def test_the_archive_itself_is_never_written_into(world: World) -> None:
    before = tree(world.folder / "local")
    (world.folder / "link").symlink_to(world.folder / "local" / "ocfl")
    for folder in ("local", "local/ocfl/new", "link", "out/../local"):
        with pytest.raises(ConfigError, match="inside sink local"):
            export(archive(world), "a", Order(world.folder / folder, zipped=True))
    assert tree(world.folder / "local") == before


def test_damaged_metadata_is_read_from_another_sink_or_named(tmp_path: Path) -> None:
    world = World(tmp_path, sinks=("one", "two"))
    world.up.put(Item("x"))
    world.run()
    heads = archive(world)
    (tmp_path / "one/ocfl/a/v1/content/metadata/event.json").write_bytes(b"{}")
    assert export(heads, "a", Order(tmp_path / "out")).title == "Stop A"
    (tmp_path / "two/ocfl/a/v1/content/metadata/event.json").unlink()
    with pytest.raises(DamageError, match=r"metadata/event\.json"):
        export(heads, "a", Order(tmp_path / "again"))


def test_an_event_without_files_says_what_to_do(world: World) -> None:
    with pytest.raises(ExportError) as caught:
        export(archive(world), "b", Order(world.folder / "out"))
    assert caught.value.hint == "collect them with: archive run b"
    assert not (world.folder / "out").exists()


def test_a_sink_with_much_damage_is_left_after_the_first(tmp_path: Path) -> None:
    world = World(tmp_path, sinks=("one", "two"))
    world.up.put(*(Item(f"x{number}", (b"%d" % number,)) for number in range(120)))
    world.run()
    for file in (tmp_path / "one" / "ocfl").rglob("content/other/*"):
        file.write_bytes(b"?")
    for file in (tmp_path / "two" / "runs").iterdir():
        file.unlink()  # so that the damaged one is asked first
    done = exported(world, zipped=True)
    assert done.files == 120
    assert len(done.damaged) == 1


def test_a_target_that_cannot_be_written_is_told(world: World) -> None:
    (world.folder / "file").write_text("x")
    with pytest.raises(ConfigError, match="is not a directory"):
        export(archive(world), "a", Order(world.folder / "file"))
    with pytest.raises(ExportError, match="could not be written: Not a directory"):
        export(archive(world), "a", Order(world.folder / "file" / "below"))


def test_a_disk_that_is_too_small_is_seen_before_anything_is_copied(world: World) -> None:
    heads = archive(world)
    head = heads.heads["local"]
    for key, record in head.records.items():
        files = tuple(replace(file, size=1 << 60) for file in record.files)
        head.records[key] = replace(record, files=files)
    with pytest.raises(ExportError, match="bytes are needed") as caught:
        export(heads, "a", Order(world.folder / "out"))
    assert "make room" in caught.value.hint
    assert os.listdir(world.folder / "out") == []  # noqa: PTH208  # hidden ones too


SCRIPT = """
import os, resource, signal, sys
from pathlib import Path
from archiver.archive import Archive, look
from archiver.contracts import Context
from archiver.errors import ArchiverError
from archiver.export import Order, export
from archiver_plugins.disk import DiskOptions, DiskSink

folder, how, number, *forms = sys.argv[1:]
sink = DiskSink(DiskOptions(path=Path("local")), Context("local", Path(folder), http=None))
seen = []

def moved(size):
    seen.append(size)
    if how == "kill" and len(seen) == int(number):
        os.kill(os.getpid(), signal.SIGKILL)

if how == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(number), int(number)))
order = Order(Path(folder) / "out", bagit="bagit" in forms, zipped="zip" in forms)
try:
    export(Archive({"local": look("local", sink)}, {}), "a", order, moved=moved)
except ArchiverError as error:
    print(type(error).__name__, error)
"""


def apart(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(world.folder), *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("forms", [[], ["bagit", "zip"]])
@pytest.mark.parametrize("number", ["1", "4"])
def test_a_killed_export_leaves_nothing_that_looks_whole(world: World, number: str, forms: list[str]) -> None:
    assert apart(world, "kill", number, *forms).returncode == -signal.SIGKILL
    (left,) = os.listdir(world.folder / "out")  # noqa: PTH208  # hidden ones too
    assert left.startswith(".a")
    assert ".unfinished-" in left
    assert apart(world, "finish", "0", *forms).stdout == ""
    assert Order(world.folder / "out", zipped="zip" in forms).target("a").exists()


@pytest.mark.parametrize("forms", [[], ["zip"], ["bagit"]])
def test_a_full_disk_is_told_and_nothing_is_left(world: World, forms: list[str]) -> None:
    told = apart(world, "full", "600", *forms).stdout
    assert told.startswith("ExportError")
    assert "make room there" in told
    assert os.listdir(world.folder / "out") == []  # noqa: PTH208  # hidden ones too


def record(name: str, title: str, path: str, source: str = "src") -> Record:
    file = StoredFile(path, 1, f"{1:064x}")
    return Record(source, "memory", Material(name, Kind.PHOTO, title, event="a"), State.STORED, files=(file,))


def test_one_file_of_two_sources_comes_once_and_order_does_not_matter() -> None:
    records = [
        record("1", "IMG", "photo/img-1.jpg"),
        record("1", "IMG", "photo/img-1.jpg", "mirror"),
        record("2", "img", "photo/img-2.jpg"),
        record("3", "", "photo/a1b2c3.jpg"),
        record("4", "../..", "photo/d4.jpg"),
    ]
    names = [placed.path for each in chosen(records, all_editions=False) for placed in each.files]
    assert names == ["photo/a1b2c3.jpg", "photo/d4.jpg", "photo/IMG.jpg", "photo/img (2).jpg"]
    assert [p.path for e in chosen(records[::-1], all_editions=True) for p in e.files] == names


def test_a_file_that_no_sink_names_is_damage(world: World) -> None:
    heads: dict[str, Head] = archive(world).heads
    for key, known in heads["local"].records.items():
        files = tuple(replace(file, sha256="0" * 64) for file in known.files)
        heads["local"].records[key] = replace(known, files=files)
    with pytest.raises(DamageError, match="no sink has it as it was stored"):
        export(Archive(heads, {}), "a", Order(world.folder / "out"))
