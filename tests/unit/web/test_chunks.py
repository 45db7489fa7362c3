"""Bodies in chunks: cut at any byte they are no whole body, and nothing but a size is taken for one."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import TransientError
from archiver.web import Limits, PoliteClient
from archiver.web.breaks import Broken
from archiver.web.chunks import end_chunk, pass_trailers, read_size

if TYPE_CHECKING:
    from unit.web.conftest import FaultOrigin

_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_PADDED = b"00000010\r\n0123456789abcdef\r\n" * 2 + b"00000000\r\n\r\n"
_CUT = "ended before its last chunk was complete|broke off"


@pytest.mark.parametrize(
    "size", [b"10", b"00000010", b"10 ", b"10;name=value", b'10 \t; a="b"', b"0" * 14 + b"10"]
)
@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"000\r\n\r\n", b"0;last\r\nDigest: x\r\n\r\n"])
def test_every_size_that_may_be_written_is_read(
    origin: FaultOrigin, client: PoliteClient, size: bytes, end: bytes
) -> None:
    body = size + b"\r\n0123456789abcdef\r\n" + end
    url = origin.on("/f", origin.raw(_HEAD + body, keep=True))
    assert [client.get(url).content for _ in range(2)] == [b"0123456789abcdef"] * 2
    assert origin.connections == 1


@pytest.mark.parametrize("cut", range(len(_PADDED)))
def test_a_body_that_is_cut_anywhere_is_not_whole(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path, cut: int
) -> None:
    # "00" of "00000010" was once read as the last chunk, and the end of the connection as what follows it.
    url = origin.on("/f", origin.raw(_HEAD + _PADDED[:cut]))
    with pytest.raises(TransientError, match=_CUT):
        client.download(url, tmp_path / "f")
    assert not list(tmp_path.iterdir())
    origin.on("/f", origin.raw(_HEAD + _PADDED[:cut]), origin.raw(_HEAD + _PADDED))
    assert client.download(url, tmp_path / "f").size == 32


def _read(file: BytesIO) -> int:
    size = 0
    while left := read_size(file):
        size += len(file.read(left))
        end_chunk(file)
    pass_trailers(file)
    return size


@given(st.lists(st.integers(1, 40), max_size=4), st.integers(0, 9), st.data())
def test_no_beginning_of_a_body_is_a_whole_one(sizes: list[int], zeros: int, data: st.DataObject) -> None:
    parts = [b"0" * zeros + b"%x\r\n%b\r\n" % (size, b"0" * size) for size in sizes]
    whole = b"".join([*parts, b"0\r\nX-Sum: 1\r\n\r\n"])
    assert _read(BytesIO(whole)) == sum(sizes)
    with pytest.raises(Broken):
        _read(BytesIO(whole[: data.draw(st.integers(0, len(whole) - 1))]))


@pytest.mark.parametrize(
    ("size", "why"),
    [
        (b"-5\r\n", "no clear size"),
        (b"+5\r\n", "no clear size"),
        (b"1_0\r\n", "no clear size"),
        (b"0x10\r\n", "no clear size"),
        (b" 10\r\n", "no clear size"),
        (b"\r\n", "no clear size"),
        (b";name\r\n", "no clear size"),
        (b"10 10\r\n", "no clear size"),
        (b"zz\r\n", "no clear size"),
        (b"10\n", "no clear size"),
        (b"1" * 17 + b"\r\n", "no clear size"),
        ("\u0661\r\n".encode(), "no clear size"),  # a digit for Python
        (b"10;" + b"e" * 9_000 + b"\r\n", "more than 8192 bytes"),
    ],
)
def test_what_is_no_size_is_not_taken_for_one(
    origin: FaultOrigin, client: PoliteClient, size: bytes, why: str
) -> None:
    url = origin.on("/f", origin.raw(_HEAD + size + b"0123456789abcdef\r\n0\r\n\r\n"))
    with pytest.raises(TransientError, match=why):
        client.get(url)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"5\r\nhelloXX0\r\n\r\n", "longer than its size"),
        (b"4\r\nhello\r\n0\r\n\r\n", "longer than its size"),
        (b"5\r\nhello\n0\r\n\r\n", "longer than its size"),
        (b"5\r\nhello\r\n0\r\n" + b"X: y\r\n" * 200, "too many fields behind"),
        (b"5\r\nhello\r\n0\r\nX: " + b"y" * 9_000, "more than 8192 bytes"),
        (b"5\r\nhello\r\n0\r\nX: y", "before its last chunk was complete"),
    ],
)
def test_what_is_around_the_chunks_is_read_to_the_letter(
    origin: FaultOrigin, client: PoliteClient, body: bytes, why: str
) -> None:
    with pytest.raises(TransientError, match=why):
        client.get(origin.on("/f", origin.raw(_HEAD + body)))


def test_the_size_of_a_chunk_that_never_ends_is_not_waited_for(origin: FaultOrigin) -> None:
    def stall(request: object) -> bool:
        origin.raw(_HEAD + b"000")(request)  # type: ignore[arg-type]  # what the origin gives
        return True

    limits = Limits(attempts=1, read_seconds=0.05)
    with (
        PoliteClient(hosts_allowed=[origin.base], limits=limits) as client,
        pytest.raises(TransientError, match="nothing came for"),
    ):
        client.get(origin.on("/f", stall))
