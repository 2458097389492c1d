"""Who may look at a plant's readings: its own people, and whoever it let look, for a purpose, until it says otherwise.

Exceptions go up, data stays home. Alarms carry their own evidence up, and units' own series are indices that everybody may see; a
plant's readings are seen by others only under a grant. Granting and revoking is the plant's alone; others can ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from opsroom.commands import Actor, AnswerRequest, AskForSight, GrantSight, ProposeOrders, RevokeGrant, Role
from opsroom.moments import AHEAD_S, within
from opsroom.recursion.agreements import side_of
from opsroom.recursion.offers import check_term
from opsroom.recursion.pact_events import (
    GrantEnded,
    GrantMade,
    GrantRevoked,
    RequestAnswered,
    RequestMade,
    Side,
    Sights,
)
from opsroom.recursion.pacts import Grant, Pact, Request, Version, with_version
from opsroom.room.authority import check_own, said
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Room, count, put

SIGNALS_NAMED = 200
"""The most signals that one grant names; without names it is about all."""

REQUESTS_OPEN = 20
"""The most requests that wait for one unit."""

OPENED_BY_CHARTER = "the room's charter opens readings to the room"
"""The purpose of the grant that the charter makes at a plant's first birth."""


LAPSED = "what it asked for is over, and nobody has answered"
"""Why a request is over whose own end has come."""


class Ground(NamedTuple):
    """Why somebody may look at a signal: it is their own, it is an index, or a grant lets them."""

    why: Literal["own", "index", "grant"]
    grant: str = ""
    purpose: str = ""


def stand(room: Room, role: str, unit: str) -> str:
    """The unit from which somebody looks: a unit's people from their own, all others from the top."""
    return unit if role == "unit" else room.tree.root


def ground(room: Room, role: str, unit: str, signal: str, now: float) -> Ground | None:
    """Why somebody (a role, and the unit of a unit's people) may look at the readings of a signal at `now`; `None` if not."""
    plant, _, name = signal.partition("/")
    if plant in room.tree.inner:
        return Ground("index")
    here = stand(room, role, unit)
    if role == "unit" and here == plant:
        return Ground("own")
    for one in granted(room, plant):
        if (
            one.covers(name)
            and one.holds(now)
            and (one.sights.to == here or _on_the_way(room, plant, one.sights.to, here))
        ):
            return Ground("grant", one.id, one.sights.purpose)
    return None


def _on_the_way(room: Room, plant: str, to: str, here: str) -> bool:
    """What is open to a unit above is open to the units between as well."""
    path = room.tree.path(plant)
    return to in path and here in path[: path.index(to)]


def granted(room: Room, plant: str) -> tuple[Grant, ...]:
    """The grants of a plant that are not over, oldest first."""
    return tuple(room.grants[name] for name in room.granted.get(plant, ()))


