"""Turn what is shown into pages: templates with everything escaped, links relative, nothing inline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from archiver.errors import MissingError
from archiver.pages import places
from archiver.pages.words import Words

#: What a page may load: our own files. `'self'` stands for no folder when a page is opened from a disk
#: in some browsers, so `file:` is named too; a page from a web server can load nothing from there.
_OWN: Final = "'self' file:"
POLICY: Final = (
    f"default-src 'none'; script-src {_OWN}; style-src {_OWN}; img-src {_OWN}; media-src {_OWN}; "
    f"form-action {_OWN}; base-uri 'none'"
)
#: Files that lie beside the pages as they are.
ASSETS: Final = ("site.css", "site.js", "search.js", "mark.svg")


@cache
def static(name: str) -> bytes:
    """Give a file that is part of this package."""
    return resources.files("archiver.pages").joinpath("static", name).read_bytes()


@cache
def asset(name: str) -> str:
    """Say where an asset lies: its name holds a hash, so that no browser shows an old one."""
    stem, _, ending = name.rpartition(".")
    digest = hashlib.sha256(static(name)).hexdigest()[:10]
    return f"{places.SITE}assets/{stem}-{digest}.{ending}"


def _template(name: str) -> str:
    return resources.files("archiver.pages").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["data"] = data_block
    return made


def data_block(value: Any) -> Markup:
    """Write JSON that can stand inside a script element: no sign in it ends the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704  # what could end the element was just taken out


def render(template: str, path: str, words: Words, values: Mapping[str, Any]) -> bytes:
    """Render one page that will lie at `path`. Raises `MissingError` for a template there is not."""

    def link(target: str) -> str:
        return places.relative(target, path)

    try:
        page = _environment().get_template(template)
    except FileNotFoundError as error:
        raise MissingError(f"there is no template {template}") from error
    shared = {"t": words, "link": link, "asset": asset, "policy": POLICY, "here": path, "places": places}
    return page.render({**shared, **values}).encode("utf-8", "replace")
