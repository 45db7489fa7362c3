"""One fetch: its empty directory, and the proof of what it left there."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archiver import examine, media, naming, vetting
from archiver.contracts import Blob, Downloaded, Http, RawResponse, Response
from archiver.errors import InvalidError
from archiver.ledger import StoredFile
from archiver.model import Fetched, Grade, Kind, Material, Role

#: Files that one material may have.
MAX_FILES = 20_000


def nobody(done: int, total: int | None = None) -> None:
    """Watch no progress."""
    del done, total


@dataclass
class Desk:
    """What is known of the fetch that runs in this thread."""

    note: Callable[[int, int | None], None] = nobody
    proofs: dict[str, tuple[os.stat_result, str]] = field(default_factory=dict)
    into: Path | None = None


_DESK: ContextVar[Desk | None] = ContextVar("desk", default=None)


def report_progress(done: int, total: int | None = None) -> None:
    """Pass bytes that came on to whoever watches the task of this thread."""
    desk = _DESK.get()
    if desk is not None:
        desk.note(done, total)


def occupied() -> int:
    """Count the bytes that lie in the directory of this thread's fetch now."""
    current = _DESK.get()
    total = 0
    for where, _, names in os.walk(current.into) if current is not None and current.into else ():
        for name in names:
            with suppress(OSError):  # moved or cleared away since
                total += Path(where, name).lstat().st_size
    return total


@contextmanager
def desk(note: Callable[[int, int | None], None]) -> Iterator[None]:
    """Hear of the progress of what this thread does inside."""
    token = _DESK.set(Desk(note))
    try:
        yield
    finally:
        _DESK.reset(token)


#: Directories that a fetch left empty, by where they lie: making one for each of thousands of photos
#: costs more than a photo's own file. `tidy` clears them away.
_SPARE: dict[str, list[Path]] = {}


@contextmanager
def directory(parent: Path | None) -> Iterator[Path]:
    """Lend an empty directory to one fetch. What is left in it is cleared away at the end."""
    into = _take(parent)
    current = _DESK.get()
    if current is not None:
        current.into = into
    try:
        yield into
    except BaseException:
        # A fetch that broke off may have left something behind that still writes there.
        shutil.rmtree(into, ignore_errors=True)
        raise
    if os.listdir(into):  # noqa: PTH208  # half the work of `iterdir`, for each of thousands of photos
        shutil.rmtree(into, ignore_errors=True)
    else:
        _SPARE.setdefault(str(parent or ""), []).append(into)


def _take(parent: Path | None) -> Path:
    try:
        return _SPARE[str(parent or "")].pop()  # one step: no other thread can take the same
    except (KeyError, IndexError):
        if parent is not None:
            parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="fetch-", dir=parent))


def tidy() -> None:
    """Clear away the directories that wait for another fetch."""
    for waiting in list(_SPARE.values()):
        while waiting:
            with suppress(OSError):
                waiting.pop().rmdir()


class Noting:
    """The HTTP client, remembering the digests it took, so that nothing is read twice."""

    def __init__(self, client: Http) -> None:
        self._client = client

    def get(self, url: str, **options: Any) -> Response:
        """Pass on."""
        return self._client.get(url, **options)

    def post(self, url: str, **options: Any) -> Response:
        """Pass on."""
        return self._client.post(url, **options)

    def send(self, method: str, url: str, **options: Any) -> RawResponse:
        """Pass on."""
        return self._client.send(method, url, **options)

    def download(self, url: str, path: Path, **options: Any) -> Downloaded:
        """Pass on, and keep the proof."""
        done = self._client.download(url, path, **options)
        current = _DESK.get()
        if current is not None:
            current.proofs[str(path)] = (os.lstat(path), done.sha256)
        return done


@dataclass(frozen=True, slots=True)
class Staged:
    """One proven file, ready for the sinks.

    One that is not `alone` has a second name (a hard link) and is somebody's still: writing there would
    change ours.
    """

    local: Path
    stored: StoredFile
    alone: bool = True

    def blob(self, *, movable: bool) -> Blob:
        """Give it the form that sinks take. `movable` allows them to take the file itself."""
        return Blob(self.stored.size, self.stored.sha256, path=self.local, movable=movable and self.alone)


