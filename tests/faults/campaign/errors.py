"""Point 3: the system refuses the n-th call, the disk is full, or it has no place for another name."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path

from faults.campaign import tracing
from faults.campaign.figures import Figures
from faults.campaign.ground import Ground
from faults.campaign.kills import among, points, shares
from faults.campaign.starter import Runner

ERRORS = ("EIO", "ENOSPC", "EROFS", "EXDEV")
#: All done; some items failed; a wrong configuration (it could not be read); a sink that cannot be used;
#: damage (what was read back is not what was written).
_EXPECTED = {0, 1, 2, 3, 4}
#: Linux lets go of a file whatever close() answers; a call that strace lets fail is not carried out at
#: all, and the other end of a pipe would wait for ever.
_NOT_FAILING = {"close"}


def at_calls(
    ground: Ground, figures: Figures, wanted: int, seed: int, only: AbstractSet[str] = frozenset()
) -> None:
    """Let system calls of runs fail, one in each run, then look what is left."""
    chance = random.Random(seed)
    for name, share in shares(wanted, only).items():
        if not share:
            continue
        begun = name == "later"
        most = tracing.counted(ground, begun=begun)
        failing = {
            group: most[group] for group in among((each for each in most if each not in _NOT_FAILING), only)
        }
        for group, number in points(failing, share, chance):
            error = chance.choice(ERRORS)
            trial = f"{name}-{group}-{number}-{error}"
            folder = ground.trial(trial, begun=begun)
            runner, status = tracing.injected(ground, folder, group, f"error={error}", number)
            figures.counts[f"{error} of {group}"] += 1
            figures.check(trial, _ending(runner, status))
            figures.check(trial, ground.aftermath(folder, runner))
            shutil.rmtree(folder)


def _ending(runner: Runner, status: int | None) -> Iterator[str]:
    if status is None:
        yield "it hung, and was killed"
    elif status not in _EXPECTED:
        yield f"it ended with {status}: {runner.errors[-600:]}"
    if "Traceback" in runner.errors:
        yield f"it ended in a traceback: {runner.errors[-900:]}"
    if "fault of the program" in runner.output + runner.errors:
        yield f"it took this for its own fault: {(runner.output + runner.errors)[-600:]}"


def is_possible() -> str:
    """Say why no small file system can be mounted here; nothing when one can."""
    done = subprocess.run(
        ["unshare", "--mount", "true"], capture_output=True, text=True, check=False, timeout=30
    )
    return done.stderr.strip() if done.returncode else ""


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """Mount a file system in memory that is as small as `options` say."""
    folder.mkdir(parents=True)
    words = ["mount", "-t", "tmpfs", "-o", options, "campaign", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        raise SystemExit(f"no file system in memory can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=30)


def on_small_disks(ground: Ground, figures: Figures, wanted: int, seed: int) -> None:
    """Run on disks that are full after a while: of bytes, or of names; then make room and run again."""
    chance = random.Random(seed)
    for number in range(wanted):
        names = number % 2 == 1
        room = chance.randrange(20, 160) if names else chance.randrange(16, 400)
        limit = f"nr_inodes={room}" if names else f"size={room}k"
        with small_disk(ground.folder / f"small-{number}", limit) as disk:
            log = ground.folder / f"small-{number}-log"
            log.mkdir()
            try:
                folder = ground.trial("run", begun=number % 4 >= 2, where=disk)
            except (OSError, shutil.Error):
                figures.counts["disks too small to begin on"] += 1
                continue
            runner = ground.start(folder, log=log)
            status = runner.wait()
            figures.counts["disks without a name left" if names else "disks without a byte left"] += 1
            if status == 0:
                figures.counts["disks that were large enough"] += 1
            figures.check(f"{limit}", _ending(runner, status))
            _enlarge(disk)
            figures.check(f"{limit}", ground.aftermath(folder, runner))


def _enlarge(disk: Path) -> None:
    words = ["mount", "-o", "remount,size=64m,nr_inodes=100000", str(disk)]
    subprocess.run(words, check=True, capture_output=True, timeout=30)
