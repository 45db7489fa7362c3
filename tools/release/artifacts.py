"""What a wheel and an sdist must hold, and what must not be in them."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import posixpath
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import changelog
from markdown_it import MarkdownIt
from packaging.metadata import Metadata
from packaging.specifiers import SpecifierSet
from trove_classifiers import classifiers as known_classifiers

#: Where the packages of the wheel lie in the tree.
PACKAGES = {"archiver": "src/archiver", "archiver_plugins": "plugins/archiver_plugins"}
#: Names of folders and files that nobody installs.
_RUBBISH = re.compile(
    r"(^|/)(__pycache__|\.[a-z_]*cache|\.hypothesis|\.venv|\.git|node_modules|\.DS_Store|[^/]*\.(pyc|pyo|orig|rej|swp))(/|$)"
)
#: What an sdist must hold beside the packages, for those who build and test from it.
_NEEDED = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "constraints.txt",
    "Makefile",
    "PKG-INFO",
)
MAX_BYTES = 40 << 20


def digest(path: Path) -> str:
    """Give the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def differences(one: Path, other: Path) -> list[str]:
    """Name the members that two wheels do not share."""
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        members = ({each.filename: each.CRC for each in archive.infolist()} for archive in (first, second))
        here, there = members
        return sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))


def metadata_problems(wheel: Path, changes: str) -> list[str]:
    """Look at what the wheel says of itself. `changes` is the text of the changelog."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        names, raw = archive.namelist(), archive.read(name)
    try:
        metadata = Metadata.from_email(raw, validate=True)
    except ExceptionGroup as group:
        return [str(error) for error in group.exceptions]
    return [*_version(metadata, changes), *_words(metadata), *_licence(metadata, names), *_readme(metadata)]


def _version(metadata: Metadata, changes: str) -> Iterator[str]:
    newest, _ = changelog.newest(changes)
    if str(metadata.version) != newest:
        yield f"the version is {metadata.version}, and the newest section of the changelog is {newest}"


def _words(metadata: Metadata) -> Iterator[str]:
    given = metadata.classifiers or []
    yield from (f"unknown classifier: {each}" for each in given if each not in known_classifiers)
    wanted = metadata.requires_python or SpecifierSet()
    for each in given:
        match = re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each)
        if match and not wanted.contains(f"{match[1]}.0"):
            yield f"the classifier for Python {match[1]} contradicts requires-python {wanted}"
    if not metadata.summary:
        yield "there is no description"


def _licence(metadata: Metadata, names: Sequence[str]) -> Iterator[str]:
    if not metadata.license_expression:
        yield "there is no licence expression (SPDX)"
    for each in metadata.license_files or ["LICENSE"]:
        if not any(name.endswith(f".dist-info/licenses/{each}") for name in names):
            yield f"the licence file {each} is not in the wheel"


def _readme(metadata: Metadata) -> Iterator[str]:
    if metadata.description_content_type != "text/markdown":
        yield f"the README is declared as {metadata.description_content_type}, not as text/markdown"
    # HTML is escaped on package pages: whoever uses it sees its tags.
    tokens = MarkdownIt("commonmark").parse(metadata.description or "")
    kinds = {each.type for token in tokens for each in (token, *(token.children or ()))}
    if kinds & {"html_block", "html_inline"}:
        yield "the README uses HTML"
    if not tokens or tokens[0].type != "heading_open":
        yield "the README does not begin with a heading"


def wheel_problems(wheel: Path, root: Path) -> list[str]:
    """Compare what is in the wheel with the packages in the tree, and with its own list."""
    with zipfile.ZipFile(wheel) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    wanted = {name: path.read_bytes() for name, path in _sources(root)}
    code = {name: data for name, data in members.items() if ".dist-info/" not in name}
    return [
        *(f"missing: {name}" for name in sorted(wanted.keys() - code.keys())),
        *(f"not ours: {name}" for name in sorted(code.keys() - wanted.keys())),
        *(
            f"differs from the tree: {name}"
            for name in sorted(code)
            if wanted.get(name, code[name]) != code[name]
        ),
        *(f"missing: {name}/py.typed" for name in PACKAGES if f"{name}/py.typed" not in code),
        *_record_problems(members),
        *_rubbish(members, wheel),
    ]


def _sources(root: Path) -> Iterator[tuple[str, Path]]:
    """List every file of the packages under its name in the wheel."""
    for name, place in PACKAGES.items():
        for path in (root / place).rglob("*"):
            relative = path.relative_to(root / place).as_posix()
            if path.is_file() and not _RUBBISH.search(relative):
                yield f"{name}/{relative}", path


def _record_problems(members: Mapping[str, bytes]) -> Iterator[str]:
    (name,) = (each for each in members if each.endswith(".dist-info/RECORD"))
    rows = {row[0]: row[1] for row in csv.reader(io.StringIO(members[name].decode())) if row}
    yield from (f"not in RECORD: {each}" for each in sorted(members.keys() - rows.keys()))
    for each, given in rows.items():
        found = (
            base64.urlsafe_b64encode(hashlib.sha256(members.get(each, b"")).digest()).rstrip(b"=").decode()
        )
        if given and given != f"sha256={found}":
            yield f"not as in RECORD: {each}"


def sdist_problems(sdist: Path) -> list[str]:
    """Look for what is missing in an sdist, and for what should not be in it."""
    with tarfile.open(sdist) as archive:
        members = [(PurePosixPath(each.name), _stays(each)) for each in archive.getmembers()]
    top = {path.parts[0] for path, _ in members}
    names = {"/".join(path.parts[1:]) for path, _ in members}
    return [
        *(["more than one folder at the top"] if len(top) != 1 else []),
        *(f"missing: {name}" for name in _NEEDED if name not in names),
        *(f"missing: {place}/py.typed" for place in PACKAGES.values() if f"{place}/py.typed" not in names),
        *(f"leads out of it, or is no file: {path}" for path, stays in members if not stays),
        *_rubbish(names, sdist),
    ]


def _stays(member: tarfile.TarInfo) -> bool:
    """Say whether a member is a file or a folder, or a link to another one in the same sdist."""
    if not member.issym():
        return member.isfile() or member.isdir()
    target = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.linkname))
    return target.startswith(f"{member.name.split('/')[0]}/")


def _rubbish(names: Iterable[str], path: Path) -> Iterator[str]:
    yield from (f"does not belong there: {name}" for name in sorted(names) if _RUBBISH.search(name))
    if path.stat().st_size > MAX_BYTES:
        yield f"{path.stat().st_size >> 20} MiB are more than {MAX_BYTES >> 20}"
