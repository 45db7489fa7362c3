"""Files full of links: one address a line, or a table with a column `url`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from archiver import api
from archiver_plugins.links.options import Link

MAX_BYTES: Final = 64 << 20
_COLUMNS: Final = tuple(Link.model_fields)
_HINT: Final = "Correct it; until then nothing in this list counts as gone."


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line that is no link: its number, counted from 1, and what is wrong, without secrets."""

    line: int
    error: api.InvalidError


def read_list(path: Path) -> Iterator[Link | Wrong]:
    """Yield the links of a list, and each line that is none, in order.

    What ends in .csv or .tsv is a table with a header; in all else each line is an address, maybe with a
    title behind it, and lines that begin with # are comments. Raises `FatalError` for a file that
    cannot be read at all.
    """
    text = _text(path)
    tables = {".csv": ",", ".tsv": "\t"}
    separator = tables.get(path.suffix.lower())
    rows = _table(path, text, separator) if separator else _lines(text)
    for number, row in rows:
        try:
            yield Link.model_validate(row)
        except ValidationError as error:
            told = f"{path.name}, line {number} is no link: {_said(error)}"
            yield Wrong(number, api.InvalidError(told, hint=_HINT))


def _text(path: Path) -> str:
    if path.exists() and not path.is_file():  # a pipe nobody writes into would be waited for without end
        raise api.FatalError(f"The list of links {path} is no plain file", hint="Correct `file`.")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise api.FatalError(
            f"The list of links {path} cannot be read: {error.strerror}",
            hint="Correct `file`; it starts at the folder of the configuration.",
        ) from error
    if len(data) > MAX_BYTES:
        raise api.FatalError(f"The list of links {path} has more than {MAX_BYTES:,} bytes")
    for encoding in ("utf-8-sig", "gb18030"):  # spreadsheets in China save CSV as GB 18030
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise api.FatalError(f"The list of links {path} is no text", hint="Save it as text in UTF-8.")


def _lines(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(io.StringIO(text), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            url, *title = line.split(maxsplit=1)
            yield number, {"url": url, "title": title[0].strip() if title else ""}


def _table(path: Path, text: str, separator: str) -> Iterator[tuple[int, dict[str, str]]]:
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        _check_header(path, rows.fieldnames or ())
        for row in rows:
            # `None` gathers the cells past the header; a row that is short has None in the others.
            filled = {name.strip().lower(): value.strip() for name, value in row.items() if name and value}
            if None in row:
                filled["more cells than the header"] = ""
            if filled:
                yield rows.line_num, filled
    except csv.Error as error:
        raise api.FatalError(f"{path.name}, line {rows.line_num}: {error}", hint=_HINT) from error


def _check_header(path: Path, names: object) -> None:
    found = [str(name).strip().lower() for name in names] if isinstance(names, list) else []
    unknown = [name for name in found if name not in _COLUMNS]
    if "url" not in found or unknown or len(set(found)) < len(found):
        raise api.FatalError(
            f"{path.name}, line 1: the columns are {', '.join(found)[:300] or 'missing'}",
            hint=f"A column url is needed; there may be {', '.join(_COLUMNS[1:])}, each once.",
        )


def _said(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {api.redact(first['msg'].removeprefix('Value error, '))}"[:300]
