"""Access tokens for IMAP: XOAUTH2 with a refresh token (RFC 6749, 6; Google's XOAUTH2 protocol)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from archiver import api
from archiver_plugins.mail.options import OAuth

#: Seconds before its end at which a token is not used any more.
_MARGIN: Final = 60.0
#: Bytes of an answer: a token is some kilobytes at most.
_MAX_ANSWER: Final = 1 << 20


class Tokens:
    """Gets access tokens and keeps the newest. Thread-safe."""

    def __init__(self, options: OAuth, http: api.Http, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._http = http
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def token(self, refused: str = "") -> str:
        """Give a token that is good now; not the one that the server just refused.

        Raises `BlockedError` when the consent was taken back.
        """
        with self._lock:
            if not self._token or self._token == refused or self._clock() >= self._until:
                self._refresh()
            return self._token

    def _refresh(self) -> None:
        options = self._options
        form = {
            "grant_type": "refresh_token",
            "client_id": options.client_id,
            "refresh_token": options.refresh_token.get_secret_value(),
        }
        if options.client_secret.get_secret_value():
            form["client_secret"] = options.client_secret.get_secret_value()
        if options.scope:
            form["scope"] = options.scope
        answer = self._http.post(options.base_url, form=form, accept=(400, 401), max_bytes=_MAX_ANSWER)
        data = answer.json()
        token = data.get("access_token") if isinstance(data, dict) else None
        if (
            answer.status != 200
            or not isinstance(token, str)
            or not token.isascii()
            or not token.isprintable()
        ):
            raise self._refused(data)
        lifetime = data.get("expires_in", 3600)
        self._token = token
        self._until = self._clock() + (float(lifetime) if isinstance(lifetime, int) else 3600.0) - _MARGIN

    def _refused(self, data: Any) -> api.BlockedError:
        # RFC 6749, 5.2: a short word, such as invalid_grant; nothing else is repeated.
        word = data.get("error") if isinstance(data, dict) else None
        shown = word if isinstance(word, str) and word.replace("_", "").isalnum() else "no token"
        return api.BlockedError(
            f"The token endpoint {self._options.base_url} answered {shown[:60]!r}",
            hint="The consent may have ended: log in again and set the new refresh token.",
        )
