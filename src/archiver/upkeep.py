"""What a run brings up to date beside the stored files: the catalog and the site of each sink.

Both can be made again from what is stored, so that trouble with them never fails a run; but in a sink for the
public it does: what is there from before may show what is not cleared any more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from archiver import index
from archiver.archive import Head
from archiver.asked import Asks
from archiver.config import Config
from archiver.errors import ArchiverError, SinkError
from archiver.record import Recorder
from archiver.report import Report, Watcher

_LOG = logging.getLogger("archiver")


def refresh(
    recorder: Recorder, config: Config, asks: Asks, report: Report, watcher: Watcher, *, public: bool = False
) -> None:
    """Refresh the catalog, then the site, of every sink that still takes anything.

    `public` says that these are sinks for the public: there a failure is one of the sink.
    """
    upkeep = _Upkeep(recorder, config, asks, report, watcher, public)
    for name, shelf in recorder.healthy.items():
        changed = bool(report.sinks[name].versions)
        upkeep.do(name, "catalog", partial(index.refresh, shelf.head, config, changed=changed))
    # An interrupted run ends at once: the next one makes the pages.
    for name, shelf in recorder.healthy.items() if config.archive.site and not report.interrupted else ():
        if upkeep.do(name, "site", partial(upkeep.show, name, shelf.head)):
            upkeep.shown.append(shelf.head)


@dataclass(frozen=True)
class _Upkeep:
    """Does what may fail, and notes the failure at its sink. `shown` are the sinks whose pages are made."""

    recorder: Recorder
    config: Config
    asks: Asks
    report: Report
    watcher: Watcher
    public: bool
    shown: list[Head] = field(default_factory=list)

    def show(self, name: str, head: Head) -> None:
        """Make the pages of one sink, where they are out of date; small pictures are lent by others."""
        from archiver import pages

        said = self.watcher.said
        if not pages.is_stale(head, self.config, self.asks):
            return
        said("showing", sink=name)
        built = pages.build(
            head,
            self.config,
            self.asks,
            lenders=self.shown,
            progress=lambda files: said("drawn", files=files),
        )
        sink = self.report.sinks[name]
        sink.pages, sink.written = built.pages, built.written
        said("shown", sink=name, pages=built.pages, written=built.written)

    def do(self, name: str, what: str, work: Callable[[], object]) -> bool:
        """Do one thing to one sink; say whether it went well."""
        try:
            work()
        except ArchiverError as error:
            self.recorder.stop(name, error)
        except Exception as error:  # noqa: BLE001  # it can be made again; what is stored is safe
            _LOG.debug("the %s of sink %s failed", what, name, exc_info=error)
            told = f"its {what} could not be made: {type(error).__name__}: {error}"
            if self.public:
                hint = "until it is, what is there may show what is not cleared any more: run archive site"
                self.recorder.stop(name, SinkError(told, hint=hint))
            else:
                self.report.sinks[name].add_note(f"is complete, but {told}")
        else:
            return True
        return False
