"""`archive doctor`: one page that can be pasted anywhere."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from archiver import config
from archiver.cli import execute
from archiver.config import ArchiveSettings, Config, SinkSpec
from archiver.contracts import Options
from archiver.doctor import Level, Line, examine
from archiver.doctor import machine as machines
from archiver.doctor.knock import refused
from archiver.doctor.lines import safely
from archiver.doctor.places import _answered, clock, sinks
from archiver.doctor.setup import plugins
from archiver.doctor.shade import HOST, shade
from archiver.doctor.tools import OLD, _yt_dlp, told_version, tools
from archiver.registry import PluginInfo, Registry, State, load_plugins
from s3_servers import Server

TODAY = date(2026, 11, 22)
MARKER = "zq7marker"
HOSTS = ("mirror.internal-net.example", "mail.internal-net.example", "smtp.internal-net.example")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home" / f"{MARKER}-jane"
    home.mkdir(parents=True)
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "FLICKR_KEY": f"{MARKER}-flickr-key",
        "MAIL_PASSWORD": f"{MARKER}/mail+password",
        "MIRROR": f"https://{HOSTS[0]}:8443",
        "AWS_SECRET_ACCESS_KEY": f"{MARKER}-aws-secret",
        "HTTPS_PROXY": f"http://jane:{MARKER}-proxy@proxy.internal-net.example:3128",
        "GITHUB_TOKEN": f"{MARKER}-github",
    }


def content(folder: Path) -> dict[str, Any]:
    return {
        "archive": {"title": "A tour"},
        "sinks": {"local": {"type": "disk", "path": str(folder / "archive")}},
        "sources": {
            "photos": {"type": "flickr", "api_key": "${FLICKR_KEY}"},
            "decks": {"type": "speakerdeck", "base_url": "${MIRROR}"},
            "inbox": {
                "type": "email", "imap": HOSTS[1], "username": f"{MARKER}-user@example.org",
                "password": "${MAIL_PASSWORD}",
            },
        },
        "mail": {
            "from": "COSUG <slides@example.org>",
            "smtp": {"host": HOSTS[2], "username": "cosug", "password": f"{MARKER}-in-the-open"},
        },
        "events": [
            {
                "id": "beijing",
                "title": "Beijing Stop",
                "sources": [{"use": "inbox"}, {"use": "decks", "user": "cosug"}],
            }
        ],
    }  # fmt: skip


@pytest.fixture
def file(environ: dict[str, str]) -> Path:
    folder = Path(environ["HOME"]) / "tour"
    folder.mkdir()
    path = folder / "archive.yaml"
    path.write_text(yaml.safe_dump(content(folder), sort_keys=False), encoding="utf-8")
    return path


def found(lines: tuple[Line, ...], subject: str) -> Line:
    return next(line for line in lines if line.subject == subject)


def page(lines: tuple[Line, ...]) -> str:
    return "\n".join(f"{line.level} {line.subject} {line.text} {line.hint}" for line in lines)


def test_a_healthy_page(file: Path, environ: dict[str, str]) -> None:
    visit = examine(file, environ, today=TODAY)
    assert visit.healthy, page(visit.lines)
    assert "right: 1 event, 0 talks, 3 sources, 1 sink" in found(visit.lines, "configuration").text
    photos = found(visit.lines, "source photos")
    assert (photos.level, photos.text) == (Level.WARN, "type flickr, used 0 times; api_key set")
    assert "password set" in found(visit.lines, "source inbox").text
    assert found(visit.lines, "source decks").text == "type speakerdeck, used 1 times; needs no credentials"
    assert found(visit.lines, "proxies").text == "variables set: HTTPS_PROXY"
    sink = [line.text for line in visit.lines if line.subject == "sink local"]
    assert sink[0] == "type disk, internal: can be used; needs no credentials"
    assert sink[1] == "honours all that is asked of it"
    assert "free of" in sink[2]
    assert "~/tour/archive" in sink[2]


def test_no_secret_no_host_and_no_home_is_on_it(file: Path, environ: dict[str, str]) -> None:
    text = page(examine(file, environ, today=TODAY).lines)
    assert MARKER not in text
    assert "internal-net" not in text
    for broken in (
        "sinks: [",
        "soures: {}\n",
        "archive: {title: [1}}\n",
        "events:\n  - id: Über\n",
        "\t\x00",
    ):
        file.write_text(file.read_text(encoding="utf-8") + "\n" + broken, encoding="utf-8")
        visit = examine(file, environ, today=TODAY)
        assert not visit.healthy
        assert MARKER not in page(visit.lines), broken
        assert "internal-net" not in page(visit.lines), broken
        assert found(visit.lines, "configuration").level is Level.BAD
        assert found(visit.lines, "program").level is Level.OK


WRONG = [
    ("password", f"{MARKER}-flow", "sources: {inbox: {type: email, password: %s, imap: 7"),
    ("password", f"{MARKER}-x", "sources:\n  inbox: {type: emial, password: '%s'}\n"),
    ("api_key", f"{MARKER}-y", "sources:\n  photos:\n    type: flickr\n    api_key: [%s]\n"),
    ("secret_key", f"{MARKER} with words", 'sinks:\n  c: {type: s3, bucket: b, secret_key: "%s"}\n'),
]


@pytest.mark.parametrize(("name", "value", "text"), WRONG)
def test_what_is_written_in_the_open_stays_out_of_complaints(
    name: str, value: str, text: str, tmp_path: Path
) -> None:
    del name
    path = tmp_path / "archive.yaml"
    path.write_text(text % value, encoding="utf-8")
    visit = examine(path, {"HOME": str(tmp_path)}, today=TODAY)
    assert found(visit.lines, "configuration").level is Level.BAD
    assert MARKER not in page(visit.lines)


def test_without_a_configuration_the_rest_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["doctor", "-c", str(tmp_path / "none.yaml")]) == 0
    told = capsys.readouterr().out
    assert "warn configuration: there is none here" in told
    assert "What to do: write one with `archive init`" in told
    assert "ok   program: event-archiver" in told
    assert execute(["doctor", "-c", str(tmp_path)]) == 1
    assert "bad  configuration: " in capsys.readouterr().out


def test_the_command_in_a_process_of_its_own(file: Path, environ: dict[str, str]) -> None:
    """Nothing but what the page itself says: the real environment of a real process, stderr too."""
    paths = [str(Path(__file__).parents[3] / name) for name in ("src", "plugins")]
    command = [sys.executable, "-m", "archiver", "doctor", "-c", str(file), "--json"]
    whole = {**environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(command, env=whole, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["ok"] is True
    assert MARKER not in done.stdout + done.stderr
    assert "internal-net" not in done.stdout + done.stderr


@pytest.mark.parametrize("hosts", [False, True])
def test_hosts_are_told_on_request_and_secrets_never(
    file: Path, environ: dict[str, str], hosts: bool
) -> None:
    registry = load_plugins()
    tone = shade(config.load(file, registry, environ), file, environ, hosts=hosts)
    for host in (*HOSTS, "10.1.2.3", "10.1.2.3:9000"):
        shown = tone.text(f"{host} did not answer: http://{host}/x?token={MARKER}, {MARKER}/mail+password")
        assert (host in shown) is hosts
        assert MARKER not in shown
        assert hosts or HOST in shown
    assert tone.text("pip install yt-dlp 2026.10.26") == "pip install yt-dlp 2026.10.26"


@pytest.mark.parametrize("hosts", [False, True])
def test_buckets_and_folders_outside_of_the_home_are_told_on_request(
    file: Path, environ: dict[str, str], tmp_path: Path, hosts: bool
) -> None:
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    inside, outside = data["sinks"]["local"]["path"], tmp_path / "acme corp" / "tours"
    (tmp_path / "acme corp").write_text("no folder")
    data["sinks"] = {
        "local": {"type": "disk", "path": str(outside)},
        "home": {"type": "disk", "path": inside},
        "cloud": {"type": "s3", "bucket": "acme-events", "prefix": "2012"},
        "short": {"type": "s3", "bucket": "archive"},
    }
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    registry = load_plugins()
    tone = shade(config.load(file, registry, environ), file, environ, hosts=hosts)
    told = tone.text(f"{outside}/ocfl: sink cloud (acme-events/2012): no; sink short (archive): no; {inside}")
    if hosts:
        assert str(outside) in told
        assert "(acme-events/2012)" in told
        return
    assert told == (
        "…/tours/ocfl: sink cloud (<bucket>/<prefix>): no; sink short (<bucket>): no; ~/tour/archive"
    )
    # A bucket that is called like the command takes the command out of no hint.
    for text in ("see `archive check`", f"{Path('/usr/bin/ffmpeg')}", "12.0 GB free of 20.0 GB at /tmp"):
        assert tone.text(text) == text
    assert tone.text(f"{tmp_path / 'acme corp'} is no folder") == "…/acme corp is no folder"


def test_no_line_of_a_page_tells_where_the_archive_lies(
    file: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    data["sinks"]["local"]["path"] = str(tmp_path / "acme-corp" / "tours")
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    lines = examine(file, environ, today=TODAY).lines
    assert "acme-corp" not in page(lines)
    assert "at …/tours" in page(lines)
    assert str(tmp_path / "acme-corp" / "tours") in page(examine(file, environ, hosts=True).lines)


def test_a_real_store_tells_what_it_honours_and_what_time_it_is(
    file: Path, environ: dict[str, str], seaweed_store: Server
) -> None:
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    data["sinks"] = {
        "cloud": {
            "type": "s3", "bucket": seaweed_store.bucket(), "endpoint_url": seaweed_store.url,
            "addressing": "path", "access_key": seaweed_store.key, "secret_key": seaweed_store.secret,
        }
    }  # fmt: skip
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    visit = examine(file, environ, today=TODAY)
    told = [line for line in visit.lines if line.subject == "sink cloud"]
    assert [line.level for line in told] == [Level.OK] * 3, told
    assert "can be used; access_key set, secret_key set, session_token not set" in told[0].text
    assert "seconds apart" in told[2].text
    assert seaweed_store.secret not in page(visit.lines)


@pytest.mark.parametrize(
    ("there", "level"), [(1000.0, "ok"), (1029.0, "ok"), (969.0, "warn"), (99.0, "bad"), (None, "warn")]
)
def test_clocks(there: float | None, level: str) -> None:
    line = clock("sink cloud", there, lambda: 1000.0)
    assert line.level == level
    assert bool(line.hint) == (level != "ok")


def test_a_sink_that_never_answers_holds_up_nothing() -> None:
    begun = time.monotonic()
    (line,) = _answered(SinkSpec("cloud", "s3", Options()), Future(), 0.01)
    assert (line.level, line.subject) == (Level.BAD, "sink cloud")
    assert time.monotonic() - begun < 20


class Store(Options):
    bucket: str = ""
    endpoint_url: str = ""


class TestKnocking:
    """A closed port is told at once; everything else the sink says itself."""

    @pytest.fixture(autouse=True)
    def direct(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)

    @pytest.fixture
    def closed(self) -> str:
        with socket.create_server(("127.0.0.1", 0)) as server:
            return f"http://127.0.0.1:{server.getsockname()[1]}"

    def test_a_closed_port_is_one_line_and_no_library_is_asked(self, closed: str, tmp_path: Path) -> None:
        spec = SinkSpec("cloud", "s3", Store(endpoint_url=closed))
        plain = ArchiveSettings("T")
        made = Config(tmp_path / "a.yaml", tmp_path, plain, (spec,), (), ())
        # The registry has no type s3: whoever asked for the sink would get another complaint.
        (line,) = sinks(made, Registry((), {}, {}, load_plugins()._manager))
        assert (line.level, line.subject) == (Level.BAD, "sink cloud")
        assert "refuses connections: nothing listens at its endpoint_url" in line.text
        assert closed.removeprefix("http://") not in line.text + line.hint

    @pytest.mark.parametrize("url", ["", "no address", "http://[x", "http://127.0.0.1:99999", "ftp://x"])
    def test_what_cannot_be_asked_is_not_refused(self, url: str) -> None:
        assert refused(Store(bucket="http://127.0.0.1:1", endpoint_url=url)) == ""

    def test_an_open_port_is_not(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            assert refused(Store(endpoint_url=f"http://127.0.0.1:{port}")) == ""

    def test_behind_a_proxy_nobody_is_asked(self, closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
        assert refused(Store(endpoint_url=closed)) == "endpoint_url"
        monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
        assert refused(Store(endpoint_url=closed)) == ""
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert refused(Store(endpoint_url=closed)) == "endpoint_url"


def test_what_a_look_breaks_on_is_a_line() -> None:
    def broken() -> Iterator[Line]:
        yield Line(Level.OK, "first", "is fine")
        raise OSError("no such device")

    first, second = safely("disks", broken)
    assert first.subject == "first"
    assert (second.level, second.subject) == (Level.WARN, "disks")
    assert "OSError: no such device" in second.text


def test_plugins_in_quarantine_say_why() -> None:
    import pluggy

    state = PluginInfo("dropbox", (), (), "0.3", "archiver-dropbox", None, State.QUARANTINED, "no module box")
    other = PluginInfo("idle", (), (), "1.0", "archiver-idle", None, State.DISABLED, "not named")
    old = PluginInfo(
        "old", ("source",), ("old",), "1", "archiver-old", 1, State.OK, "interface 1 runs for now"
    )
    lines = list(plugins(Registry([state, other, old], {}, {}, pluggy.PluginManager("archiver"))))
    levels = {line.subject: line.level for line in lines}
    assert levels["plugin dropbox"] is Level.BAD
    assert levels["plugin idle"] is Level.OK
    assert levels["plugin old"] is Level.WARN
    assert "in quarantine: no module box" in found(tuple(lines), "plugin dropbox").text


def test_an_old_yt_dlp_is_named() -> None:
    number = machines.version("yt-dlp")
    year, month, day = map(int, number.split(".")[:3])
    released = date(year, month, day).toordinal()
    (fresh,) = _yt_dlp(date.fromordinal(released + OLD))
    (old,) = _yt_dlp(date.fromordinal(released + OLD + 1))
    assert (fresh.level, old.level) == (Level.OK, Level.WARN)
    assert f"{OLD + 1} days old" in old.text
    assert "pip install --upgrade yt-dlp" in old.hint


def test_missing_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    lines = tuple(tools(None, TODAY))
    assert found(lines, "ffprobe").level is Level.WARN
    assert "deno" in found(lines, "javascript").text
    deno = tmp_path / "deno"
    deno.write_text("#!/bin/sh\necho 'deno 1.46.3 (stable)'\n", encoding="utf-8")
    deno.chmod(0o755)
    told = found(tuple(tools(None, TODAY)), "javascript")
    assert "deno 1.46.3" in told.text
    assert told.level is Level.WARN
    deno.write_text("not a program at all", encoding="utf-8")
    assert "does not run" in told_version(str(deno), "--version")


def test_what_no_source_needs_is_no_worry(
    file: Path, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told = found(examine(file, environ, today=TODAY).lines, "javascript")
    assert told.level is Level.OK
    assert told.text.endswith("no source here uses it")


def test_room_on_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machines.room("staging", tmp_path / "not" / "yet", "free some").level is Level.OK
    monkeypatch.setattr(machines, "LITTLE", 1 << 62)
    assert machines.room("staging", tmp_path, "free some").level is Level.WARN
    monkeypatch.setattr(machines, "NONE", 1 << 62)
    line = machines.room("staging", tmp_path, "free some")
    assert (line.level, line.hint) == (Level.BAD, "free some")


def test_few_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = machines.files()
    assert line.level is Level.OK
    monkeypatch.setattr(machines, "FILES", 1 << 40)
    (line,) = machines.files()
    assert (line.level, "ulimit -n" in line.hint) == (Level.WARN, True)


secrets = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=8, max_size=40)


@given(secrets.filter(lambda text: text.strip() == text and not text.startswith("/")), st.text(max_size=30))
def test_a_secret_of_the_environment_is_in_no_line(secret: str, around: str) -> None:
    tone = shade(None, Path("/nonexistent"), {"MY_TOKEN": secret})
    line = tone(Line(Level.BAD, around, f"{around} {secret} {around}", f"see {secret}"))
    assert secret not in line.text.replace("***", "")
    assert secret not in line.hint.replace("***", "")


@given(st.from_regex(r"[a-z]{3,12}\.internal\.example", fullmatch=True), st.integers(1, 65535))
def test_a_host_in_any_address_is_in_no_line(host: str, port: int) -> None:
    tone = shade(None, Path("/nonexistent"), {"S3_ENDPOINT": f"http://{host}:{port}/x"})
    for text in (f"http://{host}:{port}/path failed", f"no route to {host}", f"({host}:{port})", f"{host}."):
        assert host not in tone.text(text)
