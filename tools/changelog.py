"""Fold the fragments in changelog.d/ into CHANGELOG.md, or check that they can be.

A fragment is a file `changelog.d/NAME.KIND.md`: one change, told to those who use the program, in one
paragraph. NAME is anything short and your own, so that two changes never meet in one line of one file; KIND
is one of added, changed, fixed, removed, security.

    python tools/changelog.py                     fold them into the section that is not yet released
    python tools/changelog.py --check             only say what is wrong with them
    python tools/changelog.py --release 0.2.0     fold them, and close that section as 0.2.0 of today

Exit: 0 done · 1 a fragment or the file is not as it should be; then nothing was changed.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
#: In the order in which they stand in a section.
KINDS = ("added", "changed", "fixed", "removed", "security")
OPEN = "not yet released"
WIDTH = 110
_NAME = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)\.(?P<kind>[a-z]+)\.md")
_TITLE = re.compile(r"## (?P<version>\d+\.\d+\.\d+) \((?P<when>not yet released|\d{4}-\d\d-\d\d)\)")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
#: Explains the folder, and is no fragment.
_README = "README.md"


class ChangelogError(Exception):
    """A fragment or the changelog is not as it should be."""


@dataclass(frozen=True)
class Fragment:
    """One change: its kind, and its paragraph on one line."""

    path: Path
    kind: str
    text: str


def fragments(folder: Path) -> list[Fragment]:
    """Read all fragments, in the order of their names. Raises `ChangelogError`."""
    return [_fragment(path) for path in sorted(folder.iterdir()) if path.name != _README]


def _fragment(path: Path) -> Fragment:
    match = _NAME.fullmatch(path.name)
    if match is None or match["kind"] not in KINDS:
        kinds = ", ".join(KINDS)
        raise ChangelogError(f"{path.name} is no fragment: name it NAME.KIND.md, KIND being one of {kinds}.")
    text = path.read_text(encoding="utf-8").strip()
    if not text or "\n\n" in text or text.startswith(("#", "-", "*")):
        raise ChangelogError(f"{path.name} must hold one paragraph, without a heading or a bullet.")
    if not text.endswith("."):
        raise ChangelogError(f"{path.name} must hold whole sentences: it ends without a full stop.")
    return Fragment(path, match["kind"], " ".join(text.split()))


def fold(text: str, found: Sequence[Fragment], following: str) -> str:
    """Give the changelog with the fragments in its open section.

    Where the newest section is released already, one for the version `following` is begun. Raises
    `ChangelogError` when the file begins otherwise than with "# Changes" and its newest section.
    """
    head, title, body, rest = _parts(text)
    if title["when"] != OPEN:
        if not found:
            return text
        rest, body = f"{title[0]}\n{body}{rest}", "\n"
        title = _TITLE.fullmatch(f"## {following} ({OPEN})") or title
    return f"{head}{title[0]}\n{_filled(body, found)}{rest}".rstrip("\n") + "\n"


def close(text: str, version: str, day: dt.date) -> str:
    """Give the changelog with its open section released. Raises `ChangelogError` when there is none."""
    head, title, body, rest = _parts(text)
    if title["when"] != OPEN:
        raise ChangelogError(f"The newest section of the changelog, {title['version']}, is released already.")
    return f"{head}## {version} ({day.isoformat()})\n{body}{rest}"


def newest(text: str) -> tuple[str, str]:
    """Give the version of the newest section, and when it was released or that it is not yet."""
    _, title, _, _ = _parts(text)
    return title["version"], title["when"]


def _parts(text: str) -> tuple[str, re.Match[str], str, str]:
    """Take the text apart: what is before the newest section, its title, its body, the older sections."""
    titles = list(re.finditer(r"^## .*$", text, re.MULTILINE))
    title = _TITLE.fullmatch(titles[0][0]) if titles else None
    if title is None or not text.startswith("# Changes\n"):
        raise ChangelogError(
            f"CHANGELOG.md must begin with '# Changes' and a section such as '## 1.2.3 ({OPEN})'."
        )
    end = titles[1].start() if len(titles) > 1 else len(text)
    return text[: titles[0].start()], title, text[titles[0].end() + 1 : end], text[end:]


def _filled(body: str, found: Sequence[Fragment]) -> str:
    """Add the fragments to the lists of their kinds; a kind that has none yet gets its heading."""
    if not found:
        return body
    blocks = _blocks(body)
    for fragment in found:
        blocks.setdefault(fragment.kind, []).append(_item(fragment.text))
    lists = [_listed(kind, blocks[kind]) for kind in ("", *KINDS) if blocks.get(kind)]
    return "\n" + "\n\n".join(lists) + "\n\n"


def _blocks(body: str) -> dict[str, list[str]]:
    """Split a section at its headings: {"": what stands before them, "fixed": …}."""
    pieces = re.split(r"^### (\w+)\n+", body, flags=re.MULTILINE)
    named = {"": pieces[0], **dict(zip(map(str.lower, pieces[1::2]), pieces[2::2], strict=True))}
    if strange := [name for name in named if name and name not in KINDS]:
        raise ChangelogError(f"CHANGELOG.md has a heading that is no kind: {', '.join(strange)}.")
    return {name: [text.strip("\n")] for name, text in named.items() if text.strip()}


def _listed(kind: str, items: Sequence[str]) -> str:
    return (f"### {kind.capitalize()}\n\n" if kind else "") + "\n".join(items)


def _item(text: str) -> str:
    # Addresses and the names of options stay whole.
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent="- ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _following(version: str) -> str:
    major, minor, _ = version.split(".")
    return f"{major}.{int(minor) + 1}.0"


def _done(root: Path, release: str, *, check: bool) -> int:
    changes = root / "CHANGELOG.md"
    text = changes.read_text(encoding="utf-8")
    found = fragments(root / "changelog.d")
    if release and not _VERSION.fullmatch(release):
        raise ChangelogError(f"A release is numbered like 0.2.0, and not {release!r}.")
    folded = fold(text, found, release or _following(newest(text)[0]))
    if release:
        folded = close(folded, release, dt.datetime.now(tz=dt.UTC).date())
    if not check:
        changes.write_text(folded, encoding="utf-8")
        for fragment in found:
            fragment.path.unlink()
    return len(found)


@click.command(help=__doc__)
@click.option("--check", is_flag=True, help="Change nothing.")
@click.option("--release", default="", metavar="VERSION", help="Close the open section as this version.")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), default=ROOT, hidden=True)
def main(check: bool, release: str, root: Path) -> None:
    """Do what the options say."""
    try:
        count = _done(root, release, check=check)
    except ChangelogError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    what = "can be folded" if check else "folded into CHANGELOG.md"
    click.echo(f"{count} fragment{'' if count == 1 else 's'} {what}.")


if __name__ == "__main__":
    main()
