"""What a plugin is: the interfaces, and what the core lends to those who implement them."""

from archiver.contracts.context import Context, Progress, SendMail
from archiver.contracts.http import Downloaded, Http, RawResponse, Response
from archiver.contracts.notifier import Notice, Notifier
from archiver.contracts.options import API_VERSION, BaseUrl, EntryT, Options, OptionsT
from archiver.contracts.sink import Blob, Sink, Stat
from archiver.contracts.source import Scope, ScopeEntry, Source

__all__ = [
    "API_VERSION",
    "BaseUrl",
    "Blob",
    "Context",
    "Downloaded",
    "EntryT",
    "Http",
    "Notice",
    "Notifier",
    "Options",
    "OptionsT",
    "Progress",
    "RawResponse",
    "Response",
    "Scope",
    "ScopeEntry",
    "SendMail",
    "Sink",
    "Source",
    "Stat",
]
