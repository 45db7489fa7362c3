from __future__ import annotations

import base64
import binascii
import mailbox
import os
import subprocess
import sys
from pathlib import Path

import pytest

from archiver import api
from archiver_plugins.mail import Email
from plugins.mails import (
    PDF,
    SEPARATOR,
    Sources,
    attachment,
    fetched,
    forwarded,
    header,
    leaf,
    listed,
    mail,
    materials,
    multipart,
    text,
)


def only(source: Email, into: Path) -> tuple[api.Material, dict[str, bytes]]:
    (item,) = materials(source)
    return fetched(source, item, into)


def write(path: Path, *messages: bytes) -> None:
    """Write an mbox, as mail programs do: lines that begin with "From " get a `>`."""
    quoted = (message.replace(b"\nFrom ", b"\n>From ") for message in messages)
    path.write_bytes(b"".join(SEPARATOR + message.rstrip(b"\n") + b"\n\n" for message in quoted))


class TestForms:
    def test_a_single_file(self, sources: Sources, tmp_path: Path) -> None:
        (tmp_path / "a.eml").write_bytes(mail(1, attachment("讲稿 Chef.pdf")))
        source = sources.make(paths="a.eml")
        items, last = listed(source)
        assert last == api.Checkpoint("", complete=True)
        assert items == [
            api.Material(
                id="m1@example.org/2",
                kind=api.Kind.SLIDES,
                title="讲稿 Chef",
                revision=materials(source)[0].revision,
                authors=("Junqiang Chen",),
                date="2012-09-16T10:00:00+08:00",
                description="Talk 1",
                size=materials(source)[0].size,
                extra=materials(source)[0].extra,
            )
        ]
        assert fetched(source, items[0], tmp_path / "into")[1] == {
            "file": PDF,
            "message.txt": b"Subject: Talk 1\nFrom: Junqiang Chen\nDate: 2012-09-16T10:00:00+08:00\n"
            b"Message-ID: <m1@example.org>\n",
        }

    def test_an_mbox(self, sources: Sources, tmp_path: Path) -> None:
        plain = leaf("text/plain; name=notes.txt", b"one\n>From me\nFrom you\n", encoding="8bit")
        write(tmp_path / "box", mail(1, attachment("a.pdf")), mail(2, plain), mail(3))
        source = sources.make(paths="box")
        one, two = materials(source)
        assert (one.id, two.id) == ("m1@example.org/2", "m2@example.org/2")
        assert fetched(source, one, tmp_path / "1")[1]["file"] == PDF
        # The quoting of mbox is undone; that one ">From" of the original is lost was the writer's doing.
        assert fetched(source, two, tmp_path / "2")[1]["file"] == b"one\nFrom me\nFrom you\n"

    def test_an_mbox_of_the_standard_library(self, sources: Sources, tmp_path: Path) -> None:
        box = mailbox.mbox(str(tmp_path / "box"), create=True)
        for number in range(1, 4):
            box.add(
                mail(
                    number,
                    attachment(f"talk {number}.pdf", PDF * number),
                    body="From here on\nand\n\nFrom x\n",
                )
            )
        box.close()
        source = sources.make(paths="box")
        assert [
            fetched(source, item, tmp_path / str(at))[1]["file"]
            for at, item in enumerate(materials(source), 1)
        ] == [
            PDF,
            PDF * 2,
            PDF * 3,
        ]

    def test_a_maildir_is_read_and_left_as_it_is(self, sources: Sources, tmp_path: Path) -> None:
        box = mailbox.Maildir(str(tmp_path / "Mail"), create=True)
        box.add(mail(1, attachment("a.pdf")))
        seen = mailbox.MaildirMessage(mail(2, attachment("b.pdf")))
        seen.set_subdir("cur")
        seen.set_flags("S")
        box.add(seen)
        inner = box.add_folder("Talks")
        inner.add(mail(3, attachment("c.pdf")))
        box.close()
        (tmp_path / "Mail" / "tmp" / "half").write_bytes(mail(4, attachment("d.pdf")))
        before = sorted(str(path) for path in (tmp_path / "Mail").rglob("*"))
        source = sources.make(paths="Mail")
        assert sorted(item.id for item in materials(source)) == [
            f"m{number}@example.org/2" for number in (1, 2, 3)
        ]
        assert sorted(str(path) for path in (tmp_path / "Mail").rglob("*")) == before

    def test_a_folder_of_anything(self, sources: Sources, tmp_path: Path) -> None:
        inner = tmp_path / "mail" / "2012"
        inner.mkdir(parents=True)
        (inner / "A.EML").write_bytes(mail(1, attachment("a.pdf")))
        write(inner / "archive.mbox", mail(2, attachment("b.pdf")))
        (inner / "notes.txt").write_bytes(b"From here on it is no mail\n")
        (tmp_path / "outside.eml").write_bytes(mail(3, attachment("c.pdf")))
        (inner / "link.eml").symlink_to(tmp_path / "outside.eml")
        os.mkfifo(inner / "pipe.eml")
        assert [item.id for item in materials(sources.make(paths="mail"))] == [
            "m1@example.org/2",
            "m2@example.org/2",
        ]

    def test_the_same_mail_in_several_forms_is_listed_once(self, sources: Sources, tmp_path: Path) -> None:
        message = mail(1, attachment("a.pdf"), attachment("a.pdf", PDF + b"2"))
        (tmp_path / "a.eml").write_bytes(message.replace(b"\n", b"\r\n"))
        write(tmp_path / "box", b"Received: by mx\n" + message, message)
        listed_copy = (
            b"List-Id: <x>\n"
            + header(1)
            + multipart(
                [
                    multipart(
                        [text("Hello"), attachment("a.pdf"), attachment("a.pdf", PDF + b"2")], boundary="i"
                    ),
                    text("footer"),
                ]
            )
        )
        (tmp_path / "list.eml").write_bytes(listed_copy)
        source = sources.make(paths=["a.eml", "box", "list.eml"])
        assert [item.id for item in materials(source)] == ["m1@example.org/2", "m1@example.org/3"]

    def test_one_id_on_two_messages_loses_neither(self, sources: Sources, tmp_path: Path) -> None:
        later = "Mon, 17 Sep 2012 10:00:00 +0800"
        write(
            tmp_path / "box",
            mail(1, attachment("a.pdf")),
            mail(1, attachment("a.pdf", PDF + b"2"), date=later),
        )
        source = sources.make(paths="box")
        one, two = materials(source)
        assert one.id == "m1@example.org/2"
        assert two.id.startswith("m1@example.org~")
        assert one.revision != two.revision
        assert fetched(source, two, tmp_path / "2")[1]["file"] == PDF + b"2"

    def test_a_message_without_an_id(self, sources: Sources, tmp_path: Path) -> None:
        (tmp_path / "a.eml").write_bytes(mail(1, attachment("a.pdf"), message_id=None))
        source = sources.make(paths="a.eml")
        assert only(source, tmp_path / "into")[1]["file"] == PDF

    def test_paths_are_relative_to_the_configuration_and_out_of_the_ledger(
        self, sources: Sources, tmp_path: Path
    ) -> None:
        (tmp_path / "mail").mkdir()
        (tmp_path / "mail" / "a.eml").write_bytes(mail(1, attachment("a.pdf")))
        (item,) = materials(sources.make(paths="mail"))
        assert (item.extra["root"], item.extra["file"]) == ("mail", "a.eml")
        assert str(tmp_path) not in str(item)


