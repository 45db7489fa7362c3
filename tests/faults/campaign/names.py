"""Point 7: odd names as titles, speakers and file names, through every source."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from faults.campaign import checks
from faults.campaign.field import field
from faults.campaign.figures import Figures
from faults.campaign.starter import Starter

#: One of each class of names that has broken something somewhere.
NAMES = (
    "../../../../tmp/campaign-owned", "..\\..\\owned", "/etc/passwd", "C:\\Windows\\owned", "%2e%2e%2fowned",
    "....//....//owned", ".", "..", "~root", "-rf --no-preserve-root", "CON", "nul.txt", "COM1", "aux ",
    "trailing dot.", "a:b", "a|b?c*d", "\u202efdp.exe", "zero\u200bwidth\ufeff", "e\u0301te\u0301", "été",
    "👩‍👩‍👧‍👦 emoji 🇨🇳", "云" * 100, "x" * 300, "<img src=x onerror=alert(1)>", "</script><b>", "&amp;&lt;",
    "'; DROP TABLE materials; --", '" or 1=1', "$(touch owned)", "`id`", "a;b&&c", "{{7*7}}", "${HOME}",
    "%s%n", "日本語のタイトル", "ﷺ", "İstanbul ı", "ｆｕｌｌｗｉｄｔｈ", "\u2028line", "=cmd|'/c calc'!A1",
    "ledger.jsonl",
)  # fmt: skip


def carry(
    kinds: Sequence[str], folder: Path, starter: Starter, figures: Figures, names: Sequence[str] = NAMES
) -> None:
    """Archive an upstream of such names by each source; look at what is stored, where, and its name."""
    for kind in kinds:
        # Every film is joined anew, which takes a second.
        carried = names[::4] if kind == "video" else names
        with field(kind, folder / kind, starter, carried, speaker=names[0]) as place:
            before = _outside(folder, place.folder)
            runner = place.run(hasty=True)
            wrong = [] if runner.status == 0 else [f"it ended with {runner.status}: {runner.errors[-800:]}"]
            titles = [record["material"]["title"] for record in place.records() if record.get("material")]
            figures.counts[f"{kind}: names"] += len(carried)
            figures.counts[f"{kind}: told exactly"] += len(set(titles) & set(carried))
            changed = [ascii(name) for name in carried if name not in titles]
            figures.notes.append(f"{kind}: called otherwise than upstream: {', '.join(changed)[:2000]}")
            if len(titles) < len(carried):
                wrong.append(f"{len(titles)} of {len(carried)} are in the ledger")
            wrong += [f"{path} was written outside" for path in _outside(folder, place.folder) - before]
            wrong += [f"{path} is no safe name" for path in _unsafe(place.archive)]
            figures.check(kind, [*wrong, *checks.is_valid(place.archive)])


def _outside(folder: Path, within: Path) -> set[str]:
    """List what lies around the folder of a run, and where traversals would lead."""
    around = {str(path) for path in folder.rglob("*") if not path.is_relative_to(within)}
    return around | {path for path in ("/tmp/campaign-owned", "/tmp/owned") if os.path.lexists(path)}


def _unsafe(archive: Path) -> list[str]:
    wrong = []
    for path in archive.glob("ocfl/**/*"):
        name = path.name
        odd = any(not c.isprintable() or c in '\\:*?"<>|' for c in name)
        if odd or len(name.encode()) > 255 or name.endswith((".", " ")):
            wrong.append(repr(str(path.relative_to(archive))))
    return wrong
