"""Looks at the configuration, the plugins and the sources: types and presence, never values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr

from archiver.config import Config, SourceSpec
from archiver.config.values import secret_names
from archiver.doctor.lines import Line, bad, ok, warn
from archiver.doctor.shade import named
from archiver.errors import ConfigError
from archiver.registry import Registry, State


def configuration(config: Config | None, error: ConfigError | None, *, missing: bool) -> Iterator[Line]:
    """Say how the configuration stands."""
    if missing:
        hint = "write one with `archive init`, or name another with -c"
        yield warn("configuration", "there is none here: sinks and sources were not looked at", hint)
    elif config is None:
        told = error.message if error else "it cannot be read"
        hint = (error.hint if error else "") or "see `archive check`"
        yield bad("configuration", f"{told}\nSinks and sources were not looked at.", hint)
    else:
        counts = {
            "event": len(config.events),
            "talk": sum(len(event.talks) for event in config.events),
            "source": len(config.sources),
            "sink": len(config.sinks),
        }
        parts = [f"{number} {noun}{'' if number == 1 else 's'}" for noun, number in counts.items()]
        yield ok("configuration", f"right: {', '.join(parts)}")


def plugins(registry: Registry) -> Iterator[Line]:
    """Say which plugins run, and why others do not."""
    running = [each for each in registry.plugins if each.state is State.OK]
    own = [each.name for each in running if each.bundled]
    yield ok("plugins", f"bundled: {named(own)}")
    for each in running:
        if not each.bundled:
            told = f"{each.version}, interface {each.api_version}, provides {named(each.types)}"
            hint = f"update {each.origin}"
            subject = f"plugin {each.name}"
            yield warn(subject, f"{told}; {each.reason}", hint) if each.reason else ok(subject, told)
    for each in registry.plugins:
        if each.state is State.QUARANTINED:
            hint = f"update or remove {each.origin}; the other plugins run without it"
            yield bad(f"plugin {each.name}", f"{each.version} is in quarantine: {each.reason}", hint)
        elif each.state is State.DISABLED:
            yield ok(f"plugin {each.name}", f"{each.version} is installed and not enabled")


def sources(config: Config) -> Iterator[Line]:
    """Say of each source its type, how much uses it, and which credentials are there."""
    for spec in config.sources:
        told = f"type {spec.type}, used {len(spec.entries)} times; {_credentials(spec)}"
        if spec.entries:
            yield ok(f"source {spec.name}", told)
        else:
            hint = f"add {{use: {spec.name}}} to the sources of an event, or remove it"
            yield warn(f"source {spec.name}", told, hint)
    if config.mail is not None and config.mail.smtp is not None:
        present = bool(config.mail.smtp.password.get_secret_value())
        yield ok("mail", f"security {config.mail.smtp.security}; password {'set' if present else 'not set'}")


def _credentials(spec: SourceSpec) -> str:
    return credentials(spec.options, *(entry.options for entry in spec.entries))


def credentials(*options: BaseModel) -> str:
    """Name the options that hold secrets, and say of each whether it is set."""
    known: dict[str, bool] = {}
    for each in options:
        for name in secret_names(type(each)):
            known[name] = known.get(name, False) or _is_set(getattr(each, name, None))
    told = [f"{name} {'set' if present else 'not set'}" for name, present in sorted(known.items())]
    return ", ".join(told) or "needs no credentials"


def _is_set(value: Any) -> bool:
    if isinstance(value, SecretStr | SecretBytes):
        return bool(value.get_secret_value())
    if isinstance(value, Mapping):
        return any(map(_is_set, value.values()))
    if isinstance(value, BaseModel):
        return any(_is_set(each) for _, each in value)
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(_is_set, value))
    return bool(value)
