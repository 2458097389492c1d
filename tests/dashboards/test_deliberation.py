"""What a motion's sheet tells: who is counted, what a word on an amendment does, why it came out so."""

from __future__ import annotations

import msgspec

from dashboards import deliberation, sheet
from dashboards.console import settles
from dashboards.desk import deliberating, forms_class
from dashboards.matter import pick
from opsroom.views import AmendmentView, BallotView, DissentView, SeatView, StatementView, TallyView, Viewer
from tests.dashboards.rows import MOTION, ORDER, snapshot

AMENDMENT = AmendmentView(
    id="amendment-1",
    seat=4,
    occupant="D. Donoso",
    option=MOTION.options[0],
    diff=(("gone", "12"), ("new", "9")),
    reason="Three are needed at the looms.",
    at=2100.0,
    state="open",
)
SEATS = tuple(SeatView(seat=number, occupant=f"Person {number}") for number in range(1, 8))


def text(shown: object) -> str:
    return str(shown.to_plotly_json()) if hasattr(shown, "to_plotly_json") else str(shown)


def test_who_steps_back_leaves_the_count_and_that_is_told() -> None:
    motion = msgspec.structs.replace(MOTION, phase="blind", tally=TallyView(present=2, quorum=4))
    assert deliberation.counting(motion, 7) == "2 of 7 seats have voted; 4 people must, or nothing is decided."
    out = (DissentView(seat=6, text="my brother"), DissentView(seat=7, text="my sister"))
    motion = msgspec.structs.replace(motion, recused=out[:1])
    assert deliberation.counting(motion, 7).startswith("2 of 6 seats have voted")
    assert deliberation.counting(motion, 7).endswith("Seat 6 stepped back and is not counted.")
    motion = msgspec.structs.replace(motion, recused=out)
    assert deliberation.counting(motion, 7).endswith("Seats 6, 7 stepped back and are not counted.")


def test_the_mover_is_told_that_it_takes_an_amendment_over_and_the_others_how_many_must_want_it() -> None:
    motion = msgspec.structs.replace(MOTION, recused=(DissentView(seat=6, text="my brother"),))
    assert "taken over at once" in deliberation.rule_of(motion, 7, motion.opened_by)
    assert "4 of 6 seats" in deliberation.rule_of(motion, 7, 3)
    assert "4 of 6 seats" in text(deliberation.amendment(AMENDMENT, deliberation.rule_of(motion, 7, 3)))


def test_who_votes_on_an_amended_option_is_told_that_older_ballots_count_no_more() -> None:
    motion = msgspec.structs.replace(
        MOTION, phase="blind", amendments=(msgspec.structs.replace(AMENDMENT, state="adopted"),)
    )
    assert "Option A was amended" in text(deliberation.stands(motion, 7, "cast"))
    assert "was amended" not in text(deliberation.stands(motion, 7))


def test_a_seat_that_stepped_back_is_asked_no_more_about_amendments() -> None:
    motion = msgspec.structs.replace(MOTION, phase="blind", amendments=(AMENDMENT,))
    room = snapshot(motions=(motion,))
    assert deliberating(pick(room, "motion-1"), room)["amendment"] == "amendment-1"
    room = snapshot(motions=(msgspec.structs.replace(motion, recused=(DissentView(seat=3, text="my brother"),)),))
    assert deliberating(pick(room, "motion-1"), room)["amendment"] == ""
    assert "stepped-back" in forms_class(pick(room, "motion-1"), room)


def test_a_ballot_of_a_substitute_names_both_seats() -> None:
    ballot = BallotView(seat=7, occupant="G", choice="named", reason="so", at=1.0, options=("a",), cast_by=5)
    assert "Seat 7, voted by seat 5" in text(deliberation.reason_of(ballot))
    own = msgspec.structs.replace(ballot, cast_by=7)
    assert "voted by" not in text(deliberation.reason_of(own))
    seats = tuple(msgspec.structs.replace(one, substitute=5 if one.seat == 7 else 0) for one in SEATS)
    assert "seat 5 votes for it" in text(deliberation.seven(MOTION, snapshot(seats=seats)))


def test_an_outcome_tells_why_it_came_out_so_and_when_it_is_looked_at_again() -> None:
    carried = msgspec.structs.replace(
        MOTION,
        state="carried",
        phase="closed",
        counted=("A was named by 4 of 6 votes.",),
        responsible=2,
        review_at=7200.0,
    )
    told = text(deliberation.tally(carried))
    assert "A was named by 4 of 6 votes." in told
    assert "is asked at 1970-01-01 02:00 what became of it" in told
    assert "date of review has come" in text(deliberation.tally(msgspec.structs.replace(carried, review_at=None)))
    reviewed = msgspec.structs.replace(carried, review_at=None, review="It held.")
    assert "date of review has come" not in text(deliberation.tally(reviewed))


def test_the_reason_of_a_refusal_is_told_once() -> None:
    refused = msgspec.structs.replace(
        ORDER, state="refused", reason="The shaft is open.", ending="refused", ending_reason="The shaft is open."
    )
    told = text(sheet.order_card(refused))
    assert told.count("The shaft is open") == 1
    assert ".." not in told


def test_a_seat_without_an_occupant_is_named_by_its_number_alone() -> None:
    bare = StatementView(seat=2, occupant="", stance="against", text="No.", at=1.0)
    told = text(sheet.statements(msgspec.structs.replace(MOTION, statements=(bare,))))
    assert "1 · Seat 2: against" in told


def test_a_raised_hand_makes_it_so_only_after_another_ones() -> None:
    raised = tuple(msgspec.structs.replace(one, hand="hold" if one.seat == 2 else "") for one in SEATS)
    assert settles(snapshot(Viewer(role="seat", seat=3), seats=raised), "hold")
    assert not settles(snapshot(Viewer(role="seat", seat=2), seats=raised), "hold")
    assert not settles(snapshot(Viewer(role="seat", seat=3), seats=raised), "release")
    assert settles(snapshot(Viewer(role="operator"), seats=SEATS), "hold")
