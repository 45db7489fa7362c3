"""Bad input and bad luck: a clear message with the next step, the right exit code, the archive intact."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import media_samples as samples
from archiver.cli import execute
from e2e_tour import Upstream

ROOT = Path(__file__).parents[2]


def project(folder: Path, extra: str = "", sink: str = "./archive") -> Path:
    """One event with a folder source."""
    config = folder / "archive.yaml"
    (folder / "incoming" / "stop").mkdir(parents=True, exist_ok=True)
    config.write_text(
        f"""
archive: {{title: A tour}}
sinks:
  local: {{type: disk, path: {json.dumps(sink)}}}
sources:
  inbox: {{type: folder, path: ./incoming}}
{extra}
events:
  - id: stop
    title: The stop
    talks: [{{title: One talk, speaker: Ada Fan}}]
    sources:
      - {{use: inbox, path: stop}}
""",
        encoding="utf-8",
    )
    return config


def drop(folder: Path, name: str, data: bytes) -> None:
    (folder / "incoming" / "stop" / name).write_bytes(data)


def run(config: Path, *options: str) -> int:
    return execute(["run", "-c", str(config), *options])


def archive(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "archiver", *arguments]


ENV = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'plugins'}"}


def valid(folder: Path) -> None:
    """Hold every object of an archive against an independent validator."""
    validator = shutil.which("ocfl-validate.py", path=str(Path(sys.executable).parent))
    assert validator
    objects = [path.parent for path in folder.glob("ocfl/*/0=ocfl_object_1.1")]
    assert objects
    for path in objects:
        done = subprocess.run(
            [sys.executable, validator, str(path)], capture_output=True, text=True, check=False
        )
        assert "is VALID" in done.stdout, done.stdout


def test_no_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "archive.yaml") == 2
    assert "archive init" in capsys.readouterr().err


def test_broken_yaml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = project(tmp_path)
    config.write_text("archive: {title: [\n", encoding="utf-8")
    assert run(config) == 2
    assert "archive.yaml:" in capsys.readouterr().err


def test_unknown_plugin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = project(tmp_path, "  decks: {type: slidesahre}")
    assert run(config) == 2
    assert "did you mean 'slideshare'" in capsys.readouterr().err.casefold()


def test_unreachable_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Nothing listens on the discard port; what the folder has is archived all the same.
    config = project(tmp_path, '  decks: {type: slideshare, base_url: "http://127.0.0.1:9"}')
    config.write_text(
        config.read_text().rstrip() + "\n      - {use: decks, user: someone}\n", encoding="utf-8"
    )
    drop(tmp_path, "One talk.pdf", samples.pdf(["One talk"]))
    assert run(config) == 1
    told = capsys.readouterr().err
    assert "Source decks could not be listed" in told
    assert "127.0.0.1" in told
    assert list((tmp_path / "archive").glob("ocfl/stop/v1/content/slides/one-talk-*.pdf"))


def test_zero_bytes_and_a_login_page_stay_pending_and_are_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = project(tmp_path)
    drop(tmp_path, "One talk.pdf", b"")
    drop(tmp_path, "other.pdf", samples.login_page())
    assert run(config) == 1
    told = capsys.readouterr().err
    assert "One talk" in told
    assert "empty" in told
    assert not list((tmp_path / "archive").glob("ocfl/stop/*/content/slides/*"))
    assert run(config, "--fail-on", "new") == 0  # known by now, and no new version for it
    assert not (tmp_path / "archive/ocfl/stop/v2").exists()
    drop(tmp_path, "One talk.pdf", samples.pdf(["One talk"]))
    drop(tmp_path, "other.pdf", samples.pdf(["Another"]))
    assert run(config) == 0
    assert len(list((tmp_path / "archive").glob("ocfl/stop/v2/content/slides/*.pdf"))) == 2
    valid(tmp_path / "archive")


@pytest.mark.parametrize(
    "name",
    [
        "a...pdf",
        "con.pdf",
        "a\nb.pdf",
        "<img src=x onerror=alert(1)>.pdf",
        "-rf --no-preserve-root.pdf",
        "\u202efdp.exe.pdf",
        "云" * 80 + ".pdf",
        "e\u0301te\u0301.pdf",
        "$(touch owned).pdf",
        "a\\..\\..\\b.pdf",
        "%2e%2e%2fetc.pdf",
    ],
)
def test_hostile_names_are_labels_only(name: str, tmp_path: Path) -> None:
    config = project(tmp_path)
    drop(tmp_path, name, samples.pdf(["hello"]))
    assert run(config) == 0
    stored = list((tmp_path / "archive").glob("ocfl/stop/v1/content/slides/*"))
    assert len(stored) == 1
    assert stored[0].read_bytes() == samples.pdf(["hello"])
    assert len(stored[0].name.encode()) <= 255
    outside = [
        path for path in tmp_path.iterdir() if path.name not in {"archive", "incoming", "archive.yaml"}
    ]
    assert not outside
    valid(tmp_path / "archive")


def test_a_name_that_is_not_unicode(tmp_path: Path) -> None:
    config = project(tmp_path)
    raw = os.fsencode(tmp_path) + b"/incoming/stop/\xc3\x28-\xff.pdf"
    with open(raw, "wb") as file:  # noqa: PTH123  # a path that is no text
        file.write(samples.pdf(["hello"]))
    assert run(config) == 0
    assert run(config) == 0
    assert len(list((tmp_path / "archive").glob("ocfl/stop/v1/content/slides/*"))) == 1


def in_namespace(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script where it may mount, seen by nobody else."""
    command = ["unshare", "--map-root-user", "--mount", "sh", "-ec", script, "sh", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=ENV, check=False)


