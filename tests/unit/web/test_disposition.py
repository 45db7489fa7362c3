from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.web.disposition import MAX_NAME, file_name

RAW_UTF8 = 'attachment; filename="演讲.pdf"'.encode().decode("latin-1")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('attachment; filename="deck.pdf"', "deck.pdf"),
        ("attachment; FileName = my talk.pdf", "my talk.pdf"),
        ('attachment; filename="a\\"b.pdf"', 'a"b.pdf'),
        # The extended form wins, wherever it stands (RFC 6266, 4.3).
        ("attachment; filename=\"x.pdf\"; filename*=UTF-8''%e4%ba%91.pdf", "云.pdf"),
        ("attachment; filename*=utf-8'en'%e4%ba%91.pdf; filename=x.pdf", "云.pdf"),
        ("attachment; filename*=iso-8859-1''%e9t%e9.pdf", "été.pdf"),
        ("attachment; filename*=gbk''%BD%B2%B8%E5.pdf", "讲稿.pdf"),
        ("attachment; filename*=idna''a.pdf", "a.pdf"),
        (RAW_UTF8, "演讲.pdf"),
        ('attachment; filename="\xe9t\xe9.pdf"', "été.pdf"),
        # Hostile names.
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ("attachment; filename*=UTF-8''..%2f..%5cC%3A%5cx.ppt", "x.ppt"),
        ('attachment; filename="C:\\\\x\\\\y.ppt"', "y.ppt"),
        ("attachment; filename*=UTF-8''a%00b%0d%0ac.pdf", "a b c.pdf"),
        ("attachment; filename*=UTF-8''%e2%80%aefdp.exe", "fdp.exe"),
        ('attachment; filename=".."', ""),
        ('attachment; filename=""', ""),
        ("attachment; filename*", ""),
        ("inline", ""),
        ("", ""),
    ],
)
def test_a_name_is_a_label(value: str, name: str) -> None:
    assert file_name(value) == name


def test_a_long_name_is_cut() -> None:
    assert file_name(f'attachment; filename="{"x" * 3000}"') == "x" * MAX_NAME


FIELDS = st.from_regex(r"a; filename(\*\d*)?\*?=.*", fullmatch=True)


@given(st.text(st.characters(max_codepoint=255)) | FIELDS)
def test_no_field_makes_more_than_a_label(value: str) -> None:
    name = file_name(value)
    assert len(name) <= MAX_NAME
    assert name.isprintable()
    assert not {"/", "\\"} & set(name)
    assert name not in {".", ".."}
