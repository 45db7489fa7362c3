"""A digest of one run or several, for people: what came, what went wrong, what is still missing.

`model` is the digest as data, `gathering` makes it from run reports and ledgers, `reports` finds the
reports, `wording` holds the words, `text` and `markdown` write it.
"""

from archiver.digest.gathering import failure, gather
from archiver.digest.markdown import markdown
from archiver.digest.model import Digest, When
from archiver.digest.reports import Reports
from archiver.digest.text import text
from archiver.digest.wording import subject

__all__ = ["Digest", "Reports", "When", "failure", "gather", "markdown", "subject", "text"]
