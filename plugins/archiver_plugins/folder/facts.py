"""What a file says of itself: when a photo was taken, what a deck is called and who made it."""

from __future__ import annotations

import dataclasses
import re
import struct
import zipfile
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

from archiver import api
from archiver_plugins.folder import words

_DETAILS = 0x8769  # the Exif part of the tags (CIPA DC-008, 4.6.3)
# When the shutter opened, else when the picture was digitised, each with its offset from UTC.
_TIMES = ((0x9003, 0x9011), (0x9004, 0x9012))
_MAX_PROPERTIES = 256 << 10
_MAX_DIRECTORY = 4 << 20
# Names that tell nothing: "slides", "Presentation1", "final v2", "新建演示文稿".
_EMPTY = re.compile(
    r"(?:(?:new|my|final|the|copy|of|draft|slides?|deck|presentation|talk|ppt|untitled|document|file|v|version"
    # One character at a time: a run inside the run would take for ever on "slides 00000000000000000000x".
    r"|新建|最终版?|副本|演示文稿|幻灯片|课件|讲稿|文档)|[\s\d._()-])+",
    re.IGNORECASE,
)
_STOCK = re.compile(
    r"(?:microsoft )?power ?point.*|幻灯片 ?\d+|slide \d+|ppt(?:模板|.*template).*", re.IGNORECASE
)


def enrich(material: api.Material, path: Path) -> api.Material:
    """Fill in what the listing could not know, from the copy at `path`; never raises on its content."""
    if material.kind is api.Kind.PHOTO and not material.date:
        return dataclasses.replace(material, date=taken(path))
    if material.kind is api.Kind.SLIDES and not material.talk and _EMPTY.fullmatch(material.title):
        return _named(material, path)
    return material


def taken(path: Path) -> str:
    """Say when a JPEG or TIFF was taken, as ISO 8601 with the offset if it has one; else empty."""
    from PIL import Image, JpegImagePlugin, TiffImagePlugin

    with path.open("rb") as stream:
        form = (
            JpegImagePlugin.JpegImageFile if stream.read(2) == b"\xff\xd8" else TiffImagePlugin.TiffImageFile
        )
        stream.seek(0)
        try:
            with form(stream) as image:
                details = image.getexif().get_ifd(_DETAILS)
        except (
            OSError,
            ValueError,
            SyntaxError,
            KeyError,
            TypeError,
            IndexError,
            OverflowError,
            struct.error,
        ):
            return ""  # no photo, or tags that make no sense
        except Image.DecompressionBombError:
            return ""
    return next(
        (found for time, offset in _TIMES if (found := _iso(details.get(time), details.get(offset)))), ""
    )


def _iso(time: Any, offset: Any) -> str:
    """Turn "2012:09:16 10:11:12" and "+08:00" into ISO 8601; "0000:00:00 00:00:00" is a clock never set."""
    text = str(time or "").strip("\0 ")
    try:
        moment = datetime.strptime(text, "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007  # the offset is apart
    except ValueError:
        return ""
    zone = str(offset or "").strip("\0 ")
    return moment + zone if re.fullmatch(r"[+-]\d\d:\d\d", zone) else moment


def _named(material: api.Material, path: Path) -> api.Material:
    title, author = properties(path)
    return dataclasses.replace(
        material, title=title or material.title, authors=material.authors or words.speakers(author)
    )


def _small_directory(path: Path) -> bool:
    """Look at the end record of a ZIP (APPNOTE 4.3.16): its directory is read into memory as a whole."""
    with path.open("rb") as stream:
        if stream.seek(0, 2) < 22:
            return False
        stream.seek(-22, 2)
        end = stream.read()
    return end.startswith(b"PK\x05\x06") and struct.unpack_from("<I", end, 12)[0] <= _MAX_DIRECTORY


def properties(path: Path) -> tuple[str, str]:
    """Read title and author of an Office document (ECMA-376 part 2, core properties); else empty."""
    from lxml import etree

    if not _small_directory(path):
        return "", ""
    try:
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo("docProps/core.xml")
            if info.file_size > _MAX_PROPERTIES:
                return "", ""
            parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
            root = etree.fromstring(archive.read(info), parser)
    except (
        OSError,
        KeyError,
        ValueError,
        RuntimeError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
        etree.LxmlError,
    ):
        return "", ""
    title, author = (words.title(root.findtext("{*}" + tag) or "")[:200] for tag in ("title", "creator"))
    return ("" if _STOCK.fullmatch(title) or _EMPTY.fullmatch(title) else title), author
