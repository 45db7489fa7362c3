"""The source: addresses and users become materials, and a material becomes files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from archiver import api
from archiver_plugins.speakerdeck.options import PUBLIC, SpeakerDeckEntry, SpeakerDeckOptions, deck_path
from archiver_plugins.speakerdeck.page import (
    OEmbed,
    Page,
    material_at,
    read_feed,
    read_oembed,
)

MAX_LISTING_PAGES: Final = 100
MAX_PAGE_BYTES: Final = 8 << 20
MAX_IMAGE_BYTES: Final = 40 << 20
MAX_DECK_BYTES: Final = 2 << 30
#: A deck that is deleted or private is not found.
GONE: Final = (404, 410)

Listed = api.Material | api.Unavailable | api.Checkpoint
#: Yielded by an entry that may not have seen everything.
PARTIAL: Final = api.Checkpoint(complete=False)


class SpeakerDeck(api.Source[SpeakerDeckOptions, SpeakerDeckEntry]):
    """Decks from Speaker Deck: the author's PDF, or slide images with a PDF made of them; transcript.

    Entries name decks by address, or a user. A deck's id is `user/slug`: it is the only name that every
    page of the service knows.
    """

    type_name = "speakerdeck"
    options_class = SpeakerDeckOptions
    entry_class = SpeakerDeckEntry
    max_fetches = 4

    def discover(
        self, scope: api.Scope[SpeakerDeckEntry], cursor: str
    ) -> Iterator[api.Material | api.Unavailable | api.Checkpoint]:
        """List the decks of all entries; one that several events name is looked at once."""
        del cursor  # a listing is short enough to be read whole each time
        looks: dict[str, Listed] = {}
        return api.list_entries(scope, lambda entry: self._entry(entry.options, looks))

    def _entry(self, options: SpeakerDeckEntry, looks: dict[str, Listed]) -> Iterator[Listed]:
        for path in map(deck_path, options.addresses):
            if path not in looks:
                looks[path] = self._look_up(path)
            yield looks[path]
        if options.user:
            yield from self._of_user(options.user)

    def _look_up(self, path: str) -> Listed:
        """Make a material of one address; whatever is wrong with it belongs to it alone."""
        try:
            return _of_page(path, self._deck_page(path))
        except api.SourceError as error:
            return api.Unavailable(material_at(path), error)

    def _of_user(self, user: str) -> Iterator[Listed]:
        """List a user's decks: the pages know them all, the feed knows the dates of the newest."""
        dated = self._feed(user)
        listed: set[str] = set()
        for number in range(1, MAX_LISTING_PAGES + 1):
            cards, whole = self._cards(user, number)
            titles = {path: title for path, title in cards if path not in listed}
            if not titles:
                if not whole:  # a page for logging in is not the end of the list
                    yield PARTIAL
                break
            listed |= titles.keys()
            yield from (dated.get(path) or material_at(path, title) for path, title in titles.items())
        else:
            yield PARTIAL
        yield from (material for path, material in dated.items() if path not in listed)
        if not listed:
            # Rather a page that we cannot read than an empty account.
            yield PARTIAL

    def _cards(self, user: str, number: int) -> tuple[list[tuple[str, str]], bool]:
        """Read one page of the list; say whether it was a page of a user at all."""
        params = {"page": str(number)} if number > 1 else {}
        response = self._get(f"/{quote(user, safe='')}", params)
        if response.status not in GONE:
            page = Page(response)
            return list(page.decks_of(user)), page.view_type == "user"
        if number > 1:
            return [], True
        raise api.GoneError(
            f"Speaker Deck has no user {user!r} (status {response.status})",
            hint="Correct the user name in the configuration.",
        )

    def _feed(self, user: str) -> dict[str, api.Material]:
        try:
            response = self._get(f"/{quote(user, safe='')}.atom")
        except (api.BlockedError, api.InvalidError) as error:
            self.context.log.debug("the feed of %s does not help: %s", user, error)
            return {}
        return {} if response.status in GONE else read_feed(response)

    def _get(self, path: str, params: dict[str, str] | None = None) -> api.Response:
        return self.context.http.get(
            self.options.base_url + path,
            params=params or None,
            accept=GONE,
            max_bytes=MAX_PAGE_BYTES,
        )

    def _deck_page(self, path: str) -> Page:
        response = self._get(path)
        if response.status in GONE:
            raise api.GoneError(f"The deck {PUBLIC}{path} does not exist (status {response.status})")
        page = Page(response)
        if page.view_type == "talk":
            return page
        if page.view_type:
            raise api.InvalidError(
                f"{PUBLIC}{path} is not the page of a deck",
                hint="Open it in a browser and copy the address of the deck itself.",
            )
        raise api.BlockedError(
            f"{PUBLIC}{path} came without a deck: the service takes this program for a robot",
            hint="Nothing is lost; try again later, or from another network.",
        )

    def entry_for(self, url: str) -> Mapping[str, object] | None:
        """Take the addresses of decks."""
        try:
            return {"url": PUBLIC + deck_path(url)}
        except ValueError:
            return None

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched | api.Material]:
        """Get the author's PDF, or all slides and a PDF made of them; and the transcript."""
        path = _path_to(material)
        page = self._deck_page(path)
        embedded = self._embedded(path)
        refined = _refined(material, page, embedded)
        original = self._original(page, into)
        if page.pdf and not original:
            # Another revision, so that the PDF is asked for again when the next listing differs.
            refined = replace(refined, revision=f"{refined.revision} slides")
        yield refined
        if original:
            yield original
        else:
            yield from self._slides(refined, embedded.file_id or page.file_id, into)
        yield from api.transcript_file(page.texts(), into)

    def _original(self, page: Page, into: Path) -> api.Fetched | None:
        """Get the PDF, or nothing when there is none or it is refused."""
        for _ in range(2 if page.pdf else 0):
            path = into / "original.pdf"
            try:
                self.context.http.download(page.pdf, path, max_bytes=MAX_DECK_BYTES)
                _expect_pdf(path)
            except (api.GoneError, api.BlockedError) as error:
                self.context.log.warning("%s cannot be had, slides are taken instead: %s", page.pdf, error)
                return None
            except api.InvalidError as error:
                self.context.log.warning("%s is not a whole PDF: %s", page.pdf, error)
                path.unlink(missing_ok=True)  # a page for logging in, perhaps
            else:
                return api.Fetched(
                    Path(path.name), api.Role.ORIGINAL, api.Grade.PDF, media_type="application/pdf"
                )
        return None

    def _embedded(self, path: str) -> OEmbed:
        """Ask the embedding API; an empty answer when it does not help."""
        try:
            response = self._get("/oembed.json", {"url": PUBLIC + path})
            return OEmbed() if response.status in GONE else read_oembed(response)
        except (api.BlockedError, api.InvalidError) as error:
            self.context.log.debug("oEmbed does not help with %s: %s", path, error)
            return OEmbed()

    def _slides(self, material: api.Material, file_id: str, into: Path) -> Iterator[api.Fetched]:
        pictures = list(self._pictures(material, self._player(material, file_id), into))
        yield from api.page_files(pictures, into, title=material.title, log=self.context.log)

    def _player(self, material: api.Material, file_id: str) -> list[str]:
        """Read the addresses of all slides off the player, where they are counted from 0."""
        if not file_id:
            raise api.InvalidError(
                f"{material.url} offers no PDF, and neither its page nor oEmbed names its slides",
                hint="The service may have changed; look for a newer version of this program.",
            )
        response = self._get(f"/player/{file_id}")
        if response.status in GONE:
            raise api.GoneError(f"The slides of {material.url} do not exist (status {response.status})")
        return Page(response).slides()

    def _pictures(
        self, material: api.Material, addresses: Sequence[str], into: Path
    ) -> Iterator[api.Picture]:
        total = 0
        for number, address in enumerate(addresses, 1):
            picture = self._picture(address, into / f"p{number:03}", material.title)
            total += picture.path.stat().st_size
            if total > MAX_DECK_BYTES:
                raise api.InvalidError(f"{material.title!r} has more than {MAX_DECK_BYTES:,} bytes")
            yield picture

    def _picture(self, address: str, path: Path, title: str) -> api.Picture:
        try:
            self.context.http.download(address, path, max_bytes=MAX_IMAGE_BYTES)
            picture = api.read_picture(path)
        except (api.GoneError, api.InvalidError) as error:
            # The deck itself is there: one lost slide does not make it a deleted one.
            raise api.InvalidError(
                f"Slide {path.name} of {title!r} cannot be had: {error}",
                hint="It is tried again in the next run.",
            ) from error
        return replace(picture, path=path.rename(path.with_suffix(picture.suffix)))


def _expect_pdf(path: Path) -> None:
    """Raise `InvalidError` when a file does not begin like a PDF (ISO 32000 allows 1 KiB before it)."""
    with path.open("rb") as file:
        start = file.read(1024)
    if b"%PDF-" not in start:
        raise api.InvalidError(f"not a PDF: it begins with {start[:32]!r}")


def _of_page(path: str, page: Page) -> api.Material:
    # What changes when the deck is uploaded again, and not when it is looked at.
    revision = f"{page.file_id} {len(page.texts())}" if page.file_id else ""
    return replace(
        material_at(page.path or path, page.title), revision=revision, description=page.description
    )


def _refined(material: api.Material, page: Page, embedded: OEmbed) -> api.Material:
    return replace(
        material,
        title=page.title or embedded.title or material.title,
        authors=(embedded.author_name,) if embedded.author_name else material.authors,
        description=page.description or material.description,
    )


def _path_to(material: api.Material) -> str:
    try:
        return deck_path(material.url)
    except ValueError as error:
        raise api.InvalidError(f"The deck {material.id} has no usable address: {error}") from error
