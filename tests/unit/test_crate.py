"""The description of an event for other programs."""

from __future__ import annotations

import json
import random
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rocrate.rocrate import ROCrate

from archiver.crate import CRATE, FILE_NAME, Held, Placed, crate, event_of, held
from archiver.ledger import Edition, Match, Record, State, StoredFile, Transition
from archiver.model import Grade, Kind, Material, Role
from line_kit import Item, World

EVENT = {
    "id": "beijing",
    "title": "Beijing Stop",
    "date": "2012-09-16",
    "city": "Beijing",
    "venue": "Shanda Innovations",
    "talks": [
        {"id": "chef", "title": "Deploy OpenStack with Chef", "speakers": ["Junqiang Chen"]},
        {"id": "gone", "title": "Dropped", "speakers": [], "cancelled": True},
    ],
}
LATER = "2030-01-01T00:00:00Z"


def stored(path: str, role: Role = Role.ORIGINAL, **more: Any) -> StoredFile:
    more = {"media_type": "application/pdf", **more}
    return StoredFile(path, len(path), f"{sum(path.encode()):064x}", role, **more)


def record(name: str = "1", *files: StoredFile, **facts: Any) -> Record:
    facts = {"kind": Kind.SLIDES, "title": "Chef", **facts}
    talk, state = facts.pop("match", "chef"), facts.pop("state", State.STORED)
    steps = (Transition("2012-10-01T08:00:00Z", State.STORED, reason="stored"),)
    files = files or (stored(f"slides/chef-{name}.pdf"),)
    material = Material(id=name, event="beijing", **facts)
    return Record("src", "memory", material, state, Match(talk, "title"), files, history=steps)


