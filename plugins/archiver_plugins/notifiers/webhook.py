"""Tell of a run by posting JSON to a web address, signed, and tried again when that may help."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from archiver import api
from archiver_plugins.notifiers.signing import key_of, signature

#: Bytes of one body; services refuse more than that.
MOST_BYTES = 256 << 10
#: Entries of each list when a body would be larger.
MOST_ENTRIES = 50
#: Seconds that one pause lasts at most, whatever the other side asks for.
LONGEST = 60.0
#: Seconds that one try waits for an answer at most: within the time for all of them there is a second one.
_SECONDS = 10.0
#: Seconds that have to be left for another try: a shorter one says nothing of the other side.
_SHORTEST = 2.0


def _address(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("expected an address like https://hooks.example.org/…")
    return value


def _key(value: SecretStr) -> SecretStr:
    key_of(value.get_secret_value())
    return value


class WebhookOptions(api.Options):
    """Where the JSON goes."""

    url: Annotated[SecretStr, AfterValidator(_address)]
    """The address. It is treated as a secret: those of chat services are."""
    secret: Annotated[SecretStr, AfterValidator(_key)] = SecretStr("")
    """The key of the signature, as it is or as `whsec_` and base64; without one nothing is signed."""
    base_url: api.BaseUrl | None = None
    """The address's own beginning, such as http://10.0.0.5:8080, when it lies in a private network."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 4
    """How often it is tried when the other side cannot be reached, or asks to come back later."""
    pause: Annotated[float, Field(ge=0, le=60)] = 2.0
    """Seconds before the second try; each further pause is twice as long, and at most a minute."""


class WebhookNotifier(api.Notifier[WebhookOptions]):
    """The digest of a run as JSON, posted to a web address and signed."""

    type_name = "webhook"
    options_class = WebhookOptions

    def deliver(self, notice: api.Notice) -> None:
        """Post it, and again after a passing fault: all tries have one `webhook-id`."""
        name = f"run_{notice.data.get('run', '')}"
        body = encode(notice)
        pause = self.options.pause
        until = time.monotonic() + notice.seconds
        for left in range(self.options.attempts - 1, -1, -1):
            try:
                return self._post(name, body, max(0.1, min(_SECONDS, until - time.monotonic())))
            except api.TransientError as error:
                wanted = min(LONGEST, max(pause, error.retry_after or 0.0))
                if not left or time.monotonic() + wanted + _SHORTEST > until:
                    raise
                self.context.log.info("The webhook is tried again: %s", error.message)
                time.sleep(wanted)
                pause *= 2
        return None

    def _post(self, name: str, body: bytes, seconds: float) -> None:
        url = self.options.url.get_secret_value()
        try:
            headers = self._headers(name, body)
            with closing(
                self.context.http.send("POST", url, headers=headers, body=body, seconds=seconds)
            ) as a:
                self._check(a.status, dict(a.headers))
        except api.SourceError as error:
            error.message = self._hidden(error.message)
            raise

    def _headers(self, name: str, body: bytes) -> dict[str, str]:
        now = int(time.time())
        headers = {"content-type": "application/json", "webhook-id": name, "webhook-timestamp": str(now)}
        secret = self.options.secret.get_secret_value()
        if secret:
            headers["webhook-signature"] = signature(secret, name, now, body)
        return headers

    def _check(self, status: int, headers: Mapping[str, str]) -> None:
        if 200 <= status < 300:
            return
        told = f"the webhook at {self._host} answered {status}"
        if status in {408, 425, 429} or status >= 500:
            raise api.TransientError(told, retry_after=_seconds(headers.get("retry-after", "")))
        if 300 <= status < 400:
            raise api.InvalidError(told, hint="write the address to which it leads as `url`")
        raise api.BlockedError(told, hint="check `url` and `secret` of the webhook under `notify:`")

    @property
    def _host(self) -> str:
        return urlsplit(self.options.url.get_secret_value()).hostname or ""

    def _hidden(self, words: str) -> str:
        """Take the address out of a message, but for its host, which says which entry it was."""
        url = self.options.url.get_secret_value()
        parts = urlsplit(url)
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        for secret in (url, parts.geturl(), api.redact(url)):
            words = words.replace(secret, f"{shown}/…")
        for secret in (parts.query, parts.path):
            if len(secret) > 1:
                words = words.replace(secret, "/…")
        return words


def encode(notice: api.Notice) -> bytes:
    """Write the body: `type`, `text` (what chat services show), and `data`, cut short when it is large."""
    data, short = notice.data, False
    body = _body(notice, data, short=short)
    for most in (MOST_ENTRIES, 0):
        if len(body) > MOST_BYTES:
            data = {key: _cut(value, most) for key, value in notice.data.items()}
            body = _body(notice, data, short=True)
    return body


def _body(notice: api.Notice, data: Mapping[str, Any], *, short: bool) -> bytes:
    text = f"{notice.subject}\n\n{notice.text}"[: MOST_BYTES // 16]
    told = {"type": "archive.run", "text": text, "data": {**data, "truncated": short}}
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _cut(value: Any, most: int) -> Any:
    return value[:most] if isinstance(value, list | tuple) else value


def _seconds(value: str) -> float | None:
    # A date is allowed as well (RFC 9110, 10.2.3); our own pause serves then.
    return float(value) if value.isascii() and value.isdigit() and len(value) < 6 else None
