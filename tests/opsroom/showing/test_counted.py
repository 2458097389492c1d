"""Why a count came out as it did: told in sentences, mode by mode, and only when it is over."""

from __future__ import annotations

import pytest

from opsroom import commands as ask
from opsroom.recursion.recursion import CouncilRules
from opsroom.showing.counted import counted_words
from tests.opsroom.play import Play, charter, seat

REST = ask.ProposedOrder(plant="loom-1", name="rest")
SPEED = ask.ProposedOrder(plant="loom-1", name="set-speed", parameters={"rpm": 90})
A, B = ask.ProposedOption(title="Rest", orders=(REST,)), ask.ProposedOption(title="Slow down", orders=(SPEED,))


def told(mode: str, *ballots: str, options: tuple[ask.ProposedOption, ...] = (A, B), against: str = "") -> str:
    """Count ballots written as the letters that each names; `against` is what the last one objects to instead."""
    modes = dict.fromkeys(("mode_order", "mode_choice", "mode_dangerous"), mode)
    council = CouncilRules(unit="textiles", rounds=1, last_call_s=60.0, order_valid_s=900.0, **modes)  # type: ignore[arg-type] # a mode
    play = Play(rules=charter(council=council))
    play.ask(ask.OpenMotion(alarms=(play.arrived(),), title="Which", options=options), seat(1))
    play.ask(ask.SecondMotion(motion="motion-1"), seat(2))
    for number, named in enumerate(ballots, start=1):
        objects = tuple(against) if number == len(ballots) else ()
        ballot = ask.CastBallot(
            motion="motion-1", options=tuple(named), objections=objects, abstain=not (named or objects), reason="so"
        )
        play.ask(ballot, seat(number))
    row = play.room.motions["motion-1"]
    assert not counted_words(row) or row.state != "open"
    play.wait(row.deadline - play.now + 1)
    return " ".join(counted_words(play.room.motions["motion-1"]))


def test_nothing_is_told_while_the_motion_is_open() -> None:
    play = Play()
    motion = play.motion()
    play.cast(motion, "yes", 1)
    assert counted_words(play.room.motions[motion]) == ()


def test_a_majority_tells_how_many_named_it_and_how_many_were_needed() -> None:
    assert told("majority", "a", "a", "a", "a", "b") == "A was named by 4 of 5 votes; 3 were needed."


def test_where_nothing_was_named_often_enough_the_nearest_are_told() -> None:
    said = told("two-thirds", "a", "a", "a", "b", "b", "b")
    assert said == "No option was named often enough: A and B by 3 of 6 votes; 4 were needed."


def test_a_level_count_tells_which_rule_decided() -> None:
    said = told("majority", "ab", "ab", "ab", "ab")
    assert said == (
        "A was named by 4 of 4 votes; 3 were needed. B as often: of options that stand level the one that acts least is taken."
    )


def test_an_objection_is_told_with_its_seat_and_its_reason() -> None:
    said = told("consent", "a", "a", "a", "a", "", options=(A,), against="a")
    assert said == (
        "Seat 5 objects to A: “so” One objection with a reason stops an option. "
        "No option was left that somebody named and nobody objects to."
    )


def test_a_ranked_count_is_told_as_duels() -> None:
    said = told("ranked", "ab", "ab", "ba", "bc", "cb", "cba", "abc")
    assert "B against A by 4 to 3, C by 5 to 2, D by 7 to 0." in said
    assert said.endswith("B wins against every other option.")


def test_a_circle_is_told_as_one() -> None:
    said = told("ranked", "abc", "abc", "abc", "bca", "bca", "cab", "cab")
    assert "The options beat each other in a circle; A has the strongest chain of wins" in said


@pytest.mark.parametrize("mode", ["majority", "ranked", "consent"])
def test_a_council_of_abstentions_is_told_so(mode: str) -> None:
    assert told(mode, "", "", "", "") == "Nobody named an option."
