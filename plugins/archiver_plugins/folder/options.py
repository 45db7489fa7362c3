"""What can be configured for a folder, checked before anything is read."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from archiver import api
from archiver_plugins.folder.globs import Glob
from archiver_plugins.folder.pattern import Pattern


def _several(value: Any) -> Any:
    """Take one glob like a list of one."""
    return (value,) if isinstance(value, str) else value


_Globs = Annotated[
    tuple[str, ...],
    BeforeValidator(_several),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class Options(api.Options):
    """Options of the source."""

    path: str = Field(default=".", min_length=1)
    """Folder to read; relative to the directory of the configuration file, `~` is your home."""


class Entry(api.Options):
    """Options of one use by an event."""

    path: str = ""
    """Folder, file or glob such as `beijing/**/*.pdf`, relative to the source's folder."""
    include: _Globs = ()
    """A glob or a list of them: only files that match one are taken (`*.pdf` in every folder below)."""
    exclude: _Globs = ()
    """A glob or a list of them: files and folders that match one are left out."""
    kind: api.Kind | None = None
    """The kind of every file, whatever its name says."""
    talk: str = ""
    """Id or title of the talk that the files belong to."""
    pattern: str = ""
    """How to read paths, such as `{event}/{kind}/{talk} - {speaker}.{ext}`."""
    follow: bool = False
    """Follow symbolic links, as long as they stay inside the source's folder."""

    @property
    def names_events(self) -> bool:
        """Whether the pattern says which event a file belongs to."""
        return "{event}" in self.pattern

    @field_validator("path")
    @classmethod
    def _inside(cls, path: str) -> str:
        parts = path.replace("\\", "/").split("/")
        if path.startswith(("/", "~")) or ".." in parts or "\0" in path:
            raise ValueError(
                f"{path!r} must lie inside the folder of the source: write it relative and without '..'"
            )
        return path

    @field_validator("include", "exclude")
    @classmethod
    def _globs(cls, globs: tuple[str, ...]) -> tuple[str, ...]:
        for glob in globs:
            Glob(glob)
        return globs

    @field_validator("pattern")
    @classmethod
    def _pattern(cls, pattern: str) -> str:
        if pattern:
            Pattern(pattern)
        return pattern
