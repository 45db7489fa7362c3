from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from archiver import api
from archiver.testing.flickr import FlickrDouble, Photo
from archiver_plugins.flickr import Flickr, FlickrEntry, FlickrOptions
from archiver_plugins.flickr.answers import Page
from archiver_plugins.flickr.answers import Photo as Item
from archiver_plugins.flickr.search import CAP, FOUNDED, Window, search

Make = Callable[[str], api.Context]
BEIJING = api.Event("beijing", "Beijing Stop")
#: 16 September 2012, 08:00 UTC.
MORNING = 1_347_782_400


def shots(count: int, moment: Callable[[int], int]) -> Iterator[Photo]:
    """Make photos with the tag of the tour, uploaded when `moment` says for each number from 0."""
    for number in range(count):
        yield Photo(8000000000 + number, tags=("2012osac",), uploaded=moment(number))


def listed(service: FlickrDouble, context_for: Make) -> tuple[list[str], api.Checkpoint]:
    options = FlickrOptions(api_key=SecretStr(service.api_key), base_url=service.url)
    source = Flickr(options, context_for(service.url))
    entry = api.ScopeEntry(BEIJING, FlickrEntry(tag="2012osac"))
    *items, last = source.discover(api.Scope((entry,)), "")
    assert isinstance(last, api.Checkpoint)
    return [item.id for item in items if isinstance(item, api.Material)], last


