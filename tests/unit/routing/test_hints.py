"""What is read of a message, whatever a mail program made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.model import Kind, Material
from archiver.routing import hints


def material(title: str = "", **extra: str) -> Material:
    return Material("x", Kind.SLIDES, title, extra=extra)


def read(**extra: str) -> hints.Hints:
    found = hints.read(material(**extra))
    assert found is not None
    return found


def test_what_came_in_no_message_has_no_hints() -> None:
    assert hints.read(material(name="chef.pdf", key="x")) is None


@pytest.mark.parametrize(
    "subject",
    [
        "[beijing/chef#k3f9b2xz] Your slides",
        "回复：[beijing/chef#k3f9b2xz] Your slides",
        "Re: [BEIJING/CHEF#K3F9B2XZ] YOUR SLIDES",
        "答复: ［beijing/chef＃k3f9b2xz］ 讲稿",
        "[beijing/chef# k3f9b2xz]",
        "Antw: beijing/chef#k3f9b2xz",
        "[beijing/chef\n #k3f9b2xz] folded",
    ],
)
def test_a_code_in_a_subject(subject: str) -> None:
    assert read(subject=subject).tokens == ("k3f9b2xz",)


@pytest.mark.parametrize("subject", ["issue #12345678901", "#abc", "k3f9b2xz", ""])
def test_no_code(subject: str) -> None:
    assert read(subject=subject).tokens == ()


def test_a_code_in_an_address_and_what_is_answered() -> None:
    found = read(tokens="K3F9B2XZ other", in_reply_to="a@x", references="c@x b@x a@x")
    assert found.tokens == ("k3f9b2xz", "other")
    assert found.answered == ("a@x", "a@x", "b@x", "c@x")


@pytest.mark.parametrize(
    ("subject", "forwarded"),
    [
        ("Fwd: slides", True),
        ("转发：slides", True),
        ("WG: slides", True),
        ("FW: Re: slides", True),
        ("Re: Fwd: slides", True),
        ("Re: forwarding slides", False),
        ("回复: slides", False),
        ("Tracks: slides", False),
        ("I have slides", False),
    ],
)
def test_forwards(subject: str, forwarded: bool) -> None:
    assert read(subject=subject).forwarded is forwarded


@pytest.mark.parametrize(
    ("title", "name", "own"),
    [
        ("Deploy OpenStack", "Deploy_OpenStack.pdf", True),
        ("Your slides", "slides.pdf", False),
        ("Your slides", "", False),
    ],
)
def test_titles_of_files_are_told_from_subjects(title: str, name: str, own: bool) -> None:
    assert bool(hints.own_title(material(title, name=name))) is own


def test_the_code_is_no_part_of_a_title() -> None:
    assert hints.without_code("[a/b#k3f9b2xz] Your slides") == "Your slides"
    assert hints.without_code("[a/b#k3f9b2xz]") == "[a/b#k3f9b2xz]"
    assert hints.without_code("[part 1] Chef #1") == "[part 1] Chef #1"


@given(st.dictionaries(st.sampled_from(["subject", "tokens", "references", "sender_talks"]), st.text()))
def test_nothing_makes_it_fail(extra: dict[str, str]) -> None:
    hints.read(material(**extra))
