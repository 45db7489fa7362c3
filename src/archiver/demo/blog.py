"""The blog of the demo, on which reports of some stops were published."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from archiver.demo import content
from archiver.testing.wordpress import Post, WordPressDouble

#: The address under which the example knows it.
PUBLIC = "https://blog.cosug.example"


def service() -> WordPressDouble:
    """Make the blog with all its posts."""
    return WordPressDouble([_post(each) for each in content.load("posts.yaml")], public=PUBLIC)


def _post(written: Mapping[str, Any]) -> Post:
    paragraphs = [escape(text) for text in (written["lead"], *written["paragraphs"])]
    paragraphs += [
        f'<a href="{escape(url)}">{escape(text)}</a>' for text, url in written.get("links", {}).items()
    ]
    return Post(
        id=int(written["id"]),
        title=written["title"],
        body="".join(f"<p>{each}</p>" for each in paragraphs),
        date=written["date"],
        tags=("openstack", written["tag"]),
        charset=written["charset"],
    )
