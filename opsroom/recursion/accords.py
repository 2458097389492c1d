"""Accords of siblings (System 2): units of one level share power, swap shifts, lend stock, for a time, each by its own consent.

A party proposes one, or the room's people, or the room itself when alarms of such units share a cause in the flow graph. Nothing
acts by itself: an accord is a promise between people, on record and visible to its parties and the room.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from opsroom.commands import Actor, AnswerAccord, EndAccord, ProposeAccord, Role
from opsroom.recursion.flowchart import OWN
from opsroom.recursion.focus import title_of
from opsroom.recursion.pact_events import AccordAnswered, AccordEnded, AccordProposed, Subject
from opsroom.recursion.pacts import Accord, Consent
from opsroom.room.authority import said
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Alarm, Room, count, put
from opsroom.showing.sentences import quoted, title

PARTIES = 8
"""The most parties of one accord."""

LONGEST_S = 366 * 86400.0
"""The longest accord."""

WINDOW_S = 3600.0
"""Alarms that opened further apart are not taken for one cause."""

PROPOSED_S = 8 * 3600.0
"""How long an accord lasts that the room proposes: a shift."""

PROPOSED_OPEN = 12
"""The room proposes no more accords while so many of anybody's wait."""

RELATED = 100
"""So many units around an alarm are looked at for others of the same cause, the nearest first."""

AGAIN_S = 86400.0
"""What parties refused or left is not proposed to them again by the room for so long."""

SUBJECTS: Mapping[str, Subject] = {"power": "power", "trains": "transport", "transport": "transport"}
"""What an accord about a scarce product is called; of other products the stock is lent."""

SCARCE_NOTHING = ("silence", "stuck", "variance")
"""The troubles that leave nobody short: a plant that says nothing, a gauge that is told badly."""


