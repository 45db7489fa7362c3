"""A configuration that was found right, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archiver.config.mail import MailSection
from archiver.config.programmes import Programme
from archiver.contracts import Options, ScopeEntry
from archiver.model import Audience, Consent, Event


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """What holds for the whole archive. `facts` are stated figures that no material can yield.

    `jobs` is how many fetches run at once; `staging` where files lie until they are stored, and
    `staging_limit` how many bytes of them at most; `catch_up_limit` how many bytes a run copies at most
    to a sink that missed some; `follow` which links of reports are followed (none, those that a configured
    source takes, any); `site` whether a run makes the pages too; `consent` who may see what
    nothing else is said of.
    """

    title: str
    organizer: str = ""
    language: str = "en"
    facts: Mapping[str, str | int] = field(default_factory=dict, hash=False)
    min_copies: int = 1
    jobs: int = 4
    staging: Path | None = None
    staging_limit: int | None = None
    catch_up_limit: int | None = None
    follow: str = "configured"
    site: bool = True
    consent: Consent = Consent.UNKNOWN


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """A configured sink: its name, its type, its checked options with the secrets inside, and for whom."""

    name: str
    type: str
    options: Options
    audience: Audience = Audience.INTERNAL


@dataclass(frozen=True, slots=True)
class NotifySpec:
    """Somebody who is told of runs: the type of notifier, its checked options, and when (`NotifyKeys`)."""

    type: str
    options: Options
    when: str = "changes"


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A configured source and every use that the events make of it; `consents` are what each use says."""

    name: str
    type: str
    options: Options
    entries: tuple[ScopeEntry[Any], ...] = ()
    consents: tuple[Consent | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration. Relative paths in it start at `folder`, which is absolute."""

    path: Path
    folder: Path
    archive: ArchiveSettings
    sinks: tuple[SinkSpec, ...]
    sources: tuple[SourceSpec, ...]
    events: tuple[Event, ...]
    plugins: tuple[str, ...] = ()
    mail: MailSection | None = None
    programmes: tuple[Programme, ...] = ()
    notify: tuple[NotifySpec, ...] = ()
