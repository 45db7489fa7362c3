"""A loopback video site: pages with players, HLS, DASH and plain files, a feed, and what sites refuse with.

The pages are such that a downloader which knows no site in particular finds the films: a `<video>`
element, or structured data of schema.org. The films are made here and play.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cached_property
from typing import Final

from archiver.testing import video_media
from archiver.testing.faults import LOGIN_PAGE
from archiver.testing.messages import Reply, Request
from archiver.testing.service import Routes, Service

HLS: Final = "application/vnd.apple.mpegurl"
DASH: Final = "application/dash+xml"


@dataclass(frozen=True)
class Clip:
    """One video. `form` says how it is served: mp4, hls (fragments of MP4), ts, dash, live.

    `announced` is the duration in seconds that its page tells, when it tells one. `status` other than 200
    refuses the page: 403 for members, 404 or 410 for what is gone, 429 for the hasty, 451 by country; with
    `login` it asks for a password instead. `parts` are the fragments of a film made elsewhere: the first
    goes before the others. `modified` is in seconds since 1970.
    """

    slug: str
    title: str
    form: str = "mp4"
    seconds: int = 6
    announced: float | None = None
    description: str = ""
    subtitles: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    login: bool = False
    poster: bool = True
    parts: tuple[bytes, ...] = ()
    part_seconds: float = 2
    modified: float = 1_348_300_000.0

    @cached_property
    def film(self) -> bytes:
        """Make the film as one file."""
        return video_media.mp4(*self._tracks)

    @cached_property
    def fragments(self) -> tuple[bytes, ...]:
        """Make what a stream is served as: for `ts` all alike, else the first goes before the others."""
        if self.parts:
            return self.parts
        if self.form == "ts":
            return tuple(video_media.transport_stream(self.seconds))
        start, rest = video_media.fragmented(*self._tracks)
        return (start, *rest)

    @cached_property
    def sound(self) -> tuple[bytes, ...]:
        """Make the sound by itself, as DASH serves it."""
        start, rest = video_media.fragmented(video_media.silence(self.seconds, 1))
        return (start, *rest)

    @property
    def _tracks(self) -> tuple[video_media.Track, ...]:
        films = video_media.pictures(self.seconds)
        return (films,) if self.form == "dash" else (films, video_media.silence(self.seconds))


class VideoDouble(Service):
    """The site. Pages are under `/watch/`, the feed of all is `/feed.xml`, a page with two under `/both/`."""

    def __init__(self, clips: Iterable[Clip] = (), *, port: int = 0) -> None:
        super().__init__(port=port)
        self.clips = {clip.slug: clip for clip in clips}

    def add(self, clip: Clip) -> None:
        """Publish a clip, or change the one of the same slug."""
        self.clips[clip.slug] = clip

    def page_of(self, slug: str) -> str:
        """Give the address of a clip's page."""
        return f"{self.url}/watch/{slug}"

    def routes(self) -> Routes:
        """Say what is where."""
        return {
            "/watch/{slug}": self.watch,
            "/both/{one}/{other}": self.both,
            "/feed.xml": self.feed,
            "/poster/{slug}.jpg": self.poster,
            "/subtitles/{slug}/{language}.vtt": self.subtitle,
            "/media/{slug}.mp4": self.film,
            "/media/{slug}/index.m3u8": self.playlist,
            "/media/{slug}/manifest.mpd": self.manifest,
            "/media/{slug}/{track}-{number:int}.{ending}": self.fragment,
        }

    def watch(self, request: Request) -> Reply:
        """Show a page with a player, or refuse."""
        clip = self.clips.get(request.args["slug"])
        if clip is None:
            return Reply.missing()
        if clip.login:
            return Reply.html(LOGIN_PAGE)
        if clip.status != 200:
            return Reply.html(f"<!doctype html><title>{clip.status}</title>", clip.status)
        head = f"<title>{html.escape(clip.title)}</title>{_structured(clip, self.url)}"
        body = _player(clip) if clip.announced is None else "<p>This player needs a script.</p>"
        return Reply.html(f"<!doctype html><html><head>{head}</head><body>{body}</body></html>")

    def both(self, request: Request) -> Reply:
        """Show a page with two players."""
        clips = [self.clips[request.args[name]] for name in ("one", "other")]
        players = "".join(_player(clip) for clip in clips)
        return Reply.html(
            f"<!doctype html><html><head><title>Both</title></head><body>{players}</body></html>"
        )

    def feed(self, request: Request) -> Reply:
        """List all clips, the newest first, as podcasts do."""
        del request
        items = "".join(_item(clip, self.url) for clip in self.clips.values())
        text = f'<?xml version="1.0"?><rss version="2.0"><channel><title>All</title>{items}</channel></rss>'
        return Reply(text.encode(), media_type="application/rss+xml")

    def poster(self, request: Request) -> Reply:
        """Give a still."""
        still = video_media.pictures(1, (320, 180)).samples[0]
        return Reply.file(still if request.args["slug"] in self.clips else b"", "image/jpeg")

    def subtitle(self, request: Request) -> Reply:
        """Give the subtitles of a language."""
        words = self.clips[request.args["slug"]].subtitles.get(request.args["language"])
        return Reply.missing() if words is None else Reply(words.encode(), media_type="text/vtt")

    def film(self, request: Request) -> Reply:
        """Give a film as one file."""
        clip = self.clips.get(request.args["slug"])
        if clip is None or clip.status in {404, 410}:
            return Reply.missing()
        reply = Reply.file(clip.film, "video/mp4")
        return Reply(
            reply.body, 200, "video/mp4", etag=reply.etag, modified=formatdate(clip.modified, usegmt=True)
        )

    def playlist(self, request: Request) -> Reply:
        """Give the playlist of a stream (RFC 8216)."""
        clip = self.clips[request.args["slug"]]
        return Reply(_playlist(clip).encode(), media_type=HLS)

    def manifest(self, request: Request) -> Reply:
        """Give the manifest of a stream (ISO/IEC 23009-1) with pictures and sound apart."""
        clip = self.clips[request.args["slug"]]
        return Reply(_manifest(clip).encode(), media_type=DASH)

    def fragment(self, request: Request) -> Reply:
        """Give one fragment."""
        clip = self.clips[request.args["slug"]]
        parts = clip.sound if request.args["track"] == "sound" else clip.fragments
        number = int(request.args["number"])
        return Reply.file(parts[number], "video/mp4") if number < len(parts) else Reply.missing()


