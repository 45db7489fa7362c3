"""What reaches a public sink: what is cleared, whole, and nothing else, in whatever file."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from archiver import leftovers
from archiver.archive import ABOUT, COMMON
from archiver.config import ArchiveSettings
from archiver.consents import Given
from archiver.errors import SinkError
from archiver.model import Consent, Kind, Material
from line_kit import Upstream
from public_kit import (
    Marked,
    PublicWorld,
    everything_in,
    found,
    mark,
    stop,
    strings_of,
    strings_of_stop,
    talk,
    thing,
)

PUBLIC, INTERNAL, UNKNOWN = Consent.PUBLIC, Consent.INTERNAL, Consent.UNKNOWN
STRICT = [INTERNAL, UNKNOWN, PUBLIC]
said = st.sampled_from([None, PUBLIC, PUBLIC, INTERNAL, UNKNOWN])


#: A thing of the plot: the event, by its number, and the thing in it.
Spot = tuple[int, int]
SPOTS = [(at, n) for at in range(2) for n in range(4)]
marks = st.sampled_from([None, None, PUBLIC, INTERNAL, UNKNOWN])
seldom = st.sampled_from([False, False, False, True])


@dataclass(frozen=True)
class Plot:
    """A random archive: what is said of two events, their talks, uses, and of four things in each event.

    Two things may have the same bytes (`twins`), and the third of an event be found in its report, which is
    the fourth (`handed`).
    """

    default: Consent
    events: tuple[Consent | None, ...]
    talks: tuple[tuple[Consent | None, ...], ...]
    uses: tuple[Consent | None, ...]
    decided: tuple[tuple[Consent | None, ...], ...]
    rejected: tuple[tuple[bool, ...], ...] = ((False,) * 4,) * 2
    twins: tuple[Spot, Spot] | None = None
    handed: tuple[bool, bool] = (False, False)

    def bytes_of(self, spot: Spot) -> str:
        """Name the thing whose bytes a thing has."""
        return _name(self.twins[0] if self.twins and spot == self.twins[1] else spot)

    def strings(self, spot: Spot) -> set[str]:
        """Give every marker of a thing that may be shown once it is cleared."""
        own = strings_of(_name(spot)) - {mark(_name(spot), "bytes")}
        return own | {mark(self.bytes_of(spot), "bytes")}


def _name(spot: Spot) -> str:
    return f"{NAMES[spot[0]]}{spot[1]}"


plots = st.builds(
    Plot,
    st.sampled_from(STRICT),
    st.tuples(said, said),
    st.tuples(*[st.tuples(said, said)] * 2),
    st.tuples(said, said),
    st.tuples(*[st.tuples(*[marks] * 4)] * 2),
    st.tuples(*[st.tuples(*[seldom] * 4)] * 2),
    st.sampled_from([None, *permutations(SPOTS, 2)]),
    st.tuples(st.booleans(), st.booleans()),
)
NAMES = ("a", "b")
NOTHING = ((None,) * 4,) * 2
#: An event that is public, but for one of its talks.
MIXED = Plot(PUBLIC, (None, None), ((None, INTERNAL), (None, None)), (None, None), NOTHING)
#: Not shrunk: an example takes a second.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@dataclass
class Handed(Marked):
    """A thing that a report led to."""

    report: str = ""

    @property
    def material(self) -> Material:
        """How it is known, with the marks of where it was found."""
        plain, report = super().material, mark(self.report, "id")
        marks = {
            "found_in": mark(self.report, "title"),
            "found_at": f"https://media.example.org/{mark(report, 'url')}",
            "found_as": plain.url,
        }
        return replace(plain, extra={**plain.extra, **marks})


def _world(plot: Plot, folder: Path) -> PublicWorld:
    events = tuple(
        stop(name, (talk(f"{name}{n}", plot.talks[at][n]) for n in range(2)), plot.events[at])
        for at, name in enumerate(NAMES)
    )
    world = PublicWorld(folder, {"src": Upstream()}, events)
    world.settings = ArchiveSettings("A tour", consent=plot.default)
    world.uses = dict(zip(NAMES, plot.uses, strict=True))
    for spot in SPOTS:
        world.up.put(_thing(plot, spot))
    return world


def _thing(plot: Plot, spot: Spot) -> Marked:
    """Make a thing: 0 and 1 are of the talks, 2 is of no known talk, 3 a report of the event."""
    (at, n), name = spot, _name(spot)
    more = {"talk": mark(name, "talk")} if n < 2 else {"kind": Kind.REPORT} if n == 3 else {}
    made = thing(name, NAMES[at], **more)
    made = replace(made, data=thing(plot.bytes_of(spot), NAMES[at]).data)
    if n == 2 and plot.handed[at]:
        return Handed(**vars(made), report=f"{NAMES[at]}3")
    return made


def _alone(plot: Plot, spot: Spot) -> Consent:
    """Say what the rules, written down once more, say of one thing by itself."""
    at, n = spot
    event = plot.events[at] or plot.default
    talks = [plot.talks[at][n] or event for n in range(2)]
    if decided := plot.decided[at][n]:
        return decided
    if plot.rejected[at][n]:
        return min([plot.uses[at] or event, *talks, UNKNOWN], key=STRICT.index)
    words = [plot.uses[at]]
    if n < 2:
        words.append(plot.talks[at][n])
    elif n == 2 and {*talks} != {PUBLIC}:
        words.append(UNKNOWN)
    stated = [word for word in words if word]
    return min(stated, key=STRICT.index) if stated else event


def _together(plot: Plot) -> dict[Spot, Consent]:
    """Say what holds of each thing, seen beside the others."""
    found = {spot: _alone(plot, spot) for spot in SPOTS}
    pairs = [plot.twins, plot.twins[::-1]] if plot.twins else []
    for _ in SPOTS:
        for at in range(2):
            if plot.handed[at] and not plot.decided[at][2]:
                found[at, 2] = min(found[at, 2], found[at, 3], key=STRICT.index)
        for one, other in pairs:
            by_person, own = (plot.decided[at][n] is not None for at, n in (one, other))
            if found[one] is INTERNAL and (by_person or not own):
                found[other] = INTERNAL
    return found


def _cleared(plot: Plot) -> tuple[set[str], set[str]]:
    """Say by the rules which markers belong to the public sink, and which do not."""
    yes: set[str] = set()
    every: set[str] = set()
    ruled = _together(plot)
    for at, name in enumerate(NAMES):
        event = plot.events[at] or plot.default
        talks = [plot.talks[at][n] or event for n in range(2)]
        things = [ruled[at, n] is PUBLIC for n in range(4)]
        for n in range(4):
            every |= plot.strings((at, n)) | {mark(mark(f"{name}{n}", "id"), "extra")}
            yes |= plot.strings((at, n)) if things[n] else set()
        for n in range(2):
            words_of_talk = {mark(f"{name}{n}", "talk"), mark(f"{name}{n}", "speaker")}
            every |= words_of_talk | {mark(f"{name}{n}", "mail")}
            yes |= words_of_talk if talks[n] is PUBLIC else set()
        every |= strings_of_stop(name)
        if event is PUBLIC or (event is UNKNOWN and (any(things) or PUBLIC in talks)):
            yes |= strings_of_stop(name)
    return yes, every - yes


def _decide(world: PublicWorld, plot: Plot) -> bool:
    """Write down what was decided and rejected; say whether anything was."""
    decided = [
        Given(("item", "memory", mark(_name(spot), "id")), word)
        for spot in SPOTS
        if (word := plot.decided[spot[0]][spot[1]])
    ]
    if decided:
        world.decide(*decided)
    rejected = [_name((at, n)) for at, n in SPOTS if plot.rejected[at][n]]
    if rejected:
        world.reject(*rejected)
    return bool(decided or rejected)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=_PHASES)
@example(replace(MIXED, rejected=((False, False, True, False), (False, False, False, True))))
@example(replace(MIXED, twins=((0, 1), (1, 3)), handed=(False, True)))
@example(replace(MIXED, uses=(None, INTERNAL), twins=((1, 2), (0, 0)), handed=(True, True)))
@given(plots)
def test_a_public_sink_holds_all_that_is_cleared_and_no_trace_of_what_is_not(plot: Plot) -> None:
    with tempfile.TemporaryDirectory() as place:
        world = _world(plot, Path(place))
        # Internal first: what is rejected before it is fetched is held nowhere.
        world.sinks = ("local",)
        assert world.run().exit_code() == 0
        decided = _decide(world, plot)
        if decided:
            assert world.run().exit_code() == 0
        world.sinks = ("local", "public")
        assert world.copy().exit_code == 0
        _check(plot, Path(place))
        assert world.run().exit_code() == 0
        _check(plot, Path(place))


def _check(plot: Plot, folder: Path) -> None:
    yes, no = _cleared(plot)
    public, internal = everything_in(folder / "public"), everything_in(folder / "local")
    assert found(no, public) == set()
    assert found(yes, public) == yes
    assert found(yes, internal) == yes


# One thing after the other


def _plain(folder: Path, default: Consent = PUBLIC, **sinks: tuple[str, ...]) -> PublicWorld:
    """Make a world with one event, one talk and two things; pages are made where a test asks for them."""
    world = PublicWorld(folder, {"src": Upstream()}, (stop("a", [talk("t")]),), **sinks)  # type: ignore[arg-type]  # names of sinks alone
    world.settings = ArchiveSettings("A tour", consent=default, site=False)
    world.up.put(thing("deck", "a", talk=mark("t", "talk")), thing("report", "a", kind=Kind.REPORT))
    return world


def _text(world: PublicWorld, name: str = "public") -> str:
    return everything_in(world.folder / name)


def _now(world: PublicWorld) -> str:
    """What the newest versions of the public sink, its catalog and its pages say."""
    head = world.head("public")
    read = [
        each.read(path) for each in head.objects.values() for path in each.state if path.endswith(".json")
    ]
    read += [
        each.read(path) for each in head.objects.values() for path in each.state if path.endswith(".jsonl")
    ]
    read += [path.encode() for each in head.objects.values() for path in each.state]
    files = [world.folder / "public/catalog.sqlite", *(world.folder / "public/site").rglob("*")]
    read += [path.read_bytes() for path in files if path.is_file() and "state" not in path.parts]
    return b"\n".join(read).decode("latin-1").casefold()


def test_unknown_is_not_public(tmp_path: Path) -> None:
    world = _plain(tmp_path, UNKNOWN)
    assert world.run().exit_code() == 0
    assert found(strings_of("deck") | strings_of("report") | strings_of_stop("a"), _text(world)) == set()
    assert world.versions("public") == {COMMON: 1}
    assert len(world.records()) == 2


def test_what_is_cleared_comes_in_the_same_run_and_an_idle_night_makes_no_version(tmp_path: Path) -> None:
    world = _plain(tmp_path)
    report = world.run()
    assert found(strings_of("deck") | strings_of_stop("a"), _text(world)) == strings_of(
        "deck"
    ) | strings_of_stop("a")
    assert (report.sinks["public"].copied, report.sinks["public"].versions) == (2, {COMMON: 1, "a": 1})
    before = world.versions("public")
    again = world.run()
    assert world.versions("public") == before
    assert (again.sinks["public"].copied, again.sinks["public"].note) == (0, "")


def test_what_is_withdrawn_is_named_no_more_and_the_run_says_what_lies_there(tmp_path: Path) -> None:
    world = _plain(tmp_path)
    world.settings = replace(world.settings, site=True)
    world.run()
    world.settle("deck", INTERNAL)
    report = world.run()
    assert found(strings_of("deck"), _now(world)) == set()
    assert found(strings_of("report"), _now(world)) >= {mark("report", "title"), mark("report", "id")}
    left = leftovers.find(world.head("public"))
    assert any(mark("deck", "title") in path for path in left)
    assert f"still has {len(left)} files of what is not cleared any more" in report.sinks["public"].note
    assert report.exit_code() == 0
    # They hold every byte of it that lies there, but for names in inventories and where pages were.
    for path in left:
        (tmp_path / "public" / path).unlink()
    bodies = {mark("deck", "bytes"), *strings_of("deck")} - {mark("deck", "title")}
    kept = [path for path in (tmp_path / "public").rglob("*") if path.is_file()]
    assert found(bodies, b"\n".join(path.read_bytes() for path in kept).decode("latin-1")) == set()
    # What a person removed is no damage, and does not come back.
    quiet = world.run()
    assert (quiet.sinks["public"].damage, quiet.sinks["public"].note, quiet.exit_code()) == ("", "", 0)
    world.settle("deck", None)
    world.run()
    assert found({mark("deck", "bytes")}, _text(world)) == {mark("deck", "bytes")}


def test_a_talk_that_is_withdrawn_leaves_the_programme_even_where_nothing_is_held(tmp_path: Path) -> None:
    world = _plain(tmp_path)
    world.up.items.clear()
    world.settings = replace(world.settings, site=True)
    world.run()
    assert found({mark("t", "talk"), mark("t", "speaker")}, _now(world)) == {
        mark("t", "talk"),
        mark("t", "speaker"),
    }
    world.decide(Given(("talk", "a", mark("t", "talk")), INTERNAL))
    world.run()
    assert found({mark("t", "talk"), mark("t", "speaker")}, _now(world)) == set()


def test_an_internal_sink_cannot_become_public_nor_the_other_way_round(tmp_path: Path) -> None:
    world = _plain(tmp_path, INTERNAL)
    world.run()
    world.public = ("local",)
    with pytest.raises(SinkError, match=r"made as internal|cleared for the public alone"):
        world.run()
    assert found(strings_of("deck"), _text(world)) == set()


def test_a_lost_internal_sink_is_not_taken_for_new_while_the_public_one_is_there(tmp_path: Path) -> None:
    world = _plain(tmp_path)
    world.run()
    (tmp_path / "local").rename(tmp_path / "away")
    with pytest.raises(SinkError, match="sink local holds nothing of this archive"):
        world.run()


def test_a_public_sink_is_no_second_copy(tmp_path: Path) -> None:
    world = _plain(tmp_path, INTERNAL, sinks=("local", "second", "public"))
    world.settings = replace(world.settings, min_copies=2)
    assert world.run().exit_code() == 0
    world.troubles = {"second": lambda _: (_ for _ in ()).throw(SinkError("away"))}  # raises
    assert world.run().exit_code() == 3


def test_a_copy_fills_a_public_sink_and_one_out_of_it_says_that_it_is_partial(tmp_path: Path) -> None:
    world = _plain(tmp_path, INTERNAL, sinks=("local",))
    world.events = (stop("a", [replace(talk("t"), consent=PUBLIC)]),)
    world.run()
    world.sinks = ("local", "public", "other")
    copied = world.copy()
    assert (copied.exit_code, copied.partial, copied.files) == (0, True, 1)
    assert found(strings_of("report"), _text(world)) == set()
    back = world.copy("public", "other")
    assert (back.exit_code, back.partial, back.files) == (0, True, 1)
    assert set(world.records("other")) == {("a", "src", mark("deck", "id"))}
    about = json.loads(world.head("other").object(COMMON).read(ABOUT))
    assert "audience" not in about
