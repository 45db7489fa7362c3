"""Looks at what recordings need: ffmpeg, ffprobe, a JavaScript runtime, and a yt-dlp that is not too old."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from archiver.config import Config
from archiver.doctor.lines import Line, ok, warn
from archiver.doctor.machine import version

#: Days after which sites have likely changed under a yt-dlp; its releases come every few weeks.
OLD = 60
#: The oldest deno that yt-dlp works with (its wiki, page "EJS", 2026).
DENO = (2, 3)
_SECONDS = 10
_NUMBER = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_NEEDED = "recordings need it"


def tools(config: Config | None, today: date) -> Iterator[Line]:
    """Look at everything that the source `video` works with, quietly where nothing uses it."""
    used = config is None or any(spec.type == "video" for spec in config.sources)
    for line in (*_ffmpeg(), *_ffprobe(), *_javascript(), *_yt_dlp(today)):
        yield line if used or not line.hint else ok(line.subject, f"{line.text}; no source here uses it")


def _ffmpeg() -> Iterator[Line]:
    program = shutil.which("ffmpeg")
    if program:
        yield ok("ffmpeg", told_version(program, "-version"))
    elif version("imageio-ffmpeg"):
        yield ok("ffmpeg", f"from imageio-ffmpeg {version('imageio-ffmpeg')}")
    else:
        hint = "install ffmpeg with the system's packages, or: pip install event-archiver[ffmpeg]"
        yield warn("ffmpeg", f"not found: {_NEEDED} where picture and sound come apart", hint)


def _ffprobe() -> Iterator[Line]:
    program = shutil.which("ffprobe")
    if program:
        yield ok("ffprobe", told_version(program, "-version"))
    else:
        hint = "install ffmpeg with the system's packages: ffprobe comes with it"
        yield warn("ffprobe", "not found: recordings are looked at less closely", hint)


def _javascript() -> Iterator[Line]:
    hint = "pip install deno yt-dlp-ejs, in the environment of this program"
    program, scripts = _beside("deno"), version("yt-dlp-ejs")
    found = told_version(program, "--version") if program else "not found"
    others = [name for name in ("node", "bun", "qjs") if shutil.which(name)]
    more = f" ({', '.join(others)} is here, and is not used)" if others and not program else ""
    told = f"deno {found}{more}; yt-dlp-ejs {scripts or 'not found'}"
    number = _NUMBER.search(found)
    fresh = number is not None and (int(number[1]), int(number[2])) >= DENO
    if fresh and scripts:
        yield ok("javascript", told)
    else:
        yield warn("javascript", f"{told}: recordings from YouTube need deno 2.3 or newer, and both", hint)


def _yt_dlp(today: date) -> Iterator[Line]:
    number = version("yt-dlp")
    hint = "update it: pip install --upgrade yt-dlp"
    released = _released(number)
    if not number:
        yield warn("yt-dlp", f"not found: {_NEEDED}", hint)
    elif released is None:
        yield warn("yt-dlp", f"{number}: its age cannot be told", hint)
    elif (today - released).days > OLD:
        yield warn("yt-dlp", f"{number} is {(today - released).days} days old: sites change under it", hint)
    else:
        yield ok("yt-dlp", f"{number}, {max(0, (today - released).days)} days old")


def _released(number: str) -> date | None:
    """Read the date that a version of yt-dlp is: 2026.10.26, or 2026.10.26.123456 of a nightly."""
    try:
        year, month, day = map(int, number.split(".")[:3])
        return date(year, month, day)
    except ValueError:
        return None


def _beside(name: str) -> str:
    """Find a program on the path, or beside this Python, where pip puts it."""
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent)) or ""


def told_version(program: str, option: str) -> str:
    """Ask a program for its version; what it says instead when it says none."""
    try:
        done = subprocess.run(  # noqa: S603  # a program from the user's own path, with one fixed option
            [program, option],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"found, and does not run ({type(error).__name__})"
    said = (done.stdout or done.stderr).decode("utf-8", "replace")
    number = re.search(r"(?:version |deno |v)(\S+)", said)
    return number[1][:60] if number else "of unknown version"
