"""Small programs that speak the protocol, well or badly, and the sources that run them."""

from __future__ import annotations

import logging
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from archiver import api
from archiver_plugins.command import Command, CommandEntry, CommandOptions

EVENT = api.Event(
    "beijing",
    "Beijing Stop",
    "2012-09-16",
    talks=(api.Talk("chef", "Chef", ("Junqiang Chen",), "jq@example.org"),),
)
DECK = api.Material("one", api.Kind.SLIDES, "One")

#: What a program does for each request unless a test says otherwise.
BEHAVIOUR = {
    "begin": "pass",
    "describe": "say(type='described', protocol=1)",
    "discover": "say(type='material', material={'id': 'one', 'kind': 'slides'}); "
    "say(type='checkpoint', complete=True)",
    "fetch": "open(m['into'] + '/deck', 'w').write('deck'); say(type='file', path='deck'); say(type='done')",
    "after": "pass",
}
_FRAME = """
import json, os, signal, subprocess, sys, time
def raw(data):
    sys.stdout.buffer.write(data); sys.stdout.buffer.flush()
def say(**members):
    raw(json.dumps({{'id': m['id'], **members}}).encode() + b'\\n')
{begin}
for line in sys.stdin:
    m = json.loads(line)
    if m['type'] == 'describe':
{describe}
    elif m['type'] == 'discover':
{discover}
    else:
{fetch}
{after}
"""


def program(**behaviour: str) -> list[str]:
    """Give the words that start a program which behaves so."""
    depth = {"begin": "", "after": " " * 4}
    parts = {
        name: textwrap.indent(textwrap.dedent(text).strip(), depth.get(name, " " * 8))
        for name, text in {**BEHAVIOUR, **behaviour}.items()
    }
    return [sys.executable, "-I", "-S", "-c", _FRAME.format(**parts)]


class NoHttp:
    """The source never needs the network."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the source used http.{name}")


class Diary(logging.Handler):
    """Keeps what was logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@dataclass
class Made:
    """A source that runs a program, and what was seen of it."""

    source: Command
    diary: Diary
    progress: list[tuple[int, int | None]] = field(default_factory=list)

    def listing(self, cursor: str = "", limit: int | None = None) -> list[Any]:
        entry = api.ScopeEntry(EVENT, CommandEntry(entry={"album": "1"}))
        return list(self.source.discover(api.Scope((entry,), limit), cursor))

    def fetch(self, into: Path, material: api.Material = DECK) -> list[Any]:
        into.mkdir(exist_ok=True)
        return list(self.source.fetch(material, into))


@contextmanager
def running(run: list[str], folder: Path, **options: Any) -> Iterator[Made]:
    """Make a source for a program, and end it."""
    log = logging.getLogger(f"test.command.{id(folder)}")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    diary = Diary()
    log.addHandler(diary)
    made: Made

    def progress(done: int, total: int | None = None) -> None:
        if done:
            made.progress.append((done, total))

    given: Mapping[str, Any] = {"run": run, "timeout": 10, **options}
    context = api.Context("decks", folder, cast("api.Http", NoHttp()), log, progress)
    made = Made(Command(CommandOptions.model_validate(given), context), diary)
    try:
        yield made
    finally:
        made.source.close()
        log.removeHandler(diary)
