"""Archive an album of thousands of photos from a Flickr-like service; compare with gallery-dl on the files.

    python benchmarks/flickr.py [--photos N] [--rounds N] [--dir DIRECTORY] [--gallery-dl COMMAND]

The service tells of the photos and nginx serves the files, 200 kB each. The archive's side lists the
album (one call for 500 photos), fetches, hashes and decodes every photo, syncs and commits; gallery-dl is
given the addresses of the same files. Then each runs a second time, when there is nothing new. Needs nginx
and gallery-dl (a program of its own, `pip install gallery-dl` into another environment).
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import children
import world
from children import Cost

from archiver.testing.flickr import Album, FlickrDouble, Photo, User

OWNER = User("10000001@N02", "COSUG", "cosug")
ALBUM = 72157631000000001
_CONFIG = """
archive: {{title: Benchmark, site: false}}
sinks: {{local: {{type: disk, path: ./archive}}}}
sources:
  photos: {{type: flickr, api_key: {key}, base_url: "{api}", file_base_url: "{files}"}}
events:
  - id: tour
    title: A tour
    sources: [{{use: photos, album: "https://www.flickr.com/photos/cosug/albums/{album}"}}]
"""


def photos(count: int) -> list[Photo]:
    """Name the photos; their files lie with nginx."""
    return [
        Photo(id=8_000_000_000 + number, owner=OWNER.nsid, title=f"Photo {number}", width=1024, height=768)
        for number in range(count)
    ]


def write(origin: Path, album: Sequence[Photo]) -> int:
    """Write the originals where their addresses say; give their size in bytes."""
    pictures = [world.picture(1024, 768, 79 + number, number) for number in range(8)]
    total = 0
    for number, photo in enumerate(album):
        path = origin / _address(photo).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        total += path.write_bytes(world.marked(pictures[number % 8], number))
    return total


def _address(photo: Photo) -> str:
    return next(file.path for file in photo.files() if file.suffix == "o")


def clients(
    folder: Path, service: FlickrDouble, files: str, album: Sequence[Photo], peer: str
) -> dict[str, list[str]]:
    """Name the commands."""
    config = folder / "archive.yaml"
    config.write_text(_CONFIG.format(key=service.api_key, api=service.url, files=files, album=ALBUM))
    urls = folder / "urls.txt"
    urls.write_text("".join(f"{files}{_address(photo)}\n" for photo in album))
    own = [str(Path(sys.executable).with_name("archive")), "run", "-c", "archive.yaml"]
    found = {"archive run, proven and committed": own}
    if shutil.which(peer):
        # Without its pauses, and with its memory of what it has.
        options = ["-q", "--no-input", "-o", "sleep-request=0", "--download-archive", "seen.sqlite"]
        found["gallery-dl, direct links"] = [peer, *options, "-d", "files", "-i", str(urls)]
    else:
        print("gallery-dl is not installed and takes no part.")
    return found


def rounds(
    folder: Path, commands: dict[str, list[str]], count: int, size: int
) -> Iterator[tuple[str, Cost, Cost]]:
    """Run every client in turn, twice in the same directory: the second time nothing is new."""
    names = list(commands)
    for turn in range(count):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            target = Path(tempfile.mkdtemp(dir=folder, prefix="target-"))
            shutil.copy(folder / "archive.yaml", target)
            first = children.run(commands[name], target)
            if sum(path.stat().st_size for path in target.rglob("*.jpg")) < size:
                raise SystemExit(f"Not every photo came: {' '.join(commands[name])}")
            yield name, first, children.run(commands[name], target)


def report(costs: Sequence[tuple[str, Cost, Cost]], calls: int) -> None:
    """Print the medians, and ratios to ours."""
    print(
        f"{'client':36} {'first: wall':>11} {'CPU':>6} {'/ ours':>7} "
        f"{'again: wall':>12} {'/ ours':>7} {'MB':>5}"
    )
    names = list(dict.fromkeys(name for name, _, _ in costs))
    medians = {
        name: [children.median([run[which] for run in costs if run[0] == name]) for which in (1, 2)]  # type: ignore[misc]
        for name in names
    }
    ours = medians[names[0]] if names[0].startswith("archive") else medians[names[-1]]
    for name, (first, again) in medians.items():
        ratios = first.wall / ours[0].wall, again.wall / ours[1].wall
        print(
            f"{name:36} {first.wall:11.2f} {first.cpu:6.2f} {ratios[0]:7.2f} {again.wall:12.2f} "
            f"{ratios[1]:7.2f} {first.memory:5.0f}"
        )
    print(f"{calls} calls of the API in all runs together.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--dir", type=Path, help="where to put them; a temporary directory by default")
    parser.add_argument("--gallery-dl", default="gallery-dl", help="how it is called")
    args = parser.parse_args()
    album = photos(args.photos)
    with tempfile.TemporaryDirectory(dir=args.dir, prefix="bench-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # nginx's worker is another user
        size = write(folder / world.ORIGIN, album)
        print(f"{len(album)} photos, {size / 1e6:,.0f} MB, {args.rounds} rounds")
        with world.nginx(folder) as files, FlickrDouble(album, users=[OWNER], files_url=files) as service:
            service.add_album(Album(ALBUM, OWNER.nsid, [photo.id for photo in album], "Album"))
            commands = clients(folder, service, files, album, args.gallery_dl)
            costs = list(rounds(folder, commands, args.rounds, size))
            report(costs, len(service.calls()))


if __name__ == "__main__":
    main()
