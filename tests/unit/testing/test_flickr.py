from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from archiver.testing.flickr import Album, FlickrDouble, Gallery, Group, Photo, User

OWNER = User("10000001@N02", "COSUG", "cosug")
FILM = b"\0\0\0\x18ftypmp42" + b"film" * 100


def picture(form: str = "JPEG", size: tuple[int, int] = (1800, 1200)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (9, 99, 199)).save(buffer, form)
    return buffer.getvalue()


def photo(number: int = 1, **values: Any) -> Photo:
    given: dict[str, Any] = {"id": number, "title": f"Photo {number}"}
    return Photo(**(given | values))


@pytest.fixture
def service() -> Iterator[FlickrDouble]:
    with FlickrDouble(users=[OWNER]) as service:
        yield service


@pytest.fixture
def client(service: FlickrDouble) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, trust_env=False) as client:
        yield client


@pytest.fixture
def call(service: FlickrDouble, client: httpx.Client) -> Any:
    def make(method: str, **params: Any) -> Any:
        fixed = {"method": f"flickr.{method}", "api_key": service.api_key, "format": "json"}
        given = {name: str(value) for name, value in params.items()}
        answer = client.get("/services/rest/", params={**fixed, "nojsoncallback": "1", **given})
        assert answer.status_code == 200
        return answer.json()

    return make


EVERY = (
    "license,date_upload,date_taken,last_update,geo,tags,media,owner_name,path_alias,original_format,views"
)


def test_a_list_item_of_today(service: FlickrDouble, call: Any) -> None:
    service.add(photo(place=(1.5, 2.0), taken="2012-09-16 09:12:00", licence=4, tags=("Open Stack",)))
    item = call("people.getPublicPhotos", user_id=OWNER.nsid, extras=f"{EVERY},url_l,url_o")["photos"][
        "photo"
    ][0]
    secret, original = photo().secret, photo().secret_of("o")
    assert item == {
        "id": "1", "owner": OWNER.nsid, "secret": secret, "server": "65535", "farm": 66,
        "title": "Photo 1", "ispublic": 1, "isfriend": 0, "isfamily": 0, "license": "4",
        "dateupload": "1348000001", "lastupdate": "1348000001", "datetaken": "2012-09-16 09:12:00",
        "datetakengranularity": 0, "datetakenunknown": "0", "latitude": "1.500000",
        "longitude": "2.000000", "accuracy": "16", "tags": "openstack", "media": "photo",
        "media_status": "ready", "ownername": "COSUG", "pathalias": "cosug", "views": "12",
        "originalsecret": original, "originalformat": "jpg",
        "url_l": f"{service.url}/65535/1_{secret}_b.jpg", "width_l": 1024, "height_l": "768",
        "url_o": f"{service.url}/65535/1_{original}_o.jpg", "width_o": 4032, "height_o": 3024,
    }  # fmt: skip


def test_extras_come_only_when_asked_for(service: FlickrDouble, call: Any) -> None:
    service.add(photo())
    item = call("photos.search", user_id=OWNER.nsid)["photos"]["photo"][0]
    assert "license" not in item
    assert not any(key.startswith("url_") for key in item)


@pytest.mark.parametrize(("types", "kind"), [("numbers", int), ("strings", str)])
def test_numbers_come_in_either_type(types: Any, kind: type, call: Any, service: FlickrDouble) -> None:
    service.types = types
    service.add(photo())
    page = call("photos.search", user_id=OWNER.nsid, extras=f"{EVERY},url_l")["photos"]
    item = page["photo"][0]
    fields = ("license", "datetakengranularity", "datetakenunknown", "width_l", "height_l", "views")
    assert {type(value) for value in (page["total"], page["pages"], *(item[name] for name in fields))} == {
        kind
    }
    size = call("photos.getSizes", photo_id=1)["sizes"]["size"][0]
    assert type(size["width"]) is kind
    assert (item["latitude"], item["accuracy"]) == (0, 0)
    assert isinstance(item["id"], str)


