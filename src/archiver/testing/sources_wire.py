"""The promises of a source whose service, or the wire before it, does not behave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from archiver.api import BlockedError, Material, SourceError, TransientError
from archiver.discover import Listing
from archiver.testing.contract import (
    NAME,
    Account,
    LateError,
    Trial,
    ids,
    main_digests,
    promise,
    told,
)
from archiver.testing.proxy import Tamper, answering
from archiver.work import Outcome

#: What a service that is busy or shaky does; for 429 and 503 it asks to wait for so many seconds.
BUSY = ("429", "503", "reset")
CUT = ("truncate", "wrong-length", "503")
WAIT = 7
#: How the core tells of a plugin that raised what is no `SourceError`.
CRASH = f"source {NAME} failed:"
#: Bytes that are no answer at all, and some that look like one.
ODD_ANSWERS = (
    (b"", "text/html"),
    (b"<html><body><p>Hello", "text/html; charset=x-unknown"),
    (b"\xff\xfe\x00\x81" * 40, "application/octet-stream"),
    (b"null", "application/json"),
    (b"[]", "application/json"),
    (b'{"items": null, "error": 7}', "application/json"),
    (b"[" * 5000, "application/json"),
    (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;', "application/xml"),
)


class Unplugged:
    """An HTTP client that refuses everything: what comes all the same did not go through the core."""

    def _refuse(self, *args: Any, **options: Any) -> NoReturn:
        del args, options
        raise BlockedError("the network is switched off")

    get = post = download = send = _refuse


def _problems(listing: Listing) -> Iterable[str]:
    return (found.problem.reason for found in listing.found if found.problem is not None)


def _calm(account: Account) -> set[str]:
    listing = account.listing()
    return ids(listing) if listing.complete else set()


class WirePromises:
    """What a source keeps to when its service does not. They need a service on the network."""

    def test_it_asks_through_the_core(self, trial: Trial) -> None:
        """Every request goes through `context.http`: only there is it polite, bounded and guarded."""
        samples = trial.samples(trial.account(), 1)
        trial.proxy.requests.clear()
        account = trial.account(http=Unplugged())
        account.listing()
        for material in samples:
            account.fetch(material)
        seen = [each.path for each in trial.proxy.requests]
        promise(not seen, f"with `context.http` switched off, the service was still asked for {seen[:3]}")

    def test_it_is_made_without_asking(self, trial: Trial) -> None:
        """Making an instance asks nothing of the network: `archive check` makes them all."""
        trial.proxy.requests.clear()
        trial.account()
        promise(not len(trial.proxy.requests), "the constructor already asked the service")

    def test_it_waits_as_it_is_told(self, trial: Trial) -> None:
        """After 429 with Retry-After it waits that long, and then gets what it wanted."""
        calm = trial.account()
        number = len(trial.points(calm.listing))
        wanted = ids(calm.listing())
        for after in range(min(number, 2)):
            account = trial.account()
            trial.proxy.fault("*", "429", after=after, retry_after=WAIT)
            found = ids(account.listing())
            trial.proxy.faults.clear()
            promise(found == wanted, f"after one 429 it lists {len(found)} of {len(wanted)}")
            most = max(account.hourglass.waited, default=0)
            promise(most >= WAIT - 1, f"told to wait {WAIT} seconds, it waited {most:.0f}")

    def test_a_listing_that_fails_half_way_is_not_complete(self, trial: Trial) -> None:
        """When any request of a listing goes wrong, the listing does not end as a complete one."""
        wanted = _calm(trial.account())
        for kind in (*BUSY, "truncate", "login"):
            for after in trial.points(trial.account().listing):
                with trial.broken(kind, after):
                    listing = trial.account().listing()
                lost = wanted - {found.material.id for found in listing.found}
                promise(
                    not (listing.complete and lost),
                    f"with {kind} at request {after + 1} it left out {sorted(lost)[:3]} and said"
                    " `complete=True`: that withdraws them",
                )

    def test_busy_is_not_gone(self, trial: Trial) -> None:
        """A service that is busy or shaky is told of with `TransientError`; nothing is gone for that."""
        for kind in BUSY:
            for after in trial.points(trial.account().listing):
                with trial.broken(kind, after, retry_after=30):
                    listing = trial.account().listing()
                where = f"with {kind} at request {after + 1} of the listing"
                promise("gone" not in _problems(listing), f"{where} a material was told to be gone")
                promise("invalid" not in _problems(listing), f"{where} a material was told to be invalid")
                error = listing.error
                right = error is None or isinstance(error, TransientError)
                promise(right, f"{where} the error was {type(error).__name__}: {error}")

    def test_a_busy_fetch_can_be_tried_again(self, trial: Trial) -> None:
        """A fetch that meets a busy or shaky service fails with `TransientError`, and works later."""
        account = trial.account()
        for material in trial.samples(account, 1):
            calm, _ = account.fetch(material)
            for kind in BUSY:
                for after in _points(trial, material):
                    shaken = trial.listed()
                    with trial.broken(kind, after, retry_after=30):
                        outcome, _ = shaken.fetch(material)
                    right = outcome.problem is None or outcome.transient or calm.problem
                    promise(right, f"with {kind} at request {after + 1} of the fetch: {told(outcome)}")
            outcome, _ = account.fetch(material)
            well = outcome.problem is None or calm.problem
            promise(well, f"when the service was well again: {told(outcome)}")

    def test_half_a_file_is_no_file(self, trial: Trial) -> None:
        """What comes cut short, with a wrong length or not now is not replaced by something else."""
        for material in trial.samples(trial.account(), 1):
            whole, _ = trial.listed().fetch(material)
            if whole.problem is not None:
                continue
            for kind in CUT:
                for after in _points(trial, material):
                    account = trial.listed()
                    with trial.broken(kind, after):
                        outcome, _ = account.fetch(material)
                    promise(
                        outcome.problem is not None or _as_good(outcome, whole),
                        f"with {kind} at request {after + 1} other files were taken for those of"
                        f" {material.id}",
                    )

    def test_a_login_page_is_no_file(self, trial: Trial) -> None:
        """A page for logging in, with status 200, is not stored as the file that was asked for."""
        for material in trial.samples(trial.account()):
            for after in _points(trial, material):
                account = trial.listed()
                with trial.broken("login", after):
                    _, held = account.fetch(material)
                bad = [path for path, data in held.items() if b'action="/login"' in data]
                promise(not bad, f"the login page was stored as {bad[:1]}")

    def test_odd_answers_are_told_of(self, trial: Trial) -> None:
        """Answers that make no sense end in a `SourceError` that says so, not in a crash."""
        account = trial.account()
        samples = trial.samples(account, 1)
        for body, media_type in ODD_ANSWERS:
            for after in range(2):
                trial.proxy.tamper = _from(after, answering(body, media_type))
                _survives(trial.account(), body)
            for material in samples:
                trial.proxy.tamper = answering(body, media_type)
                outcome, _ = account.fetch(material)
                crashed = outcome.problem is not None and CRASH in told(outcome)
                promise(not crashed, f"answered with {body[:30]!r}: {told(outcome)}")
            trial.proxy.tamper = None

    def test_what_is_gone_is_told_as_gone(self, trial: Trial) -> None:
        """An item deleted between listing and fetch fails with `GoneError`; the run goes on."""
        account = trial.account()
        for material in trial.samples(account, 1):
            with trial.broken("gone", 0):
                outcome, _ = account.fetch(material)
            reason = outcome.problem.reason if outcome.problem else "nothing"
            promise(reason == "gone", f"answered with 410, the fetch told of {reason}: {told(outcome)}")


def _points(trial: Trial, material: Material) -> list[int]:
    account = trial.listed()
    return trial.points(lambda: account.fetch(material))


def _as_good(outcome: Outcome, whole: Outcome) -> bool:
    return main_digests(outcome.files) == main_digests(whole.files) or _grades(outcome) == _grades(whole)


def _grades(outcome: Outcome) -> Sequence[str]:
    """Give what stands for the material, for files whose bytes differ each time (web archives)."""
    return sorted(f"{file.role} {file.grade} {file.label} {file.size}" for file in outcome.files)


def _from(after: int, tamper: Tamper) -> Tamper:
    seen = [0]

    def later(request: Any, reply: Any) -> Any:
        seen[0] += 1
        return tamper(request, reply) if seen[0] > after else reply

    return later


def _survives(account: Account, body: bytes) -> None:
    try:
        account.raw()
    except SourceError:
        return
    except LateError:
        raise
    except Exception as error:  # noqa: BLE001  # that is what is looked for
        promise(None, f"answered with {body[:30]!r} the listing raised {type(error).__name__}: {error}")
