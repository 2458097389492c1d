"""Who may do what: nobody without the role, nobody for another unit, nobody as a seat that is not there."""

from __future__ import annotations

from typing import get_args

import pytest

from opsroom.commands import Actor, AnyCommand, CastBallot, Command, Role
from opsroom.room.authority import MAY, account, check_role, reached, said
from opsroom.room.room import Refused
from tests.opsroom.play import PLANT_S, Play, seat


@pytest.mark.parametrize("command", get_args(AnyCommand), ids=lambda command: str(command.__struct_config__.tag))
def test_a_viewer_does_nothing_and_the_room_gives_itself_no_commands(command: type[Command]) -> None:
    assert MAY[command]
    assert MAY[command].isdisjoint({Role.VIEWER, Role.ROOM})


@pytest.mark.parametrize(
    ("actor", "code"),
    [
        (Actor(role=Role.VIEWER), "not-your-role"),
        (Actor(role=Role.OPERATOR), "not-your-role"),
        (Actor(role=Role.SEAT, seat=0), "no-such-seat"),
        (Actor(role=Role.SEAT, seat=8), "no-such-seat"),
    ],
)
def test_the_role_comes_first(actor: Actor, code: str) -> None:
    with pytest.raises(Refused) as caught:
        check_role(Play().room, CastBallot(motion="motion-1", options=("a",)), actor)
    assert caught.value.code == code
    assert "log in" in caught.value.cure


def test_accounts_are_named_as_people_log_in() -> None:
    assert [account(seat(1)), account(Actor(role=Role.OPERATOR))] == ["seat-1", "operator"]


def test_an_alarm_reaches_the_units_on_its_way_one_by_one() -> None:
    play = Play()
    name = play.alarm()
    assert reached(play.room, play.room.alarms[name]) == ("loom-1",)
    play.wait(PLANT_S)
    assert reached(play.room, play.room.alarms[name]) == ("loom-1", "textiles")


def test_a_reason_is_words() -> None:
    assert said("  so \n", "the reason") == "so"
    with pytest.raises(Refused, match="empty"):
        said(" \t ", "the reason")
    with pytest.raises(Refused, match="characters"):
        said("x" * 11, "the reason", longest=10)
