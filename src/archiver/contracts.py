"""What a plugin is: the two interfaces, and what the core lends to those who implement them."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, BinaryIO, ClassVar, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict

from archiver.errors import ConfigError
from archiver.model import Checkpoint, Event, Fetched, Material, Unavailable

API_VERSION = 1


class Options(BaseModel):
    """Typed options of a plugin; unknown keys are errors. Mark secrets as `pydantic.SecretStr`.

    An option called `base_url` is an address the user trusts: the HTTP client may reach it even
    when it is a private one. So are the values of one called `mirrors`, which maps names of hosts to
    addresses. Neither they nor `timeout` change what a source lists: cursors outlive a change of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _service_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected an address like https://www.example.org")
    return value.rstrip("/")


#: The type of an option `base_url`: an http or https address, without a slash at its end.
BaseUrl = Annotated[str, AfterValidator(_service_address)]

OptionsT = TypeVar("OptionsT", bound=Options)
EntryT = TypeVar("EntryT", bound=Options)


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer, read into memory under a limit. `headers` has lower-case names."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """Decode by the declared charset, else UTF-8, replacing what does not fit."""
        _, _, charset = self.headers.get("content-type", "").partition("charset=")
        try:
            return self.content.decode(charset.split(";")[0].strip("\"' ") or "utf-8", "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Parse as JSON. Raises `InvalidError` when it is none."""
        import json

        from archiver.errors import InvalidError
        from archiver.redact import redact

        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:  # "[[[[…" is too deep for the parser
            raise InvalidError(f"{redact(self.url)} did not answer with JSON: {error}") from error


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that arrived whole. `size` in bytes, `sha256` in lower-case hex.

    `name` is what the other side calls it (Content-Disposition, RFC 6266): a label of at most 200
    visible characters without any folder, never a path; "" when it did not say.
    """

    path: Path
    size: int
    sha256: str
    url: str
    media_type: str = ""
    etag: str = ""
    last_modified: str = ""
    name: str = ""


class RawResponse(Protocol):
    """One answer with its body still to be read; a redirect and a refusal are answers too.

    `headers` are in order, names in lower case, repeated ones repeated.
    """

    url: str
    status: int
    headers: Sequence[tuple[str, str]]

    def readinto(self, buffer: memoryview | bytearray) -> int:
        """Fill `buffer` and return how many bytes came, 0 at the end. Raises `TransientError`."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class Http(Protocol):
    """The polite HTTP client that the core lends to a source.

    Per-host rate and concurrency, `Retry-After`, retries on transient faults, resume, limits of size
    and time, the address guard and redaction are its business. It raises `TransientError` (retries
    used up), `BlockedError` (401, 403, 407, 451, and a Retry-After of over two minutes), `GoneError`
    (404, 410) and `InvalidError` (too long, wrong length or digest). Statuses named in `accept` come back
    instead.
    """

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Iterable[int] = (),
        max_bytes: int = ...,
    ) -> Response:
        """Get a page or an API answer into memory; `max_bytes` defaults to 32 MiB."""
        ...

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        accept: Iterable[int] = (),
        max_bytes: int = ...,
    ) -> Response:
        """Post a form (UTF-8) or JSON, one of them at most, and get the answer into memory.

        What is posted is in no log and no message. It is sent once; a second time only after a fault in
        which it was certainly not acted upon: no connection, or a 429 or 503 with Retry-After. After a
        redirect by 301, 302 or 303 the answer comes by a GET; by 307 or 308 it is posted again, to the
        same origin alone (RFC 9110, 15.4).
        """
        ...

    def download(
        self,
        url: str,
        path: Path,
        *,
        headers: Mapping[str, str] | None = None,
        size: int | None = None,
        sha256: str = "",
        max_bytes: int | None = None,
    ) -> Downloaded:
        """Get a file onto disk, whole and hashed; `size` and `sha256` are compared when given."""
        ...

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        seconds: float | None = None,
    ) -> RawResponse:
        """Send one request for a library that speaks HTTP itself, and give whatever is answered.

        The address guard, the connections, the bounds of time and the pauses that a 429 or 503 asks for
        with Retry-After are the core's; redirects, cookies, other retries and what a status means are the
        library's. `seconds` is how long the other side may stay silent, when that is less than the core
        allows. Nothing comes packed unless the other side insists. Raises `BlockedError` for an address
        that a source may not reach and for a Retry-After of over two minutes, `InvalidError` for what is
        no web address, `TransientError` when there is no answer, or again and again a Retry-After.
        """
        ...


