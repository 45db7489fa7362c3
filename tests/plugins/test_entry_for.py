"""Which addresses in reports each source takes, and with which entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from archiver import api
from archiver_plugins.flickr import Flickr, FlickrOptions
from archiver_plugins.folder import FolderSource
from archiver_plugins.links import Links, LinksOptions
from archiver_plugins.slideshare import SlideShare, SlideShareOptions
from archiver_plugins.speakerdeck import SpeakerDeck, SpeakerDeckOptions
from archiver_plugins.video import Video, VideoOptions

CONTEXT = api.Context("own", Path("/"), http=None)  # type: ignore[arg-type]  # nothing here asks anybody
FILMS = "https://video.example.org"
SOURCES: dict[str, api.Source[Any, Any]] = {
    "slideshare": SlideShare(SlideShareOptions(), CONTEXT),
    "speakerdeck": SpeakerDeck(SpeakerDeckOptions(), CONTEXT),
    "flickr": Flickr(FlickrOptions(api_key=SecretStr("k")), CONTEXT),
    "links": Links(LinksOptions(), CONTEXT),
    "video": Video(VideoOptions(base_url="http://127.0.0.1:1", public_url=FILMS), CONTEXT),
}
DECK = "https://www.slideshare.net/slideshow/deploy-openstack/14310001"
TUBE = "https://www.youtube.com/watch?v=abcdefghijk"
ALBUM = "https://www.flickr.com/photos/cosug/albums/72157631500000001"

TAKEN = [
    ("slideshare", f"{DECK}?utm_source=blog#p3", DECK),
    ("slideshare", "https://fr.slideshare.net/slideshow/deploy-openstack/14310001", DECK),
    (
        "slideshare",
        "https://www.slideshare.net/slideshow/embed_code/key/aB1",
        "https://www.slideshare.net/slideshow/embed_code/key/aB1",
    ),
    ("speakerdeck", "http://www.speakerdeck.com/hui/deck?slide=2", "https://speakerdeck.com/hui/deck"),
    ("flickr", ALBUM, ALBUM),
    (
        "flickr",
        "https://flickr.com/photos/cosug/8000000001/in/album-7",
        "https://flickr.com/photos/cosug/8000000001/in/album-7",
    ),
    ("flickr", "https://flic.kr/s/aHsjABC", "https://flic.kr/s/aHsjABC"),
    ("video", f"{TUBE}&list=PLabc&index=3", TUBE),
    ("video", "https://www.youtube-nocookie.com/embed/abcdefghijk?rel=0", TUBE),
    ("video", "https://youtu.be/abcdefghijk?t=9", TUBE),
    ("video", "https://player.vimeo.com/video/12345", "https://vimeo.com/12345"),
    (
        "video",
        "https://v.youku.com/v_show/id_XNDUxMjM0NTY3.html?x=1",
        "https://v.youku.com/v_show/id_XNDUxMjM0NTY3.html",
    ),
    ("video", f"{FILMS}/watch/beijing", f"{FILMS}/watch/beijing"),
    ("video", "https://cdn.example.net/a/index.m3u8", "https://cdn.example.net/a/index.m3u8"),
    ("links", "https://Example.org/talks/Deck%20One.PPTX?dl=1#x", "https://example.org/talks/Deck%20One.PPTX?dl=1"),
    ("links", "https://example.org/talk.mp4", "https://example.org/talk.mp4"),
    ("links", "https://example.org/2012/hall.jpg", "https://example.org/2012/hall.jpg"),
]  # fmt: skip
LEFT = [
    ("slideshare", "https://www.slideshare.net/cosug"),
    ("slideshare", "https://www.slideshare.net/search/slideshow?q=x"),
    ("speakerdeck", "https://speakerdeck.com/hui"),
    ("speakerdeck", "https://speakerdeck.com/player/0a1b2c"),
    ("flickr", "https://www.flickr.com/photos/cosug/"),
    ("flickr", "https://www.flickr.com/photos/cosug/albums"),
    ("flickr", "https://www.flickr.com/photos/tags/2012osac"),
    ("flickr", "https://www.flickr.com/groups/openstack/pool/"),
    ("flickr", "https://flic.kr/ps/aHsjABC"),
    ("flickr", "https://www.flickr.com/gp/cosug/aB1cD2"),
    ("video", "https://www.youtube.com/@openstack"),
    ("video", "https://www.youtube.com/playlist?list=PLabc"),
    ("video", "https://www.youtube.com/embed/videoseries?list=PLabc"),
    ("video", "https://notyoutube.com/watch?v=abcdefghijk"),
    ("video", "https://news.example.org/with-a-film"),
    ("video", "https://video.example.org.evil.example/watch/1"),
    ("video", "https://user:word@youtu.be/abcdefghijk"),
    ("links", "https://example.org/talks/"),
    ("links", "https://example.org/talk.html"),
    ("links", "https://example.org/report.docx"),
    ("links", "https://example.org/logo.png"),
    ("links", "https://example.org/deck.pdf?token=s3cr3tS3cr3t"),
    ("links", "https://user:word@example.org/deck.pdf"),
    ("links", "ftp://example.org/deck.pdf"),
    ("links", "https://example.org/a/index.m3u8"),
]


def options(source: api.Source[Any, Any], entry: Mapping[str, object] | None) -> Any:
    return None if entry is None else source.entry_class.model_validate(dict(entry))


def url_of(entry: Any) -> str:
    return str(entry.url)


@pytest.mark.parametrize(("name", "address", "url"), TAKEN)
def test_is_taken_by_exactly_one(name: str, address: str, url: str) -> None:
    taken = {each: source.entry_for(address) for each, source in SOURCES.items()}
    assert [each for each, entry in taken.items() if entry is not None] == [name]
    assert url_of(options(SOURCES[name], taken[name])) == url


@pytest.mark.parametrize(("name", "address"), LEFT)
def test_is_left_alone(name: str, address: str) -> None:
    assert SOURCES[name].entry_for(address) is None


def test_a_source_without_a_word_takes_nothing() -> None:
    assert FolderSource.entry_for is api.Source.entry_for


PARTS = st.lists(
    st.sampled_from([*"/?&=#%:@.[]", "http://", "https://", "watch", "v=", "photos", "slideshow", "..", "张"])
    | st.text(max_size=5),
    max_size=12,
).map("".join)
HOSTS = st.sampled_from(
    ["www.slideshare.net/", "speakerdeck.com/", "www.flickr.com/photos/", "flic.kr/", "youtube.com/", ""]
)


@given(st.sampled_from(sorted(SOURCES)), HOSTS, PARTS)
def test_no_address_makes_it_raise_and_what_is_taken_is_a_valid_entry(
    name: str, host: str, rest: str
) -> None:
    source = SOURCES[name]
    entry = source.entry_for(f"https://{host}{rest}")
    assert entry is None or url_of(options(source, entry)).startswith(("http://", "https://"))