class TestFoundAgain:
    def test_a_file_moved_from_new_to_cur_with_flags(self, sources: Sources, tmp_path: Path) -> None:
        for name in ("cur", "new", "tmp"):
            (tmp_path / "Mail" / name).mkdir(parents=True)
        (tmp_path / "Mail" / "new" / "1.x").write_bytes(mail(1, attachment("a.pdf")))
        source = sources.make(paths="Mail")
        (item,) = materials(source)
        (tmp_path / "Mail" / "new" / "1.x").rename(tmp_path / "Mail" / "cur" / "1.x:2,RS")
        assert fetched(source, item, tmp_path / "into")[1]["file"] == PDF

    def test_an_mbox_that_was_compacted(self, sources: Sources, tmp_path: Path) -> None:
        messages = [mail(number, attachment("a.pdf", PDF * number)) for number in (1, 2)]
        write(tmp_path / "box", *messages)
        source = sources.make(paths="box")
        _, item = materials(source)
        write(tmp_path / "box", messages[1])
        assert fetched(source, item, tmp_path / "into")[1]["file"] == PDF * 2

    def test_a_file_that_was_renamed(self, sources: Sources, tmp_path: Path) -> None:
        (tmp_path / "mail").mkdir()
        (tmp_path / "mail" / "a.eml").write_bytes(mail(1, attachment("a.pdf")))
        source = sources.make(paths="mail")
        (item,) = materials(source)
        (tmp_path / "mail" / "a.eml").rename(tmp_path / "mail" / "b.eml")
        assert fetched(source, item, tmp_path / "into")[1]["file"] == PDF

    def test_what_is_gone_is_gone(self, sources: Sources, tmp_path: Path) -> None:
        (tmp_path / "mail").mkdir()
        (tmp_path / "mail" / "a.eml").write_bytes(mail(1, attachment("a.pdf")))
        source = sources.make(paths="mail")
        (item,) = materials(source)
        (tmp_path / "mail" / "a.eml").unlink()
        with pytest.raises(api.GoneError, match=r"m1@example\.org"):
            fetched(source, item, tmp_path / "into")

    @pytest.mark.parametrize("name", ["../outside.eml", "/etc/passwd"])
    def test_a_place_outside_is_never_read(self, sources: Sources, tmp_path: Path, name: str) -> None:
        from dataclasses import replace

        (tmp_path / "mail").mkdir()
        (tmp_path / "mail" / "a.eml").write_bytes(mail(1, attachment("a.pdf")))
        source = sources.make(paths="mail")
        (item,) = materials(source)
        (tmp_path / "mail" / "a.eml").rename(tmp_path / "outside.eml")
        with pytest.raises(api.GoneError):
            fetched(source, replace(item, extra={**item.extra, "file": name}), tmp_path / "into")


