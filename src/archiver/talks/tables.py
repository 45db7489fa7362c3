"""Talks out of a table, with the separators and encodings of spreadsheets; errors name the line."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any, Final

from archiver.errors import InvalidError
from archiver.naming import slug
from archiver.talks.encodings import decoded
from archiver.talks.reading import MAX_TALKS, ListedTalk, one_line

_COLUMNS: Final = ("id", "title", "speaker", "speakers", "email", "date")
#: Excel takes the separator of lists of its country: a semicolon where numbers have decimal commas.
_SEPARATORS: Final = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Listing:
    """The talks of a programme. `note` is what whoever keeps it should know, "" for nothing."""

    talks: list[ListedTalk]
    note: str = ""


def read_table(content: bytes, name: str, language: str = "") -> Listing:
    """Read a table with a header: `title`, and any of `id`, `speaker(s)`, `email`, `date`.

    Cells are separated by commas, semicolons or tabs, as the header is. Several speakers of a talk are
    separated by semicolons. Without an id the title names a talk. `language` is the archive's: it helps
    to tell the encoding. Raises `InvalidError`.
    """
    found = decoded(content, name, language)
    note = ""
    if found.assumed:
        note = f"{name} is not in UTF-8 and was read as {found.assumed}. Save it as “CSV UTF-8” to be sure."
    return Listing(_talks(found.text, name), note)


def _talks(text: str, name: str) -> list[ListedTalk]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=_separator(text))
    talks: dict[str, tuple[int, ListedTalk]] = {}
    try:
        _check_header(rows.fieldnames or (), name)
        for row in rows:
            talk = _of_row(row, f"{name}, line {rows.line_num}")
            if talk is None:
                continue
            if talk.uid in talks:
                raise InvalidError(
                    f"{name}, line {rows.line_num}: the talk of line {talks[talk.uid][0]} again",
                    hint="Give each talk an id of its own in a column `id`.",
                )
            talks[talk.uid] = rows.line_num, talk
            if len(talks) > MAX_TALKS:
                raise InvalidError(f"{name} has more than {MAX_TALKS:,} talks")
    except csv.Error as error:
        raise InvalidError(f"{name}, line {rows.line_num}: {error}") from error
    return [talk for _, talk in talks.values()]


def _separator(text: str) -> str:
    """Find what separates the columns of the header: with it, most of them are known."""
    return max(_SEPARATORS, key=lambda each: _known(text, each))


def _known(text: str, separator: str) -> tuple[int, int]:
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    except csv.Error:
        return 0, 0
    return len(set(map(_column, header)) & set(_COLUMNS)), len(header)


def _column(name: object) -> str:
    return str(name).strip().lower()


def _check_header(names: Any, name: str) -> None:
    # "id;title;speaker;;" is what Excel writes of a sheet that once had more columns.
    found = list(filter(None, map(_column, names)))
    if "title" not in found or len(set(found)) < len(found) or not set(found) <= set(_COLUMNS):
        raise InvalidError(
            f"{name}, line 1: the columns are {', '.join(found)[:300] or 'missing'}",
            hint=f"A column title is needed; there may be {', '.join(_COLUMNS)}, each once. "
            "Commas, semicolons or tabs stand between them.",
        )


def _of_row(row: dict[Any, Any], where: str) -> ListedTalk | None:
    cells = {_column(key): one_line(value) for key, value in row.items() if key is not None}
    if not any(cells.values()) and None not in row:
        return None
    if None in row:
        hint = "Put a cell in double quotes that holds the separator itself, such as several speakers."
        raise InvalidError(f"{where}: more cells than the header has", hint=hint)
    if not cells.get("title"):
        raise InvalidError(f"{where}: no title")
    return ListedTalk(
        (cells.get("id") or slug(cells["title"]) or cells["title"])[:300],
        cells["title"],
        tuple(_several(cells.get("speakers") or cells.get("speaker") or "")),
        ", ".join(_several(cells.get("email", ""))),
        cells.get("date", ""),
    )


def _several(cell: str) -> list[str]:
    return [part for each in cell.split(";") if (part := each.strip())]
