"""What yt-dlp and the sites behind it say: errors, fields, lists."""

from __future__ import annotations

import importlib
import itertools
import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.utils import ExtractorError, OnDemandPagedList

from archiver import api, vetting
from archiver.web import PoliteClient
from archiver_plugins.video import VideoOptions
from archiver_plugins.video.engine import Engine
from archiver_plugins.video.failures import as_source_error
from archiver_plugins.video.fetching import expected_bytes
from archiver_plugins.video.listing import Listing
from archiver_plugins.video.log import Log, plain
from archiver_plugins.video.materials import Place, date_of, identity, material_of, revision_of, waiting
from archiver_plugins.video.probe import Seen, check_duration, probe
from archiver_plugins.video.remembered import Remembered
from archiver_plugins.video.settings import Tools, film_format, parameters
from archiver_plugins.video.signature import is_media
from archiver_plugins.video.tools import find_tools

ADDRESS = "https://fake.example/watch/1"
Answer = Callable[["FakeIE", str], Any]


class FakeIE(InfoExtractor):  # type: ignore[misc]  # yt-dlp has no types
    """A site that answers what a test says."""

    _VALID_URL = r"https://fake\.example/(?P<kind>watch|list|channel)/(?P<id>\w+)"
    _TESTS: ClassVar[list[dict[str, Any]]] = []
    answer: Answer

    def _real_extract(self, url: str) -> Any:
        return type(self).answer(self, url)


@pytest.fixture
def engine() -> Iterator[Callable[[Answer], Engine]]:
    """Make an engine that knows the fake site beside the real ones."""
    made: list[tuple[Engine, PoliteClient]] = []

    def make(answer: Answer) -> Engine:
        http = PoliteClient()
        engine = Engine(parameters(VideoOptions(pause=0), Tools()), http, Log(logging.getLogger("test")))
        FakeIE.answer = staticmethod(answer)
        fake = FakeIE()
        fake.set_downloader(engine._ydl)
        engine._ydl._ies = {"Fake": fake, **engine._ydl._ies}
        engine._ydl._ies_instances = {"Fake": fake, **engine._ydl._ies_instances}
        made.append((engine, http))
        return engine

    yield make
    for each, http in made:
        each.close()
        http.close()


def raised(engine: Engine, url: str = ADDRESS) -> api.SourceError:
    with pytest.raises(api.SourceError) as caught:
        engine.look(url)
    return caught.value


def geo(ie: FakeIE, url: str) -> Any:
    ie.raise_geo_restricted(countries=["CN"])


def login(ie: FakeIE, url: str) -> Any:
    ie.raise_login_required()


@pytest.mark.parametrize(("answer", "hint"), [(geo, "country"), (login, "cookies_file")])
def test_refusals_of_extractors_are_blocked(
    engine: Callable[[Answer], Engine], answer: Answer, hint: str
) -> None:
    error = raised(engine(answer))
    assert isinstance(error, api.BlockedError)
    assert hint in error.hint


@pytest.mark.parametrize(
    ("said", "kind", "hint"),
    [
        ("Sign in to confirm you’re not a bot. Use --cookies", api.BlockedError, "another network"),
        ("Private video. Sign in if you've been granted access", api.BlockedError, "cookies_file"),
        ("Sign in to confirm your age", api.BlockedError, "cookies_file"),
        ("Join this channel to get access to members-only content", api.BlockedError, "organizer"),
        ("This video is DRM protected", api.BlockedError, "organizer"),
        ("The uploader has not made this video available in your country", api.BlockedError, "country"),
        ("Got HTTP 412 Precondition Failed", api.BlockedError, "pause"),
        (
            "This video is protected by a password, use the --video-password option",
            api.BlockedError,
            "cookies_file",
        ),
        ("Video unavailable. This video has been removed by the uploader", api.GoneError, "Waive"),
        ("This video is no longer available because the account has been terminated", api.GoneError, "Waive"),
        ("This live event will begin in 3 hours.", api.TransientError, "later"),
        ("Premieres in 2 days", api.TransientError, "later"),
        ("Unable to extract title", api.InvalidError, "upgrade"),
        ("Video unavailable", api.InvalidError, "upgrade"),
    ],
)
def test_what_sites_say_is_understood(
    engine: Callable[[Answer], Engine], said: str, kind: type[api.SourceError], hint: str
) -> None:
    def answer(ie: FakeIE, url: str) -> Any:
        raise ExtractorError(said, expected=True)

    error = raised(engine(answer))
    assert type(error) is kind
    assert hint in error.hint
    assert said.split(".", maxsplit=1)[0][:20] in error.message


