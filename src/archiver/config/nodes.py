"""YAML as a tree that knows where everything stands, built under limits.

Scalars stay text: what a value means is decided where its type is known. So `no` is not a boolean,
`2012-09` is not a number, and `007` keeps its zeros. Only plain `null`, `~` and nothing at all mean
"not given" (the null of the core schema, YAML 1.2.2 section 10.3.2).
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from archiver.config import slips
from archiver.config.problems import ConfigProblems, Keys, Problem, path_text, quoted

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 40
MAX_NODES = 200_000

_NULLS = frozenset(["", "~", "null", "Null", "NULL"])
_CORE_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "seq", "map"))
# The parser in C is forty times as fast; a build of PyYAML may lack it.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value and its place. `weight` counts the nodes under it, with aliases written out."""

    line: int
    column: int
    weight: int = field(default=1, kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class Scalar(Node):
    """A text as it was written. `plain`: without quotes."""

    text: str
    plain: bool = False

    @property
    def is_null(self) -> bool:
        """Say whether this stands for "not given"."""
        return self.plain and self.text in _NULLS


@dataclass(frozen=True, slots=True, eq=False)
class Sequence(Node):
    """A list."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Mapping(Node):
    """Keys and values; `keys` has the place of each key."""

    items: dict[str, Node]
    keys: dict[str, Scalar]


def describe(node: Node) -> str:
    """Say what a node is, for "found …"."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    assert isinstance(node, Scalar)
    return "nothing" if node.is_null else quoted(node.text)


def part(node: Mapping, names: Collection[str]) -> Mapping:
    """Return the part of a mapping that has these keys, at the same place."""
    chosen = [name for name in node.items if name in names]
    items = {name: node.items[name] for name in chosen}
    return Mapping(node.line, node.column, items, {name: node.keys[name] for name in chosen})


def without(node: Mapping, names: Collection[str]) -> Mapping:
    """Return a mapping without these keys."""
    return part(node, [name for name in node.items if name not in names])


def given(node: Mapping, name: str) -> Node | None:
    """Return the value of a key; a key without a value counts as left out."""
    value = node.items.get(name)
    return None if isinstance(value, Scalar) and value.is_null else value


def read_text(path: Path) -> str:
    """Read a configuration file as UTF-8, with or without a byte order mark.

    Raises `ConfigProblems`: missing, not readable, larger than 4 MiB, not UTF-8.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(data) > MAX_BYTES:
        raise ConfigProblems([Problem(str(path), 0, 0, "", "the file is too large", "at most 4 MiB")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = _not_utf8(str(path), data, error.start)
    raise ConfigProblems([problem])


def _unreadable(path: Path, error: OSError) -> ConfigProblems:
    if isinstance(error, FileNotFoundError):
        hint = f"write one with `archive init {shlex.quote(str(path))}`, or name another with -c FILE"
        return ConfigProblems([Problem(str(path), 0, 0, "", "there is no such file")], hint=hint)
    reason = (error.strerror or str(error)).lower()
    problem = Problem(str(path), 0, 0, "", f"the file cannot be read: {reason}")
    return ConfigProblems([problem], hint="name a readable file with -c FILE")


def _not_utf8(file: str, data: bytes, start: int) -> Problem:
    line = data.count(b"\n", 0, start) + 1
    column = start - (data.rfind(b"\n", 0, start) + 1) + 1
    return Problem(file, line, column, "", f"the byte 0x{data[start]:02x} is not UTF-8", "a UTF-8 file")


def parse(text: str, file: str) -> tuple[Mapping, list[Problem]]:
    """Parse a configuration; return its tree and the problems one can go on after.

    Raises `ConfigProblems` where one cannot: syntax, too deep, too much, not a mapping.
    """
    builder = _Builder(file)
    try:
        root = builder.document(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        problem = _syntax(text, file, error)
    else:
        if isinstance(root, Mapping):
            return root, builder.problems
        problem = _no_mapping(file, root)
    remedy = f"fill it, or remove it and write one with: archive init {shlex.quote(file)}"
    hint = remedy if problem.message == "the file is empty" else ""
    raise ConfigProblems([*builder.problems, problem], hint=hint)


def _no_mapping(file: str, root: Node | None) -> Problem:
    if root is None or (isinstance(root, Scalar) and root.is_null):
        return Problem(file, 0, 0, "", "the file is empty")
    expected = "a mapping with archive, sinks and events"
    return Problem(file, root.line, root.column, "", f"the file holds {describe(root)}", expected)


def _syntax(text: str, file: str, error: yaml.YAMLError) -> Problem:
    mark = slips.place(error)
    line, column = (mark.line + 1, mark.column + 1) if mark else _offset(text, error)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "this is not YAML"
    return Problem(file, line, column, "", f"YAML: {said}", slips.remedy(text, error))


def _offset(text: str, error: yaml.YAMLError) -> tuple[int, int]:
    # A forbidden character is reported by its position alone; the one in C counts bytes.
    position = getattr(error, "position", None)
    if position is None:
        return 0, 0
    head = text.encode()[:position].decode(errors="ignore")
    return head.count("\n") + 1, len(head) - (head.rfind("\n") + 1) + 1


class _Builder:
    """Makes the tree from the events of the parser; `path` leads to the value at hand."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._anchors: dict[str, Node | None] = {}
        self._count = 0

    def document(self, events: Iterator[yaml.Event]) -> Node | None:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                raise self._stop(event, (), "a second document begins here", "one document in the file")
            if isinstance(event, yaml.NodeEvent):
                root = self._node(event, events, ())
        return root

    def _node(self, event: yaml.NodeEvent, events: Iterator[yaml.Event], path: Keys) -> Node:
        self._count += 1
        if self._count > MAX_NODES:
            raise self._stop(event, path, "the file holds too many values", f"at most {MAX_NODES:,}")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        if len(path) > MAX_DEPTH:
            raise self._stop(event, path[:3], "this is nested too deeply", f"at most {MAX_DEPTH} levels")
        self._refuse_tag(event, path)
        if event.anchor:
            self._anchors[event.anchor] = None  # until it is complete: an alias inside has no end
        node = self._build(event, events, path)
        if node.weight > MAX_NODES:
            raise self._stop(event, path, "aliases make this too large", f"at most {MAX_NODES:,} values")
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _build(self, event: yaml.NodeEvent, events: Iterator[yaml.Event], path: Keys) -> Node:
        line, column = _place(event)
        if isinstance(event, yaml.ScalarEvent):
            plain = not event.style and event.tag != "tag:yaml.org,2002:str"
            return Scalar(line, column, event.value, plain)
        if isinstance(event, yaml.SequenceStartEvent):
            items = tuple(
                self._node(child, events, (*path, index)) for index, child in enumerate(_until_end(events))
            )
            return Sequence(line, column, items, weight=1 + sum(item.weight for item in items))
        return self._mapping(event, events, path)

    def _mapping(self, event: yaml.NodeEvent, events: Iterator[yaml.Event], path: Keys) -> Mapping:
        items: dict[str, Node] = {}
        keys: dict[str, Scalar] = {}
        weight = 1
        for child in _until_end(events):
            key = self._node(child, events, (*path, "?"))
            name = key.text if isinstance(key, Scalar) else "?"
            value = self._node(cast("yaml.NodeEvent", next(events)), events, (*path, name))
            weight += key.weight + value.weight
            if not isinstance(key, Scalar):
                self._note(key, path, f"{describe(key)} cannot be a key", "a word")
            elif name in keys:
                self._note(key, (*path, name), f"this key is given twice; first in line {keys[name].line}")
            else:
                items[name], keys[name] = value, key
        return Mapping(*_place(event), items, keys, weight=weight)

    def _alias(self, event: yaml.AliasEvent, path: Keys) -> Node:
        anchor = event.anchor or ""
        node = self._anchors.get(anchor)
        if node is not None:
            return node
        if anchor in self._anchors:
            raise self._stop(event, path, f"the alias {quoted(anchor)} stands inside what it repeats")
        # "title: *new* ideas" is meant as text far more often than as an alias.
        expected = f"quotes around a text that begins with *, or &{anchor} in front of *{anchor}"
        raise self._stop(event, path, f"no anchor is called {quoted(anchor)}", expected)

    def _refuse_tag(self, event: yaml.NodeEvent, path: Keys) -> None:
        tag = getattr(event, "tag", None)
        if tag and tag != "!" and tag not in _CORE_TAGS:
            self._note(Node(*_place(event)), path, f"the tag {quoted(tag)} is not known", "no tag")

    def _note(self, node: Node, path: Keys, message: str, expected: str = "") -> None:
        place = (node.line, node.column)
        self.problems.append(Problem(self.file, *place, path_text(path), message, expected))

    def _stop(self, event: yaml.Event, path: Keys, message: str, expected: str = "") -> ConfigProblems:
        problem = Problem(self.file, *_place(event), path_text(path), message, expected)
        return ConfigProblems([*self.problems, problem])


def _until_end(events: Iterator[yaml.Event]) -> Iterator[yaml.NodeEvent]:
    for event in events:
        if not isinstance(event, yaml.NodeEvent):
            return  # the end of this list or mapping
        yield event


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)
