"""Counting: the modes, ties that go to what acts least, and a quorum of people without which nothing is decided."""

from __future__ import annotations

import itertools
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.council.counting import Vote, acts, count, kind_of, needed_of, read, schulze, words
from opsroom.council.options import Option, OptionOrder
from opsroom.recursion.recursion import Mode
from telex_ingest.telex import OrderBirth

REST = OptionOrder(plant="loom-1", birth=OrderBirth(name="rest", title="Rest"))
BLAST = OptionOrder(plant="loom-1", birth=OrderBirth(name="blast", title="Blast", danger="dangerous"))
A = Option(id="a", title="Rest", orders=(REST,))
B = Option(id="b", title="Rest twice", orders=(REST, REST))
C = Option(id="c", title="More time", kind="time", extra_s=60.0)
D = Option(id="d", title="Nothing", kind="nothing")
OPTIONS = (A, B, C, D)
MODES = get_args(Mode)
NAMES = [option.id for option in OPTIONS]
VOTES = st.builds(
    Vote,
    options=st.lists(st.sampled_from(NAMES), unique=True, max_size=4).map(tuple),
    objections=st.just(()) | st.sampled_from([("a",), ("b",)]),
    abstain=st.booleans(),
)


def votes(*texts: str) -> list[Vote]:
    return [Vote(options=tuple(text)) for text in texts]


@pytest.mark.parametrize(
    ("mode", "ballots", "outcome"),
    [
        ("majority", votes("a", "a", "a", "a", "d", "d", "d"), ("carried", "a")),
        ("majority", votes("a", "a", "a", "b", "b", "d", "d"), ("lost", "")),
        ("majority", votes("ab", "ab", "ab", "b", "a", "d", "d"), ("carried", "a")),
        ("majority", votes("b", "ab", "ab", "b", "ab", "d", "d"), ("carried", "b")),
        ("majority", votes("ad", "ad", "ad", "ad"), ("lost", "d")),
        ("majority", votes("c", "c", "c", "d"), ("carried", "c")),
        ("two-thirds", votes("a", "a", "a", "a", "d", "d", "d"), ("lost", "")),
        ("two-thirds", votes("a", "a", "a", "a", "a", "d", "d"), ("carried", "a")),
        ("ranked", votes("abcd", "abcd", "abcd", "bacd", "bacd", "cbad", "cbad"), ("carried", "b")),
        ("ranked", votes("d", "d", "d", "a", "b"), ("lost", "d")),
        ("ranked", votes("ad", "ad", "da", "da"), ("lost", "d")),
        ("consent", votes("a", "a", "b", "d"), ("carried", "a")),
        ("consent", [*votes("a", "a", "a"), Vote(options=("d",), objections=("a",), reason="no")], ("lost", "d")),
        ("consent", [*votes("ab", "ab", "ab"), Vote(objections=("a",), reason="no")], ("carried", "b")),
    ],
)
def test_each_mode_counts_as_it_is_written(mode: Mode, ballots: list[Vote], outcome: tuple[str, str]) -> None:
    assert count(mode, OPTIONS, ballots, people=len(ballots), quorum=4)[:2] == outcome


@given(st.sampled_from(MODES), st.lists(VOTES, max_size=7), st.integers(1, 7), st.integers(0, 7))
def test_without_a_quorum_of_people_nothing_wins(mode: Mode, ballots: list[Vote], quorum: int, people: int) -> None:
    told = count(mode, OPTIONS, ballots, people, quorum)
    assert (told.outcome == "expired") == (people < quorum)
    assert told.outcome != "carried" or (told.winner in {"a", "b", "c"} and told.cast > 0)
    if told.outcome == "carried" and mode != "ranked":
        assert told.named[told.winner] >= told.needed
        assert told.winner not in told.objected


@given(st.sampled_from(MODES), st.lists(VOTES, max_size=7), st.permutations(range(7)))
def test_who_votes_when_changes_nothing(mode: Mode, ballots: list[Vote], order: list[int]) -> None:
    shuffled = [ballots[place] for place in order if place < len(ballots)]
    assert count(mode, OPTIONS, ballots, 7, 4) == count(mode, OPTIONS, shuffled, 7, 4)


@given(st.lists(st.permutations(NAMES), min_size=1, max_size=7))
def test_schulze_takes_the_option_that_beats_every_other_when_there_is_one(ballots: list[list[str]]) -> None:
    def beats(one: str, other: str) -> bool:
        return 2 * sum(ballot.index(one) < ballot.index(other) for ballot in ballots) > len(ballots)

    winners = schulze(NAMES, ballots)
    assert winners
    for one in NAMES:
        if all(beats(one, other) for other in NAMES if other != one):
            assert winners == [one]
        if any(all(not beats(other, one) for other in NAMES) for one in winners):
            continue
    for loser in NAMES:
        if all(beats(other, loser) for other in NAMES if other != loser):
            assert loser not in winners


def test_schulze_as_in_its_paper() -> None:
    """The example of section 3.1 of the paper: 45 voters, five candidates, E wins."""
    ballots = [
        *["acbed"] * 5, *["adecb"] * 5, *["bedac"] * 8, *["cabed"] * 3,
        *["caebd"] * 7, *["cbade"] * 2, *["dceba"] * 7, *["ebadc"] * 8,
    ]  # fmt: skip
    assert schulze("abcde", ballots) == ["e"]


def test_ties_go_to_what_acts_least() -> None:
    assert [option.id for option in sorted(OPTIONS, key=acts)] == ["d", "c", "a", "b"]
    for pair in itertools.combinations(NAMES, 2):
        told = count("majority", OPTIONS, votes("".join(pair)), people=1, quorum=1)
        assert told.winner == min((one for one in OPTIONS if one.id in pair), key=acts).id


def test_fewer_orders_win_a_tie_though_their_letter_comes_later() -> None:
    twice, once = msgspec.structs.replace(B, id="a"), msgspec.structs.replace(A, id="b")
    assert count("majority", (twice, once), votes("ab"), people=1, quorum=1).winner == "b"


def test_what_a_motion_is_about_follows_from_its_options_alone() -> None:
    blast = Option(id="a", title="Blast", orders=(BLAST,))
    assert [kind_of(options) for options in ((A, C, D), (A, B, C, D), (blast, B, C, D), (C, D))] == [
        "order",
        "choice",
        "dangerous",
        "time",
    ]


@pytest.mark.parametrize(("cast", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (6, 4), (7, 5)])
def test_two_thirds_is_never_less(cast: int, needed: int) -> None:
    assert needed_of("two-thirds", cast) == needed
    assert 3 * needed >= 2 * cast > 3 * (needed - 1)


def test_what_is_sealed_names_motion_round_and_seat() -> None:
    vote = Vote(options=("a", "c"), reason="so")
    said = words(vote, "motion-1", 1, 3)
    assert read(said, "motion-1", 1, 3) == vote
    for other in (("motion-2", 1, 3), ("motion-1", 2, 3), ("motion-1", 1, 4)):
        assert read(said, *other) is None
    assert read("no json", "motion-1", 1, 3) is None


def test_a_comparison_that_is_lost_or_tied_is_no_link_of_a_path() -> None:
    """Two ballots, d > c > a > b and b alone: nobody beats b or d, and d beats a and c."""
    assert schulze(list("abcd"), [tuple("dcab"), ("b",)]) == ["b", "d"]
