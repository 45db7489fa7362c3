"""Point 9: marker values in every credential and address; then every output, sink and log is searched."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from faults.campaign.figures import Figures
from faults.campaign.kills import download
from faults.campaign.starter import Starter
from faults.campaign.upstreams import UPSTREAMS
from s3_proxy import Proxy
from s3_servers import SECRET, Server

#: What must be found nowhere. Each begins differently, so that a part of one is found as well.
MARKERS = {
    "CAMPAIGN_LOGIN": "markerone-hunter2",
    "CAMPAIGN_TOKEN": "markertwo-0123456789abcdef",
    "CAMPAIGN_MAIL": "markerthree-pass",
    "CAMPAIGN_QUERY": "markerfour-signature",
}
#: What the commands are asked; some fail, as the services refuse these credentials: that is told as well.
COMMANDS = (
    ("check",), ("check", "--json"), ("run", "-v"), ("run", "-v", "--json"), ("status", "-v"),
    ("status", "--json"), ("sources",), ("search", "deck"), ("verify", "-v"), ("plugins", "list"), ("site",),
)  # fmt: skip


def search(
    kinds: Sequence[str],
    folder: Path,
    store: Server,
    figures: Figures,
    commands: Sequence[tuple[str, ...]] = COMMANDS,
) -> None:
    """Run every command over sources with markers in them, and search all that it leaves."""
    folder.mkdir(parents=True)
    bucket = store.bucket()
    with ExitStack() as stack:
        upstreams = {
            kind: stack.enter_context(UPSTREAMS[kind](folder / kind, ["A deck"], "Hui Cheng"))
            for kind in kinds
        }
        proxy = stack.enter_context(Proxy(store).running())
        starter = stack.enter_context(Starter(MARKERS | {"CAMPAIGN_SECRET": SECRET}))
        _write(folder / "archive.yaml", upstreams, proxy.server, bucket)
        for words in commands:
            log = folder / "logs" / "-".join(words)
            log.mkdir(parents=True)
            starter.run(folder, *words, log=log)
            figures.counts["commands"] += 1
            _look(log, figures, " ".join(words))
    _look(folder / "archive", figures, "the directory")
    _look(download(store, bucket, folder / "downloaded", "tour/"), figures, "the bucket")


def _write(file: Path, upstreams: dict[str, Any], store: Server, bucket: str) -> None:
    sources = {kind: _source(kind, each.options) for kind, each in upstreams.items()}
    sources["denied"] = {"type": "email", "imap": "127.0.0.1:9", "username": "someone", "tls": "none",
                         "password": "${CAMPAIGN_MAIL}", "timeout": 1}  # fmt: skip
    entries = [{"use": kind, **_entry(kind, each.entry)} for kind, each in upstreams.items()]
    data = {
        "archive": {"title": "A tour", "site": False},
        "sinks": {
            "local": {"type": "disk", "path": "./archive"},
            "cloud": {
                "type": "s3", "bucket": bucket, "prefix": "tour", "endpoint_url": store.url,
                "addressing": "path", "access_key": store.key, "secret_key": "${CAMPAIGN_SECRET}",
            },
        },
        "sources": sources,
        "events": [{"id": "beijing", "title": "Beijing", "sources": [*entries, {"use": "denied"}]}],
    }  # fmt: skip
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")


def _source(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    made = {"type": kind, **options}
    if "base_url" in made and kind != "links":
        made["base_url"] = _with_login(made["base_url"])
    named = {"flickr": "api_key", "pretalx": "token"}
    if kind in named:
        made[named[kind]] = "${CAMPAIGN_TOKEN}"
    return made


def _with_login(url: str) -> str:
    return f"http://user:${{CAMPAIGN_LOGIN}}@{urlsplit(url).netloc}"


def _entry(kind: str, entry: dict[str, Any]) -> dict[str, Any]:
    if kind != "links":
        return entry
    urls = [
        {"url": f"{each['url']}?token=${{CAMPAIGN_QUERY}}", "title": each["title"]} for each in entry["urls"]
    ]
    return {"urls": urls}


def _look(folder: Path, figures: Figures, where: str) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            figures.counts["files searched"] += 1
            leaked = [
                name for name, value in (MARKERS | {"SECRET": SECRET}).items() if value.encode() in data
            ]
            leaked += [name for name, value in MARKERS.items() if value.partition("-")[0].encode() in data]
            figures.check(where, [f"{name} stands in {file.name}" for name in leaked])
