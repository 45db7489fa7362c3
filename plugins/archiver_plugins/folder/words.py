"""What names tell: the kind from folders and extensions, the title, the speakers."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from collections.abc import Sequence

from archiver.api import Kind

_FOLDERS = {
    Kind.SLIDES: {"slides", "slide", "slideshow", "deck", "decks", "presentation", "presentations", "ppt",
                  "幻灯片", "讲稿", "演讲稿", "演示文稿", "课件", "投影片", "簡報"},
    Kind.PHOTO: {"photo", "photos", "picture", "pictures", "pics", "image", "images", "foto", "fotos",
                 "照片", "图片", "相片", "相册", "圖片"},
    Kind.VIDEO: {"video", "videos", "recording", "recordings", "movie", "movies", "audio",
                 "视频", "录像", "录屏", "录音", "影片", "視頻", "錄影"},
    Kind.REPORT: {"report", "reports", "news", "press", "article", "articles", "blog", "minutes",
                  "报道", "报导", "新闻", "文章", "纪要", "報導"},
    Kind.OTHER: {"other", "others", "misc", "attachment", "attachments", "其他", "其它", "附件"},
}  # fmt: skip
_BY_WORD = {word: kind for kind, folder_words in _FOLDERS.items() for word in folder_words}

_EXTENSIONS = {
    Kind.SLIDES: {"pdf", "ppt", "pptx", "pptm", "pps", "ppsx", "odp", "key"},
    Kind.PHOTO: {"jpg", "jpeg", "jpe", "png", "gif", "webp", "tif", "tiff", "bmp", "heic", "heif", "avif",
                 "cr2", "cr3", "nef", "arw", "dng"},
    Kind.VIDEO: {"mp4", "m4v", "mov", "qt", "webm", "mkv", "avi", "flv", "wmv", "mpg", "mpeg", "ts", "mts",
                 "3gp", "ogv", "mp3", "m4a", "wav", "flac", "ogg", "aac"},
    Kind.REPORT: {"html", "htm", "xhtml", "txt", "md", "doc", "docx", "odt", "rtf", "wacz", "warc", "epub"},
}  # fmt: skip
_BY_EXTENSION = {ending: kind for kind, endings in _EXTENSIONS.items() for ending in endings}
# What else a folder of that name may hold and mean: a scanned report, a deck as page images, a clip
# among the photos.
_ALSO = {
    Kind.SLIDES: {"zip"} | _EXTENSIONS[Kind.PHOTO],
    Kind.PHOTO: _EXTENSIONS[Kind.VIDEO] - {"mp3", "m4a", "wav", "flac", "ogg", "aac"},
    Kind.REPORT: {"pdf"},
}


def kind(path: Sequence[str], named: str = "") -> Kind:
    """Tell the kind from a path below the entry's folder, as its NFC names.

    `named` is the word that a pattern found. A word or folder counts as long as the extension can be
    of that kind ("slides/demo.mp4" is a video all the same, "photos/readme.txt" is `other`).
    """
    ending = extension(path[-1])
    natural = _BY_EXTENSION.get(ending, Kind.OTHER)
    said = _word(named) or next((found for name in reversed(path[:-1]) if (found := _word(name))), None)
    if said is None or said is natural:
        return natural
    if said is Kind.OTHER or ending in _ALSO.get(said, ()):
        return said
    return natural if natural is not Kind.REPORT else Kind.OTHER


def _word(name: str) -> Kind | None:
    """Find a kind in a folder's name: "Photos", "02_slides", "北京照片"."""
    lower = name.casefold()
    for token in re.findall(r"[a-z]+", lower):
        if token in _BY_WORD:
            return _BY_WORD[token]
    return next((found for word, found in _BY_WORD.items() if not word.isascii() and word in lower), None)


def extension(name: str) -> str:
    """Give the extension in lower case, empty when there is none ("OpenStack 1.0" has none)."""
    _, dot, ending = name.rpartition(".")
    return ending.lower() if dot and re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9]{1,8}", ending) else ""


# "01 - Keystone", "3. Juju", "(2) Chef", "05_Quantum"; but neither "2012 report" nor "3.0 news".
_NUMBERING = re.compile(
    r"\s*(?:[(\[【]\d{1,3}[)\]】]|\d{1,3}\s*[.、)](?!\d)|\d{1,3}\s+[-–—](?=\s)|0\d{1,2}(?=[\s._-]))[\s._-]*"
)
# Controls, characters that turn or hide text, surrogates.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def title(name: str) -> str:
    """Make a title from a file name: no extension, no leading numbering, blanks for underscores."""
    shown = _UNSEEN.sub(" ", readable(name))
    ending = extension(shown)
    stem = shown[: -len(ending) - 1] if ending else shown
    words = " ".join(stem.replace("_", " ").split())
    rest = words[match.end() :] if (match := _NUMBERING.match(words)) else words
    return rest.strip() or words or " ".join(shown.split())


def readable(name: str) -> str:
    """Show a name as NFC; one that is not UTF-8 is read as GB 18030, as old Chinese ZIP tools wrote it."""
    try:
        raw = name.encode("utf-8", "surrogateescape")
        return unicodedata.normalize("NFC", raw.decode())
    except UnicodeDecodeError:
        return unicodedata.normalize("NFC", raw.decode("gb18030", "replace"))


def speakers(text: str) -> tuple[str, ...]:
    """Split "Hui Cheng, Shake Chen" or "程辉、陈沙克" into names."""
    names = re.split(r"[,，、;；&+]|\band\b", text.replace("_", " "))
    return tuple(cleaned for name in names if (cleaned := " ".join(_UNSEEN.sub(" ", name).split())))


def media_type(path: str) -> str:
    """Guess the media type that a file's name claims, empty when it claims none."""
    return mimetypes.guess_type("x." + extension(path))[0] or ""
