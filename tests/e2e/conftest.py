from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e_tour import Tour, Upstream, make_tour


@pytest.fixture
def tour() -> Tour:
    return make_tour(seed=20261122)


@pytest.fixture
def upstream(tour: Tour, tmp_path: Path) -> Iterator[Upstream]:
    with Upstream(tour, tmp_path / "upstream") as made:
        yield made
