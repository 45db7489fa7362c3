from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.web.fields import (
    ContentRange,
    content_range,
    digests,
    number,
    retry_after,
    strong_etag,
    validator,
)

_NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60.0),
        ("Sunday, 06-Nov-94 08:50:37 GMT", 60.0),
        ("Sun Nov  6 08:50:37 1994", 60.0),
        ("Sun, 06 Nov 1994 08:40:00 GMT", 0.0),
        ("", None),
        ("-5", None),
        ("1_0", None),
        ("+5", None),
        ("1.5", None),
        ("soon", None),
        ("9" * 5000, None),
        ("Sun, 99 Nov 1994 08:50:37 GMT", None),
        ("٣", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after(value, _NOW) == seconds


@given(st.integers(0, 10**18))
def test_retry_after_takes_any_count(seconds: int) -> None:
    assert retry_after(str(seconds), _NOW) == float(seconds)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # hypothesis adds it
def test_retry_after_takes_any_date(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    expected = max(0.0, moment.timestamp() - _NOW)
    assert retry_after(format_datetime(moment, usegmt=True), _NOW) == expected


@given(st.text())
def test_nothing_makes_the_parsers_fail(text: str) -> None:
    seconds = retry_after(text, _NOW)
    assert seconds is None or seconds >= 0
    part = content_range(text)
    assert part is None or part.first <= part.last
    assert isinstance(digests({"digest": text, "repr-digest": text, "content-md5": text}), dict)
    assert strong_etag(text) in {"", text}
    assert validator({"etag": text, "last-modified": text, "date": text}) in {"", text}


@given(st.integers(0, 10**18), st.integers(1, 10**18), st.integers(0, 10**17))
def test_content_range_round_trip(first: int, count: int, after: int) -> None:
    last = first + count - 1
    total = last + 1 + after
    assert content_range(f"bytes {first}-{last}/{total}") == ContentRange(first, last, total)
    assert content_range(f"bytes {first}-{last}/*") == ContentRange(first, last, None)
    assert content_range(f"bytes {first}-{last}/{last}") is None


@pytest.mark.parametrize(
    "value",
    ["", "bytes */100", "bytes 5-4/100", "bytes 0-99/99", "items 0-9/10", "bytes 0-9", "bytes +0-9/10",
     "bytes 0-9/10, bytes 0-9/10", "bytes -9/10", "bytes 0x0-9/10"],
)  # fmt: skip
def test_content_range_refuses(value: str) -> None:
    assert content_range(value) is None


@pytest.mark.parametrize(
    ("value", "count"), [("10", 10), (" 10\t", 10), ("1_0", None), ("+1", None), ("", None), ("1 0", None)]
)
def test_number(value: str, count: int | None) -> None:
    assert number(value) == count


@pytest.mark.parametrize(
    ("etag", "age", "chosen"),
    [
        ('"abc"', 0, '"abc"'),
        ('W/"abc"', 3600, "date"),
        ('W/"abc"', 1, ""),
        ("", 60, "date"),
        ("", 59, ""),
        ("abc", 0, ""),
    ],
)
def test_validator(etag: str, age: int, chosen: str) -> None:
    modified, sent = formatdate(_NOW - age, usegmt=True), formatdate(_NOW, usegmt=True)
    headers = {"etag": etag, "last-modified": modified, "date": sent}
    assert validator(headers) == (modified if chosen == "date" else chosen)


def test_digests_of_three_fields() -> None:
    md5, sha1, sha256 = (hashlib.new(name, b"x").digest() for name in ("md5", "sha1", "sha256"))

    def text(value: bytes) -> str:
        return base64.b64encode(value).decode()

    headers = {
        "digest": f"SHA={text(sha1)}, unixsum=30637",
        "repr-digest": f"sha-256=:{text(sha256)}:, crc32c=:AAAAAA==:",
        "content-md5": text(md5),
    }
    assert digests(headers) == {"sha1": sha1, "sha256": sha256, "md5": md5}


@pytest.mark.parametrize("value", ["sha-256=:AAAA:", "sha-256=", "sha-256=:!!!:", "sha-999=:AAAA:", "AAAA"])
def test_digests_that_prove_nothing_are_left_out(value: str) -> None:
    assert digests({"repr-digest": value}) == {}
