"""All that a plugin may import.

    from archiver import api

    class MySource(api.Source[MyOptions, MyEntry]): ...

    @api.hookimpl
    def archiver_sources(): return [MySource]

The exported names are the contract: a test holds them against a snapshot.
"""

from archiver.contracts import (
    API_VERSION,
    BaseUrl,
    Blob,
    Context,
    Downloaded,
    Http,
    Notice,
    Notifier,
    Options,
    Progress,
    RawResponse,
    Response,
    Scope,
    ScopeEntry,
    Sink,
    Source,
    Stat,
)
from archiver.errors import (
    ArchiverError,
    BlockedError,
    ConfigError,
    ConflictError,
    ExistsError,
    FatalError,
    GoneError,
    InvalidError,
    LinkOnlyError,
    MissingError,
    SinkError,
    SourceError,
    TransientError,
)
from archiver.hooks import hookimpl
from archiver.images import Picture, page_files, pictures_to_pdf, read_picture, transcript_file
from archiver.listing import list_entries
from archiver.model import (
    Checkpoint,
    Event,
    Fetched,
    Grade,
    Kind,
    Material,
    Role,
    Talk,
    Unavailable,
)
from archiver.redact import is_secret_name, redact
from archiver.schedule import ScheduleLink, Session, read_schedule, schedule_address

__all__ = [
    "API_VERSION",
    "ArchiverError",
    "BaseUrl",
    "Blob",
    "BlockedError",
    "Checkpoint",
    "ConfigError",
    "ConflictError",
    "Context",
    "Downloaded",
    "Event",
    "ExistsError",
    "FatalError",
    "Fetched",
    "GoneError",
    "Grade",
    "Http",
    "InvalidError",
    "Kind",
    "LinkOnlyError",
    "Material",
    "MissingError",
    "Notice",
    "Notifier",
    "Options",
    "Picture",
    "Progress",
    "RawResponse",
    "Response",
    "Role",
    "ScheduleLink",
    "Scope",
    "ScopeEntry",
    "Session",
    "Sink",
    "SinkError",
    "Source",
    "SourceError",
    "Stat",
    "Talk",
    "TransientError",
    "Unavailable",
    "hookimpl",
    "is_secret_name",
    "list_entries",
    "page_files",
    "pictures_to_pdf",
    "read_picture",
    "read_schedule",
    "redact",
    "schedule_address",
    "transcript_file",
]