def collect(
    into: Path,
    yielded: Iterable[Fetched],
    material: Material,
    type_name: str,
    known: Iterable[StoredFile] = (),
) -> list[Staged]:
    """Prove every file that a fetch named: inside its directory, whole, of a sensible kind; then name it.

    A file whose bytes are `known` keeps the name it has. Raises `InvalidError` naming what is wrong, or
    `FatalError` when that is the plugin: the material then stays pending.
    """
    files = _named(yielded)
    held = {(file.role, file.label, file.sha256): file for file in known}
    staged = (_keep_name(_stage(into, file, material, type_name), held) for file in files)
    # Two alike in bytes, role and label are one stored file.
    return list({item.stored.path: item for item in staged}.values())


def _named(yielded: Iterable[Fetched]) -> list[Fetched]:
    """Hold what a fetch named to the contract. Raises `InvalidError` and `FatalError`."""
    files = [vetting.fetched(file) for file in yielded]
    if len(files) > MAX_FILES:
        raise InvalidError(f"{len(files)} files for one material are too many")
    if not files:
        raise InvalidError(
            "the source brought nothing", hint="see whether the item still has a file upstream"
        )
    roles = {file.role for file in files}
    if roles.isdisjoint({Role.ORIGINAL, Role.RENDITION}):
        raise InvalidError(
            f"only {' and '.join(sorted(roles))} files came, and none that stands for the material",
            hint="at least one has to be an original or a rendition: see what the item still has upstream",
        )
    if len({os.path.normpath(file.path) for file in files}) < len(files):
        # The first of them would be moved away, and the second found missing.
        raise InvalidError("the source named one file twice", hint="this is a fault of its plugin")
    return files


def _keep_name(staged: Staged, held: Mapping[tuple[Role, str, str], StoredFile]) -> Staged:
    stored = staged.stored
    before = held.get((stored.role, stored.label, stored.sha256))
    return replace(staged, stored=replace(stored, path=before.path)) if before else staged


def _stage(into: Path, file: Fetched, material: Material, type_name: str) -> Staged:
    local = into / file.path
    found = _regular(into, local)
    sha256 = _proof(local, found)
    media_type = examine.verify(local, Kind(material.kind), Role(file.role), file.media_type)
    ident = naming.identity(type_name, material.id, file.role, sha256)
    name = naming.file_name(material.title or material.id, file.label, ident, media.extension(media_type))
    path = f"{Kind(material.kind).value}/{name}"
    stored = StoredFile(
        path, found.st_size, sha256, Role(file.role), Grade(file.grade), file.label, media_type
    )
    return Staged(local, stored, alone=found.st_nlink == 1)


def _regular(into: Path, local: Path) -> os.stat_result:
    try:
        found = local.lstat()
        # Nearly all lie right there; as plain text, for each of thousands of photos.
        inside = os.path.dirname(local) == str(into)  # noqa: PTH120  # see above
        inside = inside or local.parent.resolve().is_relative_to(into.resolve())
    except OSError as error:
        raise InvalidError(f"the source named a file that is not there: {local.name}") from error
    if not inside or not stat.S_ISREG(found.st_mode):
        raise InvalidError(f"the source named something that is not a file of its own: {local.name}")
    return found


def _proof(local: Path, found: os.stat_result) -> str:
    current = _DESK.get()
    known: Mapping[str, tuple[os.stat_result, str]] = current.proofs if current else {}
    taken, sha256 = known.get(str(local), (None, ""))
    if taken is not None and _same(taken, found):
        return sha256
    with local.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_changed(item: Staged) -> bool:
    """Say whether a file has other bytes now than those that were proven; one that a sink took has not."""
    try:
        with item.local.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return False
    return found != item.stored.sha256


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_ino, one.st_size, one.st_mtime_ns) == (other.st_ino, other.st_size, other.st_mtime_ns)
