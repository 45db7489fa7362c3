"""Commit to one event again and again, without a lease, as runs would that have lost theirs.

    racing.py FOLDER NAME TIMES

Prints the paths of what was told to be safe.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from archiver import ocfl
from archiver.errors import ConflictError
from archiver.ocfl import Addition, OcflObject, blob
from ocfl_checks import open_sink


def main() -> None:
    """Do it."""
    folder, name, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    setattr(os, "fsync", lambda _: None)  # noqa: B010  # mypy knows the name of its argument
    sink = open_sink(folder)
    for number in range(times):
        each = ocfl.load(sink).get("beijing") or OcflObject(sink, "beijing")
        path, data = f"slides/{name}-{number}.pdf", f"{name} {number}".encode()
        sink.create(each.next_content + path, blob(data))
        addition = Addition(path, hashlib.sha256(data).hexdigest())
        try:
            ocfl.commit(
                each,
                [addition],
                {"metadata/by.json": data},
                created="2012-09-16T10:00:00Z",
                message=name,
            )
        except ConflictError:
            continue
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
