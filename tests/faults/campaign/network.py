"""Point 4: everything that can go wrong on the wire, at the requests of every source."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from archiver.testing.faults import FaultKind
from faults.campaign import checks
from faults.campaign.field import Field, field
from faults.campaign.figures import Figures
from faults.campaign.starter import DEADLINE, Starter

_TITLES = ("Deploy OpenStack with Chef", "Swift 架构")
#: The names that we give end in a hash of the bytes.
_HASH = re.compile(r"-[0-9a-f]{12}(?=[./]|$)")
#: The end of a page image's name: swift-p001.webp
_PAGE = re.compile(r"-p\d{3,}\.\w*$")


def contents(archive: Path) -> dict[str, str]:
    """Map what the newest versions hold to digests: by our names, without the hash of the bytes in them."""
    found: dict[str, str] = {}
    for file in archive.glob("ocfl/*/inventory.json"):
        data = json.loads(file.read_bytes())
        for digest, paths in data["versions"][data["head"]]["state"].items():
            found |= {_HASH.sub("", path): digest for path in paths if "metadata/" not in path}
    return found


def disturb(
    kinds: Sequence[str],
    folder: Path,
    starter: Starter,
    figures: Figures,
    each: int,
    seed: int,
    *,
    faults: Sequence[FaultKind] = tuple(FaultKind),
) -> None:
    """Let each kind of fault hit each source, `each` times at requests of its own."""
    chance = random.Random(seed)
    for kind in kinds:
        with field(kind, folder / kind, starter, _TITLES) as first:
            _disturb_one(first, figures, [fault for fault in faults for _ in range(each)], chance)


def _disturb_one(first: Field, figures: Figures, faults: Sequence[FaultKind], chance: random.Random) -> None:
    service = first.upstream.service
    assert service is not None
    if first.run(hasty=True).status != 0:
        raise SystemExit(f"the undisturbed run of {first.kind} did not end well")
    requests = len(service.requests)
    again = first.at(first.folder.parent / "again")
    again.run(hasty=True)
    whole, other = contents(first.archive), contents(again.archive)
    # What is made anew each time, such as the record of a visit with its time, cannot be compared.
    steady = {name: digest for name, digest in whole.items() if other.get(name) == digest}
    figures.notes.append(f"{first.kind}: {requests} requests, {len(steady)} of {len(whole)} files compared")
    for number, fault in enumerate(faults):
        after = chance.randrange(requests)
        place = first.at(first.folder.parent / f"{fault}-{number}")
        times = chance.choice([1, None])
        service.fault("*", fault, times=times, after=after, chunk=4096, pause=0.001, retry_after=1)
        trial = f"{first.kind} {fault} from request {after + 1}"
        figures.counts[f"{first.kind}: faults"] += 1
        figures.check(trial, _outcome(place, steady, set(whole), fault))


def _outcome(place: Field, steady: dict[str, str], names: set[str], fault: FaultKind) -> list[str]:
    start = time.monotonic()
    runner, wrong = place.run(hasty=True), []
    if runner.status not in {0, 1}:
        wrong.append(f"it ended with {runner.status} after {time.monotonic() - start:.0f} s")
    if time.monotonic() - start > DEADLINE:
        wrong.append("it took longer than the deadline")
    service = place.upstream.service
    assert service is not None
    service.faults.clear()
    if fault is FaultKind.GONE:
        # The service itself said that it does not have a page in this size: another one was taken.
        other = _in_other_sizes(contents(place.archive), names)
        steady = {name: digest for name, digest in steady.items() if name not in other}
        names = names - other
    wrong += [f"{text} (disturbed)" for text in _bytes(place, steady, names)]
    after = place.run(hasty=True)
    if after.status != 0:
        wrong.append(f"the next run ended with {after.status}: {after.errors[-400:]}")
    held = contents(place.archive)
    wrong += [f"{name} is missing after the next run" for name in sorted(names - held.keys())]
    return wrong + [f"{text} (after the next run)" for text in _bytes(place, steady, names)]


def _in_other_sizes(held: Iterable[str], names: set[str]) -> set[str]:
    """Name the pages of decks that are held in another form than those of `names`, and what they make up."""
    stems = {name.rpartition(".")[0] for name in set(held) - names if _PAGE.search(name)}
    decks = {_PAGE.sub(".pdf", f"{stem}.") for stem in stems}
    return {name for name in names if name.rpartition(".")[0] in stems or name in decks}


def _bytes(place: Field, steady: dict[str, str], names: set[str]) -> list[str]:
    held = contents(place.archive)
    wrong = [
        f"{name} holds wrong bytes" for name, digest in steady.items() if held.get(name, digest) != digest
    ]
    # Some sources take the next best thing while the best cannot be had: that is no wrong byte.
    wrong += [f"{name} should not be there" for name in sorted(held.keys() - names) if name.endswith(".html")]
    return wrong + checks.look(place.archive).wrong
