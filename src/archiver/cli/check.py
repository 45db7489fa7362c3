"""`archive check`: whether everything is in place for a run, changing nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.common import common_options, echo_json, load, printable
from archiver.cli.words import count
from archiver.errors import ArchiverError, ConfigError, SinkError

if TYPE_CHECKING:
    from archiver.config import Config, SinkSpec
    from archiver.instances import Instances
    from archiver.registry import Registry
    from archiver.talks import Inspected

EPILOG = """\b
Examples:
  archive check                     look at archive.yaml
  archive check -c tour.yaml        look at another file
  archive check --json              the findings for a program

\b
Exit codes: 0 nothing is wrong (there may be warnings), 1 talks cannot be read, or a source or the mail server
cannot work, 2 the configuration is wrong, 3 a sink cannot be used.
"""
_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `level` is ok, warning or error; `exit_code` what it means."""

    level: str
    subject: str
    message: str
    hint: str = ""
    exit_code: int = 0


@click.command(epilog=EPILOG)
@common_options
def check(config_path: Path, verbose: bool, as_json: bool) -> int:
    """Check configuration, talks, sources, sinks and the mail server.

    Reads the configuration and the talks in files beside it, loads the plugins, and asks each source and
    each sink whether it could work: whether credentials are there, and sinks can be written. At the mail
    server it logs in and sends nothing. Changes nothing in the archive, fetches nothing; what an object
    store honours is tried on two small objects below .probe/.
    """
    del verbose
    try:
        config, registry = load(config_path)
    except ConfigError as error:
        if as_json:
            _echo_problems(error)
        raise
    findings = list(look(config, registry))
    codes = {finding.exit_code for finding in findings}
    if as_json:
        echo_json({"ok": codes == {0}, "findings": [_as_dict(finding) for finding in findings]})
    else:
        _echo(findings)
    return max(codes)


def look(config: Config, registry: Registry) -> Iterator[Finding]:
    """Look at everything that the configuration names, one finding for each."""
    from archiver.talks import inspect

    programmes = inspect(config)
    more = f" and those of {count(programmes.unread, 'programme')} not read here" if programmes.unread else ""
    counts = f"events: {len(config.events)}, talks: {programmes.talks}{more}"
    yield Finding("ok", "configuration", f"{config.path.name} is right ({counts})")
    for each in programmes.programmes:
        yield from _programme(each)
    yield from _plugins(registry)
    yield from _unused(config)
    yield from _working(config, registry)
    yield from _mail(config)


def _programme(found: Inspected) -> Iterator[Finding]:
    """Tell of one programme what a run would make of it."""
    section, subject = found.programme.section, f"talks of {found.programme.event}"
    if found.error is not None:
        yield Finding("error", subject, found.error.message, found.error.hint, found.error.exit_code)
    elif found.talks is None:
        yield Finding("ok", subject, f"{found.place} is read by the run")
    elif not found.talks:
        hint = "correct `day` under `talks`; talks that the archive knows would count as cancelled"
        yield Finding("warning", subject, f"{found.place} has no talk on {section.day}", hint)
    else:
        on_day = f" on {section.day}" if section.day else ""
        yield Finding("ok", subject, f"{found.place} lists {count(found.talks, 'talk')}{on_day}")
    if found.note:
        yield Finding("warning", subject, found.note)


def _plugins(registry: Registry) -> Iterator[Finding]:
    for plugin in registry.plugins:
        if plugin.state == "quarantined":
            hint = f"update or remove {plugin.origin}; the other plugins run without it"
            yield Finding("warning", f"plugin {plugin.name}", f"is not used: {plugin.reason}", hint)


def _unused(config: Config) -> Iterator[Finding]:
    for source in config.sources:
        if not source.entries:
            hint = f"add {{use: {source.name}}} to the sources of an event, or remove it"
            yield Finding("warning", f"source {source.name}", "no event uses it", hint)
    fed = {entry.event.id for source in config.sources for entry in source.entries}
    for event in config.events:
        if event.id not in fed:
            hint = f"give it sources, or hand in files with: archive add {event.id} FILE…"
            yield Finding("warning", f"event {event.id}", "it has no source", hint)


