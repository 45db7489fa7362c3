"""The source: addresses and listings become materials, and a material becomes files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from archiver import api
from archiver_plugins.slideshare.materials import (
    Look,
    deleted,
    judged,
    of_card,
    of_deck,
    of_oembed,
    turned_away,
)
from archiver_plugins.slideshare.options import (
    PUBLIC,
    SlideShareEntry,
    SlideShareOptions,
    deck_path,
    native_id,
)
from archiver_plugins.slideshare.page import (
    Card,
    Deck,
    Document,
    OEmbed,
    count_pages,
    read_oembed,
)

#: Other programs get a page for telephones, without the data.
BROWSER: Final = {
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/142.0.0.0 Safari/537.36",
    "Accept-Language": "en",
}
MAX_LISTING_PAGES: Final = 100
MAX_PAGE_BYTES: Final = 8 << 20
MAX_IMAGE_BYTES: Final = 40 << 20
MAX_DECK_BYTES: Final = 2 << 30

#: What it answers when a deck was deleted (410), or a user or a deck has never been (404).
GONE: Final = (404, 410)

Listed = api.Material | api.Unavailable | api.Checkpoint
#: Yielded by an entry that may not have seen everything.
PARTIAL: Final = api.Checkpoint(complete=False)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to fetch: the refined material, the addresses of each page (best first), the texts."""

    material: api.Material
    pages: Sequence[Sequence[str]]
    texts: Sequence[str] = ()