class TestOddMessages:
    """What mailers send; each listed and fetched whole."""

    @pytest.mark.parametrize(
        "message",
        [
            header() + attachment("deck.pdf"),
            header()
            + multipart(
                [text("x"), multipart([text("x", kind="html"), attachment("deck.pdf")], boundary="i")],
                "alternative",
            ),
            header(9) + multipart([text("fyi"), forwarded(mail(1, attachment("deck.pdf")))], boundary="o"),
            header(9)
            + multipart([text("fyi"), leaf("message/rfc822", mail(1, attachment("deck.pdf")))], boundary="o"),
            mail(
                1,
                leaf(
                    'application/x; name="deck.pdf"',
                    binascii.b2a_qp(PDF, istext=False),
                    encoding="quoted-printable",
                ),
            ),
            mail(1, leaf('application/x; name="deck.pdf"', PDF.replace(b"\n--", b""), encoding="binary")),
        ],
        ids=["root", "alternative", "forward", "encoded-forward", "quoted-printable", "binary"],
    )
    def test_where_an_attachment_may_stand(self, sources: Sources, tmp_path: Path, message: bytes) -> None:
        (tmp_path / "a.eml").write_bytes(message)
        item, files = only(sources.make(paths="a.eml"), tmp_path / "into")
        assert files["file"] == PDF
        assert (item.kind, item.extra["name"]) == (api.Kind.SLIDES, "deck.pdf")

    def test_a_forward_names_the_first_author(self, sources: Sources, tmp_path: Path) -> None:
        inner = mail(
            1,
            attachment("slides.pdf"),
            subject="Fwd: Chef",
            date="Sat, 15 Sep 2012 10:00:00 +0800",
            **{"from": "Ada <a@x>"},
        )
        (tmp_path / "a.eml").write_bytes(
            header(9, subject="Fwd: fwd") + multipart([text("fyi"), forwarded(inner)], boundary="o")
        )
        (item,) = materials(sources.make(paths="a.eml"))
        assert (item.title, item.authors, item.date) == ("Chef", ("Ada",), "2012-09-15T10:00:00+08:00")
        assert item.id == "m9@example.org/2.2"

    def test_uuencode_in_a_text(self, sources: Sources, tmp_path: Path) -> None:
        lines = b"".join(binascii.b2a_uu(PDF[at : at + 45]) for at in range(0, len(PDF), 45))
        body = b"here:\nbegin 644 " + "讲稿A.ppt".encode("gbk") + b"\n" + lines + b"`\nend\nbye\n"
        (tmp_path / "a.eml").write_bytes(header() + b"\n" + body)
        item, files = only(sources.make(paths="a.eml"), tmp_path / "into")
        assert files["file"] == PDF
        assert (item.id, item.title, item.kind) == ("m1@example.org/1/uu1", "讲稿A", api.Kind.SLIDES)

    def test_an_x_uuencode_part(self, sources: Sources, tmp_path: Path) -> None:
        lines = b"".join(binascii.b2a_uu(PDF[at : at + 45]) for at in range(0, len(PDF), 45))
        packed = b"begin 644 x\n" + lines + b"`\nend\n"
        (tmp_path / "a.eml").write_bytes(
            mail(1, leaf("application/x; name=deck.pdf", packed, encoding="x-uuencode"))
        )
        assert only(sources.make(paths="a.eml"), tmp_path / "into")[1]["file"] == PDF

    def test_damaged_base64_is_kept_and_flagged(self, sources: Sources, tmp_path: Path) -> None:
        packed = base64.encodebytes(PDF + b"x").replace(b"\n", b"*\n", 1).rstrip(b"\n=")
        part = b"Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n" + packed
        (tmp_path / "a.eml").write_bytes(mail(1, part))
        item, files = only(sources.make(paths="a.eml"), tmp_path / "into")
        assert files["file"] == PDF + b"x"
        assert "not base64" in item.extra["defects"]

    @pytest.mark.parametrize(
        ("part", "tag"),
        [
            (leaf("application/ms-tnef; name=winmail.dat", b'x\x9f>"data'), "tnef"),
            (leaf("application/pkcs7-mime; name=smime.p7m", b"0\x80data"), "encrypted"),
        ],
    )
    def test_what_only_others_can_open_is_kept_as_it_is(
        self, sources: Sources, tmp_path: Path, part: bytes, tag: str
    ) -> None:
        (tmp_path / "a.eml").write_bytes(mail(1, part))
        item, files = only(sources.make(paths="a.eml"), tmp_path / "into")
        assert files["file"].endswith(b"data")
        assert (item.kind, item.tags) == (api.Kind.OTHER, (tag,))

    def test_a_pgp_message(self, sources: Sources, tmp_path: Path) -> None:
        parts = [
            leaf("application/pgp-encrypted", b"Version: 1"),
            leaf("application/octet-stream; name=encrypted.asc", b"-----BEGIN"),
        ]
        (tmp_path / "a.eml").write_bytes(header() + multipart(parts, "encrypted"))
        item, files = only(sources.make(paths="a.eml"), tmp_path / "into")
        assert files["file"] == b"-----BEGIN"
        assert item.tags == ("encrypted",)

    @pytest.mark.parametrize(("inline", "found"), [("none", []), ("large", ["2.3"]), ("all", ["2.2", "2.3"])])
    def test_pictures_inside_the_text(
        self, sources: Sources, tmp_path: Path, inline: str, found: list[str]
    ) -> None:
        page = text('<img src="cid:logo"><img src="cid:photo">', kind="html")
        logo = leaf("image/png; name=logo.png", b"small", "Content-ID: <logo>")
        photo = leaf(
            "image/jpeg; name=IMG_1.jpg", bytes(120_000), "Content-ID: <photo>", "Content-Disposition: inline"
        )
        (tmp_path / "a.eml").write_bytes(
            header() + multipart([text("x"), multipart([page, logo, photo], "related", "r")], "alternative")
        )
        items = materials(sources.make(paths="a.eml", inline=inline))
        assert [item.id.partition("/")[2] for item in items] == found
        assert all(item.tags == ("inline",) and item.kind is api.Kind.PHOTO for item in items)

    @pytest.mark.parametrize(
        "fields",
        [{"auto_submitted": "auto-replied"}, {"content_type": "multipart/report; boundary=x"}],
    )
    def test_answers_of_machines_are_not_listed(
        self, sources: Sources, tmp_path: Path, fields: dict[str, str]
    ) -> None:
        (tmp_path / "a.eml").write_bytes(mail(1, attachment("a.pdf"), **fields))
        assert listed(sources.make(paths="a.eml"))[0] == []

    def test_a_message_of_text_alone_is_not_listed(self, sources: Sources, tmp_path: Path) -> None:
        (tmp_path / "a.eml").write_bytes(
            header() + b"Content-Type: text/plain; charset=nobody-knows\n\n\xc4\xe3\xba\xc3"
        )
        items, last = listed(sources.make(paths="a.eml"))
        assert items == []
        assert last.complete


