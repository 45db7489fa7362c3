"""Amounts as people type them on the command line: 30m, 500MB."""

from __future__ import annotations

import re

import click

_TIMES = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZES |= {"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}


def seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Read a length of time, 90s, 30m or 2h, in seconds."""
    del ctx, param
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,6})([smhd])", value, re.ASCII)
    if not found or not int(found[1]):
        raise click.BadParameter(f"{value!r} is no length of time: write it like 90s, 30m or 2h.")
    return float(int(found[1]) * _TIMES[found[2]])


def size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read a number of bytes: 500MB, 1.5GiB or 1000000."""
    del ctx, param
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,3})?) ?([A-Za-z]{0,3})", value, re.ASCII)
    unit = found[2].upper() if found else ""
    number = float(found[1]) * _SIZES.get(unit, 0) if found else 0.0
    if number < 1:
        raise click.BadParameter(f"{value!r} is no number of bytes: write it like 500MB, 2GB or 1GiB.")
    return int(number)
