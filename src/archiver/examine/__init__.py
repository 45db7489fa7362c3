"""Looking into files that strangers made, in child processes with limits.

A decoder that a crafted file takes over, sends into a loop or makes eat memory costs that file, and
nothing else: the child dies, the item stays pending, the run goes on. It also leaves Python's lock to the
threads that download.
"""

from archiver.examine.children import Children, Limits
from archiver.examine.examiner import Examiner, Picture, can_draw, close, draw, start, text, verify

__all__ = [
    "Children",
    "Examiner",
    "Limits",
    "Picture",
    "can_draw",
    "close",
    "draw",
    "start",
    "text",
    "verify",
]
