"""The site: static pages made from ledgers, extracted texts and pictures alone.

`gathering` says what is shown (`model`), `pictures` makes what is small, `rendering` fills the templates,
`searching` and `machine` write what programs read, `writing` puts into the sink what changed, and
`building` holds all this together.
"""

from archiver.pages.building import Built, build

__all__ = ["Built", "build"]
