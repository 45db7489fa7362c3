"""Which addresses are those of one recording. Told from the address alone: yt-dlp knows many pages more."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs, urlsplit

#: Host and path → the address that the site shows to people. No playlists and no channels: they grow.
_FORMS: Final = (
    (
        r"(?:(?:www|m)\.)?youtube(?:-nocookie)?\.com/(?:embed|v|live|shorts)/(?!videoseries)([\w-]{11})/?",
        "https://www.youtube.com/watch?v={}",
    ),
    (r"youtu\.be/([\w-]{11})/?", "https://www.youtube.com/watch?v={}"),
    (r"(?:www\.|player\.)?vimeo\.com/(?:video/)?([0-9]{1,12})/?", "https://vimeo.com/{}"),
    (r"player\.youku\.com/embed/([\w=]{8,40})/?", "https://v.youku.com/v_show/id_{}.html"),
    (r"v\.youku\.com/v_show/id_([\w=]{8,40})\.html", "https://v.youku.com/v_show/id_{}.html"),
    (r"(?:(?:www|m)\.)?bilibili\.com/video/(BV\w{10}|av[0-9]{1,15})/?", "https://www.bilibili.com/video/{}"),
    (r"v\.qq\.com/x/page/(\w{5,20})\.html", "https://v.qq.com/x/page/{}.html"),
    (r"(?:www\.)?tudou\.com/programs/view/([\w-]{5,20})/?", "https://www.tudou.com/programs/view/{}/"),
    (r"media\.ccc\.de/v/([\w.%-]{1,200})/?", "https://media.ccc.de/v/{}"),
)
_YOUTUBE_ID: Final = r"[A-Za-z0-9_-]{11}"
_YOUTUBE: Final = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com"})


def recording_at(url: str) -> str:
    """Give the plain address of the one recording that an address names; "" when it names none."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        watched = parse_qs(parts.query, max_num_fields=50).get("v", [""])[0]
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        return ""
    if parts.path.lower().endswith(".m3u8"):
        return url
    if host in _YOUTUBE and parts.path == "/watch":
        # Without `list`: a recording that somebody saw in a playlist is not the playlist.
        return f"https://www.youtube.com/watch?v={watched}" if re.fullmatch(_YOUTUBE_ID, watched) else ""
    for pattern, form in _FORMS:
        if match := re.fullmatch(pattern, f"{host}{parts.path}", re.ASCII):
            return form.format(match[1])
    return ""
