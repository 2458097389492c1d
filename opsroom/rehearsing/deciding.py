"""The scripted seats of a rehearsal: they decide what is to be rehearsed in a room of their own, through its inbox. I/O.

Nothing is passed over: the motion is seconded, every seat votes in every round, and an order that the plant marked dangerous is
confirmed by another seat than the responsible one, as in the room itself.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass

from opsroom.commands import (
    Actor,
    AnyCommand,
    Asked,
    CastBallot,
    ConfirmOrder,
    OpenMotion,
    ProposedOption,
    ProposedOrder,
    Role,
    SecondMotion,
)
from opsroom.council.options import Option
from opsroom.loop.hall import Hall
from opsroom.proof.commitments import SALT_BYTES
from opsroom.rehearsing.mark import REHEARSAL
from opsroom.room.events import MotionOpened
from opsroom.views import Answer

PATIENCE_S = 90.0
"""How long one thing is waited for, in seconds of the world."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What the scripted seats came to: `why` in words, their motion (empty when there was none), and when (source time)."""

    why: str
    motion: str = ""
    at: float = 0.0


async def decide(hall: Hall, opened: MotionOpened, option: Option) -> Decided:
    """Decide for an option of a real motion in the rehearsal's own room, on an alarm of its own."""
    if option.kind != "orders":
        return Decided(why="nothing was ordered")
    answer = await _moved(hall, opened, option)
    if not answer.ok:
        return Decided(why=f"nothing could be ordered: {answer.reason}")
    motion = next(name for name in answer.made if name in hall.room.motions)
    await _ask(hall, 2, SecondMotion(motion=motion), "second")
    seats = sorted(seat.seat for seat in hall.room.charter.seats)
    for number in range(1, hall.room.motions[motion].rounds + 1):
        for seat in seats:
            if hall.room.motions[motion].round == number:
                ballot = CastBallot(motion=motion, options=(option_of(hall, motion),), reason=REHEARSAL)
                await _ask(hall, seat, ballot, f"vote-{number}")
        await _until_counted(hall, motion)
    closed = hall.room.motions[motion]
    if closed.state != "carried":
        return Decided(
            why=f"the scripted seats' motion was {closed.state}", motion=motion, at=_now(hall, opened.signal)
        )
    second = next(seat for seat in seats if seat != closed.responsible)
    dangerous = [name for name in closed.orders if hall.room.orders[name].state == "unconfirmed"]
    for name in dangerous:
        await _ask(hall, second, ConfirmOrder(order=name), "confirm")
    why = "the order was given"
    if dangerous:
        why += f" and, since the plant marks it dangerous, confirmed by seat {second} beside seat {closed.responsible}"
    return Decided(why=why, motion=motion, at=_now(hall, opened.signal))


def option_of(hall: Hall, motion: str) -> str:
    """The letter of the one option of a motion that orders something."""
    return next(option.id for option in hall.room.motions[motion].options if option.kind == "orders")


async def _moved(hall: Hall, opened: MotionOpened, option: Option) -> Answer:
    """Open the motion as soon as the rehearsal's own alarm has come to the council; the last refusal when it never does."""
    proposed = ProposedOption(
        title=option.title,
        orders=tuple(
            ProposedOrder(plant=order.plant, name=order.birth.name, parameters=order.parameters)
            for order in option.orders
        ),
    )
    until = time.monotonic() + PATIENCE_S
    while True:
        alarm = hall.room.alarms.get(hall.room.standing.get(opened.signal, ""))
        if alarm is not None and alarm.closed_at is None:
            title = f"{REHEARSAL}: {opened.title}"[:200]
            answer = await _ask(hall, 1, OpenMotion(alarms=(alarm.id,), title=title, options=(proposed,)), "move")
        else:
            answer = Answer(ok=False, key="", reason=f"no alarm stands on {opened.signal}")
        if answer.ok or time.monotonic() > until:
            return answer
        await asyncio.sleep(0.1)


async def _until_counted(hall: Hall, motion: str) -> None:
    """Wait until the room has opened a round's ballots; when its time is over it ends without all of them."""
    until = time.monotonic() + PATIENCE_S
    while hall.room.motions[motion].phase in ("opening", "counting") and time.monotonic() < until:  # noqa: ASYNC110 - the loop counts
        await asyncio.sleep(0.02)


def _now(hall: Hall, signal: str) -> float:
    seen = hall.sight(signal)
    return seen.at if seen is not None else hall.clock.now()


async def _ask(hall: Hall, seat: int, command: AnyCommand, what: str) -> Answer:
    actor = Actor(role=Role.SEAT, seat=seat, occupant=f"{REHEARSAL} {seat}")
    key, salt = f"{what}-{seat}-{time.monotonic_ns()}", secrets.token_bytes(SALT_BYTES)
    return await hall.inbox.ask(Asked(command=command, actor=actor, key=key, salt=salt))
