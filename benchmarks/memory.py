"""Archive one large file from a folder and from a web server, and say how much memory that took.

    python benchmarks/memory.py [--full] [--megabytes N] [--dir DIRECTORY]

The file is a recording of 200 MB, with `--full` of 2 GB; the peak may be 150 MB whatever the size.
Needs nginx, and three times the file's size of disk.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import children
import world

ALLOWED = 150
LISTED = Path(__file__).with_name("listed.py")
ARCHIVE = Path(sys.executable).with_name("archive")
CONFIG = """
archive: {title: One large file, site: false}
sinks: {local: {type: disk, path: ./archive}}
sources: {incoming: {type: folder, path: ./incoming}}
events:
  - {id: tour, title: A tour, sources: [{use: incoming}]}
"""


def from_folder(file: Path, folder: Path) -> children.Cost:
    """Run the command over a folder that holds the file."""
    incoming = folder / "incoming" / "tour" / "video"
    incoming.mkdir(parents=True)
    file.rename(incoming / file.name)
    (folder / "archive.yaml").write_text(CONFIG)
    try:
        return children.run([str(ARCHIVE), "run", "--json"], folder)
    finally:
        (incoming / file.name).rename(file)


def from_server(file: Path, folder: Path) -> children.Cost:
    """Run over a web server that holds the file."""
    names = folder / world.NAMES
    names.write_text(json.dumps([file.name]))
    with world.nginx(file.parents[1]) as base:
        return children.run([sys.executable, str(LISTED), base, str(names)], folder)


def measure(folder: Path, size: int) -> float:
    """Print both figures and give the larger one."""
    folder.chmod(0o755)  # nginx's worker is another user
    origin = folder / world.ORIGIN
    origin.mkdir()
    file = world.large(origin / "video-0.mp4", size)
    most = 0.0
    for name, way in (("folder source", from_folder), ("web server", from_server)):
        place = folder / name.split()[0]
        place.mkdir()
        cost = way(file, place)
        stored = sum(path.stat().st_size for path in (place / "archive" / "ocfl").rglob("*.mp4"))
        if stored != file.stat().st_size:
            raise SystemExit(f"{name}: {stored} bytes are stored, not {file.stat().st_size}.")
        figures = f"{cost.memory:5.0f} MB peak, {cost.wall:5.1f} s wall, {cost.cpu:5.1f} s CPU"
        print(f"{size / 1e6:,.0f} MB, {name:14} {figures}")
        shutil.rmtree(place)
        most = max(most, cost.memory)
    return most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--full", action="store_true", help="a file of 2 GB")
    parser.add_argument("--megabytes", type=int)
    parser.add_argument("--dir", type=Path, help="where to work; a temporary directory by default")
    args = parser.parse_args()
    size = (args.megabytes or (2000 if args.full else 200)) * 1_000_000
    with tempfile.TemporaryDirectory(dir=args.dir, prefix="bench-") as made:
        most = measure(Path(made), size)
    print(f"{most:.0f} MB at most; {ALLOWED} are allowed.")
    sys.exit(most > ALLOWED)


if __name__ == "__main__":
    main()
