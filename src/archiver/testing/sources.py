"""What every source has to do: the suite that the author of a source runs against it.

    from archiver.testing.sources import SourceContract, Subject

    class TestPhotos(SourceContract):
        @pytest.fixture
        def subject(self):
            with PhotoDouble() as service:
                yield Subject(
                    Photos,
                    options=lambda url: {"base_url": url},
                    entries=({"album": "beijing"},),
                    url=service.url,
                )

The fixture starts a service on this machine, with at least one material, better with several on more than
one page. The suite puts itself between the source and that service. It needs pytest, which the program
itself does not. Each test is one promise: its docstring says which.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.testing.contract import Subject, Trial, UnmetPromiseError, does_not_apply
from archiver.testing.sources_fetching import FetchPromises
from archiver.testing.sources_listing import ListingPromises
from archiver.testing.sources_manners import MannersPromises
from archiver.testing.sources_wire import WirePromises

__all__ = ["SourceContract", "Subject", "Trial", "UnmetPromiseError"]


class SourceContract(ListingPromises, FetchPromises, MannersPromises, WirePromises):
    """The suite. Override `subject`; everything else is inherited."""

    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        """Start the service and say how the source under test is configured for it."""
        raise NotImplementedError("override the fixture `subject` to say what is tested")

    @pytest.fixture
    def trial(self, subject: Subject, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Trial]:
        """Give each promise a world of its own."""
        reason = subject.waived.get(request.node.originalname)
        if reason:
            does_not_apply(f"waived: {reason}")
        with Trial(subject, tmp_path) as trial:
            yield trial
