from __future__ import annotations

import dataclasses
import logging
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import media_samples as samples
from archiver import api
from archiver_plugins import folder
from archiver_plugins.folder import copying, facts, walk, words
from archiver_plugins.folder.globs import Glob
from archiver_plugins.folder.pattern import Pattern

BEIJING = api.Event(
    "beijing",
    "Beijing Stop",
    talks=(api.Talk("chef", "Deploy OpenStack with Chef"), api.Talk("keystone", "Explanation of Keystone")),
)
SHENZHEN = api.Event("shenzhen", "Shenzhen Stop")


class NoHttp:
    """The folder source never needs the network."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the folder source used http.{name}")


class Tree:
    """A source's folder, with what is asked of the source in a test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.progress: list[tuple[int, int | None]] = []
        root.mkdir()

    def put(self, path: str, data: bytes = b"x") -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return target

    def source(self) -> folder.FolderSource:
        context = api.Context(
            name="drop",
            folder=self.root.parent,
            http=cast("api.Http", NoHttp()),
            log=logging.getLogger("test.folder"),
            progress=lambda done, total=None: self.progress.append((done, total)),
        )
        return folder.FolderSource(folder.Options(path=self.root.name), context)

    def listing(self, *entries: tuple[api.Event, dict[str, Any]], limit: int | None = None) -> Listing:
        uses = entries or ((BEIJING, {}),)
        scope = api.Scope(
            tuple(api.ScopeEntry(event, folder.Entry(**options)) for event, options in uses), limit
        )
        *materials, end = self.source().discover(scope, "")
        assert isinstance(end, api.Checkpoint)
        return Listing([item for item in materials if isinstance(item, api.Material)], end)

    def one(self, **options: Any) -> api.Material:
        (material,) = self.listing((BEIJING, options)).materials
        return material

    def fetch(self, material: api.Material, into: Path) -> tuple[bytes, api.Material]:
        into.mkdir()
        *fuller, fetched = self.source().fetch(material, into)
        assert isinstance(fetched, api.Fetched)
        assert not fetched.path.is_absolute()
        latest = fuller[0] if fuller else material
        assert isinstance(latest, api.Material)
        return (into / fetched.path).read_bytes(), latest


@dataclasses.dataclass
class Listing:
    materials: list[api.Material]
    end: api.Checkpoint

    @property
    def ids(self) -> list[str]:
        return [material.id for material in self.materials]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "drop")


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "staging"


def test_a_file_is_listed_with_what_its_name_and_place_tell(tree: Tree) -> None:
    path = tree.put("slides/03 - Explanation_of_Keystone.pdf", b"12345")
    material = tree.one()
    assert material.id == "slides/03 - Explanation_of_Keystone.pdf"
    assert (material.kind, material.title) == (api.Kind.SLIDES, "Explanation of Keystone")
    assert (material.event, material.talk, material.size) == ("beijing", "keystone", 5)
    assert material.revision == f"5-{path.stat().st_mtime_ns}"


@pytest.mark.parametrize("path", [".", "./", "", "./slides/.", "slides//"])
def test_the_folder_itself_may_be_named_in_any_way(tree: Tree, path: str) -> None:
    tree.put("slides/Explanation of Keystone.pdf")
    (material,) = tree.listing((BEIJING, {"path": path})).materials
    assert material.id == "slides/Explanation of Keystone.pdf"


def test_a_listing_is_sorted_complete_and_the_same_again(tree: Tree) -> None:
    for name in ["b/2.pdf", "b/1.pdf", "a.pdf", "c/d/e.jpg", "照片/一.jpg"]:
        tree.put(name)
    first = tree.listing()
    assert first.ids == ["a.pdf", "b/1.pdf", "b/2.pdf", "c/d/e.jpg", "照片/一.jpg"]
    assert first.end == api.Checkpoint("", complete=True)
    assert tree.listing() == first


def test_a_changed_file_has_another_revision(tree: Tree) -> None:
    path = tree.put("a.pdf", b"old")
    before = tree.one().revision
    path.write_bytes(b"new")
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    assert tree.one().revision != before


