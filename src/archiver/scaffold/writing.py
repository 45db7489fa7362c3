"""Fill the templates and write what comes of them, over nothing that is there."""

from __future__ import annotations

import string
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from archiver import __version__
from archiver.contracts import API_VERSION
from archiver.errors import ConfigError
from archiver.scaffold.names import Names

KINDS = ("source", "sink")
LICENCES = ("Apache-2.0", "MIT", "none")

#: What each kind of plugin consists of: the template, and where it goes.
_COMMON = {
    "common/pyproject.toml": "pyproject.toml",
    "common/gitignore": ".gitignore",
    "common/ci.yml": ".github/workflows/ci.yml",
}
_PARTS = {
    "source": {
        "source/README.md": "README.md",
        "source/module.py": "src/{module}/__init__.py",
        "source/double.py": "tests/double.py",
        "source/test.py": "tests/test_{module}.py",
    },
    "sink": {
        "sink/README.md": "README.md",
        "sink/module.py": "src/{module}/__init__.py",
        "sink/store.py": "src/{module}/store.py",
        "sink/test.py": "tests/test_{module}.py",
    },
}


class _Template(string.Template):
    """Text with names like `%%{type}`; dollars and braces, of which programs are full, mean nothing."""

    delimiter = "%%"


@dataclass(frozen=True, slots=True)
class Written:
    """A plugin that was written: where, and its files, relative to that, in order."""

    kind: str
    names: Names
    folder: Path
    files: tuple[Path, ...]


def render(kind: str, names: Names, *, licence: str = LICENCES[0], author: str = "") -> dict[str, str]:
    """Give the text of every file of a new plugin by its path."""
    values = {
        "kind": kind,
        "type": names.type,
        "Class": names.cls,
        "module": names.module,
        "distribution": names.distribution,
        "version": __version__,
        "api_version": str(API_VERSION),
        "licence_lines": "" if licence == "none" else f'license = "{licence}"\nlicense-files = ["LICENSE"]\n',
        "author": author or f"the authors of {names.distribution}",
        "year": str(datetime.now(UTC).year),
    }
    parts = {**_COMMON, **_PARTS[kind]}
    texts = {path.format(module=names.module): _filled(name, values) for name, path in parts.items()}
    texts[f"src/{names.module}/py.typed"] = ""
    if licence != "none":
        texts["LICENSE"] = _filled(f"licences/{licence}", values, ".txt")
    return dict(sorted(texts.items()))


def write(kind: str, names: Names, folder: Path, *, licence: str = LICENCES[0], author: str = "") -> Written:
    """Write a new plugin into a folder that is not there yet, or empty.

    Raises `ConfigError` when something lies there, or when it cannot be written.
    """
    texts = render(kind, names, licence=licence, author=author)
    try:
        if folder.exists() and any(folder.iterdir()):
            raise ConfigError(f"{folder} is not empty", hint="name another folder with --to")
        for path, text in texts.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or folder} cannot be written: {error.strerror}",
            hint="name another folder with --to",
        ) from error
    return Written(kind, names, folder, tuple(map(Path, texts)))


def _filled(name: str, values: dict[str, str], ending: str = ".tmpl") -> str:
    text = files("archiver.scaffold").joinpath("templates", name + ending).read_text("utf-8")
    return _Template(text).substitute(values)