def grant(room: Room, asked: GrantSight, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Let others look at one's own readings."""
    plant = _plant(room, actor.unit)
    sights = Sights(
        signals=_names(room, plant, asked.signals),
        to=asked.to,
        purpose=said(asked.purpose, "the purpose", 500),
        until=asked.until,
    )
    _check_sights(room, plant, sights, now)
    return (GrantMade(at=now, grant=room.next_id("grant"), unit=plant, sights=sights),)


def revoke(room: Room, asked: RevokeGrant, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Take a grant back."""
    known = room.grants.get(asked.grant)
    if known is None:
        raise Refused("unknown-grant", f"there is no grant {asked.grant[:80]!r}", "look for its id among the grants")
    check_own(known.unit, actor)
    if known.over():
        raise Refused("grant-over", f"{known.id} is over: {known.ended_reason}", "nothing is left to do")
    return (GrantRevoked(at=now, grant=known.id, reason=asked.reason.strip()[:500]),)


def run_out(room: Room, known: Grant, now: float) -> tuple[AnyEvent, ...]:
    """A grant's time is over."""
    return (GrantEnded(at=now, grant=known.id),)


def ask(room: Room, asked: AskForSight, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Ask a plant to let one look."""
    plant = _plant(room, asked.unit)
    if actor.role is Role.UNIT and actor.unit == plant:
        raise Refused("own-readings", f"{plant} sees its own readings", "nothing is left to ask for")
    sights = Sights(
        signals=_names(room, plant, asked.signals),
        to=stand(room, actor.role, actor.unit),
        purpose=said(asked.purpose, "the purpose", 500),
        until=asked.until,
    )
    _check_sights(room, plant, sights, now)
    return _asked(
        room, now, plant, "room", RequestMade(at=now, request="", unit=plant, side="room", about="sight", sights=sights)
    )


def lapse(request: Request, now: float) -> tuple[AnyEvent, ...]:
    """Nobody answered before what was asked for was over itself."""
    return (RequestAnswered(at=now, request=request.id, accepted=False, reason=LAPSED),)


def propose_orders(room: Room, asked: ProposeOrders, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Propose which of a plant's orders it does not accept."""
    plant = _plant(room, asked.unit)
    check_own(plant, actor)
    declines = tuple(sorted(set(asked.declines)))
    known = room.plants[plant].orders
    if strange := [name for name in declines if name not in known]:
        raise Refused("unknown-order", f"{plant} declares no order {strange[0]!r}", f"it declares {', '.join(known)}")
    if declines == declined(room, plant):
        raise Refused("nothing-proposed", "the proposal says what is agreed already", "nothing is left to do")
    reason = said(asked.reason, "the reason")
    side = side_of(actor)
    made = RequestMade(at=now, request="", unit=plant, side=side, about="orders", declines=declines, reason=reason)
    return _asked(room, now, plant, side, made)


def answer(room: Room, asked: AnswerRequest, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Accept or refuse what the other side asked."""
    request = room.requests.get(asked.request)
    if request is None or request.over():
        raise Refused(
            "unknown-request", f"no request {asked.request[:80]!r} waits", "look for its id among the requests"
        )
    check_own(request.unit, actor)
    check_term(room, request.id, now)
    if side_of(actor) == request.side:
        other = "the plant's own people" if request.side == "room" else "an operator or a seat"
        raise Refused("own-request", f"{request.id} was made by your own side", f"{other} can answer it")
    if not asked.accept:
        reason = said(asked.reason, "the reason for refusing")
        return (RequestAnswered(at=now, request=request.id, accepted=False, reason=reason),)
    if request.about == "orders":
        version = room.pacts.get(request.unit, Pact()).version + 1
        return (RequestAnswered(at=now, request=request.id, accepted=True, reason=asked.reason, version=version),)
    if request.sights is None or (request.sights.until is not None and request.sights.until <= now):
        raise Refused("request-late", f"what {request.id} asks for is over already", "refuse it, or grant anew")
    yes = RequestAnswered(at=now, request=request.id, accepted=True, reason=asked.reason)
    made = GrantMade(at=now, grant=room.next_id("grant"), unit=request.unit, sights=request.sights, request=request.id)
    return (yes, made)


def seeded(room: Room, plants: Iterable[str], now: float, root: str) -> tuple[AnyEvent, ...]:
    """The grants that a charter makes which opens readings to the room: once for each plant, ever."""
    fresh = [plant for plant in plants if not room.pacts.get(plant, Pact()).seeded]
    return tuple(
        GrantMade(
            at=now,
            grant=room.next_id("grant", ahead),
            unit=plant,
            sights=Sights(to=root, purpose=OPENED_BY_CHARTER),
            seeded=True,
        )
        for ahead, plant in enumerate(fresh, 1)
    )


def declined(room: Room, plant: str) -> tuple[str, ...]:
    """The orders that a plant and the room have agreed not to use."""
    return room.pacts.get(plant, Pact()).declines


def _plant(room: Room, unit: str) -> str:
    if unit not in room.plants:
        raise Refused(
            "unknown-plant", f"{unit[:80]!r} is no plant that was born", "only plants have readings and orders"
        )
    return unit


def _names(room: Room, plant: str, asked: Iterable[str]) -> tuple[str, ...]:
    names = tuple(sorted({name.removeprefix(f"{plant}/") for name in asked}))
    known = {signal.name for signal in room.plants[plant].signals}
    if strange := [name for name in names if name not in known]:
        raise Refused(
            "unknown-signal", f"{plant} has no signal {strange[0][:80]!r}", "name signals as the room lists them"
        )
    if len(names) > SIGNALS_NAMED:
        raise Refused("too-many", f"{len(names)} signals are named", "name none, which means all")
    return names


def _check_sights(room: Room, plant: str, sights: Sights, now: float) -> None:
    if sights.to not in room.tree.units or sights.to == plant:
        raise Refused("unknown-unit", f"{sights.to[:80]!r} is no other unit", "name a unit; the top is the room itself")
    if sights.until is not None and not (now < sights.until and within(sights.until, now, 0.0, AHEAD_S)):
        raise Refused(
            "bad-time",
            f"the end, {sights.until:.0f}, is not after now and within ten years",
            "give `until` as epoch seconds UTC (not milliseconds), or leave it out",
        )


def _asked(room: Room, now: float, plant: str, side: Side, made: RequestMade) -> tuple[AnyEvent, ...]:
    """A request; an older one of the same side about the same thing gives way to it."""
    waiting = [one for one in room.requests.values() if not one.over() and one.unit == plant]
    if len(waiting) >= REQUESTS_OPEN:
        raise Refused("too-many", f"{len(waiting)} requests wait for {plant}", "wait for its answers")
    replaced = [
        RequestAnswered(at=now, request=one.id, accepted=False, reason="a newer request took its place")
        for one in waiting
        if one.side == side and one.about == made.about and _whom(one.sights) == _whom(made.sights)
    ]
    return (*replaced, msgspec.structs.replace(made, request=room.next_id("request")))


def _whom(sights: Sights | None) -> str:
    return sights.to if sights is not None else ""


def _made(room: Room, event: GrantMade) -> Room:
    made = Grant(
        id=event.grant,
        unit=event.unit,
        sights=event.sights,
        made_at=event.at,
        made_by=event.occupant or event.by or "the charter",
        request=event.request,
    )
    listed = room.granted.set(event.unit, (*room.granted.get(event.unit, ()), made.id))
    pacts = room.pacts
    if event.seeded:
        pacts = pacts.set(event.unit, msgspec.structs.replace(pacts.get(event.unit, Pact()), seeded=True))
    return put(msgspec.structs.replace(count(room, "grant"), granted=listed, pacts=pacts), "grants", made)


def _over(room: Room, grant: str, at: float, reason: str) -> Room:
    known = room.grants[grant]
    left = tuple(name for name in room.granted.get(known.unit, ()) if name != grant)
    listed = room.granted.set(known.unit, left) if left else room.granted.delete(known.unit)
    room = msgspec.structs.replace(room, granted=listed)
    return put(room, "grants", msgspec.structs.replace(known, ended_at=at, ended_reason=reason))


def _requested(room: Room, event: RequestMade) -> Room:
    request = Request(
        id=event.request,
        unit=event.unit,
        side=event.side,
        about=event.about,
        sights=event.sights,
        declines=event.declines,
        reason=event.reason,
        asked_by=event.occupant or event.by,
        asked_at=event.at,
    )
    return put(count(room, "request"), "requests", request)


def _answered(room: Room, event: RequestAnswered) -> Room:
    request = msgspec.structs.replace(
        room.requests[event.request],
        answered_at=event.at,
        accepted=event.accepted,
        answer=event.reason,
        answered_by=event.occupant or event.by,
    )
    if event.accepted and request.about == "orders":
        pact = room.pacts.get(request.unit, Pact())
        agreed_by = f"{request.asked_by} and {event.occupant or event.by}"
        version = Version(
            version=event.version,
            agreed_by=agreed_by,
            agreed_at=event.at,
            reason=request.reason,
            declines=request.declines,
        )
        room = msgspec.structs.replace(
            room,
            pacts=room.pacts.set(
                request.unit, msgspec.structs.replace(pact, version=event.version, declines=request.declines)
            ),
            versions=with_version(room.versions, request.unit, version),
        )
    return put(room, "requests", request)


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    GrantMade: _made,
    GrantRevoked: lambda room, event: _over(room, event.grant, event.at, event.reason or "revoked"),
    GrantEnded: lambda room, event: _over(room, event.grant, event.at, "its time was over"),
    RequestMade: _requested,
    RequestAnswered: _answered,
}
"""How each event on grants and requests changes the room."""
