"""The nightly run of a throw-away machine: all that it knows lies in the bucket."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from archiver.api import Context
from archiver.lease import Lease
from archiver_plugins.s3 import S3Options, S3Sink
from e2e_tour import Upstream
from ocfl_checks import assert_valid
from s3_proxy import Asked, Proxy, Reply, error
from s3_servers import Server

HERE = Path(__file__).parent
PREFIX = "tours/2012"


def no_deletes(asked: Asked) -> Reply | None:
    """Refuse what keys without the right to delete may not do."""
    multi = asked.method == "POST" and asked.path.endswith("?delete")
    return error(403, "AccessDenied") if asked.method == "DELETE" or multi else None


@pytest.fixture
def proxy(seaweed_store: Server) -> Iterator[Proxy]:
    with Proxy(seaweed_store).running() as made:
        made.rules.append(no_deletes)
        yield made


class Machine:
    """A machine with nothing but a configuration and keys."""

    def __init__(self, upstream: Upstream, folder: Path, store: Server, bucket: str) -> None:
        self.config = upstream.write_config(folder / "archive.yaml")
        data = yaml.safe_load(self.config.read_text())
        data["sinks"] = {
            "cloud": {
                "type": "s3",
                "bucket": bucket,
                "prefix": PREFIX,
                "endpoint_url": "${S3_ENDPOINT}",
                "addressing": "path",
            }
        }
        self.config.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))
        (folder / "home").mkdir()
        paths = os.pathsep.join(str(HERE.parents[1] / name) for name in ("src", "plugins"))
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            **upstream.environment,
            "HOME": str(folder / "home"),
            "PYTHONPATH": paths,
            "S3_ENDPOINT": store.url,
            "AWS_ACCESS_KEY_ID": store.key,
            "AWS_SECRET_ACCESS_KEY": store.secret,
        }

    def archive(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.python("-m", "archiver", words[0], "-c", str(self.config), *words[1:])

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture
def bucket(seaweed_store: Server) -> str:
    return seaweed_store.bucket()


def machine(upstream: Upstream, tmp_path: Path, store: Server, bucket: str, name: str) -> Machine:
    (tmp_path / name).mkdir()
    return Machine(upstream, tmp_path / name, store, bucket)


def fetched(upstream: Upstream) -> int:
    logs = (upstream.slideshare.requests, upstream.speakerdeck.requests)
    return sum(1 for log in logs for request in log if request.path.endswith((".jpg", ".pdf")))


def downloaded(store: Server, bucket: str, folder: Path) -> Path:
    client = store.client()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{PREFIX}/"):
        for found in page.get("Contents", ()):
            target = folder / found["Key"].removeprefix(f"{PREFIX}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, found["Key"], str(target))
    return folder


def finished(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout, done.stderr
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return last


def test_a_night_on_one_machine_and_the_next_on_another(
    upstream: Upstream, tmp_path: Path, proxy: Proxy, seaweed_store: Server, bucket: str
) -> None:
    first = machine(upstream, tmp_path, proxy.server, bucket, "one")
    done = first.archive("run", "--json")
    assert done.returncode == 0, done.stderr
    assert_valid(downloaded(seaweed_store, bucket, tmp_path / "copy"))
    before, objects = fetched(upstream), _keys(seaweed_store, bucket)
    assert before

    second = machine(upstream, tmp_path, proxy.server, bucket, "two")
    proxy.asked.clear()
    done = second.archive("run", "--json")
    assert done.returncode == 0, done.stderr
    assert fetched(upstream) == before
    new = _keys(seaweed_store, bucket) - objects
    assert [key.split("/")[2] for key in new] == ["runs", "runs"]  # the report, and its digest
    assert not [each for each in proxy.asked if each.method == "DELETE"]
    assert proxy.count("PUT") < 12

    found = second.archive("status", "--json")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["coverage"] > 0


def test_a_killed_run_is_gone_on_with(
    upstream: Upstream, tmp_path: Path, proxy: Proxy, seaweed_store: Server, bucket: str
) -> None:
    killed = machine(upstream, tmp_path, proxy.server, bucket, "one").python(
        str(HERE / "interrupted_run.py"), str(tmp_path / "one" / "archive.yaml"), "1"
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    before = fetched(upstream)
    done = machine(upstream, tmp_path, proxy.server, bucket, "two").archive("run", "--json")
    assert done.returncode == 0, done.stderr
    assert fetched(upstream) == before
    told = [json.loads(line) for line in done.stdout.splitlines()]
    outcomes = {item.get("outcome") for item in told if item.get("outcome")}
    assert outcomes == {"resumed"}
    assert_valid(downloaded(seaweed_store, bucket, tmp_path / "copy"))


def test_the_second_of_two_runs_is_turned_away(
    upstream: Upstream, tmp_path: Path, proxy: Proxy, bucket: str
) -> None:
    given = {"bucket": bucket, "prefix": PREFIX, "endpoint_url": proxy.server.url, "addressing": "path"}
    keys = {"access_key": proxy.server.key, "secret_key": proxy.server.secret}
    http: Any = None
    sink = S3Sink(S3Options.model_validate({**given, **keys}), Context("cloud", tmp_path, http))
    lease = Lease(sink, "20120916T080000.000Z-abcdef")
    lease.acquire()
    try:
        done = machine(upstream, tmp_path, proxy.server, bucket, "two").archive("run")
    finally:
        lease.release()
    assert done.returncode == 3
    assert "20120916T080000.000Z-abcdef" in done.stderr
    assert fetched(upstream) == 0


def test_what_a_store_ignores_is_said(upstream: Upstream, tmp_path: Path, proxy: Proxy, bucket: str) -> None:
    proxy.ignores = ("if-none-match", "if-match")
    here = machine(upstream, tmp_path, proxy.server, bucket, "one")
    checked = here.archive("check", "--json")
    assert checked.returncode == 0, checked.stdout
    warnings = [
        each["message"] for each in json.loads(checked.stdout)["findings"] if each["level"] == "warning"
    ]
    assert any("create only" in message for message in warnings)
    assert any("swap" in message for message in warnings)

    done = here.archive("run", "--json")
    assert done.returncode == 0, done.stderr
    limits = finished(done)["sinks"]["cloud"]["limits"]
    assert [word in limit for word, limit in zip(("create only", "swap"), limits, strict=True)] == [True] * 2
    shown = here.archive("run")
    assert shown.returncode == 0
    assert "Sink cloud takes and ignores 'create only'" in shown.stdout + shown.stderr


def _keys(store: Server, bucket: str) -> set[str]:
    pages = store.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{PREFIX}/")
    return {found["Key"] for page in pages for found in page.get("Contents", ())}