class TestHostile:
    def test_nested_too_deeply_is_pending_with_its_reason(self, sources: Sources, tmp_path: Path) -> None:
        nested = b"".join(
            f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n".encode() for n in range(3000)
        )
        write(tmp_path / "box", header(1) + nested, mail(2, attachment("a.pdf")))
        bad, good = listed(sources.make(paths="box"))[0]
        assert isinstance(bad, api.Unavailable)
        assert isinstance(bad.error, api.InvalidError)
        assert "nested deeper" in str(bad.error)
        assert (bad.material.id, bad.material.title) == ("m1@example.org/all", "Talk 1")
        assert isinstance(good, api.Material)

    def test_a_mailbox_cut_in_the_middle(self, sources: Sources, tmp_path: Path) -> None:
        write(tmp_path / "box", mail(1, attachment("a.pdf")), mail(2, attachment("b.pdf", PDF * 10)))
        whole = (tmp_path / "box").read_bytes()
        (tmp_path / "box").write_bytes(whole[:-5000])
        source = sources.make(paths="box")
        one, two = materials(source)
        assert fetched(source, one, tmp_path / "1")[1]["file"] == PDF
        with pytest.raises(api.InvalidError, match="ends in the middle of 'b'"):
            fetched(source, two, tmp_path / "2")

    def test_a_message_that_lacks_only_its_last_boundary_is_whole(
        self, sources: Sources, tmp_path: Path
    ) -> None:
        data = PDF + b"x" * (3 - (len(PDF) + 1) % 3)
        message = mail(1, attachment("a.pdf", data)).removesuffix(b"\n--=_b--\n")
        assert message.endswith(b"=")
        (tmp_path / "a.eml").write_bytes(message)
        assert only(sources.make(paths="a.eml"), tmp_path / "into")[1]["file"] == data

    @pytest.mark.parametrize(
        "name",
        ["../../../etc/passwd", "a\0b.pdf", "a\r\nX: y.pdf", "C:\\con.pdf", "." * 300, "n" * 5000 + ".pdf"],
    )
    def test_names_lead_nowhere(self, sources: Sources, tmp_path: Path, name: str) -> None:
        (tmp_path / "a.eml").write_bytes(mail(1, attachment(name)))
        item, files = only(sources.make(paths="a.eml"), tmp_path / "into")
        assert set(files) == {"file", "message.txt"}
        assert item.title.isprintable()
        assert "/" not in item.title

    def test_a_forwarded_message_in_three_wrappings_ends_as_a_file(
        self, sources: Sources, tmp_path: Path
    ) -> None:
        inner = mail(1, attachment("deck.pdf"))
        for number in (2, 3, 4):
            inner = header(number) + multipart([leaf("message/rfc822", inner)], boundary=f"w{number}")
        (tmp_path / "a.eml").write_bytes(inner)
        item, files = only(sources.make(paths="a.eml"), tmp_path / "into")
        assert item.kind is api.Kind.OTHER
        assert files["file"].startswith(b"From: Junqiang Chen")

    def test_a_path_that_is_not_there(self, sources: Sources) -> None:
        source = sources.make(paths="nothing")
        with pytest.raises(api.FatalError, match="no mail under 'nothing'"):
            source.check()
        with pytest.raises(api.FatalError):
            listed(source)

    def test_an_empty_folder_and_empty_files(self, sources: Sources, tmp_path: Path) -> None:
        (tmp_path / "mail").mkdir()
        (tmp_path / "mail" / "a.eml").write_bytes(b"")
        (tmp_path / "mail" / "b.eml").write_bytes(b"\n\n\n")
        source = sources.make(paths="mail")
        source.check()
        assert listed(source)[0] == []


