"""The contract of the source `links`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from archiver.testing.contracts.samples import pdf
from archiver.testing.links import File, LinksDouble
from archiver.testing.sources import SourceContract, Subject

PUBLIC = "https://files.example.org"


def _file(number: int) -> File:
    return File(f"/s/talk-{number}.pdf", pdf(number), "application/pdf")


def _options(url: str) -> Mapping[str, str]:
    return {"base_url": url, "public_url": PUBLIC}


def _entry(*files: File) -> Mapping[str, object]:
    return {"urls": [PUBLIC + file.path for file in files]}


class TestLinks(SourceContract):
    """Three files at their addresses."""

    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        """Give three files, and one more for the other account."""
        files = [_file(1), _file(2), _file(3), _file(11)]
        with LinksDouble(files) as service:
            yield Subject(
                "links",
                _options,
                (_entry(*files[:3]),),
                service.url,
                other=Subject("links", _options, (_entry(files[3]),), service.url),
                change=lambda: service.add(replace(files[0], body=pdf(21))),
                remove=lambda: service.add(replace(files[0], missing=410)),
            )
