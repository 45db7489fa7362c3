"""Daemon threads, and patience with those that hang."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import wait

import pytest

from archiver.threads import DaemonPool, Patience


def test_results_and_errors_come_back() -> None:
    pool = DaemonPool(2, "test")
    futures = [pool.submit(divmod, 7, number) for number in (2, 0)]
    wait(futures, timeout=30)
    assert futures[0].result() == (3, 1)
    assert isinstance(futures[1].exception(), ZeroDivisionError)
    pool.shutdown()


def test_even_an_exit_is_only_a_result() -> None:
    pool = DaemonPool(1, "test")
    assert isinstance(pool.submit(sys.exit, 3).exception(30), SystemExit)
    assert pool.submit(int, "4").result(30) == 4
    pool.shutdown()


def test_no_more_threads_than_allowed_work_at_once() -> None:
    pool, lock, gate = DaemonPool(3, "test"), threading.Lock(), threading.Event()
    running = most = 0

    def one() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == 3:
                gate.set()
        gate.wait(30)
        with lock:
            running -= 1

    futures = [pool.submit(one) for _ in range(9)]
    wait(futures, timeout=30)
    assert most == 3
    pool.shutdown()


def test_what_waits_is_cancelled() -> None:
    pool, begun, gate = DaemonPool(1, "test"), threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        gate.wait(30)

    first = pool.submit(block)
    begun.wait(30)
    waiting = [pool.submit(int) for _ in range(3)]
    pool.shutdown(wait=False, cancel_futures=True)
    assert all(future.cancelled() for future in waiting)
    gate.set()
    first.result(30)
    pool.shutdown()


def test_a_thread_that_hangs_does_not_keep_the_process() -> None:
    script = (
        "import threading; from archiver.threads import DaemonPool\n"
        "DaemonPool(1, 'test').submit(threading.Event().wait)\nprint('ended')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "ended\n"


@pytest.mark.parametrize("grace", [0.0, 5.0])
def test_patience_begins_with_the_stop(grace: float) -> None:
    now, stop = [100.0], threading.Event()
    patience = Patience(stop, grace, clock=lambda: now[0])
    now[0] += 1000
    assert not patience.over
    stop.set()
    assert patience.over == (grace == 0)
    now[0] += grace
    assert patience.over
