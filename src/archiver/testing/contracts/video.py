"""The contract of the source `video`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from archiver.testing.sources import SourceContract, Subject
from archiver.testing.video import Clip, VideoDouble

PUBLIC = "https://video.example.org"


def _options(url: str) -> Mapping[str, Any]:
    return {"base_url": url, "public_url": PUBLIC, "pause": 0}


def _entry(*clips: Clip) -> Mapping[str, Any]:
    return {"urls": [f"{PUBLIC}/watch/{clip.slug}" for clip in clips]}


class TestVideo(SourceContract):
    """Two recordings at their addresses."""

    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        """Give two films, and one for the other account."""
        clips = [
            Clip("chef", "Chef", seconds=2),
            Clip("nova", "Nova", seconds=3),
            Clip("heat", "Heat", seconds=4),
        ]
        with VideoDouble(clips) as service:
            yield Subject(
                "video",
                _options,
                (_entry(*clips[:2]),),
                service.url,
                other=Subject("video", _options, (_entry(clips[2]),), service.url),
                remove=lambda: service.add(replace(clips[0], status=410)),
            )
