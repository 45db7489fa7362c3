"""What went wrong with a disk, in words, and what to do about it."""

from __future__ import annotations

import errno

#: Error number → what a user can do about it.
HINTS = {
    errno.ENOSPC: "free some space on that disk and run again: what is stored stays stored",
    errno.EDQUOT: "the disk quota is used up: free some space and run again",
    errno.EFBIG: "a limit of the system or of that file system on the size of files was met: raise it",
    errno.EROFS: "that file system is mounted read-only: mount it for writing, or choose another path",
    errno.EACCES: "give the user who runs this the right to write there",
    errno.EPERM: "give the user who runs this the right to write there",
    errno.EIO: "the disk reports a hardware error: check it before you go on",
    errno.ENOTDIR: "a part of the path is a file: choose another path",
    errno.EEXIST: "a part of the path is a file: choose another path",
    errno.ELOOP: "an archive holds no symbolic links: replace it with what it points to",
    errno.EXDEV: "the whole directory must lie on one file system",
}


def hint(error: OSError) -> str:
    """Give the next step after an error of the system."""
    return HINTS.get(error.errno or 0, "see to that disk, then run again")
