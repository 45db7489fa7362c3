"""Point 1: a run is killed at a system call, at a request to the object store, or at any moment."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import Any

from faults.campaign import checks, tracing
from faults.campaign.figures import Figures
from faults.campaign.ground import Ground
from faults.campaign.starter import How, Runner
from s3_proxy import Asked, Proxy
from s3_servers import Server


def points(most: dict[str, int], wanted: int, chance: random.Random) -> list[tuple[str, int]]:
    """Choose so many calls evenly over the groups, every one of them when there is time for that."""
    every = [(group, number) for group, times in most.items() for number in range(1, times + 1)]
    if wanted >= len(every):
        return every
    share, chosen = -(-wanted // len(most)), []
    for group, times in most.items():
        chosen += [(group, n) for n in sorted(chance.sample(range(1, times + 1), min(share, times)))]
    return sorted(chance.sample(chosen, min(wanted, len(chosen))))


def among(every: Iterable[str], only: AbstractSet[str]) -> list[str]:
    """Choose those that are named; all where none is."""
    names = list(every)
    return [name for name in names if name in only] or names


def shares(wanted: int, only: AbstractSet[str]) -> dict[str, int]:
    """Share out so many trials among first runs and later ones."""
    chosen = among(("first", "later"), only)
    return {name: (wanted + len(chosen) - number) // len(chosen) for number, name in enumerate(chosen, 1)}


def at_calls(
    ground: Ground, figures: Figures, wanted: int, seed: int, only: AbstractSet[str] = frozenset()
) -> None:
    """Kill runs at system calls: of first runs and of later ones, in turns."""
    chance = random.Random(seed)
    for name, share in shares(wanted, only).items():
        if not share:
            continue
        begun = name == "later"
        counted = tracing.counted(ground, begun=begun)
        most = {group: counted[group] for group in among(counted, only)}
        told = ", ".join(f"{group} {times}" for group, times in most.items())
        figures.notes.append(f"calls of the busiest thread of a {name} run: {told}")
        for group, number in points(most, share, chance):
            trial = f"{name}-{group}-{number}"
            folder = ground.trial(trial, begun=begun)
            runner, status = tracing.injected(ground, folder, group, "signal=KILL", number)
            figures.counts[f"killed at {group}" if status == -signal.SIGKILL else "ended by itself"] += 1
            figures.check(trial, [] if status in {-signal.SIGKILL, 0} else [f"it ended with {status}"])
            figures.check(trial, ground.aftermath(folder, runner))
            shutil.rmtree(folder)


def at_moments(ground: Ground, figures: Figures, wanted: int, seed: int) -> None:
    """Kill the whole process group of runs after a random time."""
    chance = random.Random(seed)
    lasts = {begun: _lasting(ground, begun=begun) for begun in (False, True)}
    for number in range(wanted):
        begun = number % 2 == 1
        folder = ground.trial(f"moment-{number}", begun=begun)
        runner = ground.start(folder)
        moment = chance.uniform(0, 1.1 * lasts[begun])
        runner.wait(until=_after(moment))
        runner.kill()
        killed = runner.status == -signal.SIGKILL
        figures.counts["killed at a random moment" if killed else "ended by itself"] += 1
        figures.check(f"moment {number} at {moment:.3f} s", ground.aftermath(folder, runner))
        shutil.rmtree(folder)


def _lasting(ground: Ground, *, begun: bool) -> float:
    start = time.monotonic()
    ground.start(ground.trial(f"lasting-{begun}", begun=begun)).wait()
    return time.monotonic() - start


class _after:  # noqa: N801  # reads as a word: wait until after(…)
    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def __call__(self) -> bool:
        return time.monotonic() >= self._end


class KillingProxy(Proxy):
    """Kills the group `pid` at the request number `at`: before it reaches the store, or `late`.

    Late is when the store has carried it out, and nobody was told.
    """

    pid = 0
    at = 0
    late = False

    def __init__(self, store: Server) -> None:
        super().__init__(store)
        # Who is killed leaves connections behind, which is no news.
        self._listener.handle_error = lambda *_: None  # type: ignore[method-assign]  # see above

    def _forward(self, asked: Asked, body: bytes) -> tuple[int, dict[str, str], bytes]:
        due = self.pid and len(self.asked) == self.at
        if due and not self.late:
            os.killpg(self.pid, signal.SIGKILL)
            return 503, {}, b""
        answer = super()._forward(asked, body)
        if due:
            os.killpg(self.pid, signal.SIGKILL)
        return answer


def bucket_sinks(server: Server, bucket: str) -> dict[str, Any]:
    """Configure a bucket as the only sink."""
    return {
        "cloud": {
            "type": "s3", "bucket": bucket, "prefix": "tour", "endpoint_url": server.url,
            "addressing": "path", "access_key": "${CAMPAIGN_KEY}", "secret_key": "${CAMPAIGN_SECRET}",
        }
    }  # fmt: skip


def download(server: Server, bucket: str, archive: Path, below: str = "tour/ocfl/") -> Path:
    """Copy what a bucket holds into a directory."""
    shutil.rmtree(archive, ignore_errors=True)
    client = server.client()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below):
        for found in page.get("Contents", ()):
            target = archive / found["Key"].removeprefix("tour/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(client.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    return archive


def at_requests(ground: Ground, store: Server, figures: Figures, wanted: int, seed: int) -> None:
    """Kill runs at requests to an object store, each before or after the store has heard it."""
    chance, proxy = random.Random(seed), KillingProxy(store)
    with proxy.running():
        total = _requests(ground, store, proxy, figures)
        for number in _chosen(total, wanted, chance):
            bucket = store.bucket()
            over = replace(ground, sinks=bucket_sinks(proxy.server, bucket))
            folder = over.trial(f"request-{number}")
            proxy.at, proxy.late = number, chance.random() < 0.5
            _kill(over, proxy, folder, figures)
            figures.check(folder.name, bucket_aftermath(over, store, bucket, folder))
            shutil.rmtree(folder)


def _requests(ground: Ground, store: Server, proxy: Proxy, figures: Figures) -> int:
    over = replace(ground, sinks=bucket_sinks(proxy.server, store.bucket()))
    runner = over.start(over.trial("requests"))
    if runner.wait() != 0:
        raise SystemExit(f"the undisturbed run into a bucket ended with {runner.status}: {runner.errors}")
    figures.notes.append(f"an undisturbed run made {len(proxy.asked)} requests to the object store")
    return len(proxy.asked)


def _chosen(total: int, wanted: int, chance: random.Random) -> Sequence[int]:
    every = range(1, total + 1)
    return every if wanted >= total else sorted(chance.sample(every, wanted))


def _kill(over: Ground, proxy: KillingProxy, folder: Path, figures: Figures) -> None:
    runner = over.start(folder, How(stopped=True))
    proxy.asked.clear()
    proxy.pid = runner.pid
    runner.send(signal.SIGCONT)
    runner.wait()
    proxy.pid = 0
    killed = runner.status == -signal.SIGKILL
    when = "after" if proxy.late else "before"
    figures.counts[f"killed {when} a request was carried out" if killed else "ended by itself"] += 1


def bucket_aftermath(over: Ground, store: Server, bucket: str, folder: Path) -> list[str]:
    """Look at what was left in a bucket, do the next run, and say all that is wrong."""
    before = checks.look(download(store, bucket, folder / "archive"))
    told = Runner(over.starter, 0, folder, status=0).told()
    wrong = before.wrong + checks.promised(folder / "archive", told)
    after = over.start(folder)
    if after.wait() != 0:
        wrong.append(f"the next run ended with {after.status}: {after.errors[-600:]}")
    archive = download(store, bucket, folder / "archive")
    return wrong + over.compare(archive) + checks.lost(before, checks.look(archive))
