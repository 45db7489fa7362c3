"""What a child process may not do, whatever a crafted file makes of it: talk, start programs, change files.

The kernel refuses these calls for good (seccomp, Linux 3.5 and later); the decoders need none of them.
Where there is no such kernel, or none of a known kind, the limits of memory, time and output stay.

Facts: seccomp(2), Documentation/userspace-api/seccomp_filter.rst, and the tables of system calls of
Linux for both processors (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h).
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_NO_NEW_PRIVILEGES: Final = 38
_SET_SECCOMP: Final = 22
_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_ERROR: Final = 0x00050000
# Instructions: load a word, compare, test bits, return.
_LOAD, _EQUAL, _BITS, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
#: Offsets in what a filter sees: number of the call, processor, low words of the arguments.
_NUMBER, _PROCESSOR, _ARGUMENTS = 0, 4, 16
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_THREAD: Final = 0x10000


@dataclass(frozen=True)
class _Machine:
    """One processor's numbers: calls refused, and those that depend on an argument (call, its place)."""

    audit: int
    refused: tuple[int, ...]
    opening: tuple[tuple[int, int], ...]
    clone: int
    limit: int
    #: Calls from here on belong to another way of calling; 0 for none.
    foreign: int = 0


# Of every kind of processor: io_uring_setup, pidfd_send_signal, pidfd_getfd, openat2, fchmodat2.
_COMMON: Final = (425, 424, 438, 437, 452)
_CLONE3: Final = 435
_MACHINES: Final = {
    "x86_64": _Machine(
        0xC000003E,
        (
            41, 42, 44, 46, 49, 50, 53, 307,  # socket, connect, sendto, sendmsg, bind, listen, …
            57, 58, 59, 322, 62, 101, 310, 311,  # fork, vfork, execve, execveat, kill, ptrace, …
            76, 77, 82, 83, 84, 85, 86, 87, 88, 90, 91, 92, 93, 94, 133, 165,  # truncate, rename, mkdir, …
            188, 189, 190, 197, 198, 199, 235, 132, 280, 285,  # setxattr, removexattr, utimes, fallocate, …
            258, 259, 260, 261, 263, 264, 265, 266, 268, 316, *_COMMON,  # the same by directory
        ),
        ((2, 1), (257, 2)), 56, 302, 0x40000000,
    ),
    "aarch64": _Machine(
        0xC00000B7,
        (
            198, 199, 200, 201, 203, 206, 211, 269, 221, 281, 129, 117, 270, 271,
            5, 6, 7, 14, 15, 16, 33, 34, 35, 36, 37, 38, 40, 45, 46, 47, 52, 53, 54, 55, 88, 276, *_COMMON,
        ),
        ((56, 2),), 220, 261,
    ),
}  # fmt: skip


def confine(memory: int, files: int) -> bool:
    """Bind this process, for good: `memory` in bytes, open `files`, nothing written, nothing started.

    Return whether the kernel took the refusals; the limits hold in any case. Call it before any thread
    is started.
    """
    for what, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),  # it reads, and writes nothing
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, files),
    ):
        _limit(what, value)
    machine = _MACHINES.get(os.uname().machine) if os.uname().sysname == "Linux" else None
    return machine is not None and _refuse(b"".join(_program(machine)))


def _limit(what: int, value: int) -> None:
    """Lower a limit so that this process cannot raise it again."""
    _, most = resource.getrlimit(what)
    value = value if most == resource.RLIM_INFINITY else min(value, most)
    resource.setrlimit(what, (value, value))


def _program(machine: _Machine) -> Iterator[bytes]:
    """Write the filter: it is asked at each call of the system, and the first answer counts."""
    yield _step(_LOAD, _PROCESSOR)
    yield _step(_EQUAL, machine.audit, yes=1)
    yield _step(_RETURN, _KILL)
    yield _step(_LOAD, _NUMBER)
    if machine.foreign:
        yield from _answer(_AT_LEAST, machine.foreign, errno.EPERM)
    for number in machine.refused:
        yield from _answer(_EQUAL, number, errno.EPERM)
    # The C library then makes its threads by the older call, whose argument can be seen.
    yield from _answer(_EQUAL, _CLONE3, errno.ENOSYS)
    for number, place in machine.opening:
        yield from _depending(number, place, _WRITING, refused_when_set=True)
    yield from _depending(machine.clone, 0, _THREAD, refused_when_set=False)
    yield from _depending(machine.limit, 0, 0xFFFFFFFF, refused_when_set=True)  # of another process
    yield _step(_RETURN, _ALLOW)


def _answer(test: int, value: int, error: int) -> Iterator[bytes]:
    yield _step(test, value, no=1)
    yield _step(_RETURN, _ERROR | error)


def _depending(number: int, place: int, bits: int, *, refused_when_set: bool) -> Iterator[bytes]:
    yield _step(_EQUAL, number, no=4)
    yield _step(_LOAD, _ARGUMENTS + 8 * place)
    yield _step(_BITS, bits, yes=int(not refused_when_set), no=int(refused_when_set))
    yield _step(_RETURN, _ERROR | errno.EPERM)
    yield _step(_RETURN, _ALLOW)


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def _refuse(steps: bytes) -> bool:
    library = ctypes.CDLL(None, use_errno=True)
    filtering = _Filter(len(steps) // 8, steps)
    if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return bool(library.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(filtering), 0, 0) == 0)
