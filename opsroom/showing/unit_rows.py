"""The rows of a unit's page for one viewer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from opsroom.council.amendments import diff
from opsroom.council.options import OptionTerms
from opsroom.council.terms import lines
from opsroom.judgement.bank import Bank
from opsroom.recursion.flow import unit_of
from opsroom.recursion.focus import title_of
from opsroom.recursion.offers import offer_of
from opsroom.recursion.pacts import Accord, Grant, Probe, Request, TurnedDown, Version
from opsroom.recursion.recursion import owner
from opsroom.recursion.sights import declined
from opsroom.recursion.variety import absorbed
from opsroom.recursion.whole import bottleneck, idle
from opsroom.recursion.wholes import Wholes
from opsroom.room.state import Room
from opsroom.room.thing import Thing
from opsroom.showing import show
from opsroom.showing.sentences import person, signal_title
from opsroom.views import ProposalView, Viewer
from opsroom.views.pacts import (
    AccordView,
    AgreementView,
    ChartView,
    ConsentView,
    FlowView,
    GrantView,
    LookView,
    PartView,
    ProbeView,
    RequestView,
    UnitPage,
    VarietyView,
    VersionView,
)

OVER_SHOWN = 20
"""How many things that are over stand on a page beside the live ones, of each kind."""


def chart_view(
    room: Room, bank: Bank, wholes: Wholes, unit: str, now: float, may_look: Callable[[str], bool]
) -> ChartView | None:
    """A unit's flowchart as it is now; `None` for a unit without one.

    The whole and its parts' indices are for everybody who sees the unit; figures of a part for whoever `may_look` at its signal.
    """
    if unit not in wholes.charts:
        return None
    drawn = wholes.drawing(room, bank, unit, now)
    chart, triple = drawn.chart, drawn.triple
    parts = []
    for part in chart.parts:
        plant = unit_of(part.part)
        known = room.signals.get(part.part if "/" in part.part else f"{part.part}/actuality")
        standard, does = drawn.standards[part.part], drawn.does[part.part]
        seen = "/" not in part.part or may_look(part.part)
        able = standard.capability
        parts.append(
            PartView(
                part=part.part,
                title=title_of(room, plant),
                uom=known.birth.unit if known is not None else "",
                worth=part.worth,
                does=does if seen else None,
                capability=standard.capability,
                potentiality=standard.potentiality,
                gives=drawn.amounts.parts[part.part] if seen else None,
                index=round(does / able, 2) if does is not None and able else None,
                gain=drawn.gain[part.part],
                held_back=drawn.held_back[part.part],
                missing=does is None,
                unit=plant,
            )
        )
    flows = tuple(
        FlowView(
            source=flow.source,
            target=flow.target,
            product=flow.product,
            per=flow.per,
            share=flow.share,
            stock=flow.stock,
            stock_level=drawn.stocks.get(flow.stock) if flow.stock and may_look(flow.stock) else None,
            amount=amount if "/" not in flow.source or may_look(flow.source) else None,
            could=could,
        )
        for flow, amount, could in zip(chart.flows, drawn.amounts.flows, drawn.could.flows, strict=True)
    )
    able_all = {name: able for name, one in drawn.standards.items() if (able := one.capability) is not None}
    behind = max(drawn.held_back.items(), key=lambda one: one[1], default=("", 0.0))
    return ChartView(
        unit=unit,
        title=chart.title or title_of(room, unit),
        measure=chart.measure,
        key=chart.key,
        value=drawn.told.value,
        low=drawn.told.low,
        high=drawn.told.high,
        missing=drawn.told.missing,
        rule=chart.missing,
        capability=triple.capability,
        potentiality=triple.potentiality,
        productivity=triple.productivity,
        latency=triple.latency,
        performance=triple.performance,
        parts=tuple(parts),
        flows=flows,
        bottleneck=bottleneck(drawn.gain) if idle(chart, able_all, drawn.could) else "",
        holds_back=behind[0] if behind[1] > 0.0 else "",
        horizon_s=chart.horizon_s,
        period_s=chart.period_s,
    )


def grants(room: Room, viewer: Viewer) -> tuple[GrantView, ...]:
    """The grants in scope, those that hold first, then the last that are over."""
    seen = [one for one in room.grants.values() if _concerns(room, viewer, one.unit, one.sights.to)]
    return tuple(_grant(room, one) for one in _live_first(seen, lambda one: one.made_at))


def requests(room: Room, viewer: Viewer) -> tuple[RequestView, ...]:
    """The requests in scope, those that wait first."""
    seen = [one for one in room.requests.values() if show.scope(room, viewer, one.unit)]
    return tuple(_request(room, one) for one in _live_first(seen, lambda one: one.asked_at))


def waiting(room: Room, viewer: Viewer) -> tuple[RequestView, ...]:
    """The requests in scope that wait for an answer, oldest first."""
    seen = [one for one in room.requests.values() if not one.over() and show.scope(room, viewer, one.unit)]
    return tuple(_request(room, one) for one in sorted(seen, key=lambda one: (one.asked_at, one.id)))


def accords(room: Room, viewer: Viewer) -> tuple[AccordView, ...]:
    """The accords of which a party is in scope, the live ones first."""
    seen = [one for one in room.accords.values() if any(show.scope(room, viewer, unit) for unit in one.parties)]
    return tuple(_accord(room, one) for one in _live_first(seen, lambda one: one.proposed_at))


def probes(room: Room, viewer: Viewer) -> tuple[ProbeView, ...]:
    """The probes in scope, those that can be read first."""
    seen = [one for one in room.probes.values() if show.scope(room, viewer, owner(one.signal))]
    return tuple(_probe(one) for one in _live_first(seen, lambda one: one.asked_at))


def versions(room: Room, of: str) -> tuple[VersionView, ...]:
    """The versions of an agreement, newest first."""
    return tuple(_version(of, one) for one in reversed(room.versions.get(of, ())))


def variety(room: Room, readings: Mapping[str, tuple[int, int]], viewer: Viewer, now: float) -> tuple[VarietyView, ...]:
    """What each unit in scope took in, from the top down."""
    rows = absorbed(room.tree, room.variety, readings, now)
    return tuple(
        VarietyView(title=title_of(room, row.unit), **msgspec.structs.asdict(row))
        for row in rows
        if show.scope(room, viewer, row.unit)
    )


def page(
    room: Room,
    viewer: Viewer,
    unit: str,
    now: float,
    chart: ChartView | None,
    rows: tuple[VarietyView, ...],
    looks: tuple[LookView, ...] | None,
) -> UnitPage:
    """Everything on a unit's page."""
    known, plant = room.tree.units[unit], room.plants.get(unit)
    signals = plant.signals if plant is not None else ()
    agreed = []
    for signal in signals:
        key = f"{unit}/{signal.name}"
        terms = room.signals[key].agreement
        agreed.append(
            AgreementView(
                signal=key,
                title=signal_title(room, key),
                uom=signal.unit,
                version=terms.version,
                capability=terms.capability,
                potentiality=terms.potentiality,
                recovery_s=terms.recovery_s,
                normal_low=terms.normal_low,
                normal_high=terms.normal_high,
                agreed_by=terms.agreed_by,
                agreed_at=terms.agreed_at,
            )
        )
    over = room.turned_down.get(unit, ()) if show.scope(room, viewer, unit) else ()
    told = [one for of in (unit, *(row.signal for row in agreed)) for one in versions(room, of)]
    return UnitPage(
        unit=unit,
        title=title_of(room, unit),
        level=known.level,
        parent=known.parent,
        now=now,
        own=viewer.role == "unit" and viewer.unit == unit,
        plant=plant is not None,
        chart=chart,
        variety=next((row for row in rows if row.unit == unit), None),
        agreements=tuple(agreed),
        versions=tuple(sorted(told, key=lambda one: -one.agreed_at)),
        proposals=tuple(one for one in show.proposals(room, viewer) if owner(one.signal) == unit),
        requests=tuple(one for one in requests(room, viewer) if one.unit == unit),
        orders=tuple(sorted(plant.orders)) if plant is not None else (),
        declines=declined(room, unit),
        grants=tuple(one for one in grants(room, viewer) if unit in (one.unit, one.to)),
        looks=looks,
        accords=tuple(one for one in accords(room, viewer) if unit in one.parties),
        probes=tuple(one for one in probes(room, viewer) if owner(one.signal) == unit),
        siblings=tuple(
            other for other in room.tree.listed if other != unit and room.tree.units[other].level == known.level
        ),
        above=room.tree.path(unit)[1:],
        turned_down=tuple(_turned_down(room, one) for one in reversed(over)),
    )


