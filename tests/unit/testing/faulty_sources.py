"""Sources with one fault each, at most five lines away from `Shelf`, by the promise that they break."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

import media_samples
from archiver import api
from unit.testing.shelf import PUBLIC, Shelf, ShelfEntry, ShelfOptions

Scope = api.Scope[ShelfEntry]
PLACEHOLDER = media_samples.pdf(["not available"])
DECK = Path("deck.pdf")

#: The faulty twin of each promise, with words of the message that tells what is wrong.
TWINS: dict[str, tuple[type[Shelf], str]] = {}


def breaks(promise: str, message: str) -> Callable[[type[Shelf]], type[Shelf]]:
    def keep(kind: type[Shelf]) -> type[Shelf]:
        assert promise not in TWINS
        TWINS[promise] = (kind, message)
        return kind

    return keep


@breaks("test_something_is_listed", "nothing that could be fetched")
class Empty(Shelf):
    def discover(self, scope: Scope, cursor: str) -> Iterator[Any]:
        yield api.Checkpoint(complete=True)


@breaks("test_a_listing_ends_with_one_checkpoint", "0 checkpoints")
class Endless(Shelf):
    def discover(self, scope: Scope, cursor: str) -> Iterator[Any]:
        yield from (item for item in super().discover(scope, cursor) if isinstance(item, api.Material))


@breaks("test_materials_keep_to_their_types", "yesterday")
class Yesterday(Shelf):
    def material(self, name: str, version: str) -> api.Material:
        return api.Material(name, api.Kind.SLIDES, revision=version, date="yesterday")


@breaks("test_ids_are_unique", "listed twice")
class Repeating(Shelf):
    def discover(self, scope: Scope, cursor: str) -> Iterator[Any]:
        yield from self.decks()
        yield from super().discover(scope, cursor)

    def material(self, name: str, version: str) -> api.Material:
        return api.Material(name, api.Kind.SLIDES, revision=version, event="beijing")


@breaks("test_a_second_listing_is_the_same", "revisions changed")
class Restless(Shelf):
    def material(self, name: str, version: str) -> api.Material:
        return api.Material(name, api.Kind.SLIDES, revision=str(time.monotonic_ns()))


@breaks("test_addresses_are_public", "repeats the address")
class Local(Shelf):
    def material(self, name: str, version: str) -> api.Material:
        address = f"{self.options.base_url}/{name}"
        return api.Material(name, api.Kind.SLIDES, revision=version, url=address)


@breaks("test_secrets_stay_secret", "a secret option was repeated")
class Talkative(Shelf):
    def material(self, name: str, version: str) -> api.Material:
        self.context.log.debug("asked with %s", self.options.key.get_secret_value())
        return super().material(name, version)


@breaks("test_a_limited_listing_is_not_complete", "`complete=True`")
class Content(Shelf):
    def discover(self, scope: Scope, cursor: str) -> Iterator[Any]:
        for item in super().discover(scope, cursor):
            limited = isinstance(item, api.Checkpoint) and scope.limit is not None
            yield api.Checkpoint(complete=True) if limited else item


@breaks("test_a_cursor_forgets_nothing", "that withdraws them")
class Forgetful(Shelf):
    def discover(self, scope: Scope, cursor: str) -> Iterator[Any]:
        if cursor == "seen":
            yield api.Checkpoint("seen", complete=True)
            return
        for item in super().discover(scope, ""):
            yield replace(item, cursor="seen") if isinstance(item, api.Checkpoint) else item


@breaks("test_a_strange_cursor_breaks_nothing", "raised ValueError")
class Numbered(Shelf):
    def discover(self, scope: Scope, cursor: str) -> Iterator[Any]:
        int(cursor or "0", 8)
        yield from super().discover(scope, cursor)


@breaks("test_a_listing_can_be_left", "leaving a listing raised RuntimeError")
class Clinging(Shelf):
    def discover(self, scope: Scope, cursor: str) -> Iterator[Any]:
        try:
            yield from super().discover(scope, cursor)
        except GeneratorExit:
            raise RuntimeError("why so early?") from None


@breaks("test_two_accounts_do_not_mix", "beside a second account")
class Shared(Shelf):
    last: ClassVar[str]

    def __init__(self, options: ShelfOptions, context: api.Context) -> None:
        super().__init__(options, context)
        Shared.last = options.base_url

    address = property(lambda _: Shared.last)


@breaks("test_a_fetch_brings_files", "could not be fetched")
class Absent(Shelf):
    def download(self, address: str, material: api.Material, into: Path) -> api.Fetched:
        super().download(address, material, into)
        return api.Fetched(Path("another.pdf"))


@breaks("test_bytes_are_those_of_the_service", "has the bytes of the service")
class Altering(Shelf):
    def download(self, address: str, material: api.Material, into: Path) -> api.Fetched:
        made = super().download(address, material, into)
        with (into / DECK).open("ab") as stream:
            stream.write(b"\n% fetched by shelf\n")
        return made


@breaks("test_a_second_fetch_brings_the_same_files", "changed")
class Labelling(Shelf):
    def download(self, address: str, material: api.Material, into: Path) -> api.Fetched:
        super().download(address, material, into)
        return api.Fetched(DECK, label=f"n{id(self)}")


@breaks("test_names_from_upstream_are_no_paths", "hostile name|outside")
class Trusting(Shelf):
    def download(self, address: str, material: api.Material, into: Path) -> api.Fetched:
        self.context.http.download(address, into / material.title)
        return api.Fetched(Path(material.title))


@breaks("test_a_fetch_keeps_to_its_directory", "wrote beside its directory: 'evil.txt'")
class Littering(Shelf):
    def download(self, address: str, material: api.Material, into: Path) -> api.Fetched:
        (into.parent / "evil.txt").write_text("x")
        return super().download(address, material, into)


@breaks("test_nothing_is_printed", "printed on standard output: 'asking'")
class Printing(Shelf):
    def decks(self) -> Iterator[api.Material]:
        print("asking")  # noqa: T201  # the fault
        yield from super().decks()


class Bag(ShelfOptions):
    seen: list[str] = Field([])


@breaks("test_options_stay_as_they_are", "these options changed: seen, made.seen")
class Hoarding(Shelf):
    options_class = Bag

    def material(self, name: str, version: str) -> api.Material:
        self.options.__dict__["seen"].append(name)
        return super().material(name, version)


@breaks("test_files_of_a_role_have_labels_that_differ", "several files that are called original ''")
class Doubling(Shelf):
    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched]:
        yield from super().fetch(material, into)
        (into / "more.pdf").write_bytes(PLACEHOLDER)
        yield api.Fetched(Path("more.pdf"))


@breaks("test_no_address_carries_a_secret", r"the url '.*token=\*\*\*' carries 'token'")
class Leaking(Shelf):
    def material(self, name: str, version: str) -> api.Material:
        return replace(super().material(name, version), url=f"{PUBLIC}/{name}?token=s3cr3t-abcdef")


@breaks("test_a_task_can_travel", "had not listed")
class Remembering(Shelf):
    def material(self, name: str, version: str) -> api.Material:
        self.__dict__.setdefault("seen", set()).add(name)
        return super().material(name, version)

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched]:
        if material.id not in self.__dict__.get("seen", ()):
            raise api.InvalidError("never seen")
        yield from super().fetch(material, into)


@breaks("test_several_threads_may_fetch", "at the same time")
class Crossing(Shelf):
    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched]:
        self.__dict__["wanted"] = material.id
        yield from super().fetch(material, into)

    def download(self, address: str, material: api.Material, into: Path) -> api.Fetched:
        wanted = self.__dict__["wanted"]
        return super().download(f"{self.address}/files/{wanted}.pdf", material, into)


@breaks("test_a_fetch_can_be_stopped", "a stop was swallowed")
class Stubborn(Shelf):
    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched]:
        try:
            yield from super().fetch(material, into)
        except KeyboardInterrupt:
            raise api.InvalidError("it did not work") from None


@breaks("test_what_was_deleted_is_not_listed", "told of nothing wrong")
class Replacing(Shelf):
    def get(self, path: str, params: dict[str, str]) -> api.Response:
        answer = self.context.http.get(self.address + path, params=params, accept=(404,))
        return answer if answer.status != 404 else super().get("/api/decks/glance", params)


@breaks("test_what_was_changed_has_a_new_revision", "would be missed")
class Blind(Shelf):
    def material(self, name: str, version: str) -> api.Material:
        return super().material(name, "1")


class LaxEntry(ShelfEntry):
    model_config = ConfigDict(extra="ignore", frozen=True)


@breaks("test_unknown_options_are_refused", "LaxEntry takes options")
class Lax(Shelf):
    entry_class = LaxEntry


@breaks("test_a_working_source_passes_its_check", "refused a good configuration")
class Strict(Shelf):
    def check(self) -> None:
        raise api.InvalidError("the key looks wrong")


@breaks("test_it_can_be_closed", "`close` raised")
class Unclosable(Shelf):
    def close(self) -> None:
        raise ValueError("already closed")


@breaks("test_it_asks_through_the_core", "was still asked for")
class Direct(Shelf):
    def decks(self) -> Iterator[api.Material]:
        try:
            yield from super().decks()
        finally:
            with suppress(OSError):
                urllib.request.urlopen(f"{self.address}/ping", timeout=5).close()


@breaks("test_it_is_made_without_asking", "the constructor already asked")
class Eager(Shelf):
    def __init__(self, options: ShelfOptions, context: api.Context) -> None:
        super().__init__(options, context)
        with suppress(api.SourceError):
            self.get("/api/decks", {})


@breaks("test_it_waits_as_it_is_told", "told to wait 7 seconds, it waited 0")
class Impatient(Shelf):
    def get(self, path: str, params: dict[str, str]) -> api.Response:
        for _ in range(3):
            answer = self.context.http.get(self.address + path, params=params, accept=(429,))
            if answer.status != 429:
                return answer
        raise api.TransientError("busy")


@breaks("test_a_listing_that_fails_half_way_is_not_complete", "that withdraws them")
class Hopeful(Shelf):
    def decks(self) -> Iterator[api.Material]:
        with suppress(api.SourceError):
            yield from super().decks()


@breaks("test_busy_is_not_gone", "the error was FatalError")
class Dramatic(Shelf):
    def discover(self, scope: Scope, cursor: str) -> Iterator[Any]:
        try:
            yield from super().discover(scope, cursor)
        except api.TransientError as error:
            raise api.FatalError(str(error)) from error


@breaks("test_a_busy_fetch_can_be_tried_again", "at request 1 of the fetch")
class Discouraged(Shelf):
    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched]:
        try:
            yield from super().fetch(material, into)
        except api.TransientError as error:
            raise api.InvalidError(str(error)) from error


@breaks("test_half_a_file_is_no_file", "other files were taken")
class Pretending(Shelf):
    def download(self, address: str, material: api.Material, into: Path) -> api.Fetched:
        try:
            return super().download(address, material, into)
        except api.SourceError:
            (into / DECK).write_bytes(PLACEHOLDER)
            return api.Fetched(DECK)


@breaks("test_a_login_page_is_no_file", "the login page was stored")
class Credulous(Shelf):
    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched]:
        yield from super().fetch(material, into)
        self.context.http.download(f"{self.address}/api/decks/{material.id}", into / "about.html")
        yield api.Fetched(Path("about.html"), api.Role.SIDECAR)


@breaks("test_odd_answers_are_told_of", "raised KeyError|raised TypeError")
class Naive(Shelf):
    def ask(self, path: str, **params: str) -> Any:
        return self.get(path, params).json()


@breaks("test_what_is_gone_is_told_as_gone", "told of invalid")
class Deaf(Shelf):
    def get(self, path: str, params: dict[str, str]) -> api.Response:
        return self.context.http.get(self.address + path, params=params, accept=(410,))
