"""Point 8: an upstream that is suddenly empty costs nothing that is stored, and somebody is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from faults.campaign import checks
from faults.campaign.field import Field, field
from faults.campaign.figures import Figures
from faults.campaign.starter import Runner, Starter

_TITLES = ("Deploy OpenStack with Chef", "Swift 架构", "Juju")


def empty(kinds: Sequence[str], folder: Path, starter: Starter, figures: Figures) -> None:
    """Archive each upstream, empty it, and run again."""
    for kind in kinds:
        with field(kind, folder / kind, starter, _TITLES) as place:
            first = place.run(hasty=True)
            if first.status != 0:
                figures.check(kind, [f"the first run ended with {first.status}: {first.errors[-600:]}"])
                continue
            before, stored = checks.look(place.archive), checks.digests(place.archive)
            figures.counts["files stored before"] += len(stored)
            place.upstream.empty()
            second = place.run(hasty=True)
            figures.counts["upstreams emptied"] += 1
            wrong = checks.lost(before, checks.look(place.archive))
            wrong += [f"{digest} is lost" for digest in stored - checks.digests(place.archive)]
            figures.check(kind, [*wrong, *_told(place, second)])


def _told(place: Field, runner: Runner) -> list[str]:
    """Say what a run over an empty upstream should have told, and did not."""
    alarms = [each for each in runner.told() if each["type"] == "alarm"]
    failed = [each for each in runner.told() if each["type"] == "source.listed" and each["error"]]
    wrong = [] if alarms or failed else ["no alarm was raised, and no listing failed"]
    if runner.status != 1:
        wrong.append(f"it ended with {runner.status}")
    gone = sum(record.get("state") == "withdrawn" for record in place.records())
    return wrong + ([f"{gone} were marked as withdrawn"] if gone else [])