@pytest.mark.parametrize(
    ("moment", "duplicates"),
    [
        pytest.param(lambda n: MORNING + n * 60, False, id="spread"),
        pytest.param(lambda n: MORNING + n // 700, True, id="many in a second", marks=pytest.mark.long),
        pytest.param(
            lambda n: MORNING + (0 if n < 3_900 else n * 86_400),
            True,
            id="most in one second",
            marks=pytest.mark.long,
        ),
    ],
)
def test_6300_photos_are_each_found_exactly_once(
    moment: Callable[[int], int], duplicates: bool, context_for: Make
) -> None:
    with FlickrDouble(shots(6_300, moment), duplicates=duplicates) as service:
        found, end = listed(service, context_for)
        assert len(found) == 6_300
        assert Counter(found).most_common(1)[0][1] == 1
        assert end.complete
        calls = service.calls("photos.search")
        assert len(calls) == len(service.requests)
        assert {call["per_page"] for call in calls} == {"500"}
        assert "min_upload_date" not in calls[0]
        assert calls[0]["sort"] == "date-posted-asc"
        assert len(calls) < 90


def test_a_small_search_costs_its_pages_and_no_more(context_for: Make) -> None:
    with FlickrDouble(shots(1_200, lambda n: MORNING + n)) as service:
        found, end = listed(service, context_for)
        assert (len(found), end.complete, len(service.requests)) == (1_200, True, 3)


def test_what_the_search_alone_would_give_is_less(context_for: Make) -> None:
    """Show that the double repeats itself, so that the tests above mean something."""
    with FlickrDouble(shots(6_300, lambda n: MORNING + n)) as service:
        http = context_for(service.url).http
        params = {"method": "flickr.photos.search", "api_key": service.api_key, "format": "json"}
        params |= {"nojsoncallback": "1", "tags": "2012osac", "per_page": "500"}
        found: set[str] = set()
        for page in range(1, 14):
            answer = http.get(f"{service.url}/services/rest/", params={**params, "page": str(page)}).json()
            assert answer["photos"]["total"] == 6_300
            found |= {photo["id"] for photo in answer["photos"]["photo"]}
        assert len(found) == CAP


def test_hidden_results_are_looked_for_and_leave_the_listing_incomplete(context_for: Make) -> None:
    with FlickrDouble(shots(300, lambda n: MORNING + n)) as service:
        service.add(Photo(8000000007, tags=("2012osac",), uploaded=MORNING + 7, hidden=True))
        found, end = listed(service, context_for)
        assert (len(found), end.complete, len(service.requests)) == (299, False, 2)


def test_the_other_parameters_are_in_every_request(context_for: Make) -> None:
    with FlickrDouble(shots(4_001, lambda n: MORNING + n)) as service:
        options = FlickrOptions(api_key=SecretStr(service.api_key), base_url=service.url)
        source = Flickr(options, context_for(service.url))
        values: dict[str, Any] = {
            "tags": ["2012osac", "-x"], "tag_mode": "all", "licence": ["0"], "since": "2000-01-01",
        }  # fmt: skip
        entry = api.ScopeEntry(BEIJING, FlickrEntry(**values))
        assert sum(1 for _ in source.discover(api.Scope((entry,)), "")) == 4_002
        for call in service.calls():
            assert call["tags"] == "2012osac,-x"
            assert call["tag_mode"] == "all"
            assert call["license"] == "0"
            assert call["min_taken_date"] == "2000-01-01 00:00:00"
            assert call["content_type"] == "7"


class Fake:
    """A search in memory: `query` answers like the service, cap and lies included."""

    def __init__(
        self, moments: list[int], *, cap: int = CAP, claim: Callable[[int], int] = lambda n: n
    ) -> None:
        self.photos = [Item(id=str(number), dateupload=at) for number, at in enumerate(sorted(moments))]
        self.cap = cap
        self.claim = claim
        self.asked = 0

    def query(self, params: Mapping[str, str], number: int) -> Page:
        self.asked += 1
        first, last = int(params.get("min_upload_date", 0)), int(params.get("max_upload_date", 2**40))
        found = [photo for photo in self.photos if first <= (photo.dateupload or 0) <= last]
        if params["sort"] == "date-posted-desc":
            found.reverse()
        start = min((number - 1) * 500, (self.cap - 1) // 500 * 500)
        total = self.claim(len(found))
        shown = tuple(found[start : min(start + 500, self.cap)])
        return Page(page=number, pages=-(-total // 500), total=total, photo=shown)


def run(fake: Fake) -> tuple[Counter[str], bool]:
    found: Counter[str] = Counter()
    complete = True
    for item in search(fake.query):
        if isinstance(item, api.Checkpoint):
            complete = False
        else:
            found[item.id] += 1
    return found, complete


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(FOUNDED, 1_700_000_000), st.integers(1, 3_000)), min_size=1, max_size=5)
)
def test_any_spread_of_bursts_is_found_whole(bursts: list[tuple[int, int]]) -> None:
    fake = Fake([at for at, count in bursts for _ in range(count)])
    found, complete = run(fake)
    crowded = any(count >= CAP for count in Counter(photo.dateupload for photo in fake.photos).values())
    assert len(found) == len(fake.photos) or crowded
    assert complete == (len(found) == len(fake.photos))


@pytest.mark.parametrize(("count", "found"), [(4_700, 4_700), (8_000, 8_000), (9_000, 8_000)])
def test_more_than_the_cap_in_one_second_is_listed_from_both_ends(count: int, found: int) -> None:
    got, complete = run(Fake([MORNING] * count))
    assert len(got) == found
    assert complete == (count == found)


def test_a_total_that_says_too_little_hides_nothing() -> None:
    fake = Fake([MORNING + n for n in range(6_300)], claim=lambda count: min(count, 3_000))
    found, _ = run(fake)
    assert len(found) == 6_300


def test_a_service_that_always_claims_millions_is_left_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver_plugins.flickr.search.MAX_WINDOWS", 200)
    fake = Fake([MORNING + n for n in range(50)], claim=lambda _: 10**9)
    found, complete = run(fake)
    assert len(found) == 50
    assert not complete
    assert fake.asked <= 2_000


def test_windows_halve_without_gap_or_overlap_down_to_a_second() -> None:
    left, right = Window(10, 13).halves()
    assert (left, right) == (Window(10, 11), Window(12, 13))
    assert Window(10, 10).halves() == ()
    now, later = Window().halves()
    assert now.first == FOUNDED
    assert now.last is not None
    assert (later.first, later.last) == (now.last + 1, None)
    assert Window(2**40).halves() == ()
