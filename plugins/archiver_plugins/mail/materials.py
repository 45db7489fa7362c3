"""A message becomes materials: its attachments, and the share links in its text."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from archiver import api
from archiver_plugins.mail import decoding, headers, links, parts
from archiver_plugins.mail.head import Head
from archiver_plugins.mail.letter import Letter
from archiver_plugins.mail.options import EmailOptions
from archiver_plugins.mail.parts import LARGE_INLINE, Part, Sort
from archiver_plugins.mail.telling import public

Listed = api.Material | api.Unavailable

#: Words of names that tell nothing: "slides.pdf", "Presentation1.pptx", "ATT00001.bin", "新建演示文稿".
_EMPTY: Final = frozenset({
    "new", "my", "final", "the", "copy", "of", "draft", "slide", "slides", "deck", "presentation", "talk",
    "ppt", "pptx", "untitled", "document", "file", "v", "version", "att", "attachment", "winmail", "part",
    "img", "image", "noname", "scan", "spreadsheets",
})  # fmt: skip
_EMPTY_CHINESE: Final = re.compile(
    r"(?:新建|最终|版|副本|演示文稿|幻灯片|课件|讲稿|文档|附件|无标题|未命名)+"
)
#: Why nobody but a person can follow a link with a login.
WITH_LOGIN: Final = "it came with a user name and password, which are never sent"
#: What stands between two ids of `extra`.
_BLANK: Final = " "


def of_letter(letter: Letter, options: EmailOptions) -> Iterator[Listed]:
    """Give what a message carries; nothing when that is only text.

    The id of an attachment is made of the Message-ID and its part number, which all forms of a mailbox
    tell alike without the bytes: the same mail in a mailbox and in a file is the same material.
    """
    if letter.problem is not None:
        yield _unreadable(letter, "all", letter.problem)
        return
    if _is_undivided(letter.head):
        yield _unreadable(letter, "all", _undivided())
        return
    html = letter.text_of("text/html")
    shown = links.shown_pictures(html)
    for part in letter.parts:
        found = parts.sort(part, shown)
        if part.family == "multipart" and part.octets:
            yield _unreadable(letter, part.number, _undivided())
        elif _is_wanted(part, found, letter, options):
            yield _attachment(letter, part, found)
    yield from _uuencoded(letter)
    if options.links:
        yield from _links(letter, links.find_links(letter.text_of("text/plain"), html))


def _is_wanted(part: Part, found: Sort, letter: Letter, options: EmailOptions) -> bool:
    if found is Sort.INLINE:
        return options.inline == "all" or (options.inline == "large" and part.octets >= LARGE_INLINE)
    looked_into = part.is_wrapped_message and any(each.wrapped == part.number for each in letter.parts)
    return found is not Sort.NOTHING and not looked_into


def _attachment(letter: Letter, part: Part, found: Sort) -> api.Material:
    kept_as_is = found in {Sort.ENCRYPTED, Sort.TNEF}
    extra = {
        "part": part.number,
        "encoding": part.encoding,
        "type": part.media_type,
        "wrapped": part.wrapped,
        "name": part.name,
        "cut": "yes" if part.cut else "",
        "scrubbed": part.scrubbed,
    }
    return _material(
        letter,
        part.nested or letter.head,
        f"{letter.head.key}/{part.number}",
        api.Kind.OTHER if kept_as_is else parts.kind(part.name, part.media_type),
        name=part.name,
        size=part.size,
        tags=() if found is Sort.ATTACHED else (found.value,),
        extra=extra,
    )


def _uuencoded(letter: Letter) -> Iterator[api.Material]:
    """Find the files that old mailers wrote into the text itself."""
    for part in letter.parts:
        text = letter.texts.get(part.number, b"") if part.media_type == "text/plain" else b""
        for number, raw in enumerate(decoding.uuencoded_names(text), 1):
            name = headers.label(headers.words(headers.text(raw.encode("latin-1"))))
            if not name:
                continue
            extra = {
                "part": part.number,
                "encoding": part.encoding,
                "wrapped": part.wrapped,
                "uu": str(number),
            }
            identity = f"{letter.head.key}/{part.number}/uu{number}"
            source = part.nested or letter.head
            yield _material(
                letter, source, identity, parts.kind(name), name=name, extra=extra | {"name": name}
            )


def _links(letter: Letter, found: list[links.ShareLink]) -> Iterator[Listed]:
    for link in found:
        kind = api.Kind.SLIDES if "presentation/" in link.key else parts.kind(link.name)
        name = headers.label(link.name)
        extra = {"link": link.told, "service": link.service.value, "code": link.code, "name": name}
        extra["secret"] = "yes" if link.told != link.url else ""
        material = _material(letter, letter.head, link.id, kind, name=name, extra=extra)
        material = replace(material, url=link.told)
        if link.service is links.Service.LOGIN:
            error = needs_person(link.url, why=WITH_LOGIN)
            yield api.Unavailable(material, _about(letter.head, error))
        elif link.service is links.Service.BAIDU:
            yield api.Unavailable(material, needs_person(link.url, link.code))
        else:
            yield material


def needs_person(
    url: str, code: str = "", why: str = "Baidu Pan gives files to logged-in people alone"
) -> api.BlockedError:
    """Say that nobody but a person can get what is behind a link."""
    with_code = f" with the code {code}" if code else ""
    return api.BlockedError(
        f"The share link {public(url)}{with_code} needs a person: {why}",
        hint="Open it in a browser, save the file, and add it with: archive add EVENT FILE",
    )


def _unreadable(letter: Letter, what: str, problem: api.SourceError) -> api.Unavailable:
    error = _about(letter.head, problem)
    extra = {"problem": error.message}
    material = _material(letter, letter.head, f"{letter.head.key}/{what}", api.Kind.OTHER, extra=extra)
    return api.Unavailable(material, error)


def _about(head: Head, error: api.SourceError) -> api.SourceError:
    """Name the message in an error, so that a person finds it."""
    return type(error)(f"In {head.named}: {error.message}", hint=error.hint)


def _is_undivided(head: Head) -> bool:
    """Say whether a message is a multipart without boundary. Servers make an empty text of what it holds."""
    media_type, params = headers.value_and_params(headers.first(head.fields, "content-type"))
    return media_type.startswith("multipart/") and not any(name == "boundary" for name, _ in params)


def _undivided() -> api.InvalidError:
    return api.InvalidError(
        "it is said to be of several parts, but not what stands between them (no boundary)",
        hint="Look at it in a mail program, and add by hand what it holds.",
    )


def _material(
    letter: Letter,
    source: Head,
    identity: str,
    kind: api.Kind,
    *,
    name: str = "",
    size: int | None = None,
    tags: tuple[str, ...] = (),
    extra: dict[str, str] | None = None,
) -> api.Material:
    """Fill in what the message tells. `source` is the innermost message that the file came in."""
    head = letter.head
    subject = source.plain_subject or head.plain_subject
    filled = {**(extra or {}), **_context(head), **letter.place}
    return api.Material(
        id=identity,
        kind=kind,
        title=title(name, subject) or identity,
        url=_address(letter, filled.get("scrubbed", "")),
        revision="" if identity.startswith("link/") or letter.archive else revision(head, name),
        authors=tuple(filter(None, (source.sender or head.sender,))),
        date=source.date or head.date,
        description=head.subject,
        tags=tags,
        size=size,
        extra={key: value for key, value in filled.items() if value},
    )


def _address(letter: Letter, scrubbed: str) -> str:
    """Give the public address of what a list archive has; "" elsewhere.

    In Mailman 3 the page of a message is named after a digest of its id (X-Message-ID-Hash).
    """
    if scrubbed:
        return letter.archive + scrubbed
    at_mailman_3 = "@" in letter.archive or "%40" in letter.archive
    if not at_mailman_3 or not letter.head.message_id:
        return ""
    digest = hashlib.sha1(letter.head.message_id.encode("utf-8", "replace"), usedforsecurity=False).digest()
    return f"{letter.archive}message/{base64.b32encode(digest).decode('ascii')}/"


def _context(head: Head) -> dict[str, str]:
    """Give what the core needs to find the event and talk of a message: no addresses.

    `tokens` are what stands after the + of addresses that the message was sent to.
    """
    return {
        "key": head.identity,
        "message_id": head.told_id[:900],
        "subject": head.subject,
        "in_reply_to": _BLANK.join(head.in_reply_to),
        "references": _BLANK.join(head.references),
        "tokens": _BLANK.join(head.tokens),
        "automatic": "yes" if head.is_automatic else "",
    }


def title(name: str, subject: str) -> str:
    """Make a title of a file's name, or of the subject where the name tells nothing."""
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}\Z", "", name).replace("_", " ").strip()
    words = re.findall(r"[^\W\d_]+", stem.casefold())
    if all(word in _EMPTY or _EMPTY_CHINESE.fullmatch(word) for word in words):
        return subject or stem
    return stem


def revision(head: Head, name: str) -> str:
    """Name what differs when a mailer gives one Message-ID to two messages: a mail never changes else."""
    return hashlib.sha256(f"{head.mark}\0{name}".encode()).hexdigest()[:16]
