"""Point 6: single flipped bits over everything in a sink: all found, all repaired from the second one."""

from __future__ import annotations

import random
from pathlib import Path

from archiver import pages
from faults.campaign.figures import Figures
from verify_kit import Bench, bench, build, damage, flip

#: How many bits are flipped before each look, each in a file of its own.
_AT_ONCE = 10


def witnesses(path: str) -> str:
    """Name the group of files that prove each other: of each one, only one is spoiled at a time."""
    if path.rpartition("/")[2].startswith("inventory.json"):
        return path.split("/")[1]
    return path.removesuffix(".sha256")


def rot(folder: Path, figures: Figures, wanted: int, seed: int) -> None:
    """Flip so many bits, and hold what is found and repaired against it."""
    chance = random.Random(seed)
    (folder / "built").mkdir(parents=True)
    spoiled = bench(folder / "bench", build(folder / "built"))
    before = spoiled.digests()
    kept = list(before)
    while figures.counts["bits flipped"] < wanted:
        count = min(_AT_ONCE, wanted - figures.counts["bits flipped"])
        flipped = _spoil(spoiled, kept, count, chance)
        figures.counts["bits flipped"] += len(flipped)
        figures.check(f"{flipped}", _outcome(spoiled, flipped, before, figures))


def _spoil(spoiled: Bench, kept: list[str], count: int, chance: random.Random) -> dict[str, int]:
    chosen: dict[str, str] = {}
    for path in chance.sample(kept, k=len(kept)):
        chosen.setdefault(witnesses(path), path)
    picked = chance.sample(sorted(chosen.values()), k=min(count, len(chosen)))
    return {path: flip(spoiled.one / path, chance) for path in picked}


def _outcome(spoiled: Bench, flipped: dict[str, int], before: dict[str, str], figures: Figures) -> list[str]:
    found = set(damage(spoiled.verify().findings))
    missed = [path for path in flipped if not {path, path.removesuffix(".sha256")} & found]
    if any(path.startswith(pages.STATE + "pages.json") for path in found):
        # What the pages were is not known any more: they are not named one by one, but all written again.
        missed = [path for path in missed if not pages.is_page(path)]
    figures.counts["found"] += len(flipped) - len(missed)
    spoiled.verify(repair=True)
    after = spoiled.digests()
    unlike = [path for path, digest in before.items() if after.get(path) != digest]
    figures.counts["repaired"] += len(flipped) - len(unlike)
    return [f"{path} was not found" for path in missed] + [f"{path} was not repaired" for path in unlike]
