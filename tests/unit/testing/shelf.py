"""A small service and a source for it that keeps every promise: what the faulty twins are twins of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr

import media_samples
from archiver import api
from archiver.testing import Reply, Request, Routes, Service
from archiver.testing.sources import Subject

PUBLIC = "https://shelf.example.org"
KEY = "a-very-secret-key"
PAGE = 2


class ShelfDouble(Service):
    """The service: users with decks, two decks on a page; titles and bytes may change."""

    def __init__(self, user: str, names: Iterable[str]) -> None:
        super().__init__()
        self.user = user
        self.decks = {name: (1, media_samples.pdf([f"{user} {name}"])) for name in names}

    def routes(self) -> Routes:
        return {"/api/decks": self.listed, "/api/decks/{name}": self.deck, "/files/{name}.pdf": self.file}

    def listed(self, request: Request) -> Reply:
        page = int(request.query.get("page", "1"))
        names = list(self.decks)
        shown = names[(page - 1) * PAGE : page * PAGE]
        decks = [{"name": name, "version": self.decks[name][0]} for name in shown]
        return Reply.json({"decks": decks, "pages": -(-len(names) // PAGE)})

    def deck(self, request: Request) -> Reply:
        name = request.args["name"]
        if name not in self.decks:
            return Reply.missing()
        return Reply.json({"file": f"{self.url}/files/{name}.pdf"})

    def file(self, request: Request) -> Reply:
        found = self.decks.get(request.args["name"])
        return Reply.file(found[1], "application/pdf") if found else Reply.missing()

    def change(self) -> None:
        name = next(iter(self.decks))
        self.decks[name] = (2, media_samples.pdf(["changed"]))

    def remove(self) -> None:
        del self.decks[next(iter(self.decks))]


class ShelfOptions(api.Options):
    base_url: api.BaseUrl = PUBLIC
    key: SecretStr = SecretStr(KEY)


class ShelfEntry(api.Options):
    user: str = ""


class Shelf(api.Source[ShelfOptions, ShelfEntry]):
    """Decks from a shelf."""

    type_name = "shelf"
    options_class: ClassVar[type[api.Options]] = ShelfOptions
    entry_class = ShelfEntry

    def discover(self, scope: api.Scope[ShelfEntry], cursor: str) -> Iterator[Any]:
        del cursor
        return api.list_entries(scope, lambda _: self.decks())

    def decks(self) -> Iterator[api.Material]:
        page, pages = 1, 1
        while page <= pages:
            answer = self.ask("/api/decks", page=str(page))
            pages = answer["pages"]
            yield from (self.material(deck["name"], str(deck["version"])) for deck in answer["decks"])
            page += 1

    def ask(self, path: str, **params: str) -> Any:
        answer = self.get(path, params).json()
        wanted = {"decks", "pages"} if path == "/api/decks" else {"file"}
        if not isinstance(answer, dict) or not wanted <= answer.keys():
            raise api.InvalidError(f"{path} was answered with something else")
        return answer

    def get(self, path: str, params: dict[str, str]) -> api.Response:
        return self.context.http.get(self.address + path, params=params)

    @property
    def address(self) -> str:
        return self.options.base_url

    def material(self, name: str, version: str) -> api.Material:
        return api.Material(
            name,
            api.Kind.SLIDES,
            title=f"Deck {name}",
            url=f"{PUBLIC}/{name}",
            revision=version,
            date="2012-09-16",
        )

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched]:
        address = self.ask(f"/api/decks/{material.id}")["file"]
        yield self.download(address, material, into)

    def download(self, address: str, material: api.Material, into: Path) -> api.Fetched:
        del material
        self.context.http.download(address, into / "deck.pdf")
        return api.Fetched(Path("deck.pdf"))


@contextmanager
def subject_of(kind: type[api.Source[Any, Any]] = Shelf) -> Iterator[Subject]:
    """Run the service and a second one, and give what a contract is supplied with."""
    with ExitStack() as stack:
        mine = stack.enter_context(ShelfDouble("ada", ["chef", "nova", "swift", "glance"]))
        hers = stack.enter_context(ShelfDouble("eve", ["cinder", "heat"]))
        yield Subject(
            kind,
            lambda url: {"base_url": url},
            url=mine.url,
            other=Subject(kind, lambda url: {"base_url": url}, url=hers.url),
            expected={name: data for name, (_, data) in mine.decks.items()},
            change=mine.change,
            remove=mine.remove,
        )
