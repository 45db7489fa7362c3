"""Measure the source `links` through real runs of the command, against plain downloaders.

    python benchmarks/links.py [--full] [--rounds N] [--scale S] [--dir DIRECTORY] [--gallery-dl COMMAND]

First the world of `world.py`: `archive run` over a list of its links, compared with wget2 and aria2c, each
followed by sha256sum. Then a second night: small files that all are there already, asked about again by
conditional requests, compared with the second run of gallery-dl over the same list. gallery-dl only looks
whether it has a file of that name; it is a program of its own, and takes part when its command is given
or on the path.

Every client is a process from start to end; the rounds are interleaved, in every order. The short
form takes a tenth of the files. Compare ratios within one run, never times of two runs.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import children
import world
from children import Cost
from download import SUMS

OURS = "archive run"
SMALL, SMALL_BYTES = 20_000, 4_096
CONFIG = """
archive: {{title: Benchmark, site: false}}
sinks: {{local: {{type: disk, path: ./archive}}}}
sources: {{files: {{type: links, base_url: "{base}"}}}}
events:
  - {{id: tour, title: A tour, sources: [{{use: files, file: "{urls}"}}]}}
"""
Prepare = Callable[[Path], None]


def configured(base: str, urls: Path) -> Prepare:
    """Give what puts a configuration into a directory."""
    text = CONFIG.format(base=base, urls=urls)

    def prepare(folder: Path) -> None:
        (folder / "archive.yaml").write_text(text)

    return prepare


def once(command: list[str], target: Path, least: int) -> Cost:
    """Run one client in a directory, and see that every byte is there afterwards."""
    os.sync()  # what others wrote is not this client's to wait for
    cost = children.run(command, target)
    if sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) < least:
        raise SystemExit(f"Not every byte came: {' '.join(command)}")
    return cost


def first_night(folder: Path, scale: float, rounds: int) -> None:
    made = world.make(folder, scale)
    made.warm()
    print(f"\nFirst run: {len(made.names)} files, {made.size / 1e6:,.0f} MB, {rounds} rounds")
    with world.nginx(folder) as base:
        urls = folder / "urls.txt"
        urls.write_text("".join(f"{base}/{name}\n" for name in made.names))
        commands = {OURS: [sys.executable, "-m", "archiver", "run", "-c", "archive.yaml"]}
        for tool, options in (("wget2", "--max-threads=8"), ("aria2c", "-j8")):
            if shutil.which(tool):
                line = f"{tool} -q {options} -i {urls} && {SUMS}"
                commands[f"{tool} {options}, then sha256sum"] = ["/bin/sh", "-ec", line]
            else:
                print(f"{tool} is not installed and takes no part.")
        costs: dict[str, list[Cost]] = {name: [] for name in commands}
        for name in children.turns(list(commands), rounds):
            target = Path(tempfile.mkdtemp(dir=folder, prefix="target-"))
            configured(base, urls)(target)
            costs[name].append(once(commands[name], target, made.size))
            _empty(target)
    children.report("client", costs, OURS)


def second_night(folder: Path, scale: float, rounds: int, gallery: list[str]) -> None:
    count = max(1, round(SMALL * scale))
    names = small_files(folder / world.ORIGIN, count)
    print(f"\nSecond run, nothing new: {count} files of {SMALL_BYTES} bytes, {rounds} rounds")
    with world.nginx(folder) as base:
        urls = folder / "urls.txt"
        urls.write_text("".join(f"{base}/{name}\n" for name in names))
        commands = {OURS: [sys.executable, "-m", "archiver", "run", "-c", "archive.yaml"]}
        if gallery:
            commands["gallery-dl"] = [*gallery, "-q", "-D", ".", "-i", str(urls)]
        else:
            print("gallery-dl is not installed and takes no part.")
        targets = {name: Path(tempfile.mkdtemp(dir=folder, prefix="target-")) for name in commands}
        for name, target in targets.items():
            configured(base, urls)(target)
            cost = once(commands[name], target, count * SMALL_BYTES)
            print(f"{name}: the first run took {cost.wall:.1f} s")
        costs: dict[str, list[Cost]] = {name: [] for name in commands}
        for name in children.turns(list(commands), rounds):
            costs[name].append(once(commands[name], targets[name], count * SMALL_BYTES))
    children.report("client", costs, OURS)


def small_files(origin: Path, count: int) -> list[str]:
    """Write small photos that decode, no two equal: the number stands in a comment (ITU-T T.81, B.2.4.5)."""
    origin.mkdir(parents=True)
    origin.parent.chmod(0o755)  # nginx's worker is another user
    photo = world.picture(64, 48, 60, 1)
    names = [f"photo-{number:05}.jpg" for number in range(count)]
    for number, name in enumerate(names):
        comment = f"photo {number} ".encode().ljust(SMALL_BYTES - len(photo) - 4, b".")
        head = b"\xff\xfe" + struct.pack(">H", len(comment) + 2)
        (origin / name).write_bytes(photo[:2] + head + comment + photo[2:])
    return names


def _empty(target: Path) -> None:
    # Emptied, not deleted: ext4 looks for a new inode past every one deleted in the last minutes,
    # which would cost the next client a millisecond a file.
    for path in target.rglob("*"):
        if path.is_file():
            os.truncate(path, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--full", action="store_true", help="all files: 1.8 GB, then 20,000 small ones")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, help="what share of the files")
    parser.add_argument("--dir", type=Path, help="where to put them; a temporary directory by default")
    parser.add_argument("--gallery-dl", default=shutil.which("gallery-dl") or "", help="its command")
    parser.add_argument("--only", choices=["first", "second"], help="one of the two")
    args = parser.parse_args()
    scale = args.scale or (1.0 if args.full else 0.1)
    if args.only != "second":
        with tempfile.TemporaryDirectory(dir=args.dir, prefix="bench-") as made:
            first_night(Path(made), scale, args.rounds)
    if args.only != "first":
        with tempfile.TemporaryDirectory(dir=args.dir, prefix="bench-") as made:
            second_night(Path(made), scale, args.rounds, shlex.split(args.gallery_dl))


if __name__ == "__main__":
    main()
