"""Changing what an alarm means by consent: proposed from either side, accepted or refused by the other (see `rationale`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec

from opsroom.alarms.rationale import KINDS, Rationale
from opsroom.alarms.records import RationaleProposal
from opsroom.alarms.service_events import RationaleAccepted, RationaleProposed, RationaleRefused
from opsroom.commands import Actor, AnswerRationale, ProposeRationale, Role
from opsroom.room.authority import check_covers, check_own, said
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Room, count


def propose(room: Room, asked: ProposeRationale, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Propose another record for signals of one plant; a newer proposal of the same side takes the older one's place."""
    plant, _, name = asked.signal.partition("/")
    if plant not in room.plants:
        raise Refused(
            "unknown-plant",
            f"{plant[:80]!r} is no plant: a record that spans plants stands in room.toml",
            "name one plant: plant/signal, plant/*, or the plant alone for its silence",
        )
    check_covers(room, plant, actor)
    signals = [key.partition("/")[2] for key in room.signals if key.startswith(f"{plant}/")]
    if name and not any(fnmatchcase(one, name) for one in signals):
        raise Refused("unknown-signal", f"{plant} has no signal like {name[:80]!r}", "look for it among the signals")
    if asked.kind not in KINDS:
        raise Refused("bad-kind", f"there is no kind of trouble {asked.kind[:40]!r}", f"use one of {', '.join(KINDS)}")
    if not 0.0 < asked.respond_minutes <= 525_600.0:
        raise Refused("bad-duration", f"{asked.respond_minutes:g} minutes are no time to respond", "say more than 0")
    wanted = Rationale(
        signal=asked.signal,
        kind=asked.kind,
        consequence=asked.consequence,
        means=said(asked.means, "what it means"),
        response=said(asked.response, "what you would do"),
        respond_s=60.0 * asked.respond_minutes,
        owner=said(asked.owner, "the owner", longest=200),
        latched=asked.latched,
    )
    side: Literal["unit", "room"] = "unit" if actor.role is Role.UNIT else "room"
    return (
        RationaleProposed(
            at=now, proposal=room.next_id("rationale"), rationale=wanted, side=side, reason=asked.reason.strip()[:2000]
        ),
    )


def answer(room: Room, asked: AnswerRationale, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Accept or refuse a proposed record; only the other side may."""
    known = room.asked_rationales.get(asked.proposal)
    if known is None:
        raise Refused(
            "unknown-proposal",
            f"there is no proposed record {asked.proposal[:40]!r}",
            "look for its id among the records of what alarms mean",
        )
    side = "unit" if actor.role is Role.UNIT else "room"
    if side == known.side:
        raise Refused("own-proposal", f"{known.id} was proposed by your own side", "the other side answers")
    check_own(known.rationale.plant, actor)
    if asked.accept:
        return (RationaleAccepted(at=now, proposal=known.id, rationale=known.rationale),)
    return (RationaleRefused(at=now, proposal=known.id, reason=said(asked.reason, "the reason for refusing")),)


def _proposed(room: Room, event: RationaleProposed) -> Room:
    kept = RationaleProposal(
        id=event.proposal,
        rationale=event.rationale,
        side=event.side,
        by=event.occupant or event.by,
        reason=event.reason,
        at=event.at,
    )
    waiting = room.asked_rationales
    for one in waiting.values():
        if (one.side, one.rationale.signal, one.rationale.kind) == (
            event.side,
            event.rationale.signal,
            event.rationale.kind,
        ):
            waiting = waiting.delete(one.id)
    return msgspec.structs.replace(count(room, "rationale"), asked_rationales=waiting.set(kept.id, kept))


def _accepted(room: Room, event: RationaleAccepted) -> Room:
    key = (event.rationale.signal, event.rationale.kind)
    return msgspec.structs.replace(
        room,
        rationales=room.rationales.set(key, event.rationale),
        asked_rationales=_without(room, event.proposal),
    )


def _refused(room: Room, event: RationaleRefused) -> Room:
    return msgspec.structs.replace(room, asked_rationales=_without(room, event.proposal))


def _without(room: Room, proposal: str) -> Any:
    waiting = room.asked_rationales
    return waiting.delete(proposal) if proposal in waiting else waiting


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    RationaleProposed: _proposed,
    RationaleAccepted: _accepted,
    RationaleRefused: _refused,
}
"""How each event on a record of meaning changes the room."""