def _source(clip: Clip) -> tuple[str, str]:
    """Give path and type of a clip's media."""
    match clip.form:
        case "hls" | "ts" | "live":
            return f"/media/{clip.slug}/index.m3u8", HLS
        case "dash":
            return f"/media/{clip.slug}/manifest.mpd", DASH
        case _:
            return f"/media/{clip.slug}.mp4", "video/mp4"


def _player(clip: Clip) -> str:
    path, media_type = _source(clip)
    tracks = "".join(
        f'<track kind="subtitles" srclang="{language}" src="/subtitles/{clip.slug}/{language}.vtt">'
        for language in map(html.escape, clip.subtitles)
    )
    poster = f' poster="/poster/{clip.slug}.jpg"' if clip.poster else ""
    return f'<video controls{poster}><source src="{path}" type="{media_type}">{tracks}</video>'


def _structured(clip: Clip, url: str) -> str:
    """Describe a clip by the words of schema.org/VideoObject, when its page announces a duration."""
    described = f'<meta property="og:description" content="{html.escape(clip.description)}">'
    if clip.announced is None:
        return described
    data = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": clip.title,
        "description": clip.description,
        "duration": f"PT{clip.announced:g}S",
        "uploadDate": "2012-09-22",
        "contentUrl": url + _source(clip)[0],
    }
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return f'{described}<script type="application/ld+json">{text}</script>'


def _item(clip: Clip, url: str) -> str:
    path, media_type = _source(clip)
    title = html.escape(clip.title)
    return (
        f"<item><title>{title}</title><link>{url}/watch/{clip.slug}</link>"
        f'<enclosure url="{url}{path}" type="{media_type}" length="0"/></item>'
    )


def _playlist(clip: Clip) -> str:
    whole = clip.form == "ts"
    ending = "ts" if whole else "m4s"
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{round(clip.part_seconds)}"]
    if not whole:
        lines.append('#EXT-X-MAP:URI="film-0.mp4"')
    for number in range(0 if whole else 1, len(clip.fragments)):
        lines += [f"#EXTINF:{clip.part_seconds:.3f},", f"film-{number}.{ending}"]
    if clip.form != "live":
        lines.append("#EXT-X-ENDLIST")
    return "\n".join([*lines, ""])


def _manifest(clip: Clip) -> str:
    def track(name: str, kind: str, codecs: str, more: str) -> str:
        template = (
            f'<SegmentTemplate timescale="1" duration="2" startNumber="1" initialization="{name}-0.mp4" '
        )
        template += f'media="{name}-$Number$.m4s"/>'
        chosen = f'<Representation id="{name}" bandwidth="64000" codecs="{codecs}" {more}>{template}'
        adaptation = f'<AdaptationSet mimeType="{kind}/mp4" segmentAlignment="true">{chosen}'
        return f"{adaptation}</Representation></AdaptationSet>"

    film = track("film", "video", "mp4v.6c", 'width="160" height="90" frameRate="1"')
    sound = track("sound", "audio", "mp4a.6b", 'audioSamplingRate="44100"')
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" minBufferTime="PT2S" '
        f'profiles="urn:mpeg:dash:profile:isoff-live:2011" mediaPresentationDuration="PT{clip.seconds}S">'
        f"<Period>{film}{sound}</Period></MPD>"
    )
