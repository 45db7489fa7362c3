"""Whether this process writes file names in UTF-8, in which the names in an archive are."""

from __future__ import annotations

import sys

#: What to do where it does not; LANG alone is too weak where LC_ALL is set.
USE_UTF8 = "set PYTHONUTF8=1, or a UTF-8 locale such as LC_ALL=C.UTF-8"


def foreign_encoding() -> str:
    """Name the encoding that this process writes file names in; "" when that is UTF-8, as it should be.

    With `LC_ALL=zh_CN.GBK` the system finds none of the names that were written in UTF-8: files that are
    there would count as lost. On macOS and Windows it is UTF-8 wherever nobody chose otherwise.
    """
    encoding = sys.getfilesystemencoding()
    return "" if encoding.lower().replace("-", "") == "utf8" else encoding
