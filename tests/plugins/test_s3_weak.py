"""Stores that take a condition or a checksum and do not honour it, or refuse it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.api import Blob, ConflictError, ExistsError, SinkError
from archiver.sinks.dry import DryRun
from archiver.testing.sinks import blob, file_blob, race, read
from archiver_plugins.s3 import S3Sink, multipart, store
from archiver_plugins.s3.probe import Powers, Verdict
from s3_proxy import Asked, Proxy, Reply, error
from s3_servers import Server

Make = Callable[..., S3Sink]
CREATE, SWAP, CHECKSUM = "if-none-match", "if-match", "x-amz-checksum"
WORDS = {CREATE: "create only", SWAP: "swap", CHECKSUM: "SHA-256"}


@pytest.fixture
def proxy(seaweed_store: Server) -> Iterator[Proxy]:
    with Proxy(seaweed_store).running() as made:
        yield made


@pytest.fixture
def bucket(seaweed_store: Server) -> str:
    return seaweed_store.bucket()


@pytest.fixture
def sink(proxy: Proxy, bucket: str, s3_sink: Make) -> S3Sink:
    return s3_sink(proxy.server, bucket=bucket, prefix="tour")


def refusing(header: str, code: str) -> Callable[[Asked], Reply | None]:
    """Make a rule for a store that does not implement a header."""

    def rule(asked: Asked) -> Reply | None:
        found = any(name.startswith(header) for name in asked.headers)
        return error(501, code) if found and asked.method in {"PUT", "POST"} else None

    return rule


@pytest.fixture(
    params=[(CREATE, False), (SWAP, True), (CHECKSUM, False), (CHECKSUM, True), ("all", False)],
    ids=lambda param: f"{'refuses' if param[1] else 'ignores'} {param[0]}",
)
def weak(request: pytest.FixtureRequest, proxy: Proxy, sink: S3Sink) -> S3Sink:
    """A sink on a store that lacks one of the three, or all."""
    header, refuses = request.param
    headers = (CREATE, SWAP, CHECKSUM) if header == "all" else (header,)
    if refuses:
        proxy.rules += [refusing(each, "NotImplemented") for each in headers]
    else:
        proxy.ignores = headers
    return sink


def test_what_is_missing_is_said(weak: S3Sink, request: pytest.FixtureRequest) -> None:
    header, refuses = request.node.callspec.params["weak"]
    notes = weak.notes()
    assert len(notes) == (3 if header == "all" else 1)
    assert all(("refuses" if refuses else "takes and ignores") in note for note in notes)
    assert header == "all" or WORDS[header] in notes[0]


def test_create_and_swap_are_safe_all_the_same(weak: S3Sink, proxy: Proxy, s3_sink: Make) -> None:
    other = s3_sink(proxy.server, bucket=weak.options.bucket, prefix="tour")
    made = weak.create("a/file", blob(b"first"))
    assert made == weak.stat("a/file")
    for each in (weak, other):
        with pytest.raises(ExistsError):
            each.create("a/file", blob(b"second"))
    swapped = other.replace("a/file", blob(b"third"), expected=made.token)
    with pytest.raises(ConflictError):
        weak.replace("a/file", blob(b"fourth"), expected=made.token)
    with pytest.raises(ConflictError):
        weak.replace("nothing", blob(b"new"), expected=made.token)
    assert read(weak, "a/file") == b"third"
    weak.replace("a/file", blob(b"fifth"), expected=swapped.token)
    assert read(other, "a/file") == b"fifth"


def test_wrong_bytes_are_never_stored(weak: S3Sink, tmp_path: Path) -> None:
    wrong = replace(blob(b"what came"), sha256=hashlib.sha256(b"what should have come").hexdigest())
    filed = replace(file_blob(tmp_path / "wrong", b"what came"), sha256=wrong.sha256)
    for each in (wrong, filed):
        with pytest.raises(SinkError):
            weak.create("bad", each)
    assert weak.stat("bad") is None


def test_bytes_that_change_on_their_way_are_found(sink: S3Sink, proxy: Proxy) -> None:
    proxy.ignores = (CHECKSUM,)
    sink.notes()
    proxy.spoils = True
    with pytest.raises(SinkError, match=r"not in sink cloud .* as it was sent"):
        sink.create("a/file", blob(b"hello"))


def test_one_of_many_threads_wins(weak: S3Sink) -> None:
    results = race(8, lambda index: weak.create("race", blob(b"by %d" % index)))
    winners = [index for index, found in enumerate(results) if not isinstance(found, SinkError)]
    assert read(weak, "race") in {b"by %d" % index for index in winners}
    assert len(winners) == 1


class TestParts:
    @pytest.fixture(autouse=True)
    def _small_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(store, "SINGLE", 1 << 20)
        monkeypatch.setattr(multipart, "_PART", 5 << 20)

    @pytest.fixture
    def large(self, tmp_path: Path) -> Blob:
        return file_blob(tmp_path / "large", bytes(range(256)) * (11 << 12))

    def test_of_a_weak_store(self, weak: S3Sink, large: Blob) -> None:
        made = weak.create("large", large)
        assert made == weak.stat("large")
        assert hashlib.sha256(read(weak, "large")).hexdigest() == large.sha256
        with pytest.raises(ExistsError):
            weak.create("large", large)
        with pytest.raises(SinkError, match="changed"):
            weak.create("other", replace(large, sha256="0" * 64))
        assert weak.stat("other") is None

    def test_are_looked_into_by_their_own_probe(self, sink: S3Sink, proxy: Proxy, large: Blob) -> None:
        """Stores may check single requests, and not parts."""
        sink.notes()
        proxy.ignores = (CHECKSUM,)
        sink.create("large", large)
        assert proxy.count("GET", "/large") == 1

    def test_of_a_good_store_are_not_read_back(
        self, sink: S3Sink, proxy: Proxy, large: Blob, seaweed_store: Server
    ) -> None:
        sink.create("large", large)
        assert proxy.count("GET", "/large") == 0
        assert proxy.count("PUT", "/large?") == 3
        uploads = seaweed_store.client().list_multipart_uploads(Bucket=sink.options.bucket)
        assert not uploads.get("Uploads")

    def test_what_fails_is_aborted(
        self, sink: S3Sink, proxy: Proxy, large: Blob, seaweed_store: Server
    ) -> None:
        sink.notes()
        proxy.rules.append(lambda asked: error(403, "AccessDenied") if "partNumber=2" in asked.path else None)
        with pytest.raises(SinkError, match="AccessDenied"):
            sink.create("large", large)
        assert sink.stat("large") is None
        assert not seaweed_store.client().list_multipart_uploads(Bucket=sink.options.bucket).get("Uploads")


class TestProbe:
    def test_of_a_good_store(self, sink: S3Sink, proxy: Proxy) -> None:
        assert sink.notes() == ()
        first = len(proxy.asked)
        assert first <= 6
        sink.create("x", blob(b"x"))
        assert len(proxy.asked) == first + 1

    def test_leaves_two_small_objects(self, sink: S3Sink, seaweed_store: Server, s3_sink: Make) -> None:
        sink.notes()
        s3_sink(seaweed_store, bucket=sink.options.bucket, prefix="tour").notes()
        found = seaweed_store.client().list_objects_v2(Bucket=sink.options.bucket)["Contents"]
        assert [each["Key"] for each in found] == ["tour/.probe/checksum", "tour/.probe/conditions"]
        assert list(sink.list("")) == []

    def test_a_dry_run_does_not_probe(self, sink: S3Sink, proxy: Proxy) -> None:
        assert DryRun(sink).notes() == ()
        assert proxy.asked == []

    def test_a_store_that_takes_nothing(self, sink: S3Sink, proxy: Proxy) -> None:
        proxy.rules.append(lambda asked: error(403, "AccessDenied") if asked.method == "PUT" else None)
        with pytest.raises(SinkError, match="AccessDenied") as caught:
            sink.notes()
        assert "s3:PutObject" in caught.value.hint

    def test_says_nothing_when_all_is_well(self) -> None:
        assert Powers().notes == ()
        assert Powers(swap=Verdict.REFUSED).notes
