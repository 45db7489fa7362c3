from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError
from yt_dlp.downloader.common import FileDownloader

from archiver import api, derive, media
from archiver.testing.video import Clip
from archiver_plugins.video import Video, VideoEntry, VideoOptions, archiver_sources
from archiver_plugins.video.remembered import FRESH, MAX_KEPT, Remembered
from archiver_plugins.video.settings import Tools
from plugins.video_kit import PUBLIC, WORDS, World, world


@pytest.fixture
def site(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def seconds_of(path: Path) -> float:
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)],
        capture_output=True,
        check=True,
        text=True,
    )
    return float(told.stdout)


def problem(site: World, path: str, **options: object) -> api.SourceError:
    with pytest.raises(api.SourceError) as caught:
        site.get(path, **options)
    return caught.value


def test_the_source_is_announced() -> None:
    assert archiver_sources() == [Video]
    assert Video.type_name == "video"


@pytest.mark.parametrize("form", ["mp4", "hls", "ts", "dash"])
def test_every_form_of_stream_comes_whole_and_plays(site: World, form: str) -> None:
    site.publish(Clip("chef", "Deploy OpenStack with Chef", form))
    fuller, files = site.get("/watch/chef")
    assert fuller.title == "Deploy OpenStack with Chef"
    assert fuller.url == f"{PUBLIC}/watch/chef"
    assert seconds_of(files["film"]) == pytest.approx(6, abs=0.3)
    assert media.verify(files["film"], api.Kind.VIDEO, api.Role.RENDITION) == "video/mp4"


@pytest.mark.parametrize(
    ("form", "media_type"), [("mp4", "video/mp4"), ("hls", "video/mp4"), ("ts", "video/mp2t")]
)
def test_without_ffmpeg_films_come_as_they_are_served(site: World, form: str, media_type: str) -> None:
    site.publish(Clip("chef", "Chef", form))
    source = site.source()
    source._tools = Tools()
    _, files, _ = site.fetched(source, site.material(source, "/watch/chef"))
    assert media.verify(files["film"], api.Kind.VIDEO, api.Role.RENDITION) == media_type


def test_without_ffmpeg_half_a_film_is_not_taken_for_a_film(site: World) -> None:
    site.publish(Clip("chef", "Chef", "dash"))
    source = site.source()
    source._tools = Tools()
    with pytest.raises(api.BlockedError, match="Picture and sound of 'Chef' come apart"):
        site.fetched(source, site.material(source, "/watch/chef"))


