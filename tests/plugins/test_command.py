"""The source `command` with programs that behave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from archiver import api
from archiver_plugins.command import Command, CommandOptions
from plugins.command_kit import DECK, EVENT, program, running

SECRET = "s3cr3t-of-the-service"


def listing(member: str) -> str:
    """Give the behaviour of a program that lists one material with this member."""
    return f"say(type='material', material={{'id': '1', 'kind': 'other', {member}}}); say(type='checkpoint')"


def test_what_is_listed_is_passed_on(tmp_path: Path) -> None:
    discover = """
    say(type='material', more='ignored', material={
        'id': '7', 'kind': 'slides', 'title': '讲稿', 'url': 'https://example.org/7', 'revision': 'r1',
        'event': 'beijing', 'talk': 'chef', 'authors': ['Junqiang Chen'], 'date': '2012-09-16',
        'description': 'd', 'licence': 'CC0', 'language': 'zh', 'tags': ['a'], 'size': 9,
        'extra': {'k': 'v'}})
    say(type='progress', done=5, total=9)
    say(type='unavailable', material={'id': '8', 'kind': 'video', 'size': None},
        error={'reason': 'gone', 'message': 'deleted'})
    say(type='checkpoint', cursor='c2', complete=True)
    """
    with running(program(discover=discover), tmp_path) as made:
        listed, lost, end = made.listing()
    assert listed == api.Material(
        "7",
        api.Kind.SLIDES,
        "讲稿",
        "https://example.org/7",
        "r1",
        "beijing",
        "chef",
        ("Junqiang Chen",),
        "2012-09-16",
        "d",
        "CC0",
        "zh",
        ("a",),
        9,
        {"k": "v"},
    )
    assert isinstance(lost.error, api.GoneError)
    assert lost.material.id == "8"
    assert end == api.Checkpoint("c2", complete=True)
    assert made.progress == [(5, 9)]


def test_a_program_is_told_what_is_configured(tmp_path: Path) -> None:
    keep = f"open({str(tmp_path / 'heard')!r}, 'a').write(line)"
    run = program(after=keep)
    with running(run, tmp_path, options={"album": "1", "deep": {"a": ["x"]}}) as made:
        made.listing("here", 3)
        made.fetch(tmp_path / "into", api.Material("one", api.Kind.SLIDES, 'a "title"\n', extra={"k": "v"}))
        # It writes down what it heard after it has answered.
        deadline = time.monotonic() + 20
        while (tmp_path / "heard").read_bytes().count(b"\n") < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    lines = (tmp_path / "heard").read_text("utf-8").splitlines()
    described, discover, fetch = map(json.loads, lines)
    assert described["protocol"] == [1]
    assert described["name"] == "decks"
    assert described["folder"] == str(tmp_path)
    assert described["options"] == {"album": "1", "deep": {"a": ["x"]}}
    assert (discover["cursor"], discover["limit"]) == ("here", 3)
    (entry,) = discover["entries"]
    assert entry["options"] == {"album": "1"}
    assert entry["event"]["id"] == EVENT.id
    assert entry["event"]["talks"] == [{"id": "chef", "title": "Chef", "speakers": ["Junqiang Chen"]}]
    assert "jq@example.org" not in lines[1]
    assert fetch["into"] == str(tmp_path / "into")
    assert fetch["material"]["extra"] == {"k": "v"}
    # What a shell script may rely on.
    assert lines[2].startswith(
        f'{{"id":3,"type":"fetch","into":"{tmp_path}/into","material":{{"id":"one","kind":'
    )


def test_files_come_with_what_the_program_says_of_them(tmp_path: Path) -> None:
    fetch = """
    os.mkdir(m['into'] + '/pages')
    open(m['into'] + '/pages/1.png', 'w').write('12345')
    say(type='material', material={'id': 'one', 'kind': 'slides', 'title': 'Better'})
    say(type='progress', done=2)
    say(type='file', path='pages/1.png', role='rendition', grade='pages', label='p001',
        media_type='image/png')
    say(type='done')
    """
    with running(program(fetch=fetch), tmp_path) as made:
        fuller, file = made.fetch(tmp_path / "into")
    assert fuller.title == "Better"
    assert file.path.name == "1.png"
    assert file == api.Fetched(
        file.path, api.Role.RENDITION, api.Grade.PAGES, label="p001", media_type="image/png"
    )
    assert sum(done for done, _ in made.progress) == 5


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("transient", api.TransientError),
        ("blocked", api.BlockedError),
        ("gone", api.GoneError),
        ("invalid", api.InvalidError),
        ("link", api.LinkOnlyError),
        ("fatal", api.FatalError),
    ],
)
def test_errors_have_their_reason(reason: str, kind: type[api.SourceError], tmp_path: Path) -> None:
    told = f"say(type='error', reason={reason!r}, message='no', hint='do', retry_after=7.5)"
    with running(program(discover=told, fetch=told), tmp_path) as made:
        acts: list[Callable[[], object]] = [made.listing, lambda: made.fetch(tmp_path / "into")]
        for act in acts:
            with pytest.raises(api.SourceError) as raised:
                act()
            assert type(raised.value) is kind
            assert str(raised.value) == "no (do)"
            assert getattr(raised.value, "retry_after", 7.5) == 7.5


def test_one_process_answers_many_requests(tmp_path: Path) -> None:
    fetch = "say(type='material', material={'id': str(os.getpid()), 'kind': 'slides'}); say(type='done')"
    failing = "say(type='error', reason='gone', message='no')"
    with running(program(discover=failing, fetch=fetch), tmp_path) as made:
        made.source.check()
        pids = [made.fetch(tmp_path / "into")[0].id for _ in range(2)]
        with pytest.raises(api.GoneError):
            made.listing()
        pids += [made.fetch(tmp_path / "into")[0].id]
    assert len(set(pids)) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "sys.exit()"), ("os.close(0)", "time.sleep(60)"), ("", "os.close(1); time.sleep(60)")],
)
def test_a_process_may_end_after_each_answer(before: str, after: str, tmp_path: Path) -> None:
    fetch = f"""
    say(type='material', material={{'id': str(os.getpid()), 'kind': 'slides'}})
    {before}
    say(type='done')
    """
    with running(program(fetch=fetch, after=f"if m['type'] == 'fetch': {after}"), tmp_path) as made:
        pids = [made.fetch(tmp_path / "into")[0].id for _ in range(2)]
    assert len(set(pids)) == 2


def test_as_many_processes_run_as_the_program_allows(tmp_path: Path) -> None:
    fetch = """
    open(os.path.join(m['material']['extra']['meet'], str(os.getpid())), 'w')
    while len(os.listdir(m['material']['extra']['meet'])) < 3: time.sleep(0.01)
    say(type='done')
    """
    describe = "say(type='described', protocol=1, max_fetches=3)"
    meet = tmp_path / "meet"
    meet.mkdir()
    material = api.Material("one", api.Kind.SLIDES, extra={"meet": str(meet)})
    with running(program(describe=describe, fetch=fetch), tmp_path) as made:
        made.source.check()
        assert made.source.max_fetches == 3
        assert Command.max_fetches == 8
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda number: made.fetch(tmp_path / f"into{number}", material), range(3)))
    assert len(list(meet.iterdir())) == 3


def test_no_more_processes_run_than_the_program_allows(tmp_path: Path) -> None:
    fetch = """
    os.mkdir(m['material']['extra']['only'])
    time.sleep(0.05)
    os.rmdir(m['material']['extra']['only'])
    say(type='done')
    """
    material = api.Material("one", api.Kind.SLIDES, extra={"only": str(tmp_path / "only")})
    with running(program(fetch=fetch), tmp_path) as made, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: made.fetch(tmp_path / f"into{number}", material), range(4)))


def test_a_version_is_agreed_on(tmp_path: Path) -> None:
    with (
        running(program(describe="say(type='described', protocol=2)"), tmp_path) as made,
        pytest.raises(api.FatalError, match=r"version 2 .* this archiver speaks 1"),
    ):
        made.source.check()


def test_nothing_starts_before_it_is_needed(tmp_path: Path) -> None:
    mark = tmp_path / "started"
    with running(program(begin=f"open({str(mark)!r}, 'w')"), tmp_path) as made:
        assert not mark.exists()
        made.source.check()
        assert mark.exists()


def test_the_environment_is_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    show = listing("'extra': dict(os.environ)")
    options = {"secrets": {"TOKEN": "tok"}, "environment": {"REGION": "cn"}}
    with running(program(discover=show), tmp_path, **options) as made:
        seen = dict(made.listing()[0].extra)
        home = Path(seen["HOME"])
        assert home.is_dir()
    assert not home.exists()
    seen.pop("LC_CTYPE", None)  # Python's own
    assert seen == {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "TMPDIR": str(home),
        "TOKEN": "tok",
        "REGION": "cn",
    }


def test_it_works_in_a_directory_of_its_own(tmp_path: Path) -> None:
    show = "say(type='material', material={'id': os.getcwd(), 'kind': 'other'}); say(type='checkpoint')"
    litter = "os.makedirs('a/b'); open('a/b/c', 'w'); os.symlink('/', 'a/link'); os.chmod('a', 0)"
    with running(program(begin=litter, discover=show), tmp_path) as made:
        home = Path(made.listing()[0].id)
        assert home != tmp_path
        assert home.is_dir()
    assert not home.exists()


def test_no_file_of_ours_is_open_in_it(tmp_path: Path) -> None:
    show = listing("'tags': sorted(os.listdir('/proc/self/fd'))")
    with (tmp_path / "ours").open("w") as ours, running(program(discover=show), tmp_path) as made:
        os.set_inheritable(ours.fileno(), True)
        assert made.listing()[0].tags == ("0", "1", "2", "3")  # 3 lists the directory


def test_what_it_logs_is_masked_and_bounded(tmp_path: Path) -> None:
    noise = f"""
    print('token is {SECRET}, https://u:p@example.org/?api_key=abcdef', file=sys.stderr)
    print('x' * 990 + '{SECRET}', file=sys.stderr)
    sys.stderr.buffer.write(b'\\xff\\x00odd\\n')
    for n in range(3000): print(n, file=sys.stderr)
    say(type='checkpoint')
    """
    with running(program(discover=noise), tmp_path, secrets={"TOKEN": SECRET}) as made:
        made.listing()
    lines = made.diary.lines
    assert lines[0] == "decks: token is ***, https://***@example.org/?api_key=***"
    assert SECRET[:8] not in "".join(lines)
    assert lines[2] == "decks: \ufffd\x00odd"
    assert len(lines) <= 2001
    assert "more than 2000 lines" in lines[-1]


def test_a_secret_of_several_lines_is_masked_line_by_line(tmp_path: Path) -> None:
    key = "-----BEGIN KEY-----\nabcdefghijkl\n-----END KEY-----\n"
    noise = "print(os.environ['KEY'], file=sys.stderr); say(type='checkpoint')"
    with running(program(discover=noise), tmp_path, secrets={"KEY": key}) as made:
        made.listing()
    assert set(made.diary.lines) == {"decks: ***"}


@pytest.mark.parametrize("field", ["id", "title", "url", "extra"])
def test_a_secret_reaches_no_material(field: str, tmp_path: Path) -> None:
    value = "{'k': 'a' + os.environ['TOKEN']}" if field == "extra" else "'a' + os.environ['TOKEN']"
    show = f"say(type='material', material={{'id': '1', 'kind': 'other', {field!r}: {value}}})"
    with (
        running(program(discover=show), tmp_path, secrets={"TOKEN": SECRET}) as made,
        pytest.raises(api.FatalError, match="one of its secrets into a message of type 'material'") as raised,
    ):
        made.listing()
    assert SECRET not in str(raised.value)


def test_paths_in_run_start_at_the_configuration(tmp_path: Path) -> None:
    tmp_path.joinpath("my.py").write_text("", "utf-8")
    tmp_path.joinpath("albums").mkdir()
    seen = listing("'tags': sys.argv[1:]")
    words = ["my.py", "albums", "./albums", "../other", "-x", "", "y" * 5000]
    with running([*program(discover=seen), *words], tmp_path) as made:
        found = made.listing()[0].tags
    assert found == (
        f"{tmp_path}/my.py",
        "albums",
        f"{tmp_path}/albums",
        f"{tmp_path}/../other",
        "-x",
        "",
        "y" * 5000,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"run": []},
        {"run": "sh folder.sh"},
        {"run": ["a\0b"]},
        {"run": ["sh"], "secrets": {"PATH": "x"}},
        {"run": ["sh"], "secrets": {"A=B": "x"}},
        {"run": ["sh"], "secrets": {"A": "x\0"}},
        {"run": ["sh"], "environment": {"HOME": "/"}},
        {"run": ["sh"], "environment": {"A": "\0"}},
        {"run": ["sh"], "timeout": 0},
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CommandOptions.model_validate(wrong)


@pytest.mark.parametrize("run", [["no-such-program-anywhere"], ["./missing.sh"], ["/"]])
def test_a_program_that_cannot_be_started_is_told(run: list[str], tmp_path: Path) -> None:
    with running(run, tmp_path) as made, pytest.raises(api.FatalError, match="could not be started"):
        made.source.check()


def test_a_listing_that_is_left_ends_its_program(tmp_path: Path) -> None:
    endless = "say(type='material', material={'id': str(os.getpid()), 'kind': 'other'}); time.sleep(60)"
    with running(program(discover=endless), tmp_path) as made:
        listing = made.source.discover(api.Scope(()), "")
        first = next(listing)
        assert isinstance(first, api.Material)
        listing.close()  # type: ignore[attr-defined]  # it is a generator
        with pytest.raises(ProcessLookupError):
            os.kill(int(first.id), 0)


def test_a_program_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Nobody closes the source: the interpreter's end does."""
    note = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    code = f"""
import sys; sys.path[:] = {sys.path!r}
from pathlib import Path
from plugins.command_kit import program, running
stack = running(program(begin={note!r}), Path({str(tmp_path)!r}))
stack.__enter__().source.check()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_closing_tells_whoever_still_reads(tmp_path: Path) -> None:
    started = threading.Event()
    told: list[Exception] = []
    hang = "say(type='progress', done=1); time.sleep(60)"
    with running(program(fetch=hang), tmp_path) as made:

        def read() -> None:
            try:
                for _ in made.source.fetch(DECK, tmp_path):
                    pass
            except api.SourceError as error:
                told.append(error)

        thread = threading.Thread(target=read)
        thread.start()
        while not made.progress and thread.is_alive():
            started.wait(0.01)
        made.source.close()
        thread.join(10)
    assert [type(error) for error in told] == [api.TransientError]
