"""Text as search sees it: folded, cut into words, and Chinese into pairs of characters.

SQLite's own tokenizers find no Chinese word of two characters: `unicode61` takes a whole sentence for
one word, `trigram` needs three characters. So texts are cut here, and SQLite gets words with spaces
between them. A run of characters of a script that is written without spaces becomes its overlapping
pairs, and its last character: 云计算 is `云计 计算 算`. A single character is then a prefix of some word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

#: Characters of a query that are looked at, and words of it: a person types fewer.
MAX_QUERY = 500
MAX_TERMS = 24
#: Characters of a word that are told apart: a file without any space is one word.
MAX_WORD = 64

# Thai to Lao, Tibetan, Myanmar, Khmer, kana, CJK, Hangul: no spaces, or endings glued to words.
_UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = f"[{_UNSPACED}]"
# A line of Chinese in a PDF ends anywhere, so white space inside a run is none.
_RUNS = rf"{_RUN}+(?:\s+{_RUN}+)*"
_WORD = rf"[^\W_{_UNSPACED}]+"
_PIECE = re.compile(f"({_RUNS})|{_WORD}")
_ASCII_WORD = re.compile("[A-Za-z0-9]+")
_SPACE = re.compile(r"\s+")
_CHUNK = re.compile(r'"([^"]*)"?|([^\s"]+)')
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»「」『』＂", '"'))


class _Fold(dict[int, str]):
    """Character → what it counts as: small letters without accents, compatibility forms resolved."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        folded = {"Cc": " ", "Cs": " ", "Cf": ""}.get(category)
        if folded is None:
            parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
            folded = unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", parts))
        self[code] = folded
        return folded


class _Clean(dict[int, str]):
    """Character → what may be stored and shown of it: no controls, no bidi overrides, no surrogates."""

    def __missing__(self, code: int) -> str:
        category = unicodedata.category(chr(code))
        if category == "Cc":
            kept = "\n" if code in (0x0A, 0x0C, 0x0D) else " "
        else:
            kept = {"Cf": "", "Cs": "\ufffd"}.get(category, chr(code))
        self[code] = kept
        return kept


_FOLD = _Fold()
_CLEAN = _Clean()


def clean(text: str) -> str:
    """Make text from outside fit to store and show: NFC, without control and direction characters."""
    if text.isascii() and text.isprintable():
        return text.strip()  # nothing to mend: ten times as quick, and most texts are like this
    return unicodedata.normalize("NFC", text.translate(_CLEAN)).strip()


def fold(text: str) -> str:
    """Bring clean text into the form that is compared. Each character is folded for itself."""
    if text.isascii() and text.isprintable():
        return text.lower()  # as most names of photos
    return text.translate(_FOLD)


def index_text(text: str) -> str:
    """Cut clean text into the words that the index holds, with spaces between them."""
    return " ".join(_indexed(fold(text)))


def _indexed(folded: str) -> Iterator[str]:
    """Yield the words of a folded text, those of one run together: `云计 计算 算`."""
    if folded.isascii():
        yield from (word[:MAX_WORD] for word in _ASCII_WORD.findall(folded))
        return
    for piece in _PIECE.finditer(folded):
        if piece[1]:
            run = _SPACE.sub("", piece[1])
            yield " ".join((*_pairs(run), run[-1]))
        else:
            yield piece[0][:MAX_WORD]


def _pairs(run: str) -> Iterator[str]:
    return map("".join, pairwise(run))


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to find: pieces that follow each other. `prefix`: the last one may go on."""

    pieces: tuple[str, ...]
    prefix: bool = False

    def match(self) -> str:
        """Write the term for FTS5. Words hold letters and digits only, so nothing needs escaping."""
        *before, last = self.pieces
        words = [word for piece in before for word in _indexed(piece)]
        words += _last(last)
        return f'"{" ".join(words)}"' + ("*" if self.prefix or _is_single(last) else "")

    def pattern(self) -> re.Pattern[str]:
        """Give the regular expression that finds the term in folded text, for marking it there."""
        gap = r"[\W_]*"
        body = gap.join(_loose(piece) for piece in self.pieces)
        start = "" if _is_run(self.pieces[0]) else rf"(?<!{_WORD[:-1]})"
        open_end = self.prefix or _is_run(self.pieces[-1]) or len(self.pieces[-1]) == MAX_WORD
        return re.compile(start + body + ("" if open_end else rf"(?!{_WORD[:-1]})"))


def _last(piece: str) -> list[str]:
    # The last character of a run is a word of its own only where the run ends in the text, too.
    return list(_pairs(piece)) if _is_run(piece) and len(piece) > 1 else [piece]


def _is_run(piece: str) -> bool:
    return re.match(_RUN, piece) is not None


def _is_single(piece: str) -> bool:
    return len(piece) == 1 and _is_run(piece)


def _loose(piece: str) -> str:
    return r"\s*".join(map(re.escape, piece)) if _is_run(piece) else re.escape(piece)


def parse(query: str) -> list[Term]:
    """Read what a person typed: words that must all be there, "quoted words" that follow each other.

    A word ending in `*` may go on. Whatever else is typed is taken for a gap between words: no text
    is an error; one without any letter or digit gives no terms.
    """
    typed = clean(query[:MAX_QUERY]).translate(_QUOTES)
    terms = [_term(chunk[1] if chunk[1] is not None else chunk[2]) for chunk in _CHUNK.finditer(typed)]
    return list(dict.fromkeys(term for term in terms if term.pieces))[:MAX_TERMS]


def _term(chunk: str) -> Term:
    pieces = [_SPACE.sub("", piece[0]) for piece in _PIECE.finditer(fold(chunk))]
    return Term(tuple(piece if _is_run(piece) else piece[:MAX_WORD] for piece in pieces), chunk.endswith("*"))
