"""The first signal asks, the second ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from archiver.interrupts import stoppable


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_first_and_second_signal(number: signal.Signals) -> None:
    stop, told = threading.Event(), threading.Event()
    old = signal.getsignal(number)
    with stoppable(stop, told.set):
        os.kill(os.getpid(), number)
        assert stop.wait(10)
        assert told.wait(10)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is old


def test_what_the_process_was_started_to_ignore_stays_ignored() -> None:
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    try:
        stop = threading.Event()
        with stoppable(stop, lambda: None):
            signal.raise_signal(signal.SIGHUP)
        assert not stop.is_set()
    finally:
        signal.signal(signal.SIGHUP, old)


def test_a_stop_by_somebody_else_makes_no_signal_the_second() -> None:
    stop, told = threading.Event(), threading.Event()
    with stoppable(stop, told.set):
        stop.set()
        signal.raise_signal(signal.SIGTERM)
        assert told.wait(10)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


def test_in_another_thread_nothing_is_touched() -> None:
    old = signal.getsignal(signal.SIGINT)
    inside = []

    def run() -> None:
        with stoppable(threading.Event(), lambda: None):
            inside.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert inside == [old]


HANGING = """
import sys, threading
from pathlib import Path
from line_kit import Item, World

class Told:
    def said(self, what, /, **data):
        if what == "stopping":
            print("stopping", flush=True)
    def moved(self, *arguments):
        pass

def hang(*_):
    print("hanging", flush=True)
    threading.Event().wait()

world = World(Path(sys.argv[1]))
world.up.put(Item("x"), Item("y"))
listed = world.up.source()

class Hanging(listed):
    def discover(self, scope, cursor):
        hang()
        yield

sources = {"src": Hanging} if sys.argv[2] == "discover" else {}
world.up.during_fetch = hang
run = world.prepared(sources=sources, jobs=1)
run.watcher = Told()
run.execute()
"""


@pytest.mark.parametrize("stage", ["discover", "fetch"])
def test_a_second_signal_ends_a_run_whose_plugin_hangs(stage: str, tmp_path: Path) -> None:
    tests = Path(__file__).parents[1]
    path = os.pathsep.join(str(tests / more) for more in ("", "../src", "../plugins"))
    command = [sys.executable, "-c", HANGING, str(tmp_path), stage]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"hanging\n"
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == b"stopping\n"
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=30)
        finally:
            process.kill()
    assert b"KeyboardInterrupt" in told
    # What the run held is given back: the next one need not wait.
    assert b'"held": false' in (tmp_path / "local/.lease").read_bytes()
