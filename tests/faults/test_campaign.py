"""The fault campaign in its short form: each point a few times, always with the same chance."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from archiver.testing.faults import FaultKind
from faults.campaign import emptied, errors, kills, names, network, power, races, secrets, tracing
from faults.campaign.__main__ import main
from faults.campaign.figures import Figures, figures, table
from faults.campaign.ground import Ground, ground
from faults.campaign.points import POINTS
from s3_servers import Server

SEED = 2012
FAULTS = (FaultKind.TRUNCATE, FaultKind.LOGIN)
#: Whole runs, traced: on a busy machine they take a while.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def small_tour() -> Iterator[Ground]:
    # In memory where that is possible: a disk would be waited for at every sync.
    memory = Path("/dev/shm")
    place = TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None)
    with place as folder, ground(Path(folder) / "ground") as made:
        yield made


def traceable() -> None:
    if reason := tracing.is_possible():
        pytest.skip(reason)


@pytest.mark.long
def test_killed_at_system_calls(small_tour: Ground) -> None:
    traceable()
    made = Figures("calls")
    kills.at_calls(small_tour, made, 1, SEED)
    assert made.found == []
    assert made.counts.total() == 1


@pytest.mark.long
def test_killed_at_any_moment(small_tour: Ground) -> None:
    made = Figures("moments")
    kills.at_moments(small_tour, made, 2, SEED)
    assert made.found == []
    assert made.counts["killed at a random moment"] >= 1


def test_killed_at_requests_to_the_object_store(small_tour: Ground, seaweed_store: Server) -> None:
    made = Figures("requests")
    kills.at_requests(small_tour, seaweed_store, made, 1, SEED)
    assert made.found == []
    assert made.counts.total() == 1


@pytest.mark.long
def test_failing_system_calls(small_tour: Ground) -> None:
    traceable()
    made = Figures("errors")
    errors.at_calls(small_tour, made, 1, SEED)
    assert made.found == []
    assert made.counts.total() == 1


@pytest.mark.long
def test_disks_that_become_full(small_tour: Ground) -> None:
    if reason := errors.is_possible():
        pytest.skip(reason)
    made = Figures("small disks")
    errors.on_small_disks(small_tour, made, 2, SEED)
    assert made.found == []
    assert made.counts.total() >= 2


def test_the_power_is_cut(small_tour: Ground, tmp_path: Path) -> None:
    if reason := power.is_possible(tmp_path):
        pytest.skip(reason)
    made = Figures("power")
    power.cut_power(small_tour, made, 4, SEED)
    assert made.found == []
    assert made.counts["power cuts"] == 4


@pytest.mark.long
def test_two_machines_at_once_and_one_that_comes_back_late(small_tour: Ground) -> None:
    made = Figures("races")
    races.race(lambda name: races.on_disk(small_tour, name), "disk", made, 2, SEED)
    assert made.found == []
    assert (made.counts["races at disk"], made.counts["late writers at disk"]) == (1, 1)


def test_faults_on_the_wire(small_tour: Ground, tmp_path: Path) -> None:
    made = Figures("network")
    network.disturb(["links"], tmp_path / "network", small_tour.starter, made, 1, SEED, faults=FAULTS)
    assert made.found == []
    assert made.counts["links: faults"] == len(FAULTS)


def test_an_empty_upstream(small_tour: Ground, tmp_path: Path) -> None:
    made = Figures("emptied")
    emptied.empty(["links", "email"], tmp_path / "emptied", small_tour.starter, made)
    assert made.found == []
    assert made.counts["upstreams emptied"] == 2


def test_odd_names(small_tour: Ground, tmp_path: Path) -> None:
    made = Figures("names")
    names.carry(["links"], tmp_path / "names", small_tour.starter, made, names.NAMES[::6])
    assert made.found == []
    assert made.counts["links: names"] > 5


@pytest.mark.long
def test_secrets(tmp_path: Path, seaweed_store: Server) -> None:
    made = Figures("secrets")
    commands = [("run", "-v", "--json"), ("check",)]
    secrets.search(["links", "pretalx"], tmp_path / "secrets", seaweed_store, made, commands)
    assert made.found == []
    assert made.counts["files searched"] > 20


def test_what_is_wrong_is_seen(small_tour: Ground) -> None:
    """A file that a version names is torn, and another one is gone: the campaign must say so."""
    folder = small_tour.trial("spoiled", begun=True)
    torn, gone = sorted(folder.glob("archive/ocfl/*/v1/content/slides/*.pdf"))[:2]
    torn.write_bytes(torn.read_bytes()[:100])
    gone.unlink()
    told = "\n".join(small_tour.aftermath(folder, None))
    assert f"{torn.name} holds other bytes" in told
    assert f"{gone.name} is named by a version and not there" in told


def test_the_figures_as_a_table_and_as_data() -> None:
    with figures("power") as made:
        made.counts["power cuts"] = 3
        made.check("cut 1", ["something is lost"])
    assert "power  power cuts  3      1" in table([made])
    assert "WRONG power: cut 1: something is lost" in table([made])
    assert made.to_json()["faults"] == 1


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = tmp_path / "figures.json"
    words = ["bitrot", "--times", "5", "--json", str(report), "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["campaign", *words])
    assert main() == 0
    counts = json.loads(report.read_text())["points"][0]["counts"]
    assert counts == {"bits flipped": 5, "found": 5, "repaired": 5}


def test_an_unknown_point(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["campaign", "earthquake"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert all(name in told for name in POINTS)


def test_a_page_in_another_size_is_told_from_a_lost_one() -> None:
    names = {"slides/a-p001.webp", "slides/a-p002.webp", "slides/a.pdf", "slides/b.pdf"}
    held = ["slides/a-p001.jpg", "slides/a-p002.webp", "slides/a.pdf"]
    assert network._in_other_sizes(held, names) == {"slides/a-p001.webp", "slides/a.pdf"}
    assert network._in_other_sizes(names, names) == set()
