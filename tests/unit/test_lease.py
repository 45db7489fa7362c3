from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver import lease
from archiver.contracts import Blob, Sink, Stat
from archiver.errors import ConflictError, LeaseHeldError, SinkError
from archiver.lease import Lease
from archiver.ocfl import blob
from archiver.sinks.wrapper import Wrapper
from archiver.testing.sinks import paths, read
from ocfl_checks import make_sink

RUN, OTHER = "20120916T100000Z-aaaaaa", "20120916T100500Z-bbbbbb"


@pytest.fixture
def sink(tmp_path: Path) -> Sink[Any]:
    return make_sink(tmp_path)


@pytest.fixture
def hold(sink: Sink[Any]) -> Iterator[Callable[..., Lease]]:
    made: list[Lease] = []

    def make(run: str = RUN, where: Sink[Any] = sink, **options: Any) -> Lease:
        held = Lease(where, run, **options)
        made.append(held)
        held.acquire()
        return held

    yield make
    for each in made:
        each.release()


def content(sink: Sink[Any]) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(read(sink, ".lease"))
    return data


def write(sink: Sink[Any], **changes: Any) -> None:
    """Leave a lease as a run on another machine would have, or a damaged one."""
    data = {
        "run": OTHER,
        "held": True,
        "ttl": 90.0,
        "host": "elsewhere",
        "pid": 7,
        "process": "x/1",
        "at": 0.0,
    }
    sink.replace(".lease", blob(json.dumps({**data, **changes}).encode()))


def age(tmp_path: Path, seconds: float) -> None:
    """Let the lease have been renewed so long ago, by the clock of the disk."""
    then = time.time() - seconds
    os.utime(tmp_path / "archive/.lease", (then, then))


