"""What went wrong with a store, in words, with the next step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from archiver.api import SinkError

# Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_KEYS = "check access_key and secret_key, or the AWS settings of this machine"
_RIGHTS = "these keys need s3:GetObject, s3:PutObject, s3:ListBucket and s3:AbortMultipartUpload there"
_HINTS = {
    "NoSuchBucket": "make the bucket first, or correct its name",
    "404": "make the bucket first, or correct its name",
    "InvalidBucketName": "correct the name of the bucket",
    "AccessDenied": _RIGHTS,
    "403": _RIGHTS,
    "InvalidAccessKeyId": _KEYS,
    "SignatureDoesNotMatch": "the secret key is not the right one, or the region is wrong",
    "AuthorizationHeaderMalformed": "set the region of the bucket",
    "PermanentRedirect": "set the region of the bucket, or its endpoint_url",
    "301": "set the region of the bucket, or its endpoint_url",
    "ExpiredToken": "get new temporary keys and run again",
    "InvalidToken": "get new temporary keys and run again",
    "RequestTimeTooSkewed": "set the clock of this machine, then run again",
    "SlowDown": "the store is overloaded: run again later, what is stored stays stored",
    "503": "the store is overloaded: run again later, what is stored stays stored",
    "QuotaExceeded": "the quota of the bucket is used up: raise it and run again",
    "InvalidObjectState": "ask the store to restore it, which can take hours and cost money: nothing is lost",
    "BadDigest": "check memory and disk of this machine, then run again",
    "XAmzContentSHA256Mismatch": "check memory and disk of this machine, then run again",
}
_CLASSES = {
    "NoCredentialsError": ("no keys were found", _KEYS),
    "PartialCredentialsError": ("only half of the keys was found", _KEYS),
    "ProfileNotFound": ("the AWS profile is not there", _KEYS),
    "EndpointConnectionError": ("its address could not be reached", "check endpoint_url and the network"),
    "ConnectTimeoutError": ("it did not answer in time", "check endpoint_url and the network"),
    "ReadTimeoutError": ("it did not answer in time", "run again later"),
    "ConnectionClosedError": ("the connection broke off", "run again later"),
    "SSLError": ("its certificate could not be proven", "check endpoint_url, or set AWS_CA_BUNDLE"),
    "ProxyConnectionError": ("the proxy could not be reached", "check HTTPS_PROXY"),
}


def code(error: Any) -> str:
    """Give the code of a `ClientError`, such as `NoSuchKey`; the status where a body is missing."""
    return str(error.response.get("Error", {}).get("Code") or status(error))


def status(error: Any) -> int:
    """Give the HTTP status of a `ClientError`."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)


def retried(error: Any) -> bool:
    """Say whether an earlier try of the same request may have been carried out."""
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts"))


@contextmanager
def explained(sink: str, place: str, what: str) -> Iterator[None]:
    """Turn whatever botocore raises into a `SinkError` that names the sink, the place and `what`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        message, hint = _answer(error)
        raise SinkError(f"sink {sink} ({place}) failed on {what}: {message}", hint=hint) from error
    except (BotoCoreError, OSError, ValueError) as error:
        message, hint = _fault(error)
        raise SinkError(f"sink {sink} ({place}) failed on {what}: {message}", hint=hint) from error


def _answer(error: Any) -> tuple[str, str]:
    found = code(error)
    told = _printable(error.response.get("Error", {}).get("Message") or "")
    if found == "InvalidObjectState":
        told = f"it is archived ({_printable(_state(error))}), not verified: it cannot be read now"
    elif found == "RequestTimeTooSkewed":
        told = f"the clock of this machine is {skew_in_words(error.response)}"
    default = "run again later" if status(error) >= 500 else "see what the store says"
    return f"{_printable(found)}: {told}" if told else _printable(found), _HINTS.get(found, default)


def _state(error: Any) -> str:
    return str(error.response.get("Error", {}).get("StorageClass") or "cold storage")


def _fault(error: Exception) -> tuple[str, str]:
    for kind in type(error).__mro__:
        if kind.__name__ in _CLASSES:
            return _CLASSES[kind.__name__]
    return (
        f"{type(error).__name__}: {_printable(str(error))}",
        "check the options of this sink and the network",
    )


def skew(response: Mapping[str, Any]) -> float:
    """Say how many seconds the clock of this machine is ahead of the store's; 0.0 where it does not say."""
    stamp = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return (datetime.now(UTC) - parsedate_to_datetime(stamp)).total_seconds()
    except (TypeError, ValueError):
        return 0.0


def skew_in_words(response: Mapping[str, Any]) -> str:
    """Say the same in words: `17 minutes behind that of the store`."""
    seconds = skew(response)
    if not seconds:
        return "wrong"
    return f"{abs(seconds) / 60:.0f} minutes {'ahead of' if seconds > 0 else 'behind'} that of the store"


def _printable(text: str) -> str:
    # The answer of a stranger: it may hold codes that move the cursor, or a whole page.
    return "".join(letter if letter.isprintable() else " " for letter in str(text)[:300])
