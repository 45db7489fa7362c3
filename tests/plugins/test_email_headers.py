from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver_plugins.mail import charsets, headers
from archiver_plugins.mail.head import Head, read_head
from archiver_plugins.mail.headers import label, param, text, value_and_params, words
from archiver_plugins.mail.parts import Part
from archiver_plugins.mail.scan import part_of
from plugins.mails import header


def named(disposition: str | bytes = b"", content_type: bytes = b"application/pdf") -> str:
    raw = disposition.encode() if isinstance(disposition, str) else disposition
    return part_of("2", [("content-type", content_type), ("content-disposition", raw)]).name


class TestNames:
    """Every way in which mailers write the name of an attachment."""

    def test_extended_parameters(self) -> None:
        assert named("attachment; filename*=utf-8''%E8%AE%B2%E7%A8%BF.pdf") == "讲稿.pdf"

    def test_extended_parameters_in_pieces_out_of_order(self) -> None:
        assert named("attachment; filename*1=\"B.pdf\"; filename*0*=gb2312''%BD%B2%B8%E5") == "讲稿B.pdf"

    def test_extended_gb2312_with_a_character_that_only_gbk_has(self) -> None:
        quoted = "".join(f"%{byte:02X}" for byte in "朱镕.ppt".encode("gbk"))
        assert named(f"attachment; filename*=gb2312''{quoted}") == "朱镕.ppt"

    def test_extended_with_an_unknown_charset(self) -> None:
        assert named("attachment; filename*=x-nobody''%E8%AE%B2.pdf") == "讲.pdf"

    def test_encoded_words_where_they_do_not_belong(self) -> None:
        packed = base64.b64encode("讲稿.pdf".encode("gb2312")).decode()
        assert named(f'attachment; filename="=?gb2312?B?{packed}?="') == "讲稿.pdf"

    def test_encoded_words_split_inside_a_character(self) -> None:
        raw = "讲稿.pdf".encode("gb18030")
        one, two = (base64.b64encode(piece).decode() for piece in (raw[:3], raw[3:]))
        assert named(f'attachment; filename="=?gb2312?B?{one}?=\n =?gb2312?B?{two}?="') == "讲稿.pdf"

    def test_the_name_of_the_content_type_counts_when_there_is_no_other(self) -> None:
        assert named(b"attachment", b'application/pdf; name="=?utf-8?Q?deck=20one.pdf?="') == "deck one.pdf"
        assert named(b'attachment; filename="a.pdf"', b"application/pdf; name=b.pdf") == "a.pdf"

    @pytest.mark.parametrize("charset", ["utf-8", "gbk", "big5", "shift_jis"])
    def test_raw_bytes(self, charset: str) -> None:
        shown = named(b'attachment; filename="' + "簡報.ppt".encode(charset, "replace") + b'"')
        # Nothing tells GBK from Big5 or Shift JIS for certain: Chinese senders of this order come first.
        assert shown.endswith(".ppt")
        assert "\ufffd" not in shown
        if charset in {"utf-8", "gbk"}:
            assert shown == "簡報.ppt"

    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            ("my talk.pdf", "my talk.pdf"),
            ('""', ""),
            ('"../../etc/passwd"', "passwd"),
            ('"C:\\Users\\jq\\deck.ppt"', "deck.ppt"),
            ('"/etc/cron.d/x"', "x"),
            ('"a\r\n b.pdf"', "a b.pdf"),
            ('"deck\0.pdf"', "deck.pdf"),
            ('"a\\"b.pdf"', 'a"b.pdf'),
            ('"..."', ""),
            ('"x\u202efdp.exe"', "x fdp.exe"),
            ('"half', "half"),
            ("", ""),
        ],
    )
    def test_unquoted_empty_and_hostile_names(self, given: str, shown: str) -> None:
        assert named(f"attachment; filename={given}") == shown

    def test_a_line_end_in_an_encoded_name(self) -> None:
        assert named("attachment; filename*=utf-8''a%0d%0aX-Evil%3a%201.pdf") == "a X-Evil: 1.pdf"

    @settings(deadline=None)
    @given(st.binary(max_size=300))
    def test_any_bytes_give_a_harmless_label(self, raw: bytes) -> None:
        for value in (
            b"attachment; filename=" + raw,
            b'attachment; filename="' + raw,
            b"x; filename*0*=" + raw,
        ):
            shown = named(value)
            assert len(shown) <= headers.MAX_LABEL
            assert shown.isprintable()
            assert not set(shown) & set("/\\\0\r\n")
            assert shown not in {".", ".."}

    @settings(deadline=None)
    @given(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=60))
    def test_a_name_survives_every_proper_encoding(self, name: str) -> None:
        from urllib.parse import quote

        wanted = label(name)
        packed = base64.b64encode(name.encode()).decode()
        assert named(f"a; filename*=UTF-8''{quote(name)}") == wanted
        assert named(f'a; filename="=?UTF-8?b?{packed}?="') == wanted
        assert label(charsets.detect(name.encode())) == wanted


