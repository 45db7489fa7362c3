"""Point 5: two runners at once, and runners that go on writing after their lease has lapsed."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from faults.campaign import checks
from faults.campaign.figures import Figures
from faults.campaign.ground import Ground
from faults.campaign.kills import bucket_sinks, download
from faults.campaign.starter import How, Runner
from s3_servers import Server

#: Seconds for which the lease of a runner here is good; one that is stopped for longer loses it.
_TTL = 0.6


@dataclass(frozen=True)
class Arena:
    """Where two machines meet: `archive` gives what their sink holds as a directory."""

    ground: Ground
    folder: Path
    archive: Callable[[], Path]

    def machine(self, name: str) -> Path:
        """Make the folder of one more machine."""
        return self.ground.trial(name, where=self.folder)


def on_disk(ground: Ground, name: str) -> Arena:
    """Let them meet at a directory."""
    folder = ground.folder / name
    sinks = {"local": {"type": "disk", "path": str(folder / "archive")}}
    folder.mkdir()
    return Arena(replace(ground, sinks=sinks), folder, lambda: folder / "archive")


def in_bucket(ground: Ground, store: Server, name: str) -> Arena:
    """Let them meet at a bucket."""
    bucket, folder = store.bucket(), ground.folder / name
    folder.mkdir()
    over = replace(ground, sinks=bucket_sinks(store, bucket))
    return Arena(over, folder, lambda: download(store, bucket, folder / "archive"))


def race(arenas: Callable[[str], Arena], store: str, figures: Figures, wanted: int, seed: int) -> None:
    """Let two machines run at once: in turns side by side, and one that is stopped and comes back late."""
    chance = random.Random(seed)
    for number in range(wanted):
        arena = arenas(f"race-{store}-{number}")
        late = number % 2 == 1
        first, second = arena.machine("first"), arena.machine("second")
        (_late if late else _together)(arena, first, second, figures, chance)
        figures.counts[f"{'late writers' if late else 'races'} at {store}"] += 1
        figures.check(f"{store} {number}", _outcome(arena, [first, second]))
        shutil.rmtree(arena.folder)


def _how(name: str) -> How:
    return How(host=name, ttl=_TTL)


def _together(arena: Arena, first: Path, second: Path, figures: Figures, chance: random.Random) -> None:
    one = arena.ground.start(first, _how("one"))
    time.sleep(chance.uniform(0, 0.4))
    two = arena.ground.start(second, _how("two"))
    for runner in (one, two):
        if runner.wait() == 3:
            figures.counts["turned away"] += 1


def _late(arena: Arena, first: Path, second: Path, figures: Figures, chance: random.Random) -> None:
    """Stop one at any moment; when its lease has lapsed another one runs; then the first goes on."""
    one = arena.ground.start(first, _how("one"))
    moment = time.monotonic() + chance.uniform(0.2, 2.0)
    one.wait(until=lambda: time.monotonic() >= moment)
    one.send(signal.SIGSTOP)
    time.sleep(_TTL + 0.2)
    two = arena.ground.start(second, _how("two"))
    # Half of the time the second is at work when the first wakes up.
    moment = time.monotonic() + chance.uniform(0, 1.0)
    overlap = chance.random() < 0.5
    two.wait(until=lambda: overlap and time.monotonic() >= moment)
    if one.ended():
        figures.counts["late writers that had finished in time"] += 1
    one.send(signal.SIGCONT)
    for runner in (one, two):
        runner.wait()
    if one.status == 3:
        figures.counts["late writers that were turned away"] += 1


def _outcome(arena: Arena, machines: list[Path]) -> list[str]:
    """Look at what both have left, let a third machine run, and say all that is wrong."""
    wrong: list[str] = []
    archive = arena.archive()
    before = checks.look(archive)
    wrong += before.wrong
    for folder in machines:
        runner = Runner(arena.ground.starter, 0, folder, status=0)
        wrong += checks.promised(archive, runner.told())
        if "Traceback" in runner.errors or "fault of the program" in runner.errors + runner.output:
            wrong.append(f"{folder.name} failed: {(runner.errors + runner.output)[-600:]}")
    third = arena.ground.start(arena.machine("third"))
    if third.wait() != 0:
        wrong.append(f"the next run ended with {third.status}: {third.errors[-600:]}")
    archive = arena.archive()
    return wrong + arena.ground.compare(archive) + checks.lost(before, checks.look(archive))
