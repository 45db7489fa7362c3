"""Options of the `s3` sink."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from archiver.api import Options

# An S3 key holds at most 1,024 bytes, and a path in an archive may need most of them.
_PREFIX_BYTES = 200
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")


def _endpoint(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError("expected an address like https://s3.example.org")
    if parts.username or parts.password:
        raise ValueError("keys do not belong into the address: use access_key and secret_key")
    return value.rstrip("/")


def _prefix(value: str) -> str:
    parts = [part for part in value.split("/") if part]
    if any(part in {".", ".."} for part in parts) or _UNSAFE.search(value):
        raise ValueError("expected folder names with slashes between them, such as tours/2012")
    if len(value.encode("utf-8", "replace")) > _PREFIX_BYTES:
        raise ValueError(f"at most {_PREFIX_BYTES} bytes: the names in the archive need the rest")
    return "/".join(parts)


class S3Options(Options):
    """Options of the `s3` sink."""

    bucket: Annotated[str, Field(min_length=1, max_length=2048, pattern=r"^(arn:[^\s?#]+|[^\s/?#:]+)$")]
    """Name of the bucket, or ARN of an access point. It has to exist."""
    prefix: Annotated[str, AfterValidator(_prefix)] = ""
    """Where in the bucket the archive lies, such as `tours/2012`; by default at its top."""
    endpoint_url: Annotated[str, AfterValidator(_endpoint)] = ""
    """Address of the service; by default AWS, or what `AWS_ENDPOINT_URL` says."""
    region: str = ""
    """Region of the bucket; by default what the AWS settings of this machine say, else us-east-1."""
    addressing: Literal["auto", "path", "virtual"] = "auto"
    """Whether the bucket stands in the path or in the host name; `path` for most stores of one's own."""
    storage_class: str = ""
    """Storage class of what events hold, such as `STANDARD_IA`; our own records stay in the default one."""
    encryption: Literal["none", "AES256", "aws:kms"] = "none"
    """Encryption by the store: `none` leaves it to the settings of the bucket."""
    kms_key: str = ""
    """Id of the key for `aws:kms`; by default the account's own."""
    access_key: SecretStr | None = None
    """Access key id; by default the usual places are searched: environment, `~/.aws`, the machine's role."""
    secret_key: SecretStr | None = None
    """Secret of the access key."""
    session_token: SecretStr | None = None
    """Token of temporary keys."""
    jobs: Annotated[int, Field(ge=1, le=32)] = 4
    """How many parts of large files are sent at a time."""

    @model_validator(mode="after")
    def _whole_keys(self) -> Self:
        # An empty one comes from ${NAME:-} with the variable not set: then the usual places are searched.
        if bool(_text(self.access_key)) != bool(_text(self.secret_key)):
            raise ValueError("access_key and secret_key go together")
        if self.kms_key and self.encryption != "aws:kms":
            raise ValueError("kms_key needs encryption: aws:kms")
        return self

    @property
    def credentials(self) -> tuple[str | None, str | None, str | None]:
        """Access key, secret and token as the client takes them; None where not given."""
        return _text(self.access_key), _text(self.secret_key), _text(self.session_token)

    @property
    def place(self) -> str:
        """The archive's place, for messages: `cosug/tour-2012`."""
        return f"{self.bucket}/{self.prefix}" if self.prefix else self.bucket


def _text(secret: SecretStr | None) -> str | None:
    return (secret.get_secret_value() if secret else "") or None
