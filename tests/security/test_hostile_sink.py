"""An archive that somebody else has written in: everything read from a sink is a stranger's."""

from __future__ import annotations

import http.client
import json
import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from archiver import catalog, derive, ocfl
from archiver.archive import Head
from archiver.catalog import serving
from archiver.contracts import Context
from archiver.errors import ArchiverError, DamageError
from archiver.inventory import Inventory
from archiver.journal import unfinished
from archiver.ledger import State, dump, load
from archiver.ocfl_object import blob
from archiver.pages.serving import Server
from archiver.pages.writing import STATE, Writer
from archiver.report import revisions, source_reports
from archiver_plugins.disk import DiskOptions, DiskSink
from line_kit import Item, World
from site_kit import Rich, built, html, tour

SHA = "0" * 64
RECORD = {
    "source": "s", "type": "t", "state": "stored",
    "material": {"id": "1", "kind": "slides", "title": "A"},
    "files": [{"path": "slides/a.pdf", "size": 1, "sha256": SHA}],
}  # fmt: skip
DEEP = "[" * 100_000 + "]" * 100_000
OUTSIDE = [
    "../a", "/etc/passwd", "a/../../b", "C:/x", "a\\..\\b", "a//b", "./a", "a/.", "a\x00b", "a\nb", "\ud800",
    "",
]  # fmt: skip


def sink(folder: Path) -> DiskSink:
    context = Context("local", folder, http=None)  # type: ignore[arg-type]  # a disk needs none
    return DiskSink(DiskOptions(path=Path("archive")), context)


def line(**changes: object) -> bytes:
    return json.dumps({**RECORD, **changes}).encode()


HOSTILE_LINES = {
    "not a number": line(match={"score": float("nan")}),
    "without end": line(match={"score": float("inf")}),
    "minus": line(match={"score": -1}),
    "a yes for a number": line(match={"score": True}),
    "a size that is none": line(files=[{**RECORD["files"][0], "size": -1}]),  # type: ignore[index]
    "a size with a point": line(files=[{**RECORD["files"][0], "size": 1.5}]),  # type: ignore[index]
    "deep": DEEP.encode(),
    "deep in a field": b'{"source": ' + DEEP.encode() + b"}",
    "a huge number": line(files=[]).replace(b'"1"', b"9" * 100_000),
    "a list for a text": line(source=["s"]),
    "an object for a list": line(files={"path": "a"}),
    "an unknown state": line(state="own"),
    "no object": b"[]",
    "nothing of it": b"null",
    "half a character": b'{"source": "\xff"}',
}


@pytest.mark.parametrize("what", HOSTILE_LINES)
def test_a_hostile_ledger_line_is_damage(what: str) -> None:
    with pytest.raises(DamageError, match="line 1"):
        list(load(HOSTILE_LINES[what], "ledger"))


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_of_a_ledger_an_inventory_or_a_journal_leads_out(path: str, tmp_path: Path) -> None:
    file = {**RECORD["files"][0], "path": path}  # type: ignore[index]
    with pytest.raises(DamageError):
        list(load(line(files=[file]), "ledger"))
    inventory = {
        "id": "x", "type": "https://ocfl.io/1.1/spec/#inventory", "digestAlgorithm": "sha256", "head": "v1",
        "manifest": {SHA: [f"v1/content/{path}"]},
        "versions": {"v1": {"created": "2012-01-01T00:00:00Z", "state": {SHA: [path]}}},
    }  # fmt: skip
    with pytest.raises(DamageError):
        Inventory.parse(json.dumps(inventory).encode(), "inventory")
    entry = {**RECORD, "event": "a", "content": "ocfl/a/v1/content/", "files": [file]}
    away = {**entry, "files": RECORD["files"], "content": f"{path or '..'}/"}
    made = sink(tmp_path)
    for number, each in enumerate((entry, away)):
        made.replace(f"journal/r{number}/1.jsonl", blob(json.dumps(each).encode()))
    assert list(unfinished(made, ())) == []
    if path and "\x00" not in path and path != "\ud800" and path.startswith(("..", "/", "a/..")):
        with pytest.raises(ArchiverError):
            made.create(path, blob(b"x"))
        with pytest.raises(ArchiverError):
            made.open(path)


