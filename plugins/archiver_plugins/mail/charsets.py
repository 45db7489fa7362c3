"""From bytes to text, whatever a mailer claimed or left out."""

from __future__ import annotations

import codecs
from typing import Final

#: Declared charset → the one that holds it wholly: mailers say gb2312 and write 镕, which only GBK has.
_WIDER: Final = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "cp950",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-1": "cp1252",
}
#: Names for which Python knows no alias.
_ALIASES: Final = {"x-gbk": "gb18030", "gb_2312": "gb18030", "ks_c_5601-1987": "cp949", "utf8mb4": "utf-8"}
#: Python's own codecs, which no mail means; some of them take quadratic time.
_NEVER: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
#: Tried in this order where nothing, or nothing true, was declared. Random bytes rarely are UTF-8, and
#: GB 18030 takes most of what Big5 would, so Chinese senders of this order are read right most often.
_GUESSES: Final = ("utf-8", "gb18030", "big5", "shift_jis", "cp1252")


def decode(data: bytes, charset: str = "", *, cut: bool = False) -> str:
    """Decode by the declared charset, else by the first that fits; never raises.

    `cut` says that the data may end inside a character. Of "us-ascii" with bytes above 127 nothing is
    believed.
    """
    known = _codec(charset)
    if known and known != "ascii":
        text = _strictly(data, known, cut=cut)
        # A declared charset counts even when some bytes of a long text are broken.
        return data.decode(known, "replace") if text is None else text
    return detect(data, cut=cut)


def detect(data: bytes, *, cut: bool = False) -> str:
    """Decode without a word about the charset; never raises."""
    if data.isascii() and b"\x1b" not in data:
        return data.decode("ascii")
    guesses = ("iso2022_jp", *_GUESSES) if b"\x1b" in data else _GUESSES
    for name in guesses:
        text = _strictly(data, name, cut=cut)
        if text is not None:
            return text
    return data.decode("latin-1")


def _codec(charset: str) -> str:
    """Find the codec to use for a declared charset, "" when there is none to trust."""
    name = charset.strip("\"' \t").lower()[:40]
    try:
        found = codecs.lookup(_ALIASES.get(name, name) or "?")
        b"x".decode(found.name, "replace")  # refuses codecs that are not of text: "hex", "zlib"
    except (LookupError, ValueError, UnicodeError):
        return ""
    return "" if found.name in _NEVER else _WIDER.get(found.name, found.name)


def _strictly(data: bytes, name: str, *, cut: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(name)("strict").decode(data, not cut)
    except (UnicodeError, LookupError):
        return None
