"""Corners of the council that somebody once walked into: each has a rule, stated in docs/room.md, and a test here."""

from __future__ import annotations

import msgspec
import pytest

from opsroom import commands as ask
from opsroom.commands import Asked
from opsroom.council.order import pending
from opsroom.recursion.recursion import CouncilRules
from opsroom.room import events as happened
from opsroom.room.news import PlantBorn, PlantDied, ReceiptCame
from opsroom.room.room import made
from opsroom.showing.ticker import ticker
from telex_ingest.telex import ReceiptState
from tests.opsroom.council.test_order import dangerous
from tests.opsroom.play import OPERATOR, PLANT_S, Play, birth, charter, moving, only, people, seat


def unconfirmed() -> tuple[Play, str]:
    """An order that its plant marked dangerous and that nobody has confirmed."""
    play = dangerous()
    issued = only(happened.OrderIssued, play.vote(play.motion(name="rest", parameters={}), ["yes"] * 7))
    return play, issued.order


def test_an_amendment_tells_its_id_to_whoever_moved_it() -> None:
    play = Play()
    motion = play.motion()
    words = ask.ProposedOption(title="Slower", orders=(ask.ProposedOrder(plant="loom-1", name="rest"),))
    for number, key in ((3, "other"), (1, "mover")):
        asked = Asked(
            command=ask.AmendMotion(motion=motion, option="a", to=words, reason="gentler"), actor=seat(number), key=key
        )
        play.hear(asked)
        assert made(play.room, asked) == (f"amendment-{1 if number == 3 else 2}",)


@pytest.mark.parametrize("how", ["revoke", "refuse"])
def test_a_dangerous_order_that_never_left_is_not_taken_back_over_the_wire(how: str) -> None:
    play, order = unconfirmed()
    if how == "revoke":
        play.ask(ask.RevokeOrder(order=order, reason="no"), OPERATOR)
    else:
        play.ask(ask.RefuseOrder(order=order, reason="no"), people("loom-1"))
    assert pending(play.room, play.now) == (), "a plant that does not read `revoked` would obey it"
    assert play.replayed() == play.room


def test_an_answer_to_a_dangerous_order_that_nobody_confirmed_changes_nothing() -> None:
    play, order = unconfirmed()
    at = play.now + 1
    play.wait(play.room.charter.council.order_valid_s)
    assert play.room.orders[order].state == "expired"
    events = play.hear(ReceiptCame(order=order, plant="loom-1", state=ReceiptState.ACCEPTED, at=at))
    assert [type(event) for event in events] == [happened.ReceiptNoted]
    assert play.room.orders[order].state == "expired"


def test_an_order_whose_place_another_took_has_ended_and_is_counted() -> None:
    play = Play()
    name = play.order()
    option = ask.ProposedOption(
        title="Rest", orders=(ask.ProposedOrder(plant="loom-1", name="rest"),), supersedes=(name,)
    )
    command = ask.OpenMotion(alarms=("alarm-1",), title="Rest", options=(option,))
    play.vote(only(happened.MotionOpened, play.ask(command, seat(1))).motion, ["yes"] * 7)
    assert (play.room.orders[name].ending, play.room.orders[name].ending_reason) == (
        "superseded",
        "motion-2 took its place",
    )
    assert dict(play.room.endings) == {"superseded": 1}
    assert play.replayed() == play.room


def test_what_a_plant_took_in_time_over_a_slow_line_has_not_ended_unanswered() -> None:
    play = Play()
    order, at = play.order(), play.now + 1
    play.wait(play.room.charter.council.order_valid_s)
    assert play.room.orders[order].ending == "unanswered"
    play.hear(ReceiptCame(order=order, plant="loom-1", state=ReceiptState.ACCEPTED, at=at))
    assert (play.room.orders[order].state, play.room.orders[order].ending) == ("accepted", "")
    assert play.room.endings["unanswered"] == 0
    assert play.replayed() == play.room


def test_an_option_that_acts_least_wins_a_circle_and_a_full_tie_in_ranks() -> None:
    rules = charter(council=CouncilRules(unit="textiles", mode_choice="ranked", seconder="no", last_call_s=0.0))
    for ranks in (["ab", "bd", "da"] * 2, ["abcd", "dcba"] * 3):
        play = Play(rules=rules)
        orders = [ask.ProposedOrder(plant="loom-1", name="set-speed", parameters={"rpm": rpm}) for rpm in (80, 90)]
        motion = only(happened.MotionOpened, play.ask(moving(play.arrived(), *orders), seat(1))).motion
        events = play.vote(motion, ranks)
        events += play.wait(play.room.motions[motion].deadline - play.now)
        closing = play.room.motions[motion].closing
        assert closing is not None
        assert (closing.outcome, closing.option) == ("lost", "d"), "nothing before time before orders"
        assert not play.room.orders


