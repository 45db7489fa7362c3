"""Five nights of a job that starts on a new machine each time, with a bucket as its only memory.

What is run is the shell in the files that people copy: `docs/how-to/ci/` and `action.yml`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import media_samples as samples
from archiver.testing.speakerdeck import Deck
from e2e_tour import Tour, Upstream, make_tour
from ocfl_checks import assert_valid
from s3_proxy import Asked, Proxy, Reply, Rule
from s3_servers import Server
from workflow_kit import GITLAB, Machine, github, gitlab, load

PREFIX = "tours/2012"
SEED = 20261122
#: The steps of the action.
INNER = ["install", "run", "status"]


@dataclass
class Job:
    """What the nights have in common: the world outside, and the bucket."""

    upstream: Upstream
    store: Server
    bucket: str
    folder: Path
    nights: int = 0

    def machine(self, store: Server | None = None) -> Machine:
        """Make the next night's machine: archive.yaml and credentials, and nothing else."""
        self.nights += 1
        home = self.folder / f"night{self.nights}"
        repository = home / "repository"
        config = self.upstream.write_config(repository / "archive.yaml")
        data = yaml.safe_load(config.read_text(encoding="utf-8"))
        cloud = {"type": "s3", "bucket": self.bucket, "prefix": PREFIX, "addressing": "path"}
        data["sinks"] = {"cloud": {**cloud, "endpoint_url": "${S3_ENDPOINT:-}"}}
        config.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
        given = {
            "ARCHIVE_S3_ENDPOINT": (store or self.store).url,
            "ARCHIVE_S3_KEY": self.store.key,
            "ARCHIVE_S3_SECRET": self.store.secret,
            # As GitLab's file calls them.
            "S3_ENDPOINT": (store or self.store).url,
            "AWS_ACCESS_KEY_ID": self.store.key,
            "AWS_SECRET_ACCESS_KEY": self.store.secret,
        }
        return Machine(home / "machine", repository, given, self.upstream.environment)

    def keys(self) -> set[str]:
        pages = self.store.client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return {
            found["Key"].removeprefix(f"{PREFIX}/") for page in pages for found in page.get("Contents", ())
        }

    def page(self, path: str) -> str:
        answer = self.store.client().get_object(Bucket=self.bucket, Key=f"{PREFIX}/{path}")
        text: str = answer["Body"].read().decode()
        return text

    def site(self) -> str:
        # Sorted: the order of a set changes when it grows by a report.
        return "".join(self.page(key) for key in sorted(self.keys()) if re.fullmatch(r"site/.*\.html", key))

    def copy(self, name: str) -> Path:
        client = self.store.client()
        for key in self.keys():
            target = self.folder / name / key
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(self.bucket, f"{PREFIX}/{key}", str(target))
        return self.folder / name

    def fetched(self) -> int:
        logs = (self.upstream.slideshare.requests, self.upstream.speakerdeck.requests)
        return sum(1 for log in logs for request in log if request.path.endswith((".jpg", ".pdf")))


def deck(user: str, title: str) -> Deck:
    colours = (10, 200, 90), (90, 10, len(title) % 256)
    return Deck(user, title, [samples.jpeg(160, 90, colour) for colour in colours], published="2013-05-01")


def late_talk(tour: Tour) -> tuple[str, str]:
    """Find a talk whose deck nobody has put up, in an event whose Speaker Deck user has one already."""
    there = {upload.talk for upload in tour.uploads}
    users = {upload.event for upload in tour.uploads if upload.host == "speakerdeck"}
    found = [(event["id"], talk) for event in tour.events for talk in event["talks"]]
    return next((user, talk["title"]) for user, talk in found if user in users and talk["id"] not in there)


def share(tour: Tour, more: int = 0) -> float:
    """Work out the coverage from what exists: slides per talk; report, photo and video per event."""
    expected = sum(len(event["talks"]) + 3 for event in tour.events)
    return (len({(each.event, each.kind, each.talk) for each in tour.uploads}) + more) / expected


def finished(machine: Machine) -> dict[str, Any]:
    (path,) = machine.folder.glob("*/archive-run.jsonl")
    last: dict[str, Any] = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    return last


def total(report: dict[str, Any], what: str) -> int:
    counts = (each for sources in report["counts"].values() for each in sources.values())
    return sum(each.get(what, 0) for each in counts)


