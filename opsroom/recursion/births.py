"""Births and the charter: which units there are, what a plant declares, and the agreements that a first birth brings into force.

The charter only seeds agreements, at a signal's first birth; from then on the journal rules, and a later birth that differs is
a proposal of the unit's side (`agreements`), never a change. People are never signals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from immutables import Map

from opsroom.alarms import stops
from opsroom.alarms.alarm import closed, standing
from opsroom.council.parameters import schema_fault
from opsroom.recursion import sights
from opsroom.recursion.agreements import TERMS, proposed
from opsroom.recursion.flowchart import redrawn
from opsroom.recursion.pacts import VERSIONS_KEPT, Version
from opsroom.recursion.recursion import Agreement, Charter, Tree, Unit
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent, SeededAgreement
from opsroom.room.news import CharterRead, PlantBorn, PlantDied
from opsroom.room.refusal import Refused
from opsroom.room.state import Plant, Room, Signal
from telex_ingest.telex import OrderBirth, PlantBirth, SignalBirth


def found(room: Room, news: CharterRead, now: float) -> tuple[AnyEvent, ...]:
    """Found the room on its file, or amend the tree, rules, seats and calendar when the file has changed since."""
    charter = news.charter
    Tree.of(charter.units)
    if not room.founded:
        planned = (stops.seeded(room, entry, ahead, now) for ahead, entry in enumerate(charter.calendar, 1))
        return (happened.RoomFounded(at=now, charter=charter), *planned)
    if charter == room.charter:
        return ()
    fresh = [entry for entry in charter.calendar if entry not in room.charter.calendar]
    planned = (stops.seeded(room, entry, ahead, now) for ahead, entry in enumerate(fresh, 1))
    ended = _without_chart(room, charter, now)
    let = sights.seeded(room, room.plants, now, Tree.of(charter.units).root) if charter.readings == "room" else ()
    return (happened.CharterAmended(at=now, charter=charter), *planned, *ended, *let)


def _without_chart(room: Room, charter: Charter, now: float) -> tuple[AnyEvent, ...]:
    """Close the alarms of units' own series that are told no more, or tell another figure; a council's motion keeps its alarm."""
    drawn, anew = {chart.unit for chart in charter.charts}, redrawn(room.charter.charts, charter.charts)
    found: list[AnyEvent] = []
    for chart in room.charter.charts:
        alarm = standing(room, chart.key)
        if alarm is None:
            continue
        if chart.unit not in drawn:
            found += closed(room, alarm, now, f"{alarm.unit} has no flowchart any more")
        elif chart.unit in anew and not any(room.motions[motion].state == "open" for motion in alarm.motions):
            found += closed(room, alarm, now, f"the flowchart of {alarm.unit} was drawn anew: it tells another figure")
    return tuple(found)


def hear_birth(room: Room, news: PlantBorn, now: float) -> tuple[AnyEvent, ...]:
    """Take a plant in, or in again with another wording; the same wording again is no news."""
    birth = news.birth
    _check(room, birth)
    known = room.plants.get(birth.plant)
    if known is not None and known.left is None and _same(known, birth):
        return ()
    faults = {order.name: fault for order in birth.orders if (fault := _fault(room, order))}
    orders = tuple(order for order in birth.orders if order.name not in faults)
    parent = "" if birth.plant in room.tree.units else room.charter.unassigned
    if birth.plant not in room.tree.units and parent not in room.tree.units:
        parent = room.tree.root
    seeded, wanted = [], []
    for signal in birth.signals:
        standing_signal = room.signals.get(f"{birth.plant}/{signal.name}")
        agreed = standing_signal.agreement if standing_signal is not None else None
        if agreed is None:
            agreed = _seed(room.charter, birth.plant, signal, now)
            seeded.append(SeededAgreement(signal.name, agreed))
        terms = _wanted(signal, agreed)
        if terms is not None:
            wanted.append((f"{birth.plant}/{signal.name}", terms))
    joined = happened.PlantJoined(
        at=now,
        plant=birth.plant,
        title=birth.title,
        link=news.link,
        version=birth.version,
        parent=parent,
        signals=birth.signals,
        orders=orders,
        seeded=tuple(seeded),
        unusable=tuple(order for order in birth.orders if order.name in faults),
        faults=tuple(f"the order {name} cannot be proposed: {fault}" for name, fault in faults.items()),
    )
    events: list[AnyEvent] = [joined, *_gone(room, known, birth, now)]
    ahead = 0
    for signal_key, terms in wanted:
        if any(one.signal == signal_key and one.terms == terms for one in room.proposals.values()):
            continue
        ahead += 1
        why = f"the plant's birth, version {birth.version}, differs from the agreement"
        events += proposed(room, now, signal_key, "unit", terms, why, ahead)
    let = sights.seeded(room, [birth.plant], now, room.tree.root) if room.charter.readings == "room" else ()
    return (*(msgspec.structs.replace(event, by=f"wire-{birth.plant}") for event in events), *let)


def _check(room: Room, birth: PlantBirth) -> None:
    if personal := [signal.name for signal in birth.signals if signal.personal]:
        raise Refused(
            "personal-signal",
            f"{birth.plant} declares {', '.join(personal)} as personal: people are never signals of this room",
            "declare figures of machines, stock, energy or product, or of a shift as a whole",
        )
    names = [signal.name for signal in birth.signals]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise Refused(
            "doubled-signal", f"{birth.plant} declares {', '.join(doubled)} twice", "give each signal its own name"
        )
    if birth.plant in room.tree.inner:
        raise Refused(
            "not-a-leaf",
            f"{birth.plant} is a unit with units below it, and a plant is a leaf",
            "name the plant otherwise, or put it into the tree as a leaf",
        )


def _same(known: Plant, birth: PlantBirth) -> bool:
    return (
        known.signals == birth.signals
        and {**known.orders, **{order.name: order for order in known.unusable}} == {o.name: o for o in birth.orders}
        and (known.title, known.version) == (birth.title, birth.version)
    )


def _fault(room: Room, order: OrderBirth) -> str:
    return "" if schema_text(order) in room.schemas else schema_fault(order.parameters)


def schema_text(order: OrderBirth) -> bytes:
    """An order's parameter schema as JSON, the same for the same schema."""
    return msgspec.json.encode(order.parameters, order="sorted")


