from __future__ import annotations

import msgspec

from dashboards import figures
from dashboards.desk import forms_class
from dashboards.matter import agenda, cast_by, chairs, mark, pick, stay
from dashboards.sheet import turn
from opsroom.views import BallotView, DissentView, RequestView, Viewer
from tests.dashboards.rows import ALARM, MOTION, ORDER, SEAT, snapshot

UNIT = Viewer(role="unit", unit="mill-1")


def test_a_seat_may_move_on_an_alarm_that_has_arrived() -> None:
    matter = pick(snapshot(), "alarm-1")
    assert (matter.mode, matter.plant) == ("moving", "mill-1")


def test_a_seat_only_watches_an_alarm_that_is_on_its_way() -> None:
    coming = snapshot(alarms=(msgspec.structs.replace(ALARM, arrived=False),))
    assert pick(coming, "alarm-1").mode == "watching"
    assert [entry.word for entry in agenda(coming)] == ["agenda.coming"]


def test_an_alarm_gives_way_to_its_open_motion_at_the_council_but_not_at_the_plant() -> None:
    rows = {"motions": (MOTION,)}
    assert pick(snapshot(**rows), "alarm-1").mode == "voting"
    assert [entry.id for entry in agenda(snapshot(**rows))] == ["motion-1"]
    assert pick(snapshot(UNIT, **rows), "alarm-1").mode == "alarm"
    assert [entry.id for entry in agenda(snapshot(UNIT, **rows))] == ["alarm-1", "motion-1"]


def test_a_seat_that_has_voted_votes_no_more() -> None:
    mine = BallotView(seat=SEAT.seat, occupant="", choice="sealed", reason="", at=1.0)
    voted = msgspec.structs.replace(MOTION, ballots=(mine,))
    assert pick(snapshot(motions=(voted,)), None).mode == "voted"
    assert pick(snapshot(motions=(msgspec.structs.replace(voted, state="lost"),)), "motion-1").mode == "decided"


def test_a_substitute_votes_for_the_seat_that_named_it_after_its_own_ballot() -> None:
    mine = BallotView(seat=SEAT.seat, occupant="", choice="sealed", reason="", at=1.0, cast_by=SEAT.seat)
    seats = tuple(
        msgspec.structs.replace(one, substitute=SEAT.seat) if one.seat == 6 else one for one in snapshot().seats
    )
    fresh = snapshot(motions=(MOTION,), seats=seats)
    assert chairs(MOTION, fresh) == (SEAT.seat, 6)
    voted = msgspec.structs.replace(MOTION, ballots=(mine,))
    room = snapshot(motions=(voted,), seats=seats)
    assert chairs(voted, room) == (6,)
    assert pick(room, "motion-1").mode == "voting"
    both = msgspec.structs.replace(voted, ballots=(mine, msgspec.structs.replace(mine, seat=6)))
    assert pick(snapshot(motions=(both,), seats=seats), "motion-1").mode == "voted"
    assert cast_by(both, Viewer(role="seat", seat=6))
    assert not cast_by(both, Viewer(role="seat", seat=7))


def test_who_saw_a_motion_decided_stays_at_its_outcome_until_something_asks_for_an_answer() -> None:
    carried = msgspec.structs.replace(MOTION, state="carried", phase="closed")
    room = snapshot(motions=(carried,))
    assert stay(room, None, "motion-1") == "motion-1"
    assert stay(room, "alarm-1", "motion-1") == "alarm-1"
    assert stay(room, None, "") is None
    other = msgspec.structs.replace(ALARM, id="alarm-2", deadline=1.0)
    assert stay(snapshot(motions=(carried,), alarms=(other, ALARM)), None, "motion-1") == "motion-1"
    another = msgspec.structs.replace(MOTION, id="motion-2")
    assert stay(snapshot(motions=(carried, another), alarms=(other, ALARM)), None, "motion-1") is None
    waits = snapshot(motions=(carried,), alarms=(other,), orders=(msgspec.structs.replace(ORDER, state="unconfirmed"),))
    assert stay(waits, None, "motion-1") is None


def test_a_dangerous_order_stands_before_all_alarms_with_who_may_confirm_it_and_with_nobody_else() -> None:
    carried = msgspec.structs.replace(MOTION, state="carried", phase="closed", responsible=3, review_at=9000.0)
    carried = msgspec.structs.replace(carried, recused=(DissentView(seat=5, text="my brother"),))
    waits = msgspec.structs.replace(ORDER, state="unconfirmed")
    for number, first in ((2, "alarm-1"), (3, "alarm-1"), (4, "order-1"), (5, "alarm-1")):
        room = snapshot(Viewer(role="seat", seat=number), motions=(carried,), orders=(waits,), alarms=(ALARM,))
        assert agenda(room)[0].id == first, number
    room = snapshot(Viewer(role="seat", seat=4), motions=(carried,), orders=(waits,), alarms=(ALARM,))
    assert agenda(room)[0].word == "agenda.confirm"
    assert turn(pick(room, None), room) == "confirm"


