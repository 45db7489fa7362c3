"""What the core lends to a plugin, for the tests of one: the real HTTP client, quick to give up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archiver.contracts import Context
from archiver.web import Limits, PoliteClient

#: Two attempts, and hardly a pause between them: a test of a fault waits for nobody.
QUICK = Limits(attempts=2, backoff=0.001, longest_backoff=0.001, longest_wait=0.05)


@contextmanager
def lend(folder: Path, *addresses: str, name: str = "here") -> Iterator[Context]:
    """Lend a plugin its context for as long as the `with` block lasts.

    `addresses` are those of services on this machine: the HTTP client refuses all other private ones, as
    it does in a run. Relative paths in options start at `folder`.

        with Double() as service, lend(tmp_path, service.url) as context:
            source = MySource(Settings(base_url=service.url), context)
    """
    with PoliteClient(hosts_allowed=addresses, limits=QUICK) as client:
        yield Context(name, folder, client)
