"""Who may do what: a table of commands and roles, and for a unit's people how far their own reach goes.

A unit's people act for their unit and for the units below it, and on an alarm once it has reached them: an alarm starts at the
plant, so nobody above may touch it before its time has run out there. Consent and refusal belong to the plant itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from opsroom import commands as ask
from opsroom.commands import Actor, Command, Role
from opsroom.room.refusal import Refused
from opsroom.room.state import Alarm, Room

PEOPLE_OF_THE_ROOM = frozenset({Role.OPERATOR, Role.SEAT})

MAY: Mapping[type[Command], frozenset[Role]] = {
    ask.AcknowledgeAlarm: frozenset({Role.UNIT, Role.OPERATOR}),
    ask.ShelveAlarm: frozenset({Role.OPERATOR}),
    ask.UnshelveAlarm: frozenset({Role.OPERATOR}),
    ask.CallEarly: frozenset({Role.UNIT}),
    ask.ResetAlarm: frozenset({Role.UNIT, Role.OPERATOR}),
    ask.TakeOut: frozenset({Role.UNIT, Role.OPERATOR}),
    ask.BringBack: frozenset({Role.UNIT, Role.OPERATOR}),
    ask.AskForTime: frozenset({Role.UNIT}),
    ask.AnswerTime: frozenset({Role.UNIT, *PEOPLE_OF_THE_ROOM}),
    ask.SplitAlarm: PEOPLE_OF_THE_ROOM,
    ask.JoinAlarm: PEOPLE_OF_THE_ROOM,
    ask.FixOrigin: PEOPLE_OF_THE_ROOM,
    ask.ProposeRationale: frozenset({Role.UNIT, *PEOPLE_OF_THE_ROOM}),
    ask.AnswerRationale: frozenset({Role.UNIT, *PEOPLE_OF_THE_ROOM}),
    ask.LookAtAlarm: frozenset({Role.UNIT, *PEOPLE_OF_THE_ROOM}),
    ask.WriteLog: frozenset({Role.UNIT, *PEOPLE_OF_THE_ROOM}),
    ask.TakeOver: frozenset({Role.UNIT, *PEOPLE_OF_THE_ROOM}),
    ask.PlanStop: frozenset({Role.UNIT, Role.OPERATOR}),
    ask.CancelStop: frozenset({Role.UNIT, Role.OPERATOR}),
    ask.ProposeAgreement: frozenset({Role.UNIT, *PEOPLE_OF_THE_ROOM}),
    ask.AnswerAgreement: frozenset({Role.UNIT, *PEOPLE_OF_THE_ROOM}),
    ask.GrantSight: frozenset({Role.UNIT}),
    ask.RevokeGrant: frozenset({Role.UNIT}),
    ask.AskForSight: frozenset({Role.UNIT, *PEOPLE_OF_THE_ROOM}),
    ask.ProposeOrders: frozenset({Role.UNIT, *PEOPLE_OF_THE_ROOM}),
    ask.AnswerRequest: frozenset({Role.UNIT, *PEOPLE_OF_THE_ROOM}),
    ask.ProposeAccord: frozenset({Role.UNIT, *PEOPLE_OF_THE_ROOM}),
    ask.AnswerAccord: frozenset({Role.UNIT}),
    ask.EndAccord: frozenset({Role.UNIT}),
    ask.AskProbe: PEOPLE_OF_THE_ROOM,
    ask.OpenMotion: frozenset({Role.SEAT}),
    ask.Speak: frozenset({Role.UNIT, Role.SEAT}),
    ask.SecondMotion: frozenset({Role.SEAT}),
    ask.CastBallot: frozenset({Role.SEAT}),
    ask.RecuseSeat: frozenset({Role.SEAT}),
    ask.NameSubstitute: frozenset({Role.SEAT}),
    ask.AmendMotion: frozenset({Role.SEAT}),
    ask.AnswerAmendment: frozenset({Role.SEAT}),
    ask.StateMinority: frozenset({Role.SEAT}),
    ask.ReviewMotion: frozenset({Role.SEAT}),
    ask.ConfirmOrder: frozenset({Role.SEAT}),
    ask.WithdrawMotion: frozenset({Role.SEAT}),
    ask.HoldOrders: PEOPLE_OF_THE_ROOM,
    ask.ReleaseOrders: PEOPLE_OF_THE_ROOM,
    ask.RevokeOrder: PEOPLE_OF_THE_ROOM,
    ask.RefuseOrder: frozenset({Role.UNIT}),
}
"""The roles that may give each command."""


def account(actor: Actor) -> str:
    """The account in whose name an actor asks.

    >>> account(Actor(role=Role.SEAT, seat=3)), account(Actor(role=Role.UNIT, unit="mill-1"))
    ('seat-3', 'unit-mill-1')
    """
    if actor.role is Role.SEAT:
        return f"seat-{actor.seat}"
    return f"unit-{actor.unit}" if actor.role is Role.UNIT else str(actor.role)


def person(occupant: str, seat: int) -> str:
    """Who sits at a seat, for rules that ask for two people; a chair without a name is a person of its own.

    >>> person("Ada Araya ", 1) == person("ada araya", 4), person("vacant", 1) == person("vacant", 4)
    (True, False)
    """
    name = " ".join(occupant.split()).casefold()
    return f"seat-{seat}" if name in ("", "vacant") else name


def check_role(room: Room, command: Command, actor: Actor) -> None:
    """Refuse a command that the actor's role may not give, a seat that is none, a unit that is not in the tree."""
    may = MAY[type(command)]
    word = str(type(command).__struct_config__.tag)
    if actor.role not in may:
        raise Refused(
            "not-your-role",
            f"{word} is not for the role {actor.role}",
            f"log in as {' or '.join(sorted(may))}",
        )
    if actor.role is Role.SEAT and actor.seat not in {seat.seat for seat in room.charter.seats}:
        raise Refused("no-such-seat", f"there is no seat {actor.seat}", "log in at a seat that the charter names")
    if actor.role is Role.UNIT and actor.unit not in room.tree.units:
        raise Refused(
            "unknown-unit", f"there is no unit {actor.unit!r}", "log in with the account of a unit in the tree"
        )


