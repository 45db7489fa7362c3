"""What can go wrong on a connection. None of these leaves this package."""

from __future__ import annotations


class ConnectionFault(Exception):  # noqa: N818  # told on as a Fault or a TransientError
    """No answer came, or not all of it: such as a pause that was too long."""


class Unreachable(ConnectionFault):
    """Nobody was there: no address, no connection."""


class Broken(ConnectionFault):
    """The connection ended, or what came over it is no HTTP. An idle connection ends like that."""
