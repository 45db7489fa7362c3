from __future__ import annotations

from collections.abc import Iterator

import pytest

from s3_servers import Server, seaweed


@pytest.fixture(scope="session")
def seaweed_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run one real object store for all tests of this session."""
    with seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server