def test_a_hostile_run_report_gives_nothing() -> None:
    values: tuple[object, ...] = (None, 1, [], "x", {"src": None}, {"src": []}, {1: {}})
    for value in values:
        assert source_reports({"sources": value}) == {}
    odd = {"listed": True, "baseline": -1, "cursor": 7, "scopes": [1], "at": {}, "new": 1.5}
    (found,) = source_reports({"sources": {"src": odd}}).values()
    assert (found.listed, found.baseline, found.cursor, found.scopes, found.at, found.new) == (
        0, 0, "", {}, "", 0,
    )  # fmt: skip
    assert revisions({"revisions": {"a": 1, "b": "x"}}) == {"b": "x"}


def test_a_second_name_of_a_file_outside_is_never_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    made = sink(tmp_path)
    made.replace("site/index.html", blob(b"page"))
    place = tmp_path / "archive/site/index.html"
    place.unlink()
    os.link(outside, place)
    made.replace("site/index.html", blob(b"page again"))
    place.unlink()
    os.link(outside, place)
    with pytest.raises(ArchiverError):
        made.create("site/index.html", blob(b"other"))
    assert outside.read_text() == "mine"


def test_nothing_is_written_or_read_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("mine")
    made = sink(tmp_path)
    made.create("ocfl/a/x", blob(b"x"))
    (tmp_path / "archive/site").symlink_to(outside)
    (tmp_path / "archive/ocfl/a/y").symlink_to(outside / "secret")
    for path in ("site/secret", "site/new", "ocfl/a/y"):
        for act in (made.open, made.stat, lambda path: made.create(path, blob(b"x"))):
            with pytest.raises(ArchiverError):
                act(path)
        if path.startswith("site/"):  # a swap takes the place of a link itself: that is what it is for
            with pytest.raises(ArchiverError):
                made.replace(path, blob(b"x"))
    assert {stat.path for stat in made.list("")} == {"ocfl/a/x"}
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"secret": "mine"}


# The catalog


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("catalog"))
    made.up.put(Item("deck", title="Deploy OpenStack"))
    made.run()
    return made