def test_a_search_repeats_itself_after_four_thousand_results(service: FlickrDouble, call: Any) -> None:
    service.add(*(photo(n) for n in range(1, 4_301)))
    asked = {"user_id": OWNER.nsid, "per_page": 500, "sort": "date-posted-asc"}
    pages = [call("photos.search", page=number, **asked)["photos"] for number in (8, 9, 10)]
    assert {page["total"] for page in pages} == {4_300}
    shown = [[item["id"] for item in page["photo"]] for page in pages]
    assert shown[0] == shown[1] == shown[2]
    assert shown[0][-1] == "4000"
    whole = call("people.getPublicPhotos", user_id=OWNER.nsid, per_page=500, page=9)["photos"]["photo"]
    assert len(whole) == 300


def test_duplicates_take_the_place_of_others(call: Any, service: FlickrDouble) -> None:
    service.add(*(photo(n) for n in range(1, 6)))
    service.holdings.duplicates = True
    asked = {"user_id": OWNER.nsid, "per_page": 2, "sort": "date-posted-asc"}
    pages = [call("photos.search", page=n, **asked)["photos"]["photo"] for n in (1, 2, 3)]
    assert [[item["id"] for item in page] for page in pages] == [["1", "2"], ["2", "4"], ["4"]]


def test_searches_choose(service: FlickrDouble, call: Any) -> None:
    service.add(
        photo(1, tags=("a", "b"), uploaded=100, licence=4, taken="2012-09-16 10:00:00"),
        photo(2, tags=("b",), uploaded=200, video=FILM, title="Some words"),
        photo(3, owner="10000002@N02", uploaded=300, private=True),
    )
    service.add_group(Group("5@N20", [2]))
    for params, expected in (
        ({"tags": "a,b"}, ["2", "1"]),
        ({"tags": "a,b", "tag_mode": "all"}, ["1"]),
        ({"tags": "b,-a"}, ["2"]),
        ({"text": "words some"}, ["2"]),
        ({"license": "4,5"}, ["1"]),
        ({"group_id": "5@N20"}, ["2"]),
        ({"tags": "b", "media": "videos"}, ["2"]),
        ({"min_upload_date": "100", "max_upload_date": "100"}, ["1"]),
        ({"min_upload_date": "101"}, ["2"]),
        ({"min_taken_date": "2012-09-16 10:00:00", "max_taken_date": "2012-09-16 10:00:00"}, ["1"]),
        ({"min_taken_date": "1347789601"}, []),
    ):
        found = [item["id"] for item in call("photos.search", **params)["photos"]["photo"]]
        assert found == expected, params


def test_pages_have_bounds(service: FlickrDouble, call: Any) -> None:
    service.add(*(photo(n) for n in range(1, 601)))
    asked = {"user_id": OWNER.nsid}
    assert len(call("photos.search", **asked)["photos"]["photo"]) == 100
    assert len(call("photos.search", **asked, per_page=9_999)["photos"]["photo"]) == 500
    assert len(call("photos.search", **asked, per_page=500, has_geo=1)["photos"]["photo"]) == 250
    assert call("people.getPublicPhotos", **asked, page=10_001, per_page=1)["photos"]["page"] == 10_000
    service.add_album(Album(7, OWNER.nsid, range(1, 601), "Beijing"))
    album = call("photosets.getPhotos", photoset_id=7)["photoset"]
    assert (len(album["photo"]), album["pages"], album["owner"]) == (500, 2, OWNER.nsid)
    assert "owner" not in album["photo"][0]
    assert [item["isprimary"] for item in album["photo"][:2]] == ["1", "0"]


def test_hidden_photos_are_counted_and_not_shown(service: FlickrDouble, call: Any) -> None:
    service.add(photo(1), photo(2, hidden=True))
    page = call("people.getPublicPhotos", user_id=OWNER.nsid)["photos"]
    assert (page["total"], len(page["photo"])) == (2, 1)