class Progress(Protocol):
    """Called with the bytes that came since the last call, and the total when it is known."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Say that `done` more bytes came."""
        ...


def _no_progress(done: int, total: int | None = None) -> None:
    del done, total


class SendMail(Protocol):
    """Sends one mail through the server that the configuration names under `mail: smtp:`."""

    def __call__(self, to: Sequence[str], subject: str, text: str) -> None:
        """Send plain text; return when the server has taken it.

        Raises `ConfigError` without such a server, `BlockedError` when it refuses, `TransientError`.
        """
        ...


def _no_mail(to: Sequence[str], subject: str, text: str) -> None:
    del to, subject, text
    raise ConfigError("only a notifier sends mail", hint="report this to the author of the plugin")


@dataclass(frozen=True)
class Context:
    """What a plugin instance gets from the core.

    `name` is the one in the configuration, `folder` the directory of the configuration file
    (relative paths in options start there). `progress` is for bytes that `http` does not see. `own`
    are files and directories on this machine that belong to the archive itself: the configuration, and
    sinks. A source of local files leaves them out.
    """

    name: str
    folder: Path
    http: Http
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("archiver.plugin"))
    progress: Progress = _no_progress
    own: tuple[Path, ...] = ()
    #: For notifiers alone.
    send_mail: SendMail = _no_mail


@dataclass(frozen=True)
class ScopeEntry(Generic[EntryT]):
    """One use of a source by one event: the event, and the entry's own options."""

    event: Event
    options: EntryT


@dataclass(frozen=True)
class Scope(Generic[EntryT]):
    """What to list: every use of this source in the configuration.

    `limit` is how many materials the run wants at most; a source may stop there.
    """

    entries: tuple[ScopeEntry[EntryT], ...]
    limit: int | None = None


