"""Files handed over by a person, as a source."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from archiver import staging
from archiver.added import NAME, AddedFiles, Given, guess_kind
from archiver.config import SourceSpec
from archiver.contracts import Context, Options, Scope, ScopeEntry
from archiver.errors import GoneError, InvalidError
from archiver.ledger import State
from archiver.model import Kind, Material
from archiver.report import Report
from archiver.run import Run
from line_kit import A, Item, World, check_counts
from media_samples import login_page, pdf


def source(*given: Given, folder: Path | None = None) -> AddedFiles:
    progress = staging.report_progress
    context = Context(NAME, folder or Path(), http=None, progress=progress)  # type: ignore[arg-type]  # no network
    return AddedFiles(context, given)


def listed(made: AddedFiles) -> list[Any]:
    return list(made.discover(Scope(()), ""))


def write(folder: Path, name: str = "chef.pdf", data: bytes = b"") -> Path:
    path = folder / name
    path.write_bytes(data or pdf([name]))
    return path


def add(world: World, path: Path, *, talk: str = "", kind: Kind = Kind.SLIDES, title: str = "") -> Report:
    """Do what `archive add` does."""
    made = source(Given(path, A, kind, talk, title), folder=world.folder)
    spec = SourceSpec(NAME, NAME, Options(), (ScopeEntry(A, Options()),))
    run = Run(world.config, world.registry(), sources=[spec], given={NAME: made})
    report = run.execute()
    check_counts(run, report)
    return report


def test_a_file_is_listed_by_its_digest(tmp_path: Path) -> None:
    path = write(tmp_path)
    material, checkpoint = listed(source(Given(path, A, Kind.SLIDES, "chef", "")))
    assert material.id == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (material.title, material.event, material.talk, material.size) == (
        "chef",
        "a",
        "chef",
        path.stat().st_size,
    )
    assert not checkpoint.complete


def test_the_same_bytes_twice_are_one(tmp_path: Path) -> None:
    one, two = write(tmp_path), write(tmp_path, "copy.pdf", pdf(["chef.pdf"]))
    assert one.read_bytes() == two.read_bytes()
    assert len(listed(source(*(Given(path, A, Kind.SLIDES, "", "") for path in (one, one, two))))) == 2


def test_a_file_that_changes_under_our_hands_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    made = source(Given(path, A, Kind.SLIDES, "", ""))
    material = listed(made)[0]
    path.write_bytes(pdf(["something else"]))
    with pytest.raises(InvalidError, match="changed while"):
        list(made.fetch(material, tmp_path))


def test_what_was_not_given_is_gone(tmp_path: Path) -> None:
    with pytest.raises(GoneError, match="by hand"):
        list(source().fetch(Material("0", Kind.SLIDES), tmp_path))


def test_copying_tells_its_progress(tmp_path: Path) -> None:
    path = write(tmp_path, "film.mp4", bytes(3 << 20))
    made = source(Given(path, A, Kind.VIDEO, "", ""))
    (tmp_path / "into").mkdir()
    heard: list[int] = []
    with staging.desk(lambda done, total: heard.append(done)):
        list(made.fetch(listed(made)[0], tmp_path / "into"))
    assert sum(heard) == 3 << 20
    assert len(heard) > 1


def test_a_file_is_added_once_and_a_second_time_changes_what_was_said(tmp_path: Path) -> None:
    world, path = World(tmp_path), write(tmp_path)
    assert add(world, path, talk="chef").total("new") == 1
    again = add(world, path)
    assert (again.total("same"), again.exit_code()) == (1, 0)
    key = ("a", NAME, hashlib.sha256(path.read_bytes()).hexdigest())
    assert world.records()[key].match.talk == "chef"
    add(world, path, talk="swift")
    assert world.records()[key].match.talk == "swift"
    add(world, path, title="Cookbooks", kind=Kind.REPORT)
    record = world.records()[key]
    assert (record.material.title, record.material.kind, record.match.talk) == (
        "Cookbooks",
        Kind.REPORT,
        "swift",
    )
    assert (record.earlier, len(record.files)) == ((), 1)


def test_a_file_that_is_rejected_leaves_nothing_behind(tmp_path: Path) -> None:
    world = World(tmp_path)
    report = add(world, write(tmp_path, "chef.pdf", login_page()))
    assert report.exit_code() == 1
    assert world.records() == {}
    assert add(world, write(tmp_path, "good.pdf")).exit_code() == 0


def test_adding_leaves_the_other_sources_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.up.put(*(Item(name) for name in "xyz"), Item("w", fails=InvalidError("half")))
    world.up.cursor = "c1"
    world.run()
    report = add(world, write(tmp_path))
    assert report.exit_code() == 0
    assert report.sources["src"].cursor == "c1"
    assert world.record("x").state is State.STORED
    world.run()
    assert {record.state for key, record in world.records().items() if key[1] == NAME} == {State.STORED}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("deck.PDF", Kind.SLIDES), ("deck.pptx", Kind.SLIDES), ("deck.key", Kind.SLIDES),
        ("IMG_1.JPG", Kind.PHOTO), ("a.heic", Kind.PHOTO), ("talk.mp4", Kind.VIDEO),
        ("talk.mp3", Kind.VIDEO), ("report.html", Kind.REPORT), ("notes.docx", Kind.REPORT),
        ("page.wacz", Kind.REPORT), ("data.csv", Kind.OTHER), ("noending", Kind.OTHER),
    ],
)  # fmt: skip
def test_guessing_the_kind(name: str, kind: Kind) -> None:
    assert guess_kind(Path(name)) is kind
