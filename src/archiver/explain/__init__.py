"""Explain one material: where it came from, how it found its event and talk, where its bytes lie.

`find` picks what a person names: a path in a sink, a file on this machine, an id, an address. `explain`
puts together what the ledgers, the decisions and the configuration say of it. Both only read.
"""

from archiver.explain.explaining import explain
from archiver.explain.finding import find
from archiver.explain.model import Copy, Explained, Found, Knowledge
from archiver.explain.placing import METHODS, ROUTES

__all__ = ["METHODS", "ROUTES", "Copy", "Explained", "Found", "Knowledge", "explain", "find"]
