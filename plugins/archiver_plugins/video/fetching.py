"""One material becomes files: looked at anew, fetched, and proven to be whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from archiver import api
from archiver_plugins.video.engine import Engine, Info
from archiver_plugins.video.materials import (
    Place,
    material_of,
    number,
    place_of,
    seconds_of,
    text,
    title_of,
    waiting,
)
from archiver_plugins.video.options import VideoOptions
from archiver_plugins.video.probe import Seen, check_duration, probe
from archiver_plugins.video.remembered import Remembered
from archiver_plugins.video.settings import Tools
from archiver_plugins.video.sidecars import Sidecars
from archiver_plugins.video.signature import check_signature

#: Beside what max_size allows for the film: pages, subtitles, what is fetched twice after a fault.
_ROOM: Final = 64 << 20


class Fetching:
    """Fetches one material into one directory."""

    def __init__(
        self,
        engine: Engine,
        options: VideoOptions,
        context: api.Context,
        tools: Tools,
        into: Path,
        remembered: Remembered,
    ) -> None:
        self._engine = engine
        self._remembered = remembered
        self._options = options
        self._context = context
        self._tools = tools
        self._into = into

    def of(self, material: api.Material) -> Iterator[api.Fetched | api.Material]:
        """Give the fuller material, the film and what stands beside it."""
        place = place_of(material, self._options)
        listed = self._remembered.take(place.address)
        try:
            info, film = self._info_and_film(material, place, listed)
        except api.SourceError:
            if listed is None:
                raise
            # An address of a stream may have run out since the listing: once more, from the start.
            self._clear()
            info, film = self._info_and_film(material, place, None)
        sidecars = Sidecars(self._engine, self._context, self._into)
        files = list(sidecars.of(info))
        yield _refined(material, info, place, self._options, sidecars.lost)
        yield api.Fetched(Path(film.name), _role(info), _grade(info))
        yield from files

    def _info_and_film(self, material: api.Material, place: Place, listed: Info | None) -> tuple[Info, Path]:
        found = (
            self._engine.look(place.address)
            if listed is None
            else self._engine.complete(listed, place.address)
        )
        info = self._judged(_picked(found, material, place), material, place)
        return info, self._film(info)

    def _clear(self) -> None:
        for path in self._into.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _judged(self, found: Info, material: api.Material, place: Place) -> Info:
        """Give what is known of a video when it may be fetched now; raise what speaks against it."""
        info = {**found, "title": title_of(found, place) or material.title}
        why = waiting(info)
        if why:
            raise api.TransientError(
                f"{material.title!r} {why}",
                hint="A later run fetches it, once it is over.",
                retry_after=3600.0,
            )
        _refuse_half(info, self._tools)
        expected = expected_bytes(info)
        if expected is not None and expected > self._options.max_size:
            raise api.InvalidError(
                f"{material.title!r} has {expected:,} bytes, more than the {int(self._options.max_size):,} "
                "that may be fetched",
                hint="Raise max_size of the source, or lower max_height.",
            )
        return info

    def _film(self, info: Info) -> Path:
        self._engine.meter.limit = self._engine.meter.count + int(self._options.max_size) + _ROOM
        self._engine.hear(self._progress())
        path = self._engine.fetch(info)
        if path.parent.resolve() != self._into.resolve() or not path.is_file():
            raise api.InvalidError(f"{info.get('title')!r} did not come where it should")
        check_signature(path)
        self._check_size(path, info)
        seen = probe(path, self._tools)
        if seen is not None:
            _check_streams(seen, info)
            check_duration(seen, seconds_of(info))
        return path

    def _check_size(self, path: Path, info: Info) -> None:
        size = path.stat().st_size
        if size > self._options.max_size:
            raise api.InvalidError(
                f"{info.get('title')!r} has {size:,} bytes, more than may be fetched",
                hint="Raise max_size of the source, or lower max_height.",
            )

    def _progress(self) -> Callable[[Info], None]:
        """Tell the total once it is known; the bytes themselves are counted on the way."""
        told: list[int] = []

        def hook(state: Info) -> None:
            total = number(state.get("total_bytes"))
            if total is not None and not told:
                told.append(int(total))
                self._context.progress(0, int(total))

        return hook


def _picked(found: Info, material: api.Material, place: Place) -> Info:
    """Choose the video among those of a page with several. Raises `InvalidError`."""
    entries = found.get("entries")
    if entries is None:
        return found
    videos = [each for each in entries if isinstance(each, dict)]
    if place.part:
        videos = [each for n, each in enumerate(videos, 1) if place.part in {text(each, "id"), str(n)}]
    if len(videos) == 1:
        return videos[0]
    if place.part:
        raise api.GoneError(f"The page {material.url} no longer shows the video {place.part!r}")
    raise api.InvalidError(
        f"{material.url} lists {len(videos)} videos instead of showing one",
        hint="Write its address under url of an entry, so that they are listed one by one.",
    )


def _refuse_half(info: Info, tools: Tools) -> None:
    """Raise `BlockedError` when sound alone was chosen of a film whose picture only ffmpeg could add."""
    if tools.ffmpeg or text(info, "vcodec") != "none":
        return
    if any(text(each, "vcodec") not in {"", "none"} for each in info.get("formats") or ()):
        raise api.BlockedError(
            f"Picture and sound of {info.get('title')!r} come apart, and ffmpeg is needed to join them",
            hint="Install ffmpeg, or the extra `ffmpeg`.",
        )


def expected_bytes(info: Info) -> int | None:
    """Add up the announced sizes of what was chosen; None when one of them is not known."""
    parts = info.get("requested_formats") or [info]
    sizes = [number(part.get("filesize")) for part in parts if isinstance(part, dict)]
    return None if None in sizes else int(sum(size for size in sizes if size is not None))


def _check_streams(seen: Seen, info: Info) -> None:
    """Raise `InvalidError` when picture or sound is lost; a film may be silent where its site says so."""
    for stream, codec in (("video", "vcodec"), ("audio", "acodec")):
        promised = text(info, codec)
        if promised and promised != "none" and stream not in seen.streams:
            raise api.InvalidError(
                f"{info.get('title')!r} came without its {stream} stream",
                hint="It is tried again in the next run.",
            )


def _refined(
    material: api.Material, info: Info, place: Place, options: VideoOptions, lost: list[str]
) -> api.Material:
    """Tell what the video's own page tells; id and revision stay those of the listing."""
    told = material_of(info, place, options)
    extra = {**material.extra, **told.extra, "format": _format(info), "subtitles_lost": ",".join(lost)}
    return replace(
        told,
        id=material.id,
        url=material.url,
        revision=material.revision,
        title=told.title if text(info, "title") else material.title,
        authors=told.authors or material.authors,
        date=told.date or material.date,
        extra={name: value for name, value in extra.items() if value},
    )


def _format(info: Info) -> str:
    height = number(info.get("height"))
    size = f"{height:.0f}p" if height else ""
    return " ".join(part for part in (text(info, "format_id")[:100], size) if part)


def _role(info: Info) -> api.Role:
    # A direct link is the file itself; a site's stream is what the site made of the upload.
    return api.Role.ORIGINAL if info.get("direct") is True else api.Role.RENDITION


def _grade(info: Info) -> api.Grade:
    return api.Grade.ORIGINAL if info.get("direct") is True else api.Grade.PAGES