class Source(ABC, Generic[OptionsT, EntryT]):
    """A place where material is found. Made once per configured source; used by several threads.

    The first line of the class's docstring is what `archive plugins list` shows.
    """

    #: The word for `type:` in the configuration.
    type_name: ClassVar[str]
    api_version: ClassVar[int] = API_VERSION
    #: Options of the source itself, and of each entry of an event that uses it.
    options_class: ClassVar[type[Options]] = Options
    entry_class: ClassVar[type[Options]] = Options
    #: How many fetches may run at once; 1 when the instance is not thread-safe.
    max_fetches: ClassVar[int] = 8

    def __init__(self, options: OptionsT, context: Context) -> None:
        self.options = options
        self.context = context

    @abstractmethod
    def discover(self, scope: Scope[EntryT], cursor: str) -> Iterator[Material | Unavailable | Checkpoint]:
        """List what exists in scope, lazily and cheaply, and end with one `Checkpoint`.

        `cursor` is the one of an earlier checkpoint over the same scope, or empty: list everything.
        Raises `SourceError` when the listing itself fails; nothing is then held against any item.
        """

    @abstractmethod
    def fetch(self, material: Material, into: Path) -> Iterable[Fetched | Material]:
        """Get the files of one material into the empty directory `into`.

        Yield the material again, same id, when its own page tells more than the listing did. Its
        `revision` is what the next listing is compared with: keep the listing's, unless what came is
        to be fetched once more.
        Raises `SourceError`; whatever is left in `into` is then thrown away.
        """

    def entry_for(self, url: str) -> Mapping[str, object] | None:
        """Give the entry with which this source would list what an address names; None for all others.

        Asked about addresses that stand in reports, which strangers wrote. So take only what is one thing
        of bounded size, a deck, an album, a recording, and no user's or channel's whole work; tell it
        from the address alone, without a network. The entry is checked as one of `entry_class`.
        """
        del url
        return None

    def check(self) -> None:
        """Raise when this source cannot work as configured. Changes nothing, fetches nothing."""

    def close(self) -> None:
        """Give back what the source holds: connections, processes. Called once, after the last fetch.

        `http` still works then. What it raises is logged and holds up nothing.
        """


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes to store, in a file or in memory, with their size and lower-case hex SHA-256.

    `movable` allows the sink to take the file itself instead of a copy: nobody else needs it, and
    whoever set it has hashed this very file.
    """

    size: int
    sha256: str
    path: Path | None = None
    data: bytes | None = None
    movable: bool = False

    def open(self) -> BinaryIO:
        """Open the bytes for reading."""
        import io

        if self.path is not None:
            return self.path.open("rb")
        return io.BytesIO(self.data or b"")


@dataclass(frozen=True, slots=True)
class Stat:
    """What a sink knows of one value: `modified` in seconds since 1970 by the sink's own clock.

    `token` changes with every change; it is what `replace` compares. Two of these are equal when they
    speak of the same bytes: a store may tell the time more or less exactly, depending on how it is asked.
    """

    path: str
    size: int
    modified: float = field(compare=False)
    token: str


class Sink(ABC, Generic[OptionsT]):
    """A small key–value store: paths to bytes, nothing is ever deleted.

    Paths are relative, `/`-separated, NFC, already safe (see `archiver.naming`). A sink knows
    nothing of what it holds. Every method raises `SinkError` when the store cannot be used.
    """

    type_name: ClassVar[str]
    api_version: ClassVar[int] = API_VERSION
    options_class: ClassVar[type[Options]] = Options
    #: Reachable from other machines; remote workers refuse sinks without it.
    shared: ClassVar[bool] = False
    #: How many finished materials one journal write covers; 1 where small writes cost nothing.
    journal_batch: ClassVar[int] = 64

    def __init__(self, options: OptionsT, context: Context) -> None:
        self.options = options
        self.context = context

    @property
    def local_root(self) -> Path | None:
        """Say which local directory holds this sink, so that files can be moved in and read in place."""
        return None

    @abstractmethod
    def create(self, path: str, blob: Blob) -> Stat:
        """Store under a new path; return only when the stored bytes are proven to be the blob's.

        Raises `ExistsError` when the path is taken, whatever is stored there. After `flush` they
        are on stable storage.
        """

    @abstractmethod
    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        """Store over what is there, all or nothing.

        With `expected`, a token from `stat`, only when nobody wrote since: else `ConflictError`.
        """

    @abstractmethod
    def open(self, path: str, start: int = 0) -> BinaryIO:
        """Read from byte `start` on. Raises `MissingError`."""

    @abstractmethod
    def stat(self, path: str) -> Stat | None:
        """Look up one path."""

    @abstractmethod
    def list(self, prefix: str) -> Iterator[Stat]:
        """List every path that begins with `prefix`, in no particular order."""

    @abstractmethod
    def flush(self) -> None:
        """Make everything stored so far survive a power cut."""

    def cover(self, path: str) -> None:
        """Let the next `flush` cover this value too, which an earlier run may have left unflushed."""

    def check(self) -> None:
        """Raise `SinkError` when this sink could not be written. Leaves no trace."""

    def notes(self) -> Sequence[str]:
        """Say what this store does not do as it should, and what is done instead.

        Each goes on from the name of the sink: "ignores checksums: every file is read back". Asked for
        once the sink has been checked, by `archive check` and by each run that writes. May write below
        `.probe/` to find out.
        """
        return ()

    def prepare(self) -> None:
        """Begin a run that will write: make the root, clear what killed runs left in `tmp/`."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What there is to tell of a run: one line, plain text, Markdown, and all of it as plain JSON data.

    `data` is what `archive report --format json` prints: see docs/reference/run-events.md.
    """

    subject: str
    text: str
    markdown: str
    data: Mapping[str, Any]


class Notifier(ABC, Generic[OptionsT]):
    """Tells somebody what a run did. Made for one delivery, after the run has ended.

    Whether there is anything worth telling is decided by the core. A delivery that fails never fails the
    run. The first line of the class's docstring is what `archive plugins list` shows.
    """

    #: The word for `type:` under `notify:` in the configuration.
    type_name: ClassVar[str]
    api_version: ClassVar[int] = API_VERSION
    options_class: ClassVar[type[Options]] = Options

    def __init__(self, options: OptionsT, context: Context) -> None:
        self.options = options
        self.context = context

    @abstractmethod
    def deliver(self, notice: Notice) -> None:
        """Deliver a notice; return when the other side has it. Raises `SourceError` or `ConfigError`."""
