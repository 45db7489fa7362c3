"""A report leads to what is kept elsewhere: real sockets from the blog post to the coverage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import media_samples as samples
from archiver import ledger
from archiver.cli import execute
from archiver.testing.flickr import Album, FlickrDouble, Photo, User
from archiver.testing.slideshare import Deck, SlideShareDouble
from archiver.testing.video import Clip, VideoDouble
from archiver.testing.wordpress import PUBLIC, Post, WordPressDouble

OWNER = "10000001@N02"
FILMS = "https://video.cosug.example"
DECK = "https://www.slideshare.net/slideshow/deploy-openstack-with-chef/14310001"
ALBUM = "https://www.flickr.com/photos/cosug/albums/72157631500000001"
FILM = f"{FILMS}/watch/beijing"
PANEL = "https://docs.google.com/presentation/d/1aBcD/embed"
WORDS = "<p>On 16 September the tour began in Beijing, and more than 150 people came to hear it.</p>" * 5
BODY = (
    f"{WORDS}<p><a href='{DECK}?utm_source=blog'>Deploy OpenStack with Chef</a>, "
    f"<a href='{ALBUM}'>photos</a> and <a href='{FILM}'>the recording</a>.</p>"
    f"<iframe src='{PANEL}' title='Panel'></iframe>"
    "<p>More <a href='https://www.flickr.com/photos/cosug/'>by the photographer</a>, and in "
    "<a href='https://news.example.org/tour'>the news</a>.</p>"
)
POST = Post(id=7, title="The Beijing stop", body=BODY, tags=("beijing",))
CHEF = {"id": "chef", "title": "Deploy OpenStack with Chef", "speaker": "Junqiang Chen"}


@dataclass
class World:
    """The sites, and a configuration that names only the blog."""

    folder: Path
    blog: WordPressDouble
    slides: SlideShareDouble
    photos: FlickrDouble
    films: VideoDouble
    follow: str = ""
    without: tuple[str, ...] = ()
    uses: tuple[dict[str, str], ...] = ()

    def configure(self) -> Path:
        """Write the configuration."""
        sources = {
            "decks": {"type": "slideshare", "base_url": self.slides.url},
            "photos": {
                "type": "flickr", "api_key": self.photos.api_key, "base_url": self.photos.url,
                "file_base_url": self.photos.url,
            },
            "films": {"type": "video", "public_url": FILMS, "base_url": self.films.url, "pause": 0},
            "blog": {"type": "web", "site": PUBLIC, "base_url": self.blog.url},
        }  # fmt: skip
        kept = {name: options for name, options in sources.items() if name not in self.without}
        use = {"use": "blog", "wordpress": PUBLIC, "tag": "beijing"}
        event = {
            "id": "beijing", "title": "Beijing Stop", "talks": [CHEF], "sources": [use, *self.uses],
        }  # fmt: skip
        archive = {"title": "A tour", "site": False, **({"follow": self.follow} if self.follow else {})}
        data = {
            "archive": archive, "sinks": {"local": {"type": "disk", "path": "./archive"}},
            "sources": kept, "events": [event],
        }  # fmt: skip
        path = self.folder / "archive.yaml"
        path.write_text(yaml.safe_dump(data), encoding="utf-8")
        return path

    def run(self, *arguments: str) -> int:
        """Run, and give the exit code."""
        return execute(["run", *arguments, "-c", str(self.configure())])

    def status(self, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
        """Give the event's cells, with the deck's for `slides`."""
        capsys.readouterr()
        assert execute(["status", "--json", "-c", str(self.folder / "archive.yaml")]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return {kind: cell["state"] for kind, cell in found["events"][0]["kinds"].items()}

    @property
    def versions(self) -> list[Path]:
        """Give the versions of the event, oldest first."""
        found = (self.folder / "archive" / "ocfl" / "beijing").glob("v*")
        return sorted(found, key=lambda path: int(path.name[1:]))

    def records(self, source: str) -> dict[str, ledger.Record]:
        """Read the newest ledger of a source."""
        held = [path / "content/metadata/ledger" / f"{source}.jsonl" for path in self.versions]
        newest = [path for path in held if path.exists()][-1:]
        return {each.material.id: each for path in newest for each in ledger.load(path.read_bytes(), source)}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    deck = Deck(
        id=14310001, user="cosug", title="Deploy OpenStack with Chef", author="Junqiang Chen",
        slug="deploy-openstack-with-chef", pages=(samples.jpeg(160, 90), samples.jpeg(160, 90, (1, 2, 3))),
    )  # fmt: skip
    photos = [
        Photo(id=number, owner=OWNER, title=f"Hall {number}", image=samples.jpeg(64 + number % 7, 48))
        for number in (8000000001, 8000000002, 8000000003)
    ]
    with ExitStack() as stack:
        album = FlickrDouble(photos, users=[User(OWNER, "COSUG", "cosug")])
        album.add_album(Album(72157631500000001, OWNER, [photo.id for photo in photos[:2]], "Beijing"))
        yield World(
            tmp_path,
            stack.enter_context(WordPressDouble([POST])),
            stack.enter_context(SlideShareDouble([deck])),
            stack.enter_context(album),
            stack.enter_context(VideoDouble([Clip("beijing", "Beijing Stop: the recording")])),
        )


HAVE = {"report": "have", "slides": "have", "photo": "have", "video": "have"}


def test_what_a_post_links_to_is_archived_in_the_same_run(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run() == 0
    told = capsys.readouterr().err
    assert world.status(capsys) == HAVE
    (deck,) = world.records("decks").values()
    assert (deck.material.id, deck.match.talk, deck.material.event) == ("14310001", "chef", "beijing")
    marks = deck.material.extra
    assert (marks["found_in"], marks["found_at"]) == ("The Beijing stop", world.blog.link(POST))
    # The album's two photos, and not the photographer's third.
    assert world.records("photos").keys() == {"8000000001", "8000000002"}
    assert [each.material.url for each in world.records("films").values() if each.files] == [FILM]
    assert len(world.versions) == 1
    assert "2 items known by address only" in told
    assert PANEL in told
    assert "give it an entry: use: photos" in told  # for all that the photographer ever took


def test_the_next_run_finds_the_same_and_makes_no_version(world: World) -> None:
    assert world.run() == 0
    fetched = sum(".jpg" in request.path for request in world.slides.requests)
    assert fetched
    assert world.run() == 0
    assert len(world.versions) == 1
    assert sum(".jpg" in request.path for request in world.slides.requests) == fetched


def test_what_vanishes_from_the_post_stays_and_is_not_withdrawn(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run() == 0
    world.blog.add(replace(POST, body=WORDS, modified="2012-10-01T10:00:00"))
    assert world.run() == 0
    assert world.status(capsys) == HAVE
    for source in ("decks", "photos"):
        assert {each.state for each in world.records(source).values()} == {ledger.State.STORED}


def test_upstream_s_word_that_it_is_gone_counts(world: World) -> None:
    assert world.run() == 0
    (deck,) = world.slides.decks
    world.slides.add(replace(deck, gone=True))
    assert world.run() == 0
    (record,) = world.records("decks").values()
    assert record.state is ledger.State.WITHDRAWN
    assert record.files


def test_without_a_source_the_address_is_what_is_known(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.without = ("decks", "photos", "films")
    player = "<iframe src='https://www.youtube.com/embed/abcdefghijk?rel=0'></iframe>"
    world.blog.add(replace(POST, body=BODY + player))
    assert world.run() == 0
    assert world.status(capsys) == {"report": "have", "slides": "link", "photo": "link", "video": "link"}
    known = {each.material.url: each for each in world.records("blog").values() if not each.files}
    deck = known[f"{DECK}"] if DECK in known else known[f"{DECK}?utm_source=blog"]
    assert deck.problem
    assert "The Beijing stop" in deck.problem.detail
    assert "slideshare" in deck.problem.detail
    assert deck.match.talk == "chef"
    capsys.readouterr()
    assert execute(["status", "-c", str(world.folder / "archive.yaml")]) == 0
    assert ALBUM in capsys.readouterr().out
    # Once there is a source, the link gives way to what it leads to.
    world.without = ("photos", "films")
    assert world.run() == 0
    assert world.status(capsys)["slides"] == "have"
    assert not any("slideshare" in key for key in world.records("blog"))
    assert any("flickr" in key for key in world.records("blog"))


def test_an_entry_of_the_organizer_s_comes_first(world: World) -> None:
    world.uses = ({"use": "decks", "url": DECK, "talk": "chef"},)
    assert world.run() == 0
    (deck,) = world.records("decks").values()
    assert "found_in" not in deck.material.extra
    asked = sum("/slideshow/" in request.path for request in world.slides.requests)
    assert asked == 2  # the listing and the fetch: not for the report once more


def test_a_dead_link_in_a_post_is_no_failure(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.blog.add(replace(POST, body=f"{WORDS}<a href='{FILMS}/watch/lost'>the recording</a>"))
    assert world.run() == 0
    assert "gone before it could be stored" in capsys.readouterr().err
    assert world.status(capsys)["video"] == "missing"


def test_a_recording_that_is_only_a_link_is_no_failure(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.films.serve("/webex/7", b"<!doctype html><title>WebEx</title><p>Install it</p>", "text/html")
    world.blog.add(replace(POST, body=WORDS))
    world.uses = ({"use": "films", "url": f"{FILMS}/webex/7"},)
    for _ in range(2):
        assert world.run() == 0
        assert "1 item known by address only" in capsys.readouterr().err
    assert world.status(capsys)["video"] == "link"
    (record,) = world.records("films").values()
    assert record.problem
    assert record.problem.reason == "link"
    assert len(record.history) == 1


def test_nothing_is_followed_where_nothing_shall_be(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.follow = "none"
    assert world.run() == 0
    assert world.status(capsys) == {
        "report": "have", "slides": "missing", "photo": "missing", "video": "missing"
    }  # fmt: skip
    assert not world.slides.requests


def test_a_dry_run_says_what_the_known_reports_lead_to(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.follow = "none"
    assert world.run() == 0
    world.follow = ""
    capsys.readouterr()
    assert world.run("--dry-run") == 0
    told = capsys.readouterr()
    assert "Deploy OpenStack with Chef" in told.out
    assert "4 items would be fetched" in told.err
    assert len(world.versions) == 1
