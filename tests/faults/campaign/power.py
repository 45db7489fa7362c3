"""Point 2: the power is cut. A disk image is copied in the middle of a run, and the copy is mounted.

What a program has written and not synced is in memory; the image, read past that memory, holds only what a
disk would hold. Killing a process cannot show this, as the system keeps what it has written.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from faults.campaign import checks
from faults.campaign.figures import Figures
from faults.campaign.ground import Ground
from faults.campaign.starter import How, Runner

#: Nothing is written but what is asked for: no commit of the journal by the clock, no flush on a rename.
_HARSH = "noauto_da_alloc,data=writeback,commit=300"
_SIZE = 48 << 20
#: How many of the images of one run are looked at.
_FROM_ONE = 5


def _system(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout.strip()


def is_possible(folder: Path) -> str:
    """Say why no image can be mounted here; nothing when one can."""
    if os.geteuid() != 0:
        return "only root may mount an image"
    missing = [name for name in ("mkfs.ext4", "mount", "losetup") if shutil.which(name, path=_PATH) is None]
    if missing:
        return f"{', '.join(missing)} not found"
    try:
        with Image.made(folder / "possible").mounted():
            return ""
    except SystemExit as error:
        return str(error)


_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


@dataclass
class Image:
    """A disk in a file; `at` is where it is mounted, `device` the loop device while it is."""

    file: Path
    device: str = ""

    @classmethod
    def made(cls, file: Path) -> Image:
        """Make an empty one."""
        with file.open("wb") as stream:
            stream.truncate(_SIZE)
        _system(shutil.which("mkfs.ext4", path=_PATH) or "mkfs.ext4", "-F", "-q", str(file))
        return cls(file)

    @property
    def at(self) -> Path:
        """Where it is mounted."""
        return self.file.with_suffix(".mounted")

    @contextmanager
    def mounted(self, options: str = "defaults") -> Iterator[Path]:
        """Mount it; whatever happens, it is unmounted again."""
        self.at.mkdir(exist_ok=True)
        losetup = shutil.which("losetup", path=_PATH) or "losetup"
        self.device = _system(losetup, "--find", "--show", str(self.file))
        try:
            _system("mount", "-o", options, self.device, str(self.at))
            try:
                yield self.at
            finally:
                _system("umount", "-l", str(self.at))
        finally:
            _system(losetup, "--detach", self.device)

    def written(self) -> str:
        """Say how much was written to the device, and what is on its way."""
        return Path(f"/sys/block/{Path(self.device).name}/stat").read_text().split(maxsplit=4)[-1]

    def copy(self, to: Path) -> Image | None:
        """Copy the image; None when something was written to it meanwhile."""
        before = self.written()
        with self.file.open("rb") as source, to.open("wb") as target:
            _copy_data(source.fileno(), target.fileno())
        return Image(to) if self.written() == before else None


def _copy_data(source: int, target: int) -> None:
    """Copy what is no hole: most of a disk is empty, and a moment has to be short."""
    end, at = os.fstat(source).st_size, 0
    os.ftruncate(target, end)
    while at < end:
        try:
            start = os.lseek(source, at, os.SEEK_DATA)
        except OSError:  # nothing but a hole is left
            return
        at = os.lseek(source, start, os.SEEK_HOLE)
        data = os.pread(source, at - start, start)
        os.pwrite(target, data, start)


@dataclass
class Cut:
    """One moment of a run: the image as it was then, and what the run had told until then."""

    image: Image
    runner: Runner


def cut_power(ground: Ground, figures: Figures, wanted: int, seed: int, *, unsynced: bool = False) -> None:
    """Copy images in the middle of runs until there are so many, mount each and look at it.

    `unsynced` runs do not sync at all: then damage has to be found, or the campaign would see none.
    """
    chance, rounds = random.Random(seed), 0
    while figures.counts["power cuts"] < wanted:
        rounds += 1
        place = ground.folder / f"power-{rounds}"
        place.mkdir()
        image = Image.made(place / "disk")
        with image.mounted(_HARSH) as disk:
            begun = rounds % 2 == 0
            folder = ground.trial("run", begun=begun, where=disk)
            os.sync()
            cuts = _cuts(ground, image, folder, chance, unsynced=unsynced)
            figures.counts["moments given up, as the disk was being written"] += cuts.torn
        # A few of each run, and its end, where everything has been promised: every look takes a second.
        few = min(_FROM_ONE, wanted - figures.counts["power cuts"], len(cuts.made))
        last = len(cuts.made) - 1
        for number in [*sorted(chance.sample(range(last), few - 1)), last]:
            cut = cuts.made[number]
            figures.counts["power cuts"] += 1
            figures.check(f"cut {rounds}.{number}", _look_at(ground, cut, figures))
        shutil.rmtree(place)


@dataclass
class _Cuts:
    made: list[Cut]
    torn: int = 0


def _cuts(ground: Ground, image: Image, folder: Path, chance: random.Random, *, unsynced: bool) -> _Cuts:
    # What it says goes elsewhere: it would not be there after the cut.
    log = image.file.parent / "log"
    log.mkdir()
    runner = ground.start(folder, How(unsynced=unsynced), log=log)
    cuts = _Cuts([])
    while runner.wait(until=_once(chance.uniform(0.005, 0.04))) is None and not runner.ended():
        runner.send(signal.SIGSTOP)
        copy = image.copy(image.file.parent / f"cut-{len(cuts.made)}")
        if copy is None:
            cuts.torn += 1
        else:
            cuts.made.append(Cut(copy, _so_far(runner, image.file.parent / f"told-{len(cuts.made)}")))
        runner.send(signal.SIGCONT)
    last = image.copy(image.file.parent / "cut-last")
    if last is not None:
        cuts.made.append(Cut(last, _so_far(runner, image.file.parent / "told-last")))
    return cuts


class _once:  # noqa: N801  # reads as a word: wait until once(…)
    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def __call__(self) -> bool:
        return time.monotonic() >= self._end


def _so_far(runner: Runner, folder: Path) -> Runner:
    """Keep what a run has told until now."""
    folder.mkdir()
    shutil.copyfile(runner.folder / "stdout", folder / "stdout")
    return Runner(runner.starter, 0, folder, status=0)


def _look_at(ground: Ground, cut: Cut, figures: Figures) -> list[str]:
    with cut.image.mounted() as disk:
        folder = disk / "run"
        left = checks.look(folder / "archive")
        figures.counts["versions that a cut left"] += sum(left.versions.values())
        figures.counts["files that these versions name"] += len(left.committed)
        if not (folder / "archive.yaml").exists():
            return [*left.wrong, "the configuration was not on the disk"]
        return ground.aftermath(folder, cut.runner, items=False)
