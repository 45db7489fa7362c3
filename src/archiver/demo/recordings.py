"""The video site of the demo: the recordings of two stops, as streams with subtitles."""

from __future__ import annotations

from archiver.demo import content
from archiver.testing.video import Clip, VideoDouble

#: The address under which the example knows it.
PUBLIC = "https://video.cosug.example"

_WORDS = {
    "beijing": ("欢迎来到 2012 OpenStack 中国行北京站", "今天有七位讲师", "我们从基金会与云计算讲起"),
    "shenzhen": ("欢迎来到深圳站", "今天的题目有 Swift 的架构与实践", "也有香港的 OpenStack"),
}
_TITLES = {"beijing": "北京站 Beijing Stop: WebEx recording", "shenzhen": "深圳站 Shenzhen Stop: recording"}
_SECONDS = 2


def service() -> VideoDouble:
    """Make the site with both recordings."""
    return VideoDouble(_clip(stop) for stop in _TITLES)


def _clip(stop: str) -> Clip:
    folder = content.media() / "video" / stop
    parts = tuple(part.read_bytes() for part in sorted(folder.iterdir(), key=lambda part: part.name))
    words = _WORDS[stop]
    return Clip(
        stop,
        _TITLES[stop],
        form="hls",
        seconds=_SECONDS * len(words),
        parts=parts,
        part_seconds=_SECONDS,
        subtitles={"zh": _subtitles(words)},
    )


def _subtitles(words: tuple[str, ...]) -> str:
    cues = (
        f"00:00:{number * _SECONDS:02}.000 --> 00:00:{(number + 1) * _SECONDS:02}.000\n{line}\n"
        for number, line in enumerate(words)
    )
    return "WEBVTT\n\n" + "\n".join(cues)
