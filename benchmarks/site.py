"""Build the site of a large archive, build it again after one new deck, and compare with `sigal`.

    python benchmarks/site.py [--full] [--scale S] [--dir DIRECTORY]

The whole tour (`--full`) is 20 stops with 10,000 photos, 500 decks of 4 pages and 100 recordings; a tenth
of it otherwise. `archive run` collects it from a folder without drawing anything, so the first
`archive site` draws every picture and renders every page. Then comes one new deck: `archive site` once more;
and another one, with a run that makes pages itself.

`sigal`, a maker of static galleries, gets the same photos and makes pages of them twice: in the sizes that
it makes by itself (640 x 480, 200 x 150), and in sizes like ours (1600 and 360 wide at most; the archive
makes 800 too). It is compared with an archive of the photos alone, in the same run. Read the ratios.

Needs the package `sigal`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import tree
import world
from tree import Use

ARCHIVE = Path(sys.executable).with_name("archive")
SIGAL = Path(sys.executable).with_name("sigal")
STOPS, PHOTOS, DECKS, RECORDINGS, PAGES = 20, 10_000, 500, 100, 4
#: What is allowed: seconds of a rebuild beside its own derivatives, bytes of an event's page, MB.
REBUILD, EVENT_PAGE, MEMORY = 2.0, 300_000, 400
SIZES = {"its own sizes": ((640, 480), (200, 150)), "sizes like ours": ((1600, 1600), (360, 360))}


def fill(incoming: Path, scale: float, *, everything: bool = True) -> int:
    """Make the files that volunteers would drop; give how many photos there are."""
    photos = [world.picture(1024, 640 + 20 * number, 60, number) for number in range(8)]
    slides = [world.picture(960, 540, 60, 100 + number) for number in range(8)]
    count = round(PHOTOS * scale)
    for number in range(count):
        _write(
            _place(incoming, number, "photos", f"hall-{number:05}.jpg"),
            world.marked(photos[number % 8], number),
        )
    for number in range(round(DECKS * scale) if everything else 0):
        _write(_place(incoming, number, "slides", f"deck-{number:04}.pdf"), world.deck(slides, number, PAGES))
    for number in range(round(RECORDINGS * scale) if everything else 0):
        film = b"".join(world.recording(slides, number, 1))
        _write(_place(incoming, number, "video", f"film-{number:03}.mp4"), film)
    return count


def _place(incoming: Path, number: int, kind: str, name: str) -> Path:
    return incoming / f"stop-{number % STOPS:02}" / kind / name


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def configure(folder: Path) -> None:
    """Write the configuration: every stop takes the folder that bears its name."""
    lines = [
        "archive: {title: A long tour, organizer: COSUG, site: false}",
        "sinks: {local: {type: disk, path: ./archive}}",
        "sources: {incoming: {type: folder, path: ./incoming}}",
        "events:",
    ]
    for number in range(STOPS):
        name = f"stop-{number:02}"
        lines.append(f"  - {{id: {name}, title: Stop {number}, sources: [{{use: incoming, path: {name}}}]}}")
    (folder / "archive.yaml").write_text("\n".join(lines) + "\n")


def archive(folder: Path, *arguments: str) -> Use:
    """Run our command."""
    return tree.run([str(ARCHIVE), *arguments], folder)


def told(name: str, use: Use) -> None:
    """Print what a command used."""
    cores = use.cpu / use.wall
    print(
        f"{name:34} {use.wall:7.2f} s  CPU {use.cpu:7.2f} s ({cores:.2f} cores)"
        f"  {use.alone:4.0f} MB, {use.memory:4.0f} MB with children",
        flush=True,
    )


def _new_deck(folder: Path, number: int) -> None:
    slides = [world.picture(960, 540, 60, 900 + page) for page in range(8)]
    path = _place(folder / "incoming", 0, "slides", f"a-new-deck-{number}.pdf")
    _write(path, world.deck(slides, number, PAGES))


def after_commit(folder: Path, *, pages: bool) -> float:
    """Do a run over one new deck; give the seconds from its last commit to its end.

    The pictures of that deck are drawn before, while the deck is fetched; the catalog and, with `pages`, the
    pages come after.
    """
    text = (folder / "archive.yaml").read_text().replace("site: false", f"site: {str(pages).lower()}")
    (folder / "other.yaml").write_text(text)
    command = [str(ARCHIVE), "run", "--json", "-c", "other.yaml"]
    moments: dict[str, float] = {}
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None
        for line in run.stdout:
            moments[json.loads(line)["type"]] = time.perf_counter()
    return moments["run.finished"] - moments["committed"]


def tour(folder: Path, scale: float) -> list[str]:
    """Measure a first build and a rebuild; give what is over its limit."""
    configure(folder)
    fill(folder / "incoming", scale)
    told("archive run", archive(folder, "run", "--json"))
    first = archive(folder, "site", "--json")
    told("archive site, first", first)
    told("archive site, nothing new", archive(folder, "site", "--json"))
    _new_deck(folder, 9000)
    told("archive run, one new deck", archive(folder, "run", "--json"))
    told("archive site, one new deck", archive(folder, "site", "--json"))
    spent = []
    for number, pages in ((9001, False), (9002, True)):
        _new_deck(folder, number)
        spent.append(after_commit(folder, pages=pages))
        if not pages:
            archive(folder, "site", "--json")
    again = spent[1] - spent[0]
    print(f"{'pages at the end of a run':34} {again:7.2f} s, beside {spent[0]:.2f} s for catalog and report")
    start = archive(folder, "--version")
    told("archive --version", start)
    page = max(path.stat().st_size for path in (folder / "archive/site/event").glob("*.html"))
    print(f"largest page of an event: {page:,} bytes")
    cores = first.cpu / first.wall
    found = {
        f"a rebuild takes {again:.1f} s beside its own derivatives": again > REBUILD,
        f"the page of an event has {page:,} bytes": page > EVENT_PAGE,
        f"a build takes {first.memory:.0f} MB with its children": first.memory > MEMORY,
        f"a build uses {cores:.2f} cores": cores < 1.5 < (os.cpu_count() or 1),
    }
    return [words for words, over in found.items() if over]


def gallery(folder: Path, photos: Path, sizes: Sequence[tuple[int, int]]) -> Use:
    """Have sigal make a gallery of the photos, anew."""
    large, small = sizes
    lines = [
        f"source = {str(photos)!r}", f"destination = {str(folder / 'gallery')!r}", "theme = 'photoswipe'",
        f"img_size = {large}", f"thumb_size = {small}", f"ncpu = {os.cpu_count() or 1}",
    ]  # fmt: skip
    (folder / "sigal.conf.py").write_text("\n".join(lines) + "\n")
    return tree.run([str(SIGAL), "build", "-q", "-c", "sigal.conf.py"], folder)


def against_sigal(folder: Path, scale: float) -> list[str]:
    """Compare the pages of photos; give what is slower than sigal."""
    configure(folder)
    count = fill(folder / "incoming", scale, everything=False)
    archive(folder, "run", "--json")
    ours = archive(folder, "site", "--json")
    told(f"archive site, {count:,} photos", ours)
    slower = []
    for name, sizes in SIZES.items():
        theirs = gallery(folder, folder / "incoming", sizes)
        told(f"sigal, {name}", theirs)
        print(
            f"  sigal takes {theirs.wall / ours.wall:.2f} of our time, {theirs.cpu / ours.cpu:.2f} of our CPU"
        )
        slower += [f"sigal is faster in {name}"] if theirs.wall < ours.wall else []
        shutil.rmtree(folder / "gallery")
    return slower


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="10,000 photos, 500 decks, 100 recordings")
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--dir", type=Path, help="where to work; a temporary directory by default")
    asked = parser.parse_args()
    scale = 1.0 if asked.full else asked.scale
    over: list[str] = []
    for part in (tour, against_sigal):
        with tempfile.TemporaryDirectory(dir=asked.dir, prefix="site-") as made:
            over += part(Path(made), scale)
    for words in over:
        print(f"Over its limit: {words}.")
    sys.exit(bool(over))


if __name__ == "__main__":
    main()
