from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from archiver import api
from archiver.testing.flickr import Album, FlickrDouble, Gallery, Group, Photo, User
from archiver_plugins.flickr import Flickr, FlickrEntry, FlickrOptions, archiver_sources
from archiver_plugins.flickr.addresses import BASE58, What, decode58, encode58, parse
from archiver_plugins.flickr.answers import Info, Page, Sizes, read, unwrap
from archiver_plugins.flickr.materials import date_taken, plain
from archiver_plugins.flickr.rest import failure
from archiver_plugins.flickr.sizes import best_photo, best_video
from plugins.source_kit import BEIJING, SHENZHEN, Make, listed, the_error

COSUG = User("10000001@N02", "COSUG Photos", "cosug")
ALBUM = 72157631000000001
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def service(request: pytest.FixtureRequest) -> Iterator[FlickrDouble]:
    with FlickrDouble(users=[COSUG], types=getattr(request, "param", "mixed")) as service:
        yield service


#: The ways in which answers of several years write numbers.
in_all_types = pytest.mark.parametrize("service", ["mixed", "numbers", "strings"], indirect=True)


def source_for(service: FlickrDouble, context_for: Make, **options: Any) -> Flickr:
    bases: dict[str, Any] = {f"{name}base_url": service.url for name in ("", "web_", "short_")}
    return Flickr(FlickrOptions(api_key=SecretStr(KEY), **bases, **options), context_for(service.url))


@pytest.fixture
def source(service: FlickrDouble, context_for: Make) -> Flickr:
    return source_for(service, context_for)


def photo(number: int = 1, **values: Any) -> Photo:
    given: dict[str, Any] = {"id": 8000000000 + number, "title": f"Photo {number}"}
    return Photo(**(given | values))


def entry(event: api.Event = BEIJING, **options: Any) -> api.ScopeEntry[FlickrEntry]:
    return api.ScopeEntry(event, FlickrEntry(**options))


def materials(source: Flickr, **options: Any) -> list[api.Material]:
    items, _ = listed(source, entry(**options))
    return [item for item in items if isinstance(item, api.Material)]


def ids(items: list[Any]) -> list[int]:
    return [int(item.id) - 8000000000 for item in items]


def one(source: Flickr, **options: Any) -> api.Material:
    (item,) = materials(source, **options)
    return item


def problem(source: Flickr, **options: Any) -> api.SourceError:
    (item,), _ = listed(source, entry(**options))
    return the_error(item)


def fill(service: FlickrDouble, count: int, **values: Any) -> None:
    service.add(*(photo(n, **values) for n in range(1, count + 1)))


def test_is_announced() -> None:
    assert list(archiver_sources()) == [Flickr]
    assert Flickr.type_name == "flickr"
    assert FlickrOptions().base_url == "https://api.flickr.com"


