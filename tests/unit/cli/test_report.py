"""`archive report`, and who is told of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver.cli import execute
from archiver.cli import run as run_command
from archiver.cli.common import load
from archiver.config import Config, NotifySpec
from archiver.registry import Registry
from archiver.run import Run, RunOptions
from archiver_plugins.notifiers import SummaryNotifier, SummaryOptions
from media_samples import login_page, pdf

CONFIG = """
archive: {title: A tour, site: false}
sinks: {local: {type: disk, path: ./archive}}
sources: {inbox: {type: folder, path: ./incoming}}
events:
  - id: beijing
    title: Beijing Stop
    talks: [{id: chef, title: Deploy OpenStack with Chef, speaker: Ada Fan}]
    sources: [{use: inbox, path: beijing}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming/beijing"
    folder.mkdir(parents=True)
    (folder / "Deploy OpenStack with Chef.pdf").write_bytes(pdf(["x"]))
    (tmp_path / "archive.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path / "archive.yaml"


def archive(config: Path, *words: str) -> int:
    return execute([words[0], "-c", str(config), *words[1:]])


def test_before_the_first_run(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive(config, "check")
    capsys.readouterr()
    assert archive(config, "report") == 0
    assert "There was no run yet" in capsys.readouterr().out
    assert archive(config, "report", "--json") == 0
    assert capsys.readouterr().out == ""


def test_in_three_formats(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert archive(config, "run") == 0
    capsys.readouterr()
    assert archive(config, "report") == 0
    told = capsys.readouterr().out
    assert "New (1):\n  Beijing Stop: slides “Deploy OpenStack with Chef” from inbox" in told
    assert "Still missing (3):" in told
    assert "Here: 1 of 4 expected (25 %)." in told
    assert archive(config, "report", "--format", "markdown") == 0
    assert "### New (1)\n\n- Beijing Stop: slides" in capsys.readouterr().out
    assert archive(config, "report", "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["coverage"] == {"have": 1, "wanted": 4, "percent": 25}
    assert archive(config, "report", "--json") == 0
    assert json.loads(capsys.readouterr().out) == data


def test_it_gives_the_exit_code_that_the_run_had(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "incoming/beijing/page.pdf").write_bytes(login_page())
    for fail_on, code in (("any", 1), ("new", 0)):
        assert archive(config, "run", "--fail-on", fail_on) == code
        capsys.readouterr()
        assert archive(config, "report", "--json") == 0
        assert json.loads(capsys.readouterr().out)["exit_code"] == code


def test_a_report_of_an_older_program_is_told_as_with_any(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "incoming/beijing/page.pdf").write_bytes(login_page())
    assert archive(config, "run") == 1
    assert archive(config, "run", "--fail-on", "new") == 0
    newest = max((config.parent / "archive/runs").glob("*.json"))
    data = json.loads(newest.read_bytes())
    del data["fail_on"], data["exit_code"]
    newest.write_text(json.dumps(data), encoding="utf-8")
    capsys.readouterr()
    assert archive(config, "report", "--json") == 0
    assert json.loads(capsys.readouterr().out)["exit_code"] == 1


def test_no_run_since_that_day(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive(config, "run")
    (run,) = (config.parent / "archive/runs").glob("*.json")
    capsys.readouterr()
    assert archive(config, "report", "--since", "2999-01-01") == 0
    told = capsys.readouterr()
    assert told.out == "There was no run since 2999-01-01. Start one with: archive run\n"
    assert archive(config, "report", "--since", "2999-01-01", "--json") == 0
    assert capsys.readouterr().out == ""
    assert archive(config, "report", run.stem, "--since", "2999-01-01") == 0
    assert f"There was no run since 2999-01-01, up to {run.stem}." in capsys.readouterr().out
    assert archive(config, "report", "--since", "2000-01-01") == 0
    assert "New (1):" in capsys.readouterr().out


def test_it_writes_nothing(config: Path) -> None:
    archive(config, "run")
    before = {path: path.stat().st_mtime_ns for path in config.parent.rglob("*") if path.is_file()}
    archive(config, "report", "--since", "last")
    assert before == {path: path.stat().st_mtime_ns for path in config.parent.rglob("*") if path.is_file()}


def test_wrong_words(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive(config, "run")
    capsys.readouterr()
    assert archive(config, "report", "19990101") == 2
    assert "there is no report of a run '19990101'" in capsys.readouterr().err
    assert archive(config, "report", "--since", "yesterday") == 2
    assert archive(config, "report", "--send") == 2
    assert "nobody to send it to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"),
    [("--time-limit", "soon"), ("--time-limit", "0m"), ("--byte-limit", "2 apples"), ("--byte-limit", "0"),
     ("--request-limit", "0"), ("--wait", "-1s")],
)  # fmt: skip
def test_limits_that_are_none(config: Path, option: str, value: str) -> None:
    assert archive(config, "run", option, value) == 2
    assert not (config.parent / "archive").exists()


def told(config: Path, notify: NotifySpec, *, as_json: bool = True) -> int:
    """Do a run as the command does, with a notifier that writes into a file."""
    known, registry = load(config)
    with_notify = Config(
        known.path, known.folder, known.archive, known.sinks, known.sources, known.events, notify=(notify,)
    )
    plugins = Registry(
        registry.plugins,
        registry.sources,
        registry.sinks,
        registry._manager,
        {"github-summary": SummaryNotifier},
    )
    prepared = Run(with_notify, plugins, RunOptions())
    return run_command.go(with_notify, prepared, as_json=as_json, notifying=True)


def last(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


class TestTelling:
    def test_only_when_something_is_worth_saying(
        self, config: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        spec = NotifySpec("github-summary", SummaryOptions(path=Path("told.md")), "changes")
        assert told(config, spec) == 0
        assert last(capsys)["deliveries"] == [{"type": "github-summary", "error": ""}]
        text = (config.parent / "told.md").read_text(encoding="utf-8")
        assert "### New (1)" in text
        assert told(config, spec) == 0
        assert last(capsys)["deliveries"] == []
        assert (config.parent / "told.md").read_text(encoding="utf-8") == text
        (config.parent / "incoming/beijing/page.pdf").write_bytes(login_page())
        assert told(config, spec) == 1
        assert "Rejected (1)" in (config.parent / "told.md").read_text(encoding="utf-8")

    def test_a_failing_delivery_is_named_and_fails_nothing(
        self, config: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        spec = NotifySpec("github-summary", SummaryOptions(path=Path("no/such/told.md")), "always")
        assert told(config, spec) == 0
        told_ = capsys.readouterr()
        assert "nobody was told of the run by github-summary (entry 1 under `notify`): the job" in told_.err
        assert "then deliver it again with: archive report --send" in told_.err
        (delivery,) = json.loads(told_.out.splitlines()[-1])["deliveries"]
        assert "cannot be written" in delivery["error"]

    def test_a_run_that_could_not_begin(self, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
        from archiver.errors import SinkError

        (config.parent / "archive").write_text("a file")
        spec = NotifySpec("github-summary", SummaryOptions(path=Path("told.md")), "problems")
        with pytest.raises(SinkError):
            told(config, spec)
        assert "could not begin" in (config.parent / "told.md").read_text(encoding="utf-8")
        assert last(capsys)["exit_code"] == 3
