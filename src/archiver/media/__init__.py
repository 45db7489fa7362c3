"""What arrived: its type by content, and whether it can be what it should be.

`identify` and `verify` take a path and give a result; they keep no state and need nothing but the
file, so they can run in a process of their own.
"""

from archiver.media.sniff import identify
from archiver.media.types import extension
from archiver.media.verify import verify

__all__ = ["extension", "identify", "verify"]
