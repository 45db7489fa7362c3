"""The tag files of a bag, by RFC 8493."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import bagit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.export.bag import Sum, encoded, tag_files

EVENT = {"id": "beijing", "title": "Beijing Stop"}
ARCHIVE = {"title": "2012 OpenStack China Tour", "organizer": "COSUG"}


def summed(path: str, data: bytes) -> Sum:
    return Sum(path, len(data), hashlib.sha256(data).hexdigest())


def test_the_tag_files_are_as_the_rfc_says() -> None:
    files = [summed("data/b.txt", b"bb"), summed("data/a.txt", b"a")]
    tags = tag_files(files, EVENT, ARCHIVE)
    assert list(tags)[-1] == "bagit.txt"
    assert tags["bagit.txt"] == b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    lines = tags["manifest-sha256.txt"].decode().splitlines()
    assert [line.split("  ")[1] for line in lines] == ["data/a.txt", "data/b.txt"]
    assert b"Payload-Oxum: 3.2\n" in tags["bag-info.txt"]
    listed = dict(line.split("  ")[::-1] for line in tags["tagmanifest-sha256.txt"].decode().splitlines())
    assert listed == {
        name: hashlib.sha256(data).hexdigest() for name, data in tags.items() if not name.startswith("tagm")
    }


@pytest.mark.parametrize(
    ("path", "line"),
    [("data/100%.pdf", "data/100%25.pdf"), ("a\nb", "a%0Ab"), ("a\rb", "a%0Db"), ("北京 %0A", "北京 %250A")],
)
def test_only_line_breaks_and_percent_are_encoded(path: str, line: str) -> None:
    assert encoded(path) == line


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
def test_encoding_can_be_undone(path: str) -> None:
    line = encoded(path)
    assert not re.search("[\r\n]", line)
    back = re.sub("%(0A|0D|25)", lambda found: chr(int(found[1], 16)), line)
    assert back == path


@given(st.text(max_size=80))
def test_a_title_forges_no_label(title: str) -> None:
    tags = tag_files([], {"id": "x", "title": f"{title}\r\nPayload-Oxum: 9.9"}, {"organizer": title})
    info = tags["bag-info.txt"].decode("utf-8")
    labels = [line.partition(": ")[0] for line in info.split("\n")[:-1]]
    assert labels.count("Payload-Oxum") == 1
    assert set(labels) <= {
        "Source-Organization", "External-Description", "External-Identifier", "Payload-Oxum",
        "Bag-Software-Agent",
    }  # fmt: skip


def test_another_program_finds_it_valid_and_damage_invalid(tmp_path: Path) -> None:
    content = {"data/slides/云计算 (2).pdf": b"deck", "data/ro-crate-metadata.json": b"{}"}
    tags = tag_files([summed(path, data) for path, data in content.items()], EVENT, ARCHIVE)
    for path, data in {**content, **tags}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    bag = bagit.Bag(str(tmp_path))
    assert bag.validate()
    assert bag.info["External-Identifier"] == "urn:x-event-archive:beijing"
    (tmp_path / "data/slides/云计算 (2).pdf").write_bytes(b"Deck")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(tmp_path)).validate()
