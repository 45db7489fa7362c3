from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from s3_servers import Server, seaweed

# `make test` says the same of the same code every time; `make hunt` looks for new examples, and for longer.
# A busy machine is no failure.
PATIENT: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("steady", derandomize=True, **PATIENT)
settings.register_profile("hunt", max_examples=2000, print_blob=True, **PATIENT)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(scope="session", autouse=True)
def _heard_signals() -> None:
    """Let the programs that tests start hear signals: `nohup make test &` has them ignored from birth."""
    for each in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(each) is signal.SIG_IGN:
            signal.signal(each, signal.default_int_handler if each is signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(scope="session")
def seaweed_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run one real object store for all tests of this session."""
    with seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server