class TestText:
    def test_raw_gbk_in_a_subject(self) -> None:
        assert read_head(header(subject="北京站讲稿".encode("gbk"))).subject == "北京站讲稿"

    def test_encoded_words(self) -> None:
        assert words("=?utf-8?Q?caf=C3=A9_one?= and two") == "café one and two"
        assert words("=?utf-8?B?5Li=?= =?utf-8?B?rQ==?=") == "中"
        assert words("=?gb2312?B?sbG+qQ==?= =?utf-8?B?5LiK5rW3?=") == "北京上海"
        assert words("=?nobody?Q?caf=C3=A9?=") == "café"
        assert words("a =?utf-8?Q?b?= c =?utf-8?Q?d?=") == "a b c d"
        assert words("=?utf-8?Q?broken") == "=?utf-8?Q?broken"

    def test_characters_that_turn_text_around_are_taken_out(self) -> None:
        assert text("a\u202eb\x07c".encode()) == "a b c"

    @pytest.mark.parametrize(
        ("data", "charset", "shown"),
        [
            ("朱镕基".encode("gbk"), "gb2312", "朱镕基"),
            ("朱镕基".encode("gbk"), "us-ascii", "朱镕基"),
            ("朱镕基".encode("gbk"), "", "朱镕基"),
            ("café".encode("latin-1"), "", "café"),
            ("café".encode(), "unknown-8bit", "café"),
            (b"plain", "hex", "plain"),
            (b"plain", "idna", "plain"),
            (b"plain", "\0", "plain"),
            ("“x”".encode("cp1252"), "iso-8859-1", "“x”"),
            ("日本".encode("iso2022_jp"), "", "日本"),
        ],
    )
    def test_charsets(self, data: bytes, charset: str, shown: str) -> None:
        assert charsets.decode(data, charset) == shown

    def test_a_text_cut_inside_a_character_is_still_utf_8(self) -> None:
        assert charsets.decode("北京".encode()[:-1], "", cut=True) == "北"

    @settings(deadline=None)
    @given(st.binary(max_size=200), st.text(max_size=20), st.booleans())
    def test_any_bytes_of_any_charset_are_text(self, data: bytes, charset: str, cut: bool) -> None:
        assert isinstance(charsets.decode(data, charset, cut=cut), str)

    @settings(deadline=None)
    @given(st.text(max_size=200))
    def test_any_text_may_hold_encoded_words(self, raw: str) -> None:
        assert isinstance(words(raw), str)


