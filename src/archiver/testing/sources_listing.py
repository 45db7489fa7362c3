"""The promises of a listing."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from archiver import vetting
from archiver.api import ArchiverError, Checkpoint, Material, Unavailable, redact
from archiver.errors import FatalError
from archiver.testing.contract import LateError, Trial, does_not_apply, ids, promise

_DATE = re.compile(r"(\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?)?")


def _listed(items: list[Any]) -> list[Material]:
    """Give the materials among what was yielded."""
    unpacked = (item.material if isinstance(item, Unavailable) else item for item in items)
    return [item for item in unpacked if isinstance(item, Material)]


def _texts(material: Material) -> str:
    return repr(material)


class ListingPromises:
    """What every listing keeps to, in peace."""

    def test_something_is_listed(self, trial: Trial) -> None:
        """A listing names the materials that the service has."""
        listing = trial.account().listing()
        promise(listing.error is None, f"the listing failed: {listing.error}")
        promise(
            any(found.problem is None for found in listing.found),
            "nothing that could be fetched was listed; the service of a contract needs at least one material",
        )

    def test_a_listing_ends_with_one_checkpoint(self, trial: Trial) -> None:
        """The last thing that `discover` yields is a checkpoint, the only one."""
        items = trial.account().raw()
        count = sum(isinstance(item, Checkpoint) for item in items)
        promise(count == 1, f"{count} checkpoints were yielded instead of one")
        promise(isinstance(items[-1], Checkpoint), "something was yielded after the checkpoint")

    def test_materials_keep_to_their_types(self, trial: Trial) -> None:
        """Everything listed is of the types and sizes of the contract, and dates are ISO 8601."""
        account = trial.account()
        for item in account.raw():
            if not isinstance(item, Material | Unavailable | Checkpoint):
                promise(None, f"a listing yielded a {type(item).__name__}")
            wrong = vetting.trouble(item) if isinstance(item, Unavailable) else None
            promise(wrong is None, wrong.message if wrong else "")
        for material in _listed(account.raw()):
            _well_formed(material)

    def test_ids_are_unique(self, trial: Trial) -> None:
        """No id is listed twice for one event, however often the service names it."""
        items = _listed(trial.account().raw())
        twice = [key for key, count in Counter((item.event, item.id) for item in items).items() if count > 1]
        promise(not twice, f"listed twice: {', '.join(repr(key) for _, key in twice[:3])}")

    def test_a_second_listing_is_the_same(self, trial: Trial) -> None:
        """Another run finds the same ids and revisions while nothing changes upstream."""
        first, second = (
            {item.id: item.revision for item in _listed(trial.account().raw())} for _ in range(2)
        )
        promise(first.keys() == second.keys(), f"ids changed: {sorted(first.keys() ^ second.keys())[:3]}")
        changed = sorted(item for item in first if first[item] != second[item])
        promise(not changed, f"revisions changed although nothing else did: {changed[:3]}")

    def test_addresses_are_public(self, trial: Trial) -> None:
        """What is listed names the public address of the service, never the `base_url` of today."""
        for material in _listed(trial.account().raw()):
            parts = urlsplit(material.url)
            fits = not material.url or parts.scheme in {"http", "https"}
            promise(fits, f"{material.id} has the address {material.url!r}")
            promise(
                not trial.subject.url or urlsplit(trial.proxy.url).netloc not in _texts(material),
                f"{material.id} repeats the address that the options gave: {material.url!r}",
            )

    def test_no_address_carries_a_secret(self, trial: Trial) -> None:
        """No id and no address has a parameter such as `token` or `sig`: pages show them to everybody."""
        for material in _listed(trial.account().raw()):
            for where, name in vetting.secrets(material).items():
                shown = redact(getattr(material, where))[:200]
                promise(None, f"the {where} {shown!r} carries {name!r}, which looks like a secret")

    def test_secrets_stay_secret(self, trial: Trial) -> None:
        """No password or key of the options stands in what is listed, in the cursor or in the log."""
        account = trial.account()
        told = [repr(item) for item in account.raw()] + account.diary.lines
        for secret in account.secrets:
            where = next((text for text in told if secret in text), "")
            promise(not where, f"a secret option was repeated: {where.replace(secret, '(the secret)')[:200]}")

    def test_a_limited_listing_is_not_complete(self, trial: Trial) -> None:
        """A listing that stopped at the scope's limit does not claim to have seen everything."""
        account = trial.account()
        everything = {item.id for item in _listed(account.raw())}
        *_, end = [None, *trial.account().raw(limit=1)]
        seen = {item.id for item in _listed(trial.account().raw(limit=1))}
        claimed = isinstance(end, Checkpoint) and end.complete
        promise(not claimed or seen == everything, "after one of several materials it said `complete=True`")

    def test_a_cursor_forgets_nothing(self, trial: Trial) -> None:
        """A listing from a cursor names everything again, or is not complete."""
        first = trial.account().raw()
        cursor = next((item.cursor for item in first if isinstance(item, Checkpoint)), "")
        again = trial.account().raw(cursor)
        complete = any(isinstance(item, Checkpoint) and item.complete for item in again)
        lost = {item.id for item in _listed(first)} - {item.id for item in _listed(again)}
        promise(
            not (complete and lost),
            f"from its cursor it left out {sorted(lost)[:3]} and said `complete=True`: that withdraws them",
        )

    def test_a_strange_cursor_breaks_nothing(self, trial: Trial) -> None:
        """A cursor of another version is refused with a `SourceError`, or not minded."""
        for cursor in ("\x00 strange", "99999999999999999999999", '{"a":[]}', "长" * 100):
            try:
                trial.account().raw(cursor)
            except ArchiverError:
                continue
            except LateError:
                raise
            except Exception as error:  # noqa: BLE001  # that is what is looked for
                promise(None, f"the cursor {cursor[:30]!r} raised {type(error).__name__}: {error}")

    def test_a_listing_can_be_left(self, trial: Trial) -> None:
        """A run that is stopped leaves a listing half way; the source can list again."""
        account = trial.account()

        def leave() -> None:
            listing = account.given(account.scope)
            next(listing, None)
            close = getattr(listing, "close", None)
            if close is not None:
                close()

        try:
            account.within(leave, "leaving a listing")
        except (ArchiverError, RuntimeError) as error:
            promise(None, f"leaving a listing raised {type(error).__name__}: {error}")
        before, after = ids(trial.account().listing()), set[str]()
        after.update(ids(account.listing()))
        promise(before == after, "after a listing that was left, the same instance lists something else")

    def test_two_accounts_do_not_mix(self, trial: Trial) -> None:
        """Two configured instances of one source know nothing of each other."""
        if trial.subject.other is None:
            does_not_apply("no second account was supplied (`other`)")
        alone = ids(trial.account().listing())
        mine, hers = trial.account(), trial.account(trial.subject.other)
        theirs, ours = ids(hers.listing()), ids(mine.listing())
        promise(theirs or not alone, "the second account lists nothing")
        promise(ours == alone, "beside a second account, the first one lists other things")
        promise(ours.isdisjoint(theirs), f"both accounts list {sorted(ours & theirs)[:3]}")


def _well_formed(material: Material) -> None:
    try:
        bounded = vetting.material(material)
    except FatalError as error:
        promise(None, error.message)
        return
    cut = [name for name in ("title", "description") if getattr(bounded, name) != getattr(material, name)] + [
        "url"
    ] * (len(material.url) > vetting.MAX_URL)
    promise(not cut, f"{material.id[:60]}: too long: {', '.join(cut)}")
    promise(_DATE.fullmatch(material.date), f"{material.id} has the date {material.date!r}")
