"""What a fetch left in its directory, proven."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archiver import staging
from archiver.contracts import Downloaded, Response
from archiver.errors import FatalError, InvalidError
from archiver.ledger import StoredFile
from archiver.model import Fetched, Grade, Kind, Material, Role
from media_samples import login_page, pdf

DECK = Material("1", Kind.SLIDES, title="Deploy OpenStack with Chef", event="a")
OTHER = Material("1", Kind.OTHER, title="Swift 架构", event="a")


@pytest.fixture
def into(tmp_path: Path) -> Path:
    (tmp_path / "into").mkdir()
    return tmp_path / "into"


def test_a_file_is_named_hashed_and_looked_at(into: Path) -> None:
    data = pdf(["hello"])
    (into / "whatever.bin").write_bytes(data)
    (staged,) = staging.collect(into, [Fetched(Path("whatever.bin"), media_type="image/png")], DECK, "t")
    stored = staged.stored
    assert stored.path.startswith("slides/deploy-openstack-with-chef-")
    assert stored.path.endswith(".pdf")
    assert (stored.sha256, stored.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert stored.media_type == "application/pdf"


def test_known_bytes_keep_the_name_they_have(into: Path) -> None:
    (into / "f").write_bytes(b"text")
    sha256 = hashlib.sha256(b"text").hexdigest()
    held = StoredFile("other/an-older-title.txt", 4, sha256, label="en")
    files = [Fetched(Path("f"), label="en")]
    assert staging.collect(into, files, OTHER, "t", [held])[0].stored.path == held.path
    files = [Fetched(Path("f"), label="zh")]
    assert staging.collect(into, files, OTHER, "t", [held])[0].stored.path != held.path


def test_alike_files_are_one(into: Path) -> None:
    for name in "ab":
        (into / name).write_bytes(b"the same page")
    staged = staging.collect(into, [Fetched(Path(name)) for name in "ab"], OTHER, "t")
    assert len(staged) == 1
    labelled = [Fetched(Path(name), label=name) for name in "ab"]
    assert len(staging.collect(into, labelled, OTHER, "t")) == 2


@pytest.mark.parametrize("twice", [["f", "f"], ["f", "./f"], ["f", "x/../f"]])
def test_a_file_named_twice_is_refused(into: Path, twice: list[str]) -> None:
    (into / "f").write_bytes(b"text")
    (into / "x").mkdir()
    roles = [Role.ORIGINAL, Role.SIDECAR]
    files = [Fetched(Path(name), role) for name, role in zip(twice, roles, strict=True)]
    with pytest.raises(InvalidError, match="twice"):
        staging.collect(into, files, OTHER, "t")


def outside(into: Path) -> Path:
    (into.parent / "secret.txt").write_bytes(b"not yours")
    return into.parent / "secret.txt"


def a_link(into: Path) -> Path:
    (into / "link").symlink_to(outside(into))
    return Path("link")


def behind_a_link(into: Path) -> Path:
    outside(into)
    (into / "dir").symlink_to(into.parent)
    return Path("dir/secret.txt")


def a_folder(into: Path) -> Path:
    (into / "folder").mkdir()
    return Path("folder")


def a_pipe(into: Path) -> Path:
    os.mkfifo(into / "pipe")
    return Path("pipe")


@pytest.mark.parametrize(
    "make",
    [
        outside,
        lambda into: Path("..", outside(into).name),
        a_link,
        behind_a_link,
        a_folder,
        a_pipe,
        lambda _: Path("missing"),
        lambda _: Path(),
    ],
)
def test_what_is_no_file_inside_is_refused(into: Path, make: Any) -> None:
    with pytest.raises(InvalidError):
        staging.collect(into, [Fetched(make(into))], OTHER, "t")


def test_nothing_only_sidecars_and_too_many_are_refused(into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (into / "f").write_bytes(b"text")
    with pytest.raises(InvalidError, match="nothing"):
        staging.collect(into, [], OTHER, "t")
    with pytest.raises(InvalidError, match="only sidecar files came") as raised:
        staging.collect(into, [Fetched(Path("f"), Role.SIDECAR)], OTHER, "t")
    assert "at least one has to be an original or a rendition" in raised.value.hint
    monkeypatch.setattr(staging, "MAX_FILES", 2)
    with pytest.raises(InvalidError, match="too many"):
        staging.collect(into, [Fetched(Path(f"{n}")) for n in range(3)], OTHER, "t")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"role": "main"}, "unknown role 'main': use one of original, rendition, derivative, sidecar"),
        ({"grade": "best"}, "unknown grade 'best': use one of original, pdf, reduced"),
        ({"role": None}, "unknown role None"),
        ({"role": ["original"]}, "unknown role"),
        ({"label": 3}, "has label = 3; expected text"),
        ({"media_type": None}, "has media_type = None; expected text"),
        ({"path": None}, "has the path None; expected a Path"),
    ],
)
def test_wrong_types_are_the_fault_of_the_plugin(into: Path, wrong: Any, told: str) -> None:
    (into / "f").write_bytes(b"text")
    with pytest.raises(FatalError, match=re.escape(told)) as raised:
        staging.collect(into, [replace(Fetched(Path("f")), **wrong)], OTHER, "t")
    assert "plugin" in raised.value.hint


def test_words_do_for_roles_and_grades(into: Path) -> None:
    (into / "f").write_bytes(b"text")
    named: Any = Fetched("f", "original", "pdf")  # type: ignore[arg-type]
    (staged,) = staging.collect(into, [named], OTHER, "t")
    assert (staged.stored.role, staged.stored.grade) == (Role.ORIGINAL, Grade.PDF)


def test_a_login_page_is_no_deck(into: Path) -> None:
    (into / "deck.pdf").write_bytes(login_page())
    with pytest.raises(InvalidError, match="web page"):
        staging.collect(into, [Fetched(Path("deck.pdf"))], DECK, "t")


def test_a_file_with_a_second_name_is_copied_not_moved(into: Path) -> None:
    theirs = into.parent / "theirs.txt"
    theirs.write_bytes(b"text")
    os.link(theirs, into / "linked")
    (into / "own").write_bytes(b"more text")
    staged = staging.collect(into, [Fetched(Path("linked")), Fetched(Path("own"))], OTHER, "t")
    assert [each.blob(movable=True).movable for each in staged] == [False, True]
    assert not staged[1].blob(movable=False).movable


class Client:
    """An HTTP client whose digests are taken at their word."""

    def get(self, url: str, **_: Any) -> Any:
        raise NotImplementedError

    def post(self, url: str, **options: Any) -> Response:
        return Response(url, 200, {}, repr(options).encode())

    def send(self, method: str, url: str, **_: Any) -> Any:
        raise NotImplementedError

    def download(self, url: str, path: Path, **_: Any) -> Downloaded:
        path.write_bytes(b"as it came")
        return Downloaded(path, 10, "f" * 64, url)


def test_a_digest_that_the_client_took_serves_while_the_file_is_untouched(into: Path) -> None:
    with staging.desk(staging.nobody):
        staging.Noting(Client()).download("http://host/", into / "f")
        (staged,) = staging.collect(into, [Fetched(Path("f"))], OTHER, "t")
        assert staged.stored.sha256 == "f" * 64
        (into / "f").write_bytes(b"as it was changed")
        (staged,) = staging.collect(into, [Fetched(Path("f"))], OTHER, "t")
        assert staged.stored.sha256 == hashlib.sha256(b"as it was changed").hexdigest()
    (into / "f").write_bytes(b"as it came")
    (staged,) = staging.collect(into, [Fetched(Path("f"))], OTHER, "t")
    assert staged.stored.sha256 == hashlib.sha256(b"as it came").hexdigest()


def test_what_is_posted_goes_on_as_it_is() -> None:
    answer = staging.Noting(Client()).post("http://host/", form={"a": "b"}, accept=[400])
    assert (answer.url, answer.content) == ("http://host/", b"{'form': {'a': 'b'}, 'accept': [400]}")


def test_directories_are_empty_and_cleared_away(tmp_path: Path) -> None:
    parent = tmp_path / "made" / "when needed"
    with staging.directory(parent) as one, staging.directory(parent) as two:
        assert one != two
        (one / "left behind").write_bytes(b"")
        (one / "folder").mkdir()
    assert not one.exists()
    with pytest.raises(ValueError), staging.directory(parent) as broken:  # noqa: PT012
        (broken / "half").write_bytes(b"")
        raise ValueError
    assert not broken.exists()
    with staging.directory(parent) as again:
        assert list(again.iterdir()) == []
    staging.tidy()
    assert list(parent.iterdir()) == []


def test_progress_reaches_whoever_watches_this_thread() -> None:
    heard: list[int] = []
    staging.report_progress(1)
    with staging.desk(lambda done, total: heard.append(done)):
        staging.report_progress(2)
    staging.report_progress(3)
    assert heard == [2]
