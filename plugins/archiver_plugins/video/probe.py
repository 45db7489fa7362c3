"""Whether a film is whole: what ffprobe or ffmpeg sees in it, against what was announced."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from archiver import api
from archiver_plugins.video.materials import number
from archiver_plugins.video.settings import Tools

SECONDS: Final = 120
#: HLS rounds up each segment (20.039 s instead of 20), and sites round or leave out credits.
SLACK_SECONDS: Final = 5.0
SLACK: Final = 0.02
#: Of the file alone: what a playlist inside it names is not opened.
_LOCAL: Final = ("-protocol_whitelist", "file")
_DURATION: Final = re.compile(r"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a program saw in a film: duration in seconds, picture height, and kinds of streams."""

    duration: float | None
    height: int | None
    streams: tuple[str, ...]


def probe(path: Path, tools: Tools) -> Seen | None:
    """Look into a film; None when there is no program for it. Raises `InvalidError` when it is none."""
    if tools.ffprobe:
        return _ffprobe(path, tools.ffprobe)
    return _ffmpeg(path, tools.ffmpeg) if tools.ffmpeg else None


def check_duration(seen: Seen, announced: float | None) -> None:
    """Raise `InvalidError` when a film is shorter than its site says; a longer one is whole too."""
    if announced is None or seen.duration is None:
        return
    if seen.duration < announced - max(SLACK_SECONDS, announced * SLACK):
        raise api.InvalidError(
            f"The recording is cut off: {seen.duration:.0f} of {announced:.0f} seconds came",
            hint="It is tried again in the next run.",
        )


def _ffprobe(path: Path, program: str) -> Seen:
    wanted = "format=duration:stream=codec_type,height"
    done = _run([program, "-v", "error", *_LOCAL, "-of", "json", "-show_entries", wanted, str(path)])
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = None
    if done.returncode or not isinstance(found, dict) or not found.get("streams"):
        raise _unreadable(done.stderr)
    return _seen(found)


def _seen(found: dict[str, Any]) -> Seen:
    streams = [each for each in found["streams"] if isinstance(each, dict)]
    kinds = tuple(str(each.get("codec_type", "")) for each in streams)
    height = next((each["height"] for each in streams if isinstance(each.get("height"), int)), None)
    return Seen(_seconds(found.get("format", {}).get("duration")), height, kinds)


def _seconds(value: object) -> float | None:
    try:
        return number(float(str(value)))
    except ValueError:
        return None


def _ffmpeg(path: Path, program: str) -> Seen:
    """Read what ffmpeg prints of its input; without an output it ends with an error, which says nothing."""
    told = _run([program, "-hide_banner", *_LOCAL, "-i", str(path)]).stderr
    kinds = tuple(kind.lower() for kind in re.findall(r"Stream #\S+ (Video|Audio|Subtitle):", told))
    if not kinds:
        raise _unreadable(told)
    match = _DURATION.search(told)
    hours, minutes, seconds = match.groups() if match else ("0", "0", "0")
    length = number(int(hours) * 3600 + int(minutes) * 60 + float(seconds))
    size = re.search(r"Video: .*?\b\d{2,5}x(\d{2,5})\b", told)
    return Seen(length, int(size[1]) if size else None, kinds)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603  # our own program and arguments, and a path of ours
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        raise api.InvalidError(
            f"The recording could not be looked at within {SECONDS} seconds: it may be damaged"
        ) from error


def _unreadable(told: str) -> api.InvalidError:
    last = told.strip().splitlines()[-1:] or [""]
    return api.InvalidError(
        f"The recording cannot be played: {api.redact(last[0])[-200:]}",
        hint="It is tried again in the next run.",
    )
