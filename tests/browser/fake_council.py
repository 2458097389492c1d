"""The fake room's answers to commands: believable rows, none of the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from opsroom import commands as c
from opsroom import views as v

if TYPE_CHECKING:
    from tests.browser.fake_room import FakeRoom


async def act(room: FakeRoom, viewer: v.Viewer, command: c.AnyCommand) -> v.Answer:
    match command:
        case c.OpenMotion():
            return await opened(room, viewer, command)
        case c.Speak():
            motion = room.motions[command.motion]
            said = v.StatementView(
                seat=viewer.seat, occupant=viewer.occupant, stance=command.stance, text=command.text, at=room.now
            )
            motion = room.motions[motion.id] = msgspec.structs.replace(motion, statements=(*motion.statements, said))
            await room.push(motions=(motion,))
        case c.CastBallot() | c.RecuseSeat():
            return await cast(room, viewer, command)
        case c.AcknowledgeAlarm() | c.CallEarly() | c.ShelveAlarm() | c.UnshelveAlarm():
            changes: dict[type, dict[str, Any]] = {
                c.AcknowledgeAlarm: {"state": "acknowledged", "acknowledged_by": viewer.occupant},
                c.ShelveAlarm: {
                    "state": "shelved",
                    "shelved_until": room.now + 60 * getattr(command, "minutes", 0.0),
                    "shelved_reason": getattr(command, "reason", ""),
                },
                c.UnshelveAlarm: {"state": "acknowledged", "shelved_until": None},
                c.CallEarly: {"at_unit": "textiles", "at_level": "enterprise"},
            }
            alarm = msgspec.structs.replace(room.alarms[command.alarm], **changes[type(command)])
            room.alarms[alarm.id] = alarm
            await room.push(alarms=(alarm,))
        case c.PlanStop():
            stop = v.StopView(
                id=f"stop-{len(room.stops) + 1}",
                unit=command.unit,
                start=command.start,
                end=command.end,
                reason=command.reason,
            )
            room.stops[stop.id] = stop
            await room.push(stops=tuple(room.stops.values()))
        case c.CancelStop():
            room.stops.pop(command.stop)
            await room.push(stops=tuple(room.stops.values()))
        case c.AnswerAgreement():
            room.proposals.pop(command.proposal)
            await room.push(proposals=tuple(room.proposals.values()))
        case c.AnswerRequest():
            room.requests.pop(command.request)
            await room.push(requests=tuple(room.requests.values()))
        case c.HoldOrders() | c.ReleaseOrders():
            room.held = isinstance(command, c.HoldOrders)
            await room.push(held=room.held)
        case c.RefuseOrder() | c.RevokeOrder():
            state = "refused" if isinstance(command, c.RefuseOrder) else "revoked"
            order = room.orders[command.order] = msgspec.structs.replace(
                room.orders[command.order], state=state, reason=command.reason
            )
            await room.push(orders=(order,))
        case _:
            return v.Answer(
                ok=False,
                code="not-here",
                reason="The fake room does not know this command.",
                cure="Use the real room.",
            )
    return v.Answer(ok=True)


async def opened(room: FakeRoom, viewer: v.Viewer, command: c.OpenMotion) -> v.Answer:
    alarm = room.alarms[command.alarms[0]]
    key, number = alarm.signal, len(room.motions) + 1
    readings = list(room.points[key])[-90:]
    level = readings[-1][1] or 0.0
    forecast = [(room.now + 60 * i, level, level - 3 - 0.2 * i, level + 3 + 0.2 * i) for i in range(1, 31)]
    motion = v.MotionView(
        id=f"motion-{number}",
        title=command.title,
        alarm=alarm.id,
        signal=key,
        options=options(room, command),
        opened_by=viewer.seat,
        opened_at=room.now,
        deadline=room.now + 1800,
        round_ends=room.now + 1800,
        rounds=1,
        phase="blind",
        state="open",
        evidence={
            "readings": readings,
            "verdict": {"named": "step", "p": [0.01, 0.01, 0.97, 0.01], "since": alarm.since},
            "level": level,
            "slope": 0.0,
            "forecast": forecast,
        },
    )
    room.motions[motion.id] = motion
    room.alarms[alarm.id] = msgspec.structs.replace(alarm, motion=motion.id)
    line = room.say("council", "light-industry", f"{motion.id}: {motion.title}")
    await room.push(motions=(motion,), alarms=(room.alarms[alarm.id],), ticker=(line,))
    return v.Answer(ok=True, made=(motion.id,))


def foreseen(room: FakeRoom, gain: float) -> list[list[float]]:
    """Rows of a forecast that gains so much, wider the further it looks."""
    rows = []
    for n in range(1, 13):
        mean = 63.0 + gain * (1.0 - 0.8**n)
        rows.append([room.now + 600.0 * n, mean, mean - n / 4, mean + n / 4, mean - n / 1.5, mean + n / 1.5])
    return rows


def options(room: FakeRoom, command: c.OpenMotion) -> tuple[v.OptionView, ...]:
    titles = {choice.name: choice.title for choice in room.choices}
    proposed = [
        v.OptionView(
            id="abc"[place],
            kind="orders",
            title=option.title,
            forecast={"rows": foreseen(room, 16.0)},
            expected="With it: likely more, as the plant declares it; nobody has measured it yet.",
            record="No forecast of this kind has been compared with what came yet.",
            orders=tuple(
                v.OptionOrderView(
                    plant=order.plant,
                    plant_title=room.units[order.plant].title,
                    name=order.name,
                    title=titles[order.name],
                    parameters=order.parameters,
                )
                for order in option.orders
            ),
        )
        for place, option in enumerate(command.options)
    ]
    n = len(proposed)
    return (
        *proposed,
        v.OptionView(id="abcde"[n], kind="time", title="Give the unit more time", extra_s=3600.0),
        v.OptionView(
            id="abcde"[n + 1],
            kind="nothing",
            title="Do nothing",
            forecast={"rows": foreseen(room, 0.0)},
            expected="If nothing is done: as now.",
        ),
    )


async def cast(room: FakeRoom, viewer: v.Viewer, command: c.CastBallot | c.RecuseSeat) -> v.Answer:
    motion = room.motions[command.motion]
    if motion.state != "open":
        return v.Answer(ok=False, code="motion-closed", reason="The motion is decided.", cure="Look at its tally.")
    chair = getattr(command, "for_seat", 0) or viewer.seat
    if chair in {b.seat for b in motion.ballots} | {b.seat for b in motion.recused}:
        return v.Answer(
            ok=False, code="voted-already", reason=f"Seat {viewer.seat} has voted.", cure="A ballot stands."
        )
    if isinstance(command, c.RecuseSeat):
        gone = v.DissentView(seat=viewer.seat, text=command.reason)
        motion = msgspec.structs.replace(motion, recused=(*motion.recused, gone))
    else:
        ballot = v.BallotView(
            seat=command.for_seat or viewer.seat,
            cast_by=viewer.seat,
            occupant=viewer.occupant,
            choice="abstain" if command.abstain else "named",
            options=command.options,
            reason=command.reason,
            at=room.now,
        )
        motion = msgspec.structs.replace(motion, ballots=(*motion.ballots, ballot))
    rows: dict[str, Any] = {}
    if len(motion.ballots) + len(motion.recused) == 7:
        named = {o.id: sum(o.id in b.options for b in motion.ballots) for o in motion.options}
        cast = sum(b.choice == "named" for b in motion.ballots)
        carried = 2 * named["a"] > cast
        motion = msgspec.structs.replace(
            motion,
            state="carried" if carried else "lost",
            phase="closed",
            closed_at=room.now,
            chosen="a" if carried else "",
            orders=("order-1",) if carried else (),
            tally=v.TallyView(
                yes=named["a"],
                no=cast - named["a"],
                abstain=len(motion.ballots) - cast,
                recused=len(motion.recused),
                present=len(motion.ballots),
                needed=cast // 2 + 1,
                named=named,
            ),
        )
        if carried:
            ordered = motion.options[0].orders[0]
            room.orders["order-1"] = v.OrderView(
                id="order-1",
                motion=motion.id,
                plant=ordered.plant,
                name=ordered.name,
                title=ordered.title,
                parameters=ordered.parameters,
                state="issued",
                issued_at=room.now,
                expires_at=room.now + 3600,
            )
            rows["orders"] = (room.orders["order-1"],)
            rows["ticker"] = (room.say("order", ordered.plant, f"order-1 issued: {ordered.title}"),)
    room.motions[motion.id] = motion
    await room.push(motions=(motion,), **rows)
    return v.Answer(ok=True)
