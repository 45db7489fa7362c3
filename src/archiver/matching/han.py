"""Chinese text brought into one form: traditional characters, and text that was read in a wrong encoding."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

#: Chinese characters, for use inside brackets of a regular expression.
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
HAN_RUN = re.compile(f"[{HAN}]+")

_HIGH = re.compile("[\x80-\xff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u2122]+")
#: Fewer wrong characters than these may be a word with accents.
_LEAST_WRONG = 4
# Lead bytes of GB 2312: rows 1 to 9 are signs, 16 to 87 characters.
_GB_LEADS = frozenset((*range(0xA1, 0xAA), *range(0xB0, 0xF8)))
_GB_TRAIL = 0xA1


class _Simplified(dict[int, str]):
    """Simplified forms by code point, looked up once each."""

    def __missing__(self, code: int) -> str:
        found = str(_converter().convert(chr(code))) if HAN_RUN.match(chr(code)) else chr(code)
        self[code] = found
        return found


_SIMPLIFIED = _Simplified()


@lru_cache(maxsize=1)
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


def simplify(text: str) -> str:
    """Write traditional characters as simplified ones, each for itself: 雲計算 as 云计算."""
    return text.translate(_SIMPLIFIED) if HAN_RUN.search(text) else text


def mend(text: str) -> str:
    """Give Chinese text that was read as Western back: "æž¶æž„" and "¼Ü¹¹" are 架构.

    UTF-8 and GB 2312, read as Windows-1252 or ISO 8859-1. Text that may be anything else stays.
    """
    wrong = [run for run in _HIGH.findall(text) if len(run) > 1]
    if sum(map(len, wrong)) < _LEAST_WRONG:
        return text
    for decode in (_utf8, _gb2312):
        right = {run: decode(run) for run in wrong}
        if all(right.values()) and len("".join(HAN_RUN.findall("".join(right.values())))) >= 2:
            return _HIGH.sub(lambda run: right.get(run[0], run[0]), text)  # noqa: B023  # used at once
    return text


def _utf8(run: str) -> str:
    return _decoded(_bytes(run), "utf-8")


def _gb2312(run: str) -> str:
    raw = _bytes(run)
    pairs = zip(raw[::2], raw[1::2], strict=False)
    known = len(raw) % 2 == 0 and all(lead in _GB_LEADS and trail >= _GB_TRAIL for lead, trail in pairs)
    return _decoded(raw, "gb18030") if known else ""


def _bytes(run: str) -> bytes:
    """Give the bytes that a run of Western characters was read from."""
    try:
        # Windows-1252 leaves five codes open; programs read them as the control characters there.
        return b"".join(char.encode("latin-1" if char <= "\xff" else "cp1252") for char in run)
    except UnicodeEncodeError:
        return b""


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return ""
