"""What a public sink may know of a material that is cleared for it: less than the archive itself knows.

Mail addresses, what only its source needs, the letters that came with attachments, Message-IDs and the codes
that answers are recognised by stay behind.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from archiver import crate
from archiver.asked import TOKEN_LENGTH
from archiver.ledger import Edition, Match, Record, StoredFile
from archiver.model import Material, Role
from archiver.routing import hints

_MAIL = "email"
#: "[beijing/chef#k3f9a2xz]", as `archive ask` writes it into subjects, in any case and width of the #.
_CODE = re.compile(rf"\[[^\[\]]*[#＃]\s*[a-z0-9]{{{TOKEN_LENGTH}}}\s*\]\s*", re.IGNORECASE)


def edition(record: Record, talks: Collection[str]) -> Record:
    """Leave out of a record what is about the archive's keeping, or names what is not cleared.

    `talks` are those of its event that may be shown. A record of which nothing but letters is held has no
    files then.
    """
    matched = record.match if record.match.talk in talks else Match()
    bare = without_letters(record)
    return replace(
        bare,
        material=_material(record, matched.talk),
        match=replace(matched, why=""),
        problem=None,
        earlier=tuple(Edition(each.until, "", each.files) for each in bare.earlier),
        history=tuple(replace(step, run="", reason="") for step in record.history),
    )


def came_by_mail(record: Record) -> bool:
    """Say whether a material came in a mail."""
    return record.type_name == _MAIL or hints.read(record.material) is not None


def without_letters(record: Record) -> Record:
    """Leave out what was kept of the mails themselves: the text beside an attachment."""
    if not came_by_mail(record):
        return record
    earlier = (replace(each, files=_no_letters(each.files)) for each in record.earlier)
    return replace(
        record, files=_no_letters(record.files), earlier=tuple(each for each in earlier if each.files)
    )


def _no_letters(files: Iterable[StoredFile]) -> tuple[StoredFile, ...]:
    return tuple(file for file in files if file.role is not Role.SIDECAR)


def public_id(record: Record) -> str:
    """Give the id of a material in a public ledger: a digest where its own is a Message-ID or has an address.

    The same on every machine and in every run: "o3@mail.example/2" has the same digest for ever.
    """
    own = record.material.id
    if not came_by_mail(record) and "@" not in own:
        return own
    return hashlib.sha256(f"{record.type_name}\0{own}".encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _material(record: Record, talk: str) -> Material:
    """Give a material without mail addresses and without what its source keeps for itself."""
    material, known_as = record.material, public_id(record)
    # A mail without a subject and a name for its file is called by its Message-ID.
    titled = known_as if material.title == material.id else material.title
    return replace(
        material,
        id=known_as,
        title=_text(titled),
        url=crate.public_address(material.url),
        revision="",
        talk=talk,
        authors=tuple(filter(None, map(crate.public_text, material.authors))),
        description=_text(material.description),
        tags=tuple(filter(None, map(crate.public_text, material.tags))),
        extra={},
    )


def _text(value: str) -> str:
    return crate.public_text(_CODE.sub("", value))
