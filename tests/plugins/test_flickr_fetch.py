from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import SecretStr

from archiver import api
from archiver.testing.flickr import FlickrDouble, Photo, User
from archiver.web import PoliteClient, origins_of
from archiver_plugins.flickr import Flickr, FlickrEntry, FlickrOptions
from archiver_plugins.flickr.answers import Photo as Item
from archiver_plugins.flickr.answers import Sizes
from archiver_plugins.flickr.sizes import best_of, best_photo, best_video
from plugins.source_kit import BEIJING, Make

OWNER = "10000001@N02"
NUMBER = 8000000001
FILM = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"film" * 5_000


def picture(form: str = "JPEG", size: tuple[int, int] = (1800, 1200)) -> bytes:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0110] = "Camera of the test"
    Image.new("RGB", size, (9, 99, 199)).save(buffer, form, **({"exif": exif} if form == "JPEG" else {}))
    return buffer.getvalue()


PICTURE = picture()


@pytest.fixture
def service() -> Iterator[FlickrDouble]:
    with FlickrDouble(users=[User(OWNER, "COSUG", "cosug")]) as service:
        yield service


@pytest.fixture
def make(service: FlickrDouble, context_for: Make) -> Callable[..., Flickr]:
    def build(**options: Any) -> Flickr:
        given = FlickrOptions(api_key=SecretStr(service.api_key), base_url=service.url, **options)
        return Flickr(given, context_for(service.url))

    return build


def photo(**values: Any) -> Photo:
    given: dict[str, Any] = {"id": NUMBER, "title": "签到处", "image": PICTURE}
    return Photo(**(given | values))


def material(source: Flickr, **options: Any) -> api.Material:
    entry = api.ScopeEntry(BEIJING, FlickrEntry(**(options or {"user": OWNER})))
    item, *_ = source.discover(api.Scope((entry,)), "")
    assert isinstance(item, api.Material)
    return item


def fetched(
    source: Flickr, item: api.Material, into: Path
) -> tuple[list[api.Material], dict[str, api.Fetched]]:
    into.mkdir(parents=True, exist_ok=True)
    got = list(source.fetch(item, into))
    files = {each.path.name: each for each in got if isinstance(each, api.Fetched)}
    assert {path.name for path in into.iterdir()} == set(files)
    return [each for each in got if isinstance(each, api.Material)], files


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