def test_disk_full(tmp_path: Path) -> None:
    config = project(tmp_path, sink="./disk/archive")
    for number in range(8):
        drop(tmp_path, f"photo{number}.jpg", samples.jpeg(64, 64, (number, 0, 0)) + bytes(100_000))
    (tmp_path / "disk").mkdir()
    # A disk of 600 kB holds some of the photos; what it held is copied out to be looked at.
    done = in_namespace(
        'mount -t tmpfs -o size=600k none "$1/disk"; cd "$1"; rc=0;'
        '"$2" -m archiver run || rc=$?; cp -r disk/archive kept; mount -o remount,size=20m "$1/disk";'
        '"$2" -m archiver run || exit 9; cp -r disk/archive whole; exit $rc',
        str(tmp_path),
        sys.executable,
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert "No space left" in done.stderr
    assert "free some space" in done.stderr
    assert config.exists()
    assert len(list((tmp_path / "whole").glob("ocfl/stop/*/content/photo/*.jpg"))) >= 8
    valid(tmp_path / "whole")


def test_read_only_target(tmp_path: Path) -> None:
    project(tmp_path, sink="./disk/archive")
    drop(tmp_path, "One talk.pdf", samples.pdf(["One talk"]))
    (tmp_path / "disk").mkdir()
    done = in_namespace(
        'mount -t tmpfs -o size=10m none "$1/disk"; mount -o remount,ro "$1/disk"; cd "$1";'
        '"$2" -m archiver run',
        str(tmp_path),
        sys.executable,
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert "cannot be written" in done.stderr or "read-only" in done.stderr.casefold()
    assert "What to do" in done.stderr


def test_target_below_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = project(tmp_path, sink="./archive.yaml/archive")
    assert run(config) == 3
    assert "not a directory" in capsys.readouterr().err


def test_status_of_something_that_is_no_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = project(tmp_path)
    (tmp_path / "archive").write_text("not a directory", encoding="utf-8")
    for command in ("status", "search", "run"):
        arguments = [command, "words"] if command == "search" else [command]
        assert execute([*arguments, "-c", str(config)]) == 3
        assert "is not a directory" in capsys.readouterr().err


def test_a_stored_file_that_is_gone_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = project(tmp_path)
    drop(tmp_path, "One talk.pdf", samples.pdf(["One talk"]))
    assert run(config) == 0
    (stored,) = (tmp_path / "archive").glob("ocfl/stop/v1/content/slides/*.pdf")
    data = stored.read_bytes()
    stored.unlink()
    capsys.readouterr()
    assert run(config) == 4
    assert "1 stored file is missing" in capsys.readouterr().err
    assert execute(["status", "-c", str(config)]) == 0
    assert stored.name in capsys.readouterr().err
    stored.parent.mkdir(exist_ok=True)
    stored.write_bytes(data)
    assert run(config) == 0
    valid(tmp_path / "archive")


def test_the_archive_does_not_archive_itself(tmp_path: Path) -> None:
    config = project(tmp_path, sink="./incoming/stop/archive")
    drop(tmp_path, "One talk.pdf", samples.pdf(["One talk"]))
    assert run(config) == 0
    before = sorted((tmp_path / "incoming/stop/archive/ocfl").rglob("*"))
    assert run(config) == 0
    assert sorted((tmp_path / "incoming/stop/archive/ocfl").rglob("*")) == before


def test_an_archive_of_a_newer_format_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import archiver.archive
    import archiver.documents

    config = project(tmp_path)
    drop(tmp_path, "One talk.pdf", samples.pdf(["One talk"]))
    with monkeypatch.context() as newer:  # what a later version of the program writes
        newer.setattr(archiver.documents, "FORMAT", 99)
        newer.setattr(archiver.archive, "FORMAT", 99)
        assert run(config) == 0
    before = {path: path.read_bytes() for path in (tmp_path / "archive").rglob("*") if path.is_file()}
    capsys.readouterr()
    for command in (["run"], ["status"], ["run", "--dry-run"]):
        assert execute([*command, "-c", str(config)]) == 3
        told = capsys.readouterr().err
        assert "format 99" in told
        assert "update" in told
    assert {path: path.read_bytes() for path in (tmp_path / "archive").rglob("*") if path.is_file()} == before


def test_two_runs_at_once(upstream: Upstream, tmp_path: Path) -> None:
    config = upstream.write_config(tmp_path / "archive.yaml")
    env = {**ENV, **upstream.environment}
    upstream.slideshare.fault("*.jpg", "stall", times=None)
    with subprocess.Popen(
        archive("run", "-c", str(config)), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as first:
        try:
            wait_for(tmp_path / "archive/.lease")
            second = subprocess.run(
                archive("run", "-c", str(config)),
                env=env,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert second.returncode == 3
            assert f"process {first.pid}" in second.stderr
            assert "is in use by run" in second.stderr
        finally:
            first.kill()
    # The killed run's hold does not stand in the way on this machine: its process is known to be dead.
    upstream.slideshare.faults.clear()
    third = subprocess.run(
        archive("run", "-c", str(config)), env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert third.returncode == 0, third.stderr
    valid(tmp_path / "archive")


def wait_for(path: Path, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_ends_cleanly(number: signal.Signals, upstream: Upstream, tmp_path: Path) -> None:
    config = upstream.write_config(tmp_path / "archive.yaml")
    env = {**ENV, **upstream.environment}
    upstream.speakerdeck.fault("*", "drip", times=None, after=3, chunk=64, pause=0.05)
    with subprocess.Popen(
        archive("run", "--jobs", "1", "-c", str(config)), env=env, stderr=subprocess.PIPE, text=True
    ) as process:
        journal = tmp_path / "archive" / "journal"
        wait_for(journal)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Interrupted" in told
    assert "remain" in told
    valid(tmp_path / "archive")
    upstream.speakerdeck.faults.clear()
    done = subprocess.run(
        archive("run", "--json", "-c", str(config)),
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["type"] == "run.finished"
    stored = sum(c.get("new", 0) + c.get("same", 0) for s in last["counts"].values() for c in s.values())
    assert stored == len(upstream.tour.uploads)