@pytest.mark.parametrize(
    "error", [KeyError("videoDetails"), TypeError("x"), RecursionError("x"), ValueError("x")]
)
def test_a_broken_extractor_breaks_its_item_alone(
    engine: Callable[[Answer], Engine], error: Exception
) -> None:
    def answer(ie: FakeIE, url: str) -> Any:
        raise error

    assert isinstance(raised(engine(answer)), api.InvalidError)


def test_a_full_disk_is_no_trouble_of_the_item() -> None:
    try:
        raise OSError(28, "No space left on device")
    except OSError as full:
        error = as_source_error(full, "x")
    assert isinstance(error, api.FatalError)
    assert isinstance(error.__cause__, OSError)


def video(number: int, **values: Any) -> dict[str, Any]:
    entry = {"_type": "url", "ie_key": "Fake", "id": str(number), "title": f"Talk {number}"}
    return entry | {"url": f"https://fake.example/watch/{number}"} | values


def playlist(entries: Any, **values: Any) -> dict[str, Any]:
    return {"_type": "playlist", "id": "L", "title": "List", "entries": entries} | values


def listed(engine: Engine, url: str = "https://fake.example/list/L") -> list[Any]:
    return list(Listing(engine, VideoOptions(), Remembered()).of(url))


def test_an_endless_list_is_read_no_further_than_asked(engine: Callable[[Answer], Engine]) -> None:
    made: list[int] = []

    def endless() -> Iterator[dict[str, Any]]:
        for number in itertools.count():
            made.append(number)
            yield video(number)

    found = Listing(engine(lambda ie, url: playlist(endless())), VideoOptions(), Remembered()).of(
        "https://fake.example/list/L"
    )
    assert [item.id for item in itertools.islice(found, 3) if isinstance(item, api.Material)] == [
        "fake:0", "fake:1", "fake:2",
    ]  # fmt: skip
    assert len(made) == 3


def test_pages_of_a_list_are_asked_for_when_they_are_reached(engine: Callable[[Answer], Engine]) -> None:
    asked: list[int] = []

    def page(number: int) -> Iterator[dict[str, Any]]:
        asked.append(number)
        yield from (video(number * 10 + n) for n in range(10 if number < 3 else 4))

    pages = OnDemandPagedList(page, 10)
    found = Listing(engine(lambda ie, url: playlist(pages)), VideoOptions(), Remembered()).of(
        "https://fake.example/list/L"
    )
    assert len(list(itertools.islice(found, 15))) == 15
    assert asked == [0, 1]
    assert len(list(found)) == 19


