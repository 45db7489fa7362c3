"""The source: where options, listing and fetching meet."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from archiver import api
from archiver_plugins.video.addresses import recording_at
from archiver_plugins.video.options import VideoEntry, VideoOptions
from archiver_plugins.video.remembered import Remembered
from archiver_plugins.video.settings import Tools, parameters
from archiver_plugins.video.tools import find_tools

if TYPE_CHECKING:
    from archiver_plugins.video.engine import Engine

MAX_COOKIES: Final = 4 << 20
_COOKIES: Final = ("# HTTP Cookie File", "# Netscape HTTP Cookie File")


class Video(api.Source[VideoOptions, VideoEntry]):
    """Recordings from video sites, channels and players on web pages, with subtitles and chapters.

    Entries name videos, playlists and channels by address. An id is the site's and the video's there,
    `youtube:dQw4w9WgXcQ`, or the address where a site has none.
    """

    type_name = "video"
    options_class = VideoOptions
    entry_class = VideoEntry
    max_fetches = 2

    def __init__(self, options: VideoOptions, context: api.Context) -> None:
        super().__init__(options, context)
        self._lock = threading.Lock()
        self._tools: Tools | None = None
        #: Making one costs as much as fetching a short film; each is one thread's at a time.
        self._idle: list[Engine] = []
        self._remembered = Remembered()

    def discover(
        self, scope: api.Scope[VideoEntry], cursor: str
    ) -> Iterator[api.Material | api.Unavailable | api.Checkpoint]:
        """List the videos of all entries; a list is read no further than the scope's limit."""
        del cursor  # sites offer nothing to go on from
        with self._engine() as engine:
            from archiver_plugins.video.listing import Listing

            listing = Listing(engine, self.options, self._remembered)
            yield from api.list_entries(scope, lambda entry: listing.all(entry.options.addresses))

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched | api.Material]:
        """Get the best film within the bounds, its subtitles, a thumbnail, chapters and description."""
        with self._engine(into) as engine:
            from archiver_plugins.video.fetching import Fetching

            yield from Fetching(engine, self.options, self.context, self.tools, into, self._remembered).of(
                material
            )

    def entry_for(self, url: str) -> Mapping[str, object] | None:
        """Take the pages and players of single recordings, and the pages of the site at `public_url`."""
        site = self.options.public_url
        if site and url.startswith(f"{site}/"):
            return {"url": url}
        address = recording_at(url)
        return {"url": address} if address else None

    def check(self) -> None:
        """Raise when the file of cookies cannot be used."""
        self._cookies()

    @property
    def tools(self) -> Tools:
        """Give the programs of this machine; the first look says when ffmpeg is missing."""
        with self._lock:
            if self._tools is None:
                self._tools = find_tools()
                if not self._tools.ffmpeg:
                    self.context.log.warning(
                        "ffmpeg was not found: of each recording the best copy is taken that has picture and "
                        "sound in one file. Install ffmpeg, or the extra `ffmpeg`, for the best there is."
                    )
            return self._tools

    def close(self) -> None:
        """Let go of what waits for the next fetch."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _engine(self, into: Path | None = None) -> Iterator[Engine]:
        try:
            engine = self._idle.pop()  # one step: no other thread can take the same
        except IndexError:
            engine = self._made()
        engine.aim(into)
        try:
            yield engine
        finally:
            engine.rest()
            self._idle.append(engine)

    def _made(self) -> Engine:
        from archiver_plugins.video.engine import Engine
        from archiver_plugins.video.log import Log

        settings = parameters(self.options, self.tools, cookies=self._cookies())
        twin = (self.options.base_url, self.options.public_url)
        return Engine(settings, self.context.http, Log(self.context.log), twin)

    def _cookies(self) -> str:
        """Read the file of cookies. Raises `ConfigError`, without a word of what it holds."""
        if not self.options.cookies_file:
            return ""
        path = self.context.folder / Path(self.options.cookies_file).expanduser()
        if path.exists() and not path.is_file():  # a pipe would be waited for without end
            raise api.ConfigError(f"the cookies_file {path} is no plain file", hint="correct `cookies_file`")
        try:
            with path.open(encoding="utf-8") as file:
                content = file.read(MAX_COOKIES)
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise api.ConfigError(
                f"the cookies_file {path} cannot be read: {why}",
                hint="save the cookies of a logged-in browser there, in the Netscape format",
            ) from error
        if not content.startswith(_COOKIES):
            raise api.ConfigError(
                f"the cookies_file {path} is not in the Netscape format",
                hint=f"its first line must be {_COOKIES[1]!r}; browser extensions write such files",
            )
        return content