def test_junk_and_unfinished_copies_are_left_out(tree: Tree) -> None:
    junk = [
        ".DS_Store", "Thumbs.db", "~$talk.pptx", ".git/config", "talk.pdf.part", "clip.mp4.crdownload",
        ".hidden.jpg", "._talk.pdf", "__MACOSX/talk.pdf", "@eaDir/x.jpg", "desktop.ini", "notes.tmp",
    ]  # fmt: skip
    for name in [*junk, "talk.pdf", "real.jpg"]:
        tree.put(name)
    # The browser holds the name of "talk.pdf" with an empty file until it is finished.
    assert tree.listing().ids == ["real.jpg"]


def test_a_file_named_by_its_path_is_taken_whatever_it_is_called(tree: Tree) -> None:
    tree.put("a/.notes.txt")
    tree.put("a/other.txt")
    material = tree.one(path="a/.notes.txt", talk="chef", kind="report")
    assert (material.id, material.talk, material.kind) == ("a/.notes.txt", "chef", api.Kind.REPORT)


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({"path": "beijing"}, ["beijing/a.pdf", "beijing/x/b.PDF", "beijing/x/c.jpg"]),
        ({"path": "beijing/"}, ["beijing/a.pdf", "beijing/x/b.PDF", "beijing/x/c.jpg"]),
        ({"path": "beijing/*.pdf"}, ["beijing/a.pdf"]),
        ({"path": "beijing/**/*.pdf"}, ["beijing/a.pdf", "beijing/x/b.PDF"]),
        ({"path": "**/x/*"}, ["beijing/x/b.PDF", "beijing/x/c.jpg"]),
        ({"path": "*/?.pdf"}, ["[2012] tour/e.pdf", "beijing/a.pdf", "wuhan/d.pdf"]),
        ({"path": "[2012] tour"}, ["[2012] tour/e.pdf"]),
        ({"include": "*.jpg"}, ["beijing/x/c.jpg"]),
        ({"include": ["*.pdf"], "exclude": ["x"]}, ["[2012] tour/e.pdf", "beijing/a.pdf", "wuhan/d.pdf"]),
        ({"include": ["beijing/**"], "exclude": ["beijing/x/*.jpg"]}, ["beijing/a.pdf", "beijing/x/b.PDF"]),
    ],
)
def test_what_an_entry_means(options: dict[str, Any], ids: list[str], tree: Tree) -> None:
    for name in ["beijing/a.pdf", "beijing/x/b.PDF", "beijing/x/c.jpg", "wuhan/d.pdf", "[2012] tour/e.pdf"]:
        tree.put(name)
    assert tree.listing((BEIJING, options)).ids == ids


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("talk.pptx", "slides"), ("talk.PDF", "slides"), ("photos/a.jpg", "photo"), ("a.jpg", "photo"),
        ("Photos 2012/clip.mov", "photo"), ("videos/a.mp4", "video"), ("a.webm", "video"),
        ("reports/a.pdf", "report"), ("a.html", "report"), ("报道/新闻.pdf", "report"),
        ("北京照片/一.jpg", "photo"), ("幻灯片/云计算.pdf", "slides"), ("视频/录像.mp4", "video"),
        ("slides/pages/p1.jpg", "slides"), ("slides/demo.mp4", "video"), ("photos/readme.txt", "other"),
        ("videos/talk.srt", "other"), ("misc/a.pdf", "other"), ("a.xyz", "other"), ("noext", "other"),
        ("slides/photos/a.jpg", "photo"), ("photos/slides.pdf", "slides"),
    ],
)  # fmt: skip
def test_the_kind_comes_from_folders_and_extension(path: str, kind: str, tree: Tree) -> None:
    tree.put(path)
    assert tree.one().kind == kind


def test_the_source_folder_itself_may_name_the_kind(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "reports")
    tree.put("beijing.pdf")
    assert tree.one().kind is api.Kind.REPORT


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("01 - Deploy_OpenStack_with_Chef.pdf", "Deploy OpenStack with Chef"),
        ("3. Juju.pptx", "Juju"),
        ("(2) Quantum.key", "Quantum"),
        ("05_Swift.pdf", "Swift"),
        ("10、云计算.pdf", "云计算"),
        ("2012 OpenStack China Tour.pdf", "2012 OpenStack China Tour"),
        ("360buy ELB.pdf", "360buy ELB"),
        ("10 things to know.pdf", "10 things to know"),
        ("3.0 release.pdf", "3.0 release"),
        ("OpenStack 1.0", "OpenStack 1.0"),
        ("01.pdf", "01"),
        ("IMG_1234.JPG", "IMG 1234"),
        ("evil\u202efdp.pdf", "evil fdp"),
        ("a\nb.pdf", "a b"),
        ("Cafe\u0301.pdf", "Café"),
    ],
)
def test_titles_come_from_file_names(name: str, title: str) -> None:
    assert words.title(name) == title


