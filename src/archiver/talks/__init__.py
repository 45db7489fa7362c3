"""Expected talks from elsewhere: read in each run, kept in the archive, the same after every change.

Read in this order: `reading` (a schedule, a calendar or a table becomes listed talks), `merging` (which of
them are known, new, renamed or cancelled), `programme` (both for the events of a configuration, with a
network or from what the archive keeps).
"""

from archiver.talks.merging import merge
from archiver.talks.programme import Trouble, kept_talks, refreshed, updated, with_kept
from archiver.talks.reading import ListedTalk, read_calendar, read_table

__all__ = [
    "ListedTalk",
    "Trouble",
    "kept_talks",
    "merge",
    "read_calendar",
    "read_table",
    "refreshed",
    "updated",
    "with_kept",
]
