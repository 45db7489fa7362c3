"""The options of a plugin, and the version of what it is held to."""

from __future__ import annotations

from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict

API_VERSION = 1


class Options(BaseModel):
    """Typed options of a plugin; unknown keys are errors. Mark secrets as `pydantic.SecretStr`.

    An option called `base_url` is an address the user trusts: the HTTP client may reach it even
    when it is a private one. So are the values of one called `mirrors`, which maps names of hosts to
    addresses. Neither they nor `timeout` change what a source lists: cursors outlive a change of them.
    """

    # The options of a dozen plugins take a tenth of a second to make ready, and few of them are used.
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, defer_build=True)


def _service_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected an address like https://www.example.org")
    return value.rstrip("/")


#: The type of an option `base_url`: an http or https address, without a slash at its end.
BaseUrl = Annotated[str, AfterValidator(_service_address)]

OptionsT = TypeVar("OptionsT", bound=Options)
EntryT = TypeVar("EntryT", bound=Options)
