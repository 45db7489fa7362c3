"""An answer read whole into memory, under a limit."""

from __future__ import annotations

import hashlib

from archiver.contracts import Response
from archiver.errors import InvalidError
from archiver.web.decode import Decoder, decoder_for
from archiver.web.exchange import Answer, Fault
from archiver.web.fields import digests

_CHUNK = 64 << 10


def read_page(answer: Answer, max_bytes: int) -> Response:
    """Read the body of an answer, undoing its coding.

    Raises `InvalidError` when it holds more than `max_bytes` bytes, packed or unpacked; `Fault` and
    `ConnectionFault` when another attempt may bring it whole.
    """
    if answer.body.length is not None and answer.body.length > max_bytes:
        raise _too_long(answer, max_bytes)
    packed = _read(answer, max_bytes)
    _check_digests(answer, packed)
    decoder = decoder_for(answer.headers, answer)
    content = _unpack(answer, decoder, packed, max_bytes) if decoder else bytes(packed)
    return Response(str(answer.url), answer.status, answer.headers, content)


def _read(answer: Answer, max_bytes: int) -> bytearray:
    packed = bytearray()
    if answer.status == 304:
        return packed  # most answers of a later run
    buffer = memoryview(bytearray(min(_CHUNK, max_bytes + 1)))
    while count := answer.body.readinto(buffer):
        packed += buffer[:count]
        if len(packed) > max_bytes:
            raise _too_long(answer, max_bytes)
    return packed


def _unpack(answer: Answer, decoder: Decoder, packed: bytearray, max_bytes: int) -> bytes:
    content = bytearray()
    for piece in decoder.feed(bytes(packed)):
        content += piece
        if len(content) > max_bytes:
            raise _too_long(answer, max_bytes)
    decoder.finish()
    return bytes(content)


def _check_digests(answer: Answer, packed: bytearray) -> None:
    # These fields speak of the bytes as they are sent, coding included, and of the whole.
    if answer.status != 200:
        return
    for name, expected in digests(answer.headers).items():
        if hashlib.new(name, packed, usedforsecurity=False).digest() != expected:
            raise Fault(f"its {name} digest is not the one that was declared", answer.host)


def _too_long(answer: Answer, max_bytes: int) -> InvalidError:
    return InvalidError(
        f"{answer} is longer than the {max_bytes} bytes that are read of a page",
        hint="Check that the address is the one of a page and not of a file.",
    )