def test_missing_ffmpeg_is_told_once(
    site: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("archiver_plugins.video.source.find_tools", Tools)
    site.publish(Clip("chef", "Chef"))
    source = site.source()
    site.listed(source, "/watch/chef")
    site.listed(source, "/watch/chef")
    assert [record.message for record in caplog.records].count(caplog.records[0].message) == 1
    assert "Install ffmpeg" in caplog.records[0].message


@pytest.mark.parametrize("form", ["mp4", "hls"])
def test_no_line_of_progress_is_put_together(site: World, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[object] = []
    monkeypatch.setattr(FileDownloader, "_report_progress_status", lambda *told: lines.append(told))
    site.publish(Clip("chef", "Chef", form))
    site.get("/watch/chef")
    assert lines == []


def test_a_file_named_directly_is_the_original(site: World) -> None:
    site.publish(Clip("chef", "Chef"))
    source = site.source()
    material = site.material(source, "/media/chef.mp4")
    fuller, files, listed = site.fetched(source, material)
    assert files["film"].read_bytes() == site.service.clips["chef"].film
    assert (listed[0].role, listed[0].grade) == (api.Role.ORIGINAL, api.Grade.ORIGINAL)
    assert (fuller.id, fuller.date, fuller.revision) == (material.id, "2012-09-22", material.revision)
    assert material.revision == "m1348300000"


def test_a_file_that_was_replaced_has_another_revision(site: World) -> None:
    site.publish(Clip("chef", "Chef"))
    before = site.material(site.source(), "/media/chef.mp4")
    assert site.material(site.source(), "/media/chef.mp4") == before
    site.publish(Clip("chef", "Chef", seconds=7, modified=1_350_000_000.0))
    after = site.material(site.source(), "/media/chef.mp4")
    assert (after.id, after.revision == before.revision) == (before.id, False)


def test_subtitles_thumbnail_and_description_come_along(site: World) -> None:
    site.publish(Clip("chef", "Chef", subtitles={"zh": WORDS, "en": WORDS}))
    _, files = site.get("/watch/chef")
    assert sorted(files) == ["en", "film", "thumbnail", "zh"]
    media_type = media.verify(files["zh"], api.Kind.VIDEO, api.Role.SIDECAR)
    assert derive.text(files["zh"], media_type) == "大家好，我们来讲 OpenStack"
    assert api.read_picture(files["thumbnail"]).suffix == ".jpg"


@pytest.mark.parametrize(("languages", "labels"), [((), []), (("zh",), ["zh-Hans"]), (("fr",), [])])
def test_only_wanted_languages_come(site: World, languages: tuple[str, ...], labels: list[str]) -> None:
    site.publish(Clip("chef", "Chef", subtitles={"zh-Hans": WORDS, "en": WORDS}, poster=False))
    _, files = site.get("/watch/chef", subtitles=languages)
    assert sorted(files) == ["film", *labels]


def test_a_lost_subtitle_does_not_cost_the_film_and_is_noted(site: World) -> None:
    site.publish(Clip("chef", "Chef", subtitles={"en": WORDS}))
    site.service.fault("/subtitles/*", "gone", times=None)
    fuller, files = site.get("/watch/chef")
    assert sorted(files) == ["film", "thumbnail"]
    assert fuller.extra["subtitles_lost"] == "en"


def test_a_subtitle_that_fails_in_passing_is_asked_for_with_the_film_again(site: World) -> None:
    site.publish(Clip("chef", "Chef", subtitles={"en": WORDS}))
    site.service.fault("/subtitles/*", "503", times=None)
    assert isinstance(problem(site, "/watch/chef"), api.TransientError)


def test_structured_data_gives_description_date_and_duration(site: World) -> None:
    site.publish(Clip("chef", "Chef 部署", "hls", announced=6, description="How to <deploy>."))
    fuller, files = site.get("/watch/chef")
    assert (fuller.description, fuller.date) == ("How to <deploy>.", "2012-09-22")
    assert fuller.extra["duration"] == "6"
    assert files["description"].read_text("utf-8") == "How to <deploy>.\n"


def test_a_film_shorter_than_announced_is_refused(site: World) -> None:
    site.publish(Clip("chef", "Chef", "hls", announced=60))
    error = problem(site, "/watch/chef")
    assert isinstance(error, api.InvalidError)
    assert "6 of 60 seconds" in error.message


def test_ffmpeg_alone_sees_that_too(site: World) -> None:
    site.publish(Clip("chef", "Chef", "hls", announced=60))
    source = site.source()
    source._tools = replace(source.tools, ffprobe="")
    material = site.material(source, "/watch/chef")
    with pytest.raises(api.InvalidError, match="6 of 60 seconds"):
        site.fetched(source, material)


@pytest.mark.parametrize("form", ["hls", "ts", "dash"])
def test_a_missing_fragment_is_an_error(site: World, form: str) -> None:
    site.publish(Clip("chef", "Chef", form))
    site.service.fault("/media/chef/film-2.*", "gone", times=None)
    error = problem(site, "/watch/chef")
    assert isinstance(error, api.InvalidError)
    assert "film-2" in error.message
    assert "410" in error.message


def test_a_fragment_that_fails_once_is_asked_for_again(site: World) -> None:
    site.publish(Clip("chef", "Chef", "hls"))
    site.service.fault("/media/chef/film-2.*", "truncate")
    site.service.fault("/media/chef/film-3.*", "503")
    _, files = site.get("/watch/chef")
    assert seconds_of(files["film"]) == pytest.approx(6, abs=0.3)
    assert site.service.requests.count("/media/chef/film-2.*") == 2


def test_a_broken_download_goes_on_where_it_stopped(site: World) -> None:
    site.publish(Clip("chef", "Chef"))
    site.service.fault("/media/chef.mp4", "truncate", after=1)
    _, files = site.get("/media/chef.mp4")
    assert files["film"].read_bytes() == site.service.clips["chef"].film


def test_a_film_cut_off_by_a_lying_server_does_not_pass(site: World) -> None:
    site.publish(Clip("chef", "Chef"))
    site.service.fault("/media/chef.mp4", "wrong-length", times=None)
    error = problem(site, "/media/chef.mp4")
    assert isinstance(error, api.TransientError)
    assert "more came than was declared" in error.message


def test_a_login_page_in_place_of_a_fragment_is_no_film(site: World) -> None:
    site.publish(Clip("chef", "Chef", "ts"))
    site.service.fault("/media/chef/film-*", "login", times=None)
    error = problem(site, "/watch/chef")
    assert isinstance(error, api.InvalidError)
    assert "no recording" in error.message


@pytest.mark.parametrize(
    ("clip", "kind", "word"),
    [
        (Clip("x", "X", status=451), api.BlockedError, "country"),
        (Clip("x", "X", status=403), api.BlockedError, "cookies_file"),
        (Clip("x", "X", status=429), api.BlockedError, "pause"),
        (Clip("x", "X", login=True), api.BlockedError, "cookies_file"),
        (Clip("x", "X", status=503), api.TransientError, "next run"),
        (Clip("x", "X", status=410), api.GoneError, "waive"),
        (Clip("x", "X", status=404), api.GoneError, "waive"),
    ],
)
def test_refusals_are_told_with_what_to_do(
    site: World, clip: Clip, kind: type[api.SourceError], word: str
) -> None:
    site.publish(clip)
    (item,), last = site.listed(site.source(), "/watch/x")
    assert isinstance(item, api.Unavailable)
    assert type(item.error) is kind
    assert word in item.error.hint
    assert item.material.id == f"{PUBLIC}/watch/x"
    assert "127.0.0.1" not in str(item.error)
    assert not last.complete


def test_a_page_without_a_video_is_known_by_its_address(site: World) -> None:
    site.service.serve("/about", b"<!doctype html><title>About</title><p>Us</p>", "text/html")
    (item,), _ = site.listed(site.source(), "/about")
    assert isinstance(item, api.Unavailable)
    assert isinstance(item.error, api.LinkOnlyError)


def test_one_bad_address_does_not_hide_the_others(site: World) -> None:
    site.publish(Clip("a", "A"), Clip("b", "B", status=503), Clip("c", "C"))
    items, _ = site.listed(site.source(), "/watch/a", "/watch/b", "/watch/c")
    assert [type(item) for item in items] == [api.Material, api.Unavailable, api.Material]


def test_a_stream_that_goes_on_is_left_for_later(site: World) -> None:
    site.publish(Clip("now", "Now", "live"))
    error = problem(site, "/watch/now")
    assert isinstance(error, api.TransientError)
    assert error.retry_after == 3600
    assert site.service.requests.count("/media/now/film-*") == 0


def test_a_page_with_two_players_gives_two_videos(site: World) -> None:
    site.publish(Clip("a", "A"), Clip("b", "B", seconds=8))
    source = site.source()
    items, last = site.listed(source, "/both/a/b")
    assert last.complete
    materials = [item for item in items if isinstance(item, api.Material)]
    assert len({item.id for item in materials}) == 2
    for item, slug in zip(materials, "ab", strict=True):
        _, files, _ = site.fetched(source, item)
        assert files["film"].read_bytes() == site.service.clips[slug].film


def test_a_feed_is_listed_without_a_request_for_each(site: World) -> None:
    site.publish(*(Clip(f"c{n}", f"Talk {n}") for n in range(30)))
    items, last = site.listed(site.source(), "/feed.xml")
    assert last.complete
    assert [item.title for item in items if isinstance(item, api.Material)] == [
        f"Talk {n}" for n in range(30)
    ]
    assert len(site.service.requests) <= 2


def test_a_listing_stops_at_the_limit(site: World) -> None:
    site.publish(*(Clip(f"c{n}", f"Talk {n}") for n in range(5)))
    items, last = site.listed(site.source(), "/feed.xml", "/watch/c1", limit=3)
    assert len(items) == 3
    assert not last.complete
    assert site.service.requests.count("/watch/*") == 0


def test_a_film_larger_than_allowed_is_refused_on_the_way(site: World) -> None:
    site.publish(Clip("chef", "Chef", seconds=8))
    size = len(site.service.clips["chef"].film)
    for form in ("mp4", "hls"):
        site.publish(Clip("chef", "Chef", form, seconds=8))
        error = problem(site, "/watch/chef", max_size=size // 2)
        assert isinstance(error, api.InvalidError)
        assert "max_size" in error.hint


def test_nothing_of_the_twin_is_recorded(site: World) -> None:
    site.publish(Clip("chef", "Chef", subtitles={"en": WORDS}))
    source = site.source()
    for path in ("/watch/chef", "/media/chef.mp4", "/feed.xml", "/both/chef/chef"):
        items, _ = site.listed(source, path)
        for item in items:
            assert isinstance(item, api.Material)
            fuller, _, _ = site.fetched(source, item)
            assert "127.0.0.1" not in repr(item) + repr(fuller)


def test_cookies_are_sent_to_their_host_alone(site: World, tmp_path: Path) -> None:
    site.publish(Clip("chef", "Chef"))
    lines = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsid\topen-sesame\n"
    lines += "other.example\tFALSE\t/\tFALSE\t0\tsid\tother\n"
    (tmp_path / "jar.txt").write_text(lines)
    site.get("/watch/chef", cookies_file="jar.txt")
    sent = {
        request.headers.get("cookie") for request in site.service.requests if "poster" not in request.path
    }
    assert sent == {"sid=open-sesame"}
    assert (tmp_path / "jar.txt").read_text() == lines


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), ('{"sid": "secret"}', "Netscape")])
def test_a_useless_file_of_cookies_is_a_configuration_error(
    site: World, tmp_path: Path, content: str | None, why: str
) -> None:
    if content is not None:
        (tmp_path / "jar.txt").write_text(content)
    with pytest.raises(api.ConfigError, match=why) as caught:
        site.source(cookies_file="jar.txt").check()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"url": "ftp://example.org/a.mp4"},
        {"url": "file:///etc/passwd"},
        {"url": "https://user:password@example.org/"},
        {"url": "ytsearch10:openstack"},
        {"urls": ("https://a.example/1", "https://a.example/2"), "talk": "Chef"},
    ],
)
def test_wrong_entries_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        VideoEntry(**options)  # type: ignore[arg-type]
    assert "password@" not in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "options",
    [
        {"max_height": 0},
        {"subtitles": ("../x",)},
        {"public_url": "https://a.example"},
        {"subtitles": ("all",), "automatic_subtitles": True},
        {"max_size": "a lot"},
        {"exec": "rm"},
    ],
)
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        VideoOptions(**options)  # type: ignore[arg-type]


