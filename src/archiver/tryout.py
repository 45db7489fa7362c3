"""Try a source: list and fetch a few items for real, store nothing, and tell all that happens.

What is told is what a run would do: the materials as the core takes them, every request, and for each item
the names, kinds and grades that its files would get. The files are left in a scratch folder.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from archiver import instances, staging, vetting
from archiver.config import SinkSpec, SourceSpec
from archiver.contracts import Context, Scope, Source
from archiver.errors import ArchiverError, FatalError, SourceError
from archiver.instances import Instances, Workshop
from archiver.masking import Mask, text_of
from archiver.model import Checkpoint, Material, Unavailable
from archiver.registry import Registry
from archiver.web import PoliteClient, Seen, origins_of
from archiver.work import Destination, Outcome, Task, work

_LOG = logging.getLogger("archiver")
SCRATCH = "scratch"
_FAULT = "this looks like a fault of the source's plugin; run with -v for the details"


class Watcher(Protocol):
    """Hears of everything, in order; requests may come from several threads."""

    def requested(self, seen: Seen) -> None:
        """Hear of a request that is over."""

    def listed(self, material: Material, problem: SourceError | None, *, again: bool) -> None:
        """Hear of a material; with a problem it could not be listed in full. `again`: its id came before."""

    def checkpoint(self, checkpoint: Checkpoint | None, *, cut: bool) -> None:
        """Hear how the listing ended: None without a checkpoint, `cut` when there was more than the limit."""

    def fetched(self, outcome: Outcome) -> None:
        """Hear what became of an item."""

    def failed(self, step: str, error: SourceError) -> None:
        """Hear that a step failed as a whole: `check` or `list`."""


@dataclass
class Tally:
    """How many items were listed, fetched and not fetched, and whether the listing or the disk failed."""

    listed: int = 0
    fetched: int = 0
    problems: int = 0
    failed: bool = False
    unwritable: bool = False

    @property
    def exit_code(self) -> int:
        """Give the code that a run would end with."""
        if self.unwritable:
            return 3
        return int(self.failed or self.problems > 0)


@dataclass(frozen=True)
class Tryout:
    """A source to try, configured by `spec`; what it fetches goes to the folder `scratch`."""

    registry: Registry
    spec: SourceSpec
    folder: Path
    scratch: Path
    watcher: Watcher
    limit: int = 3
    tally: Tally = field(default_factory=Tally)

    def run(self) -> Tally:
        """Check, list and fetch. Raises nothing of the source's: it is told to the watcher."""
        try:
            with self._made() as (source, shop):
                source.check()
                for material in self._listing(source):
                    self._fetch(material, shop)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin may raise anything
            self._failed("start", error)
        return self.tally

    @contextmanager
    def _made(self) -> Iterator[tuple[Source[Any, Any], Workshop]]:
        kind = self.registry.sources[self.spec.type]
        disk = self.registry.sinks["disk"].options_class.model_validate({"path": self.scratch})
        shop = Workshop(
            f"try-{uuid.uuid4().hex}", self.folder, (self.spec,), (SinkSpec(SCRATCH, "disk", disk),)
        )
        with PoliteClient(
            hosts_allowed=origins_of(self.spec.options),
            progress=staging.report_progress,
            watch=self._requested,
        ) as client:
            log = logging.getLogger(f"archiver.plugin.{self.spec.name}")
            http = staging.Noting(client)
            context = Context(
                self.spec.name, self.folder, http, log, staging.report_progress, (self.scratch,)
            )
            source = kind(self.spec.options, context)
            made = Instances(shop, self.registry, given={self.spec.name: source})
            instances.share(made)
            try:
                yield source, shop
            finally:
                instances.forget(made)
                source.close()

    def _listing(self, source: Source[Any, Any]) -> list[Material]:
        found: dict[str, Material] = {}
        try:
            with staging.desk(staging.nobody):
                self._listed(source, found)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin may raise anything
            self._failed("list", error)
        return list(found.values())

    def _listed(self, source: Source[Any, Any], found: dict[str, Material]) -> None:
        """Take what is listed, up to the limit and what comes right after it: perhaps the checkpoint."""
        given = source.discover(Scope(self.spec.entries, self.limit), "")
        for item in vetting.listed(self.spec.name, source, given):
            if isinstance(item, Checkpoint):
                self.watcher.checkpoint(replace(item, cursor=self._mask.hide(item.cursor)), cut=False)
                return
            if self.tally.listed >= self.limit:
                self.watcher.checkpoint(None, cut=True)
                return
            self._take(item, found)
        self.watcher.checkpoint(None, cut=False)

    def _take(self, item: Material | Unavailable, found: dict[str, Material]) -> None:
        self.tally.listed += 1
        if isinstance(item, Unavailable):
            material, error = vetting.unavailable(item)
            self.tally.problems += 1
            self._tell(material, self._mask.error(error))
            return
        material = vetting.material(item)
        self._tell(material, again=material.id in found)
        found.setdefault(material.id, material)

    def _tell(self, material: Material, problem: SourceError | None = None, *, again: bool = False) -> None:
        shown = replace(material, url=self._mask.hide(material.url))
        self.watcher.listed(shown, problem, again=again)

    def _requested(self, seen: Seen) -> None:
        mask = self._mask  # a key may stand in the path, where nothing shows that it is one
        self.watcher.requested(replace(seen, url=mask.hide(seen.url), error=mask(seen.error)))

    def _fetch(self, material: Material, shop: Workshop) -> None:
        task = Task(
            workshop=shop,
            source=self.spec.name,
            material=material,
            reason="new",
            destinations=(Destination(SCRATCH, ""),),
            staging=self.scratch / "tmp",
            staging_sink=SCRATCH,
            type_name=self.spec.type,
        )
        outcome = work(task)
        self.tally.unwritable = self.tally.unwritable or bool(outcome.sink_errors)
        self.tally.problems += outcome.problem is not None
        self.tally.fetched += outcome.problem is None
        self.watcher.fetched(outcome)

    @property
    def _mask(self) -> Mask:
        return Mask.of([self.spec.options, *(entry.options for entry in self.spec.entries)])

    def _failed(self, step: str, error: BaseException) -> None:
        self.tally.failed = True
        self.watcher.failed(step, self._explained(error))

    def _explained(self, error: BaseException) -> SourceError:
        mask = self._mask
        if isinstance(error, SourceError):
            return mask.error(error)
        if isinstance(error, ArchiverError):
            return FatalError(mask(error.message), hint=mask(error.hint))
        _LOG.debug("the source failed:\n%s", mask.traceback(error))
        return FatalError(mask(f"{type(error).__name__}: {text_of(error)}"), hint=_FAULT)