class TestHead:
    def test_what_a_message_says(self) -> None:
        head = read_head(
            header(
                7,
                subject="Re: 回复：Deck",
                cc="Other <o@example.org>, box+tok-7@example.test",
                in_reply_to="<ask@example.test>",
                references="<a@x> <ask@example.test>",
            )
        )
        assert head.subject == "Re: 回复：Deck"
        assert head.plain_subject == "Deck"
        assert (head.sender, head.sender_address) == ("Junqiang Chen", "jq@example.org")
        assert head.addresses == ("box@example.test", "o@example.org", "box+tok-7@example.test")
        assert head.date == "2012-09-16T10:00:00+08:00"
        assert head.message_id == "m7@example.org"
        assert head.in_reply_to == ("ask@example.test",)
        assert head.references == ("a@x", "ask@example.test")
        assert head.tokens == ("tok-7",)

    @pytest.mark.parametrize(
        ("raw", "found"),
        [
            ("<[a]@x>", "[a]@x"),
            ("bare@x", "bare@x"),
            ("<a@x> (added by mx)", "a@x"),
            ("< a@x >", "a@x"),
            ("<a\n @x>", "a@x"),
            ("", ""),
            ("<>", "<>"),
        ],
    )
    def test_message_ids_that_trip_parsers(self, raw: str, found: str) -> None:
        assert read_head(header(message_id=raw)).message_id == found

    def test_a_message_without_an_id_has_a_key_that_servers_do_not_change(self) -> None:
        one = read_head(header(message_id=None))
        two = read_head(b"Return-Path: <x@y>\nReceived: by mx\n" + header(message_id=None))
        other = read_head(header(2, message_id=None))
        assert one.key == two.key
        assert one.key != other.key
        assert one.key.startswith("none-")

    def test_a_very_long_id_is_shortened(self) -> None:
        head = read_head(header(message_id=f"<{'x' * 800}@y>"))
        assert head.key.startswith("long-")

    @pytest.mark.parametrize(
        ("raw", "more", "date"),
        [
            ("Sun, 16 Sep 2012 10:00:00 +0800 (CST)", {}, "2012-09-16T10:00:00+08:00"),
            ("Sun, 16 Sep 2012 10:00:00 CST", {"subject": "北京".encode("gbk")}, "2012-09-16T10:00:00+08:00"),
            ("Sun, 16 Sep 2012 10:00:00 CST", {"subject": "=?utf-8?B?5YyX?="}, "2012-09-16T10:00:00+08:00"),
            (
                "Sun, 16 Sep 2012 10:00:00 CST",
                {"received": "x; 1 Jan 2012 +0800"},
                "2012-09-16T10:00:00+08:00",
            ),
            ("Sun, 16 Sep 2012 10:00:00 CST", {}, "2012-09-16T10:00:00-06:00"),
            ("16 Sep 12 10:00 GMT", {}, "2012-09-16T10:00:00+00:00"),
            ("yesterday", {}, ""),
            ("Sun, 99 Foo 20129999 10:00", {}, ""),
            ("", {}, ""),
        ],
    )
    def test_dates(self, raw: str, more: dict[str, str | bytes], date: str) -> None:
        assert read_head(header(date=raw, **more)).date == date

    def test_the_time_of_arrival_stands_in_for_a_date(self) -> None:
        assert read_head(header(date="soon"), arrived="2012-09-17").date == "2012-09-17"

    @pytest.mark.parametrize(
        ("raw", "name"),
        [
            ("jq@example.org", "jq"),
            ('"Chen, Junqiang" <jq@example.org>', "Chen, Junqiang"),
            ("=?gb2312?B?s8I=?= <jq@example.org>", "陈"),
            ("陈军强 <jq@example.org>".encode("gbk"), "陈军强"),
            ("@@@ <<<", ""),
            ("", ""),
        ],
    )
    def test_senders(self, raw: str | bytes, name: str) -> None:
        head = read_head(header(**{"from": raw}))
        assert head.sender == name or (not name and "@example.org" not in head.sender)

    @pytest.mark.parametrize(
        ("fields", "machine", "automatic"),
        [
            ({"auto_submitted": "auto-replied"}, True, True),
            ({"content_type": "multipart/report; report-type=delivery-status"}, True, False),
            ({"auto_submitted": "auto-generated"}, False, True),
            ({"return_path": "<>"}, False, True),
            ({"auto_submitted": "no", "return_path": "<a@b>"}, False, False),
        ],
    )
    def test_machines(self, fields: dict[str, str | bytes], machine: bool, automatic: bool) -> None:
        head = read_head(header(**fields))
        assert (head.is_answered_by_machine, head.is_automatic) == (machine, automatic)

    @pytest.mark.parametrize(
        "mark", ["Re: ", "RE：", "回复：", "Antw: ", "Fwd: Re: ", "[Fwd: ", "答复: ", "转发：", "Re[2]: "]
    )
    def test_marks_of_replies_in_many_languages(self, mark: str) -> None:
        assert Head(subject=f"{mark}Deck").plain_subject == "Deck"

    @settings(deadline=None)
    @given(st.binary(max_size=500))
    def test_any_bytes_are_a_header(self, block: bytes) -> None:
        head = read_head(block)
        assert head.subject.isprintable()
        assert head.key

    @settings(deadline=None)
    @given(
        st.sampled_from(["Date", "From", "Message-ID", "References", "Content-Type"]), st.text(max_size=200)
    )
    def test_any_value_is_a_field(self, name: str, value: str) -> None:
        head = read_head(f"{name}: {value}\n".encode("utf-8", "replace"))
        assert head.key


def test_parameters_keep_what_follows_a_comment_out() -> None:
    kind, params = value_and_params(b'Text/Plain (really); charset="utf-8" ; format=flowed')
    assert kind == "text/plain"
    assert param(params, "charset") == "utf-8"
    assert part_of("1", [("content-type", b"text")]).media_type == "text/plain"
    assert Part("1").family == "text"
