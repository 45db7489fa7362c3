"""Bit rot in a bucket and on a disk: found, repaired from the other one, and the nights go on."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import media_samples
from archiver.cli import execute
from ocfl_checks import assert_valid
from s3_servers import Server
from verify_kit import flip

CONFIG = """
archive: {{title: A tour}}
sinks:
  local: {{type: disk, path: ./local}}
  cloud: {{type: s3, bucket: "{bucket}", prefix: tour, endpoint_url: "{url}", addressing: path,
           access_key: "${{KEY}}", secret_key: "${{SECRET}}"}}
sources: {{incoming: {{type: folder, path: ./incoming}}}}
events:
  - {{id: beijing, title: Beijing Stop, sources: [{{use: incoming}}]}}
"""


@pytest.fixture
def config(tmp_path: Path, seaweed_store: Server, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    bucket = seaweed_store.bucket()
    monkeypatch.setenv("KEY", seaweed_store.key)
    monkeypatch.setenv("SECRET", seaweed_store.secret)
    slides = tmp_path / "incoming/slides"
    slides.mkdir(parents=True)
    for number in range(3):
        (slides / f"Deck {number}.pdf").write_bytes(media_samples.pdf([f"云计算 {number}"]))
    (tmp_path / "archive.yaml").write_text(CONFIG.format(bucket=bucket, url=seaweed_store.url))
    return tmp_path / "archive.yaml", bucket


def test_a_bucket_and_a_disk_repair_each_other(
    config: tuple[Path, str], tmp_path: Path, seaweed_store: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    path, bucket = config
    client, chance = seaweed_store.client(), random.Random(2012)

    def archive(*words: str) -> int:
        capsys.readouterr()
        return execute([*words, "-c", str(path)])

    assert archive("run") == 0
    assert archive("verify") == 0
    keys = [found["Key"] for found in client.list_objects_v2(Bucket=bucket, Prefix="tour/")["Contents"]]
    keys = sorted(key for key in keys if not key.startswith(("tour/.", "tour/runs")))
    decks = [key for key in keys if "/content/slides/" in key]
    wrong = [decks[0], "tour/catalog.sqlite", "tour/ocfl/beijing/inventory.json"]
    before = {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    for key in wrong:
        (tmp_path / "value").write_bytes(before[key])
        flip(tmp_path / "value", chance)
        client.put_object(Bucket=bucket, Key=key, Body=(tmp_path / "value").read_bytes())
    other = tmp_path / "local" / decks[1].removeprefix("tour/")
    right = other.read_bytes()
    flip(other, chance)

    assert archive("verify", "--json") == 4
    told = json.loads(capsys.readouterr().out)
    found = {(each["sink"], each["path"]) for each in told["findings"]}
    cloudy = {("cloud", key.removeprefix("tour/")) for key in wrong}
    assert found == {*cloudy, ("local", decks[1].removeprefix("tour/"))}

    assert archive("verify", "--repair") == 0
    assert {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys} == before
    assert other.read_bytes() == right
    assert archive("verify") == 0
    assert archive("run") == 0
    assert_valid(tmp_path / "local")
