"""How `archive plugins try` tells what happens: lines for people, records for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.common import echo_json, printable
from archiver.cli.words import count, size
from archiver.redact import redact

if TYPE_CHECKING:
    from archiver.errors import SourceError
    from archiver.model import Checkpoint, Material
    from archiver.tryout import Tally
    from archiver.web import Seen
    from archiver.work import Outcome

#: Characters of a cursor that are shown.
CURSOR = 60


class Lines:
    """Says everything in sentences, on stdout."""

    def requested(self, seen: Seen) -> None:
        """Tell of a request."""
        answer = f"{seen.status}  {size(seen.size)}" if seen.status else f"no answer: {seen.error}"
        _say(f"  {seen.method} {seen.url}  {answer}  {seen.seconds * 1000:.0f} ms")

    def listed(self, material: Material, problem: SourceError | None, *, again: bool) -> None:
        """Tell of a material."""
        known = [material.date, ", ".join(material.authors), redact(material.url)]
        about = "; ".join(part for part in known if part)
        _say(f"Listed: {_named(material)}" + (f"; {about}" if about else ""))
        if problem is not None:
            _say(f"  It cannot be had: {problem.reason}: {problem}")
        if again:
            _say("  Its id came before: one material would hide the other.")

    def checkpoint(self, checkpoint: Checkpoint | None, *, cut: bool) -> None:
        """Tell how the listing ended."""
        if cut:
            _say("There is more than the limit: the listing was cut off here, before its checkpoint.")
        elif checkpoint is None:
            _say("The listing ended without a checkpoint: nothing could ever be marked as withdrawn.")
        else:
            whole = "complete" if checkpoint.complete else "not complete"
            at = f", cursor {checkpoint.cursor[:CURSOR]!r}" if checkpoint.cursor else ""
            _say(f"Checkpoint: {whole}{at}")

    def fetched(self, outcome: Outcome) -> None:
        """Tell what a run would make of an item."""
        for error in outcome.sink_errors.values():
            _say(f"The scratch folder cannot be written: {error}")
        if outcome.problem is not None:
            _say(
                f"Not fetched: {_named(outcome.material)}: {outcome.problem.reason}: {outcome.problem.detail}"
            )
            return
        _say(f"Fetched: {_named(outcome.material)}")
        for file in outcome.files:
            of = f"{file.media_type}, {file.role}, {file.grade}, {size(file.size)}"
            _say(f"  {file.path}  {of}" + (f", label {file.label!r}" if file.label else ""))

    def failed(self, step: str, error: SourceError) -> None:
        """Tell that the source failed."""
        what = "The listing failed" if step == "list" else "The source cannot work"
        _say(f"{what}: {error.reason}: {error.message}")
        if error.hint:
            _say(f"  What to do: {error.hint}")

    def finished(self, tally: Tally, scratch: Path) -> None:
        """Tell the numbers."""
        parts = [f"{count(tally.listed, 'item')} listed", f"{tally.fetched} fetched"]
        if tally.problems or not tally.failed:  # "0 problems" says nothing of a listing that failed
            parts.append(count(tally.problems, "problem"))
        failed = "The source failed, as is told above: " if tally.failed else ""
        where = f"The files are in {scratch}" if tally.fetched else "There are no files."
        _say(f"{failed}{', '.join(parts)}. {where}")


class Records:
    """Writes one JSON object per happening, on stdout; the last is `try.finished`."""

    def requested(self, seen: Seen) -> None:
        """Write a request."""
        about = {"method": seen.method, "url": seen.url, "status": seen.status or None, "bytes": seen.size}
        _write("request", **about, seconds=round(seen.seconds, 4), error=seen.error)

    def listed(self, material: Material, problem: SourceError | None, *, again: bool) -> None:
        """Write a material."""
        known = {"date": material.date, "authors": list(material.authors), "url": redact(material.url)}
        problems = None if problem is None else {"reason": problem.reason, "detail": str(problem)}
        _write("listed", **_about(material), **known, problem=problems, again=again)

    def checkpoint(self, checkpoint: Checkpoint | None, *, cut: bool) -> None:
        """Write how the listing ended."""
        known = checkpoint is not None
        _write(
            "checkpoint",
            complete=checkpoint.complete if checkpoint else None,
            cursor=checkpoint.cursor if checkpoint else None,
            given=known,
            cut=cut,
        )

    def fetched(self, outcome: Outcome) -> None:
        """Write what a run would make of an item."""
        files = [
            {
                "path": file.path,
                "media_type": file.media_type,
                "role": str(file.role),
                "grade": str(file.grade),
                "label": file.label,
                "size": file.size,
                "sha256": file.sha256,
            }
            for file in outcome.files
        ]
        problem = outcome.problem
        told = None if problem is None else {"reason": problem.reason, "detail": problem.detail}
        _write("fetched", **_about(outcome.material), files=files, problem=told)

    def failed(self, step: str, error: SourceError) -> None:
        """Write that the source failed."""
        _write("failed", step=step, reason=error.reason, message=error.message, hint=error.hint)

    def finished(self, tally: Tally, scratch: Path) -> None:
        """Write the numbers."""
        numbers = {"listed": tally.listed, "fetched": tally.fetched, "problems": tally.problems}
        _write("try.finished", **numbers, folder=str(scratch), exit_code=tally.exit_code)


def _named(material: Material) -> str:
    return f"{material.kind} “{material.title or material.id}” (id {material.id})"


def _about(material: Material) -> dict[str, Any]:
    return {"id": material.id, "kind": str(material.kind), "title": material.title}


def _say(text: str) -> None:
    click.echo(printable(text))


def _write(what: str, **data: Any) -> None:
    echo_json({"type": what, **data})