def test_chapters_are_written_down(site: World, tmp_path: Path) -> None:
    from archiver_plugins.video.engine import Engine
    from archiver_plugins.video.log import Log
    from archiver_plugins.video.settings import parameters
    from archiver_plugins.video.sidecars import Sidecars

    source = site.source()
    engine = Engine(parameters(source.options, Tools()), source.context.http, Log(source.context.log))
    chapters = [
        {"start_time": 0, "end_time": 60.5, "title": "开场"},
        {"start_time": 60.5, "title": None},
        "odd",
    ]
    (file,) = Sidecars(engine, source.context, tmp_path).of({"chapters": chapters})
    written = json.loads((tmp_path / file.path).read_text("utf-8"))["chapters"]
    assert written == [
        {"start": 0, "end": 60.5, "title": "开场"},
        {"start": 60.5, "end": None, "title": ""},
    ]


def test_a_page_that_was_just_listed_is_not_asked_for_again(site: World) -> None:
    site.publish(Clip("chef", "Chef"))
    source = site.source()
    material = site.material(source, "/watch/chef")
    site.fetched(source, material)
    assert site.service.requests.count("/watch/chef") == 1
    # Once: a second fetch, such as that of a later night, looks anew.
    site.fetched(source, material)
    assert site.service.requests.count("/watch/chef") == 2


def test_streams_that_moved_since_the_listing_are_found_by_looking_anew(site: World) -> None:
    site.publish(Clip("chef", "Chef", "hls"))
    source = site.source()
    material = site.material(source, "/watch/chef")
    site.publish(Clip("chef", "Chef", "mp4"))
    site.service.fault("/media/chef/*", "gone", times=None)
    _, files, _ = site.fetched(source, material)
    assert seconds_of(files["film"]) == pytest.approx(6, abs=0.3)
    assert site.service.requests.count("/watch/chef") == 2


def test_what_was_seen_long_ago_is_not_gone_by() -> None:
    now = [0.0]
    remembered = Remembered(lambda: now[0])
    for number in range(MAX_KEPT + 1):
        remembered.keep(str(number), {"id": number})
    assert remembered.take(str(MAX_KEPT)) is None
    assert remembered.take("0") == {"id": 0}
    assert remembered.take("0") is None
    now[0] = FRESH
    assert remembered.take("1") is None