def propose(room: Room, asked: ProposeAccord, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Propose an accord; a unit's people must be a party, and have consented with that."""
    parties = tuple(dict.fromkeys(asked.parties))
    if not 2 <= len(parties) <= PARTIES:
        raise Refused("bad-parties", f"{len(parties)} parties are named", f"an accord has 2 to {PARTIES}")
    if strange := [unit for unit in parties if unit not in room.tree.units]:
        raise Refused("unknown-unit", f"there is no unit {strange[0][:80]!r}", "name units as the room lists them")
    if len({room.tree.units[unit].level for unit in parties}) > 1:
        raise Refused("not-siblings", "the parties are not of one level", "an accord is between units of one level")
    if actor.role is Role.UNIT and actor.unit not in parties:
        raise Refused("not-a-party", f"{actor.unit} is no party of it", "propose accords of your own unit")
    if not (math.isfinite(asked.until) and now < asked.until <= now + LONGEST_S):
        raise Refused(
            "bad-time",
            f"the end, {asked.until:.0f}, is not within a year from now",
            "give `until` as epoch seconds UTC",
        )
    made = AccordProposed(
        at=now,
        accord=room.next_id("accord"),
        parties=parties,
        subject=asked.subject,
        words=said(asked.words, "what is promised"),
        until=asked.until,
    )
    if actor.role is not Role.UNIT:
        return (made,)
    return (made, AccordAnswered(at=now, accord=made.accord, unit=actor.unit, accepted=True, reason="proposed it"))


def answer(room: Room, asked: AnswerAccord, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Consent, or refuse with a reason, for one's own unit."""
    accord = _find(room, asked.accord)
    if actor.unit not in accord.parties:
        raise Refused("not-a-party", f"{actor.unit} is no party of {accord.id}", "its parties answer")
    if actor.unit not in accord.waits_for:
        raise Refused("answered", f"{actor.unit} has answered {accord.id}", "a party that goes leaves it (end-accord)")
    reason = asked.reason.strip()[:2000] if asked.accept else said(asked.reason, "the reason for refusing")
    return (AccordAnswered(at=now, accord=accord.id, unit=actor.unit, accepted=asked.accept, reason=reason),)


def end(room: Room, asked: EndAccord, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Leave an accord, or take back what one has proposed."""
    accord = _find(room, asked.accord)
    if actor.unit not in accord.parties:
        raise Refused("not-a-party", f"{actor.unit} is no party of {accord.id}", "its parties can leave it")
    who = title_of(room, actor.unit)
    return (AccordEnded(at=now, accord=accord.id, reason=f"{who} left: {said(asked.reason, 'the reason')}"),)


def run_out(room: Room, accord: Accord, now: float) -> tuple[AnyEvent, ...]:
    """An accord's time is over, agreed or not."""
    silent = " and ".join(title_of(room, unit) for unit in accord.waits_for)
    waited = f"without the word of {silent}" if silent else "its time was over"
    return (AccordEnded(at=now, accord=accord.id, reason=waited),)


def shared_cause(room: Room, alarm: Alarm, now: float) -> tuple[AnyEvent, ...]:
    """What the room proposes by itself when an alarm opens while a unit of the same level has one of the same cause.

    Both are fed by a unit that is itself in alarm (one of the two may be it), and they opened within `WINDOW_S`.
    """
    graph = room.graph
    units = room.tree.units
    if not graph.flows or alarm.unit not in units or alarm.deviation.named in SCARCE_NOTHING:
        return ()
    if sum(accord.state == "proposed" for accord in room.accords.values()) >= PROPOSED_OPEN:
        return ()
    related = dict.fromkeys((alarm.unit, *graph.upstream(alarm.unit), *graph.downstream(alarm.unit)))
    for source in (alarm.unit, *graph.upstream(alarm.unit)):
        related |= dict.fromkeys(graph.downstream(source))
    troubled = {}
    for unit in list(related)[:RELATED]:
        other = _trouble(room, unit)
        if other is not None:
            troubled[unit] = other
    near = [
        other
        for other in troubled.values()
        if other.unit != alarm.unit
        and other.unit in units
        and units[other.unit].level == units[alarm.unit].level
        and abs(alarm.opened_at - other.opened_at) <= WINDOW_S
    ]
    for other in sorted(near, key=lambda one: (-one.opened_at, one.id)):
        parties = tuple(sorted((alarm.unit, other.unit)))
        source = next((unit for unit in graph.common_sources(parties) if unit in troubled), "")
        if not source or _known(room, parties, now):
            continue
        fed = [unit for unit in parties if unit != source]
        flows = [flow for unit in fed for flow in graph.between(source, unit)]
        product = flows[0].product if flows else ""
        subject: Subject = SUBJECTS.get(product, "stock" if product else "other")
        gives = title_of(room, source)
        scarce = f"{product} from {gives}" if product else f"what {gives} gives"
        both = f"{quoted(title(room, alarm))} and {quoted(title(room, other))}"
        words = f"{both} share a cause: {scarce} is short. Share what there is until it is back."
        return (
            AccordProposed(
                at=now,
                accord=room.next_id("accord"),
                parties=parties,
                subject=subject,
                words=words,
                until=now + PROPOSED_S,
                alarms=(other.id, alarm.id),
                source=source,
            ),
        )
    return ()


def _trouble(room: Room, unit: str) -> Alarm | None:
    """The newest open alarm of a unit that may leave others short."""
    plant = room.plants.get(unit)
    keys = [f"{unit}/{signal.name}" for signal in plant.signals] if plant is not None else [f"{unit}/{OWN}"]
    found = (room.alarms.get(room.standing.get(key, "")) for key in (unit, *keys))
    open_ones = [
        one
        for one in found
        if one is not None
        and one.closed_at is None
        and one.recovered_at is None
        and not one.stop
        and one.deviation.named not in SCARCE_NOTHING
    ]
    return max(open_ones, key=lambda one: one.opened_at, default=None)


def _known(room: Room, parties: tuple[str, ...], now: float) -> bool:
    """Whether the same parties have an accord, or have refused or left one that the room proposed lately."""
    same = [accord for accord in room.accords.values() if set(accord.parties) == set(parties)]
    return any(not one.over() or (one.source and now - (one.ended_at or now) < AGAIN_S) for one in same)


def _find(room: Room, name: str) -> Accord:
    accord = room.accords.get(name)
    if accord is None:
        raise Refused("unknown-accord", f"there is no accord {name[:80]!r}", "look for its id among the accords")
    if accord.over():
        raise Refused("accord-over", f"{accord.id} is over: {accord.ended_reason}", "propose another one")
    return accord


def _proposed(room: Room, event: AccordProposed) -> Room:
    accord = Accord(
        id=event.accord,
        parties=event.parties,
        subject=event.subject,
        words=event.words,
        until=event.until,
        proposed_by=event.occupant or event.by or "the room",
        proposed_at=event.at,
        alarms=event.alarms,
        source=event.source,
    )
    return put(count(room, "accord"), "accords", accord)


def _answered(room: Room, event: AccordAnswered) -> Room:
    accord = room.accords[event.accord]
    if not event.accepted:
        why = f"{title_of(room, event.unit)} refused: {event.reason}"
        over = msgspec.structs.replace(accord, state="refused", ended_at=event.at, ended_reason=why)
        return put(room, "accords", over)
    consent = Consent(unit=event.unit, by=event.occupant or event.by, at=event.at, reason=event.reason)
    accord = msgspec.structs.replace(accord, consents=(*accord.consents, consent))
    return put(room, "accords", accord if accord.waits_for else msgspec.structs.replace(accord, state="in-force"))


def _ended(room: Room, event: AccordEnded) -> Room:
    accord = room.accords[event.accord]
    over = msgspec.structs.replace(accord, state="ended", ended_at=event.at, ended_reason=event.reason)
    return put(room, "accords", over)


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    AccordProposed: _proposed,
    AccordAnswered: _answered,
    AccordEnded: _ended,
}
"""How each event on an accord changes the room."""