class SlideShare(api.Source[SlideShareOptions, SlideShareEntry]):
    """Decks from SlideShare: page images, transcript, and a PDF made of the images.

    Entries name decks by address, or a user, a tag or words to search for. Addresses and users give
    a complete listing; a search does not, because a deck may drop out of its results and still exist.
    """

    type_name = "slideshare"
    options_class = SlideShareOptions
    entry_class = SlideShareEntry
    max_fetches = 4

    def discover(
        self, scope: api.Scope[SlideShareEntry], cursor: str
    ) -> Iterator[api.Material | api.Unavailable | api.Checkpoint]:
        """List the decks of all entries; one that several events name is looked at once."""
        del cursor  # a listing is short enough to be read whole each time
        looks: dict[str, Listed] = {}
        return api.list_entries(scope, lambda entry: self._entry(entry.options, looks))

    def _entry(self, options: SlideShareEntry, looks: dict[str, Listed]) -> Iterator[Listed]:
        for path in map(deck_path, options.addresses):
            if path not in looks:
                looks[path] = self._look_up(path)
            if _unidentified(looks[path]):
                yield PARTIAL
            yield looks[path]
        if options.user:
            yield from self._listed(f"/{quote(options.user, safe='')}", {})
        for words in filter(None, (options.tag, options.search)):
            # Results are ranked: a deck that drops out of them may still exist.
            yield PARTIAL
            yield from self._listed("/search", {"q": words})

    def _listed(self, path: str, params: dict[str, str]) -> Iterator[Listed]:
        """Turn the pages of a listing until one brings nothing new."""
        seen: set[str] = set()
        for number in range(1, MAX_LISTING_PAGES + 1):
            cards = [card for card in self._cards(path, params, number) if card.path not in seen]
            if not cards:
                if number == 1:
                    # Rather a page that we cannot read than an empty account.
                    yield PARTIAL
                return
            seen.update(card.path for card in cards)
            yield from map(of_card, cards)
        yield PARTIAL

    def _cards(self, path: str, params: dict[str, str], number: int) -> list[Card]:
        turned = params if number == 1 else params | {"page": str(number)}
        response = self._get(path, turned)
        if response.status in GONE:
            if number > 1:
                return []
            raise api.GoneError(
                f"{PUBLIC}{path} does not exist (status {response.status})",
                hint="Correct the user name in the configuration.",
            )
        document = Document(response)
        if not document.has_data:
            raise turned_away(PUBLIC + path)
        return list(document.cards())

    def _get(self, path: str, params: dict[str, str] | None = None) -> api.Response:
        return self.context.http.get(
            self.options.base_url + path,
            params=params or None,
            headers=BROWSER,
            accept=GONE,
            max_bytes=MAX_PAGE_BYTES,
        )

    def _look_up(self, path: str) -> Listed:
        """Make a material of one address; whatever is wrong with it belongs to it alone."""
        try:
            look = self._look(path)
        except api.SourceError as error:
            look = Look(path, problem=error)
        if look.deck is not None:
            return of_deck(look, look.deck)
        embedded = self._embedded(look) if look.bare else None
        if embedded is not None:
            return of_oembed(look, embedded)
        material = api.Material(native_id(look.path), api.Kind.SLIDES, url=look.url)
        return api.Unavailable(material, look.problem or turned_away(look.url))

    def _look(self, path: str, *, onward: bool = True) -> Look:
        """Get a deck's page, following redirects and one link to its proper address."""
        try:
            response = self._get(path)
        except api.BlockedError as error:
            return Look(path, problem=error, bare=True)
        here = self._path_of(response.url) or path
        if response.status in GONE:
            return Look(here, problem=deleted(here, response.status))
        document = Document(response)
        if document.has_data:
            return judged(here, document.deck())
        # The pages for telephones and for embedding have no data, but say where the deck's own page is.
        further = document.canonical
        if onward and further and further != here:
            return self._look(further, onward=False)
        return Look(further or here, problem=turned_away(PUBLIC + here), bare=True)

    def _path_of(self, url: str) -> str:
        """Bring the final address of a request back to the path of a deck, or nothing."""
        try:
            return deck_path(PUBLIC + url.removeprefix(self.options.base_url))
        except ValueError:
            return ""

    def _embedded(self, look: Look) -> OEmbed | None:
        """Ask the embedding API for the deck; None when it does not help."""
        try:
            response = self._get("/api/oembed/2", {"url": look.url, "format": "json"})
            return None if response.status in GONE else read_oembed(response)
        except api.SourceError as error:
            self.context.log.debug("oEmbed does not help with %s: %s", look.url, error)
            return None

    def entry_for(self, url: str) -> Mapping[str, object] | None:
        """Take the addresses of decks."""
        try:
            return {"url": PUBLIC + deck_path(url)}
        except ValueError:
            return None

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched | api.Material]:
        """Get all pages in the best size there is, the transcript, and make a PDF of the pages."""
        plan = self._plan(material)
        yield plan.material
        yield from api.page_files(
            list(self._pictures(plan, into)), into, title=plan.material.title, log=self.context.log
        )
        yield from api.transcript_file(plan.texts, into)

    def _plan(self, material: api.Material) -> _Plan:
        look = self._look(_path_to(material))
        if look.deck is not None:
            return self._plan_of_deck(material, look, look.deck)
        embedded = self._embedded(look) if look.bare else None
        if embedded is not None:
            return self._plan_of_oembed(material, look, embedded)
        raise look.problem or turned_away(look.url)

    def _plan_of_deck(self, material: api.Material, look: Look, deck: Deck) -> _Plan:
        found = of_deck(look, deck)
        if material.id.isdigit() and found.id != material.id:
            raise api.InvalidError(f"{material.url} answered with another deck, {found.url}")
        total = count_pages(deck.total_slides, look.url)
        pages = [deck.slides.addresses(page) for page in range(1, total + 1)]
        # The revision stays the listing's: only listings are compared with each other.
        refined = replace(
            found,
            id=material.id,
            revision=material.revision or found.revision,
            event=material.event,
            talk=material.talk,
            title=found.title or material.title,
        )
        return _Plan(refined, pages, deck.texts()[:total])

    def _plan_of_oembed(self, material: api.Material, look: Look, embedded: OEmbed) -> _Plan:
        total = count_pages(embedded.total_slides, look.url)
        scheme = self.options.base_url.partition(":")[0]
        pages = [[embedded.address(page, scheme)] for page in range(1, total + 1)]
        # Its own revision: when the page has its data again, the deck counts as changed, and is
        # fetched in a better size.
        refined = replace(
            material,
            title=embedded.title or material.title,
            authors=(embedded.author_name,) if embedded.author_name else material.authors,
            revision=f"oembed {total}",
        )
        return _Plan(refined, pages)

    def _pictures(self, plan: _Plan, into: Path) -> Iterator[api.Picture]:
        total = 0
        for number, addresses in enumerate(plan.pages, 1):
            picture = self._picture(addresses, into / f"p{number:03}", plan.material.title)
            total += picture.path.stat().st_size
            if total > MAX_DECK_BYTES:
                raise api.InvalidError(f"{plan.material.title!r} has more than {MAX_DECK_BYTES:,} bytes")
            yield picture

    def _picture(self, addresses: Sequence[str], path: Path, title: str) -> api.Picture:
        """Get one page in the first size that can be had.

        A size is given up when the service refuses it or has no such file, and when what comes is not
        a whole image twice in a row. Passing trouble is no reason for a smaller size: it is raised.
        """
        problem: api.SourceError | None = None
        for address in addresses:
            for _ in range(2):
                try:
                    return self._image(address, path)
                except (api.GoneError, api.BlockedError) as error:
                    problem = error
                    break
                except api.InvalidError as error:
                    problem = error
        message = f"page {path.name} of {title!r} cannot be had in any size: {problem}"
        if isinstance(problem, api.BlockedError):
            raise api.BlockedError(message) from problem
        raise api.InvalidError(message, hint="It is tried again in the next run.") from problem

    def _image(self, address: str, path: Path) -> api.Picture:
        path.unlink(missing_ok=True)
        self.context.http.download(address, path, headers=BROWSER, max_bytes=MAX_IMAGE_BYTES)
        picture = api.read_picture(path)
        # Every address ends in .jpg; the largest size is WebP all the same.
        return replace(picture, path=path.rename(path.with_suffix(picture.suffix)))


def _unidentified(item: Listed) -> bool:
    """Say whether a deck that we may hold under its number was listed without it."""
    if not isinstance(item, api.Unavailable) or isinstance(item.error, api.GoneError):
        return False
    return not item.material.id.isdigit()


def _path_to(material: api.Material) -> str:
    try:
        return deck_path(material.url)
    except ValueError as error:
        raise api.InvalidError(f"The deck {material.id} has no usable address: {error}") from error