_CHILD = """
import resource, sys
from pathlib import Path
from plugins.mails import Sources, listed
folder = Path(sys.argv[1])
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with Sources(folder) as sources:
    source = sources.make(paths="box")
    items, _ = listed(source)
    (folder / "into").mkdir()
    list(source.fetch(items[0], folder / "into"))
size = (folder / "into" / "file").stat().st_size
print(len(items), size, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) // 1024)
"""


def measured(folder: Path) -> list[int]:
    """List the mailbox and fetch the first item in a child: count, bytes, growth of its memory in MiB."""
    path = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(folder)],
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        capture_output=True,
        text=True,
        timeout=110,
    )
    return [int(word) for word in done.stdout.split()]


def test_a_large_attachment_takes_little_memory(tmp_path: Path) -> None:
    line = base64.encodebytes(bytes(range(57)))
    with (tmp_path / "box").open("wb") as box:
        box.write(SEPARATOR + header(1) + b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n')
        box.write(b"Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n")
        for _ in range(700):
            box.write(line * 1000)
        box.write(b"--b--\n\n")
    assert (tmp_path / "box").stat().st_size > 53_000_000
    count, size, growth = measured(tmp_path)
    assert (count, size) == (1, 57 * 700_000)
    assert growth < 40


def test_a_mailbox_of_many_messages_is_listed_in_flat_memory(tmp_path: Path) -> None:
    with (tmp_path / "box").open("wb") as box:
        for number in range(10_000):
            parts = [attachment("a.pdf")] if number % 500 == 0 else []
            box.write(SEPARATOR + mail(number, *parts) + b"\n")
    count, _, growth = measured(tmp_path)
    assert count == 20
    assert growth < 30