def tampered(world: World, into: Path, *statements: str) -> Path:
    path = into / "catalog.sqlite"
    path.write_bytes((world.folder / "local" / serving.CATALOG).read_bytes())
    with closing(sqlite3.connect(path)) as db:
        db.executescript(";".join(statements))
        db.commit()
    return path


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'schema', i FROM n"
TAMPERED = {
    "a view for a table": ("DROP TABLE meta", f"CREATE VIEW meta AS {ENDLESS}"),
    "a trigger": ("CREATE TRIGGER t AFTER INSERT ON meta BEGIN SELECT 1; END",),
    "a computed column": ("ALTER TABLE material ADD COLUMN x TEXT AS (hex(zeroblob(100000000)))",),
    "one table more": ("CREATE TABLE more (x)",),
    "one view more": (f"CREATE VIEW search_view AS {ENDLESS}",),
    "a missing table": ("DROP TABLE talk",),
    "a title that is bytes": ("UPDATE material SET title = x'1b5b'",),
    "a path that is bytes": ("UPDATE material SET path = x'00ff'",),
    "a text without end": ("UPDATE body SET text = zeroblob(80000000)",
                           "INSERT OR IGNORE INTO body SELECT id, zeroblob(80000000) FROM material"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_catalog_is_damage(world: World, tmp_path: Path, what: str) -> None:
    path = tampered(world, tmp_path, *TAMPERED[what])
    with pytest.raises(DamageError, match="delete it"):
        catalog.search(path, "openstack")


def test_a_catalog_of_ours_is_read(world: World, tmp_path: Path) -> None:
    path = tampered(world, tmp_path, "SELECT 1")
    assert [hit.title for hit in catalog.search(path, "openstack")] == ["Deploy OpenStack"]
    assert catalog.is_current(path, world.head().digests)


def test_a_catalog_that_keeps_busy_is_given_up(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tampered(world, tmp_path, "SELECT 1")
    monkeypatch.setattr(catalog, "MAX_SECONDS", -1.0)
    monkeypatch.setattr(catalog, "_STEPS", 1)
    with pytest.raises(DamageError):
        catalog.search(path, "openstack")
    assert not catalog.is_current(path, {})


def test_a_text_without_end_is_not_taken_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    head = world.head()
    (file,) = world.record("deck").files
    head.sink.replace(derive.path(file.sha256), blob(b"x" * 1000))
    assert serving.texts_of(head)(file.sha256) == "x" * 1000
    monkeypatch.setattr(serving, "_TEXT_BYTES", 999)
    assert serving.texts_of(head)(file.sha256) is None


# Serving


def get(server: Server, path: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    with closing(connection):
        connection.request("GET", quote(path))
        return connection.getresponse().status


def test_nothing_made_of_what_was_taken_down_is_served(tmp_path: Path) -> None:
    things = [
        Rich("gone", (html("secret words"),), event="beijing", title="gone"),
        Rich("kept", (html("open words"),), event="beijing", title="kept"),
    ]
    world = tour(tmp_path, things=things)
    built(world)
    head: Head = world.head()
    for name in ("gone", "kept"):
        (file,) = head.records["beijing", "src", name].files
        head.sink.replace(derive.path(file.sha256), blob(b"words"))
    gone, kept = (head.records["beijing", "src", name] for name in ("gone", "kept"))
    head.records[gone.key] = gone.moved(State.TAKEN_DOWN, "2026-01-01T00:00:00Z", "run")
    head.records["beijing", "src", "twin"] = replace(
        kept, material=replace(kept.material, id="twin"), state=State.TAKEN_DOWN
    )
    with Server(head) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert get(server, "/" + derive.path(gone.files[0].sha256)) == 404
            assert get(server, "/" + derive.path(kept.files[0].sha256)) == 200
            assert get(server, "/" + head.object("beijing").locate(gone.files[0].path)) == 404
        finally:
            server.stop()
            thread.join()


# Pages


@pytest.mark.parametrize(
    "url", ["javascript:window.pwned=1//", "data:text/html,x", "https://x/\x1b", 7, None]
)
def test_an_address_that_a_sink_remembers_is_one_of_the_web(tmp_path: Path, url: object) -> None:
    made = sink(tmp_path)
    made.replace(STATE, blob(json.dumps({"pages": {}, "url": url}).encode()))
    assert Writer.open(made, "").url == ""
    made.replace(STATE, blob(json.dumps({"pages": {}, "url": "https://tour.example"}).encode()))
    assert Writer.open(made, "").url == "https://tour.example"


@pytest.mark.parametrize(
    "path", ["../../evil.html", "/etc/evil.html", "site/../../evil.html", "site/a\\b.html", "ocfl/x"]
)
def test_a_page_that_a_sink_remembers_lies_where_pages_lie(tmp_path: Path, path: str) -> None:
    made = sink(tmp_path)
    made.replace(
        STATE, blob(json.dumps({"pages": {path: "0"}, "url": "", "made_of": {path: ["k", 1]}}).encode())
    )
    writer = Writer.open(made, "")
    assert (writer.known, writer.origins) == ({}, {})
    writer.close(lambda _: b"a stub")
    assert writer.stubs == 0


@pytest.mark.parametrize("event", ["../../outside", "/etc", "b", "x\ny"])
def test_a_ledger_tells_of_its_own_event_alone(tmp_path: Path, event: str) -> None:
    """A record is put into the object of `a` that claims to be of somewhere else."""
    world = World(tmp_path)
    world.up.put(Item("deck"))
    world.run()
    head = world.head()
    record = head.records["a", "src", "deck"]
    moved = replace(record, material=replace(record.material, event=event))
    ledger = {"metadata/ledger/src.jsonl": dump([moved])}
    ocfl.commit(head.object("a"), (), ledger, created="2026-01-01T00:00:00Z", message="hostile")
    assert world.head().records == {}
