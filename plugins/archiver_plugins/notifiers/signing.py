"""Sign what a webhook gets, so that its receiver knows from whom it comes and when.

Standard Webhooks, symmetric signatures (https://www.standardwebhooks.com): the base64 of the HMAC-SHA256
over "id.timestamp.body", as `v1,…`. Receivers find ready libraries there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """Give the key of a secret: base64 after `whsec_`, else the secret's own bytes. Raises `ValueError`."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("expected base64 after whsec_") from error


def signature(secret: str, name: str, timestamp: int, body: bytes) -> str:
    """Sign one delivery: `name` is its id, `timestamp` seconds since 1970."""
    signed = f"{name}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
