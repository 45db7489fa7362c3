"""The contract of the source `web`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from archiver.testing.contracts.samples import picture
from archiver.testing.sources import SourceContract, Subject
from archiver.testing.wordpress import PUBLIC, Post, WordPressDouble

TEXT = "The stop in Beijing took place on a Sunday; a hundred and fifty people talked about clouds. "


def _post(number: int, **values: str) -> Post:
    body = "".join(f"<p>{TEXT * 3}{part}</p>" for part in range(6))
    tag = "2012osac" if number < 10 else "elsewhere"
    given = {"slug": f"beijing-{number}", "date": f"2012-09-{number:02}T10:00:00"}
    pictures = {"hall.jpg": picture(number)}
    return Post(number, f"Report {number}", body, tags=(tag,), pictures=pictures, **(given | values))


def _options(url: str) -> Mapping[str, str]:
    return {"base_url": url, "site": PUBLIC}


class TestWeb(SourceContract):
    """Reports of a blog, by their tag."""

    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        """Give a blog with three posts of one tag, and one of another."""
        posts = [_post(1), _post(2), _post(3), _post(11)]
        with WordPressDouble(posts, feed_size=2) as blog:
            yield Subject(
                "web",
                _options,
                ({"wordpress": PUBLIC, "tag": "2012osac"},),
                blog.url,
                other=Subject("web", _options, ({"wordpress": PUBLIC, "tag": "elsewhere"},), blog.url),
                change=lambda: blog.add(_post(1, modified="2012-10-01T10:00:00")),
                remove=lambda: blog.remove(posts[0]),
                waived={
                    "test_half_a_file_is_no_file": "a page is kept although one of its pictures did not come"
                },
            )