def _working(config: Config, registry: Registry) -> Iterator[Finding]:
    from archiver.instances import Instances, Workshop

    shop = Workshop("check", config.folder, config.sources, config.sinks, config.plugins, config.path)
    instances = Instances(shop, registry)
    try:
        for source in config.sources:
            yield _asked("source", source.name, _source_check(instances, source.name), 1)
        usable = []
        for sink in config.sinks:
            found = _asked("sink", sink.name, _sink_check(instances, sink), SinkError.exit_code)
            yield found
            if found.level == "ok":
                usable.append(sink.name)
                yield from _notes(instances, sink.name)
        yield from _held(instances, usable)
    finally:
        instances.close()


def _held(instances: Instances, names: list[str]) -> Iterator[Finding]:
    """Tell what a run would say of what the sinks hold: a disk that is not mounted, an event that is gone."""
    from archiver import hold

    try:
        held = hold.peek(instances, names)
    except ArchiverError as error:
        yield Finding("error", "sinks", error.message, error.hint, SinkError.exit_code)
        return
    for name, trouble in held.errors.items():
        yield Finding("error", f"sink {name}", trouble.message, trouble.hint, SinkError.exit_code)
    for name, note in held.notes.items():
        yield Finding("warning", f"sink {name}", note)
    for name, head in {**held.heads, **held.public}.items():
        if head.damage:
            yield Finding("warning", f"sink {name}", head.damage)


def _mail(config: Config) -> Iterator[Finding]:
    """Look whether speakers can be asked for slides, and whether anybody reads what they answer."""
    from archiver.ask.post import Post

    if config.mail is None:
        return
    if not any(source.type == "email" and source.entries for source in config.sources):
        hint = "let a source of type email read the mailbox that the answers go to"
        yield Finding("warning", "mail", "no event uses a source that reads the answers", hint)
    if config.mail.smtp is None:
        yield Finding("ok", "mail", "drafts can be written; to send them too, add smtp")
        return
    with Post(config.mail.smtp, config.folder) as post:
        yield _asked("mail", "smtp", post.check, 1)


def _source_check(instances: Instances, name: str) -> Callable[[], None]:
    return lambda: instances.source(name).check()


def _sink_check(instances: Instances, spec: SinkSpec) -> Callable[[], None]:
    from archiver.archive import check_audience

    def check() -> None:
        sink = instances.sink(spec.name)
        sink.check()
        # What a run would refuse: a place that was filled for everybody, or for nobody but us.
        check_audience(spec.name, sink, spec.audience)

    return check


def _notes(instances: Instances, name: str) -> Iterator[Finding]:
    """Tell what a store does not do as it should; the archive in it is not touched."""
    notes: list[str] = []
    finding = _asked("sink", name, lambda: notes.extend(instances.sink(name).notes()), SinkError.exit_code)
    if finding.level == "error":
        yield finding
    yield from (Finding("warning", f"sink {name}", note) for note in notes)


def _asked(kind: str, name: str, question: Callable[[], None], exit_code: int) -> Finding:
    subject = f"{kind} {name}"
    try:
        question()
    except ArchiverError as error:
        return Finding("error", subject, error.message, error.hint, exit_code)
    except (Exception, SystemExit) as error:  # a plugin may raise anything: the others are still asked
        logging.getLogger(__name__).debug("%s", subject, exc_info=True)
        hint = "this looks like a fault of its plugin: run with -v, and report it to its author"
        return Finding("error", subject, f"{type(error).__name__}: {error}", hint, exit_code)
    return Finding("ok", subject, "can be used")


def _echo(findings: list[Finding]) -> None:
    for finding in findings:
        level = click.style(f"{finding.level:8}", fg=_COLOURS[finding.level])
        click.echo(f"{level} {printable(f'{finding.subject}: {finding.message}')}")
        if finding.hint:
            click.echo(f"{'':8} What to do: {printable(finding.hint)}")


def _as_dict(finding: Finding) -> dict[str, Any]:
    about = {"level": finding.level, "subject": finding.subject, "message": finding.message}
    return {**about, "hint": finding.hint}


def _echo_problems(error: ConfigError) -> None:
    as_dict = getattr(error, "as_dict", None)
    problems = as_dict()["problems"] if callable(as_dict) else [{"message": error.message}]
    findings = [{"level": "error", "subject": "configuration", "hint": "", **problem} for problem in problems]
    echo_json({"ok": False, "findings": findings})
