"""The sources of the file: the named ones, and what each event uses of them or writes out itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from archiver.config.checking import Checker
from archiver.config.environment import refers
from archiver.config.nodes import Mapping, Node, Scalar, Sequence, describe, given, part, without
from archiver.config.plugged import Plugins, check_name, configured, find_type
from archiver.config.problems import Keys, listed, nearest
from archiver.config.sections import UseKeys
from archiver.config.settings import SourceSpec
from archiver.config.values import option_names, secret_names
from archiver.contracts import Options, ScopeEntry, Source
from archiver.model import Consent, Event

SourceClass = type[Source[Any, Any]]


@dataclass
class _Source:
    """A source while the file is read. `options` is `None` when they are wrong.

    `written` and `secrets` are its options as they stand in the file: what makes two inline ones equal.
    """

    type_name: str
    cls: SourceClass
    options: Options | None
    written: str = ""
    secrets: str = ""
    entries: list[ScopeEntry[Any]] = field(default_factory=list)
    consents: list[Consent | None] = field(default_factory=list)


class SourceReader:
    """Reads `sources:`, then the `sources:` of each event."""

    def __init__(self, checker: Checker, plugins: Plugins) -> None:
        self._checker = checker
        self._plugins = plugins
        # None: the name is there, but what it names is wrong.
        self._named: dict[str, _Source | None] = {}
        self._inline: dict[str, _Source] = {}

    def read_named(self, node: Mapping | None) -> None:
        """Read the sources that have a name of their own."""
        self._named = dict.fromkeys(node.items if node else ())
        for name, item, keys in configured(self._checker, node, "sources"):
            found = self._find_type(item, keys)
            if found:
                options = self._checker.model(found[1].options_class, without(item, ["type"]), keys)
                self._named[name] = _Source(*found, options)

    def read_uses(self, event: Event, node: Node | None, keys: Keys) -> None:
        """Read what one event uses."""
        items = self._checker.sequence(node, keys, "a list such as [{use: NAME}]")
        for index, item in enumerate(items.items if items else ()):
            here = (*keys, index)
            mapping = self._checker.mapping(item, here, "a mapping with use: NAME or type: TYPE")
            if mapping is not None:
                self._read_use(event, mapping, here)

    def specs(self) -> tuple[SourceSpec, ...]:
        """Return every source that is right: the named ones first, then the inline ones."""
        return tuple(
            SourceSpec(name, source.type_name, source.options, tuple(source.entries), tuple(source.consents))
            for name, source in [*self._named.items(), *self._inline.items()]
            if source is not None and source.options is not None
        )

    def _find_type(self, node: Mapping, keys: Keys) -> tuple[str, SourceClass] | None:
        return find_type(self._checker, node, keys, self._plugins.sources, self._plugins)

    def _read_use(self, event: Event, node: Mapping, keys: Keys) -> None:
        if "use" in node.items and "type" in node.items:
            expected = "use: for a named source, or type: for one written out here"
            self._checker.note(node.keys["type"], keys, "use and type are both given", expected)
        elif "use" in node.items:
            self._use_named(event, node, keys)
        elif "type" in node.items:
            self._use_inline(event, node, keys)
        else:
            self._note_no_source(node, keys)

    def _note_no_source(self, node: Mapping, keys: Keys) -> None:
        guesses = {key: near for key in node.items if (near := nearest(key, ["use", "type"]))}
        key = next(iter(guesses), None)
        place, where = (node, keys) if key is None else (node.keys[key], (*keys, key))
        expected = "use: NAME or type: TYPE"
        self._checker.note(place, where, "no source is named", expected, guesses.get(key or "", ""))

    def _use_named(self, event: Event, node: Mapping, keys: Keys) -> None:
        expected = f"one of {listed(self._named)}" if self._named else "a name under sources:"
        here = (*keys, "use")
        name = self._checker.text(node.items["use"], here, expected)
        if name is None:
            return
        if name not in self._named:
            message = f"no source is called {describe(node.items['use'])}"
            self._checker.note(node.items["use"], here, message, expected, nearest(name, self._named))
        self._enter(self._named.get(name), event, without(node, ["use"]), keys)

    def _enter(self, source: _Source | None, event: Event, node: Mapping, keys: Keys) -> None:
        if source is None:
            return
        ours = self._checker.model(UseKeys, part(node, UseKeys.model_fields), keys)
        rest = without(node, UseKeys.model_fields)
        options = self._checker.model(source.cls.entry_class, rest, keys)
        if options is not None and ours is not None:
            source.entries.append(ScopeEntry(event, options))
            source.consents.append(ours.consent)

    def _use_inline(self, event: Event, node: Mapping, keys: Keys) -> None:
        found = self._find_type(node, keys)
        if not found:
            return
        type_name, cls = found
        own, entry = option_names(cls.options_class), option_names(cls.entry_class)
        self._check_keys(node, keys, own, entry)
        # A key that both have (the folder's `path`) says where the source is; its use takes all of it.
        made = self._make(type_name, cls, part(node, own), keys)
        name = self._inline_name(made, given(node, "name"), keys)
        source = self._agreed(name, made, node, keys) if name else made
        self._enter(source, event, part(node, (entry - own) | {*UseKeys.model_fields}), keys)

    def _check_keys(self, node: Mapping, keys: Keys, own: Collection[str], entry: Collection[str]) -> None:
        rest = without(node, ["type", "name", *UseKeys.model_fields])
        for key in rest.items:
            if key not in own and key not in entry:
                self._checker.unknown(rest, keys, key, {*own, *entry, *UseKeys.model_fields})

    def _make(self, type_name: str, cls: SourceClass, node: Mapping, keys: Keys) -> _Source:
        options = self._checker.model(cls.options_class, node, keys)
        secrets = secret_names(cls.options_class)
        told = without(node, [*secrets, *_idle(node, options)])
        return _Source(type_name, cls, options, _written(told), _written(part(node, secrets)))

    def _inline_name(self, source: _Source, node: Node | None, keys: Keys) -> str | None:
        if node is not None:
            return self._given_name(node, (*keys, "name"))
        if source.written == "{}" and source.type_name not in self._named:
            return source.type_name
        return f"{source.type_name}-{hashlib.sha256(source.written.encode()).hexdigest()[:6]}"

    def _given_name(self, node: Node, keys: Keys) -> str | None:
        name = self._checker.text(node, keys, "a name for this source")
        if name is None or not check_name(self._checker, name, node, keys):
            return None
        if name in self._named:
            message = f"a source under sources: is called {name!r}"
            self._checker.note(node, keys, message, f"use: {name} alone, or another name")
            return None
        return name

    def _agreed(self, name: str, made: _Source, node: Mapping, keys: Keys) -> _Source:
        """Return the source of that name, which the first use makes; the others must agree with it."""
        first = self._inline.setdefault(name, made)
        if (first.type_name, first.written, first.secrets) != (made.type_name, made.written, made.secrets):
            message = f"this has other options than another source called {name!r}"
            self._checker.note(node, keys, message, "a name: of its own")
        return first


def _idle(node: Mapping, options: Options | None) -> list[str]:
    """Name the options that only say what holds anyway: they make no other source."""
    fields = {} if options is None else type(options).model_fields
    return [
        key
        for key, value in node.items.items()
        if key in fields
        and not fields[key].is_required()
        and getattr(options, key) == fields[key].default
        and not (isinstance(value, Scalar) and refers(value.text))
    ]


def _written(node: Mapping) -> str:
    return json.dumps(_plain(node), sort_keys=True, ensure_ascii=False)


def _plain(node: Node) -> Any:
    if isinstance(node, Mapping):
        return {key: _plain(item) for key, item in node.items.items()}
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.text
