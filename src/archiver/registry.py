"""Which plugins are installed, which of them run, and what they provide.

A plugin is an entry point of the group `archiver`. Those of our own distribution run; those of others
run when the configuration names them under `plugins:`. Each is loaded by itself: one that is broken
is put in quarantine with the reason, and the others run. Our own are loaded when somebody asks for them:
all together take as long to import as the rest of the program.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import inspect
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeVar

import pluggy

from archiver import hooks
from archiver.contracts import API_VERSION, Notifier, Options, Sink, Source

GROUP = "archiver"
OWN_DISTRIBUTION = "event-archiver"


def served(current: int) -> tuple[int, ...]:
    """Say which plugin interfaces are served: the current one, and the one before it for one major."""
    return tuple(version for version in (current - 1, current) if version > 0)


#: The plugin interfaces that this program serves.
SUPPORTED_VERSIONS = served(API_VERSION)
#: Words of the configuration that no option may have.
RESERVED_OPTIONS = frozenset(["type", "use", "name"])

_TYPE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_log = logging.getLogger(__name__)

ClassT = TypeVar("ClassT")
PluginClass = type[Source[Any, Any]] | type[Sink[Any]] | type[Notifier[Any]]


class State(StrEnum):
    """Whether a plugin runs."""

    OK = "ok"
    DISABLED = "disabled"  # installed by others, not named under `plugins:`
    QUARANTINED = "quarantined"  # broken


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One installed plugin.

    `kinds` are `source`, `sink`, `notifier` and `hooks`; `types` the words for `type:` it provides. Both
    are empty for a plugin that does not run: it is not asked. `origin` is its distribution, `version` that
    of the distribution, `reason` says why it does not run, or not for ever.
    """

    name: str
    kinds: tuple[str, ...]
    types: tuple[str, ...]
    version: str
    origin: str
    api_version: int | None
    state: State
    reason: str = ""

    @property
    def bundled(self) -> bool:
        """Say whether it comes with this program."""
        return self.origin == OWN_DISTRIBUTION


def _nothing(name: str = "") -> None:
    """Load nothing: all is there."""
    del name


class _Classes(Mapping[str, ClassT]):
    """The classes of one kind by their type. Whose type is asked for is loaded; with all of them, all are.

    They come in the order of their plugins, whatever was asked for first.
    """

    def __init__(
        self, loaded: Mapping[str, ClassT], infos: Sequence[PluginInfo], load: Callable[[str], None]
    ) -> None:
        self._loaded = loaded
        self._infos = infos
        self._load = load

    def __getitem__(self, name: str) -> ClassT:
        if name not in self._loaded:
            self._load(name)
        if name not in self._loaded:
            self._load("")
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        self._load("")
        names = (name for info in sorted(self._infos, key=_place) for name in info.types)
        return iter([name for name in dict.fromkeys([*names, *self._loaded]) if name in self._loaded])

    def __len__(self) -> int:
        self._load("")
        return len(self._loaded)


class Registry:
    """The plugins of one run.

    `load` brings in the plugin of a name that waits to be loaded, or all of them for "".
    """

    def __init__(
        self,
        plugins: Sequence[PluginInfo],
        sources: Mapping[str, type[Source[Any, Any]]],
        sinks: Mapping[str, type[Sink[Any]]],
        manager: pluggy.PluginManager,
        notifiers: Mapping[str, type[Notifier[Any]]] = MappingProxyType({}),
        load: Callable[[str], None] = _nothing,
    ) -> None:
        self.sources = _Classes(sources, plugins, load)
        self.sinks = _Classes(sinks, plugins, load)
        self.notifiers = _Classes(notifiers, plugins, load)
        self._plugins = plugins
        self._load = load
        self._manager = manager

    @property
    def plugins(self) -> tuple[PluginInfo, ...]:
        """All installed plugins, our own first, by name."""
        self._load("")
        return tuple(sorted(self._plugins, key=_place))

    @property
    def hook(self) -> pluggy.HookRelay:
        """The hooks of all plugins that run; for broadcasts `broadcast` is the safe way."""
        return self._manager.hook

    def broadcast(self, name: str, /, **arguments: Any) -> None:
        """Call a hook in every plugin. One that raises is logged; the others are still called."""
        listening = {id(each.plugin) for each in getattr(self._manager.hook, name).get_hookimpls()}
        if not listening:  # as nearly always, and this is asked for each of thousands of photos
            return
        plugins = [plugin for _, plugin in self._manager.list_name_plugin()]
        for plugin_name, plugin in self._manager.list_name_plugin():
            if id(plugin) not in listening:
                continue
            others = [other for other in plugins if other is not plugin]
            try:
                self._manager.subset_hook_caller(name, others)(**arguments)
            except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin may raise anything
                _log.warning("The plugin %s failed in %s: %s", plugin_name, name, _told(error))


class _UnfitError(Exception):
    """A plugin cannot be used; the message is the reason, `info` what is known of it by then."""