class TestTaking:
    def test_a_free_sink(self, sink: Sink[Any], hold: Callable[..., Lease]) -> None:
        held = hold()
        assert content(sink)["run"] == RUN
        assert content(sink)["pid"] == os.getpid()
        held.release()
        assert not content(sink)["held"]
        assert paths(sink, "") == [".lease"]

    def test_a_released_one(self, sink: Sink[Any], hold: Callable[..., Lease]) -> None:
        hold().release()
        assert hold(OTHER).confirm()
        assert content(sink)["run"] == OTHER

    def test_a_held_one(self, sink: Sink[Any], hold: Callable[..., Lease]) -> None:
        held = hold()
        with pytest.raises(LeaseHeldError) as caught:
            hold(OTHER)
        for word in (RUN, socket.gethostname(), str(os.getpid())):
            assert word in caught.value.message
        assert "running on this machine" in caught.value.hint
        assert held.confirm()

    def test_held_elsewhere(self, sink: Sink[Any], hold: Callable[..., Lease], tmp_path: Path) -> None:
        write(sink)
        age(tmp_path, 60)
        with pytest.raises(LeaseHeldError, match="on elsewhere") as caught:
            hold()
        assert "its hold ends at" in caught.value.hint

    def test_run_out_elsewhere(self, sink: Sink[Any], hold: Callable[..., Lease], tmp_path: Path) -> None:
        write(sink)
        age(tmp_path, 91)
        assert hold().confirm()

    def test_one_that_was_killed_elsewhere_is_outlasted(
        self, sink: Sink[Any], hold: Callable[..., Lease], tmp_path: Path
    ) -> None:
        write(sink, ttl=2.0)  # a shorter one than a run's own, so that the test is short
        with pytest.raises(LeaseHeldError):
            hold()
        assert hold(wait=lease.TTL + 30).confirm()

    def test_no_lease_blocks_a_sink_for_longer_than_five_minutes(
        self, sink: Sink[Any], hold: Callable[..., Lease], tmp_path: Path
    ) -> None:
        write(sink, ttl=300.0)
        age(tmp_path, 301)
        assert hold().confirm()
        write(sink, ttl=3600.0)  # damaged: no run of ours asks for so much
        age(tmp_path, 91)
        assert hold("20120916T110000Z-cccccc").confirm()

    def test_our_own_clock_does_not_count(
        self, sink: Sink[Any], hold: Callable[..., Lease], tmp_path: Path
    ) -> None:
        """Two machines whose clocks differ by a day."""
        write(sink)
        for clock in (lambda: 0.0, lambda: time.time() + 86_400):
            with pytest.raises(LeaseHeldError):
                hold(clock=clock)

    def test_a_time_far_ahead(self, sink: Sink[Any], hold: Callable[..., Lease], tmp_path: Path) -> None:
        """The disk's clock was set back: a holder that lives has renewed since."""
        write(sink)
        age(tmp_path, -86_400)
        assert hold().confirm()

    def test_a_time_slightly_ahead(self, sink: Sink[Any], hold: Callable[..., Lease], tmp_path: Path) -> None:
        write(sink)
        age(tmp_path, -30)
        with pytest.raises(LeaseHeldError):
            hold()

    def test_one_of_many_wins(self, tmp_path: Path) -> None:
        leases = [Lease(make_sink(tmp_path), f"run-{number}") for number in range(8)]
        write(leases[0].sink, held=False)
        barrier, won = threading.Barrier(8), list[Lease]()

        def take(each: Lease) -> None:
            barrier.wait(30)
            try:
                each.acquire()
            except LeaseHeldError:
                return
            won.append(each)

        threads = [threading.Thread(target=take, args=(each,)) for each in leases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(won) == 1
        assert content(won[0].sink)["run"] == won[0].run
        won[0].release()

    def test_taken_away_in_between(self, sink: Sink[Any], hold: Callable[..., Lease]) -> None:
        class Vanishing(Wrapper):
            def create(self, path: str, blob: Blob) -> Stat:
                if not hasattr(self, "seen"):
                    self.seen = True
                    write(self.inner, held=False)
                    try:
                        return super().create(path, blob)
                    finally:
                        root = self.local_root
                        assert root is not None
                        (root / ".lease").unlink()
                return super().create(path, blob)

        assert hold(where=Vanishing(sink)).confirm()


CODE = """
import sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from archiver.lease import Lease
from ocfl_checks import make_sink
held = Lease(make_sink(Path(sys.argv[1])), {run!r})
held.acquire()
print("held", flush=True)
time.sleep(100)
"""


class TestOnThisMachine:
    @pytest.fixture
    def other(self, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
        code = CODE.format(path=[path for path in sys.path if path], run=OTHER)
        with subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
            process.kill()

    def test_a_killed_run_is_not_waited_for(
        self, sink: Sink[Any], hold: Callable[..., Lease], other: subprocess.Popen[str]
    ) -> None:
        with pytest.raises(LeaseHeldError, match=OTHER):
            hold()
        other.send_signal(signal.SIGKILL)
        other.wait(30)
        assert hold().confirm()

    def test_nor_one_whose_parent_has_not_noticed(
        self, sink: Sink[Any], hold: Callable[..., Lease], other: subprocess.Popen[str]
    ) -> None:
        other.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert hold().confirm()

    def test_a_jump_of_the_clock_does_not_end_the_hold_of_a_living_one(
        self, sink: Sink[Any], hold: Callable[..., Lease], other: subprocess.Popen[str], tmp_path: Path
    ) -> None:
        age(tmp_path, 86_400)
        with pytest.raises(LeaseHeldError):
            hold()

    def test_a_reused_number_of_a_process(self, sink: Sink[Any], hold: Callable[..., Lease]) -> None:
        mark = lease._process_mark(os.getpid())
        boot = mark.partition("/")[0]
        write(sink, host=socket.gethostname(), pid=os.getpid(), process=f"{boot}/1")
        assert hold().confirm()

    @pytest.mark.parametrize("process", ["another-boot:1/1", "", None, 7, [], "/1"])
    def test_of_another_boot_or_container_only_time_tells(
        self, sink: Sink[Any], hold: Callable[..., Lease], tmp_path: Path, process: Any
    ) -> None:
        write(sink, host=socket.gethostname(), pid=os.getpid(), process=process)
        with pytest.raises(LeaseHeldError):
            hold()
        age(tmp_path, 100)
        assert hold().confirm()


class TestDamaged:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\0" * 200,
            b"{",
            b"[]",
            b"7",
            b"\xff",
            b"[" * 60_000,
            b" " * 100_000,
            b'{"held": false}',
            b"{}",
        ],
    )
    def test_a_torn_lease_is_void(self, sink: Sink[Any], hold: Callable[..., Lease], data: bytes) -> None:
        sink.replace(".lease", blob(data))
        assert hold().confirm()

    @pytest.mark.parametrize("ttl", [None, "x", -1, 0, 1e308, float("inf"), float("nan"), [], True])
    def test_a_strange_duration(
        self, sink: Sink[Any], hold: Callable[..., Lease], tmp_path: Path, ttl: Any
    ) -> None:
        write(sink, ttl=ttl)
        age(tmp_path, 0.2)
        with pytest.raises(LeaseHeldError):
            hold()
        age(tmp_path, 3700)
        assert hold().confirm()

    def test_hostile_names_are_shown_harmless(self, sink: Sink[Any], hold: Callable[..., Lease]) -> None:
        write(sink, run="\x1b[2J\x1b]0;x\x07", host="x" * 10_000, pid={"a": "\n"})
        with pytest.raises(LeaseHeldError) as caught:
            hold()
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 500


