"""Compare the whole way from a web server into the archive with plain downloaders and a sha256 pass.

    python benchmarks/download.py [--full] [--rounds N] [--scale S] [--dir DIRECTORY] [--profile]

Every client is a process of its own, from start to end; the rounds are interleaved and their order
rotates. The archive's side hashes, looks into every file, extracts text, syncs to the disk and commits;
the others write files, which `sha256sum` then reads. Needs nginx, wget2 and aria2c; the short form
takes a tenth of the files. Compare ratios within one run, never times of two runs.
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

SUMS = "find . -type f -not -name '.*' -print0 | xargs -0 sha256sum > .sums"
OURS = "archive, proven and committed"
LISTED = Path(__file__).with_name("listed.py")


def clients(base: str, made: world.World) -> dict[str, list[str]]:
    """Name the command of every client that is installed."""
    urls = made.folder / "urls.txt"
    urls.write_text("".join(f"{base}/{name}\n" for name in made.names))
    found = {OURS: [sys.executable, str(LISTED), base, str(made.folder / world.NAMES)]}
    for tool, options in (("wget2", "--max-threads=8"), ("aria2c", "-j8")):
        if shutil.which(tool):
            found[f"{tool} {options}, then sha256sum"] = [
                "/bin/sh",
                "-ec",
                f"{tool} -q {options} -i {urls} && {SUMS}",
            ]
        else:
            print(f"{tool} is not installed and takes no part.")
    return found


def once(command: list[str], folder: Path, size: int) -> Cost:
    """Run one client into a fresh directory, and see that every byte came."""
    target = Path(tempfile.mkdtemp(dir=folder, prefix="target-"))
    os.sync()  # what others wrote is not this client's to wait for
    cost = children.run(command, target)
    files = [path for path in target.rglob("*") if path.is_file()]
    if sum(path.stat().st_size for path in files) < size:
        raise SystemExit(f"Not every byte came: {' '.join(command)}")
    # Emptied, not deleted: ext4 looks for a new inode past every one deleted in the last minutes,
    # which would cost the next client a millisecond a file.
    for path in files:
        os.truncate(path, 0)
    return cost


def compare(folder: Path, scale: float, rounds: int) -> None:
    made = world.make(folder, scale)
    made.warm()
    print(f"{len(made.names)} files, {made.size / 1e6:,.0f} MB, {rounds} rounds")
    with world.nginx(folder) as base:
        commands = clients(base, made)
        names = list(commands)
        costs: dict[str, list[Cost]] = {name: [] for name in names}
        for name in children.turns(names, rounds):
            costs[name].append(once(commands[name], folder, made.size))
    children.report("client", costs, OURS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--full", action="store_true", help="all 2,108 files, 1.8 GB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, help="what share of the files")
    parser.add_argument("--dir", type=Path, help="where to put them; a temporary directory by default")
    args = parser.parse_args()
    scale = args.scale or (1.0 if args.full else 0.1)
    with tempfile.TemporaryDirectory(dir=args.dir, prefix="bench-") as made:
        compare(Path(made), scale, args.rounds)


if __name__ == "__main__":
    main()