class TestAddresses:
    @pytest.mark.parametrize(
        ("url", "what", "name", "user"),
        [
            ("https://www.flickr.com/photos/cosug/8000000001", What.PHOTO, "8000000001", ""),
            ("https://www.flickr.com/photos/10000001@N02/8000000001/", What.PHOTO, "8000000001", ""),
            ("https://flickr.com/photos/cosug/8000000001/in/album-7/lightbox", What.PHOTO, "8000000001", ""),
            ("m.flickr.com/photos/10000001%40N02/8000000001#x", What.PHOTO, "8000000001", ""),
            ("https://secure.flickr.com/photos/cosug/8000000001/sizes/o/", What.PHOTO, "8000000001", ""),
            ("https://live.staticflickr.com/65535/8000000001_bbbbbbbbbb_o.jpg", What.PHOTO, "8000000001", ""),
            ("https://farm9.static.flickr.com/8/8000000001_bbbbbbbbbb.jpg", What.PHOTO, "8000000001", ""),
            ("https://live.staticflickr.com/1/8000000001_bbbbbbbbbb_3k_d.png", What.PHOTO, "8000000001", ""),
            ("https://flic.kr/p/dc1uSn", What.PHOTO, str(decode58("dc1uSn")), ""),
            ("https://www.flickr.com/photos/cosug/albums/72157631", What.ALBUM, "72157631", "cosug"),
            ("https://www.flickr.com/photos/cosug/sets/72157631/page3", What.ALBUM, "72157631", "cosug"),
            ("https://www.flickr.com/photos/cosug/albums/7215/with/8000000001", What.ALBUM, "7215", "cosug"),
            ("https://www.flickr.com/photos/cosug/albums/", What.ALBUMS, "", "cosug"),
            ("https://www.flickr.com/photos/cosug/", What.USER, "", "cosug"),
            ("https://www.flickr.com/photos/cosug/page2", What.USER, "", "cosug"),
            ("https://www.flickr.com/people/cosug/", What.USER, "", "cosug"),
            ("https://www.flickr.com/photos/cosug/galleries/72157632", What.GALLERY, "72157632", ""),
            ("https://www.flickr.com/photos/cosug/gallery/72157632/", What.GALLERY, "72157632", ""),
            ("https://www.flickr.com/groups/openstack/", What.GROUP, "openstack", ""),
            ("https://www.flickr.com/groups/1234@N20/pool/page4", What.GROUP, "1234@N20", ""),
            ("https://flic.kr/s/aHsk1", What.LINK, "https://flic.kr/s/aHsk1", ""),
            ("https://flic.kr/y/abc", What.LINK, "https://flic.kr/y/abc", ""),
            ("https://flic.kr/ps/abc", What.LINK, "https://flic.kr/ps/abc", ""),
            ("https://flic.kr/gp/cosug/a1B2", What.LINK, "https://flic.kr/gp/cosug/a1B2", ""),
            ("https://www.flickr.com/gp/cosug/a1B2", What.LINK, "https://www.flickr.com/gp/cosug/a1B2", ""),
        ],
    )  # fmt: skip
    def test_every_form_is_understood(self, url: str, what: What, name: str, user: str) -> None:
        target = parse(url)
        assert (target.what, target.id, target.user) == (what, name, user)

    @pytest.mark.parametrize(
        ("url", "user", "tags", "text"),
        [
            ("https://www.flickr.com/photos/tags/2012osac", "", ("2012osac",), ""),
            ("https://www.flickr.com/photos/cosug/tags/云计算/", "cosug", ("云计算",), ""),
            ("https://www.flickr.com/search/?text=open%20stack", "", (), "open stack"),
            ("https://www.flickr.com/search?tags=a,b&user_id=10000001@N02", "10000001@N02", ("a", "b"), ""),
        ],
    )
    def test_tags_and_searches_are_understood(
        self, url: str, user: str, tags: tuple[str, ...], text: str
    ) -> None:
        target = parse(url)
        assert (target.what, target.user, target.tags, target.text) == (What.SEARCH, user, tags, text)

    @pytest.mark.parametrize(
        "url",
        [
            "https://example.org/photos/cosug/1",
            "https://flickr.com.example.org/photos/cosug/1",
            "https://www.flickr.com/",
            "https://www.flickr.com/explore",
            "https://www.flickr.com/search/",
            "https://www.flickr.com/photos/cosug/galleries/",
            "https://www.flickr.com/photos/../../x",
            "https://www.flickr.com/photos/tags/a,b",
            "https://flic.kr/p/0OIl",
            "https://flic.kr/p/" + "z" * 13,
            "ftp://www.flickr.com/photos/cosug/1",
            "https://[broken",
            "72157631",
        ],
    )
    def test_what_is_none_is_refused_with_the_configuration(self, url: str) -> None:
        with pytest.raises(ValidationError):
            FlickrEntry(url=url)

    @given(st.integers(min_value=0, max_value=10**15))
    def test_short_links_decode_to_what_was_encoded(self, number: int) -> None:
        assert decode58(encode58(number)) == number
        assert set(encode58(number)) <= set(BASE58)

    @given(st.text(max_size=120))
    def test_any_text_is_a_target_or_a_value_error(self, text: str) -> None:
        for url in (text, f"https://www.flickr.com/{text}", f"https://flic.kr/{text}"):
            try:
                target = parse(url)
            except ValueError:
                continue
            assert "/.." not in target.id + target.user

    def test_messages_about_a_guest_pass_do_not_hold_its_code(self) -> None:
        target = parse("https://flic.kr/gp/cosug/a1B2c3")
        assert "a1B2c3" not in target.shown + target.link_id


class TestEntries:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"talk": "chef"},
            {"talk": "chef", "album": "1"},
            {"talk": "chef", "photos": ["1", "2"]},
            {"user": "cosug", "photo": "1"},
            {"since": "2012-09-17", "until": "2012-09-16", "tag": "x"},
            {"album": "https://www.flickr.com/photos/cosug/8000000001/"},
            {"group": "https://flic.kr/s/aHsk1"},
            {"user": "https://www.flickr.com/groups/x/"},
            {"tag": "a,b"},
            {"tags": [str(n) for n in range(21)]},
            {"tag": "x", "licence": ["MIT"]},
            {"photo": "abc"},
            {"colour": "red"},
        ],
    )
    def test_what_makes_no_sense_is_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            FlickrEntry(**options)

    def test_licences_go_by_name_or_number(self) -> None:
        found = FlickrEntry(tag="x", licence=("cc by 2.0", "9", "CC BY-SA 4.0"))
        assert found.licence == ("4", "9", "12")

    def test_everything_named_is_a_target(self) -> None:
        found = FlickrEntry(
            urls=("https://flic.kr/s/a1",), gallery="6065-7215", photo="7", album="5", user="cosug"
        )
        assert [target.what for target in found.targets] == [
            What.LINK, What.ALBUM, What.GALLERY, What.PHOTO,
        ]  # fmt: skip
        assert found.targets[1].user == "cosug"


