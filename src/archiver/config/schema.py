"""The JSON Schema of the file, with the options of every plugin that runs, for editors.

It describes the file as it is written: a reference to a variable may stand for any number, and a
text may look like a number (`album: 72157631`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from archiver.config.build import TOP
from archiver.config.mail import MailSection
from archiver.config.plugged import Plugins
from archiver.config.programmes import TalksSection
from archiver.config.sections import (
    NAME_PATTERN,
    ArchiveSection,
    EventSection,
    NotifyKeys,
    SinkKeys,
    TalkSection,
    UseKeys,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = {"type": "string", "pattern": r"\$\{"}

Schema = dict[str, Any]
Parts = dict[str, list[type[BaseModel]]]


class _Written(GenerateJsonSchema):
    """Describes values as they are written in the file."""

    def str_schema(self, schema: Any) -> Schema:
        """Allow text without quotes that looks like a number or a boolean."""
        return {**super().str_schema(schema), "type": ["string", "number", "boolean"]}

    def int_schema(self, schema: Any) -> Schema:
        """Allow a reference."""
        return {"anyOf": [super().int_schema(schema), REFERENCE]}

    def float_schema(self, schema: Any) -> Schema:
        """Allow a reference."""
        return {"anyOf": [super().float_schema(schema), REFERENCE]}

    def bool_schema(self, schema: Any) -> Schema:
        """Allow a reference."""
        return {"anyOf": [super().bool_schema(schema), REFERENCE]}


def file_schema(registry: Plugins) -> Schema:
    """Return the JSON Schema (draft 2020-12) of the configuration file for these plugins."""
    models = _Models(registry)
    sinks: Parts = {name: [cls.options_class, SinkKeys] for name, cls in registry.sinks.items()}
    sources = {name: [cls.options_class] for name, cls in registry.sources.items()}
    notifiers: Parts = {name: [cls.options_class, NotifyKeys] for name, cls in registry.notifiers.items()}
    properties = {
        "archive": models.part(ArchiveSection),
        "mail": models.part(MailSection),
        "notify": {"type": "array", "items": models.typed(notifiers)},
        "plugins": {"type": "array", "items": {"type": "string"}},
        "sinks": {**_named(models.typed(sinks)), "minProperties": 1},
        "sources": _named(models.typed(sources)),
        "events": {"type": "array", "minItems": 1, "items": models.event(registry)},
    }
    for name, about in TOP.items():
        properties[name] = {"description": about, **properties[name]}
    return {
        "$schema": DIALECT,
        "title": "Configuration of the archive command",
        "type": "object",
        "properties": properties,
        "required": ["archive", "sinks", "events"],
        "additionalProperties": False,
        "$defs": models.shared,
    }


def _named(item: Schema) -> Schema:
    names = {"pattern": NAME_PATTERN}
    return {"type": "object", "propertyNames": names, "additionalProperties": item}


class _Models:
    """The schemas of all classes involved, made together so that their shared parts have one name."""

    def __init__(self, registry: Plugins) -> None:
        classes: list[type[BaseModel]] = [ArchiveSection, EventSection, TalkSection, TalksSection]
        classes += [MailSection, SinkKeys, UseKeys, NotifyKeys]
        for source in registry.sources.values():
            classes += [source.options_class, source.entry_class]
        classes += [sink.options_class for sink in registry.sinks.values()]
        classes += [notifier.options_class for notifier in registry.notifiers.values()]
        wanted = [(cls, "validation") for cls in dict.fromkeys(classes)]
        refs, whole = models_json_schema(wanted, schema_generator=_Written)  # type: ignore[arg-type]  # a literal in a list
        self._all: dict[str, Schema] = whole.get("$defs", {})
        self._keys = {cls: ref["$ref"].removeprefix("#/$defs/") for (cls, _), ref in refs.items()}
        tops = set(self._keys.values())
        self.shared = {name: schema for name, schema in self._all.items() if name not in tops}
        self.shared["talk"] = self.part(TalkSection)
        self.shared["programme"] = self.part(TalksSection)

    def part(self, cls: type[BaseModel]) -> Schema:
        """Return the schema of one class, written out."""
        return {**self._all[self._keys[cls]], "type": "object"}

    def typed(self, classes: Mapping[str, Sequence[type[BaseModel]]], more: Schema | None = None) -> Schema:
        """Return a choice by `type`, each with the options of its classes."""
        kinds = [
            self._joined({"type": {"const": name}, **(more or {})}, ["type"], parts)
            for name, parts in sorted(classes.items())
        ]
        # A choice of nothing would be no schema: without plugins nothing fits.
        return {"type": "object", "oneOf": kinds} if kinds else {"not": {}}

    def event(self, registry: Plugins) -> Schema:
        """Return the schema of one event, with its talks and its uses of sources."""
        schema = self.part(EventSection)
        programme: Schema = {"$ref": "#/$defs/programme"}
        talk: Schema = {"anyOf": [{"type": ["string", "number"]}, {"$ref": "#/$defs/talk"}, programme]}
        # A key that both have is the source's: see archiver.config.uses.
        inline: Parts = {
            name: [cls.entry_class, cls.options_class, UseKeys] for name, cls in registry.sources.items()
        }
        name = {"type": "string", "pattern": NAME_PATTERN, "description": "A name for this source."}
        named = [
            self._joined({"use": {"type": "string"}}, ["use"], [cls.entry_class, UseKeys])
            for _, cls in sorted(registry.sources.items())
        ]
        use: Schema = {"type": "object", "anyOf": [*named, self.typed(inline, {"name": name})]}
        lists = {"talks": talk, "sources": use}
        properties = dict(schema["properties"])
        for key, items in lists.items():
            about = properties[key].get("description", "")
            properties[key] = {"description": about, "type": ["array", "null"], "items": items}
        typed = properties["talks"]
        properties["talks"] = {"description": typed.pop("description"), "anyOf": [typed, programme]}
        return {**schema, "properties": properties}

    def _joined(self, first: Schema, required: list[str], parts: Iterable[type[BaseModel]]) -> Schema:
        properties, needed = dict(first), list(required)
        for cls in parts:
            schema = self.part(cls)
            properties.update(schema.get("properties", {}))
            needed += schema.get("required", [])
        return {
            "type": "object",
            "properties": properties,
            "required": needed,
            "additionalProperties": False,
        }
