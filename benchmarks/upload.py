"""Compare how files get into an object store: our sink, s5cmd and rclone, into a fresh SeaweedFS each.

    python benchmarks/upload.py [--full] [--rounds N] [--scale S] [--dir DIRECTORY]

Every client is a process of its own, from start to end. Ours is given the digests, which a run knows
from the download, lets the store compare each, and never overwrites. The others are s5cmd and rclone
where installed (`S5CMD` and `RCLONE` may name them). The server shares the cores with the clients, so the
client's CPU tells more than the wall time. A second table is of a run that finds nothing new: listing
all keys. Compare ratios within one run, never times of two runs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import children
import world
from children import Cost

HERE = Path(__file__).resolve()
UPLOADED = HERE.with_name("uploaded.py")
sys.path.append(str(HERE.parents[1] / "tests"))

from s3_servers import Server, seaweed  # noqa: E402  # the tests know how to start it

OURS, SUMS = "archive, proven by the store", "sums.json"
WORKERS = 10


def sums(made: world.World) -> None:
    """Note the digests, as a run knows them when it begins to upload."""
    found = {}
    for name in made.names:
        with (made.folder / world.ORIGIN / name).open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    (made.folder / SUMS).write_text(json.dumps(found))


def clients(made: world.World, server: Server, bucket: str) -> dict[str, tuple[list[str], list[str]]]:
    """Name the commands of every client that is installed: for the upload, and for nothing new."""
    origin = made.folder / world.ORIGIN
    keys = ["env", f"AWS_ACCESS_KEY_ID={server.key}", f"AWS_SECRET_ACCESS_KEY={server.secret}"]
    keys += ["AWS_REGION=us-east-1"]
    ours = [*keys, sys.executable, str(UPLOADED), server.url, bucket, str(made.folder / SUMS), str(origin)]
    found = {OURS: (ours, [*ours, "again"])}
    if tool := os.environ.get("S5CMD") or shutil.which("s5cmd"):
        sync = [
            *(*keys, tool, "--endpoint-url", server.url, "--numworkers", str(WORKERS)),
            *("sync", f"{origin}/", f"s3://{bucket}/"),
        ]
        found["s5cmd sync"] = (sync, sync)
    if tool := os.environ.get("RCLONE") or shutil.which("rclone"):
        remote = f":s3,provider=Other,env_auth=true,endpoint='{server.url}':{bucket}"
        copy = [
            *(*keys, tool, "--config", "/dev/null", "copy", "--transfers", str(WORKERS)),
            *("--s3-no-check-bucket", str(origin), remote),
        ]
        found["rclone copy"] = (copy, copy)
    return found


def once(made: world.World, name: str, folder: Path) -> tuple[Cost, Cost]:
    """Run one client against a fresh server, see that every byte came, and run it once more."""
    target = Path(tempfile.mkdtemp(dir=folder, prefix="target-"))
    os.sync()
    with seaweed(target / "server") as server:
        bucket = server.bucket()
        upload, again = clients(made, server, bucket)[name]
        first = children.run(upload, target)
        pages = server.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        held = {each["Key"]: each["Size"] for page in pages for each in page.get("Contents", ())}
        size = sum(count for key, count in held.items() if not key.startswith(".probe/"))
        if size != made.size:
            raise SystemExit(f"{name} brought {size} of {made.size} bytes.")
        second = children.run(again, target)
    for path in (target / "server").rglob("*"):
        if path.is_file():
            os.truncate(path, 0)  # emptied, not deleted: ext4 would make the next client pay
    return first, second


def compare(folder: Path, scale: float, rounds: int) -> None:
    made = world.make(folder, scale)
    sums(made)
    made.warm()
    print(f"{len(made.names)} files, {made.size / 1e6:,.0f} MB, {rounds} rounds")
    names = list(clients(made, Server("http://127.0.0.1:1"), "none"))
    costs: dict[str, list[tuple[Cost, Cost]]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            costs[name].append(once(made, name, folder))
    children.report("upload", {name: [pair[0] for pair in pairs] for name, pairs in costs.items()}, OURS)
    children.report("nothing new", {name: [pair[1] for pair in pairs] for name, pairs in costs.items()}, OURS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--full", action="store_true", help="all 2,108 files, 1.8 GB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, help="what share of the files")
    parser.add_argument("--dir", type=Path, help="where to put them; a temporary directory by default")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.dir, prefix="bench-") as made:
        compare(Path(made), args.scale or (1.0 if args.full else 0.1), args.rounds)


if __name__ == "__main__":
    main()
