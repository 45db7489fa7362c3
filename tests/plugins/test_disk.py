from __future__ import annotations

import ctypes
import errno
import mmap
import os
import resource
import signal
import stat
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from archiver.api import Blob, Context, ExistsError, MissingError, Sink, SinkError
from archiver.testing.sinks import SinkContract, blob, file_blob, paths, read
from archiver_plugins.disk import DiskOptions, DiskSink


def make(folder: Path, path: str = "archive") -> DiskSink:
    http: Any = None
    return DiskSink(DiskOptions(path=Path(path)), Context("local", folder, http))


@pytest.fixture
def sink(tmp_path: Path) -> DiskSink:
    made = make(tmp_path)
    made.prepare()
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


class TestDisk(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink[Any]:
        return make(tmp_path, "deep/in/archive")


class TestDiskWithoutHardLinks(SinkContract):
    """A FAT stick: link() is refused."""

    many = 2_000

    @pytest.fixture
    def sink(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sink[Any]:
        def refuse(*args: object, **options: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
        return make(tmp_path)


def in_memory(file: Path) -> float:
    """Say what share of a file the system holds in memory, by mincore(2), which reads nothing itself."""
    library = ctypes.CDLL(None, use_errno=True)
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
        pages = -(-len(mapped) // mmap.PAGESIZE)
        found = (ctypes.c_ubyte * pages)()
        first = ctypes.c_char.from_buffer(mapped)
        address, length = ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(len(mapped))
        failed = library.mincore(address, length, found)
        del first  # else the mapping cannot be closed
    assert not failed, os.strerror(ctypes.get_errno())
    return sum(state & 1 for state in found) / pages


class TestMemory:
    def test_large_files_that_are_synced_take_no_memory_of_the_system(
        self, sink: DiskSink, root: Path, tmp_path: Path
    ) -> None:
        sink.create("large", file_blob(tmp_path / "source", b"x" * (1 << 20), movable=True))
        sink.create("small", blob(b"a ledger"))
        assert in_memory(root / "large") == 1
        sink.flush()
        assert in_memory(root / "large") < 0.5 or forgets_nothing(tmp_path / "other")
        assert in_memory(root / "small") == 1
        assert read(sink, "large") == b"x" * (1 << 20)


def forgets_nothing(file: Path) -> bool:
    """Say whether a file system lives in memory, and so takes no such advice."""
    file.write_bytes(b"x" * (1 << 20))
    with file.open("rb") as stream:
        os.fsync(stream)
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return in_memory(file) == 1


class TestFilesOnDisk:
    def test_plain_files_with_ordinary_modes(self, sink: DiskSink, root: Path, tmp_path: Path) -> None:
        source = file_blob(tmp_path / "source", b"moved", movable=True)
        (tmp_path / "source").chmod(0o600)
        sink.create("a/moved", source)
        sink.create("a/made", blob(b"made"))
        modes = {(root / "a" / name).stat().st_mode for name in ("moved", "made")}
        assert len(modes) == 1
        assert (root / "a/moved").stat().st_nlink == 1
        assert not (tmp_path / "source").exists()

    def test_nothing_is_left_in_tmp(self, sink: DiskSink, root: Path, tmp_path: Path) -> None:
        sink.create("a", blob(b"1"))
        sink.replace("a", blob(b"2"))
        with pytest.raises(ExistsError):
            sink.create("a", file_blob(tmp_path / "source", b"3", movable=True))
        assert list((root / "tmp").iterdir()) == []

    def test_a_file_with_two_names_is_copied(self, sink: DiskSink, root: Path, tmp_path: Path) -> None:
        source = tmp_path / "source"
        given = file_blob(source, b"mine", movable=True)
        os.link(source, tmp_path / "second name")
        sink.create("a", given)
        (tmp_path / "second name").write_bytes(b"changed")
        assert read(sink, "a") == b"mine"

    def test_a_link_is_not_moved_in(self, sink: DiskSink, root: Path, tmp_path: Path) -> None:
        given = file_blob(tmp_path / "source", b"mine", movable=True)
        link = tmp_path / "link"
        link.symlink_to(tmp_path / "source")
        sink.create("a", Blob(given.size, given.sha256, path=link, movable=True))
        assert (root / "a").is_file()
        assert not (root / "a").is_symlink()

    def test_prepare_clears_what_killed_runs_left(self, sink: DiskSink, root: Path) -> None:
        (root / "tmp/fetch-1/deep").mkdir(parents=True)
        (root / "tmp/fetch-1/deep/half").write_bytes(b"x")
        (root / "tmp/half").write_bytes(b"x")
        (root / "tmp/link").symlink_to(root)
        (root / "ocfl/beijing/v2/content/slides").mkdir(parents=True)
        sink.create("ocfl/beijing/v1/content/a", blob(b"kept"))
        sink.prepare()
        assert sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()) == [
            "ocfl/beijing/v1/content/a"
        ]
        assert not (root / "ocfl/beijing/v2").exists()
        assert list((root / "tmp").iterdir()) == []

    def test_a_second_run_may_lock_the_archive_itself(self, tmp_path: Path) -> None:
        """`flock ./archive archive run` in a crontab must not wait for itself."""
        root = tmp_path / "archive"
        root.mkdir()
        code = (
            "import sys; from pathlib import Path; from archiver.testing.sinks import blob;"
            "from archiver.api import Context; from archiver_plugins.disk import DiskOptions, DiskSink;"
            "DiskSink(DiskOptions(path=Path('archive')), Context('x', Path(sys.argv[1]), None))"
            ".replace('a', blob(b'x'))"
        )
        command = ["flock", str(root), sys.executable, "-c", code, str(tmp_path)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        subprocess.run(command, check=True, timeout=60, env=environment)
        assert (root / "a").read_bytes() == b"x"


class TestPlanted:
    """Somebody has put things into the archive's directory."""

    @pytest.fixture
    def outside(self, tmp_path: Path) -> Path:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "secret").write_bytes(b"secret")
        return outside

    def test_linked_files_are_neither_listed_nor_read(
        self, sink: DiskSink, root: Path, outside: Path
    ) -> None:
        (root / "runs").mkdir()
        (root / "runs/x.json").symlink_to(outside / "secret")
        (root / "runs/dangling.json").symlink_to(outside / "nothing")
        assert paths(sink, "") == []
        with pytest.raises(SinkError, match="no symbolic links"):
            read(sink, "runs/x.json")
        with pytest.raises(SinkError, match="no symbolic links"):
            sink.stat("runs/x.json")
        with pytest.raises(ExistsError):
            sink.create("runs/x.json", blob(b"mine"))
        sink.replace("runs/x.json", blob(b"mine"))
        assert (outside / "secret").read_bytes() == b"secret"
        assert read(sink, "runs/x.json") == b"mine"

    @pytest.mark.parametrize("link", ["ocfl", "ocfl/beijing", "ocfl/beijing/v1/content", "tmp"])
    def test_linked_directories_are_not_entered(self, link: str, tmp_path: Path, outside: Path) -> None:
        root = tmp_path / "planted"
        (root / link).parent.mkdir(parents=True)
        (outside / "empty").mkdir()
        (root / link).symlink_to(outside)
        sink = make(tmp_path, "planted")
        path = "ocfl/beijing/v1/content/secret"
        with pytest.raises(SinkError, match="no symbolic links"):
            sink.create("ocfl/beijing/v1/content/new/file", blob(b"x"))
        with pytest.raises(SinkError, match="no symbolic links"):
            sink.replace(path, blob(b"x"))
        if link in {"ocfl", "tmp"}:
            with pytest.raises(SinkError, match="no symbolic links"):
                sink.prepare()
        if link != "tmp":
            with pytest.raises(SinkError, match="no symbolic links"):
                list(sink.list("ocfl/beijing/v1/content/"))
        assert list(sink.list("")) == []
        assert sorted(path.name for path in outside.iterdir()) == ["empty", "secret"]

    def test_pipes_and_devices(self, sink: DiskSink, root: Path) -> None:
        os.mkfifo(root / "pipe")
        assert paths(sink, "") == []
        with pytest.raises(SinkError):
            read(sink, "pipe")

    def test_undecodable_and_decomposed_names_are_listed_as_they_are(
        self, sink: DiskSink, root: Path
    ) -> None:
        os.close(os.open(os.fsencode(root) + b"/bad-\xff", os.O_CREAT | os.O_WRONLY))
        decomposed = unicodedata.normalize("NFD", "café")
        (root / decomposed).write_bytes(b"x")
        assert set(paths(sink, "")) == {"bad-\udcff", decomposed}

    def test_names_that_a_file_system_gives_back_decomposed(self, sink: DiskSink, root: Path) -> None:
        # HFS+ finds a name either way; two links to one file look just like that from outside.
        decomposed = unicodedata.normalize("NFD", "café")
        sink.create("d/café", blob(b"x"))
        os.link(root / "d/café", root / "d" / decomposed)
        assert paths(sink, "d/") == ["d/café", "d/café"]

    @pytest.mark.parametrize("path", ["", "..", "../x", "a/../../x", "/etc/passwd", "tmp/x", "tmp", "."])
    def test_paths_that_lead_elsewhere(self, sink: DiskSink, path: str) -> None:
        for act in (sink.open, sink.stat, sink.cover):
            with pytest.raises(SinkError):
                act(path)
        for write in (sink.create, sink.replace):
            with pytest.raises(SinkError):
                write(path, blob(b"x"))

    def test_a_file_where_a_directory_should_be(self, sink: DiskSink) -> None:
        sink.create("a", blob(b"x"))
        with pytest.raises(SinkError, match="a part of the path is a file"):
            sink.create("a/b", blob(b"y"))
        assert sink.stat("a/b") is None
        with pytest.raises(MissingError):
            sink.open("a/b")


class TestCheck:
    def test_a_root_to_be_made(self, tmp_path: Path) -> None:
        make(tmp_path, "not/yet/there").check()
        assert list(tmp_path.iterdir()) == []

    def test_a_root_that_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "archive").write_bytes(b"")
        with pytest.raises(SinkError, match="not a directory"):
            make(tmp_path).check()

    def test_a_link_to_a_disk_that_is_not_mounted(self, tmp_path: Path) -> None:
        (tmp_path / "archive").symlink_to(tmp_path / "mnt/stick")
        with pytest.raises(SinkError, match="is its disk mounted"):
            make(tmp_path).check()

    def test_a_root_that_is_a_link_is_fine(self, tmp_path: Path) -> None:
        (tmp_path / "stick").mkdir()
        (tmp_path / "archive").symlink_to(tmp_path / "stick")
        sink = make(tmp_path)
        sink.check()
        sink.prepare()
        sink.create("a", blob(b"x"))
        assert paths(sink, "") == ["a"]

    def test_read_only(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = os.statvfs

        def read_only(path: Any) -> Any:
            found = real(path)
            fields = list(found)
            fields[8] |= os.ST_RDONLY
            return os.statvfs_result(fields)

        monkeypatch.setattr(os, "statvfs", read_only)
        with pytest.raises(SinkError, match="mounted read-only"):
            make(tmp_path).check()


def create_and_flush(sink: DiskSink, given: Blob) -> None:
    sink.create("a/b", given)
    sink.flush()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.ESTALE])
@pytest.mark.parametrize("call", ["link", "fsync"])
def test_a_failing_disk_is_a_sink_error_with_a_next_step(
    sink: DiskSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise OSError(code, os.strerror(code))

    source = tmp_path / "source"
    given = file_blob(source, b"x", movable=True)
    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        with pytest.raises(SinkError, match=os.strerror(code)) as caught:
            create_and_flush(sink, given)
    assert caught.value.hint
    if call == "link":
        assert source.read_bytes() == b"x"
        assert paths(sink, "") == []


def test_after_a_failed_sync_nothing_counts_as_safe(sink: DiskSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel reports a failed write-back once and then forgets it: a second fsync would succeed."""

    def fail(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    sink.create("a", blob(b"x"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(SinkError):
            sink.flush()
    with pytest.raises(SinkError, match="Input/output error"):
        sink.flush()


class Recorded:
    """Which files were synced, and which directories."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
        self.names: list[str] = []
        self.root = root
        real = os.fsync

        def note(handle: int) -> None:
            path = Path(f"/proc/self/fd/{handle}").readlink()
            self.names.append(os.path.relpath(path, root))
            real(handle)

        monkeypatch.setattr(os, "fsync", note)

    def take(self) -> list[str]:
        names, self.names = self.names, []
        return names


class TestSync:
    @pytest.fixture
    def synced(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> Recorded:
        return Recorded(monkeypatch, root)

    def test_files_first_then_every_directory_on_the_way(self, sink: DiskSink, synced: Recorded) -> None:
        sink.create("a/b/one", blob(b"1"))
        sink.replace("a/two", blob(b"2"))
        assert synced.take() == []
        sink.flush()
        names = synced.take()
        assert set(names[:2]) == {"a/b/one", "a/two"}
        assert names[2:] == ["a/b", "a", "."]
        sink.flush()
        assert synced.take() == []

    def test_what_a_killed_run_left_is_synced_when_built_upon(
        self, sink: DiskSink, synced: Recorded, tmp_path: Path
    ) -> None:
        sink.create("a/left", blob(b"1"))
        sink.create("b/found", blob(b"1"))
        later = make(tmp_path)
        with pytest.raises(ExistsError):
            later.create("a/left", blob(b"1"))
        later.cover("b/found")
        later.flush()
        assert {"a/left", "b/found", "a", "b", "."} <= set(synced.take())

    def test_new_directories_above_the_root(self, tmp_path: Path, synced: Recorded) -> None:
        sink = make(tmp_path, "archive/deep/er")
        sink.prepare()
        assert synced.take() == ["deep/er", "deep", ".", ".."]


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let every write past `size` fail, as root too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_a_write_cut_short_by_the_system(sink: DiskSink, root: Path) -> None:
    sink.create("before", blob(b"x" * 100_000))
    with file_size_limit(64 << 10), pytest.raises(SinkError, match="raise it"):
        sink.create("a/b", blob(b"x" * 100_000))
    assert paths(sink, "") == ["before"]
    assert list((root / "tmp").iterdir()) == []
    sink.create("a/b", blob(b"x" * 100_000))


def test_modes_of_directories_are_not_widened(sink: DiskSink, root: Path) -> None:
    sink.create("a/b", blob(b"x"))
    assert not stat.S_IMODE((root / "a").stat().st_mode) & stat.S_IWOTH