def test_the_responsible_seat_is_asked_what_became_of_it_once_the_date_has_come() -> None:
    carried = msgspec.structs.replace(MOTION, state="carried", phase="closed", responsible=3, review_at=9000.0)
    for changes, asked in (
        ({}, False),
        ({"review_at": None}, True),
        ({"review_at": None, "review": "It held."}, False),
    ):
        room = snapshot(motions=(msgspec.structs.replace(carried, **changes),), alarms=(ALARM,))
        words = [entry.word for entry in agenda(room) if entry.id == "motion-1"]
        assert words == (["agenda.review"] if asked else ["motion.carried"])
        assert (turn(pick(room, "motion-1"), room) == "review") == asked
    other = snapshot(Viewer(role="seat", seat=4), motions=(msgspec.structs.replace(carried, review_at=None),))
    assert [entry.word for entry in agenda(other)][-1] == "motion.carried"


def test_an_alarm_that_waits_with_the_one_that_it_follows_shows_no_clock() -> None:
    coming = snapshot(alarms=(msgspec.structs.replace(ALARM, arrived=False, waits=True),))
    assert [(entry.word, entry.deadline) for entry in agenda(coming)] == [("agenda.follows", None)]
    first = msgspec.structs.replace(ALARM, id="alarm-2")
    operator = snapshot(Viewer(role="operator"), alarms=(*coming.alarms, first))
    assert [(entry.id, entry.word) for entry in agenda(operator)] == [
        ("alarm-2", "alarm.unacknowledged"),
        ("alarm-1", "agenda.follows"),
    ]
    assert "data-until" in str(figures.head(pick(operator, "alarm-2"), operator))
    assert "data-until" not in str(figures.head(pick(operator, "alarm-1"), operator))


def test_nothing_is_picked_in_a_quiet_room_and_what_is_gone_is_not_picked() -> None:
    assert pick(snapshot(alarms=()), None).mode == "none"
    assert pick(snapshot(), "alarm-99").id == "alarm-1"


def test_an_order_brings_its_motion_and_its_alarm() -> None:
    matter = pick(snapshot(UNIT, motions=(MOTION,), orders=(ORDER,)), "order-1")
    assert matter.mode == "order"
    assert matter.motion is MOTION
    assert matter.alarm is ALARM


def test_the_mark_of_an_alarm_tells_where_it_stands() -> None:
    states = {"climbs": (), "kind": "step"}
    assert mark(ALARM) == "called"
    assert mark(msgspec.structs.replace(ALARM, **states)) == "alarm"
    assert mark(msgspec.structs.replace(ALARM, kind="silence")) == "silent"
    assert mark(msgspec.structs.replace(ALARM, state="shelved")) == "stopped"
    assert mark(msgspec.structs.replace(ALARM, state="recovered")) == "calm"


def test_a_request_stands_on_the_agenda_of_both_sides_and_only_the_other_may_answer() -> None:
    asks = RequestView(
        id="request-1",
        unit="mill-1",
        side="room",
        about="orders",
        asked_by="the council",
        asked_at=2900.0,
        reason="Let it rest",
        declines=("rest",),
        diff=(("gone", "accepts all of its orders"), ("new", "does not accept rest")),
        answer_until=9000.0,
    )
    look = msgspec.structs.replace(asks, id="request-2", about="sight", diff=(), declines=(), signals=("output",))
    told = str(figures.agenda(agenda(snapshot(UNIT, requests=(look,))), ""))
    assert "the council asks to look at its readings" in told
    words = {"request-1": "agenda.request_orders", "request-2": "agenda.request_sight"}
    for viewer, form in ((UNIT, "their-proposal"), (SEAT, "own-proposal"), (Viewer(role="unit", unit="works"), "own-")):
        room = snapshot(viewer, requests=(asks, look))
        listed = {entry.id: entry for entry in agenda(room) if entry.id in words}
        assert {name: entry.word for name, entry in listed.items()} == words
        assert {entry.deadline for entry in listed.values()} == {9000.0}
        for name in words:
            matter = pick(room, name)
            assert (matter.mode, matter.plant) == ("proposal", "mill-1")
            assert any(one.startswith(form) for one in forms_class(matter, room).split())
    told = str(figures.head(pick(snapshot(UNIT, requests=(asks,)), "request-1"), snapshot(UNIT)))
    for words_told in ("the council", "Let it rest", "Del('accepts all of its orders')", "Ins('does not accept rest')"):
        assert words_told in told
    told = str(figures.head(pick(snapshot(UNIT, requests=(look,)), "request-2"), snapshot(UNIT)))
    assert "'output'" in told
    assert "until it is taken back" in told