class TestKey:
    @pytest.mark.parametrize("key", ["", "  "])
    def test_without_one_nothing_is_asked_and_the_way_to_get_one_is_told(
        self, key: str, service: FlickrDouble, context_for: Make
    ) -> None:
        options = FlickrOptions(api_key=SecretStr(key), base_url=service.url)
        source = Flickr(options, context_for(service.url))
        for attempt in (source.check, lambda: list(source.discover(api.Scope((entry(tag="x"),)), ""))):
            with pytest.raises(api.BlockedError) as caught:
                attempt()
            assert "flickr.com/services/apps/create" in caught.value.hint
            assert "Pro" in caught.value.hint
        assert not len(service.requests)

    @pytest.mark.parametrize("options", [{"tag": "x"}, {"photo": "1"}, {"user": "cosug"}])
    def test_a_refused_one_blocks_the_whole_source(
        self, options: dict[str, Any], service: FlickrDouble, context_for: Make
    ) -> None:
        wrong = FlickrOptions(api_key=SecretStr("secret-and-wrong"), base_url=service.url)
        source = Flickr(wrong, context_for(service.url))
        with pytest.raises(api.BlockedError, match="Key has invalid format") as caught:
            list(source.discover(api.Scope((entry(**options),)), ""))
        assert "services/apps/create" in caught.value.hint
        assert "secret-and-wrong" not in str(caught.value)

    def test_is_in_nothing_that_is_stored_or_said(self, service: FlickrDouble, source: Flickr) -> None:
        fill(service, 3, tags=("x",))
        assert KEY not in repr(listed(source, entry(tag="x")))
        assert KEY not in repr(source.options)
        service.serve("/services/rest/", b"<html>down", "text/html")
        with pytest.raises(api.SourceError) as caught:
            materials(source, tag="x")
        assert KEY not in str(caught.value)
        service.withdraw("/services/rest/")
        service.refuse("*", 116, f"Bad URL {KEY} found\x00", times=None)
        with pytest.raises(api.InvalidError, match=r"Bad URL \*\*\* found") as told:
            materials(source, tag="x")
        assert KEY not in str(told.value)


