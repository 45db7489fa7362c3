from __future__ import annotations

import binascii
import email
import email.policy
import io
import time
from collections.abc import Iterator
from email.message import Message

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver import api
from archiver.api import Kind
from archiver_plugins.mail import answers, decoding, links, mbox, parts
from archiver_plugins.mail.parts import Part, Sort, sort
from archiver_plugins.mail.window import Window
from plugins.mails import PDF, attachment, forwarded, header, leaf, mail, multipart, scanned, text


def raw(message: bytes, part: Part) -> bytes:
    return message[part.start : part.end]


class TestScan:
    def test_a_text_and_an_attachment(self) -> None:
        message = mail(1, attachment("讲稿.pdf"))
        body, deck = scanned(message)
        assert (body.number, body.media_type, raw(message, body)) == ("1", "text/plain", b"Hello")
        assert (deck.number, deck.name, deck.encoding, deck.disposition) == (
            "2",
            "讲稿.pdf",
            "base64",
            "attachment",
        )
        assert decoding.decoded(raw(message, deck), "base64") == PDF
        assert not deck.cut

    def test_the_root_itself_is_the_attachment(self) -> None:
        message = header() + attachment("deck.pdf")
        (deck,) = scanned(message)
        assert (deck.number, deck.name) == ("1", "deck.pdf")
        assert decoding.decoded(raw(message, deck), "base64") == PDF

    def test_a_pdf_inside_an_alternative_as_apple_mail_sends_it(self) -> None:
        related = multipart([text("<p>Hi</p>", kind="html"), attachment("deck.pdf")], "mixed", "in")
        message = header() + multipart([text("Hi"), related], "alternative")
        assert [(part.number, part.media_type) for part in scanned(message)] == [
            ("1", "text/plain"),
            ("2.1", "text/html"),
            ("2.2", "application/octet-stream"),
        ]

    def test_forwards_in_forwards_are_descended_into(self) -> None:
        inner = mail(1, attachment("deck.pdf"), subject="Original", **{"from": "Ada <ada@example.org>"})
        middle = header(2) + multipart([text("see below"), forwarded(inner)], boundary="mid")
        message = header(3) + multipart([text("fyi"), forwarded(middle)], boundary="out")
        found = {part.number: part for part in scanned(message)}
        assert list(found) == ["1", "2.1", "2.2.1", "2.2.2"]
        assert found["2.2.2"].nested is not None
        assert (found["2.2.2"].nested.subject, found["2.2.2"].nested.sender) == ("Original", "Ada")
        assert found["2.2.2"].around == (
            "multipart/mixed",
            "message/rfc822",
            "multipart/mixed",
            "message/rfc822",
            "multipart/mixed",
        )

    def test_a_forward_of_a_single_part(self) -> None:
        message = header(3) + multipart([text("fyi"), forwarded(header(1) + attachment("deck.pdf"))])
        assert [part.number for part in scanned(message)] == ["1", "2.1"]

    def test_a_root_that_is_a_forward(self) -> None:
        message = header(3) + forwarded(mail(1, attachment("deck.pdf")))
        assert [part.number for part in scanned(message)] == ["1.1", "1.2"]

    def test_an_encoded_forward_is_a_part_of_its_own(self) -> None:
        message = header() + multipart([text("x"), leaf("message/rfc822", mail(2, attachment("deck.pdf")))])
        _, part = scanned(message)
        assert part.is_wrapped_message
        assert decoding.decoded(raw(message, part), "base64").startswith(b"From:")

    def test_a_digest(self) -> None:
        inner = b"\n" + header(1) + b"\nfirst"
        message = header(2) + multipart([inner], "digest")
        (part,) = scanned(message)
        assert (part.number, part.around[-1]) == ("1.1", "message/rfc822")

    @pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
    def test_both_line_ends(self, ending: bytes) -> None:
        message = mail(1, attachment("deck.pdf")).replace(b"\n", ending)
        _, deck = scanned(message)
        assert decoding.decoded(raw(message, deck), "base64") == PDF
        assert not raw(message, deck).endswith((b"\r", b"\n"))

    def test_a_boundary_that_begins_like_another(self) -> None:
        inner = multipart([text("one"), text("two")], boundary="b2")
        message = header() + multipart([inner, text("three")], boundary="b")
        assert [raw(message, part) for part in scanned(message)] == [b"one", b"two", b"three"]

    def test_parts_without_the_empty_line_or_the_end_of_an_inner_multipart(self) -> None:
        message = (
            header()
            + b"Content-Type: multipart/mixed; boundary=o\n\n--o\n"
            + b"Content-Type: multipart/mixed; boundary=i\n\n"
            + b"--i\nContent-Type: text/plain\n\ninner\n--o\nContent-Type: text/plain\n--o\n\nlast\n--o--\n"
        )
        assert [raw(message, part) for part in scanned(message)] == [b"inner", b"", b"last"]

    def test_a_message_cut_in_the_middle(self) -> None:
        message = mail(1, attachment("deck.pdf"))[:-400]
        assert [part.cut for part in scanned(message)] == [False, True]

    def test_a_multipart_without_a_boundary_is_text_of_no_use(self) -> None:
        (part,) = scanned(header() + b"Content-Type: multipart/mixed\n\nhello")
        assert sort(part) is Sort.NOTHING

    @pytest.mark.parametrize(
        "message", [b"", b"\n", b"no header", b"--x\n--x--\n", b"Content-Type: multipart/x; boundary=x"]
    )
    def test_almost_nothing(self, message: bytes) -> None:
        assert len(scanned(message)) <= 1

    def test_three_thousand_nested_multiparts_are_refused_with_a_reason(self) -> None:
        nested = b"".join(
            f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n".encode() for n in range(3000)
        )
        with pytest.raises(api.InvalidError, match="nested deeper than 80"):
            scanned(header() + nested)

    def test_too_many_parts_are_refused_with_a_reason(self) -> None:
        with pytest.raises(api.InvalidError, match="more than 1,000 parts"):
            scanned(mail(1, *[text("x")] * 1100))

    def test_a_body_of_lines_like_boundaries_is_refused_with_a_reason(self) -> None:
        with pytest.raises(api.InvalidError, match="look like boundaries"):
            scanned(header() + multipart([text("--x\n" * 600_000)]))

    def test_many_levels_of_lines_like_boundaries_do_not_take_long(self) -> None:
        nested = b"".join(
            f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n".encode() for n in range(79)
        )
        message = header() + nested + b"Content-Type: text/plain\n\n" + b"--bx\n" * 200_000
        begun = time.process_time()
        assert len(scanned(message)) == 1
        assert time.process_time() - begun < 20


