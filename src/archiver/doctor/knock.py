"""Knocks at the address of a service: a port at which nobody listens is told at once.

Libraries try a refused connection again and again, for half a minute and longer, because a service may be
about to start. Whoever asks what is wrong now wants to know now.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from pydantic import BaseModel

#: Seconds for one knock. Only an answer counts, and a refusal comes at once.
_PATIENCE = 3.0
_PORTS = {"http": 80, "https": 443}


def refused(options: BaseModel) -> str:
    """Name the option, such as `endpoint_url`, whose address refuses connections; "" when none does.

    Where a proxy stands between, nothing is asked: it answers for the service.
    """
    return next((name for name, parts in _addresses(options) if _refuses(parts)), "")


def _addresses(options: BaseModel) -> Iterator[tuple[str, SplitResult]]:
    for name in type(options).model_fields:
        value = getattr(options, name, None)
        if name.endswith("url") and isinstance(value, str):
            with suppress(ValueError):  # "http://[x"
                parts = urlsplit(value)
                if parts.scheme in _PORTS and parts.hostname and not _goes_by_proxy(parts):
                    yield name, parts


def _goes_by_proxy(parts: SplitResult) -> bool:
    return parts.scheme in getproxies() and not proxy_bypass(parts.hostname or "")


def _refuses(parts: SplitResult) -> bool:
    try:
        address = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
        with socket.create_connection(address, timeout=_PATIENCE):
            return False
    except ConnectionRefusedError:
        return True
    except (OSError, ValueError):  # no such name, no answer, port 99999: the sink itself says more
        return False
