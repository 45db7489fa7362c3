"""The only ways in which media are fetched: all of them through the core's guard.

By itself yt-dlp hands some streams to ffmpeg, which opens addresses that nobody has looked at.
"""

from __future__ import annotations

import re
from typing import Any, Final

from yt_dlp.downloader.common import FileDownloader
from yt_dlp.downloader.dash import DashSegmentsFD
from yt_dlp.downloader.hls import HlsFD
from yt_dlp.downloader.http import HttpFD
from yt_dlp.downloader.ism import IsmFD
from yt_dlp.networking.exceptions import RequestError

from archiver import api

#: Fragments are put together in memory, one after the other.
MAX_FRAGMENT: Final = 256 << 20
MAX_FRAGMENTS: Final = 200_000
_MAX_PLAYLIST: Final = 32 << 20


def be_silent(downloader: FileDownloader) -> None:
    """Take away the one hook that a new downloader has: it writes a line of progress for nobody to see.

    Even with `noprogress` that line is put together whenever a part of a file comes, which takes longer
    than all else that is done with the part.
    """
    downloader._progress_hooks.clear()  # noqa: SLF001  # there is no other way to take one away


class _Bounded:
    """Bounds what one fragment may take in memory, and closes the file whatever goes wrong."""

    def _prepare_frag_download(self, ctx: dict[str, Any]) -> None:
        super()._prepare_frag_download(ctx)  # type: ignore[misc]  # of FragmentFD
        # A key that cannot be had, for one, leaves it open.
        self.opened = [*getattr(self, "opened", []), ctx["dest_stream"]]
        be_silent(ctx["dl"])

    def download(self, *arguments: Any, **options: Any) -> Any:
        """Download, and leave no file open."""
        try:
            return super().download(*arguments, **options)  # type: ignore[misc]  # of FileDownloader
        finally:
            for stream in getattr(self, "opened", []):
                stream.close()

    def _read_fragment(self, ctx: dict[str, Any]) -> Any:
        name = ctx.get("fragment_filename_sanitized")
        if name and self.filesize_or_none(name) > MAX_FRAGMENT:  # type: ignore[attr-defined]  # of FileDownloader
            raise api.InvalidError(f"A fragment of the stream has more than {MAX_FRAGMENT:,} bytes")
        return super()._read_fragment(ctx)  # type: ignore[misc]  # of FragmentFD


class Hls(_Bounded, HlsFD):  # type: ignore[misc]  # yt-dlp has no types
    """HLS (RFC 8216), finished streams only."""

    def real_download(self, filename: str, info_dict: dict[str, Any]) -> bool:
        """Read the playlist here, so that what cannot be fetched is refused, not handed to ffmpeg."""
        text, url = info_dict.get("hls_media_playlist_data"), info_dict["url"]
        if not text:
            answer = self.ydl.urlopen(self._prepare_url(info_dict, url))
            text, url = _decoded(answer.read(), url), answer.url
        _check_playlist(text, url)
        if not self.can_download(text, info_dict):
            raise api.BlockedError(
                f"The stream {api.redact(url)} is encrypted for certain players only",
                hint="Ask the organizer or the speaker for the file.",
            )
        # With the playlist at hand it decrypts AES-128 by itself.
        ready = {**info_dict, "url": url, "hls_media_playlist_data": text}
        return bool(super().real_download(filename, ready)) or bool(info_dict.get("ext") == "vtt")


class Dash(_Bounded, DashSegmentsFD):  # type: ignore[misc]  # yt-dlp has no types
    """DASH (ISO/IEC 23009-1) in segments."""


def _decoded(data: bytes, url: str) -> str:
    if len(data) > _MAX_PLAYLIST:
        raise api.InvalidError(f"The playlist {api.redact(url)} has more than {_MAX_PLAYLIST:,} bytes")
    return data.decode("utf-8", "replace")


_ENDED: Final = re.compile(r"^#EXT-X-(?:ENDLIST|PLAYLIST-TYPE:\s*VOD)", re.MULTILINE)


def _check_playlist(text: str, url: str) -> None:
    if not text.lstrip("\ufeff").lstrip().startswith("#EXTM3U"):
        raise api.InvalidError(
            f"{api.redact(url)} is no playlist of a stream",
            hint="Open the address in a browser: it may need a login.",
        )
    if text.count("\n") > 4 * MAX_FRAGMENTS:
        raise api.InvalidError(f"The playlist {api.redact(url)} names more than {MAX_FRAGMENTS:,} fragments")
    if not _ENDED.search(text):
        raise still_live(api.redact(url))


def still_live(what: str) -> api.TransientError:
    """Say that a stream goes on: its recording comes with a later run."""
    return api.TransientError(
        f"{what} is being streamed", hint="It is fetched by a later run, once it is over.", retry_after=3600.0
    )


_WAYS: Final[dict[str, type[FileDownloader]]] = {
    "http": HttpFD,
    "https": HttpFD,
    "m3u8": Hls,
    "m3u8_native": Hls,
    "http_dash_segments": Dash,
    "ism": IsmFD,
}


def way_for(protocol: str) -> type[FileDownloader]:
    """Choose the downloader for a protocol. Raises a `RequestError` of yt-dlp for any other."""
    try:
        return _WAYS[protocol]
    except KeyError:
        error = api.InvalidError(
            f"The recording is only offered by {protocol[:40]!r}, which this program does not fetch",
            hint="Fetch it with another program and add the file: archive add.",
        )
        raise RequestError(str(error), cause=error) from error
