"""The site: static pages made from ledgers, extracted texts and pictures alone.

`gathering` says what is shown (`model`), `pictures` makes what is small, `rendering` fills the templates,
`searching` and `machine` write what programs read, `writing` puts into the sink what changed, and
`building` holds all this together.
"""

from archiver.pages.building import Built, build, is_stale
from archiver.pages.places import STATE, is_page
from archiver.pages.writing import digests, forget, forget_origins

__all__ = ["STATE", "Built", "build", "digests", "forget", "forget_origins", "is_page", "is_stale"]