class TestPhotos:
    def test_the_original_comes_with_one_request_and_its_camera_data(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(exif=[("IFD0", "272", "Model", "X", "")]))
        source = make(exif=True)
        item = material(source)
        service.requests.clear()
        refined, files = fetched(source, item, tmp_path / "in")
        assert (tmp_path / "in" / "photo").read_bytes() == PICTURE
        assert (files["photo"].role, files["photo"].grade) == (api.Role.ORIGINAL, api.Grade.ORIGINAL)
        assert refined == []
        assert len(service.requests) == 1
        with Image.open(tmp_path / "in" / "photo") as image:
            assert image.getexif()[0x0110] == "Camera of the test"

    @pytest.mark.parametrize(("form", "ending"), [("PNG", "png"), ("GIF", "gif")])
    def test_originals_may_be_png_or_gif(
        self, form: str, ending: str, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(image=picture(form)))
        source = make()
        _, files = fetched(source, material(source), tmp_path / "in")
        assert (tmp_path / "in" / "photo").read_bytes() == picture(form)
        assert files["photo"].media_type == f"image/{ending}"

    @pytest.mark.parametrize(
        ("values", "side", "size"),
        [({"limited": True}, 1024, "l"), ({"original_public": False}, 1600, "h")],
    )
    def test_without_it_the_largest_size_comes_without_asking(
        self,
        values: dict[str, Any],
        side: int,
        size: str,
        service: FlickrDouble,
        make: Callable[..., Flickr],
        tmp_path: Path,
    ) -> None:
        service.add(photo(**values))
        source = make()
        item = material(source)
        _, files = fetched(source, item, tmp_path / "in")
        assert max(size_of(tmp_path / "in" / "photo")) == side
        assert (files["photo"].role, files["photo"].grade) == (api.Role.RENDITION, api.Grade.REDUCED)
        assert item.extra["size"] == size
        assert service.calls("photos.getSizes") == []

    def test_sizes_are_asked_for_when_the_list_names_none(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        names = ("m", "z", "c", "l", "h", "k", "3k", "4k", "5k", "6k", "o")
        service.add(photo(original_public=False, data={f"url_{name}": ... for name in names}))
        source = make()
        item = material(source)
        assert "file" not in item.extra
        (refined,), files = fetched(source, item, tmp_path / "in")
        assert max(size_of(tmp_path / "in" / "photo")) == 1600
        assert refined.extra["size"] == "h"
        assert refined.extra["reason"] == "The owner does not offer the original to everybody."
        assert refined.revision == item.revision
        assert len(service.calls("photos.getSizes")) == 1
        assert files["photo"].role is api.Role.RENDITION

    def test_a_photo_of_a_single_entry_is_asked_for_its_sizes(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo())
        source = make()
        (refined,), _ = fetched(source, material(source, photo=str(NUMBER)), tmp_path / "in")
        assert (refined.extra["size"], refined.extra["pixels"]) == ("original", "1800x1200")
        assert refined.extra["file"].startswith("/65535/")
        assert (tmp_path / "in" / "photo").read_bytes() == PICTURE

    def test_an_address_of_yesterday_is_looked_up_again(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo())
        source = make()
        item = material(source)
        service.add(photo(limited=True))  # the owner's membership has ended since
        (refined,), files = fetched(source, item, tmp_path / "in")
        assert refined.extra["size"] == "l"
        assert max(size_of(tmp_path / "in" / "photo")) == 1024
        assert files["photo"].role is api.Role.RENDITION

    def test_a_photo_that_vanishes_on_the_way_is_gone(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo())
        source = make()
        item = material(source)
        service.remove(NUMBER)
        with pytest.raises(api.GoneError, match="Photo not found"):
            fetched(source, item, tmp_path / "in")

    def test_a_lost_file_of_a_photo_that_is_there_is_not_gone(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo())
        source = make()
        item = material(source)
        service.fault("*_o.jpg", "gone", times=None)
        with pytest.raises(api.InvalidError, match="does not serve that file"):
            fetched(source, item, tmp_path / "in")
        assert service.requests.count("*.jpg") == 1

    def test_429_of_the_file_host_is_tried_again_and_then_transient(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo())
        source = make()
        item = material(source)
        service.fault("*.jpg", "429")
        fetched(source, item, tmp_path / "in")
        service.fault("*.jpg", "429", times=None)
        with pytest.raises(api.TransientError):
            fetched(source, item, tmp_path / "again")
        assert service.requests.count("*_b.jpg") == 0  # passing trouble leads to no smaller size

    def test_a_broken_connection_is_taken_up_where_it_broke(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo())
        source = make()
        item = material(source)
        service.fault("*.jpg", "truncate")
        fetched(source, item, tmp_path / "in")
        assert (tmp_path / "in" / "photo").read_bytes() == PICTURE
        assert [entry.status for entry in service.requests.matching("*.jpg")] == [200, 206]

    def test_what_is_retried_without_a_listing_is_asked_for_by_its_number(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(taken="2012-09-16 09:12:00"), photo(id=NUMBER + 1, video=FILM))
        source = make()
        bare = api.Material(str(NUMBER), api.Kind.PHOTO, event="beijing", talk="chef")
        refined, files = fetched(source, bare, tmp_path / "in")
        assert (refined[0].title, refined[0].date) == ("签到处", "2012-09-16T09:12:00")
        assert (refined[0].event, refined[0].talk) == ("beijing", "chef")
        assert list(files) == ["photo"]
        refined, files = fetched(source, replace(bare, id=str(NUMBER + 1)), tmp_path / "film")
        assert refined[0].kind is api.Kind.VIDEO
        assert list(files) == ["video"]

    def test_a_link_that_was_never_resolved_is_not_fetched(
        self, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        with pytest.raises(api.InvalidError, match="could not be looked up"):
            fetched(make(), api.Material("link-0123", api.Kind.PHOTO), tmp_path / "in")

    def test_a_file_of_something_else_is_refused(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        url = service.serve("/photo_unavailable.png", picture("PNG"), "image/png")
        service.add(photo(data={"url_o": url}))
        source = make()
        with pytest.raises(api.InvalidError, match="led to the file of something else"):
            fetched(source, material(source), tmp_path / "in")

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "//x", "http://169.254.169.254/x", "http://["])
    def test_an_address_that_is_none_of_the_web_is_refused(
        self, url: str, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(data={"url_o": url}))
        source = make()
        item = material(source)
        service.serve("/services/rest/", json.dumps({"stat": "ok", "sizes": {"size": [
            {"label": "Original", "source": url}]}}).encode(), "application/json")  # fmt: skip
        with pytest.raises((api.InvalidError, api.BlockedError)):
            fetched(source, item, tmp_path / "in")

    def test_nothing_to_get_is_invalid(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(image=picture(size=(40, 30)), original_public=False))
        source = make()
        with pytest.raises(api.InvalidError, match="lists no file of the photo '签到处'"):
            fetched(source, material(source), tmp_path / "in")

    def test_a_small_one_is_a_thumbnail(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(image=picture(size=(300, 200)), original_public=False))
        source = make()
        (refined,), files = fetched(source, material(source), tmp_path / "in")
        assert (refined.extra["size"], files["photo"].grade) == ("s", api.Grade.THUMBNAIL)

    def test_files_may_lie_on_another_host_that_is_named(self, tmp_path: Path) -> None:
        with FlickrDouble([photo()]) as files, FlickrDouble([photo()], files_url=files.url) as service:
            options = FlickrOptions(
                api_key=SecretStr(service.api_key), base_url=service.url, file_base_url=files.url
            )
            with PoliteClient(hosts_allowed=origins_of(options)) as client:
                source = Flickr(options, api.Context("here", tmp_path, client))
                item = material(source)
                assert item.extra["file"].startswith("/65535/")
                fetched(source, item, tmp_path / "in")
            assert files.requests.count("*_o.jpg", status=200) == 1


class TestCameraData:
    EXIF = (
        ("IFD0", "272", "Model", "Canon EOS", ""),
        ("ExifIFD", "33434", "Exposure", "1/60", "0.017 sec (1/60)"),
        ("ExifIFD", "1", "Nothing", "", ""),
    )

    def test_are_asked_for_when_wanted_and_the_file_has_none(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(limited=True, exif=self.EXIF))
        source = make(exif=True)
        _, files = fetched(source, material(source), tmp_path / "in")
        assert (files["exif.json"].role, files["exif.json"].label) == (api.Role.SIDECAR, "exif")
        found = json.loads((tmp_path / "in" / "exif.json").read_text("utf-8"))
        assert found["exif"][1] == {
            "tagspace": "ExifIFD", "tag": "33434", "label": "Exposure",
            "raw": "1/60", "clean": "0.017 sec (1/60)",
        }  # fmt: skip
        assert found["exif"][2]["raw"] == ""

    def test_are_not_asked_for_by_default(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(limited=True, exif=self.EXIF))
        source = make()
        _, files = fetched(source, material(source), tmp_path / "in")
        assert list(files) == ["photo"]
        assert service.calls("photos.getExif") == []

    def test_that_are_hidden_do_not_keep_the_photo_away(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(limited=True, exif_hidden=True))
        source = make(exif=True)
        _, files = fetched(source, material(source), tmp_path / "in")
        assert list(files) == ["photo"]


class TestVideos:
    def test_the_best_film_comes_through_a_redirect_that_is_kept_nowhere(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(video=FILM))
        source = make()
        item = material(source)
        (refined,), files = fetched(source, item, tmp_path / "in")
        assert (tmp_path / "in" / "video").read_bytes() == FILM
        assert refined.extra["size"] == "HD MP4"
        assert refined.extra["reason"] == "Flickr gives original videos to their owners only."
        assert "file" not in refined.extra
        assert photo().secret not in repr(refined)
        assert (files["video"].role, files["video"].media_type) == (api.Role.RENDITION, "video/mp4")

    def test_each_attempt_is_redirected_afresh_because_signatures_expire(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(video=FILM))
        source = make()
        item = material(source)
        service.fault("/video/*", "truncate", at=7_000)
        fetched(source, item, tmp_path / "in")
        assert (tmp_path / "in" / "video").read_bytes() == FILM
        films = service.requests.matching("/video/*")
        assert [film.status for film in films] == [200, 206]
        assert films[0].query["s"] != films[1].query["s"]
        assert service.requests.count("*/play/*") == 2

    def test_an_original_is_better_than_all(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(video=FILM, video_original=True))
        source = make()
        (refined,), files = fetched(source, material(source), tmp_path / "in")
        assert (refined.extra["size"], files["video"].role) == ("original", api.Role.ORIGINAL)
        assert "reason" not in refined.extra

    def test_one_with_nothing_but_a_flash_player_is_blocked_with_the_reason(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(video=FILM, flash_only=True))
        source = make()
        with pytest.raises(api.BlockedError, match="Flash player only") as caught:
            fetched(source, material(source), tmp_path / "in")
        assert "by hand" in caught.value.hint
        assert service.requests.count("*.swf*") == 0

    def test_one_that_has_vanished_is_gone(
        self, service: FlickrDouble, make: Callable[..., Flickr], tmp_path: Path
    ) -> None:
        service.add(photo(video=FILM))
        source = make()
        item = material(source)
        service.remove(NUMBER)
        with pytest.raises(api.GoneError):
            fetched(source, item, tmp_path / "in")


def row(label: str, width: Any = "", height: Any = "", media: str = "photo") -> dict[str, Any]:
    return {"label": label, "source": f"https://x/{label}", "width": width, "height": height, "media": media}


def chosen(*rows: dict[str, Any]) -> str:
    choice = best_photo(Sizes.model_validate({"size": rows}))
    return choice.size if choice else ""


class TestChoice:
    def test_goes_by_pixels_and_the_original_is_above_all(self) -> None:
        assert chosen(row("Large", "1024", 683), row("X-Large 3K", 3072, "2048")) == "3k"
        assert chosen(row("Original", 800, 600), row("X-Large 6K", 6144, 4096)) == "original"
        assert chosen(row("Large 1600", 1600, 200), row("Large", 1024, 1024)) == "l"

    def test_goes_by_name_where_pixels_are_not_told(self) -> None:
        assert chosen(row("Large 2048"), row("Medium 800", 800, 600), row("Large", None)) == "k"

    def test_knows_what_to_do_with_sizes_to_come(self) -> None:
        assert chosen(row("Large", 1024, 683), row("X-Large 9K", 9216, 6144)) == "X-Large 9K"
        assert chosen() == ""

    def test_passes_over_films_among_photos_and_photos_among_films(self) -> None:
        rows = [row("HD MP4", media="video"), row("Large", 1024, 683), row("9000p", media="video")]
        assert chosen(*rows) == "l"
        film = best_video(Sizes.model_validate({"size": rows}))
        assert film is not None
        assert film.size == "HD MP4"

    def test_of_a_list_goes_by_the_same_rule(self) -> None:
        item = Item.model_validate(
            {"id": "1", "url_l": "https://x/1_b.jpg", "width_l": 1024, "height_l": "683",
             "url_6k": "https://x/1_6k.jpg", "width_6k": "6144", "height_6k": 4096}
        )  # fmt: skip
        choice = best_of(item)
        assert choice is not None
        assert (choice.size, choice.pixels, choice.is_original) == ("6k", "6144x4096", False)