def _concerns(room: Room, viewer: Viewer, unit: str, to: str) -> bool:
    return show.scope(room, viewer, unit) or (viewer.role == "unit" and viewer.unit == to)


T = TypeVar("T", bound=Thing)


def _live_first(things: Iterable[T], at: Callable[[T], float]) -> tuple[T, ...]:
    listed = sorted(things, key=lambda one: -at(one))
    return (*(one for one in listed if not one.over()), *[one for one in listed if one.over()][:OVER_SHOWN])


def _grant(room: Room, one: Grant) -> GrantView:
    return GrantView(
        id=one.id,
        unit=one.unit,
        signals=one.sights.signals,
        to=one.sights.to,
        to_title=title_of(room, one.sights.to),
        purpose=one.sights.purpose,
        until=one.sights.until,
        made_at=one.made_at,
        made_by=one.made_by,
        ended_at=one.ended_at,
        ended_reason=one.ended_reason,
    )


def _request(room: Room, one: Request) -> RequestView:
    sights = one.sights
    told: dict[str, Any] = {}
    if sights is not None:
        told["to_title"] = title_of(room, sights.to)
    if not one.over():
        offer = offer_of(room, one.id)
        told["answer_until"] = offer.until if offer is not None else None
        if one.about == "orders":
            terms = OptionTerms(
                about="orders", plant=one.unit, declined=declined(room, one.unit), declines=one.declines
            )
            told["diff"] = diff(*lines(terms))
    return RequestView(
        id=one.id,
        unit=one.unit,
        side=one.side,
        about=one.about,
        asked_by=person(room, one.asked_by),
        asked_at=one.asked_at,
        reason=sights.purpose if sights is not None else one.reason,
        signals=sights.signals if sights is not None else (),
        to=sights.to if sights is not None else "",
        until=sights.until if sights is not None else None,
        declines=one.declines,
        answered_at=one.answered_at,
        accepted=one.accepted,
        answer=one.answer,
        answered_by=person(room, one.answered_by),
        **told,
    )


