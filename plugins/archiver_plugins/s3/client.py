"""Make the client: credentials, retries, and signatures that do not read the file once more."""

from __future__ import annotations

import base64
import binascii
import functools
from typing import Any

from archiver_plugins.s3.options import S3Options

#: As AWS advises: standard mode retries 500, 502, 503, 504, 429, SlowDown and broken connections.
_ATTEMPTS = 8
_CONNECT_SECONDS, _READ_SECONDS = 10, 60
#: More than any number of workers and parts that runs at once.
_CONNECTIONS = 48
_PASSING = {408: "RequestTimeout", 429: "SlowDown"}
#: From this size on, the store is asked before the body is sent.
_ASKED_FIRST = 1 << 20
_SIGNER = "archiver-known-digest"


def make_client(options: S3Options) -> Any:
    """Make a client for the place that the options name. Raises what botocore raises.

    boto3's own client is this one, with an upload manager that is not used here: to load that takes as
    long as to load all the rest.
    """
    import botocore.session
    from botocore.config import Config

    access, secret, token = options.credentials
    session = botocore.session.Session()
    session.register_component("data_loader", _definitions())
    if access and secret:
        session.set_credentials(access, secret, token)
    region = options.region or session.get_config_variable("region") or "us-east-1"
    config = Config(
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        max_pool_connections=_CONNECTIONS,
        s3={"addressing_style": options.addressing},
        # Every body comes with our own SHA-256. Some stores refuse other checksums, or send that of the
        # whole object with a part of it.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        user_agent_extra="event-archiver",
        # A tenth of the work of a request; what is asked is put together here alone.
        parameter_validation=False,
    )
    client = session.create_client(
        "s3", endpoint_url=options.endpoint_url or None, region_name=region, config=config
    )
    _sign_known_digests(client)
    client.meta.events.register("response-received.s3", _name_passing_faults)
    client.meta.events.register_last("before-call.s3.PutObject", _send_small_at_once)
    return client


def _name_passing_faults(response_dict: Any = None, parsed_response: Any = None, **_: Any) -> None:
    # Retries go by the word. AWS never says 429, others do, each with a word of its own.
    word = _PASSING.get(int((response_dict or {}).get("status_code") or 0))
    if word and isinstance(parsed_response, dict):
        parsed_response.setdefault("Error", {})["Code"] = word


def _send_small_at_once(params: Any = None, **_: Any) -> None:
    # botocore asks for leave before each body, which costs a round trip. Worth it only for large ones,
    # that a store may not want at all.
    headers = params["headers"]
    if int(headers.get("Content-Length", 0)) < _ASKED_FIRST:
        headers.pop("Expect", None)


@functools.cache
def _definitions() -> Any:
    # What botocore knows of S3 is a megabyte of JSON: parsed once, a client is made in a fifth of the time.
    import botocore.session

    return botocore.session.Session().get_component("data_loader")


def _sign_known_digests(client: Any) -> None:
    """Let requests be signed with the SHA-256 that they carry.

    Left alone, botocore reads each file once more for it (over http), or signs no digest at all (https).
    Facts: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    """
    from botocore import auth

    def payload(self: Any, request: Any) -> Any:
        known = _digest(request.headers.get("x-amz-checksum-sha256"))
        return known or auth.S3SigV4Auth.payload(self, request)

    def choose(signature_version: Any = None, **_: Any) -> str | None:
        return _SIGNER if signature_version == "s3v4" else None

    auth.AUTH_TYPE_MAPS[_SIGNER] = type("KnownDigestAuth", (auth.S3SigV4Auth,), {"payload": payload})
    client.meta.events.register("choose-signer.s3", choose)


def _digest(header: Any) -> str:
    """Turn the value of the checksum header into hex; empty when there is none."""
    text = header.decode("ascii", "replace") if isinstance(header, bytes) else str(header or "")
    try:
        return base64.b64decode(text, validate=True).hex()
    except binascii.Error:
        return ""
