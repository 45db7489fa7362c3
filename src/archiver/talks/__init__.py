"""Expected talks from elsewhere: read in each run, kept in the archive, the same after every change.

Read in this order: `reading` (a schedule or a calendar becomes listed talks), `encodings` and `tables` (so
does a table), `merging` (which of them are known, new, renamed or cancelled), `programme` (all of it for the
events of a configuration, with a network or from what the archive keeps), `addresses` (whom to write to),
`inspecting` (whether a run could read them).
"""

from archiver.talks.addresses import Addressed, addressed, advice
from archiver.talks.inspecting import Inspected, Inspection, inspect
from archiver.talks.merging import merge
from archiver.talks.programme import (
    Trouble,
    kept_talks,
    place,
    read_programme,
    refreshed,
    updated,
    with_kept,
)
from archiver.talks.reading import ListedTalk, read_calendar
from archiver.talks.tables import Listing, read_table

__all__ = [
    "Addressed",
    "Inspected",
    "Inspection",
    "ListedTalk",
    "Listing",
    "Trouble",
    "addressed",
    "advice",
    "inspect",
    "kept_talks",
    "merge",
    "place",
    "read_calendar",
    "read_programme",
    "read_table",
    "refreshed",
    "updated",
    "with_kept",
]
