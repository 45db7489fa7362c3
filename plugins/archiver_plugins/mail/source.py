"""The source: messages from a server or from files become materials, and a material becomes files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from archiver import api
from archiver_plugins.mail import boxes, cursors, files, filters, materials, opened, sidecar, subscribed
from archiver_plugins.mail.desk import Desk
from archiver_plugins.mail.head import Head
from archiver_plugins.mail.letter import Letter
from archiver_plugins.mail.links import Service, ShareLink, recognise
from archiver_plugins.mail.oauth import Tokens
from archiver_plugins.mail.options import EmailEntry, EmailOptions
from archiver_plugins.mail.resolve import Obtained, Resolver, is_page, kind_of
from archiver_plugins.mail.retrieval import OnServer, Retrieval
from archiver_plugins.mail.session import Session
from archiver_plugins.mail.sessions import Sessions
from archiver_plugins.mail.stacks import Stacks

_FILE: Final = "file"


class Email(api.Source[EmailOptions, EmailEntry]):
    """Attachments and share links from a mailbox (IMAP), message files or archives of mailing lists."""

    type_name = "email"
    options_class = EmailOptions
    entry_class = EmailEntry
    max_fetches = 4  # mail services count connections

    def __init__(self, options: EmailOptions, context: api.Context) -> None:
        super().__init__(options, context)
        tokens = Tokens(options.oauth, context.http) if options.oauth else None
        self._sessions = Sessions(lambda: Session(options, context.folder, tokens, context.log))
        self._retrieval = Retrieval(self._sessions, self._mailboxes)
        self._stacks = Stacks(context.http, options.mirrors)

    def check(self) -> None:
        """Raise when a path is not there, a server refuses us, or a mailbox or list does not exist."""
        files.check(self.context.folder, self.options.all_paths)
        for archive in self.options.archives:
            subscribed.periods_of(archive, self._stacks)
        if self.options.imap:
            with self._sessions.lend() as session:
                for name in self._mailboxes(session):
                    session.examine(name)

    def close(self) -> None:
        """Close the connections to the server, and remove what was fetched of list archives."""
        self._sessions.close()
        self._stacks.close()

    def discover(
        self, scope: api.Scope[EmailEntry], cursor: str
    ) -> Iterator[api.Material | api.Unavailable | api.Checkpoint]:
        """List what the messages carry; from servers only what is new since the cursor."""
        listing, lists = self._listing(scope, cursor), self._in_lists(scope, cursor)
        desk = Desk(scope, self.options)
        imap = listing.letters() if self.options.imap else ()
        for source in (imap, self._in_files(scope), lists.letters()):
            for each in source:
                yield from desk.sort(each)
                if desk.full:
                    yield api.Checkpoint(cursor, complete=False)
                    return
        for failure in (*listing.failures, *lists.failures):
            raise failure
        now = cursors.write(
            listing.seen if self.options.imap else None, lists.seen if self.options.archives else None
        )
        yield api.Checkpoint(now, complete=listing.fresh and not lists.skipped)

    def _listing(self, scope: api.Scope[EmailEntry], cursor: str) -> boxes.Listing:
        options = self.options
        queries = [filters.query(entry.options, options.since) for entry in scope.entries]
        everything = [filters.query(EmailEntry(), options.since)]
        narrow = boxes.merged(queries) if options.search == "server" else []
        asked = [*narrow, filters.answers(options.since)] if narrow else everything
        return boxes.Listing(
            self._sessions,
            self._retrieval,
            options.mailboxes,
            asked,
            options.gmail_search,
            self._wanted(scope),
            boxes.read_known(cursors.read(cursor, "boxes")),
        )

    def _in_files(self, scope: api.Scope[EmailEntry]) -> Iterator[Letter]:
        return files.read_all(self.context.folder, self.options.all_paths, self._wanted(scope))

    def _in_lists(self, scope: api.Scope[EmailEntry], cursor: str) -> subscribed.Listing:
        return subscribed.Listing(
            self.options.archives,
            self._stacks,
            self._wanted(scope),
            list(subscribed.bounds_of(self.options.since, (entry.options for entry in scope.entries))),
            subscribed.read_known(cursors.read(cursor, "lists")),
        )

    def _wanted(self, scope: api.Scope[EmailEntry]) -> files.Wanted:
        since = self.options.since

        def wanted(head: Head) -> bool:
            return filters.recent(since, head) and (
                any(filters.takes(entry.options, head) for entry in scope.entries) or filters.is_answer(head)
            )

        return wanted

    def _mailboxes(self, session: Session) -> Sequence[str]:
        return session.mailboxes() if "*" in self.options.mailboxes else self.options.mailboxes

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched | api.Material]:
        """Get an attachment as it was sent, with what is kept of its message, or what a link leads to."""
        if (
            "problem" in material.extra
        ):  # tried again although it was listed as unreadable: mail never changes
            raise api.InvalidError(
                material.extra["problem"],
                hint="Look at it in a mail program, and add by hand what it holds.",
            )
        if "link" in material.extra:
            yield from self._linked(material, into)
            return
        if "scrubbed" in material.extra:
            yield from self._scrubbed(material, into)
            return
        with self._opened(material) as found:
            saved = opened.save(found, material, into / _FILE, self.context.progress)
            text = opened.kept(found, self.options)
        if saved.defects:
            defects = "; ".join(saved.defects)
            self.context.log.warning("%s: %s", material.title, defects)
            yield replace(material, extra={**material.extra, "defects": defects})
        yield api.Fetched(Path(_FILE), media_type=material.extra.get("type", ""))
        yield from _beside(text, into)

    def _scrubbed(self, material: api.Material, into: Path) -> Iterator[api.Fetched | api.Material]:
        """Get what the archive of a list took out of a message, from where it keeps it.

        The server's word on the type counts for nothing: these archives have no table of types.
        """
        extra = material.extra
        with self._opened(material) as found:
            text = opened.kept(found, self.options)
        url = extra["list"] + extra["scrubbed"]
        self._stacks.download(url, into / _FILE, most=opened.MAX_ATTACHMENT)
        if is_page(into / _FILE) and not extra.get("type", "").startswith("text/html"):
            raise api.BlockedError(
                f"{url} is a web page instead of the attachment",
                hint="Open it in a browser, save the file, and add it with: archive add EVENT FILE",
            )
        yield api.Fetched(Path(_FILE), media_type=extra.get("type", ""))
        yield from _beside(text, into)

    @contextmanager
    def _opened(self, material: api.Material) -> Iterator[opened.Opened]:
        """Find the message of a material where it was listed, or wherever it is now."""
        if "mailbox" in material.extra:
            extra = material.extra
            number = extra.get("wrapped") or extra.get("part", "")
            yield OnServer(self._retrieval, self._retrieval.find(extra, extra.get("key", ""), number))
            return
        if "list" in material.extra:
            with subscribed.find_again(material, self.options.archives, self._stacks) as message:
                yield message
            return
        with files.find_again(self.context.folder, material, self.options.all_paths) as found:
            yield found

    def _linked(self, material: api.Material, into: Path) -> Iterator[api.Fetched | api.Material]:
        extra = material.extra
        link = self._link(material)
        if link is None:
            raise api.InvalidError(f"{extra['link']} is no share link that this program knows")
        with_code = replace(link, code=extra.get("code", link.code), service=Service(extra["service"]))
        found = Resolver(self.context.http, self.options.mirrors).get(with_code, into)
        yield _refined(material, found)
        for each in found:
            label = each.name if len(found) > 1 else ""
            yield api.Fetched(Path(each.path.name), label=label, media_type=each.media_type)

    def _link(self, material: api.Material) -> ShareLink | None:
        """Give the link of a material, with its secrets where it has any."""
        if "secret" not in material.extra:
            return recognise(material.extra["link"])
        with self._opened(material) as found:
            return opened.link(found, material.id)


def _beside(text: str, into: Path) -> Iterator[api.Fetched]:
    """Keep what is to be kept of the message."""
    if text:
        (into / sidecar.NAME).write_text(text, encoding="utf-8")
        yield api.Fetched(Path(sidecar.NAME), api.Role.SIDECAR, label=sidecar.LABEL, media_type="text/plain")


def _refined(material: api.Material, found: Sequence[Obtained]) -> api.Material:
    """Say what came: the kind was not known before, nor the name."""
    kinds = {kind_of(each) for each in found}
    kind = kinds.pop() if len(kinds) == 1 else api.Kind.OTHER
    name = found[0].name if len(found) == 1 else ""
    return replace(
        material,
        kind=kind if material.kind is api.Kind.OTHER else material.kind,
        title=materials.title(name, material.title),
        size=sum(each.size for each in found),
        extra={**material.extra, **({"name": name} if name else {})},
    )