def test_a_list_too_long_for_anything_is_cut_and_not_complete(
    engine: Callable[[Answer], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver_plugins.video.listing.MAX_LISTED", 50)
    found = listed(engine(lambda ie, url: playlist(map(video, itertools.count()))))
    assert len(found) == 51
    assert found[-1] == api.Checkpoint(complete=False)


@pytest.mark.parametrize("entries", [[video(1), None], [video(1)]])
def test_a_list_with_holes_is_not_complete(engine: Callable[[Answer], Engine], entries: list[Any]) -> None:
    found = listed(engine(lambda ie, url: playlist(entries, playlist_count=2)))
    assert [type(item) for item in found] == [api.Material, *[api.Checkpoint] * (len(found) - 1)]
    assert api.Checkpoint(complete=False) in found


def test_what_is_not_over_is_left_for_later(engine: Callable[[Answer], Engine]) -> None:
    states = ["is_live", "is_upcoming", "post_live", "was_live", "not_live", None]
    entries = [video(n, live_status=state) for n, state in enumerate(states)]
    found = listed(engine(lambda ie, url: playlist(entries)))
    assert [type(item) for item in found] == [api.Unavailable] * 3 + [api.Material] * 3
    assert all(isinstance(item.error, api.TransientError) for item in found[:3])


def test_a_list_that_fails_on_the_way_says_so(engine: Callable[[Answer], Engine]) -> None:
    def entries() -> Iterator[dict[str, Any]]:
        yield video(1)
        raise ExtractorError("Unable to download API page: HTTP Error 429: Too Many Requests", expected=True)

    found = Listing(engine(lambda ie, url: playlist(entries())), VideoOptions(), Remembered()).of(
        "https://fake.example/list/L"
    )
    assert isinstance(next(found), api.Material)
    with pytest.raises(api.BlockedError):
        next(found)


def test_lists_inside_lists_are_opened_to_a_depth(engine: Callable[[Answer], Engine]) -> None:
    nested = playlist(
        [video(1), playlist([video(2), playlist([video(3), playlist([video(4), playlist([])])])])]
    )
    found = listed(engine(lambda ie, url: nested))
    assert [item.id for item in found if isinstance(item, api.Material)] == [
        "fake:1",
        "fake:2",
        "fake:3",
        "fake:4",
    ]
    assert found[-1] == api.Checkpoint(complete=False)


def test_the_same_video_has_one_id_alone_and_in_a_list(engine: Callable[[Answer], Engine]) -> None:
    alone = {"id": "7", "title": "T", "url": "https://fake.example/7.mp4", "ext": "mp4"}
    (single,) = listed(engine(lambda ie, url: alone), "https://fake.example/watch/7")
    bare = {"_type": "url", "url": "https://fake.example/watch/7"}
    for entry in (video(7), bare, bare | {"id": None, "url": bare["url"] + "#__youtubedl_smuggle=%7B%7D"}):
        (member,) = listed(engine(lambda ie, url, entry=entry: playlist([entry])))  # type: ignore[misc]
        assert member.id == single.id == "fake:7"
        assert "smuggle" not in member.url


def test_a_circle_of_addresses_ends(engine: Callable[[Answer], Engine]) -> None:
    made = engine(lambda ie, url: {"_type": "url", "url": url, "ie_key": "Fake"})
    with pytest.raises(api.InvalidError, match="leads from one address"):
        made.list(ADDRESS)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = (
    "id title webpage_url extractor_key ie_key description license language tags creators uploader channel"
)
TIMES = "timestamp upload_date release_date release_timestamp modified_timestamp duration live_status is_live"
FIELDS = [*NAMES.split(), *TIMES.split(), "filesize", "requested_formats"]


@given(st.dictionaries(st.sampled_from(FIELDS), ODD))
def test_whatever_a_site_says_makes_a_material_that_the_core_takes(info: dict[str, Any]) -> None:
    material = material_of(info, Place(ADDRESS), VideoOptions())
    assert vetting.material(material).id == material.id
    waiting(info)


@given(st.text(), st.text(), st.text(min_size=1), st.text())
def test_different_videos_have_different_ids(key: str, number: str, address: str, part: str) -> None:
    assert identity("Youtube", "a", address) != identity("Youtube", "b", address)
    assert identity(key, number, address, part)


@pytest.mark.parametrize(
    ("info", "key", "revision"),
    [
        ({"duration": 60.4, "timestamp": 5}, "Youtube", "d60"),
        ({"duration": 60.4, "modified_timestamp": 5}, "Youtube", "m5 d60"),
        ({"timestamp": 5}, "Generic", "m5"),
        ({"view_count": 5, "duration": float("nan")}, "Youtube", ""),
    ],
)
def test_revisions_are_made_of_what_is_stable(info: dict[str, Any], key: str, revision: str) -> None:
    assert revision_of(info, key) == revision


@pytest.mark.parametrize(
    ("info", "date"),
    [
        ({"upload_date": "20121230", "release_date": "20120916"}, "2012-09-16"),
        ({"timestamp": 1347760800}, "2012-09-16"),
        ({"timestamp": 1e30, "upload_date": "yesterday"}, ""),
    ],
)
def test_dates(info: dict[str, Any], date: str) -> None:
    assert date_of(info) == date


@given(st.binary(max_size=600))
def test_any_bytes_may_come(head: bytes) -> None:
    assert is_media(head) in {True, False}
    assert not is_media(b"#EXTM3U" + head)
    assert not is_media(b"<!doctype html>" + head)
    assert not is_media(b"ffconcat version 1.0" + head)


@given(st.text())
def test_messages_are_one_short_line(said: str) -> None:
    made = plain(said)
    assert len(made) <= 500
    assert not {"\n", "\x1b"} & set(made)


@pytest.mark.parametrize(
    ("seen", "announced", "good"),
    [
        (60, 60, True),
        (59, 60, True),
        (56, 60, True),
        (54, 60, False),
        (3500, 3600, False),
        (3540, 3600, True),
        (90, 60, True),
        (None, 60, True),
        (6, None, True),
    ],
)
def test_durations_are_compared_with_some_slack(
    seen: float | None, announced: float | None, good: bool
) -> None:
    if good:
        check_duration(Seen(seen, 90, ("video",)), announced)
        return
    with pytest.raises(api.InvalidError):
        check_duration(Seen(seen, 90, ("video",)), announced)


@pytest.mark.parametrize(
    "content", [b"", b"#EXTM3U\nfile:///etc/passwd\n", b"\0\0\0\x18ftypisom" + bytes(500)]
)
@pytest.mark.parametrize("tools", [Tools("ffmpeg", "ffprobe"), Tools("ffmpeg", "")])
def test_what_cannot_be_played_is_invalid(tmp_path: Path, content: bytes, tools: Tools) -> None:
    (tmp_path / "film.mp4").write_bytes(content)
    with pytest.raises(api.InvalidError):
        probe(tmp_path / "film.mp4", tools)


def test_without_programs_nothing_is_probed(tmp_path: Path) -> None:
    assert probe(tmp_path / "film.mp4", Tools()) is None


def test_sizes_count_only_when_all_are_known() -> None:
    assert expected_bytes({"requested_formats": [{"filesize": 3}, {"filesize": 4}]}) == 7
    assert expected_bytes({"requested_formats": [{"filesize": 3}, {}]}) is None
    assert expected_bytes({"filesize": 5}) == 5


FORMATS = [
    {"format_id": "small", "height": 360, "vcodec": "h264", "acodec": "aac", "protocol": "https"},
    {"format_id": "hd", "height": 1080, "vcodec": "h264", "acodec": "none", "protocol": "https"},
    {"format_id": "mid", "height": 720, "vcodec": "h264", "acodec": "none", "protocol": "m3u8_native"},
    {"format_id": "sound", "vcodec": "none", "acodec": "aac", "protocol": "https", "abr": 128},
    {"format_id": "rtmp", "height": 4320, "vcodec": "h264", "acodec": "aac", "protocol": "rtmp"},
]


@pytest.mark.parametrize(
    ("height", "merging", "chosen"),
    [
        (None, True, "hd+sound"),
        (720, True, "mid+sound"),
        (240, True, "small"),
        (None, False, "small"),
        (720, False, "small"),
        (240, False, "small"),
    ],
)
def test_the_best_format_within_a_height_is_chosen(
    engine: Callable[[Answer], Engine], height: int | None, merging: bool, chosen: str
) -> None:
    formats = [{"url": f"https://fake.example/{f['format_id']}.mp4", "ext": "mp4", **f} for f in FORMATS]
    made = engine(lambda ie, url: {"id": "1", "title": "T", "formats": formats})
    made._ydl.format_selector = made._ydl.build_format_selector(film_format(height, merging=merging))
    assert made.look(ADDRESS)["format_id"].split("+")[0] == chosen.split("+", maxsplit=1)[0]


def test_ffmpeg_is_found_on_the_path_or_in_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_tools() == Tools(str(program), "")
    monkeypatch.setenv("PATH", "")
    (tmp_path / "imageio_ffmpeg.py").write_text("def get_ffmpeg_exe():\n    return '/package/ffmpeg'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "imageio_ffmpeg", raising=False)
    assert find_tools() == Tools("/package/ffmpeg", "")
    (tmp_path / "imageio_ffmpeg.py").write_text("def get_ffmpeg_exe():\n    raise RuntimeError\n")
    monkeypatch.delitem(sys.modules, "imageio_ffmpeg")
    importlib.invalidate_caches()
    shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
    assert find_tools() == Tools()
    monkeypatch.delitem(sys.modules, "imageio_ffmpeg")
