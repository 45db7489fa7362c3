"""The promises of a fetch, and of an instance as a whole."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import ValidationError

from archiver.api import ArchiverError, Material
from archiver.discover import Listing
from archiver.testing.contract import (
    NAME,
    Account,
    LateError,
    Trial,
    does_not_apply,
    hostile,
    ids,
    main_digests,
    promise,
    shape,
    told,
)
from archiver.testing.messages import Reply, Request
from archiver.testing.proxy import Tamper, renamed
from archiver.threads import Stopped
from archiver.work import Outcome

#: How long one of several requests waits for company, in seconds.
MEETING = 0.5
ESCAPE = "../../../../escaped-by-name"


class FetchPromises:
    """What every fetch keeps to."""

    def test_a_fetch_brings_files(self, trial: Trial) -> None:
        """Each material that is listed can be fetched, and its bytes come back from the sink."""
        account = trial.account()
        for material in trial.samples(account, 3):
            outcome, held = account.fetch(material)
            promise(outcome.problem is None, f"{material.id} could not be fetched: {told(outcome)}")
            promise(outcome.stored, f"{material.id} reached no sink: {outcome.sink_errors}")
            sizes = {file.path: file.size for file in outcome.files}
            promise(
                sizes == {path: len(data) for path, data in held.items()}, "what was read back is not whole"
            )

    def test_bytes_are_those_of_the_service(self, trial: Trial) -> None:
        """The original that is stored is the one the service has, byte by byte."""
        if not trial.subject.expected:
            does_not_apply("no expected bytes were supplied (`expected`)")
        account = trial.account()
        for material in account.materials():
            wanted = trial.subject.expected.get(material.id)
            outcome, held = account.fetch(material) if wanted is not None else (None, {})
            if outcome is not None and outcome.problem is None:
                promise(wanted in held.values(), f"no file of {material.id} has the bytes of the service")

    def test_a_second_fetch_brings_the_same_files(self, trial: Trial) -> None:
        """Fetched again, a material has files of the same roles, labels and kinds."""
        for material in trial.samples(trial.account(), 1):
            first, second = (trial.listed().fetch(material)[0] for _ in range(2))
            promise(shape(first) == shape(second), f"{sorted(shape(first) ^ shape(second))[:3]} changed")

    def test_names_from_upstream_are_no_paths(self, trial: Trial) -> None:
        """Whatever a title or a file name says, nothing is written outside of the given directory."""
        account = trial.account()
        for material in trial.samples(account):
            calm, _ = account.fetch(material)
            before = _tree(trial.folder)
            with_names = _renaming(trial, account, hostile(material))
            if calm.problem is None:
                promise(with_names.problem is None, f"under a hostile name: {told(with_names)}")
                promise(len(with_names.files) == len(calm.files), "under a hostile name files are missing")
            promise(_tree(trial.folder) == before, "a file was written outside of the fetch's directory")

    def test_a_fetch_keeps_to_its_directory(self, trial: Trial) -> None:
        """A fetch writes below the directory that it is given, and the process stays where it works."""
        account = trial.account()
        for material in trial.samples(account):
            with TemporaryDirectory() as folder:
                base = Path(folder).resolve()
                here, staging = base / "here", base / "run" / "work"
                here.mkdir()
                with chdir(here):
                    account.done(replace(account.task(material), staging=staging))
                    left = Path.cwd() != here
                promise(not left, f"fetching {material.id} changed the working directory of the whole run")
                stray = sorted(_tree(base) - {Path("here"), Path("run"), Path("run/work")})
                stray = [path for path in stray if not path.match("run/work/fetch-*")]
                promise(not stray, f"fetching {material.id} wrote beside its directory: {_shown(stray)}")

    def test_a_task_can_travel(self, trial: Trial) -> None:
        """A task pickles, and an instance that never listed anything can fetch it."""
        account = trial.account()
        for material in trial.samples(account):
            calm, _ = account.fetch(material)
            try:
                task = pickle.loads(pickle.dumps(account.task(material)))  # noqa: S301  # made one line above
            except Exception as error:  # noqa: BLE001  # that is what is looked for
                promise(None, f"the task of {material.id} cannot be pickled: {error}")
            stranger = trial.account()
            outcome, _ = stranger.done(replace(task, workshop=stranger.workshop))
            same = calm.problem is not None or outcome.problem is None
            promise(same, f"an instance that had not listed {material.id} failed: {told(outcome)}")

    def test_several_threads_may_fetch(self, trial: Trial) -> None:
        """As many fetches at once as `max_fetches` allows bring what they bring one by one."""
        account = trial.account()
        if type(account.source).max_fetches < 2:
            does_not_apply("`max_fetches` is 1: the source asks for one fetch at a time")
        materials = trial.samples(account, 4)
        if len(materials) < 2:
            does_not_apply("the service has only one material")
        alone = [account.fetch(material)[0] for material in materials]
        if trial.subject.url:
            trial.proxy.tamper = _meeting()
        with ThreadPoolExecutor(len(materials)) as pool:
            together = [outcome for outcome, _ in pool.map(account.fetch, materials)]
        for material, one, other in zip(materials, alone, together, strict=True):
            promise(
                (one.problem is None) == (other.problem is None)
                and shape(one) == shape(other)
                and _alike(one, other),
                f"{material.id} differs when others are fetched at the same time: {told(other)}",
            )

    def test_a_fetch_can_be_stopped(self, trial: Trial) -> None:
        """What stops a run passes through the source: it is neither caught nor taken for a failure."""
        account = trial.account()
        for material in trial.samples(account, 1):
            noted: list[int] = []

            def note(done: int, total: int | None, noted: list[int] = noted) -> None:
                del done, total
                noted.append(1)
                raise Stopped

            try:
                outcome, _ = account.fetch(material, note)
            except Stopped:
                continue
            promise(not noted, f"a stop was swallowed, and the fetch went on: {told(outcome)}")

    def test_what_was_deleted_is_not_listed(self, trial: Trial) -> None:
        """A material deleted upstream fails to be fetched as gone, and a new listing knows it no more."""
        if trial.subject.remove is None:
            does_not_apply("nothing was supplied to delete a material upstream (`remove`)")
        account = trial.account()
        listing = account.listing()
        before = {found.material.id: found.material for found in listing.found if found.problem is None}
        trial.subject.remove()
        lost = before.keys() - ids(trial.account().listing(_cursor(listing)))
        promise(not before or lost, "after a material was deleted, the listing names all of them still")
        for name in lost:
            outcome, _ = account.fetch(before[name])
            reason = outcome.problem.reason if outcome.problem else "nothing wrong"
            promise(reason in {"gone", "invalid"}, f"fetching {name} told of {reason}: {told(outcome)}")

    def test_what_was_changed_has_a_new_revision(self, trial: Trial) -> None:
        """A material changed upstream is listed with another revision, or under another id."""
        if trial.subject.change is None:
            does_not_apply("nothing was supplied to change a material upstream (`change`)")
        account = trial.account()
        old = {material.id: material for material in account.materials()}
        trial.subject.change()
        new = {material.id: material for material in trial.account().materials()}
        kept = [item for item in old if item in new and old[item].revision]
        changed = [item for item in kept if old[item].revision != new[item].revision]
        promise(
            changed or len(kept) < len(old) or not old, "the change shows in no revision: it would be missed"
        )
        for item in changed:
            _still_answers(account, old[item])

    def test_unknown_options_are_refused(self, trial: Trial) -> None:
        """An option that the source does not know is an error, not silence."""
        account = trial.account()
        classes: Sequence[Any] = (type(account.source).options_class, type(account.source).entry_class)
        for kind in classes:
            try:
                kind.model_validate({"an_option_nobody_has": 1})
            except ValidationError as error:
                extra = any(each["type"] == "extra_forbidden" for each in error.errors())
                promise(extra, f"{kind.__name__} does not refuse options that it does not know")
            else:
                promise(None, f"{kind.__name__} takes options that it does not know")

    def test_a_working_source_passes_its_check(self, trial: Trial) -> None:
        """`check` raises nothing when the source is configured well, and leaves no file behind."""
        account = trial.account()
        before = _tree(trial.folder)
        try:
            account.within(account.source.check, "`check`")
        except ArchiverError as error:
            promise(None, f"`check` refused a good configuration: {error}")
        promise(_tree(trial.folder) == before, "`check` left something behind")

    def test_it_can_be_closed(self, trial: Trial) -> None:
        """`close` raises nothing, used or not, and leaves no thread of the source behind."""
        for used in (False, True):
            before = set(threading.enumerate())
            account = trial.account()
            for material in trial.samples(account, 1) if used else ():
                account.fetch(material)
            started = [each for each in threading.enumerate() if each not in before and not _ours(each)]
            try:
                account.within(account.source.close, "`close`")
            except LateError:
                raise
            except Exception as error:  # noqa: BLE001  # that is what is looked for
                promise(None, f"`close` raised {type(error).__name__}: {error}")
            for each in started:
                each.join(1.0)
            alive = [each.name for each in started if each.is_alive()]
            promise(not alive, f"threads of the source still run: {alive}")


def _cursor(listing: Listing) -> str:
    """Give where the next run goes on from."""
    return listing.checkpoint.cursor if listing.checkpoint else ""


def _shown(paths: Sequence[Path]) -> str:
    return ", ".join(repr(path.name) for path in paths[:3])


def _tree(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


def _renaming(trial: Trial, account: Account, material: Material) -> Outcome:
    if not trial.subject.url:
        return account.fetch(material)[0]
    trial.proxy.tamper = renamed(ESCAPE)
    try:
        return account.fetch(material)[0]
    finally:
        trial.proxy.tamper = None


def _meeting() -> Tamper:
    """Hold each of the first requests until another one comes: fetches then surely overlap."""
    barrier = threading.Barrier(2)

    def tamper(request: Request, reply: Reply) -> Reply:
        del request
        if not barrier.broken:
            try:
                barrier.wait(MEETING)
            except threading.BrokenBarrierError:
                return reply
        return reply

    return tamper


def _alike(one: Outcome, other: Outcome) -> bool:
    """Compare bytes, but for what is a record of the fetch itself and has its time inside."""
    bytes_alike = main_digests(one.files) == main_digests(other.files)
    return bytes_alike or any(file.media_type == "application/wacz" for file in one.files)


def _still_answers(account: Account, material: Material) -> None:
    outcome, _ = account.fetch(material)
    crashed = outcome.problem is not None and f"source {NAME} failed:" in told(outcome)
    promise(not crashed, f"fetching what was listed before the change: {told(outcome)}")


def _ours(thread: threading.Thread) -> bool:
    """Tell the threads of the suite and the core from those of the source."""
    target = getattr(thread, "_target", None)
    return (getattr(target, "__module__", "") or "").startswith(("archiver.", "socketserver", "concurrent"))
