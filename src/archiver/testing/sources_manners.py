"""The promises of a source about what is not its own: standard output, the options, the names of files."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

from archiver.api import ArchiverError
from archiver.testing.contract import Account, Trial, promise
from archiver.testing.printed import printed


class MannersPromises:
    """What every source leaves alone, and how it keeps its files apart."""

    def test_nothing_is_printed(self, trial: Trial) -> None:
        """Nothing is written on standard output, which belongs to `run --json`: there is a log."""
        with printed() as lines:
            account = trial.account()
            with suppress(ArchiverError):
                account.within(account.source.check, "`check`")
            for material in trial.samples(account):
                account.fetch(material)
            with suppress(Exception):  # `test_it_can_be_closed` is there to tell of it
                account.within(account.source.close, "`close`")
        promise(
            not lines,
            f"printed on standard output: {', '.join(map(repr, lines[:3]))}; use `context.log`",
        )

    def test_options_stay_as_they_are(self, trial: Trial) -> None:
        """Options are the user's: listing and fetching leave them, and those of each entry, unchanged."""
        account = trial.account()
        before = _options(account)
        for material in trial.samples(account, 1):
            account.fetch(material)
        after = _options(account)
        changed = [name for name, value in after.items() if name not in before or before[name] != value]
        promise(not changed and len(after) == len(before), f"these options changed: {', '.join(changed)}")

    def test_files_of_a_role_have_labels_that_differ(self, trial: Trial) -> None:
        """Of the files of one material, those of the same role have labels that tell them apart."""
        account = trial.account()
        for material in trial.samples(account, 3):
            outcome, _ = account.fetch(material)
            counted = Counter((file.role.value, file.label) for file in outcome.files)
            alike = [f"{role} {label!r}" for (role, label), count in counted.items() if count > 1]
            promise(not alike, f"{material.id} has several files that are called {', '.join(alike[:3])}")


def _options(account: Account) -> dict[str, Any]:
    """Copy every option, of the source and of its entries."""
    kept = {"": account.spec.options, "made.": account.source.options}
    kept |= {f"entry {number}.": entry.options for number, entry in enumerate(account.spec.entries, 1)}
    return {
        f"{where}{name}": value
        for where, options in kept.items()
        for name, value in options.model_dump(warnings=False).items()
    }
