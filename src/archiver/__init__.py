"""Collect the material of events into an archive that lasts."""

__version__ = "0.1.0"
