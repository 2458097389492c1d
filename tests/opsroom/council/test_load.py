"""The council's load is counted from the journal alone, as what happened says it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from opsroom import commands as ask
from opsroom.council.load import CouncilLoad, council_load, said
from tests.opsroom.play import OPERATOR, START, Play, seat


class Entry(NamedTuple):
    body: dict[str, object]


def load(play: Play, days: float = 1.0) -> CouncilLoad:
    return council_load([Entry(msgspec.json.decode(raw)) for _, raw in play.journal], play.now, days, 3600.0)


def test_what_was_moved_decided_repeated_and_reversed_is_counted() -> None:
    play = Play()
    order = play.order()
    decided = play.now
    play.ask(ask.RevokeOrder(order=order, reason="the yarn came"), OPERATOR)
    play.ask(ask.WithdrawMotion(motion=play.motion("alarm-1")), seat(1))
    third = play.motion("alarm-1")
    play.wait(99_999.0)
    told = load(play, days=2.0)
    assert (told.motions, told.carried, told.withdrawn, told.expired, told.open) == (3, 1, 1, 1, 0)
    assert (told.repeated, told.reversed, told.busiest) == (2, 1, 3)
    assert told.decide_s == decided - (START + 60), "from the onset of the deviation"
    assert told.by_seat == {"1": 3}
    assert told.ballots == 14
    assert play.room.motions[third].state == "expired"
    text = " ".join(said(told))
    assert "3 motions in 2 days: 1 carried" in text
    assert "More than one in five" in text


def test_what_was_before_the_days_asked_for_does_not_count() -> None:
    play = Play()
    play.order()
    play.now += 3 * 86_400.0
    assert load(play).motions == 0
    assert load(play).decide_s is None
    assert load(play, days=4.0).motions == 1
