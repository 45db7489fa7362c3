"""Record the videos: a title card with a moving wave and a soft tone, H.264 and AAC, in fragments of MP4."""

from __future__ import annotations

import math
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from demo_media.style import PALETTES, WHITE, Palette, blend, font

WIDTH, HEIGHT, RATE, SECONDS = 640, 360, 15, 6
#: Seconds of one part.
PART = 2


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording: where its parts go, its title card, and the pitch of its tone in hertz."""

    folder: str
    stop: str
    title: str
    date: str
    pitch: int


RECORDINGS = (
    Recording(
        "video/beijing",
        "Beijing",
        "北京站 Beijing Stop",
        "2012-09-16",
        330,
    ),
    Recording(
        "video/shenzhen",
        "Shenzhen",
        "深圳站 Shenzhen Stop",
        "2012-09-22",
        392,
    ),
)


def parts(recording: Recording) -> Iterator[tuple[str, bytes]]:
    """Encode one recording as the parts of a stream, the beginning first; needs the command ffmpeg."""
    with tempfile.TemporaryDirectory(prefix="demo-video-") as folder:
        frames = b"".join(_frames(recording))
        subprocess.run(_command(recording), input=frames, cwd=folder, check=True)  # noqa: S603  # our own words
        for number, part in enumerate(
            ["init.mp4", *sorted(path.name for path in Path(folder).glob("*.m4s"))]
        ):
            yield f"{recording.folder}/{number}.mp4", Path(folder, part).read_bytes()


def _command(recording: Recording) -> list[str]:
    size = f"{WIDTH}x{HEIGHT}"
    tone = f"sine=frequency={recording.pitch}:duration={SECONDS}:sample_rate=44100"
    fade = f"volume=0.15,tremolo=f=2:d=0.4,afade=in:d=1,afade=out:st={SECONDS - 1}:d=1"
    exact = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
    return [
        *("ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(RATE)),
        *("-i", "-", "-f", "lavfi", "-i", tone, "-af", fade),
        *("-c:v", "libx264", "-preset", "veryslow", "-crf", "28", "-pix_fmt", "yuv420p", "-threads", "1"),
        *("-c:a", "aac", "-b:a", "48k", "-ac", "1", "-shortest"),
        *("-force_key_frames", f"expr:gte(t,n_forced*{PART})"),
        *("-f", "hls", "-hls_time", str(PART), "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"),
        *("-hls_fmp4_init_filename", "init.mp4", "-hls_segment_filename", "%d.m4s"),
        *exact,
        "index.m3u8",
    ]


def _frames(recording: Recording) -> Iterator[bytes]:
    palette = PALETTES[recording.stop]
    for number in range(RATE * SECONDS):
        yield _frame(recording, palette, number / RATE).tobytes()


def _frame(recording: Recording, palette: Palette, second: float) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), palette.deep)
    draw = ImageDraw.Draw(image)
    for layer in range(3):
        colour = blend(palette.deep, palette.main, 0.35 + 0.25 * layer)
        draw.polygon(_wave(second, layer), fill=colour)
    draw.text((48, 92), recording.title, WHITE, font(40, "Bold"))
    draw.text((48, 156), recording.date, palette.accent, font(24))
    draw.text((48, 194), "2012 OpenStack China Tour", palette.light, font(20))
    draw.text((48, 330), "Demo stand-in, not the recording itself · 演示用替代录像", WHITE, font(12))
    draw.rectangle((0, HEIGHT - 5, WIDTH * second / SECONDS, HEIGHT), fill=palette.accent)
    return image


def _wave(second: float, layer: int) -> list[tuple[float, float]]:
    top = [
        (x, 265 + layer * 22 + 14 * math.sin(x / 70 + second * (1.2 - layer * 0.3) + layer * 2))
        for x in range(0, WIDTH + 10, 10)
    ]
    return [*top, (WIDTH, HEIGHT), (0, HEIGHT)]
