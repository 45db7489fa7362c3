"""The interface of a notifier, and what it delivers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

from archiver.contracts.context import Context
from archiver.contracts.options import API_VERSION, Options, OptionsT


@dataclass(frozen=True, slots=True)
class Notice:
    """What there is to tell of a run: one line, plain text, Markdown, and all of it as plain JSON data.

    `data` is what `archive report --format json` prints: see docs/reference/run-events.md. `seconds` is how
    long its delivery may take, all tries together: what takes longer is given up by the core.
    """

    subject: str
    text: str
    markdown: str
    data: Mapping[str, Any]
    seconds: float = 30.0


class Notifier(ABC, Generic[OptionsT]):
    """Tells somebody what a run did. Made for one delivery, after the run has ended.

    Whether there is anything worth telling is decided by the core. A delivery that fails never fails the
    run. The first line of the class's docstring is what `archive plugins list` shows.
    """

    #: The word for `type:` under `notify:` in the configuration.
    type_name: ClassVar[str]
    api_version: ClassVar[int] = API_VERSION
    options_class: ClassVar[type[Options]] = Options

    def __init__(self, options: OptionsT, context: Context) -> None:
        self.options = options
        self.context = context

    @abstractmethod
    def deliver(self, notice: Notice) -> None:
        """Deliver a notice; return when the other side has it. Raises `SourceError` or `ConfigError`."""