def described(*records: Record, **event: Any) -> dict[str, Any]:
    data = crate({**EVENT, **event}, held(records), otherwise=LATER)
    graph = json.loads(data)["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    assert len(entities) == len(graph)
    return entities


def test_a_deck_is_a_presentation_about_its_talk() -> None:
    deck = record(
        authors=("Hui Cheng",),
        licence="https://creativecommons.org/licenses/by/4.0/",
        url="https://www.slideshare.net/slideshow/chef/1",
        language="en",
        date="2012-09",
        tags=("chef", "openstack"),
        description="How\nto deploy",
    )
    entities = described(deck)
    assert entities["slides/chef-1.pdf"] == {
        "@id": "slides/chef-1.pdf",
        "@type": ["File", "PresentationDigitalDocument"],
        "name": "Chef",
        "about": {"@id": "#talk-chef"},
        "author": [{"@id": "#person-hui-cheng"}],
        "contentSize": "17",
        "datePublished": "2012-09",
        "description": "How to deploy",
        "encodingFormat": "application/pdf",
        "identifier": "memory:1",
        "inLanguage": "en",
        "keywords": ["chef", "openstack"],
        "license": {"@id": "https://creativecommons.org/licenses/by/4.0/"},
        "sdDatePublished": "2012-10-01T08:00:00Z",
        "sha256": deck.files[0].sha256,
        "url": "https://www.slideshare.net/slideshow/chef/1",
    }
    assert entities["#talk-chef"]["performer"] == [{"@id": "#person-junqiang-chen"}]
    assert entities["#talk-gone"]["eventStatus"] == "https://schema.org/EventCancelled"
    assert entities["#event"]["subEvent"] == [{"@id": "#talk-chef"}, {"@id": "#talk-gone"}]
    assert entities["#place"] == {
        "@id": "#place",
        "@type": "Place",
        "name": "Shanda Innovations",
        "address": "Beijing",
    }


def must(entities: dict[str, Any]) -> None:
    """Hold a crate to what RO-Crate 1.2 says that it MUST have."""
    descriptor, root = entities[FILE_NAME], entities["./"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.2"}
    assert root["@type"] == "Dataset"
    assert all(root[name] for name in ("name", "description", "datePublished", "license"))
    assert len(root["datePublished"]) == 10
    parts = {part["@id"] for part in root.get("hasPart", [])}
    assert parts == {name for name, each in entities.items() if "File" in each["@type"]}
    for entity in entities.values():
        for value in entity.values():
            for one in value if isinstance(value, list) else [value]:
                assert not isinstance(one, dict) or (
                    set(one) == {"@id"} and one["@id"] in {*entities, _PROFILE}
                )


_PROFILE = "https://w3id.org/ro/crate/1.2"


def test_what_must_be_there_is_there_even_of_an_event_without_anything() -> None:
    must(described(record()))
    empty = described()
    must(empty)
    assert empty["./"]["datePublished"] == LATER[:10]
    bare = json.loads(crate(event_of(b"", "x"), [], otherwise=LATER))["@graph"]
    must({entity["@id"]: entity for entity in bare})
    assert event_of(b"[1]", "x") == event_of(b"\xff", "x") == {"id": "x", "title": "x"}


def test_only_what_is_stored_is_claimed_and_nothing_taken_down() -> None:
    pending = replace(record("2"), files=(), state=State.PENDING)
    removed = record("3", state=State.TAKEN_DOWN)
    entities = described(record("1"), pending, removed)
    assert [each["@id"] for each in entities["./"]["hasPart"]] == ["slides/chef-1.pdf"]
    assert not [name for name in entities if "chef-3" in name]


def test_states_and_earlier_editions_are_told() -> None:
    before = Edition("2013-01-01T00:00:00Z", "0", (stored("slides/old.pdf"),))
    entities = described(replace(record(state=State.WITHDRAWN), earlier=(before,)))
    assert entities["slides/chef-1.pdf"]["creativeWorkStatus"] == "no longer listed by its source"
    assert entities["slides/old.pdf"]["creativeWorkStatus"].startswith("not current")
    # When the files of now came is not told by the ledger in so many words: then nothing is claimed.
    assert "sdDatePublished" not in entities["slides/chef-1.pdf"]


def test_files_of_a_material_say_how_they_belong_together() -> None:
    pages = [
        stored(f"slides/p{n}.webp", Role.RENDITION, grade=Grade.PAGES, media_type="image/webp", label=f"p{n}")
        for n in (1, 2)
    ]
    made = stored("slides/all.pdf", Role.DERIVATIVE)
    words = stored("slides/all.txt", Role.SIDECAR, media_type="text/plain", label="transcript")
    entities = described(record("1", made, words, *pages))
    assert entities["slides/p1.webp"]["@type"] == ["File", "ImageObject"]
    assert entities["slides/p1.webp"]["name"] == "Chef (p1)"
    assert entities["slides/all.pdf"]["isBasedOn"] == [{"@id": "slides/p1.webp"}, {"@id": "slides/p2.webp"}]
    assert entities["slides/all.txt"]["@type"] == "File"
    assert entities["slides/all.txt"]["about"] == {"@id": "slides/p1.webp"}


@pytest.mark.parametrize(
    ("kind", "media_type", "expected"),
    [
        (Kind.PHOTO, "image/jpeg", "ImageObject"),
        (Kind.VIDEO, "video/mp4", "VideoObject"),
        (Kind.VIDEO, "audio/mpeg", "AudioObject"),
        (Kind.REPORT, "application/wacz+zip", "DigitalDocument"),
        (Kind.OTHER, "", "DigitalDocument"),
    ],
)
def test_types_come_from_the_content(kind: Kind, media_type: str, expected: str) -> None:
    file = stored("x/y.bin", media_type=media_type)
    entity = described(record("1", file, kind=kind, match=""))["x/y.bin"]
    assert entity["@type"] == ["File", expected]
    assert entity["about"] == {"@id": "#event"}
    assert ("recordedAt" in entity) is (kind in {Kind.PHOTO, Kind.VIDEO})


PRIVATE = ["jq@example.org", "chen.jq@mail.example.com.cn", "张三@例子.中国"]
SECRETS = [
    "https://example.org/deck.pdf?token=hunter2hunter2",
    "https://user:hunter2hunter2@example.org/deck.pdf",
    "https://bucket.example.org/deck?X-Amz-Signature=hunter2hunter2&x=1",
]


@pytest.mark.parametrize("text", [*PRIVATE, *SECRETS, f"Chen <{PRIVATE[0]}>", f"mailto:{PRIVATE[1]}"])
def test_no_mail_address_and_no_secret_is_ever_in_it(text: str) -> None:
    hostile = record(
        title=f"Deck {text}", authors=(text,), description=f"Write to {text}!", url=text, tags=(text,),
        licence=text, language=text, date=text, talk=text,
    )  # fmt: skip
    named = replace(hostile, material=replace(hostile.material, id=text))
    talks = [{"id": "chef", "title": text, "speakers": [text, f"Hui ({text})"], "email": text}]
    whole = {"title": text, "organizer": text, "language": text, "email": text}
    data = crate({**EVENT, "title": text, "talks": talks}, held([named]), otherwise=LATER, archive=whole)
    for private in (*PRIVATE, "hunter2"):
        assert private not in data.decode()
    must({entity["@id"]: entity for entity in json.loads(data)["@graph"]})


def test_a_public_address_is_kept_even_with_an_at_sign() -> None:
    url = "https://www.flickr.com/photos/36521959321@N01/8012345/"
    assert described(record(url=url))["slides/chef-1.pdf"]["url"] == url
    assert "url" not in described(record(url="javascript:alert(1)"))["slides/chef-1.pdf"]


def test_persons_and_licences_of_one_name_are_one() -> None:
    entities = described(
        record("1", authors=("Junqiang  Chen", "陈俊强"), licence="All rights reserved"),
        record("2", authors=("junqiang chen", "🎉"), licence="All rights reserved"),
    )
    persons = [each["name"] for each in entities.values() if each["@type"] == "Person"]
    assert sorted(persons) == ["Junqiang Chen", "陈俊强", "🎉"]
    assert entities["#licence-all-rights-reserved"]["name"] == "All rights reserved"


def test_equal_content_gives_equal_bytes_in_whatever_order_it_comes() -> None:
    records = [record(f"{number}", authors=(f"A{number}",)) for number in range(20)]
    first = crate(EVENT, held(records), otherwise=LATER)
    random.Random(1).shuffle(records)
    assert crate(EVENT, held(records), otherwise="2031-01-01T00:00:00Z") == first
    assert first.endswith(b"\n]}\n")
    names = [json.loads(line.rstrip(","))["@id"] for line in first.decode().splitlines()[1:-1]]
    assert names == sorted(names)


@given(st.text(max_size=200), st.text(max_size=60), st.lists(st.text(max_size=40), max_size=3))
def test_any_text_gives_a_valid_crate(title: str, licence: str, people: list[str]) -> None:
    event = {**EVENT, "title": title, "talks": [{"id": licence, "title": title, "speakers": people}, 7]}
    one = record(title=title, licence=licence, authors=tuple(people), description=title, match=licence)
    data = crate(event, held([one]), otherwise=LATER)
    text = data.decode()
    assert unicodedata.is_normalized("NFC", text)
    assert text.count("\n") == len(json.loads(text)["@graph"]) + 2
    entities = {entity["@id"]: entity for entity in json.loads(text)["@graph"]}
    root = entities["./"]
    assert root["hasPart"] == [{"@id": "slides/chef-1.pdf"}]
    assert len(entities) == len(json.loads(text)["@graph"])


def test_rocrate_reads_it_back_with_its_files(tmp_path: Path) -> None:
    name = "slides/été 50% #1 [北京].pdf"
    folder = tmp_path / "crate"
    (folder / "slides").mkdir(parents=True)
    (folder / name).write_bytes(b"x")
    one = replace(record("1", authors=("Hui Cheng",)))
    placed = Held(one, (Placed(name, one.files[0]),))
    (folder / FILE_NAME).write_bytes(crate(EVENT, [placed], otherwise=LATER))
    read = ROCrate(folder)
    assert read.version == "1.2"
    assert read.name == "Beijing Stop"
    (file,) = read.root_dataset["hasPart"]
    assert file.id == "slides/été%2050%25%20%231%20%5B北京%5D.pdf"
    assert Path(file.source) == folder / name
    assert file["about"]["performer"][0]["name"] == "Junqiang Chen"
    assert read.get("#event")["location"]["address"] == "Beijing"
    read.write(tmp_path / "again")
    assert (tmp_path / "again" / name).read_bytes() == b"x"


def test_each_version_has_one_and_none_is_made_for_it(tmp_path: Path) -> None:
    world = World(tmp_path, sinks=("one", "two"))
    world.up.put(Item("x", title="Deploy OpenStack with Chef"))
    world.run()
    first = world.head("one").object("a").read(CRATE)
    assert world.head("two").object("a").read(CRATE) == first
    assert world.record("x", sink="one").files[0].path in first.decode()
    versions = world.versions("one")
    world.run()
    assert world.versions("one") == versions
    world.up.change("x", data=(b"the second edition",), revision="2")
    world.run()
    second = world.head("one").object("a").read(CRATE)
    assert second != first
    must({entity["@id"]: entity for entity in json.loads(second)["@graph"]})
    assert len(json.loads(second)["@graph"]) == len(json.loads(first)["@graph"]) + 1
    assert CRATE not in world.head("one").object("_archive").state
