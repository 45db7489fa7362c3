"""Programs that do what no program should: each costs its own request, and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from archiver import api, staging
from archiver.errors import InvalidError
from archiver.threads import Stopped
from archiver_plugins.command import Command, CommandOptions, process, strays, talk
from archiver_plugins.command.lines import MAX_LINE
from plugins.command_kit import DECK, NoHttp, program, running

BROKEN = "the program broke the protocol: "


def is_alive(pid: int) -> bool:
    """Say whether a process runs: one that is dead and waited for by nobody does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def gone(pid: int) -> bool:
    """Wait for a killed process to be gone."""
    until = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not is_alive(pid)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("raw(b'hello\\n')", "it wrote what is not JSON: 'hello'"),
        ("raw(b'\\n')", "it wrote what is not JSON"),
        ("raw(b'[1]\\n')", "it wrote JSON that is not an object"),
        ("raw(b'{\"id\": NaN}\\n')", "NaN is no JSON"),
        ('raw(b\'{"id": 2, "id": 2, "type": "checkpoint"}\\n\')', "a member is there twice"),
        ("raw(b'\\xff\\xfe\\n')", "it wrote what is not UTF-8"),
        ("raw(b'{\"id\": 2}\\x00\\n')", "it wrote what is not JSON"),
        ("raw(b'\\x00\\n')", "it wrote what is not JSON"),
        (
            'raw(b\'{"id": 2, "type": "checkpoint", "cursor": "\\\\ud800"}\\n\')',
            "it wrote half of a surrogate pair",
        ),
        ("raw(b'[' * 100000 + b'\\n')", "it wrote what is not JSON"),
        ("raw(b'1' * 5000 + b'\\n')", "it wrote what is not JSON"),
        (f"raw(b'x' * {MAX_LINE + 2})", "it wrote a line of more than 4194304 bytes"),
        ("while True: raw(b'x' * 65536)", "it wrote a line of more than 4194304 bytes"),
        ("say(id=1, type='checkpoint')", "it answered request 1 when it was asked request 2"),
        ("say(id=99, type='checkpoint')", "it answered request 99"),
        ("say(id='2', type='checkpoint')", "in its message, checkpoint.id is '2'"),
        ("say(id=True, type='checkpoint')", "checkpoint.id is True"),
        ('raw(b\'{"type": "checkpoint"}\\n\')', "Field required"),
        ("say(type='shout')", "does not match any of the expected tags"),
        ("say(kind='checkpoint')", "Unable to extract tag"),
        ("say(type='done')", "it answered 'discover' with a message of type 'done'"),
        ("say(type='described', protocol=1)", "it answered 'discover' with a message of type 'described'"),
        ("say(type='checkpoint', complete='yes')", "checkpoint.complete is 'yes'"),
        ("say(type='checkpoint', cursor=None)", "checkpoint.cursor is None"),
        ("say(type='material', material={'id': '', 'kind': 'slides'})", "material.material.id is ''"),
        ("say(type='material', material={'id': '1', 'kind': 'poem'})", "material.material.kind is 'poem'"),
        ("say(type='material', material={'id': '1', 'kind': 'slides', 'size': -1})", "size is -1"),
        ("say(type='material', material={'id': '1', 'kind': 'slides', 'extra': {'a': 1}})", "extra.a is 1"),
        ("say(type='material', material=7)", "material.material is 7"),
        ("say(type='error', reason='tired', message='')", "error.reason is 'tired'"),
        ("say(type='error', reason='transient', message='', retry_after=-1)", "retry_after is -1"),
        ("say(type='progress', done=-5)", "progress.done is -5"),
        ("say(type='progress', done=10**30)", "progress.done is 1000000"),
    ],
)
def test_what_is_not_the_protocol_is_an_error(said: str, told: str, tmp_path: Path) -> None:
    with running(program(discover=said), tmp_path) as made:
        with pytest.raises(api.FatalError) as raised:
            made.listing()
        assert BROKEN in raised.value.message
        assert told in raised.value.message
        assert len(raised.value.message) < 400
        assert raised.value.hint
        # The next request finds a fresh program.
        assert made.fetch(tmp_path / "into")


def test_messages_without_end_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "MAX_MESSAGES", 100)
    endless = "while True: say(type='progress', done=1)"
    with (
        running(program(fetch=endless), tmp_path) as made,
        pytest.raises(api.FatalError, match="more than 100 messages"),
    ):
        made.fetch(tmp_path / "into")


