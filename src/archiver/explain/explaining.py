"""Put together what ledgers, decisions and configuration say of one material."""

from __future__ import annotations

from collections.abc import Iterator

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
    decision = known.router.decisions.about(record.type_name, record.material.id)
    made = Explained(
        short_id(record.type_name, record.material.id),
        found,
        record,
        routed(record, known, decision),
        matched(record, known),
        tuple(others(record, known)),
        tuple((file, tuple(_copies(record, file, known))) for file in record.files),
        decision,
    )
    return settled(made, known)


def _copies(record: Record, file: StoredFile, known: Knowledge) -> Iterator[Copy]:
    for name, head in known.heads.items():
        target = head.object(record.material.event)
        try:
            yield Copy(name, target.locate(file.path), target.state[file.path])
        except MissingError:
            yield Copy(name, "", "")
