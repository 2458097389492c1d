"""Orders as a screen sees them: those that were issued, with their effect and its cause, and those that plants declared. Pure."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from opsroom.council.motion import OrderRecord
from opsroom.recursion.sights import declined
from opsroom.room.state import Room
from opsroom.showing.scope import CLOSED_SHOWN, scope
from opsroom.showing.sentences import attribution_sentence
from opsroom.views import AttributionView, EffectView, OrderChoice, OrderView, Viewer


def order_view(room: Room, order: str) -> OrderView:
    """One order."""
    row = room.orders[order]
    plant = room.plants.get(row.plant)
    declared = plant.orders.get(row.name) if plant is not None else None
    return OrderView(
        id=row.id,
        motion=row.motion,
        plant=row.plant,
        name=row.name,
        title=declared.title if declared is not None else row.name,
        parameters=row.parameters,
        state=row.state,
        issued_at=row.issued_at,
        expires_at=row.expires,
        reason=row.reason,
        changed_at=row.changed_at,
        effect=_effect(room, row),
        ending=row.ending,
        ending_reason=row.ending_reason,
    )


def orders(room: Room, viewer: Viewer, only: Collection[str] | None = None) -> tuple[OrderView, ...]:
    """The orders in scope, newest first; `only` keeps to some ids."""
    wanted = room.orders.values() if only is None else [room.orders[name] for name in only if name in room.orders]
    seen = sorted((row for row in wanted if scope(room, viewer, row.plant)), key=lambda row: -row.issued_at)
    live = [row for row in seen if not row.over()]
    over = [row for row in seen if row.over()][:CLOSED_SHOWN]
    return tuple(order_view(room, row.id) for row in sorted((*live, *over), key=lambda row: -row.issued_at))


def choices(room: Room, viewer: Viewer) -> tuple[OrderChoice, ...]:
    """The orders that the plants declared and accept, by plant and name."""
    return tuple(
        OrderChoice(
            plant=plant,
            name=name,
            title=order.title,
            parameters=order.parameters,
            danger=order.danger,
            effects=tuple(msgspec.to_builtins(effect) for effect in order.effects),
        )
        for plant in sorted(room.plants)
        if scope(room, viewer, plant)
        for name, order in sorted(room.plants[plant].orders.items())
        if name not in declined(room, plant)
    )


def _effect(room: Room, row: OrderRecord) -> EffectView | None:
    effect = row.effect
    if effect is None:
        return None
    return EffectView(
        signal=effect.signal,
        before=effect.before,
        after=effect.after,
        expected_without=effect.expected_without,
        expected_low=effect.expected_low,
        expected_high=effect.expected_high,
        change=effect.change,
        recovered_at=effect.recovered_at,
        measured_at=effect.measured_at,
        final=effect.final,
        attribution=_attribution(room, row),
    )


def _attribution(room: Room, row: OrderRecord) -> AttributionView | None:
    found = row.attribution
    return None if found is None else AttributionView(said=attribution_sentence(room, found), told=found.told)