_NAMES = st.sampled_from(["deck.pdf", "讲稿.pptx", "a b.zip", ""])
_LEAVES = st.one_of(
    st.tuples(_NAMES, st.binary(max_size=200)).map(lambda pair: attachment(*pair)),
    st.text("ab -\n", max_size=80).map(text),
)


def _trees(children: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Multiparts and forwards of smaller things; each boundary has a number of its own."""
    multiparts = st.tuples(
        st.lists(children, min_size=1, max_size=4),
        st.sampled_from(["mixed", "alternative", "related"]),
        st.integers(0, 10**9),
    ).map(lambda made: multipart(made[0], made[1], f"=_{made[2]}"))
    return st.one_of(multiparts, children.map(lambda child: forwarded(header(9) + child)))


def _walk(message: Message, number: str = "") -> Iterator[tuple[str, str, bytes]]:
    """Number the leaves as the standard library sees them, by RFC 9051, 6.4.5."""
    if message.get_content_maintype() == "multipart":
        for index, child in enumerate(message.get_payload(), 1):
            assert isinstance(child, Message)
            here = f"{number}.{index}".lstrip(".")
            if child.get_content_type() == "message/rfc822":
                inner = child.get_payload(0)
                assert isinstance(inner, Message)
                yield from _in_message(inner, here)
            else:
                yield from _walk(child, here)
        return
    yield number, message.get_content_type(), message.get_payload(decode=True)  # type: ignore[misc]  # a leaf's bytes


def _in_message(message: Message, number: str = "") -> Iterator[tuple[str, str, bytes]]:
    if message.get_content_type() == "message/rfc822":
        inner = message.get_payload(0)
        assert isinstance(inner, Message)
        yield from _in_message(inner, f"{number}.1".lstrip("."))
    elif message.get_content_maintype() == "multipart":
        yield from _walk(message, number)
    else:
        yield from _walk(message, f"{number}.1".lstrip("."))


@settings(max_examples=300, deadline=None)
@given(st.recursive(_LEAVES, _trees, max_leaves=8))
def test_the_scan_sees_what_the_standard_library_sees(tree: bytes) -> None:
    message = header() + tree
    expected = list(_in_message(email.message_from_bytes(message, policy=email.policy.compat32)))
    found = [
        (part.number, part.media_type, decoding.decoded(raw(message, part), part.encoding))
        for part in scanned(message)
    ]
    assert found == expected


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                b"--a\n",
                b"--a--\n",
                b"--b\n",
                b"\n",
                b"x\n",
                b"--b--",
                b"--",
                b"Content-Type: multipart/mixed; boundary=b\n",
                b"Content-Type: message/rfc822\n",
            ]
        ),
        max_size=30,
    )
)
def test_any_order_of_lines_is_scanned(lines: list[bytes]) -> None:
    message = b"Content-Type: multipart/mixed; boundary=a\n\n" + b"".join(lines)
    for part in scanned(message):
        assert 0 <= part.start <= part.end <= len(message)


class TestDecoding:
    @settings(deadline=None)
    @given(st.binary(max_size=400), st.integers(1, 50), st.booleans())
    def test_base64_in_any_pieces(self, data: bytes, size: int, lines: bool) -> None:
        packed = (binascii.b2a_base64(data) if not lines else encoded_lines(data)).rstrip()
        assert joined("base64", packed, size) == data

    @settings(deadline=None)
    @given(st.binary(max_size=400), st.integers(1, 50))
    def test_quoted_printable_in_any_pieces(self, data: bytes, size: int) -> None:
        assert joined("quoted-printable", binascii.b2a_qp(data, istext=False), size) == data

    @settings(deadline=None)
    @given(st.binary(max_size=400), st.integers(1, 50), st.booleans())
    def test_uuencode_in_any_pieces(self, data: bytes, size: int, trimmed: bool) -> None:
        lines = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
        if trimmed:
            lines = [line.rstrip(b" \n") + b"\n" for line in lines]
        packed = b"begin 644 a.ppt\n" + b"".join(lines) + b"`\nend\n"
        assert joined("x-uuencode", packed, size) == data

    def test_foreign_characters_and_missing_padding_are_flagged(self) -> None:
        decoder = decoding.decoder("base64")
        assert decoder.feed(b"QU*JD\nRE") + decoder.close() == b"ABCD"
        assert len(decoder.defects) == 2
        assert "1 characters" in decoder.defects[0]
        assert "padding" in decoder.defects[1]

    def test_a_clean_one_has_no_defects(self) -> None:
        decoder = decoding.decoder("base64")
        assert decoder.feed(b"QUJD\r\nRA==\r\n") + decoder.close() == b"ABCD"
        assert decoder.defects == []

    def test_data_put_together_from_padded_pieces(self) -> None:
        assert decoding.decoded(b"QUI=QUJDRA==QQ==", "base64") == b"ABABCDA"

    @settings(deadline=None)
    @given(
        st.binary(max_size=300),
        st.sampled_from(["base64", "quoted-printable", "x-uuencode", "8bit", "x-odd"]),
    )
    def test_any_bytes_are_decoded_somehow(self, data: bytes, encoding: str) -> None:
        assert isinstance(joined(encoding, data, 7), bytes)

    def test_a_line_without_end_does_not_grow(self) -> None:
        decoder = decoding.decoder("quoted-printable")
        for _ in range(100):
            decoder.feed(b"x" * 10_000)
        assert len(decoder.close()) < 100_000

    def test_an_unknown_encoding_is_none(self) -> None:
        assert decoding.decoded(b"as it is", "x-unknown") == b"as it is"

    def test_files_in_a_text(self) -> None:
        body = b"see:\nbegin 644 a.ppt\n" + binascii.b2a_uu(b"one") + b"`\nend\n\nbegin 600 b c.ppt\n"
        body += binascii.b2a_uu(b"two") + b"`\nend\n"
        assert decoding.uuencoded_names(body) == ["a.ppt", "b c.ppt"]
        second = decoding.UuEncoded(2)
        assert second.feed(body) + second.close() == b"two"
        assert decoding.uuencoded_names(b"they\nbegin 644 years ago\nor so") == [""]

    def test_a_file_without_end_is_told(self) -> None:
        decoder = decoding.UuEncoded()
        decoder.feed(b"begin 644 a.ppt\n" + binascii.b2a_uu(b"one"))
        decoder.close()
        assert decoder.defects == ["the uuencoded file has no end"]


def encoded_lines(data: bytes) -> bytes:
    import base64

    return base64.encodebytes(data)


def joined(encoding: str, data: bytes, size: int) -> bytes:
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    return b"".join(decoding.stream(pieces, decoding.decoder(encoding)))


class TestMbox:
    def test_a_body_line_that_begins_with_from_does_not_split(self) -> None:
        box = (
            b"From jq@example.org Sun Sep 16 10:00:00 2012\nSubject: one\n\nFrom here on it is easy.\n\n"
            b"From now on\n\nFrom b@x  Mon Sep 17 10:00:00 +0800 2012\nSubject: two\n\nbody\n"
        )
        window = Window(io.BytesIO(box), 0, len(box))
        found = [box[start:end] for start, end in mbox.messages(window)]
        assert len(found) == 2
        assert found[0].startswith(b"Subject: one")
        assert found[0].endswith(b"From now on\n")
        assert found[1] == b"Subject: two\n\nbody\n"

    @pytest.mark.parametrize(
        "line",
        [
            b"From jq@example.org Sun Sep 16 10:00:00 2012",
            b"From jq at example.org  Sun Sep 16 10:00:00 2012",
            b"From - Sun Sep 16 10:00:00 2012",
            b"From MAILER-DAEMON Fri Jul  8 12:08:34 2011",
            b"From jq@example.org Sun Sep 16 10:00:00 CST 2012",
            b"From 1@x Sun, 16 Sep 2012 10:00:00 +0800",
        ],
    )
    def test_separators(self, line: bytes) -> None:
        assert mbox.is_mbox(line + b"\nSubject: x\n\n")

    @pytest.mark.parametrize(
        "line", [b"From: a@b", b"From here on Sunday", b"Fromage Sun Sep 16 10:00:00 2012", b""]
    )
    def test_no_separators(self, line: bytes) -> None:
        assert not mbox.is_mbox(line + b"\n")

    @settings(deadline=None)
    @given(
        st.lists(
            st.sampled_from([b">From x\n", b">>From y\n", b"From z\n", b"plain\n", b"> From q"]), max_size=9
        ),
        st.integers(1, 9),
    )
    def test_quoted_lines_are_restored_in_any_pieces(self, lines: list[bytes], size: int) -> None:
        data = b"".join(lines)
        pieces = (data[at : at + size] for at in range(0, len(data), size))
        wanted = b"".join(
            line[1:] if line.startswith((b">From ", b">>From ")) and starts else line
            for line, starts in zip(lines, [True, *(line.endswith(b"\n") for line in lines)], strict=False)
        )
        assert b"".join(mbox.unquoted(pieces)) == wanted


class TestSorting:
    @pytest.mark.parametrize(
        ("part", "found"),
        [
            (Part("1"), Sort.NOTHING),
            (Part("1", "text/html", disposition="inline"), Sort.NOTHING),
            (Part("1", "text/plain", name="notes.txt"), Sort.ATTACHED),
            (Part("1", "text/plain", disposition="attachment"), Sort.ATTACHED),
            (Part("1", "application/pdf"), Sort.ATTACHED),
            (Part("1", "application/pdf", disposition="inline", name="a.pdf"), Sort.ATTACHED),
            (Part("1", "application/pgp-signature", name="signature.asc"), Sort.NOTHING),
            (Part("1", "application/pkcs7-signature", name="smime.p7s"), Sort.NOTHING),
            (Part("1", "text/calendar", name="invite.ics"), Sort.NOTHING),
            (Part("1", "message/delivery-status"), Sort.NOTHING),
            (Part("1", "application/pkcs7-mime", name="smime.p7m"), Sort.ENCRYPTED),
            (Part("1", "application/octet-stream", around=("multipart/encrypted",)), Sort.ENCRYPTED),
            (Part("1", "application/pgp-encrypted", around=("multipart/encrypted",)), Sort.NOTHING),
            (Part("1", "application/ms-tnef"), Sort.TNEF),
            (Part("1", "application/octet-stream", name="WINMAIL.DAT"), Sort.TNEF),
            (Part("1", "image/png", content_id="logo", octets=10**6), Sort.INLINE),
            (Part("1", "image/png", content_id="logo", disposition="attachment"), Sort.INLINE),
            (Part("1", "image/png", content_id="other", octets=10**6), Sort.ATTACHED),
            (Part("1", "image/png", octets=9, around=("multipart/related",)), Sort.INLINE),
            (Part("1", "image/png", octets=10**6, around=("multipart/related",)), Sort.ATTACHED),
            (Part("1", "image/png", octets=9, name="a.png"), Sort.ATTACHED),
            (Part("1", "image/jpeg", octets=9, disposition="inline", name="a.jpg"), Sort.INLINE),
            (Part("1", "image/jpeg", octets=9, disposition="attachment"), Sort.ATTACHED),
        ],
    )
    def test_what_a_part_is(self, part: Part, found: Sort) -> None:
        assert sort(part, frozenset({"logo"})) is found

    def test_pictures_that_the_text_shows(self) -> None:
        assert links.shown_pictures('<img src="cid:a%40b"><img src=cid:c>') == {"a@b", "c"}

    @pytest.mark.parametrize(
        ("name", "media_type", "kind"),
        [
            ("deck.PPTX", "application/octet-stream", Kind.SLIDES),
            ("讲稿.pdf", "", Kind.SLIDES),
            ("", "application/pdf", Kind.SLIDES),
            ("IMG_1.HEIC", "application/octet-stream", Kind.PHOTO),
            ("", "image/jpeg", Kind.PHOTO),
            ("", "image/svg+xml", Kind.OTHER),
            ("talk.mp4", "application/octet-stream", Kind.VIDEO),
            ("", "audio/mpeg", Kind.VIDEO),
            ("notes.docx", "application/octet-stream", Kind.OTHER),
            ("notes.txt", "image/png", Kind.OTHER),
            ("slides.zip", "application/zip", Kind.SLIDES),
            ("北京站PPT.zip", "", Kind.SLIDES),
            ("photos.zip", "application/zip", Kind.OTHER),
            (".pdf", "", Kind.OTHER),
            ("", "", Kind.OTHER),
        ],
    )
    def test_kinds(self, name: str, media_type: str, kind: Kind) -> None:
        assert parts.kind(name, media_type) is kind


class TestStructure:
    """What a server says of a message; whole ones come from a real server in another file."""

    def test_a_literal_and_a_section_with_blanks(self) -> None:
        data = [
            (b"3 (UID 7 BODY[HEADER.FIELDS (DATE TO)] {4}", b"a)b("),
            b' X "q\\"t" N NIL)',
            b"4 (UID 8 FLAGS (\\Seen))",
        ]
        first, second = answers.answers(data)
        assert first == {"UID": b"7", "BODY[HEADER.FIELDS (DATE TO)]": b"a)b(", "X": b'q"t', "N": None}
        assert second["FLAGS"] == [b"\\Seen"]

    @pytest.mark.parametrize("line", [b"1 (UID 7", b"1 UID 7)", b'1 (UID "7)', b"1 " + b"(" * 1000])
    def test_what_makes_no_sense_is_refused(self, line: bytes) -> None:
        with pytest.raises(api.InvalidError):
            list(answers.answers([line]))

    @settings(deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes_are_an_answer_or_refused(self, line: bytes) -> None:
        try:
            found = list(answers.answers([line]))
        except api.InvalidError:
            return
        assert all(isinstance(each, dict) for each in found)

    _values = st.recursive(
        st.none()
        | st.binary(max_size=8)
        | st.sampled_from([b"TEXT", b"PLAIN", b"MESSAGE", b"RFC822", b"MIXED"]),
        lambda children: st.lists(children, max_size=10),
        max_leaves=40,
    )

    @settings(deadline=None)
    @given(_values)
    def test_any_structure_is_understood_or_refused(self, value: object) -> None:
        try:
            found = answers.parts_of(value)
        except api.InvalidError:
            return
        assert all(isinstance(each, Part) for each in found)

    def test_a_structure_nested_too_deeply_is_refused(self) -> None:
        value: object = [b"TEXT", b"PLAIN", None, None, None, b"7BIT", b"1", b"1"]
        for _ in range(200):
            value = [value, b"MIXED"]
        with pytest.raises(api.InvalidError, match="nested deeper"):
            answers.parts_of(value)
