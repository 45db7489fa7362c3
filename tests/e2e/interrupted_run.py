"""Run `archive run` in this process and kill it, without any goodbye, after the n-th acknowledged put.

Usage: interrupted_run.py CONFIG N. A put is acknowledged when the journal names it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from archiver import config as configuration
from archiver.contracts import Blob, Sink, Stat
from archiver.registry import Registry, load_plugins
from archiver.run import Run, RunOptions


def killing(base: type[Sink[Any]], after: int) -> type[Sink[Any]]:
    """Make a sink class whose process dies as soon as the journal names n materials."""

    class Killing(base):  # type: ignore[misc, valid-type]  # the class is known at run time only
        def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
            stat: Stat = super().replace(path, blob, expected=expected)
            # One segment, as there are fewer than 64 materials; those that came together are named together.
            if path.startswith("journal/") and (blob.data or b"").count(b"\n") >= after:
                os.kill(os.getpid(), signal.SIGKILL)
            return stat

    return Killing


def main() -> None:
    """Do the run."""
    path, after = Path(sys.argv[1]), int(sys.argv[2])
    document = configuration.read(path)
    real = load_plugins(document.plugins)
    sinks = {name: killing(sink, after) for name, sink in real.sinks.items()}
    registry = Registry(real.plugins, real.sources, sinks, real._manager)
    report = Run(configuration.build(document, registry, os.environ), registry, RunOptions(jobs=2)).execute()
    sys.exit(report.exit_code())


if __name__ == "__main__":
    main()