def _seed(charter: Charter, plant: str, signal: SignalBirth, now: float) -> Agreement:
    """The first agreement: the charter's, and where it is silent the birth's own proposal."""
    agreed = charter.agreements.get(f"{plant}/{signal.name}")
    declared = Agreement(
        capability=signal.capability, potentiality=signal.potentiality, agreed_by="birth", agreed_at=now
    )
    if agreed is None:
        return declared
    missing = {term: getattr(declared, term) for term in TERMS if getattr(agreed, term) is None}
    return msgspec.structs.replace(agreed, agreed_at=now, **missing)


def _wanted(signal: SignalBirth, agreed: Agreement) -> Agreement | None:
    """The terms that a birth asks for beyond the agreement; `None` when it asks for nothing else."""
    declared = {"capability": signal.capability, "potentiality": signal.potentiality}
    differing = {
        term: value for term, value in declared.items() if value is not None and value != getattr(agreed, term)
    }
    return msgspec.structs.replace(agreed, agreed_by="", agreed_at=0.0, **differing) if differing else None


def _gone(room: Room, known: Plant | None, birth: PlantBirth, now: float) -> list[AnyEvent]:
    """Alarms on signals that the plant does not declare any more can never recover: they close with that reason."""
    if known is None:
        return []
    kept = {signal.name for signal in birth.signals}
    events: list[AnyEvent] = []
    for signal in known.signals:
        alarm = standing(room, f"{birth.plant}/{signal.name}") if signal.name not in kept else None
        if alarm is not None:
            events += closed(room, alarm, now, f"{birth.plant} does not declare {signal.name} any more")
    return events