class TestListing:
    @in_all_types
    def test_a_photo_tells_all_that_the_list_tells(self, service: FlickrDouble, source: Flickr) -> None:
        shot = photo(
            title="签到处 <b>",
            description='See <a href="https://example.org">the &amp; notes</a>',
            taken="2012-09-16 09:12:00",
            tags=("2012osac", "Open Stack", "geo:lat=39.9"),
            uploaded=1_347_800_000,
            updated=1_347_900_000,
            licence=4,
            place=(39.9, 116.4),
        )
        service.add(shot)
        service.add_album(Album(ALBUM, COSUG.nsid, [shot.id], "Beijing"))
        item = one(source, album=str(ALBUM))
        assert item == api.Material(
            id="8000000001",
            kind=api.Kind.PHOTO,
            title="签到处 <b>",
            url="https://www.flickr.com/photos/10000001@N02/8000000001/",
            revision="1347900000",
            event="beijing",
            authors=("COSUG Photos",),
            date="2012-09-16T09:12:00",
            description="See the & notes",
            licence="CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/)",
            tags=("2012osac", "openstack", "geo:lat=39.9"),
            extra=item.extra,
        )
        assert dict(item.extra) == {
            "owner": "10000001@N02",
            "latitude": "39.900000",
            "longitude": "116.400000",
            "accuracy": "16",
            "file": f"/65535/8000000001_{shot.secret_of('o')}_o.jpg",
            "size": "original",
            "pixels": "4032x3024",
        }

    @in_all_types
    def test_every_way_to_name_photos_leads_to_them(self, service: FlickrDouble, source: Flickr) -> None:
        fill(service, 3, tags=("osac",))
        service.add(photo(4, owner="10000002@N02", title="Other words"))
        service.add_album(Album(ALBUM, COSUG.nsid, [8000000002, 8000000001]))
        service.add_group(Group("500@N20", [8000000001, 8000000004], alias="openstack"))
        service.add_gallery(Gallery(72157632, COSUG.nsid, [8000000004]))
        base = "https://www.flickr.com"
        ways: list[tuple[dict[str, Any], list[int]]] = [
            ({"album": str(ALBUM)}, [2, 1]),
            ({"album": f"{base}/photos/cosug/albums/{ALBUM}"}, [2, 1]),
            ({"url": f"{base}/photos/cosug/albums"}, [2, 1]),
            ({"user": "cosug"}, [3, 2, 1]),
            ({"user": "COSUG Photos"}, [3, 2, 1]),
            ({"user": COSUG.nsid}, [3, 2, 1]),
            ({"user": f"{base}/photos/cosug/"}, [3, 2, 1]),
            ({"url": f"{base}/people/cosug/"}, [3, 2, 1]),
            ({"group": "openstack"}, [1, 4]),
            ({"group": "500@N20"}, [1, 4]),
            ({"group": f"{base}/groups/openstack/pool/"}, [1, 4]),
            ({"group": "openstack", "tag": "osac"}, [1]),
            ({"gallery": "72157632"}, [4]),
            ({"gallery": f"{base}/photos/cosug/galleries/72157632/"}, [4]),
            ({"tag": "osac"}, [1, 2, 3]),
            ({"tags": ["osac", "nothing"]}, [1, 2, 3]),
            ({"tags": ["osac", "nothing"], "tag_mode": "all"}, []),
            ({"text": "other WORDS"}, [4]),
            ({"text": "photo", "user": "cosug"}, [1, 2, 3]),
            ({"url": f"{base}/search/?text=other"}, [4]),
            ({"photo": "8000000004"}, [4]),
            ({"photos": ["8000000004", f"{base}/photos/cosug/8000000001/"]}, [4, 1]),
            ({"url": f"https://flic.kr/p/{encode58(8000000002)}"}, [2]),
        ]
        for options, expected in ways:
            items, end = listed(source, entry(**options))
            assert ids(items) == expected, options
            assert end.complete, options

    @in_all_types
    def test_several_pages_cost_one_request_each(self, service: FlickrDouble, source: Flickr) -> None:
        fill(service, 1_001)
        service.add_album(Album(ALBUM, COSUG.nsid, [8000000000 + n for n in range(1, 1_002)]))
        items, end = listed(source, entry(album=str(ALBUM)))
        assert ids(items) == list(range(1, 1_002))
        assert end.complete
        assert [call["page"] for call in service.calls()] == ["1", "2", "3"]

    def test_photos_of_an_album_are_their_owners(self, service: FlickrDouble, source: Flickr) -> None:
        service.add(photo())
        service.add_album(Album(ALBUM, COSUG.nsid, [8000000001]))
        item = one(source, album=str(ALBUM))
        assert (item.authors, item.extra["owner"]) == (("COSUG Photos",), COSUG.nsid)

    def test_an_album_by_number_may_need_its_user(self, context_for: Make) -> None:
        with FlickrDouble([photo()], users=[COSUG], strict_albums=True) as service:
            service.add_album(Album(ALBUM, COSUG.nsid, [8000000001]))
            source = source_for(service, context_for)
            with pytest.raises(api.InvalidError, match="Required parameter missing") as caught:
                materials(source, album=str(ALBUM))
            assert "user" in caught.value.hint
            assert ids([one(source, album=str(ALBUM), user="cosug")]) == [1]

    def test_look_ups_are_made_once_for_all_entries(self, service: FlickrDouble, source: Flickr) -> None:
        service.add(photo())
        items, _ = listed(
            source, entry(user="cosug"), entry(SHENZHEN, user="cosug"), entry(SHENZHEN, photo="8000000001")
        )
        assert [(item.event, item.id) for item in items if isinstance(item, api.Material)] == [
            ("beijing", "8000000001"),
            ("shenzhen", "8000000001"),
            ("shenzhen", "8000000001"),
        ]
        asked = [call["method"] for call in service.calls()]
        assert asked == ["flickr.urls.lookupUser", "flickr.people.getPublicPhotos", "flickr.photos.getInfo"]

    def test_the_limit_stops_the_requests(self, service: FlickrDouble, source: Flickr) -> None:
        fill(service, 1_200)
        items, end = listed(source, entry(user=COSUG.nsid), limit=10)
        assert (len(items), end.complete, len(service.calls())) == (10, False, 1)

    def test_ten_thousand_photos_with_nothing_new_are_twenty_requests(self, context_for: Make) -> None:
        with FlickrDouble((photo(n) for n in range(1, 10_001)), users=[COSUG]) as service:
            source = source_for(service, context_for)
            before, _ = listed(source, entry(user=COSUG.nsid))
            service.requests.clear()
            items, end = listed(source, entry(user=COSUG.nsid))
            assert len({item.id for item in items if isinstance(item, api.Material)}) == 10_000
            assert items == before
            assert end.complete
            assert len(service.requests) == 20
            assert {call["method"] for call in service.calls()} == {"flickr.people.getPublicPhotos"}

    def test_hidden_photos_make_short_pages_and_no_complete_listing(
        self, service: FlickrDouble, source: Flickr
    ) -> None:
        fill(service, 700)
        service.add(photo(650, hidden=True), photo(20, hidden=True))
        items, end = listed(source, entry(user=COSUG.nsid))
        assert (len(items), end.complete) == (698, False)

    def test_a_photo_deleted_between_two_pages_keeps_the_listing_from_being_complete(
        self, service: FlickrDouble, source: Flickr
    ) -> None:
        fill(service, 1_000)
        listing = source.discover(api.Scope((entry(user=COSUG.nsid),)), "")
        items: list[Any] = [next(listing) for _ in range(500)]
        service.remove(8000001000)  # of the first page: what was 501st is 500th now
        items += listing
        assert items.pop() == api.Checkpoint(complete=False)
        assert len(items) == 999

    def test_a_total_that_says_too_little_does_not_end_the_list(self, context_for: Make) -> None:
        class Modest(FlickrDouble):
            def _outcome(self, query: Any) -> dict[str, Any]:
                answer = super()._outcome(query)
                return {**answer, "photos": {**answer["photos"], "total": 3, "pages": 1}}

        with Modest((photo(n) for n in range(1, 1_201)), users=[COSUG]) as service:
            items, _ = listed(source_for(service, context_for), entry(user=COSUG.nsid))
            assert len(items) == 1_200

    def test_a_list_that_never_ends_is_left_when_a_page_adds_nothing(self, context_for: Make) -> None:
        class Endless(FlickrDouble):
            def _outcome(self, query: Any) -> dict[str, Any]:
                answer = super()._outcome({**query, "page": "1"})
                return {**answer, "photos": {**answer["photos"], "total": 10**9, "pages": 10**7}}

        with Endless((photo(n) for n in range(1, 601)), users=[COSUG]) as service:
            items, end = listed(source_for(service, context_for), entry(user=COSUG.nsid))
            assert (len(items), end.complete, len(service.calls())) == (500, False, 2)

    @in_all_types
    def test_dates_and_licences_choose(self, service: FlickrDouble, source: Flickr) -> None:
        taken = ["2012-09-15 23:59:59", "2012-09-16 00:00:00", "2012-09-17 23:59:59", "2012-09-18 00:00:00"]
        service.add(*(photo(n, taken=day, licence=4, tags=("x",)) for n, day in enumerate(taken, 1)))
        service.add(photo(5, taken="2012-09-16 10:00:00", licence=0, tags=("x",)))
        service.add_album(Album(ALBUM, COSUG.nsid, [8000000000 + n for n in range(1, 6)]))
        days = {"since": date(2012, 9, 16), "until": date(2012, 9, 17)}
        for what in ({"album": str(ALBUM)}, {"tag": "x"}):
            assert sorted(ids(materials(source, **what, **days))) == [2, 3, 5]
            assert sorted(ids(materials(source, **what, **days, licence=["CC BY 2.0"]))) == [2, 3]
        assert ids(materials(source, photo="8000000005", licence=["9"])) == [5]

    def test_a_coarse_or_unknown_date_is_compared_as_far_as_it_goes(
        self, service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo(1, taken="2012-09"), photo(2, taken="2012"), photo(3, taken="2012-08"))
        service.add(photo(4, uploaded=1_347_800_000))  # 2012-09-16
        service.add_album(Album(ALBUM, COSUG.nsid, [8000000000 + n for n in range(1, 5)]))
        found = materials(source, album=str(ALBUM), since=date(2012, 9, 16), until=date(2012, 9, 16))
        assert ids(found) == [1, 2, 4]

    def test_the_revision_follows_the_last_change_else_the_upload(
        self, service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo(uploaded=100, updated=200))
        assert one(source, user=COSUG.nsid).revision == "200"
        service.add(photo(uploaded=100, data={"lastupdate": ...}))
        assert one(source, user=COSUG.nsid).revision == "100"

    @in_all_types
    @pytest.mark.parametrize(
        ("taken", "expected"),
        [
            ("2012-09-16 09:12:00", "2012-09-16T09:12:00"),
            ("2012-09", "2012-09"),
            ("2012", "2012"),
            ("circa 1912", "1912"),
            ("", ""),
        ],
    )
    def test_a_date_is_as_coarse_as_it_is_known(
        self, taken: str, expected: str, service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo(taken=taken))
        item = one(source, user=COSUG.nsid)
        assert item.date == expected
        assert one(source, photo="8000000001").date == expected
        assert item.extra.get("date", "") == ("circa" if "circa" in taken else "")

    @pytest.mark.parametrize(
        ("taken", "expected"),
        [
            ("2012-09-00 00:00:00", "2012-09"),
            ("2012-00-00 00:00:00", "2012"),
            ("0000-00-00 00:00:00", ""),
            ("2012-13-40 00:00:00", ""),
            ("yesterday", ""),
        ],
    )
    def test_odd_dates_are_no_dates(
        self, taken: str, expected: str, service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo(taken="2012-01-01 00:00:00", data={"datetaken": taken}))
        assert one(source, user=COSUG.nsid).date == expected

    @in_all_types
    @pytest.mark.parametrize(
        ("number", "expected"),
        [
            (0, "All rights reserved"),
            (7, "No known copyright restrictions (https://www.flickr.com/commons/usage/)"),
            (9, "CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/)"),
            (16, "CC BY-NC-ND 4.0 (https://creativecommons.org/licenses/by-nc-nd/4.0/)"),
        ],
    )
    def test_licences_are_named_without_asking(
        self, number: int, expected: str, service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo(licence=number))
        assert one(source, user=COSUG.nsid).licence == expected
        assert len(service.calls()) == 1

    @in_all_types
    def test_a_new_licence_is_asked_for_once(self, service: FlickrDouble, source: Flickr) -> None:
        fill(service, 3, licence=17)
        service.add(photo(4, licence=18))
        found = {item.licence for item in materials(source, user=COSUG.nsid)}
        assert found == {"A later licence (https://example.org/later/)", "Flickr's licence number 18"}
        materials(source, user=COSUG.nsid)
        assert len(service.calls("photos.licenses.getInfo")) == 1

    @in_all_types
    def test_a_video_is_a_video_and_its_still_is_not_taken_for_it(
        self, service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo(video=b"film"))
        for options in ({"user": COSUG.nsid}, {"photo": "8000000001"}):
            item = one(source, **options)
            assert item.kind is api.Kind.VIDEO
            assert "file" not in item.extra

    @pytest.mark.parametrize(
        ("status", "kind"), [("processing", api.TransientError), ("failed", api.InvalidError)]
    )
    def test_what_is_not_ready_is_pending(
        self, status: str, kind: type[api.SourceError], service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo(video=b"film", status=status))
        assert isinstance(problem(source, user=COSUG.nsid), kind)

    @in_all_types
    @pytest.mark.parametrize("values", [{"limited": True}, {"original_public": False}])
    def test_the_reason_for_a_smaller_size_is_kept(
        self, values: dict[str, bool], service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo(**values))
        extra = one(source, user=COSUG.nsid).extra
        if "limited" in values:
            assert (extra["size"], extra["pixels"]) == ("l", "1024x768")
            assert extra["reason"] == (
                "Flickr keeps the larger sizes (h, k, 3k, 4k, o) of this photo for paying members."
            )
        else:
            assert (extra["size"], extra["pixels"]) == ("3k", "3072x2304")
            assert extra["reason"] == "The owner does not offer the original to everybody."

    @in_all_types
    def test_a_place_is_none_when_its_accuracy_is_zero(self, service: FlickrDouble, source: Flickr) -> None:
        service.add(photo(), photo(2, place=(0.0, 116.4)))
        second, first = materials(source, user=COSUG.nsid)
        assert "latitude" not in first.extra
        assert second.extra["latitude"] == "0.000000"

    def test_no_loopback_address_is_kept(self, service: FlickrDouble, source: Flickr) -> None:
        service.add(photo())
        assert "127.0.0.1" not in repr(materials(source, user=COSUG.nsid))

    def test_one_photo_brings_its_tags_as_they_were_written(
        self, service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo(tags=("Open Stack", "云计算"), place=(1.0, 2.0)))
        item = one(source, photo="8000000001", talk="chef")
        assert (item.tags, item.talk, item.extra["latitude"]) == (
            ("Open Stack", "云计算"),
            "chef",
            "1.000000",
        )
        assert item.revision == one(source, user=COSUG.nsid).revision


