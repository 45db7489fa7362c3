"""Compare `archive verify` of a local archive with `sha256sum` over the same files, on as many cores.

    python benchmarks/verify.py [--full] [--rounds N] [--scale S] [--dir DIRECTORY]

The archive is made from the files of `world.py` by a run. Then, in turns and with all files in memory:
`find ocfl derived -type f | xargs -P sha256sum`, which compares nothing, and `archive verify`, which
compares every digest, reads all inventories and leaves a report. The second row takes `archive --version`
off, the time that any command needs to start. Compare ratios within one run, never times of two runs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import children
import world
from children import Cost

ARCHIVE = Path(sys.executable).with_name("archive")
CONFIG = """
archive: {title: A tour, site: false}
sinks: {local: {type: disk, path: ./archive}}
sources: {incoming: {type: folder, path: ./incoming}}
events:
  - {id: tour, title: A tour, sources: [{use: incoming}]}
"""
_KINDS = {"jpg": "photos", "pdf": "slides", "mp4": "video"}


def build(made: world.World, folder: Path) -> Path:
    """Archive the files of the world with a run; give the directory of the sink."""
    for name in made.names:
        place = folder / "incoming" / "tour" / _KINDS[name.rpartition(".")[2]]
        place.mkdir(parents=True, exist_ok=True)
        shutil.move(made.folder / world.ORIGIN / name, place / Path(name).name)
    (folder / "archive.yaml").write_text(CONFIG)
    children.run([str(ARCHIVE), "run", "--json"], folder)
    shutil.rmtree(folder / "incoming")
    return folder / "archive"


def sums(cores: int) -> list[str]:
    """Hash everything that is kept with coreutils, on all cores."""
    script = f"find archive/ocfl archive/derived -type f -print0 | xargs -0 -n 16 -P {cores} sha256sum > sums"
    return ["sh", "-c", script]


def rounds(folder: Path, number: int) -> dict[str, list[Cost]]:
    """Measure in turns, after one round that warms the cache."""
    cores = os.cpu_count() or 1
    commands = {
        f"sha256sum, {cores} processes": sums(cores),
        "archive verify": [str(ARCHIVE), "verify", "--json"],
        "archive --version": [str(ARCHIVE), "--version"],
    }
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for turn in range(number + 1):
        for name, command in commands.items():
            cost = children.run(command, folder)
            if turn:
                costs[name].append(cost)
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="the whole world: 2,108 files, 1.8 GB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--dir", type=Path, help="where to put the files")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.dir, prefix="verify-") as name:
        folder = Path(name)
        made = world.make(folder / "world", 1.0 if asked.full else asked.scale)
        archive = build(made, folder)
        size = sum(file.stat().st_size for file in archive.rglob("*") if file.is_file())
        costs = {name: children.median(each) for name, each in rounds(folder, asked.rounds).items()}
        peer, ours, start = costs.values()
        print(f"{len(made.names)} files, {size / 1e6:.0f} MB")
        for command, cost in costs.items():
            print(f"{command:24} {cost.wall:6.2f} s  CPU {cost.cpu:6.2f} s  {cost.memory:4.0f} MB")
        wall, cpu = peer.wall / ours.wall, peer.cpu / ours.cpu
        print(f"sha256sum takes {wall:.2f} of our wall time, {cpu:.2f} of our CPU")
        print(f"without the start: {peer.wall / (ours.wall - start.wall):.2f} of our wall time")


if __name__ == "__main__":
    main()