def hear_farewell(room: Room, news: PlantDied, now: float) -> tuple[AnyEvent, ...]:
    """A farewell explains a plant's silence; it does not excuse it."""
    plant = room.plants.get(news.plant)
    if plant is None:
        raise Refused("unknown-plant", f"nobody declared the plant {news.plant!r}", "a birth comes before a farewell")
    return (
        (happened.PlantLeft(at=now, by=f"wire-{plant.id}", plant=plant.id, reason=news.reason),)
        if plant.left is None
        else ()
    )


def _with_charter(room: Room, event: happened.RoomFounded | happened.CharterAmended) -> Room:
    charter = event.charter
    tree = Tree.of(charter.units)
    for plant in room.plants:
        if plant not in tree.units:
            hung = room.tree.units[plant]
            parent = hung.parent if hung.parent in tree.units else charter.unassigned
            tree = tree.grown(msgspec.structs.replace(hung, parent=parent if parent in tree.units else tree.root))
    with room.signals.mutate() as signals:
        for chart in room.charter.charts:
            signals.pop(chart.key, None)
        for chart in charter.charts:
            (own,) = chart.birth().signals
            agreed = Agreement(agreed_by="flowchart", agreed_at=event.at)
            signals[chart.key] = Signal(key=chart.key, plant=chart.unit, birth=own, agreement=agreed)
        fresh = signals.finish()
    return msgspec.structs.replace(room, charter=charter, tree=tree, founded=True, signals=fresh, graph=charter.graph())


def _joined(room: Room, event: happened.PlantJoined) -> Room:
    plant = Plant(
        id=event.plant,
        title=event.title,
        version=event.version,
        link=event.link,
        signals=event.signals,
        orders=Map({order.name: order for order in event.orders}),
        joined_at=event.at,
        unusable=event.unusable,
    )
    tree = room.tree
    if event.parent:
        level, clock = room.charter.plant_level, room.charter.plant_clock_s
        title = event.title or event.plant
        tree = tree.grown(Unit(id=plant.id, title=title, level=level, parent=event.parent, clock_s=clock))
    seeded = {one.name: one.agreement for one in event.seeded}
    kept = {f"{plant.id}/{signal.name}" for signal in event.signals}
    old = room.plants.get(plant.id)
    with room.signals.mutate() as signals:
        for gone in (f"{plant.id}/{signal.name}" for signal in (old.signals if old is not None else ())):
            if gone not in kept:
                signals.pop(gone, None)
        for birth in event.signals:
            key = f"{plant.id}/{birth.name}"
            agreement = seeded[birth.name] if birth.name in seeded else room.signals[key].agreement
            signals[key] = Signal(key=key, plant=plant.id, birth=birth, agreement=agreement)
        fresh = signals.finish()
    proposals = room.proposals
    for proposal in room.proposals.values():
        if proposal.signal not in fresh:
            proposals = proposals.delete(proposal.id)
    schemas = room.schemas
    for order in event.orders:
        if (text := schema_text(order)) not in schemas:
            schemas = schemas.set(text, True)
    with room.versions.mutate() as changing:
        for name, agreement in seeded.items():
            first = Version(
                version=agreement.version,
                agreed_by=agreement.agreed_by,
                agreed_at=agreement.agreed_at,
                reason="first birth",
                agreement=agreement,
            )
            key = f"{plant.id}/{name}"
            changing[key] = (*changing.get(key, ()), first)[-VERSIONS_KEPT:]
        versions = changing.finish()
    plants = room.plants.set(plant.id, plant)
    return msgspec.structs.replace(
        room,
        plants=plants,
        signals=fresh,
        tree=tree,
        proposals=proposals,
        schemas=schemas,
        versions=versions,
    )


def _left(room: Room, event: happened.PlantLeft) -> Room:
    plant = msgspec.structs.replace(room.plants[event.plant], left=event.reason)
    return msgspec.structs.replace(room, plants=room.plants.set(plant.id, plant))


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    happened.RoomFounded: _with_charter,
    happened.CharterAmended: _with_charter,
    happened.PlantJoined: _joined,
    happened.PlantLeft: _left,
}
"""How a charter, a birth and a farewell change the room."""
