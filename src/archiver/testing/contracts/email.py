"""The contract of the source `email`, over files of mail programs."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from archiver.testing.contracts.samples import pdf
from archiver.testing.sources import SourceContract, Subject


def _letter(number: int) -> bytes:
    message = EmailMessage()
    message["From"] = "Junqiang Chen <jq@example.org>"
    message["To"] = "box@example.test"
    message["Subject"] = f"Talk {number}"
    message["Date"] = "Sun, 16 Sep 2012 10:00:00 +0800"
    message["Message-ID"] = f"<m{number}@example.org>"
    message.set_content("Here are the slides.")
    message.add_attachment(pdf(number), maintype="application", subtype="pdf", filename=f"讲稿 {number}.pdf")
    return bytes(message)


def _write(path: Path, *numbers: int) -> None:
    """Write an mbox: each message after a line that begins with "From "."""
    separator = b"From jq@example.org Sun Sep 16 10:00:00 2012\n"
    path.write_bytes(b"".join(separator + _letter(number) + b"\n" for number in numbers))


class TestEmail(SourceContract):
    """Messages in an mbox, each with an attachment."""

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        """Give two boxes."""
        mine, hers = tmp_path / "mine.mbox", tmp_path / "hers.mbox"
        _write(mine, 1, 2, 3)
        _write(hers, 11)
        return Subject(
            "email",
            lambda _: {"paths": [mine.name]},
            folder=tmp_path,
            other=Subject("email", lambda _: {"paths": [hers.name]}, folder=tmp_path),
            remove=lambda: _write(mine, 2, 3),
        )