def test_when_all_recuse_themselves_nothing_is_decided_and_nothing_acts() -> None:
    play = Play()
    motion = play.motion()
    for number in (7, 6, 5, 4):
        events = play.ask(ask.RecuseSeat(motion=motion, reason="my own mill"), seat(number))
    assert only(happened.MotionClosed, events).outcome == "expired"
    assert only(happened.AlarmReminded, events).alarm == "alarm-1"
    assert play.refusal(ask.RecuseSeat(motion=motion, reason="me too"), seat(1)).code == "motion-over"
    assert not play.room.orders


def test_nobody_votes_for_a_seat_that_recused_itself_and_who_steps_back_takes_every_ballot_along() -> None:
    play = Play()
    motion = play.motion()
    for absent, substitute in ((3, 4), (5, 6)):
        play.ask(ask.NameSubstitute(substitute=substitute, minutes=600), seat(absent))
    play.ask(ask.CastBallot(motion=motion, options=("a",), reason="so", for_seat=3), seat(4))
    play.ask(ask.RecuseSeat(motion=motion, reason="my own mill"), seat(5))
    for_five = ask.CastBallot(motion=motion, options=("a",), reason="so", for_seat=5)
    assert play.refusal(for_five, seat(6)).code == "recused"
    play.ask(ask.RecuseSeat(motion=motion, reason="my own loom"), seat(4))
    assert 3 not in play.room.motions[motion].ballots, "what the interested seat cast for another is void as well"
    play.cast(motion, "no", 3)
    assert 3 in play.room.motions[motion].ballots
    assert play.replayed() == play.room


def test_an_opened_ballot_of_a_substitute_that_steps_back_stands_as_a_reason_and_counts_no_more() -> None:
    play = Play()
    motion = play.motion()
    play.ask(ask.NameSubstitute(substitute=4, minutes=600), seat(3))
    for number in (1, 2, 4, 5, 6, 7):
        play.cast(motion, "yes", number)
    play.ask(ask.CastBallot(motion=motion, options=("a",), reason="so", for_seat=3), seat(4))
    assert play.room.motions[motion].phase == "revision"
    play.ask(ask.RecuseSeat(motion=motion, reason="my own mill"), seat(4))
    first = play.room.motions[motion].first[3]
    assert (first.void, first.vote is not None) == (True, True)
    closing = only(happened.MotionClosed, play.wait(play.room.motions[motion].deadline - play.now))
    assert (closing.outcome, closing.yes) == ("carried", 5)
    assert play.replayed() == play.room


def test_a_ballot_counts_until_the_deadline_and_not_at_it() -> None:
    play = Play()
    motion = play.motion()
    play.wait(0)
    round_ends = play.room.motions[motion].round_ends
    assert round_ends is not None
    play.now = round_ends
    refused = play.refusal(ask.CastBallot(motion=motion, options=("a",), reason="so"), seat(1))
    assert refused.code == "round-over", "before any tick has noticed"
    play.now = round_ends - 1e-3
    play.cast(motion, "yes", 1)
    play.now = play.room.motions[motion].deadline
    assert play.refusal(ask.CastBallot(motion=motion, options=("a",), reason="so"), seat(2)).code == "motion-over"


def test_a_round_that_is_opened_after_the_deadline_leaves_no_time_to_revise_and_the_first_ballots_count() -> None:
    play = Play()
    motion = play.motion()
    for number in range(1, 7):
        play.cast(motion, "yes", number)
    play.now = play.room.motions[motion].deadline + 5000.0
    events = play.wait(0)
    closing = only(happened.MotionClosed, events)
    assert (closing.outcome, closing.yes) == ("carried", 6)
    assert only(happened.OrderIssued, events).not_before == play.now, "its time runs from now"
    assert play.wait(0) == ()


def test_a_clock_that_jumps_over_both_deadlines_of_an_empty_council_ends_the_motion_once() -> None:
    play = Play()
    motion = play.motion()
    events = play.wait(10 * 86_400.0)
    assert only(happened.MotionClosed, events).outcome == "expired"
    play.now -= 10 * 86_400.0
    assert play.wait(0) == ()
    assert play.room.motions[motion].state == "expired", "a clock set back brings nothing back"