class TestLinks:
    @pytest.mark.parametrize("base", ["https://flic.kr/s/aHsk1", "https://www.flickr.com/gp/cosug/a1B2c3"])
    def test_are_followed_to_what_they_name(self, base: str, service: FlickrDouble, source: Flickr) -> None:
        fill(service, 2)
        service.add_album(Album(ALBUM, COSUG.nsid, [8000000001, 8000000002]))
        path = base.removeprefix("https://flic.kr").removeprefix("https://www.flickr.com")
        service.add_link(path, f"https://www.flickr.com/photos/cosug/albums/{ALBUM}")
        items, end = listed(source, entry(url=base), entry(SHENZHEN, album=base))
        assert ids(items) == [1, 2, 1, 2]
        assert end.complete
        assert service.requests.count(path) == 1

    def test_may_lead_over_several_hops(self, service: FlickrDouble, source: Flickr) -> None:
        service.add(photo())
        service.add_link("/s/a", f"{service.url}/gp/cosug/b")
        service.add_link("/gp/cosug/b", "/photos/cosug/8000000001/")
        assert ids([one(source, url="https://flic.kr/s/a")]) == [1]

    @pytest.mark.parametrize("location", ["", "https://example.org/x", "/login", "https://flic.kr/s/a"])
    def test_that_lead_nowhere_are_pending_and_nothing_counts_as_gone(
        self, location: str, service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo())
        service.add_link("/s/a", location) if location else None
        link = "https://flic.kr/s/a" if location else "https://flic.kr/gp/cosug/a1B2c3"
        items, end = listed(source, entry(urls=[link, "https://www.flickr.com/photos/x/8000000001"]))
        assert isinstance(items[0], api.Unavailable)
        assert isinstance(items[0].error, api.BlockedError)
        assert "a1B2c3" not in str(items[0].error)
        assert items[0].material.id.startswith("link-")
        assert ids(items[1:]) == [1]
        assert not end.complete


