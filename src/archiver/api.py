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
    Options,
    Progress,
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
    "Material",
    "MissingError",
    "Options",
    "Picture",
    "Progress",
    "Response",
    "Role",
    "Scope",
    "ScopeEntry",
    "Sink",
    "SinkError",
    "Source",
    "SourceError",
    "Stat",
    "Talk",
    "TransientError",
    "Unavailable",
    "hookimpl",
    "list_entries",
    "page_files",
    "pictures_to_pdf",
    "read_picture",
    "transcript_file",
]
