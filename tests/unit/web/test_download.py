from __future__ import annotations

import base64
import gzip
import hashlib
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from archiver.errors import BlockedError, FatalError, GoneError, InvalidError, TransientError
from archiver.web import Limits, PoliteClient

if TYPE_CHECKING:
    from unit.web.conftest import FaultOrigin, Request, Steps

DATA = random.Random(7).randbytes(3_000_000)
OTHER = random.Random(8).randbytes(3_000_000)


def _digest(data: bytes, name: str = "sha256") -> str:
    return base64.b64encode(hashlib.new(name, data).digest()).decode()


def _only(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole(origin: FaultOrigin, client: PoliteClient, tmp_path: Path) -> None:
    name = "attachment; filename*=UTF-8''..%2f%E4%BA%91.pdf"
    kind, changed = "Application/PDF; x=y", "yesterday"
    file = origin.file(DATA, content_type=kind, last_modified=changed, content_disposition=name)
    url = origin.on("/f", file)
    got = client.download(url, tmp_path / "deck.pdf", size=len(DATA), sha256=hashlib.sha256(DATA).hexdigest())
    assert (tmp_path / "deck.pdf").read_bytes() == DATA
    assert (got.size, got.sha256) == (len(DATA), hashlib.sha256(DATA).hexdigest())
    assert (got.media_type, got.etag, got.last_modified) == ("application/pdf", '"v1"', "yesterday")
    assert (got.url, got.name) == (url, "云.pdf")
    assert _only(tmp_path) == ["deck.pdf"]
    assert origin.requests[0].headers["accept-encoding"] == "identity"
    assert "range" not in origin.requests[0].headers


def test_an_empty_file_is_a_file(origin: FaultOrigin, client: PoliteClient, tmp_path: Path) -> None:
    got = client.download(origin.on("/f", origin.file(b"")), tmp_path / "f")
    assert (got.size, (tmp_path / "f").read_bytes()) == (0, b"")


@pytest.mark.parametrize("cut", [1, 700_000, len(DATA) - 1])
def test_a_broken_file_is_taken_up_where_it_ended(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path, cut: int
) -> None:
    url = origin.on("/f", origin.file(DATA, cut=cut), origin.file(DATA))
    assert client.download(url, tmp_path / "f").sha256 == hashlib.sha256(DATA).hexdigest()
    second = origin.asked("/f")[1]
    assert second["range"] == f"bytes={cut}-"
    assert second["if-range"] == '"v1"'


def test_what_came_of_a_part_is_told_of_the_whole(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path
) -> None:
    cuts = [origin.file(DATA, cut=cut) for cut in (1000, 200, 30, 4)]
    with pytest.raises(TransientError, match="it ended after 1239 of 3000000 bytes"):
        client.download(origin.on("/f", *cuts, origin.file(DATA, cut=5)), tmp_path / "f")


def test_a_reset_is_taken_up_too(origin: FaultOrigin, client: PoliteClient, tmp_path: Path) -> None:
    broken = origin.answer(body=DATA, cut=2_000_000, reset=True, ETag='"v1"')
    url = origin.on("/f", broken, origin.file(DATA))
    client.download(url, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == DATA


def test_a_settled_date_serves_as_validator(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path
) -> None:
    modified = formatdate(1_700_000_000, usegmt=True)

    def part(request: Request) -> bool:
        assert request.headers["if-range"] == modified
        return origin.file(DATA, etag=modified, last_modified=modified)(request)

    url = origin.on("/f", origin.file(DATA, etag="", cut=999, last_modified=modified), part)
    assert client.download(url, tmp_path / "f").size == len(DATA)
    assert (tmp_path / "f").read_bytes() == DATA


def test_without_a_validator_it_begins_again(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path
) -> None:
    url = origin.on("/f", origin.file(DATA, etag='W/"v1"', cut=999), origin.file(DATA, etag=""))
    client.download(url, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == DATA
    assert "range" not in origin.asked("/f")[1]


def test_a_file_that_changed_meanwhile_begins_again(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path
) -> None:
    url = origin.on("/f", origin.file(DATA, cut=1_000_000), origin.file(OTHER, etag='"v2"'))
    assert client.download(url, tmp_path / "f").etag == '"v2"'
    assert (tmp_path / "f").read_bytes() == OTHER


def _part(first: int, last: int, total: object, body: bytes, etag: str = '"v1"') -> bytes:
    head = f"HTTP/1.1 206 Part\r\nContent-Range: bytes {first}-{last}/{total}\r\nETag: {etag}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


_N = len(DATA)


@pytest.mark.parametrize(
    "lie",
    [
        _part(0, _N - 1, _N, DATA),
        _part(999, _N - 1, _N, DATA[999:]),
        _part(1001, _N - 1, _N, DATA[1001:]),
        _part(1000, _N - 2, _N, DATA[1000:-1]),
        _part(1000, _N, _N + 1, DATA[1000:] + b"x"),
        _part(1000, _N - 1, "*", DATA[1000:]),
        _part(1000, _N - 1, _N, OTHER[1000:-5]),
        _part(1000, _N - 1, _N, OTHER[1000:], '"v2"'),
        _part(1000, _N - 1, _N, OTHER[1000:], 'W/"v1"'),
        b'HTTP/1.1 206 Part\r\nETag: "v1"\r\nContent-Length: 4\r\n\r\nabcd',
        b"HTTP/1.1 416 Beyond\r\nContent-Range: bytes */5\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["whole", "too early", "too late", "too short", "longer file", "no total", "length differs",
         "other etag", "weak etag", "no range", "416"],
)  # fmt: skip
def test_a_part_that_is_not_ours_is_thrown_away(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path, lie: bytes
) -> None:
    url = origin.on("/f", origin.file(DATA, cut=1000), origin.raw(lie), origin.file(DATA))
    client.download(url, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == DATA
    assert ["range" in headers for headers in origin.asked("/f")] == [False, True, False]


def test_parts_of_two_versions_under_one_etag_are_found_out(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path
) -> None:
    declared: dict[str, Any] = {"Repr_Digest": f"sha-256=:{_digest(DATA)}:"}
    url = origin.on(
        "/f", origin.file(DATA, cut=1000, **declared), origin.file(OTHER), origin.file(DATA, **declared)
    )
    client.download(url, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == DATA
    assert len(origin.asked("/f")) == 3


def test_a_part_that_nobody_asked_for_is_refused(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path
) -> None:
    with pytest.raises(InvalidError, match="206"):
        client.download(origin.on("/f", origin.raw(_part(0, 9, 10, b"0123456789"))), tmp_path / "f")


def test_a_long_file_on_a_bad_line_gets_there(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path
) -> None:
    data = DATA * 4
    url = origin.on("/f", *[origin.file(data, cut=1_400_000) for _ in range(8)], origin.file(data))
    client.download(url, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == data
    assert len(origin.asked("/f")) == 9


def test_a_line_that_never_gets_further_is_given_up(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path
) -> None:
    url = origin.on("/f", origin.file(DATA, etag="", cut=2_000_000))
    with pytest.raises(TransientError, match="it ended after 2000000 of 3000000 bytes"):
        client.download(url, tmp_path / "f")
    assert len(origin.asked("/f")) == 5  # the first attempt got further, so four more follow its failure
    assert _only(tmp_path) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"Repr_Digest": f"sha-256=:{_digest(OTHER)}:"},
        {"Digest": f"sha-256={_digest(OTHER)}"},
        {"Digest": f"md5={_digest(OTHER, 'md5')}"},
        {"Content_MD5": _digest(OTHER, "md5")},
        {"Repr_Digest": f"sha-512=:{_digest(OTHER, 'sha512')}:"},
    ],
)
def test_a_declared_digest_is_compared(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path, fields: dict[str, Any]
) -> None:
    with pytest.raises(InvalidError, match="digest differs"):
        client.download(origin.on("/f", origin.file(DATA, **fields)), tmp_path / "f")
    client.download(origin.on("/f", origin.file(OTHER, **fields)), tmp_path / "f")


def test_what_the_source_expects_is_compared(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path
) -> None:
    url = origin.on("/f", origin.file(DATA))
    with pytest.raises(InvalidError, match="has 3000000 bytes where 5 were expected"):
        client.download(url, tmp_path / "f", size=5)
    with pytest.raises(InvalidError, match="expected sha256 digest differs"):
        client.download(url, tmp_path / "f", sha256=hashlib.sha256(OTHER).hexdigest())
    client.download(url, tmp_path / "f", sha256=hashlib.sha256(DATA).hexdigest().upper())


def test_the_limit_holds_with_and_without_a_declared_length(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path
) -> None:
    endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + DATA
    for script in (origin.file(DATA), origin.raw(endless)):
        with pytest.raises(InvalidError, match="longer than the 2000000 bytes"):
            client.download(origin.on("/f", script), tmp_path / "f", max_bytes=2_000_000)
    assert _only(tmp_path) == []
    client.download(origin.on("/f", origin.raw(endless)), tmp_path / "f", max_bytes=len(DATA), size=len(DATA))


def test_chunks_are_put_together(origin: FaultOrigin, client: PoliteClient, tmp_path: Path) -> None:
    body = b"".join(
        b"%x\r\n%b\r\n" % (len(part), part) for part in (DATA[:10], DATA[10:900_000], DATA[900_000:])
    )
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    url = origin.on("/f", origin.raw(head + body), origin.raw(head + body + b"0\r\n\r\n"))
    client.download(url, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == DATA
    assert len(origin.requests) == 2  # the first lacked its last chunk


def test_a_packed_file_is_unpacked(origin: FaultOrigin, client: PoliteClient, tmp_path: Path) -> None:
    packed = gzip.compress(DATA)
    cut = origin.answer(body=packed, cut=500_000, Content_Encoding="gzip", ETag='"v1"')
    url = origin.on("/f", cut, origin.answer(body=packed, Content_Encoding="gzip", ETag='"v1"'))
    assert client.download(url, tmp_path / "f").size == len(DATA)
    assert (tmp_path / "f").read_bytes() == DATA
    assert "range" not in origin.asked("/f")[1]


@pytest.mark.parametrize("status", [204, 205])
def test_no_content_is_no_file(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path, status: int
) -> None:
    with pytest.raises(InvalidError, match="brought no file"):
        client.download(origin.on("/f", origin.answer(status)), tmp_path / "f")


@pytest.mark.parametrize(("status", "kind"), [(403, BlockedError), (410, GoneError), (304, InvalidError)])
def test_a_status_leaves_the_old_file_alone(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path, status: int, kind: type[Exception]
) -> None:
    (tmp_path / "f").write_bytes(b"old")
    with pytest.raises(kind):
        client.download(origin.on("/f", origin.answer(status)), tmp_path / "f")
    assert _only(tmp_path) == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"


def test_a_busy_server_in_the_middle(
    origin: FaultOrigin, client: PoliteClient, steps: Steps, tmp_path: Path
) -> None:
    url = origin.on(
        "/f", origin.file(DATA, cut=50_000), origin.answer(503, Retry_After="9"), origin.file(DATA)
    )
    client.download(url, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == DATA
    assert origin.asked("/f")[2]["range"] == "bytes=50000-"
    assert 9.0 in steps.naps


def test_a_redirect_is_followed_again_for_each_part(
    origin: FaultOrigin, stranger: FaultOrigin, steps: Steps, tmp_path: Path
) -> None:
    stranger.on("/old", origin.file(DATA, cut=1000))
    stranger.on("/new", origin.file(DATA))
    signed = [origin.answer(302, Location=f"{stranger.base}/{name}?sig=1") for name in ("old", "new")]
    with PoliteClient(hosts_allowed=[origin.base, stranger.base], clock=steps.clock()) as client:
        got = client.download(origin.on("/f", *signed), tmp_path / "f", headers={"Authorization": "t"})
    assert got.url == f"{stranger.base}/new?sig=1"
    assert stranger.asked("/new")[0]["range"] == "bytes=1000-"
    assert "authorization" not in stranger.asked("/new")[0]


def test_a_drip_is_cut_off(origin: FaultOrigin, steps: Steps, tmp_path: Path) -> None:
    over = threading.Event()

    def drip(request: Request) -> bool:
        request.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not over.wait(0.001):
            request.sock.sendall(b"x")
        return False

    steps.tick = 2.0  # every look at the clock costs two seconds
    limits = Limits(attempts=2)
    with (
        PoliteClient(hosts_allowed=[origin.base], clock=steps.clock(), limits=limits) as client,
        pytest.raises(TransientError, match="slower than 1024 bytes a second"),
    ):
        client.download(origin.on("/f", drip), tmp_path / "f")
    over.set()
    assert _only(tmp_path) == []


def test_a_silent_server_is_given_up(origin: FaultOrigin, tmp_path: Path) -> None:
    over = threading.Event()

    def stall(request: Request) -> bool:
        request.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nx")
        over.wait(20)
        return False

    limits = Limits(attempts=1, read_seconds=0.05)
    with (
        PoliteClient(hosts_allowed=[origin.base], limits=limits) as client,
        pytest.raises(TransientError, match="nothing came for"),
    ):
        client.download(origin.on("/f", stall), tmp_path / "f")
    over.set()


def test_the_whole_call_has_a_deadline(origin: FaultOrigin, steps: Steps, tmp_path: Path) -> None:
    steps.tick = 10.0
    limits = Limits(file_seconds=300.0, rate=0.0)
    with PoliteClient(hosts_allowed=[origin.base], clock=steps.clock(), limits=limits) as client:
        endless = [origin.file(DATA * 4, cut=1_100_000 * number) for number in range(1, 11)]
        with pytest.raises(TransientError):
            client.download(origin.on("/f", *endless), tmp_path / "f")
    assert len(origin.asked("/f")) < 10


def test_a_disk_that_fails_is_not_the_networks_fault(
    origin: FaultOrigin, client: PoliteClient, tmp_path: Path
) -> None:
    url = origin.on("/f", origin.file(DATA))
    with pytest.raises(FatalError, match="this machine's disk: No such file or directory"):
        client.download(url, tmp_path / "missing" / "f")
    with pytest.raises(FatalError):
        client.download(url, _directory(tmp_path / "taken"))
    assert _only(tmp_path) == ["taken"]


def _directory(path: Path) -> Path:
    path.mkdir()
    return path


def test_progress_hears_every_byte(origin: FaultOrigin, steps: Steps, tmp_path: Path) -> None:
    heard: list[tuple[int, int | None]] = []

    def progress(done: int, total: int | None = None) -> None:
        heard.append((done, total))

    origin.on("/f", origin.file(DATA, cut=1000), origin.file(DATA))
    with PoliteClient(hosts_allowed=[origin.base], clock=steps.clock(), progress=progress) as client:
        client.download(origin.base + "/f", tmp_path / "f")
        assert sum(done for done, _ in heard) == len(DATA)
        assert {total for _, total in heard} == {len(DATA)}
        client.get(origin.on("/p", origin.answer(body=b"12345")))
    assert heard[-1] == (5, 5)


def test_a_progress_that_raises_ends_the_download(origin: FaultOrigin, tmp_path: Path) -> None:
    def stop(done: int, total: int | None = None) -> None:
        raise KeyboardInterrupt

    with (
        PoliteClient(hosts_allowed=[origin.base], progress=stop) as client,
        pytest.raises(KeyboardInterrupt),
    ):
        client.download(origin.on("/f", origin.file(DATA)), tmp_path / "f")
    assert _only(tmp_path) == []


def test_a_source_may_not_set_the_range(origin: FaultOrigin, client: PoliteClient, tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="'Range'"):
        client.download(origin.base + "/f", tmp_path / "f", headers={"Range": "bytes=5-"})


def test_eight_threads_share_a_client(origin: FaultOrigin, tmp_path: Path) -> None:
    files = {f"/f{number}": random.Random(number).randbytes(300_000 + number) for number in range(40)}
    scripts: dict[str, list[Callable[[Request], bool]]] = {
        path: [origin.file(data, cut=100_000), origin.file(data)] for path, data in files.items()
    }
    for path, script in scripts.items():
        origin.on(path, *script)
    limits = Limits(backoff=0.0)
    with PoliteClient(hosts_allowed=[origin.base], limits=limits) as client, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda path: client.download(origin.base + path, tmp_path / path[1:]), files))
    assert {f"/{path.name}": path.read_bytes() for path in tmp_path.iterdir()} == files