def test_a_pattern_reads_event_kind_talk_and_speakers(tree: Tree) -> None:
    tree.put("Beijing/slides/01 Deploy OpenStack with Chef - Junqiang Chen, Hui Cheng.pdf")
    tree.put("shenzhen/video/Swift_-_程辉、陈沙克.mp4")
    tree.put("wuhan/slides/Out of scope - X.pdf")
    tree.put("stray.pdf")
    use = {"pattern": "{event}/{kind}/{talk} - {speaker}.{ext}"}
    listing = tree.listing((BEIJING, use), (SHENZHEN, use))
    found = {item.event: item for item in listing.materials}
    assert listing.end.complete
    assert sorted(found) == ["", "beijing", "shenzhen"]
    assert len(listing.materials) == 3
    assert found[""].id == "stray.pdf"
    assert found["beijing"].talk == "chef"
    assert found["beijing"].authors == ("Junqiang Chen", "Hui Cheng")
    assert found["shenzhen"].kind is api.Kind.VIDEO
    assert (found["shenzhen"].title, found["shenzhen"].authors) == ("Swift", ("程辉", "陈沙克"))


def test_a_pattern_starts_below_the_entry_s_folder(tree: Tree) -> None:
    tree.put("beijing/2012-09-16 slides/A - B - C.pdf")
    material = tree.one(path="beijing", pattern="{date} {kind}/{talk} - {speaker}.{ext}")
    assert (material.date, material.title, material.authors) == ("2012-09-16", "A - B", ("C",))
    assert material.event == "beijing"


@pytest.mark.parametrize(
    ("pattern", "path", "fields"),
    [
        ("{event}_{talk}.{ext}", "beijing_deploy_chef.pdf", {"event": "beijing", "talk": "deploy_chef"}),
        ("**/{talk}.{ext}", "a/b/c.pdf", {"talk": "c"}),
        ("**/{talk}.{ext}", "c.pdf", {"talk": "c"}),
        ("{_}/{_}/{talk}.pdf", "x/y/z.PDF", {"talk": "z"}),
        ("{kind}/*{date}*", "slides/on 2012-09 night.pdf", {"kind": "slides", "date": "2012-09"}),
        ("{kind}/{talk}.{ext}", "slides/sub/x.pdf", {}),
        ("{talk} (final).{ext}", "x (final).pdf", {"talk": "x"}),
        ("{talk}.tar.{ext}", "xtar.gz", {}),
        ("幻灯片/{talk}.{ext}", "幻灯片/云.pdf", {"talk": "云"}),
    ],
)
def test_how_patterns_match(pattern: str, path: str, fields: dict[str, str]) -> None:
    found = Pattern(pattern).match(path)
    found.pop("ext", None)
    assert found == fields


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("{evnt}/{talk}.pdf", "did you mean {event}?"),
        ("{talk}{speaker}.pdf", "side by side"),
        ("{talk}*.pdf", "side by side"),
        ("{talk}/{talk}.pdf", "twice"),
        ("{talk.pdf", "not closed"),
        ("talk}.pdf", "not closed"),
        ("/{talk}.pdf", "relative"),
        ("../{talk}.pdf", "without '..'"),
        ("a//{talk}.pdf", "empty parts"),
        ("a/b.pdf", "no field"),
        ("{talk}/**", "whole folders"),
        ("a**/{talk}", "whole folders"),
        ("/".join(["{_}"] * 9) + "/{talk}", "more than 8"),
        ("{talk}" + "x" * 400, "longer"),
    ],
)
def test_a_bad_pattern_is_refused_when_the_configuration_is_read(pattern: str, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        folder.Entry(pattern=pattern)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"path": "/etc"}, {"path": "../x"}, {"path": "a/../../x"}, {"path": "~/x"}, {"path": "a\\..\\b"},
        {"include": [""]}, {"exclude": ["a//b"]}, {"kind": "slide"}, {"unknown": 1},
    ],
)  # fmt: skip
def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        folder.Entry(**options)


