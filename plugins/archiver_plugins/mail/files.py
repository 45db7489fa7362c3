"""Message files: .eml, mbox and Maildir, read in place and never changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from archiver import api
from archiver_plugins.mail import headers, mbox, scan
from archiver_plugins.mail import letter as letters
from archiver_plugins.mail.head import Head, read_head
from archiver_plugins.mail.letter import Letter
from archiver_plugins.mail.parts import Part
from archiver_plugins.mail.window import Window

#: Folders in folders that are looked into.
_MAX_DEPTH: Final = 20
_FOLDERS_OF_MAILDIR: Final = ("cur", "new")

Wanted = Callable[[Head], bool]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message lies: `root` is one of the configured paths, `name` the file below it.

    `start` and `end` are offsets in an mbox; a file of one message has none.
    """

    root: str
    name: str = ""
    start: int = 0
    end: int | None = None

    def extra(self) -> dict[str, str]:
        """Give what a fetch needs to find it again."""
        found = {"root": self.root, "file": self.name}
        return found | ({"at": f"{self.start}-{self.end}"} if self.end is not None else {})


def read_all(folder: Path, roots: Sequence[str], wanted: Wanted) -> Iterator[Letter]:
    """Read the messages under all paths, one after the other; `wanted` decides by the header.

    Raises `FatalError` when a path is not there and `BlockedError` when it may not be read.
    """
    for root, name in _everywhere(folder, roots):
        yield from _in_file(folder, root, name, wanted)


