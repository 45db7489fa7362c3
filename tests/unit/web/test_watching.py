from __future__ import annotations

from pathlib import Path

import pytest

from archiver.errors import BlockedError
from archiver.testing import Service
from archiver.web import Limits, PoliteClient, Seen

QUICK = Limits(attempts=2, backoff=0.001, longest_backoff=0.001)


def test_every_request_is_told_once_with_what_came(tmp_path: Path) -> None:
    seen: list[Seen] = []
    with Service() as service:
        address = service.serve("/a file", b"x" * 1000)
        service.fault("/a file", "503")
        with PoliteClient(hosts_allowed=[service.url], limits=QUICK, watch=seen.append) as client:
            client.download(f"{service.url}/a%20file?token=abcdefgh", tmp_path / "file")
            client.get(address.replace(" ", "%20"))
    assert [(each.method, each.status) for each in seen] == [("GET", 503), ("GET", 200), ("GET", 200)]
    assert [each.size for each in seen[1:]] == [1000, 1000]
    assert seen[1].url == f"{address.replace(' ', '%20')}?token=***"
    assert all(each.seconds >= 0 for each in seen)


def test_a_request_without_an_answer_is_told_with_the_reason() -> None:
    seen: list[Seen] = []
    with PoliteClient(limits=QUICK, watch=seen.append) as client, pytest.raises(BlockedError):
        client.get("http://127.0.0.1:9/private")
    assert [(each.status, each.size) for each in seen] == [(0, 0)]
    assert "127.0.0.1" in seen[0].error


def test_a_body_that_is_given_up_is_told_with_what_came() -> None:
    seen: list[Seen] = []
    with Service() as service:
        address = service.serve("/big", b"x" * 3_000_000)
        with PoliteClient(hosts_allowed=[service.url], limits=QUICK, watch=seen.append) as client:
            answer = client.send("GET", address)
            answer.readinto(bytearray(1000))
            assert seen == []
            answer.close()
    assert [(each.status, each.size) for each in seen] == [(200, 1000)]