@pytest.mark.parametrize(
    "silence",
    [
        "time.sleep(60)",
        "while True: raw(b'x'); time.sleep(0.05)",
        "while True: print('x' * 5000, file=sys.stderr)",
        "os.close(2); time.sleep(60)",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
    ],
)
def test_a_program_that_never_ends_is_ended(silence: str, tmp_path: Path) -> None:
    begin = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    with (
        running(program(begin=begin, discover=silence), tmp_path, timeout=1.0) as made,
        pytest.raises(api.TransientError, match="said nothing for 1 seconds") as raised,
    ):
        made.listing()
    assert "timeout" in raised.value.hint
    assert gone(int((tmp_path / "pid").read_text()))


def test_each_message_begins_the_time_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take long in all; and how long its answers lie unread is not held against it."""
    four = f"""
    for n in range(4):
        while n and not os.path.exists({str(tmp_path)!r} + '/' + str(n)): time.sleep(0.005)
        say(type='material', material={{'id': str(n), 'kind': 'other'}})
    say(type='checkpoint')
    """
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=time.sleep)
    monkeypatch.setattr(process, "time", clock)
    with running(program(discover=four), tmp_path) as made:
        seen = []
        for item in made.source.discover(api.Scope(()), ""):
            seen.append(item)
            now[0] += 9.0  # of the ten that it may be silent
            tmp_path.joinpath(str(len(seen))).touch()
    assert len(seen) == 5


def test_silence_is_counted_while_it_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def monotonic() -> float:
        now[0] += 1.0 if listening else 0.0
        return now[0]

    listening: list[int] = []
    monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=monotonic, sleep=time.sleep))
    with running(program(fetch="time.sleep(60)"), tmp_path) as made:
        made.source.check()
        listening.append(1)
        with pytest.raises(api.TransientError, match="said nothing for 10 seconds"):
            made.fetch(tmp_path / "into")


@pytest.mark.parametrize(
    ("death", "told"),
    [
        ("sys.exit(3)", "ended with status 3"),
        ("sys.exit('the album is locked')", "ended with status 1: the album is locked"),
        ("os.kill(os.getpid(), 9)", "died of signal 9"),
        ("raw(b'{\"id\": 2, '); os._exit(0)", "ended with status 0"),
        ("raise ValueError('odd')", "ended with status 1: ValueError: odd"),
        ("os.close(1); time.sleep(60)", "closed its output"),
        (
            "subprocess.Popen(['sleep', '60']); print('with a child', file=sys.stderr); os._exit(4)",
            "ended with status 4: with a child",
        ),
    ],
)
def test_a_program_that_dies_half_way_may_be_asked_again(death: str, told: str, tmp_path: Path) -> None:
    half = f"say(type='material', material={{'id': 'one', 'kind': 'slides'}})\n{death}"
    with running(program(discover=half, fetch=half), tmp_path) as made:
        with pytest.raises(api.TransientError) as raised:
            made.listing()
        assert f"left its answer unfinished: it {told}" in raised.value.message
        with pytest.raises(api.TransientError, match="left its answer unfinished"):
            made.fetch(tmp_path / "into")


@pytest.mark.parametrize(
    "begin",
    ["sys.exit('no such album')", "os.close(0); sys.exit('no such album')", "raise OSError('no such album')"],
)
def test_a_program_that_dies_at_once_is_fatal(begin: str, tmp_path: Path) -> None:
    with (
        running(program(begin=begin), tmp_path) as made,
        pytest.raises(api.FatalError, match=r"did not say what it is: it .*no such album"),
    ):
        made.source.check()


def test_a_program_may_refuse_what_is_configured(tmp_path: Path) -> None:
    refuse = "say(type='error', reason='blocked', message='no album is named', hint='name one')"
    with running(program(describe=refuse), tmp_path) as made:
        for act in (made.source.check, made.listing):
            with pytest.raises(api.BlockedError, match="no album is named"):
                act()


KINDS = {
    "in the group": ("", ""),
    "in a session of its own": ("", ", start_new_session=True"),
    "without an environment": ("", ", start_new_session=True, env={}"),
    "deaf": ("import signal; signal.signal(15, signal.SIG_IGN); ", ", start_new_session=True"),
    "a daemon": ("os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); ", ""),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["done", "failed", "closed"])
def test_children_end_with_their_program(kind: str, how: str, tmp_path: Path) -> None:
    code, more = KINDS[kind]
    note = f"open({str(tmp_path)!r} + '/pid' + str(os.getpid()), 'w')"
    words = [sys.executable, "-I", "-S", "-c", f"import os, time; {code}{note}; time.sleep(60)"]
    start = f"subprocess.Popen({words!r}, stdin=subprocess.DEVNULL{more})"
    wait = f"while not any(n.startswith('pid') for n in os.listdir({str(tmp_path)!r})): time.sleep(0.01)"
    last = {"done": "say(type='done'); sys.exit()", "failed": "raw(b'x\\n')", "closed": "say(type='done')"}
    with running(program(fetch=f"{start}\n{wait}\n{last[how]}"), tmp_path) as made:
        if how == "failed":
            with pytest.raises(api.FatalError):
                made.fetch(tmp_path / "into")
        else:
            made.fetch(tmp_path / "into")
    pids = [int(path.name[3:]) for path in tmp_path.glob("pid*")]
    assert pids
    assert all(gone(pid) for pid in pids)


def test_only_what_belongs_to_the_program_is_ended(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        with running(program(), tmp_path) as made:
            made.listing()
        try:
            assert other.poll() is None
        finally:
            other.kill()


def test_a_stop_ends_the_program(tmp_path: Path) -> None:
    calls: list[int] = []

    def progress(done: int, total: int | None = None) -> None:
        del done, total
        calls.append(1)
        if len(calls) > 3:
            raise Stopped

    begin = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    context = api.Context("decks", tmp_path, cast("api.Http", NoHttp()), progress=progress)
    source = Command(
        CommandOptions.model_validate({"run": program(begin=begin, fetch="time.sleep(60)")}), context
    )
    with pytest.raises(Stopped):
        list(source.fetch(DECK, tmp_path))
    assert gone(int((tmp_path / "pid").read_text()))
    source.close()


def brought(made: Any, into: Path) -> list[Any]:
    """Fetch as the core does: what was named is then proven."""
    files = made.fetch(into)
    return staging.collect(into, files, api.Material("one", api.Kind.OTHER, "One"), "command")


@pytest.mark.parametrize(
    "path",
    [
        "'/etc/passwd'",
        "'../outside'",
        "'a/../../outside'",
        "'.'",
        "'./'",
        "'a\\0b'",
        "'missing'",
        "'deck/x'",
        "'x' * 3000",
    ],
)
def test_a_file_lies_inside(path: str, tmp_path: Path) -> None:
    tmp_path.joinpath("outside").write_text("private")
    fetch = f"open(m['into'] + '/deck', 'w').write('d'); say(type='file', path={path}); say(type='done')"
    with (
        running(program(fetch=fetch), tmp_path) as made,
        pytest.raises(InvalidError, match="the program named"),
    ):
        brought(made, tmp_path / "into")


@pytest.mark.parametrize(
    "make",
    [
        "os.symlink('{outside}', into + '/deck')",
        "os.symlink('missing', into + '/deck')",
        "os.symlink('{folder}', into + '/d'); name = 'd/outside'",
        "os.symlink('.', into + '/d'); open(into + '/deck', 'w').write('x'); name = 'd/deck'",
        "os.mkfifo(into + '/deck')",
        "os.mkdir(into + '/deck')",
        "import socket; socket.socket(socket.AF_UNIX).bind('deck'); os.rename('deck', into + '/deck')",
    ],
)
def test_a_file_is_a_plain_one(make: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("private")
    code = make.format(outside=outside, folder=tmp_path)
    fetch = f"into, name = m['into'], 'deck'\n{code}\nsay(type='file', path=name); say(type='done')"
    with (
        running(program(fetch=fetch), tmp_path) as made,
        pytest.raises(InvalidError, match=r"no plain file|no file of its own"),
    ):
        brought(made, tmp_path / "into")


def test_a_file_that_is_still_written_is_refused(tmp_path: Path) -> None:
    fetch = """
    kept = open(m['into'] + '/deck', 'w'); kept.write('half'); kept.flush()
    say(type='file', path='deck'); say(type='done')
    """
    with (
        running(program(fetch=fetch), tmp_path) as made,
        pytest.raises(InvalidError, match="while something still writes it"),
    ):
        made.fetch(tmp_path / "into")


def test_whoever_opens_a_file_after_it_was_named_writes_another(tmp_path: Path) -> None:
    fetch = """
    open(m['into'] + '/deck', 'w').write('whole')
    say(type='file', path='deck'); say(type='done')
    """
    with running(program(fetch=fetch), tmp_path) as made:
        (staged,) = brought(made, tmp_path / "into")
    with (tmp_path / "into" / "deck").open("a") as late:
        late.write("more")
    assert staged.local.read_text() == "whole"


def test_a_file_in_a_directory_that_may_not_be_changed(tmp_path: Path) -> None:
    fetch = """
    folder = m['into'] + '/d'
    os.mkdir(folder); open(folder + '/deck', 'w').write('deck'); os.chmod(folder, 0o555)
    say(type='file', path='d/deck'); say(type='done')
    """
    with running(program(fetch=fetch), tmp_path) as made:
        (staged,) = brought(made, tmp_path / "into")
    assert staged.local.read_text() == "deck"


def test_what_comes_after_the_end_is_told_of_and_costs_nothing(tmp_path: Path) -> None:
    # Both in one piece, so that no second one is still under way when the first is read.
    twice = (
        "raw((json.dumps({'id': m['id'], 'type': 'checkpoint', 'complete': True}) + chr(10)).encode() * 2)"
    )
    with running(program(discover=twice), tmp_path) as made:
        assert made.listing() == [api.Checkpoint(complete=True)]
        assert made.fetch(tmp_path / "into")
        assert [line for line in made.diary.lines if "after the last message" in line]


def test_one_file_named_twice_is_refused(tmp_path: Path) -> None:
    fetch = """
    open(m['into'] + '/deck', 'w').write('x')
    say(type='file', path='deck'); say(type='file', path='./deck'); say(type='done')
    """
    with running(program(fetch=fetch), tmp_path) as made, pytest.raises(InvalidError, match="twice"):
        brought(made, tmp_path / "into")


def test_a_second_name_of_a_file_of_ours_stays_ours(tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    ours.write_text("of somebody else")
    fetch = f"os.link({str(ours)!r}, m['into'] + '/deck'); say(type='file', path='deck'); say(type='done')"
    with running(program(fetch=fetch), tmp_path) as made:
        (staged,) = brought(made, tmp_path / "into")
    assert not staged.blob(movable=True).movable


def test_a_flood_of_files_is_bounded(tmp_path: Path) -> None:
    flood = 'while True: raw((b\'{"id":%d,"type":"file","path":"x"}\\n\' % m[\'id\']) * 1000)'
    with (
        running(program(fetch=flood), tmp_path) as made,
        pytest.raises(InvalidError, match="more than 20000 files"),
    ):
        made.fetch(tmp_path / "into")


def test_a_request_that_nobody_reads_ends(tmp_path: Path) -> None:
    """A program that takes no input fills the pipe: it is waited for, and no longer than `timeout`."""
    deaf = program(describe="say(type='described', protocol=1)\ntime.sleep(60)")
    material = api.Material("one", api.Kind.SLIDES, description="x" * 99_000)
    with (
        running(deaf, tmp_path, timeout=1.0) as made,
        pytest.raises(api.TransientError, match="said nothing"),
    ):
        made.fetch(tmp_path / "into", material)


@pytest.fixture
def bound_elsewhere() -> Iterator[int]:
    """Lend a port on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_it_inherits_no_connection(bound_elsewhere: int, tmp_path: Path) -> None:
    look = "say(type='checkpoint', cursor=str([n for n in os.listdir('/proc/self/fd') if int(n) > 3]))"
    with running(program(discover=look), tmp_path) as made:
        (end,) = made.listing()
    assert end.cursor == "[]", bound_elsewhere


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    acts: list[Callable[[Any], object]] = [
        lambda made: made.listing(),
        lambda made: made.fetch(tmp_path / "into"),
    ]
    for behaviour in ({}, {"discover": "raw(b'x\\n')"}, {"fetch": "sys.exit(1)"}, {"begin": "sys.exit(1)"}):
        with running(program(**behaviour), tmp_path) as made:
            for act in acts:
                try:
                    act(made)
                except api.SourceError:
                    continue
        assert list(scratch.iterdir()) == []


def test_clearing_follows_no_link(tmp_path: Path) -> None:
    outside, home = tmp_path / "outside", tmp_path / "home"
    outside.mkdir(mode=0o555)
    outside.joinpath("kept").touch() if os.geteuid() == 0 else None
    home.joinpath("a").mkdir(parents=True)
    home.joinpath("link").symlink_to(outside)
    home.joinpath("a/x").touch()
    home.joinpath("a").chmod(0o500)
    strays.clear(home)
    assert not home.exists()
    assert outside.stat().st_mode & 0o777 == 0o555
