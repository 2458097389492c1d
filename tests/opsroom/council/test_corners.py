"""Corners of the council that somebody once walked into: each has a rule, stated in docs/room.md, and a test here."""

from __future__ import annotations

import pytest

from opsroom import commands as ask
from opsroom.commands import Asked
from opsroom.council.order import pending
from opsroom.room import events as happened
from opsroom.room.news import ReceiptCame
from opsroom.room.room import made
from telex_ingest.telex import ReceiptState
from tests.opsroom.council.test_order import dangerous
from tests.opsroom.play import OPERATOR, Play, only, people, seat


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
