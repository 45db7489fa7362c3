"""The contract of the source `pretalx`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from archiver.testing.contracts.samples import pdf
from archiver.testing.pretalx import PUBLIC, PretalxDouble, Talk, Upload
from archiver.testing.sources import SourceContract, Subject


def _talk(number: int) -> Talk:
    upload = Upload(f"slides-{number}.pdf", pdf(number))
    return Talk(f"A7KX{number}Q", f"Talk {number}", ("Junqiang Chen",), (upload,))


def _options(url: str) -> Mapping[str, str]:
    return {"base_url": url}


class TestPretalx(SourceContract):
    """The uploads of three talks."""

    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        """Give the schedule of one event, and of another one elsewhere."""
        with (
            PretalxDouble("democon", [_talk(1), _talk(2), _talk(3)]) as service,
            PretalxDouble("elsewhere", [_talk(11)]) as other,
        ):
            yield Subject(
                "pretalx",
                _options,
                ({"url": f"{PUBLIC}/democon/"},),
                service.url,
                other=Subject("pretalx", _options, ({"url": f"{PUBLIC}/elsewhere/"},), other.url),
                remove=lambda: service.remove("A7KX1Q"),
            )
