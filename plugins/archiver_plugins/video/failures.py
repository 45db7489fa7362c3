"""What went wrong inside yt-dlp, in our words: blocked, gone, passing, or wrong.

yt-dlp wraps nearly everything in `DownloadError` and tells the rest by text, each site in its own.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from typing import Final

from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import (
    ExtractorError,
    GeoRestrictedError,
    UnsupportedError,
    UserNotLive,
)

from archiver import api
from archiver_plugins.video.log import plain

_LOGIN: Final = (
    "Log in with a browser, save its cookies in the Netscape format, and name the file as cookies_file."
)
_BOT: Final = (
    "Wait some hours, or use another network; a logged-in browser's cookies (cookies_file) often help."
)
_RATE: Final = "Wait some hours; then run again with a longer `pause` and a `rate`."
_GEO: Final = "Run it from a country where the video may be watched, or ask the organizer for the file."
_PAID: Final = "Ask the organizer or the speaker for the file, and add it by hand."
_UPGRADE: Final = "If it plays in a browser, the site has changed: upgrade yt-dlp."
_LATER: Final = "It is fetched by a later run, once it is over."

# Read off yt-dlp's own messages and those of sites that it passes on. The first that fits counts, so what
# is more certain comes first: "Sign in to confirm you're not a bot" is about robots, not about a login.
_BLOCKED: Final = (
    (r"not a (?:ro)?bot|captcha|cloudflare|unusual traffic|browser impersonation|verify you are human", _BOT),
    (r"rate.?limit|too many requests|\b429\b|try again later|\b412\b|precondition failed", _RATE),
    (
        r"not .{0,30}available (?:in|from) (?:your|this) (?:country|region)|geo.?(?:restrict|block)",
        _GEO,
    ),
    (
        r"DRM|members.only|join this channel|premium|purchase|rental|requires payment|paid content|\bVIP\b",
        _PAID,
    ),
    (
        r"log.?in|sign.?in|logged|registered users|private video|password|authenticat|account credentials",
        _LOGIN,
    ),
    (r"use --cookies|confirm your age|age.restricted|inappropriate for some users|is private", _LOGIN),
)
_WAITING: Final = re.compile(
    r"will begin|premieres? in|has not (?:yet )?(?:started|begun)|not (?:currently )?live|upcoming"
    r"|is offline|live event|being processed|is not yet available",
    re.IGNORECASE,
)
_GONE: Final = re.compile(
    r"(?:video|recording|file|content|page|account|channel|playlist|event)\b.{0,60}"
    r"(?:has been|was|been|is) (?:removed|deleted|terminated|taken down)"
    r"|no longer (?:available|exists)|does(?:n't| not) exist|removed by the (?:uploader|user|owner)"
    r"|account .{0,80}terminated",
    re.IGNORECASE,
)
_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


def as_source_error(
    error: BaseException,
    what: str,
    warning: str = "",
    *,
    login: str = "",
    failed: BaseException | None = None,
) -> api.SourceError:
    """Make the `SourceError` for something that yt-dlp raised about `what`, an address or a title.

    `warning` is the last thing that yt-dlp warned of, often the reason; `login` an address that asked for
    a password; `failed` the last request's error, which counts when yt-dlp says that it gave up.
    """
    causes = list(_causes(error))
    if failed is not None and "Giving up after" in str(error):
        causes += _causes(failed)
    ours = next((cause for cause in causes if isinstance(cause, api.SourceError)), None)
    if ours is not None:
        return ours
    disk = next((each for each in causes if isinstance(each, OSError) and each.errno in _DISK), None)
    if disk is not None:
        failed = api.FatalError(f"the working directory failed: {disk.strerror}")
        failed.__cause__ = disk
        return failed
    name = api.redact(what)[:300]
    if login and any(isinstance(each, UnsupportedError) for each in causes):
        return api.BlockedError(f"{name} shows a login page instead of a video", hint=_LOGIN)
    found = _by_kind(causes, name) or _by_status(causes, name) or _by_transport(causes, name)
    return found or _by_text(causes, name, warning)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and all that it wraps, outermost first."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop(0)
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        info = getattr(each, "exc_info", None) or (None, None, None)
        # Not the context: an extractor that met a 404 on its first way may have found another.
        waiting += [info[1], getattr(each, "cause", None), each.__cause__]


def _by_status(causes: list[BaseException], name: str) -> api.SourceError | None:
    found = next((each for each in causes if isinstance(each, HTTPError)), None)
    if found is None:
        return None
    status, address = found.status, api.redact(str(found.response.url))[:300]
    message = f"{name} could not be fetched: {address} answered {status}"
    if status in {404, 410} and _is_page(name, address):
        return api.GoneError(message, hint="Correct the address, or waive the item if it is lost.")
    return _of_status(status, message)


def _of_status(status: int, message: str) -> api.SourceError | None:
    if status in {412, 429}:
        return api.BlockedError(message, hint=_RATE)
    if status in {401, 403, 407}:
        return api.BlockedError(message, hint=_LOGIN)
    if status == 451:
        return api.BlockedError(message, hint=_GEO)
    if status in {408, 425} or status >= 500:
        return api.TransientError(message, hint="The next run tries again.")
    return None if status < 400 else api.InvalidError(message, hint=_UPGRADE)


def _is_page(name: str, address: str) -> bool:
    # A lost fragment or API answer says nothing about the video; its own page does.
    return name.partition("#")[0].rstrip("/") == address.partition("#")[0].rstrip("/")


def _by_kind(causes: list[BaseException], name: str) -> api.SourceError | None:
    for each in causes:
        if isinstance(each, GeoRestrictedError):
            return api.BlockedError(f"{name} may not be watched from here: {_said([each])}", hint=_GEO)
        if isinstance(each, UnsupportedError):
            return api.LinkOnlyError(
                f"{name} is no page of a video that yt-dlp knows",
                hint="Its address is kept. If it is wrong, open it in a browser and copy that of the video "
                "itself; else save the recording yourself, and add it with: archive add EVENT FILE",
            )
        if isinstance(each, UserNotLive):
            return api.TransientError(f"{name} shows nothing now", hint=_LATER)
    return None


def _by_transport(causes: list[BaseException], name: str) -> api.SourceError | None:
    for each in causes:
        if isinstance(each, TransportError):
            message = f"{name} could not be fetched: {plain(str(each))}"
            return api.TransientError(message, hint="The next run tries again.")
    return None


def _by_text(causes: list[BaseException], name: str, warning: str) -> api.SourceError:
    said = _said(causes)
    message = f"{name} could not be fetched: {said}"
    if _GONE.search(said):
        return api.GoneError(message, hint="Waive the item, or add the file by hand if you have it.")
    if _WAITING.search(said):
        return api.TransientError(message, hint=_LATER, retry_after=3600.0)
    # Some sites warn of the login or robot check first and then offer nothing.
    for text in (said, warning):
        for pattern, hint in _BLOCKED:
            if re.search(pattern, text, re.IGNORECASE):
                told = message if text == said else f"{message} ({text})"
                return api.BlockedError(told, hint=hint)
    return api.InvalidError(f"{message}{f' ({warning})' if warning else ''}", hint=_UPGRADE)


def _said(causes: list[BaseException]) -> str:
    """Choose the words of the cause that a site or extractor wrote, else those of the whole."""
    for each in causes:
        if isinstance(each, ExtractorError) and each.orig_msg:
            return plain(str(each.orig_msg))
    return plain(str(causes[0])) or type(causes[0]).__name__
