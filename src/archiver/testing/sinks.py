"""What every sink has to do: the suite that the author of a sink runs against it.

    from archiver.testing.sinks import SinkContract

    class TestMySink(SinkContract):
        @pytest.fixture
        def sink(self, tmp_path):
            return MySink(MyOptions(...), Context("my", tmp_path, http=None))

The fixture makes a sink that holds nothing yet. It needs pytest, which the program itself does not.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from archiver.api import Blob, ConflictError, ExistsError, MissingError, Sink, SinkError

#: Keys that are safe and yet odd: scripts, spaces, dots, signs that shells or addresses give a meaning,
#: the longest name, upper and lower case apart.
ODD_KEYS = (
    "odd/部署-openstack-与-chef-3f9a2c41d07b.pdf",
    "odd/đường-dẫn/ﬁ-ligature/ملف.txt",
    "odd/a b+c&d=e;f@g,h(i)'j'!k~l$m#n%41%zz",
    "odd/.hidden/..almost/...",
    "odd/0=ocfl_1.1",
    "odd/" + "n" * 251 + ".pdf",
    "odd/" + "云" * 83 + ".x",
    "/".join(["odd", *(f"deep{n}" for n in range(40)), "leaf"]),
)
BIG = 64 << 20


def blob(data: bytes) -> Blob:
    """Wrap bytes in memory."""
    return Blob(len(data), hashlib.sha256(data).hexdigest(), data=data)


def file_blob(path: Path, data: bytes, *, movable: bool = False) -> Blob:
    """Write bytes to a file and wrap that."""
    path.write_bytes(data)
    return Blob(len(data), hashlib.sha256(data).hexdigest(), path=path, movable=movable)


def read(sink: Sink[Any], path: str, start: int = 0) -> bytes:
    """Read a value to its end."""
    with sink.open(path, start) as stream:
        return stream.read()


def paths(sink: Sink[Any], prefix: str) -> list[str]:
    """List paths in order, so that twins show."""
    return sorted(stat.path for stat in sink.list(prefix))


def race(number: int, task: Callable[[int], object]) -> list[object]:
    """Start `number` threads at once; give what each returned or the `SinkError` it raised."""
    barrier = threading.Barrier(number)

    def one(index: int) -> object:
        barrier.wait(30)
        try:
            return task(index)
        except SinkError as error:
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def _create(sinks: Sequence[Sink[Any]], path: str, index: int) -> object:
    return sinks[index].create(path, blob(b"by %d" % index))


def _swap(sinks: Sequence[Sink[Any]], token: str, index: int) -> object:
    return sinks[index].replace("lease", blob(b"by %d" % index), expected=token)


def _one_winner(results: Sequence[object], refusal: type[SinkError]) -> bytes:
    """Give the bytes of the only one that was not refused."""
    winners = [index for index, result in enumerate(results) if not isinstance(result, SinkError)]
    assert len(winners) == 1
    assert {type(result) for result in results if isinstance(result, SinkError)} == {refusal}
    return b"by %d" % winners[0]


class SinkContract:
    """The suite. Override `sink`; everything else is inherited. `many` is how many keys are many."""

    many: ClassVar[int] = 10_000

    @pytest.fixture
    def sink(self) -> Sink[Any]:
        """Make the sink under test, empty."""
        raise NotImplementedError("override the fixture `sink` to make the sink under test")

    def again(self, sink: Sink[Any]) -> Sink[Any]:
        """Make another instance on the same store, as the next run would."""
        return type(sink)(sink.options, sink.context)

    @pytest.fixture
    def ready(self, sink: Sink[Any]) -> Sink[Any]:
        """Give the sink as a run gets it."""
        sink.check()
        sink.prepare()
        return sink

    def test_check_leaves_no_trace(self, sink: Sink[Any]) -> None:
        """A check must not make anything."""
        sink.check()
        assert paths(sink, "") == []

    def test_what_is_created_can_be_read(self, ready: Sink[Any]) -> None:
        """Bytes come back as they were, here and in the next run."""
        made = ready.create("a/b.txt", blob(b"hello"))
        ready.flush()
        for each in (ready, self.again(ready)):
            assert read(each, "a/b.txt") == b"hello"
            assert each.stat("a/b.txt") == made
        assert (made.path, made.size) == ("a/b.txt", 5)
        assert made.token

    def test_an_empty_value(self, ready: Sink[Any]) -> None:
        """No bytes at all are a value too."""
        ready.create("empty", blob(b""))
        assert read(ready, "empty") == b""
        assert ready.stat("empty") is not None

    def test_created_from_a_file(self, ready: Sink[Any], tmp_path: Path) -> None:
        """A file that is not movable stays where it is."""
        source = tmp_path / "source"
        ready.create("from/file", file_blob(source, b"of a file"))
        assert read(ready, "from/file") == b"of a file"
        assert source.read_bytes() == b"of a file"

    @pytest.mark.parametrize("second", [b"first", b"other", b""])
    def test_created_once_only(self, ready: Sink[Any], second: bytes) -> None:
        """What is there stays, even when the same bytes come again."""
        ready.create("once", blob(b"first"))
        with pytest.raises(ExistsError):
            ready.create("once", blob(second))
        with pytest.raises(ExistsError):
            self.again(ready).create("once", blob(second))
        assert read(ready, "once") == b"first"

    def test_replace(self, ready: Sink[Any]) -> None:
        """A replaced value is the new one, and has another token."""
        first = ready.replace("r/value", blob(b"one"))
        second = ready.replace("r/value", blob(b"two"))
        assert read(ready, "r/value") == b"two"
        assert first.token != second.token
        assert ready.stat("r/value") == second

    def test_swap(self, ready: Sink[Any]) -> None:
        """A swap succeeds with the newest token, whether it came from a write, a look or a list."""
        token = ready.create("swap", blob(b"0")).token
        ready.replace("swap", blob(b"1"), expected=token)
        found = ready.stat("swap")
        assert found is not None
        ready.replace("swap", blob(b"2"), expected=found.token)
        ready.replace("swap", blob(b"last"), expected=next(iter(ready.list("swap"))).token)
        assert read(ready, "swap") == b"last"

    def test_swap_after_somebody_wrote(self, ready: Sink[Any]) -> None:
        """An old token is refused, and nothing changes."""
        old = ready.create("swap", blob(b"mine")).token
        self.again(ready).replace("swap", blob(b"hers"))
        with pytest.raises(ConflictError):
            ready.replace("swap", blob(b"mine again"), expected=old)
        assert read(ready, "swap") == b"hers"

    def test_swap_of_what_is_not_there(self, ready: Sink[Any]) -> None:
        """A token cannot match nothing."""
        token = ready.create("swap", blob(b"mine")).token
        with pytest.raises(ConflictError):
            ready.replace("nothing", blob(b"new"), expected=token)
        assert ready.stat("nothing") is None

    def test_missing(self, ready: Sink[Any]) -> None:
        """Nothing is there, beside and below of what is."""
        ready.create("m/there", blob(b"x"))
        for path in ("m/not", "m", "m/there/below", "other/folder/not"):
            assert ready.stat(path) is None
            with pytest.raises(MissingError):
                read(ready, path)

    @pytest.mark.parametrize(("start", "rest"), [(0, b"0123456789"), (4, b"456789"), (10, b""), (99, b"")])
    def test_open_from_an_offset(self, ready: Sink[Any], start: int, rest: bytes) -> None:
        """Reading begins where it was asked to; past the end there is nothing."""
        ready.create("offset", blob(b"0123456789"))
        assert read(ready, "offset", start) == rest

    def test_reads_in_pieces(self, ready: Sink[Any]) -> None:
        """A stream gives what it is asked for, and then the rest."""
        ready.create("pieces", blob(b"0123456789"))
        with ready.open("pieces") as stream:
            assert (stream.read(3), stream.read(3), stream.read(99), stream.read(1)) == (
                b"012",
                b"345",
                b"6789",
                b"",
            )

    @pytest.mark.parametrize("key", ODD_KEYS)
    def test_odd_keys(self, ready: Sink[Any], key: str) -> None:
        """Every safe path can be written, looked up, listed and read."""
        ready.create(key, blob(key.encode()))
        found = ready.stat(key)
        assert found is not None
        assert found.path == key
        assert paths(ready, "odd/") == [key]
        assert read(self.again(ready), key) == key.encode()

    def test_list_by_prefix(self, ready: Sink[Any]) -> None:
        """A prefix is letters, not a directory; `tmp` and the like do not show."""
        keys = ["l/a", "l/ab/c", "l/ab/d", "l/b", "la", "m/l/a"]
        for key in keys:
            ready.create(key, blob(key.encode()))
        expected = {
            "": keys,
            "l": ["l/a", "l/ab/c", "l/ab/d", "l/b", "la"],
            "l/": ["l/a", "l/ab/c", "l/ab/d", "l/b"],
            "l/a": ["l/a", "l/ab/c", "l/ab/d"],
            "l/ab/": ["l/ab/c", "l/ab/d"],
            "l/a/": [],
            "l/a/b/c": [],
            "nothing/": [],
        }
        assert {prefix: paths(ready, prefix) for prefix in expected} == expected

    def test_list_tells_what_stat_tells(self, ready: Sink[Any]) -> None:
        """Sizes and tokens agree."""
        for key in ("t/one", "t/two", "t/deep/three"):
            ready.create(key, blob(key.encode() * 3))
        assert all(ready.stat(each.path) == each for each in ready.list("t/"))

    def test_many_keys(self, ready: Sink[Any]) -> None:
        """Many more keys than fit on one page of a listing."""
        keys = [f"many/{number // 100:03}/{number:05}" for number in range(self.many)]

        def create(key: str) -> None:
            ready.create(key, blob(key.encode()))

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(create, keys))
        assert paths(ready, "many/") == keys
        assert paths(ready, "many/007/") == keys[700:800]

    def test_a_torn_write_leaves_nothing(self, ready: Sink[Any], tmp_path: Path) -> None:
        """A file that ends early or vanishes is not stored, and does not stand in the way of the next try."""
        whole = file_blob(tmp_path / "whole", b"0123456789" * 1000)
        half = replace(
            file_blob(tmp_path / "half", b"0123456789" * 500), size=whole.size, sha256=whole.sha256
        )
        gone = replace(whole, path=tmp_path / "vanished")
        ready.create("torn/held", blob(b"held"))
        for each in (half, gone):
            with pytest.raises((SinkError, OSError)):
                ready.create("torn/new", each)
            with pytest.raises((SinkError, OSError)):
                ready.replace("torn/held", each)
        assert paths(self.again(ready), "torn/") == ["torn/held"]
        assert read(ready, "torn/held") == b"held"
        ready.create("torn/new", whole)
        assert read(ready, "torn/new") == b"0123456789" * 1000

    def test_a_wrong_digest_is_refused(self, ready: Sink[Any], tmp_path: Path) -> None:
        """Bytes that are not what was announced are not stored, nor put over what is there."""
        ready.create("good", blob(b"good"))
        wrong = replace(blob(b"what came"), sha256=hashlib.sha256(b"what should have come").hexdigest())
        short = replace(blob(b"what came"), size=4)
        filed = replace(file_blob(tmp_path / "wrong", b"what came"), sha256=wrong.sha256)
        for each in (wrong, short, filed):
            with pytest.raises(SinkError):
                ready.create("bad", each)
            with pytest.raises(SinkError):
                ready.replace("good", each)
        assert ready.stat("bad") is None
        assert read(ready, "good") == b"good"
        ready.create("bad", blob(b"and then the right one"))

    def test_a_movable_file(self, ready: Sink[Any], tmp_path: Path) -> None:
        """It may be taken; what was stored does not depend on it any more."""
        source = tmp_path / "source"
        ready.create("moved", file_blob(source, b"take me", movable=True))
        if source.exists():
            source.write_bytes(b"changed later")
        assert read(ready, "moved") == b"take me"

    def test_a_movable_file_is_given_back(self, ready: Sink[Any], tmp_path: Path) -> None:
        """When it could not be stored, it is still there, whole."""
        ready.create("taken", blob(b"first"))
        source = tmp_path / "source"
        with pytest.raises(ExistsError):
            ready.create("taken", file_blob(source, b"second", movable=True))
        assert source.read_bytes() == b"second"
        with pytest.raises(SinkError):
            ready.create("short", replace(file_blob(source, b"third", movable=True), size=1))
        assert source.read_bytes() == b"third"
        with pytest.raises(ConflictError):
            ready.replace("taken", file_blob(source, b"fourth", movable=True), expected="no such token")
        assert source.read_bytes() == b"fourth"

    def test_a_big_value_in_little_memory(self, ready: Sink[Any], tmp_path: Path) -> None:
        """64 MB go through in pieces, both ways."""
        source, digest = tmp_path / "big", hashlib.sha256()
        with source.open("wb") as stream:
            for _ in range(BIG >> 20):
                chunk = os.urandom(1 << 20)
                stream.write(chunk)
                digest.update(chunk)
        tracemalloc.start()
        try:
            ready.create("big", Blob(BIG, digest.hexdigest(), path=source))
            found, size = hashlib.sha256(), 0
            with ready.open("big") as stream:
                while chunk := stream.read(1 << 20):
                    found.update(chunk)
                    size += len(chunk)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert (size, found.hexdigest()) == (BIG, digest.hexdigest())
        assert peak < BIG // 2

    def test_one_of_sixteen_creates_wins(self, ready: Sink[Any]) -> None:
        """Two runs that commit at once: exactly one has won, and its bytes are there."""
        others = [self.again(ready) for _ in range(16)]
        for path in (f"race/{turn}" for turn in range(5)):
            results = race(16, partial(_create, others, path))
            assert _one_winner(results, ExistsError) == read(ready, path)

    def test_one_of_sixteen_swaps_wins(self, ready: Sink[Any]) -> None:
        """Two runs that take over a lease at once: exactly one has it."""
        others = [self.again(ready) for _ in range(16)]
        token = ready.create("lease", blob(b"free")).token
        results = race(16, partial(_swap, others, token))
        assert _one_winner(results, ConflictError) == read(ready, "lease")

    def test_readers_see_whole_values(self, ready: Sink[Any]) -> None:
        """A value that is replaced again and again is always one of those written."""
        values = [bytes([letter]) * 200_000 for letter in b"abcdef"]
        ready.replace("whole", blob(values[0]))
        done = threading.Event()
        seen: set[bytes] = set()

        def look() -> None:
            while not done.is_set():
                seen.add(read(ready, "whole"))

        reader = threading.Thread(target=look)
        reader.start()
        for value in values * 5:
            ready.replace("whole", blob(value))
        done.set()
        reader.join(30)
        assert seen <= set(values)

    def test_flush(self, ready: Sink[Any]) -> None:
        """It can be asked for at any time, for what was written here and for what was found."""
        ready.flush()
        ready.create("f/one", blob(b"1"))
        ready.replace("f/two", blob(b"2"))
        ready.flush()
        ready.flush()
        other = self.again(ready)
        other.cover("f/one")
        other.flush()
        assert paths(other, "f/") == ["f/one", "f/two"]

    def test_prepare_keeps_what_is_stored(self, ready: Sink[Any]) -> None:
        """The next run begins with everything that the one before has left."""
        ready.create("ocfl/kept/v1/content/file", blob(b"kept"))
        ready.flush()
        other = self.again(ready)
        other.prepare()
        assert read(other, "ocfl/kept/v1/content/file") == b"kept"

    def test_two_handles_at_once(self, ready: Sink[Any]) -> None:
        """Streams do not share their place."""
        ready.create("two", blob(b"0123456789"))
        with contextlib.ExitStack() as stack:
            one, other = (stack.enter_context(ready.open("two")) for _ in range(2))
            assert (one.read(2), other.read(3), one.read(2)) == (b"01", b"012", b"23")
