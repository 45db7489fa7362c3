"""What stands beside a film: subtitles, a thumbnail, chapters, the description."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from archiver import api
from archiver_plugins.video.engine import Engine, Info
from archiver_plugins.video.materials import number, text

MAX_SUBTITLES: Final = 100
MAX_SUBTITLE_BYTES: Final = 16 << 20
MAX_THUMBNAIL_BYTES: Final = 20 << 20
MAX_CHAPTERS: Final = 5_000
MAX_DESCRIPTION: Final = 200_000
_TRIED_THUMBNAILS: Final = 3
_LANGUAGE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,34}")
_TEXTS: Final = frozenset({"vtt", "srt", "ass", "ssa", "ttml", "lrc", "txt", "json"})


class Sidecars:
    """Fetches or writes the files beside one film."""

    def __init__(self, engine: Engine, context: api.Context, into: Path) -> None:
        self._engine = engine
        self._context = context
        self._into = into
        #: Languages whose subtitles the site names and does not give.
        self.lost: list[str] = []

    def of(self, info: Info) -> Iterator[api.Fetched]:
        """Give all that there are. Raises `TransientError` when one may come another time."""
        yield from self._subtitles(info)
        yield from self._thumbnail(info)
        yield from self._chapters(info)
        yield from self._description(info)

    def _subtitles(self, info: Info) -> Iterator[api.Fetched]:
        wanted = info.get("requested_subtitles")
        found = wanted.items() if isinstance(wanted, dict) else ()
        for number_, (language, subtitle) in enumerate(sorted(found)[:MAX_SUBTITLES], 1):
            label = language if _LANGUAGE.fullmatch(str(language)) else f"subtitle {number_}"
            try:
                yield self._subtitle(dict(subtitle), info, number_, str(label))
            except (api.GoneError, api.BlockedError, api.InvalidError) as error:
                # The film is worth more than its subtitles.
                self._context.log.warning(
                    "%s: subtitles %s are left out: %s", info.get("title"), label, error
                )
                self.lost.append(str(label))

    def _subtitle(self, subtitle: Info, info: Info, number_: int, label: str) -> api.Fetched:
        form = text(subtitle, "ext")
        if form not in _TEXTS:
            raise api.InvalidError(f"they come in a form that is no text: {form[:20]!r}")
        path = self._into / f"subtitle-{number_:03}.{form}"
        data = subtitle.get("data")
        if isinstance(data, str):
            path.write_text(data, encoding="utf-8")
        else:
            self._engine.fetch_subtitle({"id": info.get("id"), **subtitle}, path)
        size = path.stat().st_size
        if not 0 < size <= MAX_SUBTITLE_BYTES:
            raise api.InvalidError(f"they have {size:,} bytes")
        return api.Fetched(Path(path.name), api.Role.SIDECAR, label=label)

    def _thumbnail(self, info: Info) -> Iterator[api.Fetched]:
        """Take the best still that is a picture; yt-dlp lists the best last."""
        listed = info.get("thumbnails")
        addresses = [text(each, "url") for each in listed or () if isinstance(each, dict)]
        for address in [url for url in addresses[::-1] if url.startswith("http")][:_TRIED_THUMBNAILS]:
            path = self._into / "thumbnail"
            try:
                self._context.http.download(address, path, max_bytes=MAX_THUMBNAIL_BYTES)
                picture = api.read_picture(path)
            except (api.GoneError, api.BlockedError, api.InvalidError) as error:
                self._context.log.debug("thumbnail %s does not help: %s", api.redact(address), error)
                path.unlink(missing_ok=True)
                continue
            named = path.rename(path.with_suffix(picture.suffix))
            yield api.Fetched(Path(named.name), api.Role.SIDECAR, api.Grade.THUMBNAIL, "thumbnail")
            return

    def _chapters(self, info: Info) -> Iterator[api.Fetched]:
        listed = info.get("chapters")
        chapters = [_chapter(each) for each in (listed or ())[:MAX_CHAPTERS] if isinstance(each, dict)]
        if chapters:
            document = json.dumps({"chapters": chapters}, ensure_ascii=False, indent=1)
            yield self._written("chapters.json", document, "chapters")

    def _description(self, info: Info) -> Iterator[api.Fetched]:
        words = text(info, "description")[:MAX_DESCRIPTION]
        if words:
            yield self._written("description.txt", words + "\n", "description")

    def _written(self, name: str, content: str, label: str) -> api.Fetched:
        (self._into / name).write_bytes(content.encode("utf-8", "replace"))
        return api.Fetched(Path(name), api.Role.SIDECAR, label=label)


def _chapter(chapter: dict[str, Any]) -> dict[str, Any]:
    """Keep begin and end in seconds, and the title."""
    return {
        "start": number(chapter.get("start_time")) or 0,
        "end": number(chapter.get("end_time")),
        "title": text(chapter, "title")[:1_000],
    }
