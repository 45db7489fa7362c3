"""The points of the campaign, each with the number of times that its long form does it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from faults.campaign import bitrot, emptied, errors, kills, names, network, power, races, secrets, tracing
from faults.campaign.figures import Figures
from faults.campaign.ground import Ground, ground
from faults.campaign.starter import Starter
from faults.campaign.upstreams import NETWORKED, UPSTREAMS
from s3_servers import Server, seaweed


@dataclass
class Stage:
    """What points share, made when the first one needs it; all of it lies in `folder`."""

    folder: Path
    seed: int
    only: frozenset[str] = frozenset()
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def ground(self) -> Ground:
        """The small tour."""
        return self._stack.enter_context(ground(self.folder / "ground"))

    @cached_property
    def starter(self) -> Starter:
        """What starts runs that are not on the small tour."""
        return self._stack.enter_context(Starter())

    @cached_property
    def store(self) -> Server:
        """A real object store."""
        return self._stack.enter_context(seaweed(self.folder / "store"))


@dataclass(frozen=True)
class Point:
    """One point: what it does so many times, and why it cannot be done here, if so."""

    about: str
    times: int
    do: Callable[[Stage, Figures, int], None]
    impossible: Callable[[Stage], str] = lambda _: ""


def _power(stage: Stage, figures: Figures, times: int) -> None:
    power.cut_power(stage.ground, figures, times, stage.seed)


def _control(stage: Stage, figures: Figures, times: int) -> None:
    """Show that the campaign would see a missing sync: what is found here is what was to be found."""
    power.cut_power(stage.ground, figures, times, stage.seed, unsynced=True)
    figures.counts["damage found, as it should be"] = len(figures.found)
    if figures.found:
        figures.notes.append("runs that do not sync lose what they had committed, and it is seen")
        figures.found.clear()
    else:
        figures.found.append("nothing was lost without a sync, so that this disk shows nothing")


def _races_on_disk(stage: Stage, figures: Figures, times: int) -> None:
    races.race(lambda name: races.on_disk(stage.ground, name), "disk", figures, times, stage.seed)


def _races_in_bucket(stage: Stage, figures: Figures, times: int) -> None:
    arenas = lambda name: races.in_bucket(stage.ground, stage.store, name)  # noqa: E731  # with two arguments bound
    races.race(arenas, "SeaweedFS", figures, times, stage.seed)


def _network(stage: Stage, figures: Figures, times: int) -> None:
    sources = kills.among(NETWORKED, stage.only)
    network.disturb(sources, stage.folder / "network", stage.starter, figures, times, stage.seed)


POINTS: dict[str, Point] = {
    "calls": Point(
        "kill a run at a system call",
        4000,
        lambda stage, figures, times: kills.at_calls(stage.ground, figures, times, stage.seed, stage.only),
        lambda _: tracing.is_possible(),
    ),
    "moments": Point(
        "kill the process group after a random time",
        2000,
        lambda stage, figures, times: kills.at_moments(stage.ground, figures, times, stage.seed),
    ),
    "requests": Point(
        "kill a run at a request to the object store",
        400,
        lambda stage, figures, times: kills.at_requests(
            stage.ground, stage.store, figures, times, stage.seed
        ),
    ),
    "power": Point(
        "copy the disk in the middle of a run", 100, _power, lambda s: power.is_possible(s.folder)
    ),
    "power-control": Point(
        "the same, where nothing is synced", 10, _control, lambda s: power.is_possible(s.folder)
    ),
    "errors": Point(
        "let a system call fail",
        2000,
        lambda stage, figures, times: errors.at_calls(stage.ground, figures, times, stage.seed, stage.only),
        lambda _: tracing.is_possible(),
    ),
    "small-disks": Point(
        "run on a disk that becomes full",
        100,
        lambda stage, figures, times: errors.on_small_disks(stage.ground, figures, times, stage.seed),
        lambda _: errors.is_possible(),
    ),
    "network": Point("let each kind of fault hit each source, so many times", 5, _network),
    "races": Point("two runners at one directory", 200, _races_on_disk),
    "races-s3": Point("two runners at one bucket", 200, _races_in_bucket),
    "bitrot": Point(
        "flip a bit",
        2000,
        lambda stage, figures, times: bitrot.rot(stage.folder / "bitrot", figures, times, stage.seed),
    ),
    "names": Point(
        "carry odd names through every source",
        1,
        lambda stage, figures, _: names.carry(
            kills.among(UPSTREAMS, stage.only), stage.folder / "names", stage.starter, figures
        ),
    ),
    "emptied": Point(
        "empty each upstream",
        1,
        lambda stage, figures, _: emptied.empty(
            kills.among(UPSTREAMS, stage.only), stage.folder / "emptied", stage.starter, figures
        ),
    ),
    "secrets": Point(
        "put markers into every credential",
        1,
        lambda stage, figures, _: secrets.search(
            kills.among(UPSTREAMS, stage.only), stage.folder / "secrets", stage.store, figures
        ),
    ),
}