@pytest.fixture
def tour() -> Tour:
    return make_tour(SEED, stops=3)


@pytest.fixture
def job(upstream: Upstream, seaweed_store: Server, tmp_path: Path) -> Job:
    return Job(upstream, seaweed_store, seaweed_store.bucket(), tmp_path / "nights")


@pytest.fixture
def proxy(seaweed_store: Server) -> Iterator[Proxy]:
    with Proxy(seaweed_store).running() as made:
        yield made


@pytest.mark.timeout(300)  # twenty calls of the command, and a store that is a real one
def test_five_nights(job: Job, tour: Tour, proxy: Proxy) -> None:
    # The first night: all there is.
    machine = job.machine()
    first = github(machine)
    assert (first["result"], first["exit-code"]) == ("success", "0"), machine.log
    assert machine.ran == ["Get the configuration", "archive", *INNER, "Bring the pages up to date"]
    assert total(finished(machine), "new") == len(tour.uploads)
    assert float(first["coverage"]) == pytest.approx(share(tour), abs=1e-3)
    assert "All done." in machine.summary
    assert "Stop 0" in machine.summary
    decks = [upload.title for upload in tour.uploads if upload.kind == "slides"]
    assert all(title in job.site() for title in decks)

    # The second, by GitLab's file: nothing new, so nothing is fetched and no version made.
    before, held, pages = job.fetched(), job.keys(), job.site()
    machine = job.machine()
    assert gitlab(machine) == 0, machine.log
    assert total(finished(machine), "same") == len(tour.uploads)
    assert job.fetched() == before
    assert {key.split("/")[0] for key in job.keys() - held} == {"runs"}
    assert job.site() == pages
    told = re.search(load(GITLAB)["archive"]["coverage"].strip("/"), machine.log, re.MULTILINE)
    assert told is not None
    assert float(told[1]) == pytest.approx(share(tour) * 100, abs=0.06)

    # The third: somebody puts a deck up.
    user, title = late_talk(tour)
    job.upstream.speakerdeck.add(deck(user, title))
    machine = job.machine()
    third = github(machine)
    assert (third["result"], total(finished(machine), "new")) == ("success", 1), machine.log
    assert float(third["coverage"]) == pytest.approx(share(tour, 1), abs=1e-3)
    assert float(third["coverage"]) > float(first["coverage"])
    assert job.site() != pages

    # The fourth: a source is down for hours. The job fails, and nothing counts as gone.
    held = job.keys()
    job.upstream.speakerdeck.fault("*", "503", times=None, retry_after=3600)
    machine = job.machine()
    fourth = github(machine)
    assert (fourth["result"], fourth["exit-code"]) == ("failure", "1"), machine.log
    assert fourth["coverage"] == third["coverage"]
    assert "some items or sources failed" in machine.summary
    assert total(finished(machine), "withdrawn") == 0
    assert "Bring the pages up to date" in machine.ran
    assert title in job.site()
    assert not {key for key in job.keys() - held if key.startswith("ocfl/")}
    job.upstream.speakerdeck.faults.clear()

    # The fifth: the machine is lost half way, with one event committed and one not.
    users = sorted({upload.event for upload in tour.uploads if upload.host == "speakerdeck"})
    job.upstream.speakerdeck.add(*(deck(each, f"Afterthoughts from {each}") for each in users))
    lost = job.machine(proxy.server)
    proxy.rules.append(power_cut(lost, users))
    github(lost)
    assert lost.killed
    before = job.fetched()
    machine = job.machine()
    sixth = github(machine)
    assert (sixth["result"], sixth["exit-code"]) == ("success", "0"), machine.log
    assert total(finished(machine), "resumed") == len(users) - 1
    assert job.fetched() == before
    assert all(f"Afterthoughts from {each}" in job.site() for each in users)
    assert sixth["coverage"] == third["coverage"]
    assert_valid(job.copy("copy"))


def power_cut(machine: Machine, users: list[str]) -> Rule:
    """Lose the machine in the moment in which it wants to commit the second of these events."""
    commits: set[str] = set()

    def rule(asked: Asked) -> Reply | None:
        found = re.search(r"/ocfl/([^/]+)/v\d+/inventory\.json(\?|$)", asked.path)
        if asked.method == "PUT" and found and found[1] in users:
            commits.add(found[1])
            if len(commits) == 2:
                machine.kill()
                return Reply(500)
        return None

    return rule
