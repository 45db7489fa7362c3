"""Flickr's numbers for licences.

Source: `flickr.photos.licenses.getInfo`, as answered in June 2025. Numbers from 11 on came in 2025.
"""

from __future__ import annotations

from typing import Final

_CC: Final = "https://creativecommons.org/licenses"
_DEED: Final = "https://creativecommons.org/publicdomain"

#: Number → name and address; the first has no licence to link to.
LICENCES: Final[dict[int, tuple[str, str]]] = {
    0: ("All rights reserved", ""),
    1: ("CC BY-NC-SA 2.0", f"{_CC}/by-nc-sa/2.0/"),
    2: ("CC BY-NC 2.0", f"{_CC}/by-nc/2.0/"),
    3: ("CC BY-NC-ND 2.0", f"{_CC}/by-nc-nd/2.0/"),
    4: ("CC BY 2.0", f"{_CC}/by/2.0/"),
    5: ("CC BY-SA 2.0", f"{_CC}/by-sa/2.0/"),
    6: ("CC BY-ND 2.0", f"{_CC}/by-nd/2.0/"),
    7: ("No known copyright restrictions", "https://www.flickr.com/commons/usage/"),
    8: ("United States Government Work", "https://www.usa.gov/government-works"),
    9: ("CC0 1.0", f"{_DEED}/zero/1.0/"),
    10: ("Public Domain Mark 1.0", f"{_DEED}/mark/1.0/"),
    11: ("CC BY 4.0", f"{_CC}/by/4.0/"),
    12: ("CC BY-SA 4.0", f"{_CC}/by-sa/4.0/"),
    13: ("CC BY-ND 4.0", f"{_CC}/by-nd/4.0/"),
    14: ("CC BY-NC 4.0", f"{_CC}/by-nc/4.0/"),
    15: ("CC BY-NC-SA 4.0", f"{_CC}/by-nc-sa/4.0/"),
    16: ("CC BY-NC-ND 4.0", f"{_CC}/by-nc-nd/4.0/"),
}


def written(name: str, url: str) -> str:
    """Write a licence as one text: `CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/)`."""
    return f"{name} ({url})" if url else name


def licence_number(value: str) -> str:
    """Give the number of a licence that is written by name or number. Raises `ValueError`."""
    wanted = "".join(value.casefold().split())
    for number, (name, _) in LICENCES.items():
        if wanted in {str(number), "".join(name.casefold().split())}:
            return str(number)
    names = ", ".join(name for name, _ in LICENCES.values())
    raise ValueError(f"{value[:100]!r} is no licence of Flickr; they are {names}")
