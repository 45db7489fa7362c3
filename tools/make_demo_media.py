"""Make all media of the demo again: page images, documents, photos, recordings, reports.

For the developer's machine only; what it makes is committed. It needs

    apt-get install --no-install-recommends fonts-noto-cjk ffmpeg
    pip install fpdf2

and is run as `python tools/make_demo_media.py`. Dates are fixed and chance is seeded: the same
versions of the tools make the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import click
from demo_media import mails
from demo_media.documents import pdf, pptx
from demo_media.pages import page_images
from demo_media.photos import PHOTOS, jpeg
from demo_media.reports import reports
from demo_media.videos import RECORDINGS, parts

from archiver.demo.content import DemoDeck, decks

TARGET = Path(__file__).parents[1] / "src" / "archiver" / "demo" / "media"


@click.command(help=__doc__)
@click.option("--into", type=click.Path(path_type=Path), default=TARGET, help="Where the media go.")
def main(into: Path) -> None:
    """Make everything and name what is no longer made."""
    total, made = 0, set()
    for name, content in _everything():
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        made.add(path)
        total += len(content)
    for stale in sorted(path for path in into.rglob("*") if path.is_file() and path not in made):
        click.echo(f"No longer made, delete it: {stale}")
    click.echo(f"{len(made)} files, {total / 1e6:.2f} MB in {into}")


def _everything() -> Iterator[tuple[PurePosixPath, bytes]]:
    for deck in decks():
        if deck.host != "mail":  # it is in the mailbox
            yield from _deck(deck)
    inbox = PurePosixPath("incoming")
    for photo in PHOTOS:
        yield PurePosixPath(photo.path), jpeg(photo)
    yield PurePosixPath(mails.FILE), mails.mbox()
    for recording in RECORDINGS:
        yield from ((PurePosixPath(name), part) for name, part in parts(recording))
    for report in reports():
        yield inbox / report.path, report.content


def _deck(deck: DemoDeck) -> Iterator[tuple[PurePosixPath, bytes]]:
    if deck.host == "file":
        write = pdf if deck.address.endswith(".pdf") else pptx
        yield PurePosixPath("incoming") / deck.address, write(deck)
        return
    folder = PurePosixPath("decks") / deck.id
    for number, image in enumerate(page_images(deck), start=1):
        yield folder / f"{number}.webp", image
    if deck.download:
        yield folder / "deck.pdf", pdf(deck)


if __name__ == "__main__":
    main()
