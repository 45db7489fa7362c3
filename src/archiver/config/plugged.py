"""What the plugins add to the file: types, names, and the options of each sink."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Table
from typing import Any, Protocol, TypeVar

from archiver.config.checking import Checker
from archiver.config.nodes import Mapping, Node, Scalar, describe, part, without
from archiver.config.problems import Keys, listed, nearest
from archiver.config.sections import NAME_PATTERN, NotifyKeys, SinkKeys
from archiver.config.settings import NotifySpec, SinkSpec
from archiver.contracts import Notifier, Sink, Source
from archiver.model import Audience


class Plugin(Protocol):
    """What a configuration needs to know of an installed plugin."""

    @property
    def name(self) -> str:
        """The word for `plugins:`."""

    @property
    def origin(self) -> str:
        """The distribution it comes from."""

    @property
    def types(self) -> tuple[str, ...]:
        """The words for `type:` that it provides, as far as they are known."""

    @property
    def state(self) -> str:
        """`ok`, `disabled` or `quarantined`."""

    @property
    def reason(self) -> str:
        """Why it is not `ok`."""


class Plugins(Protocol):
    """What a configuration needs to know of the plugins: a registry offers it."""

    @property
    def sources(self) -> Table[str, type[Source[Any, Any]]]:
        """The source classes by their type."""

    @property
    def sinks(self) -> Table[str, type[Sink[Any]]]:
        """The sink classes by their type."""

    @property
    def notifiers(self) -> Table[str, type[Notifier[Any]]]:
        """The notifier classes by their type."""

    @property
    def plugins(self) -> Sequence[Plugin]:
        """Every plugin that is installed."""


PluggedT = TypeVar("PluggedT")


def find_type(
    checker: Checker, node: Mapping, keys: Keys, classes: Table[str, PluggedT], plugins: Plugins
) -> tuple[str, PluggedT] | None:
    """Find the class that `type:` names, else note why there is none."""
    value = node.items.get("type")
    if value is None:
        near = nearest("type", [key for key in node.items if key not in {"use", "name"}])
        checker.note(
            node, keys, "'type' is missing" + (f"; found {near!r}" if near else ""), _one_of(classes)
        )
        return None
    if isinstance(value, Scalar) and value.text in classes:  # the others need not be loaded then
        return value.text, classes[value.text]
    name = checker.text(value, (*keys, "type"), _one_of(classes))
    if name is None:
        return None
    if name in classes:
        return name, classes[name]
    idle = _idle(name, plugins.plugins)
    if idle:
        checker.note(value, (*keys, "type"), *idle)
    else:
        checker.note(
            value,
            (*keys, "type"),
            f"no plugin provides {describe(value)}",
            _one_of(classes),
            nearest(name, classes),
        )
    return None


def _one_of(classes: Table[str, Any]) -> str:
    return f"one of {listed(sorted(classes))}" if classes else "a type that an installed plugin provides"


def _idle(name: str, plugins: Sequence[Plugin]) -> tuple[str, str] | None:
    # What a plugin that is not enabled provides is not known before it runs: go by its name.
    for plugin in plugins:
        if name not in {plugin.name, plugin.origin, *plugin.types}:
            continue
        if plugin.state == "disabled":
            return f"the plugin {plugin.name} is installed but not enabled", f"{plugin.name} under plugins:"
        if plugin.state == "quarantined":
            return f"the plugin {plugin.name} cannot be used: {plugin.reason}", "a plugin that works"
    return None


def check_name(checker: Checker, name: str, node: Node, keys: Keys) -> bool:
    """Note a name of a sink or source that could not stand in a path."""
    if re.fullmatch(NAME_PATTERN, name):
        return True
    expected = "small letters a-z, digits, hyphens and underscores, beginning with a letter or digit"
    checker.note(node, keys, f"{describe(node)} cannot be a name", expected)
    return False


def configured(checker: Checker, node: Mapping | None, top: str) -> Iterator[tuple[str, Mapping, Keys]]:
    """Walk over the sinks or sources of the file whose names and shapes are right."""
    for name, item in (node.items if node else {}).items():
        keys: Keys = (top, name)
        assert node is not None
        mapping = checker.mapping(item, keys, "a mapping with a type")
        if check_name(checker, name, node.keys[name], keys) and mapping is not None:
            yield name, mapping, keys


def read_sinks(checker: Checker, node: Mapping | None, plugins: Plugins) -> tuple[SinkSpec, ...]:
    """Read the sinks; two that are the same place are a problem."""
    specs: list[SinkSpec] = []
    for name, item, keys in configured(checker, node, "sinks"):
        found = find_type(checker, item, keys, plugins.sinks, plugins)
        ours = checker.model(SinkKeys, part(item, SinkKeys.model_fields), keys)
        rest = without(item, ["type", *SinkKeys.model_fields])
        options = found and checker.model(found[1].options_class, rest, keys)
        if not found or options is None or ours is None:
            continue
        same = [spec.name for spec in specs if spec.type == found[0] and spec.options == options]
        if same:
            checker.note(item, keys, f"this is the same place as the sink {same[0]!r}", "another place")
        specs.append(SinkSpec(name, found[0], options, ours.audience))
    if specs and all(spec.audience is Audience.PUBLIC for spec in specs):
        assert node is not None
        message = "every sink is public: nothing could keep what is not cleared"
        checker.note(node, ("sinks",), message, "one sink at least with audience: internal")
    return tuple(specs)


def read_notify(checker: Checker, node: Node | None, plugins: Plugins) -> tuple[NotifySpec, ...]:
    """Read who is told of a run, and when."""
    items = checker.sequence(node, ("notify",), "a list of notifiers, each with a type")
    specs = []
    for index, item in enumerate(items.items if items else ()):
        keys: Keys = ("notify", index)
        mapping = checker.mapping(item, keys, "a mapping with a type")
        found = mapping and find_type(checker, mapping, keys, plugins.notifiers, plugins)
        if mapping is None or not found:
            continue
        ours = checker.model(NotifyKeys, part(mapping, NotifyKeys.model_fields), keys)
        rest = without(mapping, ["type", *NotifyKeys.model_fields])
        options = checker.model(found[1].options_class, rest, keys)
        if ours is not None and options is not None:
            specs.append(NotifySpec(found[0], options, ours.when))
    return tuple(specs)
