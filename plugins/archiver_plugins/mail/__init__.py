"""E-mail: what lecturers send, from a mailbox on a server (IMAP) or from files (.eml, mbox, Maildir).

Read in this order: `options` (what a user may write), `source` (listing and fetch), `boxes` and `files`
(messages from the two kinds of places), `scan` and `answers` (the parts of a message, from a file and
from a server), `parts` (which of them count), `materials` and `desk` (what becomes of them), `opened`
and `retrieval` (one attachment, piece by piece), `links` and `resolve` (share links), `telling` (what may be
written down of all that).

Nothing here can change a mailbox: it is examined, never selected, and messages are peeked at.
"""

from collections.abc import Sequence
from typing import Any

from archiver import api
from archiver_plugins.mail.options import EmailEntry, EmailOptions, OAuth
from archiver_plugins.mail.source import Email

__all__ = ["Email", "EmailEntry", "EmailOptions", "OAuth", "archiver_sources"]


@api.hookimpl
def archiver_sources() -> Sequence[type[api.Source[Any, Any]]]:
    """Announce the source."""
    return [Email]
