"""What yt-dlp may touch: addresses, files, programs, options."""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver import api
from archiver.testing import Service
from archiver.testing.messages import Reply, Request
from archiver.testing.service import Routes
from archiver.testing.video import HLS, Clip
from archiver_plugins.video import VideoOptions
from archiver_plugins.video.log import Log
from archiver_plugins.video.settings import FIXED, Tools, destination, parameters
from plugins.video_kit import PUBLIC, WORDS, World, world

HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
METADATA = "http://169.254.169.254/latest/meta-data/"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def inner() -> Iterator[Service]:
    """A service inside the own network, which the configuration does not name."""
    with Service() as service:
        service.serve("/secret.mp4", Clip("s", "S").film, "video/mp4")
        service.serve("/secret.jpg", b"\xff\xd8\xff", "image/jpeg")
        yield service


class Redirecting(Service):
    """Leads from /go to wherever `target` says."""

    target = ""

    def routes(self) -> Routes:
        return {"/go": self.go, "/set": self.set, "/show": self.show}

    def go(self, request: Request) -> Reply:
        del request
        return Reply.redirect(self.target, 302)

    def set(self, request: Request) -> Reply:
        del request
        return Reply(b"", 302, headers={"Location": "/show", "Set-Cookie": "seen=1; Path=/"})

    def show(self, request: Request) -> Reply:
        return Reply.html(request.headers.get("cookie", "no cookie"))


@pytest.mark.parametrize("where", ["inner", METADATA])
def test_a_page_that_leads_inside_is_not_followed(site: World, inner: Service, where: str) -> None:
    target = f"{inner.url}/secret.mp4" if where == "inner" else where
    with Redirecting() as front:
        front.target = target
        source = site.source(base_url=front.url)
        (item,), _ = site.listed(source, "/go")
    assert isinstance(item, api.Unavailable)
    assert isinstance(item.error, api.BlockedError)
    assert "which a source may not reach" in item.error.message
    assert len(inner.requests) == 0


def feed(address: str) -> bytes:
    item = f'<item><title>T</title><enclosure url="{address}" type="video/mp4" length="1"/></item>'
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>C</title>{item}</channel></rss>'.encode()


@pytest.mark.parametrize(
    "where", ["inner", METADATA, "file:///etc/passwd", "ftp://127.0.0.1/x", "rtmp://127.0.0.1/x"]
)
def test_an_entry_of_a_list_that_leads_inside_is_refused(site: World, inner: Service, where: str) -> None:
    address = f"{inner.url}/secret.mp4" if where == "inner" else where
    site.service.serve("/list.xml", feed(address), "application/rss+xml")
    source = site.source()
    (item,), _ = site.listed(source, "/list.xml")
    assert isinstance(item, api.Material)
    with pytest.raises((api.BlockedError, api.InvalidError)):
        site.fetched(source, item)
    assert len(inner.requests) == 0


@pytest.mark.parametrize("tools", [None, Tools()])
def test_a_stream_whose_fragments_lie_inside_is_refused(
    site: World, inner: Service, tools: Tools | None
) -> None:
    playlist = f"{HEAD}#EXTINF:2,\n{inner.url}/secret.mp4\n#EXT-X-ENDLIST\n"
    site.service.serve("/s/index.m3u8", playlist.encode(), HLS)
    source = site.source()
    source._tools = tools
    with pytest.raises(api.BlockedError, match="may not reach"):
        site.fetched(source, site.material(source, "/s/index.m3u8"))
    assert len(inner.requests) == 0


def test_the_key_of_an_encrypted_stream_is_not_fetched_by_ffmpeg(site: World, inner: Service) -> None:
    site.publish(Clip("c", "C", "ts"))
    key = f'#EXT-X-KEY:METHOD=AES-128,URI="{inner.url}/key"'
    playlist = f"{HEAD}{key}\n#EXTINF:2,\n{site.service.url}/media/c/film-0.ts\n#EXT-X-ENDLIST\n"
    site.service.serve("/s/index.m3u8", playlist.encode(), HLS)
    source = site.source()
    with pytest.raises(api.BlockedError, match="may not reach"):
        site.fetched(source, site.material(source, "/s/index.m3u8"))
    assert len(inner.requests) == 0


