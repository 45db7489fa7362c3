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
#: Not behind a host: `https://example.org//@someone` is a path.
_USERINFO = re.compile(r"(?<![\w.\]/-])//[^/?#\s]*@")
#: What may hold one user and password, to its end or to the `@` behind these.
_RUN = re.compile(r"[^\s?#@]+@?")
#: An unescaped `/` in a password ends the host early: https://user:pa/ss@host. No port looks so. Looked for
#: within one run only: a search for the `@` from every `//` of a long text would take hours.
_BROKEN_USERINFO = re.compile(r"(?<![\w.\]/-])//[^/?#\s:@]*:[\d/]*[^\d\s?#@/]")
#: Characters of the shortest value of an address that is taken for a secret by its name alone.
_SHORTEST = 8
#: URLs inside URLs that are looked into; what is wrapped more often than that is masked as it is.
_DEEPEST = 8


def is_secret_name(name: str) -> bool:
    """Say whether a query parameter or header of this name carries a secret."""
    plain = unquote_plus(name)
    lower = plain.lower()
    if lower.startswith(_SECRET_PREFIXES) or any(part in lower for part in _SECRET_PARTS):
        return True
    words = _WORD.findall(_CAMEL.sub(" ", plain))
    return any(word.lower() in _SECRET_WORDS for word in words)


def secret_parameters(address: str) -> list[str]:
    """Name the parameters of an address that carry a secret, going by their names.

    A short value or a number is none, whatever its name says: `?session=42` names a talk.
    """
    return [name for _, name, value in _PAIR.findall(address) if _is_telling(name, value)]


def mask_parameters(address: str) -> str:
    """Mask what `secret_parameters` names, and nothing else: the rest of the address still leads there."""
    return _PAIR.sub(
        lambda match: f"{match[1]}{match[2]}={MASK}" if _is_telling(match[2], match[3]) else match[0], address
    )


def _is_telling(name: str, value: str) -> bool:
    return len(value) >= _SHORTEST and not value.isdecimal() and is_secret_name(name)


def redact(text: str) -> str:
    """Mask user names, passwords and secret parameters of every URL in `text`.

    Works on any text, whole URLs or not, in time that grows with its length, and never raises. Masking
    twice changes nothing more.
    """
    return _redacted(text, _DEEPEST)


def _redacted(text: str, depth: int) -> str:
    if "//" in text and "@" in text:
        text = _USERINFO.sub(f"//{MASK}@", text)
        text = _RUN.sub(_masked_run, text)
    return _PAIR.sub(lambda match: _masked_pair(match, depth), text)


def _masked_run(match: re.Match[str]) -> str:
    run = match[0]
    found = _BROKEN_USERINFO.search(run) if run.endswith("@") else None
    return f"{run[: found.start()]}//{MASK}@" if found else run


def _masked_pair(match: re.Match[str], depth: int) -> str:
    mark, name, value = match.groups()
    return f"{mark}{name}={MASK}" if _is_secret_pair(name, value, depth) else match[0]


def _is_secret_pair(name: str, value: str, depth: int) -> bool:
    if not value or value == MASK:
        return False
    if is_secret_name(name):
        return True
    plain = unquote_plus(value)
    if _OPAQUE.match(plain):
        return True
    # A URL inside a URL has secrets of its own: ?next=https%3A%2F%2Fx%2F%3Ftoken%3Dabc
    return plain != value and (depth == 0 or _redacted(plain, depth - 1) != plain)
