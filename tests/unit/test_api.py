"""`archiver.api` is what third parties build on: nothing appears or goes there by accident."""

from __future__ import annotations

import inspect

from archiver import api

EXPORTED = [
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


def test_exactly_these_names_are_exported() -> None:
    assert sorted(api.__all__) == sorted(EXPORTED)
    public = {name for name in vars(api) if not name.startswith("_")}
    assert public == set(EXPORTED)


def test_every_class_and_function_is_described() -> None:
    for name in api.__all__:
        thing = getattr(api, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), name
