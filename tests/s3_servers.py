"""Object stores to test against, started on free ports of the loopback and stopped by their ids."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY, SECRET = "devkey", "devsecret"
_SECONDS = 60.0
#: Every bucket takes volumes of its own: one at a time.
_WEED = {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}


@dataclass(frozen=True)
class Server:
    """A store that runs: its address and the keys that it takes."""

    url: str
    key: str = KEY
    secret: str = SECRET

    def client(self) -> Any:
        """Make a plain client, to look at what the sink did and to do what it may not."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
            config=Config(
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def bucket(self) -> str:
        """Make a bucket of its own for one test."""
        name, client = f"test-{uuid.uuid4().hex[:12]}", self.client()
        _until(lambda: client.create_bucket(Bucket=name))
        return name


@contextmanager
def seaweed(folder: Path) -> Iterator[Server]:
    """Run SeaweedFS, which honours every condition and checksum."""
    with _reserved(4) as (master, volume, filer, s3):
        keys = {"accessKey": KEY, "secretKey": SECRET}
        rights = ["Admin", "Read", "Write", "List", "Tagging"]
        (folder / "data").mkdir(parents=True)
        (folder / "s3.json").write_text(
            json.dumps({"identities": [{"name": "dev", "credentials": [keys], "actions": rights}]})
        )
    command = [
        *(weed_binary(), "-logtostderr=true", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *(f"-dir={folder}/data", "-master.telemetry=false", "-master.volumeSizeLimitMB=256"),
        *(f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={s3}"),
        *("-s3", "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={folder}/s3.json"),
        *("-metricsPort=0", "-volume.preStopSeconds=0", "-volume.max=2000"),
    ]
    with _running(command, folder / "weed.log", f"http://127.0.0.1:{s3}/healthz"):
        server = Server(f"http://127.0.0.1:{s3}")
        server.bucket()  # healthy is not ready: the filer may come a second later
        yield server


@contextmanager
def rclone(folder: Path) -> Iterator[Server]:
    """Run rclone's server, which takes every condition and honours none."""
    with _reserved(1) as (port,):
        (folder / "data").mkdir(parents=True)
    command = [
        *(rclone_binary(), "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}"),
        *("--vfs-cache-mode", "writes", "--cache-dir", f"{folder}/cache", "--config", "/dev/null"),
        f"{folder}/data",
    ]
    with _running(command, folder / "rclone.log", f"http://127.0.0.1:{port}/"):
        yield Server(f"http://127.0.0.1:{port}")


@contextmanager
def swift(folder: Path) -> Iterator[Server]:
    """Run OpenStack Swift with its S3 interface: one device, one copy, four servers."""
    names = ("object", "container", "account", "proxy")
    with _reserved(5) as (*ports, nothing):
        numbers = dict(zip(names, ports, strict=True))
    (folder / "node" / "d1").mkdir(parents=True)
    (folder / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n"
        "[storage-policy:0]\nname = one\ndefault = yes\n"
    )
    for name in names[:3]:
        _swift_ring(folder, name, numbers[name])
    (folder / "proxy.conf").write_text(
        _SWIFT_PROXY.format(dir=folder, port=numbers["proxy"], key=KEY, secret=SECRET, nothing=nothing)
    )
    url = f"http://127.0.0.1:{numbers['proxy']}"
    with ExitStack() as stack:
        for name in names:
            # Those behind the proxy answer whatever is asked with some error, which is an answer.
            command = [f"{swift_folder()}/swift-{name}-server", str(folder / f"{name}.conf")]
            address = f"http://127.0.0.1:{numbers[name]}/healthcheck"
            stack.enter_context(_running(command, folder / f"{name}.log", address))
        yield Server(url, key=f"{KEY}:{KEY}")


def _swift_ring(folder: Path, name: str, port: int) -> None:
    (folder / f"{name}.conf").write_text(
        f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {port}\nuser = root\nswift_dir = {folder}\n"
        f"devices = {folder}/node\nmount_check = false\ndisable_fallocate = true\nworkers = 1\n"
        f"[pipeline:main]\npipeline = {name}-server\n[app:{name}-server]\nuse = egg:swift#{name}\n"
    )
    builder = [f"{swift_folder()}/swift-ring-builder", str(folder / f"{name}.builder")]
    for words, codes in (
        (("create", "4", "1", "1"), {0}),
        (("add", f"r1z1-127.0.0.1:{port}/d1", "1"), {0}),
        (("rebalance",), {0, 1}),  # 1 is a warning: one device is not many
    ):
        done = subprocess.run([*builder, *words], capture_output=True, check=False)
        assert done.returncode in codes, done.stdout


_SWIFT_PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = root
swift_dir = {dir}
workers = 1
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:tempauth]
use = egg:swift#tempauth
user_{key}_{key} = {secret} .admin
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
check_bucket_owner = false
max_upload_part_num = 10000
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{nothing}
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""


def swift_folder() -> str:
    """Say where Swift's programs are: it is tested against only where `$SWIFT` names their folder."""
    return os.environ.get("SWIFT", "")


def weed_binary() -> str:
    """Find SeaweedFS; empty when it is not installed."""

    return (
        shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        or ""
    )


def rclone_binary() -> str:
    """Say where rclone is: it is tested against only where `$RCLONE` names it."""
    return os.environ.get("RCLONE", "")


@contextmanager
def _reserved(count: int) -> Iterator[Sequence[int]]:
    """Give ports that are free, and 10,000 above which it is free too: SeaweedFS takes both."""
    with ExitStack() as stack:
        ports: list[int] = []
        while len(ports) < count:
            with suppress(OSError):
                with socket.create_server(("127.0.0.1", 0)) as probe:
                    low = probe.getsockname()[1] % 20_000 + 20_000
                held = [
                    stack.enter_context(socket.create_server(("127.0.0.1", n))) for n in (low, low + 10_000)
                ]
                ports.append(held[0].getsockname()[1])
        yield ports


@contextmanager
def _running(command: Sequence[str], log: Path, url: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, start_new_session=True, env={**os.environ, **_WEED}
        )
    try:
        _until(lambda: _answers(process, url, log))
        yield
    finally:
        # At once: a clean stop takes many seconds, and nobody wants the data any more.
        # Swift forks its workers: all of its group, which nobody else is in.
        with suppress(ProcessLookupError):  # it ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    if process.poll() is not None:
        raise SystemExit(f"the store did not start: {log.read_text(errors='replace')[-2000:]}")
    with suppress(urllib.error.HTTPError):  # it wants keys: then it is there
        urllib.request.urlopen(url, timeout=5).close()


def _until(call: Any) -> Any:
    """Call until it does not fail any more."""
    end = time.monotonic() + _SECONDS
    while True:
        try:
            return call()
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
