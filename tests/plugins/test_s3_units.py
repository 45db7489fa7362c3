from __future__ import annotations

import string
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from archiver_plugins.s3 import S3Options
from archiver_plugins.s3.headers import headers_for
from archiver_plugins.s3.multipart import part_size
from archiver_plugins.s3.piece import Piece

CONTENT = "ocfl/beijing/v1/content/"


class TestHeaders:
    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            (CONTENT + "slides/deck-3f9a.pdf", "application/pdf"),
            (CONTENT + "photos/a.JPG", "image/jpeg"),
            (CONTENT + "video/a.mp4", "video/mp4"),
            ("derived/3f9a/text/1.txt", "text/plain; charset=utf-8"),
            ("site/index.html", "text/html; charset=utf-8"),
            ("index.html", "text/html; charset=utf-8"),
            ("site/style.css", "text/css; charset=utf-8"),
            ("site/map.svg", "image/svg+xml"),
        ],
    )
    def test_types_that_are_shown(self, path: str, kind: str) -> None:
        assert headers_for(path)["ContentType"] == kind
        assert "ContentDisposition" not in headers_for(path)

    @pytest.mark.parametrize("name", ["a.html", "a.HTM", "a.svg", "a.js", "a.xml", "a.xhtml", "a", "a.pptx"])
    def test_whatever_could_run_something_is_downloaded(self, name: str) -> None:
        for path in (CONTENT + "reports/" + name, "derived/x/" + name, name, "sites/" + name):
            told = headers_for(path)
            assert told["ContentType"] == "application/octet-stream"
            assert told["ContentDisposition"].startswith("attachment;")

    def test_names_in_both_forms(self) -> None:
        told = headers_for(CONTENT + 'reports/北京 "站".html')["ContentDisposition"]
        assert told == (
            "attachment; filename=\"_.html\"; filename*=UTF-8''%E5%8C%97%E4%BA%AC%20%22%E7%AB%99%22.html"
        )

    @given(st.text(min_size=1, max_size=80))
    def test_are_always_plain(self, name: str) -> None:
        name = "".join(c for c in name if not 0xD800 <= ord(c) < 0xE000)
        for value in headers_for(f"{CONTENT}reports/{name}").values():
            assert value.isascii()
            assert value.isprintable()
            assert value.count('"') in {0, 2}

    @pytest.mark.parametrize(
        ("path", "forever"),
        [
            (CONTENT + "photos/a.jpg", True),
            ("derived/3f9a/thumb/1.jpg", True),
            ("ocfl/beijing/inventory.json", False),
            ("ocfl/beijing/v1/inventory.json", False),
            ("site/index.html", False),
            ("catalog.sqlite", False),
        ],
    )
    def test_what_may_be_kept(self, path: str, forever: bool) -> None:
        assert ("immutable" in headers_for(path)["CacheControl"]) is forever


class TestOptions:
    @pytest.mark.parametrize(
        ("given_prefix", "prefix"),
        [("", ""), ("/", ""), ("a/b/", "a/b"), ("//a//b", "a/b"), ("巡回", "巡回")],
    )
    def test_prefix(self, given_prefix: str, prefix: str) -> None:
        assert S3Options(bucket="b", prefix=given_prefix).prefix == prefix

    @pytest.mark.parametrize(
        "wrong",
        [
            {"prefix": "a/../b"},
            {"prefix": "a\nb"},
            {"prefix": "x" * 201},
            {"bucket": ""},
            {"bucket": "a b"},
            {"bucket": "s3://cosug"},
            {"endpoint_url": "s3.example.org"},
            {"endpoint_url": "https://key:secret@s3.example.org"},
            {"access_key": "only"},
            {"secret_key": "only"},
            {"kms_key": "abc"},
            {"jobs": 0},
        ],
    )
    def test_wrong_ones(self, wrong: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            S3Options.model_validate({"bucket": "b", **wrong})

    def test_references_to_nothing_mean_the_usual_places(self) -> None:
        options = S3Options.model_validate(
            {"bucket": "b", "access_key": "", "secret_key": "", "endpoint_url": ""}
        )
        assert options.credentials == (None, None, None)

    def test_secrets_do_not_show(self) -> None:
        options = S3Options.model_validate({"bucket": "b", "access_key": "AKIA1", "secret_key": "marker-1"})
        assert "marker-1" not in repr(options) + options.model_dump_json()


class TestParts:
    @given(st.integers(min_value=1, max_value=5 << 40))
    def test_there_are_few_enough(self, size: int) -> None:
        assert -(-size // part_size(size)) <= 10_000
        assert part_size(size) % (1 << 20) == 0

    @given(
        st.integers(0, 300),
        st.integers(0, 300),
        st.lists(st.tuples(st.integers(0, 400), st.integers(0, 100)), max_size=6),
    )
    def test_a_piece_reads_like_a_file(self, start: int, size: int, reads: list[tuple[int, int]]) -> None:
        data = (string.ascii_letters * 6).encode()
        expected = data[start : start + size]
        with NamedTemporaryFile() as file, Piece(Path(file.name), start, len(expected)) as piece:
            Path(file.name).write_bytes(data)
            assert piece.read() == expected
            for place, count in reads:
                piece.seek(place)
                assert piece.read(count) == expected[place:]  # more than asked for: see there
                assert piece.tell() == max(place, len(expected))
                assert piece.read(count) == b""
