"""What a bundle does not tell."""

from __future__ import annotations

from archiver.bundle import own_addresses, without
from archiver.contracts import Options


def test_addresses_of_ones_own_are_taken_out() -> None:
    class Own(Options):
        base_url: str = "https://example.org"
        mirrors: dict[str, str] = {}  # noqa: RUF012  # pydantic copies it
        title: str = ""

    made = Own(base_url="http://mirror.lan", mirrors={"x": "http://other.lan:1"}, title="http://stays.org")
    own = own_addresses([made, Own()])
    shown = without(own, "http://mirror.lan/a http://other.lan:1/b http://stays.org https://example.org")
    assert shown == "***/a ***/b http://stays.org https://example.org"