@settings(max_examples=300, deadline=2000)
@given(st.text(max_size=40), st.text(max_size=60))
def test_any_pattern_is_refused_or_matches_within_time(text: str, path: str) -> None:
    try:
        pattern = Pattern(text)
    except ValueError:
        return
    assert set(pattern.match(path)) <= {"event", "kind", "talk", "speaker", "date", "ext"}


def test_a_hostile_name_does_not_keep_a_pattern_or_glob_busy() -> None:
    import time

    start = time.process_time()
    Pattern("{talk} - {speaker} - {_} - {date}.{ext}").match(" - " * 85)
    Glob("*a*b*c*d*e*f*g*.pdf").matches(["abcdefg" * 36])
    assert time.process_time() - start < 5


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "**", "*", "?"]), min_size=1, max_size=4),
    st.lists(st.sampled_from("ab"), min_size=1, max_size=5),
)
def test_globs_agree_with_a_plain_definition(glob: list[str], path: list[str]) -> None:
    def plain(left: list[str], right: list[str]) -> bool:
        if not left:
            return not right
        if left[0] == "**":
            return plain(left[1:], right) or (bool(right) and plain(left, right[1:]))
        return bool(right) and left[0] in {right[0], "*", "?"} and plain(left[1:], right[1:])

    assert Glob("/".join(glob), anywhere=False).matches(path) == plain(glob, path)


def test_a_missing_root_is_an_error_and_no_empty_listing(tree: Tree) -> None:
    tree.root.rmdir()
    with pytest.raises(api.FatalError, match="mounted"):
        tree.listing()
    with pytest.raises(api.FatalError, match="mounted"):
        tree.source().check()


def test_an_empty_root_is_never_complete(tree: Tree, caplog: pytest.LogCaptureFixture) -> None:
    listing = tree.listing()
    assert listing.materials == []
    assert not listing.end.complete
    assert "mounted" in caplog.text


def test_an_event_without_its_folder_yet_is_no_error_and_not_complete(tree: Tree) -> None:
    tree.put("beijing/a.pdf")
    listing = tree.listing((BEIJING, {"path": "beijing"}), (SHENZHEN, {"path": "shenzhen"}))
    assert listing.ids == ["beijing/a.pdf"]
    assert not listing.end.complete


def test_a_root_that_is_exchanged_while_it_is_read_is_an_error(tree: Tree, tmp_path: Path) -> None:
    tree.put("a.pdf")
    items = tree.source().discover(api.Scope((api.ScopeEntry(BEIJING, folder.Entry()),)), "")
    assert isinstance(next(items), api.Material)
    tree.root.rename(tmp_path / "away")
    tree.root.mkdir()
    with pytest.raises(api.SourceError, match="mounted"):
        list(items)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root reads everything: become nobody for the time of the test."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_an_unreadable_folder_is_an_error_and_no_empty_one(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        Path(place).chmod(0o755)
        tree = Tree(Path(place) / "drop")
        tree.put("a.pdf")
        tree.put("closed/b.pdf")
        locked = tree.put("locked.pdf")
        (tree.root / "closed").chmod(0)
        locked.chmod(0)
        (material,) = tree.listing((BEIJING, {"path": "locked.pdf"})).materials
        into = tmp_path / "staging"
        into.mkdir()
        request.getfixturevalue("unprivileged")
        with pytest.raises(api.BlockedError, match="closed"):
            tree.listing()
        with pytest.raises(api.BlockedError, match="may not be read"):
            list(tree.source().fetch(material, into))
        if os.getuid() == 0:
            os.seteuid(0)
        (tree.root / "closed").chmod(0o755)


def test_the_limit_stops_a_listing_which_is_then_not_complete(tree: Tree) -> None:
    for number in range(5):
        tree.put(f"{number}.pdf")
    listing = tree.listing(limit=2)
    assert (listing.ids, listing.end.complete) == (["0.pdf", "1.pdf"], False)
    assert tree.listing(limit=5).end.complete


def test_one_file_is_listed_once_per_event(tree: Tree) -> None:
    tree.put("a.pdf")
    listing = tree.listing((BEIJING, {}), (BEIJING, {"path": "*.pdf"}), (SHENZHEN, {}))
    assert [(item.id, item.event) for item in listing.materials] == [
        ("a.pdf", "beijing"),
        ("a.pdf", "shenzhen"),
    ]


