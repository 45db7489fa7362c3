"""One task in, one outcome out: whose fault is whose."""

from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archiver import instances
from archiver.config import SinkSpec
from archiver.contracts import Context, Options, Source
from archiver.errors import GoneError, InvalidError, SinkError, SourceError, TransientError
from archiver.instances import Instances, Workshop
from archiver.model import Fetched, Kind, Material
from archiver.registry import Registry
from archiver.threads import Stopped
from archiver.work import Destination, Outcome, Task, work
from archiver_plugins.disk import DiskOptions, DiskSink
from line_kit import BrittleSink, failing_at, plugins
from media_samples import pdf

MATERIAL = Material("1", Kind.OTHER, title="Deck", event="a", revision="1")
Fetch = Callable[[Material, Path], Iterator[Any]]


def one_file(material: Material, into: Path) -> Iterator[Any]:
    (into / "f").write_bytes(b"text")
    yield Fetched(Path("f"))


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., Outcome]:
    """Work on one task with a given fetch, into the disk sinks `one` and `two`."""

    def run(fetch: Fetch = one_file, trouble: Any = None, **task: Any) -> Outcome:
        class Made(Source[Options, Options]):
            type_name = "made"

            def discover(self, scope: Any, cursor: str) -> Iterator[Any]:
                raise NotImplementedError

            def fetch(self, material: Material, into: Path) -> Iterator[Any]:
                return fetch(material, into)

        brittle = type("Brittle", (BrittleSink,), {"trouble": staticmethod(trouble)}) if trouble else DiskSink
        registry = Registry((), {}, {"disk": DiskSink, "brittle": brittle}, plugins()._manager)
        specs = tuple(
            SinkSpec(name, kind, DiskOptions(path=Path(name)))
            for name, kind in (("one", "disk"), ("two", "brittle"))
        )
        shop = Workshop(f"run-{tmp_path.name}", tmp_path, sinks=specs)
        context = Context("src", tmp_path, http=None)  # type: ignore[arg-type]  # no network
        made = Instances(shop, registry, given={"src": Made(Options(), context)})
        instances.share(made)
        content = "ocfl/a/v1/content/"
        given = Task(shop, "src", MATERIAL, "new", (Destination("one", content), Destination("two", content)))
        try:
            return work(replace(given, **task))
        finally:
            instances.forget(made)

    return run


def raising(error: BaseException) -> Fetch:
    def fetch(material: Material, into: Path) -> Iterator[Any]:
        raise error

    return fetch


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_bytes_go_to_every_sink(bench: Any, tmp_path: Path) -> None:
    outcome = bench()
    assert outcome.stored == ("one", "two")
    assert (outcome.size, outcome.problem) == (4, None)
    for sink in ("one", "two"):
        assert (tmp_path / sink / "ocfl/a/v1/content" / outcome.files[0].path).read_bytes() == b"text"


def test_text_is_kept_while_the_bytes_are_here(bench: Any, tmp_path: Path) -> None:
    def deck(material: Material, into: Path) -> Iterator[Any]:
        (into / "deck.pdf").write_bytes(pdf(["cookbooks"]))
        yield Fetched(Path("deck.pdf"))

    outcome = bench(deck, material=replace(MATERIAL, kind=Kind.SLIDES))
    made = f"derived/{outcome.files[0].sha256}/text-v1"
    text, digest = (tmp_path / "one" / name for name in (made, f"{made}.sha256"))
    assert "cookbooks" in text.read_text()
    assert digest.read_text() == f"{hashlib.sha256(text.read_bytes()).hexdigest()}  text-v1\n"


def test_what_a_sink_has_is_not_put_again(bench: Any, tmp_path: Path) -> None:
    first = bench()
    have = frozenset({first.files[0].path})
    outcome = bench(known=first.files, destinations=(Destination("one", "ocfl/a/v2/content/", have),))
    assert outcome.stored == ("one",)
    assert not (tmp_path / "one/ocfl/a/v2").exists()


