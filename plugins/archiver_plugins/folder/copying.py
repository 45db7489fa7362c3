"""Copying one file into the staging directory: bounded memory, no way out of the folder, no half copies."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archiver import api

_CHUNK = 8 << 20
# The kernel cannot copy between these two files by itself: read and write instead.
_BY_HAND = frozenset({errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF, errno.EPERM})
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Original:
    """A listed file: the source's folder, its path below as on the disk, and whether a link led there."""

    root: Path
    path: str
    linked: bool


def copy(original: Original, target: Path, material: api.Material, progress: api.Progress) -> None:
    """Copy a file that is the one that was listed, and that nobody is writing.

    Raises `GoneError`, `BlockedError` (not readable), `InvalidError` (no longer a plain file inside the
    folder) and `TransientError` (changed since the listing, or while it was copied).
    """
    with _opened(original, material.id) as source:
        before = os.fstat(source)
        if not stat.S_ISREG(before.st_mode):
            raise api.InvalidError(f"{material.id!r} is no plain file any more")
        if material.revision and material.revision != f"{before.st_size}-{before.st_mtime_ns}":
            raise _busy(material.id, "since it was listed")
        out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            copied = _transfer(source, out, before.st_size, progress, material.id)
        finally:
            os.close(out)
        after = os.fstat(source)
        if (copied, after.st_size, after.st_mtime_ns) != (before.st_size, before.st_size, before.st_mtime_ns):
            raise _busy(material.id, "while it was read")


def _busy(identity: str, when: str) -> api.TransientError:
    return api.TransientError(
        f"{identity!r} changed {when}: it is probably still being copied",
        hint="the next run takes it once it is finished",
    )


@contextmanager
def _opened(original: Original, identity: str) -> Iterator[int]:
    try:
        handle = _open_below(original)
    except FileNotFoundError as error:
        _still_there(original.root)
        raise api.GoneError(f"{identity!r} is no longer there") from error
    except PermissionError as error:
        raise api.BlockedError(
            f"{identity!r} may not be read", hint="give yourself the right to read it"
        ) from error
    except OSError as error:
        # ELOOP, ENOTDIR, ENXIO: a link, a file or a socket stands where a folder or the file was.
        raise api.InvalidError(
            f"{identity!r} is no plain file any more: {error.strerror}", hint="list it again"
        ) from error
    try:
        yield handle
    finally:
        os.close(handle)


def _still_there(root: Path) -> None:
    if not root.is_dir():
        raise api.TransientError(f"the folder {root} vanished", hint="is the disk still mounted?")


def _open_below(original: Original) -> int:
    """Open step by step from the root, following no link that appears on the way."""
    root, names = original.root, original.path.split("/")
    if original.linked:
        # It was listed through a link: where that leads now must still be inside.
        root = Path(os.path.realpath(root))
        real = Path(os.path.realpath(original.root / original.path))
        if not real.is_relative_to(root):
            raise OSError(errno.ELOOP, "it leads out of the folder")
        names = list(real.relative_to(root).parts)
    if any(name in {"", ".", ".."} for name in names):
        raise OSError(errno.EINVAL, "its path leads out of the folder")
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for name in names[:-1]:
        handle = _step(handle, name, os.O_DIRECTORY)
    # Without O_NONBLOCK a pipe put in the file's place would hold us for ever.
    return _step(handle, names[-1], os.O_NONBLOCK)


def _step(handle: int, name: str, flags: int) -> int:
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=handle)
    finally:
        os.close(handle)


def _transfer(source: int, out: int, size: int, progress: api.Progress, identity: str) -> int:
    """Copy `size` bytes; fewer when the file ends before. Lets a full staging disk speak for itself."""
    done = 0
    step = _in_kernel if hasattr(os, "copy_file_range") else _by_hand
    try:
        while done < size:
            try:
                count = step(source, out, min(_CHUNK, size - done))
            except OSError as error:
                if step is _by_hand or error.errno not in _BY_HAND:
                    raise
                step = _by_hand
                continue
            if not count:
                break
            done += count
            progress(count, size)
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise
        raise api.TransientError(
            f"{identity!r} could not be read: {error.strerror}", hint="is the disk still mounted and healthy?"
        ) from error
    return done


def _in_kernel(source: int, out: int, count: int) -> int:
    """Let the kernel copy: no bytes pass through here, and file systems that can share them do."""
    return os.copy_file_range(source, out, count)


def _by_hand(source: int, out: int, count: int) -> int:
    data = os.read(source, min(count, 1 << 20))
    view = memoryview(data)
    while view:
        view = view[os.write(out, view) :]
    return len(data)
