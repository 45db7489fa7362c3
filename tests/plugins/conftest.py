"""What tests of sources need: the real HTTP client, quick, and small pictures."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from archiver.api import Context
from archiver.web import Limits, PoliteClient
from archiver_plugins.s3 import S3Options, S3Sink
from plugins.mails import Sources
from s3_servers import Server


@pytest.fixture
def context_for(tmp_path: Path) -> Iterator[Callable[[str], Context]]:
    """Make the context of a source whose `base_url` is given."""
    clients: list[PoliteClient] = []

    def make(base_url: str) -> Context:
        limits = Limits(attempts=2, backoff=0.001, longest_backoff=0.001)
        client = PoliteClient(hosts_allowed=[base_url], limits=limits)
        clients.append(client)
        return Context(name="here", folder=tmp_path, http=client)

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[Sources]:
    """Make sources of e-mail in the test's own directory."""
    with Sources(tmp_path) as made:
        yield made


@pytest.fixture
def page_image() -> Callable[..., bytes]:
    """Make a page of its own colour: `page_image(3, "WEBP", width=64)`."""

    def make(number: int = 1, form: str = "JPEG", width: int = 64) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", (width, width * 3 // 4), (number * 40 % 256, number * 90 % 256, 120)).save(
            buffer, form
        )
        return buffer.getvalue()

    return make


@pytest.fixture
def s3_sink(tmp_path: Path) -> Callable[..., S3Sink]:
    """Make a sink in a bucket of its own: `s3_sink(server, prefix="tour")`."""

    def make(server: Server, **options: Any) -> S3Sink:
        http: Any = None
        given = {
            "bucket": options.pop("bucket", "") or server.bucket(),
            "endpoint_url": server.url,
            "addressing": "path",
            "access_key": server.key,
            "secret_key": server.secret,
            **options,
        }
        return S3Sink(S3Options.model_validate(given), Context("cloud", tmp_path, http))

    return make
