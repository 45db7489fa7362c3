"""A material becomes files: the photo or film itself, and camera data where they are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from archiver import api
from archiver_plugins.flickr.answers import SIDES, CameraData, Sizes
from archiver_plugins.flickr.options import FlickrOptions
from archiver_plugins.flickr.rest import Rest
from archiver_plugins.flickr.sizes import Choice, best_photo, best_video, has_player

#: Flickr takes photos of up to 200 MB and videos of up to 1 GB.
MAX_PHOTO_BYTES: Final = 512 << 20
MAX_VIDEO_BYTES: Final = 4 << 30
_CHOICE_KEYS: Final = frozenset({"file", "size", "pixels", "reason"})
#: Up to this side a photo only shows what there was to see.
_THUMBNAIL: Final = 240

Got = api.Fetched | api.Material


class Files:
    """Gets files. Thread-safe."""

    def __init__(self, rest: Rest, context: api.Context, options: FlickrOptions) -> None:
        self._rest = rest
        self._context = context
        self._exif = options.exif
        #: Addresses below a mirror are kept without it: a ledger holds public ones only.
        self.root = options.file_base_url or options.base_url

    def photo(self, material: api.Material, into: Path) -> Iterator[Got]:
        """Get a photo in the best size: the one that the list named, else the one that getSizes names."""
        listed = Choice.of(material.extra, self.root)
        problem: api.SourceError | None = None
        if listed is not None:
            try:
                yield self._file(material, listed, into / "photo", MAX_PHOTO_BYTES)
            except (api.GoneError, api.BlockedError) as error:
                problem = error
            else:
                yield from self._camera(material, listed, into)
                return
        # Addresses change when a photo is replaced or its permissions are: the list may be of yesterday.
        choice = self._asked(material, listed, problem)
        yield _with(material, choice, self.root)
        yield self._file(material, choice, into / "photo", MAX_PHOTO_BYTES)
        yield from self._camera(material, choice, into)

    def _asked(
        self, material: api.Material, listed: Choice | None, problem: api.SourceError | None
    ) -> Choice:
        choice = best_photo(self._sizes(material))
        if choice is None:
            raise api.InvalidError(
                f"Flickr lists no file of the photo {material.title or material.id!r} at {material.url}",
                hint="Look at it in a browser; it is tried again in the next run.",
            )
        if listed is not None and choice.url == listed.url:
            raise _unserved(material, choice, problem) from problem
        if listed is not None and listed.reason and not choice.is_original:
            return replace(choice, reason=listed.reason)
        return choice

    def video(self, material: api.Material, into: Path) -> Iterator[Got]:
        """Get the best film. Its address redirects to a signed one that soon expires.

        So it is the first address that is downloaded: each attempt is then redirected afresh.
        """
        sizes = self._sizes(material)
        choice = best_video(sizes)
        if choice is None:
            raise _no_film(material, flash=has_player(sizes))
        yield _with(material, choice, self.root, keep_file=False)
        yield self._file(material, choice, into / "video", MAX_VIDEO_BYTES)

    def _sizes(self, material: api.Material) -> Sizes:
        return self._rest.call("photos.getSizes", "sizes", Sizes, {"photo_id": material.id})

    def _file(self, material: api.Material, choice: Choice, path: Path, most: int) -> api.Fetched:
        done = self._context.http.download(choice.url, path, max_bytes=most)
        if material.id not in urlsplit(done.url).path:
            # Every file of Flickr's carries the photo's number: …/54000000001_bbbbbbbbbb_o.jpg
            raise api.InvalidError(
                f"The address of {material.title or material.id!r} led to the file of something else",
                hint="Open its page in a browser to see whether it still exists.",
            )
        role = api.Role.ORIGINAL if choice.is_original else api.Role.RENDITION
        return api.Fetched(Path(path.name), role, _grade(choice), media_type=done.media_type)

    def _camera(self, material: api.Material, choice: Choice, into: Path) -> Iterator[api.Fetched]:
        """Get the camera data of a photo whose file has none: only the original keeps them."""
        if not self._exif or choice.is_original:
            return
        try:
            found = self._rest.call("photos.getExif", "photo", CameraData, {"photo_id": material.id})
        except (api.BlockedError, api.GoneError, api.InvalidError) as error:
            # Many owners hide them (code 2): the photo is what counts.
            self._context.log.info("%s is kept without camera data: %s", material.title or material.id, error)
            return
        text = json.dumps(found.model_dump(), ensure_ascii=False, indent=1)
        into.joinpath("exif.json").write_text(f"{text}\n", "utf-8")
        yield api.Fetched(Path("exif.json"), api.Role.SIDECAR, label="exif", media_type="application/json")


def _with(material: api.Material, choice: Choice, root: str, *, keep_file: bool = True) -> api.Material:
    extra = {key: value for key, value in material.extra.items() if key not in _CHOICE_KEYS}
    extra |= choice.as_extra(root)
    if not keep_file:  # it names no file but a redirect, and is asked for anew each time
        extra.pop("file", None)
    return replace(material, extra=extra)


def _grade(choice: Choice) -> api.Grade:
    if choice.is_original:
        return api.Grade.ORIGINAL
    return api.Grade.THUMBNAIL if 0 < SIDES.get(choice.size, 1024) <= _THUMBNAIL else api.Grade.REDUCED


def _unserved(material: api.Material, choice: Choice, problem: api.SourceError | None) -> api.SourceError:
    message = f"Flickr lists {material.title or material.id!r} as {choice.size}, but does not serve that file"
    if isinstance(problem, api.BlockedError):
        return api.BlockedError(message, hint=problem.hint)
    return api.InvalidError(message, hint="It is tried again in the next run.")


def _no_film(material: api.Material, *, flash: bool) -> api.SourceError:
    named = f"the video {material.title or material.id!r} at {material.url}"
    if flash:
        return api.BlockedError(
            f"Flickr offers {named} in a Flash player only, and no file of it",
            hint="Ask its owner to download the original there, and add it by hand.",
        )
    return api.InvalidError(
        f"Flickr lists no file of {named}",
        hint="It may still be processed; it is tried again in the next run.",
    )
