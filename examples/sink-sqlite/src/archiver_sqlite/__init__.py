"""The sink type `sqlite`. Its `store.py` stands in for yours."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from archiver import api
from archiver_sqlite.store import AbsentError, RefusedError, Store, StoreError


class Settings(api.Options):
    path: Path  # of the file, relative to the configuration


class Sqlite(api.Sink[Settings]):
    """A whole archive in one SQLite file."""

    type_name, options_class, api_version = "sqlite", Settings, 1

    def __init__(self, options: Settings, context: api.Context) -> None:
        super().__init__(options, context)
        self.store = Store(context.folder / options.path)

    @contextmanager
    def _told(self, refusal: type[api.SinkError] = api.SinkError) -> Iterator[Store]:
        try:
            yield self.store
        except StoreError as error:
            kinds = {RefusedError: refusal, AbsentError: api.MissingError}
            raise kinds.get(type(error), api.SinkError)(f"sink {self.context.name}: {error}") from error

    def create(self, path: str, blob: api.Blob) -> api.Stat:
        with self._told(api.ExistsError) as store, blob.open() as stream:
            return api.Stat(*store.put(path, stream, blob.size, blob.sha256, condition=""))

    def replace(self, path: str, blob: api.Blob, *, expected: str | None = None) -> api.Stat:
        with self._told(api.ConflictError) as store, blob.open() as stream:
            return api.Stat(*store.put(path, stream, blob.size, blob.sha256, condition=expected))

    def open(self, path: str, start: int = 0) -> BinaryIO:
        with self._told() as store:
            return store.get(path, start)

    def stat(self, path: str) -> api.Stat | None:
        with self._told() as store:
            return api.Stat(*found) if (found := store.head(path)) else None

    def list(self, prefix: str) -> Iterator[api.Stat]:
        with self._told() as store:
            yield from (api.Stat(*found) for found in store.keys(prefix))

    def flush(self) -> None:
        """Do nothing: the store has synced what it says it has."""


@api.hookimpl
def archiver_sinks() -> Sequence[type[api.Sink[Any]]]:
    return [Sqlite]
