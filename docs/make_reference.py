"""Write the reference of the configuration and of the command from the code.

python docs/make_reference.py          write docs/reference/*.md
python docs/make_reference.py --check  say whether they are current
"""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from archiver.cli import COMMANDS, archive
from archiver.cli.init import starter
from archiver.config.build import TOP
from archiver.config.mail import MailSection, SmtpSection
from archiver.config.nodes import MAX_BYTES, MAX_DEPTH
from archiver.config.programmes import TalksSection
from archiver.config.sections import ArchiveSection, EventSection, NotifyKeys, TalkSection
from archiver.config.values import option_names
from archiver.registry import Registry, load_plugins

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Made by docs/make_reference.py from the code: change it there. -->\n"
WIDTH = 80

INTRO = f"""
# The configuration

`archive.yaml` names the events and their talks, so that the archive knows what is missing; the
sources, where material is found; and the sinks, where the archive is kept. `archive init` writes one
to start from, `archive check` says whether it is right, and `archive schema` prints its JSON Schema
for editors.

## How values are read

The file is YAML in UTF-8, at most {MAX_BYTES // 2**20} MiB and {MAX_DEPTH} levels deep, one document.

- Values are taken as they are written: `no` is a text where a text belongs, `007` keeps its zeros,
  `album: 72157631` needs no quotes, dates need none either.
- A text with a colon and a blank in it, or one that begins with any of `@ % [ ] {{ }} * & ! | >` or a
  backtick, stands in quotes: `title: "Summer: Salon"`. In front of lines there are spaces, never tabs.
- A key with nothing behind it, `~` or `null` counts as left out.
- `${{NAME}}` is the value of the environment variable NAME; `${{NAME:-text}}` is the text when NAME is not
  set or empty; `$$` is a dollar. They are replaced in values after the file was read, so a value cannot
  become structure. Secrets belong there and nowhere else; a problem is told with the reference as it is
  written, not with what it stands for.
- Unknown keys and keys given twice are errors. All errors are told at once, each with line, column, the
  way to the value, and what was probably meant.
- Aliases (`*name`) repeat what stands under an anchor (`&name`); merge keys (`<<`) and tags are not
  supported.

## At the top
"""

USES = """
### Uses of a source

Each event lists its `sources`. An item is one of these:

- `{use: NAME, …}` uses a source under `sources:`; the other keys are the options of one use.
- `{type: TYPE, …}` writes a source out; its keys are those of the source and of the use together. A key
  that both have, such as the folder's `path`, is the source's. Sources written out with the same type
  and options are one source, listed once per run. It is called like its type, or like its type with six
  hex digits when it has options of its own; `name: NAME` gives it another name. The ledger of a source
  carries its name, so give it one if its options may change.
"""


def main() -> int:
    """Write the pages, or compare them."""
    pages = render()
    if "--check" in sys.argv[1:]:
        return int(any(not path.exists() or path.read_text("utf-8") != text for path, text in pages.items()))
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
        print(path)
    return 0


def render() -> dict[Path, str]:
    """Return the text of each page. Only what comes with the program is in it."""
    registry = load_plugins()
    return {
        FOLDER / "configuration.md": _page(configuration(registry)),
        FOLDER / "command.md": _page(commands()),
    }


def _page(lines: Iterator[str]) -> str:
    text = NOTE + "\n".join(lines)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.rstrip() + "\n"


def configuration(registry: Registry) -> Iterator[str]:
    """Describe every key of the file."""
    yield INTRO
    yield from (f"- `{key}`: {about}" for key, about in TOP.items())
    yield from _section("## archive", ArchiveSection)
    yield "\n## sinks\n\nA name for each, and under it `type` and the options of that type."
    for name, sink in sorted(registry.sinks.items()):
        yield from _plugged("sink", name, sink)
        yield from _table(sink.options_class)
    yield "\n## sources\n\nA name for each, and under it `type` and the options of that type."
    for name, source in sorted(registry.sources.items()):
        yield from _plugged("source", name, source)
        yield from _table(source.options_class)
        yield "\nOptions of one use by an event:\n"
        yield from _table(source.entry_class)
    yield "\n## notify\n\nA list; each has `type`, its options and `when`.\n"
    yield from _table(NotifyKeys)
    for name, notifier in sorted(registry.notifiers.items()):
        yield from _plugged("notifier", name, notifier)
        yield from _table(notifier.options_class)
    yield from _section("## mail", MailSection)
    yield from _section("### The server that takes our mail", SmtpSection)
    yield from _section("## events", EventSection)
    yield from _section("### Talks", TalkSection)
    yield from _section("### Talks from elsewhere", TalksSection)
    yield USES
    yield f"\n## The file that `archive init` writes\n\n```yaml\n{starter().decode()}```"


def _plugged(kind: str, name: str, cls: type[Any]) -> Iterator[str]:
    about = (cls.__doc__ or "").strip().partition("\n")[0]
    yield f"\n### The {kind} type `{name}`\n\n{about}\n"


def _section(title: str, cls: type[BaseModel]) -> Iterator[str]:
    yield f"\n{title}\n\n{inspect.cleandoc(cls.__doc__ or '')}\n"
    yield from _table(cls)


def _table(cls: type[BaseModel]) -> Iterator[str]:
    if not option_names(cls):
        yield "It has no options."
        return
    yield "| key | value | if left out | |"
    yield "|-|-|-|-|"
    for name, info in sorted(cls.model_fields.items(), key=lambda item: not item[1].is_required()):
        about = " ".join((info.description or "").split())
        row = (f"`{info.alias or name}`", kind(info.annotation), _default(info), about)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def _default(info: Any) -> str:
    if info.is_required():
        return "**required**"
    value = info.get_default(call_default_factory=True)
    if value in (None, "", (), [], {}, PydanticUndefined) or isinstance(value, SecretStr):
        return ""
    return f"`{_written(value)}`"


def _written(value: Any) -> str:
    if isinstance(value, tuple | list | set | frozenset):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def kind(annotation: Any) -> str:
    """Say in words what a type takes."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(kind(member) for member in inner if member is not type(None))
    if origin is typing.Annotated:
        return kind(inner[0])
    if origin is typing.Literal:
        return " or ".join(f"`{choice}`" for choice in inner)
    if origin in (tuple, list, set, frozenset):
        return f"list of {kind(inner[0])}"
    if origin is dict:
        return f"mapping of {kind(inner[0])} to {kind(inner[1])}"
    return _simple(annotation)


def _simple(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    if annotation is TalkSection:
        return "talk"
    words = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}
    return {**words, Path: "path", SecretStr: "secret", Any: "anything"}.get(annotation, "mapping")


def commands() -> Iterator[str]:
    """Show the help of every command."""
    yield "\n# The command\n"
    yield "What `archive --help` and `archive COMMAND --help` print.\n"
    yield from _help(archive, "archive")
    for name in COMMANDS:
        command = archive.get_command(click.Context(archive), name)
        assert command is not None
        yield from _help(command, f"archive {name}")
        for inner in getattr(command, "commands", {}).values():
            yield from _help(inner, f"archive {name} {inner.name}")


def _help(command: click.Command, path: str) -> Iterator[str]:
    ctx = click.Context(
        command,
        info_name=path,
        help_option_names=["-h", "--help"],
        terminal_width=WIDTH,
        max_content_width=WIDTH,
    )
    text = "\n".join(line.rstrip() for line in command.get_help(ctx).splitlines())
    yield f"\n## {path}\n\n```\n{text}\n```"


if __name__ == "__main__":
    sys.exit(main())
