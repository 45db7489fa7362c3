"""Every option that yt-dlp runs with, and the environment it must not look at."""

from __future__ import annotations

import copy
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from archiver_plugins.video.options import VideoOptions

#: Media that our downloads can fetch through the guard; no RTMP, no sockets, nothing that needs ffmpeg.
PROTOCOLS: Final = "^(https?|m3u8|m3u8_native|http_dash_segments|ism)$"

#: The same for every use. As a library yt-dlp reads no configuration file, and retries nothing by itself.
FIXED: Final[Mapping[str, Any]] = MappingProxyType(
    {
        # Say everything to our logger, and nothing to the terminal.
        "quiet": True,
        "noprogress": True,
        "no_warnings": False,
        "color": "never",
        # Fail where it would go on without a part.
        "ignoreerrors": False,
        "skip_unavailable_fragments": False,
        "allow_unplayable_formats": False,
        "ignore_no_formats_error": False,
        # Few retries here: the next run tries again.
        "retries": 3,
        "fragment_retries": 3,
        "extractor_retries": 2,
        "file_access_retries": 0,
        "socket_timeout": 30,
        # Only what is asked for, and only into the directory of the fetch.
        "cachedir": False,
        "overwrites": True,
        "continuedl": False,
        "updatetime": False,
        "noplaylist": False,
        "writeinfojson": False,
        "writethumbnail": False,
        "writedescription": False,
        "restrictfilenames": True,
        "windowsfilenames": True,
        # One connection at a time, never an outside program for fetching, no remote code.
        "concurrent_fragment_downloads": 1,
        "external_downloader": None,
        "hls_prefer_native": True,
        "hls_use_mpegts": False,
        "enable_file_urls": False,
        "usenetrc": False,
        "cookiesfrombrowser": None,
        "nocheckcertificate": False,
        "legacyserverconnect": False,
        "impersonate": None,
        "proxy": "",
        "geo_bypass": False,
        "geo_verification_proxy": None,
        "remote_components": (),
        "js_runtimes": {"deno": {}},
        "live_from_start": False,
        "wait_for_video": None,
        "postprocessors": (),
        "fixup": "detect_or_warn",
        "check_formats": None,
        "dynamic_mpd": True,
        "extractor_args": {},
    }
)


@dataclass(frozen=True, slots=True)
class Tools:
    """Programs on this machine that look into media; empty when there is none."""

    ffmpeg: str = ""
    ffprobe: str = ""


def parameters(options: VideoOptions, tools: Tools, *, cookies: str = "") -> dict[str, Any]:
    """Compose the options of one instance, which writes nothing until it is told where."""
    chosen: dict[str, Any] = {
        "format": film_format(options.max_height, merging=bool(tools.ffmpeg)),
        "sleep_interval_requests": options.pause,
        "ratelimit": int(options.rate) if options.rate else None,
        # A directory without ffmpeg: yt-dlp would look along the path by itself.
        "ffmpeg_location": tools.ffmpeg or str(Path(__file__).parent),
        "cookiefile": io.StringIO(cookies) if cookies else None,
        "writesubtitles": bool(options.subtitles),
        "writeautomaticsub": options.automatic_subtitles,
        "subtitleslangs": subtitle_languages(options.subtitles),
        "subtitlesformat": "vtt/srt/best",
        "outtmpl": {"default": "film.%(ext)s"},
        **destination(None),
    }
    return copy.deepcopy(dict(FIXED)) | chosen  # yt-dlp writes into them


def destination(into: Path | None) -> dict[str, Any]:
    """Compose the options that say where to write; nowhere without a directory."""
    paths = {"home": str(into), "temp": str(into)} if into else {}
    return {"paths": paths, "simulate": into is None, "skip_download": into is None}


def film_format(max_height: int | None, *, merging: bool) -> str:
    """Write yt-dlp's rule for the best film: whole, within a height if there is one, else the smallest.

    Without `merging`, picture and sound must come as one file.
    """
    plain = f"[protocol~='{PROTOCOLS}']"
    bound = f"[height<=?{max_height}]{plain}" if max_height else plain
    best = [f"bv*{bound}+ba{plain}"] if merging else []
    best.append(f"b{bound}")
    if max_height:
        best += [f"wv*{plain}+ba{plain}"] if merging else []
        best.append(f"w{plain}")
    # A recording of sound alone, and films of which nobody says whether they have sound.
    return "/".join([*best, f"ba{plain}", *([] if not merging else [f"bv*{bound}"])])


def subtitle_languages(languages: tuple[str, ...]) -> list[str]:
    """Write yt-dlp's patterns for languages: `zh` takes zh-Hans and zh-TW too; never a chat's replay."""
    if "all" in languages:
        return ["all", "-live_chat", "-danmaku", "-rechat"]
    return [f"{language}(-.*)?" for language in languages]