@pytest.mark.parametrize("left", [b"text", b"te", b"other bytes"])
def test_what_a_killed_run_left_is_proven_or_written_again(bench: Any, tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "one/ocfl/a/v1/content" / bench().files[0].path
    path.write_bytes(left)
    assert bench().stored == ("one", "two")
    assert path.read_bytes() == b"text"


def test_a_sink_that_fails_does_not_take_the_other_with_it(bench: Any) -> None:
    outcome = bench(trouble=failing_at("content/"))
    assert outcome.stored == ("one",)
    assert list(outcome.sink_errors) == ["two"]
    assert outcome.problem is None


def test_bytes_that_change_on_their_way_are_no_fault_of_a_sink(bench: Any, tmp_path: Path) -> None:
    at_the_sink = threading.Event()
    left: list[threading.Thread] = []

    def leaving(material: Material, into: Path) -> Iterator[Any]:
        """Leave a thread behind that writes on when a sink is about to read."""

        def write() -> None:
            with (into / "f").open("ab") as file:
                at_the_sink.wait()
                file.write(b" and more")

        yield from one_file(material, into)
        left.append(threading.Thread(target=write))
        left[0].start()

    def wake(_: str) -> None:
        at_the_sink.set()
        left[0].join()

    outcome = bench(leaving, trouble=wake)
    assert outcome.problem is not None
    assert outcome.problem.reason == "invalid"
    assert "'f' changed after the source had brought it" in outcome.problem.detail
    assert (outcome.sink_errors, outcome.stored, outcome.transient) == ({}, (), False)
    assert bench().stored == ("one", "two")


@pytest.mark.parametrize(
    ("error", "reason", "transient"),
    [
        (InvalidError("half"), "invalid", False),
        (GoneError("404"), "gone", False),
        (TransientError("503"), "failed", True),
        (TransientError("429", retry_after=30), "failed", True),
        (TransientError("429", retry_after=3600), "failed", False),
        (ValueError("no JSON"), "failed", False),
        (SystemExit(1), "failed", False),
        (KeyboardInterrupt(), "failed", False),
        (SinkError("a plugin's confusion"), "failed", False),
        (TimeoutError("timed out"), "failed", False),
        (MemoryError(), "failed", False),
        (OSError(errno.ENOSPC, "full", "/elsewhere/cache"), "failed", False),
    ],
)
def test_whatever_a_fetch_raises_is_its_own_trouble(
    bench: Any, tmp_path: Path, error: BaseException, reason: str, transient: bool
) -> None:
    outcome = bench(raising(error), staging=tmp_path / "one/tmp", staging_sink="one")
    assert outcome.problem is not None
    assert (outcome.problem.reason, outcome.transient) == (reason, transient)
    assert outcome.problem.revision == "1"
    assert outcome.sink_errors == {}


def test_a_stop_goes_through(bench: Any) -> None:
    with pytest.raises(Stopped):
        bench(raising(Stopped()))


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_full_working_directory_inside_a_sink_is_that_sinks(
    bench: Any, tmp_path: Path, named: bool, wrapped: bool
) -> None:
    def fetch(material: Material, into: Path) -> Iterator[Any]:
        full = OSError(errno.ENOSPC, "No space left on device", *([str(into / "f")] if named else []))
        if wrapped:
            raise SourceError("could not write") from full
        raise full

    outcome = bench(fetch, staging=tmp_path / "two/tmp", staging_sink="two")
    assert outcome.problem is None
    assert list(outcome.sink_errors) == ["two"]
    assert "free some space" in outcome.sink_errors["two"].hint


def test_a_full_working_directory_of_its_own_is_told_with_the_next_step(bench: Any, tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    outcome = bench(raising(full), staging=tmp_path / "work")
    assert "`staging` under `archive`" in outcome.problem.detail
    assert outcome.sink_errors == {}


def test_a_working_directory_that_cannot_be_made_is_the_sinks(bench: Any, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/tmp").write_bytes(b"a file")
    outcome = bench(staging=tmp_path / "one/tmp", staging_sink="one")
    assert list(outcome.sink_errors) == ["one"]


def test_a_page_may_tell_more_but_not_become_another(bench: Any) -> None:
    def telling(**more: Any) -> Fetch:
        def fetch(material: Material, into: Path) -> Iterator[Any]:
            yield replace(material, **more)
            yield from one_file(material, into)

        return fetch

    outcome = bench(telling(title="Its real title", event="b", talk="swift"))
    assert (outcome.material.title, outcome.material.event, outcome.material.talk) == (
        "Its real title",
        "a",
        "swift",
    )
    assert "its-real-title" in outcome.files[0].path
    for more in ({"id": "2"}, {"title": None}, {"authors": "Ada"}):
        assert bench(telling(**more)).problem is not None


@pytest.mark.parametrize("garbage", [None, "f", 7])
def test_garbage_out_of_a_fetch_is_named(bench: Any, garbage: Any) -> None:
    outcome = bench(lambda *_: iter([garbage]))
    assert f"type {type(garbage).__name__} came instead of a Fetched" in outcome.problem.detail
    assert "it returned None" in bench(lambda *_: None).problem.detail


def test_nothing_is_left_in_the_working_directory(bench: Any, tmp_path: Path) -> None:
    from archiver import staging

    bench(staging=tmp_path / "work")
    bench(raising(ValueError()), staging=tmp_path / "work")
    staging.tidy()
    assert files(tmp_path / "work") == []
    assert list((tmp_path / "work").iterdir()) == []