def test_links_are_followed_only_when_asked_and_never_out(tree: Tree, tmp_path: Path, into: Path) -> None:
    tree.put("real/a.pdf", b"inside")
    secret = tmp_path / "secret.pdf"
    secret.write_bytes(b"secret")
    (tree.root / "out.pdf").symlink_to(secret)
    (tree.root / "outdir").symlink_to(tmp_path)
    (tree.root / "in.pdf").symlink_to("real/a.pdf")
    (tree.root / "real" / "loop").symlink_to(tree.root)
    (tree.root / "dangling.pdf").symlink_to("nowhere")
    (tree.root / "circle.pdf").symlink_to("circle.pdf")
    assert tree.listing().ids == ["real/a.pdf"]
    followed = tree.listing((BEIJING, {"follow": True}))
    assert followed.ids == ["in.pdf", "real/a.pdf"]
    assert tree.fetch(followed.materials[0], into)[0] == b"inside"


def test_pipes_sockets_and_devices_are_skipped(tree: Tree) -> None:
    os.mkfifo(tree.root / "pipe.pdf")
    tree.put("a.pdf")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(tree.root)
        try:
            server.bind("socket.pdf")
        finally:
            os.chdir(here)
        assert tree.listing().ids == ["a.pdf"]


def test_names_that_are_not_utf8_have_a_stable_id_and_can_be_fetched(tree: Tree, into: Path) -> None:
    name = os.fsdecode("报道 100%.pdf".encode("gbk"))
    tree.put(name, b"gbk")
    material = tree.one()
    material.id.encode()
    assert material.id == tree.one().id
    assert material.id == "%B1%A8%B5%C0 100%25.pdf"
    assert material.title == "报道 100%"
    assert tree.fetch(material, into)[0] == b"gbk"


def test_twins_that_differ_by_normalisation_are_kept_apart(tree: Tree, tmp_path: Path) -> None:
    tree.put("caf\u00e9.pdf", b"composed")
    tree.put("cafe\u0301.pdf", b"decomposed")
    materials = tree.listing().materials
    assert len({item.id for item in materials}) == 2
    contents = {tree.fetch(item, tmp_path / f"s{n}")[0] for n, item in enumerate(materials)}
    assert contents == {b"composed", b"decomposed"}
    assert next(item.id for item in materials if "~" not in item.id) == "caf\u00e9.pdf"


def test_a_decomposed_name_alone_has_the_same_id_as_its_composed_one(tree: Tree, into: Path) -> None:
    tree.put("e\u0301te\u0301/cafe\u0301.pdf", b"mac")
    material = tree.one(path="\u00e9t\u00e9")
    assert material.id == "\u00e9t\u00e9/caf\u00e9.pdf"
    assert tree.fetch(material, into)[0] == b"mac"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text(st.sampled_from("ae\u0301\u00e9%~\udcff\udcb1F"), min_size=1, max_size=4), unique=True)
)
def test_every_name_of_a_folder_gets_an_id_of_its_own(names: list[str]) -> None:
    given_names = walk.id_names(names)
    assert len(set(given_names.values())) == len(names)
    for value in given_names.values():
        value.encode()


def test_a_file_is_copied_with_progress_and_claims_its_type(tree: Tree, into: Path) -> None:
    data = os.urandom(20 << 20)
    tree.put("big.mp4", data)
    material = tree.one()
    into.mkdir()
    (fetched,) = tree.source().fetch(material, into)
    assert isinstance(fetched, api.Fetched)
    assert fetched.media_type == "video/mp4"
    assert (into / fetched.path).read_bytes() == data
    assert sum(done for done, _ in tree.progress) == len(data)
    assert {total for _, total in tree.progress} == {len(data)}


