"""What people decided about who may see a material or a talk. The latest decision counts.

A decision holds for the type of source and the source's own id, as those of `archiver.decisions` do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archiver.logbook import Line, text
from archiver.model import Consent

#: What an item is: ("item", type, id) or ("talk", event, talk).
About = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Given:
    """One decision; `consent` is None where it was taken back. `title` and `reason` are for readers."""

    about: About
    consent: Consent | None
    at: str = ""
    reason: str = ""
    title: str = ""

    def line(self) -> dict[str, Any]:
        """Give its line in the logbook."""
        what, one, other = self.about
        names = ("type_name", "id") if what == "item" else ("event", "talk")
        said = self.consent.value if self.consent else "default"
        data = dict(zip(names, (one, other), strict=True)) | {"consent": said, "at": self.at}
        more = {"reason": self.reason, "title": self.title}
        return data | {name: value for name, value in more.items() if value}


@dataclass(frozen=True)
class Consents:
    """The decisions that hold."""

    latest: Mapping[About, Given] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Iterable[Line]) -> Consents:
        """Read a logbook. A word that this program does not know counts as `internal`: it meant something."""
        found = (_given(line) for line in sorted(lines, key=lambda line: text(line, "at")))
        latest = {each.about: each for each in found if each.about[1] and each.about[2]}
        return cls({about: each for about, each in latest.items() if each.consent is not None})

    def of_item(self, type_name: str, identity: str) -> Consent | None:
        """Give what was decided about a material."""
        return self._of(("item", type_name, identity))

    def of_talk(self, event: str, talk: str) -> Consent | None:
        """Give what was decided about a talk."""
        return self._of(("talk", event, talk))

    def _of(self, about: About) -> Consent | None:
        found = self.latest.get(about)
        return found.consent if found else None


def _given(line: Line) -> Given:
    said = text(line, "consent")
    consent = Consent(said) if said in set(Consent) else Consent.INTERNAL
    item = ("item", text(line, "type_name"), text(line, "id"))
    about = item if item[1] else ("talk", text(line, "event"), text(line, "talk"))
    rest = (text(line, "at"), text(line, "reason"), text(line, "title"))
    return Given(about, None if said == "default" else consent, *rest)
