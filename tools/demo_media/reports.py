"""Write the reports as HTML pages, some in the encoding of the Chinese web of 2012."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "archive.example.yaml"

STYLE = (
    "body{font:17px/1.7 sans-serif;max-width:42em;margin:3em auto;padding:0 1em;color:#26282f}"
    "h1{font-size:1.7em;line-height:1.3}.lead{font-weight:bold}footer{margin-top:3em;color:#777;font-size:.8em}"
)
WORDS = {
    "zh": {"talks": "演讲题目", "note": "本页为演示程序根据公开事实编写，并非当时的新闻报道。"},
    "en": {
        "talks": "The talks",
        "note": "Written for the demo from published facts; not a news report of the time.",
    },
}


@dataclass(frozen=True, slots=True)
class Report:
    """One report: `path` below the inbox, and the bytes of the page."""

    path: str
    content: bytes


def reports() -> Iterator[Report]:
    """Write every report."""
    talks = _talks()
    for entry in yaml.safe_load((HERE / "reports.yaml").read_text(encoding="utf-8")):
        html = _html(entry, talks[entry["talks"]])
        yield Report(entry["path"], html.encode(entry["encoding"], errors="xmlcharrefreplace"))


def _talks() -> dict[str, list[str]]:
    example = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    return {event["id"]: [_title(talk) for talk in event.get("talks", ())] for event in example["events"]}


def _title(talk: str | dict[str, Any]) -> str:
    return talk if isinstance(talk, str) else str(talk["title"])


def _html(entry: dict[str, Any], talks: list[str]) -> str:
    words = WORDS[entry["language"]]
    paragraphs = "\n".join(f"<p>{escape(text)}</p>" for text in entry["paragraphs"])
    items = "\n".join(f"<li>{escape(title)}</li>" for title in talks)
    return f"""<!DOCTYPE html>
<html lang="{entry["language"]}">
<head>
<meta charset="{entry["encoding"]}">
<title>{escape(entry["title"])}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{escape(entry["title"])}</h1>
<p class="lead">{escape(entry["lead"])}</p>
{paragraphs}
<h2>{words["talks"]}</h2>
<ul>
{items}
</ul>
<footer>{words["note"]}</footer>
</body>
</html>
"""
