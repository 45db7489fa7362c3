from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.redact import mask_parameters, secret_parameters
from archiver.web import is_secret_name, redact

_SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "name",
    [
        "api_key", "key", "token", "sig", "signature", "secret", "password", "auth_token", "oauth_nonce",
        "X-Amz-Signature", "X-Amz-Date", "AWSAccessKeyId", "hash", "accessToken", "API_KEY", "api%5Fkey",
        "client.secret", "Authorization", "Cookie", "X-Api-Key", "sessionid",
    ],
)  # fmt: skip
def test_secret_values_are_masked(name: str) -> None:
    for mark in "?&;#":
        masked = redact(f"https://host/path{mark}{name}={_SECRET}&page=2")
        assert _SECRET not in masked
        assert "page=2" in masked
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["page", "q", "author", "keyword", "album", "design", "monkey", "turkey", "size"]
)
def test_harmless_values_stay(name: str) -> None:
    assert redact(f"https://host/?{name}=beijing") == f"https://host/?{name}=beijing"
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "url",
    [
        f"https://user:{_SECRET}@host/path",
        f"//{_SECRET}@host/",
        f"https://user:{_SECRET}/slash@host/path",  # an unescaped slash ends the host early
        f"https://user:{_SECRET}@x@host/",
        f"see http://a/?token={_SECRET} and http://b/?key={_SECRET}.",
        f"https://host/?next={quote(f'https://x/?token={_SECRET}', safe='')}",
        f"https://host/?next={quote(f'https://u:{_SECRET}@x/', safe='')}",
        "https://live.example/v.mp4?s=hunter2hunter2hunter2hunter2hunter2hunter2",
    ],
)
def test_every_place_of_a_secret(url: str) -> None:
    assert _SECRET not in redact(url)


def test_an_at_sign_in_the_path_is_no_user() -> None:
    assert redact("https://medium.example/@user/post") == "https://medium.example/@user/post"


@given(st.text())
def test_any_text_is_masked_once_and_for_all(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@given(
    name=st.sampled_from(["api_key", "TOKEN", "x-amz-credential", "oauth_token", "sig"]),
    value=st.text(alphabet="ABCdef0189+/=%._~:@!$,*", min_size=8),
    before=st.lists(st.sampled_from(["page=1", "q=%E4%BA%91", "x"])),
)
def test_a_secret_never_survives(name: str, value: str, before: list[str]) -> None:
    url = "https://host/p?" + "&".join([*before, f"{name}={value}"])
    assert value not in redact(url).replace("***", "")


@pytest.mark.parametrize(
    ("address", "masked", "names"),
    [
        ("https://host/a?token=s3cr3t-abcdef&page=2", "https://host/a?token=***&page=2", ["token"]),
        ("https://host/a?page=2#sig=abcdefghij", "https://host/a?page=2#sig=***", ["sig"]),
        # A talk, a day and a playlist.
        ("https://host/a?session=42", "https://host/a?session=42", []),
        ("https://host/a?session=20120916", "https://host/a?session=20120916", []),
        (f"https://host/a?list=PL{'a1' * 20}", f"https://host/a?list=PL{'a1' * 20}", []),
    ],
)
def test_only_named_secrets_are_masked_in_a_public_address(
    address: str, masked: str, names: list[str]
) -> None:
    assert (mask_parameters(address), secret_parameters(address)) == (masked, names)


@given(st.text())
def test_what_was_masked_has_no_secret_parameter(text: str) -> None:
    assert secret_parameters(mask_parameters(f"https://host/?token=abcdefghij&{text}")) == []