class TestFailures:
    def test_a_photo_that_is_not_there_is_gone_and_the_others_are_listed(
        self, service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo(1), photo(2, private=True))
        items, end = listed(source, entry(photos=["8000000002", "8000000003", "8000000001"]))
        assert [type(item) for item in items] == [api.Unavailable, api.Unavailable, api.Material]
        assert isinstance(items[0], api.Unavailable)
        assert isinstance(items[0].error, api.GoneError)
        assert "of 8000000002 with “Photo not found” (code 1)" in str(items[0].error)
        assert items[0].material.url == f"https://flic.kr/p/{encode58(8000000002)}"
        assert end.complete

    @pytest.mark.parametrize(
        ("options", "kind"),
        [
            ({"album": "5"}, api.GoneError),
            ({"album": "5", "user": "nobody"}, api.GoneError),
            ({"user": "nobody"}, api.GoneError),
            ({"user": "99@N01"}, api.GoneError),
            ({"url": "https://www.flickr.com/photos/99@N01/albums"}, api.GoneError),
            ({"group": "nobody"}, api.GoneError),
            ({"group": "99@N01"}, api.GoneError),
            ({"group": "500@N20"}, api.BlockedError),
            ({"gallery": "5"}, api.GoneError),
        ],
    )
    def test_what_does_not_exist_fails_the_listing_after_the_other_entries(
        self, options: dict[str, Any], kind: type[api.SourceError], service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo())
        service.add_group(Group("500@N20", private=True))
        listing = source.discover(api.Scope((entry(**options), entry(photo="8000000001"))), "")
        assert isinstance(next(listing), api.Material)
        with pytest.raises(kind) as caught:
            next(listing)
        assert caught.value.hint

    @pytest.mark.parametrize("code", [0, 105, 106, 201])
    def test_an_outage_passes_or_is_transient(self, code: int, service: FlickrDouble, source: Flickr) -> None:
        service.add(photo())
        service.refuse("people.*", code, times=2)
        assert ids([one(source, user=COSUG.nsid)]) == [1]
        service.refuse("people.*", code, times=None)
        with pytest.raises(api.TransientError, match="not currently available"):
            materials(source, user=COSUG.nsid)

    def test_a_429_that_nobody_waits_for_says_so_and_ends_it(
        self, source: Flickr, service: FlickrDouble
    ) -> None:
        service.fault("/services/rest/", "429", retry_after=3600)
        with pytest.raises(api.BlockedError, match="wants no request for 60 minutes") as caught:
            materials(source, album=str(ALBUM))
        assert "run again after that time" in caught.value.hint
        asked = len(service.requests)
        with pytest.raises(api.BlockedError, match="said so a moment ago"):
            materials(source, album=str(ALBUM))
        assert len(service.requests) == asked

    def test_429_as_a_web_page_is_asked_again_and_then_transient(
        self, service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo())
        service.fault("/services/rest/", "429")
        assert ids([one(source, user=COSUG.nsid)]) == [1]
        service.fault("/services/rest/", "429", times=None)
        with pytest.raises(api.TransientError) as caught:
            materials(source, user=COSUG.nsid)
        assert "people.getPublicPhotos: " in str(caught.value)
        assert "api_key" not in str(caught.value)

    def test_a_web_page_instead_of_data_is_invalid(self, service: FlickrDouble, source: Flickr) -> None:
        service.fault("/services/rest/", "login")
        with pytest.raises(api.InvalidError, match="it is no JSON but begins with b'<!doctype"):
            materials(source, tag="x")

    def test_401_is_blocked(self, service: FlickrDouble, context_for: Make) -> None:
        context = context_for(service.url)
        with pytest.raises(api.BlockedError):
            context.http.get(f"{service.url}/services/rest/", params={"oauth_token": "bad"})

    def test_the_wrapper_is_taken_off(self, service: FlickrDouble, source: Flickr) -> None:
        service.wrapped = True
        service.add(photo())
        assert ids([one(source, user=COSUG.nsid)]) == [1]

    def test_passing_trouble_with_one_photo_belongs_to_it(
        self, service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo(1), photo(2))
        service.refuse("photos.getInfo", 201, times=3)
        items, _ = listed(source, entry(photos=["8000000001", "8000000002"]))
        assert isinstance(items[0], api.Unavailable)
        assert isinstance(items[0].error, api.TransientError)
        assert ids(items[1:]) == [2]

    @pytest.mark.parametrize(
        ("method", "code", "message", "kind"),
        [
            ("photos.getInfo", 1, "Photo not found", api.GoneError),
            ("photos.getInfo", 1, "Required parameter missing", api.InvalidError),
            ("photos.getInfo", "1", "Photo not found", api.GoneError),
            ("photos.getExif", 2, "Permission denied", api.BlockedError),
            ("photosets.getPhotos", 2, "User not found", api.GoneError),
            ("people.getPublicPhotos", 5, "User deleted", api.GoneError),
            ("photos.search", 77, "Too many ORs", api.InvalidError),
            ("photos.search", 10, "Search is not available", api.TransientError),
            ("photos.search", 1, "Too many tags", api.InvalidError),
            ("photos.search", 95, "SSL is required", api.BlockedError),
            ("photos.search", 99, "User not logged in", api.BlockedError),
            ("photos.search", 100, "Invalid API Key", api.BlockedError),
            ("photos.search", 111, "Format not found", api.InvalidError),
            ("photos.search", 112, "Method not found", api.InvalidError),
            ("photos.search", None, "", api.InvalidError),
            ("photos.search", {"a": 1}, "", api.InvalidError),
        ],
    )
    def test_codes_mean_what_they_mean_on_their_method(
        self, method: str, code: Any, message: str, kind: type[api.SourceError]
    ) -> None:
        error = failure(method, code, message)
        assert type(error) is kind or (code == 100 and isinstance(error, kind))
        assert error.hint


