"""The crew: who works when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archiver import instances
from archiver.contracts import Context, Options, Source
from archiver.instances import Instances, Workshop
from archiver.model import Fetched, Kind, Material
from archiver.pool import Crew
from archiver.threads import Stopped
from archiver.work import Outcome, Task
from line_kit import plugins


def source(name: str, fetch: Callable[[Any, str, Path], None]) -> Source[Options, Options]:
    class Made(Source[Options, Options]):
        type_name = "made"

        def discover(self, scope: Any, cursor: str) -> Iterator[Any]:
            raise NotImplementedError

        def fetch(self, material: Material, into: Path) -> Iterator[Any]:
            fetch(self, material.id, into)
            (into / "file").write_bytes(b"x")
            yield Fetched(Path("file"))

    from archiver.staging import report_progress

    context = Context(name, Path(), http=None, progress=report_progress)  # type: ignore[arg-type]  # no network
    return Made(Options(), context)


@contextmanager
def workshop(tmp_path: Path, **sources: Source[Any, Any]) -> Iterator[Callable[..., list[Task]]]:
    shop = Workshop(f"run-{tmp_path.name}", tmp_path)
    made = Instances(shop, plugins(), given=sources)
    instances.share(made)
    try:
        yield lambda name, count: [
            Task(shop, name, Material(f"{n}", Kind.OTHER, event="a"), "new", ()) for n in range(count)
        ]
    finally:
        instances.forget(made)


def all_of(crew: Crew, tasks: list[Task]) -> list[Outcome]:
    return [outcome for together in crew.outcomes(tasks) for outcome in together]


def test_every_task_has_its_outcome(tmp_path: Path) -> None:
    with workshop(tmp_path, one=source("one", lambda *_: None)) as tasks:
        outcomes = all_of(Crew(3), tasks("one", 20))
    assert sorted(int(each.material.id) for each in outcomes) == list(range(20))
    assert all(each.problem is None and len(each.files) == 1 for each in outcomes)


def test_a_source_that_takes_one_at_a_time_does_not_hold_up_the_others(tmp_path: Path) -> None:
    others_done = threading.Event()
    seen: list[str] = []
    lock = threading.Lock()
    running = most = 0

    def slow(_: Any, name: str, __: Path) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        # It waits until all of the other source is done: with every thread stuck here that never comes.
        assert others_done.wait(30)
        with lock:
            running -= 1

    def quick(_: Any, name: str, __: Path) -> None:
        with lock:
            seen.append(name)
            if len(seen) == 10:
                others_done.set()

    with workshop(tmp_path, slow=source("slow", slow), quick=source("quick", quick)) as tasks:
        waiting = [*tasks("slow", 6), *tasks("quick", 10)]
        outcomes = all_of(Crew(3, {"slow": 1}), waiting)
    assert len(outcomes) == 16
    assert all(each.problem is None for each in outcomes)
    assert most == 1


def test_progress_names_the_task(tmp_path: Path) -> None:
    heard: list[tuple[str, int]] = []
    with workshop(tmp_path, one=source("one", lambda self, *_: self.context.progress(5))) as tasks:
        crew = Crew(1, note=lambda task, done, total: heard.append((task.material.id, done)))
        all_of(crew, tasks("one", 2))
    assert heard == [("0", 5), ("1", 5)]


def test_a_stop_gives_up_what_runs_at_its_next_byte_and_begins_nothing(tmp_path: Path) -> None:
    stop = threading.Event()
    fetched: list[str] = []

    def fetch(self: Any, name: str, into: Path) -> None:
        fetched.append(name)
        self.context.progress(1)
        stop.set()
        self.context.progress(1)
        raise AssertionError("it went on")

    with workshop(tmp_path, one=source("one", fetch)) as tasks:
        assert all_of(Crew(1, stop=stop), tasks("one", 9)) == []
    assert fetched == ["0"]


def test_what_waits_in_the_pool_does_not_begin_after_a_stop(tmp_path: Path) -> None:
    stop, fetched = threading.Event(), []
    with workshop(tmp_path, one=source("one", lambda self, name, into: fetched.append(name))) as tasks:
        stop.set()
        with pytest.raises(Stopped):
            Crew(1, stop=stop)._one(tasks("one", 1)[0])
    assert fetched == []


def test_a_fetch_that_hangs_is_left_behind_and_ends_at_its_next_byte(tmp_path: Path) -> None:
    stop, never, ended = threading.Event(), threading.Event(), threading.Event()

    def fetch(self: Any, name: str, into: Path) -> None:
        stop.set()
        never.wait(30)
        try:
            self.context.progress(1)
        except BaseException:
            ended.set()
            raise

    with workshop(tmp_path, one=source("one", fetch)) as tasks:
        assert all_of(Crew(1, stop=stop, grace=0.0), tasks("one", 1)) == []
        never.set()
        assert ended.wait(30)


def test_outcomes_that_come_close_together_come_together(tmp_path: Path) -> None:
    with workshop(tmp_path, one=source("one", lambda *_: None)) as tasks:
        batches = [len(each) for each in Crew(2, clock=lambda: 0.0).outcomes(tasks("one", 9))]
    assert sum(batches) == 9


def test_ready_may_change_a_task_or_end_the_work(tmp_path: Path) -> None:
    turns = 0

    def ready(task: Task) -> Task | None:
        nonlocal turns
        turns += 1
        return None if turns > 3 else replace(task, reason="changed on its way")

    with workshop(tmp_path, one=source("one", lambda *_: None)) as tasks:
        outcomes = all_of(Crew(1, ready=ready), tasks("one", 9))
    assert [each.task.reason for each in outcomes] == ["changed on its way"] * 3
