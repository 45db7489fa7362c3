"""How the evidence is weighed: sure things are filed, contradictions wait."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.asked import ALPHABET, TOKEN_LENGTH, Ask, Asks, Way, how_long_ago, new_token
from archiver.decisions import Decisions
from archiver.ledger import Problem, Record, State
from archiver.model import Event, Kind, Material, Talk
from archiver.review import sender, waiting
from archiver.routing import Router

BEIJING = Event(
    "beijing",
    "Beijing Stop",
    city="Beijing",
    talks=(
        Talk("chef", "Deploy OpenStack with Chef", ("Junqiang Chen",)),
        Talk("swift", "Swift Architecture and Practice", ("Ming Li",)),
        Talk("short", "Quantum", ("Hui Cheng",)),
    ),
)
SHENZHEN = Event(
    "shenzhen",
    "Shenzhen Stop",
    city="深圳",
    talks=(Talk("nagios", "Monitoring a Cloud with Nagios"), Talk("chef", "Deploy OpenStack with Chef")),
)
EVENTS = (BEIJING, SHENZHEN)


def ask(token: str, event: str, *talks: str, at: str = "2012-09-16T00:00:00.000000Z", **more: Any) -> Ask:
    way = more.get("way", Way.SENT)
    return Ask(token, event, talks, "Somebody", f"{token}@box.example", at, way)


ASKS = Asks.of(
    [
        each.to_json()
        for each in (
            ask("chefchef", "beijing", "chef"),
            ask("swiftswf", "beijing", "swift"),
            ask("bothboth", "beijing", "chef", "swift"),
            ask("nagiosng", "shenzhen", "nagios"),
        )
    ],
    EVENTS,
)


def material(name: str = "slides.pdf", kind: Kind = Kind.SLIDES, **more: Any) -> Material:
    extra = {"subject": "slides", "key": "m", "name": name, **more.pop("extra", {})}
    title = name.rpartition(".")[0] if name not in ("slides.pdf", "talk.pdf") else extra["subject"]
    return Material(more.pop("id", name), kind, more.pop("title", title), extra=extra, **more)


def place(*materials: Material, users: tuple[str, ...] = ("beijing", "shenzhen"), **router: Any) -> str:
    """Where the first of them goes; "?" and why when nowhere."""
    made = Router(EVENTS, asks=ASKS, **router)
    found = made.route("inbox", "email", [(each, None) for each in materials], users)[0]
    if found.problem is not None:
        assert found.problem.reason == "unrouted"
        return f"? {found.problem.detail}"
    return f"{found.material.event}/{found.material.talk}"


def code(token: str, prefix: str = "Re: ") -> dict[str, str]:
    return {"subject": f"{prefix}[beijing/x#{token}] Your slides of “Deploy OpenStack with Chef”"}


class TestAnswers:
    def test_a_token_decides(self) -> None:
        assert place(material(extra=code("chefchef"))) == "beijing/chef"

    def test_an_answer_by_message_id_decides(self) -> None:
        answer = material(extra={"in_reply_to": "swiftswf@box.example", "subject": "Re: a request"})
        assert place(answer) == "beijing/swift"

    def test_our_own_words_in_the_subject_say_nothing_of_the_file(self) -> None:
        two = [material(name, extra=code("chefchef")) for name in ("slides.pdf", "talk.pdf")]
        assert "several decks" in place(*two)

    def test_the_wrong_deck(self) -> None:
        wrong = material("Swift Architecture and Practice.pdf", extra=code("chefchef"))
        assert "its title points to beijing/swift" in place(wrong)
        elsewhere = material("Monitoring a Cloud with Nagios.pdf", extra=code("chefchef"))
        assert "its title points to shenzhen/nagios" in place(elsewhere)

    def test_a_name_that_every_talk_shares_is_no_contradiction(self) -> None:
        known = {**code("swiftswf"), "sender_talks": "beijing/swift"}
        assert place(material("OpenStack.pdf", extra=known)) == "beijing/swift"

    @pytest.mark.parametrize("name", ["invoice.pdf", "agenda.pdf", "通讯录.pdf"])
    def test_a_strange_file_from_a_stranger_waits_though_it_names_the_code(self, name: str) -> None:
        assert "neither title nor sender" in place(material(name, extra=code("swiftswf")))
        known = {**code("swiftswf"), "sender_talks": "beijing/swift"}
        assert place(material(name, extra=known)) == "beijing/swift"
        assert place(material("Swift_v3.pdf", extra=code("swiftswf"))) == "beijing/swift"

    @pytest.mark.parametrize(
        "extra",
        [
            {"subject": "自动回复: [beijing/x#swiftswf] Your slides"},
            {"subject": "Out of Office: [beijing/x#swiftswf] Your slides"},
            {"subject": "Undelivered Mail Returned to Sender", "in_reply_to": "swiftswf@box.example"},
        ],
    )
    def test_an_answer_of_a_machine_waits_also_when_its_header_does_not_say_so(
        self, extra: dict[str, str]
    ) -> None:
        assert "no person sent it" in place(material(extra=extra))
        by_system = material(extra=code("swiftswf"), authors=("Mail Delivery System",))
        assert "no person sent it" in place(by_system)

    def test_one_of_two_decks_has_the_title(self) -> None:
        right = material("Deploy OpenStack with Chef.pdf", extra=code("chefchef"))
        other = material("another.pdf", extra=code("chefchef"))
        assert place(right, other) == "beijing/chef"
        assert "several decks" in place(other, right)

    def test_a_mail_about_two_talks_needs_the_title(self) -> None:
        named = material("Swift Architecture and Practice.pdf", extra=code("bothboth"))
        assert place(named) == "beijing/swift"
        assert "2 talks" in place(material(extra=code("bothboth")))

    def test_two_codes_of_different_talks(self) -> None:
        both = material(extra={"subject": "#chefchef #nagiosng"})
        assert "several of our mails" in place(both)
        nested = material(extra={"subject": "#chefchef #bothboth"})
        assert place(nested) == "beijing/chef"

    def test_a_code_and_an_answer_to_another_mail(self) -> None:
        mixed = material(extra={**code("chefchef"), "in_reply_to": "nagiosng@box.example"})
        assert "several of our mails" in place(mixed)

    @pytest.mark.parametrize("prefix", ["Fwd: ", "转发：", "WG: "])
    def test_a_forward_needs_the_title_or_the_speaker(self, prefix: str) -> None:
        extra = code("chefchef", prefix)
        assert "forwarded" in place(material(extra=extra))
        assert place(material(extra={**extra, "sender_talks": "beijing/chef"})) == "beijing/chef"
        assert place(material("deploy_openstack_with_chef.pdf", extra=extra)) == "beijing/chef"

    def test_the_speaker_of_another_talk(self) -> None:
        extra = {**code("chefchef"), "sender_talks": "beijing/swift"}
        assert "speaker of another talk" in place(material(extra=extra))

    def test_no_person(self) -> None:
        assert "no person" in place(material(extra={**code("chefchef"), "automatic": "yes"}))

    @pytest.mark.parametrize(("name", "kind"), [("me.jpg", Kind.PHOTO), ("bio.docx", Kind.OTHER)])
    def test_no_deck(self, name: str, kind: Kind) -> None:
        assert "seems to be no deck" in place(material(name, kind, extra=code("chefchef")))

    def test_an_unknown_code_says_nothing(self) -> None:
        assert place(material(extra={"subject": "[x#zzzzzzzz]"})).startswith("? neither")


class TestUnasked:
    def test_subject(self) -> None:
        assert place(material("any.pdf", extra={"subject": "我在深圳的讲稿"})) == "shenzhen/"
        assert place(material("me.jpg", Kind.PHOTO, extra={"subject": "BEIJING photos"})) == "beijing/"
        assert "beijing or shenzhen" in place(material("x.pdf", extra={"subject": "beijing, shenzhen"}))

    def test_one_user_or_a_filter(self) -> None:
        assert place(material("any.pdf"), users=("beijing",)) == "beijing/"
        assert place(material("any.pdf", event="shenzhen", talk="chef")) == "shenzhen/chef"
        assert "no event" in place(material("any.pdf", event="gone"))

    def test_a_title_of_two_stops_needs_more(self) -> None:
        assert place(material("Deploy OpenStack with Chef.pdf")).startswith("? by its title")
        sent = material("Deploy OpenStack with Chef.pdf", extra={"sender_talks": "shenzhen/chef"})
        assert place(sent) == "shenzhen/chef"
        assert place(sent, partial=True).startswith("? by its title")

    def test_a_title_of_one_stop(self) -> None:
        assert place(material("Monitoring a Cloud with Nagios.pdf")) == "shenzhen/nagios"
        assert "one word" in place(material("quantum.pdf"))
        assert place(material("quantum.pdf", authors=("Hui Cheng",))) == "beijing/short"

    def test_signs_against_each_other(self) -> None:
        against = material("Monitoring a Cloud with Nagios.pdf", extra={"subject": "Beijing"})
        assert "contradict" in place(against)
        chosen = material("any.pdf", extra={"events": "beijing shenzhen"})
        assert "beijing or shenzhen" in place(chosen)

    def test_a_speaker_alone_is_not_enough(self) -> None:
        assert "title fits no talk" in place(material("any.pdf", extra={"sender_talks": "beijing/swift"}))


class TestReview:
    def waiting(self, one: Material) -> list[str]:
        record = Record("inbox", "email", one, State.PENDING, problem=Problem("unrouted", "why"))
        (found,) = waiting([record], Router(EVENTS, Decisions(), ASKS))
        return [each.place for each in found.candidates]

    def test_candidates(self) -> None:
        wrong = material("Swift Architecture and Practice.pdf", extra=code("chefchef"))
        assert self.waiting(wrong)[:2] == ["beijing/swift", "beijing/chef"]
        sent = material("any.pdf", extra={"sender_talks": "beijing/short"})
        assert self.waiting(sent) == ["beijing/short"]

    def test_senders_are_masked(self) -> None:
        assert sender(material(authors=("Junqiang Chen", "liwei"))) == "J… C…, l…"


class TestAsks:
    def test_tokens_spell_nothing_and_differ(self) -> None:
        tokens = {new_token() for _ in range(500)}
        assert len(tokens) == 500
        assert all(len(each) == TOKEN_LENGTH and set(each) <= set(ALPHABET) for each in tokens)

    @pytest.mark.parametrize(
        ("at", "told"),
        [
            ("2012-09-16T11:00:00Z", "asked today"),
            ("2012-09-15T11:00:00Z", "asked yesterday"),
            ("2012-09-13T11:00:00Z", "asked 3 days ago"),
        ],
    )
    def test_how_long_ago(self, at: str, told: str) -> None:
        from datetime import datetime

        now = datetime.fromisoformat("2012-09-16T12:00:00Z")
        assert how_long_ago(ask("t", "beijing", "chef", at=at), now) == told

    def test_the_newest_that_was_not_refused(self) -> None:
        old = ask("old", "beijing", "chef", at="2012-09-01T00:00:00Z")
        refused = ask("new", "beijing", "chef", at="2012-09-02T00:00:00Z", way=Way.REFUSED)
        asks = Asks.of([refused.to_json(), old.to_json()], EVENTS)
        assert asks.last("beijing", "chef") == old

    def test_talks_that_are_gone_are_left_out(self) -> None:
        asks = Asks.of([ask("t", "beijing", "chef", "gone").to_json()], EVENTS)
        assert asks.by_token["t"].talks == ("chef",)
        assert Asks.of([ask("t", "gone", "chef").to_json()], EVENTS).by_token == {}


WORDS = st.sampled_from(
    ["beijing", "深圳", "#chefchef", "#nagiosng", "Re:", "Fwd:", "Deploy OpenStack with Chef", "Quantum", "x"]
)
IDS = st.sampled_from(["chefchef@box.example", "nagiosng@box.example", "other@x", ""])
PLACES = st.sampled_from(["beijing/chef", "shenzhen/nagios", "gone/x", "beijing", ""])


@settings(max_examples=50)
@given(
    subject=st.lists(WORDS, max_size=4).map(" ".join),
    title=WORDS | st.text(max_size=30),
    kind=st.sampled_from(Kind),
    answered=IDS,
    sender_talks=PLACES,
    automatic=st.sampled_from(["", "yes"]),
)
def test_everything_is_filed_somewhere_or_waits_and_says_why(
    subject: str, title: str, kind: Kind, answered: str, sender_talks: str, automatic: str
) -> None:
    extra = {"subject": subject, "in_reply_to": answered, "sender_talks": sender_talks}
    extra |= {"automatic": automatic, "name": f"{title}.pdf"}
    one = Material("x", kind, title, extra=extra)
    (found,) = Router(EVENTS, asks=ASKS).route("inbox", "email", [(one, None)], ["beijing", "shenzhen"])
    talks = {event.id: {talk.id for talk in event.talks} for event in EVENTS}
    if found.problem is None:
        assert found.material.talk in {"", *talks[found.material.event]}
        # Nothing is filed against what it answers.
        assert answered != "nagiosng@box.example" or found.material.event == "shenzhen" or "#chef" in subject
    else:
        assert found.material.event == ""
        assert found.problem.detail
    assert not automatic or found.problem is not None
