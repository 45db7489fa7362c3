"""Tell of a run on the page of a GitHub Actions job.

A step appends Markdown to the file that the variable GITHUB_STEP_SUMMARY names; more than 1 MiB of one
step is not shown at all: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import os
from pathlib import Path

from archiver import api

#: Bytes of one step's summary.
MOST = 1 << 20
VARIABLE = "GITHUB_STEP_SUMMARY"
_CUT = "\n\n… The rest does not fit here: see `archive report`.\n"


class SummaryOptions(api.Options):
    """Where the Markdown goes."""

    path: Path | None = None
    """A file to append to; the one that GITHUB_STEP_SUMMARY names if left out."""


class SummaryNotifier(api.Notifier[SummaryOptions]):
    """The digest of a run as Markdown on the page of a CI job."""

    type_name = "github-summary"
    options_class = SummaryOptions

    def deliver(self, notice: api.Notice) -> None:
        """Append to the summary. Outside of a job there is none, and nothing is done."""
        path = self._path()
        if path is None:
            self.context.log.info("%s is not set: there is no job summary to write to.", VARIABLE)
            return
        try:
            with path.open("ab") as file:
                file.write(_fitting(notice.markdown, MOST - file.tell()))
        except OSError as error:
            raise api.ConfigError(
                f"the job summary {path} cannot be written: {error.strerror or error}",
                hint="name another file as `path`, or leave it out",
            ) from error

    def _path(self) -> Path | None:
        given = self.options.path
        if given is not None:
            return self.context.folder / given.expanduser()
        named = os.environ.get(VARIABLE, "")
        return Path(named) if named else None


def _fitting(text: str, room: int) -> bytes:
    """Give as much of a text as fits, in whole lines."""
    data = text.encode("utf-8", "replace")
    if len(data) <= room:
        return data
    cut = _CUT.encode()
    kept = data[: max(0, room - len(cut))].rpartition(b"\n")[0]
    return (kept + cut)[: max(0, room)]
