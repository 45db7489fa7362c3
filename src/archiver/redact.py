"""Secrets out of addresses, before these stand in any message or log."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

MASK = "***"

#: Words that make a parameter or header a secret one: api_key, X-Auth-Token, AWSAccessKeyId, sig.
_SECRET_WORDS = frozenset(
    (
        "key",
        "apikey",
        "token",
        "sig",
        "sign",
        "signature",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "pass",
        "pwd",
        "auth",
        "authorization",
        "oauth",
        "credential",
        "credentials",
        "session",
        "sessionid",
        "sid",
        "hash",
        "hmac",
        "jwt",
        "cookie",
        "policy",
        "ticket",
    )
)
#: Parts that make it secret even when they are glued to others: accesstoken, mypassword2.
_SECRET_PARTS = ("token", "secret", "passw", "signature", "apikey", "credential", "oauth", "jwt")
_SECRET_PREFIXES = ("x-amz-", "x-goog-", "oauth_")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[A-Za-z]+")
#: Long opaque values are taken for secrets whatever their name: Flickr signs videos by `?s=…`.
_OPAQUE = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+/=_-]{32,}\Z")
#: `?name=value`; also after `;` and `#`, where some services put them.
_PAIR = re.compile(r"([?&;#])([^=&#;?\s]+)=([^&#;\s\"'<>]*)")
_USERINFO = re.compile(r"//[^/?#\s]*@")
#: An unescaped `/` in a password ends the host early: https://user:pa/ss@host. No port looks so.
_BROKEN_USERINFO = re.compile(r"//[^/?#\s:@]*:[^\s?#@]*[^\d\s?#@/][^\s?#@]*@")


def is_secret_name(name: str) -> bool:
    """Say whether a query parameter or header of this name carries a secret."""
    plain = unquote_plus(name)
    lower = plain.lower()
    if lower.startswith(_SECRET_PREFIXES) or any(part in lower for part in _SECRET_PARTS):
        return True
    words = _WORD.findall(_CAMEL.sub(" ", plain))
    return any(word.lower() in _SECRET_WORDS for word in words)


def redact(text: str) -> str:
    """Mask user names, passwords and secret parameters of every URL in `text`.

    Works on any text, whole URLs or not, and never raises. Masking twice changes nothing more.
    """
    text = _USERINFO.sub(f"//{MASK}@", text)
    text = _BROKEN_USERINFO.sub(f"//{MASK}@", text)
    return _PAIR.sub(_masked_pair, text)


def _masked_pair(match: re.Match[str]) -> str:
    mark, name, value = match.groups()
    return f"{mark}{name}={MASK}" if _is_secret_pair(name, value) else match.group()


def _is_secret_pair(name: str, value: str) -> bool:
    if not value or value == MASK:
        return False
    if is_secret_name(name):
        return True
    plain = unquote_plus(value)
    # A URL inside a URL has secrets of its own: ?next=https%3A%2F%2Fx%2F%3Ftoken%3Dabc
    return bool(_OPAQUE.match(plain)) or (plain != value and redact(plain) != plain)