def _everywhere(folder: Path, roots: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name all message files: the configured path, and the file below it."""
    for root in roots:
        yield from ((root, name) for name in sorted(_files(folder / Path(root).expanduser(), root)))


def check(folder: Path, roots: Sequence[str]) -> None:
    """Raise when a path is not there."""
    for root in roots:
        next(_files(folder / Path(root).expanduser(), root), None)


def _files(top: Path, root: str) -> Iterator[str]:
    """Name the message files below a path, "" for the path itself; links are not followed."""
    try:
        if not stat.S_ISDIR(top.stat().st_mode):
            yield ""
            return
        yield from _walk(top, "", 0)
    except PermissionError as error:
        raise api.BlockedError(
            f"The mail under {root!r} may not be read", hint="Give yourself the right to read it."
        ) from error
    except OSError as error:
        raise api.FatalError(
            f"There is no mail under {root!r}: {error.strerror}", hint="Correct `paths`, or mount the disk."
        ) from error


def _walk(folder: Path, prefix: str, depth: int) -> Iterator[str]:
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    is_maildir = any(entry.name == "cur" and entry.is_dir(follow_symlinks=False) for entry in listed)
    for entry in listed:
        name = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            if is_maildir and entry.name in _FOLDERS_OF_MAILDIR:
                yield from _of_maildir(Path(entry.path), f"{name}/")
            elif depth < _MAX_DEPTH and entry.name != "tmp":
                yield from _walk(Path(entry.path), f"{name}/", depth + 1)
        elif entry.is_file(follow_symlinks=False) and _is_mail(Path(entry.path)):
            yield name


def _of_maildir(folder: Path, prefix: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False) and not entry.name.startswith("."):
                yield prefix + entry.name


def _is_mail(path: Path) -> bool:
    if path.suffix.lower() == ".eml":
        return True
    try:
        with path.open("rb") as stream:
            return mbox.is_mbox(stream.read(600))
    except OSError:
        return False


@contextmanager
def _opened(path: Path, shown: str) -> Iterator[Window]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise api.GoneError(f"The mail file {shown!r} is not there any more") from error
    except OSError as error:
        raise api.BlockedError(
            f"The mail file {shown!r} cannot be read: {error.strerror}",
            hint="Give yourself the right to read it.",
        ) from error
    with os.fdopen(handle, "rb", buffering=0) as stream:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise api.InvalidError(f"{shown!r} is no plain file", hint="Correct `paths`.")
        yield Window(stream, 0, status.st_size)


def _in_file(folder: Path, root: str, name: str, wanted: Wanted) -> Iterator[Letter]:
    path = folder / Path(root).expanduser() / name if name else folder / Path(root).expanduser()
    try:
        with _opened(path, name or root) as window:
            for place in _places(window, root, name):
                quoted = place.end is not None
                letter = letter_in(_part_of(window, place), place.extra(), wanted, quoted=quoted)
                if letter is not None:
                    yield letter
    except api.GoneError:
        return  # moved from new/ to cur/ by a mail program, or deleted, since the folder was listed


def _places(window: Window, root: str, name: str) -> Iterator[Place]:
    if not mbox.is_mbox(window.line(window.start)):
        yield Place(root, name)
        return
    for start, end in mbox.messages(window):
        yield Place(root, name, start, end)


def _part_of(window: Window, place: Place) -> Window:
    return window if place.end is None else window.part(place.start, place.end)


def letter_in(
    window: Window,
    place: Mapping[str, str],
    wanted: Wanted,
    *,
    quoted: bool,
    read: Callable[[bytes], Head] = read_head,
) -> Letter | None:
    """Read the message that fills the window; None when it is not wanted.

    `quoted` says that "From " at the beginning of a line has a `>` before it.
    """
    block, _ = scan.header_block(window, window.start, headers.MAX_BLOCK)
    head = read(block)
    if not head.fields or head.is_answered_by_machine or not wanted(head):
        return None
    letter = Letter(head, place=place)
    if len(block) >= headers.MAX_BLOCK:
        return replace(letter, problem=_too_long())
    try:
        return _looked_into(letter, window, quoted=quoted)
    except api.InvalidError as error:
        return replace(letter, problem=error)


def _too_long() -> api.InvalidError:
    return api.InvalidError(
        f"its header is longer than {headers.MAX_BLOCK >> 20} MiB",
        hint="Look at it in a mail program, and add by hand what it holds.",
    )


def _looked_into(letter: Letter, window: Window, *, quoted: bool) -> Letter:
    parts: list[Part] = []
    texts: dict[str, bytes] = {}
    for part in scan.parts_of(window):
        parts.append(part)
        if part.is_wrapped_message:
            with letters.unwrapped(window.chunks(part.start, part.end), part.encoding) as inner:
                found, more = letters.inside(inner, part.number)
                parts += found
                texts |= more
    for part in letters.readable(parts):
        if not part.wrapped:
            texts[part.number] = letters.beginning(_raw(window, part, quoted=quoted), part.encoding)
    return replace(letter, parts=tuple(parts), texts=texts)


def _raw(window: Window, part: Part, *, quoted: bool) -> Iterator[bytes]:
    pieces = window.chunks(part.start, part.end)
    return mbox.unquoted(pieces) if quoted and part.encoding != "base64" else pieces


@dataclass(frozen=True)
class Found:
    """A message found again: its header, and its parts read from the open file."""

    head: Head
    window: Window
    quoted: bool

    def parts(self) -> list[Part]:
        """List the parts."""
        return list(scan.parts_of(self.window))

    def pieces(self, number: str) -> Iterator[bytes]:
        """Read a part, still encoded. Raises `InvalidError` when there is none of that number."""
        for part in scan.parts_of(self.window):
            if part.number == number:
                return _raw(self.window, part, quoted=self.quoted)
        raise api.InvalidError(f"The message <{self.head.key}> has no part {number} any more")


@contextmanager
def find_again(folder: Path, material: api.Material, roots: Sequence[str]) -> Iterator[Found]:
    """Open the message of a material, also where a mail program moved or renamed it since.

    Raises `GoneError` when no file under the configured paths holds it any more.
    """
    extra = material.extra
    root, name = extra.get("root", ""), extra.get("file", "")
    if root in roots:
        for each in _likely_names(folder / Path(root).expanduser(), name):
            with _matching(folder, root, each, material) as found:
                if found is not None:
                    yield found
                    return
    for top, each in _everywhere(folder, roots):
        with _matching(folder, top, each, material) as found:
            if found is not None:
                yield found
                return
    raise api.GoneError(
        f"The message <{extra.get('message_id', '?')}> is in no file under {', '.join(roots)} any more",
        hint="Put the file back, or waive the item.",
    )


def _likely_names(top: Path, name: str) -> Iterator[str]:
    """Name the file, then what a mail program may have made of it: flags changed, moved from new to cur."""
    if (top / name).is_file() and _is_inside(name):
        yield name
    unflagged, colon, _ = name.partition(":2,")
    head, _, base = unflagged.rpartition("/")
    if not colon and not head.endswith("new"):
        return
    for folder in _FOLDERS_OF_MAILDIR:
        parent = f"{head.rpartition('/')[0]}/{folder}".lstrip("/")
        if (top / parent).is_dir() and _is_inside(parent):
            yield from (
                f"{parent}/{each.name}" for each in (top / parent).iterdir() if each.name.startswith(base)
            )


def _is_inside(name: str) -> bool:
    return ".." not in Path(name).parts and not Path(name).is_absolute()


@contextmanager
def _matching(folder: Path, root: str, name: str, material: api.Material) -> Iterator[Found | None]:
    top = folder / Path(root).expanduser()
    with ExitStack() as stack:
        try:
            window = stack.enter_context(_opened(top / name if name else top, name or root))
        except api.GoneError:
            window = None
        yield next(_matches(window, root, name, material), None) if window else None


def _matches(window: Window, root: str, name: str, material: api.Material) -> Iterator[Found]:
    start, _, end = material.extra.get("at", "").partition("-")
    first = [Place(root, name, int(start), int(end))] if start.isdigit() and end.isdigit() else []
    for place in (*first, *_places(window, root, name)):
        if place.end is not None and place.end > window.end:
            continue
        part = _part_of(window, place)
        head = read_head(scan.header_block(part, part.start, headers.MAX_BLOCK)[0])
        if head.identity == material.extra.get("key"):
            yield Found(head, part, quoted=place.end is not None)
