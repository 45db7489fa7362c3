"""What the archive keeps of a message beside its attachment."""

from __future__ import annotations

from archiver_plugins.mail import charsets, headers
from archiver_plugins.mail.head import Head

#: The file's name while it is fetched, and its label.
NAME = "message.txt"
LABEL = "message"


def brief(head: Head) -> str:
    """Write subject, sender's name, date and id: no address of anybody."""
    lines = [
        ("Subject", head.subject),
        ("From", head.sender),
        ("Date", head.date),
        ("Message-ID", f"<{head.told_id}>" if head.told_id else ""),
    ]
    return "".join(f"{name}: {value}\n" for name, value in lines if value)


def whole(head: Head) -> str:
    """Write every field of the header, decoded, addresses included."""
    return "".join(f"{name.title()}: {headers.text(value)}\n" for name, value in head.fields)


def body(data: bytes, charset: str) -> str:
    """Give a text as it is to be read: line ends of one kind, no control characters."""
    text = charsets.decode(data, charset, cut=True).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in text if char in "\n\t" or char.isprintable())
