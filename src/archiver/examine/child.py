"""The child process: one question a line on standard input, one answer a line on standard output."""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from archiver import derive, media
from archiver.errors import InvalidError
from archiver.examine import drawing
from archiver.examine.confine import confine
from archiver.model import Kind, Role

#: Remarks on one file that are passed on.
_MAX_NOTES = 20
#: Open files: what Python, the libraries and one document need.
_OPEN_FILES = 128


class _Notes(logging.Handler):
    """Keeps what was said of the file at hand."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._kept: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._kept) < _MAX_NOTES:
            self._kept.append((record.levelno, record.getMessage()[:1000]))

    def taken(self) -> list[tuple[int, str]]:
        """Give what was kept, and forget it."""
        kept, self._kept = self._kept, []
        return kept


def main(memory: int) -> None:
    """Answer until nobody asks any more. `memory` is the limit in bytes."""
    answers = _own_output()
    confine(memory, _OPEN_FILES)
    notes = _Notes()
    logger = logging.getLogger("archiver")
    logger.setLevel(logging.INFO)
    logger.addHandler(notes)
    for line in sys.stdin.buffer:
        answer = {**_answer(json.loads(line)), "notes": notes.taken()}
        answers.write(json.dumps(answer).encode("ascii") + b"\n")
        answers.flush()


def _own_output() -> BinaryIO:
    """Keep standard output for the answers alone: libraries may print."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _answer(question: Mapping[str, Any]) -> dict[str, Any]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Beyond it the kernel ends this process (SIGXCPU). Each file has its own share, so it has to rise.
    share = int(used.ru_utime + used.ru_stime + question["seconds"]) + 1
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    share = share if most == resource.RLIM_INFINITY else min(share, most)
    resource.setrlimit(resource.RLIMIT_CPU, (share, most))
    try:
        return {"result": _QUESTIONS[question["ask"]](question)}
    except InvalidError as error:
        return {"invalid": [error.message, error.hint]}
    except OSError as error:
        return {"errno": error.errno, "reason": error.strerror or str(error)}
    except MemoryError:
        return {"memory": True}


def _verify(question: Mapping[str, Any]) -> str:
    kind, role = Kind(question["kind"]), Role(question["role"])
    return media.verify(Path(question["path"]), kind, role, question["claimed"])


def _text(question: Mapping[str, Any]) -> str | None:
    return derive.text(Path(question["path"]), question["media_type"])


def _draw(question: Mapping[str, Any]) -> dict[str, Any]:
    page, widths, form = int(question["page"]), question["widths"], question["form"]
    return drawing.draw(Path(question["path"]), question["media_type"], page, widths, form)


_QUESTIONS: dict[str, Callable[[Mapping[str, Any]], Any]] = {"verify": _verify, "text": _text, "draw": _draw}