def reached(room: Room, alarm: Alarm) -> tuple[str, ...]:
    """The units that an alarm has reached, from its plant up to where it stands now."""
    path = room.tree.path(alarm.unit)
    return path[: path.index(alarm.at_unit) + 1] if alarm.at_unit in path else path


def check_reached(room: Room, alarm: Alarm, actor: Actor) -> None:
    """Refuse a unit's people who are not on the alarm's way so far."""
    if actor.role is Role.UNIT and actor.unit not in reached(room, alarm):
        raise Refused(
            "not-your-alarm",
            f"{alarm.id} of {alarm.unit} has not come to {actor.unit}",
            f"it stands at {alarm.at_unit}; act when it has climbed to you",
        )


def check_covers(room: Room, unit: str, actor: Actor) -> None:
    """Refuse a unit's people who speak for a unit that is neither theirs nor below theirs."""
    if actor.role is Role.UNIT and not room.tree.covers(actor.unit, unit):
        raise Refused("not-your-unit", f"{unit} is not {actor.unit} nor below it", f"ask the people of {unit}")


def check_own(unit: str, actor: Actor) -> None:
    """Refuse everybody of a unit but the people of exactly this one."""
    if actor.role is Role.UNIT and actor.unit != unit:
        raise Refused(
            "not-your-unit", f"only {unit} itself can say that, not {actor.unit}", f"ask the people of {unit}"
        )


def said(text: str, what: str, longest: int = 2000) -> str:
    """Give a text without white space around it; refuse an empty or an endless one."""
    text = text.strip()
    if not text:
        raise Refused("reason-missing", f"{what} is empty", "write it down; it goes into the record")
    if len(text) > longest:
        raise Refused("too-long", f"{what} has {len(text)} characters", f"say it in at most {longest}")
    return text