def test_albums_and_galleries(service: FlickrDouble, call: Any) -> None:
    service.add(photo(1), photo(2, video=FILM), photo(3))
    service.add_album(Album(7, OWNER.nsid, [1, 2], "Beijing"))
    service.add_gallery(Gallery(8, OWNER.nsid, [3, 1, 2]))
    info = call("photosets.getInfo", photoset_id=7)["photoset"]
    assert (info["title"]["_content"], info["count_photos"], info["count_videos"]) == ("Beijing", 1, 1)
    albums = call("photosets.getList", user_id=OWNER.nsid)["photosets"]
    assert ([album["id"] for album in albums["photoset"]], albums["total"]) == (["7"], 1)
    assert call("galleries.getPhotos", gallery_id="6065-8")["photos"]["photo"][0]["has_comment"] == 0
    token, found = "0", []
    while token != "-1":
        page = call("galleries.getPhotos", gallery_id=8, continuation=token, per_page=2)["photos"]
        token = page["continuation"]
        found += [item["id"] for item in page["photo"]]
    assert found == ["3", "1", "2"]


def test_users_and_groups_are_looked_up_by_address(service: FlickrDouble, call: Any) -> None:
    service.add_group(Group("5@N20", alias="openstack", name="OpenStack"))
    user = call("urls.lookupUser", url="https://www.flickr.com/photos/cosug/")["user"]
    assert user == {"id": OWNER.nsid, "username": {"_content": "COSUG"}}
    group = call("urls.lookupGroup", url="https://www.flickr.com/groups/openstack/pool/")["group"]
    assert group == {"id": "5@N20", "groupname": {"_content": "OpenStack"}}
    assert call("people.findByUsername", username="COSUG")["user"]["nsid"] == OWNER.nsid


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("photos.getInfo", {"photo_id": 9}, 1),
        ("photos.getInfo", {"photo_id": 2}, 1),
        ("photos.getInfo", {}, 1),
        ("photos.getSizes", {"photo_id": 9}, 1),
        ("photos.getExif", {"photo_id": 1}, 2),
        ("photosets.getPhotos", {"photoset_id": 9}, 1),
        ("photosets.getPhotos", {"photoset_id": 7, "user_id": "9@N01"}, 2),
        ("photosets.getList", {"user_id": "9@N01"}, 1),
        ("people.getPublicPhotos", {"user_id": "9@N01"}, 1),
        ("people.findByUsername", {"username": "x"}, 1),
        ("urls.lookupUser", {"url": "https://www.flickr.com/photos/x/"}, 1),
        ("urls.lookupUser", {"url": "https://www.flickr.com/"}, 1),
        ("urls.lookupGroup", {"url": "https://www.flickr.com/groups/x/"}, 1),
        ("groups.pools.getPhotos", {"group_id": "x"}, 1),
        ("groups.pools.getPhotos", {"group_id": "5@N20"}, 2),
        ("galleries.getPhotos", {"gallery_id": "x"}, 1),
        ("photos.search", {}, 3),
        ("photos.search", {"tags": ",".join(map(str, range(21)))}, 77),
        ("photos.search", {"tags": "x", "api_key": ""}, 100),
        ("photos.nothing", {}, 112),
    ],
)
def test_failures_have_their_codes(
    method: str, params: dict[str, Any], code: int, service: FlickrDouble, call: Any
) -> None:
    service.add(photo(1, exif_hidden=True), photo(2, private=True))
    service.add_album(Album(7, OWNER.nsid, [1]))
    service.add_group(Group("5@N20", private=True))
    answer = call(method, **params)
    assert (answer["stat"], answer["code"]) == ("fail", code)
    assert answer["message"]


def test_a_private_photo_is_found_with_its_secret(service: FlickrDouble, call: Any) -> None:
    service.add(photo(2, private=True))
    assert call("photos.getInfo", photo_id=2, secret=photo(2).secret)["stat"] == "ok"


@pytest.mark.parametrize(("key", "what"), [("x", "invalid format"), ("f" * 32, "expired")])
def test_a_wrong_key_is_refused(key: str, what: str, call: Any) -> None:
    assert call("photos.search", tags="x", api_key=key)["message"] == f"Invalid API Key (Key has {what})"


def test_outages_are_switched_on_for_a_method(service: FlickrDouble, call: Any) -> None:
    service.refuse("photos.*", 201, times=1)
    assert call("photos.search", tags="x")["code"] == 201
    assert call("photos.search", tags="x")["stat"] == "ok"


