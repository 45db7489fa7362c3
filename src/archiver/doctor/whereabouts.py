"""Takes out of a page where an archive lies: buckets, and the way to folders outside of the home."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel

from archiver.config import Config

#: Options of sinks that say where in a store the archive lies, and what is shown instead.
SHOWN = {"bucket": "<bucket>", "prefix": "<prefix>"}
#: A shorter name may be a word that stands everywhere ("archive", "slides"): it is taken out only where it
#: is told as a name, as in "sink cloud (slides): …", "s3://slides" or "slides.s3.example.org".
_SHORTEST = 8
_AS_A_NAME = r"(?:(?<=[('\"“])|(?<=\bbucket )|(?<=\bs3://)){0}(?=[)/'\"”:,.\s]|$)|\b{0}(?=\.s3[.-])"
_ANYWHERE = r"(?<![\w.-]){0}(?![\w-])"


@dataclass(frozen=True)
class Whereabouts:
    """Names with what is shown instead, and folders of which only the last part is shown; longest first."""

    names: tuple[tuple[str, str], ...] = ()
    folders: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Config | None, file: Path, homes: Iterable[str]) -> Self:
        """Gather what a configuration says; of one that cannot be read only its own folder is known."""
        known = tuple(homes)
        outside = {each for path in _paths(config, file) if not _is_in(path, known) for each in _way(path)}
        sinks = config.sinks if config else ()
        names = {pair for spec in sinks for pair in _names(spec.options) if pair[0]}
        return cls(
            tuple(sorted(names, key=lambda pair: (-len(pair[0]), pair))),
            tuple(sorted(outside, key=lambda each: (-len(each), each))),
        )

    def hide(self, text: str) -> str:
        """Give the text with `<bucket>` and `…/archive` in it."""
        for name, shown in self.names:
            is_word = len(name) < _SHORTEST and name.isalnum()
            pattern = (_AS_A_NAME if is_word else _ANYWHERE).format(re.escape(name))
            text = re.sub(pattern, shown, text)
        for folder in self.folders:
            # In a replacement a backslash means something.
            shown = f"…/{Path(folder).name}".replace("\\", r"\\")
            text = re.sub(rf"(?<![\w~…/]){re.escape(folder)}(?![\w-])", shown, text)
        return text


def _names(options: BaseModel) -> Iterator[tuple[str, str]]:
    known = [(str(getattr(options, name, None) or ""), shown) for name, shown in SHOWN.items()]
    told = [pair for pair in known if pair[0]]
    yield from told
    yield "/".join(value for value, _ in told), "/".join(shown for _, shown in told)


def _paths(config: Config | None, file: Path) -> Iterator[Path]:
    folder = file.absolute().parent
    yield folder
    if config is None:
        return
    told = [*(spec.options for spec in config.sinks), *(spec.options for spec in config.sources)]
    values = [value for options in told for _, value in options if isinstance(value, Path)]
    for path in (*values, *filter(None, [config.archive.staging])):
        whole = config.folder / os.path.expanduser(path)  # noqa: PTH111  # it never raises
        yield from (whole, Path(os.path.realpath(whole)))


def _way(path: Path) -> Iterator[str]:
    """Give a folder and those above it; the topmost tells nothing, "/srv" or "/mnt"."""
    whole = Path(os.path.normpath(path))
    yield from (str(each) for each in (whole, *whole.parents) if len(each.parts) > 2)


def _is_in(path: Path, homes: Iterable[str]) -> bool:
    return any(path.is_relative_to(home) for home in homes)
