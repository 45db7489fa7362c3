"""One verification: every sink is listed, proven, repaired if that is asked for, and told of."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from archiver import __version__, ocfl, recall, seal
from archiver.archive import COMMON, RUNS, Head, check_format, look, new_run
from archiver.asked import NOBODY_ASKED, Asks
from archiver.config import Config
from archiver.contracts import Sink
from archiver.errors import ArchiverError, DamageError, SinkError
from archiver.instances import Instances, Workshop
from archiver.interrupts import stoppable
from archiver.lease import Lease
from archiver.ledger import union
from archiver.model import Audience
from archiver.registry import Registry
from archiver.talks import with_kept
from archiver.verify import selection
from archiver.verify.accepting import accept
from archiver.verify.adopting import adopt
from archiver.verify.findings import Finding, SinkResult, VerifyReport
from archiver.verify.items import Item
from archiver.verify.proving import Proof, prove
from archiver.verify.reading import Reader
from archiver.verify.repair import Mender
from archiver.verify.selection import Wanted
from archiver.verify.survey import Survey, is_removed, survey

#: What is said of a sink whose share of the budget was over before one file of its contents was proven.
NO_TIME = "proved nothing of the contents, for which there was no time: raise --budget"


class Watcher(Protocol):
    """Whoever watches a verification."""

    def began(self, sink: str, files: int, total: int) -> None:
        """Hear that so many files and bytes of a sink are looked at now."""

    def moved(self, done: int) -> None:
        """Hear that `done` more bytes were read. Called from worker threads."""

    def stopping(self) -> None:
        """Hear that the user asked to stop."""


class Silent:
    """A watcher that does not look."""

    def began(self, sink: str, files: int, total: int) -> None:
        """Pass over."""

    def moved(self, done: int) -> None:
        """Pass over."""

    def stopping(self) -> None:
        """Pass over."""


@dataclass
class Verify:
    """One verification of the sinks of a configuration."""

    config: Config
    registry: Registry
    wanted: Wanted = field(default_factory=Wanted)
    watcher: Watcher = field(default_factory=Silent)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.id = new_run()
        self.report = VerifyReport(self.id, _now(), __version__, asked=self.wanted.to_json())
        self._surveys: dict[str, Survey] = {}
        self._deadline: float | None = None
        self._public = {spec.name for spec in self.config.sinks if spec.audience is Audience.PUBLIC}

    def execute(self) -> VerifyReport:
        """Look at every sink that was asked for. A sink that cannot be used is told of in the report."""
        config = self.config
        shop = Workshop(self.id, config.folder, (), config.sinks, config.plugins, config.path)
        self._made = Instances(shop, self.registry)
        try:
            with stoppable(self.stop, self.watcher.stopping):
                self._all()
        finally:
            self._made.close()
        return self.report

    def _all(self) -> None:
        asked = self.wanted.sinks
        names = [spec.name for spec in self.config.sinks if not asked or spec.name in asked]
        end = None if self.wanted.budget is None else time.monotonic() + self.wanted.budget
        for number, name in enumerate(names):
            if end is not None:  # each sink gets its share, so that none is never come to
                self._deadline = time.monotonic() + (end - time.monotonic()) / (len(names) - number)
            self.report.sinks[name] = SinkResult()
            try:
                self._one(name)
            except ArchiverError as error:
                self.report.sinks[name].error = str(error)
        self._doubt_empty_ones()
        self.report.interrupted = self.stop.is_set()
        self.report.finished = _now()
        for name in names:
            self._leave(name)

    def _doubt_empty_ones(self) -> None:
        """Take a sink that holds nothing for one that could not be used, unless all are new."""
        empty = [name for name, each in self._surveys.items() if not each.objects]
        for name in empty if len(empty) < len(self._surveys) or self.wanted.sinks else ():
            why = (
                "it holds no archive: is its disk mounted? Fill a new one with: archive copy --from A --to B"
            )
            self.report.sinks[name].error = self.report.sinks[name].error or why
        if len(empty) == len(self._surveys):
            self._note_emptiness(empty)

    def _note_emptiness(self, names: Sequence[str]) -> None:
        for name in names:
            self.report.sinks[name].add_note("holds no archive yet")

    def _one(self, name: str) -> None:
        sink = self._made.sink(name)
        if not self.wanted.repair and not self.wanted.accepted:
            self._look(name, sink)
            return
        lease = Lease(sink, self.id)
        lease.acquire()
        try:
            sink.prepare()
            if self.wanted.accepted:
                taken = accept(name, sink, self.wanted.accepted)
                self.report.sinks[name].accepted = [loss.name for loss in taken]
            findings = self._look(name, sink)
            if self.wanted.repair and findings and not self.stop.is_set():
                self._repair(name, sink, findings, lease)
        finally:
            lease.release()

    def _over(self) -> bool:
        return self.stop.is_set() or (self._deadline is not None and time.monotonic() > self._deadline)

    def _look(self, name: str, sink: Sink[Any]) -> list[Finding]:
        """Prove what was asked for in one sink; give what was found, which is in the report too."""
        start = selection.remembered(sink, name)
        found = self._surveys[name] = self._survey(name, sink)
        items = selection.select(found.items, self.wanted, start)
        self.watcher.began(name, len(items), sum(item.size for item in items))
        proof = self._prove(name, sink, items)
        findings = self._second_look(sink, found, [*found.findings, *proof.findings])
        result = self.report.sinks[name]
        result.groups = selection.tally(found.items, proof.done)
        result.next = start
        if self.wanted.partial and not self.wanted.events:
            result.next = selection.following(found.items, proof.done, start)
        self.report.findings += findings
        if proof.error is not None:
            raise proof.error
        return findings

    def _prove(self, name: str, sink: Sink[Any], items: Sequence[Item]) -> Proof:
        """Prove structure, however long it takes, then contents for as long as there is time."""
        structure = [item for item in items if not item.is_content]
        contents = [item for item in items if item.is_content]
        proof = prove(Reader(sink, self.watcher.moved, self.stop.is_set), structure)
        if proof.error is not None or self.stop.is_set():
            return proof
        more = prove(Reader(sink, self.watcher.moved, self._over), contents)
        if contents and not more.done and more.error is None and not self.stop.is_set():
            self.report.sinks[name].add_note(NO_TIME)
        return Proof(proof.done | more.done, proof.findings + more.findings, more.error)

    def _survey(self, name: str, sink: Sink[Any]) -> Survey:
        """List a sink. What a person removed from a public one, for want of consent, is not missing."""
        found = survey(name, sink, self.wanted.events)
        if name in self._public:
            found.items = [item for item in found.items if not is_removed(found, item)]
        return found

    def _second_look(self, sink: Sink[Any], first: Survey, findings: Sequence[Finding]) -> list[Finding]:
        """Keep what is found again: a run that commits meanwhile makes a right archive look wrong."""
        if not findings:
            return []
        again = self._survey(first.name, sink)
        self._surveys[first.name] = again
        seen = {(each.path, each.what) for each in [*again.findings, *_recheck(again, findings).findings]}
        kept = [each for each in findings if (each.path, each.what) in seen]
        return sorted(kept, key=lambda each: (not each.is_damage, each.path))

    def _repair(self, name: str, sink: Sink[Any], findings: list[Finding], lease: Lease) -> None:
        if not lease.confirm():
            raise SinkError(f"another run took over sink {name}", hint="run the repair again")
        _refuse_newer(name, sink)
        more = self._adopt(name, sink, findings)
        others, staging = partial(self._others, name), self._staging(sink)
        config = self._told(name)
        mender = Mender(self._surveys[name], others, config, staging, partial(self._asks, name))
        touched = [*findings, *more]
        mender.mend_all(touched)
        sink.flush()
        self.report.findings += more
        self._confirm(name, sink, touched)

    def _adopt(self, name: str, sink: Sink[Any], findings: Sequence[Finding]) -> list[Finding]:
        """Restore objects of which no inventory proves right; give what is then found in them."""
        here, adopted = self._surveys[name], []
        for each in [each for each in here.objects.values() if each.trouble]:
            done, why = adopt(here, each.name, [other for other in self._others(name) if other.kin])
            if name in self._public and not done:
                why = f"move {each.prefix} elsewhere, if it is there: archive run fills it again"
            for finding in findings:
                if finding.path == f"{each.prefix}inventory.json":
                    finding.repaired, finding.hint = done, why or finding.hint
            if done:
                adopted.append(each.name)
        if not adopted:
            return []
        again = self._surveys[name] = self._survey(name, sink)
        proof = prove(self._reader(sink), [item for item in again.items if item.group in adopted])
        return proof.findings

    def _confirm(self, name: str, sink: Sink[Any], touched: Sequence[Finding]) -> None:
        """Believe no repair before it was read back."""
        again = self._survey(name, sink)
        wrong = {each.path for each in [*again.findings, *_recheck(again, touched).findings]}
        for each in touched:
            if each.repaired and each.path in wrong:
                each.repaired, each.hint = (
                    "",
                    "it was restored and is wrong again: that disk or store is failing",
                )

    def _others(self, name: str) -> list[Survey]:
        """Look into the other sinks for copies; one that cannot be read has none to give."""
        found = []
        for spec in self.config.sinks:
            if spec.name == name:
                continue
            try:
                other = survey(spec.name, self._made.sink(spec.name))
                other.kin = not {name, spec.name} & self._public
                found.append(other)
            except ArchiverError as error:
                why = f"could not ask sink {spec.name} for copies: {error}"
                self.report.sinks[name].add_note(why)
        return found

    def _asks(self, name: str, head: Head) -> Asks:
        return NOBODY_ASKED if name in self._public else recall.router([head], self.config).asks

    def _told(self, name: str) -> Config:
        """Give the configuration as a sink's catalog may know it."""
        if name not in self._public:
            return self.config
        heads = []
        for spec in self.config.sinks:
            if spec.name not in self._public:
                with suppress(ArchiverError):
                    heads.append(look(spec.name, self._made.sink(spec.name)))
        clearance = recall.clearance(heads, with_kept(self.config, heads))
        return clearance.narrowed(clearance.records(union(head.records for head in heads).values()))

    def _reader(self, sink: Sink[Any]) -> Reader:
        return Reader(sink, self.watcher.moved, lambda: False)

    def _staging(self, sink: Sink[Any]) -> Path | None:
        if self.config.archive.staging is not None or sink.local_root is None:
            return self.config.archive.staging
        return sink.local_root / "tmp"

    def _leave(self, name: str) -> None:
        """Leave the report in a sink; one that may only be read is verified all the same."""
        result = self.report.sinks[name]
        if result.error or name not in self._surveys or not self._surveys[name].objects:
            return
        report = self.report.alone(name) if name in self._public else self.report
        data = json.dumps(report.to_json(), ensure_ascii=False, indent=1) + "\n"
        sink = self._made.sink(name)
        try:
            seal.create(
                sink, RUNS + self.id + selection.ENDING, ocfl.blob(data.encode("utf-8", "backslashreplace"))
            )
            sink.flush()
        except SinkError as error:
            result.add_note(f"did not take the report: {error.message}")


def _refuse_newer(name: str, sink: Sink[Any]) -> None:
    """Write nothing into an archive of a format that this program does not know. Raises `FormatError`."""
    with suppress(DamageError):  # what says the format is damaged itself: it is about to be repaired
        common = ocfl.load(sink, COMMON).get(COMMON)
        if common is not None:
            check_format(name, common)


def _recheck(found: Survey, findings: Sequence[Finding]) -> Proof:
    paths = {each.path for each in findings}
    items = [item for item in found.items if item.path in paths or item.seal in paths]
    return prove(Reader(found.sink, lambda _: None, lambda: False), items)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