def load_plugins(
    enabled: Sequence[str] = (), distributions: Iterable[importlib.metadata.Distribution] | None = None
) -> Registry:
    """Load our own plugins and the enabled ones of others.

    `enabled` are names of plugins, or of distributions for all their plugins. `distributions` are
    those to look through, all installed ones by default; the first of a name counts.
    """
    if distributions is None:
        distributions = importlib.metadata.distributions()
    loader = _Loader(
        frozenset(enabled), sorted(_found(distributions), key=lambda plugin: _place(plugin.info))
    )
    return Registry(loader.infos, loader.sources, loader.sinks, loader.manager, loader.notifiers, loader.load)


def _place(info: PluginInfo) -> tuple[bool, str]:
    return not info.bundled, info.name


@dataclass(frozen=True)
class _Found:
    """An announced plugin: what is known before it is imported."""

    info: PluginInfo
    entry_point: importlib.metadata.EntryPoint | None


def _found(distributions: Iterable[importlib.metadata.Distribution]) -> Iterator[_Found]:
    seen: set[str] = set()
    for distribution in distributions:
        origin = _name(distribution)
        if not origin or origin in seen:
            continue
        seen.add(origin)
        yield from _announced(origin, distribution)


def _name(distribution: importlib.metadata.Distribution) -> str:
    # A directory "x.dist-info" without metadata has no name; how that shows differs between versions
    # of Python.
    try:
        # Not `distribution.metadata`: that parses every long description, 0.2 s with a hundred packages.
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        named = _NAME.search(text)
        if named:
            return _normal(named[1].strip())
        return _normal(_field(distribution, "Name"))
    except Exception:  # noqa: BLE001  # likewise
        return ""


def _field(distribution: importlib.metadata.Distribution, name: str) -> str:
    # Not `metadata[name]`, nor `.version`: Python 3.13 deprecates asking so for a field that is not there.
    return str((distribution.metadata.get_all(name) or [""])[0])


def _announced(origin: str, distribution: importlib.metadata.Distribution) -> Iterator[_Found]:
    info = PluginInfo("", (), (), "", origin, None, State.DISABLED)
    try:
        points = distribution.entry_points.select(group=GROUP)
    except Exception as error:  # noqa: BLE001  # entry_points.txt may hold anything
        reason = f"its entry_points.txt cannot be read: {_told(error)}"
        info = replace(info, version=_field(distribution, "Version"))
        yield _Found(replace(info, name=origin, state=State.QUARANTINED, reason=reason), None)
        return
    version = _field(distribution, "Version") if points else ""
    for point in sorted(points, key=lambda point: point.name):
        told = replace(info, name=point.name, version=version, reason="not named under plugins:")
        yield _Found(told, point)


_NAME: Final = re.compile(r"^Name:(.*)$", re.MULTILINE)


def _normal(name: str) -> str:
    # PEP 503: "Archiver_Dropbox" and "archiver-dropbox" are one distribution.
    return re.sub(r"[-_.]+", "-", name).lower()