def test_copying_by_hand_gives_the_same(tree: Tree, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(18, "cross-device")

    monkeypatch.setattr(copying, "_in_kernel", refuse)
    data = os.urandom(3 << 20)
    tree.put("big.mp4", data)
    assert tree.fetch(tree.one(), into)[0] == data


def test_a_zero_byte_file_is_listed_and_fetched(tree: Tree, into: Path) -> None:
    tree.put("empty.pdf", b"")
    material = tree.one()
    assert material.size == 0
    assert tree.fetch(material, into)[0] == b""


def test_a_file_that_grew_since_the_listing_is_still_being_copied(tree: Tree, into: Path) -> None:
    path = tree.put("a.mp4", b"first")
    material = tree.one()
    with path.open("ab") as stream:
        stream.write(b"more")
    into.mkdir()
    with pytest.raises(api.TransientError, match="still being copied"):
        list(tree.source().fetch(material, into))


def append(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"x")


def shorten(path: Path) -> None:
    os.truncate(path, 10)


@pytest.mark.parametrize("change", [append, shorten, os.utime])
def test_a_file_that_changes_while_it_is_read_is_still_being_copied(
    change: Callable[[Path], object], tree: Tree, into: Path
) -> None:
    path = tree.put("a.mp4", bytes(10 << 20))
    material = tree.one()
    source = tree.source()

    def meddle(done: int, total: int | None = None) -> None:
        change(path)

    source.context = dataclasses.replace(source.context, progress=meddle)
    into.mkdir()
    with pytest.raises(api.TransientError, match="still being copied"):
        list(source.fetch(material, into))


def test_a_file_that_vanished_is_gone_but_a_vanished_disk_is_not(
    tree: Tree, tmp_path: Path, into: Path
) -> None:
    path = tree.put("sub/a.pdf")
    material = tree.one()
    path.unlink()
    into.mkdir()
    with pytest.raises(api.GoneError):
        list(tree.source().fetch(material, into))
    tree.root.rename(tmp_path / "unmounted")
    with pytest.raises(api.TransientError, match="mounted"):
        list(tree.source().fetch(material, into))


def test_what_stands_in_a_listed_file_s_place_is_not_followed(tree: Tree, tmp_path: Path, into: Path) -> None:
    secret = tmp_path / "secret"
    (secret / "x").mkdir(parents=True)
    (secret / "a.pdf").write_bytes(b"secret")
    path = tree.put("sub/a.pdf", b"public")
    material = tree.one()
    into.mkdir()

    path.unlink()
    path.symlink_to(secret / "a.pdf")
    with pytest.raises(api.InvalidError):
        list(tree.source().fetch(material, into))
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(api.InvalidError):
        list(tree.source().fetch(material, into))
    path.unlink()
    (tree.root / "sub").rmdir()
    (tree.root / "sub").symlink_to(secret)
    with pytest.raises(api.InvalidError):
        list(tree.source().fetch(material, into))


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../secret", "%2E%2E/secret", "."])
def test_a_forged_path_leads_nowhere(path: str, tree: Tree, tmp_path: Path, into: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    tree.put("a/b.pdf")
    into.mkdir()
    forged = api.Material(id="x", kind=api.Kind.OTHER, extra={"path": path})
    with pytest.raises(api.SourceError):
        list(tree.source().fetch(forged, into))


@pytest.mark.parametrize(
    ("taken", "offset", "date"),
    [
        ("2012:09:16 10:11:12", "+08:00", "2012-09-16T10:11:12+08:00"),
        ("2012:09:16 10:11:12", "", "2012-09-16T10:11:12"),
        ("2012:09:16 10:11:12", "bogus", "2012-09-16T10:11:12"),
        ("0000:00:00 00:00:00", "", ""),
        ("yesterday", "", ""),
    ],
)
def test_a_photo_tells_when_it_was_taken(taken: str, offset: str, date: str, tree: Tree, into: Path) -> None:
    tree.put("a.jpg", samples.jpeg(exif=samples.exif(taken, offset)))
    assert tree.fetch(tree.one(), into)[1].date == date


def test_a_photo_that_is_none_is_fetched_all_the_same(tree: Tree, into: Path) -> None:
    tree.put("a.jpg", b"<html>not a photo</html>")
    material = tree.one()
    assert tree.fetch(material, into)[1] == material


def test_a_deck_whose_name_says_little_tells_its_title_and_author(tree: Tree, into: Path) -> None:
    data = samples.pptx(["x"], title="Explanation of Keystone", author="Yejia Xu")
    tree.put("slides (2).pptx", data)
    fuller = tree.fetch(tree.one(), into)[1]
    assert (fuller.title, fuller.authors) == ("Explanation of Keystone", ("Yejia Xu",))


@pytest.mark.parametrize("name", ["Chef in practice.pptx", "slides.pptx"])
def test_a_good_name_or_a_stock_title_is_left_alone(name: str, tree: Tree, into: Path) -> None:
    tree.put(name, samples.pptx(["x"], title="PowerPoint Presentation"))
    material = tree.one()
    assert tree.fetch(material, into)[1].title == material.title


def test_many_files_are_listed_lazily(tree: Tree) -> None:
    for number in range(50):
        tree.put(f"{number:03}/a.pdf")
    items = tree.source().discover(api.Scope((api.ScopeEntry(BEIJING, folder.Entry()),)), "")
    assert isinstance(next(items), api.Material)
    # What lies further on has not been read yet: its removal shows.
    (tree.root / "049" / "a.pdf").unlink()
    rest = [item.id for item in items if isinstance(item, api.Material)]
    assert "048/a.pdf" in rest
    assert "049/a.pdf" not in rest


def test_very_deep_folders_are_no_problem(tree: Tree) -> None:
    deep = tree.root
    for _ in range(1200):
        deep /= "d"
        deep.mkdir()
    (deep / "a.pdf").write_bytes(b"x")
    try:
        assert tree.listing().ids == ["d/" * 1200 + "a.pdf"]
    finally:
        # What clears temporary directories would not get down there.
        (deep / "a.pdf").unlink()
        while deep != tree.root:
            deep.rmdir()
            deep = deep.parent


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(min_size=1, max_size=30).filter(
        lambda name: b"/" not in name and b"\0" not in name and name not in {b".", b".."}
    )
)
def test_any_name_can_be_listed_titled_and_fetched(
    tmp_path_factory: pytest.TempPathFactory, name: bytes
) -> None:
    place = tmp_path_factory.mktemp("any")
    tree = Tree(place / "drop")
    tree.put("keep.pdf")
    (tree.root / os.fsdecode(name)).write_bytes(b"content")
    for number, material in enumerate(tree.listing().materials):
        (material.id + material.title + material.extra.get("path", "")).encode()
        assert material.title.isprintable() or not material.title.isascii()
        assert tree.fetch(material, place / str(number))[0] in {b"content", b"x"}


class TestOwnPlaces:
    """The archive is never archived: neither its sinks nor its configuration."""

    def test_sinks_and_the_configuration_are_left_out(self, tmp_path: Path) -> None:
        for name in ("talk.pdf", "archive/ocfl/x.pdf", "archive.yaml", "archives/y.pdf"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(samples.pdf([name]))
        own = (tmp_path / "archive", tmp_path / "archive.yaml", tmp_path / "not-made-yet")
        found = listing(tmp_path, own)
        assert found == {"talk.pdf", "archives/y.pdf"}

    def test_a_link_to_a_sink_is_no_way_in(self, tmp_path: Path) -> None:
        (tmp_path / "archive").mkdir()
        (tmp_path / "archive" / "x.pdf").write_bytes(samples.pdf(["x"]))
        (tmp_path / "shown").symlink_to("archive")
        (tmp_path / "talk.pdf").write_bytes(samples.pdf(["talk"]))
        assert listing(tmp_path, (tmp_path / "archive",), follow=True) == {"talk.pdf"}

    @pytest.mark.parametrize("below", ["", "ocfl"])
    def test_a_source_inside_a_sink_is_refused(self, below: str, tmp_path: Path) -> None:
        (tmp_path / "archive" / "ocfl").mkdir(parents=True)
        with pytest.raises(api.FatalError, match="inside the archive itself"):
            listing(tmp_path / "archive" / below, (tmp_path / "archive",))


def listing(root: Path, own: tuple[Path, ...], *, follow: bool = False) -> set[str]:
    context = api.Context("inbox", root, cast("api.Http", None), own=own)
    source = folder.FolderSource(folder.Options(), context)
    scope = api.Scope((api.ScopeEntry(api.Event("stop", "Stop"), folder.Entry(follow=follow)),))
    return {item.id for item in source.discover(scope, "") if isinstance(item, api.Material)}


def test_a_long_name_that_tells_nothing_is_judged_at_once() -> None:
    # A pattern with a run inside a run needs more than a lifetime for this.
    assert not facts._EMPTY.fullmatch("slides " + "0" * 5000 + "x")
    assert facts._EMPTY.fullmatch("copy of slides (2)")
