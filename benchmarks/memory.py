"""Archive one large file from a folder, from a web server, and into a bucket; say how much memory that took.

    python benchmarks/memory.py [--full] [--megabytes N] [--dir DIRECTORY]

The file is a recording of 200 MB, with `--full` of 2 GB; the peak may be 150 MB whatever the size, and 200 MB
into a bucket of SeaweedFS. Needs nginx, and four times the file's size of disk.
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

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from s3_servers import seaweed  # the tests know how to start it

ALLOWED, ALLOWED_S3 = 150, 200
LISTED = Path(__file__).with_name("listed.py")
ARCHIVE = Path(sys.executable).with_name("archive")
CONFIG = """
archive: {title: One large file, site: false}
sinks:
  store: %s
sources: {incoming: {type: folder, path: ./incoming}}
events:
  - {id: tour, title: A tour, sources: [{use: incoming}]}
"""
DISK = "{type: disk, path: ./archive}"
Measured = tuple[children.Cost, int]


def _of_folder(file: Path, folder: Path, sink: str) -> children.Cost:
    incoming = folder / "incoming" / "tour" / "video"
    incoming.mkdir(parents=True)
    file.rename(incoming / file.name)
    (folder / "archive.yaml").write_text(CONFIG % sink)
    try:
        return children.run([str(ARCHIVE), "run", "--json"], folder)
    finally:
        (incoming / file.name).rename(file)


def _stored(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "archive" / "ocfl").rglob("*.mp4"))


def from_folder(file: Path, folder: Path) -> Measured:
    """Run the command over a folder that holds the file; give its cost and the bytes that were stored."""
    return _of_folder(file, folder, DISK), _stored(folder)


def from_server(file: Path, folder: Path) -> Measured:
    """The same over a web server that holds the file."""
    names = folder / world.NAMES
    names.write_text(json.dumps([file.name]))
    with world.nginx(file.parents[1]) as base:
        cost = children.run([sys.executable, str(LISTED), base, str(names)], folder)
    return cost, _stored(folder)


def into_bucket(file: Path, folder: Path) -> Measured:
    """The same from a folder into a bucket."""
    with seaweed(folder / "server") as server:
        bucket = server.bucket()
        place = f"type: s3, bucket: {bucket}, endpoint_url: '{server.url}', addressing: path"
        cost = _of_folder(file, folder, f"{{{place}, access_key: {server.key}, secret_key: {server.secret}}}")
        pages = server.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        held = {each["Key"]: each["Size"] for page in pages for each in page.get("Contents", ())}
    return cost, sum(size for key, size in held.items() if key.endswith(".mp4"))


def measure(folder: Path, size: int) -> bool:
    """Print the figures; say whether each is within what is allowed."""
    folder.chmod(0o755)  # nginx's worker is another user
    origin = folder / world.ORIGIN
    origin.mkdir()
    file = world.large(origin / "video-0.mp4", size)
    within = True
    ways = (
        ("folder source", from_folder, ALLOWED),
        ("web server", from_server, ALLOWED),
        ("bucket", into_bucket, ALLOWED_S3),
    )
    for name, way, allowed in ways:
        place = folder / name.split()[0]
        place.mkdir()
        cost, stored = way(file, place)
        if stored != file.stat().st_size:
            raise SystemExit(f"{name}: {stored} bytes are stored, not {file.stat().st_size}.")
        figures = f"{cost.memory:5.0f} MB peak, {cost.wall:5.1f} s wall, {cost.cpu:5.1f} s CPU"
        print(f"{size / 1e6:,.0f} MB, {name:14} {figures}; {allowed} MB are allowed")
        shutil.rmtree(place)
        within = within and cost.memory <= allowed
    return within


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--full", action="store_true", help="a file of 2 GB")
    parser.add_argument("--megabytes", type=int)
    parser.add_argument("--dir", type=Path, help="where to work; a temporary directory by default")
    args = parser.parse_args()
    size = (args.megabytes or (2000 if args.full else 200)) * 1_000_000
    with tempfile.TemporaryDirectory(dir=args.dir, prefix="bench-") as made:
        sys.exit(not measure(Path(made), size))


if __name__ == "__main__":
    main()
