"""Bring files into a bucket as a run does, or look whether they are there; started by `upload.py`.

python benchmarks/uploaded.py ENDPOINT BUCKET DIGESTS.json FOLDER [again]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from archiver.api import Blob, Context
from archiver_plugins.s3 import S3Options, S3Sink

WORKERS = 10


def upload(sink: S3Sink, digests: Mapping[str, str], folder: Path) -> None:
    """Put every file, all of them new."""

    def put(name: str) -> None:
        path = folder / name
        sink.create(f"ocfl/bench/v1/content/{name}", Blob(path.stat().st_size, digests[name], path=path))

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(put, digests))


def look(sink: S3Sink, digests: Mapping[str, str]) -> None:
    """List what is there. Ends the process when anything is missing."""
    held = {stat.path: stat.size for stat in sink.list("ocfl/")}
    if len(held) != len(digests):
        raise SystemExit(f"{len(held)} keys are there instead of {len(digests)}.")


def main(endpoint: str, bucket: str, digests: Path, folder: Path, again: bool) -> None:
    options = S3Options.model_validate({"bucket": bucket, "endpoint_url": endpoint, "addressing": "path"})
    sink = S3Sink(options, Context("cloud", folder, None))  # type: ignore[arg-type]  # a sink has no use for HTTP
    known = json.loads(digests.read_text())
    if again:
        look(sink, known)
    else:
        upload(sink, known, folder)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), "again" in sys.argv[5:])
