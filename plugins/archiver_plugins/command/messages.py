"""The protocol: every message that crosses between the archiver and a program, as a typed class.

The published JSON Schema is made from these classes. What a class does not name is ignored, so that
messages may grow; a type that is not here is an error.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

#: The versions of the protocol that this archiver speaks, the best one last.
VERSIONS: Final = (1,)
#: Fetches that one program may ask for at once.
MOST_FETCHES: Final = 64
_MOST = 2**53  # beyond it, JSON numbers differ between languages


class Message(BaseModel):
    """What both directions share."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, use_attribute_docstrings=True)


class TalkPart(Message):
    """One expected talk of an event."""

    id: str
    title: str
    speakers: list[str] = []


class EventPart(Message):
    """One event that uses the source. Dates are ISO 8601 or empty."""

    id: str
    title: str
    date: str = ""
    end_date: str = ""
    city: str = ""
    venue: str = ""
    talks: list[TalkPart] = []


class EntryPart(Message):
    """One use of the source by one event: `options` is what its `entry:` says."""

    event: EventPart
    options: dict[str, Any] = {}


class MaterialPart(Message):
    """One thing that a source lists. Texts that are not known are empty or left out."""

    id: str = Field(min_length=1, max_length=2_000)
    """The program's own stable name for it."""
    kind: Literal["slides", "video", "photo", "report", "other"]
    title: str = ""
    url: str = ""
    """Its public address."""
    revision: str = Field(default="", max_length=2_000)
    """Opaque; a different one means that the content may have changed, an empty one that nobody knows."""
    event: str = ""
    """Id of the event that it belongs to, when that is known."""
    talk: str = ""
    """Id or title of the talk that it belongs to, when that is known."""
    authors: list[str] = []
    date: str = ""
    description: str = ""
    licence: str = ""
    language: str = ""
    tags: list[str] = []
    size: Annotated[int, Field(ge=0, le=_MOST)] | None = None
    """In bytes."""
    extra: dict[str, str] = {}
    """For the program's own fetch; it is kept in the archive, so no secrets."""


class ErrorPart(Message):
    """Why something did not work, and what to do about it."""

    reason: Literal["transient", "blocked", "gone", "invalid", "link", "fatal"]
    message: str
    hint: str = ""
    """The next step, for a person."""
    retry_after: Annotated[float, Field(ge=0, le=31_536_000, allow_inf_nan=False)] | None = None
    """Seconds, with `transient`: when the other side named a time."""


class Request(Message):
    """What the archiver asks. Members stand in the order in which they are listed."""

    id: int = Field(ge=1)


class Describe(Request):
    """The first request to every program: who asks, and what is configured."""

    type: Literal["describe"] = "describe"
    protocol: list[int]
    """The versions of the protocol that the archiver speaks."""
    name: str
    """What the source is called in the configuration."""
    folder: str
    """The directory of the configuration file: relative paths in options start there."""
    options: dict[str, Any]


class Discover(Request):
    """List what there is."""

    type: Literal["discover"] = "discover"
    cursor: str
    """The one of an earlier checkpoint, or empty: list everything."""
    limit: int | None
    """How many materials are wanted at most; the program may stop there."""
    entries: list[EntryPart]


class Fetch(Request):
    """Bring the files of one material into the empty directory `into`."""

    type: Literal["fetch"] = "fetch"
    into: str
    material: MaterialPart


class Reply(Message):
    """What a program answers: `id` repeats that of the request."""

    id: int


class Described(Reply):
    """Ends `describe`."""

    type: Literal["described"]
    protocol: int
    """The version that the program chose among those offered."""
    max_fetches: int = Field(default=1, ge=1, le=MOST_FETCHES)
    """How many of this program may run at once, each for one request at a time."""


class Listed(Reply):
    """In `discover`: something that exists. In `fetch`: the same material again, with more told of it."""

    type: Literal["material"]
    material: MaterialPart


class Unlisted(Reply):
    """In `discover`: something that is known and could not be listed in full."""

    type: Literal["unavailable"]
    material: MaterialPart
    error: ErrorPart


class Progress(Reply):
    """In `discover` and `fetch`: `done` more bytes came since the last time; the program is alive."""

    type: Literal["progress"]
    done: int = Field(default=0, ge=0, le=_MOST)
    total: Annotated[int, Field(ge=0, le=_MOST)] | None = None


class Checkpoint(Reply):
    """Ends `discover`. `complete`: everything that exists was listed."""

    type: Literal["checkpoint"]
    cursor: str = ""
    complete: bool = False


class File(Reply):
    """In `fetch`: one file that now lies in the directory, whole."""

    type: Literal["file"]
    path: str = Field(min_length=1, max_length=4_000)
    """Relative to `into`, with `/` between names."""
    role: Literal["original", "rendition", "derivative", "sidecar"] = "original"
    grade: Literal["original", "pdf", "reduced", "pages", "thumbnail"] = "original"
    label: str = Field(default="", max_length=200)
    """Tells files of one material apart: "p001", "en"."""
    media_type: str = Field(default="", max_length=200)


class Done(Reply):
    """Ends `fetch`: all files are there."""

    type: Literal["done"]


class Error(Reply, ErrorPart):
    """Ends any request that did not work."""

    type: Literal["error"]


AnyReply = Described | Listed | Unlisted | Progress | Checkpoint | File | Done | Error
AnyRequest = Describe | Discover | Fetch

#: Reads one reply.
REPLY: Final[TypeAdapter[AnyReply]] = TypeAdapter(Annotated[AnyReply, Field(discriminator="type")])


def schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of one line, in either direction."""
    both = TypeAdapter(Annotated[AnyRequest | AnyReply, Field(discriminator="type")]).json_schema()
    about = "One line between the archiver and a program that is a source"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": about, **both}