def _turned_down(room: Room, one: TurnedDown) -> ProposalView:
    terms = one.terms
    return ProposalView(
        id=one.id,
        signal=one.signal,
        by=person(room, one.by),
        side=one.side,
        capability=terms.capability,
        potentiality=terms.potentiality,
        recovery_s=terms.recovery_s,
        normal_low=terms.normal_low,
        normal_high=terms.normal_high,
        reason=one.reason,
        at=one.at,
        answered_at=one.answered_at,
        answered_by=person(room, one.answered_by),
        answer=one.answer,
    )


def _accord(room: Room, one: Accord) -> AccordView:
    return AccordView(
        id=one.id,
        parties=one.parties,
        titles=tuple(title_of(room, unit) for unit in one.parties),
        subject=one.subject,
        words=one.words,
        until=one.until,
        state=one.state,
        proposed_by=one.proposed_by,
        proposed_at=one.proposed_at,
        source=one.source,
        alarms=one.alarms,
        consents=tuple(ConsentView(unit=c.unit, by=c.by, at=c.at, reason=c.reason) for c in one.consents),
        waits_for=one.waits_for,
        ended_at=one.ended_at,
        ended_reason=one.ended_reason,
    )


def _probe(one: Probe) -> ProbeView:
    return ProbeView(
        id=one.id,
        signal=one.signal,
        start=one.start,
        end=one.end,
        purpose=one.purpose,
        asked_by=one.asked_by,
        asked_at=one.asked_at,
        until=one.until,
        closed=one.closed,
    )


def _version(of: str, one: Version) -> VersionView:
    terms = one.agreement
    figures: dict[str, Any] = (
        {
            name: getattr(terms, name)
            for name in ("capability", "potentiality", "recovery_s", "normal_low", "normal_high")
        }
        if terms is not None
        else {}
    )
    return VersionView(
        of=of,
        version=one.version,
        agreed_by=one.agreed_by,
        agreed_at=one.agreed_at,
        reason=one.reason,
        declines=one.declines,
        **figures,
    )
