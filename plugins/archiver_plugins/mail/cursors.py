"""How far a listing came, as text: JSON of one part for mailboxes and one for list archives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def write(boxes: Mapping[str, Any] | None, lists: Mapping[str, Any] | None) -> str:
    """Write a cursor of the parts that the source has; "" of none."""
    parts = {"boxes": boxes, "lists": lists}
    found = {name: part for name, part in parts.items() if part is not None}
    return json.dumps(found, ensure_ascii=False, sort_keys=True) if found else ""


def read(cursor: str, part: str) -> Any:
    """Read one part of a cursor, as it was written; nothing of what makes no sense."""
    try:
        data = json.loads(cursor) if cursor else {}
    except (ValueError, RecursionError):
        return {}
    return data.get(part, {}) if isinstance(data, dict) else {}
