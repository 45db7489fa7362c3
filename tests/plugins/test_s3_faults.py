from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from archiver.api import Blob, ConflictError, ExistsError, MissingError, SinkError
from archiver.testing.sinks import blob, file_blob, read
from archiver_plugins.s3 import S3Sink, multipart, store
from s3_proxy import Proxy, Reply, error, on, once
from s3_servers import Server

Make = Callable[..., S3Sink]


@pytest.fixture
def proxy(seaweed_store: Server) -> Iterator[Proxy]:
    with Proxy(seaweed_store).running() as made:
        yield made


@pytest.fixture
def sink(proxy: Proxy, seaweed_store: Server, s3_sink: Make) -> S3Sink:
    made = s3_sink(proxy.server, bucket=seaweed_store.bucket(), prefix="tour")
    made.notes()
    proxy.asked.clear()
    return made


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries of botocore wait for seconds; what they do is the same at once."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 5 MiB, the smallest part that stores take, be a part."""
    monkeypatch.setattr(store, "SINGLE", 1 << 20)
    monkeypatch.setattr(multipart, "_PART", 5 << 20)


@pytest.fixture
def large(tmp_path: Path) -> Blob:
    """A file of three parts."""
    return file_blob(tmp_path / "large", bytes(range(256)) * (11 << 12))


class TestLostAnswers:
    """The store has done it, and the answer got lost: the retry meets its own first try."""

    def test_of_a_create(self, sink: S3Sink, proxy: Proxy) -> None:
        proxy.rules.append(once(on("PUT", "lease", Reply(lost=True))))
        made = sink.create("lease", blob(b"run 1"))
        assert proxy.count("PUT", "lease") == 2
        assert made == sink.stat("lease")

    def test_of_a_create_that_somebody_else_has_won(self, sink: S3Sink, proxy: Proxy) -> None:
        sink.create("lease", blob(b"run 2"))
        proxy.rules.append(once(on("PUT", "lease", Reply(lost=True))))
        with pytest.raises(ExistsError):
            sink.create("lease", blob(b"run 1"))
        assert read(sink, "lease") == b"run 2"

    def test_of_a_swap(self, sink: S3Sink, proxy: Proxy) -> None:
        token = sink.create("lease", blob(b"run 1")).token
        proxy.rules.append(once(on("PUT", "lease", Reply(lost=True))))
        made = sink.replace("lease", blob(b"run 1 again"), expected=token)
        assert made == sink.stat("lease")

    @pytest.mark.usefixtures("small_parts")
    def test_of_the_completion_of_parts(self, sink: S3Sink, proxy: Proxy, large: Blob) -> None:
        proxy.rules.append(once(on("POST", "uploadId=", Reply(lost=True))))
        made = sink.create("ocfl/e/v1/content/large.mp4", large)
        assert made == sink.stat("ocfl/e/v1/content/large.mp4")


class TestPassingFaults:
    @pytest.mark.parametrize(
        "reply",
        [
            error(503, "SlowDown"),
            error(500, "InternalError"),
            error(429, "TooManyRequests"),
            error(408, "Slow"),
            Reply(lost=True),
        ],
    )
    def test_are_tried_again(self, sink: S3Sink, proxy: Proxy, reply: Reply) -> None:
        proxy.rules.append(once(on("PUT", "some", reply), 3))
        sink.create("some/file", blob(b"hello"))
        assert read(sink, "some/file") == b"hello"
        assert proxy.count("PUT", "some") == 4

    def test_a_conflict_of_two_requests_is_tried_again(
        self, sink: S3Sink, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "sleep", lambda _: None)
        proxy.rules.append(once(on("PUT", "some", error(409, "ConditionalRequestConflict")), 2))
        sink.create("some/file", blob(b"hello"))
        assert proxy.count("PUT", "some") == 3

    def test_that_do_not_pass_end_the_sink(self, sink: S3Sink, proxy: Proxy) -> None:
        proxy.rules.append(on("PUT", "some", error(503, "SlowDown", "Reduce your request rate.")))
        with pytest.raises(SinkError, match=r"sink cloud .* failed on some/file: SlowDown") as caught:
            sink.create("some/file", blob(b"hello"))
        assert "overloaded" in caught.value.hint
        assert proxy.count("PUT", "some") == 8

    @pytest.mark.usefixtures("small_parts")
    def test_an_error_in_the_body_of_a_200(self, sink: S3Sink, proxy: Proxy, large: Blob) -> None:
        """A completion is answered with 200 before the store knows how it ends."""
        trouble = error(200, "InternalError", "We encountered an internal error. Please try again.")
        proxy.rules.append(once(on("POST", "uploadId=", trouble)))
        sink.create("ocfl/e/v1/content/large.mp4", large)
        with sink.open("ocfl/e/v1/content/large.mp4") as stream:
            assert hashlib.sha256(stream.read()).hexdigest() == large.sha256


