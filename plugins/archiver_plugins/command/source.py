"""The source itself: requests out, materials and files in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archiver import api
from archiver_plugins.command import convert, messages, outputs, talk
from archiver_plugins.command.messages import AnyRequest
from archiver_plugins.command.options import CommandEntry, CommandOptions
from archiver_plugins.command.pool import Pool
from archiver_plugins.command.process import Launch
from archiver_plugins.command.secrets import Hidden

#: Files of one material: what the core takes.
_MAX_FILES = 20_000


class Command(api.Source[CommandOptions, CommandEntry]):
    """A program of your own, in any language, that speaks JSON in lines."""

    type_name = "command"
    options_class = CommandOptions
    entry_class = CommandEntry

    def __init__(self, options: CommandOptions, context: api.Context) -> None:
        super().__init__(options, context)
        launch = Launch(
            name=context.name,
            command=_command(options.run, context.folder),
            environment={
                **options.environment,
                **{name: secret.get_secret_value() for name, secret in options.secrets.items()},
            },
            timeout=options.timeout,
            hidden=Hidden.of(options.secrets),
            log=context.log,
            progress=context.progress,
        )
        self._pool = Pool(launch, self._describe, self._take_note)

    def check(self) -> None:
        """Start the program and let it say what it is. Raises `SourceError` when it does not."""
        self._pool.start()

    def discover(
        self, scope: api.Scope[CommandEntry], cursor: str
    ) -> Iterator[api.Material | api.Unavailable | api.Checkpoint]:
        """Pass on what the program lists."""
        entries = [convert.entry(each) for each in scope.entries]

        def asking(number: int) -> AnyRequest:
            return messages.Discover(id=number, cursor=cursor, limit=scope.limit, entries=entries)

        for reply in self._pool.ask(asking):
            if isinstance(reply, messages.Listed):
                yield convert.material(reply.material)
            elif isinstance(reply, messages.Unlisted):
                yield api.Unavailable(convert.material(reply.material), talk.source_error(reply.error))
            elif isinstance(reply, messages.Progress):
                self.context.progress(reply.done, reply.total)
            elif isinstance(reply, messages.Checkpoint):
                yield convert.checkpoint(reply)

    def fetch(self, material: api.Material, into: Path) -> Iterator[api.Fetched | api.Material]:
        """Have the program bring the files, and look at each that it names."""
        told = convert.told(material)

        def asking(number: int) -> AnyRequest:
            return messages.Fetch(id=number, into=str(into.absolute()), material=told)

        files: list[messages.File] = []
        came = 0
        for reply in self._pool.ask(asking):
            if isinstance(reply, messages.Listed):
                yield convert.material(reply.material)
            elif isinstance(reply, messages.Progress):
                came += reply.done
                self.context.progress(reply.done, reply.total)
            elif isinstance(reply, messages.File):
                files.append(reply)
                if len(files) > _MAX_FILES:
                    raise api.InvalidError(f"the program named more than {_MAX_FILES} files for one material")
        # Only now is the program through with all of them.
        found = list(outputs.taken(files, into))
        size = sum((into / each.path).lstat().st_size for each in found)
        self.context.progress(max(0, size - came))  # what it did not tell of itself
        yield from found

    def close(self) -> None:
        """End the programs and all that they started."""
        self._pool.close()

    def _describe(self, number: int) -> AnyRequest:
        return messages.Describe(
            id=number,
            protocol=list(messages.VERSIONS),
            name=self.context.name,
            folder=str(self.context.folder.absolute()),
            options=dict(self.options.options),
        )

    def _take_note(self, reply: messages.Described) -> None:
        # What the core asks this instance for; the class has the default of all sources.
        vars(self)["max_fetches"] = reply.max_fetches


def _command(run: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """Give the words to start: what names a file beside the configuration, by its whole path.

    The program works in another directory. `./` and `../` always begin such a path; a plain name is one
    when there is a file of that name, unless it is the program itself, which is looked for in PATH.
    """
    return tuple(_word(word, folder, first=number == 0) for number, word in enumerate(run))


def _word(word: str, folder: Path, *, first: bool) -> str:
    named = word.startswith(("./", "../")) or (first and "/" in word)
    return str(folder.absolute() / word) if named or (not first and _is_beside(word, folder)) else word


def _is_beside(word: str, folder: Path) -> bool:
    try:
        return (folder / word).is_file()
    except OSError:  # far too long for a name
        return False
