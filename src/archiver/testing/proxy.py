"""A reverse proxy with the fault switch: whatever a service answers, the wire before it can go wrong.

    with FaultProxy(service.url) as proxy:
        proxy.fault("*.pdf", "truncate", times=None)
        ...  # talk to proxy.url instead of service.url

The service need not be one of ours, nor written in Python: all that is needed is its address. Where
answers name that address (absolute links, redirects), they name the proxy's instead, so that whoever
follows them comes through here again.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from archiver.testing.messages import Reply, Request
from archiver.testing.service import Service

#: What concerns one connection (RFC 9110, 7.6.1) or is written anew, and is not passed on.
_OWN_FIELDS = frozenset(
    (
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "date",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
_TEXTS = ("text/", "json", "xml", "javascript", "mpegurl", "form-urlencoded")
SECONDS = 30.0

Tamper = Callable[[Request, Reply], Reply]


class FaultProxy(Service):
    """Passes every request on to `upstream` and its answer back. It has all that a `Service` has.

    `tamper`, when set, may give another reply than the one that came. `requests` is the log of what was
    asked for. A service that cannot be reached is answered for with 502, as proxies do.
    """

    def __init__(self, upstream: str, *, port: int = 0) -> None:
        super().__init__(port=port)
        parts = urlsplit(upstream)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{upstream!r} is no address like http://127.0.0.1:8080")
        self.tamper: Tamper | None = None
        self._host, self._port_there = parts.hostname, parts.port or 80
        self._path = parts.path.rstrip("/")

    @property
    def address(self) -> str:
        """Give what takes the place of the service's address: the proxy's, with the path of the service."""
        return self.url + self._path

    def reply_to(self, request: Request) -> Reply:
        """Ask the service, and give what it answered."""
        try:
            reply = self._asked(request)
        except (OSError, http.client.HTTPException) as error:
            return Reply(f"the service cannot be reached: {error}".encode(), 502, "text/plain")
        return self.tamper(request, reply) if self.tamper else reply

    def _asked(self, request: Request) -> Reply:
        connection = http.client.HTTPConnection(self._host, self._port_there, timeout=SECONDS)
        try:
            # A HEAD is asked as a GET: only so the length that belongs to it is known here.
            method = "GET" if request.method == "HEAD" else request.method
            target = self._inward(request.target)
            connection.request(method, target, self._inward_body(request), self._fields(request))
            return self._outward(connection.getresponse())
        finally:
            connection.close()

    def _fields(self, request: Request) -> dict[str, str]:
        passed = {name: value for name, value in request.headers.items() if name not in _OWN_FIELDS}
        kind = request.headers.get("content-type")
        return {
            **{name: self._inward(value) for name, value in passed.items()},
            **({"content-type": kind} if kind else {}),
            "host": f"{self._host}:{self._port_there}",
            "accept-encoding": "identity",  # packed answers could not be rewritten
        }

    def _inward_body(self, request: Request) -> bytes | None:
        return _swapped(request.body, self._names_here, self._names_there) if request.body else None

    def _inward(self, text: str) -> str:
        swapped = _swapped(text.encode("latin-1", "replace"), self._names_here, self._names_there)
        return swapped.decode("latin-1")

    def _outward(self, response: http.client.HTTPResponse) -> Reply:
        body = response.read()
        kind = response.headers.get("content-type", "")
        if any(word in kind.lower() for word in _TEXTS):
            body = _swapped(body, self._names_there, self._names_here)
        headers = {
            name: _swapped(value.encode("latin-1", "replace"), self._names_there, self._names_here).decode(
                "latin-1"
            )
            for name, value in response.headers.items()
            if name.lower() not in _OWN_FIELDS
        }
        return Reply(body, response.status, kind or "application/octet-stream", headers)

    @property
    def _names_here(self) -> tuple[str, ...]:
        return _spellings("127.0.0.1", urlsplit(self.url).port or 80)

    @property
    def _names_there(self) -> tuple[str, ...]:
        return _spellings(self._host, self._port_there)


def _spellings(host: str, port: int) -> tuple[str, ...]:
    """Give the ways in which an authority is written: as it is, and percent-encoded in a query."""
    return (f"{host}:{port}", f"{host}%3A{port}", f"{host}%3a{port}")


def _swapped(data: bytes, old: tuple[str, ...], new: tuple[str, ...]) -> bytes:
    for one, other in zip(old, new, strict=True):
        data = data.replace(one.encode(), other.encode())
    return data


def renamed(name: str) -> Tamper:
    """Let every file carry a name of your choice (Content-Disposition, RFC 6266)."""

    def tamper(request: Request, reply: Reply) -> Reply:
        del request
        headers: Mapping[str, str] = {
            **reply.headers,
            "Content-Disposition": f'attachment; filename="{name}"',
        }
        return Reply(reply.body, reply.status, reply.media_type, headers)

    return tamper


def answering(body: bytes, media_type: str) -> Tamper:
    """Answer everything with 200 and these bytes."""

    def tamper(request: Request, reply: Reply) -> Reply:
        del request, reply
        return Reply(body, 200, media_type)

    return tamper
