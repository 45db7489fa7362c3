"""yt-dlp, tamed: one instance for one thread, that reaches the network through the core alone."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yt_dlp
from yt_dlp import globals as yt_dlp_globals
from yt_dlp.networking.common import RequestDirector
from yt_dlp.utils import determine_protocol, unsmuggle_url

from archiver import api
from archiver_plugins.video.downloads import be_silent, way_for
from archiver_plugins.video.failures import as_source_error
from archiver_plugins.video.handler import GuardedRH, Meter
from archiver_plugins.video.log import Log
from archiver_plugins.video.settings import destination
from archiver_plugins.video.signature import check_signature

Info = dict[str, Any]

#: How often one address may lead to another before the video.
MAX_HOPS: Final = 8
_MAKING: Final = threading.Lock()


class _Tamed(yt_dlp.YoutubeDL):  # type: ignore[misc]  # yt-dlp has no types
    """yt-dlp with our requests and our downloads."""

    def __init__(self, parameters: dict[str, Any], http: api.Http, meter: Meter) -> None:
        self._http = http
        self.meter = meter
        with _MAKING:
            # Whatever lies in the plugin directories of this machine was made for another program.
            yt_dlp_globals.plugin_dirs.value = []
            super().__init__(parameters, auto_init="no_verbose_header")

    @functools.cached_property
    def _request_director(self) -> RequestDirector:
        ours = functools.partial(GuardedRH, http=self._http, meter=self.meter)
        return self.build_request_director([ours])

    def let_go(self) -> None:
        """Close the answers that were left open, and forget the hooks."""
        for handler in self._request_director.handlers.values():
            handler.close()
        self._progress_hooks.clear()

    def dl(self, name: str, info: Info, subtitle: bool = False, test: bool = False) -> Any:
        """Fetch one stream into a file. Returns whether that worked, and whether something came."""
        del test
        fetch = way_for(determine_protocol(info))(self, self.params)
        be_silent(fetch)
        for hook in self._progress_hooks:
            fetch.add_progress_hook(hook)
        ready = self._copy_infodict(info)
        if ready.get("http_headers") is None:
            ready["http_headers"] = self._calc_headers(ready)
        done = fetch.download(name, ready, subtitle)
        if done[0] and not subtitle:
            check_signature(Path(name))
        return done


class Engine:
    """What the source asks of yt-dlp. Every error that leaves it is a `SourceError`.

    `twin` is a base address and the public one that it stands in for: errors name the latter, because
    they are kept in the archive.
    """

    def __init__(
        self, parameters: dict[str, Any], http: api.Http, log: Log, twin: tuple[str, str] = ("", "")
    ) -> None:
        self.meter = Meter()
        self._log = log
        self._twin = twin
        self._ydl = _Tamed({**parameters, "logger": log}, http, self.meter)

    def close(self) -> None:
        """Let go of what it holds."""
        self._ydl.close()

    def aim(self, into: Path | None) -> None:
        """Begin a use: what is fetched goes into this directory, and nowhere without one."""
        self._ydl.params.update(destination(into))
        self.meter.begin()
        self._log.last = ""

    def rest(self) -> None:
        """End a use: nothing of it stays open, nobody hears of the next."""
        self._ydl.let_go()

    @contextmanager
    def guarded(self, what: str) -> Iterator[None]:
        """Turn whatever yt-dlp raises inside into a `SourceError` about `what`."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # extractors raise KeyError and worse when a site changes
            told = as_source_error(
                error, what, self._log.last, login=self.meter.login, failed=self.meter.failed
            )
            if all(self._twin):
                told.message = told.message.replace(*self._twin)
            raise told from (error if told is not error and told.__cause__ is None else told.__cause__)

    def list(self, url: str) -> Info:
        """Look at an address without resolving what it lists: `entries` is lazy and may raise anything."""
        found: Info = {"_type": "url", "url": url}
        with self.guarded(unsmuggle_url(url)[0]):
            for _ in range(MAX_HOPS):
                if found.get("_type", "video") not in {"url", "url_transparent"}:
                    return found
                found = self._step(found)
        raise api.InvalidError(
            f"{api.redact(url)} leads from one address to the next more than {MAX_HOPS} times",
            hint="Open it in a browser and copy the address that it ends at.",
        )

    def _step(self, outer: Info) -> Info:
        inner = self._ydl.extract_info(
            outer["url"], download=False, process=False, ie_key=outer.get("ie_key")
        )
        if not inner:
            raise api.InvalidError(f"Nothing was found at {api.redact(outer['url'])}")
        if outer.get("_type") != "url_transparent":
            return dict(inner)
        # What the page around a player says of it counts for more than what the player says.
        kept = {k: v for k, v in outer.items() if v is not None and k not in _OF_THE_STEP}
        return {**inner, **kept}

    def look(self, url: str) -> Info:
        """Find all about a video, formats chosen, nothing fetched; a list of videos comes whole."""
        with self.guarded(unsmuggle_url(url)[0]):
            found = self._ydl.extract_info(url, download=False)
        if not found:
            raise api.InvalidError(f"Nothing was found at {api.redact(url)}")
        return dict(found)

    def complete(self, found: Info, url: str) -> Info:
        """Choose the formats of a video that `list` saw, as `look` does, without asking for it again."""
        with self.guarded(unsmuggle_url(url)[0]):
            return dict(self._ydl.process_ie_result(found, download=False))

    def fetch(self, info: Info) -> Path:
        """Fetch the film of a video that was looked at, into the directory of this instance."""
        # Subtitles are fetched one by one: it would name their files by what a site calls a language.
        job = {**info, "requested_subtitles": None}
        with self.guarded(str(info.get("webpage_url") or info.get("id"))):
            self._ydl.process_info(job)
        if not job.get("filepath"):
            raise api.InvalidError(
                f"{info.get('title')!r} was not fetched, and nothing said why", hint="Run again with -v."
            )
        return Path(str(job["filepath"]))

    def fetch_subtitle(self, subtitle: Info, path: Path) -> None:
        """Fetch one subtitle file."""
        with self.guarded(f"subtitle {path.name}"):
            done, _ = self._ydl.dl(str(path), subtitle, subtitle=True)
        if not done or not path.is_file():
            raise api.InvalidError(f"The subtitle {path.name} did not come")

    def hear(self, hook: Any) -> None:
        """Call `hook` with yt-dlp's progress."""
        self._ydl.add_progress_hook(hook)

    def identify(self, url: str) -> tuple[str, str]:
        """Name the site's extractor and the id of a video from its address alone; empty when unknown."""
        for key, extractor in self._ydl._ies.items():  # noqa: SLF001  # there is no other list of them
            if key != "Generic" and extractor.suitable(url):
                return key, str(extractor.get_temp_id(url) or "")
        return "", ""

    def is_list(self, key: str, url: str) -> bool:
        """Say whether an address of this extractor is certainly no single video."""
        extractor = self._ydl._ies.get(key)  # noqa: SLF001  # likewise
        return extractor is not None and extractor.is_single_video(url) is False


_OF_THE_STEP: Final = frozenset({"_type", "url", "ie_key", "id", "extractor", "extractor_key"})
