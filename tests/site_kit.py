"""Archives to build sites of: a tour with decks, photos, reports; and one whose every text is hostile."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import img2pdf
from PIL import Image, ImageDraw

from archiver.config import ArchiveSettings
from archiver.model import Event, Kind, Material, Talk
from archiver.pages import Built, build
from line_kit import Item, World

EVIL = '"\'><img src=x onerror="window.pwned=1"></script><script>window.pwned=1</script>{{ 7*7 }}\u202e'


@dataclass
class Rich(Item):
    """A thing upstream with everything that a page shows."""

    authors: tuple[str, ...] = ()
    description: str = ""
    url: str = ""
    licence: str = ""

    @property
    def material(self) -> Material:
        more = {name: getattr(self, name) for name in ("authors", "description", "url", "licence")}
        return replace(super().material, **more)


def jpeg(
    text: str = "", size: tuple[int, int] = (900, 600), colour: tuple[int, int, int] = (70, 110, 160)
) -> bytes:
    """Draw a photo."""
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).text((20, 20), text or "photo", fill=(255, 255, 255))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()


def deck(*pages: str) -> bytes:
    """Make a PDF with a picture on each page."""
    made: bytes = img2pdf.convert([jpeg(text, (640, 360), (240, 240, 235)) for text in pages])
    return made


def html(*paragraphs: str) -> bytes:
    """Make a report."""
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    head = f"<meta charset=utf-8><title>{paragraphs[0]}</title>"
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()


A = Event(
    "beijing", "北京站 Beijing", "2012-09-16", "", "北京", "Shanda",
    (
        Talk("juju", "Juju – Make Your Life Easier", ("侯正鹏",)),
        Talk("chef", "Deploy OpenStack with Chef", ("Junqiang Chen", "Hui Cheng")),
    ),
    facts={"attended": 150, "Lead": "Hui Cheng"},
)  # fmt: skip
B = Event("nanjing", "Nanjing", "", "", "Nanjing", "", (Talk("juju", "Juju - make your life easier"),))


def items() -> list[Item]:
    """Give what the sources of the tour have."""
    photos = [
        Rich(f"photo-{n}", (jpeg(f"photo {n}", (900, 600 + 10 * n), (40 * n, 90, 120)),), event="beijing",
             kind=Kind.PHOTO, title=f"会场 {n}", date=f"2012-09-16T10:0{n}:00")
        for n in range(5)
    ]  # fmt: skip
    return [
        *photos,
        Rich("deck", (deck("one", "two", "three"),), event="beijing", kind=Kind.SLIDES, talk="juju",
             title="Juju", authors=("侯正鹏",),
             description="云计算的部署", url="https://example.org/juju"),
        Rich("again", (deck("one", "two"),), event="nanjing", kind=Kind.SLIDES, talk="juju", title="Juju"),
        Rich("report", (html("北京站报道", "大会在北京举行，一百五十人参加了关于云计算的讨论。"),),
             event="beijing", kind=Kind.REPORT, title="report-zh"),
    ]  # fmt: skip


def tour(folder: Path, language: str = "zh", things: Iterable[Item] | None = None) -> World:
    """Archive the tour."""
    settings = ArchiveSettings("2012 Tour", "COSUG", language, {"enrolled": 1060}, site=False)
    world = World(folder, events=(A, B), settings=settings)
    world.up.put(*(items() if things is None else things))
    world.run()
    return world


def hostile(folder: Path) -> World:
    """Archive a tour whose every text tries to be a piece of a page."""
    talk = Talk("t", f"talk {EVIL}", (f"speaker {EVIL}",))
    event = Event("a", f"event {EVIL}", "", "", EVIL, EVIL, (talk, Talk("u", EVIL)), facts={EVIL: EVIL})
    world = World(
        folder,
        events=(event,),
        settings=ArchiveSettings(f"site {EVIL}", EVIL, "en", {EVIL: EVIL}, site=False),
    )
    evil = partial(Rich, authors=(f"author {EVIL}",), description=f"said {EVIL}", licence=EVIL)
    world.up.put(
        evil("d", (deck("x"),), kind=Kind.SLIDES, talk="t", title=EVIL, url="javascript:window.pwned=1"),
        evil("e", (deck("y"),), kind=Kind.SLIDES, title=f"loose {EVIL}", url='https://x"onclick="1'),
        evil("p", (jpeg("p"),), kind=Kind.PHOTO, title=f"photo {EVIL}"),
        evil(
            "r", (html("&lt;script&gt;window.pwned=1&lt;/script&gt;", "words"),), kind=Kind.REPORT, title=EVIL
        ),
    )
    world.run()
    return world


def built(world: World, **options: object) -> Built:
    """Build the site of a world's first sink."""
    return build(world.head(world.sinks[0]), world.config, **options)  # type: ignore[arg-type]  # passed on