@pytest.mark.parametrize("key", ["METHOD=SAMPLE-AES", 'METHOD=AES-128,URI="skd://x"'])
def test_a_stream_for_certain_players_is_blocked_and_not_handed_to_ffmpeg(site: World, key: str) -> None:
    site.publish(Clip("c", "C", "ts"))
    playlist = f"{HEAD}#EXT-X-KEY:{key}\n#EXTINF:2,\n/media/c/film-0.ts\n#EXT-X-ENDLIST\n"
    site.service.serve("/s/index.m3u8", playlist.encode(), HLS)
    source = site.source()
    with pytest.raises(api.BlockedError):
        site.fetched(source, site.material(source, "/s/index.m3u8"))
    assert site.service.requests.count("/media/c/*") == 0


def test_a_poster_and_subtitles_inside_are_left_out(site: World, inner: Service) -> None:
    site.publish(Clip("c", "C"))
    page = (
        f'<!doctype html><title>P</title><video poster="{inner.url}/secret.jpg"><source src="/media/c.mp4">'
        f'<track kind="subtitles" srclang="en" src="{inner.url}/en.vtt"></video>'
    )
    site.service.serve("/page", page.encode(), "text/html")
    _, files = site.get("/page")
    assert sorted(files) == ["film"]
    assert len(inner.requests) == 0


def test_a_playlist_in_place_of_a_film_reaches_no_other_program(site: World, tmp_path: Path) -> None:
    (tmp_path / "private.txt").write_text("private")
    trick = f"#EXTM3U\n#EXTINF:2,\nfile://{tmp_path}/private.txt\n#EXT-X-ENDLIST\n".encode()
    playlist = f"{HEAD}#EXTINF:2,\n/trick.ts\n#EXT-X-ENDLIST\n"
    site.service.serve("/trick.ts", trick, "video/mp2t")
    site.service.serve("/s/index.m3u8", playlist.encode(), HLS)
    source = site.source()
    with pytest.raises(api.InvalidError, match="no recording"):
        site.fetched(source, site.material(source, "/s/index.m3u8"))


