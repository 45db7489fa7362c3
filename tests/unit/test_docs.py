"""What the documents show works: pieces of configuration are right, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from archiver import config
from archiver.registry import load_plugins

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


EXAMPLES = [
    pytest.param(page, block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page, "yaml"), 1)
]


def whole(page: Path, fragment: str) -> str:
    """Complete a fragment with what the rest of its page, or any file, would hold."""
    data = yaml.load(fragment, yaml.BaseLoader)
    earlier = [yaml.load(block, yaml.BaseLoader) for block in blocks(page, "yaml")]
    named = [each["sources"] for each in earlier if isinstance(each, dict) and "sources" in each]
    if isinstance(data, list):  # entries of an event
        data = {"events": [{"id": "some-event", "title": "Some event", "sources": data}]}
    defaults = {
        "archive": {"title": "An archive"},
        "sinks": {"local": {"type": "disk", "path": "./archive"}},
        "sources": named[0] if named else {},
        "events": [{"id": "some-event", "title": "Some event"}],
    }
    return yaml.safe_dump({**defaults, **data}, allow_unicode=True)


@pytest.mark.parametrize(("page", "block"), EXAMPLES)
def test_every_piece_of_configuration_is_right(page: Path, block: str, tmp_path: Path) -> None:
    path = tmp_path / "archive.yaml"
    path.write_text(block if "sinks:" in block else whole(page, block), encoding="utf-8")
    environ = dict.fromkeys(re.findall(r"\$\{([A-Z_]+)\}", block), "secret")
    assert config.load(path, load_plugins(), environ).events


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?://|mailto:|#)([^)#]+)", text)
    assert not [link for link in links if not (page.parent / link).exists()]


def test_every_command_has_its_reference() -> None:
    from archiver.cli import COMMANDS

    reference = (ROOT / "docs/reference/command.md").read_text(encoding="utf-8")
    assert not [name for name in COMMANDS if f"archive {name}" not in reference]


def test_every_bundled_source_has_its_page() -> None:
    pages = {path.stem for path in (ROOT / "docs/reference/sources").glob("*.md")}
    assert set(load_plugins().sources) <= pages
