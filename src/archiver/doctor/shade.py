"""Takes out of a page what is nobody's business: secrets, the home directory, private hosts and places."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel

from archiver.config import Config
from archiver.doctor.lines import Line
from archiver.doctor.whereabouts import Whereabouts
from archiver.masking import Mask
from archiver.redact import MASK, is_secret_name

HOST = "<host>"
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")
#: `password: hunter2` in a file that need not be YAML any more; the value up to the end of the line or flow.
_PAIR = re.compile(r"""([\w-]+)["']?\s*:\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"',}\]#][^\n,}\]]*))""")
_ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]*)://[^\s/?#\"'<>)\]]+", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?![\w.])")
#: Addresses in our own hints: everybody may read those.
_PUBLIC = ("github.com", "docs.deno.com", "ffmpeg.org")
#: Options that name a server without being an address.
_HOST_OPTIONS = frozenset({"host", "imap", "smtp", "server", "hostname"})
#: Shorter values are words that stand everywhere ("disk", "true"): masking them hides nothing.
_SHORTEST, _SHORTEST_PLAIN = 4, 8


@dataclass(frozen=True)
class Shade:
    """Goes over every line before anybody sees it. With `hosts`, names of hosts, buckets and folders stay."""

    mask: Mask
    secrets: tuple[str, ...]
    private: tuple[str, ...]
    homes: tuple[str, ...]
    places: Whereabouts = field(default_factory=Whereabouts)
    hosts: bool = False

    def __call__(self, line: Line) -> Line:
        """Give the line as it may be shown."""
        return Line(line.level, self.text(line.subject), self.text(line.text), self.text(line.hint))

    def text(self, text: str) -> str:
        """Take out secrets first: one may stand inside an address or a path."""
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        text = self.mask(text)
        if not self.hosts:
            text = self._without_hosts(text)
        for home in self.homes:
            text = text.replace(home, "~")
        return text if self.hosts else self.places.hide(text)

    def _without_hosts(self, text: str) -> str:
        text = _ADDRESS.sub(_hidden, text)
        for host in self.private:
            text = re.sub(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", HOST, text, flags=re.IGNORECASE)
        return _IPV4.sub(HOST, text)


def shade(config: Config | None, file: Path, environ: Mapping[str, str], *, hosts: bool = False) -> Shade:
    """Make the shade for a configuration, or for a file that is none, or is not there at all."""
    raw = _read(file)
    options = list(_options(config)) if config else []
    secrets = {*_of_environment(raw, environ), *_of_file(raw)}
    private = {*_hosts(options), *_own_names(environ), *_hosts_of_text(raw)}
    homes = _homes(environ)
    return Shade(
        Mask.of(options),
        tuple(sorted(secrets, key=len, reverse=True)),
        tuple(sorted(private - {""}, key=len, reverse=True)),
        tuple(sorted(homes, key=len, reverse=True)),
        Whereabouts.of(config, file, homes),
        hosts,
    )


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(4 << 20).decode("utf-8", "replace")
    except OSError:
        return ""


def _options(config: Config) -> Iterator[BaseModel]:
    yield from (spec.options for spec in config.sinks)
    for source in config.sources:
        yield source.options
        yield from (entry.options for entry in source.entries)
    if config.mail is not None:
        yield config.mail


def _of_environment(raw: str, environ: Mapping[str, str]) -> Iterator[str]:
    named = set(_REFERENCE.findall(raw))
    for name, value in environ.items():
        # SSH_AUTH_SOCK is a path, and no secret.
        is_secret = is_secret_name(name) and not value.startswith("/")
        shortest = _SHORTEST if is_secret else _SHORTEST_PLAIN
        if (is_secret or name in named) and len(value) >= shortest:
            yield value


def _of_file(raw: str) -> Iterator[str]:
    """Give what was written in the open where a secret stands, even in a file with faults."""
    for key, *values in _PAIR.findall(raw):
        value = next((each.strip() for each in values if each.strip()), "")
        if is_secret_name(key) and len(value) >= _SHORTEST and not value.startswith("${"):
            yield value


def _hosts(options: Iterable[BaseModel]) -> Iterator[str]:
    for each in options:
        for name, value in each:
            if isinstance(value, BaseModel):
                yield from _hosts([value])
            elif name not in each.model_fields_set:
                continue
            elif isinstance(value, str):
                yield from _host(name, value)
            elif isinstance(value, Mapping):
                yield from (host for item in value.values() for host in _host("", str(item)))


def _host(name: str, value: str) -> Iterator[str]:
    if "://" in value:
        yield _name_of(value)
    elif name in _HOST_OPTIONS:
        yield value.partition(":")[0]


def _hosts_of_text(raw: str) -> Iterator[str]:
    return (_name_of(match.group()) for match in _ADDRESS.finditer(raw))


def _name_of(address: str) -> str:
    try:
        name = urlsplit(address).hostname or ""
    except ValueError:  # http://[broken
        return ""
    return "" if _is_public(name) else name


def _is_public(name: str) -> bool:
    return name.lower() in _PUBLIC


def _own_names(environ: Mapping[str, str]) -> Iterator[str]:
    """Name this machine, and the services that the environment names."""
    own = socket.gethostname()
    yield own if len(own) >= _SHORTEST and own != "localhost" else ""
    for name, value in environ.items():
        if "://" in value and name.upper().endswith(("_URL", "_PROXY", "_ENDPOINT", "_HOST")):
            yield _name_of(value)


def _homes(environ: Mapping[str, str]) -> set[str]:
    found = {environ.get("HOME", ""), environ.get("USERPROFILE", ""), os.path.expanduser("~")}  # noqa: PTH111  # it never raises
    found |= {os.path.realpath(each) for each in found if each}
    return {each.rstrip("/\\") for each in found if len(each.rstrip("/\\")) > 1}


def _hidden(match: re.Match[str]) -> str:
    try:
        public = _is_public(urlsplit(match.group()).hostname or "")
    except ValueError:
        public = False
    return match.group() if public else f"{match.group(1)}://{HOST}"


def named(names: Sequence[str]) -> str:
    """Write names for people."""
    return ", ".join(names) or "none"
