"""The last words of a run, for a tired organizer."""

from __future__ import annotations

from typing import Any

import pytest

from archiver.cli.summary import SHOWN, lines, tell
from archiver.report import COUNTS, ItemProblem, Report, SinkReport, SourceReport

TITLES = {"beijing": "Beijing Stop"}


def report(counts: dict[str, int] | None = None, **more: Any) -> Report:
    made = {"beijing": {"decks": counts}} if counts else {}
    return Report("run", "now", "0.1", **{"counts": made, **more})


def told(made: Report) -> list[str]:
    return list(lines(made, TITLES))[1:]


def problem(reason: str, number: int = 0) -> ItemProblem:
    return ItemProblem("beijing", "decks", f"{number}", f"Talk {number}", reason, "it says no")


def test_nothing_new() -> None:
    assert told(report({"same": 3})) == ["Beijing Stop: 3 unchanged", "Nothing new."]
    assert told(report()) == ["Nothing new."]


@pytest.mark.parametrize(
    ("number", "files", "end"),
    [(1, 1, "Done: 1 item, 1 file, 5 B."), (2, 12, "Done: 2 items, 12 files, 5 B.")],
)
def test_done(number: int, files: int, end: str) -> None:
    assert told(report({"new": number}, files=files, bytes=5))[-1] == end


def test_every_count_has_words() -> None:
    line = told(report(dict.fromkeys(COUNTS, 1)))[0]
    assert line.startswith("Beijing Stop: 1 new, 1 changed, 1 taken over")
    assert "-" not in line
    assert told(report({"of a later version": 2}))[0] == "Beijing Stop: 2 of a later version"


@pytest.mark.parametrize("reason", ["failed", "blocked", "gone", "invalid", "unrouted"])
def test_each_trouble_has_a_next_step(reason: str) -> None:
    made = report({reason: 1}, problems=[problem(reason)])
    head, item, end = told(made)[1:]
    assert head.startswith("1 item ")
    assert head.count(".") >= 2 or "`" in head
    assert item.startswith("  beijing/decks: Talk 0 (")
    assert item.endswith("): it says no")
    assert end == "Nothing new was stored."


def test_many_troubles_are_counted_and_the_first_are_named() -> None:
    made = report({"failed": 25}, problems=[problem("failed", n) for n in range(25)])
    shown = told(made)
    assert shown[1].startswith("25 items failed.")
    assert len(shown) == 1 + 1 + SHOWN + 1 + 1
    assert shown[-2] == "  … and 5 more: the newest file in runs/ of the archive names them all"


def test_materials_without_an_event() -> None:
    made = Report("run", "now", "0.1", counts={"": {"photos": {"unrouted": 2}}})
    assert next(iter(told(made))) == "No event yet: 2 not yet assigned to an event"


def test_sources() -> None:
    made = report(sources={"a": SourceReport(error="503"), "b": SourceReport(alarm="it lists 1 now")})
    assert told(made) == [
        "Source a could not be listed: 503",
        "ALARM: source b: it lists 1 now",
        "Nothing new was stored.",
    ]


def test_what_a_bundle_named_and_was_left_alone_is_no_failed_listing() -> None:
    why = "2 items of the bundle left alone: no source of this name is configured here"
    assert told(report(sources={"a": SourceReport(error=why)}))[0] == f"Source a: {why}"


def test_one_sink_failed_on_the_way() -> None:
    sinks = {"cloud": SinkReport({"beijing": 2}, error="disk full"), "local": SinkReport({"beijing": 3})}
    assert told(report({"new": 1}, sinks=sinks))[1:] == [
        "Sink cloud failed on the way, and does not have everything: disk full",
        "1 item stored in local. Mend what is said above, then run again.",
    ]
    assert told(report({"same": 1}, sinks=sinks))[-1].startswith("local is up to date.")


def test_the_only_sink_failed() -> None:
    made = report(sinks={"local": SinkReport(error="disk full")}, remaining=3)
    assert told(made) == [
        "Sink local could not be used: disk full",
        "No sink has everything of this run. 3 items not come to. Mend what is said above, then run again.",
    ]


def test_a_sink_that_was_left_alone() -> None:
    made = report(sinks={"local": SinkReport(), "new": SinkReport(note="holds nothing of this archive")})
    assert told(made) == ["Sink new holds nothing of this archive", "Nothing new."]


@pytest.mark.parametrize(
    ("done", "remaining", "end"),
    [
        (1, 1, "Interrupted: 1 item is stored and recorded, 1 remains. Run again to go on from here."),
        (2, 5, "Interrupted: 2 items are stored and recorded, 5 remain. Run again to go on from here."),
    ],
)
def test_interrupted(done: int, remaining: int, end: str) -> None:
    assert told(report({"new": done}, interrupted=True, remaining=remaining))[-1] == end


def test_dry_run() -> None:
    made = report({"new": 1}, dry_run=True, bytes=1500)
    assert told(made)[-1] == "Dry run: 1 item would be fetched (1.5 kB or more). Nothing was changed."
    cut = report({"new": 2}, dry_run=True, interrupted=True)
    assert told(cut)[-1].startswith(
        "Dry run: 2 items would be fetched. Nothing was changed. It was interrupted"
    )


def test_a_title_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    made = report(
        {"failed": 1}, problems=[ItemProblem("beijing", "d", "1", "\x1b[2J\u202egnp", "failed", "a\rb")]
    )
    tell(made, TITLES)
    shown = capsys.readouterr().err
    assert "\x1b" not in shown
    assert "\r" not in shown
    assert "\\x1b[2J" in shown