class TestReading:
    def test_goes_on_where_the_connection_broke_off(self, sink: S3Sink, proxy: Proxy) -> None:
        data = bytes(range(256)) * 8000
        sink.create("some/file", blob(data))
        proxy.rules.append(once(on("GET", "some/file", Reply(cut=300_000)), 3))
        assert read(sink, "some/file", 5) == data[5:]
        assert [each.headers.get("range") for each in proxy.asked if each.method == "GET"][:1] == ["bytes=5-"]
        assert proxy.count("GET", "some/file") == 4

    def test_never_mixes_two_versions(self, sink: S3Sink, proxy: Proxy) -> None:
        sink.create("some/file", blob(b"a" * 600_000))
        proxy.rules.append(once(on("GET", "some/file", Reply(cut=300_000))))
        with sink.open("some/file") as stream:
            stream.read(1000)
            sink.replace("some/file", blob(b"b" * 600_000))
            with pytest.raises(SinkError, match="PreconditionFailed"):
                stream.read()

    def test_gives_up_when_nothing_comes(self, sink: S3Sink, proxy: Proxy) -> None:
        sink.create("some/file", blob(b"a" * 600_000))
        proxy.rules.append(on("GET", "some/file", Reply(cut=0)))
        with pytest.raises(SinkError, match="some/file"):
            read(sink, "some/file")
        assert proxy.count("GET", "some/file") == 5

    def test_of_a_store_that_does_not_know_ranges(self, sink: S3Sink, proxy: Proxy) -> None:
        sink.create("some/file", blob(b"0123456789"))
        whole = Reply(200, b"0123456789", {"ETag": '"x"', "Last-Modified": "Sun, 16 Sep 2012 08:00:00 GMT"})
        proxy.rules.append(on("GET", "some/file", whole))
        assert read(sink, "some/file", 4) == b"456789"

    def test_from_cold_storage(self, sink: S3Sink, proxy: Proxy) -> None:
        cold = error(403, "InvalidObjectState", "no", "<StorageClass>DEEP_ARCHIVE</StorageClass>")
        proxy.rules.append(on("GET", "some/file", cold))
        with pytest.raises(SinkError, match=r"is archived \(DEEP_ARCHIVE\), not verified") as caught:
            sink.open("some/file")
        assert not isinstance(caught.value, MissingError)
        assert "restore" in caught.value.hint


