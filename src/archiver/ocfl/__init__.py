"""The one writer and reader of OCFL 1.1 objects, over any sink.

A version is begun by creating content under `vN/content/`, and committed by creating
`vN/inventory.json`: whoever creates it first has won. Everything after that can be made again.
Read in this order: `reading`, `committing`, `publishing`. Facts: OCFL 1.1.1, https://ocfl.io/1.1/spec/
"""

from archiver.inventory import Inventory
from archiver.ocfl.committing import DECLARATION, UNCLAIMED, Addition, commit, id_of
from archiver.ocfl.publishing import heal, needs_healing
from archiver.ocfl.reading import INVENTORY, is_object_name, load, read_head
from archiver.ocfl_object import ROOT, OcflObject, blob, digest, read

__all__ = [
    "DECLARATION",
    "INVENTORY",
    "ROOT",
    "UNCLAIMED",
    "Addition",
    "Inventory",
    "OcflObject",
    "blob",
    "commit",
    "digest",
    "heal",
    "id_of",
    "is_object_name",
    "load",
    "needs_healing",
    "read",
    "read_head",
]
