"""From the file to a checked `Config`: read, then build, with every problem in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Environ
from dataclasses import dataclass
from pathlib import Path

from archiver.config.checking import Checker
from archiver.config.events import DEFAULT_EXPECT, check_unique, read_event, stated_facts
from archiver.config.mail import MailSection
from archiver.config.nodes import Mapping, Scalar, Sequence, given, parse, read_text
from archiver.config.plugged import Plugins, read_notify, read_sinks
from archiver.config.problems import ConfigProblems, Keys, Problem, nearest
from archiver.config.programmes import read_programmes
from archiver.config.sections import ArchiveSection
from archiver.config.settings import ArchiveSettings, Config, SinkSpec
from archiver.config.uses import SourceReader
from archiver.model import Audience, Event

#: The keys at the top of the file, and what each is for.
TOP = {
    "archive": "What holds for the whole archive.",
    "plugins": "The plugins to enable besides those that come with this program, by name.",
    "sinks": "Where the archive is kept: each sink has a name and a type, and is complete by itself.",
    "sources": "Sources that several events use: each has a name and a type, and is listed once per run.",
    "notify": "Who is told what a run did: each has a type, and says after which runs.",
    "mail": "How speakers are asked for what is missing: who writes, and through which server.",
    "events": "The events, in their order, with the talks that the archive should have.",
}
_NOBODY = Event("", "")


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file. `plugins` are the names it enables, for the registry to be made with."""

    path: Path
    root: Mapping
    problems: tuple[Problem, ...] = ()

    @property
    def plugins(self) -> tuple[str, ...]:
        """Name the plugins that the file enables; what is wrong with the list is told by `build`."""
        node = self.root.items.get("plugins")
        items = node.items if isinstance(node, Sequence) else ()
        return tuple(item.text for item in items if isinstance(item, Scalar) and not item.is_null)


def read(path: Path) -> Document:
    """Read and parse a configuration file.

    Raises `ConfigProblems` when it cannot be read or is no YAML mapping.
    """
    root, problems = parse(read_text(path), str(path))
    return Document(path, root, tuple(problems))


def load(path: Path, registry: Plugins, environ: Environ[str, str]) -> Config:
    """Read a configuration file and check all of it. Raises `ConfigProblems` with every problem."""
    return build(read(path), registry, environ)


def build(document: Document, registry: Plugins, environ: Environ[str, str]) -> Config:
    """Check a parsed file against the plugins and the environment.

    Raises `ConfigProblems` with every problem of the file.
    """
    checker = Checker(str(document.path), environ, list(document.problems))
    config = _config(checker, document, registry)
    if checker.problems or config is None:
        raise ConfigProblems(checker.problems)
    return config


def _config(checker: Checker, document: Document, registry: Plugins) -> Config | None:
    root = document.root
    for key in root.items:
        if key not in TOP:
            checker.unknown(root, (), key, TOP)
    path = document.path.absolute()
    _check_plugins(checker, root, registry)
    mail_node = checker.mapping(given(root, "mail"), ("mail",))
    mail = None if mail_node is None else checker.model(MailSection, mail_node, ("mail",))
    sinks = read_sinks(checker, _required(checker, root, "sinks", "at least one sink"), registry)
    notify = read_notify(checker, given(root, "notify"), registry)
    section = _archive(checker, root)
    reader = SourceReader(checker, registry)
    reader.read_named(checker.mapping(given(root, "sources"), ("sources",)))
    expect = DEFAULT_EXPECT if section is None or section.expect is None else section.expect
    nodes = list(_event_nodes(checker, root))
    check_unique(checker, nodes)
    events = [read_event(checker, node, keys, expect) for keys, node in nodes]
    for event, (keys, node) in zip(events, nodes, strict=True):
        reader.read_uses(event or _NOBODY, given(node, "sources"), (*keys, "sources"))
    programmes = tuple(
        programme
        for event, (keys, node) in zip(events, nodes, strict=True)
        for programme in read_programmes(checker, (event or _NOBODY).id, node, keys)
    )
    if section is None:
        return None
    archive = _settings(checker, section, root, sinks, path.parent)
    known = tuple(event for event in events if event)
    sources, plugins = reader.specs(), document.plugins
    return Config(path, path.parent, archive, sinks, sources, known, plugins, mail, programmes, notify)


def _required(checker: Checker, root: Mapping, key: str, what: str) -> Mapping | None:
    node = checker.mapping(given(root, key), (key,))
    if given(root, key) is None:
        checker.note(root.keys.get(key, root), (key,), f"{key!r} is missing", what)
    elif node is not None and not node.items:
        checker.note(node, (key,), "nothing is here", what)
    return node


def _archive(checker: Checker, root: Mapping) -> ArchiveSection | None:
    node = _required(checker, root, "archive", "a mapping with a title")
    return None if node is None else checker.model(ArchiveSection, node, ("archive",))


def _settings(
    checker: Checker, section: ArchiveSection, root: Mapping, sinks: tuple[SinkSpec, ...], folder: Path
) -> ArchiveSettings:
    node = root.items["archive"]
    assert isinstance(node, Mapping)
    whole = sum(sink.audience is Audience.INTERNAL for sink in sinks)
    if sinks and section.min_copies > max(whole, 1):
        kind = "sinks" if whole == len(sinks) else "internal sinks: a public one holds a part by intent"
        expected = f"at most {whole}, the number of {kind}"
        checker.note(
            node.items["min_copies"], ("archive", "min_copies"), f"found {section.min_copies}", expected
        )
    return ArchiveSettings(
        title=section.title,
        organizer=section.organizer,
        language=section.language,
        facts=stated_facts(checker, section, node, ("archive",)),
        min_copies=section.min_copies,
        jobs=section.jobs,
        staging=section.staging and folder / section.staging.expanduser(),
        staging_limit=section.staging_limit,
        catch_up_limit=section.catch_up_limit,
        follow=section.follow,
        site=section.site,
        consent=section.consent,
    )


def _event_nodes(checker: Checker, root: Mapping) -> Iterator[tuple[Keys, Mapping]]:
    items = checker.sequence(given(root, "events"), ("events",), "a list of events")
    if given(root, "events") is None:
        checker.note(root.keys.get("events", root), ("events",), "'events' is missing", "at least one event")
    elif items is not None and not items.items:
        checker.note(items, ("events",), "nothing is here", "at least one event")
    for index, item in enumerate(items.items if items else ()):
        node = checker.mapping(item, ("events", index), "a mapping with an id and a title")
        if node is not None:
            yield ("events", index), node


def _check_plugins(checker: Checker, root: Mapping, registry: Plugins) -> None:
    items = checker.sequence(given(root, "plugins"), ("plugins",), "a list of names")
    if items is None or not items.items:
        return  # and none has to be loaded for it
    known = {name for plugin in registry.plugins for name in (plugin.name, plugin.origin)}
    for index, item in enumerate(items.items):
        keys: Keys = ("plugins", index)
        if not isinstance(item, Scalar) or item.is_null:
            checker.text(item, keys, "the name of a plugin")
        elif item.text not in known:
            near = nearest(item.text, known)
            expected = "" if near else "one that `archive plugins list` shows"
            checker.note(item, keys, f"no plugin called {item.text!r} is installed", expected, near)
