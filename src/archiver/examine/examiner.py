"""Whether a file can be what it should be, and the text in it: asked of a child process."""

from __future__ import annotations

import atexit
import base64
import logging
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archiver import derive, media
from archiver.errors import InvalidError
from archiver.examine import drawing
from archiver.examine.children import Children, Died, Limits
from archiver.media import types
from archiver.model import Kind, Role

log = logging.getLogger(__name__)

#: Read by nothing but Python's own decoders, in bounded memory.
_HARMLESS = frozenset({types.PLAIN, types.VTT, types.SRT})
_ANYWAY = "if you trust it, archive it as kind `other`: then only its bytes count"


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn picture, encoded: its size in pixels and its bytes."""

    width: int
    height: int
    data: bytes


class Examiner:
    """Asks children about files. Thread-safe; close it to end them."""

    def __init__(self, children: Children | None = None) -> None:
        self._children = children or Children()

    def verify(self, path: Path, kind: Kind, role: Role, claimed: str = "") -> str:
        """Return the media type of a file that can be what it should be; see `archiver.media.verify`.

        Raises `InvalidError` also when the look into the file took too much of anything.
        """
        if role is Role.SIDECAR and media.identify(path) in _HARMLESS:
            return media.verify(path, kind, role, claimed)
        question = {"ask": "verify", "kind": kind.value, "role": role.value, "claimed": claimed}
        return str(self._ask(path, question))

    def text(self, path: Path, media_type: str) -> str | None:
        """Extract the text of a file; see `archiver.derive.text`. None also when that took too much."""
        if not derive.has_text(media_type):
            return None
        if media_type in _HARMLESS:
            return derive.text(path, media_type)
        try:
            found = self._ask(path, {"ask": "text", "media_type": media_type})
        except InvalidError as error:
            # It was judged before; a file without text is still worth keeping.
            log.warning("No text could be read from a file of type %s: %s", media_type, error.message)
            return None
        return None if found is None else str(found)

    def draw(
        self, path: Path, media_type: str, widths: Sequence[int], *, page: int = 0, form: str = "webp"
    ) -> tuple[int, tuple[Picture, ...]]:
        """Draw a file in several widths; give how many pages it has, and the pictures, narrowest first.

        See `archiver.examine.drawing.draw`. Raises `InvalidError` when nothing can be drawn.
        """
        question = {"ask": "draw", "media_type": media_type, "page": page, "widths": widths, "form": form}
        found = self._ask(path, question)
        assert isinstance(found, dict)
        drawn = (
            Picture(each["width"], each["height"], base64.b64decode(each["data"]))
            for each in found["pictures"]
        )
        return int(found["pages"]), tuple(drawn)

    def start(self, count: int) -> None:
        """Have children ready for so many files."""
        self._children.start(count)

    def close(self) -> None:
        """End the children; the next question starts new ones."""
        self._children.close()

    def forget(self) -> None:
        """Leave the children to whoever started them."""
        self._children = Children(self._children.limits)

    def _ask(self, path: Path, question: dict[str, Any]) -> object:
        try:
            answer = self._children.ask({**question, "path": str(path)}, path.stat().st_size)
        except Died as death:
            raise _broken(death, self._children.limits) from death
        for level, note in answer.get("notes", ()):
            log.log(level, "%s", note)
        if "errno" in answer:
            raise OSError(answer["errno"], answer["reason"], str(path))
        if "memory" in answer:
            raise _too_much(self._children.limits)
        if "invalid" in answer:
            message, hint = answer["invalid"]
            raise InvalidError(message, hint=hint)
        return answer["result"]


def _broken(death: Died, limits: Limits) -> InvalidError:
    if death.status in {None, -signal.SIGXCPU}:
        return InvalidError(
            f"The file could not be looked into within {limits.seconds:.0f} seconds: it looks like a trap.",
            hint=_ANYWAY,
        )
    ended = signal.Signals(-death.status).name if (death.status or 0) < 0 else f"status {death.status}"
    return InvalidError(
        f"The file broke the program that looked into it ({ended}): it is damaged, or a trap.", hint=_ANYWAY
    )


def _too_much(limits: Limits) -> InvalidError:
    return InvalidError(
        f"The file needs more than {limits.memory >> 20:,} MiB of memory to be looked into.", hint=_ANYWAY
    )


_SHARED = Examiner()
atexit.register(_SHARED.close)
# A forked process (some executors make them) must not read answers to its parent's questions.
os.register_at_fork(after_in_child=_SHARED.forget)

#: The process-wide examiner's; a worker needs no more than its task to use them.
verify, text, draw, start, close = _SHARED.verify, _SHARED.text, _SHARED.draw, _SHARED.start, _SHARED.close
can_draw = drawing.can_draw
