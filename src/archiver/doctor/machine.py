"""Looks at this machine: versions, room on disks, text encoding, proxies, limits."""

from __future__ import annotations

import importlib.metadata
import locale
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from archiver import __version__
from archiver.config import Config
from archiver.doctor.lines import Line, bad, ok, size, warn
from archiver.doctor.shade import named
from archiver.utf8 import USE_UTF8, foreign_encoding

#: What the program cannot do without, as their distributions are called.
PACKAGES = (
    "click", "pluggy", "httpx", "pydantic", "PyYAML", "boto3", "pillow", "pypdfium2", "lxml", "python-pptx",
    "img2pdf", "trafilatura", "warcio",
)  # fmt: skip
#: Bytes: less room than this on a disk is worth a look, and less than the other is no room to work.
LITTLE, NONE = 5_000_000_000, 200_000_000
#: Open files: each of 64 jobs may hold several files and connections.
FILES = 1024
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def versions() -> Iterator[Line]:
    """Name the versions of the program, of Python and of what it stands on."""
    where = "an environment of its own" if sys.prefix != sys.base_prefix else "the system's Python"
    yield ok("program", f"event-archiver {__version__}, in {where}")
    yield ok("python", f"{platform.python_implementation()} {platform.python_version()}")
    yield ok("platform", f"{platform.system()} {platform.release()}, {platform.machine()}")
    found = {name: version(name) for name in PACKAGES}
    yield ok("packages", ", ".join(f"{name} {number}" for name, number in found.items() if number))
    missing = [name for name, number in found.items() if not number]
    if missing:
        hint = "install the program again: pip install --force-reinstall event-archiver"
        yield bad("packages", f"missing: {', '.join(missing)}", hint)


def version(name: str) -> str:
    """Give the version of an installed distribution; "" when there is none."""
    try:
        return importlib.metadata.version(name)
    except Exception:  # noqa: BLE001  # broken metadata may raise anything
        return ""


def text() -> Iterator[Line]:
    """Look whether names and titles in any script come through."""
    names, output = sys.getfilesystemencoding(), getattr(sys.stdout, "encoding", None) or "unknown"
    told = f"file names {names}, output {output}, preferred {locale.getpreferredencoding(False)}"
    if foreign_encoding():
        yield bad("encoding", told, f"{USE_UTF8}; until then no command touches the archive")
    elif output.lower().replace("-", "") != "utf8":
        yield warn("encoding", told, "set PYTHONUTF8=1 to see titles in other scripts as they are")
    else:
        yield ok("encoding", told)


def proxies(environ: Mapping[str, str]) -> Iterator[Line]:
    """Name the proxy variables that are set, never their values."""
    found = sorted(name for name, value in environ.items() if name.upper() in _PROXIES and value)
    yield ok("proxies", f"variables set: {named(found)}")


def files() -> Iterator[Line]:
    """Look how many files and connections may be open at once."""
    try:
        import resource
    except ImportError:  # Windows has no such limit to speak of
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    told = "no limit" if soft == resource.RLIM_INFINITY else f"{soft:,}"
    if soft != resource.RLIM_INFINITY and soft < FILES:
        most = "no limit" if hard == resource.RLIM_INFINITY else f"{hard:,}"
        yield warn(
            "open files", f"at most {told} (allowed: {most})", f"raise it before a run: ulimit -n {FILES}"
        )
    else:
        yield ok("open files", f"at most {told}")


def staging(config: Config | None) -> Iterator[Line]:
    """Look at the room where files lie until they are stored."""
    place = config.archive.staging if config else None
    if place is None and config and any(getattr(spec.options, "path", None) for spec in config.sinks):
        yield ok("staging", "files wait inside the sink on this machine")
        return
    hint = "free some space there, or name another directory as `staging` under `archive`"
    yield room("staging", place or Path(tempfile.gettempdir()), hint)


def room(subject: str, place: Path, hint: str) -> Line:
    """Look how much room there is at a place, which need not exist yet."""
    there = place
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        usage = shutil.disk_usage(there)
    except OSError as error:
        return bad(subject, f"the room at {place} cannot be told: {error.strerror}", hint)
    told = f"{size(usage.free)} free of {size(usage.total)} at {place}"
    if not os.access(there, os.W_OK):
        return bad(subject, f"{place} cannot be written", hint)
    if usage.free < NONE:
        return bad(subject, told, hint)
    return warn(subject, told, hint) if usage.free < LITTLE else ok(subject, told)
