"""Running a contract outside of a test session, and what `archive plugins test` says of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import ConfigError
from archiver.testing import contract_run
from archiver.testing.contract_run import State, contract_of

ROOT = Path(__file__).parents[3]
#: The contract of a good source, and of one that never ends its listing; two checks are enough here.
CONTRACT = """
import pytest
from archiver.testing.sources import SourceContract
from unit.testing.faulty_sources import Endless
from unit.testing.shelf import Shelf, subject_of

class TestIt(SourceContract):
    @pytest.fixture
    def subject(self):
        with subject_of({kind}) as subject:
            yield subject

for name in dir(SourceContract):
    if name.startswith("test_") and "checkpoint" not in name and "closed" not in name:
        setattr(TestIt, name, None)
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(ROOT / part) for part in ("src", "plugins", "tests"))
    return subprocess.run(
        [sys.executable, "-m", "archiver", "plugins", "test", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize(("kind", "unmet"), [("Shelf", 0), ("Endless", 1)])
def test_the_verdict_names_each_unmet_promise(tmp_path: Path, kind: str, unmet: int) -> None:
    (tmp_path / "contract.py").write_text(CONTRACT.format(kind=kind))
    done = run(tmp_path, "contract.py")
    assert done.returncode == (1 if unmet else 0), done.stderr
    *_, last = done.stdout.splitlines()
    assert last == f"contract.py: {2 - unmet} promises kept, {unmet} unmet, 0 untested."
    assert ("UNMET: The last thing that `discover` yields is a checkpoint" in done.stdout) is bool(unmet)
    assert ("    0 checkpoints were yielded instead of one" in done.stdout) is bool(unmet)


def test_a_listing_that_hangs_is_an_unmet_promise_and_the_rest_goes_on(tmp_path: Path) -> None:
    hanging = (
        CONTRACT.format(kind="Hanging")
        + """
import time
from archiver.testing import contract

class Hanging(Shelf):
    def discover(self, scope, cursor):
        time.sleep(1000)
        yield

contract.PATIENCE = contract.IMPATIENCE = 1.0
TestIt.test_unknown_options_are_refused = SourceContract.test_unknown_options_are_refused
"""
    )
    (tmp_path / "contract.py").write_text(hanging)
    done = run(tmp_path, "contract.py")
    assert done.returncode == 1, done.stderr
    *_, last = done.stdout.splitlines()
    assert last == "contract.py: 1 promises kept, 2 unmet, 0 untested."
    assert "    a listing did not end within 1 seconds\n" in done.stdout


def test_the_verdict_for_machines(tmp_path: Path) -> None:
    (tmp_path / "contract.py").write_text(CONTRACT.format(kind="Endless"))
    done = run(tmp_path, "contract.py", "--json")
    told: dict[str, Any] = json.loads(done.stdout)
    assert (told["plugin"], told["passed"]) == ("contract.py", False)
    assert {each["check"]: each["state"] for each in told["promises"]} == {
        "test_a_listing_ends_with_one_checkpoint": "unmet",
        "test_it_can_be_closed": "kept",
    }


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("nobody", "no plugin 'nobody' is installed"),
        ("absent.py", "there is no absent.py"),
        ("s3", "the plugin s3 comes without a contract"),
    ],
)
def test_what_cannot_be_run_is_wrong_usage(tmp_path: Path, argument: str, message: str) -> None:
    done = run(tmp_path, argument)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_contract_that_cannot_be_imported(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import a_module_that_nobody_has\n")
    done = run(tmp_path, "broken.py")
    assert done.returncode == 2
    assert "a_module_that_nobody_has" in done.stderr


def test_without_pytest_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="contracts are run by pytest") as raised:
        contract_run.need_pytest()
    assert 'pip install "event-archiver[testing]"' in raised.value.hint


def test_where_the_contract_of_a_plugin_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plugin_a").mkdir()
    (tmp_path / "plugin_a" / "__init__.py").touch()
    (tmp_path / "plugin_a" / "contract.py").touch()
    (tmp_path / "plugin_b.py").touch()
    (tmp_path / "plugin_b_contract.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert contract_of("slideshare", "archiver_plugins.slideshare", "event-archiver").endswith(".slideshare")
    assert contract_of("a", "plugin_a", "plugin-a") == "plugin_a.contract"
    assert contract_of("b", "plugin_b", "plugin-b") == "plugin_b_contract"
    with pytest.raises(ConfigError, match=r"plugin_c\.contract or plugin_c_contract"):
        contract_of("c", "plugin_c", "plugin-c")


def test_the_worst_of_several_runs_counts() -> None:
    assert max(State.KEPT, State.UNMET, State.UNTESTED, key=list(State).index) is State.UNMET
