"""Put together what ledgers, decisions and configuration say of one material."""

from __future__ import annotations

from collections.abc import Iterator

from archiver.copies import copies, names
from archiver.decisions import short_id
from archiver.errors import MissingError
from archiver.explain.model import Copy, Explained, Found, Knowledge
from archiver.explain.placing import matched, others, routed
from archiver.explain.settling import settled
from archiver.ledger import Record, StoredFile


def explain(found: Found, known: Knowledge) -> Explained | None:
    """Explain what was found. None for what no ledger has: then its decision is all there is."""
    record = found.record
    if record is None:
        return None
    material = record.material
    decision = known.router.decisions.about(record.type_name, material.id, material.event)
    made = Explained(
        short_id(record.type_name, material.id),
        found,
        record,
        routed(record, known, decision),
        matched(record, known),
        tuple(others(record, known)),
        tuple((file, tuple(_copies(record, file, known))) for file in record.files),
        decision,
        name=_name(record, known),
    )
    return settled(made, known)


def _name(record: Record, known: Knowledge) -> str:
    """Give the word by which `archive matches` picks it: "second/3f9a2c41" where other events have it too."""
    item = (record.type_name, record.material.id)
    own = [each for each in known.records if (each.type_name, each.material.id) == item]
    picked = names(copies(own, known.router.decisions))
    return picked.get((record.material.event, *item), short_id(*item))


def _copies(record: Record, file: StoredFile, known: Knowledge) -> Iterator[Copy]:
    for name, head in known.heads.items():
        target = head.object(record.material.event)
        try:
            yield Copy(name, target.locate(file.path), target.state[file.path])
        except MissingError:
            yield Copy(name, "", "")
