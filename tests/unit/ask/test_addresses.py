"""Addresses of talks that are read from elsewhere: read anew for asking, and kept nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import media_samples
from archiver.cli import execute

HEAD = """
archive: {title: A tour}
sinks: {local: {type: disk, path: ./archive}}
sources: {drop: {type: folder, path: ./drop}}
mail: {from: "Group <group@tour.example>"}
events:
"""
TABLE = "id,title,speaker,email\n1,Chef,Ann,\n3,Orchids,Cy,cy@speakers.example\n"
CALENDAR = """BEGIN:VCALENDAR
BEGIN:VEVENT
UID:1@x
SUMMARY:Orchids
ATTENDEE;CN=Cy:mailto:cy@speakers.example
END:VEVENT
BEGIN:VEVENT
UID:2@x
SUMMARY:Chef
ATTENDEE;CN=Ann:urn:uuid:77
END:VEVENT
END:VCALENDAR
"""


class Tour:
    """A configuration whose one event has talks from somewhere."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        (folder / "drop").mkdir()

    def write(self, talks: str) -> None:
        event = f"  - {{id: ev, title: Ev, talks: {talks}, sources: [{{use: drop}}]}}\n"
        (self.folder / "archive.yaml").write_text(HEAD + event, "utf-8")

    def run(self, talks: str) -> None:
        self.write(talks)
        assert execute(["run"]) == 0
        self.capsys.readouterr()

    def ask(self, *more: str, code: int = 0) -> str:
        assert execute(["ask", "ev", *more]) == code
        return " ".join(self.capsys.readouterr().out.split("\n"))

    def drafts(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("asks/*.eml")))


@pytest.fixture
def tour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tour:
    monkeypatch.chdir(tmp_path)
    return Tour(tmp_path, capsys)


@pytest.mark.parametrize(
    ("kind", "content", "to_do"),
    [
        ("csv", TABLE, "write it into the column `email` of t.txt."),
        (
            "ical",
            CALENDAR.replace("\n", "\r\n"),
            "give its ATTENDEE in t.txt a name (CN) and a `mailto:` address.",
        ),
    ],
)
def test_an_address_is_read_where_the_talk_is(tour: Tour, kind: str, content: str, to_do: str) -> None:
    (tour.folder / "t.txt").write_text(content, "utf-8", newline="")
    tour.run(f"{{from: {kind}, file: t.txt}}")
    told = tour.ask()
    assert "Draft for Cy, asking for “Orchids”" in told
    assert f"No address is known for “Chef” by Ann: {to_do}" in told
    assert "To: Cy <cy@speakers.example>" in tour.drafts()
    files = [path for path in (tour.folder / "archive").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"cy@speakers" in path.read_bytes()]


def test_a_talk_under_a_new_title_has_its_address_by_its_id(tour: Tour) -> None:
    (tour.folder / "t.csv").write_text(TABLE, "utf-8")
    tour.run("{from: csv, file: t.csv}")
    changed = TABLE.replace("Orchids", "Lilies").replace("1,Chef", "4,Orchids,Di,di@speakers.example\n1,Chef")
    (tour.folder / "t.csv").write_text(changed, "utf-8")
    tour.ask()
    assert "cy@speakers.example" in tour.drafts()
    assert "di@speakers.example" not in tour.drafts()


def test_a_typed_talk_has_the_address_of_the_listed_one_that_it_stands_for(tour: Tour) -> None:
    (tour.folder / "t.csv").write_text(TABLE, "utf-8")
    tour.run("[Orchids, Own, {from: csv, file: t.csv}]")
    told = tour.ask()
    assert "cy@speakers.example" in tour.drafts()
    assert "No address is known for “Own”: add `email` to the talk in the configuration." in told


def test_a_table_that_is_gone_is_told(tour: Tour) -> None:
    (tour.folder / "t.csv").write_text(TABLE, "utf-8")
    tour.run("{from: csv, file: t.csv}")
    (tour.folder / "t.csv").unlink()
    assert "No addresses could be read from t.csv: t.csv cannot be read" in tour.ask(code=1)
    found = json.loads(tour.ask("--json", code=1))
    assert [each["programme"] for each in found["troubles"]] == ["t.csv"]


def test_a_schedule_has_no_addresses_and_what_to_do_helps(tour: Tour) -> None:
    talk = {"code": "A7", "title": 'Orchids: a "tour"', "persons": [{"public_name": "Cy"}]}
    days = [{"rooms": {"Hall": [talk]}}]
    (tour.folder / "s.json").write_text(json.dumps({"schedule": {"conference": {"days": days}}}), "utf-8")
    tour.run("{from: pretalx, file: s.json}")
    told = tour.ask()
    typed = told.partition("under `talks`: ")[2].partition("}.")[0] + "}"
    tour.run(f"[{typed.replace('ADDRESS', 'cy@speakers.example')}, {{from: pretalx, file: s.json}}]")
    assert 'asking for “Orchids: a "tour"”' in tour.ask()
    assert "cy@speakers.example" in tour.drafts()


def test_a_deck_that_is_held_and_of_no_talk_is_told_of(tour: Tour) -> None:
    (tour.folder / "drop" / "Orchids.pdf").write_bytes(media_samples.pdf(["Orchids"]))
    tour.run("[Orchids]")
    assert "No slides of Ev are missing." in tour.ask()
    tour.run("[{title: Lilies, speaker: Cy, email: cy@speakers.example}]")
    told = tour.ask()
    assert (
        "1 deck of Ev is here already, but of no known talk: look first with `archive matches list`." in told
    )
    assert "matches" not in tour.drafts()
    assert json.loads(tour.ask("--json"))["loose"] == 1