def test_other_formats(service: FlickrDouble, client: httpx.Client) -> None:
    params = {"method": "flickr.photos.search", "api_key": service.api_key, "tags": "x"}
    wrapped = client.get("/services/rest/", params={**params, "format": "json"}).text
    assert json.loads(wrapped.removeprefix("jsonFlickrApi(").removesuffix(")"))["stat"] == "ok"
    assert 'code="111"' in client.get("/services/rest/", params=params).text
    assert client.get("/services/rest/", params={**params, "oauth_token": "x"}).status_code == 401
    service.fault("/services/rest/", "429")
    busy = client.get("/services/rest/", params=params)
    assert (busy.status_code, busy.headers["content-type"].partition(";")[0]) == (429, "text/html")


def test_info_tells_one_photo(service: FlickrDouble, call: Any) -> None:
    service.add(photo(tags=("Open Stack",), taken="2012-09", place=(1.0, 2.0), video=FILM))
    info = call("photos.getInfo", photo_id=1)["photo"]
    assert info["title"] == {"_content": "Photo 1"}
    assert info["dates"]["taken"] == "2012-09-01 00:00:00"
    assert info["dates"]["takengranularity"] == 4
    assert info["tags"]["tag"][0]["raw"] == "Open Stack"
    assert info["location"]["accuracy"] == "16"
    assert (info["owner"]["path_alias"], info["media"], info["video"]["ready"]) == ("cosug", "video", 1)


@pytest.mark.parametrize(
    ("taken", "granularity"), [("2012-09-16 10:00:00", 0), ("2012-09", 4), ("2012", 6), ("circa 1912", 8)]
)
def test_dates_are_filled_up(taken: str, granularity: int, service: FlickrDouble, call: Any) -> None:
    service.add(photo(taken=taken))
    item = call("photos.search", user_id=OWNER.nsid, extras="date_taken")["photos"]["photo"][0]
    assert item["datetakengranularity"] == granularity
    assert len(item["datetaken"]) == 19
    assert item["datetaken"].startswith(taken.removeprefix("circa "))


class TestFiles:
    def test_every_size_has_the_pixels_it_claims(
        self, service: FlickrDouble, call: Any, client: httpx.Client
    ) -> None:
        service.add(photo(image=picture()))
        rows = call("photos.getSizes", photo_id=1)["sizes"]["size"]
        assert [row["label"] for row in rows][-3:] == ["Large", "Large 1600", "Original"]
        for row in rows:
            with Image.open(io.BytesIO(client.get(row["source"]).content)) as image:
                assert image.size == (row["width"], row["height"])
        assert len({row["source"].rsplit("_", 2)[-2] for row in rows[-3:]}) == 3  # a secret each

    @pytest.mark.parametrize(("form", "ending"), [("JPEG", "jpg"), ("PNG", "png"), ("GIF", "gif")])
    def test_the_original_is_what_was_uploaded(
        self, form: str, ending: str, service: FlickrDouble, client: httpx.Client
    ) -> None:
        service.add(photo(image=picture(form)))
        path = f"/65535/1_{photo().secret_of('o')}_o"
        answer = client.get(f"{path}.{ending}")
        assert answer.content == picture(form)
        assert answer.headers["content-type"] == f"image/{form.lower()}"
        assert "content-disposition" not in answer.headers
        assert client.get(f"{path}_d.{ending}").headers["content-disposition"] == "attachment"
        assert client.get(f"{path}.webp").status_code == 404

    @pytest.mark.parametrize("values", [{"limited": True}, {"original_public": False}])
    def test_what_is_kept_back_is_in_no_answer_and_not_served(
        self, values: dict[str, bool], service: FlickrDouble, client: httpx.Client, call: Any
    ) -> None:
        service.add(photo(image=picture(), **values))
        extras = "url_l,url_h,url_o,original_format"
        item = call("photos.search", user_id=OWNER.nsid, extras=extras)["photos"]["photo"][0]
        assert "url_o" not in item
        assert "originalsecret" not in item
        assert ("url_h" in item) == ("limited" not in values)
        assert item.get("upgrade_sizes") == (["h", "k", "3k", "4k", "o"] if "limited" in values else None)
        assert client.get(f"/65535/1_{photo().secret_of('o')}_o.jpg").status_code == 404
        assert call("photos.getSizes", photo_id=1)["sizes"]["candownload"] == 0

    def test_a_deleted_photo_takes_its_files_along(self, service: FlickrDouble, client: httpx.Client) -> None:
        service.add(photo(image=picture()))
        path = f"/65535/1_{photo().secret_of('o')}_o.jpg"
        assert client.get(path).status_code == 200
        service.remove(1)
        assert client.get(path).status_code == 404

    def test_files_may_be_elsewhere(self) -> None:
        with FlickrDouble([photo()], files_url="https://files.example.org") as service:
            params = {"method": "flickr.photos.getSizes", "photo_id": "1", "api_key": service.api_key}
            answer = httpx.get(
                f"{service.url}/services/rest/", params={**params, "format": "json", "nojsoncallback": "1"},
                trust_env=False,
            )  # fmt: skip
            source = answer.json()["sizes"]["size"][0]["source"]
            assert source.startswith("https://files.example.org/65535/")