class _Loader:
    """Loads plugins one by one and keeps what fits."""

    def __init__(self, enabled: frozenset[str], found: Sequence[_Found]) -> None:
        self.enabled = enabled
        self.infos: list[PluginInfo] = []
        self.sources: dict[str, type[Source[Any, Any]]] = {}
        self.sinks: dict[str, type[Sink[Any]]] = {}
        self.notifiers: dict[str, type[Notifier[Any]]] = {}
        self.manager = _manager()
        self._owner: dict[tuple[str, str], str] = {}
        self._lock = threading.RLock()
        names = [plugin.info.name for plugin in found]
        self._waiting = [plugin for plugin in found if self._wanted(plugin.info, names)]
        self.infos += [plugin.info for plugin in found if plugin not in self._waiting]
        if not all(plugin.info.bundled for plugin in self._waiting):
            # Those of others come last, so that none of them takes a type of ours, and hear every hook.
            self.load("")

    def load(self, name: str) -> None:
        """Load what waits under a name, or everything that waits for "". Does nothing where nothing does."""
        with self._lock:
            chosen = [plugin for plugin in self._waiting if name in {"", plugin.info.name}]
            for plugin in chosen:
                self._waiting.remove(plugin)
                self.infos.append(self._loaded(plugin))

    def _wanted(self, info: PluginInfo, names: Sequence[str]) -> bool:
        if info.state is not State.DISABLED:
            return False
        if info.bundled or info.origin in {_normal(name) for name in self.enabled}:
            return True
        # A stranger that is called like another plugin runs only when its distribution is named.
        return info.name in self.enabled and names.count(info.name) == 1

    def _loaded(self, plugin: _Found) -> PluginInfo:
        info = replace(plugin.info, state=State.OK, reason="")
        assert plugin.entry_point is not None
        try:
            module = _import(plugin.entry_point)
            classes = _classes(module)
            info = _described(info, classes)
            self._claim(info, classes)
            self.manager.register(module, f"{info.origin}:{info.name}")
        except _UnfitError as error:
            return replace(info, state=State.QUARANTINED, reason=str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # foreign code may raise anything
            return replace(info, state=State.QUARANTINED, reason=_told(error))
        self._keep(classes)
        if info.reason:
            _log.warning("The plugin %s runs for now: %s", info.name, info.reason)
        return info

    def _claim(self, info: PluginInfo, classes: Sequence[PluginClass]) -> None:
        claims = [(_kind(cls), cls.type_name) for cls in classes]
        for kind, name in claims:
            owner = self._owner.get((kind, name))
            if owner or claims.count((kind, name)) > 1:
                by = f"the plugin {owner}" if owner else "itself, twice"
                raise _UnfitError(f"the {kind} type {name!r} is already provided by {by}")
        self._owner.update(dict.fromkeys(claims, info.name))

    def _keep(self, classes: Sequence[PluginClass]) -> None:
        for cls in classes:
            if issubclass(cls, Source):
                self.sources[cls.type_name] = cls
            elif issubclass(cls, Notifier):
                self.notifiers[cls.type_name] = cls
            else:
                self.sinks[cls.type_name] = cls


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    return manager


def _import(point: importlib.metadata.EntryPoint) -> Any:
    try:
        return point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001  # foreign code may raise anything
        raise _UnfitError(f"it cannot be imported: {_told(error)}") from None


_ANNOUNCED: Final[tuple[tuple[str, type[Any]], ...]] = (
    ("archiver_sources", Source),
    ("archiver_sinks", Sink),
    ("archiver_notifiers", Notifier),
)


def _classes(module: Any) -> list[PluginClass]:
    """Ask a plugin for its classes, alone in a manager of its own; check each."""
    manager = _manager()
    try:
        manager.register(module)
    except pluggy.PluginValidationError as error:
        raise _UnfitError(f"a hook of it does not fit: {_flat(error)}") from None
    _check_hook_names(manager)
    if not manager.get_hookcallers(module):
        raise _UnfitError("it announces nothing: no function is marked with @api.hookimpl")
    classes: list[PluginClass] = []
    for name, base in _ANNOUNCED:
        for answer in getattr(manager.hook, name)():
            classes += [_checked(cls, base, name) for cls in _listed(answer, name)]
    return classes


def _check_hook_names(manager: pluggy.PluginManager) -> None:
    try:
        manager.check_pending()
    except pluggy.PluginValidationError:
        known = [name for name in dir(hooks) if name.startswith("archiver_")]
        names = [name for name in vars(manager.hook) if not name.startswith("_") and name not in known]
        near = difflib.get_close_matches(names[0], known, n=1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        raise _UnfitError(f"there is no hook {names[0]!r}{guess}") from None


def _listed(answer: Any, hook: str) -> list[Any]:
    if not isinstance(answer, Iterable) or isinstance(answer, str):
        raise _UnfitError(f"{hook} must return a list of classes, not {type(answer).__name__}")
    return list(answer)


def _checked(cls: Any, base: type[Any], hook: str) -> PluginClass:
    name = getattr(cls, "__name__", repr(cls))
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise _UnfitError(f"{hook} returned {name}, which is no subclass of api.{base.__name__}")
    found: PluginClass = cls
    version = getattr(cls, "api_version", None)
    if version not in SUPPORTED_VERSIONS:
        known = ", ".join(map(str, SUPPORTED_VERSIONS))
        raise _UnfitError(f"{name} is written for plugin interface {version}; supported: {known}")
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise _UnfitError(f"{name} does not define {missing}")
    type_name = getattr(cls, "type_name", None)
    if not isinstance(type_name, str) or not _TYPE_NAME.fullmatch(type_name):
        raise _UnfitError(f"{name} needs a type_name of small letters, digits, - and _, not {type_name!r}")
    _check_options(cls, name)
    return found


def _check_options(cls: Any, name: str) -> None:
    for attribute in ("options_class", "entry_class") if issubclass(cls, Source) else ("options_class",):
        options = getattr(cls, attribute, None)
        if not (isinstance(options, type) and issubclass(options, Options)):
            raise _UnfitError(f"{attribute} of {name} is no subclass of api.Options")
        written = {info.alias or key for key, info in options.model_fields.items()}
        if written & RESERVED_OPTIONS:
            taken = ", ".join(sorted(written & RESERVED_OPTIONS))
            raise _UnfitError(
                f"{attribute} of {name} has an option called {taken}, a word of the file itself"
            )


def _kind(cls: PluginClass) -> str:
    if issubclass(cls, Notifier):
        return "notifier"
    return "source" if issubclass(cls, Source) else "sink"


def _described(info: PluginInfo, classes: Sequence[PluginClass]) -> PluginInfo:
    kinds = tuple(dict.fromkeys(_kind(cls) for cls in classes)) or ("hooks",)
    types = tuple(dict.fromkeys(cls.type_name for cls in classes))
    versions = [cls.api_version for cls in classes]
    oldest, current = min(versions, default=None), SUPPORTED_VERSIONS[-1]
    reason = ""
    if oldest is not None and oldest < current:
        # It runs, so this is no fault; but whoever looks is told in time.
        until = f"which runs until {current + 1} comes: update it"
        reason = f"it is written for plugin interface {oldest}, {until}"
    return replace(info, kinds=kinds, types=types, api_version=max(versions, default=None), reason=reason)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {_flat(error)}"


def _flat(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
