"""What the tests of every source need: two events, listing as a run does, and fetching."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from archiver import api

#: What an entry lists, but for its checkpoints.
Item = api.Material | api.Unavailable
#: Makes the context of a source whose `base_url` is given: the fixture `context_for`.
Make = Callable[[str], api.Context]

BEIJING = api.Event("beijing", "Beijing Stop")
SHENZHEN = api.Event("shenzhen", "Shenzhen Stop")


def listed(
    source: api.Source[Any, Any],
    *entries: api.ScopeEntry[Any],
    cursor: str = "",
    limit: int | None = None,
) -> tuple[list[Item], api.Checkpoint]:
    """List; give what was found, and the checkpoint that ended it."""
    *items, last = source.discover(api.Scope(entries, limit), cursor)
    assert isinstance(last, api.Checkpoint)
    return [item for item in items if not isinstance(item, api.Checkpoint)], last


def fetched(
    source: api.Source[Any, Any], item: api.Material, into: Path
) -> tuple[api.Material, dict[str, api.Fetched]]:
    """Fetch; give the refined material, and its files by name: these alone lie in the directory."""
    into.mkdir(parents=True, exist_ok=True)
    refined, *files = source.fetch(item, into)
    assert isinstance(refined, api.Material)
    found = {file.path.name: file for file in files if isinstance(file, api.Fetched)}
    assert {path.name for path in into.iterdir()} == found.keys()
    return refined, found


def the_error(item: Item) -> api.SourceError:
    """Give what is wrong with a material that cannot be had."""
    assert isinstance(item, api.Unavailable), item
    return item.error
