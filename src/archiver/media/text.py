"""Which encoding a text has, and its characters."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final

from archiver.errors import InvalidError

#: How much of a file is looked at to tell what it is, in bytes.
HEAD: Final = 65536
_CHUNK: Final = 1 << 20

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Labels are read as browsers read them (WHATWG Encoding Standard, "Names and labels"): a page that
# says gb2312 uses characters of gb18030 all the same (镕), one that says latin-1 has “quotes”.
_LABELS: Final = {
    "utf-8": "utf-8", "utf8": "utf-8", "unicode-1-1-utf-8": "utf-8",
    # A page whose declaration could be read byte by byte is not UTF-16, whatever it says.
    "utf-16": "utf-8", "utf-16le": "utf-8", "utf-16be": "utf-8",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb18030": "gb18030",
    "gb_2312-80": "gb18030", "gb_2312": "gb18030", "cp936": "gb18030", "ms936": "gb18030",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs", "x-x-big5": "big5hkscs", "cn-big5": "big5hkscs",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "ms932": "cp932",
    "windows-31j": "cp932", "euc-jp": "euc_jp", "x-euc-jp": "euc_jp", "iso-2022-jp": "iso2022_jp",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "korean": "cp949", "windows-949": "cp949",
    "us-ascii": "cp1252", "ascii": "cp1252", "iso-8859-1": "cp1252", "iso8859-1": "cp1252",
    "latin1": "cp1252", "windows-1252": "cp1252", "cp1252": "cp1252",
    "iso-8859-2": "iso8859_2", "windows-1250": "cp1250", "iso-8859-15": "iso8859_15",
    "windows-1251": "cp1251", "koi8-r": "koi8_r", "iso-8859-5": "iso8859_5",
}  # fmt: skip

# <meta charset="gbk">, <meta … content="text/html; charset=gb2312">, <?xml … encoding="GBK"?>
_DECLARED: Final = re.compile(
    rb"<(?:meta[^>]{0,400}?charset|\?xml[^>]{0,200}?encoding)\s{0,9}=\s{0,9}[\"']?\s{0,9}([\w.:-]{1,40})",
    re.IGNORECASE | re.ASCII,
)
# Never found in text: controls other than tab, line ends, form feed, backspace, escape.
_CONTROLS: Final = re.compile("[\x00-\x07\x0b\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
# Two bytes that both lie in the rows of GB 2312: nearly all of a Chinese page, hardly any of a French one.
_GB_PAIR: Final = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_HIGH: Final = re.compile(rb"[\x80-\xff]")


def encoding(data: bytes, *, whole: bool = True) -> str | None:
    """Tell the encoding of a text, None when the bytes are no text.

    In this order: byte order mark, declaration in the first 1,024 bytes, UTF-8, UTF-16 without a
    mark, GB 18030, Windows-1252. A character cut in half at the end does not count against an encoding;
    `whole` is False when `data` is only the head of a file.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name if _decodes(data, name, whole=whole) else None
    return next((name for name in _candidates(data) if _decodes(data, name, whole=whole)), None)


def _candidates(data: bytes) -> list[str]:
    declared = _DECLARED.search(data[:1024])
    names = [_LABELS.get(declared[1].decode("ascii").lower(), "")] if declared else []
    names = [name for name in names if name]
    if data.count(0) * 5 > len(data):
        names += ["utf-16-le", "utf-16-be"] if data[1::2].count(0) > data[::2].count(0) else ["utf-16-be"]
    names.append("utf-8")
    high = len(_HIGH.findall(data))
    if len(_GB_PAIR.findall(data)) * 2 >= 0.8 * high:
        names.append("gb18030")
    return [*names, "cp1252"]


def _decodes(data: bytes, name: str, *, whole: bool) -> bool:
    try:
        decoder = codecs.getincrementaldecoder(name)("strict")
        text = decoder.decode(data)
    except UnicodeDecodeError:
        return False
    if whole and decoder.getstate()[0] and text.isascii():
        # A lone high byte at the very end, "café" in Latin-1: no sign of this encoding.
        return False
    return not _CONTROLS.search(text.removeprefix("\ufeff"))


def decode(data: bytes) -> str:
    """Turn bytes into text by the rules of `encoding`; what does not fit becomes U+FFFD."""
    text = data.decode(encoding(data) or _fallback(data), "replace")
    return text.removeprefix("\ufeff")


def _fallback(data: bytes) -> str:
    # One bad byte in a long page: trust its mark or its declaration, else UTF-8.
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    return next((name for name in _candidates(data) if not name.startswith("utf-16")), "utf-8")


def head(path: Path, size: int = HEAD) -> bytes:
    """Read the first bytes of a file."""
    # Unbuffered: this is done to every file, and often more than once.
    with path.open("rb", buffering=0) as stream:
        return stream.read(size)


def check(path: Path) -> None:
    """Read a text to its end. Raises `InvalidError` when it stops being text on the way."""
    name = encoding(head(path), whole=path.stat().st_size <= HEAD)
    if name is None:
        raise InvalidError("The file should be text but holds binary data.")
    decoder = codecs.getincrementaldecoder(name)("strict")
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise InvalidError(
            f"The text begins as {name} but holds bytes that {name} does not have: "
            "it is damaged or was cut off inside a character."
        ) from error
