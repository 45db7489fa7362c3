"""Files are looked into in a process of its own, and what goes wrong there stays there."""

from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from archiver import derive, media
from archiver.errors import InvalidError
from archiver.examine import Children, Examiner, Limits
from archiver.media import types
from archiver.model import Kind, Role

PHOTO = (Kind.PHOTO, Role.ORIGINAL)


@pytest.fixture
def examiner() -> Iterator[Examiner]:
    made = Examiner()
    yield made
    made.close()


def children_of(pid: int) -> set[int]:
    """List the processes that this one started and has not yet buried."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(number) for path in found for number in path.read_text().split()}


def picture(path: Path, size: tuple[int, int] = (64, 48), kind: str = "JPEG") -> Path:
    Image.new("RGB", size, (200, 30, 60)).save(path, kind)
    return path


def bomb(path: Path, side: int) -> Path:
    """Write a PNG of a few kilobytes that unpacks to `side` squared pixels."""
    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(bytes(side * 3 + 1)) for _ in range(side)) + rows.flush()
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "PNG")
    start = buffer.getvalue()

    def chunk(name: bytes, body: bytes) -> bytes:
        whole = name + body
        return len(body).to_bytes(4, "big") + whole + zlib.crc32(whole).to_bytes(4, "big")

    sides = side.to_bytes(4, "big") * 2
    head = chunk(b"IHDR", sides + start[24:29])
    path.write_bytes(start[:8] + head + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    return path


def test_the_answers_are_those_of_the_process_itself(examiner: Examiner, tmp_path: Path) -> None:
    photo = picture(tmp_path / "北京 1.jpg")
    page = tmp_path / "report.html"
    page.write_text("<!doctype html><title>云计算</title><p>Swift 架构", "utf-8")
    assert examiner.verify(photo, *PHOTO) == media.verify(photo, *PHOTO) == "image/jpeg"
    assert examiner.text(page, types.HTML) == derive.text(page, types.HTML) == "云计算\nSwift 架构"
    assert examiner.text(photo, "image/jpeg") is None


def test_a_refusal_comes_with_its_reason_and_advice(examiner: Examiner, tmp_path: Path) -> None:
    page = tmp_path / "deck.pdf"
    page.write_text("<!doctype html><title>Log in</title><form>", "utf-8")
    with pytest.raises(InvalidError) as expected:
        media.verify(page, Kind.SLIDES, Role.ORIGINAL)
    with pytest.raises(InvalidError) as told:
        examiner.verify(page, Kind.SLIDES, Role.ORIGINAL)
    assert (told.value.message, told.value.hint) == (expected.value.message, expected.value.hint)


def test_what_is_noted_on_a_file_is_passed_on(
    examiner: Examiner, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torn = tmp_path / "deck.pptx"
    torn.write_bytes(b"PK\x03\x04 not a deck")
    with caplog.at_level("INFO", logger="archiver"):
        assert examiner.text(torn, types.PPTX) is None
    assert "No text could be read" in caplog.text


def test_a_file_that_is_not_there_is_an_error_of_the_disk(examiner: Examiner, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        examiner.verify(tmp_path / "none.jpg", *PHOTO)


def test_a_picture_that_unpacks_to_more_than_is_allowed_costs_itself_only(tmp_path: Path) -> None:
    small = Examiner(Children(Limits(memory=320 << 20)))
    try:
        trap = bomb(tmp_path / "trap.png", 9_000)
        assert trap.stat().st_size < 2_000_000
        with pytest.raises(InvalidError, match="more memory"):
            small.verify(trap, *PHOTO)
        assert small.verify(picture(tmp_path / "good.jpg"), *PHOTO) == "image/jpeg"
    finally:
        small.close()


def test_a_file_that_takes_for_ever_is_given_up(tmp_path: Path) -> None:
    hasty = Examiner(Children(Limits(seconds=0.001, bytes_a_second=1 << 40)))
    try:
        # Some hundred million pixels take seconds; the limit of CPU counts in whole ones.
        with pytest.raises(InvalidError, match="within"):
            hasty.verify(bomb(tmp_path / "slow.png", 10_000), *PHOTO)
    finally:
        hasty.close()


def test_a_child_that_is_killed_is_replaced(tmp_path: Path) -> None:
    children = Children(count=1)
    examiner = Examiner(children)
    photo = picture(tmp_path / "a.jpg")
    try:
        before = children_of(os.getpid())
        examiner.verify(photo, *PHOTO)
        (child,) = children_of(os.getpid()) - before
        os.kill(child, signal.SIGKILL)
        with pytest.raises(InvalidError, match="SIGKILL"):
            examiner.verify(photo, *PHOTO)
        assert examiner.verify(photo, *PHOTO) == "image/jpeg"
    finally:
        examiner.close()
    assert children_of(os.getpid()) == before


def test_many_threads_get_their_own_answers(examiner: Examiner, tmp_path: Path) -> None:
    kinds = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "BMP": "image/bmp"}
    paths = [(picture(tmp_path / f"{n}-{kind}", kind=kind), kinds[kind]) for n in range(20) for kind in kinds]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda each: examiner.verify(each[0], *PHOTO), paths))
    assert told == [media_type for _, media_type in paths]


def test_a_child_makes_room_for_a_fresh_one_after_its_share(tmp_path: Path) -> None:
    examiner = Examiner(Children(Limits(uses=2), count=1))
    photo, seen = picture(tmp_path / "a.jpg"), set()
    before = children_of(os.getpid())
    try:
        for _ in range(5):
            examiner.verify(photo, *PHOTO)
            seen |= children_of(os.getpid()) - before
    finally:
        examiner.close()
    assert len(seen) >= 2


def test_the_children_end_with_a_killed_parent(tmp_path: Path) -> None:
    photo = picture(tmp_path / "a.jpg")
    program = (
        "import os, signal, sys; from pathlib import Path; from archiver import examine\n"
        "from archiver.model import Kind, Role\n"
        f"examine.verify(Path({str(photo)!r}), Kind.PHOTO, Role.ORIGINAL)\n"
        "print(open(f'/proc/self/task/{os.getpid()}/children').read()); sys.stdout.flush()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    (child,) = map(int, done.stdout.split())
    ended = os.pidfd_open(child) if Path(f"/proc/{child}").exists() else None
    if ended is not None:
        poll = select.poll()
        poll.register(ended)
        assert poll.poll(20_000), "the child is still there"
        os.close(ended)