class TestCheck:
    def test_without_the_bucket(self, proxy: Proxy, s3_sink: Make) -> None:
        with pytest.raises(SinkError, match="NoSuchBucket") as caught:
            s3_sink(proxy.server, bucket="not-there-at-all").check()
        assert "make the bucket" in caught.value.hint

    def test_with_the_wrong_secret(self, proxy: Proxy, s3_sink: Make) -> None:
        with pytest.raises(SinkError) as caught:
            s3_sink(proxy.server, secret_key="wrong-secret-value").check()
        assert "secret key" in caught.value.hint
        assert "wrong-secret-value" not in str(caught.value)

    def test_without_keys(
        self, proxy: Proxy, s3_sink: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        with pytest.raises(SinkError, match="no keys were found"):
            s3_sink(proxy.server, bucket="x", access_key="", secret_key="").check()

    def test_keys_of_the_environment(
        self, proxy: Proxy, s3_sink: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", proxy.server.key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", proxy.server.secret)
        s3_sink(proxy.server, access_key="", secret_key="").check()

    def test_where_nobody_listens(self, s3_sink: Make) -> None:
        with pytest.raises(SinkError, match="could not be reached"):
            s3_sink(Server("http://127.0.0.1:9"), bucket="x").check()

    def test_a_clock_that_is_wrong(self, sink: S3Sink, proxy: Proxy) -> None:
        """The store refuses; how wrong the clock is stands in the answer."""
        then = format_datetime(datetime.now(UTC) + timedelta(minutes=17), usegmt=True)
        skewed = error(403, "RequestTimeTooSkewed", "The difference is too large.")
        proxy.rules.append(on("GET", "list-type", Reply(403, skewed.body, {"Date": then})))
        with pytest.raises(SinkError, match="clock of this machine is 17 minutes behind") as caught:
            sink.check()
        assert "set the clock" in caught.value.hint

    def test_a_clock_that_drifts_is_noted(self, sink: S3Sink, proxy: Proxy) -> None:
        then = format_datetime(datetime.now(UTC) - timedelta(minutes=4), usegmt=True)
        proxy.rules.append(on("GET", "list-type", Reply(headers={"date": then})))
        sink.check()
        assert "4 minutes ahead" in sink.notes()[-1]

    def test_answers_are_shown_without_codes(self, sink: S3Sink, proxy: Proxy) -> None:
        proxy.rules.append(on("GET", "list-type", error(403, "AccessDenied", "a&#x9b;31m\n" + "x" * 9999)))
        with pytest.raises(SinkError) as caught:
            sink.check()
        assert caught.value.message.isprintable()
        assert len(caught.value.message) < 500


class TestWithoutTheRightToDelete:
    """The keys of the nightly run may read, write, list, and abort uploads."""

    @pytest.mark.usefixtures("small_parts")
    def test_everything_works(self, proxy: Proxy, sink: S3Sink, large: Blob) -> None:
        proxy.rules.append(
            lambda asked: (
                error(403, "AccessDenied")
                if (asked.method == "DELETE" and "uploadId=" not in asked.path) or "?delete" in asked.path
                else None
            )
        )
        sink.check()
        sink.prepare()
        token = sink.create("lease", blob(b"1")).token
        sink.replace("lease", blob(b"2"), expected=token)
        sink.create("large", large)
        with pytest.raises(ExistsError):
            sink.create("large", large)
        with pytest.raises(ConflictError):
            sink.replace("lease", blob(b"3"), expected=token)
        assert read(sink, "lease") == b"2"
        deleted = [each.path for each in proxy.asked if each.method == "DELETE"]
        assert all("uploadId=" in path for path in deleted)


class TestStaleUploads:
    def test_are_aborted_after_a_day(
        self, seaweed_store: Server, sink: S3Sink, proxy: Proxy, caplog: pytest.LogCaptureFixture
    ) -> None:
        client, bucket = seaweed_store.client(), sink.options.bucket
        for key in ("tour/ocfl/e/v1/content/big.mp4", "tour/mine/own", "other/ocfl/x"):
            client.create_multipart_upload(Bucket=bucket, Key=key)
        sink.prepare()
        assert len(client.list_multipart_uploads(Bucket=bucket)["Uploads"]) == 3

        later = format_datetime(datetime.now(UTC) + timedelta(hours=25), usegmt=True)
        proxy.rules.append(on("GET", "uploads", Reply(headers={"date": later})))
        with caplog.at_level(logging.INFO):
            sink.prepare()
        left = {each["Key"] for each in client.list_multipart_uploads(Bucket=bucket)["Uploads"]}
        assert left == {"tour/mine/own", "other/ocfl/x"}
        assert "aborted 1 unfinished upload" in caplog.text

    @pytest.mark.parametrize("reply", [error(403, "AccessDenied"), error(501, "NotImplemented")])
    def test_that_cannot_be_listed_do_no_harm(self, sink: S3Sink, proxy: Proxy, reply: Reply) -> None:
        proxy.rules.append(on("GET", "uploads", reply))
        sink.prepare()


class TestListing:
    def test_ten_thousand_keys_take_ten_requests(self, sink: S3Sink, proxy: Proxy) -> None:
        proxy.rules.append(_pages(10))
        keys = [stat.path for stat in sink.list("ocfl/")]
        assert len(set(keys)) == 10_000
        assert [each.method for each in proxy.asked] == ["GET"] * 10
        assert keys[0] == "ocfl/beijing/v1/content/photos/ä b&c+00000.jpg"

    def test_folders_and_scratch_do_not_show(self, sink: S3Sink, seaweed_store: Server) -> None:
        client, bucket = seaweed_store.client(), sink.options.bucket
        client.put_object(Bucket=bucket, Key="tour/ocfl/", Body=b"")
        client.put_object(Bucket=bucket, Key="tour/.probe/clock", Body=b"x")
        client.put_object(Bucket=bucket, Key="tourist/not-ours", Body=b"x")
        assert list(sink.list("")) == []
        assert ".probe/clock" in [stat.path for stat in sink.list(".probe/")]


def _pages(count: int) -> Any:
    def answer(asked: Any) -> Reply | None:
        if "list-type=2" not in asked.path:
            return None
        mark = asked.path.partition("continuation-token=")[2].partition("&")[0]
        page = int(mark or 0)
        rows = "".join(
            "<Contents><Key>tour/ocfl/beijing/v1/content/photos/%C3%A4%20b%26c%2B"
            f"{number:05}.jpg</Key><LastModified>2012-09-16T08:00:00.000Z</LastModified>"
            '<ETag>"0"</ETag><Size>1</Size></Contents>'
            for number in range(page * 1000, page * 1000 + 1000)
        )
        more = page + 1 < count
        token = f"<NextContinuationToken>{page + 1}</NextContinuationToken>" if more else ""
        body = (
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url'
            f"</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
        )
        return Reply(200, body.encode(), {"Content-Type": "application/xml"})

    return answer
