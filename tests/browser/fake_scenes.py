"""The scenes into which a test puts the fake room: what stands on its wall, at its seats, at its plants."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

import msgspec
from fastapi import WebSocketDisconnect

from opsroom import commands as c
from opsroom import views as v
from tests.browser.fake_council import act

if TYPE_CHECKING:
    from tests.browser.fake_room import FakeRoom

SENTENCE = "Output of the Mill at Tomé fell by 18.4 t/h (14.9 to 21.7) at 11:42; 97 % sure that it is a step."


def paint(room: FakeRoom, unit: str, state: str, alarms: int = 0) -> v.UnitView:
    room.units[unit] = msgspec.structs.replace(room.units[unit], state=state, alarms=alarms)
    return room.units[unit]


def alarm_of(room: FakeRoom, name: str, key: str, **facts: object) -> v.AlarmView:
    """An alarm of a signal, or of a plant that is silent, at its own plant with its clock just begun; `facts` differ."""
    plant = key.partition("/")[0]
    alarm = v.AlarmView(
        id=name,
        signal=key,
        unit=plant,
        title="Output · Mill at Tomé",
        kind="step",
        direction="down",
        state="unacknowledged",
        sentence=SENTENCE,
        probability=0.97,
        size=-18.4,
        uom="t/h",
        since=room.now - 240,
        opened_at=room.now,
        at_unit=plant,
        at_level="plant",
        clock_s=1800.0,
        deadline=room.now + 1500.0,
    )
    return msgspec.structs.replace(alarm, **facts)


def request_of(
    room: FakeRoom, name: str, plant: str, about: Literal["sight", "orders"], **facts: object
) -> v.RequestView:
    """What the council asks of a plant; `facts` say what."""
    return msgspec.structs.replace(
        v.RequestView(
            id=name, unit=plant, side="room", about=about, asked_by="the council", asked_at=room.now, reason=""
        ),
        **facts,
    )


async def quiet(room: FakeRoom, key: str) -> None:
    room.alarms.clear()
    room.motions.clear()
    room.orders.clear()
    room.shift.clear()
    room.stops.clear()
    room.proposals.clear()
    room.requests.clear()
    room.held = room.mute = room.amiss = False
    room.trouble = ""
    room.seats[6] = msgspec.structs.replace(room.seats[6], substitute=0)
    room.units.update(room.fresh_units)
    room.signals.update(room.fresh_signals)
    for unit in room.units:
        paint(room, unit, "calm")
    for name, signal in room.signals.items():
        room.signals[name] = msgspec.structs.replace(
            signal, state="calm", named="steady", p=(0.98, 0.01, 0.005, 0.005), since=None
        )
    for number, (ws, focus, viewer, _) in list(room.watchers.items()):
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await room.begin(number, ws, focus, viewer)


async def suspected(room: FakeRoom, key: str) -> None:
    room.shift[key] = -18.4
    room.signals[key] = msgspec.structs.replace(
        room.signals[key], state="suspected", named="suspected", p=(0.22, 0.31, 0.41, 0.06), since=room.now - 120
    )
    await room.push(units=(paint(room, "mill-at-tom", "suspected"),))


async def alarmed(room: FakeRoom, key: str) -> None:
    await suspected(room, key)
    room.signals[key] = msgspec.structs.replace(
        room.signals[key], state="alarm", named="step", p=(0.01, 0.01, 0.97, 0.01)
    )
    alarm = alarm_of(
        room,
        "alarm-1",
        key,
        normal_low=78.0,
        normal_high=90.2,
    )
    room.alarms["alarm-1"] = alarm
    line = room.say("alarm", "mill-at-tom", "Output fell by 18.4 t/h: step, very likely")
    await room.push(alarms=(alarm,), units=(paint(room, "mill-at-tom", "alarm", 1),), ticker=(line,))


async def climbed(room: FakeRoom, key: str) -> None:
    if "alarm-1" not in room.alarms:
        await alarmed(room, key)
    climbs = (
        v.ClimbView(source="mill-at-tom", target="textiles", at=room.now - 900, reason="expired"),
        v.ClimbView(source="textiles", target="light-industry", at=room.now, reason="called early: no spindles left"),
    )
    alarm = msgspec.structs.replace(
        room.alarms["alarm-1"],
        at_unit="light-industry",
        at_level="branch",
        climbs=climbs,
        arrived=True,
        deadline=room.now + 2700,
        clock_s=3600.0,
        state="acknowledged",
        acknowledged_by="Elena Rojas",
    )
    room.alarms["alarm-1"] = alarm
    units = (paint(room, "textiles", "calm"), paint(room, "light-industry", "called", 1))
    line = room.say("alarm", "light-industry", "the alarm has climbed to Light industry, where the council sits")
    await room.push(alarms=(alarm,), units=units, ticker=(line,))


async def second(room: FakeRoom, key: str) -> None:
    room.mute = True
    alarm = alarm_of(
        room,
        "alarm-2",
        "mill-at-via",
        title="Mill at Viña",
        kind="silence",
        sentence="The Mill at Viña has said nothing since 11:58.",
        probability=1.0,
        size=None,
        uom="",
        since=room.now - 300,
        opened_at=room.now - 60,
        clock_s=900.0,
        deadline=room.now + 840,
    )
    room.alarms["alarm-2"] = alarm
    await room.push(
        alarms=(alarm,), units=(paint(room, "mill-at-via", "silent", 1), paint(room, "quarry-la-calera", "stopped"))
    )


async def moved(room: FakeRoom, key: str) -> None:
    if not room.alarms.get("alarm-1") or not room.alarms["alarm-1"].arrived:
        await climbed(room, key)
    command = c.OpenMotion(
        alarms=("alarm-1",),
        title="Twelve more hands for the evening shift",
        options=(
            c.ProposedOption(
                title="Twelve more hands",
                orders=(
                    c.ProposedOrder(
                        plant="mill-at-tom", name="restaff-shift", parameters={"people": 12, "shift": "evening"}
                    ),
                ),
            ),
        ),
    )
    await act(room, v.Viewer(role="seat", seat=2, occupant=room.seats[2].occupant), command)
    await act(
        room,
        v.Viewer(role="seat", seat=5, occupant=room.seats[5].occupant),
        c.Speak(motion="motion-1", stance="for", text="The evening shift has stood at half strength since Tuesday."),
    )
    await act(
        room,
        v.Viewer(role="seat", seat=1, occupant=room.seats[1].occupant),
        c.Speak(motion="motion-1", stance="question", text="Where do the twelve come from?"),
    )


async def vote(room: FakeRoom, seat: int, choice: str) -> None:
    """A ballot in short: yes for the first option, no for nothing, abstain, or recuse."""
    viewer = v.Viewer(role="seat", seat=seat, occupant=room.seats[seat].occupant)
    if choice == "recuse":
        await act(room, viewer, c.RecuseSeat(motion="motion-1", reason="My sister runs it."))
        return
    options = {"yes": ("a",), "no": ("c",), "abstain": ()}[choice]
    ballot = c.CastBallot(motion="motion-1", options=options, abstain=choice == "abstain", reason="As said.")
    await act(room, viewer, ballot)


async def votes(room: FakeRoom, key: str) -> None:
    for seat, choice in ((1, "yes"), (2, "yes"), (4, "no")):
        await vote(room, seat, choice)


async def rest(room: FakeRoom, key: str) -> None:
    for seat, choice in ((3, "yes"), (5, "yes"), (6, "recuse")):
        await vote(room, seat, choice)


async def carried(room: FakeRoom, key: str) -> None:
    if "motion-1" not in room.motions:
        await moved(room, key)
        await votes(room, key)
    for seat, choice in ((3, "yes"), (5, "yes"), (6, "recuse"), (7, "abstain")):
        await vote(room, seat, choice)


async def substitute(room: FakeRoom, key: str) -> None:
    room.seats[6] = msgspec.structs.replace(room.seats[6], substitute=7)
    await room.push(seats=(room.seats[6],))


async def recovered(room: FakeRoom, key: str) -> None:
    room.shift.pop(key, None)
    effect = v.EffectView(
        signal=key,
        before=63.6,
        after=81.7,
        expected_without=63.2,
        expected_low=58.0,
        expected_high=68.1,
        change=18.5,
        recovered_at=room.now,
        measured_at=room.now,
    )
    motion = room.motions["motion-1"]
    order = room.orders["order-1"] = msgspec.structs.replace(
        room.orders["order-1"], state="done", changed_at=room.now, effect=effect
    )
    alarm = room.alarms["alarm-1"] = msgspec.structs.replace(
        room.alarms["alarm-1"], state="closed", recovered_at=room.now, closed_at=room.now, deadline=None
    )
    room.signals[key] = msgspec.structs.replace(
        room.signals[key], state="calm", named="steady", p=(0.97, 0.01, 0.01, 0.01)
    )
    units = tuple(paint(room, u, "calm") for u in ("mill-at-tom", "textiles", "light-industry"))
    await room.push(motions=(motion,), orders=(order,), alarms=(alarm,), units=units)


async def held(room: FakeRoom, key: str) -> None:
    room.held = True
    await room.push(held=True)


async def proposed(room: FakeRoom, key: str) -> None:
    proposal = v.ProposalView(
        id="proposal-1",
        signal=key,
        by="operator",
        side="room",
        capability=104.0,
        potentiality=None,
        recovery_s=2400.0,
        reason="The new looms run.",
        at=room.now,
    )
    room.proposals[proposal.id] = proposal
    await room.push(proposals=(proposal,))


async def asked(room: FakeRoom, key: str) -> None:
    plant, name = key.split("/")
    look = request_of(
        room,
        "request-1",
        plant,
        "sight",
        reason="To see where the yarn goes",
        signals=(name,),
        to="economy",
        to_title="The economy",
        until=room.now + 7200.0,
    )
    orders = request_of(
        room,
        "request-2",
        plant,
        "orders",
        reason="Nobody is left for a third shift",
        declines=("restaff-shift",),
        diff=(("gone", "accepts all of its orders"), ("new", "does not accept restaff-shift")),
    )
    room.requests |= {look.id: look, orders.id: orders}
    await room.push(requests=(look, orders))


async def behind(room: FakeRoom, key: str) -> None:
    """The motion is decided, and no screen has heard of it yet."""
    room.motions["motion-1"] = msgspec.structs.replace(room.motions["motion-1"], state="lost", phase="closed")


async def amiss(room: FakeRoom, key: str) -> None:
    room.amiss = True
    await room.push(books=True, line=room.line())


async def full(room: FakeRoom, key: str) -> None:
    """The disk is full."""
    room.trouble = (
        "the disk is full: /var/lib/opsroom/ministry-of-industry/readings.sqlite (database or disk is full). "
        "Free some space; the room then goes on by itself, and the plants resend."
    )
    await room.push(books=True, line=room.line())


async def away(room: FakeRoom, key: str) -> None:
    """The database is away: the longest sentence of its kind."""
    room.trouble = (
        "the database cannot be reached: user=room dbname=plants host=db.example port=5432 options=-csearch_path=mill "
        '(connection failed: connection to server at "192.0.2.17", port 5432 failed: Connection refused\n\tIs the server '
        "running on that host and accepting TCP/IP connections?). Start it, check the address and the password "
        "(PGPASSWORD or ~/.pgpass); the room tries again."
    )
    await room.push(books=True, line=room.line())


async def hostile(room: FakeRoom, key: str) -> None:
    bad = '<img src=x onerror="window.hacked=1"><b>bold</b>'
    room.units["mill-at-tom"] = msgspec.structs.replace(room.units["mill-at-tom"], title=bad)
    await moved(room, key)
    alarm = room.alarms["alarm-1"] = msgspec.structs.replace(room.alarms["alarm-1"], title=bad, sentence=bad)
    motion = room.motions["motion-1"]
    first = msgspec.structs.replace(motion.options[0], title=bad)
    motion = room.motions["motion-1"] = msgspec.structs.replace(motion, title=bad, options=(first, *motion.options[1:]))
    room.signals[key] = msgspec.structs.replace(room.signals[key], title=bad, uom=bad)
    line = room.say("telex", bad, bad)
    await room.push(alarms=(alarm,), motions=(motion,), units=(room.units["mill-at-tom"],), ticker=(line,))


async def flood(room: FakeRoom, count: int) -> None:
    """That many plants in alarm at once, spread over the tree; every fifth has climbed, every third follows another."""
    plants = [room.plants[i * len(room.plants) // count] for i in range(min(count, len(room.plants)))]
    units, alarms = [], []
    for number, plant in enumerate(plants, 1):
        climbed = number % 5 == 0
        follows = f"flood-{number - 1}" if number % 3 == 2 else ""
        alarm = alarm_of(
            room,
            f"flood-{number}",
            f"{plant.id}/output",
            title=f"Output · {plant.title}",
            at_unit=plant.parent if climbed else plant.id,
            at_level="enterprise" if climbed else "plant",
            climbs=(v.ClimbView(source=plant.id, target=plant.parent, at=room.now, reason="expired"),) * climbed,
            deadline=room.now + 600.0 + number,
            origin=follows,
        )
        room.alarms[alarm.id] = alarm
        alarms.append(alarm)
        units.append(paint(room, plant.id, "alarm", 1))
        if climbed:
            units.append(paint(room, plant.parent, "called", 1))
    await room.push(alarms=tuple(alarms), units=tuple(units))


Scene = Callable[["FakeRoom", str], Awaitable[None]]

SCENES: dict[str, Scene] = {
    "quiet": quiet,
    "suspected": suspected,
    "alarm": alarmed,
    "climbed": climbed,
    "second": second,
    "motion": moved,
    "votes": votes,
    "rest": rest,
    "carried": carried,
    "substitute": substitute,
    "recovered": recovered,
    "held": held,
    "proposed": proposed,
    "asked": asked,
    "behind": behind,
    "amiss": amiss,
    "full": full,
    "away": away,
    "hostile": hostile,
}
