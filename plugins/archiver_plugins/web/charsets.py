"""From the bytes of a page to its text, whatever was declared or left out.

In this order: byte order mark, HTTP header, declaration in the first 1,024 bytes, detection. Labels are
read as browsers read them (WHATWG Encoding Standard): a page that says gb2312 uses 镕 all the same, which
only GBK and GB 18030 have, and one that says latin-1 has “quotes”.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: What Python calls a charset → the one that holds it wholly.
_WIDER: Final = {
    "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "shift_jis": "cp932", "euc_kr": "cp949",
    "iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "tis-620": "cp874",
}  # fmt: skip
#: Names for which Python knows no alias.
_ALIASES: Final = {
    "x-gbk": "gb18030", "gb_2312-80": "gb18030", "gb_2312": "gb18030", "x-sjis": "cp932",
    "x-x-big5": "big5hkscs", "ks_c_5601-1987": "cp949", "utf8mb4": "utf-8", "unicode": "utf-8",
}  # fmt: skip
#: Python's own codecs, which no page means; some of them take quadratic time.
_NEVER: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf-7"})
#: A page whose declaration could be read byte by byte is not UTF-16, whatever it says.
_WIDE: Final = re.compile(r"utf-?(?:16|32)", re.IGNORECASE)
_DECLARED: Final = re.compile(
    rb"<(?:meta[^>]{0,400}?charset|\?xml[^>]{0,200}?encoding)\s{0,9}=\s{0,9}[\"']?\s{0,9}([\w.:-]{1,40})",
    re.IGNORECASE | re.ASCII,
)
_IN_HEADER: Final = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE)
#: Two bytes that both lie in the rows of GB 2312: nearly all of a Chinese page, hardly any of a French one.
_PAIR: Final = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_HIGH: Final = re.compile(rb"[\x80-\xff]")
#: So much of the bytes above 127 must be pairs, for a page to be Chinese.
_MOSTLY: Final = 0.8
#: Of this many characters one may be broken: then a declaration is still believed.
_TOLERATED: Final = 500


def decode(data: bytes, content_type: str = "") -> str:
    """Turn a page into text; never raises. What fits no charset becomes U+FFFD.

    `content_type` is the HTTP header. A charset under which much of the page is broken was a lie, and the
    next is tried.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    best, fewest = "", len(data) + 1
    for name in _candidates(data, content_type):
        text = data.decode(name, "replace")
        broken = text.count("\ufffd")
        if broken * _TOLERATED <= len(text):
            return text
        if broken < fewest:
            best, fewest = text, broken
    return best


def _candidates(data: bytes, content_type: str) -> Iterator[str]:
    in_header = _IN_HEADER.search(content_type)
    if in_header and (name := codec(in_header[1])):
        yield name
    declared = _DECLARED.search(data[:1024])
    if declared and (name := _inside(declared[1].decode("ascii"))):
        yield name
    yield "utf-8"
    high = len(_HIGH.findall(data[:65536]))
    if len(_PAIR.findall(data[:65536])) * 2 >= _MOSTLY * high:
        yield "gb18030"
    yield "cp1252"


def _inside(label: str) -> str:
    return "utf-8" if _WIDE.match(label) else codec(label)


def codec(label: str) -> str:
    """Find the codec for a declared charset, "" when there is none to trust."""
    name = label.strip().lower()
    try:
        found = codecs.lookup(_ALIASES.get(name, name))
        b"x".decode(found.name, "replace")  # refuses codecs that are not of text: "hex", "zlib"
    except (LookupError, ValueError):
        return ""
    return "" if found.name in _NEVER else _WIDER.get(found.name, found.name)
