"""One request to a program, and what it answers, held to the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError

from archiver import api
from archiver_plugins.command import messages
from archiver_plugins.command.lines import ProtocolError, decode, encode
from archiver_plugins.command.messages import AnyReply, AnyRequest
from archiver_plugins.command.process import Process
from archiver_plugins.command.secrets import Hidden

#: Messages that answer one request: the materials that a listing may hold, and as much again.
MAX_MESSAGES: Final = 2_000_000
_ALLOWED: Final[dict[str, frozenset[str]]] = {
    "describe": frozenset({"described", "error"}),
    "discover": frozenset({"material", "unavailable", "progress", "checkpoint", "error"}),
    "fetch": frozenset({"material", "file", "progress", "done", "error"}),
}
_LAST: Final = frozenset({"described", "checkpoint", "done", "error"})


def answers(process: Process, request: AnyRequest, hidden: Hidden) -> Iterator[AnyReply]:
    """Ask, and give each answer up to the last one.

    Raises `ProtocolError` for what the protocol does not allow, the `SourceError` that the program
    answers with, and what `Process.exchange` raises.
    """
    lines = process.exchange(encode(request.model_dump(mode="json")))
    for count, line in enumerate(lines, 1):
        if count > MAX_MESSAGES:
            raise ProtocolError(f"it answered one request with more than {MAX_MESSAGES} messages")
        reply = _read(line, request)
        if reply.type in _LAST:
            process.rest()
        if isinstance(reply, messages.Error):
            raise source_error(reply)
        if hidden.stands_in(reply.model_dump()):
            raise ProtocolError(f"it put one of its secrets into a message of type {reply.type!r}")
        yield reply
        if reply.type in _LAST:
            return


def _read(line: bytes, request: AnyRequest) -> AnyReply:
    found = decode(line)
    try:
        reply = messages.REPLY.validate_python(found)
    except ValidationError as error:
        raise ProtocolError(_told(error)) from error
    if reply.id != request.id:
        raise ProtocolError(f"it answered request {reply.id} when it was asked request {request.id}")
    if reply.type not in _ALLOWED[request.type]:
        raise ProtocolError(f"it answered {request.type!r} with a message of type {reply.type!r}")
    return reply


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    value = repr(first["input"])[:100]
    return f"in its message, {where or 'the whole'} is {value}: {first['msg']}"


def source_error(told: messages.ErrorPart) -> api.SourceError:
    """Make what the core knows of what a program said; the core bounds and masks the texts."""
    message = told.message or "the program gave no reason"
    if told.reason == "transient":
        return api.TransientError(message, hint=told.hint, retry_after=told.retry_after)
    kinds: dict[str, type[api.SourceError]] = {
        "blocked": api.BlockedError,
        "gone": api.GoneError,
        "invalid": api.InvalidError,
        "link": api.LinkOnlyError,
        "fatal": api.FatalError,
    }
    return kinds[told.reason](message, hint=told.hint)
