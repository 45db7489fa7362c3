"""The configuration file: typed, checked, every error with its place.

The way through it: `nodes` (YAML with places), `environment` (references), `checking` (a part of the
file against a typed class), `sections` and `events` (our own parts), `plugged` (those of the
plugins), `build` (all together).
"""

from archiver.config.build import Document, build, load, read
from archiver.config.problems import ConfigProblems, Problem
from archiver.config.settings import ArchiveSettings, Config, NotifySpec, SinkSpec, SourceSpec

__all__ = [
    "ArchiveSettings",
    "Config",
    "ConfigProblems",
    "Document",
    "NotifySpec",
    "Problem",
    "SinkSpec",
    "SourceSpec",
    "build",
    "load",
    "read",
]
