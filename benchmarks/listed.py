"""Archive a list of plain files, as a source would bring them; run as a process by the benchmarks.

    python benchmarks/listed.py BASE_URL NAMES.json

The archive is made in the current directory. All of the product takes part: the polite client, the
staging directory, the look at each file, text extraction, the disk sink, journal, ledger, OCFL
version, syncs, catalog and report.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from archiver import api, staging
from archiver.cli import be_quick
from archiver.config import ArchiveSettings, Config, SinkSpec, SourceSpec
from archiver.contracts import Context, Options, ScopeEntry
from archiver.registry import load_plugins
from archiver.run import Run
from archiver.web import PoliteClient


class ListedFiles(api.Source[api.Options, api.Options]):
    """Plain files at one address, named in a list."""

    type_name = "listed"

    def __init__(self, context: Context, base: str, names: Sequence[str]) -> None:
        super().__init__(Options(), context)
        self._base = base
        self._names = names

    def discover(
        self, scope: api.Scope[api.Options], cursor: str
    ) -> Iterator[api.Material | api.Unavailable | api.Checkpoint]:
        """Give the list; the kind is the first word of each name."""
        del cursor
        event = scope.entries[0].event.id
        for name in self._names:
            kind, _, number = name.partition("-")
            yield api.Material(name, api.Kind(kind), title=f"{kind} {number}", event=event, revision="1")
        yield api.Checkpoint(complete=True)

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched]:
        """Download one file."""
        done = self.context.http.download(f"{self._base}/{material.id}", into / "file")
        yield api.Fetched(done.path.relative_to(into), media_type=done.media_type)


def archive(base: str, names: Sequence[str], folder: Path) -> None:
    """Archive every file once. Ends the process when one of them is not stored."""
    registry = load_plugins()
    event = api.Event("tour", "A tour")
    sink = SinkSpec("local", "disk", registry.sinks["disk"].options_class.model_validate({"path": "archive"}))
    config = Config(
        folder / "archive.yaml", folder, ArchiveSettings("Benchmark", site=False), (sink,), (), (event,)
    )
    client = PoliteClient(hosts_allowed=[base], progress=staging.report_progress)
    context = Context("listed", folder, staging.Noting(client), logging.getLogger("bench"))
    source = ListedFiles(context, base, names)
    spec = SourceSpec("listed", "listed", Options(), (ScopeEntry(event, Options()),))
    report = Run(config, registry, sources=[spec], given={"listed": source}).execute()
    if report.exit_code() or report.files != len(names):
        raise SystemExit(f"{report.files} of {len(names)} files stored: {report.problems[:3]}")


if __name__ == "__main__":
    be_quick()  # as the command does
    archive(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), Path.cwd())
