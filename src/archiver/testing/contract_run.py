"""Run a contract outside of an author's own tests, and sum up which promises are kept."""

from __future__ import annotations

import importlib.util
import inspect
import os
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Any

from archiver.errors import ConfigError
from archiver.registry import OWN_DISTRIBUTION

INSTALL = 'pip install "event-archiver[testing]"'
#: Where the contracts of the bundled plugins are.
BUNDLED = "archiver.testing.contracts"


class State(StrEnum):
    """What became of a promise; the worst of all runs of its check."""

    KEPT = "kept"
    UNTESTED = "untested"
    UNMET = "unmet"


@dataclass(frozen=True)
class Finding:
    """One promise of one contract: its check, what it says, what became of it, and what was seen."""

    contract: str
    check: str
    promise: str
    state: State
    seen: tuple[str, ...] = ()


@dataclass
class Verdict:
    """What running a contract showed. `trouble` is why it could not be run at all, when that was so."""

    findings: list[Finding] = field(default_factory=list)
    trouble: str = ""

    def of(self, state: State) -> list[Finding]:
        """Pick the findings of one kind."""
        return [finding for finding in self.findings if finding.state is state]

    @property
    def passed(self) -> bool:
        """Say whether there was something to keep, and all of it was kept."""
        return not self.trouble and bool(self.of(State.KEPT)) and not self.of(State.UNMET)


def need_pytest() -> None:
    """Raise `ConfigError` when pytest is not installed."""
    if importlib.util.find_spec("pytest") is None:
        raise ConfigError("contracts are run by pytest, which is not installed", hint=f"run: {INSTALL}")


def contract_of(name: str, module: str, origin: str) -> str:
    """Find the module with the contract of an installed plugin.

    For our own ones that is one of `archiver.testing.contracts`; for a plugin in a package `my_plugin` it is
    `my_plugin.contract`, for one in a single module `my_plugin` it is `my_plugin_contract`. Raises
    `ConfigError` when there is none.
    """
    if origin == OWN_DISTRIBUTION:
        wanted: tuple[str, ...] = (f"{BUNDLED}.{name.replace('-', '_')}",)
    else:
        wanted = (f"{module}.contract", f"{module}_contract")
    for each in wanted:
        if _exists(each):
            return each
    raise ConfigError(
        f"the plugin {name} comes without a contract: there is no module {' or '.join(wanted)}",
        hint="name the file with its contract instead, such as: archive plugins test tests/test_contract.py",
    )


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ModuleNotFoundError, ValueError):  # its parent is no package
        return False


def run_contract(target: str | Path) -> Verdict:
    """Run the contracts in a file or directory, or in a module that is named. Raises `ConfigError`."""
    need_pytest()
    import pytest

    collector = _Collector()
    where = [str(target)] if isinstance(target, Path) else _alone(target)
    quiet = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
    told = StringIO()
    with redirect_stdout(told), redirect_stderr(told):
        code = pytest.main([*quiet, *where], plugins=[collector])
    verdict = Verdict(collector.findings(), collector.trouble)
    if not verdict.findings and not verdict.trouble:
        found = (
            "no promise was found in it" if code == pytest.ExitCode.NO_TESTS_COLLECTED else "it cannot be run"
        )
        verdict.trouble = f"{target}: {found}. {told.getvalue().strip()[-500:]}".strip()
    return verdict


def _alone(module: str) -> list[str]:
    """Name a module by its file, whatever lies in the directory that the command is run in."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ConfigError(f"there is no module {module}")
    folder = Path(spec.origin).parent
    return [spec.origin, f"--rootdir={folder}", f"--confcutdir={folder}", "-c", os.devnull]


class _Collector:
    """Watches a run of pytest, and keeps what concerns promises."""

    def __init__(self) -> None:
        self.trouble = ""
        self._told: dict[str, tuple[str, str, str]] = {}
        self._states: dict[tuple[str, str, str], tuple[State, list[str]]] = {}

    def pytest_collectreport(self, report: Any) -> None:
        """Note what could not even be imported."""
        if report.failed:
            self.trouble = self.trouble or _seen(report)

    def pytest_collection_modifyitems(self, items: Sequence[Any]) -> None:
        """Note what each check says."""
        for item in items:
            check = getattr(item, "originalname", None) or item.name
            doc = inspect.getdoc(item.obj) or check.removeprefix("test_").replace("_", " ")
            contract = item.cls.__name__ if getattr(item, "cls", None) else ""
            self._told[item.nodeid] = (contract, check, doc.partition("\n")[0])

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note how a check ended: the worst of preparing, running and clearing up."""
        if report.when != "call" and report.passed:
            return
        key = self._told[report.nodeid]
        state = State.UNMET if report.failed else State.UNTESTED if report.skipped else State.KEPT
        worst, seen = self._states.setdefault(key, (state, []))
        if state is not State.KEPT:
            seen.append(_seen(report))
        order = list(State)
        self._states[key] = (max(worst, state, key=order.index), seen)

    def findings(self) -> list[Finding]:
        """Give one finding for each promise."""
        return [
            Finding(*key, state=state, seen=tuple(dict.fromkeys(seen)))
            for key, (state, seen) in self._states.items()
        ]


def _seen(report: Any) -> str:
    """Give the message of a report, without the names of our own classes before it."""
    told = report.longrepr
    if isinstance(told, tuple):  # a skip: file, line, reason
        return str(told[2]).removeprefix("Skipped: ")
    crash = getattr(told, "reprcrash", None)
    message = str(getattr(crash, "message", told)).strip()
    ours = "archiver.testing.contract."
    return message.removeprefix(f"{ours}UnmetPromiseError: ").removeprefix(f"{ours}LateError: ")