class TestFilms:
    def test_lie_behind_a_redirect_that_expires(
        self, service: FlickrDouble, client: httpx.Client, call: Any
    ) -> None:
        service.add(photo(image=picture(), video=FILM))
        rows = [
            row for row in call("photos.getSizes", photo_id=1)["sizes"]["size"] if row["media"] == "video"
        ]
        assert [row["label"] for row in rows] == ["Video Player", "Mobile MP4", "Site MP4", "HD MP4"]
        assert {(row["width"], row["height"]) for row in rows} == {("", "")}
        assert ".swf" in rows[0]["source"]
        redirect = client.get(rows[-1]["source"])
        assert redirect.status_code == 302
        assert client.get(redirect.headers["location"]).content == FILM
        assert client.get(redirect.headers["location"]).status_code == 403
        assert client.get(rows[-1]["source"]).headers["location"] != redirect.headers["location"]

    def test_old_ones_list_the_player_alone_and_owners_the_original(
        self, service: FlickrDouble, call: Any
    ) -> None:
        service.add(photo(1, video=FILM, flash_only=True), photo(2, video=FILM, video_original=True))
        sizes = [call("photos.getSizes", photo_id=number)["sizes"]["size"] for number in (1, 2)]
        labels = [[row["label"] for row in rows if row["media"] == "video"] for rows in sizes]
        assert labels[0] == ["Video Player"]
        assert labels[1][-1] == "Video Original"

    @pytest.mark.parametrize(
        "path",
        [
            "/photos/x/1/play/hd/wrong/",
            "/photos/x/9/play/hd/x/",
            "/video/9/x/720p.mp4",
            "/video/1/x/720p.mp4",
        ],
    )
    def test_nothing_else_is_there(self, path: str, service: FlickrDouble, client: httpx.Client) -> None:
        service.add(photo(video=FILM))
        assert client.get(path).status_code in {403, 404}


def test_links_lead_on_and_unknown_guest_passes_to_the_login(
    service: FlickrDouble, client: httpx.Client
) -> None:
    service.add_link("/s/aHsk1", "https://www.flickr.com/photos/cosug/albums/7")
    assert client.get("/s/aHsk1").headers["location"] == "https://www.flickr.com/photos/cosug/albums/7"
    assert "Login" in client.get("/gp/cosug/x").text
    assert client.get("/s/other").status_code == 404


def test_camera_data_may_be_empty(service: FlickrDouble, call: Any) -> None:
    service.add(photo(exif=[("IFD0", "272", "Model", "Canon", ""), ("ExifIFD", "1", "X", "", "y")]))
    rows = call("photos.getExif", photo_id=1)["photo"]["exif"]
    assert rows[0]["raw"] == {"_content": "Canon"}
    assert "clean" not in rows[0]
    assert (rows[1]["raw"], rows[1]["clean"]) == ({"_content": ""}, {"_content": "y"})
