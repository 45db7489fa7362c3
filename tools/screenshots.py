"""Draw the pictures of the documentation: pages of the demo in Chromium, and what two commands print.

For the developer's machine only; what it draws is committed. It needs Chromium, a font with Chinese letters
and

    pip install playwright rich pillow

and is run as `python tools/screenshots.py`. It makes the demo in a temporary folder, opens its pages from
there, and writes PNG files of at most 128 colours and SVG files of what the terminal shows.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
from PIL import Image
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TARGET = Path(__file__).parents[1] / "docs" / "images"
ARCHIVE = Path(sys.executable).with_name("archive")
COLOURS = 128
MOST_BYTES = 1_500_000
COLUMNS = 100
#: Rows of what a command prints that are shown, first ones and last ones.
HEAD, TAIL = 24, 6


@dataclass(frozen=True)
class Shot:
    """One picture: its name, the page (with what stands behind "?" or "#"), how it is looked at."""

    name: str
    page: str
    size: tuple[int, int] = (1200, 800)
    scheme: str = "light"
    scroll: str = ""
    """A selector: what is to stand at the top."""


PHONE = (390, 780)
SHOTS = (
    Shot("archive", "index.html"),
    Shot("event", "event/beijing.html"),
    Shot("talk", "talk/beijing/introduction-to-quantum-its-structure-and-practice.html"),
    Shot("coverage", "coverage.html"),
    Shot("photos", "photos.html"),
    Shot("search", "search.html?q=云计算"),
    Shot("phone", "event/beijing.html", PHONE),
    Shot("dark", "index.html", scheme="dark", scroll="#stops"),
)

#: Rich's own frame loads a font from another host; this one takes what the reader's machine has.
FRAME = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono",
  "Noto Sans Mono CJK SC", monospace; font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" \
height="{terminal_height}"/></clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
THEME = TerminalTheme((29, 27, 24), (236, 232, 225), [(29, 27, 24)] * 8, [(168, 162, 153)] * 8)


@click.command(help=__doc__)
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), default=TARGET)
def main(into: Path) -> None:
    """Draw everything; fail when the pictures together are too large for a repository."""
    into.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="screenshots-") as folder:
        ran = said("demo", "--into", "demo", folder=Path(folder))
        status = said("-c", "demo/archive.yaml", "status", folder=Path(folder))
        ran = ran.partition("\nThe archive is in")[0]
        for command, output in (("archive run", ran), ("archive status", status)):
            (into / f"{command.split()[1]}.svg").write_text(terminal(command, output), "utf-8")
        with browser() as tool:
            for shot in SHOTS:
                (into / f"{shot.name}.png").write_bytes(drawn(tool, Path(folder, "demo/archive/site"), shot))
    total = 0
    for path in sorted(into.iterdir()):
        total += path.stat().st_size
        click.echo(f"{path.stat().st_size:8,} {path.name}")
    if total > MOST_BYTES:
        raise click.ClickException(f"The pictures take {total:,} bytes; {MOST_BYTES:,} are allowed.")


def said(*arguments: str, folder: Path) -> str:
    """Run our command and give what a reader at a terminal would see, without its progress bar."""
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "NO_COLOR": "1"}
    done = subprocess.run(  # noqa: S603  # our own program
        [str(ARCHIVE), *arguments], cwd=folder, env=environment, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        raise click.ClickException(done.stdout)
    return done.stdout


def terminal(command: str, output: str) -> str:
    """Draw what a command printed as SVG; of much of it, how it begins and how it ends."""
    rows = output.rstrip().splitlines()
    if len(rows) > HEAD + TAIL + 1:
        rows = [*rows[:HEAD], "…", *rows[-TAIL:]]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "bold"), (command, "bold"), "\n", "\n".join(rows)))
    made = console.export_svg(title="", theme=THEME, code_format=FRAME, unique_id=command.replace(" ", "-"))
    return re.sub(r"[ \t]+\n", "\n", made)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start the Chromium of this machine."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise click.ClickException("chromium is needed here")
    with sync_playwright() as tool:
        # As root, in a container, Chromium's own sandbox cannot start.
        started = tool.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


def drawn(tool: Browser, site: Path, shot: Shot) -> bytes:
    """Open a page and draw what its window shows."""
    path, mark, query = shot.page.partition("?")
    context = tool.new_context(
        viewport={"width": shot.size[0], "height": shot.size[1]},
        color_scheme=shot.scheme,  # type: ignore[arg-type]  # light or dark
        reduced_motion="reduce",
        device_scale_factor=2 if shot.size == PHONE else 1,
    )
    page = context.new_page()
    page.goto((site / path).as_uri() + mark + query)
    if query:
        page.locator("#results li").first.wait_for()
    if shot.scroll:
        page.evaluate("selector => document.querySelector(selector).scrollIntoView()", shot.scroll)
    page.evaluate("document.activeElement.blur()")
    page.evaluate(
        "Promise.all([...document.images].filter(i => i.getBoundingClientRect().top < innerHeight)"
        ".map(i => i.decode().catch(() => null)))"
    )
    data = page.screenshot(animations="disabled")
    context.close()
    return small(data)


def small(png: bytes, colours: int = COLOURS) -> bytes:
    """Write a picture again with few colours."""
    with Image.open(io.BytesIO(png)) as image:
        few = image.convert("RGB").quantize(colours, dither=Image.Dither.FLOYDSTEINBERG)
    buffer = io.BytesIO()
    few.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
