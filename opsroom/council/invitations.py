"""Inviting plants to a motion about them: whom, when, and what they are told. Pure.

A plant is invited when a motion on one of its alarms, or with an order for it, is opened; again when the motion is seconded (its
time moves then), when an option is amended, and when its own statement is on record; once more when the motion is over. One
that is away is invited when it is born again, while the motion is open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from opsroom.council import terms
from opsroom.council.council import concerned
from opsroom.council.motion import Motion
from opsroom.council.options import Option
from opsroom.moments import micros
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.state import Room
from telex_ingest.invitation import STATEMENT
from telex_ingest.telex import Invitation, InvitedOption, InvitedOrder, moment

INVITING = (
    happened.MotionOpened,
    happened.MotionSeconded,
    happened.AmendmentSettled,
    happened.StatementMade,
    happened.MotionClosed,
)
"""The events after which the plants concerned are told how a motion stands."""


def invitations(room: Room, events: Iterable[AnyEvent], fresh: Collection[str] = ()) -> tuple[Invitation, ...]:
    """What plants are to be told of motions after `events`, and plants that have just connected of those that are open.

    `room` is the room after the events. A statement is told to the plant that made it alone.
    """
    wanted: dict[tuple[str, str], Motion] = {}
    for event in events:
        if not isinstance(event, INVITING) or (motion := room.motions.get(event.motion)) is None:
            continue
        if isinstance(event, happened.StatementMade):
            if event.plant in room.plants:
                wanted[event.plant, motion.id] = motion
        elif not (isinstance(event, happened.AmendmentSettled) and event.how not in ("friendly", "adopted")):
            wanted.update({(plant, motion.id): motion for plant in invited(room, motion)})
    if fresh:
        for motion in room.motions.values():
            if motion.state == "open":
                wanted.update({(plant, motion.id): motion for plant in invited(room, motion) if plant in fresh})
    return tuple(invitation(room, motion, plant) for (plant, _), motion in wanted.items())


def invited(room: Room, motion: Motion) -> tuple[str, ...]:
    """The plants that a motion invites: those concerned that were ever born."""
    return tuple(unit for unit in concerned(room, motion) if unit in room.plants)


def invitation(room: Room, motion: Motion, plant: str) -> Invitation:
    """What one plant is told of a motion, without the room's proof."""
    mine = [alarm for name in motion.alarms if (alarm := room.alarms.get(name)) is not None and alarm.unit == plant]
    signal = mine[0].signal.partition("/")[2] if mine else ""
    stated = sum(one.plant == plant and one.wire for one in motion.statements)
    over = motion.state != "open"
    text = (
        f"The council is over with {motion.title!r}: {motion.state}."
        if over
        else f"The council deliberates on {motion.title!r}. Say what you know of it, in at most {STATEMENT} characters."
    )
    return Invitation(
        motion=motion.id,
        room=room.id,
        plant=plant,
        title=motion.title,
        alarm=mine[0].id if mine else "",
        signal=signal,
        options=tuple(_option(option) for option in motion.options),
        until=moment(micros(motion.deadline)),
        state=motion.state,
        chosen=motion.chosen,
        stated=stated,
        letters=0 if over else STATEMENT,
        text=text,
    )


def _option(option: Option) -> InvitedOption:
    orders = tuple(
        InvitedOrder(plant=one.plant, name=one.birth.name, parameters=one.parameters) for one in option.orders
    )
    # To a plant an option that changes agreements is one that orders nothing, and says in words what it would propose.
    kind = "orders" if option.kind == "agreement" else option.kind
    return InvitedOption(id=option.id, title=option.title, kind=kind, orders=orders, terms=_terms(option))


def _terms(option: Option) -> str:
    """What an option would propose to plants, in words."""
    return "; ".join(f"{one.title}: {after}" for one in option.terms for _, after in [terms.lines(one)])
