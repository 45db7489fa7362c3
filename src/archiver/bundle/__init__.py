"""Bundles for a hand-off: what one machine could not get, for another one to fetch into the same sinks.

Sites that refuse the addresses of data centres are no loss while a person's own machine is let in. A bundle
is one JSON file that names what stayed blocked: single materials, and sources whose listing was refused. It
holds what the ledgers hold and no secrets. Whoever reads one takes it for the word of a stranger.
"""

from archiver.bundle.gathering import BLOCKED, FAILED, gather, is_open
from archiver.bundle.model import Bundle, Item, Refused
from archiver.bundle.privacy import masked, own_addresses, without
from archiver.bundle.taking import Handed, Taking
from archiver.bundle.wire import FORMAT, MAX_BYTES, MAX_ITEMS, MAX_LISTINGS, VERSION, dump, load, parse

__all__ = [
    "BLOCKED",
    "FAILED",
    "FORMAT",
    "MAX_BYTES",
    "MAX_ITEMS",
    "MAX_LISTINGS",
    "VERSION",
    "Bundle",
    "Handed",
    "Item",
    "Refused",
    "Taking",
    "dump",
    "gather",
    "is_open",
    "load",
    "masked",
    "own_addresses",
    "parse",
    "without",
]
