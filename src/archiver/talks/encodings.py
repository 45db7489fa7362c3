"""The characters of a table that is not in UTF-8: by the language of the archive and by what makes sense.

A spreadsheet saves CSV in the code page of its machine: Windows-1252 in Germany, GB 18030 in China. Bytes
of one nearly always decode in the other too ("Größe" is "Gr鲞e"), so what comes out is looked at.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Final

from archiver.errors import InvalidError
from archiver.media import text

#: What people call an encoding; what is not here is a code page of Windows.
_NAMES: Final = {
    "gb18030": "GB 18030 (Chinese)",
    "cp950": "Big5 (Chinese)",
    "cp932": "Shift JIS (Japanese)",
    "cp1252": "Windows-1252 (Western European)",
}
#: Language → the code page of spreadsheets where it is spoken.
_BY_LANGUAGE: Final = {
    **dict.fromkeys(("zh-tw", "zh-hk", "zh-hant"), "cp950"),
    "zh": "gb18030",
    "ja": "cp932",
    "ko": "cp949",
    "el": "cp1253",
    "tr": "cp1254",
    **dict.fromkeys(("ru", "uk", "be", "bg", "sr", "mk"), "cp1251"),
    **dict.fromkeys(("cs", "sk", "pl", "hu", "sl", "hr", "bs", "ro", "sq"), "cp1250"),
    **dict.fromkeys(("et", "lv", "lt"), "cp1257"),
}
_WESTERN: Final = "cp1252"
#: Encoding → the scripts that its letters are of, as Unicode names them. The first must make up half of them.
_SCRIPTS: Final = {
    "gb18030": ("CJK",), "cp950": ("CJK",), "cp949": ("HANGUL", "CJK"), "cp1251": ("CYRILLIC",),
    "cp932": ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"), "cp1253": ("GREEK",),
}  # fmt: skip
_LATIN: Final = ("LATIN",)
#: Signs in the titles of every language, beside all punctuation: "5 €", "20 °C", "3 × 4", "2ª sesión".
_SIGNS: Final = frozenset("\t\r\n\u00a0\u3000€£¥°§©®™×№ªºµ")
#: Encoding → the one that holds its common characters alone, and the last first byte of these.
_COMMON: Final = {"gb18030": ("gb2312", 0xD7), "cp950": ("big5", 0xC6)}
_WORD: Final = re.compile(r"[^\W\d_]+")
_ACCENTS: Final = re.compile(r"[^\x00-\x7f]+")
#: A capital with an accent behind a small letter: "kÈ".
_TURN: Final = re.compile(r"[a-zß-öø-ÿ][À-ÖØ-Þ]")
#: Letters with accents in a row: "créée" has two, the Polish "żółć" four.
_ROW: Final = {_WESTERN: 2}
_MOST_IN_ROW: Final = 4
#: So many Chinese characters are hardly ever all among those that Korean has too.
_LEAST_KOREAN: Final = 8
#: How much of a table is looked at, in characters.
_SAMPLE: Final = 65536


@dataclass(frozen=True, slots=True)
class Decoded:
    """The characters of a table. `assumed` is the encoding that it seems to be in, "" for one of Unicode."""

    text: str
    assumed: str = ""


def decoded(content: bytes, name: str, language: str = "") -> Decoded:
    """Turn the bytes of a table into characters; `language` is the archive's, as a BCP 47 tag.

    Raises `InvalidError` when they make sense in no encoding that is likely.
    """
    told = text.encoding(content)
    if told is not None and told.startswith("utf"):
        whole = _strictly(content, told)
        if whole is not None:
            return Decoded(whole.removeprefix("\ufeff"))
    for encoding in dict.fromkeys((_usual(language), "gb18030", _WESTERN)):
        found = _strictly(content, encoding)
        if found is None or (encoding == "gb18030" and _is_korean(content, language)):
            continue
        if _makes_sense(found, encoding):
            return Decoded(found, _NAMES.get(encoding) or encoding.replace("cp", "Windows-"))
    raise InvalidError(
        f"{name} is not in UTF-8, and no other encoding gives it a meaning for sure",
        hint="Save it as “CSV UTF-8”: spreadsheets offer that under Save As, or as the character set.",
    )


def _usual(language: str) -> str:
    tag = language.lower()
    return _BY_LANGUAGE.get(tag) or _BY_LANGUAGE.get(tag.partition("-")[0]) or _WESTERN


def _strictly(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _makes_sense(found: str, encoding: str) -> bool:
    """Say whether text that was decoded is what people write in the languages of that encoding."""
    sample = found[:_SAMPLE]
    letters = [char for char in sample if char > "\x7f" and char.isalpha() and char not in _SIGNS]
    named = Counter(map(_script, letters))
    scripts = _SCRIPTS.get(encoding, _LATIN)
    if not all(map(_is_sign, set(sample))) or not set(named) <= set(scripts):
        return False
    if scripts == _LATIN:
        return _is_latin([word for word in _WORD.findall(sample) if not word.isascii()], encoding)
    if encoding == "cp932":
        return named["CJK"] < len(letters)  # no Japanese title is without kana; Chinese ones are
    return 2 * named[scripts[0]] >= len(letters) and _is_common(letters, encoding)


def _is_sign(char: str) -> bool:
    """Say whether a character is a letter, or one that may stand between letters anywhere."""
    if " " <= char <= "~" or char in _SIGNS or char.isalpha():
        return True
    wide = unicodedata.name(char, "").startswith(("FULLWIDTH ", "IDEOGRAPHIC "))
    return wide or unicodedata.category(char)[0] == "P"


def _script(char: str) -> str:
    return unicodedata.name(char, "?").split()[0]


def _is_latin(words: list[str], encoding: str) -> bool:
    """Say whether words with accents are such as people write; "Größe" is, "OpenStackÈëÃÅ", 入门, is not.

    Most letters have no accent, few with one stand in a row, and no capital follows a small letter.
    """
    most = _ROW.get(encoding, _MOST_IN_ROW)
    every = "".join(words)
    return 2 * sum(map(str.isascii, every)) >= len(every) and not any(
        _TURN.search(word) or max(map(len, _ACCENTS.findall(word))) > most for word in words
    )


def _is_common(letters: list[str], encoding: str) -> bool:
    """Say whether at least half of the Chinese characters are common ones: by chance come rare ones."""
    if encoding not in _COMMON:
        return True
    narrow, last = _COMMON[encoding]
    raw = (char.encode(narrow, "ignore") for char in letters)
    return 2 * sum(bool(each) and each[0] <= last for each in raw) >= len(letters)


def _is_korean(content: bytes, language: str) -> bool:
    """Say whether what seems Chinese may be Korean: both have their common characters at the same bytes."""
    if _usual(language) == "gb18030":
        return False
    found = _strictly(content, "euc_kr") or ""
    named = [_script(char) for char in found[:_SAMPLE] if char > "\x7f" and char.isalpha()]
    return len(named) >= _LEAST_KOREAN and set(named) == {"HANGUL"}