def test_proxies_of_the_environment_are_not_used(site: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.publish(Clip("c", "C"))
    _, files = site.get("/watch/c")
    assert files["film"].stat().st_size


def test_hostile_names_stay_labels(site: World) -> None:
    odd = {"../../evil": WORDS}
    site.publish(Clip("c", "../../etc/passwd\x00" + "字" * 300, subtitles=odd, description="../x"))
    fuller, files = site.get("/watch/c")
    assert "film" in files  # `fetched` has compared the names in the directory with what was yielded
    assert all(".." not in path.name for path in files.values())
    assert fuller.id == f"{PUBLIC}/watch/c"


SNAPSHOT: dict[str, Any] = {
    "allow_unplayable_formats": False,
    "cachedir": False,
    "check_formats": None,
    "color": "never",
    "concurrent_fragment_downloads": 1,
    "continuedl": False,
    "cookiesfrombrowser": None,
    "dynamic_mpd": True,
    "enable_file_urls": False,
    "external_downloader": None,
    "extractor_args": {},
    "extractor_retries": 2,
    "file_access_retries": 0,
    "fixup": "detect_or_warn",
    "fragment_retries": 3,
    "geo_bypass": False,
    "geo_verification_proxy": None,
    "hls_prefer_native": True,
    "hls_use_mpegts": False,
    "ignore_no_formats_error": False,
    "ignoreerrors": False,
    "impersonate": None,
    "js_runtimes": {"deno": {}},
    "legacyserverconnect": False,
    "live_from_start": False,
    "no_warnings": False,
    "nocheckcertificate": False,
    "noplaylist": False,
    "noprogress": True,
    "overwrites": True,
    "postprocessors": (),
    "proxy": "",
    "quiet": True,
    "remote_components": (),
    "restrictfilenames": True,
    "retries": 3,
    "skip_unavailable_fragments": False,
    "socket_timeout": 30,
    "updatetime": False,
    "usenetrc": False,
    "wait_for_video": None,
    "windowsfilenames": True,
    "writedescription": False,
    "writeinfojson": False,
    "writethumbnail": False,
}


def test_the_fixed_options_are_exactly_these() -> None:
    assert dict(FIXED) == SNAPSHOT


def test_all_options_together_are_exactly_these(tmp_path: Path) -> None:
    options = VideoOptions(max_height=720, rate="1MB", subtitles=("zh", "en"))  # type: ignore[arg-type]
    made = parameters(options, Tools("/usr/bin/ffmpeg"), cookies="# Netscape HTTP Cookie File\n")
    made |= destination(tmp_path)
    assert isinstance(made.pop("cookiefile"), io.StringIO)  # never the file itself: yt-dlp writes into it
    assert {name: made[name] for name in made if name not in SNAPSHOT} == {
        "ffmpeg_location": "/usr/bin/ffmpeg",
        "format": (
            "bv*[height<=?720][P]+ba[P]/b[height<=?720][P]/wv*[P]+ba[P]/w[P]/ba[P]/bv*[height<=?720][P]"
        ).replace("[P]", "[protocol~='^(https?|m3u8|m3u8_native|http_dash_segments|ism)$']"),
        "outtmpl": {"default": "film.%(ext)s"},
        "paths": {"home": str(tmp_path), "temp": str(tmp_path)},
        "ratelimit": 1_000_000,
        "simulate": False,
        "skip_download": False,
        "sleep_interval_requests": 0.5,
        "subtitleslangs": ["zh(-.*)?", "en(-.*)?"],
        "subtitlesformat": "vtt/srt/best",
        "writeautomaticsub": False,
        "writesubtitles": True,
    }
    assert {name: made[name] for name in SNAPSHOT} == SNAPSHOT


def test_nothing_that_runs_programs_or_leaves_the_directory_can_be_asked_for() -> None:
    made = parameters(VideoOptions(), Tools())
    dangerous = {"exec_cmd", "netrc_cmd", "external_downloader_args", "postprocessor_args", "print_to_file"}
    dangerous |= {"writelink", "writeurllink", "writewebloclink", "writedesktoplink", "download_archive"}
    dangerous |= {
        "client_certificate",
        "cn_verification_proxy",
        "source_address",
        "plugin_dirs",
        "compat_opts",
    }
    assert not dangerous & made.keys()
    assert made["simulate"] is True


MACHINE = """
import json, sys
sys.path[:0] = {path!r}
from archiver import api
from archiver.web import PoliteClient
from archiver_plugins.video import VideoOptions
heavy = "yt_dlp" in sys.modules
from archiver_plugins.video.engine import Engine
from archiver_plugins.video.log import Log
from archiver_plugins.video.settings import Tools, parameters
import logging
with PoliteClient() as http:
    engine = Engine(parameters(VideoOptions(), Tools()), http, Log(logging.getLogger()))
    told = {{
        "heavy": heavy,
        "plugins": [name for name in sys.modules if name.startswith("yt_dlp_plugins.")],
        "extractors": [key for key in engine._ydl._ies if "Trap" in key],
        "handlers": sorted(engine._ydl._request_director.handlers),
        "format": engine._ydl.params["format"] == parameters(VideoOptions(), Tools())["format"],
        "proxy": engine._ydl.params["proxy"],
    }}
    engine.close()
print(json.dumps(told))
"""


def test_neither_configuration_nor_plugins_of_the_machine_are_read(tmp_path: Path) -> None:
    trap = tmp_path / "trap" / "yt_dlp_plugins" / "extractor"
    trap.mkdir(parents=True)
    (trap / "trap.py").write_text(
        "from yt_dlp.extractor.common import InfoExtractor\n"
        "class TrapIE(InfoExtractor):\n    _VALID_URL = '.*'\n"
    )
    (tmp_path / ".config" / "yt-dlp").mkdir(parents=True)
    (tmp_path / ".config" / "yt-dlp" / "config").write_text(
        "--proxy http://127.0.0.1:9\n--exec 'touch /tmp/x'\n"
    )
    (tmp_path / ".netrc").write_text("machine example.org login a password b\n")
    environment = os.environ | {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config")}
    code = MACHINE.format(path=[str(tmp_path / "trap"), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "heavy": False,
        "plugins": [],
        "extractors": [],
        "handlers": ["Guarded"],
        "format": True,
        "proxy": "",
    }
    assert done.stderr == ""


def test_what_yt_dlp_says_is_redacted_and_kept_from_the_terminal(
    site: World, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    site.publish(Clip("c", "C", "hls"))
    site.service.fault("/media/c/film-1*", "gone", times=None)
    with pytest.raises(api.SourceError) as caught:
        site.get("/watch/c?token=opensesame0123")
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert caplog.records
    assert "opensesame" not in caplog.text + str(caught.value)
    Log(logging.getLogger("x")).warning(
        "\x1b[31mGet http://h/?sig=opensesame\x1b[0m\n; please report this issue on …"
    )
    assert "opensesame" not in caplog.text
    assert "report this" not in caplog.text


def test_cookies_are_kept_on_the_way_through_redirects(site: World) -> None:
    with Redirecting() as front:
        site.listed(site.source(base_url=front.url), "/set")
        shown = front.requests.matching("/show")
        assert [request.headers.get("cookie") for request in shown] == ["seen=1"] * len(shown)
        assert shown


def test_a_circle_of_redirects_ends(site: World) -> None:
    with Redirecting() as front:
        front.target = f"{front.url}/go"
        (item,), _ = site.listed(site.source(base_url=front.url), "/go")
        assert isinstance(item, api.Unavailable)
        assert front.requests.count("/go") < 50


class Packing(Service):
    """Packs everything, whatever it is asked for."""

    coding = "gzip"

    def routes(self) -> Routes:
        return {"/page": self.page, "/film.mp4": self.film, "/bomb": self.bomb}

    def page(self, request: Request) -> Reply:
        del request
        html = b'<!doctype html><title>P</title><video src="/film.mp4"></video>'
        return Reply(gzip.compress(html), headers={"Content-Encoding": self.coding})

    def film(self, request: Request) -> Reply:
        del request
        data = gzip.compress(Clip("c", "C").film)
        return Reply(data, media_type="video/mp4", headers={"Content-Encoding": self.coding})

    def bomb(self, request: Request) -> Reply:
        del request
        data = gzip.compress(b"<p>" + bytes(100 << 20), 1)
        return Reply(data, media_type="text/html", headers={"Content-Encoding": self.coding})


def test_a_server_that_packs_unasked_is_understood_in_bounds(site: World) -> None:
    with Packing() as packing:
        source = site.source(base_url=packing.url)
        _, files, _ = site.fetched(source, site.material(source, "/page"))
        assert files["film"].read_bytes() == Clip("c", "C").film
        (item,), _ = site.listed(source, "/bomb")
        assert isinstance(item, api.Unavailable)
        assert "bytes" in item.error.message
        packing.coding = "br"
        (item,), _ = site.listed(source, "/page")
        assert isinstance(item, api.Unavailable)


def test_a_stalled_stream_ends(site: World) -> None:
    site.publish(Clip("c", "C", "hls"))
    source = site.source()
    material = site.material(source, "/watch/c")
    site.service.fault("/media/c/film-1*", "reset", times=None)
    with pytest.raises(api.TransientError):
        site.fetched(source, material)
