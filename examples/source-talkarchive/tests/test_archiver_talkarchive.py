from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

import archiver_talkarchive as plugin
from archiver import api
from archiver.testing.lent import lend
from archiver.testing.sources import SourceContract, Subject
from double import SAMPLE, Double, Talk

EVENT = api.Event("beijing", "Beijing Stop")
LATER = "2012-10-01T08:00:00Z"
TOKEN = "letmein-2012"
Listed = tuple[list[api.Material | api.Unavailable], api.Checkpoint]


@pytest.fixture
def service() -> Iterator[Double]:
    with Double(list(SAMPLE)) as service:
        yield service


@pytest.fixture
def source(service: Double, tmp_path: Path) -> Iterator[plugin.Talkarchive]:
    with lend(tmp_path, service.url) as context:
        yield plugin.Talkarchive(plugin.Settings(base_url=service.url, token=SecretStr(TOKEN)), context)


class TestContract(SourceContract):
    """All that every source has to do."""

    @pytest.fixture
    def subject(self, service: Double) -> Subject:
        return Subject(
            plugin.Talkarchive,
            options=lambda url: {"base_url": url},
            entries=({"series": "beijing-2012"},),
            url=service.url,
            expected={talk.id: talk.slides for talk in SAMPLE},
            change=lambda: service.talks.__setitem__(0, Talk("12", "Another title", LATER)),
            remove=lambda: service.talks.pop(),
        )


def listed(source: plugin.Talkarchive, cursor: str = "", limit: int | None = None) -> Listed:
    scope = api.Scope((api.ScopeEntry(EVENT, plugin.Entry(series="beijing-2012")),), limit)
    found = list(source.discover(scope, cursor))
    assert isinstance(found[-1], api.Checkpoint)
    return [item for item in found if not isinstance(item, api.Checkpoint)], found[-1]


def material(source: plugin.Talkarchive, number: int) -> api.Material:
    found = listed(source)[0][number]
    assert isinstance(found, api.Material)
    return found


def test_it_is_announced() -> None:
    assert plugin.archiver_sources() == [plugin.Talkarchive]


def test_the_first_listing_brings_all_pages(source: plugin.Talkarchive, service: Double) -> None:
    items, checkpoint = listed(source)
    assert [item.id for item in items if isinstance(item, api.Material)] == ["12", "13", "14"]
    assert checkpoint == api.Checkpoint("2012-09-18T09:00:00Z", complete=True)
    assert service.requests.count("/series/*") == 2


def test_a_later_listing_brings_what_changed_and_what_was_deleted(
    source: plugin.Talkarchive, service: Double
) -> None:
    _, first = listed(source)
    service.talks[:2] = [
        Talk("12", "", LATER, deleted=True),
        Talk("13", "云计算的思考，二", LATER),
    ]
    items, second = listed(source, first.cursor)
    gone, changed, same = items
    assert isinstance(gone, api.Unavailable)
    assert isinstance(gone.error, api.GoneError)
    assert isinstance(changed, api.Material)
    assert changed.title == "云计算的思考，二"
    assert isinstance(same, api.Material)  # of the same second as the cursor: better twice than never
    assert second == api.Checkpoint(LATER, complete=False)


def test_a_limited_listing_keeps_its_cursor(source: plugin.Talkarchive) -> None:
    items, checkpoint = listed(source, limit=2)
    assert len(items) == 2
    assert checkpoint == api.Checkpoint("", complete=False)


def test_slides_and_transcript_come_together(source: plugin.Talkarchive, tmp_path: Path) -> None:
    slides, transcript = source.fetch(material(source, 1), tmp_path)
    assert (slides.role, slides.grade) == (api.Role.ORIGINAL, api.Grade.PDF)
    assert (transcript.role, transcript.label) == (api.Role.SIDECAR, "transcript")
    assert (tmp_path / transcript.path).read_text("utf-8").startswith("大家好")
    assert (tmp_path / slides.path).read_bytes() == SAMPLE[1].slides


def test_a_token_is_sent_where_one_is_wanted(
    source: plugin.Talkarchive, service: Double, tmp_path: Path
) -> None:
    service.token = TOKEN
    assert len(list(source.fetch(material(source, 0), tmp_path))) == 1
    service.token = "another one"
    with pytest.raises(api.BlockedError) as caught:
        listed(source)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "answer", [b"<html>Log in</html>", b"[]", b'{"talks": [{"id": "../x"}], "more": false}']
)
def test_another_answer_is_refused(source: plugin.Talkarchive, service: Double, answer: bytes) -> None:
    service.serve("/series/beijing-2012", answer)
    with pytest.raises(api.InvalidError):
        listed(source)


def test_pages_without_end_are_refused(source: plugin.Talkarchive, service: Double) -> None:
    service.serve("/series/beijing-2012", b'{"talks": [], "more": true}')
    with pytest.raises(api.InvalidError, match="more than 1000 pages"):
        listed(source)