class TestHostileAnswers:
    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"id": "../1"}, r"people\.getPublicPhotos: photos\.photo\.0\.id"),
            ({"id": ...}, r"photos\.photo\.0\.id"),
            ({"title": ["x"]}, r"photos\.photo\.0\.title"),
            ({"dateupload": {"x": 1}}, r"photos\.photo\.0\.dateupload"),
            ({"dateupload": 10**20}, r"photos\.photo\.0\.dateupload"),
            ({"lastupdate": "soon"}, r"photos\.photo\.0\.lastupdate"),
            ({"license": -1}, r"photos\.photo\.0\.license"),
            ({"width_o": "wide"}, r"photos\.photo\.0\.sizes.*width"),
            ({"url_o": ["http://x/"]}, r"photos\.photo\.0\.sizes"),
            ({"upgrade_sizes": "h"}, r"photos\.photo\.0\.upgrade_sizes"),
        ],
    )
    def test_a_wrong_type_is_invalid_and_the_field_is_named(
        self, values: dict[str, Any], message: str, service: FlickrDouble, source: Flickr
    ) -> None:
        service.add(photo(data=values))
        with pytest.raises(api.InvalidError, match=message):
            materials(source, user=COSUG.nsid)

    @in_all_types
    def test_fields_that_only_describe_may_be_missing_or_null(
        self, service: FlickrDouble, source: Flickr
    ) -> None:
        every = ("title", "description", "license", "dateupload", "lastupdate", "datetaken", "ownername",
                 "datetakengranularity", "datetakenunknown", "tags", "machine_tags", "media", "media_status",
                 "latitude", "longitude", "accuracy", "secret")  # fmt: skip
        service.add(photo(1, data=dict.fromkeys(every, ...)), photo(2, data=dict.fromkeys(every)))
        second, first = materials(source, user=COSUG.nsid)
        assert (first.title, first.date, first.licence, first.revision) == ("", "", "", "")
        assert replace(first, id=second.id, url=second.url, extra={}) == replace(second, extra={})

    def test_text_that_no_file_can_hold_is_mended(self, service: FlickrDouble, source: Flickr) -> None:
        service.add(photo(data={"title": "half \ud83d\x00 and\u2028more"}))
        assert one(source, user=COSUG.nsid).title == "half ? and more"

    @pytest.mark.parametrize(
        "content",
        [b"", b"[]", b"7", b"null", b"{", b"jsonFlickrApi(", b"jsonFlickrApi(1)", b"[" * 100_000, b"\xff"],
    )
    def test_what_is_no_object_is_invalid(self, content: bytes) -> None:
        with pytest.raises(api.InvalidError):
            unwrap(content)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["id", "photo", "total", "pages", "title", "_content", "url_o", "width_o",
                         "datetaken", "size", "label", "source", "owner", "dates", "taken",
                         "tags", "tag", "media"]
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        )
    )  # fmt: skip
    def test_any_json_is_an_answer_or_invalid(self, data: Any) -> None:
        for model in (Page, Info, Sizes):
            try:
                found = read({"x": data}, "x", model, "photos.search")
            except api.InvalidError:
                continue
            for each in getattr(found, "photo", ()) if model is Page else ():
                assert isinstance(date_taken(each), str)
            if isinstance(found, Sizes):
                best_photo(found)
                best_video(found)

    @given(st.text())
    def test_any_text_is_a_description(self, text: str) -> None:
        assert all(char == "\n" or char.isprintable() for char in plain(text))

    def test_markup_is_taken_out_of_a_description_and_plain_text_is_not(self) -> None:
        assert plain("a < b and b > c\n\nC&A") == "a < b and b > c\n\nC&A"
        assert plain("<b>x</b> &lt;tag&gt;<script>y</script>") == "x <tag>y"

    def test_another_photo_than_the_one_asked_for_is_invalid(
        self, service: FlickrDouble, source: Flickr
    ) -> None:
        answer = {"stat": "ok", "photo": {"id": "7", "owner": {"nsid": "1@N01"}}}
        service.serve("/services/rest/", json.dumps(answer).encode(), "application/json")
        assert isinstance(problem(source, photo="8000000001"), api.InvalidError)
        answer = {"stat": "ok", "user": {"id": "../../x"}}
        service.serve("/services/rest/", json.dumps(answer).encode(), "application/json")
        with pytest.raises(api.InvalidError, match="as the number of 'cosug'"):
            materials(source, user="cosug")
