"""The hooks: how a plugin announces its classes and hears what happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pluggy

from archiver.contracts import Notifier, Sink, Source
from archiver.model import Material

PROJECT = "archiver"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def archiver_sources() -> Sequence[type[Source[Any, Any]]]:
    """Return the source classes of this plugin."""
    raise NotImplementedError


@hookspec
def archiver_sinks() -> Sequence[type[Sink[Any]]]:
    """Return the sink classes of this plugin."""
    raise NotImplementedError


@hookspec
def archiver_notifiers() -> Sequence[type[Notifier[Any]]]:
    """Return the notifier classes of this plugin."""
    raise NotImplementedError


@hookspec
def archiver_stored(event: str, source: str, material: Material, paths: Sequence[str]) -> None:
    """Hear that a material is committed in every sink of the run; `paths` lie inside its event."""


@hookspec
def archiver_run_finished(report: dict[str, Any]) -> None:
    """Hear the run report, after it was stored."""