def test_who_recused_itself_has_no_word_on_amendments_and_its_earlier_word_is_gone() -> None:
    play = Play()
    motion = play.motion()
    rest = ask.ProposedOption(title="Rest", orders=(ask.ProposedOrder(plant="loom-1", name="rest"),))
    play.ask(ask.AmendMotion(motion=motion, option="a", to=rest, reason="gentler"), seat(3))
    aye = ask.AnswerAmendment(motion=motion, amendment="amendment-1", aye=True)
    for number in (2, 3, 4):
        play.ask(aye, seat(number))
    for number in (1, 2):
        play.ask(ask.RecuseSeat(motion=motion, reason="my own mill"), seat(number))
    amendment = ask.AmendMotion(motion=motion, option="a", to=rest, reason="mine alone")
    assert play.refusal(amendment, seat(1)).code == "recused", "the mover's own would be taken over at once"
    assert play.refusal(aye, seat(1)).code == "recused"
    play.ask(ask.AnswerAmendment(motion=motion, amendment="amendment-1", aye=False), seat(5))
    assert play.room.motions[motion].amendments[0].state == "open"
    play.ask(aye, seat(6))
    assert play.room.motions[motion].amendments[0].state == "adopted", "three of the five that are left"


def test_a_motion_whose_plant_has_left_is_decided_and_its_order_waits_for_the_plant_and_no_longer() -> None:
    play = Play()
    motion = play.motion()
    play.hear(PlantDied(plant="loom-1", reason="Sunday"))
    order = only(happened.OrderIssued, play.vote(motion, ["yes"] * 7)).order
    assert [one.id for one in pending(play.room, play.now)] == [order], "whoever is born in time gets it"
    play.wait(play.room.charter.council.order_valid_s)
    assert (play.room.orders[order].state, play.room.orders[order].ending) == ("expired", "unanswered")


def test_an_order_that_its_plant_calls_dangerous_while_the_council_votes_waits_for_a_second_seat() -> None:
    play = Play()
    motion = play.motion()
    speed, rest = birth().orders
    play.hear(PlantBorn(birth=birth(orders=(msgspec.structs.replace(speed, danger="dangerous"), rest))))
    issued = only(happened.OrderIssued, play.vote(motion, ["yes"] * 7))
    order = issued.order
    assert (play.room.orders[order].state, pending(play.room, play.now)) == ("unconfirmed", ())
    assert play.room.motions[motion].mode == "majority", "counted as it was opened"
    assert "waits for a second seat to confirm it: the plant calls it dangerous" in ticker(play.room, issued).text
    play.ask(ask.ConfirmOrder(order=order), seat(3))
    assert [one.id for one in pending(play.room, play.now)] == [order]


def test_an_order_that_is_agreed_not_to_be_used_while_the_council_votes_never_leaves() -> None:
    play = Play()
    motion = play.motion()
    play.ask(ask.ProposeOrders(unit="loom-1", declines=("set-speed",), reason="worn"), people("loom-1"))
    play.ask(ask.AnswerRequest(request="request-1", accept=True, reason="so"), OPERATOR)
    order = only(happened.OrderIssued, play.vote(motion, ["yes"] * 7)).order
    assert (play.room.orders[order].state, play.room.orders[order].ending) == ("revoked", "revoked")
    assert "agreed that it is not used" in play.room.orders[order].ending_reason
    assert pending(play.room, play.now) == ()
    assert play.replayed() == play.room


def test_a_second_motion_on_an_alarm_is_refused_also_as_one_of_several_and_goes_on_when_the_first_is_over() -> None:
    play = Play()
    first = play.motion()
    other = play.alarm("loom-2/output")
    play.wait(PLANT_S)
    both = ask.OpenMotion(alarms=(other, "alarm-1"), title="Both")
    assert play.room.motions[first].state == "open"
    assert play.refusal(both, seat(3)).code == "motion-open"
    play.ask(ask.WithdrawMotion(motion=first), seat(1))
    only(happened.MotionOpened, play.ask(both, seat(3)))


def test_the_last_call_waits_for_a_quorum_of_people_and_not_of_ballots() -> None:
    play = Play()
    motion = play.motion()
    play.ask(ask.NameSubstitute(substitute=1, minutes=600), seat(5))
    for number in (1, 2, 3):
        play.cast(motion, "yes", number)
    play.ask(ask.CastBallot(motion=motion, options=("a",), reason="so", for_seat=5), seat(1))
    row = play.room.motions[motion]
    assert (len(row.ballots), row.quorum, row.last_call) == (4, 4, False)
    play.cast(motion, "yes", 4)
    assert play.room.motions[motion].last_call