class Faulty(Wrapper):
    """Fails renewals for a while, or says that one failed which was done."""

    def __init__(self, inner: Sink[Any]) -> None:
        super().__init__(inner)
        self.fail: SinkError | None = None
        self.lie: SinkError | None = None
        self.tried = threading.Event()

    def replace(self, path: str, blob: Blob, *, expected: str | None = None) -> Stat:
        try:
            if self.fail:
                raise self.fail
            done = super().replace(path, blob, expected=expected)
            if self.lie:
                raise self.lie
            return done
        finally:
            self.tried.set()


class TestKeeping:
    def test_it_is_renewed(self, sink: Sink[Any], hold: Callable[..., Lease]) -> None:
        faulty = Faulty(sink)
        held = hold(where=faulty, ttl=0.03)
        before = content(sink)["at"]
        for _ in range(3):
            faulty.tried.clear()
            assert faulty.tried.wait(20)
        held.release()
        assert content(sink)["at"] > before
        assert not held.lost.is_set()

    def test_taken_over(self, sink: Sink[Any], hold: Callable[..., Lease]) -> None:
        held = hold(ttl=0.03)
        write(sink)
        assert held.lost.wait(20)
        assert not held.confirm()
        held.release()
        assert content(sink)["run"] == OTHER
        assert content(sink)["held"]

    def test_taken_over_and_not_yet_heard_of(self, sink: Sink[Any], hold: Callable[..., Lease]) -> None:
        held = hold()
        write(sink)
        assert not held.lost.is_set()
        assert not held.confirm()
        assert held.lost.is_set()

    def test_taken_away(self, sink: Sink[Any], hold: Callable[..., Lease], tmp_path: Path) -> None:
        held = hold()
        (tmp_path / "archive/.lease").unlink()
        assert not held.confirm()

    def test_a_passing_fault(self, sink: Sink[Any], hold: Callable[..., Lease]) -> None:
        faulty = Faulty(sink)
        held = hold(where=faulty, ttl=0.03)
        faulty.fail = SinkError("the network is away")
        faulty.tried.clear()
        assert faulty.tried.wait(20)
        with pytest.raises(SinkError, match="the network is away"):
            held.confirm()
        faulty.fail = None
        assert held.confirm()

    def test_a_retried_renewal_that_met_itself(self, sink: Sink[Any], hold: Callable[..., Lease]) -> None:
        faulty = Faulty(sink)
        held = hold(where=faulty)
        faulty.lie = ConflictError("changed by somebody else")
        assert held.confirm()
        faulty.lie = None
        assert held.confirm()

    def test_a_lease_that_could_not_be_given_back_does_not_bind_its_own_process(
        self, sink: Sink[Any], hold: Callable[..., Lease]
    ) -> None:
        faulty = Faulty(sink)
        held = hold(where=faulty)
        faulty.fail = SinkError("the network is away")
        held.release()
        assert content(sink)["held"]
        assert hold(OTHER).confirm()

    def test_release_never_raises(self, sink: Sink[Any]) -> None:
        faulty = Faulty(sink)
        held = Lease(faulty, RUN)
        held.release()  # never taken
        assert paths(sink, "") == []
        held.acquire()
        faulty.fail = SinkError("the network is away")
        held.release()
        held.release()
