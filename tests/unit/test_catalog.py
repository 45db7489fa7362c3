"""The catalog as a whole: what is built, what is found, and what never breaks it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.catalog import ArchiveFacts, build, is_current, search
from archiver.errors import DamageError, MissingError, SinkError
from archiver.ledger import Match, Problem, Record, State, StoredFile
from archiver.model import Event, Grade, Kind, Material, Role, Talk

EVENTS = (
    Event(
        "beijing",
        "Beijing Stop",
        city="Beijing",
        venue="Shanda Innovations",
        talks=(
            Talk("chef", "Deploy OpenStack with Chef", ("Junqiang Chen",)),
            Talk("swift", "Swift 架构与实践"),
        ),
    ),
    Event("shenzhen", "深圳站", city="Shenzhen", talks=(Talk("swift", "Swift 架构与实践", ("王大伟",)),)),
)
HEADS = {"beijing": "a" * 64, "_archive": "b" * 64}
FACTS = ArchiveFacts("2012 OpenStack China Tour", "COSUG", "zh", HEADS)


def stored(
    name: str, sha: str = "0", role: Role = Role.ORIGINAL, grade: Grade = Grade.ORIGINAL
) -> StoredFile:
    return StoredFile(name, 10, sha * 64, role, grade)


def record(
    id_: str,
    title: str,
    kind: Kind = Kind.SLIDES,
    event: str = "beijing",
    *,
    files: tuple[StoredFile, ...] | None = None,
    talk: str = "",
    authors: tuple[str, ...] = (),
    description: str = "",
    state: State = State.STORED,
) -> Record:
    material = Material(id_, kind, title, event=event, authors=authors, description=description)
    kept = (stored(f"{kind}/{id_}.pdf"),) if files is None else files
    return Record("inbox", "folder", material, state, Match(talk), kept)


RECORDS = (
    record("1", "Deploy OpenStack with Chef", talk="chef", files=(stored("slides/chef.pptx", "1"),)),
    record("2", "Swift 架构与实践", event="shenzhen", talk="swift", files=(stored("slides/swift.pdf", "2"),)),
    record("3", "Group photo", Kind.PHOTO, description="All lecturers of the tour, 全体讲师合影"),
    record(
        "4", "Recording of the morning", Kind.VIDEO, files=(stored("video/m.mp4"), stored("video/m.vtt", "4"))
    ),
)
TEXTS = {
    "1" * 64: "Cookbooks and recipes.\fchef-client runs every 30 minutes.",
    "2" * 64: "对象存储的一致性哈希环。云计\n算平台的代理节点 Proxy 使用Swift架构。",
    "4" * 64: "Welcome everybody. Today Keystone is explained.",
}

Maker = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path) -> Maker:
    def make(
        records: Iterable[Record] = RECORDS, texts: dict[str, str] = TEXTS, name: str = "c.sqlite"
    ) -> Path:
        build(tmp_path / name, EVENTS, records, texts.get, FACTS, locate=locate)
        return tmp_path / name

    return make


def locate(event: str, logical: str) -> str:
    return f"ocfl/{event}/v1/content/{logical}"


def titles(path: Path, query: str, **filters: object) -> list[str]:
    return [hit.title for hit in search(path, query, **filters)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("chef", "Deploy OpenStack with Chef"),
        ("CHEF openstack", "Deploy OpenStack with Chef"),
        ("Junqiang", "Deploy OpenStack with Chef"),  # the talk's speaker, unknown to the material
        ("cookbooks", "Deploy OpenStack with Chef"),
        ("chef-client", "Deploy OpenStack with Chef"),
        ("cookb*", "Deploy OpenStack with Chef"),
        ('"recipes chef client"', "Deploy OpenStack with Chef"),
        ("架构", "Swift 架构与实践"),
        ("Swift 架构", "Swift 架构与实践"),
        ("swift架构", "Swift 架构与实践"),
        ("“Swift 架构”", "Swift 架构与实践"),
        ("存储", "Swift 架构与实践"),
        ("云计算", "Swift 架构与实践"),  # broken over two lines in the text
        ("云计算平台", "Swift 架构与实践"),
        ("哈", "Swift 架构与实践"),
        ("环", "Swift 架构与实践"),
        ("王大伟", "Swift 架构与实践"),
        ("使用Swift", "Swift 架构与实践"),
        ("合影", "Group photo"),
        ("keystone", "Recording of the morning"),  # in the subtitles
        ("Beijing keystone", "Recording of the morning"),
        ("ｋｅｙｓｔｏｎｅ", "Recording of the morning"),
    ],
)
def test_words_are_found_wherever_they_stand(made: Maker, query: str, title: str) -> None:
    assert titles(made(), query) == [title]


@pytest.mark.parametrize(
    "query",
    [
        "puppet",
        "chef puppet",
        '"chef recipes"',
        "cookb",
        "构架",
        "计平",
        "云算",
        "储对",
        '"架构 swift"',
        "",
        "  ",
        '"',
        "* + ()",
    ],
)
def test_what_is_not_there_is_not_found(made: Maker, query: str) -> None:
    assert titles(made(), query) == []


def test_results_have_exactly_the_promised_fields(made: Maker) -> None:
    (hit,) = search(made(), "云计算")
    score = hit.to_json().pop("score")
    assert hit.to_json() == {
        "event": "shenzhen",
        "talk": "swift",
        "kind": "slides",
        "title": "Swift 架构与实践",
        "path": "ocfl/shenzhen/v1/content/slides/swift.pdf",
        "snippet": "对象存储的一致性哈希环。«云计 算»平台的代理节点 Proxy 使用Swift架构。",
        "score": score,
    }
    assert score > 0


def test_a_word_in_the_title_counts_more_than_one_in_the_text(made: Maker) -> None:
    texts = {"1" * 64: "quantum quantum quantum and more about quantum in the text", "2" * 64: "nothing"}
    records = [
        record("a", "Networking", files=(stored("a", "1"),)),
        record("b", "Quantum", files=(stored("b", "2"),)),
        *(record(f"n{n}", "Another") for n in range(5)),
    ]
    hits = search(made(records, texts), "quantum")
    assert [hit.title for hit in hits] == ["Quantum", "Networking"]
    assert hits[0].score > hits[1].score


def test_filters_and_limit(made: Maker) -> None:
    records = [
        record(f"{event}-{kind}", "Swift", kind, event)
        for event in ("beijing", "shenzhen")
        for kind in (Kind.SLIDES, Kind.VIDEO, Kind.OTHER)
    ]
    path = made(records)
    assert len(search(path, "swift")) == 6
    assert {hit.kind for hit in search(path, "swift", kinds=[Kind.VIDEO, Kind.OTHER])} == {"video", "other"}
    assert {hit.event for hit in search(path, "swift", events=["shenzhen"])} == {"shenzhen"}
    assert search(path, "swift", events=["nowhere"]) == []
    assert len(search(path, "swift", limit=4)) == 4
    assert search(path, "swift", limit=0) == []
    assert search(path, "swift", limit=-1) == []


def test_what_is_taken_down_or_not_held_is_not_found(made: Maker) -> None:
    pending = replace(
        record("p", "Swift", files=(), state=State.PENDING), problem=Problem("blocked", "login")
    )
    path = made(
        [pending, record("t", "Swift", state=State.TAKEN_DOWN), record("w", "Swift", state=State.WITHDRAWN)]
    )
    assert [hit.path for hit in search(path, "swift")] == [locate("beijing", "slides/w.pdf")]
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT native_id, state, reason, detail FROM material").fetchall()
    assert rows == [("p", "pending", "blocked", "login"), ("w", "withdrawn", "", "")]


@pytest.mark.parametrize(
    ("files", "main"),
    [
        (
            (stored("t", role=Role.SIDECAR), stored("deck.pptx"), stored("d.pdf", grade=Grade.PDF)),
            "deck.pptx",
        ),
        (
            (
                stored("p1", grade=Grade.PAGES, role=Role.RENDITION),
                stored("made.pdf", grade=Grade.PAGES, role=Role.DERIVATIVE),
            ),
            "made.pdf",
        ),
        ((stored("thumb", grade=Grade.THUMBNAIL), stored("x.pdf", grade=Grade.PDF)), "x.pdf"),
        ((stored("only.vtt", role=Role.SIDECAR),), "only.vtt"),
    ],
)
def test_the_path_is_that_of_the_file_to_open(made: Maker, files: tuple[StoredFile, ...], main: str) -> None:
    (hit,) = search(made([record("1", "Swift", files=files)]), "swift")
    assert hit.path == locate("beijing", main)


def test_events_may_come_from_the_archive_itself(tmp_path: Path, made: Maker) -> None:
    told = [
        {"id": "beijing", "title": "Beijing Stop", "city": "Beijing", "venue": "Shanda Innovations"}
        | {
            "talks": [
                {"id": talk.id, "title": talk.title, "speakers": list(talk.speakers)}
                for talk in EVENTS[0].talks
            ]
        },
        {"id": "shenzhen", "title": "深圳站", "city": "Shenzhen"}
        | {"talks": [{"id": "swift", "title": "Swift 架构与实践", "speakers": ["王大伟"]}]},
    ]
    build(tmp_path / "told", told, RECORDS, TEXTS.get, FACTS, locate=locate)
    assert dump(tmp_path / "told") == dump(made())


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return sorted(db.iterdump())


def test_equal_archives_give_equal_catalogs(made: Maker) -> None:
    one, other = made(name="one"), made(reversed(RECORDS), name="other")
    assert dump(one) == dump(other)
    assert one.read_bytes() == other.read_bytes()
    assert dump(made(RECORDS[1:], name="third")) != dump(one)


def test_a_catalog_is_current_until_a_head_changes(made: Maker, tmp_path: Path) -> None:
    path = made()
    assert is_current(path, dict(reversed(HEADS.items())))
    assert not is_current(path, {**HEADS, "beijing": "c" * 64})
    assert not is_current(path, {"beijing": "a" * 64})
    assert not is_current(tmp_path / "none", HEADS)
    (tmp_path / "broken").write_bytes(b"not a database")
    assert not is_current(tmp_path / "broken", HEADS)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE meta SET value = '0' WHERE key = 'schema'")
    assert not is_current(path, HEADS)


def test_building_again_replaces_the_file_and_leaves_nothing_else(made: Maker, tmp_path: Path) -> None:
    made()
    made(RECORDS[:1])
    assert [file.name for file in tmp_path.iterdir()] == ["c.sqlite"]
    assert titles(tmp_path / "c.sqlite", "架构") == []


def test_a_failed_build_leaves_the_old_catalog(made: Maker, tmp_path: Path) -> None:
    path = made()

    def broken(sha256: str) -> str | None:
        raise OSError(28, "No space left on device")

    with pytest.raises(SinkError, match="No space left"):
        build(path, EVENTS, RECORDS, broken, FACTS, locate=locate)
    assert [file.name for file in tmp_path.iterdir()] == ["c.sqlite"]
    assert titles(path, "架构") == ["Swift 架构与实践"]


def test_no_folder_no_catalog_and_no_sense_are_told(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="could not be written"):
        build(tmp_path / "no" / "c", EVENTS, RECORDS, TEXTS.get, FACTS, locate=locate)
    with pytest.raises(MissingError, match="no catalog"):
        search(tmp_path / "c", "x")
    (tmp_path / "c").write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    with pytest.raises(DamageError, match="cannot be read"):
        search(tmp_path / "c", "x")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("catalog") / "c.sqlite"
    build(path, EVENTS, RECORDS, TEXTS.get, FACTS, locate=locate)
    return path


@given(st.one_of(st.text(max_size=600), st.text(alphabet='"*()^:{}-+ANDORNEAR 架构swift\0', max_size=40)))
def test_no_query_is_an_error(shelf: Path, query: str) -> None:
    for hit in search(shelf, query):
        assert hit.path


@given(text=st.text(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_hostile_text_is_stored_and_found_by_itself(made: Maker, text: str) -> None:
    path = made([record("x", text, authors=(text,), description=text)], {"0" * 64: text})
    words = [word for word in text.split() if word.isalpha() and word.isascii() and len(word) < 60]
    for word in words[:3]:
        assert len(search(path, word)) == 1
    assert len(search(path, "beijing")) == 1


@given(st.text(alphabet="云计算平台对象存储的架构与实践", min_size=1, max_size=12), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_every_piece_of_a_chinese_title_finds_it(made: Maker, title: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(title) - 1))
    end = data.draw(st.integers(start + 1, len(title)))
    path = made([record("x", title)], {})
    assert len(search(path, title[start:end])) == 1


def test_writing_invented_after_the_database_is_searched_too(made: Maker) -> None:
    # Adlam came with Unicode 9, the last Chinese extension with 13: newer than SQLite's own tables.
    path = made([record("x", "𞤀𞤣𞤤𞤢𞤥 \U00031350\U00031351 Ünïcödé ﬁn")], {})
    for query in ("𞤀𞤣𞤤𞤢𞤥", "\U00031350\U00031351", "\U00031351", "unicode", "ÜNÏCÖDÉ", "fin"):
        assert len(search(path, query)) == 1, query


def test_lone_surrogates_in_names_do_not_break_the_catalog(made: Maker) -> None:
    path = made([record("caf\udce9.pdf", "caf\udce9 one", files=(stored("slides/a.pdf"),))], {})
    assert titles(path, "one") == ["caf\ufffd one"]


def test_what_a_person_rejected_is_not_found(made: Maker) -> None:
    rejected = replace(record("r", "Swift"), match=Match(method="decision", why="rejected: an invoice"))
    path = made([rejected, record("w", "Swift")])
    assert [hit.path for hit in search(path, "swift")] == [locate("beijing", "slides/w.pdf")]


def test_nobody_is_asked_for_the_text_of_a_photo(tmp_path: Path) -> None:
    asked: list[str] = []

    def texts(sha256: str) -> str | None:
        asked.append(sha256)
        return None

    def typed(path: str, sha: str, media_type: str) -> StoredFile:
        return replace(stored(path, sha), media_type=media_type)

    records = (
        record("1", "A photo", Kind.PHOTO, files=(typed("photo/a.jpg", "1", "image/jpeg"),)),
        record("2", "A deck", files=(typed("slides/a.pdf", "2", "application/pdf"),)),
        record("3", "Of an unknown type", files=(typed("slides/b", "3", ""),)),
    )
    build(tmp_path / "c.sqlite", EVENTS, records, texts, FACTS, locate=locate)
    assert asked == ["2" * 64, "3" * 64]
