"""The contract of the sink `disk`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archiver.api import Context, Sink
from archiver.registry import load_plugins
from archiver.testing.sinks import SinkContract


class TestDisk(SinkContract):
    """A directory of its own."""

    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink[Any]:
        """Give a sink in a directory that does not exist yet."""
        kind = load_plugins().sinks["disk"]
        http: Any = None
        options = kind.options_class.model_validate({"path": "deep/in/archive"})
        return kind(options, Context("local", tmp_path, http))
